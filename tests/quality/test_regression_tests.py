"""Traces as tests: pytest runs them in a process of its own; they go red when the model is mended, or green, and say at which step."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from check_invariants.trace_formats import TRACE_FORMATS, Exhibit
from draincheck import ModelFile, Run, check
from draincheck.model_file import builders
from drainspecs.mirror.code_base import CodeBase
from drainspecs.suite.matrix import default_rows
from tests.support.cli import run
from tests.support.house import ROOT
from tests.support.regressions import HOSTILE, failure_of, failures_in, write_tests
from tests.support.samples import evenly, sampled

ROWS = [(row.revision.name, row.scenario.name) for row in default_rows()]
QUICK = [("ab27c3b5e7", "mirror"), ("65c1b5b622", "dataplane")]
#: that lose writes, abort, hang
STUCK = [("ab27c3b5e7", "mirror"), ("3f09bfbc7b", "timer"), ("65c1b5b622", "dataplane")]

EXAMPLES = ("lost_wakeup", "event_loop", "deadlock")


@pytest.mark.parametrize("row", sampled(evenly(ROWS, 5), QUICK[1:], 12), ids="-".join)
def test_every_violation_is_a_test(row: tuple[str, str], tmp_path: Path) -> None:
    """While the code base is as it is, those pass that expect it, and those fail that do not; on the core, too."""
    for path in write_tests(CodeBase.named(*row), tmp_path, "qemu"):
        failure = failure_of(path)
        assert bool(failure) == path.stem.endswith("fixed"), (path.name, failure)
        assert not failure or " is still " in failure


@pytest.mark.slow
@pytest.mark.parametrize("row", sampled(STUCK[::-1], 2, 2), ids="-".join)
def test_pytest_says_so_too(row: tuple[str, str], tmp_path: Path) -> None:
    """In a process of its own, with nothing but the file."""
    written = list(write_tests(CodeBase.named(*row), tmp_path, "qemu"))
    found = failures_in(tmp_path)
    assert len(found) == len(written) > 2
    assert {name for name, failure in found.items() if failure} == {p.stem for p in written if p.stem.endswith("fixed")}


@pytest.mark.slow
def test_on_another_code_base_the_tests_turn(tmp_path: Path) -> None:
    """Where the loss is mended those that expect it name the first step that cannot be taken; those that expect it to be gone pass."""
    list(write_tests(CodeBase.named("ab27c3b5e7"), tmp_path, "qemu"))
    for path in tmp_path.glob("test_*.py"):
        path.write_text(path.read_text(encoding="utf-8").replace("'ab27c3b5e7'", "'9a0cec664e'"), encoding="utf-8")
    found = {
        name: failure for name, failure in failures_in(tmp_path).items() if _property(tmp_path, name) in ("S1", "S4")
    }
    assert len(found) == 4
    for name, failure in found.items():
        assert bool(failure) == name.endswith("violated")
        assert not failure or re.search(r"step \d+ cannot be taken: .*; after \d+ steps can be taken: ", failure)


@pytest.mark.parametrize(
    "wrong", [("'silent loss'", "'hang'"), ("64, 0", "65, 0"), ("'write[0.0]', ", "'write[0.1]', ")]
)
def test_what_comes_of_it_on_the_core_is_demanded(wrong: tuple[str, str], tmp_path: Path) -> None:
    """The control: another outcome, another sector, another write."""
    subject = CodeBase.named("ab27c3b5e7")
    verdict = check(subject, ["S4"])["S4"].verdict
    assert verdict.trace is not None
    text = TRACE_FORMATS["pytest"].render(Exhibit(Run.of(subject.system(), verdict.trace), subject, verdict.outcome))
    tests: list[dict[str, Any]] = [{}, {}]
    exec(text, tests[0])
    tests[0]["test_S4"]()
    assert text.count(wrong[0]) == 1
    exec(text.replace(*wrong), tests[1])
    with pytest.raises(AssertionError):
        tests[1]["test_S4"]()


def _property(folder: Path, name: str) -> str:
    return (folder / f"{name}.py").read_text(encoding="utf-8").partition("property='")[2].partition("'")[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_test_of_a_model_of_ones_own(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It finds the model from where it lies, and turns when the variant that is mended stands in place of the bug."""
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "examples" / f"{name}.py", tmp_path)
    monkeypatch.chdir(tmp_path)
    bug, *_, mended = (builder.build({}) for builder in builders(f"{name}.py") if "three" not in builder.title and "two" not in builder.title)  # fmt: skip
    list(write_tests(bug, tmp_path / "tests", name))
    monkeypatch.chdir("/")
    before = failures_in(tmp_path / "tests")
    assert {test.endswith("fixed") for test, failure in before.items() if failure} == {True}
    assert {test.endswith("violated") for test, failure in before.items() if not failure} == {True}
    if name == "deadlock":
        return  # its last variant leaves another violation open; the others are mended whole
    _rebuild(tmp_path / "tests", bug, mended)
    after = failures_in(tmp_path / "tests")
    assert {test.endswith("violated") for test, failure in after.items() if failure} == {True}
    assert {test.endswith("fixed") for test, failure in after.items() if not failure} == {True}


