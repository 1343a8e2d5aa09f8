"""Uprobe sidecars: what perf and ftrace print, laid beside logs."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from time import process_time

import pytest

from draincheck.errors import LogError, SidecarError
from draincheck.qemulog.log import read_log
from draincheck.qemulog.pivot import DrainCoverage, LogReport, Pivot
from draincheck.qemulog.sections import beside
from draincheck.qemulog.source import blocks, opened
from draincheck.qemulog.uprobes import Sidecar, read_sidecar
from tests.support.qemu_logs import LOGS, Guest, made, read_lines

SIDECARS = Path(__file__).parents[1] / "data" / "sidecars"
BEGIN, END = "bdrv_drained_begin", "bdrv_drained_end"
#: the source of a made log
SOURCE = "0x55d0a0000000"


def sidecar(text: str | bytes) -> Sidecar:
    return read_sidecar(blocks(io.BytesIO(text.encode() if isinstance(text, str) else text)), "sidecar")


def perf(time: int, function: str, node: str = SOURCE, thread: int = 7) -> str:
    return f" qemu-system-x86 {thread} [001] {time // 1_000_000}.{time % 1_000_000:06d}: probe_qemu:{function}: (5637c6d50d00) bs={node}\n"


def round_of(*window: str, new: bool = True) -> tuple[LogReport, int, int]:
    """A made log with one switch, and the times of (w) and (c)."""
    report = read_lines(made(Guest(new=new), [window]).lines).report
    (pivot,) = report.pivots
    assert pivot.opened and pivot.switched and pivot.opened.time and pivot.switched.time
    return report, pivot.opened.time, pivot.switched.time


def laid(report: LogReport, lines: Iterable[str]) -> Pivot:
    return beside(report, sidecar("".join(lines))).pivots[0]


def covered(found: Pivot) -> DrainCoverage:
    assert found.drained is not None
    return found.drained.coverage


# -- real ones


@pytest.mark.parametrize(
    ("log", "recorded", "begun", "ended"),
    [
        (LOGS / "72-uprobe.log.xz", LOGS / "72-uprobe.uprobes.txt.gz", [13, 13], [4747, 4541]),
        (SIDECARS / "mirror.log.xz", SIDECARS / "mirror.perf.txt.gz", [19, 12], [750, 756]),
    ],
    ids=["ftrace", "perf"],
)
def test_a_real_sidecar_shows_the_jobs_section(log: Path, recorded: Path, begun: list[int], ended: list[int]) -> None:
    """QEMU 7.2 begins a section on the source just behind (w) and ends it behind (c): microseconds behind (w), read off the file by eye."""
    with opened(str(log)) as source:
        report = read_log(blocks(source)).report
    with opened(str(recorded)) as source:
        pivots = beside(report, read_sidecar(blocks(source), "sidecar")).pivots
    assert [covered(pivot) for pivot in pivots] == [DrainCoverage.THROUGHOUT] * 2
    firsts = [pivot.drained.sections[0] for pivot in pivots if pivot.drained]
    starts = [pivot.opened.time or 0 for pivot in pivots if pivot.opened]
    assert [section.opened - start for section, start in zip(firsts, starts, strict=True)] == begun
    assert [(section.ended or 0) - start for section, start in zip(firsts, starts, strict=True)] == ended


FORMS = {
    "perf": " qemu-system-x86 7 [001] 1795402033.000010: probe_qemu:{}: (5637c6d50d00) bs=0xab",
    "perf of a process": "CPU 0/KVM 9/7 [001] 1795402033.000010123: probe_qemu:{}: (5637c6d50d00) bs=0xab x=3",
    "perf in decimal": " qemu-system-x86 7 [001] 1795402033.000010: probe_qemu:{}: (5637c6d50d00) bs=000171",
    "perf by the day": "qemu-lr 7 [000] 2026-11-23 02:47:13.000010 probe_qemu:{}: (55fb37e37d00) bs=0xab",
    "perf with both": "qemu-lr 7/7 [000] 2026-11-23 02:47:13.000010897 82514.419531791:   probe_qemu:{}: (55fb37e37d00) bs=0xAB",
    "ftrace": " qemu-system-x86-7     [001] DBZff 1795402033.000010: {}: (0x5637c6d50d00) a=0xab b=0x3",
    "ftrace with a group": "qemu-7   (   5) [000] ..... 1795402033.000010: {}: (0x5637c6d50d00) a=171",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_perf_and_ftrace_say_the_same(form: str) -> None:
    """Thread, time, function and node, in all their forms."""
    read = sidecar(f"{form.format(BEGIN)}\n{form.format(END)}\n")
    (section,) = read.sections
    assert (section.node, section.thread, section.opened, section.ended) == (
        "0xab", 7, 1_795_402_033_000_010, 1_795_402_033_000_010
    )  # fmt: skip


def test_a_section_is_open_when_its_begin_has_returned() -> None:
    """Until then the requests in flight are waited for; what is begun inside returns first."""
    (section,) = sidecar(
        perf(10, BEGIN) + perf(11, BEGIN) + perf(12, f"{BEGIN}__return") + perf(15, f"{BEGIN}_ret") + perf(20, END) + perf(30, END)
    ).sections  # fmt: skip
    assert (section.opened, section.drained, section.ended) == (10, 15, 30)


def test_lines_may_stand_in_any_order() -> None:
    """Several processors' buffers are not always merged by time."""
    assert sidecar(perf(20, END) + perf(10, BEGIN)).sections == sidecar(perf(10, BEGIN) + perf(20, END)).sections


