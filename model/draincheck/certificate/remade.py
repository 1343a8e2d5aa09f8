"""The command that makes a certificate again, from what its header says of its source."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from draincheck.jsonvalue import Json

__all__ = ["remade"]

#: the options of `prove` that name a code base
OPTIONS = ("revision", "scenario", "order")


def remade(source: Mapping[str, Json]) -> str:
    """The command. What is said of the source is somebody else's word, so each part is quoted as a shell reads it."""
    if "file" in source:
        return shlex.join(["check-invariants", "prove", f"{source['file']}:{source.get('function', '')}"])
    command = "parametric" if "parametric" in source else "prove"
    words = [word for name in OPTIONS if name in source for word in (f"--{name}", str(source[name]))]
    settings = source.get("settings")
    if isinstance(settings, dict):
        words += [word for name, value in settings.items() for word in ("--set", f"{name}={_shown(value)}")]
    return shlex.join(["check-invariants", command, *words])


def _shown(value: Json) -> str:
    """A setting as the command line has it."""
    return ("off", "on")[value] if isinstance(value, bool) else str(value)
