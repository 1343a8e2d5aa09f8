"""A backtrace against many systems: which can show it, best first, those that show the same together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from itertools import groupby

from msgspec import Struct

from draincheck.backtrace.activity import Activity, activity, is_idle
from draincheck.backtrace.index import Postures, postures
from draincheck.backtrace.locating import Match, StackSearch
from draincheck.backtrace.sought import names_known, sought
from draincheck.backtrace.stacks import Backtrace, StackOf
from draincheck.run import Run, Trace
from draincheck.subject import Subject
from draincheck.system import TransitionSystem
from draincheck.verdict import Limits

__all__ = ["Candidate", "Located", "LocatedAs", "LocatedSpot", "candidates", "located", "shared", "shortest_run"]


class Candidate(Struct, frozen=True, eq=False):
    """A system, who has it, and what a debugger could see of it."""

    subjects: tuple[Subject, ...]
    postures: Postures

    @classmethod
    def of(cls, system: TransitionSystem, subjects: Iterable[Subject], limits: Limits) -> Candidate:
        """The system of these, explored. Raises ModelError for a model at fault."""
        return cls(tuple(subjects), postures(system, limits))


class LocatedSpot(Struct, frozen=True):
    """Where a backtrace may have been taken: what is the same of several systems.

    Attributes:
        match: of the first of them.
        where: each system with its match.
    """

    match: Match
    where: tuple[tuple[Candidate, Match], ...]

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """All that have one of the systems."""
        return tuple(subject for candidate, _ in self.where for subject in candidate.subjects)

    @property
    def violated(self) -> tuple[str, ...]:
        """The properties that such a state violates, or the step in which it stands."""
        return self.match.moment.hopeless or self.match.moment.breaks


class LocatedAs(Enum):
    """What came of it."""

    NAMED = "named"
    SEVERAL = "several"
    ORDINARY = "ordinary"
    IDLE = "idle"
    PARTIAL = "partial"
    NOTHING = "nothing fits"
    UNSEARCHED = "not known"
    NO_BACKTRACE = "no backtrace"


class Located(Struct, frozen=True):
    """What is known of a backtrace.

    Attributes:
        answer: the kind of it.
        places: the best first, none if nothing fits; of an idle QEMU those that violate something last.
        stacks: the stacks that say something, and were looked for.
        left_out: how many others say something, too.
        known: their functions that models know.
        unknown: their other functions.
    """

    answer: LocatedAs
    backtrace: Backtrace
    places: tuple[LocatedSpot, ...] = ()
    stacks: tuple[StackOf, ...] = ()
    left_out: int = 0
    known: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def doing(self) -> tuple[Activity, ...]:
        """What each thread does, by its stack alone."""
        return tuple(activity(stack) for stack in self.backtrace.stacks if not stack.coroutine)


def candidates(subjects: Iterable[Subject], limits: Limits) -> Iterator[Candidate]:
    """Systems with those who have them, each explored once, in the order of its first subject. Raises ModelError for a model at fault."""
    for system, those in shared((each, each.system()) for each in subjects):
        yield Candidate.of(system, those, limits)


def shared(built: Iterable[tuple[Subject, TransitionSystem]]) -> list[tuple[TransitionSystem, list[Subject]]]:
    """Each system once, with those who have it, in the order of the first of them."""
    found: dict[str, tuple[TransitionSystem, list[Subject]]] = {}
    for subject, system in built:
        found.setdefault(system.digest, (system, []))[1].append(subject)
    return list(found.values())


def located(backtrace: Backtrace, systems: Sequence[Candidate], *, qemu: bool = True) -> Located:
    """Where a backtrace may have been taken; `qemu`: the systems are models of QEMU, whose threads are known beside that."""
    if not backtrace.stacks:
        return Located(LocatedAs.NO_BACKTRACE, backtrace)
    vocabulary = frozenset[str]().union(*(each.postures.vocabulary for each in systems))
    search = StackSearch(sought(backtrace, vocabulary))
    stacks = tuple(each.stack for each in search.stacks)
    known, unknown = names_known(stacks or backtrace.stacks, vocabulary)
    found = [(each, match) for each in systems for match in search.matches(each.postures)] if stacks else []
    places = list(_places(found))
    answer = LocatedAs.IDLE if qemu and is_idle(backtrace) else _answer(places)
    if answer is LocatedAs.IDLE:
        places.sort(key=lambda place: (place.match.cost, bool(place.violated)))
    shown = () if answer is LocatedAs.NOTHING else tuple(places)
    return Located(answer, backtrace, shown, stacks, search.left_out, tuple(known), tuple(unknown))


def _places(found: Sequence[tuple[Candidate, Match]]) -> Iterator[LocatedSpot]:
    """Those that cost the same and violate the same together."""

    def kind(each: tuple[Candidate, Match]) -> tuple[int, bool, tuple[str, ...], tuple[str, ...]]:
        cost, ordinary, _ = each[1].rank
        return cost, ordinary, each[1].moment.hopeless, each[1].moment.breaks

    for _, group in groupby(sorted(found, key=kind), key=kind):
        those = tuple(group)
        yield LocatedSpot(min((match for _, match in those), key=lambda match: match.rank), those)


def _answer(places: Sequence[LocatedSpot]) -> LocatedAs:
    """Named: all that fits violates the same. Where ordinary states fit as well, nothing but these, or different violations, several do."""
    best = [place for place in places if place.match.cost == places[0].match.cost] if places else []
    if not best or not best[0].match.fits:
        speaks = best and any(pair.speaks for pair in best[0].match.pairs)
        return LocatedAs.PARTIAL if speaks else LocatedAs.NOTHING
    violated = {place.violated for place in best}
    if violated == {()}:
        return LocatedAs.ORDINARY
    return LocatedAs.NAMED if len(violated) == 1 else LocatedAs.SEVERAL


def shortest_run(candidate: Candidate, match: Match) -> Run:
    """A shortest run to the states of a match, executed."""
    graph, system = candidate.postures.graph, candidate.postures.graph.system
    initial, actions = graph.path(match.moment.state)
    name = next(iter(match.moment.hopeless), "")
    return Run.of(system, Trace.of(system, name, initial, actions))
