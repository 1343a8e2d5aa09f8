"""Where in a model's source a step was written."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import FrameType

from draincheck.errors import SourceLine

__all__ = ["caller_line"]

_LANGUAGE = str(Path(__file__).parent)
_names: dict[str, str] = {}


def caller_line() -> SourceLine:
    """The innermost line outside the language itself: the statement that records the step."""
    frame: FrameType | None = inspect.currentframe()
    while frame is not None:
        file = frame.f_code.co_filename
        if not (file.startswith(_LANGUAGE) or file.endswith("contextlib.py")):
            return SourceLine(_names.get(file) or _short_name(file, frame), frame.f_lineno)
        frame = frame.f_back
    return SourceLine("?", 0)


def _short_name(file: str, frame: FrameType) -> str:
    """`package/module.py` for a module of a package, else the path below the working directory: the same on every machine."""
    module = str(frame.f_globals.get("__name__", ""))
    if "." in module:
        name = module.replace(".", "/") + ".py"
    else:
        path = Path(file)
        name = str(path.relative_to(Path.cwd())) if path.is_absolute() and path.is_relative_to(Path.cwd()) else file
    _names[file] = name
    return name
