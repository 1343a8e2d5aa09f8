"""What somebody meant who has written something else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import click

from draincheck.errors import UnknownName
from draincheck.revisions import code_bases, find_revision

__all__ = ["code_base_meant", "folder_meant"]

#: a release, or a hash as Git shortens it at the most
LIKE: Final = re.compile(r"v?\d+\.\d+(\.\d+)?(-rc\d+)?|[0-9a-f]{7,40}(~\d*)?")


def folder_meant(word: str) -> str:
    """What to do with a word that names a folder; "" if it names none."""
    return "; it is a folder: name a file in it" if "\0" not in word and Path(word).is_dir() else ""


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
    command = command or _that_runs()
    return f"; a code base is named by an option: {command} --revision {word}" if command else ""


def _that_runs() -> str:
    """The command that runs, if it takes a code base."""
    ctx = click.get_current_context(silent=True)
    takes = ctx is not None and any("--revision" in option.opts for option in ctx.command.params)
    return ctx.command_path if ctx is not None and takes else ""
