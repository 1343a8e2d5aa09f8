"""What tests cost: `--costs` lists the processor time of each file of tests, and the dearest tests, other processes that they start included.

How long a test takes depends on what else the machine does; what it costs depends on that less.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Mapping
from resource import RUSAGE_CHILDREN, getrusage
from time import process_time

import pytest

__all__ = ["pytest_addoption", "pytest_configure"]

#: so many of the dearest tests are listed
DEAREST = 40

#: under which name a report carries the seconds
NAME = "cpu"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Have the option."""
    text = "list the processor time of each file of tests, and of the dearest tests"
    parser.addoption("--costs", action="store_true", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Count where it is asked for."""
    if config.getoption("--costs"):
        config.pluginmanager.register(Costs())


def used() -> float:
    """The seconds of processor time of this process so far, and of those that it has waited for."""
    others = getrusage(RUSAGE_CHILDREN)
    return process_time() + others.ru_utime + others.ru_stime


class Costs:
    """Seconds by test: reports carry them from the workers to whoever lists them."""

    def __init__(self) -> None:
        self._before = 0.0
        self._tests: dict[str, float] = defaultdict(float)

    def pytest_collection_finish(self) -> None:
        """What it takes to find the tests is none's."""
        self._before = used()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """A part of a test has ended: what was used since the last one is its own."""
        report = yield
        now = used()
        report.user_properties.append((NAME, now - self._before))
        self._before = now
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add what a part has used."""
        found = (value for name, value in report.user_properties if name == NAME)
        self._tests[report.nodeid] += sum(seconds for seconds in found if isinstance(seconds, float))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The lists."""
        for what, costs in (("files", by_file(self._tests)), ("tests", self._tests)):
            terminalreporter.section(f"{what}: {sum(costs.values()):.0f} s of processor time")
            dearest = sorted(costs, key=costs.__getitem__, reverse=True)
            for name in dearest[:DEAREST] if what == "tests" else dearest:
                terminalreporter.write_line(f"{costs[name]:8.2f} {name}")


def by_file(tests: Mapping[str, float]) -> dict[str, float]:
    """The sums of the files."""
    found: dict[str, float] = defaultdict(float)
    for name, seconds in tests.items():
        found[name.partition("::")[0]] += seconds
    return found
