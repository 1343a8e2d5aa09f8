"""A trace to be looked at: diagrams with a lane for each thread."""

from __future__ import annotations

from check_invariants.renderers import about
from check_invariants.trace_formats import Exhibit
from draincheck.report.mermaid import sequence_diagram
from draincheck.report.perfetto import trace_in_perfetto
from draincheck.report.trace_dot import trace_in_dot
from draincheck.report.trace_svg import trace_svg

__all__ = ["dot", "mermaid", "perfetto", "svg"]


def svg(given: Exhibit) -> str:
    """A picture."""
    return trace_svg(given.run, about(given), short=given.short)


def mermaid(given: Exhibit) -> str:
    """A picture that GitHub and GitLab draw themselves."""
    return sequence_diagram(given.run, about(given), short=given.short)


def perfetto(given: Exhibit) -> str:
    """Tracks for ui.perfetto.dev."""
    return trace_in_perfetto(given.run, about(given))


def dot(given: Exhibit) -> str:
    """A picture that Graphviz draws."""
    return trace_in_dot(given.run, about(given), short=given.short)
