"""Where in a model's source something was written."""

from __future__ import annotations

import contextlib
import os
import sys
from types import CodeType, FrameType
from typing import TYPE_CHECKING

from msgspec import Struct

from draincheck.errors import ModelError, SourceLine

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "SourceRun",
    "caller_line",
    "files_below",
    "origin_of",
    "slip",
    "source_of",
    "want_name",
    "want_number",
    "want_place",
    "want_text",
    "want_truth",
    "written",
]

_HERE = __file__.removesuffix("location.py")
#: files, and a folder of them, that only pass on what a model's source says
_LANGUAGE = {_HERE + name for name in ("expr.py", "refusals.py", "sorts.py", "system.py", "location.py")}
_LANGUAGE.add(contextlib.contextmanager.__code__.co_filename)
_ROOM = os.path.join(_HERE, "lang", "")  # noqa: PTH118 (pathlib takes as long to load as a hundred statements to record)
#: what Python calls a text that is no file's: what a dataclass generates, what `exec` is given, and a program on the command line
_NO_FILE = "<string>"
#: places that every process has, or every coroutine
_ENDS = {"(start)": "start", "(ended)": "end"}
_passing: set[str] = set()
_names: dict[str, str] = {}
#: lines by where their code stands: asking Python for one takes longer than a statement
_lines: dict[tuple[int, int], tuple[CodeType, SourceLine]] = {}
#: the files that lines name, and who ran each: a name is that of one file
_files: dict[str, str] = {}
_origins: dict[tuple[str, int], SourceRun] = {}
#: where each of `_lines` comes from, by its identity: another time that a file is run, its text may be another
_origin: dict[int, SourceRun] = {}


class SourceRun(Struct, frozen=True, eq=False):
    """A file that was run: once, if the module's `spec` is known, which is another each time; otherwise as often as it was."""

    file: str
    spec: object = None
    started: bool = False


def caller_line(passed: int = 1) -> SourceLine:
    """The innermost line outside the language itself: the statement that records the step.

    `passed` callers need not be looked at: they are the language's own.
    """
    frame: FrameType | None = sys._getframe(passed)  # pyright: ignore[reportPrivateUsage] - inspect has no way to skip any
    without_file = None
    while frame is not None:
        code = frame.f_code
        place = id(code), frame.f_lasti
        known = _lines.get(place)  # every statement comes here: what is known is looked up
        if known is not None and known[0] is code:
            return known[1]
        file = code.co_filename
        if file == _NO_FILE:
            without_file = without_file or SourceLine(file, frame.f_lineno)
        elif file not in _passing:
            if not _is_passing(file):
                line = SourceLine(_names.get(file) or _short_name(file, frame), frame.f_lineno)
                _lines[place] = code, line
                _origin[id(line)] = _origin_of(file, frame)
                return line
            _passing.add(file)
        frame = frame.f_back
    return without_file or SourceLine("?", 0)


def _is_passing(file: str) -> bool:
    """Whether a file only passes on what a model's source says."""
    return file in _LANGUAGE or file.startswith(_ROOM)


def origin_of(line: SourceLine) -> SourceRun | None:
    """The file, run, that a line was recorded in; None if that is not known, or if it is one of this library's own."""
    found = _origin.get(id(line))
    return None if found is None or found.file.startswith(_HERE) else found


def _origin_of(file: str, frame: FrameType) -> SourceRun:
    """The one of a frame: what runs in a module's names need not be the text of its file."""
    spec = frame.f_globals.get("__spec__")
    if getattr(spec, "origin", None) != file:
        spec = None
    place = file, id(spec)
    if place not in _origins:
        _origins[place] = SourceRun(file, spec, started=frame.f_globals.get("__name__") == "__main__")
    return _origins[place]


def source_of(name: str) -> str:
    """The Python file that a `SourceLine` calls by this name; "" if that is not known, or if it is one of this library's own."""
    file = _files.get(name, "")
    return "" if file.startswith(_HERE) else file


def files_below(folder: Path) -> dict[str, str]:
    """For what a `SourceLine` calls a file in a folder, or below it, its path from there, where that is another; of installed packages none."""
    known = ((name, folder / file) for name, file in _files.items() if os.path.isabs(file))  # noqa: PTH117 (as above)
    paths = {name: file.relative_to(folder) for name, file in known if file.is_relative_to(folder)}
    return {
        name: path.as_posix()
        for name, path in paths.items()
        if path.as_posix() != name and "site-packages" not in path.parts
    }


def slip(message: str) -> ModelError:
    """The error for a slip in a model's source: it names the line that is being executed."""
    return ModelError(message, caller_line())


def want_text(value: object, what: str) -> str:
    """The argument itself if it is a string, of a subclass its text; raises ModelError otherwise: `what` says what it should name."""
    if isinstance(value, str):
        return str.__str__(value)
    raise slip(f"{what} is a text in quotes; this is {written(value)} ({type(value).__name__})")


def want_name(value: object, what: str) -> str:
    """The argument itself if it is a string with something in it; raises ModelError otherwise."""
    if isinstance(value, str) and value.strip():
        return str.__str__(value)
    want_text(value, what)
    raise slip(f"{what} is empty: give it a name to tell it by")


def want_place(value: object) -> str:
    """The name of a place; raises ModelError for a text that is empty, or that names the start or the end of every process."""
    if (name := want_name(value, "the name of a place")) in _ENDS:
        raise slip(f"{name!r} is the name of the {_ENDS[name]} of a process: name this place otherwise")
    return name


def want_number(value: object, what: str) -> int:
    """The argument itself if it is a Python int; raises ModelError otherwise."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    raise slip(f"{what} is a number, not {value!r} ({type(value).__name__})")


def want_truth(value: object, what: str) -> bool:
    """The argument itself if it is a Python bool; raises ModelError otherwise."""
    if isinstance(value, bool):
        return value
    raise slip(f"{what} is True or False, not {written(value)} ({type(value).__name__})")


def written(value: object) -> str:
    """A value as a model's source would write it: functions by their names, not by their addresses."""
    name = getattr(value, "__name__", None)
    return name if isinstance(name, str) else str(value)


def _short_name(file: str, frame: FrameType) -> str:
    """`package/module.py` for a module of a package, else the path below the working directory: the same on every machine.

    Of two modules that would be called the same, the second is called by its path.
    """
    module = str(frame.f_globals.get("__name__", ""))
    path = file.removeprefix(_working_directory()) if os.path.isabs(file) else file  # noqa: PTH117 (as above)
    package = module.replace(".", "/") + ".py" if "." in module else path
    name = package if _files.get(package, file) == file else path
    _names[file] = name
    _files[name] = file
    return name


def _working_directory() -> str:
    """What the paths of all that is in it begin with."""
    return os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118 (as above)
