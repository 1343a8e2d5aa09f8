"""`check-invariants why`: what it shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Any

from check_invariants.output import counted
from check_invariants.work.why import without_changes
from draincheck.knobs import shown
from draincheck.report.jsontrace import trace_to_json
from draincheck.run import Run
from drainspecs.mirror.code_base import CodeBase
from drainspecs.questions.why import Flip, KnobChange, Why

__all__ = ["to_json", "to_text"]


def to_text(selected: CodeBase, name: str, answer: Why, files: Sequence[str]) -> str:
    """The answers, each with what is to be seen, and how all sets of changes were accounted for."""
    lines = [f"{selected.title}: {name} {_outcome(answer.verdict.outcome.value)} ({answer.verdict.reason})"]
    changes = f"{counted(len(answer.changes), 'change')} since {answer.base.name}"
    if not answer.flips:
        lines.append(f"whichever of the {changes} are taken back, it stays so")
    elif answer.exposes:
        lines.append(f"what exposes it, of the {changes}: take back any one of these, and {name} holds")
    else:
        lines.append(f"what protects it, of the {changes}: take back any one of these, and {name} is violated")
    for number, flip in enumerate(answer.flips):
        lines += ["", *_flip_lines(selected, name, flip, number + 1, files[number] if files else "")]
    return "\n".join([*lines, "", *_account(answer, bool(files)), ""])


def _account(answer: Why, written: bool) -> Iterator[str]:
    """How all sets of changes were accounted for, and where to go from here."""
    sets = counted(2 ** len(answer.changes), "set")
    others = "contains one of the above or has" if answer.flips else "has"
    yield (
        f"{answer.examined} of {sets} looked at, {counted(answer.systems, 'distinct model')}; any other {others} the model of one of these"
    )
    yield from (f"left out, because no code base could be like that: {reason}" for reason in answer.objections)
    if answer.flips and not written:
        yield "--evidence DIR writes the traces and certificates"


def _outcome(word: str) -> str:
    return "is violated" if word == "violated" else word


def _flip_lines(selected: CodeBase, name: str, flip: Flip, number: int, file: str) -> Iterator[str]:
    """An answer: its changes, what comes of their removal, and how to look at that."""
    indent = " " * len(f"{number}. ")
    for place, change in enumerate(flip.changes):
        yield f"{indent if place else f'{number}. '}{change}, before that {shown(change.before)}"
        yield from (f"{indent}  {row.name}: {row.subject}" for row in change.turns)
    states = counted(flip.statistics.states, "state")
    yield (
        f"{indent}without {'it' if len(flip.changes) == 1 else 'them'} {name} {_outcome(flip.verdict.outcome.value)} "
        f"({flip.verdict.reason}; {states})"
    )
    trace = flip.verdict.trace is not None
    yield f"{indent}see: {_see(without_changes(selected, flip), name, trace)}"
    if file:
        uses = ("trace show", "explain", "replay") if trace else ("certificate check",)
        yield f"{indent}written: {file}, for check-invariants {', '.join(uses)}"


def _see(code_base: CodeBase, name: str, trace: bool) -> str:
    asked = f"{code_base.options} --property {quote(name)}"
    return f"check-invariants {'trace export' if trace else 'check'} {asked}{' --format text' if trace else ''}"


def to_json(selected: CodeBase, name: str, answer: Why, files: Sequence[str]) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "model": selected.title,
        "property": name,
        "verdict": answer.verdict.outcome.value,
        "how": str(answer.verdict.reason),
        "against": answer.base.name,
        "toggles": [_change_json(change) for change in answer.changes],
        "answers": [
            _flip_json(selected, flip, files[number] if files else None) for number, flip in enumerate(answer.flips)
        ],
        "sets": 2 ** len(answer.changes),
        "examined": answer.examined,
        "systems": answer.systems,
        "left_out": list(answer.objections),
        "exit_code": 0,
    }


def _change_json(change: KnobChange) -> dict[str, Any]:
    return {
        "knob": change.knob,
        "now": change.now,
        "before": change.before,
        "commit": change.commit or None,
        "turns": [row.name for row in change.turns],
    }


def _flip_json(selected: CodeBase, flip: Flip, file: str | None) -> dict[str, Any]:
    without, trace = without_changes(selected, flip), None
    if flip.verdict.trace is not None:
        trace = trace_to_json(
            Run.of(without.system(), flip.verdict.trace), source=without.source(), verdict=flip.verdict.outcome
        )
    return {
        "toggles": [change.knob for change in flip.changes],
        "without": flip.without.name,
        "digest": flip.digest,
        "verdict": flip.verdict.outcome.value,
        "how": str(flip.verdict.reason),
        "states": flip.statistics.states,
        "trace": trace,
        "evidence": file,
    }
