"""Every way this library says no: one class a cause, each with a message that names place, cause and next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from draincheck.reason import Stop

__all__ = [
    "CertificateError",
    "ClaimError",
    "DrawingError",
    "EvidenceError",
    "ExportError",
    "ForeignProgram",
    "GraphTooLarge",
    "LogError",
    "MalformedModel",
    "ModelError",
    "ModelFault",
    "NoModelName",
    "NoSolver",
    "NoSuchModel",
    "NotInstalled",
    "OutOfBudget",
    "QemuError",
    "SidecarError",
    "SourceLine",
    "SpaceTooLarge",
    "TraceError",
    "UnfitParameters",
    "UnknownName",
    "Unreadable",
    "WorkerLost",
]


class SourceLine(Struct, frozen=True, gc=False):
    """A place in a Python file: where a step of a model was written."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class ModelError(Exception):
    """A model that cannot be built or run: unknown variable, type mismatch, value out of range, re-entered coroutine.

    Attributes:
        line: the source line of the step at fault, if known.
        process: the process at fault, if known.
    """

    def __init__(self, message: str, line: SourceLine | None = None, process: str | None = None) -> None:
        self.message = message
        self.line = line
        self.process = process
        super().__init__(f"{line}: {message}" if line else message)

    def __reduce__(self) -> tuple[type[ModelError], tuple[str, SourceLine | None, str | None]]:
        """Other processes can send it."""
        return type(self), (self.message, self.line, self.process)


class NoSuchModel(Exception):
    """A name that leads to no model: no such file, or no such function in it."""


class NoModelName(NoSuchModel):
    """A text that is no name of a model at all."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not of the form MODEL.py:FUNCTION")
        self.text = text

    def __reduce__(self) -> tuple[type[NoModelName], tuple[str]]:
        """Other processes can send it."""
        return type(self), (self.text,)


class MalformedModel(Exception):
    """A file of a user's that makes no model, or a name in a file that no model can be built from."""


class ForeignProgram(Exception):
    """A file is about a model that is a program, of this name, which nobody but the user can ask to run."""

    def __init__(self, name: str) -> None:
        super().__init__(f"it is about a program, {name!a}, which is run only if you name it")
        self.name = name


class UnfitParameters(Exception):
    """Values that the function which makes a model does not take; the message says what it takes."""


class UnknownName(ValueError):
    """A name that is not in the table; the message says the nearest ones."""


class NoSolver(Exception):
    """A solver that is not known."""


class NotInstalled(Exception):
    """A package that not every installation has is wanted; the message says how it is got."""


class Unreadable(Exception):
    """A text that a solver does not understand."""


class WorkerLost(RuntimeError):
    """A process that worked for this one has ended by itself, or somebody has ended it (out of memory, for instance)."""

    def __init__(self, how: str) -> None:
        self.how = how
        super().__init__(f"a process that worked for this one was ended ({how}); was there enough memory?")


class LogError(Exception):
    """A log that is none, that cannot be unpacked, or whose known events do not say what they should; or a file of formats that is none."""


class SidecarError(Exception):
    """What was recorded beside a log cannot be laid beside it: another clock, another time, another QEMU."""


class QemuError(Exception):
    """A QEMU that cannot be started, does not answer, or has ended by itself."""


class CertificateError(Exception):
    """A certificate that cannot be read, or that cannot be made: what it should prove is not so, or not known to be so."""


class ClaimError(Exception):
    """A claim that says something else than the definitions it should."""


class DrawingError(RuntimeError):
    """Graphviz is not installed, or failed."""


class ExportError(Exception):
    """A system that a format of others cannot hold: numbers too large for it, or terms too long."""


class TraceError(Exception):
    """A trace that cannot be read, or that the model it names does not follow."""


class EvidenceError(AssertionError):
    """An engine's claim that its own system does not bear out: an error of the engine, never of the model."""


class GraphTooLarge(ModelError):
    """A system with more states than are sensible in a graph, or than were asked for."""


class SpaceTooLarge(ModelError):
    """More code bases than a sweep takes."""


class OutOfBudget(Exception):
    """A limit of time or memory is reached in the middle of something that has no result before its end; `stop` says which."""

    def __init__(self, stop: Stop) -> None:
        self.stop = stop
        super().__init__(str(stop))

    def __reduce__(self) -> tuple[type[OutOfBudget], tuple[Stop]]:
        """Other processes can send it."""
        return type(self), (self.stop,)


class ModelFault(ModelError):
    """A reachable step runs into an error (a value leaves its range, a coroutine is re-entered): raised by who rests on a model without."""
