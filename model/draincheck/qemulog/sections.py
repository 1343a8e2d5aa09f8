"""A log and its sidecar beside each other: which drained sections are open in each window, at (w), at each (b) and at (c).

Both have to be of one clock. QEMU stamps its lines with the time of day; a sidecar is laid beside them only if a window of the log lies in
its recording, a thread of its is in the log, and nothing that has to be there is missing: since v2.12 a job that finds nothing dirty begins a
section at once. What a sidecar has lost may be a section's begin or end, so that nothing is said of any.

A verdict is what the log shows. A sidecar adds why (the disk was not drained when the request came), and takes away a clean one where it
contradicts it, or has lost events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from draincheck.errors import SidecarError
from draincheck.qemulog.pivot import DrainCoverage, DrainedSection, Judgement, LogReport, Moment, Pivot, WindowSections
from draincheck.qemulog.uprobes import ALL, Sidecar
from draincheck.words import counted

__all__ = ["beside"]

#: microseconds since 1970 that no clock of a machine counts since its start: ten years
EPOCH = 10 * 365 * 24 * 3600 * 1_000_000
#: microseconds by which a recording may begin behind a window that is in it
SLACK = 1000
#: what makes a recording that can be used
RECORD = (
    "perf record -k CLOCK_MONOTONIC, then TZ=UTC perf script --show-lost-events -F comm,tid,cpu,tod,event,trace; "
    "or ftrace with trace_clock tai, on a machine whose TAI offset is 0"
)


def beside(report: LogReport, sidecar: Sidecar) -> LogReport:
    """The report with what the sidecar adds to each switch. Raises SidecarError where the two do not belong together."""
    timed = [pivot for pivot in report.pivots if _span(pivot) is not None]
    if report.pivots:
        _check(timed, sidecar)
    return replace(report, pivots=tuple(_with(pivot, sidecar) for pivot in report.pivots))


def _span(pivot: Pivot) -> tuple[int, int] | None:
    """From (w) to (c), or to the last request that entered where the log ends before; None if the log has no times."""
    ends = [pivot.switched] if pivot.switched else [each.entered for each in pivot.intruders[-1:]]
    if pivot.opened is None or pivot.opened.time is None or not ends or ends[0].time is None:
        return None
    return pivot.opened.time, ends[0].time


# -- whether they belong together


def _check(timed: Sequence[Pivot], sidecar: Sidecar) -> None:
    spans = [span for pivot in timed if (span := _span(pivot))]
    if not spans:
        raise SidecarError(
            f"{sidecar.file}: no window of the log has times: QEMU writes them with -msg timestamp=on, and nothing can be laid beside others"
        )
    if sidecar.last < EPOCH < spans[0][0]:
        raise SidecarError(
            f"{sidecar.file}: its clock counts from the machine's start ({sidecar.first / 1e6:.6f}), the log's is the time of day. Record with {RECORD}"
        )
    if all(end < sidecar.first - SLACK or start > sidecar.last for start, end in spans):
        raise SidecarError(
            f"{sidecar.file}: it was recorded from {_clock(sidecar.first)} to {_clock(sidecar.last)}, and no window of the log is open then (the first at "
            f"{_clock(spans[0][0])}): another time, or another clock. `tod` of perf is local time: {RECORD}"
        )
    _check_threads(timed, sidecar)


def _check_threads(timed: Iterable[Pivot], sidecar: Sidecar) -> None:
    """Sections are begun by threads that log, too. Raises SidecarError where no thread is in both."""
    moments: list[Moment | None] = [moment for pivot in timed for moment in (pivot.opened, pivot.switched)]
    threads = {moment.thread for moment in moments if moment is not None and moment.thread is not None}
    if threads and not threads & sidecar.threads:
        raise SidecarError(
            f"{sidecar.file}: its threads ({_few(sidecar.threads)}) are not those of the log ({_few(threads)}): another QEMU's"
        )


def _few(threads: Iterable[int]) -> str:
    return ", ".join(str(thread) for thread in sorted(threads)[:4])


def _clock(time: int) -> str:
    try:
        return f"{datetime.fromtimestamp(time // 1_000_000, UTC):%Y-%m-%d %H:%M:%S}.{time % 1_000_000:06d}"
    except (OverflowError, OSError, ValueError):
        return f"{time / 1e6:.6f}"


# -- one window


def _with(pivot: Pivot, sidecar: Sidecar) -> Pivot:
    drained = _drained(pivot, sidecar)
    if drained.coverage is DrainCoverage.CANNOT_TELL and pivot.judgement in (Judgement.CLEAN, Judgement.HELD):
        why = f"by the log alone {pivot.judgement.value}; but {drained.why}"
        return replace(pivot, judgement=Judgement.CANNOT_TELL, why=why, drained=drained)
    return replace(pivot, drained=drained)


def _drained(pivot: Pivot, sidecar: Sidecar) -> WindowSections:
    span = _span(pivot)
    if span is None:
        return WindowSections(DrainCoverage.NOT_RECORDED, "the log does not say when the window was open")
    start, end = span
    if end < sidecar.first - SLACK or start > sidecar.last:
        return WindowSections(DrainCoverage.NOT_RECORDED, "the sidecar was recorded at another time")
    if sidecar.lost:
        return WindowSections(DrainCoverage.CANNOT_TELL, f"the sidecar has lost {counted(sidecar.lost, 'event')}")
    nodes = {*pivot.nodes, ALL}
    sections = [each for each in sidecar.sections if each.node in nodes and _overlaps(each, start, end)]
    return _judged(pivot, sidecar, tuple(sections), start, end)


def _overlaps(section: DrainedSection, start: int, end: int) -> bool:
    return section.opened <= end and (section.ended is None or section.ended >= start)


def _judged(
    pivot: Pivot, sidecar: Sidecar, sections: tuple[DrainedSection, ...], start: int, end: int
) -> WindowSections:
    if not sections:
        return _without(pivot, sidecar, start, end)
    first = min(section.opened for section in sections)
    gap = _gap(sections, max(start, first), end)
    if gap is not None:
        return _with_gap(pivot, sidecar, sections, gap, start)
    began = f"from {_behind(first, start)}" if first > start else "from before (w)"
    return WindowSections(DrainCoverage.THROUGHOUT, f"a section is open {began} until (c)", sections)


def _with_gap(
    pivot: Pivot, sidecar: Sidecar, sections: tuple[DrainedSection, ...], gap: int, start: int
) -> WindowSections:
    """All sections that were seen had ended; others may not have been seen."""
    if gap >= sidecar.last:
        return WindowSections(DrainCoverage.NOT_RECORDED, "the sidecar ends in the window", sections)
    if any(sidecar.unbegun.get(node, 0) >= gap for node in pivot.nodes):
        why = f"no section that was seen is open from {_behind(gap, start)} on, but one ends later whose begin was not seen"
        return WindowSections(DrainCoverage.NOT_RECORDED, why, sections)
    return WindowSections(DrainCoverage.IN_PART, f"no section is open from {_behind(gap, start)} on", sections)


def _without(pivot: Pivot, sidecar: Sidecar, start: int, end: int) -> WindowSections:
    """No section was open that was seen to begin."""
    if start < sidecar.first or end > sidecar.last:
        return WindowSections(DrainCoverage.NOT_RECORDED, "the sidecar begins or ends in the window")
    if pivot.switched is not None and pivot.switched.event == "blk_root_attach":
        why = "the sidecar has no section at (w), where every QEMU of this log's version begins one: another clock, or its probes saw not all"
        return WindowSections(DrainCoverage.CANNOT_TELL, why)
    if any(sidecar.unbegun.get(node, 0) >= start for node in pivot.nodes):
        return WindowSections(
            DrainCoverage.NOT_RECORDED, "a section ends in or behind the window whose begin was not seen"
        )
    return WindowSections(DrainCoverage.NEVER, "no section is open in the window")


def _gap(sections: Iterable[DrainedSection], start: int, end: int) -> int | None:
    """From when on, first, no section is open; None if there always is one."""
    reached = start
    for section in sorted(sections, key=lambda each: each.opened):
        if section.opened > reached:
            break
        reached = max(reached, end + 1 if section.ended is None else section.ended)
    return reached if reached < end else None


def _behind(time: int, start: int) -> str:
    return f"{time - start} µs behind (w)"
