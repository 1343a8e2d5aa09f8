"""Explicit search: every reachable state, breadth first, in one pass that decides all properties of a system.

The search always goes to the end, whatever it finds on the way, so its counts do not depend on properties. What shows a property
is found afterwards, the shallowest and smallest state first, and the path to it is executed again before it becomes a verdict
(`validation`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from time import perf_counter

from msgspec.structs import replace

from draincheck.budget import Budget
from draincheck.engines.question import Answered, Question
from draincheck.engines.replacement import Replacement
from draincheck.errors import OutOfBudget
from draincheck.exploration.explored import Explored
from draincheck.exploration.explorer import Explorer, Keep
from draincheck.expr import TRUE, BoolExpr, all_
from draincheck.native.tiers import Tier, explored
from draincheck.properties import FAULTS, Assertion, CanAlwaysFinish, NoDeadlock, NoFault, Property, Reachable
from draincheck.reason import Incomplete, NeverAsked, Stuck
from draincheck.reductions.wanted import Reductions, Sought
from draincheck.semantics.stuck import going_on, left_open, not_at_rest, stuck
from draincheck.semantics.vacuity import asking, asking_step, checks_of, matters, unasked, without_check
from draincheck.semantics.validation import Evidence, Path, conclude, up_to_errors
from draincheck.semantics.violation import ERRORS, faultless, sought_in_states
from draincheck.system import State, TransitionSystem
from draincheck.verdict import NO_LIMITS, SILENT, Exploration, Limits, Outcome, Reporter, Statistics, Verdict

__all__ = ["Search", "answer", "answer_by_python", "answer_natively", "check", "decide", "explore", "states"]


def explore(system: TransitionSystem, limits: Limits = NO_LIMITS, reporter: Reporter = SILENT) -> Exploration:
    """Search a system and decide all its properties; verdicts on faults (`TransitionSystem.implicit`) stand there only if some run meets one."""
    return decide(system, system.properties, limits, reporter)


def check(
    system: TransitionSystem, property_name: str, limits: Limits = NO_LIMITS, reporter: Reporter = SILENT
) -> Verdict:
    """Decide one property of a system."""
    item = system.property_named(property_name)
    return decide(system, (item,), limits, reporter).verdicts[item.name]


def states(system: TransitionSystem, limits: Limits = NO_LIMITS) -> list[State]:
    """The reachable states, those that take the fewest actions first, in ascending order."""
    explorer = Explorer(system)
    explorer.run(limits)
    return list(map(explorer.loop.layout.unpack, explorer.order()))


def decide(
    system: TransitionSystem,
    properties: Sequence[Property],
    limits: Limits = NO_LIMITS,
    reporter: Reporter = SILENT,
    tier: Tier = Tier.BY_SIZE,
    *,
    reductions: Reductions = Reductions.NONE,
) -> Exploration:
    """Search a system and decide some of its properties; faults as for `explore`."""
    watch = Budget(started=perf_counter())
    search = Search(system, properties, limits, reporter, tier=tier, reductions=reductions)
    reporter.phase("checking")
    verdicts = {item.name: search.verdict(item) for item in dict.fromkeys((*properties, *search.met))}
    return Exploration(search.statistics(watch.passed()), verdicts, search.advice, search.reduction)


def answer(asked: Question, tier: Tier = Tier.BY_SIZE) -> Answered:
    """Verdicts on properties of a system, and what was seen of it; what `reductions` leaves open is so of a search that changes by size alone."""
    system = asked.system
    named = [item for item in FAULTS.values() if item.name in asked.names]
    chosen = Reductions.NONE if asked.reductions is Reductions.AUTO and tier is not Tier.BY_SIZE else asked.reductions
    items = (*system.properties, *named)
    found = decide(system, items, asked.limits, asked.reporter, tier, reductions=chosen)
    return dict(found.verdicts), found


def answer_natively(asked: Question) -> Answered:
    """The same by machine code. Raises ModelError where it cannot be had."""
    return answer(asked, Tier.NATIVE)


def answer_by_python(asked: Question) -> Answered:
    """The same by Python alone."""
    return answer(asked, Tier.PYTHON)


class Search:
    """One search that has been made, and what it says about properties."""

    def __init__(
        self,
        system: TransitionSystem,
        properties: Sequence[Property],
        limits: Limits,
        reporter: Reporter,
        keep: Keep = Keep.NOTHING,
        *,
        tier: Tier = Tier.BY_SIZE,
        reductions: Reductions = Reductions.NONE,
    ) -> None:
        """Search a system; `keep` is what more than the verdicts needs of its steps: edges, which Python alone can say, or targets, for paths."""
        self._system, self._evidence = system, Evidence(system)
        watched = [item.name for item in properties if isinstance(item, Assertion)]
        self._asked = {item.name: c for item in properties if (c := sought_in_states(system, item)) is not None}
        whole = any(isinstance(item, NoDeadlock) for item in properties)
        self._goals: Mapping[str, BoolExpr] = going_on(system) if whole else {}
        backward = self._goals or any(isinstance(item, CanAlwaysFinish) for item in properties)
        tier = tier if keep is not Keep.EDGES else Tier.PYTHON
        keep = max(keep, Keep.TARGETS if backward else Keep.NOTHING)
        asked = list(dict.fromkeys([*self._asked.values(), *self._goals.values()]))
        self._replaced = replaced = Replacement(system, reductions, lambda: list(self._sought(properties)), reporter)
        searched = system if reductions is Reductions.AUTO else replaced() or system
        instead = replaced if reductions is Reductions.AUTO else None
        self._found: Explored = explored(
            searched, watched, asked, keep, limits=limits, reporter=reporter, tier=tier, instead=instead
        )
        self._undo = replaced.undoing(self._found.system)

    def _sought(self, properties: Sequence[Property]) -> Iterator[Sought]:
        """What is looked for in states, as reductions have to know it."""
        for item in properties:
            if item.name in self._asked:
                yield Sought(item.name, self._asked[item.name], at_ends=isinstance(item, NoDeadlock))
            if isinstance(item, NoDeadlock):
                yield from (Sought(item.name, goal, process=name) for name, goal in self._goals.items())

    @property
    def explorer(self) -> Explored:
        """What was found; where nothing was reduced, of the system itself."""
        return self._found

    @property
    def advice(self) -> str:
        """What would have made the search faster; "" if nobody knows."""
        return self._found.advice or self._replaced.advice

    @property
    def reduction(self) -> str:
        """How the system was reduced; "" if it was not."""
        return str(self._undo)

    @property
    def met(self) -> list[NoFault]:
        """What is demanded of every system and violated by faults that some run meets."""
        return [item for item in FAULTS.values() if item.kind in self._found.faults]

    def statistics(self, seconds: float) -> Statistics:
        """The numbers of the search."""
        found, sizes = self._found, self._found.sizes
        indices = range(len(self._system.actions))
        return Statistics(
            states=len(found),
            transitions=found.transitions,
            depth=len(sizes) - 1,
            queue=len(found) - found.expanded,
            widest=max(sizes),
            fired=tuple(index for index in indices if index in self._fired),
            never_fired=tuple(index for index in indices if index not in self._fired),
            seconds=seconds,
            bytes=found.bytes,
        )

    @cached_property
    def _fired(self) -> set[int]:
        """The actions that some run takes, as far as was seen."""
        return self._undo.fired(self._found)

    def verdict(self, item: Property) -> Verdict:
        """What the search says about a property; nothing if there is reason to stop before it has been asked."""
        try:
            return self._verdict(item)
        except OutOfBudget as limit:
            return Verdict(item.name, Outcome.UNKNOWN, Incomplete(len(self._found), stopped=limit.stop))

    def _verdict(self, item: Property) -> Verdict:
        if isinstance(item, NoDeadlock) and self._goals:
            return self._stuck(item)
        path, found = self._path(item), self._found
        run = path and self._undo.shortened(self._evidence, item, path)
        if isinstance(item, Reachable) and run and not run.steps and found.incomplete and not self._moves(item):
            run = None  # met at once, and nobody knows whether anything ever moves
        never_asked, lengths = self._never_asked(item), self._undo.keeps_lengths
        return conclude(item, run, found.incomplete, never_asked, self._up_to_errors, lengths=lengths)

    @property
    def _up_to_errors(self) -> str:
        return up_to_errors([fault.name for fault in self.met if fault.kind in ERRORS])

    def _never_asked(self, item: Property) -> NeverAsked | None:
        """That nothing puts a property to the test; None if something does, or nobody knows."""
        if isinstance(item, NoFault) and item.kind in self._found.faults:
            return None
        if isinstance(item, Assertion):
            never = without_check(self._system, item)
            return never or (None if self._found.incomplete or self._asks(item) else unasked(self._system, item))
        found = self._found
        return None if found.incomplete or self._moves(item) else unasked(self._system, item, self._fired)

    def _moves(self, item: Property) -> bool:
        """Whether a step was taken that can matter to a property."""
        return self._matters or matters(self._system, self._fired, item)

    @cached_property
    def _matters(self) -> bool:
        return matters(self._system, self._fired)

    def _asks(self, item: Assertion) -> bool:
        """Whether some step of a run passes a check of an assertion. Nearly always the one that is looked at first does."""
        found, checks = self._found, checks_of(self._system, item)
        taken = [(action, check) for action, check in checks if action.index in self._fired]
        if not taken or any(check.asked is TRUE for _, check in taken):
            return bool(taken)
        action, check = taken[0]
        conditions = all_(faultless(action), check.asked), asking(self._system, item)
        return any(found.first(condition) is not None for condition in conditions)

    def asked(self, item: Property) -> Path | None:
        """A path whose last step puts a property to the test; None if there is none. Of most a first step does that."""
        system, where = self._system, asking(self._system, item)
        if not isinstance(item, Assertion):
            start = next((start for start in system.initial if system.holds(where, start)), None)
            step = None if start is None else asking_step(system, item, start)
            return None if start is None or step is None else (start, (step,))
        state = self._found.first(where)
        if state is None:
            return None
        initial, actions = self._found.path(state)
        step = asking_step(system, item, self._found.loop.layout.unpack(state))
        return None if step is None else (initial, (*actions, step))

    def _stuck(self, item: NoDeadlock) -> Verdict:
        """Whether some process can never move again; if there is reason to stop before that is known, whether nothing moves somewhere.

        Where not everything was seen, or looked at, others may be stuck before those that are known to be.
        """
        found = self._found
        try:
            (shown, names), first = self._first_stuck(), not found.incomplete and self._undo.keeps_lengths
        except OutOfBudget:
            if (shown := self._first_dead()) is None:
                raise
            names, first = stuck(self._found.system, found.loop.layout.unpack(shown)), False
        if shown is None:
            return conclude(item, None, found.incomplete, self._never_asked(item), self._up_to_errors)
        run = self._evidence.shows(item, self._undo.path(found.path(shown)))
        verdict, names = conclude(item, run, None), self._with_those_left_out(names, run.states[-1])
        return replace(verdict, reason=Stuck(names, len(run.steps), first=first))

    def _with_those_left_out(self, names: tuple[str, ...], state: State) -> tuple[str, ...]:
        """The processes that are stuck in a state, those for which others answer included, if that is soon seen."""
        left = left_open(self._system, state, self._goals) if self._undo.left_out else None
        return left.names if left is not None and left.all_seen else names

    def _first_stuck(self) -> tuple[int | None, tuple[str, ...]]:
        """The first state in which processes are stuck, and which they are. Raises OutOfBudget."""
        goals = {name: goal for name, goal in self._goals.items() if name not in self._undo.left_out}
        found = self._found.first_unable(list(goals.values()))
        if found is None:
            return None, ()
        first, able = found
        return first, tuple(name for name, can in zip(goals, able, strict=True) if not can)

    def _first_dead(self) -> int | None:
        """The first state in which nothing moves and something should."""
        return self._found.first_dead(not_at_rest(self._system))

    def _path(self, item: Property) -> Path | None:
        """The shortest path that shows a property violated, or its goal met; None if none was seen."""
        if isinstance(item, NoFault):
            met = self._found.faults.get(item.kind)
            return None if met is None else self._undo.path(self._found.path(met[0]))
        if isinstance(item, Assertion):
            if item.name not in self._found.broken:
                return None
            state, index = self._found.broken[item.name]
            return self._undo.path(self._found.path(state), (index,))
        shown = self._shown(item, self._asked.get(item.name))
        return None if shown is None else self._undo.path(self._found.path(shown))

    def _shown(self, item: Property, condition: BoolExpr | None) -> int | None:
        """The first state that shows a property violated, or its goal met."""
        found = self._found
        if condition is None:
            return None
        if isinstance(item, NoDeadlock):
            return self._first_dead()
        if not isinstance(item, CanAlwaysFinish):
            return found.first(condition)
        unable = None if found.incomplete else found.first_unable((condition,))
        return None if unable is None else unable[0]
