"""A switch of a disk in a log as the page walks through it: a system with one path, whose steps are the events of the log.

Its variables are the window, the disk, the nodes of it that are drained (where a sidecar shows that), and each write; its rules say of every
state whether the drain rule is kept so far, and whether anything is lost. So the lanes, the keys and the panels are those of any run; that
nothing else could have happened the page says by `PageSubject.kind`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from draincheck.explorer.ground import Columns
from draincheck.explorer.runs import PageDrawing, PageEnd, PageEvidence, StoryStep, Tone
from draincheck.explorer.tables import Register
from draincheck.explorer.walkable import (
    GraphTables,
    PageAction,
    PagePart,
    PageProcess,
    PageProperty,
    PageSystem,
    PageVariable,
    PageVariant,
)
from draincheck.qemulog.happening import LOST, WAITS, Happening, Happenings
from draincheck.qemulog.pivot import DrainCoverage, Judgement, LoggedRequest, Pivot
from draincheck.report.arrows import Arrow, ArrowKind
from draincheck.report.lanes import Lane, LaneKind, Window
from draincheck.report.log_text import clock
from draincheck.words import counted, listed

__all__ = ["MARKED", "MEANINGS", "NOTHING_LOST", "RULE", "log_system"]

#: the marks, as a log shows them
MARKED: Final = {
    "w": "the window opens: the job finds nothing dirty, for the last time",
    "a": "the job defers its exit to the main loop",
    "b": "a write enters the old disk",
    "c": "the disk is switched",
}
#: names of the two rules
RULE, NOTHING_LOST = "drain rule", "nothing lost"
MEANINGS: Final = {
    RULE: "from (w) to (c) no write of the guest enters the block layer on the old disk",
    NOTHING_LOST: "what the guest was told is done is on the disk that it goes on with",
}
#: what is told by as many steps makes the story
MOST_TOLD: Final = 8
#: what a write is before anything is seen of it
UNSEEN: Final = "not seen yet"
_ILL: Final = (Judgement.LOSS, Judgement.ASSERT, Judgement.BROKEN, Judgement.ABORT)


class _Moment(Struct, frozen=True):
    """How everything stands between two events: values of the variables, and whether each rule is kept so far."""

    values: tuple[str, ...]
    kept: tuple[bool, ...]


def log_system(pivot: Pivot, found: Happenings, excerpt: tuple[tuple[int, str], ...]) -> PageSystem:
    """A switch with its events; `excerpt` has lines of the log around them."""
    moments = list(_moments(pivot, found))
    lanes, frames = Register[Lane](), Register[str]()
    where = [lanes[_lane(each)] for each in found.events]
    first = len(_disk(pivot))
    actions = tuple(
        PageAction(where[n], None, (), (_part(each, frames, first),)) for n, each in enumerate(found.events)
    )
    conditions = _decided(pivot)
    return PageSystem(
        digest="",
        variables=tuple(_variables(pivot, found, moments)),
        processes=tuple(PageProcess(lane.name, False, None, None, (), True, False) for lane in lanes),
        frames=tuple((name, False) for name in frames),
        conditions=tuple(MEANINGS[name] for name in conditions),
        makers=((),) * len(conditions),
        halted=None,
        properties=tuple(_rule(name, conditions) for name in MEANINGS),
        actions=actions,
        variants=tuple(
            PageVariant(n, each.text, (0,), where[n], _broken(moments, n, each)) for n, each in enumerate(found.events)
        ),
        lanes=tuple(lanes),
        graph=_graph(moments, len(conditions)),
        evidence=(_evidence(pivot, found, where, excerpt),),
    )


def _lane(event: Happening) -> Lane:
    thread = event.moment.thread
    name = "QEMU" if thread is None else f"thread {thread}"
    return Lane(name, LaneKind.THREAD, name)


def _part(event: Happening, frames: Register[str], first: int) -> PagePart:
    """What an event does; `first` is the variable of the first write."""
    write = () if event.write is None else (first + event.write,)
    return PagePart((frames[event.moment.event],), 0, event.text, event.mark, (*range(first), *write))


# -- rules -----------------------------------------------------------------------------------------


def _decided(pivot: Pivot) -> list[str]:
    """The rules of which the log says whether they were kept."""
    unknown = {
        Judgement.CANNOT_TELL: MEANINGS.keys(),
        Judgement.ASSERT: {NOTHING_LOST},
        Judgement.ABORT: {NOTHING_LOST},
    }
    return [name for name in MEANINGS if name not in unknown.get(pivot.judgement, set())]


def _rule(name: str, conditions: Sequence[str]) -> PageProperty:
    told = {"holds": conditions.index(name)} if name in conditions else {}
    return PageProperty(name, MEANINGS[name], "", "always", told)


def _broken(moments: Sequence[_Moment], step: int, event: Happening) -> tuple[int, ...]:
    """The rules that a step breaks, be it once more."""
    rows = zip(moments[step].kept, moments[step + 1].kept, (event.breaks, False), strict=True)
    return tuple(rule for rule, (before, after, breaks) in enumerate(rows) if breaks or (before and not after))


# -- states ----------------------------------------------------------------------------------------


def _moments(pivot: Pivot, found: Happenings) -> Iterator[_Moment]:
    """How all stands before the first event, and after each."""
    window, disk = "not open yet", f"old node {pivot.old or ''}".strip()
    writes, kept = [UNSEEN] * len(found.writes), True
    yield _Moment((window, disk, *_drained(pivot, None), *writes), (True, True))
    for number, event in enumerate(found.events, 1):
        is_last = number == len(found.events)
        if event.mark == "w":
            window = "open"
        if event.mark == "c":
            window, disk = "over", f"new node {pivot.new or ''}".strip()
        if event.write is not None:
            writes[event.write] = event.standing
        kept = kept and not event.breaks
        over = is_last or window == "over"
        shown = [_standing(found, write, value, over, is_last) for write, value in enumerate(writes)]
        rule = kept and not (is_last and pivot.judgement in _ILL[:3])
        yield _Moment((window, disk, *_drained(pivot, event.moment.time), *shown), (rule, LOST not in shown))


def _drained(pivot: Pivot, time: int | None) -> tuple[str, ...]:
    """The nodes of the disk that are in a drained section at a time, where that was recorded."""
    if not _is_recorded(pivot):
        return ()
    if pivot.drained is None or time is None:
        return (UNSEEN,)
    return (listed(list(dict.fromkeys(each.node for each in pivot.drained.open_at(time)))) or "none",)


def _is_recorded(pivot: Pivot) -> bool:
    return pivot.drained is not None and pivot.drained.coverage not in (
        DrainCoverage.NOT_RECORDED,
        DrainCoverage.CANNOT_TELL,
    )


def _disk(pivot: Pivot) -> list[str]:
    """The variables beside those of writes."""
    return ["window", f"disk {pivot.disk}", *["drained nodes"] * _is_recorded(pivot)]


def _standing(found: Happenings, write: int, value: str, over: bool, is_last: bool) -> str:
    """How it stands with a write: one that is answered and that only the old disk has is lost with the switch."""
    answered = value.startswith("done") or is_last
    return LOST if write in found.lost and over and answered else value


def _variables(pivot: Pivot, found: Happenings, moments: Sequence[_Moment]) -> Iterator[PageVariable]:
    names = [*_disk(pivot), *(f"write {n} ({_sectors(each)})" for n, each in enumerate(found.writes, 1))]
    for place, name in enumerate(names):
        values = list(dict.fromkeys(each.values[place] for each in moments))
        yield PageVariable(name, {"enum": list(values)}, False, tuple(values), 0)


def _sectors(request: LoggedRequest) -> str:
    return f"sectors {request.sector}-{request.sector + request.sectors - 1}"


def _graph(moments: Sequence[_Moment], decided: int) -> GraphTables:
    columns, last = Columns(), len(moments) - 1
    for place in range(len(moments[0].values)):
        values = list(dict.fromkeys(each.values[place] for each in moments))
        columns.add("value", [values.index(each.values[place]) for each in moments], place)
    if decided:
        columns.add("truth", [sum(true << n for n, true in enumerate(each.kept[:decided])) for each in moments])
    columns.add("degree", [*[1] * last, 0])
    columns.add("variant", range(last))
    columns.add("target", range(1, last + 1))
    return GraphTables(
        last + 1,
        last,
        1,
        last + 1,
        True,
        f"{counted(last, 'event')} of a log",
        tuple(columns.columns),
        bytes(columns.data),
    )


# -- the run ---------------------------------------------------------------------------------------


def _evidence(
    pivot: Pivot, found: Happenings, where: Sequence[int], excerpt: tuple[tuple[int, str], ...]
) -> PageEvidence:
    events = found.events
    untold = [f"{counted(found.untold, 'more write')}, not shown step by step"] if found.untold else []
    return PageEvidence(
        property=0,
        also=(),
        states=tuple(range(len(events) + 1)),
        variants=tuple(range(len(events))),
        folded=(False,) * len(events),
        iterations=("",) * len(events),
        loop=None,
        title=counted(len(events), "event"),
        story=tuple(_story(events)),
        end=PageEnd("violated" if pivot.judgement in _ILL[:3] else "open", pivot.why, tuple(untold)),
        turning=None,
        untold="",
        waiting=None,
        drawing=PageDrawing(tuple(dict.fromkeys(where)), tuple(where), (), _windows(events), tuple(_arrows(events))),
        logged=tuple(each.moment.line for each in events),
        excerpt=excerpt,
    )


def _story(events: Sequence[Happening]) -> Iterator[StoryStep]:
    """The marked events, and writes that wait: of many the first, and the last."""
    marked = [(number, each) for number, each in enumerate(events, 1) if each.mark or each.standing == WAITS]
    for number, each in marked if len(marked) <= MOST_TOLD else [*marked[: MOST_TOLD - 1], marked[-1]]:
        where = f"{clock(each.moment)}line {each.moment.line}"
        title = MARKED[each.mark].partition(":")[0] if each.mark else "a write waits"
        yield StoryStep(number, each.mark, title, each.text, where, Tone.BAD if each.breaks else Tone.WARN)


def _windows(events: Sequence[Happening]) -> tuple[Window, ...]:
    marks = {each.mark: number for number, each in enumerate(events, 1)}
    if "w" not in marks:
        return ()
    last = marks.get("c", len(events))
    return (Window("the window: no write may enter the old disk", marks["w"], last),) if last >= marks["w"] else ()


def _arrows(events: Sequence[Happening]) -> Iterator[Arrow]:
    """From each event of a write to the next."""
    latest: dict[int, int] = {}
    for number, each in enumerate(events, 1):
        if each.write is not None:
            if each.write in latest:
                yield Arrow(ArrowKind.HANDOVER, latest[each.write], number, (f"write {each.write + 1}",))
            latest[each.write] = number
