"""A user's model: `MODEL.py:FUNCTION`, where the function returns a `draincheck.lang.Model` or a `TransitionSystem`."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import click

from check_invariants.exit import MalformedInput
from check_invariants.misuse import in_words
from draincheck.errors import ModelError
from draincheck.lang import Model
from draincheck.report.jsontrace import Source
from draincheck.revisions import nearest
from draincheck.system import TransitionSystem

__all__ = ["ModelFile"]

_HINT = "'MODEL.py:FUNCTION'"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model of the user's, loaded. `file` and `function` are as given."""

    file: str
    function: str
    built: TransitionSystem

    @classmethod
    def load(cls, name: str) -> ModelFile:
        """Import the file, call the function, compile what it returns.

        What the file prints goes to standard error. Raises BadParameter for a name that leads nowhere, and MalformedInput, with the
        place, for a file that cannot be used.
        """
        file, _, function = name.rpartition(":")
        if not file or not function:
            raise click.BadParameter(f"{name!r} is not of the form MODEL.py:FUNCTION", param_hint=_HINT)
        if not Path(file).is_file():
            raise click.BadParameter(f"there is no file {file!r}", param_hint=_HINT)
        with redirect_stdout(sys.stderr), _neighbours_of(file):
            build = _function(_module(file), file, function)
            return cls(file, function, _compiled(file, function, build))

    @property
    def title(self) -> str:
        """Its name in results and traces."""
        return self.built.name

    def system(self) -> TransitionSystem:
        """The compiled model."""
        return self.built

    def expectation(self, property_name: str) -> None:
        """Nothing is expected of a user's model but what it demands."""

    def source(self) -> Source:
        """What a trace file needs to say to build it again."""
        return {"file": self.file, "function": self.function}


@contextmanager
def _neighbours_of(file: str) -> Generator[None]:
    """Let the files beside a file be imported, as Python does for a script."""
    before = list(sys.path)
    sys.path.insert(0, str(Path(file).resolve().parent))
    try:
        yield
    finally:
        sys.path[:] = before


def _module(file: str) -> ModuleType:
    """Import a file by its path."""
    path = Path(file).resolve()
    spec = spec_from_file_location(f"model_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise click.BadParameter(f"{file!r} is not a Python file; its name ends in .py", param_hint=_HINT)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise MalformedInput(f"{_place(file, error)}: not Python: {error.msg}") from error
    except (Exception, SystemExit) as error:
        raise MalformedInput(f"{_place(file, error)}: the model does not import: {_cause(error)}") from error
    return module


def _function(module: ModuleType, file: str, name: str) -> Callable[[], Any]:
    found = getattr(module, name, None)
    if not callable(found):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise click.BadParameter(f"{file}: {nearest('function', name, known)}", param_hint=_HINT)
    return cast("Callable[[], Any]", found)


def _compiled(file: str, function: str, build: Callable[[], Any]) -> TransitionSystem:
    """Call the function; whatever goes wrong in it is the file's fault."""
    try:
        made = build()
        system = made.compile() if isinstance(made, Model) else made
    except ModelError as error:
        place = "" if error.line else f"{_place(file, error)}: "
        raise MalformedInput(f"{place}{error}") from error
    except (Exception, SystemExit) as error:
        raise MalformedInput(f"{_place(file, error)}: {_failed(function, error)}") from error
    if not isinstance(system, TransitionSystem):
        raise MalformedInput(
            f"{file}: {function}() returns {_article(type(made).__name__)}; wanted is a draincheck.lang.Model or a TransitionSystem"
        )
    return system


def _failed(function: str, error: BaseException) -> str:
    return in_words(error) or f"{function}() failed: {_cause(error)}"


def _cause(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _article(name: str) -> str:
    return "None" if name == "NoneType" else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _place(file: str, error: BaseException) -> str:
    """The line of the user's file that led to the error."""
    path = str(Path(file).resolve())
    if isinstance(error, SyntaxError) and error.filename == path:
        return f"{file}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return f"{file}:{lines[-1]}" if lines else file
