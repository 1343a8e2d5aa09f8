"""What somebody meant who has written something else."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import Final

import click

from draincheck.errors import UnknownName
from draincheck.names import nearest
from draincheck.revisions import code_bases, find_revision

__all__ = ["code_base_meant", "folder_meant", "no_command", "taking"]

#: a release, or a hash as Git shortens it at the most
LIKE: Final = re.compile(r"v?\d+\.\d+(\.\d+)?(-rc\d+)?|[0-9a-f]{7,40}(~\d*)?")


def no_command(word: str, known: list[str], is_model: bool) -> str:
    """Why a word is no command, and what to write instead; `is_model`: it names a model of the user's."""
    if is_model:
        return f"{word} is a model of your own: write check-invariants check {quote(word)}"
    meant = code_base_meant(word, "check-invariants check")
    return f"{word!r} is no command{meant}" if meant else str(nearest("command", word, known))


def folder_meant(word: str) -> str:
    """What to do with a word that names a folder; "" if it names none."""
    with suppress(OSError, ValueError):  # no file can have such a name
        if Path(word).is_dir():
            return "; it is a folder: name a file in it"
    return ""


def code_base_meant(word: str, command: str = "") -> str:
    """How to name the code base that a word stands for which is none here, or why there is no such; "" if it looks like none.

    `command` is where it could be named: without one, the command that runs.
    """
    if not (LIKE.fullmatch(word) or word in {row.name for row in code_bases()}):
        return ""
    try:
        find_revision(word)
    except UnknownName as error:
        return f"; as a code base: {error}"
    command = command or taking(click.get_current_context(silent=True))
    return f"; a code base is named by an option: {command} --revision {word}" if command else ""


def taking(ctx: click.Context | None) -> str:
    """The command of a context, if it takes a code base; else ""."""
    takes = ctx is not None and any("--revision" in option.opts for option in ctx.command.params)
    return ctx.command_path if ctx is not None and takes else ""