# -- what is no sidecar


@pytest.mark.parametrize("heading", ["# tracer: nop", "", "[ perf record: Woken up 1 times to write data ]", "cpus=2"])
def test_headings_are_none_of_its_events(heading: str) -> None:
    """They say nothing."""
    assert sidecar(f"{heading}\n{perf(10, BEGIN)}").sections


@pytest.mark.parametrize(
    "line",
    ["garbage", perf(10, BEGIN)[:40], f"qemu 7 [000] 2026-13-45 02:47:13.000010 probe_qemu:{BEGIN}: (55) bs=0x1", f"qemu 7 [0] 1.000001: {BEGIN}: (55)"],
    ids=["garbage", "torn", "no day", "no node"],
)  # fmt: skip
def test_a_line_that_is_none_is_an_error_with_its_number(line: str) -> None:
    """Nothing goes by in silence: it may be a section's end."""
    with pytest.raises(LogError, match="sidecar:2: "):
        sidecar(f"{perf(10, BEGIN)}{line}\n")


def test_a_sidecar_without_sections_is_refused() -> None:
    """Other probes say nothing of drained sections."""
    with pytest.raises(LogError, match="bdrv_drained_begin"):
        sidecar(perf(10, "blk_drain"))


def test_no_line_takes_long() -> None:
    """Whatever stands in it."""
    start = process_time()
    for line in ("q " * 200_000, "q 7 [0] " + "1" * 100_000, perf(10, BEGIN)[:-1] + " x=0x1" * 50_000, "[" * 100_000):
        with suppress(LogError):
            sidecar(f"{perf(10, BEGIN)}{line}\n")
    assert process_time() - start < 5


# -- what it adds


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("            perf 23011 [001] 82534.028145: PERF_RECORD_LOST lost 90\n", 90),
        ("            perf 23011 [001] 2026-11-26 21:40:58.255962 PERF_RECORD_LOST lost 90\n", 90),
        ("CPU:1 [LOST 12 EVENTS]\n", 12),
        ("CPU:0 [7 EVENTS DROPPED]\n", 7),
        ("# entries-in-buffer/entries-written: 111/145   #P:2\n", 34),
        ("Processed 1706889 events and lost 5 chunks!\n", 5),
    ],
)
@pytest.mark.parametrize("window", [[], ["held"]], ids=["clean", "held"])
def test_a_sidecar_that_has_lost_events_makes_no_clean_switch(line: str, number: int, window: list[str]) -> None:
    """What was lost may be a section's end; without the line the switch is as clean as its log says."""
    report, start, end = round_of(*window)
    whole = [perf(start + 1, BEGIN), perf(end + 1, END)]
    assert sidecar("".join([*whole, line])).lost == number
    assert laid(report, whole).judgement is report.pivots[0].judgement
    found = laid(report, [*whole, line])
    assert (found.judgement.value, covered(found)) == ("cannot tell", DrainCoverage.CANNOT_TELL)


def test_a_loss_is_one_whatever_was_lost_beside_it() -> None:
    """What a log shows no sidecar takes away."""
    report, start, _ = round_of("acked")
    found = laid(report, [perf(start + 1, BEGIN), "CPU:1 [LOST 12 EVENTS]\n"])
    assert found.judgement.value == "loss"
    assert found.lost == report.pivots[0].lost


