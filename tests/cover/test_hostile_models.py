"""A model is a program of the user's: whatever it does to its process, there is one message or a verdict, a documented code, and an end."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.processes import COMMAND, LONG, at_a_prompt
from tests.support.samples import sampled

SOUND = """
    m = Model("m")
    x = m.bool("x")
    with m.thread("t") as p:
        p.do("go", x.set())
    m.always("p", ~x)
    return m
"""

#: what stands above the function that makes the model; what its first lines do; neither keeps the model from being made
HARMLESS = {
    "changes the directory": ("import os", "os.chdir('/')"),
    "closes its standard output": ("import sys", "sys.stdout.close()"),
    "closes standard error": ("import sys", "sys.stderr.close(); sys.__stderr__.close()"),
    "closes what Python began with": ("import sys", "sys.__stdout__.close()"),
    "closes the descriptors": ("import os", "os.close(1); os.close(2)"),
    "has no streams": ("import sys", "sys.stdout = sys.stderr = None"),
    "leaves a thread that never ends": ("import threading", "threading.Thread(target=threading.Event().wait).start()"),
    "puts something strange among the modules": (
        "import sys\nclass Strange:\n    def __getattr__(self, name): raise RuntimeError",
        "sys.modules['strange'] = Strange()",
    ),
}

#: the same, where no model is made
BROKEN = {
    "ends the process": ("import os", "os._exit(0)"),
    "ends the process while it is imported": ("import os; os._exit(0)", ""),
    "exits": ("import sys", "sys.exit(0)"),
    "raises no Exception": ("class Mine(BaseException): pass", "raise Mine"),
    "raises no Exception while it is imported": ("raise GeneratorExit", ""),
    "raises what cannot be said": ("class Mine(Exception):\n    def __str__(self): raise Mine", "raise Mine"),
    "calls itself": ("", "build()"),
    "takes all memory": ("", "[0] * (1 << 60)"),
    "reads the command line": ("import argparse", "argparse.ArgumentParser().parse_args()"),
    "asks the user": ("", "input()"),
    "answers for names, with an error": ("def __getattr__(name): raise RuntimeError(name)\nbuilt = 1\ndel built", None),
    "is a coroutine function": ("", "yield"),
}


@pytest.fixture
def written(tmp_path: Path) -> Callable[[tuple[str, str | None]], str]:
    """A model of these lines; without the second there is no function. What options call it."""

    def made(parts: tuple[str, str | None]) -> str:
        above, inside = parts
        body = "" if inside is None else f"def build():\n    {inside or 'pass'}\n{SOUND}"
        (tmp_path / "own.py").write_text(f"from draincheck.lang import Model\n{above}\n{body}", encoding="utf-8")
        return f"{tmp_path / 'own.py'}:build"

    return made


def ended(*arguments: str) -> tuple[int, str, str]:
    """The command in a process of its own: its code, and what stands on standard output and on standard error."""
    process = at_a_prompt(*COMMAND, *arguments)
    stdout, stderr = (text.decode() for text in process.communicate(timeout=LONG))
    return process.returncode, stdout, stderr


@pytest.mark.parametrize("what", sampled(HARMLESS, list(HARMLESS)[::3]))
def test_a_model_that_is_made_is_decided(what: str, written: Callable[[tuple[str, str | None]], str]) -> None:
    """Whatever else its program does: the verdict, and the command ends."""
    code, stdout, stderr = ended("check", written(HARMLESS[what]), "--json")
    assert (code, json.loads(stdout)["exit_code"], stderr) == (12, 12, "")


@pytest.mark.parametrize("what", sampled(BROKEN, list(BROKEN)[::3]))
def test_a_model_that_is_not_made_is_malformed(what: str, written: Callable[[tuple[str, str | None]], str]) -> None:
    """And never 0, which would say that all holds; nor a traceback."""
    code, stdout, stderr = ended("check", written(BROKEN[what]), "--json")
    assert (code, json.loads(stdout)["exit_code"]) == (150, 150)
    assert "Error: " in stderr
    assert "Traceback" not in stderr


def test_an_output_is_where_the_user_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that changes the working directory changes no meaning of a relative path."""
    (tmp_path / "own.py").write_text(
        f"import os\nfrom draincheck.lang import Model\ndef build():\n    os.chdir('/')\n{SOUND}", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    assert run("trace", "export", "own.py:build", "--property", "p", "-o", "t.json").exit_code == 0
    assert (tmp_path / "t.json").exists()
    before = (tmp_path / "own.py").read_bytes()
    assert run("trace", "export", "own.py:build", "--property", "p", "-o", "own.py").exit_code == 2
    assert (tmp_path / "own.py").read_bytes() == before


def test_processes_can_be_left_again_afterwards(written: Callable[[tuple[str, str | None]], str]) -> None:
    """Control: `os._exit` is Python's own again once the model is made."""
    leave = os._exit
    assert run("check", written(("", ""))).exit_code == 12
    assert os._exit is leave


HOSTILE_SIGNATURES = """
from draincheck.lang import Model

class Default:
    def __repr__(self):
        raise RuntimeError("no words")

def model():
    m = Model("m")
    n = m.bool("n")
    with m.thread("t") as p:
        p.do("set", n.set())
    m.reachable("set", n)
    return m

def default(x=Default(), y=[0] * 100):
    return model()

def annotated(a: "1 / 0" = 3, b: "exit(0)" = 4, c: "nowhere.Type" = 5, *rest, **more):
    return model()

class Callable:
    __signature__ = "none"
    def __call__(self):
        return model()

callable_ = Callable()
"""


@pytest.mark.parametrize("name", ["default", "annotated", "callable_"])
def test_a_signature_that_cannot_be_read_takes_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model is made as ever; what is set on it is refused, in one message."""
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(HOSTILE_SIGNATURES, encoding="utf-8")
    assert run("check", f"own.py:{name}").exit_code == 0
    for setting in ("a=1", "b=1", "x=1", "y=1", "rest=1", "more=1"):
        refused = run("check", f"own.py:{name}", "--set", setting)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert "internal error" not in refused.stderr
