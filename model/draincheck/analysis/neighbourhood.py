"""A trace as a graph: the states that it passes, and where every other action that was enabled there would have led.

Nodes are numbered as they come: the states of the trace, then their neighbours. They and the edges carry what those of a transition graph do (see
`draincheck.analysis.transition_graph`); nodes besides

* `at`: after how many steps the trace is there, joined by commas if it comes back; "" for a neighbour;
* `fate`: what becomes of the property (see `draincheck.analysis.state_story`), "" where it is not known;

and edges `said`, what takes place in a few words, and `step`, the numbers of the steps of the trace that take them, joined by commas, "" for
the other actions. The graph carries the trace's `property`, its `meaning`, `steps`, and `loop`: how many steps come before those that repeat,
-1 for a trace that ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import networkx as nx

from draincheck.analysis.state_story import StateStory
from draincheck.analysis.transition_graph import (
    MAX_NODES,
    RESERVED,
    attribute_names,
    edge_attributes,
    node_attributes,
    said,
)
from draincheck.errors import GraphTooLarge
from draincheck.run import Run
from draincheck.sorts import Value
from draincheck.system import State

__all__ = ["PATH_RESERVED", "neighbourhood"]

#: attributes of a node that are not variables
PATH_RESERVED: Final = RESERVED | {"at", "fate"}


def neighbourhood(run: Run, story: StateStory | None = None) -> nx.MultiDiGraph[int]:
    """The states of a trace and their neighbours. Raises GraphTooLarge for more than MAX_NODES.

    `story` says what becomes of the trace's property; without one nothing is said of that.
    """
    system, number, at = run.system, dict(_numbered(run)), _positions(run)
    if len(number) > MAX_NODES:
        raise GraphTooLarge(
            f"the trace and what stands around it are {len(number)} states, and {MAX_NODES} is the most for a graph; "
            "take a shorter trace"
        )
    fates, names = _fates(story), attribute_names(system, PATH_RESERVED)
    graph = _begun(run)
    for state, node in number.items():
        told = {"at": ",".join(map(str, at.get(state, ()))), "fate": fates.get(state, "")}
        graph.add_nodes_from([(node, node_attributes(system, state, names) | told)])
    for source, target, edge in _edges(run, at):
        graph.add_edge(number[source], number[target], key=edge["action"], **edge)
    return graph


def _begun(run: Run) -> nx.MultiDiGraph[int]:
    """The graph without its nodes."""
    trace = run.trace
    return nx.MultiDiGraph(
        name=run.system.name,
        digest=run.system.digest,
        property=trace.property,
        meaning=run.system.property_named(trace.property).meaning if trace.property else "",
        steps=len(trace.actions),
        loop=-1 if trace.loop is None else trace.loop,
    )


def _positions(run: Run) -> Mapping[State, list[int]]:
    """After how many steps the trace is in each of its states."""
    found: dict[State, list[int]] = {}
    for position, state in enumerate(run.states):
        found.setdefault(state, []).append(position)
    return found


def _fates(story: StateStory | None) -> Mapping[State, Value]:
    if story is None:
        return {}
    return {state: fate.value for state, fate in zip(story.states, story.fates, strict=False)}


def _numbered(run: Run) -> Iterator[tuple[State, int]]:
    """The states of a trace, then their neighbours, each once."""
    reached = (after for state in run.states for _, after in _ways(run, state))
    for number, state in enumerate(dict.fromkeys([*run.states, *reached])):
        yield state, number


def _ways(run: Run, state: State) -> Iterator[tuple[int, State]]:
    """The actions that can be taken in a state, with the states after them."""
    for action in run.system.enabled(state):
        if run.system.fault(state, action) is None:
            yield action.index, run.system.step(state, action)


def _edges(run: Run, at: Mapping[State, list[int]]) -> Iterator[tuple[State, State, dict[str, Value]]]:
    """The steps from the states of a trace, with what an edge carries."""
    for state, positions in at.items():
        for index, after in list(_ways(run, state)):
            steps = [n + 1 for n in positions if n < len(run.steps) and run.steps[n].action == index]
            action = run.system.actions[index]
            told = {"said": said(run.system, state, action), "step": ",".join(map(str, steps))}
            yield state, after, {**edge_attributes(run.system, state, action), **told}
