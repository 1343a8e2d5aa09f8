"""An explanation as text: each step with what let it happen and what it changed, then what could have been done instead.

18  guest: kicks for write[0.0]
        true now: eventfd[0], write[0.0] == ring
        the point of no return: until here S1 could be kept
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import NamedTuple

from draincheck.explain import Escape, ExplainedStep, Explanation, Fact
from draincheck.fates import Fate

__all__ = ["render_explanation"]

#: lines are wrapped here
WIDTH = 100
#: where the text of a step begins, and where what is said about it does
INDENT, REMARK = " " * 4, " " * 8

#: how each kind of line looks in colour (styles of rich)
STYLES = {"head": "bold", "bad": "bold red", "turn": "bold yellow", "good": "green", "quiet": "dim"}

_AFTER = {Fate.SAFE: "{} can no longer be violated", Fate.OPEN: "{} can still be kept"}


class _Line(NamedTuple):
    """A line and its kind: a key of STYLES, or ""."""

    text: str
    kind: str = ""


def render_explanation(explanation: Explanation, *, color: bool = False) -> str:
    """An explanation as lines of text, each ended by a newline. With `color` the text carries rich's markup."""
    lines = list(_lines(explanation))
    return "".join(f"{_painted(line) if color else line.text}\n" for line in lines)


def _lines(told: Explanation) -> Iterator[_Line]:
    count = f"{len(told.steps)} step{'' if len(told.steps) == 1 else 's'}"
    about = f"what the trace of {told.property!r} does" if told.property else "what the trace does"
    yield _Line(f"{told.system}: {about}, {count}", "head")
    yield from _start(told)
    for step in told.steps:
        yield _Line("")
        yield from _step(told, step)
    if told.loop is not None:
        yield _Line(f"{INDENT}... and again from step {told.loop + 1}, for ever", "turn")
    yield _Line("")
    yield from _instead(told)


def _start(told: Explanation) -> Iterator[_Line]:
    """What is true and what is not before the first step."""
    false = [name for name, true in told.invariants.items() if not true]
    met = [name for name, true in told.goals.items() if true]
    yield from _listed("false initially: ", false, "bad")
    yield from _listed("met initially: ", met, "good")
    if told.violated_at == 0:
        yield _Line(f"{told.property} is violated before anything happens", "bad")


def _step(told: Explanation, step: ExplainedStep) -> Iterator[_Line]:
    head = wrap(f"{step.process}: {step.label}", WIDTH - len(INDENT), break_long_words=False, break_on_hyphens=False)
    yield _Line(f"{step.number:>2}  {head[0]}", "head")
    yield from (_Line(f"{INDENT}{line}", "head") for line in head[1:])
    yield from _because("possible because ", step.guard, "quiet")
    for check in step.checks:
        if not check.holds:
            yield from _because(f"breaks {check.property}: ", check.because, "bad")
    kept = dict.fromkeys(check.property for check in step.checks if check.holds)
    yield from _listed("kept: ", (name for name in kept if name not in _broken(step)), "quiet")
    for true in (True, False):
        changed = [change.text for change in step.formulas if change.now is true]
        yield from _listed("true now: " if true else "false now: ", changed)
    for change in step.properties:
        words = (
            ("meets the goal of" if change.now else "leaves the goal of")
            if change.goal
            else "restores"
            if change.now
            else "violates"
        )
        yield from _because(f"{words} {change.property}: ", change.because, "good" if change.now else "bad")
    yield from _turn(told, step)


def _broken(step: ExplainedStep) -> set[str]:
    return {check.property for check in step.checks if not check.holds}


def _turn(told: Explanation, step: ExplainedStep) -> Iterator[_Line]:
    """A word where the trace takes its turn for the worse."""
    if step.number == told.lost_at != told.violated_at:
        yield _Line(f"{REMARK}the point of no return: from here on {told.property} cannot be kept", "turn")


def _instead(told: Explanation) -> Iterator[_Line]:
    """What could have been done instead."""
    if told.untold:
        yield from _wrapped(f"what could have been done instead: {told.untold}", "", "quiet")
        return
    yield _Line(f"{told.property} is violated {_where(told.violated_at)}; what could have been done instead:", "head")
    if told.escape is None:
        yield _Line(f"{INDENT}nothing: whatever is done, {told.property} is violated", "bad")
        return
    yield from _ways(told, told.escape)
    if told.safe_escape is not None and told.safe_escape.step != told.escape.step:
        yield from _ways(told, told.safe_escape)


def _where(number: int | None) -> str:
    return f"in step {number}" if number else "initially"


def _ways(told: Explanation, escape: Escape) -> Iterator[_Line]:
    yield _Line(f"{INDENT}instead of step {escape.step}:")
    for way in escape.alternatives:
        after = _AFTER[way.fate].format(told.property)
        yield from _wrapped(f"{way.process}: {way.label} ({after})", REMARK, "good")


# -- layout ----------------------------------------------------------------------------------------


def _because(head: str, facts: Iterable[Fact], kind: str) -> Iterator[_Line]:
    """Facts after a word; nothing if there are none, unless something bad must be said."""
    items = [str(fact) for fact in facts]
    if items or kind != "quiet":
        yield from _listed(head, items or ["by where its process stands alone"], kind)


def _listed(head: str, items: Iterable[str], kind: str = "") -> Iterator[_Line]:
    """Items after a word, wrapped between them only; nothing if there are none."""
    kept = [item.replace(" ", "\xa0") for item in items]
    if kept:
        for line in _wrapped(head + ", ".join(kept), REMARK, kind, "  "):
            yield line._replace(text=line.text.replace("\xa0", " "))


def _wrapped(text: str, indent: str, kind: str = "", deeper: str = "") -> Iterator[_Line]:
    lines = wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + deeper,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return (_Line(line, kind) for line in lines)


def _painted(line: _Line) -> str:
    from rich.markup import escape

    return f"[{STYLES[line.kind]}]{escape(line.text)}[/]" if line.kind and line.text else escape(line.text)
