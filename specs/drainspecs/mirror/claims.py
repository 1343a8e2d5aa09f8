"""The claims of the commit message that this project was born from, and what comes after them, each decided by computation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from fractions import Fraction
from functools import cache
from typing import Final

from msgspec import Struct, field

from draincheck.analysis.markov import probability
from draincheck.engines.explicit import explore
from draincheck.errors import ModelError
from draincheck.knobs import KNOBS, Setting, nearest
from draincheck.qemu import build
from draincheck.revisions import REVISIONS, Revision, find_revision, with_settings
from draincheck.system import TransitionSystem
from draincheck.verdict import Exploration, Outcome
from drainspecs.mirror.kick_phases import KickPosition, dangerous_kicks
from drainspecs.mirror.orders import HANDLER_FIRST, HANDLER_LAST, ORDERS, QUIET, Orders
from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS, applies, find_scenario
from drainspecs.mirror.stray_requests import SeedCases

__all__ = ["CLAIMS", "Claim", "ClaimFact", "ClaimResult", "ClaimVerdict", "decide_claims", "find_claim"]


class ClaimVerdict(Enum):
    """What the computation says about a claim."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    CONDITIONAL = "confirmed under a condition"
    FAULT = "model fault"
    """Nothing: a model that the claim rests on is wrong itself."""


class ClaimFact(Struct, frozen=True):
    """One answer that a claim rests on: a question in words, and whether it came out as the claim needs it.

    `computed`: by a model or from the table of code bases; if not, it is a fact of history that a reader can look up.
    """

    text: str
    holds: bool
    computed: bool = True


class ClaimResult(Struct, frozen=True):
    """A claim decided: its verdict, the facts behind it, and remarks that decide nothing.

    `fault` says what is wrong with a model of it, and where, if one is: nothing is known of such a claim.
    """

    claim: Claim
    verdict: ClaimVerdict
    facts: tuple[ClaimFact, ...]
    remarks: tuple[str, ...] = ()
    fault: str = ""

    @property
    def as_expected(self) -> bool:
        """The verdict is the one that the history gives reason to expect."""
        return self.verdict is self.claim.expected


class Claim(Struct, frozen=True):
    """A claim in one sentence, and how it is decided.

    Attributes:
        name: its name on the command line.
        text: the claim.
        expected: the verdict to expect, from the project's semantics notes.
        condition: for *confirmed under a condition*: the condition.
        instead: for *refuted*: what is true instead.
        as_stated: the facts that the claim needs as it stands.
        if_conditioned: the facts that it needs under the condition.
        remarks: information beside the verdict.
    """

    name: str
    text: str
    expected: ClaimVerdict
    as_stated: Callable[[], Iterator[ClaimFact]]
    condition: str = ""
    instead: str = ""
    if_conditioned: Callable[[], Iterator[ClaimFact]] | None = None
    remarks: Callable[[], Iterator[str]] = field(default=lambda: iter(()))

    @property
    def gist(self) -> str:
        """What a reader has to know who reads nothing else: the condition, what is true instead, or the claim itself."""
        return self.condition or self.instead or self.text

    def decide(self) -> ClaimResult:
        """Confirmed if all facts hold as stated; under the condition if those do; refuted otherwise. A model at fault is a result, too."""
        try:
            return self._decided()
        except ModelError as error:
            return ClaimResult(self, ClaimVerdict.FAULT, (), fault=str(error))

    def _decided(self) -> ClaimResult:
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
def _system(revision: Revision, scenario: str, orders: bool = False) -> TransitionSystem:
    name = f"{revision.name} / {scenario}"
    return build(name, revision.knobs, find_scenario(scenario), Orders() if orders else SeedCases()).compile()


@cache
def _explored(revision: Revision, scenario: str, orders: bool) -> Exploration:
    return explore(_system(revision, scenario, orders))


def _violates(revision: str, scenario: str, property: str, **settings: Setting) -> bool:
    code_base = with_settings(find_revision(revision), settings)
    return _explored(code_base, scenario, property in ORDERS).verdicts[property].outcome is Outcome.VIOLATED


def _fact(wanted: bool, revision: str, scenario: str, property: str, **settings: Setting) -> ClaimFact:
    found = _violates(revision, scenario, property, **settings)
    code_base = with_settings(find_revision(revision), settings).name
    verb = "violated" if found else "holds"
    return ClaimFact(f"{code_base}, {scenario}: {property} {verb}", found is wanted)


def _bad(revision: str, scenario: str, property: str, **settings: Setting) -> ClaimFact:
    return _fact(True, revision, scenario, property, **settings)


