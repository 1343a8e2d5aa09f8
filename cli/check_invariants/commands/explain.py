"""`check-invariants explain`: a trace step by step, and what could have been done instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from check_invariants.options import json_option
from check_invariants.output import emit_json, emit_markup
from check_invariants.work.trace import followed, read_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from draincheck.analysis.explain import Alternative, Escape, ExplainedStep, Explanation, Fact

__all__ = ["command"]


@click.command("explain")
@click.argument("file", metavar="FILE|-")
@json_option
def command(file: str, as_json: bool) -> None:
    """Explain a trace, step by step.

    What let each step happen, which checks and properties it broke, which conditions it made true or false. Then what else was enabled
    where the property was violated, after which step that could not be avoided any more, and what could have been done instead of that
    step, with the way from there to a state from which no path violates the property (all decided on the whole graph). `-` reads
    standard input.

    \b
    Exit codes: 0 explained; 14 the model is not the one the trace belongs to, or does not follow it;
    150 the file is malformed; 2 there is no such file.

    \b
    Example: check-invariants explain S1.json
    """
    from check_invariants.judge import compiled
    from check_invariants.selection import select_from_source
    from draincheck.analysis.explain import explain
    from draincheck.report.explain_text import render_explanation

    read = read_file(file)
    system = compiled(select_from_source(read.source))
    told = explain(followed(system, read.trace, file))
    if as_json:
        emit_json("explain", _json(told))
    else:
        emit_markup(lambda: render_explanation(told), lambda: render_explanation(told, color=True))


def _json(told: Explanation) -> dict[str, Any]:
    return {
        "model": told.system,
        "property": told.property or None,
        "invariants": dict(told.invariants),
        "goals": dict(told.goals),
        "steps": [_step_json(step) for step in told.steps],
        "loop": told.loop,
        "violated_at": told.violated_at,
        "lost_at": told.lost_at,
        "instead": [_way_json(way) for way in told.instead],
        "escape": _escape_json(told.escape),
        "safe_escape": _escape_json(told.safe_escape),
        "untold": told.untold or None,
        "exit_code": 0,
    }


def _step_json(step: ExplainedStep) -> dict[str, Any]:
    return {
        "number": step.number,
        "process": step.process,
        "label": step.label,
        "guard": _facts_json(step.guard),
        "checks": [{"property": c.property, "holds": c.holds, "because": _facts_json(c.because)} for c in step.checks],
        "properties": [
            {"property": c.property, "goal": c.goal, "now": c.now, "because": _facts_json(c.because)}
            for c in step.properties
        ],
        "formulas": [{"text": c.text, "now": c.now, "properties": list(c.properties)} for c in step.formulas],
        "fate": step.avoidability.value if step.avoidability is not None else None,
    }


def _facts_json(facts: Iterable[Fact]) -> list[dict[str, Any]]:
    return [{"text": fact.text, "values": list(fact.values)} for fact in facts]


def _escape_json(escape: Escape | None) -> dict[str, Any] | None:
    if escape is None:
        return None
    return {"step": escape.step, "alternatives": [_way_json(way) for way in escape.alternatives]}


def _way_json(way: Alternative) -> dict[str, Any]:
    return {
        "action": way.action,
        "process": way.process,
        "label": way.label,
        "fate": way.avoidability.value if way.avoidability is not None else None,
        "rest": list(way.rest),
    }
