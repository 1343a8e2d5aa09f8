"""An explanation as text: what came of it and what could have been done instead, then each step with what let it happen and what it changed.

18  guest: kicks for write[0.0]
        true now: eventfd[0], write[0.0] == ring
        the point of no return: until here S1 could be kept
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from draincheck.analysis.accident import Accident
from draincheck.analysis.avoidability import Avoidability
from draincheck.analysis.explain import Alternative, ExplainedStep, Explanation, Fact
from draincheck.report.layout import styled, unbound, wrapped
from draincheck.report.waiting import waiting_lines
from draincheck.words import counted, listed

__all__ = ["render_explanation"]

#: lines are wrapped here, if not sooner
WIDTH = 100
#: where the text of a step begins, and where what is said about it does
INDENT, REMARK = " " * 4, " " * 8

#: how each kind of line looks in colour (styles of rich)
STYLES = {"head": "bold", "bad": "bold red", "turn": "bold yellow", "good": "green", "quiet": "dim"}

#: what another way comes to; of one that leaves things open the rest is told
_AFTER = {
    Avoidability.SAFE: "makes {} safe for good",
    Avoidability.DOOMED: "after it nothing makes {} safe any more",
    None: "violates {} as well",
}


#: what a change of a condition does to its property, by whether it is a goal and whether it is true now
_CHANGES = {
    (True, True): "meets the goal of",
    (True, False): "leaves the goal of",
    (False, True): "restores",
    (False, False): "violates",
}


class _Line(NamedTuple):
    """A line before it is wrapped, and its kind: a key of STYLES, or ""; with what stands before it, and before where it goes on."""

    text: str
    kind: str = ""
    first: str = ""
    others: str = INDENT


def render_explanation(
    explanation: Explanation, *, color: bool = False, width: int | None = None, short: bool = False
) -> str:
    """An explanation as lines of text, none wider than `width` if its words are not, each ended by a newline.

    `short` leaves out steps that change no condition and no property, but for the last. With `color` the text carries rich's markup.
    """
    room = min(width or WIDTH, WIDTH)
    lines = (
        (part, STYLES.get(line.kind, "")) for line in _lines(explanation, room, short) for part in _laid(line, room)
    )
    return "".join(f"{styled(text, style) if color else text}\n" for text, style in lines)


def _laid(line: _Line, width: int) -> list[str]:
    """The lines that a line takes; items are broken between them only."""
    return unbound(wrapped(line.text, width, line.first, line.others), width, line.others + "  ") or [""]


def _lines(told: Explanation, width: int, short: bool) -> Iterator[_Line]:
    answer = _Line(f"{told.system}: {_answer(told)}", "head")
    yield answer
    yield from _instead(told)
    yield _Line("")
    if any(not step.guard for step in told.steps):
        yield _Line("a step without a reason needed no more than that its process stood there", "quiet")
    yield from _start(told)
    kept = [step for step in told.steps if not short or _tells(told, step)]
    for step in kept:
        yield _Line("")
        yield from _step(told, step)
    if len(kept) < len(told.steps):
        number = len(told.steps) - len(kept)
        yield _Line("")
        yield _Line(
            f"left out: {counted(number, 'step')} that change{'s' * (number == 1)} no condition and no property",
            "quiet",
        )
    if told.loop is not None:
        yield _Line(f"{INDENT}... and again from step {told.loop + 1}, for ever", "turn")
    if told.error is not None:
        yield _Line("")
        yield from _error(told.error, told.error_because)
    if told.waiting is not None:
        yield _Line("")
        yield from (_Line(line.text, line.kind) for line in waiting_lines(told.waiting, width))
    yield _Line("")
    yield answer


def _answer(told: Explanation) -> str:
    """What the trace shows, and until when that could be avoided, in a sentence."""
    if told.violated_at is not None:
        escape, number = told.escape, _undone(told, told.violated_at)
        until = f", and could be avoided until step {escape.step - 1}" if escape and escape.step != number else ""
        return f"{_named(told.property)} is violated {_when(told, told.violated_at)}{until}"
    if told.untold:
        about = f" of {told.property!r}" if told.property else ""
        return f"what the trace{about} does, {counted(len(told.steps), 'step')}"
    return _of_goal(told)


def _of_goal(told: Explanation) -> str:
    """Of a demand on whole runs: until when its goal was in reach."""
    goal = f"the goal of {_named(told.property)}"
    if told.lost_at is None:
        why = "nobody goes on" if told.loop is None else "what never leads there is the choices that are made"
        return f"{goal} stays in reach all along: {why}"
    return f"{goal} was in reach until step {told.lost_at - 1}" if told.lost_at else f"{goal} was never in reach"


def _when(told: Explanation, number: int) -> str:
    """Where a property is violated."""
    return "initially" if not number else f"{'in' if told.error is None else 'after'} step {number}"


def _undone(told: Explanation, number: int) -> int:
    """The step instead of which another might have been taken: one that ends the run with an error is not taken."""
    return number + (told.error is not None)


def _tells(told: Explanation, step: ExplainedStep) -> bool:
    """Whether something is to be said of a step beside what let it happen and what it kept; of the last there is."""
    last = step is told.steps[-1] or step.number == told.lost_at
    return last or bool(_broken(step) or step.formulas or step.properties)


def _start(told: Explanation) -> Iterator[_Line]:
    """What is true and what is not before the first step."""
    met = [_named(name) for name, true in told.goals.items() if true]
    for true in (True, False):
        names = [_named(name) for name, holds in told.invariants.items() if holds is true]
        yield from _listed("true initially: " if true else "false initially: ", names, "quiet" if true else "bad")
    yield from _listed("met initially: ", met, "good")
    if told.violated_at == 0:
        yield _Line(f"{_named(told.property)} is violated before anything happens", "bad")


def _step(told: Explanation, step: ExplainedStep) -> Iterator[_Line]:
    yield _Line(f"{step.process}: {step.label}", "head", f"{step.number:>2}  ")
    yield from _because("possible because ", step.guard, "quiet")
    for check in step.checks:
        if not check.holds:
            yield from _because(f"breaks {_named(check.property)}: ", check.because, "bad")
    kept = dict.fromkeys(check.property for check in step.checks if check.holds)
    yield from _listed("kept: ", (_named(name) for name in kept if name not in _broken(step)), "quiet")
    for true in (True, False):
        changed = [change.text for change in step.formulas if change.now is true]
        yield from _listed("true now: " if true else "false now: ", changed)
    for change in step.properties:
        words = _CHANGES[change.goal, change.now]
        yield from _because(f"{words} {_named(change.property)}: ", change.because, "good" if change.now else "bad")
    yield from _turn(told, step)


def _error(end: Accident, because: Sequence[Fact]) -> Iterator[_Line]:
    """The step that cannot be taken any more, and why."""
    yield from _wrapped(f"then {end.process}: {end.label}: cannot be taken", "", "head", INDENT)
    yield from _wrapped(f"{end.told} ({end.line})", REMARK, "bad", "  ")
    yield from _because("because ", because, "quiet")


def _named(name: str) -> str:
    """A property's name as it stands in a sentence."""
    return f"'{name}'" if " " in name else name


