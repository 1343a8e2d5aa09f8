"""Ctrl-C and the end of the parent, with real processes: nothing is lost, nobody is left, no pipe stays open."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from pkgutil import resolve_name

import pytest

from check_invariants import __main__, interrupts
from draincheck import budget
from tests.support.cli import run
from tests.support.processes import COMMAND, LONG, at_a_prompt, catches, group, lives, seconds_worked, wait_for
from tests.support.samples import evenly, sampled

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

#: commands that work in several processes
IN_PROCESSES = {
    "prove": ("prove", "--matrix", "-j", "2", "-o", "{folder}"),
    "matrix": ("matrix", "--all", "-j", "2"),
    "sweep": ("sweep", "-j", "2"),
}


@pytest.mark.parametrize(
    "case", sampled([(name, ending) for name in IN_PROCESSES for ending in (signal.SIGKILL, signal.SIGTERM)], 1)
)
def test_workers_end_with_their_parent(case: tuple[str, signal.Signals], tmp_path: Path) -> None:
    """Whoever reads the output of a command that is killed sees its end, and no process of its group lives on."""
    name, ending = case
    command = [part.format(folder=tmp_path) for part in IN_PROCESSES[name]]
    process = at_a_prompt(*COMMAND, *command)
    assert wait_for(lambda: len(group(process.pid)) == 3)
    os.kill(process.pid, ending)
    process.communicate(timeout=LONG)
    assert process.returncode == (143 if ending is signal.SIGTERM else -ending)
    assert wait_for(lambda: not group(process.pid))


#: a process with a worker that sleeps; it writes who the worker is, and sleeps, too
PARENT = """
import time
from draincheck import worker
{without}
helper = worker.Worker(time.sleep)
helper.ask(3600)
print(helper.process, flush=True)
time.sleep(3600)
"""


def orphan(without: str) -> tuple[int, subprocess.Popen[bytes]]:
    """A worker whose parent was killed, and what is left of the parent."""
    parent = at_a_prompt(sys.executable, "-c", PARENT.format(without=without))
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    return worker, parent


@pytest.mark.parametrize(
    "without", ["", "worker._told_by_the_kernel = lambda: False"], ids=["told by the kernel", "looks by itself"]
)
def test_an_orphan_ends(without: str) -> None:
    """Where the kernel does not tell a worker that its parent has ended, it looks."""
    worker, parent = orphan(without)
    assert wait_for(lambda: not lives(worker))
    parent.communicate(timeout=LONG)


def test_an_orphan_that_nobody_tells_lives_on() -> None:
    """The control: it would, without holding the pipe."""
    worker, parent = orphan("worker._end_with = lambda parent: None")
    parent.communicate(timeout=LONG)
    assert lives(worker)
    os.kill(worker, signal.SIGKILL)


def test_a_worker_that_ends_by_itself_is_an_error_of_the_run() -> None:
    """Killed from outside, for instance because memory is short: a limit was reached, code 30, one message."""
    process = at_a_prompt(*COMMAND, "matrix", "--all", "-j", "2")
    assert wait_for(lambda: len(group(process.pid)) == 3)
    os.kill(max(group(process.pid)), signal.SIGKILL)
    _, said = process.communicate(timeout=LONG)
    assert (process.returncode, said.count(b"\n")) == (30, 1)
    assert b"SIGKILL" in said


#: what takes a while, with z3 or without; how much processor time it takes at least
LONG_WORK = {
    "parametric": (("parametric",), 4.0),
    "prove": (("prove", "--scenario", "mirror-2-jobs", "--revision", "9a0cec664e", "-o", "-"), 4.0),
    "bmc": (("check", "--engine", "bmc", "--scenario", "mirror-2-writes"), 6.0),
}


#: the signals that are heard, and what a run ends with then
ENDINGS = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    sampled(
        evenly([(name, moment, number) for name in LONG_WORK for moment in range(1, 20, 8) for number in ENDINGS], 3),
        [("parametric", 9, signal.SIGINT), ("prove", 9, signal.SIGTERM)],
        6,
    ),
)
def test_ctrl_c_and_sigterm_are_never_lost(case: tuple[str, int, signal.Signals]) -> None:
    """Whatever the command does when it comes: the signal's code, and no traceback."""
    name, moment, number = case
    command, least = LONG_WORK[name]
    process = at_a_prompt(*COMMAND, *command)
    assert wait_for(lambda: not lives(process.pid) or catches(process.pid, signal.SIGALRM))
    assert wait_for(lambda: seconds_worked(process.pid) >= least * moment / 20)
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=LONG)
    assert process.returncode == ENDINGS[number]
    assert b"Traceback" not in said
    assert b"nterrupted" in said


