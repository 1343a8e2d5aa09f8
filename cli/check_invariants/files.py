"""Files that results go to: written whole or not at all, and never over what a run was made from."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from check_invariants import standard
from check_invariants.exit import NotWritable
from check_invariants.options import STDOUT
from check_invariants.output import emit_content
from draincheck.atomicfile import check_writable, write_atomically

__all__ = ["apart", "check_output", "is_directory", "make_directory", "place_of", "say_written", "write_to"]

#: a name that no file has, for seeing whether a directory takes files
PROBE = ".check-invariants"


def is_directory(path: str) -> bool:
    """Whether a name is that of a directory, be it there or not."""
    if path.endswith(("/", "\\")):
        return True
    try:
        return Path(path).is_dir()
    except OSError:  # a longer name than there may be
        return False


def place_of(path: str) -> str:
    """Where a path leads, the same for all that lead there; standard output, what no file can be called, and what leads from nowhere, are as they are."""
    with suppress(ValueError, FileNotFoundError):
        return path if path == STDOUT else os.path.realpath(path)
    return path


def apart(outputs: Mapping[str, str | None], taken: Mapping[str, str] | None = None, as_json: bool = False) -> None:
    """Raise UsageError for two outputs, by their options, that go to one place, or for one that goes where something is: `taken`, by place.

    A directory takes JSON files (counterexamples, one each): another output is none of these.
    """
    known = {**({STDOUT: "--json"} if as_json else {}), **(taken or {})}
    given = {option: path for option, path in outputs.items() if path is not None}
    folders = {place_of(path): option for option, path in given.items() if path != STDOUT and is_directory(path)}
    for option, path in given.items():
        place = place_of(path)
        if place in known:
            raise click.UsageError(f"{known[place]} and {option} cannot share {path}: name a file for each")
        known[place] = option
        if place.endswith(".json") and (other := folders.get(os.path.dirname(place), option)) != option:  # noqa: PTH120 (it need not be a path)
            raise click.UsageError(
                f"{other} puts JSON files into the folder of {option} {path}: name a file elsewhere, or of another suffix"
            )


def check_output(path: str, read: Iterable[str] = ()) -> None:
    """Raise the NotWritable that `write_to` would raise now: long work begins only for an output that can be written, and is none of what is `read`."""
    if path != STDOUT:
        _refuse_read(path, read)
        _refuse_input(path)
        with _writing(path):
            check_writable(Path(path))


def write_to(path: str, data: str | bytes) -> None:
    """Write a file whole or not at all; `-` is standard output. Raises NotWritable."""
    if path == STDOUT:
        emit_content(data if isinstance(data, str) else data.decode())
        return
    _refuse_input(path)
    with _writing(path):
        write_atomically(Path(path), data)


def say_written(what: str, path: str) -> None:
    """Say on standard error that something was written to a file; nothing where standard output has it."""
    if path != STDOUT:
        standard.note(f"{what} written to {path}\n")


@contextmanager
def _writing(path: str) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise NotWritable(f"{path} cannot be written: {error.strerror}; nothing was changed there") from error


def _refuse_input(path: str) -> None:
    """Raise NotWritable for a file that this run was made from: a model, what it imports, or the program."""
    try:
        there = Path(path).stat()
    except (OSError, ValueError):
        return
    if _is_of_one(there, list(sys.modules.values())):
        raise NotWritable(f"{path} was read to do this, and would be replaced; nothing was changed there")


def _is_of_one(there: os.stat_result, modules: Iterable[object]) -> bool:
    """Whether it is the file of a module."""
    files = (getattr(module, "__file__", None) for module in modules)
    return any(isinstance(file, str) and _is_same(file, there) for file in files)


def _refuse_read(path: str, read: Iterable[str]) -> None:
    """Raise NotWritable for a file that this run reads."""
    for file in read:
        try:
            same = Path(path).samefile(file)
        except (OSError, ValueError):
            continue
        if same:
            raise NotWritable(f"{path} is read by this, and would be replaced; nothing was changed there")


def _is_same(file: str, there: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(file), there)  # noqa: PTH116 (six hundred of them, each time)
    except OSError:
        return False


def make_directory(path: str) -> None:
    """Make a directory unless it is there; files can be written into it. Raises NotWritable."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise NotWritable(f"{path} cannot be made: {why}") from error
    check_output(str(Path(path) / PROBE))
