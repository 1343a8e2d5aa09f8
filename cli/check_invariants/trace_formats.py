"""The formats in which a trace leaves: the one table of their names, suffixes and renderers, for every command that writes a trace.

What renders is loaded when it is asked for: help texts need nothing but the names.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple

from click import UsageError

if TYPE_CHECKING:
    from draincheck.run import Run
    from draincheck.subject import Subject
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


class TraceFormat(NamedTuple):
    """A format.

    Attributes:
        suffix: what the names of its files end in.
        renderer: the function that makes the text of the file, in a module of `check_invariants.renderers`.
        shortens: whether it can leave steps out (`Exhibit.short`).
    """

    suffix: str
    renderer: str
    shortens: bool = False

    def render(self, given: Exhibit) -> str:
        """The text of the file. Raises UsageError where this format cannot say it."""
        module, name = self.renderer.split(".")
        text: str = getattr(import_module(f"check_invariants.renderers.{module}"), name)(given)
        return text


#: every format by its name, in the order in which help texts list them
TRACE_FORMATS: Final[Mapping[str, TraceFormat]] = {
    "text": TraceFormat(".txt", "plain.text", shortens=True),
    "markdown": TraceFormat(".md", "plain.markdown", shortens=True),
    "json": TraceFormat(".json", "plain.json"),
    "itf": TraceFormat(".itf.json", "others.itf"),
    "svg": TraceFormat(".svg", "drawn.svg", shortens=True),
    "mermaid": TraceFormat(".mmd", "drawn.mermaid", shortens=True),
    "perfetto": TraceFormat(".perfetto.json", "drawn.perfetto"),
    "dot": TraceFormat(".dot", "drawn.dot", shortens=True),
    "html": TraceFormat(".html", "others.html"),
    "pytest": TraceFormat(".py", "others.pytest"),
    "qemu": TraceFormat(".qemu.py", "others.qemu"),
}

#: suffixes of pictures that nobody makes here
PICTURES: Final = (".png", ".pdf", ".jpg", ".jpeg", ".gif", ".webp", ".ps", ".eps")

#: what a file is whose suffix says nothing
DEFAULT: Final = "json"


def trace_format_of(path: str) -> str:
    """The format that a file's suffix means; of suffixes that fit, the longest counts (`.itf.json` before `.json`)."""
    if path.lower().endswith(PICTURES):
        raise UsageError(
            f"no trace is drawn as {path.rpartition('.')[2]}: .svg is the picture, which browsers turn into others"
        )
    fitting = [name for name, form in TRACE_FORMATS.items() if path.lower().endswith(form.suffix)]
    return max(fitting, key=lambda name: len(TRACE_FORMATS[name].suffix), default=DEFAULT)
