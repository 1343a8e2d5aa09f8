"""What nobody foresaw: one message and a code of its own; its traceback, for who asks; a file of Python's that is damaged, by its name."""

from __future__ import annotations

import importlib
import json
import py_compile
from pathlib import Path

import pytest

from check_invariants.exit import DEBUG
from tests.support.cli import run


def test_255_for_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw is one message and its own code, never a traceback."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr("draincheck.engines.explicit.decide", broken)
    result = run("check")
    assert result.stderr.startswith("Error: internal error: ZeroDivisionError: unforeseen\n")
    assert "Traceback" not in result.stderr
    assert result.exit_code == 255


def test_255_for_the_end_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has interrupted anything, though click takes it for that (Ctrl-C is `test_130_anywhere_else`)."""

    def broken(*_: object, **__: object) -> None:
        raise EOFError("too short")

    monkeypatch.setattr("draincheck.engines.explicit.decide", broken)
    result = run("check", "--json")
    assert result.stderr.lstrip().startswith("Error: internal error: EOFError: too short\n")
    assert (result.exit_code, json.loads(result.stdout)["exit_code"]) == (255, 255)
    assert isinstance(run("check", env={DEBUG: "1"}).exception, EOFError)


@pytest.mark.parametrize("size", [17, 60])
def test_a_damaged_compiled_file_is_named(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be deleted: Python makes another. One of which nothing is left Python makes anew by itself."""
    monkeypatch.syspath_prepend(tmp_path)
    source = tmp_path / f"cut_short_{size}.py"
    source.write_text(f"numbers = {list(range(100))}\n", encoding="utf-8")
    compiled = Path(py_compile.compile(str(source), doraise=True) or "")
    compiled.write_bytes(compiled.read_bytes()[:size])
    monkeypatch.setattr("draincheck.engines.explicit.decide", lambda *_, **__: importlib.import_module(source.stem))
    result = run("check")
    assert result.stderr.lstrip().startswith(f"Error: internal error: {compiled} is damaged (EOFError: ")
    assert "delete it and run again" in result.stderr
    assert result.exit_code == 255
    compiled.unlink()
    assert importlib.import_module(source.stem).numbers


def test_the_traceback_of_an_internal_error_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the environment lets the exception through."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr("draincheck.engines.explicit.decide", broken)
    assert isinstance(run("check", env={DEBUG: "1"}).exception, ZeroDivisionError)
