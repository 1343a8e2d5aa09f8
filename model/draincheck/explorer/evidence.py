"""A run that shows something, as the page tells it: a path in the region, how it ends, until when it could have been avoided, who waits for what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from draincheck.analysis.avoidability import Alternative, Avoidabilities, Avoidability
from draincheck.analysis.otherwise import Otherwise
from draincheck.analysis.waiting import Situation, situation
from draincheck.explorer.ground import Ground
from draincheck.explorer.runs import (
    PageAlternative,
    PageDrawing,
    PageEnd,
    PageEvidence,
    PageFate,
    PageWaiting,
    TurningPoint,
)
from draincheck.explorer.story import story_of
from draincheck.explorer.tables import Tables
from draincheck.properties import Breach, Liveness, NoFault, Property, Reachable
from draincheck.report.lanes import Lanes, lanes_of
from draincheck.report.text import ending_lines
from draincheck.report.waiting import waiting_lines
from draincheck.run import Run, label_of
from draincheck.semantics.violation import shows
from draincheck.subject import About
from draincheck.words import counted

__all__ = ["evidence_of", "fates_of"]

#: columns of the lines that say who waits for what
WIDTH: Final = 100

#: the number of each avoidability in a column
_FATES: Final = {avoidability: list(PageFate).index(PageFate(avoidability.value)) for avoidability in Avoidability}
_VIOLATED: Final = list(PageFate).index(PageFate.VIOLATED)


def fates_of(found: Avoidabilities, states: int) -> bytes:
    """For each state of a whole graph the number of its fate."""
    return bytes(_VIOLATED if found.is_bad(number) else _FATES[found.of(number)] for number in range(states))


def evidence_of(
    run: Run, also: Sequence[Property], ground: Ground, known: Avoidabilities | str, about: About
) -> PageEvidence:
    """A run whose states are all in the region.

    Args:
        run: the run.
        also: other properties that it is a shortest counterexample of.
        ground: the region, with its labels.
        known: what is still possible in each state, or why that is not known.
        about: what marks and windows mean.
    """
    number, item = ground.tables.property_number, run.system.property_named(run.trace.property)
    lanes = lanes_of(run, about)
    states = tuple(map(ground.region.number, run.states))
    turning = known if isinstance(known, str) else _turning(run, known, ground, states)
    return PageEvidence(
        property=number(item.name),
        also=tuple(number(other.name) for other in also),
        states=states,
        variants=tuple(map(ground.variant_of, states, run.trace.actions)),
        folded=tuple(not (step.changes or step.marks) and step is not lanes.steps[-1] for step in lanes.steps),
        iterations=tuple(step.iteration for step in lanes.steps),
        loop=run.trace.loop,
        title=f"{item.name} after {counted(len(run.steps), 'step')}",
        story=story_of(run, lanes, about.teller),
        end=_end(run, item),
        turning=None if isinstance(turning, str) else turning,
        untold=turning if isinstance(turning, str) else "",
        waiting=_waiting(run, ground.tables),
        drawing=_drawing(lanes, ground),
    )


def _drawing(lanes: Lanes, ground: Ground) -> PageDrawing:
    numbers = tuple(map(ground.lanes.number, lanes.lanes))
    steps = tuple(numbers[step.lane] for step in lanes.steps)
    return PageDrawing(numbers, steps, lanes.bands, lanes.windows, lanes.arrows)


# -- how it ends -----------------------------------------------------------------------------------


def _end(run: Run, item: Property) -> PageEnd:
    lines = ending_lines(run)
    return PageEnd(_kind(run, item), lines[0], tuple(line.strip() for line in lines[1:]))


def _kind(run: Run, item: Property) -> str:
    """How a run ends, in a word."""
    if not shows(run, item):
        return "open"
    if run.trace.loop is not None:
        return "loop"
    if isinstance(item, Liveness):
        return "stopped"
    if isinstance(item, NoFault):
        return "error"
    if isinstance(item, Reachable):
        return "reached"
    return "stuck" if item.breach is Breach.STUCK else "violated"


# -- until when it could be avoided ----------------------------------------------------------------


def _turning(run: Run, known: Avoidabilities, ground: Ground, numbers: Sequence[int]) -> TurningPoint | str:
    """Where a run takes its turn, or why there is nothing to say of that."""
    otherwise = Otherwise(known, run.trace)
    if otherwise.untold:
        return otherwise.untold
    escape = otherwise.escape(Avoidability.SAFE, Avoidability.AVOIDABLE)
    lost_at = otherwise.lost_at()
    if escape is None:
        return TurningPoint(lost_at, _sentence(run, known, otherwise), None, ())
    taken = _taken(run, escape.step)
    ways = tuple(_way(ground, numbers[escape.step - 1], way, taken) for way in escape.alternatives)
    return TurningPoint(lost_at, _sentence(run, known, otherwise), escape.step, ways)


def _taken(run: Run, number: int) -> tuple[str, str]:
    """Who took a step, and what was done; of the one that an error keeps from being taken: what there would have been."""
    if number > len(run.steps):
        return "", "the error ended the run"
    step = run.steps[number - 1]
    action = run.system.actions[step.action]
    return action.process, label_of(run.system, action, step.before)


def _sentence(run: Run, known: Avoidabilities, otherwise: Otherwise) -> str:
    name, lost_at, end = f"'{run.trace.property}'", otherwise.lost_at(), otherwise.violated_at
    out = f"the goal of {name} is out of reach" if known.is_about_runs else f"nothing makes {name} safe any more"
    kept = f"the goal of {name} stays in reach all along" if known.is_about_runs else f"{name} could be kept all along"
    if lost_at is None:
        return kept
    if lost_at == 0:
        return f"from the start on {out.removesuffix(' any more')}"
    if lost_at > len(run.steps):
        return f"until its end, which is the error itself, {name} could be kept"
    if lost_at == end:
        return f"until step {lost_at}, which violates it, {name} could be kept"
    return f"the point of no return is step {lost_at}: from there on {out}"


def _way(ground: Ground, here: int, way: Alternative, taken: tuple[str, str]) -> PageAlternative:
    variant = ground.variant_of(here, way.action)
    target = dict(ground.region.edges[here])[way.action]
    fate = PageFate.VIOLATED if way.avoidability is None else PageFate(way.avoidability.value)
    process, done = taken
    before = f"before {process} did ({done})" if process and process != way.process else f"instead of ({done})"
    sentence = f"if {way.process} had gone on ({way.label}) {before}"
    return PageAlternative(variant, target, f"{way.process}: {way.label}", sentence, fate, way.rest)


# -- who waits -------------------------------------------------------------------------------------


def _waiting(run: Run, tables: Tables) -> PageWaiting | None:
    """Who waits for what, where that is the point."""
    found = situation(run)
    if found is None:
        return None
    lines = tuple((line.text, line.kind) for line in waiting_lines(found, WIDTH))
    return PageWaiting(lines, tuple(_edges(found, tables)), tuple(tables.names[name] for name in found.circle))


def _edges(found: Situation, tables: Tables) -> Iterator[tuple[int, int]]:
    for item in found.processes:
        for other in item.waits_for:
            yield tables.names[item.stand.process], tables.names[other]
