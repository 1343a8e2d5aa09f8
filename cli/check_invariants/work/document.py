"""What the check of a subject found, as JSON values."""

from __future__ import annotations

from check_invariants.documents import Document
from check_invariants.words import Listed
from check_invariants.work.findings import Checked
from draincheck.checking import Finding, Result
from draincheck.report.jsontrace import trace_to_json
from draincheck.report.waiting import waiting_of
from draincheck.revisions import substitutes
from drainspecs.mirror.code_base import CodeBase

__all__ = ["document"]


def document(found: Checked, traces: bool) -> Document:
    """The same as JSON values."""
    return {
        "answer": found.answer,
        "model": found.result.system.name,
        "digest": found.result.system.digest,
        "source": found.subject.source(),
        "substitutes": substitutes([found.subject.revision] if isinstance(found.subject, CodeBase) else []),
        "outcome": found.impact,
        "warnings": found.result.warnings,
        **_search_json(found.result),
        "properties": [_property_json(found, item, traces) for item in found.result.findings],
    }


def _search_json(result: Result) -> Document:
    """What explicit search did; null for the other engines."""
    if result.exploration is None:
        return {"statistics": None, "reduction": "", "never_taken": None}
    s = result.exploration.statistics
    counts = {"states": s.states, "transitions": s.transitions, "depth": s.depth, "queue": s.queue, "widest": s.widest}
    return {
        "statistics": {**counts, "seconds": round(s.seconds, 4), "bytes": s.bytes},
        "reduction": result.exploration.reduction,
        "never_taken": [
            {"process": step.process, "label": step.label, "file": step.line.file, "line": step.line.line}
            for step in result.never_taken
        ],
    }


def _property_json(found: Checked, item: Finding, traces: bool) -> Document:
    run, shown = found.runs.get(item.name), None
    if traces and run is not None:
        shown = trace_to_json(run, source=found.subject.source(), verdict=item.outcome)
    return {
        "name": item.name,
        "kind": type(item.item).__name__,
        "meaning": item.item.meaning,
        "source": item.item.source,
        **Listed(item.name, item.verdict, item.expectation).to_json(),
        "limits": found.subject.limits(item.name, item.outcome),
        "trace": shown,
        "waiting": None if run is None else waiting_of(run),
    }
