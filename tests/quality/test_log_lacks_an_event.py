"""Real and made logs without one event that `log` needs: the verdict is the true one, or cannot tell; never the reverse."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from draincheck.qemulog.events import EVENTS
from draincheck.qemulog.log import NEEDED, ReadLog, read_log
from draincheck.qemulog.pivot import Judgement, Pivot
from tests.support.qemu_logs import lines_of, read_lines

MADE = Path(__file__).parents[1] / "data" / "made-logs"
BAD = {Judgement.LOSS, Judgement.ASSERT, Judgement.BROKEN}
GOOD = {Judgement.CLEAN, Judgement.HELD}
#: logs that take no second for all events
MADE_LOGS = (
    "00-old-clean",
    "00-old-loss",
    "03-old-ide-mirrored-virtio-writes",
    "00-new-clean",
    "00-new-loss",
    "61-overlap-none",
)
REAL_LOGS = ("72-mirror-1disk", "72-mirror-mmiokick-abort", "old-assert-commit-i")
EVENTS_NEEDED = sorted({event for events in NEEDED.values() for event in events})


def without(lines: Sequence[bytes], event: str) -> list[bytes]:
    """The lines with others in place of those of an event, so that all keep their numbers."""
    its = re.compile(rb"(^|:)" + event.encode() + rb" ")
    return [b"x\n" if its.search(line) else line for line in lines]


def made_lines(name: str) -> list[bytes]:
    return (MADE / f"{name}.log").read_bytes().splitlines(keepends=True)


def at_count(log: ReadLog) -> dict[tuple[int, str], Pivot]:
    """Switches by their last counts and backends' disks."""
    return {(each.opened.line, each.disk): each for each in log.report.pivots if each.opened}


def contradictions(lines: Sequence[bytes], event: str) -> list[tuple[Judgement, Judgement]]:
    """Verdicts of switches with the event, and without it, that say the reverse."""
    whole, less = at_count(read_lines(lines)), at_count(read_lines(without(lines, event)))
    pairs = [(whole[key].judgement, less[key].judgement) for key in whole.keys() & less.keys()]
    return [(was, now) for was, now in pairs if (was in BAD and now in GOOD) or (was not in BAD and now in BAD)]


@pytest.mark.parametrize("event", EVENTS_NEEDED)
def test_no_made_log_says_the_reverse_without_an_event(event: str) -> None:
    """No loss is clean, and nothing clean is a loss. A short log without any end of a job looks like one of a QEMU that died: that one is left out."""
    names = [name for name in MADE_LOGS if (name, event) != ("00-old-clean", "block_job_cb")]
    assert [each for name in names for each in contradictions(made_lines(name), event)] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL_LOGS)
@pytest.mark.parametrize("event", EVENTS_NEEDED)
def test_no_real_log_says_the_reverse_without_an_event(name: str, event: str) -> None:
    """The same of logs of real QEMUs, cut to what a second reads."""
    assert contradictions(list(lines_of(name))[:40_000], event) == []


def test_a_log_without_the_end_of_jobs_names_it() -> None:
    """Since v2.12 no switch is decided without job_state_transition; with it, it is."""
    lines = made_lines("00-new-loss")
    found = read_lines(without(lines, "job_state_transition")).report.pivots
    assert {each.judgement for each in found} == {Judgement.CANNOT_TELL}
    assert all("job_state_transition" in each.missing for each in found)
    assert [each.judgement for each in read_lines(lines).report.pivots] == [Judgement.LOSS]


def test_a_loss_is_one_although_the_start_of_its_job_was_not_seen() -> None:
    """Until v2.7 the job's end names the same node; without both nobody knows whose disk it was."""
    lines = made_lines("03-old-ide-mirrored-virtio-quiet")
    begun = without(lines, "mirror_start")
    assert [each.judgement for each in read_lines(begun).report.pivots] == [Judgement.LOSS]
    assert BAD.isdisjoint(each.judgement for each in read_lines(without(begun, "block_job_cb")).report.pivots)


@pytest.mark.parametrize(
    "name", ["01b-old-clean-then-complete-cancel-loss", "00-new-loss", "52-snapshot-then-commit-loss"]
)
def test_switches_are_called_the_same_while_the_log_is_written(name: str) -> None:
    """Disk and number of each switch that is told at once are those of the end."""
    told: list[Pivot] = []
    log = read_log([b"".join(made_lines(name))], EVENTS, told.append)
    at_end = {(each.job, each.opened, each.disk, each.number) for each in log.report.pivots}
    assert told
    assert {(each.job, each.opened, each.disk, each.number) for each in told} <= at_end
