"""The table of the commands that take a model of one's own, held against the commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from check_invariants.deferred import NO_MODEL
from check_invariants.main import cli
from tests.support.backtraces import STRANGERS
from tests.support.cli import run
from tests.support.house import ROOT

ROWS: dict[str, str] = {
    name: takes.strip("`")
    for name, takes in re.findall(
        r"^\| `([a-z ]+)` \| (yes|no|files|`--model`|configuration) \| ",
        (ROOT / "docs/how-to/own-model.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
}

MODEL = """
from draincheck.lang import Model

def build(bad: bool = False) -> Model:
    m = Model("own")
    n = m.bool("n")
    with m.thread("thread") as p:
        p.do("set", n.set())
    m.always("kept", ~n if bad else n | ~n)
    m.progress()
    m.eventually("set", n)
    return m
"""

#: what is asked of each that takes one, and the exit code
ASKED = {
    "check": (["m.py:build", "--set", "bad=on"], 12),
    "compare": (["m.py:build", "--set", "bad=on"], 12),
    "report": (["m.py:build", "--set", "bad=on", "-o", "m.html"], 0),
    "sweep": (["m.py:build"], 0),
    "why": (["m.py:build", "--set", "bad=on", "--property", "kept"], 0),
    "liveness": (["m.py:build", "--set", "bad=on"], 0),
    "simulate": (["m.py:build", "--set", "bad=on"], 12),
    "prove": (["m.py:build", "--set", "bad=off", "-o", "proof.smt2"], 0),
    "graph": (["m.py:build", "--set", "bad=on"], 0),
    "model export": (["m.py:build", "--set", "bad=on", "-o", "m.pml"], 0),
    "trace export": (["m.py:build", "--set", "bad=on", "--property", "kept", "-o", "kept.json"], 0),
    "trace show": (["kept.json", "--model", "m.py:build", "--set", "bad=on"], 0),
    "trace minimize": (["kept.json", "--model", "m.py:build", "--set", "bad=on"], 0),
    "explain": (["kept.json", "--model", "m.py:build", "--set", "bad=on"], 0),
    "locate": (["bt.txt", "--model", "m.py:build", "--set", "bad=on"], 10),
    "certificate check": (["proof.smt2", "--model", "m.py:build"], 0),
}


def commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command with its name, those of groups too."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from commands(found, (*path, name))
        else:
            yield " ".join((*path, name)), found


def test_the_table_has_every_command() -> None:
    """Once, and no other."""
    names = {name.split()[0] if name.startswith("list") else name for name, _ in commands()}
    assert set(ROWS) == names


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model, a trace, a certificate and the backtrace of a stranger."""
    monkeypatch.chdir(tmp_path)
    Path("m.py").write_text(MODEL, encoding="utf-8")
    Path("bt.txt").write_text(STRANGERS[0], encoding="utf-8")
    for name in ("trace export", "prove"):
        assert run(*name.split(), *ASKED[name][0]).exit_code == ASKED[name][1]


def test_every_command_that_takes_one_is_asked() -> None:
    """And no other: `yes` and `--model` of the table."""
    assert set(ASKED) == {name for name, takes in ROWS.items() if takes in ("yes", "--model")}
    assert all(
        ("--model" in ASKED[name][0]) == (takes == "--model")
        for name, takes in ROWS.items()
        if takes in ("yes", "--model")
    )


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("name", ASKED)
def test_what_takes_a_model_takes_its_parameters(name: str) -> None:
    """Each ends as the model with them does; without them it ends otherwise, or the file does not fit."""
    arguments, code = ASKED[name]
    assert run(*name.split(), *arguments).exit_code == code


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("name", [name for name, takes in ROWS.items() if takes == "yes"])
def test_an_unknown_parameter_is_refused_everywhere(name: str) -> None:
    """The negative control: it is the model that answers."""
    result = run(
        *name.split(), "m.py:build", "--set", "bda=on", *(["--property", "kept"] if name == "trace export" else [])
    )
    assert (result.exit_code, result.stdout) == (2, "")
    assert "build() takes bad (off or on; default off)" in " ".join(result.stderr.split())


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("name", [name for name, takes in ROWS.items() if takes == "no"])
def test_the_others_refuse_one(name: str) -> None:
    """With the reason that the table has, and not by treating its name as something else."""
    result = run(*name.split(), "m.py:build")
    assert (result.exit_code, result.stdout) == (2, "")
    last = name.rsplit(maxsplit=1)[-1]
    assert f"{last} takes no model of your own, such as m.py:build: it {NO_MODEL[last]}" in " ".join(
        result.stderr.split()
    )


def test_the_reasons_are_those_of_the_table() -> None:
    """In one order, and of each that takes none."""
    page = (ROOT / "docs/how-to/own-model.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(?:qemu )?(\w+)` \| no \| (.*) \|$", page, re.MULTILINE) == list(NO_MODEL.items())


def test_other_slips_keep_their_words() -> None:
    """Negative control: what is no model is not called one; without a command a model is answered with one that takes it."""
    assert "your own" not in run("repair", "v2.6.0").stderr
    assert "write check-invariants check m.py:build" in run("m.py:build").stderr
