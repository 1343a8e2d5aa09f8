"""A trace as a drawing: a column for each lane, a line for each step, arrows between them, and what each step does and changes in words.

Time runs downward, as in a sequence diagram: words then have the room of a line, and 40 steps fit onto a page; to the right there would be
20 pixels for each. Lanes stand close together, so that arrows are short, and words stand beside them, so that nothing overlaps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from math import radians, sin
from typing import Final, NamedTuple

from draincheck.report.arrows import Arrow, ArrowKind
from draincheck.report.calls import CallEvent
from draincheck.report.folding import Fold, folded
from draincheck.report.heading import facts_of
from draincheck.report.lanes import Band, EndKind, Lane, LaneKind, Lanes, PlacedStep, Window, lanes_of
from draincheck.report.svg import SIZE, WIDE, Sheet, columns, lines_of, shortened
from draincheck.report.text import conclusion_of
from draincheck.run import Run
from draincheck.subject import About
from draincheck.words import assigned, counted

__all__ = ["MOST_STEPS", "trace_svg"]

#: a longer trace is folded to the steps that matter
MOST_STEPS: Final = 80

WIDTH, MARGIN = 1000.0, 28.0
#: of a line of text, above the first line of a step, and of a line that is no step
LEADING, GAP, NOTE = 15.0, 7.0, 19.0
#: the column of numbers, and how far lanes are apart at most and at least
NUMBERS, WIDEST, NARROWEST = 34.0, 46.0, 22.0
#: the names of lanes lean so far to the right
LEAN, LONGEST_NAME = 38, 30

_COLOUR_OF: Final = {
    LaneKind.OUTSIDE: "muted",
    LaneKind.THREAD: "blue",
    LaneKind.CONTEXT: "blue",
    LaneKind.COROUTINE: "teal",
}


class _Row(NamedTuple):
    """A line of the table: a step, or a note between steps."""

    top: float
    height: float
    step: PlacedStep | None
    words: tuple[tuple[str, str, str], ...]

    @property
    def middle(self) -> float:
        """Where its dot is."""
        return self.top + GAP + LEADING / 2 - 1


class _Table(NamedTuple):
    """Where things stand from left to right."""

    pitch: float
    words: float
    changes: float
    right: float

    @classmethod
    def of(cls, lanes: Lanes) -> _Table:
        """The more lanes, the closer they are together; words keep at least three fifths of the width, and changes stand near them."""
        number = len(lanes.lanes)
        pitch = min(WIDEST, max(NARROWEST, 0.38 * WIDTH / max(number, 1)))
        words = MARGIN + NUMBERS + pitch * number + 8
        right = max(WIDTH, words + 0.55 * WIDTH) - MARGIN
        longest = max((columns(label) for step in lanes.steps for label in step.labels), default=0) + 8
        return cls(pitch, words, words + min(0.53 * (right - words), max(160.0, longest * SIZE * WIDE)), right)

    def lane(self, place: int) -> float:
        """The middle of a lane."""
        return MARGIN + NUMBERS + self.pitch * (place + 0.5)


def trace_svg(run: Run, about: About, *, short: bool = False) -> str:
    """The drawing as a file; `short` leaves out steps that change nothing."""
    lanes = lanes_of(run, about)
    fold = folded(lanes, MOST_STEPS, short)
    return _Drawing(run, about, lanes, fold).drawn()


class _Drawing:
    """A trace on its sheet."""

    def __init__(self, run: Run, about: About, lanes: Lanes, fold: Fold) -> None:
        self.run, self.lanes, self.fold = run, lanes, fold
        self.facts = list(facts_of(run, about))
        self.table = _Table.of(lanes)
        size = f"{counted(len(lanes.steps), 'step')} in {counted(len(lanes.lanes), 'lane')}"
        description = "; ".join(f"{name}: {text}" for name, text in self.facts[1:4])
        self.sheet = Sheet(f"{': '.join(self.facts[0])}, a trace of {size}", description)

    def drawn(self) -> str:
        """All of it, from top to bottom; what lies below is drawn first."""
        top = self._heading()
        top = self._names(top)
        rows = list(self._rows(top))
        bottom = rows[-1].top + rows[-1].height + GAP if rows else top
        by_step = {row.step.number: row for row in rows if row.step is not None}
        self._bands(by_step)
        self._shades(by_step)
        self._lifelines(top, bottom)
        self._arrows(by_step)
        for row in rows:
            self._row(row)
        self._loop(by_step)
        height = self._conclusion(bottom)
        return self.sheet.whole(self.table.right + MARGIN, height + MARGIN)

    # -- above --------------------------------------------------------------------------------------

    def _heading(self) -> float:
        """What is violated, and the other lines; the letters with what they mean."""
        y = MARGIN + 8
        (word, said), *others = self.facts
        bad = "f-red" if word == "violated" else "f-blue"
        for line in lines_of(f"{word}: {said}", self.table.right - MARGIN, 15):
            self.sheet.text(MARGIN, y, line, f"big {bad}")
            y += 20
        for name, text in others[:-1]:
            y = self._fact(y, name, text)
        return self._signs(y) + GAP

    def _fact(self, y: float, name: str, text: str) -> float:
        left = MARGIN + 84
        self.sheet.text(MARGIN, y, shortened(name, 11), "f-muted")
        for line in lines_of(text, self.table.right - left):
            self.sheet.text(left, y, line)
            y += LEADING
        return y

    def _signs(self, y: float) -> float:
        """The legend: what an arrow is, and each letter in its circle."""
        y = self._fact(y, "signs", "a number is a step, a column who acts, name=value what a step changed")
        y = self._samples(y)
        for letter, meaning in self.lanes.marks.items():
            if meaning:
                self._letter(MARGIN + 92, y - 4, letter, small=True)
                for line in lines_of(meaning, self.table.right - MARGIN - 110):
                    self.sheet.text(MARGIN + 108, y, line)
                    y += LEADING + 1
        return y

    def _samples(self, y: float) -> float:
        """Each kind of arrow that there is."""
        x = MARGIN + 84
        kinds = {arrow.kind for arrow in self.fold.arrows}
        for look in (look for kind, look in _LOOKS.items() if kind in kinds):
            self.sheet.path(f"M{x:.1f},{y - 4:.1f} h20", f"s-{look.colour} {look.kind}".strip(), head=look.colour)
            self.sheet.text(x + 28, y, look.legend)
            x += 28 + columns(look.legend) * SIZE * WIDE + 22
        return y + (LEADING + 2 if kinds else 0)

    def _names(self, top: float) -> float:
        """The names of the lanes, leaning, and a line below those of one thread."""
        names = [shortened(title, LONGEST_NAME) or "(no name)" for title in self.lanes.titles]
        longest = max((columns(name) for name in names), default=0) * SIZE * WIDE
        y = top + longest * sin(radians(LEAN)) + 14
        for place, (lane, name) in enumerate(zip(self.lanes.lanes, names, strict=True)):
            x = self.table.lane(place)
            turned = self.sheet.text(
                x - 2, y - 7, name, f"f-{_COLOUR_OF[lane.kind]}", transform=f"rotate({-LEAN} {x - 2:.1f} {y - 7:.1f})"
            )
            self.sheet.tell(turned, f"{lane.name}: {_said(lane)}")
        for first, last in self._groups():
            half = self.table.pitch / 2 - 5
            self.sheet.line(self.table.lane(first) - half, y, self.table.lane(last) + half, y, "s-faint")
        return y + 4

    def _groups(self) -> Iterator[tuple[int, int]]:
        """The first and the last lane of each thread."""
        groups = [lane.group for lane in self.lanes.lanes]
        for group in dict.fromkeys(groups):
            places = [place for place, other in enumerate(groups) if other == group]
            yield places[0], places[-1]

    # -- the table ----------------------------------------------------------------------------------

    def _rows(self, top: float) -> Iterator[_Row]:
        """A row for each step, and before it what has to be said."""
        y = top
        for step in self.fold.steps:
            for note, colour in self._notes(step, self.fold.rounds.get(step.number, ())):
                yield _Row(y, NOTE, None, ((note, "", colour),))
                y += NOTE
            words = tuple(self._words(step))
            yield _Row(y, height := GAP + LEADING * len(words), step, words)
            y += height

    def _notes(self, step: PlacedStep, bands: Sequence[Band]) -> Iterator[tuple[str, str]]:
        """What stands before a step, and its colour."""
        if missing := self.fold.left_out.get(step.number):
            yield f"… {counted(missing, 'step')} left out", "muted"
        several = len({band.group for band in self.lanes.bands}) > 1
        for band in bands:
            yield f"{band.group}: {band.name}" if several else band.name, "muted"
        for window, first in self._opened:
            if first == step.number:
                yield window.name, "red"

    def _words(self, step: PlacedStep) -> Iterator[tuple[str, str, str]]:
        """The lines of a step: what is done, what is changed, and how it looks."""
        table = self.table
        for event in (event for event in step.events if event.shown):
            said = event.part.label or "(goes on)"
            left = lines_of(
                f"({event.part.mark}) {said}" if event.part.mark else said, table.changes - table.words - 10
            )
            right = lines_of(", ".join(assigned(c.name, c.new) for c in event.changes), table.right - table.changes)
            kind = "bold" if event.part.mark else ""
            rows = max(len(left), len(right))
            for one, other in zip(_filled(left, rows), _filled(right, rows), strict=True):
                yield one, other, kind
        if step.broken:
            for line in lines_of(f"breaks: {', '.join(step.broken)}", table.right - table.words):
                yield line, "", "f-red"

    def _row(self, row: _Row) -> None:
        y = row.top + GAP + LEADING - 4.5
        if row.step is None:
            said, _, colour = row.words[0]
            room = int((self.table.right - self.table.words) / (10 * WIDE))
            self.sheet.text(self.table.words, row.top + NOTE - 4, shortened(said, room), f"small f-{colour}")
            return
        step = row.step
        self.sheet.text(MARGIN + NUMBERS - 10, y, str(step.number), "end f-muted")
        for number, (said, _, kind) in enumerate(row.words):
            self.sheet.text(self.table.words, y + number * LEADING, said, kind)
        for number, (_, changed, _) in enumerate(row.words):
            self.sheet.text(self.table.changes, y + number * LEADING, changed, "f-green")
        self._dot(row, step)

    def _dot(self, row: _Row, step: PlacedStep) -> None:
        x, lane, broken = self.table.lane(step.lane), self.lanes.lanes[step.lane], self._is_bad(step)
        if step.marks:
            self._letter(x, row.middle, "".join(step.marks), bad=broken)
        else:
            colour = "red" if broken else _COLOUR_OF[lane.kind]
            dot = self.sheet.add("circle", f"dot f-paper s-{colour}", cx=x, cy=row.middle, r=4.2)
            self.sheet.tell(dot, _told(step))

    def _is_bad(self, step: PlacedStep) -> bool:
        """Whether it breaks the property: the step whose check fails, or the last one before a state that must not be."""
        end = self.lanes.ending
        shown = end.kind in (EndKind.VIOLATED, EndKind.STUCK, EndKind.ERROR) and self.lanes.loop is None
        return end.name in step.broken or (shown and step.number == len(self.lanes.steps))

    def _letter(self, x: float, y: float, letters: str, *, bad: bool = False, small: bool = False) -> None:
        """A mark: its letters on a disk."""
        half, radius = self._half(letters), 7.0 if small else 8.5
        half = max(radius, half)
        self.sheet.rect(x - half, y - radius, 2 * half, 2 * radius, f"f-{'red' if bad else 'blue'}", rx=radius)
        self.sheet.text(x, y + 3.8, self._fitting(letters), "bold middle f-paper")

    def _fitting(self, letters: str) -> str:
        """As much of a mark as finds room in its lane."""
        return shortened(letters, max(1, int((self.table.pitch - 10) / (SIZE * WIDE))))

    def _half(self, letters: str) -> float:
        """How far a mark, or a dot where there is none, reaches to each side."""
        return max(8.5, columns(self._fitting(letters)) * SIZE * WIDE / 2 + 4) if letters else 4.2

    # -- behind it ----------------------------------------------------------------------------------

    def _bands(self, rows: dict[int, _Row]) -> None:
        """The rounds of each thread, in its lanes alone, every other one shaded."""
        rounds = Counter[str]()
        for band in self.lanes.bands:
            inside = [row for number, row in rows.items() if band.first <= number <= band.last]
            rounds[band.group] += 1
            if inside and rounds[band.group] % 2:
                self._shaded(band, inside)

    def _shaded(self, band: Band, rows: Sequence[_Row]) -> None:
        lanes = [n for n, lane in enumerate(self.lanes.lanes) if lane.group == band.group]
        left = self.table.lane(lanes[0]) - self.table.pitch / 2 + 3
        right = self.table.lane(lanes[-1]) + self.table.pitch / 2 - 3
        top, bottom = rows[0].top - NOTE + 5, rows[-1].top + rows[-1].height + 3
        box = self.sheet.rect(left, top, right - left, bottom - top, "f-band", rx=4)
        self.sheet.tell(box, f"{band.group}: {band.name}, steps {band.first} to {band.last}")

    @cached_property
    def _opened(self) -> list[tuple[Window, int]]:
        """Each window of which a step is drawn, with the first of these."""
        firsts = [(w, [s.number for s in self.fold.steps if w.first <= s.number <= w.last]) for w in self.lanes.windows]
        return [(window, inside[0]) for window, inside in firsts if inside]

    def _shades(self, rows: dict[int, _Row]) -> None:
        """Windows, over the whole width."""
        left = MARGIN + NUMBERS - 4
        for window, first in self._opened:
            last = max(number for number in rows if number <= window.last)
            top, bottom = rows[first].top - NOTE + 4, rows[last].top + rows[last].height + 2
            box = self.sheet.rect(left, top, self.table.right - left, bottom - top, "f-red shade", rx=4)
            self.sheet.tell(box, f"{window.name}: steps {window.first} to {window.last}")
            self.sheet.line(left, top + 4, left, bottom - 4, "s-red")

    def _lifelines(self, top: float, bottom: float) -> None:
        for place in range(len(self.lanes.lanes)):
            self.sheet.line(self.table.lane(place), top, self.table.lane(place), bottom, "s-faint thin")

    def _arrows(self, rows: dict[int, _Row]) -> None:
        taken: dict[tuple[int, bool], list[tuple[int, int, int]]] = {}
        for arrow in self.fold.arrows:
            look = _LOOKS[arrow.kind]
            start = self._edge(rows, arrow.start, look.lower)
            end = self._edge(rows, arrow.end, min(look.lower, 0))
            title = f"step {arrow.start} {arrow.kind.value} {', '.join(arrow.what)}, step {arrow.end}"
            beside = self.table.pitch * 0.28
            if look.lower < 0:
                side = taken.setdefault((self.lanes.steps[arrow.end - 1].lane, start[0] < end[0]), [])
                beside = min(beside + 5 + 3.5 * _track(side, arrow), self.table.pitch - 8)
            self.sheet.path(_bent(start, end, beside), f"s-{look.colour} {look.kind}".strip(), title, look.colour)

    def _edge(self, rows: dict[int, _Row], number: int, lower: float) -> tuple[float, float, float]:
        """The middle of a step's dot, or a little lower, and how far that reaches to the sides."""
        step = self.lanes.steps[number - 1]
        return self.table.lane(step.lane), rows[number].middle + lower, self._half("".join(step.marks))

    # -- below --------------------------------------------------------------------------------------

    def _loop(self, rows: dict[int, _Row]) -> None:
        """What comes again and again: a line from the last step up to the first of the loop."""
        inside = [row for number, row in rows.items() if self.lanes.loop is not None and number > self.lanes.loop]
        if inside:
            x, top, bottom = MARGIN - 12, inside[0].middle, inside[-1].middle
            self.sheet.path(
                f"M{x + 8:.1f},{bottom:.1f} H{x:.1f} V{top:.1f} H{x + 9:.1f}", "s-red", "again and again", "red"
            )
            y = (top + bottom) / 2
            self.sheet.text(
                x - 4, y, "again and again", "small middle f-red", transform=f"rotate(-90 {x - 4:.1f} {y:.1f})"
            )

    def _conclusion(self, y: float) -> float:
        """What the trace shows, and who waits for what."""
        fits = int((self.table.right - MARGIN) / (SIZE * WIDE))
        y += LEADING
        if self.fold.total:
            self.sheet.text(MARGIN, y, f"{counted(self.fold.total, 'step')} that matter less left out", "f-muted")
            y += LEADING
        for line, kind in conclusion_of(self.run, fits):
            self.sheet.text(MARGIN, y, line, _STYLES.get(kind, ""))
            y += LEADING
        return y


