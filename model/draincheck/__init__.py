"""Model checking of the drain invariant of QEMU's event loop.

    >>> from draincheck import Model, check
    >>> m = Model("two steps")
    >>> n = m.int("n", 0, 2)
    >>> with m.thread("main") as p:
    ...     p.do("one", n.inc())
    ...     p.do("two", n.inc())
    >>> m.always("small", n < 2)
    >>> print(check(m)["small"].verdict.reason)
    shortest counterexample: 2 actions

The names below are the library's face (PYTHON.md shows what to do with them); each is imported when it is used for the first time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from draincheck.analysis.explain import explain
    from draincheck.analysis.quotient import merged_graph
    from draincheck.analysis.transition_graph import transition_graph
    from draincheck.certificate import Certificate, certify, check_certificate
    from draincheck.checking import Finding, Result, check
    from draincheck.errors import ModelError, ModelFault, TraceError
    from draincheck.lang import Model, variant
    from draincheck.model_file import ModelFile
    from draincheck.reductions.wanted import Reductions
    from draincheck.report.jsontrace import read_trace, write_trace
    from draincheck.report.text import render_trace
    from draincheck.run import Run, Trace
    from draincheck.schedule import Schedule
    from draincheck.subject import Expectation, Subject
    from draincheck.system import TransitionSystem
    from draincheck.verdict import Limits, Outcome, Verdict

__all__ = [
    "Certificate",
    "Expectation",
    "Finding",
    "Limits",
    "Model",
    "ModelError",
    "ModelFault",
    "ModelFile",
    "Outcome",
    "Reductions",
    "Result",
    "Run",
    "Schedule",
    "Subject",
    "Trace",
    "TraceError",
    "TransitionSystem",
    "Verdict",
    "certify",
    "check",
    "check_certificate",
    "explain",
    "merged_graph",
    "read_trace",
    "render_trace",
    "transition_graph",
    "variant",
    "write_trace",
]

__version__ = "0.1.0"

#: where each name lives
_HOMES = {
    "analysis.explain": ("explain",),
    "analysis.quotient": ("merged_graph",),
    "analysis.transition_graph": ("transition_graph",),
    "certificate": ("Certificate", "certify", "check_certificate"),
    "checking": ("Finding", "Result", "check"),
    "errors": ("ModelError", "ModelFault", "TraceError"),
    "lang": ("Model", "variant"),
    "model_file": ("ModelFile",),
    "reductions.wanted": ("Reductions",),
    "report.jsontrace": ("read_trace", "write_trace"),
    "report.text": ("render_trace",),
    "run": ("Run", "Trace"),
    "schedule": ("Schedule",),
    "subject": ("Expectation", "Subject"),
    "system": ("TransitionSystem",),
    "verdict": ("Limits", "Outcome", "Verdict"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """One of the names of `__all__`, from its home."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'draincheck' has no attribute {name!r}")
    return getattr(import_module(f"draincheck.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
