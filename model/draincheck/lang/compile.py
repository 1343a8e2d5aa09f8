"""From recorded processes to a transition system: program counters, actions, and the places that conditions name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from draincheck import op
from draincheck.budget import look
from draincheck.errors import ModelError
from draincheck.expr import FALSE, TRUE, BoolExpr, Expr, all_, any_, constant, eq, not_, variables_of
from draincheck.influence import at_work, can_hold
from draincheck.lang import alike, fairness
from draincheck.lang.control_flow import Edge, Rest
from draincheck.lang.path import Path
from draincheck.lang.process import Coroutine, Process
from draincheck.lang.resolving import Resolve
from draincheck.lang.uncalled import refuse_uncalled
from draincheck.late import Late
from draincheck.properties import Property
from draincheck.sorts import BOOL, IntSort
from draincheck.system import Action, BoolVar, Control, IntVar, Part, Place, TransitionSystem, Update, Variable
from draincheck.words import listed

if TYPE_CHECKING:
    from draincheck.lang.model import Model

__all__ = ["compile_model"]

_NEVER_FINAL = (
    "no state is final: this is false whatever the variables are, as a value that none of them can have is, two at once, or a variable that does not "
    "exist here; "
    "leave it out where it is fine that all have ended"
)

#: actions made between two looks at the budget
PIECE = 256


def compile_model(model: Model) -> TransitionSystem:
    """The meaning of a model; raises ModelError with the source line for whatever has none."""
    if not model.processes:
        raise ModelError(f"{model.name} has no process: nothing can ever happen in it")
    compiled = [_Compiled(process) for process in model.processes.values()]
    if not model.stored and all(item.pc is None for item in compiled):
        compiled[0].count_places()  # a state needs something to be told by
    handovers = _handovers(model, compiled)
    places = _places(model, compiled, handovers)
    variables = _variables(model, compiled, handovers)
    resolve = Resolve(variables, places)
    actions = [
        item.action(index, step, resolve, handovers, model)
        for index, (item, step) in enumerate((c, step) for c in compiled for step in c.steps)
    ]
    properties = tuple(item.map(resolve.about(item.name)) for item in model.properties.values())
    says_final = model.final_when is not None
    final = _final(model, compiled, handovers, resolve.about("final"))
    if model.local_tests:
        _check_local_tests(compiled, model, handovers)
    _check_yields(compiled)
    _check_updates(model)
    refuse_uncalled([model.line, *(p.line for c in compiled for e in c.flow.edges for p in e.path.parts)])
    system = TransitionSystem(
        name=model.name,
        variables=variables,
        actions=tuple(actions),
        properties=properties,
        final=final,
        fairness=fairness.resolve(model.fairness, actions, [p.name for p in model.processes.values() if p.may_stop]),
        at_rest=Late(lambda: _at_rest(compiled, handovers, actions, properties, final if says_final else None)),
        controls=Late(lambda: [item.control(handovers) for item in compiled]),
        places=tuple(places.items()),
        halted=FALSE if model.aborted is None else model.aborted,
    )
    return _with_interchangeable(system, model, compiled, handovers) if model.alike else system


def _final(model: Model, compiled: Iterable[_Compiled], handovers: _Handovers, resolve: Resolve) -> BoolExpr:
    """Where all may rest. Raises ModelError if the model says so of no state, whatever its variables are."""
    if model.final_when is None:
        may_end = all_(*_resting(compiled, handovers).values())
    elif can_hold(model.final_when):
        may_end = model.final_when
    else:
        raise ModelError(_NEVER_FINAL, model.final_line)
    return resolve(any_(may_end, FALSE if model.aborted is None else model.aborted))


def _resting(compiled: Iterable[_Compiled], handovers: _Handovers) -> dict[str, BoolExpr]:
    """Where each process rests."""
    return {item.process.name: item.at_rest(handovers) for item in compiled}


def _at_rest(
    compiled: Sequence[_Compiled],
    handovers: _Handovers,
    actions: Sequence[Action],
    properties: Iterable[Property],
    final: BoolExpr | None,
) -> Iterator[tuple[str, BoolExpr]]:
    """See `TransitionSystem.at_rest`; `final` is what the model says of it, None if it says nothing."""
    resting = _resting(compiled, handovers)
    yield from resting.items()
    if final is not None:
        working = _at_work(compiled, actions, properties, final)
        yield "", any_(*(not_(rests) for name, rests in resting.items() if name in working))


def _at_work(
    compiled: Iterable[_Compiled], actions: Sequence[Action], properties: Iterable[Property], final: BoolExpr
) -> Collection[str]:
    """The processes that are waited for before all is done."""
    demands = (condition for item in properties for condition in item.conditions())
    by_name = {item.process.name: item for item in compiled}
    return at_work(actions, demands, final, lambda name: by_name[name].goes_round())


def _with_interchangeable(
    system: TransitionSystem, model: Model, compiled: Iterable[_Compiled], handovers: _Handovers
) -> TransitionSystem:
    """The system with the components that its model calls interchangeable. Raises ModelError for those that are not."""
    own = {item.process.name: item.own(handovers) for item in compiled}
    system = replace(system, interchangeable=alike.resolved(model.alike, own))
    alike.refuse_unlike(system)
    return system


class _Step(Struct, frozen=True):
    """An action in the making: a recorded edge, taken from a place where control rests, to another, by their numbers."""

    edge: Edge
    source: int
    target: int


class _Handover(Struct, frozen=True):
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


class _Compiled:
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

    def own(self, handovers: _Handovers) -> list[Variable]:
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

    def named(self, name: str, handovers: _Handovers) -> BoolExpr | None:
        """The condition that control is at a place of this name, or None if the process has none."""
        if name == "(ended)":
            return self._at_end(handovers)
        if name not in self.flow.known_names():
            return None
        places = list(zip(self.rests, self._here, strict=True))
        behind = [self._is_at(rest, here, handovers) for rest, here in places if name in rest.names]
        inside = [self._is_in(rest, here, handovers) for rest, here in places if self._name_inside(rest) == name]
        return any_(*behind, *inside)

    def at_rest(self, handovers: _Handovers) -> BoolExpr:
        """The condition that the process has ended, or is a coroutine that is where it starts, because nobody has entered it yet."""
        ended, token = self._at_end(handovers), self.token
        return ended if token is None else any_(ended, all_(not_(token), self._here[0]))

    def _at_end(self, handovers: _Handovers) -> BoolExpr:
        places = zip(self.rests, self._here, strict=True)
        return any_(*[self._is_at(rest, here, handovers) for rest, here in places if self._has_ended(rest)])

    def _is_at(self, rest: Rest, here: BoolExpr, handovers: _Handovers) -> BoolExpr:
        return here & self._back(rest, handovers)

    def _name_inside(self, rest: Rest) -> str | None:
        return None if rest.entered_at is None else self.flow.inside.get(rest.entered_at)

    def _is_in(self, rest: Rest, here: BoolExpr, handovers: _Handovers) -> BoolExpr:
        return here & handovers[rest.awaits].runs_for(self.process.name)

    def _back(self, rest: Rest, handovers: _Handovers) -> BoolExpr:
        """The coroutine that was entered, if one was, has given control back."""
        return _not(handovers[rest.awaits].runs_for(self.process.name)) if rest.awaits else TRUE

    def action(self, index: int, step: _Step, resolve: Resolve, handovers: _Handovers, model: Model) -> Action:
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

    def control(self, handovers: _Handovers) -> Control:
        """Where the process can rest, for people."""
        places = tuple([self._place(rest, handovers) for rest in self.rests])
        return Control(self.process.name, self.pc, self.token, places, self.process.may_stop)

    def _place(self, rest: Rest, handovers: _Handovers) -> Place:
        frames, line = self.flow.statements.get(rest.base, ((), None))
        inside, back = self._name_inside(rest) or "", self._back(rest, handovers)
        return Place(tuple(sorted(rest.names)), frames, line, rest.awaits, inside, back, self._has_ended(rest))

    def _control(self, source: int, handovers: _Handovers, model: Model) -> BoolExpr:
        """Control is at a place, and whoever leaves it has control."""
        found = self._controls.get(source)
        if found is None:
            has_it = TRUE if self.token is None else self.token
            goes_on = TRUE if model.aborted is None else _not(model.aborted)
            found = all_(has_it, self._here[source], self._back(self.rests[source], handovers), goes_on)
            self._controls[source] = found
        return found

    def _updates(self, step: _Step, resolve: Resolve, handovers: _Handovers) -> list[Update]:
        name, token, target, env = self.process.name, self.token, self.rests[step.target], step.edge.path.env
        found = [update for pair in env.items() if (update := resolve.stored(pair)) is not None]
        if target.awaits:
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


_Handovers: TypeAlias = dict[str, _Handover]


def _handovers(model: Model, compiled: list[_Compiled]) -> _Handovers:
    """For each coroutine of a model."""
    enterers = _enterers(compiled)
    found: _Handovers = {}
    for process in model.processes.values():
        if process.token is not None:
            processes = tuple(enterers.get(process.name, {}))
            sort = IntSort(0, max(len(processes) - 1, 0))
            several = len(processes) > 1
            enterer = IntVar(f"enterer of {process.name}", sort, (0,), internal=True) if several else None
            found[process.name] = _Handover(process.token, processes, enterer)
    return found


def _enterers(compiled: list[_Compiled]) -> dict[str, dict[str, None]]:
    """For each coroutine the processes that enter it, in their order."""
    enterers: dict[str, dict[str, None]] = {}
    for item in compiled:
        for edge in item.flow.edges:
            for part in edge.path.parts:
                if part.enters:
                    enterers.setdefault(part.enters, {})[item.process.name] = None
    return enterers


def _variables(model: Model, compiled: list[_Compiled], handovers: _Handovers) -> tuple[Variable, ...]:
    """The model's, and the language's own behind them, with names of their own."""
    counters = (item.pc for item in compiled if item.pc is not None)
    enterers = (item.enterer for item in handovers.values() if item.enterer is not None)
    variables = *model.stored, *counters, *enterers
    _name_apart(variables, model)
    return variables


def _places(model: Model, compiled: list[_Compiled], handovers: _Handovers) -> dict[Expr, Expr]:
    """What every `at` condition means; raises ModelError for a place that no process has."""
    by_name = {item.process.name: item for item in compiled}
    places: dict[Expr, Expr] = {}
    for (process, name), term in model.places.items():
        if process not in by_name:
            line = model.place_lines[process, name]
            raise ModelError(f"there is no process {process!r}; there are {', '.join(by_name)}", line)
        found = by_name[process].named(name, handovers)
        if found is None:
            known = ", ".join(by_name[process].flow.known_names()) or "none"
            raise ModelError(
                f"{process} has no place {name!r}; it has {known}", model.place_lines[process, name], process
            )
        places[term] = found
    return places


def _name_apart(variables: Iterable[Variable], model: Model) -> None:
    """Rename the language's own variables where the model, or another of them, has the name: with as many primes as it takes."""
    taken = set(model.variables)
    for variable in variables:
        if model.variables.get(variable.name) is not variable:
            while variable.name in taken:
                variable.rename(f"{variable.name}'")
            taken.add(variable.name)


