"""From recorded processes to a transition system: their variables and actions, and the places that conditions name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from draincheck.errors import ModelError
from draincheck.expr import FALSE, BoolExpr, Expr, all_, any_, not_, variables_of
from draincheck.influence import at_work, can_hold
from draincheck.lang import alike, fairness
from draincheck.lang.compiled import CompiledProcess, Handovers, handovers_of
from draincheck.lang.process import Coroutine
from draincheck.lang.resolving import Resolve
from draincheck.lang.uncalled import refuse_uncalled
from draincheck.late import Late
from draincheck.properties import Property
from draincheck.system import Action, TransitionSystem, Variable
from draincheck.words import listed

if TYPE_CHECKING:
    from draincheck.lang.model import Model

__all__ = ["compile_model"]

_NEVER_FINAL = (
    "no state is final: this is false whatever the variables are, as a value that none of them can have is, two at once, or a variable that does not "
    "exist here; "
    "leave it out where it is fine that all have ended"
)


def compile_model(model: Model) -> TransitionSystem:
    """The meaning of a model; raises ModelError with the source line for whatever has none."""
    _refuse_unrecorded(model)
    compiled = [CompiledProcess(process) for process in model.processes.values()]
    if not model.stored and all(item.pc is None for item in compiled):
        compiled[0].count_places()  # a state needs something to be told by
    handovers = handovers_of(model, compiled)
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


def _refuse_unrecorded(model: Model) -> None:
    """Raise ModelError if nobody has written what a process does."""
    if not model.processes:
        raise ModelError(f"{model.name} has no process: nothing can ever happen in it")
    for process in model.processes.values():
        if not process.recorded:
            raise ModelError(
                f"nothing is recorded of {process.name}: write its steps inside 'with', or a 'pass' if it has none",
                process.line,
                process.name,
            )


def _final(model: Model, compiled: Iterable[CompiledProcess], handovers: Handovers, resolve: Resolve) -> BoolExpr:
    """Where all may rest. Raises ModelError if the model says so of no state, whatever its variables are."""
    may_end = model.final_when
    if may_end is None:
        may_end = all_(*_resting(compiled, handovers).values())
    elif not can_hold(may_end) or ((found := resolve(may_end)) is not FALSE and not can_hold(found)):
        raise ModelError(_NEVER_FINAL, model.final_line)
    return resolve(any_(may_end, FALSE if model.aborted is None else model.aborted))


def _resting(compiled: Iterable[CompiledProcess], handovers: Handovers) -> dict[str, BoolExpr]:
    """Where each process rests."""
    return {item.process.name: item.at_rest(handovers) for item in compiled}


def _at_rest(
    compiled: Sequence[CompiledProcess],
    handovers: Handovers,
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
    compiled: Iterable[CompiledProcess], actions: Sequence[Action], properties: Iterable[Property], final: BoolExpr
) -> Collection[str]:
    """The processes that are waited for before all is done."""
    demands = (condition for item in properties for condition in item.conditions())
    by_name = {item.process.name: item for item in compiled}
    return at_work(actions, demands, final, lambda name: by_name[name].goes_round())


def _with_interchangeable(
    system: TransitionSystem, model: Model, compiled: Iterable[CompiledProcess], handovers: Handovers
) -> TransitionSystem:
    """The system with the components that its model calls interchangeable. Raises ModelError for those that are not."""
    own = {item.process.name: item.own(handovers) for item in compiled}
    system = replace(system, interchangeable=alike.resolved(model.alike, own))
    alike.refuse_unlike(system)
    return system


def _variables(model: Model, compiled: list[CompiledProcess], handovers: Handovers) -> tuple[Variable, ...]:
    """The model's, and the language's own behind them, with names of their own."""
    counters = (item.pc for item in compiled if item.pc is not None)
    enterers = (item.enterer for item in handovers.values() if item.enterer is not None)
    variables = *model.stored, *counters, *enterers
    _name_apart(variables, model)
    return variables


def _places(model: Model, compiled: list[CompiledProcess], handovers: Handovers) -> dict[Expr, Expr]:
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


def _check_local_tests(compiled: list[CompiledProcess], model: Model, handovers: Handovers) -> None:
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


def _check_yields(compiled: list[CompiledProcess]) -> None:
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
