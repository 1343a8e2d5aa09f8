"""Which tests are measured where branches are counted: those of units, and of hard things that are found.

What the others take these take, too (all others together add a quarter of a percent), and being measured makes a test three times as slow, or more.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from tests.support.house import ROOT

__all__ = ["pytest_collection_modifyitems", "pytest_configure", "pytest_runtest_call"]

#: folders of tests that count; the others run as ever
MEASURED = ("cover", "quality")
#: files in them that are dear and take no branch, or next to none, that no other takes (all together a tenth of a percent)
DEAR = (
    "cover/test_avoidability.py",
    "cover/test_bench.py",
    "cover/test_big_terms.py",
    "cover/test_certificate_binding.py",
    "cover/test_certificate_refuted.py",
    "cover/test_cli_gate_commands.py",
    "cover/test_cli_gate_refused.py",
    "cover/test_cli_matrix.py",
    "cover/test_cli_output.py",
    "cover/test_core_memory.py",
    "cover/test_foreign_names.py",
    "cover/test_gate_apart.py",
    "cover/test_hostile_models.py",
    "cover/test_interrupts.py",
    "cover/test_shared_terms.py",
    "cover/test_words.py",
    "quality/test_certificates.py",
    "quality/test_explorer_story.py",
    "quality/test_liveness_qemu.py",
    "quality/test_real_backtraces.py",
    "quality/test_real_logs.py",
    "quality/test_simulation_qemu.py",
    "quality/test_widths.py",
)

#: with this in their environment processes that a test starts are measured
STARTED = "COVERAGE_PROCESS_CONFIG"


def pytest_configure() -> None:
    """Have no process that begins to be measured look up where: with pytest's stack and a thousand modules that takes a second for each fork."""
    if collector := sys.modules.get("coverage.collector"):
        vars(collector)["short_stack"] = str  # it is for messages about coverage itself


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that do not count."""
    tests = ROOT / "tests"
    measured, dear = {tests / name for name in MEASURED}, {tests / name for name in DEAR}
    counts = {path: path not in dear and not measured.isdisjoint(path.parents) for path in {i.path for i in items}}
    for item in items:
        if not counts[item.path]:
            item.add_marker("no_cover")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Of a test that is not measured nothing is: no process that it starts, or forks, either."""
    if item.get_closest_marker("no_cover"):
        with _no_process_measured():
            return (yield)
    return (yield)


@contextmanager
def _no_process_measured() -> Generator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(STARTED, raising=False)
        if "coverage" in sys.modules:
            patch.setattr("coverage.Coverage.current", lambda: None)  # whom a process asks that was forked
        yield
