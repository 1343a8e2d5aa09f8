"""From recorded processes to a transition system: program counters, actions, and the places that conditions name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from draincheck.errors import ModelError, SourceLine
from draincheck.expr import FALSE, TRUE, BoolExpr, Expr, IntExpr, IntSort, all_, any_, eq, substitute, variables_of
from draincheck.lang.fairness import resolve
from draincheck.lang.flow import Edge, first_line
from draincheck.lang.path import Path
from draincheck.system import (
    Action,
    Always,
    CanAlwaysFinish,
    Check,
    Eventually,
    Fault,
    IntVar,
    LeadsTo,
    Property,
    Reachable,
    TransitionSystem,
    Update,
    Variable,
)

if TYPE_CHECKING:
    from draincheck.lang.model import Model
    from draincheck.lang.process import Process

__all__ = ["compile_model"]


def compile_model(model: Model) -> TransitionSystem:
    """The meaning of a model; raises ModelError with the source line for whatever has none."""
    if not model.processes:
        raise ModelError(f"{model.name} has no process: nothing can ever happen in it")
    compiled = [_Compiled(model, process) for process in model.processes.values()]
    places = _places(model, compiled)
    variables = (*model.variables.values(), *(c.pc for c in compiled if c.pc is not None))
    _Known(variables, places).check_all(compiled, model)
    _check_local_tests(compiled, model)
    actions = [
        item.action(index, edge, places, model)
        for index, (item, edge) in enumerate((c, edge) for c in compiled for edge in c.edges)
    ]
    halted = model.halted if "halted" in model.variables else FALSE
    return TransitionSystem(
        name=model.name,
        variables=variables,
        actions=tuple(actions),
        properties=tuple(_resolved(item, places) for item in model.properties.values()),
        final=substitute(any_(model.final_when, halted), places),
        fairness=resolve(model.fairness, actions),
    )


class _Compiled:
    """One process with its locations numbered from the entry, in the order control first meets them."""

    def __init__(self, model: Model, process: Process) -> None:
        self.process = process
        self.flow = process.flow
        self.end = _close(process)
        self.edges: list[Edge] = []
        self.number: dict[int, int] = {}
        self._number_locations()
        size = len(self.number)
        self.pc = IntVar(f"pc {process.name}", IntSort(0, size - 1), (0,), internal=True) if size > 1 else None

    def _number_locations(self) -> None:
        leaving: dict[int, list[Edge]] = {}
        for edge in self.flow.edges:
            leaving.setdefault(self.flow.find(edge.path.start), []).append(edge)
        queue = [self.flow.find(self.flow.entry)]
        self.number = {queue[0]: 0}
        for location in queue:
            for edge in leaving.get(location, ()):
                self.edges.append(edge)
                target = self.flow.find(edge.target)
                if target not in self.number:
                    self.number[target] = len(self.number)
                    queue.append(target)

    def here(self, location: int) -> BoolExpr:
        """The condition that control is at a location."""
        number = self.number.get(self.flow.find(location))
        if number is None:
            return FALSE
        return TRUE if self.pc is None else eq(self.pc, IntExpr("const", (), self.pc.sort, number))

    def named(self, name: str) -> BoolExpr | None:
        """The condition that control is at a place of this name, or None if the process has none."""
        if name == "(ended)":
            return FALSE if self.end is None else self.here(self.end)
        locations = self.flow.names.get(name)
        return None if locations is None else any_(*{self.flow.find(x): self.here(x) for x in locations}.values())

    def action(self, index: int, edge: Edge, places: dict[Expr, Expr], model: Model) -> Action:
        """The action of one edge: its guard says where control is and who has it, its updates say where control goes."""
        path = edge.path
        return Action(
            index=index,
            process=self.process.name,
            parts=tuple(path.parts),
            guard=all_(*self._control(path, model), *(substitute(condition, places) for condition in path.guard)),
            updates=tuple(self._updates(edge, places)),
            checks=tuple(Check(c.property, substitute(c.holds, places), c.line) for c in path.checks),
            faults=tuple(
                Fault(f.kind, when, f.message, f.line)
                for f in path.faults
                if (when := substitute(f.when, places)) is not FALSE
            ),
        )

    def _control(self, path: Path, model: Model) -> Iterator[BoolExpr]:
        if self.process.token is not None:
            yield self.process.token
        yield self.here(path.start)
        awaited = self.flow.awaits.get(self.flow.find(path.start))
        if awaited is not None:
            token = model.processes[awaited].token
            assert token is not None
            yield ~token
        if "halted" in model.variables:
            yield ~model.halted

    def _updates(self, edge: Edge, places: dict[Expr, Expr]) -> Iterator[Update]:
        for variable, value in edge.path.env.items():
            assert isinstance(variable, Variable)
            new = substitute(value, places)
            if new is not variable:
                yield Update(variable, new)
        target = self.flow.find(edge.target)
        if target == self.end and self.process.token is not None:
            yield Update(self.process.token, FALSE)
        if self.pc is not None and target != self.flow.find(edge.path.start):
            yield Update(self.pc, IntExpr("const", (), self.pc.sort, self.number[target]))


def _close(process: Process) -> int | None:
    """Lead what was recorded last to the process's end; None if control never gets there."""
    return process.close() if process.open_paths() else None


