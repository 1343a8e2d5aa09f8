"""Traces in ITF: a reader that is not ours sees what the run has, on every violated property of the default matrix and whatever things are called."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from check_invariants.trace_formats import TRACE_FORMATS, Exhibit
from draincheck import Model, ModelFile, Outcome, Run, TransitionSystem, check
from draincheck.export.itf import ACTION, trace_in_itf
from draincheck.run import Trace
from draincheck.sorts import BOOL, EnumSort, IntSort
from draincheck.subject import About
from draincheck.system import BoolVar, EnumVar, IntVar
from drainspecs.mirror.code_base import CodeBase
from drainspecs.suite.matrix import default_rows
from tests.cover.test_export import NASTY
from tests.support.cli import run as command
from tests.support.itf import misread
from tests.support.machines import Machine
from tests.support.regressions import HOSTILE
from tests.support.samples import evenly, sampled

ABOUT = About("model", "m", "s", "o")

ROWS = [(row.revision.name, row.scenario.name) for row in default_rows()]
QUICK = [("ab27c3b5e7", "mirror"), ("65c1b5b622", "dataplane")]


def shown(system: TransitionSystem) -> Iterator[tuple[Run, Outcome]]:
    """Everything that has a trace."""
    for finding in check(system).findings:
        if finding.verdict.trace is not None:
            yield Run.of(system, finding.verdict.trace), finding.outcome


@pytest.mark.parametrize("row", sampled(evenly(ROWS, 5), QUICK, 53), ids="-".join)
def test_every_trace_is_read_as_it_is(row: tuple[str, str]) -> None:
    """Variables, values, types, and the action that has led to each state."""
    subject = CodeBase.named(*row)
    form = TRACE_FORMATS["itf"]
    for run, outcome in shown(subject.system()):
        text = form.render(Exhibit(run, subject, outcome))
        assert misread(text, run) == []
        assert text == form.render(Exhibit(run, subject, outcome))


NAMES = (*NASTY, "#meta", "#bigint", "_#meta", "#tup", "", "_", "tag", "value", ACTION, f"{ACTION} (2)", "mbt::nondetPicks", "loop", "vars")  # fmt: skip


def hostile() -> TransitionSystem:
    """Variables, values, actions and processes with these names, and two variables of one name."""
    names = list(dict.fromkeys(NAMES))
    bits = [BoolVar(name, BOOL, (0,)) for name in names]
    words = EnumVar("words", EnumSort.of(names), (0,))
    machine = Machine(*bits, words)
    for bit, name in zip(bits, names, strict=True):
        machine.action(name, ~bit, bit.set(), words.set(name), process=name)
    return machine.system()


def test_hostile_names_are_kept_apart() -> None:
    """Words of the format, names that become one another, halves of characters: each is read back, under its own name or one that says whose it is."""
    system = hostile()
    trace = Trace(system.name, system.digest, "", next(iter(system.initial)), tuple(range(len(system.actions))))
    run = Run.of(system, trace)
    assert misread(trace_in_itf(run, ABOUT), run) == []


def test_two_variables_of_one_name_are_two() -> None:
    """A system made by hand may have such."""
    machine = Machine(IntVar("n", IntSort(0, 2), (0,)), IntVar("n", IntSort(5, 9), (7,)), BoolVar("n (2)", BOOL, (0,)))
    system = machine.system()
    run = Run.of(system, Trace(system.name, system.digest, "", next(iter(system.initial)), ()))
    first = json.loads(trace_in_itf(run, ABOUT))["states"][0]
    assert (first["n"], first["n (2)"], first["n (3)"]) == ({"#bigint": "0"}, False, {"#bigint": "7"})


def test_large_numbers_are_big_integers() -> None:
    """Beyond what JSON readers keep exactly."""
    m = Model("large")
    n = m.int("n", 0, 1 << 70)
    with m.thread("t") as p:
        p.do("grows", n.set((1 << 70) - 1))
    m.always("small", n < 5)
    (run, _), *_ = shown(m.compile())
    assert misread(trace_in_itf(run, ABOUT), run) == []
    assert '"1180591620717411303423"' in trace_in_itf(run, ABOUT)


def test_a_loop_begins_at_the_state_that_its_end_is_equal_to() -> None:
    """As the format has it: the last state closes the loop."""
    m = Model("round")
    x, y = m.bool("x"), m.bool("y")
    with m.thread("t") as p, p.loop():
        p.do("on", x.set())
        p.do("off", x.clear())
    m.eventually("never", y)
    m.progress()
    (run, _), *_ = shown(m.compile())
    data = json.loads(trace_in_itf(run, ABOUT))
    assert data["loop"] == run.trace.loop
    apart = {"#meta", ACTION, "mbt::nondetPicks"}
    states = [{name: value for name, value in state.items() if name not in apart} for state in data["states"]]
    assert states[data["loop"]] == states[-1]


def test_an_error_of_a_run_is_told() -> None:
    """The step that is not taken is no state."""
    m = Model("too much")
    n = m.int("n", 0, 1)
    with m.thread("t") as p, p.loop():
        p.do("more", n.inc())
    (run, _), *_ = shown(m.compile())
    assert "n would become 2" in json.loads(trace_in_itf(run, ABOUT))["#meta"]["error"]


DAMAGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a plain number": lambda data: data["states"][1].update({"quiesce_counter": "1"}),
    "another value": lambda data: data["states"][-1].update(window=False),
    "another action": lambda data: data["states"][3].update({ACTION: "sleeps"}),
    "a state less": lambda data: data["states"].pop(),
    "another type": lambda data: data["#meta"]["varTypes"].update(window="Int"),
    "a variable less": lambda data: data["vars"].pop(),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_written_wrong_is_noticed(name: str) -> None:
    """The controls of the comparison."""
    system = CodeBase.named("ab27c3b5e7").system()
    run = next(run for run, _ in shown(system) if run.trace.property == "S1")
    data = json.loads(trace_in_itf(run, ABOUT))
    DAMAGES[name](data)
    assert misread(json.dumps(data), run)


def test_the_suffix_chooses_the_format() -> None:
    """A file that ends in .itf.json is one; what its file says of a model of ones own is where it lies."""
    model = ModelFile.load("examples/lost_wakeup.py:lost_wakeup")
    run, outcome = next(shown(model.system()))
    text = TRACE_FORMATS["itf"].render(Exhibit(run, model, outcome))
    assert "lost_wakeup.py:lost_wakeup" in json.loads(text)["#meta"]["description"]


def test_every_command_line_name_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of ones own whose names are hostile, by the command; the suffix says the format."""
    monkeypatch.chdir(tmp_path)
    Path("hostile.py").write_text(HOSTILE, encoding="utf-8")
    model = ModelFile.load("hostile.py:build")
    for number, (run, _) in enumerate(shown(model.system())):
        file = Path(f"{number}.ITF.json")
        named = ("hostile.py:build", "--property", run.trace.property)
        assert command("trace", "export", *named, "-o", str(file)).exit_code == 0
        assert misread(file.read_text(encoding="utf-8"), run) == []
