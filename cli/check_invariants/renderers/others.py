"""A trace that other programs take up: a browser, a checker of TLA+, pytest, and a QEMU."""

from __future__ import annotations

from functools import partial

from click import UsageError

from check_invariants.explorer import page_of_run
from check_invariants.renderers import about
from check_invariants.trace_formats import Exhibit
from draincheck.conformance.reproduced import reproduced
from draincheck.errors import ExportError
from draincheck.export.itf import trace_in_itf
from draincheck.export.qemu_script import qemu_script
from draincheck.export.regression_test import regression_test
from drainspecs.mirror.code_base import CodeBase

__all__ = ["html", "itf", "pytest", "qemu"]


def html(given: Exhibit) -> str:
    """The explorer, of this trace alone."""
    return page_of_run(given)


def itf(given: Exhibit) -> str:
    """The format that TLC, Apalache and Quint share."""
    return trace_in_itf(given.run, about(given), given.outcome)


def pytest(given: Exhibit) -> str:
    """A test that replays it on the reference core."""
    run, subject = given.run, given.subject
    on_core = partial(reproduced, subject=subject)
    return regression_test(run, subject, about(given), on_core, path=given.path, fixed=given.fixed)


def qemu(given: Exhibit) -> str:
    """A script that tries it on a real QEMU."""
    if not isinstance(given.subject, CodeBase):
        raise UsageError("a model of your own is no QEMU: only traces of code bases can be tried on one")
    try:
        return qemu_script(given.run, given.subject.scenario, given.subject.title)
    except ExportError as error:
        raise UsageError(str(error)) from error
