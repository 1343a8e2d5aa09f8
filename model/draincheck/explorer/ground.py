"""What the page is told of a region of a system's graph: columns of numbers, and what its edges are labelled with."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Final

from draincheck.explorer.lane_numbers import LaneNumbers
from draincheck.explorer.region import WalkRegion
from draincheck.explorer.tables import Register, Tables
from draincheck.explorer.walkable import GraphTables, PageColumn, PageVariable, PageVariant
from draincheck.expr import FALSE, TRUE, BoolExpr
from draincheck.properties import FaultKind
from draincheck.report.jsontrace import sort_json
from draincheck.run import label_of
from draincheck.sorts import EnumSort, Sort
from draincheck.system import Action, Variable

__all__ = ["Columns", "Ground", "demanded_conditions"]

#: conditions that share a byte
PACKED: Final = 8

#: numbers of so many bytes, the least that do
_WIDTHS: Final = ((1, "B"), (2, "H"), (4, "I"))

#: what tells edges apart that one action makes: its parts that take place, the properties that it breaks, and what is wrong with it
_Kind = tuple[int, tuple[int, ...], tuple[int, ...], str]


def demanded_conditions(tables: Tables) -> list[BoolExpr]:
    """All conditions that have to be looked at in every state."""
    steps = (
        condition
        for action in tables.system.actions
        for condition in (*(part.when for part in action.parts), *(check.holds for check in action.checks))
    )
    found = dict.fromkeys([*(condition for condition, _ in tables.conditions), *steps])
    return [condition for condition in found if condition is not TRUE and condition is not FALSE]


class Columns:
    """Columns in the making."""

    def __init__(self) -> None:
        self.columns: list[PageColumn] = []
        self.data = bytearray()

    def add(self, of: str, numbers: Sequence[int], index: int = 0) -> None:
        """Write a column as narrow as it can be."""
        width, code = next((w, code) for w, code in _WIDTHS if max(numbers, default=0) < 1 << 8 * w)
        written = array(code, numbers)
        if sys.byteorder == "big":
            written.byteswap()
        self.columns.append(PageColumn(of, index, width, len(numbers)))
        self.data += written.tobytes()


class Ground:
    """A region of a system's graph, with the labels of its edges.

    Attributes:
        tables: of the system.
        region: the region.
        variables: with the values that they take there.
        variants: what edges are labelled with.
        lanes: where steps are drawn.
    """

    def __init__(self, tables: Tables, region: WalkRegion) -> None:
        self.region, self.tables, self._system = region, tables, tables.system
        self.lanes = LaneNumbers(tables.system)
        self._kinds = Register[_Kind]()
        self._seen: dict[int, tuple[int, int]] = {}
        self._labelled = [list(self._variants(here)) for here in range(region.expanded)]
        self.variables = tuple(map(self._variable, self._system.variables, self._values))
        self.variants = tuple(map(self._variant, enumerate(self._kinds)))

    def variant_of(self, here: int, action: int) -> int:
        """The number of the variant that an action is in a state."""
        return next(number for number in self._labelled[here] if self._action_of[number] == action)

    def columns(self, fates: Iterable[tuple[int, bytes]], said: str) -> GraphTables:
        """The columns; `fates` has one for each property of which it is known. `said` says which states these are."""
        columns, region = Columns(), self.region
        for number, (_, places) in enumerate(self._values):
            columns.add("value", places, number)
        for first, bits in self._truths():
            columns.add("truth", bits, first)
        for number, fate in fates:
            columns.add("fate", fate, number)
        columns.add("degree", [*map(len, self._labelled), *[0] * (len(region.states) - region.expanded)])
        columns.add("variant", [number for labelled in self._labelled for number in labelled])
        targets = [target for here in range(region.expanded) for target in self._targets(here)]
        columns.add("target", targets)
        whole = region.whole is not None
        return GraphTables(
            len(region.states), len(targets), region.roots, region.expanded, whole, said, tuple(columns.columns),
            bytes(columns.data),
        )  # fmt: skip

    # -- states --------------------------------------------------------------------------------------

    @cached_property
    def _values(self) -> list[tuple[list[int], list[int]]]:
        """For each variable the stored values that it takes, and for each state the position of its value among them."""
        states = map(self.region.layout.unpack, self.region.states)
        found: list[tuple[list[int], list[int]]] = []
        for stored in zip(*states, strict=True):
            values = sorted(set(stored))
            places = {value: place for place, value in enumerate(values)}
            found.append((values, [places[value] for value in stored]))
        return found

    def _variable(self, variable: Variable, values: tuple[list[int], list[int]]) -> PageVariable:
        shown = tuple(_shown(variable.sort, value) for value in values[0])
        return PageVariable(variable.name, sort_json(variable.sort), variable.internal, shown, values[1][0])

    def _truths(self) -> Iterator[tuple[int, list[int]]]:
        """For each eight conditions the number of the first, and for each state the bits."""
        for first in range(0, len(self.tables.conditions), PACKED):
            yield first, [mask >> first & (1 << PACKED) - 1 for mask in self._masks]

    @cached_property
    def _masks(self) -> list[int]:
        """For each state the conditions that are true there: bit n stands for the one with this number."""
        masks = [0] * len(self.region.states)
        for place, (condition, _) in enumerate(self.tables.conditions):
            for number, true in enumerate(self.region.where(condition)):
                masks[number] |= true << place
        return masks

    def makers(self) -> tuple[tuple[int, ...], ...]:
        """For each condition the actions that make it true somewhere in the region, where it is false before them."""
        made = [0] * len(self._system.actions)
        for here, edges in enumerate(self.region.edges):
            for action, target in edges:
                made[action] |= self._masks[target] & ~self._masks[here]
        numbers = range(len(self.tables.conditions))
        return tuple(tuple(action for action, mask in enumerate(made) if mask >> n & 1) for n in numbers)

    # -- edges ---------------------------------------------------------------------------------------

    def _targets(self, here: int) -> Iterator[int]:
        """Where the edges of a state lead, as they are labelled."""
        leads = dict(self.region.edges[here])
        return (leads.get(self._action_of[number], len(self.region.states)) for number in self._labelled[here])

    @cached_property
    def _action_of(self) -> list[int]:
        return [kind[0] for kind in self._kinds]

    def _variants(self, here: int) -> Iterator[int]:
        """The labels of a state's edges, and of those that lead nowhere, in the order of their actions."""
        for action, _ in sorted([*self.region.edges[here], *((a, -1) for a in self._cut.get(here, ()))]):
            yield self._known(here, action)

    def _known(self, here: int, action: int) -> int:
        taken, broken = self._pieces[action]
        error = self._error(here, action) if action in self._cut.get(here, ()) else ""
        failed = dict.fromkeys(number for number, true in broken if not true(here))
        number = self._kinds[action, tuple(number for number, true in taken if true(here)), tuple(failed), error]
        self._seen.setdefault(number, (here, action))
        return number

    @cached_property
    def _cut(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for here, action in self.region.cut:
            found.setdefault(here, []).append(action)
        return found

    def _error(self, here: int, action: int) -> str:
        """What is wrong with a step."""
        fault = self._system.fault(self.region.state(here), self._system.actions[action])
        assert fault is not None
        what = "a bound of the model: " if fault.kind is FaultKind.BOUND else ""
        return f"{what}{fault.message} ({fault.line})"

    @cached_property
    def _pieces(self) -> list[tuple[list[_Truth], list[_Truth]]]:
        """For each action the truth of the conditions of its parts, and of its checks, by property."""
        return [(self._parts(action), self._checks(action)) for action in self._system.actions]

    def _parts(self, action: Action) -> list[_Truth]:
        return [(number, self._truth(part.when)) for number, part in enumerate(action.parts)]

    def _checks(self, action: Action) -> list[_Truth]:
        """Those of the system's properties: in one made by hand a check may be of none."""
        numbered = ((self.tables.known_property(check.property), check.holds) for check in action.checks)
        return [(number, self._truth(holds)) for number, holds in numbered if number is not None and holds is not TRUE]

    def _truth(self, condition: BoolExpr) -> Callable[[int], bool]:
        if condition is TRUE or condition is FALSE:
            return lambda here: condition is TRUE
        found = self._where.get(condition)
        if found is None:
            found = self._where[condition] = self.region.where(condition)
        return lambda here: bool(found[here])

    @cached_property
    def _where(self) -> dict[BoolExpr, bytearray]:
        return {}

    def _variant(self, numbered: tuple[int, _Kind]) -> PageVariant:
        """What an edge is labelled with, in the words and the lane of the first one that was seen."""
        number, (index, taken, broken, error) = numbered
        (here, _), action = self._seen[number], self._system.actions[index]
        state = self.region.state(here)
        lane = self.lanes.of_step(action, taken, state, self._system.step(state, action))
        return PageVariant(index, label_of(self._system, action, state), taken, lane, broken, error)


_Truth = tuple[int, Callable[[int], bool]]


def _shown(sort: Sort, value: int) -> str:
    return sort.names[value] if isinstance(sort, EnumSort) else str(value)
