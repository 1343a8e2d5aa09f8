"""Documents for programs, on standard output and as text: JSON that names its format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from check_invariants import standard
from check_invariants.exit import ExitCode, NotWritable, ending
from draincheck.budget import interrupted
from draincheck.escape import harmless
from draincheck.reason import Stop, StopKind

__all__ = ["Document", "Json", "begin", "code_said", "emit_document", "emit_json", "json_text", "put", "whole"]

#: what a document is made of
Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Document: TypeAlias = dict[str, Json]

#: goes up whenever a reader of the documents before could misunderstand one
VERSION = 1


class _State:
    """What is known of the document of one command."""

    said: ExitCode | None = None


def emit_document(text: str) -> None:
    """Print text for programs, as it is. Raises NotWritable."""
    put(harmless(text))


def put(text: str) -> None:
    """Print text as it is. Raises NotWritable."""
    try:
        standard.write(text)
    except OSError as error:
        standard.let_go()
        if not isinstance(error, BrokenPipeError):
            raise NotWritable(f"standard output cannot be written: {error.strerror}") from error


def emit_json(kind: str, content: Document, code: ExitCode | None = None) -> None:
    """Print one JSON document, which ends with the exit code, if it says one: what that comes to where somebody did not wait for the end."""
    if code is not None:
        _State.said = code = ending([code], Stop(StopKind.REQUEST)) if interrupted() else code
    emit_document(_written(whole(kind, content, code)))


def begin() -> None:
    """A command begins: no document has said yet what it ends with."""
    _State.said = None


def code_said() -> ExitCode | None:
    """The exit code in the document that was printed; None if none was, or it says none."""
    return _State.said


def json_text(kind: str, content: Document) -> str:
    """A JSON document as text."""
    return _written(whole(kind, content))


def _written(document: Document) -> str:
    from json import dumps  # which nobody who reads the answer needs

    return dumps(document, indent=2) + "\n"


def whole(kind: str, content: Document, code: ExitCode | None = None) -> Document:
    """A JSON document that names its format, `check-invariants/KIND`, and version, and ends with the exit code, if it says one."""
    ending = {} if code is None else {"exit_code": int(code)}
    return {"format": f"check-invariants/{kind}", "version": VERSION, **content, **ending}