#: how lines of the conclusion look
_STYLES: Final = {"bad": "bold f-red", "head": "bold"}


class _Look(NamedTuple):
    """How a kind of arrow is drawn, and what the legend says of it; it leaves so far below the middle of a dot."""

    colour: str
    kind: str
    legend: str
    lower: float


_LOOKS: Final = {
    ArrowKind.ENTER: _Look("teal", "", "enters a coroutine", 0),
    ArrowKind.BACK: _Look("teal", "dashed", "gives control back", 3),
    ArrowKind.HANDOVER: _Look("orange", "", "hands over", -2.5),
    ArrowKind.WAKEUP: _Look("orange", "dotted", "wakes", -2.5),
}


def _bent(start: tuple[float, float, float], end: tuple[float, float, float], lane: float) -> str:
    """Sideways to where it goes down beside a lane, and into the dot there: a row has one dot, so that nothing is crossed.

    `lane` is how far beside the lane that is, where the dot leaves room.
    """
    (x1, y1, from_dot), (x2, y2, to_dot) = start, end
    side = 1 if x2 > x1 else -1
    lane = max(lane, to_dot + 8)
    x1, x2, down = x1 + side * from_dot, x2 - side * (to_dot + 2), x2 - side * lane
    corner = min(5.0, abs(y2 - y1) / 2, lane - to_dot - 2)
    return (
        f"M{x1:.1f},{y1:.1f} H{down - side * corner:.1f} Q{down:.1f},{y1:.1f} {down:.1f},{y1 + corner:.1f} "
        f"V{y2 - corner:.1f} Q{down:.1f},{y2:.1f} {down + side * corner:.1f},{y2:.1f} H{x2:.1f}"
    )


def _track(taken: list[tuple[int, int, int]], arrow: Arrow) -> int:
    """The first track beside a lane that no other arrow takes at the same time; it is taken from now on."""
    used = {track for first, last, track in taken if arrow.start < last and first < arrow.end}
    track = next(number for number in range(len(used) + 1) if number not in used)
    taken.append((arrow.start, arrow.end, track))
    return track


def _filled(lines: Sequence[str], number: int) -> list[str]:
    return [*lines, *[""] * (number - len(lines))]


def _said(lane: Lane) -> str:
    """What a lane is."""
    return f"{lane.kind.value} of {lane.group}" if lane.group != lane.name else lane.kind.value


def _told(step: PlacedStep) -> str:
    """A step with the calls that it stands in."""
    stack: Sequence[CallEvent] = step.events
    calls = [" > ".join(map(str, event.stack)) for event in stack[:1]]
    return f"step {step.number}, {step.process}: {', '.join(filter(None, calls))}".rstrip(": ")
