"""The drain rule along logs that are made, so that what has to come out is known before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from draincheck.qemulog import entries, matching, monitor
from draincheck.qemulog.job import LoggedJob
from draincheck.qemulog.log import ReadLog
from tests.support.qemu_logs import Guest, made, read_lines

OLD = st.lists(st.sampled_from(["acked", "failed", "late", "merged", "copy"]), max_size=5)
NEW = st.lists(
    st.sampled_from(["acked", "failed", "late", "held", "merged", "zeros", "twin", "other", "copy"]), max_size=5
)


def verdicts(log: ReadLog) -> list[str]:
    return [pivot.judgement.value for pivot in log.report.pivots]


def lost(log: ReadLog) -> list[list[int]]:
    return [sorted(each.sector // 8 for each in pivot.lost) for pivot in log.report.pivots]


@settings(max_examples=60, deadline=None)
@given(st.lists(OLD, min_size=1, max_size=4), st.booleans(), st.sampled_from([64, 1 << 16]))
def test_logs_without_backends_are_judged_as_they_were_made(rounds: list[list[str]], stamped: bool, size: int) -> None:
    """Where a log has no backends a write enters when the device has it; every switch gets the verdict and the blocks of its making."""
    log = made(Guest(new=False, stamped=stamped), rounds)
    read = read_lines(log.lines, size)
    assert verdicts(read) == log.verdicts
    assert lost(read) == [sorted(each) for each in log.lost]


@settings(max_examples=60, deadline=None)
@given(st.lists(NEW, min_size=1, max_size=4), st.booleans(), st.sampled_from([64, 1 << 16]))
def test_logs_with_backends_are_judged_as_they_were_made(rounds: list[list[str]], stamped: bool, size: int) -> None:
    """Where a log has backends a write enters with `blk_co_pwritev`: what waited and went to the new node is held, the other disk's are nothing."""
    log = made(Guest(new=True, stamped=stamped, disks=2), rounds)
    read = read_lines(log.lines, size)
    assert verdicts(read) == log.verdicts
    assert lost(read) == [sorted(each) for each in log.lost]


@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize(
    "event", ["mirror_before_drain", "virtio_blk_handle_write", "blk_co_pwritev", "blk_root_attach", "block_job_cb"]
)
def test_what_a_log_lacks_is_no_pass(new: bool, event: str) -> None:
    """A log without an event that the verdict needs is never clean, held or lossy: it cannot tell."""
    needed = {
        False: {"mirror_before_drain", "virtio_blk_handle_write", "block_job_cb"},
        True: {"mirror_before_drain", "blk_co_pwritev", "blk_root_attach"},
    }
    if event not in needed[new]:
        pytest.skip("not of this vocabulary")
    log = made(Guest(new=new), [["acked"], []])
    read = read_lines(line for line in log.lines if event.encode() not in line)
    assert set(verdicts(read)) <= {"cannot tell", "assert"}
    assert "cannot tell" in verdicts(read) or not read.report.pivots


def test_an_intrusion_without_known_copies_cannot_be_told() -> None:
    """Without `mirror_one_iteration` nobody knows whether a count was the last one."""
    log = made(Guest(new=True), [["acked"]])
    read = read_lines(line for line in log.lines if b"mirror_one_iteration" not in line)
    assert verdicts(read) == ["cannot tell"]


@pytest.mark.parametrize("new", [False, True])
def test_a_log_that_ends_in_a_broken_window_is_an_assert(new: bool) -> None:
    """A write has entered and the log ends before the switch."""
    log = made(Guest(new=new), [["acked"]])
    end = next(i for i, line in enumerate(log.lines) if b"job_completed" in line or b"block_job_cb" in line)
    assert verdicts(read_lines(log.lines[:end])) == ["assert"]


@pytest.mark.parametrize("new", [False, True])
def test_a_log_that_ends_in_a_quiet_window_cannot_tell(new: bool) -> None:
    """Nothing has entered so far."""
    log = made(Guest(new=new), [[]])
    end = next(i for i, line in enumerate(log.lines) if b"job_completed" in line or b"block_job_cb" in line)
    assert verdicts(read_lines(log.lines[:end])) == ["cannot tell"]


