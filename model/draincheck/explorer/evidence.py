"""A run that shows something, as the page tells it: a path in the region, how it ends, until when it could have been avoided, who waits for what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from draincheck.analysis.avoidability import Alternative, Avoidabilities, Avoidability
from draincheck.analysis.otherwise import Otherwise
from draincheck.analysis.waiting import Situation, situation
from draincheck.explorer.document import (
    Fate,
    PageAlternative,
    PageEnd,
    PageEvidence,
    PageWaiting,
    StoryStep,
    TurningPoint,
)
from draincheck.explorer.ground import Ground
from draincheck.explorer.tables import Tables
from draincheck.properties import Breach, Liveness, NoFault, Property, Reachable
from draincheck.report.calls import events_of
from draincheck.report.text import ending_lines
from draincheck.report.waiting import waiting_lines
from draincheck.run import Run
from draincheck.semantics.violation import shows
from draincheck.words import counted

__all__ = ["evidence_of", "fates_of"]

#: columns of the lines that say who waits for what
WIDTH: Final = 100

#: the number of each avoidability in a column
_FATES: Final = {avoidability: list(Fate).index(Fate(avoidability.value)) for avoidability in Avoidability}
_VIOLATED: Final = list(Fate).index(Fate.VIOLATED)


def fates_of(found: Avoidabilities, states: int) -> bytes:
    """For each state of a whole graph the number of its fate."""
    return bytes(_VIOLATED if found.is_bad(number) else _FATES[found.of(number)] for number in range(states))


def evidence_of(
    run: Run, also: Sequence[Property], ground: Ground, known: Avoidabilities | str, story: Sequence[StoryStep]
) -> PageEvidence:
    """A run whose states are all in the region.

    Args:
        run: the run.
        also: other properties that it is a shortest counterexample of.
        ground: the region, with its labels.
        known: what is still possible in each state, or why that is not known.
        story: the steps that it turns on.
    """
    tables, item = ground.tables, run.system.property_named(run.trace.property)
    events = events_of(run)
    numbers = tuple(map(ground.region.number, run.states))
    variants = tuple(map(ground.variant_of, numbers, run.trace.actions))
    telling = {event.step for event in events if event.changes or event.part.mark}
    steps = range(1, len(run.steps) + 1)
    iterations = {event.step: event.iteration for event in events}
    turning = None if isinstance(known, str) else _turning(run, known, ground, numbers)
    return PageEvidence(
        tables.property_number(item.name),
        tuple(tables.property_number(other.name) for other in also),
        numbers,
        variants,
        tuple(step not in telling and step != len(run.steps) for step in steps),
        tuple(iterations[step] for step in steps),
        run.trace.loop,
        f"{item.name} after {counted(len(run.steps), 'step')}",
        tuple(story),
        _end(run, item),
        turning,
        known if isinstance(known, str) else "",
        _waiting(run, tables),
    )


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


def _turning(run: Run, known: Avoidabilities, ground: Ground, numbers: Sequence[int]) -> TurningPoint:
    otherwise = Otherwise(known, run.trace)
    escape = otherwise.escape(Avoidability.SAFE, Avoidability.AVOIDABLE)
    lost_at = otherwise.lost_at()
    if escape is None:
        return TurningPoint(lost_at, _sentence(run, known, otherwise), None, ())
    here = numbers[escape.step - 1]
    ways = tuple(_way(ground, here, way) for way in escape.alternatives)
    return TurningPoint(lost_at, _sentence(run, known, otherwise), escape.step, ways)


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


def _way(ground: Ground, here: int, way: Alternative) -> PageAlternative:
    variant = ground.variant_of(here, way.action)
    target = dict(ground.region.edges[here])[way.action]
    fate = Fate.VIOLATED if way.avoidability is None else Fate(way.avoidability.value)
    return PageAlternative(variant, target, f"{way.process}: {way.label}", fate, way.rest)


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
