"""A gate decides a project's models in processes of their own: whatever a program does to its process, the gate's code is that of its answers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.processes import COMMAND
from tests.support.projects import MODEL, project
from tests.support.samples import sampled

#: a model that is not as expected (`safe` is violated), and then one that is
CONFIG = """[[model]]
file = "ring.py"
function = "build"
parameters = { careful = false }
expect = { unasked = "never asked" }

[[model]]
file = "fine.py"
function = "build"
expect = { unasked = "never asked" }
"""

#: by what a program does when it is imported: the exit code, and what is said of the model
ENDS = {
    "nothing": ("", 10, "safe: expected holds, found violated"),
    "leaves when Python ends": ("import atexit, os; atexit.register(lambda: os._exit(0))", 10, "safe: expected holds"),
    "keeps Python from ending": ("import sys; sys.exit = lambda *_: None", 10, "safe: expected holds"),
    "becomes another program": ("import os; os.execv('/bin/true', ['true'])", 150, "ended with code 0 before"),
    "is killed": ("import os; os.kill(os.getpid(), 9)", 30, "ended by SIGKILL before"),
}


@pytest.mark.parametrize("what", sampled(ENDS, list(ENDS)[:2]))
def test_a_program_that_ends_its_process_is_no_success(what: str, tmp_path: Path) -> None:
    """It is red, by name, and the model after it is decided."""
    does, code, said = ENDS[what]
    project(tmp_path, CONFIG, f"{does}\n{MODEL}")
    (tmp_path / "fine.py").write_text(MODEL, encoding="utf-8")
    result = subprocess.run([*COMMAND, "gate"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, said in result.stdout) == (code, True), result
    assert "ring.py:build" in result.stdout and "fine.py" not in result.stdout


@pytest.mark.parametrize("what", list(ENDS)[:3])
def test_a_check_ends_as_it_says(what: str, tmp_path: Path) -> None:
    """Whatever a program has registered for the end of Python; what it has registered honestly still runs."""
    does, _, _ = ENDS[what]
    left = "import atexit, pathlib; atexit.register(lambda: pathlib.Path('left').touch())"
    project(tmp_path, CONFIG, f"{left}\n{does}\n{MODEL}")
    command = [*COMMAND, "check", "ring.py:build", "--set", "careful=off", "--no-trace"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 12, result
    assert (tmp_path / "left").exists() or what == "leaves when Python ends"


def test_a_program_changes_nothing_for_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one has done to modules that the other uses, too, is gone with its process."""
    monkeypatch.chdir(tmp_path)
    spoils = "import draincheck.lang\ndraincheck.lang.Model.always = lambda *_, **__: None\n"
    project(
        tmp_path,
        CONFIG.replace('file = "fine.py"', 'file = "fine.py"\nproperties = ["safe", "unasked"]'),
        spoils + MODEL,
    )
    (tmp_path / "fine.py").write_text(MODEL, encoding="utf-8")
    result = run("gate")
    assert "fine.py" not in result.stdout, result.output


#: a step that waits for as many conditions as there are, each written into the next one
NESTED = '''from draincheck.lang import Model


def build(conditions: int) -> Model:
    """Waits, and is done."""
    m = Model("nested")
    x, y, done = m.bool("x", True), m.bool("y"), m.bool("done")
    guard = x | y
    for _ in range(conditions):
        guard = ~(guard & x) | ~y
    with m.thread("p") as p:
        p.wait("wait", guard)
        p.do("end", done.set())
    m.always("never done", ~done)
    return m
'''


@pytest.mark.parametrize(("conditions", "with_its_steps"), [(2, True), (4000, False)])
def test_a_counterexample_too_deep_for_another_process_is_a_violation_all_the_same(
    conditions: int, with_its_steps: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red, with the command that shows the steps, where the report cannot have them itself."""
    monkeypatch.chdir(tmp_path)
    config = f'[[model]]\nfile = "nested.py"\nfunction = "build"\nparameters = {{ conditions = {conditions} }}\n'
    (tmp_path / "nested.py").write_text(NESTED, encoding="utf-8")
    (tmp_path / "drain-gate.toml").write_text(config, encoding="utf-8")
    result = run("gate", "--markdown", "report.md")
    assert result.exit_code == 10 and "never done: expected holds, found violated" in result.stdout, result.output
    report = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert f"check nested.py:build --set conditions={conditions}" in report and "never done" in report
    assert ("violated after step 2" in report) is with_its_steps
