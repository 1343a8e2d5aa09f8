"""Logs as the page tells them: a row for each switch of a disk, a subject for each that is drawn, what was left out in numbers.

A page is small whatever the log: of the switches that were well the first few are listed and drawn, of the others as many as anybody looks at.
What is left out is counted on the page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from shlex import quote
from typing import Final

from msgspec import Struct

from draincheck.explorer.document import (
    EvidenceOfSubject,
    PageCell,
    PageMatrix,
    PageNote,
    PageReplay,
    PageRow,
    PageSubject,
    PageVerdict,
)
from draincheck.explorer.log_system import MARKED, MEANINGS, NOTHING_LOST, RULE, log_system
from draincheck.explorer.making import Gathered
from draincheck.explorer.packing import fingerprint
from draincheck.explorer.runs import Tone
from draincheck.explorer.walkable import PageProperty, PageSystem
from draincheck.qemulog.excerpt import Excerpts
from draincheck.qemulog.happening import happenings
from draincheck.qemulog.log import ReadLog, worst_of
from draincheck.qemulog.pivot import DrainedSection, Judgement, LoggedRequest, Moment, Pivot
from draincheck.report.log_text import SECTOR, clock, needed_lines, pivot_lines, reading_lines
from draincheck.words import counted

__all__ = ["JUDGEMENTS", "HeldCell", "SeenLog", "drawn_in", "log_matrix", "log_subjects"]

#: of switches that came to the same: so many are drawn in lanes, so many have a row
DRAWN: Final = {True: 12, False: 40}
LISTED: Final = {True: 100, False: 500}
#: lost writes of one switch that stand in its table
ROWS: Final = 200
#: drained sections that a sidecar shows in one switch
SECTIONS: Final = 24

#: what a switch can come to
JUDGEMENTS: Final = {
    "loss": "what the guest was told is done is on the old disk alone",
    "assert": "the log ends inside a broken window",
    "broken": "a write entered the old disk in the window, and nothing is known to be lost",
    "other abort": "QEMU aborted, or the log ends where it may have, in no broken window",
    "cannot tell": "events are missing in the log",
    "held": "writes came in the window, waited, and went to the new disk",
    "clean": "no write came in the window",
}
_TONES: Final = {Judgement.CANNOT_TELL: Tone.UNKNOWN, Judgement.HELD: Tone.GOOD, Judgement.CLEAN: Tone.GOOD}


class HeldCell(Struct, frozen=True):
    """What came of a switch and a code base.

    Attributes:
        name: of the code base.
        text: in a few words.
        tone: how that is meant.
        note: the same in full.
    """

    name: str
    text: str
    tone: Tone
    note: PageNote


class SeenLog(Struct, frozen=True):
    """A log with what the page shows of it.

    Attributes:
        file: its name.
        log: what it shows; None if it cannot be read.
        problem: why not.
        answer: what it came to, in a sentence.
        excerpts: its lines.
        held: for each switch, by its place in the report, what came of it and of code bases.
    """

    file: str
    log: ReadLog | None
    problem: str
    answer: str
    excerpts: Excerpts
    held: Mapping[int, tuple[HeldCell, ...]] = {}

    @property
    def pivots(self) -> tuple[Pivot, ...]:
        """All switches."""
        return () if self.log is None else self.log.report.pivots


#: a switch by its log and its place there
Place = tuple[int, int]


def drawn_in(logs: Sequence[SeenLog]) -> list[Place]:
    """The switches that are drawn: of those that came to the same the first ones, the worst first."""
    found = _first(logs, DRAWN)
    order = list(Judgement)
    return sorted(found, key=lambda place: order.index(logs[place[0]].pivots[place[1]].judgement))


def _first(logs: Sequence[SeenLog], most: Mapping[bool, int]) -> list[Place]:
    """The first switches of each judgement, in order; how many depends on whether it is a good one."""
    seen, found = Counter[Judgement](), list[Place]()
    for number, log in enumerate(logs):
        for place, pivot in enumerate(log.pivots):
            seen[pivot.judgement] += 1
            if seen[pivot.judgement] <= most[_tone(pivot) is Tone.GOOD]:
                found.append((number, place))
    return found


def _tone(pivot: Pivot) -> Tone:
    return _TONES.get(pivot.judgement, Tone.BAD)


# -- the table -------------------------------------------------------------------------------------


def log_matrix(logs: Sequence[SeenLog]) -> PageMatrix:
    """A row for each switch that is listed, in the order of the logs, and what was left out, and what else stands in the logs."""
    numbers = {place: number for number, place in enumerate(drawn_in(logs))}
    listed = sorted({*_first(logs, LISTED), *numbers})
    held = dict.fromkeys(cell.name for log in logs for cells in log.held.values() for cell in cells)
    columns = [("verdict", MEANINGS[RULE]), *((name, f"is it a run of {name}?") for name in held)]
    rows = tuple(_row(logs, place, numbers.get(place), list(held)) for place in listed)
    return PageMatrix(tuple(columns), rows, tuple(_legend(logs, listed)))


def _row(logs: Sequence[SeenLog], place: Place, subject: int | None, held: Sequence[str]) -> PageRow:
    log = logs[place[0]]
    pivot = log.pivots[place[1]]
    lost = f": {counted(len(pivot.lost), 'write')}" if pivot.lost else ""
    drawn = () if subject is None else (WINDOW,)
    verdict = PageCell(f"{pivot.judgement.value}{lost}", _tone(pivot), drawn, (), True, subject)
    cells = {each.name: each for each in log.held.get(place[1], ())}
    return PageRow(
        _title(logs, place),
        _when(pivot),
        (verdict, *(_held(cells[name], subject) if name in cells else None for name in held)),
    )


def _held(cell: HeldCell, subject: int | None) -> PageCell:
    return PageCell(cell.text, cell.tone, (), (), True, subject if cell.note.subject is None else cell.note.subject)


def _title(logs: Sequence[SeenLog], place: Place) -> str:
    log, pivot = logs[place[0]], logs[place[0]].pivots[place[1]]
    name = f"{pivot.disk}, switch {pivot.number}"
    return name if len(logs) == 1 else f"{log.file}: {name}"


def _when(pivot: Pivot) -> str:
    """From where to where, how long, and what came meanwhile."""
    places = [f"{mark} {_place(each)}" for mark, each in (("(w)", pivot.opened), ("(c)", pivot.switched)) if each]
    came = [f"{len(found)} {what}" for what, found in (("(b)", pivot.intruders), ("held", pivot.held)) if found]
    return ", ".join([*places, *_length(pivot), *came])


def _place(moment: Moment) -> str:
    return f"{clock(moment).split(' ')[0]} line {moment.line}".strip()


def _length(pivot: Pivot) -> Iterator[str]:
    if pivot.opened and pivot.switched and pivot.opened.time is not None and pivot.switched.time is not None:
        yield f"open for {(pivot.switched.time - pivot.opened.time) / 1000:.1f} ms"


def _legend(logs: Sequence[SeenLog], listed: Iterable[Place]) -> Iterator[tuple[str, str]]:
    left = Counter(pivot.judgement for log in logs for pivot in log.pivots)
    left -= Counter(logs[number].pivots[place].judgement for number, place in listed)
    if left:
        told = ", ".join(f"{left[each]} {each.value}" for each in Judgement if left[each])
        yield "left out", f"{counted(left.total(), 'more switch')} without a row here: {told}"
    for log in logs[:ROWS]:
        name = log.file if len(logs) > 1 else "the log"
        yield from ((name if place == 0 else "", line) for place, line in enumerate(_read(log)))


def _read(log: SeenLog) -> Iterator[str]:
    """What stands in a log, and what it lacks."""
    if log.log is None:
        yield log.problem
        return
    yield from reading_lines(log.log)
    if worst_of(log.log.report) in (None, Judgement.CANNOT_TELL):
        yield from needed_lines(sorted({name for pivot in log.pivots for name in pivot.missing}))


# -- subjects --------------------------------------------------------------------------------------

#: what the page calls the run of a log
WINDOW: Final = "window"


def log_subjects(logs: Sequence[SeenLog]) -> Gathered:
    """The switches that are drawn, each with its system."""
    systems: dict[str, PageSystem] = {}
    subjects: list[PageSubject] = []
    for number, place in drawn_in(logs):
        log = logs[number]
        pivot = log.pivots[place]
        assert log.log is not None
        found = happenings(pivot, log.log.tally.backwards)
        system = log_system(pivot, found, log.excerpts.around(pivot))
        subject = _subject(_title(logs, (number, place)), log, place, system)
        subjects.append(subject)
        systems[subject.system] = system
    return Gathered(tuple(subjects), systems)


def _subject(title: str, log: SeenLog, place: int, system: PageSystem) -> PageSubject:
    pivot = log.pivots[place]
    command = f"check-invariants log {quote(log.file)}"
    evidence = EvidenceOfSubject(
        evidence=0,
        property=WINDOW,
        headline=f"{pivot.judgement.value}: {pivot.why}",
        tone=_tone(pivot),
        command=command,
        remedy=None,
        replay=_lost(pivot),
        text="\n".join([*pivot_lines(pivot), *_excerpt(system)]),
        notes=(*_sections(pivot), *(each.note for each in log.held.get(place, ()))),
    )
    return PageSubject(
        title=title,
        model="",
        kind="log",
        scenario="",
        headline=f"{pivot.judgement.value}: {pivot.why}",
        tone=_tone(pivot),
        facts=tuple(_facts(log, pivot)),
        command=command,
        counts=_when(pivot),
        marks=MARKED,
        source={},
        verdicts=tuple(_verdict(number, item, pivot) for number, item in enumerate(system.properties)),
        evidence=(evidence,),
        warnings=(),
        system=fingerprint(system),
    )


def _facts(log: SeenLog, pivot: Pivot) -> Iterator[tuple[str, str]]:
    yield "log", log.file
    yield "disk", pivot.disk
    yield "job", pivot.job
    yield from ((name, node) for name, node in (("old node", pivot.old), ("new node", pivot.new)) if node)
    yield from (("missing event", name) for name in pivot.missing)


def _verdict(number: int, item: PageProperty, pivot: Pivot) -> PageVerdict:
    broken = item.name == NOTHING_LOST and bool(pivot.lost)
    broken = broken or (item.name == RULE and pivot.judgement in (Judgement.LOSS, Judgement.ASSERT, Judgement.BROKEN))
    word, tone = ("violated", Tone.BAD) if broken else ("kept", Tone.GOOD)
    if not item.conditions:
        word, tone = "cannot tell", Tone.UNKNOWN
    return PageVerdict(number, word, tone, pivot.why if broken else "", "", "", True, True, (), 0)


def _sections(pivot: Pivot) -> Iterator[PageNote]:
    """What a sidecar says of the disk's drained sections."""
    if pivot.drained is not None:
        lines = tuple(map(_section, pivot.drained.sections[:SECTIONS]))
        yield PageNote(
            "Drained sections, by the sidecar", f"{pivot.drained.coverage.value}: {pivot.drained.why}", lines
        )


