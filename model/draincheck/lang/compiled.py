"""One recorded process, compiled: a program counter for the places where it rests, an action for each step, and who has control."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from draincheck import op
from draincheck.budget import look
from draincheck.expr import FALSE, TRUE, BoolExpr, all_, any_, constant, eq, not_
from draincheck.lang.control_flow import Edge, Rest
from draincheck.lang.path import Path
from draincheck.lang.process import Process
from draincheck.lang.resolving import Resolve
from draincheck.sorts import BOOL, IntSort
from draincheck.system import Action, BoolVar, Control, IntVar, Part, Place, Update, Variable

if TYPE_CHECKING:
    from draincheck.lang.model import Model

__all__ = ["CompiledProcess", "Handovers", "handovers_of"]

#: actions made between two looks at the budget
PIECE = 256


class _Step(Struct, frozen=True):
    """An action in the making: a recorded edge, taken from a place where control rests, to another, by their numbers."""

    edge: Edge
    source: int
    target: int


class Handover(Struct, frozen=True):
    """How a coroutine gives control back to whoever has entered it.

    Attributes:
        token: true while it runs.
        processes: those that enter it.
        enterer: which of them has, while it runs (0 otherwise); None where there is only one.
    """

    token: BoolVar
    processes: tuple[str, ...]
    enterer: IntVar | None

    def runs_for(self, process: str) -> BoolExpr:
        """It runs, and this process has entered it."""
        if self.enterer is None:
            return self.token
        return self.token & eq(self.enterer, constant(self.enterer.sort, self.processes.index(process)))

    def entered_by(self, process: str) -> Iterator[Update]:
        """Remember who enters it."""
        if self.enterer is not None:
            yield Update(self.enterer, constant(self.enterer.sort, self.processes.index(process)))

    def given_back(self) -> Iterator[Update]:
        """Nobody has entered it any more."""
        if self.enterer is not None:
            yield Update(self.enterer, constant(self.enterer.sort, 0))


class CompiledProcess:
    """One process with the places where it rests numbered from the entry, in the order control first meets them."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.token = process.token
        self.flow = process.flow
        process.close()
        self.steps: list[_Step] = []
        self.rests: list[Rest] = []
        self._number_rests()
        #: the condition that control rests at a place, and the update that brings it there, by its number
        self._here: list[BoolExpr] = [TRUE]
        self._gotos: list[Update] = []
        self._controls: dict[int, BoolExpr] = {}
        self.pc: IntVar | None = None
        if len(self.rests) > 1:
            self.count_places()

    def count_places(self) -> None:
        """Give the process a program counter."""
        sort = IntSort(0, len(self.rests) - 1)
        self.pc = pc = IntVar(f"pc {self.process.name}", sort, (0,), internal=True, counts=self.process.name)
        places = [constant(sort, number) for number in range(len(self.rests))]
        self._here = [BoolExpr("", BOOL, op=op.EQ, args=(pc, place)) for place in places]
        self._gotos = [Update(pc, place) for place in places]

    def _number_rests(self) -> None:
        leaving: dict[int, list[Edge]] = {}
        for edge in self.flow.edges:
            leaving.setdefault(edge.path.start, []).append(edge)
        numbers: dict[Rest, int] = {}
        at: dict[int, int] = {}

        def number(location: int) -> int:
            if location not in at:
                rest = self.flow.rest(location)
                at[location] = numbers.setdefault(rest, len(numbers))
                if len(numbers) > len(self.rests):
                    self.rests.append(rest)
            return at[location]

        number(self.flow.entry)
        for source, rest in enumerate(self.rests):
            edges = [self._end_step()] if self._ends_by_step(rest) else leaving.get(rest.base, ())
            self.steps += [_Step(edge, source, number(edge.target)) for edge in edges]

    def own(self, handovers: Handovers) -> list[Variable]:
        """The variables that the language has made for it."""
        handover = handovers.get(self.process.name)
        found = (self.pc, self.token, None if handover is None else handover.enterer)
        return [variable for variable in found if variable is not None]

    def goes_round(self) -> bool:
        """Whether control may come to a place where it has been."""
        order = TopologicalSorter[int]()
        for step in self.steps:
            order.add(step.target, step.source)
        try:
            order.prepare()
        except CycleError:
            return True
        return False

    def _ends_by_step(self, rest: Rest) -> bool:
        """A coroutine that gave up control and has nothing left to do: it ends when it has control again."""
        return rest.gave_up and self.token is not None

    def _end_step(self) -> Edge:
        assert self.flow.end is not None
        path = Path(self.flow.end)
        path.record(Part("", (), 0, "", self.process.line, TRUE))
        return Edge(path, self.flow.end)

    def _has_ended(self, rest: Rest) -> bool:
        return rest.base == self.flow.end and not self._ends_by_step(rest)

    def named(self, name: str, handovers: Handovers) -> BoolExpr | None:
        """The condition that control is at a place of this name, or None if the process has none."""
        if name == "(ended)":
            return self._at_end(handovers)
        if name not in self.flow.known_names():
            return None
        places = list(zip(self.rests, self._here, strict=True))
        behind = [self._is_at(rest, here, handovers) for rest, here in places if name in rest.names]
        inside = [self._is_in(rest, here, handovers) for rest, here in places if self._name_inside(rest) == name]
        return any_(*behind, *inside)

    def at_rest(self, handovers: Handovers) -> BoolExpr:
        """The condition that the process has ended, or is a coroutine that is where it starts, because nobody has entered it yet."""
        ended, token = self._at_end(handovers), self.token
        return ended if token is None else any_(ended, all_(not_(token), self._here[0]))

    def _at_end(self, handovers: Handovers) -> BoolExpr:
        places = zip(self.rests, self._here, strict=True)
        return any_(*[self._is_at(rest, here, handovers) for rest, here in places if self._has_ended(rest)])

    def _is_at(self, rest: Rest, here: BoolExpr, handovers: Handovers) -> BoolExpr:
        return here & self._back(rest, handovers)

    def _name_inside(self, rest: Rest) -> str | None:
        return None if rest.entered_at is None else self.flow.inside.get(rest.entered_at)

    def _is_in(self, rest: Rest, here: BoolExpr, handovers: Handovers) -> BoolExpr:
        return here & handovers[rest.awaits].runs_for(self.process.name)

    def _back(self, rest: Rest, handovers: Handovers) -> BoolExpr:
        """The coroutine that was entered, if one was, has given control back."""
        return _not(handovers[rest.awaits].runs_for(self.process.name)) if rest.awaits else TRUE

    def action(self, index: int, step: _Step, resolve: Resolve, handovers: Handovers, model: Model) -> Action:
        """The action of one step: its guard says where control is and who has it, its updates say where control goes."""
        path = step.edge.path
        resolve.line = path.parts[0].line
        if index % PIECE == 0:
            look()
        return Action(
            index=index,
            process=self.process.name,
            parts=tuple([part if part.when is TRUE else part.only(resolve(part.when)) for part in path.parts]),
            guard=all_(self._control(step.source, handovers, model), *map(resolve, path.guard)),
            updates=tuple(self._updates(step, resolve, handovers)),
            checks=tuple(map(resolve.check, path.checks)),
            faults=resolve.faults(path.faults),
            location=None if self.pc is None else step.source,
            demands=path.guard,
        )

    def control(self, handovers: Handovers) -> Control:
        """Where the process can rest, for people."""
        places = tuple([self._place(rest, handovers) for rest in self.rests])
        return Control(self.process.name, self.pc, self.token, places, self.process.may_stop)

    def _place(self, rest: Rest, handovers: Handovers) -> Place:
        frames, line = self.flow.statements.get(rest.base, ((), None))
        inside, back = self._name_inside(rest) or "", self._back(rest, handovers)
        return Place(tuple(sorted(rest.names)), frames, line, rest.awaits, inside, back, self._has_ended(rest))

    def _control(self, source: int, handovers: Handovers, model: Model) -> BoolExpr:
        """Control is at a place, and whoever leaves it has control."""
        found = self._controls.get(source)
        if found is None:
            has_it = TRUE if self.token is None else self.token
            goes_on = TRUE if model.aborted is None else _not(model.aborted)
            found = all_(has_it, self._here[source], self._back(self.rests[source], handovers), goes_on)
            self._controls[source] = found
        return found

    def _updates(self, step: _Step, resolve: Resolve, handovers: Handovers) -> list[Update]:
        name, token, target, env = self.process.name, self.token, self.rests[step.target], step.edge.path.env
        found = [update for pair in env.items() if (update := resolve.stored(pair)) is not None]
        if target.awaits and target.awaits != name:  # to enter oneself is an error: nobody is to be remembered
            found += handovers[target.awaits].entered_by(name)
        ended = token is not None and self._has_ended(target)
        if token is not None and ended:
            found.append(Update(token, FALSE))
        if ended or token in env:
            found += handovers[name].given_back()
        if self.pc is not None and step.target != step.source:
            found.append(self._gotos[step.target])
        return found