def _broken(step: ExplainedStep) -> set[str]:
    return {check.property for check in step.checks if not check.holds}


def _turn(told: Explanation, step: ExplainedStep) -> Iterator[_Line]:
    """A word where the trace takes its turn for the worse."""
    if step.number == told.lost_at != told.violated_at:
        name, about_runs = _named(told.property), told.violated_at is None
        what = f"the goal of {name} is out of reach" if about_runs else f"nothing makes {name} safe any more"
        yield _Line(f"{REMARK}the point of no return: from here on {what}", "turn")


def _instead(told: Explanation) -> Iterator[_Line]:
    """What could have been done instead."""
    if told.untold:
        yield from _wrapped(f"other ways are not told: {told.untold}", "", "quiet")
    elif told.violated_at is None:
        yield from _never_met(told)
    else:
        yield from _violated(told, _undone(told, told.violated_at))


def _violated(told: Explanation, number: int) -> Iterator[_Line]:
    """Of a property of states or steps: what else was enabled where it was violated, and the last chance to avoid that."""
    if told.escape is None:
        yield from _wrapped(_inevitable(told, number), INDENT, "bad")
        return
    if told.escape.step != number:
        yield from _ways(told, number, told.instead)
    alternatives = told.instead if told.escape.step == number else told.escape.alternatives
    yield from _ways(told, told.escape.step, alternatives)
    safe = told.safe_escape
    if safe is not None and safe.step != told.escape.step:
        yield _Line(
            f"{INDENT}the last step at which one other choice makes {_named(told.property)} safe for good:", "head"
        )
        yield from _ways(told, safe.step, safe.alternatives)