def _places(model: Model, compiled: list[_Compiled]) -> dict[Expr, Expr]:
    """What every `at` condition means; raises ModelError for a place that no process has."""
    by_name = {item.process.name: item for item in compiled}
    places: dict[Expr, Expr] = {}
    for (process, name), term in model.places.items():
        if process not in by_name:
            raise ModelError(f"there is no process {process!r}; there are {', '.join(by_name)}")
        found = by_name[process].named(name)
        if found is None:
            known = ", ".join(by_name[process].flow.names) or "none"
            raise ModelError(f"{process} has no place {name!r}; it has {known}", process=process)
        places[term] = found
    return places


def _resolved(item: Property, places: dict[Expr, Expr]) -> Property:
    match item:
        case Always(name, meaning=meaning, source=source, holds=holds):
            return Always(name, substitute(holds, places), meaning=meaning, source=source)
        case Reachable(name, meaning=meaning, source=source, goal=goal):
            return Reachable(name, substitute(goal, places), meaning=meaning, source=source)
        case CanAlwaysFinish(name, meaning=meaning, source=source, goal=goal):
            return CanAlwaysFinish(name, substitute(goal, places), meaning=meaning, source=source)
        case Eventually(name, meaning=meaning, source=source, goal=goal):
            return Eventually(name, substitute(goal, places), meaning=meaning, source=source)
        case LeadsTo(name, meaning=meaning, source=source, trigger=trigger, goal=goal):
            return LeadsTo(name, substitute(trigger, places), substitute(goal, places), meaning=meaning, source=source)
        case _:
            return item


class _Known:
    """Finds variables that belong to no or to another model."""

    def __init__(self, variables: tuple[Variable, ...], places: dict[Expr, Expr]) -> None:
        self._seen: set[int] = {id(item) for item in (*variables, *places)}
        self._kept: list[Expr] = []

    def check_all(self, compiled: list[_Compiled], model: Model) -> None:
        """Raise ModelError for the first term with an unknown variable."""
        for item in compiled:
            for edge in item.edges:
                line = first_line(edge)
                for term in (
                    *edge.path.guard,
                    *edge.path.env,
                    *edge.path.env.values(),
                    *(c.holds for c in edge.path.checks),
                ):
                    self._check(term, line)
        for prop in model.properties.values():
            for demanded in (getattr(prop, name, None) for name in ("trigger", "holds", "goal")):
                if isinstance(demanded, Expr):
                    self._check(demanded, None, prop.name)
        self._check(model.final_when, None, "final")

    def _check(self, term: Expr, line: SourceLine | None, where: str = "") -> None:
        if id(term) in self._seen:
            return
        if term.op in ("var", "at"):
            prefix = f"{where}: " if where else ""
            raise ModelError(f"{prefix}unknown variable {term}: it was not made by this model", line)
        self._seen.add(id(term))
        self._kept.append(term)
        for arg in term.args:
            self._check(arg, line, where)


def _check_local_tests(compiled: list[_Compiled], model: Model) -> None:
    """Raise ModelError if a test that claims to be local reads what another thread writes."""
    writers: dict[Expr, set[str]] = {}
    enters: dict[str, set[str]] = {}
    for item in compiled:
        for edge in item.edges:
            for variable in edge.path.env:
                writers.setdefault(variable, set()).add(item.process.name)
            enters.setdefault(item.process.name, set()).update(part.enters for part in edge.path.parts if part.enters)
    for process, condition, line in model.local_tests:
        group = {process, *enters.get(process, ())}
        for variable in variables_of(condition):
            if others := writers.get(variable, set()) - group:
                raise ModelError(
                    f"a local test reads {variable}, and {', '.join(sorted(others))} writes it: leave out local=True",
                    line,
                    process,
                )
