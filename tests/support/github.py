"""GitHub's log as the runner reads it: from the runner's documents, not from our writer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

__all__ = ["Command", "commands"]


class Command(NamedTuple):
    """A workflow command as the runner understands it."""

    name: str
    properties: Mapping[str, str]
    message: str


def commands(text: str) -> list[Command]:
    """The commands in a log, in the order of lines; `stop-commands` is obeyed."""
    found, stopped = list[Command](), ""
    for line in re.split(r"\r\n|\r|\n", text):
        if stopped:
            stopped = "" if line.strip() == f"::{stopped}::" else stopped
        elif match := re.match(r"\s*::([a-z-]+)(?: ([^\n]*?))?::(.*)", line):
            name, properties, message = match.groups(default="")
            stopped = message if name == "stop-commands" else ""
            pairs = (pair.partition("=") for pair in properties.split(",") if pair)
            found.append(Command(name, {key: _read(value, inside=True) for key, _, value in pairs}, _read(message)))
    return found


def _read(text: str, inside: bool = False) -> str:
    pairs: Sequence[tuple[str, str]] = [("%0D", "\r"), ("%0A", "\n")]
    inner = [("%3A", ":"), ("%2C", ",")] if inside else []
    for written, meant in [*pairs, *inner, ("%25", "%")]:
        text = text.replace(written, meant)
    return text
