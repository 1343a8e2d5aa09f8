"""Logs of real QEMUs against what their guests read back, and the same logs changed so that the verdict has to change with them."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict, deque
from io import BytesIO

import pytest

from draincheck.qemulog.log import ReadLog, read_log
from draincheck.qemulog.source import blocks
from tests.support.qemu_logs import LOGS, lines_of, oracle, read_lines
from tests.support.samples import sampled

#: log -> how many switches came to what; the driver of the guest knows of losses and aborts, the traces' README of what was held
EXPECTED = {
    "72-commit-2disks": {"clean": 2},
    "72-commit-mmiokick-held": {"clean": 7, "held": 3},
    "72-mirror-1disk": {"clean": 1},
    "72-mirror-iothread": {"clean": 2},
    "72-mirror-mmiokick-abort": {"clean": 3, "other abort": 1},
    "72-qsd-nbd-mirror": {"clean": 1},
    "72-uprobe": {"clean": 2},
    "old-assert-commit-i": {"clean": 3, "assert": 1},
    "old-bandage-ioeventfd-i": {"clean": 24, "loss": 6},
    "old-realfix-mmiokick": {"clean": 35, "loss": 5},
    "old-silent-mirror": {"clean": 37, "loss": 3},
}
QUICK = ("72-commit-mmiokick-held", "72-mirror-mmiokick-abort")
ALL = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in EXPECTED]


def verdicts(log: ReadLog) -> list[str]:
    return [pivot.judgement.value for pivot in log.report.pivots]


def blocks_lost(log: ReadLog) -> list[tuple[int, list[int]]]:
    """Rounds that lost something, with the blocks of 4 KiB."""
    lost = [(i, sorted({each.sector // 8 for each in pivot.lost})) for i, pivot in enumerate(log.report.pivots)]
    return [each for each in lost if each[1]]


def test_every_log_is_expected() -> None:
    """No log is left out."""
    assert {path.name.removesuffix(".log.xz") for path in LOGS.glob("*.log.xz")} == EXPECTED.keys()


@pytest.mark.parametrize("name", ALL)
def test_a_log_has_the_losses_that_its_guest_read_back(name: str) -> None:
    """Exactly the rounds of the oracle, its number of blocks, and those it lists among them; everything in the log is understood."""
    log = read_lines(lines_of(name), 1 << 20)
    assert Counter(verdicts(log)) == EXPECTED[name]
    assert not log.tally.misprints
    assert log.tally.unknown <= {"nbd_co_send_simple_reply", "nbd_receive_request", "nbd_trip"}
    if name == "72-qsd-nbd-mirror":
        return
    told = [(each["round"], each["count"]) for each in oracle(name)["lost_in_round"]]
    found = blocks_lost(log)
    assert [(number, len(lost)) for number, lost in found] == told
    for (_, lost), each in zip(found, oracle(name)["lost_in_round"], strict=True):
        assert {one["block"] for one in each["blocks"]} <= {*lost}


# -- changed logs

Lines = list[bytes]


def at(lines: Lines, text: bytes, start: int = 0) -> int:
    return next(i for i in range(start, len(lines)) if text in lines[i])


def stamped_like(line: bytes, other: bytes) -> bytes:
    """A line with the thread and time of another."""
    return other.split(b":", 1)[0] + b":" + line.split(b":", 1)[1]


def test_a_write_moved_into_the_window_is_lost() -> None:
    """A clean log with one request entering on the old node behind (w) loses that request's block."""
    lines = list(lines_of("72-mirror-1disk"))
    opened = at(lines, b"mirror_before_drain")
    detach = at(lines, b"blk_root_detach", at(lines, b"blk_root_detach", at(lines, b"job_completed")) + 1)
    reached = at(lines, b"virtio_blk_handle_write", detach)
    sector = int(re.findall(rb"sector (\d+)", lines[reached])[0])
    entered = at(lines, f"offset {sector * 512} bytes 4096 flags 0x8".encode(), reached)
    old = re.findall(rb"bs (0x\w+)", lines[detach])[0]
    entry = re.sub(rb"bs 0x\w+", b"bs " + old, lines[entered])
    moved = [stamped_like(lines[reached], lines[opened]), stamped_like(entry, lines[opened])]
    changed = (
        lines[: opened + 1] + moved + lines[opened + 1 : reached] + lines[reached + 1 : entered] + lines[entered + 1 :]
    )
    assert blocks_lost(read_lines(changed)) == [(0, [sector // 8])]


def test_an_old_write_moved_into_the_window_is_lost() -> None:
    """The same where a log has no backends."""
    lines = list(lines_of("old-assert-commit-i"))
    opened = at(lines, b"mirror_before_sleep", at(lines, b"mirror_before_drain"))
    reached = at(lines, b"virtio_blk_handle_write", at(lines, b"block_job_cb"))
    sector = int(re.findall(rb"sector (\d+)", lines[reached])[0])
    moved = stamped_like(lines[reached], lines[opened])
    changed = [*lines[: opened + 1], moved, *lines[opened + 1 : reached], *lines[reached + 1 :]]
    log = read_lines(changed)
    assert verdicts(log)[0] == "loss"
    assert blocks_lost(log) == [(0, [sector // 8])]


@pytest.mark.parametrize("event", ["mirror_before_drain", "blk_root_attach"])
def test_a_dropped_line_of_the_switch_cannot_be_told(event: str) -> None:
    """Where one line that the verdict needs is gone, the switch is not called clean."""
    lines = list(lines_of("72-mirror-mmiokick-abort"))
    over = at(lines, b"job_completed")
    back = event == "mirror_before_drain"
    gone = max(i for i in range(over) if event.encode() in lines[i]) if back else at(lines, event.encode(), over)
    assert verdicts(read_lines(lines[:gone] + lines[gone + 1 :]))[0] == "cannot tell"


@pytest.mark.slow
def test_a_dropped_entry_is_not_taken_for_held() -> None:
    """A request that was answered and of which the log lacks where it entered: nobody can tell."""
    lines = list(lines_of("72-commit-mmiokick-held"))
    inside = next(pivot for pivot in read_lines(lines).report.pivots if pivot.held)
    assert inside.switched is not None
    gone = at(lines, b"blk_co_pwritev", inside.switched.line - 1)
    changed = read_lines(lines[:gone] + lines[gone + 1 :]).report.pivots[inside.number - 1]
    assert changed.judgement.value == "cannot tell"


@pytest.mark.parametrize("name", sampled(["old-assert-commit-i", "72-mirror-1disk"], 1))
def test_a_log_that_is_read_twice_has_every_switch_twice(name: str) -> None:
    """All pointers are used again: what they pointed to is gone."""
    lines = list(lines_of(name))
    cut = (
        len(lines)
        if name.startswith("72")
        else at(lines, b"block_job_cb", at(lines, b"block_job_cb", at(lines, b"block_job_cb") + 1) + 1) + 1
    )
    once = read_lines(lines[:cut])
    assert verdicts(read_lines(lines[:cut] + lines[:cut])) == verdicts(once) * 2


@pytest.mark.parametrize("seed", sampled(range(3), 1))
def test_lines_of_several_threads_may_stand_in_any_order(seed: int) -> None:
    """Each thread's lines in order, those of others before or behind: times say what was first."""
    lines = list(lines_of("72-mirror-iothread"))
    plain, mixed = read_lines(lines), read_lines(reordered(lines, random.Random(seed), 200))
    assert verdicts(mixed) == verdicts(plain)
    assert [pivot.switched and pivot.switched.time for pivot in mixed.report.pivots] == [
        pivot.switched and pivot.switched.time for pivot in plain.report.pivots
    ]


def reordered(lines: Lines, chance: random.Random, reach: int) -> Lines:
    """The lines of a few hundred at a time, each thread's in order."""
    found: Lines = []
    for start in range(0, len(lines), reach):
        queues: dict[bytes, deque[bytes]] = defaultdict(deque)
        for line in lines[start : start + reach]:
            queues[line.split(b"@")[0]].append(line)
        while queues:
            thread = chance.choice(sorted(queues))
            found.append(queues[thread].popleft())
            if not queues[thread]:
                del queues[thread]
    return found


@pytest.mark.slow
def test_a_torn_last_line_changes_nothing() -> None:
    """Wherever the last line ends, the verdicts are those of the lines before it, or of all."""
    lines = list(lines_of("72-mirror-mmiokick-abort"))[-1200:]
    whole, without = verdicts(read_lines(lines)), verdicts(read_lines(lines[:-1]))
    for cut in range(len(lines[-1])):
        log = read_log(blocks(BytesIO(b"\n".join([*lines[:-1], lines[-1][:cut]]))))
        assert verdicts(log) in (whole, without)
        assert not log.tally.misprints


@pytest.mark.slow
def test_all_jobs_may_have_one_address() -> None:
    """A job's address is used again by the next one."""
    lines = list(lines_of("72-commit-mmiokick-held"))
    jobs = {job for line in lines if b"mirror_start" in line for job in re.findall(rb" s (0x\w+)", line)}
    assert len(jobs) > 1
    pattern = re.compile(b"|".join(jobs))
    assert verdicts(read_lines(pattern.sub(min(jobs), line) for line in lines)) == verdicts(read_lines(lines))


def test_a_write_of_another_disk_is_no_intruder() -> None:
    """In a log of two disks a write that moves into the other one's window changes nothing; into its own it is lost."""
    lines = list(lines_of("72-commit-2disks"))
    log = read_lines(lines)
    first, second = log.report.pivots
    assert first.disk != second.disk
    assert first.switched and second.opened and second.switched and second.old
    blks = [
        re.findall(rb"blk (0x\w+)", lines[pivot.switched.line - 1])[0] for pivot in (first, second) if pivot.switched
    ]
    for blk, lost in ((blks[0], []), (blks[1], [1])):
        entry = f"blk_co_pwritev blk {blk.decode()} bs {second.old} offset 4096 bytes 4096 flags 0x0"
        opened = lines[second.opened.line - 1]
        moved = opened.split(b":", 1)[0] + b":" + entry.encode()
        changed = read_lines([*lines[: second.opened.line], moved, *lines[second.opened.line :]])
        assert [each for _, each in blocks_lost(changed)] == ([lost] if lost else [])
