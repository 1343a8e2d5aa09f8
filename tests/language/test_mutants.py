"""Faults planted into the compiler of the language: the random programs find each of them."""

from __future__ import annotations

from types import CodeType

import pytest

from draincheck.lang import Model
from tests.language.mutants import Mutant, StaleMutantError, mutated, patched
from tests.language.random_programs import random_program
from tests.language.referee import Tally, differences
from tests.support.samples import evenly, sampled

#: so many programs have to be enough
ENOUGH = 2000

PATHS = [
    Mutant("path", "_only_wrote", "len(side.guard) == len(base.guard) + 1", "True"),
    Mutant("path", "Path.ask", "self.now(check.holds)", "check.holds"),
    Mutant("path", "Path.err", "self.now(when)", "when"),
    Mutant("path", "Path.err", "self.begun = self.done = True", ""),
    Mutant("path", "Path.store", "substitute(update.value, self.env)", "update.value"),
    Mutant("path", "Path.store", "{**self.env, **new}", "new"),
    Mutant("path", "Path._guard_range", "any_(value < first, value > last)", "value > last"),
    Mutant(
        "path",
        "Path.branch",
        "replace(self, begun=True, guard=(*self.guard, condition), fork=fork)",
        "replace(self, begun=True, guard=(*self.guard, condition), fork=fork, checks=())",
    ),
    Mutant(
        "path",
        "Path.branch",
        "replace(self, begun=True, guard=(*self.guard, condition), fork=fork)",
        "replace(self, begun=True, guard=(*self.guard, condition), fork=fork, env={})",
    ),
    Mutant("path", "merge", "joined + apart", "joined"),
    Mutant("path", "_merge_pair", "otherwise.env.get(variable, variable)", "variable"),
    Mutant("path", "_add_side", "elsewhere | c.holds", "c.holds"),
    Mutant("path", "_add_side", "within(c.asked)", "c.asked"),
    Mutant("path", "_add_side", "within(fault.when)", "fault.when"),
    Mutant("path", "_add_side", "part.only(within(part.when))", "part"),
    Mutant("path", "_add_side", "made.get(when)", "next(iter(made.values()), None)"),
    Mutant("path", "_merge_pair", "then.done or otherwise.done", "then.done and otherwise.done"),
]

RECORDING = [
    Mutant("recorder", "Either.note", "any(path.done for path in self.start)", "False"),
    Mutant("recorder", "Recorder._join", "merge(b.then, otherwise, b.base)", "b.then"),
    Mutant("recorder", "Recorder._arrive", "self.flow.move(path.start, target)", "pass"),
    Mutant("recorder", "Recorder._end_step", "[*waiting, Path(target)]", "[Path(target)]"),
    Mutant("process", "Process.do", "if not self._atomic: self._end_step()", ""),
    Mutant("process", "Process.check", "if not self._atomic: self._end_step()", ""),
    Mutant("process", "Process.error", "when is None or not self._atomic", "not self._atomic"),
    Mutant("process", "Process.error", "when is None or not self._atomic", "when is None"),
    Mutant("process", "_error_violating", "kinds[name]", "FaultKind.ERROR"),
    Mutant("process", "Process.atomic", "if not self._atomic: self._end_step()", ""),
    Mutant("process", "Process._choice", "if not self._atomic: self._end_step()", ""),
    Mutant("process", "Process._choice", "path.branch(path.now(when), None)", "path.branch(TRUE, None)"),
    Mutant("process", "Process._demand", "any(path.done for path in self._paths)", "False"),
    Mutant("process", "Process._leave_for", "self._atomic or self._alternatives > loop.alternatives", "self._atomic"),
    Mutant("process", "Process._leave_for", "self._atomic or self._alternatives > loop.alternatives", "self._alternatives > loop.alternatives"),
    Mutant("process", "Process.here", "self._end_step()", ""),
    Mutant("process", "Process.wait", "not path.begun", "True"),
    Mutant("process", "Process.when", "not (self._atomic or local)", "not self._atomic"),
    Mutant("process", "Process.when", "path.now(condition)", "condition"),
    Mutant("process", "Process.continue_", "self._arrive(loop.head)", "loop.left.extend(self._paths)"),
    Mutant("process", "Process.until", "want_bool(condition)", "not_(want_bool(condition))"),
    Mutant("process", "Coroutine.yield_", "self.flow.yielded.add(target)", ""),
    Mutant("process", "Coroutine.at", "super().at(name) & ~self.on", "super().at(name)"),
]  # fmt: skip

COMPILING = [
    Mutant("control_flow", "Flow._base", "[*names, *self.names.get(here, ())]", "self.names.get(here, ())"),
    Mutant("control_flow", "Flow.rest", "bool(awaits) or location in self.yielded", "location in self.yielded"),
    Mutant("compiled", "CompiledProcess._back", "_not(handovers[rest.awaits].runs_for(self.process.name))", "TRUE"),
    Mutant("compiled", "CompiledProcess._is_at", "here & self._back(rest, handovers)", "here"),
    Mutant("compiled", "CompiledProcess._ends_by_step", "rest.gave_up and self.token is not None", "False"),
    Mutant("compiled", "CompiledProcess._control", "TRUE if self.token is None else self.token", "TRUE"),
    Mutant("compiled", "CompiledProcess._control", "TRUE if model.aborted is None else _not(model.aborted)", "TRUE"),
    Mutant("compiled", "CompiledProcess._updates", "found.append(Update(token, FALSE))", "pass"),
    Mutant("compiled", "Handover.runs_for", "self.enterer is None", "True"),
    Mutant("compiled", "CompiledProcess._name_inside", "self.flow.inside.get(rest.entered_at)", "None"),
    Mutant("compiled", "CompiledProcess.action", "part.only(resolve(part.when))", "part"),
]


def found_after(model: type[Model]) -> int | None:
    """How many programs it takes until the two readings differ; None if that many do not do it."""
    tally = Tally()
    return next((seed for seed in range(ENOUGH) if differences(random_program(seed), tally, model)), None)


MUTANTS = [*PATHS, *RECORDING, *COMPILING]


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_fault_can_be_planted(mutant: Mutant) -> None:
    """The code that it changes is there, once: in every run, for code is changed more often than all faults are tried."""
    assert isinstance(patched(mutant), CodeType)


@pytest.mark.parametrize(
    "mutant", sampled(evenly(MUTANTS, 3), [RECORDING[-1], COMPILING[0]], len(MUTANTS) // 3), ids=str
)
def test_random_programs_find_a_planted_fault(mutant: Mutant) -> None:
    """A compiler with one fault in it disagrees with the direct reading."""
    with mutated(mutant) as model:
        assert found_after(model) is not None


@pytest.mark.parametrize("programs", sampled([50, 200], 1))
def test_copy_without_a_fault_agrees(programs: int) -> None:
    """It is the change that is found, not the copy."""
    with mutated(Mutant("path", "Path.ask", "True", "True")) as model:
        assert all(not differences(random_program(seed), Tally(), model) for seed in range(programs))


def test_change_of_code_that_is_not_there_is_said() -> None:
    """A mutant that does not apply is no fault that was found."""
    with pytest.raises(StaleMutantError, match="found 0 times"), mutated(Mutant("path", "Path.ask", "no + such", "1")):
        pass
