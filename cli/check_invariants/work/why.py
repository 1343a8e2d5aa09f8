"""`check-invariants why`: what it does and shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Any

import click
from msgspec.structs import replace

from check_invariants.exit import Interrupted, MalformedInput
from check_invariants.output import Counter, counted, make_directory, write_to
from check_invariants.selection import probes_of_states
from draincheck.errors import ModelError
from draincheck.knobs import UnknownName, shown
from draincheck.report.jsontrace import trace_to_json, write_trace
from draincheck.revisions import find_revision
from draincheck.run import Run
from drainspecs.mirror.code_base import CodeBase
from drainspecs.questions.why import Flip, KnobChange, Why

__all__ = ["ask", "the_property", "to_json", "to_text", "without_changes", "write_evidence"]


def the_property(properties: Sequence[str]) -> str:
    """The one property that is asked about. Raises UsageError."""
    if len(properties) > 1:
        raise click.UsageError("a reason is for one verdict: name one property")
    return properties[0] if properties else "S1"


def ask(selected: CodeBase, name: str, against: str, jobs: int | None) -> Why:
    """The answers. Raises BadParameter, MalformedInput and Interrupted."""
    from drainspecs.questions.why import why

    try:
        base = find_revision(against)
    except UnknownName as error:
        raise click.BadParameter(str(error), param_hint="'--against'") from error
    probes = probes_of_states(selected, "why")
    counter = Counter("sets of changes looked at")
    try:
        with counter:
            return why(
                selected.turned,
                selected.scenario,
                name,
                base=base,
                probes=probes,
                advance=counter.advance,
                processes=jobs,
            )
    except ModelError as error:
        raise MalformedInput(f"{selected.title}: {error}") from error
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted after {counter.done} sets of changes: there may be more answers") from error


def write_evidence(selected: CodeBase, name: str, answer: Why, directory: str) -> list[str]:
    """A file for each answer. Raises NotWritable."""
    make_directory(directory)
    paths = [
        str(Path(directory) / f"without-{'+'.join(t.knob for t in flip.changes)}{_suffix(flip)}")
        for flip in answer.flips
    ]
    for path, flip in zip(paths, answer.flips, strict=True):
        write_to(path, _evidence(without_changes(selected, flip), name, flip))
    return paths


def _suffix(flip: Flip) -> str:
    return ".smt2" if flip.verdict.trace is None else ".json"


def _evidence(without: CodeBase, name: str, flip: Flip) -> str:
    """The text of a certificate, or of a trace file."""
    from draincheck.certificate import make

    if flip.verdict.trace is None:
        return make(without.system(), [name], source=without.source()).text
    return write_trace(
        Run.of(without.system(), flip.verdict.trace), source=without.source(), verdict=flip.verdict.outcome
    )


def without_changes(selected: CodeBase, flip: Flip) -> CodeBase:
    """The code base after removal, as options name it."""
    removed = {change.knob: change.before for change in flip.changes}
    order = removed.pop("order", selected.order)
    assert order is None or isinstance(order, str)
    return replace(selected, order=order, settings={**selected.settings, **removed})


# -- what it shows ---------------------------------------------------------------------------------


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
