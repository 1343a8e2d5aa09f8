"""A trace as a sequence diagram of Mermaid, which GitHub and GitLab draw: who did what, who entered whom, who left what for whom, what changed.

Names are free, and Mermaid's text is not: all but letters, digits and a little punctuation is written as Mermaid's numbered entities (`#35;`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from draincheck.escape import harmless
from draincheck.report.arrows import Arrow, ArrowKind
from draincheck.report.folding import Fold, folded
from draincheck.report.lanes import Band, Lanes, PlacedStep, lanes_of
from draincheck.report.layout import listed
from draincheck.run import Run
from draincheck.subject import About
from draincheck.words import assigned, counted

__all__ = ["MOST_CHARACTERS", "MOST_STEPS", "sequence_diagram"]

#: a longer trace is folded: a diagram that nobody can read helps nobody, and Mermaid refuses more than 50,000 characters
MOST_STEPS, MOST_CHARACTERS = 80, 40_000

#: changes are wrapped here: Mermaid makes lanes as wide as what stands in them
COLUMNS: Final = 44

#: the colour of a window, on white and on black
SHADE: Final = "rgba(192, 42, 29, 0.12)"

_ARROWS: Final = {ArrowKind.ENTER: "->>", ArrowKind.BACK: "-->>", ArrowKind.HANDOVER: "-)", ArrowKind.WAKEUP: "--)"}


def sequence_diagram(run: Run, about: About | None = None, *, short: bool = False) -> str:
    """The diagram's text, every line ended by a newline; `short` leaves out steps that change nothing."""
    lanes, most = lanes_of(run, about), MOST_STEPS
    text = _text_of(lanes, folded(lanes, most, short))
    while len(text) > MOST_CHARACTERS and most > 1:
        most //= 2
        text = _text_of(lanes, folded(lanes, most, short))
    return text


def _text_of(lanes: Lanes, fold: Fold) -> str:
    return "sequenceDiagram\n" + "".join(f"    {line}\n" for line in _Diagram(lanes, fold).lines())


class _Diagram:
    """The lines of a diagram, and which blocks are open."""

    def __init__(self, lanes: Lanes, fold: Fold) -> None:
        self.lanes, self.fold = lanes, fold
        last = len(lanes.lanes) - 1
        self.everybody = "p0" if last < 1 else f"p0,p{last}"
        self.shaded = self.repeating = False

    def lines(self) -> Iterator[str]:
        """Who takes part, what takes place, and how it ends."""
        yield from self._participants()
        for step in self.fold.steps:
            yield from self._blocks(step)
            yield from self._notes(step)
            yield from (self._arrow(arrow) for arrow in self.fold.arrows if arrow.end == step.number)
            yield from (self._round(band) for band in self.fold.rounds.get(step.number, ()))
            yield f"Note over p{step.lane}: {_words(step)}"
        yield from ["end"] * (self.shaded + self.repeating)
        yield f"Note over {self.everybody}: {_text(self.lanes.ending.words)}"

    def _participants(self) -> Iterator[str]:
        """The lanes, those of one thread in a box."""
        if not self.lanes.lanes:
            yield "participant p0 as (nobody)"
        groups = [lane.group for lane in self.lanes.lanes]
        for place, (lane, title) in enumerate(zip(self.lanes.lanes, self.lanes.titles, strict=True)):
            boxed = groups.count(lane.group) > 1
            if boxed and lane.group not in groups[:place]:
                yield f"box transparent {_text(lane.group)}"
            yield f"participant p{place} as {_text(lane.name if boxed else title) or '(no name)'}"
            if boxed and lane.group not in groups[place + 1 :]:
                yield "end"

    def _blocks(self, step: PlacedStep) -> Iterator[str]:
        """Ends and beginnings of what is shaded or repeats; a shade ends with the block that it stands in."""
        shaded = any(window.first <= step.number <= window.last for window in self.lanes.windows)
        repeats = self.lanes.loop is not None and step.number > self.lanes.loop and not self.repeating
        if self.shaded and (repeats or not shaded):
            self.shaded = False
            yield "end"
        if repeats:
            self.repeating = True
            yield "loop again and again"
        if shaded and not self.shaded:
            self.shaded = True
            yield f"rect {SHADE}"

    def _notes(self, step: PlacedStep) -> Iterator[str]:
        """What stands before a step."""
        if missing := self.fold.left_out.get(step.number):
            yield f"Note over {self.everybody}: {counted(missing, 'step')} left out"
        for window in self.lanes.windows:
            drawn = (other.number for other in self.fold.steps if window.first <= other.number <= window.last)
            if step.number == next(drawn, 0):
                yield f"Note over {self.everybody}: {_text(window.name)}"

    def _round(self, band: Band) -> str:
        places = [place for place, lane in enumerate(self.lanes.lanes) if lane.group == band.group]
        over = f"p{places[0]}" if len(places) == 1 else f"p{places[0]},p{places[-1]}"
        return f"Note over {over}: {_text(band.name)}"

    def _arrow(self, arrow: Arrow) -> str:
        here, there = (self.lanes.steps[number - 1].lane for number in (arrow.start, arrow.end))
        control = arrow.kind in (ArrowKind.ENTER, ArrowKind.BACK)
        said = f"{arrow.kind.value} ({arrow.start})" if control else f"{', '.join(arrow.what)} ({arrow.start})"
        return f"p{here}{_ARROWS[arrow.kind]}p{there}: {_text(said)}"


def _words(step: PlacedStep) -> str:
    """A step's number, what it does, and what it changed, in lines."""
    marked = [
        f"({event.part.mark}) {event.part.label}" if event.part.mark else event.part.label
        for event in step.events
        if event.part.label or event.part.mark
    ]
    said = list(dict.fromkeys(marked)) or ["(goes on)"]
    changes = listed("", (assigned(change.name, change.new) for change in step.changes), COLUMNS)
    return "<br/>".join(map(_text, [f"{step.number}. {said[0]}", *said[1:], *changes]))


def _text(text: str) -> str:
    """Text that stands for itself in a diagram."""
    return re.sub(r"[^\w .,()=/+-]", lambda found: f"#{ord(found.group())};", " ".join(harmless(text).split()))
