"""`check-invariants explain`: what it does and shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from msgspec import to_builtins
from msgspec.structs import asdict

from check_invariants.documents import Document, emit_json
from check_invariants.exit import ExitCode
from check_invariants.options import refuse_short
from check_invariants.output import emit, emit_markup
from check_invariants.work.trace import Followed, with_parameters
from draincheck.analysis.explain import Alternative, Escape, ExplainedStep, Explanation, explain
from draincheck.report.explain_text import render_explanation
from draincheck.report.jsontrace import accident_json
from draincheck.report.waiting import waiting_json

if TYPE_CHECKING:
    from check_invariants.selectors import OwnModel


def command(file: str, *, short: bool, as_json: bool, **own: Unpack[OwnModel]) -> ExitCode:
    """Explain the trace in a file."""
    refuse_short(short, as_json)
    _, subject, run, _ = Followed.of(file, **own)
    told = explain(run)
    if as_json:
        emit_json("explain", {"source": dict(subject.source()), **_json(told)}, ExitCode.OK)
    else:
        emit(with_parameters(subject))
        emit_markup(lambda color, width: render_explanation(told, color=color, width=width, short=short))
    return ExitCode.OK


def _json(told: Explanation) -> Document:
    fields = asdict(told)
    return {
        "model": fields.pop("system"),
        **fields,
        "property": told.property or None,
        "steps": list(map(_with_fate, told.steps)),
        "instead": list(map(_with_fate, told.instead)),
        "escape": _escape_json(told.escape),
        "safe_escape": _escape_json(told.safe_escape),
        "evasions": to_builtins(told.evasions),
        "untold": told.untold or None,
        "waiting": None if told.waiting is None else waiting_json(told.waiting),
        "error": None if told.error is None else accident_json(told.error),
        "error_because": to_builtins(told.error_because),
    }


def _with_fate(item: ExplainedStep | Alternative) -> Document:
    """The fields of a step, or of another that could be taken; how avoidable the violation is after it is called its fate here."""
    return {"fate" if name == "avoidability" else name: value for name, value in to_builtins(item).items()}


def _escape_json(escape: Escape | None) -> Document | None:
    return None if escape is None else {"step": escape.step, "alternatives": list(map(_with_fate, escape.alternatives))}
