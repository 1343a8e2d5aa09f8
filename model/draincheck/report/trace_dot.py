"""A trace in Graphviz' language: a path of states, each with what the step into it changed, and steps with who takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from draincheck.report.dot import attributes, quoted
from draincheck.report.folding import Fold, folded
from draincheck.report.lanes import EndKind, LaneKind, Lanes, PlacedStep, lanes_of
from draincheck.report.layout import listed, wrapped
from draincheck.run import Run
from draincheck.subject import About
from draincheck.words import assigned, counted

__all__ = ["MOST_STEPS", "trace_in_dot"]

#: a longer trace is folded to the steps that matter
MOST_STEPS: Final = 200
#: text is wrapped here
COLUMNS: Final = 48

_COLOURS: Final = {
    LaneKind.OUTSIDE: "gray40",
    LaneKind.THREAD: "royalblue3",
    LaneKind.CONTEXT: "royalblue3",
    LaneKind.COROUTINE: "darkcyan",
}


def trace_in_dot(run: Run, about: About, *, short: bool = False) -> str:
    """The text of the file; `short` leaves out steps that change nothing."""
    lanes = lanes_of(run, about)
    fold = folded(lanes, MOST_STEPS, short)
    lines = [
        f"digraph {quoted(run.system.name)} {{",
        f'  label={quoted(lanes.ending.words)}; labelloc=t; fontname="monospace"; fontsize=12;',
        '  node [shape=box, style="rounded,filled", fillcolor=white, fontname="monospace", fontsize=10];',
        '  edge [fontname="monospace", fontsize=9];',
        *_states(lanes, fold.steps),
        *_steps(lanes, fold),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _states(lanes: Lanes, steps: Sequence[PlacedStep]) -> Iterator[str]:
    """The first state, and one behind each step that is drawn, with the number of that step."""
    yield f"  0 [{attributes({'label': 'initially', 'peripheries': '2'})}];"
    for step in steps:
        changes = listed("", (assigned(change.name, change.new) for change in step.changes), COLUMNS)
        style = {"label": _joined([str(step.number), *changes])}
        if any(window.first <= step.number < window.last for window in lanes.windows):
            style["fillcolor"] = "mistyrose"
        if step.number == len(lanes.steps) and lanes.ending.kind not in (EndKind.NOTHING, EndKind.UNDECIDED):
            style |= {"fillcolor": "palegreen" if lanes.ending.kind is EndKind.REACHED else "salmon"}
        yield f"  {step.number} [{attributes(style)}];"


def _steps(lanes: Lanes, fold: Fold) -> Iterator[str]:
    numbers = [0, *(step.number for step in fold.steps)]
    for (before, _), step in zip(pairwise(numbers), fold.steps, strict=True):
        yield f"  {before} -> {step.number} [{attributes(_step(lanes, fold, step))}];"
    if lanes.loop is not None:
        back = max(number for number in numbers if number <= lanes.loop)
        again = attributes({"label": "again and again", "style": "dashed", "color": "red", "constraint": "false"})
        yield f"  {numbers[-1]} -> {back} [{again}];"


def _step(lanes: Lanes, fold: Fold, step: PlacedStep) -> dict[str, str]:
    """How a step looks: who takes it, what is done, and how many steps are left out before it."""
    lane = lanes.lanes[step.lane]
    missing = fold.left_out.get(step.number)
    parts = [
        f"({event.part.mark}) {event.part.label}" if event.part.mark else event.part.label for event in step.events
    ]
    said = [line for part in dict.fromkeys(filter(None, parts)) for line in wrapped(part, COLUMNS)]
    left = [f"… {counted(missing, 'step')} left out"] if missing else []
    style = {
        "label": _joined([*left, f"{step.number}. {lanes.titles[step.lane]}", *said]),
        "color": _COLOURS[lane.kind],
    }
    if step.marks:
        style |= {"style": "bold", "penwidth": "2"}
    if step.broken:
        style |= {"color": "red", "tooltip": f"breaks {', '.join(step.broken)}"}
    return style


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(" ".join(line.split()) for line in lines)
