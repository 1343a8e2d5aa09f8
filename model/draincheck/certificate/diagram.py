"""Sets of states, and functions of them, as shared decision diagrams written in SMT-LIB.

A diagram asks one variable after the other; equal rests are one node. The order of the variables decides its size: here each next
variable is the one that tells apart the fewest beginnings of states, which puts variables that depend on each other side by side. On
reachable sets of the QEMU model it halves the size that the order of declaration, or program counters first, gives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set

from draincheck.engines.smt.relation import Relation
from draincheck.engines.smt.writer import conjoined, disjoined
from draincheck.system import State

__all__ = ["Diagram", "good_order"]

#: states that are looked at for a good order of variables; from twice as many on, every second and so on
SAMPLE = 20_000


def good_order(states: Sequence[State]) -> tuple[int, ...]:
    """An order of the positions of a state in which a diagram of these states is small; of very many some are looked at."""
    states = states[:: max(1, len(states) // SAMPLE)]
    left = list(range(len(states[0])))
    order: list[int] = []
    beginnings = [0] * len(states)
    while left:
        tell = {position: len({(b, s[position]) for b, s in zip(beginnings, states, strict=True)}) for position in left}
        best = min(left, key=tell.__getitem__)
        left.remove(best)
        order.append(best)
        number: dict[tuple[int, int], int] = {}
        beginnings = [number.setdefault((b, s[best]), len(number)) for b, s in zip(beginnings, states, strict=True)]
    return tuple(order)


class _Node:
    """A question about the variable at a level, and where it leads for each of its values that some state has; or a leaf.

    Attributes:
        level: the level; of leaves, behind all variables.
        text: of leaves, what the function is.
        branches: of others, nodes by values.
        name: what the node is called in a text.
    """

    __slots__ = ("branches", "level", "name", "text")

    def __init__(self, level: int, name: str, text: str, branches: Mapping[int, _Node]) -> None:
        self.level, self.name, self.text, self.branches = level, name, text, branches


class Diagram:
    """A decision diagram of a function from states to texts.

    Attributes:
        nodes: how many questions it consists of.
    """

    def __init__(self, relation: Relation, order: Sequence[int], values: Mapping[State, str], default: str) -> None:
        """The diagram of a function.

        Args:
            relation: the system whose states these are.
            order: in which the variables are asked: their positions.
            values: states, and the text of what the function is there.
            default: the text of what it is elsewhere; "" if that does not matter.
        """
        self._relation, self._order, self._default = relation, order, default
        self._leaves: dict[str, _Node] = {}
        self._known: dict[tuple[int, tuple[tuple[int, _Node], ...]], _Node] = {}
        rows = sorted((tuple(state[position] for position in order), value) for state, value in values.items())
        self._root = self._build(rows, 0, len(rows), 0)
        self.nodes = len(self._known)

    def _build(self, rows: Sequence[tuple[State, str]], start: int, end: int, level: int) -> _Node:
        """The diagram of some rows, which agree on all variables before this level."""
        if level == len(self._order):
            text = rows[start][1]
            return self._leaves.setdefault(text, _Node(level, "", text, {}))
        branches: dict[int, _Node] = {}
        while start < end:
            value, first = rows[start][0][level], start
            while start < end and rows[start][0][level] == value:
                start += 1
            branches[value] = self._build(rows, first, start, level + 1)
        return self._shared(level, branches)

    def _shared(self, level: int, branches: dict[int, _Node]) -> _Node:
        """The one node with these branches; their common child where the question makes no difference."""
        size = self._relation.system.variables[self._order[level]].sort.size
        if len(set(branches.values())) == 1 and (not self._default or len(branches) == size):
            return next(iter(branches.values()))
        key = (level, tuple(branches.items()))
        if key not in self._known:
            self._known[key] = _Node(level, f"n{len(self._known)}", "", branches)
        return self._known[key]

    # -- text -------------------------------------------------------------------------------------------------------------

    def text(self) -> str:
        """The function as a term over the variables. Nodes that are used more than once have names, in one `let` for each level."""
        used = Counter(child for node in self._known.values() for child in set(node.branches.values()))
        named = {node for node in self._known.values() if used[node] > 1}
        lets: dict[int, list[str]] = {}
        for node in self._known.values():
            if node in named:
                lets.setdefault(node.level, []).append(f"({node.name} {self._question(node, named)})")
        body = self._written(self._root, named)
        for level in sorted(lets):
            bound = "\n".join(lets[level])
            body = f"(let ({bound})\n{body})"
        return body

    def _written(self, node: _Node, named: Set[_Node]) -> str:
        return node.text or (node.name if node in named else self._question(node, named))

    def _question(self, node: _Node, named: Set[_Node]) -> str:
        """A node's own term: which of its children the value of its variable chooses."""
        values: dict[_Node, list[int]] = {}
        for value, child in node.branches.items():
            values.setdefault(child, []).append(value)
        cases = [(self._any(node, chosen), self._written(child, named)) for child, chosen in values.items()]
        if self._default == "false":
            return disjoined(conjoined(part for part in case if part != "true") for case in cases)
        term = self._default or cases.pop()[1]
        for condition, chosen_text in reversed(cases):
            term = _choice(condition, chosen_text, term)
        return term

    def _any(self, node: _Node, values: Sequence[int]) -> str:
        """That the variable of a node has one of some values."""
        variable = self._relation.system.variables[self._order[node.level]]
        if len(values) == variable.sort.size:
            return "true"
        return disjoined(self._relation.value(variable, value) for value in values)


def _choice(condition: str, then: str, otherwise: str) -> str:
    if (then, otherwise) == ("true", "false"):
        return condition
    if (then, otherwise) == ("false", "true"):
        return f"(not {condition})"
    return f"(ite {condition} {then} {otherwise})"
