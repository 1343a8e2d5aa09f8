"""All code bases that a set of knobs can make up, in one scenario: which of them are safe, as a small decision table.

The space is the product of the values of the knobs, those left out that no build in it ever reads. It is not gone through vector by
vector: a build stands for all vectors with the same values of the knobs that it read (see `drainspecs.questions.variants`), so the builds part the
space into cubes, and every vector is in exactly one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from math import prod
from time import perf_counter
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from draincheck.analysis.decision_tables import Cube, Space, cover
from draincheck.errors import OutOfBudget, SpaceTooLarge
from draincheck.knobs import Knobs, Setting, all_knobs, knob_named, shown, turned
from draincheck.qemu import Probes, Scenario
from draincheck.reason import Stop
from draincheck.revisions import Revision, find_revision
from draincheck.words import counted
from drainspecs.mirror.properties import DrainInvariant
from drainspecs.questions.variants import NAMES_ONLY, Advance, Judge, Judged, check_applies, silently

__all__ = ["MOST", "Region", "Sweep", "default_knobs", "sweep"]

#: the largest space: beyond, the sets of vectors that the decision table is computed with get unwieldy
MOST: Final = 100_000

#: what the story turned in the main loop, with a host notifier: 4,608 code bases
_MAIN_LOOP: Final = (
    "iohandler", "order", "notifier_home", "is_external", "walk_checks_external", "drain", "drain_is_section", "begin", "bandage",
    "flush", "park_requests",
)  # fmt: skip
#: and with an IOThread: 3,456
_DATAPLANE: Final = (
    "dataplane_is_external", "walk_checks_external", "drain", "drain_is_section", "begin", "flush", "park_requests", "enable_notifies",
    "busy_poll", "ctx_held_in_poll",
)  # fmt: skip
#: and where requests come without a host notifier
_NO_NOTIFIER: Final = (
    "order", "drain", "drain_is_section", "drain_polls", "begin", "pre_switch", "flush", "park_requests",
)  # fmt: skip


def default_knobs(scenario: Scenario) -> tuple[str, ...]:
    """The knobs that are swept unless the caller says otherwise: those that this story is about in such a scenario.

    Each default space has 2,304 code bases or more and takes some ten seconds on two cores.
    """
    if scenario.iothread:
        return _DATAPLANE
    if scenario.source == "ioeventfd":
        return _MAIN_LOOP
    return (*_NO_NOTIFIER, "target_drained" if scenario.source == "timer" else "bql_drop")


class Region(Struct, frozen=True):
    """A part of the space that one build stands for: the values of the swept knobs that it read, and what was found."""

    fixed: Mapping[str, Setting]
    judged: Judged


class Sweep(Struct, frozen=True, dict=True):
    """What a sweep found.

    Attributes:
        scenario: topology and workload.
        properties: what *safe* means: all of them hold.
        base: the code base that the knobs that are not swept are taken from.
        space: the swept knobs that some build reads.
        ignored: the swept knobs that none does.
        parts: the builds, each with its part of the space.
        table: cubes that together contain exactly the safe code bases (and some of the vectors that no code base could have).
        systems: how many distinct transition systems there are.
        objections: why some vectors were left out: no code base could be like that. They are not safe.
        seconds: wall time, the table included.
        stopped: what ended the sweep; then the table has the safe ones of those that were decided, and `undecided` are not.
    """

    scenario: Scenario
    properties: tuple[str, ...]
    base: Revision
    space: Space
    ignored: tuple[str, ...]
    parts: tuple[Region, ...]
    table: tuple[Cube, ...]
    systems: int
    objections: tuple[str, ...]
    seconds: float
    stopped: Stop | None = None

    @property
    def code_bases(self) -> int:
        """How many code bases were decided."""
        return self.space.size - self.impossible.bit_count() - self.undecided

    @cached_property
    def undecided(self) -> int:
        """Of how many vectors nothing is known."""
        return self.space.size - self._union(self.parts).bit_count()

    @property
    def safe_count(self) -> int:
        """How many of them are safe."""
        return self.safe.bit_count()

    @cached_property
    def safe(self) -> int:
        """The set of the safe vectors."""
        return self._union(part for part in self.parts if part.judged.all_hold())

    @cached_property
    def impossible(self) -> int:
        """The set of the vectors that no code base could have."""
        return self._union(part for part in self.parts if part.judged.objection)

    @cached_property
    def fitting(self) -> tuple[int, ...]:
        """For each cube of the table how many code bases are in it; some are in several."""
        possible = [vector for vector in self.space.vectors() if self.is_possible(vector)]
        return tuple(sum(map(cube.contains, possible)) for cube in self.table)

    def is_possible(self, vector: Mapping[str, Setting]) -> bool:
        """Whether some code base could be like that."""
        return not self.impossible >> self.space.number(vector) & 1

    def _union(self, parts: Iterable[Region]) -> int:
        """The vectors of some parts, which never overlap."""
        return sum(self.space.members(part.fixed) for part in parts)

    def is_safe(self, vector: Mapping[str, Setting]) -> bool:
        """What the search found of one vector of the space."""
        return bool(self.safe >> self.space.number(vector) & 1)

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The decision table: for each cube the values of each knob of the space as text, "" where it does not matter."""
        for cube in self.table:
            allowed = dict(cube.allowed)
            yield tuple(" or ".join(map(shown, allowed.get(knob, ()))) for knob in self.space.knobs)