def _not(a: BoolExpr) -> BoolExpr:
    """A negation apart from those in the model: who leaves a place needs control, and a demand of the step that says so again stays beside it.

    Guards are in digests, and those stand in traces that people keep.
    """
    return BoolExpr("", BOOL, op=op.NOT, args=(a,))


Handovers: TypeAlias = dict[str, Handover]


def handovers_of(model: Model, compiled: list[CompiledProcess]) -> Handovers:
    """For each coroutine of a model."""
    enterers = _enterers(compiled)
    found: Handovers = {}
    for process in model.processes.values():
        if process.token is not None:
            processes = tuple(enterers.get(process.name, {}))
            sort = IntSort(0, max(len(processes) - 1, 0))
            several = len(processes) > 1
            enterer = IntVar(f"enterer of {process.name}", sort, (0,), internal=True) if several else None
            found[process.name] = Handover(process.token, processes, enterer)
    return found


def _enterers(compiled: list[CompiledProcess]) -> dict[str, dict[str, None]]:
    """For each coroutine the processes that enter it, in their order."""
    enterers: dict[str, dict[str, None]] = {}
    for item in compiled:
        for edge in item.flow.edges:
            for part in edge.path.parts:
                if part.enters:
                    enterers.setdefault(part.enters, {})[item.process.name] = None
    return enterers