def _section(each: DrainedSection) -> str:
    """Of which node, who began it, and from when to when."""
    ended = "its end is not in the recording" if each.ended is None else f"for {each.ended - each.opened} µs"
    waited = "" if each.drained is None else f", drained after {each.drained - each.opened} µs"
    begun = clock(Moment(0, "", each.opened, each.thread))
    return f"node {each.node}: {begun}{ended}{waited}"


def _lost(pivot: Pivot) -> PageReplay | None:
    """What was lost, write by write."""
    if not pivot.lost:
        return None
    rows = tuple(map(_lost_row, pivot.lost[:ROWS]))
    more = f" (the first {ROWS} of them)" if len(pivot.lost) > ROWS else ""
    total = sum(each.sectors for each in pivot.lost)
    sentence = f"on the abandoned disk alone: {counted(len(pivot.lost), 'write')}, {counted(total, 'sector')}{more}"
    return PageReplay(sentence, rows, lost_here=True)


def _lost_row(each: LoggedRequest) -> tuple[str, str, str]:
    first, last = each.sector, each.sector + each.sectors - 1
    told = "the log does not say what the guest was told"
    if each.answered is not None:
        told = f"the guest was told that it is done, {clock(each.answered)}line {each.answered.line}"
    return f"sectors {first}-{last}", f"bytes {first * SECTOR}-{(last + 1) * SECTOR - 1}", told


def _excerpt(system: PageSystem) -> Iterator[str]:
    """The log's own lines, those of events marked."""
    run = system.evidence[0]
    events = set(run.logged)
    for _, group in groupby(enumerate(run.excerpt), lambda each: each[1][0] - each[0]):
        yield ""
        yield from (f"{'>' if number in events else ' '} {number:7}  {line}" for _, (number, line) in group)
