"""Tests that were written by `trace export --format pytest`, run by pytest as a user would run them: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from check_invariants.trace_formats import TRACE_FORMATS, Exhibit
from draincheck import Run, Subject, check

__all__ = ["HOSTILE", "failure_of", "failures_in", "write_tests"]

#: a model whose names end strings, lines and documents, or mean something to a terminal
HOSTILE = """from draincheck.lang import Model
E = "\\"\\"\\" \\\\ \\x1b[31m \\u202e \\ud800 {x} %s ' \\n end\\\\"
def build():
    m = Model(E)
    x, y = m.bool("x" + E), m.enum("y", E, "b" + E)
    with m.thread(E) as p, p.call(E):
        p.do(E, x.set(), mark=E)
        p.do(E * 2, y.set("b" + E))
    m.any_initial(y)
    m.always(E, ~(x & y.is_("b" + E)))
    m.always(E * 2, ~x)
    return m
"""


def write_tests(subject: Subject, folder: Path, name: str) -> Iterator[Path]:
    """For each property that has a trace two tests, one that expects it and one that expects it to be gone."""
    system = subject.system()
    for number, finding in enumerate(check(system).findings):
        if finding.verdict.trace is not None:
            run = Run.of(system, finding.verdict.trace)
            for fixed in (False, True):
                path = folder / f"test_{name}_{number}_{'fixed' if fixed else 'violated'}.py"
                given = Exhibit(run, subject, finding.outcome, path=str(path), fixed=fixed)
                path.write_text(TRACE_FORMATS["pytest"].render(given), encoding="utf-8")
                yield path


def failure_of(path: Path) -> str:
    """Why a test fails, "" if it passes: done in this process, which takes less time than pytest's own."""
    names: dict[str, Any] = {"__file__": str(path)}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    (test,) = [value for name, value in names.items() if name.startswith("test_")]
    try:
        test()
    except AssertionError as error:
        return str(error)
    return ""


def failures_in(folder: Path) -> dict[str, str]:
    """By the name of each test's file why it failed, "" for one that passed. Nothing else may go wrong."""
    report = folder / "report.xml"
    path = os.pathsep.join(item for item in sys.path if item)
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
    done = subprocess.run(
        [*command, "--rootdir", str(folder), f"--junitxml={report}", str(folder)],
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    cases = ElementTree.parse(report).getroot().iter("testcase")
    found = {str(case.get("classname")).rpartition(".")[2]: _failure(case) for case in cases}
    assert len(found) == len(list(folder.glob("test_*.py"))), done.stdout
    return found


def _failure(case: ElementTree.Element) -> str:
    assert case.find("error") is None and case.find("skipped") is None, case
    failure = case.find("failure")
    return "" if failure is None else str(failure.get("message"))