def _good(revision: str, scenario: str, property: str, **settings: Setting) -> ClaimFact:
    return _fact(False, revision, scenario, property, **settings)


def _turns(revision: str, knob: str) -> ClaimFact:
    """Whether the row of a commit differs from the one before it in this knob alone."""
    after = find_revision(revision)
    before = REVISIONS[REVISIONS.index(after) - 1]
    turned = [item.name for item in KNOBS if getattr(before.knobs, item.name) != getattr(after.knobs, item.name)]
    return ClaimFact(f"{revision} turns {', '.join(turned) or 'no knob'}", turned == [knob])


# -- the claims -------------------------------------------------------------------------------------------------------------


def _opens() -> Iterator[ClaimFact]:
    yield _good("5a7e7a0bad~1", "mirror", "S1")
    yield _bad("5a7e7a0bad", "mirror", "S1")
    yield _bad("5a7e7a0bad", "mirror", "S4")


def _first_drawing() -> Iterator[ClaimFact]:
    yield _bad("5a7e7a0bad", "mirror", "case 1")
    yield _bad("5a7e7a0bad", "mirror", HANDLER_LAST)
    yield _good("5a7e7a0bad", "mirror", HANDLER_FIRST, order="any")
    yield _good("5a7e7a0bad", "mirror", "case 2", order="any")
    yield _bad("5a7e7a0bad", "mirror", "S8")


_ALL_SCENARIOS = tuple(scenario.name for scenario in DEFAULT_SCENARIOS)


def _quiet_until_the_bandage() -> Iterator[ClaimFact]:
    for revision in ("5a7e7a0bad", "f3926945c8", "3f09bfbc7b", "176c36997f", "a77fd4bb29", "ab27c3b5e7", "9a0cec664e"):
        for scenario in _ALL_SCENARIOS:
            if applies(find_revision(revision), find_scenario(scenario)):
                yield _good(revision, scenario, QUIET)


def _quiet() -> Iterator[ClaimFact]:
    yield from _quiet_until_the_bandage()
    for scenario in _ALL_SCENARIOS:
        yield _good("bdffb31d8e", scenario, QUIET)


def _quiet_later() -> Iterator[str]:
    for revision in ("f871abd60f", "cf3129323f"):
        for scenario in ("timer", "no-ioeventfd"):
            yield _good(revision, scenario, QUIET).text


def _orders(order: str) -> Iterator[ClaimFact]:
    yield _turns("f3926945c8", "iohandler")
    yield _good(_BEFORE, "mirror", HANDLER_FIRST, order=order)
    yield _bad(_AFTER, "mirror", HANDLER_LAST, order=order)
    yield _bad(_AFTER, "mirror", HANDLER_FIRST, order=order)


def _from_the_monitor() -> Iterator[str]:
    yield "not modelled: where the target takes no flushes (cache=unsafe), block-job-complete reaches (a) itself, after the handlers, in GLib's order too"


def _orders_attach() -> Iterator[ClaimFact]:
    return _orders("attach")


def _orders_any() -> Iterator[ClaimFact]:
    return _orders("any")


_BEFORE, _AFTER = "6ee4ce1ee7", "f3926945c8"


def _kicks(revision: str, order: str) -> frozenset[KickPosition]:
    return dangerous_kicks(_system(with_settings(find_revision(revision), {"order": order}), "mirror"), "S1")


def _more_kicks(order: str) -> ClaimFact:
    new = _kicks(_AFTER, order) - _kicks(_BEFORE, order)
    found = "; ".join(str(position) for position in sorted(new)) or "none"
    return ClaimFact(
        f"order={order}: kick positions that lead to S1's violation only after {_AFTER}: {found}", bool(new)
    )


def _likelier(order: str) -> ClaimFact:
    """Whether a scheduler that draws uniformly among the steps that are possible meets the bug more often than before."""
    before, after = (
        _odds_of_s1(_system(with_settings(find_revision(revision), {"order": order}), "mirror"))
        for revision in (_BEFORE, _AFTER)
    )
    text = f"order={order}: a uniformly random scheduler breaks S1 with probability {float(before):.4f} at {_BEFORE}, {float(after):.4f} at {_AFTER}"
    return ClaimFact(text, after > before)


def _odds_of_s1(system: TransitionSystem) -> Fraction:
    return probability(system, lambda state, action: "S1" in system.broken_checks(state, action))


def _easier() -> Iterator[ClaimFact]:
    for order in ("attach", "any"):
        yield _more_kicks(order)
        yield _likelier(order)


