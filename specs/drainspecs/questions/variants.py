"""Deciding many code bases in one scenario: knob vectors that cannot be told apart are built once, equal systems searched once.

A build depends on nothing but the knobs it reads, and which knob it reads next depends on nothing but the values it has read. So the
readings of all builds form a tree: each inner node names a knob, each branch is a value of it, and each leaf is a system, for all the
knob vectors that lead to it. `Judge` grows that tree as it is asked; `why`, `repair` and `sweep` use what was read to skip the knobs
that cannot matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from draincheck.budget import look
from draincheck.engines.explicit import explore
from draincheck.errors import ModelError
from draincheck.knobs import Knobs, Setting
from draincheck.pool import how_many, in_processes
from draincheck.qemu import Probes, Scenario, build
from draincheck.revisions import Revision
from draincheck.semantics.validation import demand_faultless
from draincheck.system import TransitionSystem
from draincheck.variants import Variants
from draincheck.verdict import Outcome, demand_unstopped
from drainspecs.mirror.objections import objection
from drainspecs.mirror.properties import DrainInvariant
from drainspecs.mirror.scenarios import applies

__all__ = ["NAMES_ONLY", "Advance", "Judge", "Judged", "check_applies", "check_possible", "silently", "weighed"]

#: told how many code bases have been decided so far
Advance = Callable[[int], None]

#: knobs that change names in traces and nothing else
NAMES_ONLY: Final = frozenset({"submit"})

#: vectors below which a second process costs more than it saves
FEW = 48
#: vectors that a process takes at a time
PIECE = 16


def silently(decided: int) -> None:
    """An `Advance` that ignores what it is told."""


def check_applies(revision: Revision, scenario: Scenario) -> None:
    """Raise ModelError if the code base cannot run the scenario."""
    if not applies(revision, scenario):
        raise ModelError(
            f"{revision.name} cannot run the scenario {scenario.name}: mirror was not allowed with dataplane before b112a65c52; "
            "choose a later revision"
        )


def check_possible(revision: Revision, scenario: Scenario) -> None:
    """Raise ModelError if the code base cannot run the scenario, or if there can be no such code base."""
    check_applies(revision, scenario)
    if reason := objection(revision.knobs, scenario):
        raise ModelError(f"no code base could be like {revision.name}: {reason}")


class Judged(Struct, frozen=True):
    """What is known about a knob vector, and about every other one with the same `read` values.

    Attributes:
        read: the knobs that were looked at, in that order, and their values.
        outcomes: the verdict of each property that was asked for; none if there is an objection.
        digest: names the transition system; "" if there is an objection.
        objection: see `objection`.
    """

    read: Mapping[str, Setting]
    outcomes: Mapping[str, Outcome]
    digest: str
    objection: str = ""

    def all_hold(self) -> bool:
        """There is such a code base, and every property that was asked for holds."""
        return not self.objection and all(outcome is Outcome.HOLDS for outcome in self.outcomes.values())


def weighed(outcome: Outcome) -> Outcome:
    """The outcome where only good and bad count: what was never asked goes wrong nowhere."""
    return Outcome.HOLDS if outcome is Outcome.NEVER_ASKED else outcome


class Judge:
    """Decides some properties for knob vectors in one scenario, in several processes where that pays.

    What it has decided when it raises OutOfBudget stays known.

    Args:
        scenario: topology and workload.
        properties: names of properties that `probes` demands.
        probes: makes the specification that is hung into each model.
        processes: how many may work at it; None: one a core.
        advance: told how many knob vectors have been decided.

    Attributes:
        asked: how many knob vectors were asked about.
        digests: the distinct systems among them.
        objections: the objections that were met.
    """

    def __init__(
        self,
        scenario: Scenario,
        properties: Sequence[str],
        probes: Callable[[], Probes] = DrainInvariant,
        processes: int | None = 1,
        advance: Advance = silently,
    ) -> None:
        self.scenario, self.properties = scenario, tuple(properties)
        self._probes, self._processes, self._advance = probes, how_many(processes), advance
        self._variants = Variants[Knobs, Judged]()
        self._outcomes: dict[str, Mapping[str, Outcome]] = {}
        self.asked = 0
        self.objections: dict[str, None] = {}

    @property
    def digests(self) -> Sequence[str]:
        """Each names a system; in the order in which they were met."""
        return tuple(self._outcomes)

    def known(self, knobs: Knobs) -> Judged | None:
        """What is known already about a knob vector."""
        return self._variants.known(knobs)

    def judge_all(self, vectors: Sequence[Knobs]) -> list[Judged]:
        """Decide knob vectors; the answers come in their order. Raises ModelError like `judge`."""
        new = list(dict.fromkeys(knobs for knobs in vectors if self.known(knobs) is None))
        decided = self._elsewhere(new) if len(new) > FEW and self._processes > 1 else map(self.judge, new)
        for number, judged in enumerate(decided, self.asked + 1):
            self.learn(judged)
            self._advance(number)
        self.asked += len(vectors)
        self._advance(self.asked)
        return [self.judge(knobs) for knobs in vectors]

    def judge(self, knobs: Knobs) -> Judged:
        """Decide a knob vector. Raises ModelError if its model is at fault, or a search leaves a property undecided."""
        found = self.known(knobs)
        if found is None:
            look()
            found, read = Variants[Knobs, Judged].recorded(knobs, self._decide)
            found = replace(found, read=read)
            self.learn(found)
        return found

    def learn(self, judged: Judged) -> None:
        """Take over what somebody else has found out."""
        self._variants.learn(judged.read, judged)
        if judged.objection:
            self.objections[judged.objection] = None
        else:
            self._outcomes.setdefault(judged.digest, judged.outcomes)

    def _decide(self, knobs: Knobs) -> Judged:
        """What there is to know but for the knobs that are read."""
        if reason := objection(knobs, self.scenario):
            return Judged({}, {}, "", reason)
        system = build(self.scenario.name, knobs, self.scenario, self._probes()).compile()
        return Judged({}, self._outcomes.get(system.digest) or self._search(system), system.digest)

    def _search(self, system: TransitionSystem) -> Mapping[str, Outcome]:
        wanted = tuple(system.property_named(name) for name in self.properties)
        verdicts = explore(replace(system, properties=wanted)).verdicts
        demand_unstopped(verdicts.values())
        demand_faultless(verdicts.values())
        for verdict in verdicts.values():
            if verdict.outcome is Outcome.UNKNOWN:
                raise ModelError(f"{system.name}: {verdict.property} cannot be decided: {verdict.reason}")
        return {item.name: weighed(verdicts[item.name].outcome) for item in wanted}

    def _elsewhere(self, vectors: Sequence[Knobs]) -> Iterator[Judged]:
        """Decided by processes that are forked from this one, and so begin with what it knows."""
        pieces = [vectors[start : start + PIECE] for start in range(0, len(vectors), PIECE)]
        return chain.from_iterable(in_processes(self._judged, pieces, self._processes))

    def _judged(self, vectors: Sequence[Knobs]) -> list[Judged]:
        return list(map(self.judge, vectors))
