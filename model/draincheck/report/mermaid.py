"""A trace as a sequence diagram of Mermaid, which GitHub and GitLab draw: who did what, who entered whom, what changed.

Names are free, and Mermaid's text is not: all but letters, digits and a little punctuation is written as Mermaid's numbered entities (`#35;`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from draincheck.escape import harmless
from draincheck.properties import Reachable
from draincheck.report.calls import CallEvent, events_of
from draincheck.run import Run
from draincheck.semantics.violation import shows
from draincheck.words import assigned, counted

__all__ = ["sequence_diagram"]

#: of a longer trace only the end is drawn: a diagram that nobody can read helps nobody, and Mermaid refuses more than 50,000 characters
MOST_EVENTS, MOST_CHARACTERS = 120, 40_000


def sequence_diagram(run: Run) -> str:
    """The diagram's text, every line ended by a newline. Of a long trace the last events, and how many steps come before."""
    events = [event for event in events_of(run) if event.shown][-MOST_EVENTS:]
    lines = _diagram(run, events)
    while len(lines) > MOST_CHARACTERS and len(events) > 1:
        events = events[len(events) // 2 :]
        lines = _diagram(run, events)
    return lines


def _diagram(run: Run, events: Sequence[CallEvent]) -> str:
    names = list(dict.fromkeys(name for event in events for name in (event.process, event.part.enters) if name))
    keys = {name: f"p{number}" for number, name in enumerate(names or ["(nobody)"])}
    lines = [f"participant {key} as {_text(name)}" for name, key in keys.items()]
    everybody = "p0" if len(keys) == 1 else f"p0,p{len(keys) - 1}"
    lines += _omitted(events, everybody)
    lines += _drawn(run, events, keys)
    lines += [f"Note over {everybody}: {_text(_ending(run))}"]
    return "sequenceDiagram\n" + "".join(f"    {line}\n" for line in lines)


def _omitted(events: Sequence[CallEvent], everybody: str) -> Iterator[str]:
    if events and events[0].step > 1:
        before = counted(events[0].step - 1, "step")
        yield f"Note over {everybody}: {before} before"


def _drawn(run: Run, events: Sequence[CallEvent], keys: dict[str, str]) -> Iterator[str]:
    """What took place, the part that repeats in a loop of its own."""
    loop, opened = run.trace.loop, False
    for event in events:
        if loop is not None and event.step > loop and not opened:
            opened = True
            yield "loop again and again"
        yield _event(event, keys)
    if opened:
        yield "end"


def _event(event: CallEvent, keys: dict[str, str]) -> str:
    mark = f"({event.part.mark}) " if event.part.mark else ""
    said = _text(f"{event.step}. {mark}{event.part.label or '(goes on)'}")
    changes = _text(", ".join(assigned(change.name, change.new) for change in event.changes))
    text = f"{said}<br/>{changes}" if changes else said
    here, there = keys[event.process], keys.get(event.part.enters)
    return f"Note over {here}: {text}" if there is None else f"{here}->>{there}: {text}"


def _ending(run: Run) -> str:
    """What the trace shows."""
    name = run.trace.property
    if not name:
        return "end of the trace"
    item = run.system.property_named(name)
    if not shows(run, item):
        return f"does not decide {name}"
    return f"{'reached' if isinstance(item, Reachable) else 'violated'}: {name}"


def _text(text: str) -> str:
    """Text that stands for itself in a diagram."""
    return re.sub(r"[^\w .,()=/+-]", lambda found: f"#{ord(found.group())};", " ".join(harmless(text).split()))