@pytest.mark.parametrize(
    ("begin", "end", "coverage"),
    [(1, 1, DrainCoverage.THROUGHOUT), (-5, 1, DrainCoverage.THROUGHOUT), (1, -2, DrainCoverage.IN_PART)],
)
def test_a_section_covers_the_window_or_a_part_of_it(begin: int, end: int, coverage: DrainCoverage) -> None:
    """Counted from (w) and from (c)."""
    report, start, stop = round_of("acked")
    lines = [perf(start + begin, BEGIN), perf(stop + end, END), perf(stop + 50, BEGIN)]
    assert covered(laid(report, lines)) is coverage


def test_an_end_whose_begin_was_not_seen_makes_a_gap_doubtful() -> None:
    """QEMU begins some sections by functions without a name: the seen end may be another's."""
    report, start, stop = round_of()
    lines = [perf(start + 1, BEGIN), perf(stop - 2, END)]
    assert covered(laid(report, [*lines, perf(stop + 50, BEGIN, "0x1")])) is DrainCoverage.IN_PART
    assert covered(laid(report, [*lines, perf(stop + 50, END)])) is DrainCoverage.NOT_RECORDED


def test_each_intruder_is_told_which_sections_are_open() -> None:
    """One enters before the section ends, one behind it; those of other disks are none."""
    report, start, stop = round_of("acked", "acked")
    first, second = (each.entered.time or 0 for each in report.pivots[0].intruders)
    lines = [perf(start + 1, BEGIN), perf(start + 1, BEGIN, "0x77"), perf(first + 1, END), perf(stop + 9, END, "0x77")]
    drained = laid(report, lines).drained
    assert drained is not None
    assert [[section.node for section in drained.open_at(time)] for time in (first, second)] == [[SOURCE], []]


def test_a_section_of_all_nodes_is_one_of_the_disks() -> None:
    """`bdrv_drain_all_begin` has no node."""
    report, start, stop = round_of()
    lines = [perf(start + 1, "bdrv_drain_all_begin"), perf(stop + 1, "bdrv_drain_all_end")]
    assert covered(laid(report, [re.sub(" bs=.*", "", line) for line in lines])) is DrainCoverage.THROUGHOUT


@pytest.mark.parametrize(("new", "coverage"), [(False, DrainCoverage.NEVER), (True, DrainCoverage.CANNOT_TELL)])
def test_a_window_without_a_section(new: bool, coverage: DrainCoverage) -> None:
    """QEMU had none once; since v2.12 it always has: then the clocks are different, or a probe was not at work."""
    report, start, stop = round_of(new=new)
    lines = [perf(start - 9, BEGIN, "0x1"), perf(stop + 9, END, "0x1")]
    assert covered(laid(report, lines)) is coverage


def test_a_window_outside_of_the_recording_stays_as_it_was() -> None:
    """The sidecar says nothing of it."""
    report = read_lines(made(Guest(new=True), [[], []]).lines).report
    second = report.pivots[1]
    assert second.opened and second.opened.time and second.switched and second.switched.time
    lines = [
        perf(second.opened.time + 1, BEGIN, "0x55d0a0000001"),
        perf(second.switched.time + 1, END, "0x55d0a0000001"),
    ]
    pivots = beside(report, sidecar("".join(lines))).pivots
    assert [pivot.judgement.value for pivot in pivots] == ["clean", "clean"]
    assert [covered(pivot) for pivot in pivots] == [DrainCoverage.NOT_RECORDED, DrainCoverage.THROUGHOUT]


@pytest.mark.parametrize(
    ("shift", "thread", "said"),
    [
        (-1_700_000_000_000_000, 7, "machine's start"),
        (37_000_000, 7, "another clock"),
        (-3_600_000_000, 7, "local time"),
        (0, 8, "another QEMU"),
    ],
    ids=["uptime", "TAI", "local time", "threads"],
)
def test_what_does_not_belong_to_the_log_is_refused(shift: int, thread: int, said: str) -> None:
    """Another clock, another time, another process; the same recording without the change is laid beside it."""
    report, start, stop = round_of()
    fits = [perf(start + 1, BEGIN), perf(stop + 1, END)]
    assert covered(laid(report, fits)) is DrainCoverage.THROUGHOUT
    with pytest.raises(SidecarError, match=said):
        laid(report, [perf(start + 1 + shift, BEGIN, thread=thread), perf(stop + 1 + shift, END, thread=thread)])


def test_a_log_without_times_takes_no_sidecar() -> None:
    """Nothing can be laid beside it."""
    report = read_lines(made(Guest(new=True, stamped=False), [[]]).lines).report
    with pytest.raises(SidecarError, match="timestamp=on"):
        beside(report, sidecar(perf(10, BEGIN)))
