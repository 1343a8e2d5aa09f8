"""A user's Python file, run as a module: what it prints goes to standard error, and what goes wrong in it is told with its line."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager, redirect_stdout
from importlib.machinery import SourceFileLoader
from importlib.util import decode_source, module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import NoReturn, TypeVar

from msgspec import Struct

from draincheck.errors import MalformedModel, ModelError, NoSuchModel, OutOfBudget
from draincheck.lang.misuse import in_words
from draincheck.lang.variations import Variant, said, variants_of
from draincheck.location import source_of
from draincheck.names import nearest
from draincheck.watchdog import watched

__all__ = ["Program", "place_in", "staying"]

T = TypeVar("T")


class Program(Struct, frozen=True):
    """A file of the user's, imported; `file` is as given, `said` are the variants that its lines have said."""

    file: str
    module: ModuleType
    said: tuple[Variant, ...] = ()

    @classmethod
    def load(cls, file: str) -> Program:
        """Import a file. Raises NoSuchModel for none, and MalformedModel, with the place, for one that does not import."""
        if not _is_file(file):
            raise NoSuchModel(f"there is no file {file!r}")
        before, path = len(said), Path(file).resolve()
        with running(file):
            module = _module(file)
        return cls(file, module, tuple(item for item in said[before:] if Path(source_of(item.line.file)) == path))

    def variants(self) -> list[tuple[str, Callable[..., object], Variant]]:
        """The variants of its functions, each with the function and its name, in their order; those of imported functions are not its own.

        Raises MalformedModel for one that was said of something that no name leads to any more: it would be left out without a word.
        """
        return self.run("@variant", self._variants)

    def _variants(self) -> list[tuple[str, Callable[..., object], Variant]]:
        found, here = dict[Variant, tuple[str, Callable[..., object]]](), self.module.__name__
        for name, item in vars(self.module).items():
            for variant in variants_of(item) if callable(item) else ():
                if variant in self.said or getattr(item, "__module__", "") == here:
                    found.setdefault(variant, (name, item))
        if lost := [variant for variant in self.said if variant not in found]:
            raise ModelError(f"the variant {lost[0].name!r} is of nothing that has a name in this file", lost[0].line)
        return [(name, item, variant) for variant, (name, item) in found.items()]

    def function(self, name: str) -> Callable[..., object]:
        """The function of this name. Raises NoSuchModel, with the nearest names."""
        try:
            found: object = getattr(self.module, name, None)
        except Exception as error:  # a module may answer for its names itself
            raise MalformedModel(
                f"{place_in(self.file, error)}: {name!r} cannot be looked up: {_cause(error)}"
            ) from error
        if not callable(found):
            raise NoSuchModel(f"{self.file}: {nearest('function', name, self.functions)}")
        return found

    @property
    def functions(self) -> list[str]:
        """Those that it defines itself and that could make a model, by their names: no classes, nothing imported, nothing that begins with `_`."""
        items = ((name, item) for name, item in vars(self.module).items() if not name.startswith("_"))
        calls = ((name, item) for name, item in items if callable(item) and not isinstance(item, type))
        return [name for name, item in calls if getattr(item, "__module__", "") == self.module.__name__]

    def run(self, name: str, function: Callable[[], T]) -> T:
        """Call something that runs it; whatever goes wrong there is the file's fault. Raises MalformedModel, with the line."""
        with running(self.file):
            try:
                return function()
            except ModelError as error:
                place = "" if error.line else f"{place_in(self.file, error)}: "
                raise MalformedModel(f"{place}{error}") from error
            except (OutOfBudget, KeyboardInterrupt):
                raise
            except BaseException as error:
                raise MalformedModel(f"{place_in(self.file, error)}: {_said_of(error, f'{name}() failed')}") from error


def place_in(file: str, error: BaseException) -> str:
    """The line of the user's file that led to the error."""
    path = str(Path(file).resolve())
    if isinstance(error, SyntaxError) and error.filename == path:
        return f"{file}:{error.lineno or 1}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return f"{file}:{lines[-1]}" if lines else file


@contextmanager
def running(file: str) -> Generator[None]:
    """While something of the file runs: the files beside it can be imported, it prints to standard error, and forks end with it.

    Raises OutOfBudget where it takes more than the command that runs may.
    """
    with redirect_stdout(sys.stderr), _neighbours_of(file), _without_traces(), staying(), _alone(), watched():
        yield


def _is_file(file: str) -> bool:
    try:
        return Path(file).is_file()
    except (OSError, ValueError):  # longer than a name may be, for instance
        return False


@contextmanager
def _alone() -> Generator[None]:
    """A process that is forked in here, and comes to the end, ends there: what follows is done once."""
    process = os.getpid()
    try:
        yield
    finally:
        if os.getpid() != process:
            os._exit(0)


@contextmanager
def staying() -> Generator[None]:
    """Who ends the process without a word (`os._exit`) would be taken for somebody who found nothing wrong: SystemExit instead."""
    process, leave = os.getpid(), os._exit

    def refuse(status: int) -> NoReturn:
        if os.getpid() != process:
            leave(status)
        raise SystemExit(f"os._exit({status})")

    setattr(os, "_exit", refuse)  # noqa: B010 (mypy would have it that functions are never assigned)
    try:
        yield
    finally:
        setattr(os, "_exit", leave)  # noqa: B010


@contextmanager
def _neighbours_of(file: str) -> Generator[None]:
    """Let the files beside a file be imported, as Python does for a script; the working directory stays."""
    before, folder = list(sys.path), os.open(".", os.O_RDONLY)
    sys.path.insert(0, str(Path(file).resolve().parent))
    try:
        yield
    finally:
        sys.path[:] = before
        os.fchdir(folder)
        os.close(folder)


class _AsItIs(SourceFileLoader):
    """Compiles what the file says now: Python's cache takes a file that was changed in the same second, to the same length, for the old one."""

    data = b""

    def get_code(self, fullname: str) -> CodeType:
        """The code of the file."""
        self.data = self.get_data(self.path)
        code: CodeType = self.source_to_code(self.data, self.path)
        return code

    def get_source(self, fullname: str) -> str:
        """The text that was run, whatever the file says meanwhile."""
        return decode_source(self.data)


@contextmanager
def _without_traces() -> Generator[None]:
    """Nothing is kept beside the files that are imported: the next run would trust it (see `_AsItIs`)."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def _module(file: str) -> ModuleType:
    """Import a file by its path."""
    path = Path(file).resolve()
    spec = spec_from_file_location(f"model_{path.stem.replace('.', '_')}", path)  # a dot would name a package
    if spec is None or spec.loader is None:
        raise NoSuchModel(f"{file!r} is not a Python file; its name ends in .py")
    if isinstance(spec.loader, SourceFileLoader):
        spec.loader = _AsItIs(spec.name, str(path))
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise MalformedModel(f"{place_in(file, error)}: not Python: {error.msg}") from error
    except (OutOfBudget, KeyboardInterrupt):
        raise
    except ModelError as error:
        place = "" if error.line else f"{place_in(file, error)}: "
        raise MalformedModel(f"{place}{error}") from error
    except BaseException as error:
        raise MalformedModel(f"{place_in(file, error)}: {_said_of(error, 'the model does not import')}") from error
    return module


def _said_of(error: BaseException, otherwise: str) -> str:
    """What was written by mistake, if that is known; otherwise what happened, and of what it is the cause."""
    return in_words(error) or f"{otherwise}: {_cause(error)}"


def _cause(error: BaseException) -> str:
    try:
        said = str(error)
    except Exception:  # it may be a class of the user's
        said = ""
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
