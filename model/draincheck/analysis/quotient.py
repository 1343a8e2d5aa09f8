"""The quotient of a transition graph: states merged into few nodes, by what matters to a property.

States are told apart by traits (see `draincheck.analysis.traits`), one after the other, as long as no more nodes come of it than may be. Where
a property can be violated, only states are told apart from which that can still be, or where it has been: what is safe for good needs no detail.

Nodes are numbered by their first states, 0 has the first initial one. There is an edge from one node to another if and only if a step leads
from some state of the one to some state of the other; so not every path of a quotient is a run. A node carries

* `states`: how many states it stands for;
* `initial`, `final`, `deadlock`, `bound`: whether that is so of some of them (see `draincheck.analysis.transition_graph`);
* `fate`: that of all of them (see `draincheck.analysis.state_story`), "" where it is not known;
* `violates`: whether the property is violated in some of them, or a run can end there with the error that it is about;
* `stays`: whether the counterexample of a demand on whole runs stays in some of them for ever;
* `passed`: the marks that every way to any of them has passed, joined by commas;
* `text`: what was looked at in telling it from others and is so in all its states, a line each;

and for each variable that is not internal and has one value in all of them this value, by name. An edge carries

* `steps`: how many steps it stands for, and `actions`: the indices of their actions, joined by commas;
* `labels`: what takes place in them, `process: label`, a line each; of steps with marks that is what these stand for, and they come first;
* `marks`: the marks of steps among them, joined by commas;
* `violates`: whether a step among them violates the property, by a check or by leading from a state that does not to one that does;
* `no_return`: whether the violation can be avoided before, and not after it.

The graph carries `name` and `digest` of its system, the `property` and its `meaning`, the numbers of `states` and `steps`, `merged_by`, a line
for each trait that was used, and `untold`, why fates are not known.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

import networkx as nx

from draincheck.analysis.state_story import StateFate, StateStory
from draincheck.analysis.traits import Trait, TraitKind, traits_of
from draincheck.analysis.transition_graph import attribute_names, said
from draincheck.budget import want_whole
from draincheck.properties import FaultKind, Property
from draincheck.sorts import Value
from draincheck.system import TransitionSystem

__all__ = [
    "LEAST_MERGED",
    "MAX_MERGED",
    "QUOTIENT_RESERVED",
    "USUAL_MERGED",
    "Quotient",
    "merged_graph",
    "quotient_graph",
]

#: nodes of a quotient: for each fate there may be one; so many are enough for most; beyond, nobody finds anything in its picture
LEAST_MERGED, USUAL_MERGED, MAX_MERGED = len(StateFate), 20, 60

#: attributes of a node that are not variables
QUOTIENT_RESERVED = frozenset(
    {"id", "states", "initial", "final", "deadlock", "bound", "fate", "violates", "stays", "passed", "text"}
)


# -- which states are merged ------------------------------------------------------------------------


class Quotient:
    """A partition of the states into nodes, numbered by the first of each.

    Attributes:
        story: what is known of the states.
        by: the traits by which they are told apart.
        node: for each state its node.
        members: the states of each node.
    """

    def __init__(self, story: StateStory, by: Sequence[Trait], keys: Iterable[Hashable]) -> None:
        numbers: dict[Hashable, int] = {}
        self.story, self.by = story, by
        self.node = [numbers.setdefault(key, len(numbers)) for key in keys]
        self.members: list[list[int]] = [[] for _ in numbers]
        for state, node in enumerate(self.node):
            self.members[node].append(state)

    @classmethod
    def of(cls, story: StateStory, most: int = USUAL_MERGED) -> Quotient:
        """The states in at most so many nodes, LEAST_MERGED at the least: what has another fate is never merged."""
        found, most = cls(story, [], [None] * len(story)), max(most, LEAST_MERGED)
        for trait in traits_of(story):
            if len(found.members) == most:
                break
            finer = found._refined(trait)
            if len(found.members) < len(finer.members) <= most:
                found = finer
        return found

    def _refined(self, trait: Trait) -> Quotient:
        """The nodes told apart by one trait more; by most traits only those of which something is still to be told."""
        everywhere = trait.kind in (TraitKind.FATE, TraitKind.MARK)
        telling = [everywhere or self._is_open(members[0]) for members in self.members]
        keys = ((node, trait.of(state) if telling[node] else None) for state, node in enumerate(self.node))
        return Quotient(self.story, [*self.by, trait], keys)

    def _is_open(self, state: int) -> bool:
        """Whether a state is none from which all is well; all are, where nothing else is known."""
        return not self.story.is_at_risk or self.story.fates[state] is not StateFate.SAFE


# -- as a graph -------------------------------------------------------------------------------------


def quotient_graph(quotient: Quotient) -> nx.MultiDiGraph[int]:
    """The quotient as a graph of networkx; see the module text."""
    story = quotient.story
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph(
        name=story.system.name,
        digest=story.system.digest,
        property="" if story.property is None else story.property.name,
        meaning="" if story.property is None else story.property.meaning,
        states=len(story),
        steps=sum(map(len, story.graph.edges)),
        merged_by="\n".join(trait.told for trait in quotient.by),
        untold=story.untold,
    )
    nodes = _Nodes(quotient)
    for node, members in enumerate(quotient.members):
        graph.add_nodes_from([(node, nodes.attributes(members))])
    for (source, target), edge in _edges(quotient).items():
        graph.add_edge(source, target, key=0, **edge.attributes())
    return graph


def merged_graph(
    system: TransitionSystem, item: Property | None = None, most: int = USUAL_MERGED
) -> nx.MultiDiGraph[int]:
    """The reachable states in at most so many nodes, told apart by what matters to a property of the system; see the module text.

    Raises GraphTooLarge for more states than can be merged, OutOfBudget if the budget ends, and ModelError if `most` is no whole number from 1.
    """
    want_whole(most, "most", 1)
    return quotient_graph(Quotient.of(StateStory(system, item), most))


class _Nodes:
    """The attributes of nodes."""

    def __init__(self, quotient: Quotient) -> None:
        story, self._by = quotient.story, quotient.by
        self._story, self._system = story, story.system
        self._names = attribute_names(story.system, QUOTIENT_RESERVED)
        self._bounded = story.graph.meeting(FaultKind.BOUND)

    def attributes(self, members: Sequence[int]) -> dict[str, Value]:
        """What a node carries that stands for these states."""
        return self._shared(members) | {
            "states": len(members),
            **self._standing(members),
            "fate": self._story.fates[members[0]].value if self._story.fates else "",
            "violates": any(self._story.is_bad(n) or self._story.errs(n) for n in members),
            "stays": any(n in self._story.forever for n in members),
            "passed": ",".join(self._passed(members)),
            "text": "\n".join(self._texts(members)),
        }

    def _passed(self, members: Sequence[int]) -> Iterator[str]:
        passed = self._story.passed
        return (mark for mark in self._story.marks if all(mark in passed[n] for n in members))

    def _standing(self, members: Sequence[int]) -> dict[str, Value]:
        graph, system = self._story.graph, self._system
        final = [n for n in members if system.holds(system.final, self._story.states[n])]
        return {
            "initial": any(n in graph.roots for n in members),
            "final": bool(final),
            "deadlock": any(n in graph.stuck for n in set(members).difference(final)),
            "bound": any(n in self._bounded for n in members),
        }

    def _shared(self, members: Sequence[int]) -> dict[str, Value]:
        """The values that all these states have in common."""
        found: dict[str, Value] = {}
        for place, variable in enumerate(self._system.variables):
            stored = {self._story.states[n][place] for n in members}
            if len(stored) == 1 and not variable.internal:
                found[self._names[variable.name]] = variable.sort.decode(stored.pop())
        return found

    def _texts(self, members: Sequence[int]) -> Iterator[str]:
        for trait in self._by:
            if trait.kind not in (TraitKind.FATE, TraitKind.MARK):
                values = {trait.of(n) for n in members}
                if len(values) == 1:
                    yield trait.told_as(values.pop())


class _MergedEdge:
    """The steps from the states of one node to those of another."""

    def __init__(self, no_return: bool) -> None:
        self.no_return = no_return
        self.steps, self.violates = 0, False
        self.actions: dict[int, None] = {}
        self.labels: dict[tuple[bool, str], None] = {}
        self.marks: dict[str, None] = {}

    def attributes(self) -> dict[str, Value]:
        """What the edge carries."""
        return {
            "steps": self.steps,
            "actions": ",".join(map(str, sorted(self.actions))),
            "labels": "\n".join(text for _, text in sorted(self.labels)),
            "marks": ",".join(sorted(self.marks)),
            "violates": self.violates,
            "no_return": self.no_return,
        }


def _edges(quotient: Quotient) -> dict[tuple[int, int], _MergedEdge]:
    """The edges, by the nodes that they join."""
    story, node = quotient.story, quotient.node
    found: dict[tuple[int, int], _MergedEdge] = {}
    for state, edges in enumerate(story.graph.edges):
        for action, target in edges:
            pair = node[state], node[target]
            if pair not in found:
                found[pair] = _MergedEdge(story.is_no_return(state, target))
            _take(found[pair], story, state, action, target)
    return found


def _take(edge: _MergedEdge, story: StateStory, state: int, index: int, target: int) -> None:
    """Count one step more."""
    action = story.system.actions[index]
    edge.steps += 1
    edge.actions[index] = None
    marks = [part.mark for part in story.marked(state, index)]
    edge.labels[not marks, said(story.system, story.states[state], action)] = None
    edge.marks.update(dict.fromkeys(marks))
    edge.violates |= story.breaks(state, index) or (story.is_bad(target) and not story.is_bad(state))