def _rebuild(folder: Path, bug: ModelFile, mended: ModelFile) -> None:
    """Have the tests build the model that is mended."""
    for path in folder.glob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        assert text.count(f"'{bug.function}', {dict(bug.parameters)}") == 1
        path.write_text(text.replace(f"{dict(bug.parameters)}", f"{dict(mended.parameters)}"), encoding="utf-8")


MODEL = """from draincheck.lang import Model
def build():
    m = Model("counter")
    n, told = m.int("n", 0, 3), m.bool("told")
    with m.thread("t") as p:
        p.do("one", n.inc())
        p.do("two", n.inc())
    m.always("small", n < 2)
    return m
"""

PARTED = "step 2 cannot be taken: t: two; after 1 step can be taken: "

#: what somebody makes of the model -> whether the test that expects it to be fixed passes then, and what the other one says
CHANGES = {
    "a step more": ('p.do("two"', 'p.do("told", told.set()); p.do("two"', False, f"{PARTED}t: told"),
    "another name": ('p.do("two"', 'p.do("second"', False, f"{PARTED}t: second"),
    "another name, mended": ('p.do("two", n.inc())', 'p.do("second", n.set(0))', True, f"{PARTED}t: second"),
    "never": ('p.do("two", n.inc())', 'p.do("two", n.inc(), when=told)', True, f"{PARTED}nothing"),
    "otherwise": (
        'p.do("two", n.inc())',
        'p.do("two", n.dec())',
        True,
        "all 2 steps can be taken, and 'small' is not violated by them",
    ),
    "no property": ('m.always("small", n < 2)', 'm.always("tiny", n < 2)', False, "has no property 'small'"),
}


@pytest.mark.slow
def test_what_somebody_makes_of_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step more or another name mends nothing; where the names are gone all runs are searched; a property that is gone is no success."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL, encoding="utf-8")
    for number, (old, new, _, _) in enumerate(CHANGES.values()):
        (tmp_path / f"mended_{number}.py").write_text(MODEL.replace(old, new), encoding="utf-8")
        for expect in ("violated", "fixed"):
            path = tmp_path / f"test_{number}_{expect}.py"
            made = run("trace", "export", "model.py:build", "--property", "small", "--expect", expect, "-o", path.name)
            assert made.exit_code == 0, made.output
            path.write_text(path.read_text().replace("'model.py'", f"'mended_{number}.py'"), encoding="utf-8")
    found = failures_in(tmp_path)
    for number, (name, (_, _, fixed, words)) in enumerate(CHANGES.items()):
        assert (found[f"test_{number}_fixed"] == "") == fixed, name
        assert words in found[f"test_{number}_violated"], name


@pytest.mark.slow
def test_hostile_names_are_a_test_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever things are called, the file is Python, and does what it says."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hostile'\\ .py").write_text(HOSTILE, encoding="utf-8")
    written = list(write_tests(ModelFile.load("hostile'\\ .py:build"), tmp_path, "hostile"))
    assert len(written) == 4
    assert all(bool(failure) == name.endswith("fixed") for name, failure in failures_in(tmp_path).items())


def test_only_a_test_expects_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2 for others, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    selected = ("trace", "export", "--revision", "ab27c3b5e7", "--property", "S1", "--expect", "fixed")
    assert run(*selected, "-o", "S1.json").exit_code == 2
    assert not list(tmp_path.iterdir())
