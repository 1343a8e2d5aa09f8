"""The system of a subject, as far as the page has room for it: tables, the graph or a part of it, and the runs that show something."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final

from draincheck.analysis.avoidability import Avoidabilities
from draincheck.errors import ModelError, OutOfBudget
from draincheck.exploration.graph import StateGraph
from draincheck.explorer.evidence import evidence_of, fates_of
from draincheck.explorer.examined import Examined, Shown
from draincheck.explorer.ground import Ground, demanded_conditions
from draincheck.explorer.region import WalkRegion
from draincheck.explorer.tables import Tables
from draincheck.explorer.walkable import PageSystem
from draincheck.expr import BoolExpr
from draincheck.reason import StopKind
from draincheck.system import State, TransitionSystem
from draincheck.verdict import Limits
from draincheck.words import counted

__all__ = ["MOST_STATES", "examined_system"]

#: states of a system that are embedded: some seconds' worth, and some hundred kilobytes
MOST_STATES: Final = 30_000

#: initial states that are embedded where there is no room for all states, and no run to begin with
STARTS: Final = 100


def examined_system(item: Examined, tables: Tables, most_states: int = MOST_STATES) -> PageSystem:
    """The system of a subject, with as many states as `most_states`; without any, those that its runs pass and what comes after these.

    Raises OutOfBudget.
    """
    shown = item.shown()
    region = _region(tables, [state for each in shown for state in each.run.states], most_states)
    ground = Ground(tables, region)
    known = [_avoidabilities(each, region) for each in shown]
    fates = [
        (tables.property_number(found.item.name), fates_of(found, len(region.states)))
        for found in known
        if isinstance(found, Avoidabilities)
    ]
    evidence = [
        evidence_of(each.run, [finding.item for finding in each.findings[1:]], ground, found, item.subject.about)
        for each, found in zip(shown, known, strict=True)
    ]
    return PageSystem(
        digest=tables.system.digest,
        variables=ground.variables,
        processes=tables.processes,
        frames=tuple(tables.frames),
        conditions=tuple(text for _, text in tables.conditions),
        makers=ground.makers(),
        halted=tables.halted,
        properties=tables.properties,
        actions=tables.actions,
        variants=ground.variants,
        lanes=ground.lanes.lanes,
        graph=ground.columns(fates, _said(region, bool(shown))),
        evidence=tuple(evidence),
    )


def _avoidabilities(each: Shown, region: WalkRegion) -> Avoidabilities | str:
    """What is still possible in each state, as far as the property of a run is concerned; or why that is not known."""
    if region.whole is None:
        return "the graph is too large to look at all that could have happened instead"
    try:
        return Avoidabilities(region.whole.system, each.findings[0].item, graph=region.whole)
    except ModelError as error:
        return error.message


# -- which states ----------------------------------------------------------------------------------


def _region(tables: Tables, passed: Sequence[State], most: int) -> WalkRegion:
    """The whole graph if there is room for it, else what lies around the states that runs pass."""
    conditions = demanded_conditions(tables)
    if most and (graph := _whole(tables.system, conditions, most)) is not None:
        return WalkRegion.all_of(graph)
    starts = passed or islice(tables.system.initial, STARTS)
    return WalkRegion.around(tables.system, starts, conditions, most)


def _whole(system: TransitionSystem, conditions: Sequence[BoolExpr], most: int) -> StateGraph | None:
    """The whole graph, None if it has more states than that. Raises OutOfBudget."""
    graph = StateGraph(system, conditions, Limits(states=most))
    if graph.stopped is not None and graph.stopped.kind is not StopKind.STATES:
        raise OutOfBudget(graph.stopped)
    return graph if graph.stopped is None else None


def _said(region: WalkRegion, runs: bool) -> str:
    number = len(region.states)
    states = counted(number, "state")
    if region.whole is not None:
        return f"all {states} that can be reached"
    near = f"{'lies' if number == 1 else 'lie'} nearest to {'these runs' if runs else 'the start'}"
    return f"the {states} that {near}; there are more"
