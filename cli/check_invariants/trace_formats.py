"""The formats in which a trace leaves: the one table of their names, suffixes and renderers, for every command that writes a trace.

What renders is loaded when it is asked for: help texts need nothing but the names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from draincheck.run import Run
    from draincheck.subject import About, Subject
    from draincheck.verdict import Outcome

__all__ = ["DEFAULT", "TRACE_FORMATS", "Exhibit", "TraceFormat", "trace_format_of"]


class Exhibit(NamedTuple):
    """A trace that leaves, with all that a format may want to say of it.

    Attributes:
        run: the trace, executed.
        subject: what it is a trace of.
        outcome: the verdict that it shows; None if it shows none.
        short: whether steps that change nothing are left out.
        path: where it goes; `-` for standard output.
        fixed: of a test, whether it is to pass as soon as the bug is gone; else it passes as long as the bug is there.
    """

    run: Run
    subject: Subject
    outcome: Outcome | None = None
    short: bool = False
    path: str = "-"
    fixed: bool = False

    @property
    def about(self) -> About:
        """What a reader has to know who has nothing else, with the version that says so."""
        from msgspec.structs import replace

        from draincheck import __version__

        return replace(self.subject.about, tool=f"check-invariants {__version__}")


class TraceFormat(NamedTuple):
    """A format.

    Attributes:
        suffix: what the names of its files end in.
        render: the text of the file.
        shortens: whether it can leave steps out (`Exhibit.short`).
    """

    suffix: str
    render: Callable[[Exhibit], str]
    shortens: bool = False


def _text(given: Exhibit) -> str:
    from draincheck.report.text import render_trace

    return render_trace(given.run, about=given.about, short=given.short)


def _markdown(given: Exhibit) -> str:
    from draincheck.report.trace_markdown import trace_in_markdown

    return trace_in_markdown(given.run, given.about, short=given.short)


def _json(given: Exhibit) -> str:
    from draincheck.report.jsontrace import write_trace

    return write_trace(given.run, source=given.subject.source(), verdict=given.outcome)


def _svg(given: Exhibit) -> str:
    from draincheck.report.trace_svg import trace_svg

    return trace_svg(given.run, given.about, short=given.short)


def _mermaid(given: Exhibit) -> str:
    from draincheck.report.mermaid import sequence_diagram

    return sequence_diagram(given.run, given.about, short=given.short)


def _perfetto(given: Exhibit) -> str:
    from draincheck.report.perfetto import trace_in_perfetto

    return trace_in_perfetto(given.run, given.about)


def _dot(given: Exhibit) -> str:
    from draincheck.report.trace_dot import trace_in_dot

    return trace_in_dot(given.run, given.about, short=given.short)


def _html(given: Exhibit) -> str:
    from check_invariants.explorer import page_of_run

    return page_of_run(given)


def _itf(given: Exhibit) -> str:
    from draincheck.export.itf import trace_in_itf

    return trace_in_itf(given.run, given.about, given.outcome)


def _pytest(given: Exhibit) -> str:
    from draincheck.conformance.reproduced import reproduced
    from draincheck.export.regression_test import regression_test

    run, subject = given.run, given.subject
    on_core = partial(reproduced, subject=subject)
    return regression_test(run, subject, given.about, on_core, path=given.path, fixed=given.fixed)


def _qemu(given: Exhibit) -> str:
    from click import UsageError

    from draincheck.errors import ExportError
    from draincheck.export.qemu_script import qemu_script
    from drainspecs.mirror.code_base import CodeBase

    if not isinstance(given.subject, CodeBase):
        raise UsageError("a model of your own is no QEMU: only traces of code bases can be tried on one")
    try:
        return qemu_script(given.run, given.subject.scenario, given.subject.title)
    except ExportError as error:
        raise UsageError(str(error)) from error


#: every format by its name, in the order in which help texts list them
TRACE_FORMATS: Final[Mapping[str, TraceFormat]] = {
    "text": TraceFormat(".txt", _text, shortens=True),
    "markdown": TraceFormat(".md", _markdown, shortens=True),
    "json": TraceFormat(".json", _json),
    "itf": TraceFormat(".itf.json", _itf),
    "svg": TraceFormat(".svg", _svg, shortens=True),
    "mermaid": TraceFormat(".mmd", _mermaid, shortens=True),
    "perfetto": TraceFormat(".perfetto.json", _perfetto),
    "dot": TraceFormat(".dot", _dot, shortens=True),
    "html": TraceFormat(".html", _html),
    "pytest": TraceFormat(".py", _pytest),
    "qemu": TraceFormat(".qemu.py", _qemu),
}

#: suffixes of pictures that nobody makes here
PICTURES: Final = (".png", ".pdf", ".jpg", ".jpeg", ".gif", ".webp", ".ps", ".eps")

#: what a file is whose suffix says nothing
DEFAULT: Final = "json"


def trace_format_of(path: str) -> str:
    """The format that a file's suffix means; of suffixes that fit, the longest counts (`.itf.json` before `.json`)."""
    if path.lower().endswith(PICTURES):
        from click import UsageError

        raise UsageError(
            f"no trace is drawn as {path.rpartition('.')[2]}: .svg is the picture, which browsers turn into others"
        )
    fitting = [name for name, form in TRACE_FORMATS.items() if path.lower().endswith(form.suffix)]
    return max(fitting, key=lambda name: len(TRACE_FORMATS[name].suffix), default=DEFAULT)
