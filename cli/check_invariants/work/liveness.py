"""`check-invariants liveness`: what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from msgspec.structs import replace

from check_invariants.exit import EmptySelection, ExitCode, of_comparison, of_verdict
from check_invariants.output import sign
from draincheck.errors import ModelError
from draincheck.properties import Breach
from draincheck.reason import AtFault
from draincheck.subject import Expectation
from draincheck.system import TransitionSystem
from draincheck.verdict import Outcome, Verdict
from drainspecs.suite.matrix import Row

__all__ = ["LivenessLine", "codes_of", "lines_of", "notify_lines"]


class _Cell(NamedTuple):
    """The verdict on one demand, what is expected of it, and the system it was decided on."""

    name: str
    verdict: Verdict
    expectation: Expectation | None
    system: Callable[[], TransitionSystem]

    @property
    def outcome(self) -> str:
        """The verdict in a word."""
        return self.verdict.outcome.value

    @property
    def expected(self) -> str | None:
        """The expected verdict in a word."""
        return None if self.expectation is None else self.expectation.outcome.value

    @property
    def argument(self) -> str:
        """Why it is expected."""
        return "" if self.expectation is None else self.expectation.argument

    @property
    def as_expected(self) -> bool:
        """Nothing else was expected."""
        return self.expectation is None or self.expectation.outcome is self.verdict.outcome

    @property
    def sign(self) -> str:
        """The verdict in a sign."""
        return sign(self.outcome, self.as_expected)


class LivenessLine(NamedTuple):
    """A row: its name, the table it stands in, what else is said of it, its cells, and what is wrong with its model ("": nothing)."""

    name: str
    block: str
    about: tuple[str, str]
    cells: Sequence[_Cell]
    fault: str = ""

    @property
    def scenario(self) -> str:
        """The name of the table it stands in."""
        return self.block.partition(":")[0]


def lines_of(revisions: Sequence[Any], scenarios: Sequence[Any]) -> tuple[Iterator[LivenessLine], int]:
    """The code bases, and how many there are."""
    from drainspecs.suite.matrix import default_rows

    rows = default_rows(list(revisions), list(scenarios))
    if not rows:
        raise EmptySelection("none of these code bases can run these scenarios")
    return map(_line, rows), len(rows)


def _line(row: Row) -> LivenessLine:
    from drainspecs.mirror.liveness_expectations import expected_liveness

    found, fault = _verdicts(row)
    cells = [
        _Cell(name, verdict, expected_liveness(row.revision.name, row.scenario, name), partial(_system_of, row, name))
        for name, verdict in found.items()
    ]
    block = f"{row.scenario.name}: {row.scenario.meaning}"
    return LivenessLine(row.revision.name, block, (row.revision.date, row.revision.subject), cells, fault)


def _verdicts(row: Row) -> tuple[dict[str, Verdict], str]:
    """A row's verdicts; if its model is at fault they are all unknown, and the fault is said."""
    from drainspecs.mirror.liveness import LIVENESS, verdicts

    try:
        return verdicts(row.revision, row.scenario), ""
    except ModelError as error:
        fault = AtFault(str(error))
        return {item.name: Verdict(item.name, Outcome.UNKNOWN, fault) for item in LIVENESS}, fault.error


def _system_of(row: Row, name: str) -> TransitionSystem:
    """The system on which a demand is decided, under the row's name."""
    from drainspecs.mirror.liveness import systems

    system = systems(row.revision, row.scenario)[name]
    return replace(system, name=f"{row.revision.name} / {row.scenario.name}")


def notify_lines() -> tuple[Iterator[LivenessLine], int]:
    """The event notification protocol."""
    from drainspecs.notify import ROWS, check, system_of

    def lines() -> Iterator[LivenessLine]:
        for row in ROWS:
            cell = _Cell("served", check(row).worst, row.expectation, partial(system_of, row))
            yield LivenessLine(row.name, "QEMU's event notification protocol", ("", row.meaning), [cell])

    return lines(), len(ROWS)


def codes_of(line: LivenessLine) -> list[ExitCode]:
    """The exit codes that a row makes."""
    if line.fault:
        return [of_comparison(False)]
    return [of_verdict(cell.verdict.outcome, Breach.LIVENESS, cell.expectation) for cell in line.cells]