def _case_1() -> Iterator[ClaimFact]:
    for revision in ("f3926945c8", "3f09bfbc7b"):
        for property in ("case 1", "S2"):
            yield _bad(revision, "mirror", property)
    yield _good("5a7e7a0bad~1", "mirror", "S1")


def _case_2(order: str, wanted: bool) -> Iterator[ClaimFact]:
    for revision in ("f3926945c8", "3f09bfbc7b", "176c36997f", "37989ced44"):
        yield _fact(wanted, revision, "mirror", "case 2", order=order)


def _case_2_attach() -> Iterator[ClaimFact]:
    return _case_2("attach", wanted=True)


def _case_2_any() -> Iterator[ClaimFact]:
    return _case_2("any", wanted=True)


def _names_drawn() -> Iterator[str]:
    found = find_revision("f3926945c8").knobs.submit
    yield f"virtio_submit_multiwrite and blk_aio_multiwrite are drawn; at f3926945c8 writes go through {found}"


def _lost(revision: str, scenario: str) -> Iterator[ClaimFact]:
    yield _good(revision, scenario, "A1")
    yield _bad(revision, scenario, "S4")


def _silent() -> Iterator[ClaimFact]:
    for scenario, first in (("mirror", "5a7e7a0bad"), ("dataplane", "b112a65c52"), ("commit", "5a7e7a0bad")):
        for revision in (first, "6ee4ce1ee7", "f3926945c8"):
            yield from _lost(revision, scenario)


def _silent_from_6ee4() -> Iterator[ClaimFact]:
    for scenario in ("mirror", "dataplane", "commit"):
        for revision in ("6ee4ce1ee7", "f3926945c8"):
            yield from _lost(revision, scenario)


def _asserts() -> Iterator[ClaimFact]:
    for revision in ("5a7e7a0bad", "6ee4ce1ee7", "f3926945c8"):
        yield _good(revision, "commit", "A1")
    yield from _aborts("commit")
    for scenario in ("dataplane", "mirror-reopen"):
        yield _good("3f09bfbc7b", scenario, "S4")


def _asserts_from_6ee4() -> Iterator[ClaimFact]:
    yield from (_good(revision, "commit", "A1") for revision in ("6ee4ce1ee7", "f3926945c8"))
    for scenario in ("commit", "mirror"):
        yield from _aborts(scenario)


def _aborts(scenario: str) -> Iterator[ClaimFact]:
    yield _bad("3f09bfbc7b", scenario, "A1")
    yield _good("3f09bfbc7b", scenario, "S4")


def _dataplane() -> Iterator[ClaimFact]:
    yield _bad("c1e1e5fa8f", "dataplane", "S1")
    yield _good("176c36997f", "dataplane", "S1")
    yield _bad("176c36997f", "mirror", "S1")
    yield from _stopped()


def _stopped() -> Iterator[ClaimFact]:
    """A pending kick when dataplane stops: at first the stop eats it, then it runs the queue handler, in the end the request is queued."""
    yield _good("176c36997f", "dataplane-stop", "S1")
    yield _bad("03de2f5274", "dataplane-stop", "S1")
    yield _bad("f871abd60f", "dataplane-stop", "S1")
    yield _good("cf3129323f", "dataplane-stop", "S1")


def _dataplane_later() -> Iterator[str]:
    yield _good("684e508c23", "dataplane", "S1").text + " (until 59c9f437c5; no release has it)"
    yield "dataplane-stop: 2.5's stop eats the kick; from 03de2f5274 (v2.6.0) on it runs the queue handler, whatever the section says"


def _realized() -> Iterator[ClaimFact]:
    noticed, told = find_revision("6ee4ce1ee7"), find_revision("ab27c3b5e7")
    yield ClaimFact("the message of 6ee4ce1ee7 does not mention the window of the main loop", False, computed=False)
    yield ClaimFact(
        f"6ee4ce1ee7 ({noticed.date}) is not older than ab27c3b5e7 ({told.date})", noticed.date >= told.date
    )
    yield _good("6ee4ce1ee7", "mirror", "S1")


def _bandage() -> Iterator[ClaimFact]:
    yield _turns("ab27c3b5e7", "bandage")
    yield _bad("ab27c3b5e7~1", "mirror", "case 1")
    yield _bad("ab27c3b5e7~1", "mirror", "case 2", order="any")
    yield _good("ab27c3b5e7", "mirror", "case 1", order="any")
    yield _good("ab27c3b5e7", "mirror", "case 2", order="any")
    yield _good("ab27c3b5e7", "mirror", "A1")


