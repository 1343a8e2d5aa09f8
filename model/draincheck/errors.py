"""Every way this library says no: one class a cause, each with a message that names place, cause and next step."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ModelError", "SourceLine", "TraceError"]


@dataclass(frozen=True, slots=True)
class SourceLine:
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


class TraceError(Exception):
    """A trace that cannot be read, or that the model it names does not follow."""
