"""What tests cost, as `--costs` lists it."""

from __future__ import annotations

import pytest

from tests.support import costs
from tests.support.house import ROOT

#: one test uses the processor, another process does so for the next one, and the last one sleeps
TESTS = """
import subprocess, sys, time
BUSY = "import time\\nwhile time.process_time() < {}: pass"
def test_works(): exec(BUSY.format(time.process_time() + 0.1))
def test_has_work_done(): subprocess.run([sys.executable, "-S", "-c", BUSY.format(0.1)], check=True)
def test_sleeps(): time.sleep(0.1)
"""


@pytest.mark.slow
def test_processor_time_is_listed(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the test itself and of processes that it starts, whichever worker runs it; sleep costs nothing."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(test_some=TESTS)
    result = pytester.runpytest_subprocess("-p", "tests.support.costs", "--costs", "-n", "1")
    result.assert_outcomes(passed=3)
    listed = (line.split() for line in result.outlines if " test_some.py" in line)
    found = {name: float(seconds) for seconds, name in listed}
    works, has_done, sleeps = (found[f"test_some.py::test_{name}"] for name in ("works", "has_work_done", "sleeps"))
    assert 0.09 < works < 3 and 0.09 < has_done < 3 and sleeps < 0.09
    assert found["test_some.py"] == pytest.approx(works + has_done + sleeps, abs=0.05)


def test_nothing_is_listed_unasked(pytester: pytest.Pytester) -> None:
    """The control: without the option there are no lists."""
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", plugins=[costs])
    result.assert_outcomes(passed=1)
    assert "processor time" not in result.stdout.str()
