"""GitHub's log of a step: a line in it may be a command, whoever has printed it.

So commands are stopped while a model may print, by a word that it cannot know, and what else goes to standard error goes the same way as
standard output: GitHub reads the two in no order. Where standard output is a document, the log is standard error.
"""

from __future__ import annotations

import secrets

from check_invariants import standard
from check_invariants.documents import emit_document

__all__ = ["pause", "tell"]


class _State:
    """The word that ends a pause; "" if there is none."""

    word: str = ""


def pause(on_stdout: bool) -> None:
    """No line is a command from here on."""
    if on_stdout:
        standard.join()
    _State.word = secrets.token_hex(16)
    _print(f"::stop-commands::{_State.word}\n", on_stdout)


def tell(commands: str, on_stdout: bool) -> None:
    """Print commands, each on a line; a pause ends before them."""
    _print((f"::{_State.word}::\n" if _State.word else "") + commands, on_stdout)
    _State.word = ""


def _print(text: str, on_stdout: bool) -> None:
    if on_stdout:
        emit_document(text)
    else:
        standard.note(text, whole=True)