def _check_local_tests(compiled: list[_Compiled], model: Model, handovers: _Handovers) -> None:
    """Raise ModelError if a test that claims to be local reads what another thread writes."""
    tests = [(process, variables_of(condition), line) for process, condition, line in model.local_tests]
    read = {variable for _, variables, _ in tests for variable in variables}
    writers: dict[Expr, set[str]] = {}
    enterers = {coroutine: set(by.processes) for coroutine, by in handovers.items() if by.processes}
    for item in compiled:
        name = item.process.name
        for edge in item.flow.edges:
            for variable in read.intersection(edge.path.env):
                writers.setdefault(variable, set()).add(name)
        if item.process.token is not None:
            writers.setdefault(item.process.token, set()).add(name)
    for (process, _), place in model.places.items():
        writers[place] = {process}
    for process, variables, line in tests:
        group = _group(process, enterers)
        for variable in variables:
            if others := writers.get(variable, set()) - group:
                raise ModelError(
                    f"a local test reads {variable}, and {listed(sorted(others))} {'writes' if len(others) == 1 else 'write'} it: leave out local=True",
                    line,
                    process,
                )


def _check_yields(compiled: list[_Compiled]) -> None:
    """Raise ModelError if somebody asks whether a coroutine has yielded where it never does: that would hold of no state."""
    for item in compiled:
        if isinstance(item.process, Coroutine):
            yields = [item.flow.rest(location).names for location in item.flow.yielded]
            for name, line in item.process.yields_asked.items():
                if name != "(ended)" and not any(name in names for names in yields) and name in item.flow.known_names():
                    raise ModelError(
                        f"{item.process.name} never yields at {name!r}; for where it stands while it runs write m.at({item.process.name!r}, {name!r})",
                        line,
                        item.process.name,
                    )


def _check_updates(model: Model) -> None:
    """Raise ModelError for an update that was made and stored by no step."""
    for variable in model.variables.values():
        for update, line in variable.unused.values():
            raise ModelError(f"{update} is stored by no step: write p.do('...', ...) around it", line)


def _group(process: str, enterers: dict[str, set[str]]) -> set[str]:
    """A process and the coroutines that only it, or they, enter: one thread runs them all."""
    group = {process}
    while more := {co for co, by in enterers.items() if co not in group and by <= group}:
        group |= more
    return group
