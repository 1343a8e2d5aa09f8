"""The transition graph of a system as a networkx graph: small systems to look at, to draw, to analyse.

Nodes are the reachable states as `StateGraph` numbers them, 0 the first initial one. A node carries the values of the
variables that are not internal, by name, and

* `initial`, `final`: whether it is an initial state, and whether it is one where the system may end;
* `deadlock`: nothing can be done there though it is not final;
* `bound`: some action there passes a bound of the model and was not followed;
* `violates`: the names of the `Always` properties that are false there, joined by commas.

An edge is keyed by its action's index and carries `action` (the index again), `process`, `label`, `marks` (its letters)
and `violates` (the assertions that fail on it), the last two joined by commas. The graph itself carries `name` and
`digest` of its system. Two states may look the same: they differ in where the processes stand.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

import networkx as nx

from draincheck.errors import GraphTooLarge, ModelError
from draincheck.exploration.graph import StateGraph
from draincheck.location import written
from draincheck.properties import Always, FaultKind
from draincheck.run import label_of
from draincheck.semantics.violation import ERRORS
from draincheck.sorts import Value
from draincheck.system import Action, State, TransitionSystem
from draincheck.verdict import Limits

__all__ = [
    "FILE_LIMITS", "MAX_DRAWN", "MAX_NODES", "RESERVED", "attribute_names", "edge_attributes", "node_attributes", "refuse_above", "said",
    "transition_graph", "visible_values",
]  # fmt: skip

#: the most states that go to a file: each takes about a kilobyte there, and no tool for graphs is pleasant beyond
MAX_NODES = 5_000
#: the most states that are drawn: beyond, `dot` takes minutes for a picture in which nobody finds anything
MAX_DRAWN = 250

#: what a graph for a file is held to
FILE_LIMITS = Limits(states=MAX_NODES)

#: attributes of a node that are not variables; "id" is what networkx and GraphML call the node itself
RESERVED = frozenset({"id", "initial", "final", "deadlock", "bound", "violates"})


def transition_graph(system: TransitionSystem, limits: Limits = FILE_LIMITS) -> nx.MultiDiGraph[int]:
    """All reachable states and the actions between them.

    A step with a fault is not taken: `bound` marks the states where it would pass a bound, and `violates` names errors, too.
    Raises GraphTooLarge if a limit is passed (part of a graph would be taken for the whole), and ModelError for what is no system.
    """
    _want_system(system)
    found = _explored(system, limits)
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph(name=system.name, digest=system.digest)
    names = attribute_names(system)
    bounded = found.meeting(FaultKind.BOUND)
    errors = {item.name: found.meeting(item.kind) for item in system.implicit if item.kind in ERRORS}
    for number in range(len(found)):
        state = found.state(number)
        wrong = [*_violated(system, state), *(name for name, where in errors.items() if number in where)]
        standing = _standing(system, state, number not in found.stuck)
        standing |= {"violates": ",".join(wrong), "initial": number in found.roots, "bound": number in bounded}
        graph.add_nodes_from([(number, visible_values(system, state, names) | standing)])
    for number, edges in enumerate(found.edges):
        state = found.state(number)
        for index, target in edges:
            graph.add_edge(number, target, key=index, **edge_attributes(system, state, system.actions[index]))
    return graph


def _want_system(what: object) -> None:
    if not isinstance(what, TransitionSystem):
        raise ModelError(
            f"a graph is of a system: write .compile() behind a model, .system() behind a subject; this is {written(what)} ({type(what).__name__})"
        )


def node_attributes(system: TransitionSystem, state: State, names: Mapping[str, str]) -> dict[str, Value]:
    """What a node carries, of a state that stands alone."""
    met = [item.name for item in system.implicit if item.kind in ERRORS and system.faulty(state, item.kind)]
    standing = _standing(system, state, next(system.enabled(state), None) is not None)
    standing |= {"violates": ",".join([*_violated(system, state), *met]), "initial": system.is_initial(state)}
    standing |= {"bound": system.faulty(state, FaultKind.BOUND) is not None}
    return visible_values(system, state, names) | standing


def _explored(system: TransitionSystem, limits: Limits) -> StateGraph:
    """The whole graph; raises GraphTooLarge for a part of one."""
    found = StateGraph(system, (), limits)
    if found.stopped and limits.states == len(found):
        refuse_above(len(found) + 1, len(found), system.name)
    if found.stopped:
        raise GraphTooLarge(
            f"the graph of {system.name} is not complete after {limits.seconds:g} s; choose a smaller scenario"
        )
    return found


def refuse_above(nodes: int, most: int, name: str) -> None:
    """Raise GraphTooLarge if there are more nodes than `most`."""
    if nodes > most:
        raise GraphTooLarge(
            f"{name} has more than {most} reachable states: too many for this graph; choose a smaller scenario"
        )


def attribute_names(system: TransitionSystem, reserved: Container[str] = RESERVED) -> dict[str, str]:
    """The node attribute of each variable that is not internal: its name, after `variable_` if that is taken."""
    visible = [variable.name for variable in system.variables if not variable.internal]
    names: dict[str, str] = {}
    for name in visible:
        attribute = name
        while attribute in reserved or (attribute != name and attribute in visible):
            attribute = f"variable_{attribute}"
        names[name] = attribute
    return names


def visible_values(system: TransitionSystem, state: State, names: Mapping[str, str]) -> dict[str, Value]:
    """The values in a state of the variables with these attribute names."""
    values = system.decoded(state)
    return {attribute: values[name] for name, attribute in names.items()}


def _standing(system: TransitionSystem, state: State, moves: bool) -> dict[str, Value]:
    """How the state stands to what is demanded of the system."""
    final = system.holds(system.final, state)
    return {"final": final, "deadlock": not moves and not final}


def _violated(system: TransitionSystem, state: State) -> Iterator[str]:
    for item in system.properties:
        if isinstance(item, Always) and not system.holds(item.holds, state):
            yield item.name


def edge_attributes(system: TransitionSystem, state: State, action: Action) -> dict[str, Value]:
    """What an edge carries that stands for an action taken in a state."""
    parts = [part for part in action.parts if system.holds(part.when, state)]
    return {
        "action": action.index,
        "process": action.process,
        "label": "; ".join(part.label for part in parts if part.label) or "step",
        "marks": ",".join(part.mark for part in parts if part.mark),
        "violates": ",".join(dict.fromkeys(system.broken_checks(state, action))),
    }


def said(system: TransitionSystem, state: State, action: Action) -> str:
    """What takes place where an action is taken in a state, in a few words: `process: label`, or instead of the label the parts with marks alone."""
    parts = [part for part in action.parts if part.mark and system.holds(part.when, state)]
    text = "; ".join(f"({part.mark}) {part.label}".rstrip() for part in parts)
    return f"{action.process}: {text or label_of(system, action, state)}"
