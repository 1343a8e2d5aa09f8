"""Documents for programs, on standard output and as text: JSON that names its format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from check_invariants import standard
from check_invariants.exit import ExitCode, NotWritable
from draincheck.escape import harmless

__all__ = ["Document", "Json", "emit_document", "emit_json", "json_text", "put", "whole"]

#: what a document is made of
Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Document: TypeAlias = dict[str, Json]

#: goes up whenever a reader of the documents before could misunderstand one
VERSION = 1


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
    """Print one JSON document, which ends with the exit code, if it says one."""
    emit_document(_written(whole(kind, content, code)))


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
