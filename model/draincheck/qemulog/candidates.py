"""What a model may have done until it does not show what a log shows next: all ways there, and why each of them ends.

The longest part of a log that a model shows leaves it in one of many states, and different steps that the log does not show have led there. To name
one of them would mislead. So states are told apart by what matters: why they do not show what comes next. A state from which a hidden step leads to
one in which less is missing is on its way; of the others those with the same conditions unmet, with the same values, are one *candidate*. And what was
before is told apart by which candidates can still come of it: a hidden step after which they are fewer has decided something.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Protocol

from msgspec import Struct

from draincheck import op
from draincheck.analysis.standing import ControlMap
from draincheck.budget import look
from draincheck.exploration.domains import flat
from draincheck.expr import BoolExpr, Expr, Substitution, variables_of
from draincheck.qemulog.likeness import Likeness
from draincheck.qemulog.shown import Sign, in_common, signs
from draincheck.run import label_of
from draincheck.system import Action, State, TransitionSystem

__all__ = ["Pair", "PrefixEdge", "PrefixEnd", "PrefixNode", "PrefixStep", "Prefixes", "Refusal", "prefixes_of"]

#: candidates that are told apart; the others are one
APART = 5
#: nodes of a graph, at most; labels of an edge
NODES, LABELS = 60, 4

#: a state, and how many events of the log have been seen
Pair = tuple[State, int]


class PrefixStep(Struct, frozen=True):
    """A step from a pair, what it shows, and where it leads."""

    action: Action
    shows: tuple[Sign, ...]
    after: Pair


class Refusal(Struct, frozen=True):
    """A step that would have shown the next event, and why it does not.

    Attributes:
        process: who would have taken it; "" where no such step lies ahead.
        label: the step.
        shows: all that it shows at once, where it can be taken and shows something else than the log.
        unmet: else the conditions of it that are false.
        values: the variables of these, with their values there.
    """

    process: str = ""
    label: str = ""
    shows: tuple[Sign, ...] = ()
    unmet: tuple[str, ...] = ()
    values: Mapping[str, str] = {}


class PrefixEnd(Struct, frozen=True):
    """States that the model may be in, which do not show what comes next for the same reason.

    Attributes:
        states: how many.
        refusal: the reason.
        ways: hidden steps after which it is this candidate and no other any more.
    """

    states: int
    refusal: Refusal
    ways: tuple[str, ...] = ()


class PrefixNode(Struct, frozen=True):
    """States that the model may have been in, and what can come of them.

    Attributes:
        first: after how many events of the log, at the least.
        last: at the most; more only where a graph would be too large.
        states: how many.
        candidates: which candidates can come of each of them, from 0; one beyond the last is all others.
        ends: those of them that are among these states.
    """

    first: int
    last: int
    states: int
    candidates: tuple[int, ...]
    ends: tuple[int, ...] = ()


class PrefixEdge(Struct, frozen=True):
    """Steps from the states of a node to those of another: what they show, some of their labels, and how many kinds there are."""

    source: int
    target: int
    shows: tuple[Sign, ...]
    labels: tuple[str, ...]
    kinds: int


class Prefixes(Struct, frozen=True):
    """The graph: its nodes in the order of events, its edges, and how many candidates are not told apart."""

    nodes: tuple[PrefixNode, ...]
    edges: tuple[PrefixEdge, ...]
    others: int = 0


class PrefixesFound(Struct, frozen=True):
    """What came of it: how many events more some step shows, before something else; what the model shows next; the candidates and their graph."""

    further: int
    next: tuple[Sign, ...]
    candidates: tuple[PrefixEnd, ...]
    prefixes: Prefixes


class Searched(Protocol):
    """A search that has come to its end (`validation.py`)."""

    system: TransitionSystem
    controls: ControlMap
    likeness: Likeness
    wanted: tuple[Sign, ...]

    @property
    def pairs(self) -> Sequence[Pair]:
        """All that were found."""
        ...

    def ways(self, pair: Pair) -> Iterable[PrefixStep]:
        """All steps from a pair that show what the log shows next, or nothing."""
        ...

    def shown_by(self, state: State) -> Iterable[tuple[Action, tuple[Sign, ...]]]:
        """All steps from a state, with what they show."""
        ...


def prefixes_of(search: Searched, seen: int) -> PrefixesFound:
    """How a search ended that no state survived which had seen more events. Raises OutOfBudget."""
    return _Ending(search, seen).found()


class _Reason(Struct, frozen=True):
    """Why a state does not show the next event: how much is missing, what tells it from other reasons, and in words."""

    missing: int
    key: Hashable
    refusal: Refusal


_NOWHERE = _Reason(1 << 10, "nowhere", Refusal())


class _Ending:
    def __init__(self, search: Searched, seen: int) -> None:
        self.search, self.seen, self.rest = search, seen, search.wanted[seen:]
        self.pairs = search.pairs
        self.number = {pair: i for i, pair in enumerate(self.pairs)}
        self.ways = [(i, self.number[way.after], way) for i, pair in enumerate(self.pairs) for way in self._ways(pair)]
        self.last = [i for i, (_, number) in enumerate(self.pairs) if number == seen]

    def _ways(self, pair: Pair) -> Iterable[PrefixStep]:
        look()
        return self.search.ways(pair)

    def found(self) -> PrefixesFound:
        """The candidates, the nearest and most frequent first, and the graph."""
        further, begun, nexts = self._begun()
        reasons = begun or self._nearest()
        sizes = Counter(reason.key for reason in reasons.values())
        known = {reason.key: reason for reason in reasons.values()}
        order = sorted(known, key=lambda key: (known[key].missing, -sizes[key], known[key].refusal.label))
        own = {i: reason.key for i, reason in reasons.items()}
        graphs = ((apart, _Graph(self, [order[:apart], order[apart:]], own)) for apart in range(APART, 0, -1))
        apart, graph = next(each for each in graphs if len(each[1].nodes) <= NODES or each[0] == 1)
        told = [PrefixEnd(sizes[key], known[key].refusal, graph.deciding(i)) for i, key in enumerate(order[:apart])]
        return PrefixesFound(further, nexts, tuple(told), graph.prefixes(len(order[apart:])))

    # -- steps that show the beginning of what is wanted, and then something else

    def _begun(self) -> tuple[int, dict[int, _Reason], tuple[Sign, ...]]:
        """How far such steps go, the states that have one that goes so far, and what comes instead."""
        steps = [(i, action, shows, in_common(shows, self.rest))
                 for i in self.last for action, shows in self.search.shown_by(self.pairs[i][0])]  # fmt: skip
        further = max((common for *_, common in steps), default=0)
        found = dict[int, _Reason]()
        for i, action, shows, common in steps if further else ():
            if common == further:
                label = label_of(self.search.system, action, self.pairs[i][0])
                refusal = Refusal(action.process, label, shows)
                found[i] = _Reason(0, (action.process, shows), refusal)
        instead = {shows[further] for *_, shows, common in steps if common == further and len(shows) > further}
        return further, found, tuple(sorted(instead, key=list(Sign).index))

    # -- steps that would show it, and cannot be taken

    def _nearest(self) -> dict[int, _Reason]:
        """The states from which no hidden step leads nearer, each with its reason."""
        refusing = _Refusing(self.search, self.rest[0])
        own = {i: reason for i in self.last if (reason := refusing.reason(self.pairs[i][0]))}
        before: dict[int, list[int]] = {}
        for source, target, _ in self.ways:
            if self.pairs[source][1] == self.pairs[target][1] == self.seen:
                before.setdefault(target, []).append(source)
        best = dict[int, int]()
        for i in sorted(own, key=lambda i: own[i].missing):
            todo = [i] if i not in best else []
            while todo:
                here = todo.pop()
                if here not in best:
                    best[here] = own[i].missing
                    todo += before.get(here, ())
        return {i: own.get(i, _NOWHERE) for i in self.last if i not in best or (i in own and own[i].missing == best[i])}


class _Showing(Struct, frozen=True):
    """A part of a step that shows what is wanted, and all that it takes."""

    action: Action
    label: str
    needs: tuple[BoolExpr, ...]


class _Refusing:
    """Why states do not show what is wanted."""

    def __init__(self, search: Searched, wanted: Sign) -> None:
        self._search, self._system = search, search.system
        self._at: dict[tuple[str, int | None], list[_Showing]] = {}
        for showing in _showing(search.system, wanted):
            self._at.setdefault((showing.action.process, showing.action.location), []).append(showing)
        components = search.likeness.components
        pairs = ((v, first) for each in components for v, first in zip(each, components[0], strict=True))
        self._first = Substitution(dict[Expr, Expr](pairs))

    def reason(self, state: State) -> _Reason | None:
        """Why the step that comes nearest does not show it; None where no process stands before such a step."""
        found = [(self._unmet(each, state), each) for each in self._here(state)]
        if not found:
            return None
        unmet, showing = min(found, key=lambda each: len(each[0]))
        if not unmet:
            shows = next((shows for action, shows in self._search.shown_by(state) if action is showing.action), ())
            return _Reason(0, (showing.action.process, shows), Refusal(showing.action.process, showing.label, shows))
        words = Refusal(showing.action.process, showing.label, (), tuple(map(str, unmet)), self._values(unmet, state))
        alike = tuple(sorted(str(self._first(term)) for term in unmet))
        values = tuple(sorted((str(self._first(v)), value) for v, value in self._read(unmet, state)))
        return _Reason(len(unmet), (showing.action.process, alike, values), words)

    def _here(self, state: State) -> Iterator[_Showing]:
        controls = self._search.controls
        for process in controls.processes:
            for place in (None, controls.number(process, state)):
                yield from self._at.get((process, place), ())

    def _unmet(self, showing: _Showing, state: State) -> list[BoolExpr]:
        return [term for term in showing.needs if not self._system.holds(term, state)]

    def _values(self, terms: Sequence[BoolExpr], state: State) -> dict[str, str]:
        return {str(variable): value for variable, value in self._read(terms, state)}

    def _read(self, terms: Sequence[BoolExpr], state: State) -> Iterator[tuple[Expr, str]]:
        values = self._system.values(state)
        for term in terms:
            for variable in sorted(variables_of(term), key=str):
                yield variable, str(variable.sort.decode(values[variable]))


def _showing(system: TransitionSystem, wanted: Sign) -> Iterator[_Showing]:
    """The parts of steps that show something."""
    for action in system.actions:
        if wanted is Sign.ABORT:
            ends = Substitution({update.variable: update.value for update in action.updates})(system.halted)
            if ends is not system.halted:
                yield _Showing(action, action.parts[-1].label if action.parts else "", _terms(action.guard, ends))
        for part in action.parts:
            if wanted in signs(part):
                yield _Showing(action, part.label, _terms(action.guard, part.when))


def _terms(*conditions: BoolExpr) -> tuple[BoolExpr, ...]:
    found = (term for term in flat(op.AND, list(conditions)) if isinstance(term, BoolExpr))
    return tuple(dict.fromkeys(found))


# -- the graph


class _Graph:
    """Pairs told apart by how many events they have seen, and which candidates can come of them.

    Args:
        ending: the search.
        order: the keys of the candidates that are told apart, and those of the others.
        own: for pairs that are candidates the key of theirs.
    """

    def __init__(self, ending: _Ending, order: Sequence[Sequence[Hashable]], own: Mapping[int, Hashable]) -> None:
        self._ending, self._apart = ending, len(order[0])
        bits = {key: 1 << i for i, key in enumerate(order[0])} | dict.fromkeys(order[1], 1 << len(order[0]))
        self._own = {i: bits[key] for i, key in own.items()}
        self._reached = self._reaching(self._own)
        self._merge = False
        self._merge = len({self._node(i) for i in self._reached}) > NODES
        members: dict[tuple[int, int], list[int]] = {}
        for i in self._reached:
            members.setdefault(self._node(i), []).append(i)
        drawn = {node: self._drawn(node[1], those) for node, those in members.items()}
        ordered = sorted(drawn, key=lambda node: (drawn[node].first, -node[1].bit_count(), node))
        self._place = {node: place for place, node in enumerate(ordered)}
        self.nodes = tuple(map(drawn.__getitem__, ordered))
        self._edges = self._between()

    def _drawn(self, bits: int, members: Sequence[int]) -> PrefixNode:
        seen = [self._ending.pairs[i][1] for i in members]
        ends = reduce(int.__or__, (self._own.get(i, 0) for i in members))
        return PrefixNode(min(seen), max(seen), len(members), self._numbers(bits), self._numbers(ends))

    def _reaching(self, own: Mapping[int, int]) -> dict[int, int]:
        """For each pair, as a set of bits, which candidates can come of it; none where none can."""
        before: dict[int, list[int]] = {}
        for source, target, _ in self._ending.ways:
            before.setdefault(target, []).append(source)
        found, todo = dict(own), list(own)
        while todo:
            here = todo.pop()
            for source in before.get(here, ()):
                if found.get(source, 0) | found[here] != found.get(source, 0):
                    found[source] = found.get(source, 0) | found[here]
                    todo.append(source)
        return found

    def _node(self, pair: int) -> tuple[int, int]:
        return (0 if self._merge else self._ending.pairs[pair][1]), self._reached[pair]

    def _numbers(self, bits: int) -> tuple[int, ...]:
        return tuple(i for i in range(self._apart + 1) if bits >> i & 1)

    def _between(self) -> dict[tuple[int, int, tuple[Sign, ...]], dict[str, None]]:
        """The labels of the steps from a node to another, by what they show."""
        found: dict[tuple[int, int, tuple[Sign, ...]], dict[str, None]] = {}
        known = set[Hashable]()
        for source, target, way in self._ending.ways:
            if source in self._reached and target in self._reached and self._node(source) != self._node(target):
                ends = self._place[self._node(source)], self._place[self._node(target)]
                if (key := (ends, way.action.index, way.shows)) not in known:
                    known.add(key)
                    state = self._ending.pairs[source][0]
                    label = f"{way.action.process}: {label_of(self._ending.search.system, way.action, state)}"
                    found.setdefault((*ends, way.shows), {})[label] = None
        return found

    def deciding(self, candidate: int) -> tuple[str, ...]:
        """The hidden steps after which it is this candidate and no other any more."""
        into = {i for i, node in enumerate(self.nodes) if node.candidates == (candidate,)}
        labels = (label for (source, target, shows), labels in self._edges.items()
                  if target in into and source not in into and not shows for label in labels)  # fmt: skip
        return tuple(dict.fromkeys(labels))

    def prefixes(self, others: int) -> Prefixes:
        """The graph, of whose edges a few labels are told."""
        edges = (
            PrefixEdge(*key, tuple(labels)[:LABELS], len(labels))
            for key, labels in sorted(self._edges.items(), key=_ends)
        )
        return Prefixes(self.nodes, tuple(edges), others)


def _ends(edge: tuple[tuple[int, int, tuple[Sign, ...]], object]) -> tuple[int, int, list[int]]:
    source, target, shows = edge[0]
    return source, target, [list(Sign).index(sign) for sign in shows]
