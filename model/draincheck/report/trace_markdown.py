"""A trace as Markdown, to be pasted into a bug report or a commit message's discussion."""

from __future__ import annotations

from draincheck.report.heading import REPRODUCE, facts_of
from draincheck.report.markdown import code, fenced, prose
from draincheck.report.text import render_trace
from draincheck.run import Run
from draincheck.subject import About

__all__ = ["trace_in_markdown"]


def trace_in_markdown(run: Run, about: About, *, short: bool = False) -> str:
    """Six lines on what it is, and the trace as it stands in text."""
    facts = (
        f"- **{name}:** {code(text) if name == REPRODUCE else prose(text)}\n" for name, text in facts_of(run, about)
    )
    return f"{''.join(facts)}\n{fenced(render_trace(run, short=short), 'text')}"
