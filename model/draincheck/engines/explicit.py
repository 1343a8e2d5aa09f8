"""Explicit search: every reachable state, breadth first, in one pass that decides all properties of a system.

The search always goes to the end, whatever it finds on the way, so its counts do not depend on properties. What shows a property
is found afterwards, the shallowest and smallest state first, and the path to it is executed again before it becomes a verdict
(`validation`).
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from draincheck.budget import Budget
from draincheck.exploration.backward import unable
from draincheck.exploration.explorer import Explorer, Keep
from draincheck.expr import BoolExpr
from draincheck.properties import Assertion, CanAlwaysFinish, NoDeadlock, Property
from draincheck.semantics.validation import Evidence, Path, conclude
from draincheck.semantics.violation import sought_in_states
from draincheck.system import State, TransitionSystem
from draincheck.verdict import NO_LIMITS, SILENT, Exploration, Limits, Reporter, Statistics, Verdict

__all__ = ["Search", "check", "explore", "states"]


def explore(system: TransitionSystem, limits: Limits = NO_LIMITS, reporter: Reporter = SILENT) -> Exploration:
    """Search a system and decide all its properties.

    Raises:
        ModelFault: a reachable state enables an action that cannot be taken.
    """
    return _explore(system, system.properties, limits, reporter)


def check(
    system: TransitionSystem, property_name: str, limits: Limits = NO_LIMITS, reporter: Reporter = SILENT
) -> Verdict:
    """Decide one property of a system; raises ModelFault like `explore`."""
    item = system.property_named(property_name)
    return _explore(system, (item,), limits, reporter).verdicts[item.name]


def states(system: TransitionSystem, limits: Limits = NO_LIMITS) -> list[State]:
    """The reachable states, those that take the fewest actions first, in ascending order; raises ModelFault like `explore`."""
    explorer = Explorer(system)
    explorer.run(limits)
    return list(map(explorer.loop.layout.unpack, explorer.order()))


def _explore(
    system: TransitionSystem, properties: Sequence[Property], limits: Limits, reporter: Reporter
) -> Exploration:
    watch = Budget(started=perf_counter())
    search = Search(system, properties, limits, reporter)
    verdicts = {item.name: search.verdict(item) for item in properties}
    return Exploration(search.statistics(watch.passed()), verdicts)


class Search:
    """One search that has been made, and what it says about properties."""

    def __init__(
        self, system: TransitionSystem, properties: Sequence[Property], limits: Limits, reporter: Reporter
    ) -> None:
        """Search a system; raises ModelFault like `explore`."""
        self._system, self._evidence = system, Evidence(system)
        watched = [item.name for item in properties if isinstance(item, Assertion)]
        self._asked = {item.name: c for item in properties if (c := sought_in_states(system, item)) is not None}
        keep = Keep.TARGETS if any(isinstance(item, CanAlwaysFinish) for item in properties) else Keep.NOTHING
        self._found = Explorer(system, watched, self._asked.values(), keep)
        self._found.run(limits, reporter)

    def statistics(self, seconds: float) -> Statistics:
        """The numbers of the search."""
        found = self._found
        indices = range(len(self._system.actions))
        return Statistics(
            states=len(found),
            transitions=found.transitions,
            depth=len(found.layers) - 1,
            queue=len(found) - found.expanded,
            widest=max(map(len, found.layers)),
            fired=tuple(index for index in indices if index in found.fired),
            never_fired=tuple(index for index in indices if index not in found.fired),
            seconds=seconds,
        )

    def verdict(self, item: Property) -> Verdict:
        """What the search says about a property."""
        path = self._path(item)
        return conclude(item, path and self._evidence.shows(item, path), self._found.incomplete)

    def _path(self, item: Property) -> Path | None:
        """The shortest path that shows a property violated, or its goal met; None if none was seen."""
        if isinstance(item, Assertion):
            if item.name not in self._found.broken:
                return None
            state, index = self._found.broken[item.name]
            initial, actions = self._found.path(state)
            return initial, [*actions, index]
        shown = self._shown(item, self._asked.get(item.name))
        return None if shown is None else self._found.path(shown)

    def _shown(self, item: Property, condition: BoolExpr | None) -> int | None:
        """The first state that shows a property violated, or its goal met."""
        found = self._found
        if condition is None:
            return None
        if isinstance(item, NoDeadlock):
            return next(iter(found.where(condition)(found.dead)), None)
        if not isinstance(item, CanAlwaysFinish):
            return found.first(condition)
        return None if found.incomplete else unable(found, condition)
