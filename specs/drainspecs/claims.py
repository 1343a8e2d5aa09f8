"""The claims of the commit message that this project was born from, and what comes after them, each decided by computation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from functools import cache
from typing import Any, Final

from draincheck.engines.explicit import explore
from draincheck.markov import probability
from draincheck.qemu import build
from draincheck.revisions import Revision, find_revision, nearest, with_settings
from draincheck.system import TransitionSystem
from draincheck.verdict import Exploration, Outcome
from drainspecs.cases import SeedCases
from drainspecs.kicks import KickPosition, dangerous_kicks
from drainspecs.scenarios import find_scenario

__all__ = ["CLAIMS", "Claim", "ClaimResult", "ClaimVerdict", "Fact", "decide_claims", "find_claim"]


class ClaimVerdict(Enum):
    """What the computation says about a claim."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    CONDITIONAL = "confirmed under a condition"


@dataclass(frozen=True, slots=True)
class Fact:
    """One computed answer that a claim rests on: a question in words, and whether it came out as the claim needs it."""

    text: str
    holds: bool


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """A claim decided: its verdict, the facts behind it, and remarks that decide nothing."""

    claim: Claim
    verdict: ClaimVerdict
    facts: tuple[Fact, ...]
    remarks: tuple[str, ...] = ()

    @property
    def as_expected(self) -> bool:
        """The verdict is the one that the history gives reason to expect."""
        return self.verdict is self.claim.expected


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim in one sentence, and how it is decided.

    Attributes:
        name: its name on the command line.
        text: the claim.
        expected: the verdict to expect, from the project's semantics notes.
        condition: for *confirmed under a condition*: the condition.
        as_stated: the facts that the claim needs as it stands.
        if_conditioned: the facts that it needs under the condition.
        remarks: information beside the verdict.
    """

    name: str
    text: str
    expected: ClaimVerdict
    as_stated: Callable[[], Iterator[Fact]]
    condition: str = ""
    if_conditioned: Callable[[], Iterator[Fact]] | None = None
    remarks: Callable[[], Iterator[str]] = field(default=lambda: iter(()))

    def decide(self) -> ClaimResult:
        """Confirmed if all facts hold as stated; under the condition if those do; refuted otherwise."""
        stated = tuple(self.as_stated())
        under = tuple(self.if_conditioned()) if self.if_conditioned is not None else ()
        if all(fact.holds for fact in stated):
            verdict = ClaimVerdict.CONFIRMED
        elif under and all(fact.holds for fact in under):
            verdict = ClaimVerdict.CONDITIONAL
        else:
            verdict = ClaimVerdict.REFUTED
        return ClaimResult(self, verdict, tuple(dict.fromkeys(stated + under)), tuple(self.remarks()))


# -- what claims are made of ------------------------------------------------------------------------------------------------


@cache
def _system(revision: Revision, scenario: str) -> TransitionSystem:
    name = f"{revision.name} / {scenario}"
    return build(name, revision.knobs, find_scenario(scenario), SeedCases()).compile()


@cache
def _explored(revision: Revision, scenario: str) -> Exploration:
    return explore(_system(revision, scenario))


def _violates(revision: str, scenario: str, property: str, **settings: Any) -> bool:
    code_base = with_settings(find_revision(revision), settings)
    return _explored(code_base, scenario).verdicts[property].outcome is Outcome.VIOLATED


def _fact(wanted: bool, revision: str, scenario: str, property: str, **settings: Any) -> Fact:
    found = _violates(revision, scenario, property, **settings)
    code_base = with_settings(find_revision(revision), settings).name
    verb = "violated" if found else "holds"
    return Fact(f"{code_base}, {scenario}: {property} {verb}", found is wanted)


def _bad(revision: str, scenario: str, property: str, **settings: Any) -> Fact:
    return _fact(True, revision, scenario, property, **settings)


def _good(revision: str, scenario: str, property: str, **settings: Any) -> Fact:
    return _fact(False, revision, scenario, property, **settings)


# -- the claims -------------------------------------------------------------------------------------------------------------


def _opens() -> Iterator[Fact]:
    yield _good("5a7e7a0bad~1", "mirror", "S1")
    yield _bad("5a7e7a0bad", "mirror", "S1")
    yield _bad("5a7e7a0bad", "mirror", "S4")


_BEFORE, _AFTER = "6ee4ce1ee7", "f3926945c8"


def _kicks(revision: str, order: str) -> frozenset[KickPosition]:
    return dangerous_kicks(_system(with_settings(find_revision(revision), {"order": order}), "mirror"), "S1")


def _more_kicks(order: str) -> Iterator[Fact]:
    new = _kicks(_AFTER, order) - _kicks(_BEFORE, order)
    found = "; ".join(str(position) for position in sorted(new)) or "none"
    yield Fact(f"order={order}: kick positions that lead to S1's violation only after {_AFTER}: {found}", bool(new))


def _easier() -> Iterator[Fact]:
    return _more_kicks("attach")


def _easier_any() -> Iterator[Fact]:
    return _more_kicks("any")


def _odds_of_s1(system: TransitionSystem) -> Fraction:
    return probability(system, lambda state, action: "S1" in system.broken_checks(state, action))


def _odds() -> Iterator[str]:
    for order in ("attach", "any"):
        for revision in (_BEFORE, _AFTER):
            odds = _odds_of_s1(_system(with_settings(find_revision(revision), {"order": order}), "mirror"))
            yield f"order={order}: a uniformly random scheduler breaks S1 at {revision} with probability {odds} = {float(odds):.4f}"


def _case_1() -> Iterator[Fact]:
    yield _bad("f3926945c8", "mirror", "case 1")
    yield _bad("3f09bfbc7b", "mirror", "case 1")
    yield _good("5a7e7a0bad~1", "mirror", "S1")


def _case_2(order: str, wanted: bool) -> Iterator[Fact]:
    for revision in ("f3926945c8", "3f09bfbc7b", "176c36997f", "37989ced44"):
        yield _fact(wanted, revision, "mirror", "case 2", order=order)


def _case_2_attach() -> Iterator[Fact]:
    return _case_2("attach", wanted=True)


def _case_2_any() -> Iterator[Fact]:
    return _case_2("any", wanted=True)


def _silent() -> Iterator[Fact]:
    for scenario in ("mirror", "commit"):
        for revision in ("5a7e7a0bad", "6ee4ce1ee7", "f3926945c8"):
            yield _good(revision, scenario, "A1")
            yield _bad(revision, scenario, "S4")
        yield from _aborts(scenario)


def _aborts(scenario: str) -> Iterator[Fact]:
    yield _bad("3f09bfbc7b", scenario, "A1")
    yield _good("3f09bfbc7b", scenario, "S4")


def _silent_from_6ee4() -> Iterator[Fact]:
    for scenario in ("mirror", "commit"):
        for revision in ("6ee4ce1ee7", "f3926945c8"):
            yield _good(revision, scenario, "A1")
            yield _bad(revision, scenario, "S4")
        yield from _aborts(scenario)


def _dataplane() -> Iterator[Fact]:
    yield _bad("c1e1e5fa8f", "dataplane", "S1")
    yield _good("176c36997f", "dataplane", "S1")
    yield _bad("176c36997f", "mirror", "S1")


def _bandage() -> Iterator[Fact]:
    yield _bad("ab27c3b5e7~1", "mirror", "case 1")
    yield _bad("ab27c3b5e7~1", "mirror", "case 2", order="any")
    yield _good("ab27c3b5e7", "mirror", "case 1", order="any")
    yield _good("ab27c3b5e7", "mirror", "case 2", order="any")
    yield _good("ab27c3b5e7", "mirror", "A1")


def _case_3() -> Iterator[Fact]:
    yield _bad("ab27c3b5e7", "mirror", "case 3")
    yield _bad("ab27c3b5e7", "mirror", "S4")
    yield _good("ab27c3b5e7", "mirror", "A1")
    yield _good("ab27c3b5e7", "mirror", "S1", drain="nested")


def _inert() -> Iterator[Fact]:
    for knob in ("walk_checks_external", "is_external"):
        yield _bad("ab27c3b5e7", "mirror", "case 1", **{knob: False})
        yield _bad("ab27c3b5e7", "mirror", "A1", **{knob: False})
    yield _good("ab27c3b5e7", "mirror", "case 1")


def _moved() -> Iterator[Fact]:
    yield _bad("6820643fdb", "mirror", "case 3")
    for revision in ("0ff841f6d1", "1c627137c1", "d4a92a8420"):
        yield _good(revision, "mirror", "S1")


def _begin_first() -> Iterator[Fact]:
    yield _bad("ab27c3b5e7", "mirror", "S6")
    yield _good("ab27c3b5e7", "mirror", "S6", begin="before_check")
    yield _good("ab27c3b5e7", "mirror", "S1", begin="before_check", order="any")


def _uncovered() -> Iterator[Fact]:
    for scenario in ("timer", "no-ioeventfd"):
        for revision in ("0ff841f6d1", "d4a92a8420", "9a0cec664e", "f871abd60f"):
            yield _bad(revision, scenario, "S4")
        yield _bad("ab27c3b5e7", scenario, "S1", begin="before_check")
        yield _good("cf3129323f", scenario, "S1")


CLAIMS: Final = (
    Claim("opens", "5a7e7a0ba opens the window: before it no request can slip in before mirror_exit", ClaimVerdict.CONFIRMED, _opens),
    Claim("easier", "f3926945c8 makes the bug easier to trigger", ClaimVerdict.CONDITIONAL, _easier,
          "GSources may be dispatched in any order; in the order GLib uses, the same kicks lead to the bug as before",
          _easier_any, _odds),
    Claim("case-1", "bug case 1: the request enters in the iteration of (a)", ClaimVerdict.CONFIRMED, _case_1),
    Claim("case-2", "bug case 2: the request enters in the next iteration, before (c)", ClaimVerdict.CONDITIONAL, _case_2_attach,
          "GSources may be dispatched in any order; in attach order it is unreachable", _case_2_any),
    Claim("silent", "the loss was silent before 3f09bfbc7b, which aborts instead", ClaimVerdict.CONDITIONAL, _silent,
          "from 6ee4ce1ee7 on; between 5a7e7a0ba and 6ee4ce1ee7 an active commit may also crash in bdrv_swap", _silent_from_6ee4),
    Claim("dataplane", "2.5 protects dataplane and not the main loop", ClaimVerdict.CONFIRMED, _dataplane),
    Claim("bandage", "the bandage ab27c3b5e7 closes cases 1 and 2", ClaimVerdict.CONFIRMED, _bandage),
    Claim("case-3", "beyond the message: the bandage leaves case 3 open, silently, in its own tree, where drained_begin yields; "
          "on a tree with nested drains it would be clean", ClaimVerdict.CONFIRMED, _case_3),
    Claim("inert", "beyond the message: the bandage is inert without 37989ced44 and without 14560d69e7", ClaimVerdict.CONFIRMED, _inert),
    Claim("moved", "beyond the message: 0ff841f6d1 and 1c627137c1 close case 3 for virtio", ClaimVerdict.CONFIRMED, _moved),
    Claim("begin-first", "beyond the message: the order of 9a0cec664e alone, on top of the bandage, closes case 3 structurally",
          ClaimVerdict.CONFIRMED, _begin_first),
    Claim("uncovered", "beyond the message: none of these covers a request without a host notifier, until cf3129323f",
          ClaimVerdict.CONFIRMED, _uncovered),
)  # fmt: skip


def find_claim(name: str) -> Claim:
    """The claim of this name; raises UnknownName with the nearest ones."""
    for claim in CLAIMS:
        if claim.name == name:
            return claim
    raise nearest("claim", name, [claim.name for claim in CLAIMS])


def decide_claims(claims: tuple[Claim, ...] = CLAIMS) -> Iterator[ClaimResult]:
    """Decide claims one after the other."""
    return (claim.decide() for claim in claims)