def _undone() -> Iterator[ClaimFact]:
    """Every way to the end of the job."""
    ways = (
        "mirror",
        "commit",
        "mirror-cancel",
        "mirror-cancel-early",
        "mirror-source-error",
        "mirror-target-error",
        "mirror-zero-length",
    )
    for scenario in ways:
        for property in ("B2", "B5"):
            yield _good("ab27c3b5e7", scenario, property)


def _temporarily() -> Iterator[ClaimFact]:
    yield from _undone()
    yield _good("ab27c3b5e7", "dataplane-reset", "B3")


def _together() -> Iterator[ClaimFact]:
    for scenario in ("mirror", "commit"):
        yield _good("ab27c3b5e7", scenario, "S7")
    yield _good("ab27c3b5e7", "mirror", "S7", drain="nested")


def _case_3() -> Iterator[ClaimFact]:
    yield _bad("ab27c3b5e7", "mirror", "case 3")
    yield _bad("ab27c3b5e7", "mirror", "S4")
    yield _good("ab27c3b5e7", "mirror", "A1")
    yield _good("ab27c3b5e7", "mirror", "S1", drain="nested")


def _inert() -> Iterator[ClaimFact]:
    for knob in ("walk_checks_external", "is_external"):
        yield _bad("ab27c3b5e7", "mirror", "case 1", **{knob: False})
        yield _bad("ab27c3b5e7", "mirror", "A1", **{knob: False})
    yield _good("ab27c3b5e7", "mirror", "case 1")


def _moved() -> Iterator[ClaimFact]:
    yield _bad("6820643fdb", "mirror", "case 3")
    for scenario in ("mirror", "commit"):
        for revision in ("0ff841f6d1", "d4a92a8420"):
            yield _good(revision, scenario, "S1")


def _moved_scsi() -> Iterator[str]:
    yield "virtio-scsi is not modelled: its notifier moves with 1c627137c1, and until then its disks are as before"


def _begin_first() -> Iterator[ClaimFact]:
    yield _bad("ab27c3b5e7", "mirror", "S6")
    yield _good("ab27c3b5e7", "mirror", "S6", begin="before_check")
    yield _good("ab27c3b5e7", "mirror", "S1", begin="before_check", order="any")


def _uncovered() -> Iterator[ClaimFact]:
    for scenario in ("timer", "no-ioeventfd"):
        for revision in ("0ff841f6d1", "d4a92a8420", "9a0cec664e", "f871abd60f"):
            yield _bad(revision, scenario, "S4")
        yield _bad("ab27c3b5e7", scenario, "S1", begin="before_check")
        yield _good("cf3129323f", scenario, "S1")


def _parked_counted() -> Iterator[ClaimFact]:
    for scenario in ("timer-flush", "no-ioeventfd-flush"):
        yield _good("f871abd60f", scenario, "F1")
        yield _bad("cf3129323f", scenario, "F1")
        yield _good("cf3129323f", scenario, "F1", parked_counts=False)
        yield _good("7f16476fab", scenario, "F1")
    yield _good("cf3129323f", "mirror-flush", "F1")


def _resumed() -> Iterator[ClaimFact]:
    yield from (_good("7f16476fab", scenario, "A1") for scenario in _ALL_SCENARIOS)
    for scenario in ("timer", "no-ioeventfd"):
        yield _bad("3bb0e2980a", scenario, "A1")
        yield _good("3bb0e2980a", scenario, "S4")
        yield _good("3bb0e2980a", f"{scenario}-qcow2", "A1")
        yield _good("3bb0e2980a", f"{scenario}-read", "A1")
        yield _good("3bb0e2980a", scenario, "A1", replace_node="check_first")
        yield _good("2398747128", scenario, "A1")
    yield from (_good("3bb0e2980a", scenario, "A1") for scenario in ("mirror", "commit", "dataplane"))
    yield _bad("3bb0e2980a", "commit-no-ioeventfd", "A1")
    yield _good("3bb0e2980a", "commit-no-ioeventfd-qcow2", "A1")
    yield _turns("2398747128", "replace_node")


def _seen() -> Iterator[str]:
    yield "seen: a QEMU 7.2.22 whose trace log ends with the steps of the counterexample, in their order; and ten commits to a qcow2 base without it"


def _not_the_end() -> Iterator[str]:
    yield "cf3129323f .. 7f16476fab~1: a flush, discard or ioctl that is queued stays counted, and a drain waits for it for ever"
    yield "v6.1.0 .. v7.2: with a raw target a queued write meets an assertion at the switch (the claim resumed)"


