"""What the page is told of runs: paths in the graph of a system, each with its story, its end, its turning point and its drawing."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from draincheck.report.arrows import Arrow
from draincheck.report.lanes import Band, Window

__all__ = [
    "PageAlternative",
    "PageDrawing",
    "PageEnd",
    "PageEvidence",
    "PageFate",
    "PageWaiting",
    "StoryStep",
    "Tone",
    "TurningPoint",
]


class Tone(Enum):
    """How something is meant, for its colour; a word always says so, too."""

    BAD = "bad"
    WARN = "warn"
    GOOD = "good"
    UNKNOWN = "unknown"


class PageFate(Enum):
    """What is possible from a state, as far as one property is concerned; in a column the number of its place here.

    *Violated*: it is violated in this very state. The others are those of `draincheck.analysis.avoidability`.
    """

    SAFE = "safe"
    AVOIDABLE = "avoidable"
    DOOMED = "doomed"
    VIOLATED = "violated"


class StoryStep(Struct, frozen=True):
    """A step that the story turns on.

    Attributes:
        step: its number.
        mark: its letter, or "".
        title: what it means, in a few words.
        text: what that means there, in a sentence or two; "" where nobody says.
        detail: who does what, in which round of its loop.
        tone: bad for what the violation comes of.
    """

    step: int
    mark: str
    title: str
    text: str
    detail: str
    tone: Tone


class PageAlternative(Struct, frozen=True):
    """Another step that could have been taken.

    Attributes:
        variant: which.
        target: the state it leads to.
        text: who would have done what.
        sentence: the same beside what was done instead, as a condition: `if main thread had ... before guest ...`.
        fate: what would have been possible then; *violated* if it violates the property itself.
        rest: the rest of a shortest way to where all is well: `process: label` of each step.
    """

    variant: int
    target: int
    text: str
    sentence: str
    fate: PageFate
    rest: tuple[str, ...]


class TurningPoint(Struct, frozen=True):
    """Until when the violation could be avoided.

    Attributes:
        lost_at: after this step nothing makes the property safe any more: the point of no return. 0: nothing ever did. None: not known, or never.
        sentence: the same in words.
        step: the latest step instead of which something else could have been done that leaves a way to safety; None if there is none.
        alternatives: what, the best first.
    """

    lost_at: int | None
    sentence: str
    step: int | None
    alternatives: tuple[PageAlternative, ...]


class PageEnd(Struct, frozen=True):
    """How a run ends, with a sentence, and the reasons in lines.

    It is `violated`, `reached`, `stuck` (somebody is, or a goal is out of reach), in an `error`, in a `loop`, `stopped` (with nothing promised to go
    on), or `open`: it decides nothing.
    """

    kind: str
    sentence: str
    lines: tuple[str, ...]


class PageWaiting(Struct, frozen=True):
    """Who waits for what at the end of a run.

    Attributes:
        lines: the whole, as text; kinds as in `draincheck.report.waiting.WaitingLine`: `head`, `bad` or "".
        edges: who waits for whom, as process numbers.
        circle: processes that wait for each other, each for the next; none if there is no circle.
    """

    lines: tuple[tuple[str, str], ...]
    edges: tuple[tuple[int, int], ...]
    circle: tuple[int, ...]


class PageDrawing(Struct, frozen=True):
    """A run drawn in lanes (`draincheck.report.lanes`).

    Attributes:
        lanes: those in which something happens, in order, as positions in `PageSystem.lanes`.
        steps: for each step the lane in which it is drawn, as such a position.
        bands: rounds of loops: name, group (the thread), first and last step.
        windows: what to shade: name, first and last step.
        arrows: who lets whom go on: kind, the step it leaves, the step it leads to, and what is given.
    """

    lanes: tuple[int, ...]
    steps: tuple[int, ...]
    bands: tuple[Band, ...]
    windows: tuple[Window, ...]
    arrows: tuple[Arrow, ...]


class PageEvidence(Struct, frozen=True):
    """A run that shows something.

    Attributes:
        property: the property that it is about.
        also: other properties that the same steps are a shortest counterexample of.
        states: the states that it passes, one more than there are steps.
        variants: its steps.
        folded: for each step whether it may be left out where there is little room: it changes nothing that is shown.
        iterations: for each step the outermost numbered call around it (`main_loop_wait # 3`), "" if there is none.
        loop: for a run that goes on for ever how many steps come before those that repeat.
        title: its property and length.
        story: the steps it turns on.
        end: what it shows.
        turning: until when it could be avoided; None where that is not known.
        untold: why that is not known, "" if it is.
        waiting: who waits for what at the end, where that is the point.
        drawing: how it is drawn in lanes.
        logged: of a run that a log shows, for each step the number of its line.
        excerpt: lines of that log around these, with their numbers, as far as they were kept.
    """

    property: int
    also: tuple[int, ...]
    states: tuple[int, ...]
    variants: tuple[int, ...]
    folded: tuple[bool, ...]
    iterations: tuple[str, ...]
    loop: int | None
    title: str
    story: tuple[StoryStep, ...]
    end: PageEnd
    turning: TurningPoint | None
    untold: str
    waiting: PageWaiting | None
    drawing: PageDrawing
    logged: tuple[int, ...] = ()
    excerpt: tuple[tuple[int, str], ...] = ()
