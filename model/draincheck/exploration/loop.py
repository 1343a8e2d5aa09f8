"""The search loop of a system as one generated function: guards are a decision tree, successors are inlined.

Most guards fix the values of some variables: a program counter, a flag. The variable that most of them fix is looked at first,
once for all of them; then the next, among those that are left. What else a guard says is tested where its action stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from typing import Any, cast

from msgspec import Struct

from draincheck.budget import look
from draincheck.exploration.domains import Facts, conjunction
from draincheck.exploration.layout import Field, Layout
from draincheck.exploration.ordering import ordering
from draincheck.exploration.writer import Writer, masked
from draincheck.expr import TRUE, BoolExpr, Expr
from draincheck.naturals import refuse_naturals
from draincheck.system import Action, Fault, TransitionSystem

__all__ = ["Loop", "StepNote", "Where"]

#: those of some packed states in which a condition holds, in the same order
Where = Callable[[Iterable[int]], list[int]]

#: actions written between two looks at the budget
PIECE = 256

#: levels of indentation after which guards are tested one by one; Python's parser takes 100
DEEPEST = 60


class StepNote(Struct, frozen=True):
    """What can be wrong with taking an action: it has this fault, or breaks the assertion of this name."""

    action: Action
    fault: Fault | None
    broken: str = ""


class _Guarded(Struct, frozen=True):
    """An action, what its guard says, and those of the fixed values that still have to be looked at."""

    action: Action
    guard: Facts
    open: dict[Expr, int]


class Loop:
    """Expands states, and says what it came across; `expand` fills the lists anew each time.

    Attributes:
        layout: how states are packed.
        targets: the successors of the states that were expanded, one for each action taken, state by state, as they are stored.
        actions: the indices of these actions.
        ends: for each state how many targets there were when it was done.
        dead: the states in which no action is enabled.
        noted: what was wrong, as positions in `notes` and the states in which it was. A faulty action is not taken.
        notes: what can be wrong.
        conditions: for each condition that was asked for the function that says in which of some states it holds.
        source: the text of all this, which Python executes.
    """

    def __init__(self, system: TransitionSystem, watched: Collection[str] = (), asked: Iterable[BoolExpr] = ()) -> None:
        """Generate the loop of a system; raises ModelError for one with natural numbers.

        Args:
            system: the system.
            watched: the assertions that are looked at.
            asked: conditions that will be asked of states.
        """
        refuse_naturals(system)
        self.layout = Layout(system.variables)
        self.notes: list[StepNote] = []
        self.targets: list[int] = []
        self.actions: list[int] = []
        self.ends: list[int] = []
        self.dead: list[int] = []
        self.noted: list[tuple[int, int]] = []
        writer = Writer(self.layout)
        text = _Text(writer, self.notes, watched)
        text.tree(
            [_Guarded(a, facts, dict(facts.fixed)) for a in system.actions if (facts := conjunction([a.guard]))], 3
        )
        self._writer = writer
        predicates = "".join([f"{self.predicate(c)},\n" for c in asked])
        order = _ordering(self.layout, system)
        self.source = _FRAME.format(tree="\n".join(text.lines), predicates=predicates, order=order)
        made: dict[str, Any] = {}
        exec(compile(self.source, f"<search of {system.name!a}>", "exec"), made)
        self.conditions: Sequence[Where] = made["conditions"]
        self._in_order: Callable[[Iterable[int]], list[int]] | None = made["in_order"] if system.sorts else None
        begin: Callable[..., Generator[None, Iterable[int]]] = made["loop"]
        put = self.actions.append, self.ends.append, self.dead.append, self.noted.append
        loop = begin(self.targets, *put)
        next(loop)
        self._send = loop.send

    def predicate(self, condition: BoolExpr) -> str:
        """The text of a function that says in which of some states a condition holds."""
        return f"lambda states: [s for s in states if {self._writer.closed(self._writer.condition(condition))}]"

    def where(self, condition: BoolExpr) -> Where:
        """The function that says in which of some states a condition holds, for one that nobody has announced."""
        return cast(Where, eval(self.predicate(condition)))

    def expand(self, states: Iterable[int]) -> None:
        """Take every enabled action of some states."""
        for found in (self.targets, self.actions, self.ends, self.dead, self.noted):
            found.clear()
        self._send(states)
        if self._in_order:
            self.targets[:] = self._in_order(self.targets)

    def stored(self, states: Iterable[int]) -> Iterable[int]:
        """What is stored for some states that no step leads to: themselves, in a system that brings no components into order."""
        return sorted(set(self._in_order(states))) if self._in_order else states


def _ordering(layout: Layout, system: TransitionSystem) -> str:
    """The text of the function that brings components into order; "" in a system without any."""
    return ordering(layout, [group.components for group in system.sorts]) if system.sorts else ""


_FRAME = """\
def loop(targets, act, end, dead, note):
 put = targets.append
 while True:
  for s in (yield):
   m = False
{tree}
   if not m: dead(s)
   end(len(targets))
