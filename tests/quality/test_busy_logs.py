"""Logs whose disks are always busy are judged as the simulation that wrote them knows."""

from __future__ import annotations

import pytest

from draincheck.qemulog.lately import Past
from tests.support.busy_logs import Busy, busy_log
from tests.support.qemu_logs import read_lines
from tests.support.samples import sampled

#: vocabulary, disks, blocks, threads
KINDS = {
    "new": (True, 1, 500, False),
    "new, written again": (True, 1, 4, False),
    "new, two disks": (True, 2, 500, False),
    "new, two disks, written again": (True, 2, 4, False),
    "new, three disks, threads": (True, 3, 500, True),
    "old": (False, 1, 500, False),
    "old, two disks": (False, 2, 500, False),
    "old, two disks, written again": (False, 2, 4, False),
}


def is_right(log: Busy) -> bool:
    """Whether each switch has its verdict, and its lost blocks."""
    pivots = read_lines(log.lines).report.pivots
    lost = [sorted(one.sector // 8 for one in pivot.lost) for pivot in pivots]
    return [pivot.judgement.value for pivot in pivots] == log.verdicts and lost == log.lost


@pytest.mark.parametrize("kind", sampled(KINDS, list(KINDS)[::3]))
@pytest.mark.parametrize("part", sampled(range(10), 1, 4))
def test_busy_logs_are_judged_as_they_were_made(kind: str, part: int) -> None:
    """Whatever else is in flight, before the window, in it, and behind it; on the disk that is switched, and on others."""
    wrong = [seed for seed in range(20 * part, 20 * part + 20) if not is_right(busy_log(seed, *KINDS[kind]))]
    assert wrong == []


def test_a_monitor_that_knows_of_no_entry_before_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a request that has entered already is taken for one that may still enter."""
    monkeypatch.setattr(Past, "entered", lambda *_: {})
    monkeypatch.setattr("draincheck.qemulog.verdict.answers", lambda _: {})
    assert not all(is_right(busy_log(seed, *KINDS["new, written again"])) for seed in range(20))
