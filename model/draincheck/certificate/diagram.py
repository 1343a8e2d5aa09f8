"""Sets of states, and functions of them, as shared decision diagrams written in SMT-LIB.

A diagram asks one variable after the other; equal rests are one node. The order of the variables decides its size: here each next
variable is the one that tells apart the fewest beginnings of states, which puts variables that depend on each other side by side. On
reachable sets of the QEMU model it halves the size that the order of declaration, or program counters first, gives.

Nothing here recurses: a diagram may be as deep as there are variables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import TypeVar

from msgspec import Struct

from draincheck.budget import look
from draincheck.engines.smt.relation import Relation
from draincheck.engines.smt.writer import conjoined, disjoined
from draincheck.exploration.layout import Layout
from draincheck.system import State

__all__ = ["Diagram", "Rows", "Shape", "good_order", "sample"]

#: values that are looked at for a good order of variables; of more states, every second and so on
SAMPLE = 1_000_000

#: questions that stand inside each other without a name: solvers read terms recursively
DEEP = 100

#: states between two looks at the budget
PIECE = 1 << 14

T = TypeVar("T")

#: called now and then by what takes long
Pulse = Callable[[], None]


def sample(states: Sequence[T], variables: int) -> Sequence[T]:
    """Those states that are looked at to find an order of so many variables."""
    return states[:: max(1, len(states) * variables // SAMPLE)]


def good_order(states: Sequence[State]) -> tuple[int, ...]:
    """An order of the positions of a state in which a diagram of these states is small; of very many some are looked at.

    How many beginnings a variable tells apart never gets less as these get longer. So what it was is a lower bound, and only the variable
    with the lowest has to be looked at again.
    """
    states = sample(states, len(states[0]))
    columns = list(zip(*states, strict=True))
    left = [(0, position) for position in range(len(columns))]
    heapify(left)
    order: list[int] = []
    beginnings = [0] * len(states)
    while left:
        least, position = heappop(left)
        tell = len(set(zip(beginnings, columns[position], strict=True)))
        if tell > least:
            heappush(left, (tell, position))
            continue
        order.append(position)
        number: dict[tuple[int, int], int] = {}
        beginnings = [number.setdefault(pair, len(number)) for pair in zip(beginnings, columns[position], strict=True)]
        look()
    return tuple(order)


#: for each value of a variable that some state has what comes next: the number of a question, or, negative, of a leaf: ~number
Branches = tuple[tuple[int, int], ...]


class Shape(Struct, frozen=True):
    """A decision diagram of a function from states to numbers.

    Attributes:
        leaves: the numbers that it takes.
        questions: level and branches of each question; those behind it come before it.
        root: where it begins, as in `Branches`.
    """

    leaves: Sequence[int]
    questions: Sequence[tuple[int, Branches]]
    root: int


class Rows:
    """Some states, sorted as a diagram asks for their variables: what the diagrams of several functions of them have in common.

    Attributes:
        relation: the system whose states these are.
        order: in which the variables are asked: their positions.
    """

    def __init__(
        self, relation: Relation, order: Sequence[int], packed: Sequence[int], layout: Layout, pulse: Pulse = look
    ) -> None:
        """Sort states, which are packed as a layout says; `pulse` is called now and then."""
        self.relation, self.order, self._pulse = relation, tuple(order), pulse
        variables = [relation.system.variables[position] for position in order]
        target = Layout(variables)
        self._fields = [((target.fields[v].mask >> target.fields[v].offset).bit_length(), v.sort) for v in variables]
        keys = _moved(packed, layout, target, pulse)
        self._places = sorted(range(len(keys)), key=keys.__getitem__)
        self._keys = [keys[place] for place in self._places]

    def shape(self, values: Sequence[int]) -> Shape:
        """The diagram of a function, given its values in the states as they were given."""
        number: dict[int, int] = {}
        nodes = [~number.setdefault(values[place], len(number)) for place in self._places]
        keys, known = self._keys, dict[tuple[int, Branches], int]()
        for level in range(len(self._fields) - 1, -1, -1):
            keys, nodes = self._level(level, keys, nodes, known)
        return Shape(tuple(number), tuple(known), nodes[0])

    def _level(
        self, level: int, keys: Sequence[int], nodes: Sequence[int], known: dict[tuple[int, Branches], int]
    ) -> tuple[list[int], list[int]]:
        """The beginnings of states before a level, and what comes there, given what comes behind it."""
        width, sort = self._fields[level]
        ones = (1 << width) - 1
        begun: list[int] = []
        found: list[int] = []
        branches: list[tuple[int, int]] = []

        def end() -> None:
            if len(branches) == sort.size and len({child for _, child in branches}) == 1:
                found.append(branches[0][1])
            else:
                found.append(known.setdefault((level, tuple(branches)), len(known)))

        for piece in _pieces(len(keys)):
            self._pulse()
            for key, node in zip(keys[piece], nodes[piece], strict=True):
                if not begun or key >> width != begun[-1]:
                    if begun:
                        end()
                    begun.append(key >> width)
                    branches = []
                branches.append(((key & ones) + sort.low, node))
        end()
        return begun, found


def _pieces(length: int) -> Iterator[slice]:
    return (slice(start, start + PIECE) for start in range(0, length, PIECE))


def _moved(packed: Sequence[int], layout: Layout, target: Layout, pulse: Pulse) -> list[int]:
    """States that are packed in one way, packed in another; fields that move by as many bits move together."""
    masks: Counter[int] = Counter()
    for variable in layout.variables:
        here, there = layout.fields[variable], target.fields[variable]
        masks[there.offset - here.offset] += here.mask
    moves = [(mask, max(by, 0), max(-by, 0)) for by, mask in masks.items()]
    keys: list[int] = []
    for piece in _pieces(len(packed)):
        pulse()
        keys += [sum([(state & mask) << left >> right for mask, left, right in moves]) for state in packed[piece]]
    return keys


#: what comes behind a question for a value: another one's number, or the text of what the function is there
Rest = int | str


class Diagram:
    """A decision diagram of a function from states to texts.

    Attributes:
        nodes: how many questions it consists of.
    """

    def __init__(self, rows: Rows, shape: Shape, say: Callable[[int], str], default: str) -> None:
        """The diagram that a shape becomes.

        Args:
            rows: the states.
            shape: a function of them.
            say: the text of what the function is where it takes a number; "" if that does not matter.
            default: the text of what it is in other states; "" if that does not matter.
        """
        self._rows, self._default = rows, default
        self._known: dict[tuple[int, tuple[tuple[int, Rest], ...]], int] = {}
        self._texts = [say(leaf) for leaf in shape.leaves]
        self._become: list[Rest] = []
        for level, branches in shape.questions:
            self._become.append(self._shared(level, branches))
        self._root = self._rest(shape.root)
        self.nodes = len(self._known)

    def _rest(self, child: int) -> Rest:
        return self._become[child] if child >= 0 else self._texts[~child]

    def _shared(self, level: int, branches: Branches) -> Rest:
        """The one question with these branches; their common rest where it makes no difference, "" where none matters."""
        rests = tuple((value, rest) for value, child in branches if (rest := self._rest(child)) != "")
        different = {rest for _, rest in rests}
        size = self._rows.relation.system.variables[self._rows.order[level]].sort.size
        if not different:
            return ""
        if len(different) == 1 and (not self._default or len(rests) == size):
            return rests[0][1]
        return self._known.setdefault((level, rests), len(self._known))

    def text(self) -> str:
        """The function as a term over the variables; "" if it matters nowhere.

        Questions that come up more than once have names, in one `let` for each level, and so have some that stand too deep.
        """
        used = Counter(rest for _, rests in self._known for rest in {rest for _, rest in rests})
        parts: list[tuple[str, ...]] = []
        depths: list[int] = []
        lets: dict[int, list[str]] = {}
        for number, (level, rests) in enumerate(self._known):
            depth = 1 + max((depths[rest] for _, rest in rests if isinstance(rest, int)), default=0)
            term = self._question(level, rests, parts)
            if used[number] > 1 or depth > DEEP:
                lets.setdefault(level, []).append(f"(n{number} {conjoined(term)})")
                term, depth = (f"n{number}",), 0
            parts.append(term)
            depths.append(depth)
        body = conjoined(_said(self._root, parts))
        for level in sorted(lets):
            bound = "\n".join(lets[level])
            body = f"(let ({bound})\n{body})"
        return body

    def _question(
        self, level: int, rests: Sequence[tuple[int, Rest]], parts: Sequence[tuple[str, ...]]
    ) -> tuple[str, ...]:
        """A question's own term, as parts of a conjunction: which of its rests the value of its variable chooses."""
        values: dict[Rest, list[int]] = {}
        for value, rest in rests:
            values.setdefault(rest, []).append(value)
        cases = [(self._any(level, chosen), _said(rest, parts)) for rest, chosen in values.items()]
        if self._default == "false":
            found = [tuple(part for part in (case, *said) if part != "true") for case, said in cases]
            return found[0] if len(found) == 1 else (disjoined(map(conjoined, found)),)
        term = self._default or conjoined(cases.pop()[1])
        for condition, said in reversed(cases):
            term = _choice(condition, conjoined(said), term)
        return (term,)

    def _any(self, level: int, values: Sequence[int]) -> str:
        """That the variable of a level has one of some values."""
        relation = self._rows.relation
        variable = relation.system.variables[self._rows.order[level]]
        if len(values) == variable.sort.size:
            return "true"
        return disjoined(relation.value(variable, value) for value in values)


def _said(rest: Rest, parts: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """What comes behind a question, as parts of a conjunction."""
    return (rest,) if isinstance(rest, str) else parts[rest]


def _choice(condition: str, then: str, otherwise: str) -> str:
    if (then, otherwise) == ("true", "false"):
        return condition
    if (then, otherwise) == ("false", "true"):
        return f"(not {condition})"
    return f"(ite {condition} {then} {otherwise})"
