"""A trace to be read, by people and by this program."""

from __future__ import annotations

from check_invariants.renderers import about
from check_invariants.trace_formats import Exhibit
from draincheck.report.jsontrace import write_trace
from draincheck.report.text import render_trace
from draincheck.report.trace_markdown import trace_in_markdown

__all__ = ["json", "markdown", "text"]


def text(given: Exhibit) -> str:
    """What a terminal shows."""
    return render_trace(given.run, about=about(given), short=given.short)


def markdown(given: Exhibit) -> str:
    """For an issue, or a mail."""
    return trace_in_markdown(given.run, about(given), short=given.short)


def json(given: Exhibit) -> str:
    """What `replay`, `explain` and the others read."""
    return write_trace(given.run, source=given.subject.source(), verdict=given.outcome)
