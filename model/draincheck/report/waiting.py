"""Who waits where for what, as lines and as JSON: the one home of both, for traces, explanations and documents.

who waits for what:
  guest has ended
  main loop sleeps in qemu_poll_ns (main_loop_wait > os_host_main_loop_wait), model.py:12
      waits for: notified
      false: notified=0
      nobody can make it true any more: guest has ended
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from draincheck.analysis.standing import Stand
from draincheck.analysis.waiting import Comes, Help, Moves, Obstacle, Situation, Waiting, Way, situation
from draincheck.jsonvalue import Json
from draincheck.report.layout import wrapped
from draincheck.run import Run
from draincheck.words import assigned, counted

__all__ = ["WaitingLine", "waiting_json", "waiting_lines", "waiting_of"]

#: calls in which a thread sleeps until the kernel wakes it
SLEEPS: Final = frozenset({
    "ppoll", "poll", "pselect", "select", "epoll_wait", "epoll_pwait", "qemu_poll_ns", "g_poll", "nanosleep", "futex", "io_uring_enter",
})  # fmt: skip
#: so many steps of a process are named; JSON has them all
NAMED: Final = 4


class WaitingLine(Struct, frozen=True):
    """A line; its kind is `head`, `bad` for what cannot be helped any more, or "" for an ordinary one."""

    text: str
    kind: str = ""


def waiting_lines(found: Situation, width: int, indent: str = "") -> Iterator[WaitingLine]:
    """The table as lines of a width; what is longer goes on below, further in."""
    yield from _wrapped(_head(found), width, indent, "head")
    inner = indent + "  "
    for step in found.path:
        yield from _wrapped(f"then {step}", width, inner)
    if found.aborted:
        yield from _wrapped(
            f"the program was aborted by {found.aborted}: nothing can happen any more", width, inner, "bad"
        )
    ended = [item.stand.process for item in found.processes if item.moves is Moves.ENDED]
    if ended:
        yield from _wrapped(f"{_series(ended)} {'has' if len(ended) == 1 else 'have'} ended", width, inner)
    for item in found.processes:
        if item.moves is not Moves.ENDED:
            yield from _wrapped(_sentence(found, item), width, inner, "bad" if item.is_lost else "")
            for text, kind in _ways(found, item):
                deeper = text[: len(text) - len(text.lstrip())]
                yield from _wrapped(text.lstrip(), width, f"{inner}    {deeper}", kind)
    if found.circle:
        yield from _wrapped(_circle(found), width, inner, "bad")


def _head(found: Situation) -> str:
    when = f", {counted(len(found.path), 'step')} later" if found.path else ""
    if not found.loop:
        return f"who waits for what{when}:"
    return f"who waits for what{when}, in what goes on for ever:"


def _sentence(found: Situation, item: Waiting) -> str:
    """What a process does, and where."""
    steps, stand, who = _could(item), item.stand, _who(item.stand)
    match item.moves:
        case Moves.HALTED:
            return f"{who} stood{_place(stand)}"
        case Moves.PARKED:
            return f"{who} is parked{_place(stand)}: {_entered(item)}"
        case Moves.GOES_ON:
            return f"{who} goes on: {_named(item.steps)}"
        case Moves.COULD if not found.loop:
            return f"{who} could go on{_place(stand)}: {steps}{'' if item.promised else _unpromised(item)}"
        case Moves.COULD:
            return f"{who} could go on all the time{_place(stand)}, and never does: {steps}{_unpromised(item)}"
        case Moves.NOW_AND_THEN:
            promise = "; weak fairness promises nothing then" if item.promised else _unpromised(item)
            return f"{who} could go on now and then{_place(stand)}, and never does: {steps}{promise}"
        case _ if stand.awaits:
            return f"{who} waits{_place(stand)}, inside {stand.awaits}, which it has entered"
        case _:
            return f"{who} {'sleeps' if _sleeps(stand) else 'waits'}{_place(stand)}"


def _who(stand: Stand) -> str:
    """A process, and for a coroutine that runs the thread that it runs on."""
    return stand.process if stand.thread == stand.process else f"{stand.process} on {stand.thread}"


def _could(item: Waiting) -> str:
    """What a process could do, and what it would run into."""
    errors = (f"into {error}" for error in item.errors)
    return " or ".join(filter(None, (_named(item.steps), *errors)))


def _unpromised(item: Waiting) -> str:
    return "; the model says that it may stop for ever" if item.may_stop else "; nobody promises that it does"


def _entered(item: Waiting) -> str:
    if not item.entered_by:
        return "nobody can enter it any more"
    return f"could be entered by {'; '.join(_helper(help) for help in item.entered_by)}"


def _place(stand: Stand) -> str:
    """` in qemu_poll_ns (main_loop_wait > os_host_main_loop_wait), at 'wake-up', model.py:12`, as far as there is anything to say."""
    asleep = [name for name in stand.places if name in SLEEPS]
    calls = [*stand.stack, *(name for name in asleep if stand.stack[-1:] != (name,))]
    inner = f" in {calls[-1]}" if calls else ""
    outer = f" ({' > '.join(calls[:-1])})" if calls[1:] else ""
    names = [f"'{name}'" for name in stand.places if name not in asleep]
    place = f"{',' if calls else ''} at {', '.join(names)}" if names else ""
    return f"{inner}{outer}{place}" + (f", {stand.line}" if stand.line is not None else "")


def _sleeps(stand: Stand) -> bool:
    return not SLEEPS.isdisjoint((*stand.stack[-1:], *stand.places))


def _ways(found: Situation, item: Waiting) -> Iterator[tuple[str, str]]:
    inner = "  " if len(item.ways) > 1 else ""
    for number, way in enumerate(item.ways):
        yield f"{'or ' if number else ''}waits for: {way.condition or _named(way.steps)}", ""
        if way.alternately or (item.is_lost and not any(obstacle.is_hopeless for obstacle in way.obstacles)):
            yield f"{inner}never all true at the same time:", ""
        for obstacle in way.obstacles:
            yield from ((inner + text, kind) for text, kind in _obstacle(found, way, obstacle))


def _obstacle(found: Situation, way: Way, obstacle: Obstacle) -> Iterator[tuple[str, str]]:
    """Why it is false, and who could help."""
    values = [assigned(name, value) for name, value in obstacle.values.items()]
    values += [f"{other} is at {place}" for other, place in obstacle.whereabouts.items()]
    why, word = ", ".join(values), "now and then false" if way.alternately else "false"
    if obstacle.condition == way.condition:
        yield f"{word}: {why}" if why else f"{word} all along", ""
    else:
        yield f"{word}: {obstacle.condition}" + (f" [{why}]" if why and why != obstacle.condition else ""), ""
    for help in obstacle.helpers:
        yield _made_true(help), "bad" if obstacle.is_hopeless else ""
    if not obstacle.helpers:
        yield _nobody(found, obstacle), "bad"


def _made_true(help: Help) -> str:
    if help.comes is Comes.ERROR:
        return f"not made true by {_helper(help)}"
    return f"{'would' if help.sure else 'could'} be made true by {_helper(help)}"


def _nobody(found: Situation, obstacle: Obstacle) -> str:
    if not obstacle.gone:
        return "nobody ever makes it true" if obstacle.never else "nobody can make it true any more"
    moves = {item.stand.process: item.moves for item in found.processes}
    ended = [process for process in obstacle.gone if moves[process] is Moves.ENDED]
    past = [process for process in obstacle.gone if moves[process] is not Moves.ENDED]
    told = [f"{_series(names)} {one if len(names) == 1 else more}"
            for names, one, more in ((ended, "has ended", "have ended"), (past, "is past that", "are past that")) if names]  # fmt: skip
    return f"nobody can make it true any more: {', '.join(told)}"


def _helper(help: Help) -> str:
    """What another one could do for a process, and whether it can."""
    but = {
        Comes.AFTER: f", but not before {help.after} goes on",
        Comes.NEVER: ", which cannot come from here on",
        Comes.VAIN: ", which does not do so from here on",
        Comes.ERROR: ", which would be an error",
        Comes.PERHAPS: ", as far as is seen",
    }
    return f"{help.process}: {_named(help.steps, ' or ')}{but.get(help.comes, '')}"


def _named(steps: Sequence[str], joint: str = ", ") -> str:
    more = len(steps) - NAMED
    return joint.join(steps[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _series(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _circle(found: Situation) -> str:
    turning = {item.stand.process for item in found.processes if item.moves is Moves.GOES_ON}
    circle = found.circle
    links = (
        f"{one} {'goes round and ' if one in turning else ''}waits for {other}"
        for one, other in zip(circle, (*circle[1:], circle[0]), strict=True)
    )
    return f"a circle: {', '.join(links)}"


def _wrapped(text: str, width: int, indent: str, kind: str = "") -> Iterator[WaitingLine]:
    return (WaitingLine(line, kind) for line in wrapped(text, width, indent, indent + "  "))


# -- JSON -----------------------------------------------------------------------------------------------------------------------------


def waiting_of(run: Run) -> dict[str, Json] | None:
    """The table for a run as JSON values; None where it is not the point (see `draincheck.analysis.waiting`)."""
    found = situation(run)
    return None if found is None else waiting_json(found)


def waiting_json(found: Situation) -> dict[str, Json]:
    """The table as JSON values."""
    return {
        "later": len(found.path),
        "path": list(found.path),
        "loop": found.loop,
        "circle": list(found.circle),
        "aborted": found.aborted or None,
        "processes": [_process_json(item) for item in found.processes],
    }


def _process_json(item: Waiting) -> dict[str, Json]:
    stand = item.stand
    return {
        "process": stand.process,
        "thread": stand.thread,
        "does": item.moves.value,
        "stack": list(stand.stack),
        "places": list(stand.places),
        "file": None if stand.line is None else stand.line.file,
        "line": None if stand.line is None else stand.line.line,
        "steps": list(item.steps),
        "errors": list(item.errors),
        "promised": item.promised or None,
        "may_stop": item.may_stop,
        "inside": stand.awaits or None,
        "ways": [_way_json(way) for way in item.ways],
        "entered_by": _helpers_json(item.entered_by),
        "waits_for": list(item.waits_for),
        "lost": item.is_lost,
    }


def _way_json(way: Way) -> dict[str, Json]:
    return {
        "steps": list(way.steps),
        "condition": way.condition,
        "alternately": way.alternately,
        "false": [_obstacle_json(obstacle) for obstacle in way.obstacles],
    }


def _obstacle_json(obstacle: Obstacle) -> dict[str, Json]:
    return {
        "condition": obstacle.condition,
        "values": dict(obstacle.values),
        "places": dict(obstacle.whereabouts),
        "made_true_by": _helpers_json(obstacle.helpers),
        "gone": list(obstacle.gone),
        "never": obstacle.never,
    }


def _helpers_json(helpers: Iterable[Help]) -> list[Json]:
    return [
        {
            "process": help.process,
            "steps": list(help.steps),
            "comes": help.comes.value,
            "after": help.after or None,
            "sure": help.sure,
        }
        for help in helpers
    ]
