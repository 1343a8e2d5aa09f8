"""A user's model: `MODEL.py:FUNCTION`, where the function returns a `draincheck.lang.Model` or a `TransitionSystem`."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

from msgspec import Struct

from draincheck.errors import MalformedModel, ModelError, NoSuchModel, OutOfBudget
from draincheck.knobs import nearest
from draincheck.lang import Model
from draincheck.lang.misuse import in_words
from draincheck.ranges import guarded
from draincheck.subject import Source
from draincheck.system import TransitionSystem
from draincheck.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from draincheck.core.config import Config
    from draincheck.knobs import Knobs

__all__ = ["ModelFile"]


class ModelFile(Struct, frozen=True):
    """A model of the user's, loaded. `file` and `function` are as given."""

    file: str
    function: str
    built: TransitionSystem

    @classmethod
    def load(cls, name: str) -> ModelFile:
        """Import the file, call the function, compile what it returns.

        What the file prints goes to standard error; a process that it forks ends with the function. Raises NoSuchModel for a name that
        leads nowhere, and MalformedModel, with the place, for a file that cannot be used.
        """
        file, _, function = name.rpartition(":")
        if not file or not function:
            raise NoSuchModel(f"{name!r} is not of the form MODEL.py:FUNCTION")
        if not _is_file(file):
            raise NoSuchModel(f"there is no file {file!r}")
        with redirect_stdout(sys.stderr), _neighbours_of(file), _staying(), _alone():
            build = _function(_module(file), file, function)
            return cls(file, function, _compiled(file, function, build))

    @property
    def title(self) -> str:
        """Its name in results and traces."""
        return self.built.name

    @property
    def heading(self) -> str:
        """Its name, and where it comes from."""
        return f"{self.title} ({self.file}:{self.function})"

    def system(self) -> TransitionSystem:
        """The compiled model."""
        return self.built

    def expectation(self, property_name: str) -> None:
        """Nothing is expected of a user's model but what it demands."""

    def source(self) -> Source:
        """What a trace file needs to say to build it again."""
        return {"file": self.file, "function": self.function}

    def matters(self, property_name: str) -> bool:
        """Whatever a model of the user's demands does."""
        return True

    def impact(self, verdicts: Mapping[str, Verdict]) -> tuple[str, ...]:
        """Nothing: nobody knows whose data it is about."""
        return ()

    def limits(self, property_name: str, outcome: Outcome) -> Sequence[str]:
        """Nothing is known of what it leaves out."""
        return ()

    def on_core(self) -> tuple[Knobs, Config]:
        """Raises ModelError: the core knows QEMU alone."""
        raise ModelError("the core runs QEMU's code bases, not a model of your own; use trace show")


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
def _staying() -> Generator[None]:
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


def _module(file: str) -> ModuleType:
    """Import a file by its path."""
    path = Path(file).resolve()
    spec = spec_from_file_location(f"model_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise NoSuchModel(f"{file!r} is not a Python file; its name ends in .py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise MalformedModel(f"{_place(file, error)}: not Python: {error.msg}") from error
    except (OutOfBudget, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise MalformedModel(f"{_place(file, error)}: the model does not import: {_cause(error)}") from error
    return module


def _function(module: ModuleType, file: str, name: str) -> Callable[[], object]:
    try:
        found: object = getattr(module, name, None)
    except Exception as error:  # a module may answer for its names itself
        raise MalformedModel(f"{_place(file, error)}: {name!r} cannot be looked up: {_cause(error)}") from error
    if not callable(found):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise NoSuchModel(f"{file}: {nearest('function', name, known)}")
    return found


def _compiled(file: str, function: str, build: Callable[[], object]) -> TransitionSystem:
    """Call the function; whatever goes wrong in it is the file's fault."""
    try:
        made = build()
        if isinstance(made, Model):
            return made.compile()
        if isinstance(made, TransitionSystem):
            return guarded(made)
    except ModelError as error:
        place = "" if error.line else f"{_place(file, error)}: "
        raise MalformedModel(f"{place}{error}") from error
    except (OutOfBudget, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise MalformedModel(f"{_place(file, error)}: {_failed(function, error)}") from error
    wanted = "wanted is a draincheck.lang.Model or a TransitionSystem"
    raise MalformedModel(f"{file}: {function}() returns {_article(type(made).__name__)}; {wanted}")


def _failed(function: str, error: BaseException) -> str:
    return in_words(error) or f"{function}() failed: {_cause(error)}"


def _cause(error: BaseException) -> str:
    try:
        said = str(error)
    except Exception:  # it may be a class of the user's
        said = ""
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _article(name: str) -> str:
    return "None" if name == "NoneType" else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _place(file: str, error: BaseException) -> str:
    """The line of the user's file that led to the error."""
    path = str(Path(file).resolve())
    if isinstance(error, SyntaxError) and error.filename == path:
        return f"{file}:{error.lineno or 1}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return f"{file}:{lines[-1]}" if lines else file