_YES, _NO, _IF = ClaimVerdict.CONFIRMED, ClaimVerdict.REFUTED, ClaimVerdict.CONDITIONAL

CLAIMS: Final = (
    Claim("opens", "5a7e7a0ba opens the window: before it no request can slip in before mirror_exit, from it on writes are lost", _YES, _opens),
    Claim("drawing", "the first drawing: at 5a7e7a0ba the request enters after GLib's dispatch, in qemu_iohandler_poll of the iteration of (a), "
          "and breaks the invariant at (c)", _YES, _first_drawing),
    Claim("quiet", "at (a) the source has no pending request", _IF, _quiet,
          "up to bdffb31d8e~1; then a flush between the last count and (a) lets in what has no host notifier, until cf3129323f queues it",
          if_conditioned=_quiet_until_the_bandage, remarks=_quiet_later),
    Claim("unordered", "f3926945c8 makes the order of (a) and a host notifier's handler within one iteration unpredictable", _IF, _orders_attach,
          "GSources may be dispatched in any order; in the order GLib uses, the handler comes after (a), as before, if mirror's flush yields",
          if_conditioned=_orders_any, remarks=_from_the_monitor),
    Claim("easier", "f3926945c8 makes the bug easier to trigger", _NO, _easier,
          instead="in the order GLib uses, the same kicks lead to the bug as before; in any order more positions of a kick do, and not more likely"),
    Claim("case-1", "bug case 1: the request enters in the iteration of (a)", _YES, _case_1, remarks=_names_drawn),
    Claim("case-2", "bug case 2: the request enters in the next iteration, before (c)", _IF, _case_2_attach,
          "GSources may be dispatched in any order; in the order GLib uses it is unreachable", if_conditioned=_case_2_any),
    Claim("silent", "the loss was silent before 3f09bfbc7b", _IF, _silent,
          "from 6ee4ce1ee7 on; between 5a7e7a0ba and 6ee4ce1ee7 an active commit may also crash in bdrv_swap",
          if_conditioned=_silent_from_6ee4),
    Claim("asserts", "3f09bfbc7b's assertion checks the invariant at (c), and an active commit is the first to see it fail", _IF, _asserts,
          "from 6ee4ce1ee7 on (before, it may crash), and where the stray request is still pending: with dataplane, or where a reopen drains, "
          "it may also be lost in silence", if_conditioned=_asserts_from_6ee4),
    Claim("dataplane", "2.5 protects a mirror of a disk whose dataplane keeps running, and not one in the main loop", _YES, _dataplane,
          remarks=_dataplane_later),
    Claim("realized", "nobody had noticed the main loop's bug before ab27c3b5e7", _NO, _realized,
          instead="the message of 6ee4ce1ee7, ten months older, names the window and calls it a bug"),
    Claim("bandage", "the bandage ab27c3b5e7 closes cases 1 and 2 (not case 3)", _YES, _bandage),
    Claim("temporarily", "the bandage is temporary: what it disables is enabled again, however the job ends", _IF, _temporarily,
          "the disk keeps its AioContext; if dataplane stops meanwhile, the end asks for the context of then", if_conditioned=_undone),
    Claim("together", "iohandler_ctx is disabled together with the node's context: no handler runs in between", _NO, _together,
          instead="bdrv_drained_begin yields between the two, and a handler may run: case 3; where drains do not yield, none does"),
    Claim("case-3", "beyond the message: the bandage leaves case 3 open, silently, in its own tree, where drained_begin yields; "
          "on a tree with nested drains it would be clean", _YES, _case_3),
    Claim("inert", "beyond the message: the bandage is inert without 37989ced44 and without 14560d69e7", _YES, _inert),
    Claim("moved", "beyond the message: 0ff841f6d1 closes case 3 for virtio-blk", _YES, _moved, remarks=_moved_scsi),
    Claim("begin-first", "beyond the message: the order of 9a0cec664e alone, on top of the bandage, closes case 3 structurally", _YES, _begin_first),
    Claim("uncovered", "beyond the message: none of these covers a read or write without a host notifier; cf3129323f does, as far as modelled",
          _YES, _uncovered, remarks=_not_the_end),
    Claim("queued", "beyond the message: cf3129323f counts a flush that it queues, and the drain before the switch waits for it for ever; "
          "7f16476fab mends that", _YES, _parked_counted),
    Claim("resumed", "beyond the message: from 3bb0e2980a (v6.1.0) to v7.2 a write that was queued goes on inside the switch, before a raw target may "
          "be written: QEMU aborts; 2398747128 (v8.0.0) mends that", _YES, _resumed, remarks=_seen),
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
