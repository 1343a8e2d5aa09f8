"""What a log of QEMU shows, for people: the answer, and for every switch that was not clean what happened in its window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from draincheck.qemulog.log import NEEDED, ReadLog
from draincheck.qemulog.pivot import (
    DrainCoverage,
    DrainedSection,
    Fate,
    Intruder,
    Judgement,
    LoggedRequest,
    LogReport,
    Moment,
    Other,
    Pivot,
)
from draincheck.qemulog.reader import HOLE
from draincheck.words import counted, listed

__all__ = ["answer_line", "clock", "lost_line", "needed_lines", "pivot_lines", "reading_lines"]

#: of the requests of one switch so many are listed
SHOWN = 12
SECTOR = 512


def answer_line(file: str, log: ReadLog) -> str:
    """One sentence: what the log came to."""
    malformed = f"{_misprinted(log)}; as far as it can be read: " if log.tally.misprints else ""
    return f"{file}: {malformed}{_answer(log.report)}"


def _answer(report: LogReport) -> str:
    if not report.pivots:
        return "cannot tell: " + (
            "no disk is switched in it" if report.others else "it shows no mirror or commit job that switches a disk"
        )
    found = Counter(pivot.judgement for pivot in report.pivots)
    parts = listed([f"{number} {judgement.value}" for judgement in Judgement if (number := found[judgement])])
    switches = counted(len(report.pivots), "switch").replace("switchs", "switches")
    if found[Judgement.LOSS]:
        lost = sum(len(pivot.lost) for pivot in report.pivots)
        return f"DATA LOSS: {counted(lost, 'write')} of the guest's lost in {found[Judgement.LOSS]} of {switches} ({parts})"
    if found[Judgement.ASSERT]:
        ended = "the log ends" if report.assertion is None else "QEMU aborted"
        return f"{ended} inside a broken window ({switches}: {parts})"
    if found[Judgement.BROKEN]:
        return f"the drain rule was broken, and nothing that the guest was told is done was lost ({switches}: {parts})"
    if found[Judgement.ABORT]:
        ended = "the log ends where QEMU may have aborted" if report.assertion is None else "QEMU aborted"
        return f"{ended}, in no broken window ({switches}: {parts})"
    if found[Judgement.CANNOT_TELL]:
        return f"cannot tell ({switches}: {parts})"
    return f"nothing was lost in {switches} ({parts})"


def _misprinted(log: ReadLog) -> str:
    lines = counted(log.tally.misprints, "line")
    if all(each.event == HOLE for each in log.tally.shown):
        return f"malformed: {lines} with NUL bytes, where something was not written"
    return f"malformed: {lines} of known events do not say what they should"


def lost_line(pivot: Pivot) -> str:
    """Which sectors were lost."""
    return ", ".join(_where(each) for each in pivot.lost[:SHOWN]) + _more(len(pivot.lost))


def pivot_lines(pivot: Pivot) -> Iterator[str]:
    """What happened in the window of a switch, in order."""
    yield f"{pivot.disk}, switch {pivot.number}: {pivot.judgement.value}: {pivot.why}"
    if pivot.drained is not None:
        yield f"  sidecar: {pivot.drained.coverage.value}: {pivot.drained.why}"
    marked = [
        ("(w)", pivot.opened, f"job {pivot.job} finds nothing dirty: the window opens"),
        ("(a)", pivot.deferred, "it defers its exit"),
    ]
    marked += [("(b)", each.entered, _intrusion(each)) for each in pivot.intruders[:SHOWN]]
    marked += [("   ", each.moment, _waiting(each, pivot)) for each in pivot.held[:SHOWN]]
    marked += [("(c)", pivot.switched, f"the disk is switched from {pivot.old} to {pivot.new or 'its target'}")]
    there = [(mark, moment, text) for mark, moment, text in marked if moment is not None]
    for mark, moment, text in sorted(there, key=lambda one: one[1].line):
        yield f"  {mark} {clock(moment)}line {moment.line}: {text}{_open_sections(pivot, moment) if mark.strip() else ''}"
    if more := _more(max(len(pivot.intruders), len(pivot.held))):
        yield f"      {more.lstrip(', ')}"
    if pivot.lost:
        yield f"  lost: {lost_line(pivot)}"


def _open_sections(pivot: Pivot, moment: Moment) -> str:
    """Which drained sections of the disk are open, where a sidecar says that."""
    told = pivot.drained
    if told is None or moment.time is None or told.coverage in (DrainCoverage.NOT_RECORDED, DrainCoverage.CANNOT_TELL):
        return ""
    return (
        f"; drained sections: {', '.join(_section(each, moment.time) for each in told.open_at(moment.time)) or 'none'}"
    )


def _section(section: DrainedSection, time: int) -> str:
    """Of which node, and since when."""
    waiting = section.drained is not None and time < section.drained
    return f"node {section.node} (for {time - section.opened} µs{', requests in flight are waited for' if waiting else ''})"


def _intrusion(each: Intruder) -> str:
    where = "after the switch, " if each.after else ""
    told = {
        Fate.ACKED: f"the guest was told that it is done{_at(each.request.answered)}",
        Fate.FAILED: f"the guest was told that it failed{_at(each.request.answered)}",
    }
    node = f" on node {each.node}" if each.node else ""
    pointer = f" (request {each.request.pointer})" if each.request.pointer else ""
    return f"{where}a write of {_where(each.request)} enters{node}{pointer}; {told.get(each.request.fate, each.request.fate.value)}"


def _waiting(each: LoggedRequest, pivot: Pivot) -> str:
    return f"a write of {_where(each)} reaches the device and waits" + (
        "" if pivot.switched is None else ", then goes to the new node"
    )


def _at(moment: Moment | None) -> str:
    return f", line {moment.line}" if moment else ""


def _where(request: LoggedRequest) -> str:
    last = request.sector + request.sectors - 1
    return f"sectors {request.sector}-{last} (bytes {request.sector * SECTOR}-{(last + 1) * SECTOR - 1})"


def _more(number: int) -> str:
    return f", and {number - SHOWN} more" if number > SHOWN else ""


def clock(moment: Moment) -> str:
    """When, in UTC, with a blank behind; nothing in a log without times, or with one that no calendar has."""
    if moment.time is None:
        return ""
    try:
        when = datetime.fromtimestamp(moment.time // 1_000_000, UTC)
    except (OverflowError, OSError, ValueError):
        return ""
    thread = "" if moment.thread is None else f" thread {moment.thread}"
    return f"{when:%H:%M:%S}.{moment.time % 1_000_000:06d}{thread} "


def _ends(pivot: Pivot) -> Iterator[Moment]:
    """When a window opens and when the disk is switched, as far as that is known."""
    return (moment for moment in (pivot.opened, pivot.switched) if moment is not None)


def reading_lines(log: ReadLog) -> Iterator[str]:
    """What else stands in the log, and what of it was not read."""
    tally = log.tally
    times = "; times are UTC" if any(clock(moment) for pivot in log.report.pivots for moment in _ends(pivot)) else ""
    yield f"{counted(tally.lines, 'line')}, {counted(sum(tally.events.values()), 'event')}{times}"
    if tally.misprints:
        for each in tally.shown:
            what = "has NUL bytes" if each.event == HOLE else f"{each.event} does not say what it should"
            yield f"line {each.line}: {what}: {each.text!r}"
        yield "a torn or changed line; or another format: give --trace-events the trace-events-all of this QEMU"
    if tally.unknown:
        unknown = [f"{name} ({tally.events[name]})" for name in sorted(tally.unknown)]
        yield f"unknown events, not used: {', '.join(unknown[:SHOWN])}{_more(len(unknown))}"
    if tally.others:
        line, text = tally.sample[0]
        yield f"{counted(tally.others, 'line')} that {'is no event' if tally.others == 1 else 'are no events'}, such as line {line}: {text[:80]!r}"
    if tally.torn:
        yield "the last line is torn"
    if tally.backwards:
        yield "the clock of a thread went back: lines are taken in the order in which they stand"
    for other in log.report.others:
        yield _other(other)


def _other(other: Other) -> str:
    return f"job {other.job} of {other.disk} {other.how}" + (
        f" (line {other.moment.line}): no switch" if other.moment else ": no switch"
    )


def needed_lines(missing: Sequence[str]) -> Iterator[str]:
    """What to give `-trace` so that a log can be judged."""
    if missing:
        yield f"missing: {', '.join(missing)}"
    for version, events in NEEDED.items():
        yield (
            f"QEMU {version} needs `-msg timestamp=on -D trace.log "
            + " ".join(f"-trace {name}" for name in events)
            + "`"
        )