def _inevitable(told: Explanation, number: int) -> str:
    """That nothing ever made the property safe, and what a run can do that never violates it all the same."""
    name = _named(told.property)
    if not number:
        return "nothing could have been done: it is so before anything happens"
    if not told.evasions:
        return f"nothing could have been done: whatever happens, {name} is violated"
    what = listed([evasion.value for evasion in told.evasions], "or")
    return f"nothing makes {name} safe for good: a run that never violates it {what}"


def _never_met(told: Explanation) -> Iterator[_Line]:
    """Of a demand on whole runs: how its goal could have been kept in reach."""
    if told.escape is not None:
        yield from _ways(told, told.escape.step, told.escape.alternatives)


def _ways(told: Explanation, number: int, ways: Sequence[Alternative]) -> Iterator[_Line]:
    """Other ways; of the best one that leaves things open, every step that it takes to where all is well."""
    if not ways:
        yield _Line(f"{INDENT}no other step could be taken instead of {_numbered(told, number)}")
        return
    yield _Line(f"{INDENT}instead of {_numbered(told, number)}:")
    for place, way in enumerate(ways):
        kind = "good" if way.avoidability in (Avoidability.SAFE, Avoidability.AVOIDABLE) else ""
        yield from _wrapped(f"{way.process}: {way.label} ({_comes_to(told, way)})", REMARK, kind, "  ")
        for step in way.rest if place == 0 else ():
            yield from _wrapped(f"then {step}", REMARK + INDENT, "", "  ")


def _numbered(told: Explanation, number: int) -> str:
    return f"step {number}" if number <= len(told.steps) else "running into the error"


def _comes_to(told: Explanation, way: Alternative) -> str:
    if way.avoidability is not Avoidability.AVOIDABLE:
        return _AFTER[way.avoidability].format(_named(told.property))
    name, ending = _named(told.property), "s" * (len(way.rest) == 1)
    if not way.rest:
        return f"the goal of {name} is met"
    does = f"meet{ending} the goal of {name}" if told.violated_at is None else f"make{ending} {name} safe"
    return f"{counted(len(way.rest), 'more step')} {does}"


# -- layout ----------------------------------------------------------------------------------------


def _because(head: str, facts: Iterable[Fact], kind: str) -> Iterator[_Line]:
    """Facts after a word; nothing if there are none, unless something bad must be said."""
    items = [str(fact) for fact in facts]
    if items or kind != "quiet":
        yield from _listed(head, items or ["by where its process stands alone"], kind)


def _listed(head: str, items: Iterable[str], kind: str = "") -> Iterator[_Line]:
    """Items after a word, wrapped between them only; nothing if there are none."""
    kept = ", ".join(item.replace(" ", "\xa0") for item in items)
    if kept:
        yield _Line(head + kept, kind, REMARK, REMARK + "  ")


def _wrapped(text: str, indent: str, kind: str = "", deeper: str = "") -> Iterator[_Line]:
    yield _Line(text, kind, indent, indent + deeper)