@pytest.mark.slow
@pytest.mark.parametrize("ending", [os.kill, os.killpg])
def test_what_was_decided_before_sigterm_is_shown(ending: Callable[[int, int], None]) -> None:
    """Rows of the matrix, and the code in the document, whether it reaches the command alone or its processes, too."""
    process = at_a_prompt(*COMMAND, "matrix", "--all", "-j", "2", "--json")
    assert wait_for(lambda: len(group(process.pid)) == 3)
    assert wait_for(lambda: sum(map(seconds_worked, group(process.pid))) > 3)
    ending(process.pid, signal.SIGTERM)
    output, said = process.communicate(timeout=LONG)
    document = json.loads(output)
    outcomes = [{item["verdict"] for item in row["properties"]} for row in document["rows"]]
    assert document["exit_code"] == process.returncode == 143
    assert outcomes[-1] == {"unknown"} and "unknown" not in outcomes[0]
    assert b"interrupted" in said and wait_for(lambda: not group(process.pid))


def test_sigterm_that_is_ignored_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has started the process does not want it heard; Ctrl-C is, all the same."""
    handled: dict[int, object] = {}
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_IGN}
    monkeypatch.setattr(signal, "getsignal", usual.__getitem__)
    monkeypatch.setattr(signal, "signal", handled.__setitem__)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    interrupts.hear_every_interrupt()
    assert signal.SIGINT in handled and signal.SIGTERM not in handled


#: a question that no solver answers in any time that a test could wait
HARD = """
import sys
from check_invariants.interrupts import hear_every_interrupt
from draincheck.solvers import Answer, incremental, open_solver
from tests.support.clocks import FACTORS, PRODUCT
hear_every_interrupt()
name = {name!r}
if name == "incremental":
    solver = incremental("QF_BV")
    solver.define(FACTORS + "(declare-const asked Bool)")
    solver.add("(assert (=> asked " + PRODUCT + "))")
else:
    solver = open_solver(name)
    solver.define(FACTORS + "(define-fun asked () Bool " + PRODUCT + ")")
print("asks", flush=True)
try:
    solver.check(["asked"], None) if name == "incremental" else solver.ask("asked")
except KeyboardInterrupt:
    easy = incremental("QF_BV")
    easy.define("(declare-const b Bool)")
    assert easy.check(["b"], None) is Answer.SAT
    sys.exit(130)