@pytest.mark.parametrize("new", [False, True])
def test_a_cancelled_job_is_no_switch(new: bool) -> None:
    """A job that was cancelled after READY ends without a switch: nothing is said of its window."""
    log = made(Guest(new=new), [["acked"]])
    lines = [line.replace(b"qmp_block_job_complete", b"qmp_block_job_cancel") for line in log.lines]
    lines = [line for line in lines if not (b"blk_root" in line and b"55d0b100" in line.split(b"child")[1][:14])]
    read = read_lines(lines)
    assert not read.report.pivots
    assert [other.how for other in read.report.others] == ["cancelled"]


def test_a_request_in_the_very_microsecond_of_another_threads_switch_cannot_be_told() -> None:
    """Equal times of several threads have no order."""
    guest = Guest(new=True)
    log = made(guest, [["acked"]])
    lines = [line.decode() for line in log.lines]
    at = next(i for i, line in enumerate(lines) if "mirror_before_drain" in line)
    stamp = lines[at].split(":")[0].split("@")[1]
    entry = next(i for i in range(at, len(lines)) if "blk_co_pwritev" in lines[i])
    for i in range(at + 1, entry + 1):
        lines[i] = f"8@{stamp}:{lines[i].split(':', 1)[1]}"
    assert verdicts(read_lines(line.encode() for line in lines)) == ["cannot tell"]


def test_a_window_that_never_ends_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job whose end is not in the log, while QEMU goes on (another one, perhaps): no assertion is made of it, and memory has an end."""
    monkeypatch.setattr("draincheck.qemulog.monitor.KEPT", 200)
    guest = Guest(new=True)
    log = made(guest, [["acked"]])
    end = next(i for i, line in enumerate(log.lines) if b"job_completed" in line)
    for block in range(400):
        guest.write(0, "0x55d0a1000000", block)
    later = [line.encode() for line in guest.lines[len(log.lines) :]]
    assert verdicts(read_lines([*log.lines[:end], *later])) == ["cannot tell"]


def test_an_empty_log_has_no_verdict() -> None:
    """No switch is no pass."""
    assert not read_lines([]).report.pivots


def test_what_a_window_costs_grows_with_its_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice as many that enter in it are compared twice as often, and all of them are not gone through for each."""
    asked: Counter[str] = Counter()

    def counted(module: ModuleType, name: str) -> None:
        does = getattr(module, name)

        def counts(*arguments: object) -> object:
            asked[name] += 1
            return does(*arguments)

        monkeypatch.setattr(module, name, counts)

    counted(matching, "covers")
    counted(entries, "_requests")
    costs = list[Counter[str]]()
    for number in (50, 100):
        asked.clear()
        assert verdicts(read_lines(made(Guest(new=True), [["acked"] * number]).lines)) == ["loss"]
        costs.append(Counter(asked))
    assert costs[0]["covers"] > 0 and costs[1]["covers"] <= 3 * costs[0]["covers"], costs
    assert costs[0]["_requests"] == costs[1]["_requests"] > 0, costs


def test_what_jobs_that_are_left_cost_grows_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a log ends with many jobs, all of them are gone through once, and not for each."""
    looked_at = list[int]()

    def counted(jobs: Collection[LoggedJob]) -> frozenset[str]:
        looked_at.append(len(jobs))
        return frozenset()

    monkeypatch.setattr(monitor, "written_by", counted)
    lines = [
        line
        for number in range(50)
        for line in (
            b"blk_root_attach child 0x%x1 blk 0x%x2 bs 0x%x3" % (number, number, number),
            b"mirror_start bs 0x%x3 s 0x%x4 opaque 0x0" % (number, number),
            b"mirror_before_drain s 0x%x4 dirty count 0" % number,
        )
    ]
    assert verdicts(read_lines(lines)) == ["cannot tell"] * 50
    assert looked_at == [50]


def test_a_write_at_work_is_seen_from_far() -> None:
    """However much another disk does before the last count; and what that has at work matters to no switch of this one."""
    log = made(Guest(new=True, disks=2, pool=4096), [["late", *["other"] * 700, "copy"], [*["other"] * 700, "copy"]])
    assert verdicts(read_lines(log.lines)) == log.verdicts == ["cannot tell", "clean"]


@pytest.mark.slow
def test_a_guest_that_goes_on_for_long_behind_a_switch_is_no_abort() -> None:
    """QEMU closes the old image before the job is over, and that may take its time."""
    log = made(Guest(new=True), [[]])
    end = next(i for i, line in enumerate(log.lines) if b"-->concluded" in line)
    after = log.lines[end + 1 :]
    assert verdicts(read_lines([*log.lines[:end], *after * 2_000, log.lines[end]])) == ["clean"]
