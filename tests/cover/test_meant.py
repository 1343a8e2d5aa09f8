"""What somebody meant: a code base where a model or a command is wanted, a model beside a file that is about one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import run

COMMANDS = ["check", "prove", "sweep", "why", "graph", "liveness", "simulate"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_code_base_is_named_by_an_option(command: str) -> None:
    """Whatever takes a model of one's own says how a code base is named, as text to copy."""
    result = run(*command.split(), "v2.6.0")
    assert result.exit_code == 2
    assert f"a code base is named by an option: check-invariants {command} --revision v2.6.0\n" in result.stderr


@pytest.mark.parametrize("command", ["repair", "conform"])
def test_one_argument_too_many_may_be_a_code_base(command: str) -> None:
    """So does a command that takes no model; what is no code base is one too many and no more."""
    said = f"(v2.6.0); a code base is named by an option: check-invariants {command} --revision v2.6.0\n"
    assert said in run(command, "v2.6.0").stderr
    assert run(command, "other").stderr.endswith("unexpected extra argument (other)\n")


@pytest.mark.parametrize("name", ["v2.6.0", "ab27c3b5e7", "ab27c3b5e7~1", "ab27c3b5e7-nested-drain"])
def test_a_code_base_is_no_command(name: str) -> None:
    """And the message says which command it is for."""
    result = run(name)
    assert result.exit_code == 2
    said = f"{name!r} is no command; a code base is named by an option: check-invariants check --revision {name}\n"
    assert said in result.stderr


@pytest.mark.parametrize("arguments", [("v2.6.1",), ("check", "v2.6.1")])
def test_of_a_release_that_is_not_modelled_nothing_is_said(arguments: tuple[str, ...]) -> None:
    """The nearest before it is named, not offered as an answer."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert "v2.6.1 is not modelled, and nothing is said of it: v2.6.0 is the nearest before it" in result.stderr
    assert "--revision" not in result.stderr


@pytest.mark.parametrize("word", ["queue", "face", "v2", "build"])
def test_other_words_are_none(word: str) -> None:
    """The control: what looks like no code base is not taken for one."""
    assert "code base" not in run("check", word).stderr


def test_where_no_code_base_is_taken_none_is_offered(tmp_path: Path) -> None:
    """`--model` is for a program alone."""
    assert "--revision" not in run("explain", str(tmp_path / "none.json"), "--model", "v2.6.0").stderr


MODEL = """
from draincheck.lang import Model

print("it runs")

def build(items: int = 1) -> Model:
    m = Model("queue")
    left = m.int("left", 0, items)
    with m.thread("one") as p:
        p.do("puts", left.inc())
    m.always("empty", left.is_(0))
    return m
"""


def test_the_model_beside_a_trace_is_named_to_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File, function and parameters, quoted for a shell; nothing of it is run before the user says so, and then it is the model."""
    monkeypatch.chdir(tmp_path)
    Path("my queue.py").write_text(MODEL, encoding="utf-8")
    run("trace", "export", "my queue.py:build", "--set", "items=2", "--property", "empty", "-o", "t.json")
    for command in (["trace", "show"], ["explain"]):
        refused = run(*command, "t.json")
        assert refused.exit_code == 2 and "it runs" not in refused.output
        assert "add --model 'my queue.py:build' --set items=2\n" in refused.stderr
        assert run(*command, "t.json", "--model", "my queue.py:build", "--set", "items=2").exit_code == 0


@pytest.mark.parametrize("name", ["", "no python", "x" * 300])
def test_a_name_that_is_none_is_not_offered(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file says what it likes: then the form is shown."""
    monkeypatch.chdir(tmp_path)
    Path("m.py").write_text(MODEL, encoding="utf-8")
    run("trace", "export", "m.py:build", "--property", "empty", "-o", "t.json")
    text = Path("t.json").read_text(encoding="utf-8")
    assert '"file": "m.py"' in text
    Path("t.json").write_text(text.replace('"file": "m.py"', f'"file": "{name}"'), encoding="utf-8")
    assert "add --model MODEL.py:FUNCTION\n" in run("trace", "show", "t.json").stderr