conditions = [
{predicates}]
{order}"""


class _Text:
    """The body of the loop in the making, line by line; `m` says whether an action was enabled."""

    def __init__(self, writer: Writer, notes: list[StepNote], watched: Collection[str]) -> None:
        self.lines: list[str] = []
        self._writer, self._notes, self._watched = writer, notes, watched

    def tree(self, actions: list[_Guarded], depth: int) -> None:
        """Write actions whose guards are still to be tested."""
        while actions:
            variable = _most_fixed(actions) if depth < DEEPEST else None
            if variable is None:
                for guarded in actions:
                    self._action(guarded, depth)
                return
            inside: dict[int, list[_Guarded]] = {}
            others: list[_Guarded] = []
            for guarded in actions:
                value = guarded.open.pop(variable, None)
                (others if value is None else inside.setdefault(value, [])).append(guarded)
            self._branches(variable, inside, depth)
            actions = others

    def _branches(self, variable: Expr, inside: dict[int, list[_Guarded]], depth: int) -> None:
        """Write the actions that want a variable to have a certain value, by value."""
        field = self._writer.layout.fields[variable]
        if len(inside) == 1:
            value, actions = inside.popitem()
            self._line(depth, f"if {masked(field.mask, field.bits(value))}:")
            self.tree(actions, depth + 1)
        elif field.high - field.low == 1:
            self._line(depth, f"if s & {field.mask}:")
            self.tree(inside[field.high], depth + 1)
            self._line(depth, "else:")
            self.tree(inside[field.low], depth + 1)
        else:
            self._line(depth, f"x = s & {field.mask}")
            self._split(field, sorted(inside.items()), (field.low, field.high), depth)

    def _split(
        self, field: Field, inside: list[tuple[int, list[_Guarded]]], possible: tuple[int, int], depth: int
    ) -> None:
        """Find the value by halving; `possible` are the least and the greatest that it can still be."""
        if len(inside) > 1:
            middle = len(inside) // 2
            border = inside[middle][0]
            self._line(depth, f"if x < {field.bits(border)}:")
            self._split(field, inside[:middle], (possible[0], border - 1), depth + 1)
            self._line(depth, "else:")
            self._split(field, inside[middle:], (border, possible[1]), depth + 1)
            return
        value, actions = inside[0]
        if possible != (value, value):
            self._line(depth, f"if x == {field.bits(value)}:")
            depth += 1
        self.tree(actions, depth)

    def _action(self, guarded: _Guarded, depth: int) -> None:
        """Write an action: the rest of its guard, its faults, its checks, its successor."""
        action, guard = guarded.action, guarded.guard
        if action.index % PIECE == 0:
            look()
        closed = self._writer.closed
        test = self._writer.all_of(guarded.open, guard)
        if test:
            self._line(depth, f"if {closed(test)}:")
            depth += 1
        self._line(depth, "m = True")
        for number, fault in enumerate(action.faults):
            note = self._note(StepNote(action, fault))
            self._line(depth, f"{'elif' if number else 'if'} {closed(self._writer.condition(fault.when))}: {note}")
        if action.faults:
            self._line(depth, "else:")
            depth += 1
        for check in action.checks:
            if check.property in self._watched and check.holds is not TRUE:
                note = self._note(StepNote(action, None, check.property))
                self._line(depth, f"if not {closed(self._writer.condition(check.holds))}: {note}")
        self._line(depth, f"put({closed(self._writer.successor(action.updates, guard.fixed))}); act({action.index})")

    def _note(self, note: StepNote) -> str:
        self._notes.append(note)
        return f"note(({len(self._notes) - 1}, s))"

    def _line(self, depth: int, text: str) -> None:
        self.lines.append(f"{' ' * depth}{text}")


def _most_fixed(actions: Sequence[_Guarded]) -> Expr | None:
    """The variable that most guards fix, if at least two do; the first such one."""
    counts = Counter(variable for guarded in actions for variable in guarded.open)
    variable = max(counts, key=counts.__getitem__, default=None)
    return variable if variable is not None and counts[variable] > 1 else None