"""


@pytest.mark.parametrize("name", sampled(["z3", "incremental", "cvc5"], 1))
def test_a_solver_that_works_is_interrupted(name: str) -> None:
    """Whether Ctrl-C reaches its process alone or the group, and nobody works on; what is asked next is answered."""
    process = at_a_prompt(sys.executable, "-c", HARD.format(name=name))
    assert process.stdout is not None
    assert process.stdout.readline() == b"asks\n"
    before = sum(map(seconds_worked, group(process.pid)))
    assert wait_for(lambda: sum(map(seconds_worked, group(process.pid))) > before + 0.2)
    (os.kill if name == "z3" else os.killpg)(process.pid, signal.SIGINT)
    process.communicate(timeout=LONG)
    assert process.returncode == 130
    assert wait_for(lambda: not group(process.pid))


#: what an engine calls for a property, or again and again
CALLED = {
    "bmc": "draincheck.engines.smt.bmc.BoundedSearch.deepen",
    "induction": "draincheck.engines.smt.induction.prove",
    "auto": "draincheck.engines.portfolio.decide",
    "simulation": "draincheck.engines.simulation.simulate",
}


@pytest.mark.parametrize(
    "case",
    sampled(
        [(engine, calls) for engine in CALLED for calls in (0, 1)],
        [("bmc", 0), ("induction", 0), ("auto", 0), ("simulation", 0), ("auto", 1), ("simulation", 1)],
        3,
    ),
)
def test_what_was_decided_stays(case: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are unknown, code 130; before anything is decided, all are."""
    engine, calls = case
    place = CALLED[engine]
    original, made = resolve_name(place), count()
    last = 25 * calls if engine == "bmc" else calls  # S6 is violated at depth 22, S1 at 26

    def interrupted(*arguments: object, **named: object) -> object:
        if next(made) == last:
            raise KeyboardInterrupt
        return original(*arguments, **named)

    monkeypatch.setattr(place, interrupted)
    deep = ("--depth", "30") if engine == "induction" else ()
    result = run(
        "check", "--scenario", "mirror", "--engine", engine, "--property", "S1", "--property", "S6", *deep, "--json"
    )
    data = json.loads(result.stdout)
    assert data["exit_code"] == result.exit_code == 130, result.output
    assert "interrupted" in result.stderr
    outcomes = [item["verdict"] for item in data["properties"]]
    assert (len(outcomes), outcomes.count("unknown")) == (2, 2 - calls)


@pytest.mark.parametrize(
    ("moment", "code"),
    [("check_invariants.documents.whole", 12), ("check_invariants.work.document.document", 130), (None, 12)],
    ids=["as it is written", "all decided", "not at all"],
)
def test_a_document_ends_with_the_exit_code_of_its_command(
    moment: str | None, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever Ctrl-C comes: once the document says what the command ends with, that stays."""
    if moment is not None:
        original = resolve_name(moment)

        def interrupted(*arguments: object, **named: object) -> object:
            budget.interrupt()
            return original(*arguments, **named)

        monkeypatch.setattr(moment, interrupted)
    result = run("check", "--scenario", "mirror", "--property", "S1", "--json")
    assert json.loads(result.stdout)["exit_code"] == result.exit_code == code


#: Ctrl-C at a bad moment; then a long sleep, or a short one
BAD_MOMENT = """
import os, signal, sys, time, weakref
from check_invariants.interrupts import hear_every_interrupt
{heard}
press = lambda *_: os.kill(os.getpid(), signal.SIGINT)
class Thing:
    {deaf}
try:
    {act}
    time.sleep({seconds})
except KeyboardInterrupt:
    sys.exit(130)
"""
MOMENTS = {
    "in a __del__": ("def __del__(self): press()", "Thing()"),
    "in a callback": ("pass", "thing = Thing(); back = weakref.ref(thing, press); del thing"),
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("heard", "code"), [("hear_every_interrupt()", 130), ("", 0)], ids=["heard", "lost"])
def test_ctrl_c_where_python_swallows_exceptions(moment: str, heard: str, code: int) -> None:
    """It comes again; without that it would be lost."""
    deaf, act = MOMENTS[moment]
    script = BAD_MOMENT.format(heard=heard, deaf=deaf, act=act, seconds=LONG if heard else 0.1)
    process = at_a_prompt(sys.executable, "-c", script)
    process.communicate(timeout=LONG)
    assert process.returncode == code


@pytest.mark.parametrize("late", [0, 1, 3])
def test_what_comes_again_at_the_very_end_changes_nothing(late: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """An alarm that was set when an exception was lost may ring when the command has its code: that is its code all the same."""
    rings = iter([KeyboardInterrupt] * late)

    def ends() -> None:
        for ring in rings:
            raise ring

    monkeypatch.setattr(interrupts, "hear_every_interrupt", lambda: None)
    monkeypatch.setattr(interrupts, "hear_no_more", ends)
    monkeypatch.setattr("check_invariants.main.cli.main", lambda **_: 143)
    assert __main__._run() == 143
    assert next(rings, None) is None
