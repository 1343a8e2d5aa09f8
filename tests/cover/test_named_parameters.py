"""A file about a model of one's own is held against what the user names: variant, --set, defaults; not against what the file says of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from check_invariants.exit import ExitCode
from tests.support.cli import run

MODEL = """from draincheck.lang import Model, variant

@variant("buggy", bad=True, expect={"q": "violated"})
@variant("mended", bad=False)
def build(bad: bool = True) -> Model:
    m = Model("m"); x = m.bool("x")
    with m.thread("t") as p:
        p.do("sets x", x.set())
        p.check("q", ~x if bad else x)
    m.reachable("x is set", x)
    return m

def sized(size: int) -> Model:
    m = Model("sized"); n = m.int("n", 0, 9)
    with m.thread("t") as p:
        p.do("sets n", n.set(size))
    m.reachable("n is set", n.is_(size))
    return m
"""

TRACE = ["trace", "export", "m.py:build", "--set", "bad=off", "--property", "x is set", "-o", "file"]
PROOF = ["prove", "m.py:build", "--set", "bad=off", "--property", "q", "-o", "file"]

#: commands that read a file, and what makes one of the mended model
READERS = [
    (["trace", "show", "file"], TRACE),
    (["trace", "show", "--json", "file"], TRACE),
    (["trace", "minimize", "--json", "file"], TRACE),
    (["explain", "file"], TRACE),
    (["explain", "--json", "file"], TRACE),
    (["certificate", "check", "file"], PROOF),
    (["certificate", "check", "--json", "file"], PROOF),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With the model."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.py").write_text(MODEL, encoding="utf-8")
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("reader", "maker"), READERS, ids=[" ".join(reader) for reader, _ in READERS])
@pytest.mark.parametrize("named", [["m.py:build"], ["m.py:build:buggy"], ["m.py:build", "--set", "bad=on"]], ids=str)
def test_what_the_user_names_decides(named: list[str], reader: list[str], maker: list[str]) -> None:
    """The file was made with bad=off, the user names what has bad=on, by default, variant or --set: another model, and how to name the file's."""
    assert run(*maker).exit_code == ExitCode.OK
    result = run(*reader, "--model", *named)
    assert result.exit_code == ExitCode.DIVERGED
    said = result.stdout + result.stderr
    assert "it was made with bad=off" in said
    assert "add --set bad=off" in said
    assert "sets x" not in said and "accepted by" not in said


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("reader", "maker"), READERS, ids=[" ".join(reader) for reader, _ in READERS])
@pytest.mark.parametrize("named", [["m.py:build:mended"], ["m.py:build", "--set", "bad=off"]], ids=str)
def test_the_parameters_that_were_used_are_said(named: list[str], reader: list[str], maker: list[str]) -> None:
    """The control: named as it was made, it is taken, and text and JSON say with which parameters."""
    assert run(*maker).exit_code == ExitCode.OK
    result = run(*reader, "--model", *named)
    assert result.exit_code == ExitCode.OK, result.stderr
    if "--json" in reader:
        data = json.loads(result.stdout)
        (about,) = data.get("files", [data])
        assert about["source"] == {"file": "m.py", "function": "build", "parameters": {"bad": False}}
    else:
        assert f"m ({named[0]}, bad=off)" in result.stdout


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("reader", "maker"), READERS, ids=[" ".join(reader) for reader, _ in READERS])
def test_a_file_cannot_say_what_is_built(reader: list[str], maker: list[str], folder: Path) -> None:
    """Whatever a file says of parameters, its digest is held against what the user has named."""
    assert run(*maker).exit_code == ExitCode.OK
    text = (folder / "file").read_text(encoding="utf-8")
    for old, new in (("false", "true"), ('"bad"', '"worse"')):
        head, found, tail = text.partition('"parameters"')
        (folder / "file").write_text(head + found + tail.replace(old, new, 1), encoding="utf-8")
        assert run(*reader, "--model", "m.py:build:mended").exit_code == ExitCode.OK
        assert run(*reader, "--model", "m.py:build:buggy").exit_code == ExitCode.DIVERGED


@pytest.mark.usefixtures("folder")
def test_a_parameter_that_must_be_named() -> None:
    """It has no default: one message, with what the file was made with; the control names it."""
    options = ("--set", "size=3")
    assert run("trace", "export", "m.py:sized", *options, "--property", "n is set", "-o", "t.json").exit_code == 0
    result = run("trace", "show", "t.json", "--model", "m.py:sized")
    assert (result.exit_code, result.stdout) == (ExitCode.USAGE, "")
    assert "the trace was made with --set size=3" in " ".join(result.stderr.split())
    assert run("trace", "show", "t.json", "--model", "m.py:sized", *options).exit_code == ExitCode.OK


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("reader", [["trace", "show"], ["explain"], ["certificate", "check"]], ids=" ".join)
def test_parameters_need_a_model(reader: list[str]) -> None:
    """--set is nothing to a code base that a file names."""
    assert run(*(PROOF if reader[0] == "certificate" else TRACE)).exit_code == ExitCode.OK
    result = run(*reader, "file", "--set", "bad=off")
    assert (result.exit_code, result.stdout) == (ExitCode.USAGE, "")
    assert "name it, by --model MODEL.py:FUNCTION" in " ".join(result.stderr.split())