def sweep(
    scenario: Scenario,
    properties: str | Sequence[str] = "S1",
    *,
    knobs: Sequence[str] | None = None,
    base: Revision | None = None,
    probes: type[Probes] = DrainInvariant,
    advance: Advance = silently,
    processes: int | None = None,
) -> Sweep:
    """Decide every code base that the knobs can make up.

    Args:
        scenario: topology and workload.
        properties: name or names of what must hold of a safe code base.
        knobs: which to sweep; None: `default_knobs`.
        base: where the values of the other knobs come from; None: the code base of the bandage, ab27c3b5e7.
        probes: the specification.
        advance: told how many builds have been decided.
        processes: how many may work at it; None: one a core.

    Raises:
        SpaceTooLarge: it has more than `MOST` code bases.
        ModelError: the base cannot run the scenario, there is no such property, or a search leaves it undecided.
        UnknownName: there is no such knob.
    """
    started = perf_counter()
    base = base or find_revision("ab27c3b5e7")
    wanted = (properties,) if isinstance(properties, str) else tuple(properties)
    swept = _chosen(default_knobs(scenario) if knobs is None else knobs)
    check_applies(base, scenario)
    judge = Judge(scenario, wanted, probes, processes, advance)
    parts, stopped = _decided_parts(judge, base.knobs, swept)
    read = {knob for part in parts for knob in part.fixed}
    space = Space(tuple(knob for knob in swept if knob in read))
    found = Sweep(
        scenario, wanted, base, space, tuple(knob for knob in swept if knob not in read), parts, (), len(judge.digests),
        tuple(judge.objections), 0.0, stopped,
    )  # fmt: skip
    return replace(found, table=cover(space, found.safe, found.impossible), seconds=perf_counter() - started)


def _chosen(names: Sequence[str]) -> tuple[str, ...]:
    """The knobs in the order of their table; raises UnknownName, or SpaceTooLarge for too many of them."""
    size = prod(len(knob_named(name).settings) for name in set(names))
    if size > MOST:
        raise SpaceTooLarge(
            f"{counted(size, 'code base')} are too many for one sweep, which takes {MOST} at most; choose fewer knobs"
        )
    return tuple(knob.name for knob in all_knobs().values() if knob.name in names and knob.name not in NAMES_ONLY)


def _decided_parts(judge: Judge, base: Knobs, swept: Sequence[str]) -> tuple[tuple[Region, ...], Stop | None]:
    """The parts of the space; with a stop, those that were decided before."""
    parts: list[Region] = []
    try:
        parts.extend(_parts(judge, base, swept))
    except OutOfBudget as limit:
        return tuple(parts), limit.stop
    return tuple(parts), None


def _parts(judge: Judge, base: Knobs, swept: Sequence[str]) -> Iterator[Region]:
    """The parts of the space, level by level. Raises OutOfBudget, after what is known by then.

    A build with the values of a prefix of what it reads, and the first value of every other knob, gives one part; each knob that it has
    read beyond the prefix opens new prefixes, one for each of its other values.
    """
    first: dict[str, Setting] = {knob: knob_named(knob).settings[0] for knob in swept}
    prefixes: list[dict[str, Setting]] = [{}]
    while prefixes:
        vectors = [turned(base, first | prefix) for prefix in prefixes]
        longer: list[dict[str, Setting]] = []
        judged, limit = _judged(judge, vectors)
        for prefix, found in zip(prefixes, judged, strict=True):
            if found is not None:
                fixed = {knob: value for knob, value in found.read.items() if knob in first}
                yield Region(fixed, found)
                longer += _siblings(fixed, len(prefix))
        if limit is not None:
            raise limit
        prefixes = longer


def _judged(judge: Judge, vectors: Sequence[Knobs]) -> tuple[Sequence[Judged | None], OutOfBudget | None]:
    """What is known of each vector, and what kept more from being known."""
    try:
        return judge.judge_all(vectors), None
    except OutOfBudget as limit:
        return list(map(judge.known, vectors)), limit


def _siblings(fixed: Mapping[str, Setting], known: int) -> Iterator[dict[str, Setting]]:
    """What a build says about where else to look: its own readings up to a knob, and another value of that one."""
    read = list(fixed.items())
    for place in range(known, len(read)):
        knob, value = read[place]
        for other in knob_named(knob).settings:
            if other != value:
                yield {**dict(read[:place]), knob: other}
