"""Which steps of a trace a drawing shows: all of which there is something to say, or those that matter, if these are too many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from draincheck.report.arrows import Arrow, ArrowKind
from draincheck.report.lanes import Band, Lanes, PlacedStep

__all__ = ["Fold", "folded"]


class Fold(Struct, frozen=True):
    """The steps that are drawn.

    Attributes:
        left_out: for a step that is drawn, how many of which there is something to say are left out right before it, if there are any.
        arrows: those between processes whose ends are drawn. (What a process leaves for itself along its loop is told by its order.)
            Control that is given back leads to the next step that is drawn of whoever gets it.
        rounds: for each step that is drawn the bands that are seen to begin with it, if there are any.
    """

    steps: tuple[PlacedStep, ...]
    left_out: Mapping[int, int]
    arrows: tuple[Arrow, ...]
    rounds: Mapping[int, tuple[Band, ...]]

    @property
    def total(self) -> int:
        """How many are left out."""
        return sum(self.left_out.values())


def folded(lanes: Lanes, most: int, short: bool = False) -> Fold:
    """At most so many steps of a trace.

    All of which there is something to say; if these are too many, those that weigh most, and of the others the last: breaking a check, a
    mark, or an arrow between processes weighs more than a change. A `short` trace has none that changes nothing and weighs nothing else.
    """
    said = [step for step in lanes.steps if step.shown]
    weight = _weights(lanes)
    wanted = [step for step in said if weight(step)] if short else said
    heaviest = sorted(wanted, key=lambda step: (weight(step), step.number))[-most:]
    kept = sorted(heaviest, key=lambda step: step.number)
    return Fold(tuple(kept), _gaps(said, kept), tuple(_arrows(lanes, kept)), _rounds(lanes, kept))


def _weights(lanes: Lanes) -> Callable[[PlacedStep], int]:
    told = (arrow for arrow in lanes.arrows if arrow.kind in (ArrowKind.HANDOVER, ArrowKind.WAKEUP))
    ends = {end for arrow in told if _between_processes(lanes, arrow) for end in (arrow.start, arrow.end)}
    ends |= {len(lanes.steps), (lanes.loop or 0) + 1}

    def weight(step: PlacedStep) -> int:
        return 2 if step.marks or step.broken or step.number in ends else 1 if step.changes else 0

    return weight


def _between_processes(lanes: Lanes, arrow: Arrow) -> bool:
    one, other = (lanes.steps[number - 1] for number in (arrow.start, arrow.end))
    return one.lane != other.lane and one.process != other.process


def _arrows(lanes: Lanes, kept: Sequence[PlacedStep]) -> Iterator[Arrow]:
    drawn = {step.number for step in kept}
    for arrow in lanes.arrows:
        process = lanes.steps[arrow.end - 1].process
        end = arrow.end
        if arrow.kind is ArrowKind.BACK:
            end = next((step.number for step in kept if step.number >= arrow.end and step.process == process), 0)
        if arrow.start in drawn and end in drawn and _between_processes(lanes, arrow):
            yield replace(arrow, end=end)


def _rounds(lanes: Lanes, kept: Sequence[PlacedStep]) -> Mapping[int, tuple[Band, ...]]:
    found: dict[int, tuple[Band, ...]] = {}
    for band in lanes.bands:
        inside = (step for step in kept if band.first <= step.number <= band.last)
        first = next((step.number for step in inside if lanes.lanes[step.lane].group == band.group), 0)
        if first:
            found[first] = (*found.get(first, ()), band)
    return found


def _gaps(said: Sequence[PlacedStep], kept: Sequence[PlacedStep]) -> Mapping[int, int]:
    """How many steps are left out before each that is kept; none behind the last, which always is."""
    drawn, gaps, missing = {step.number for step in kept}, dict[int, int](), 0
    for step in said:
        if step.number not in drawn:
            missing += 1
        elif missing:
            gaps[step.number], missing = missing, 0
    return gaps
