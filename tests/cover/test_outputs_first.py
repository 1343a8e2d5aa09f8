"""An output that cannot be written is refused before any work is done for it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from draincheck.atomicfile import check_writable
from tests.support.cli import run

#: by command line, what it does first that takes long; the output is put behind it
WORK: dict[tuple[str, ...], str] = {
    ("check", "--scenario", "mirror", "--trace-out"): "check_files.checked",
    ("check", "--scenario", "mirror", "--property", "S1", "--trace-out"): "check_files.checked",
    ("check", "--scenario", "mirror", "--html"): "check_files.checked",
    ("report", "--scenario", "mirror", "-o"): "report.checked_quietly",
    ("prove", "-o"): "prove.certify",
    ("prove", "--matrix", "-o"): "prove.suite.decide_all",
    ("compare", "ab27c3b5e7", "9a0cec664e", "--trace-out"): "compare._decide",
    ("graph", "-o"): "graph.explore",
    ("trace", "export", "--property", "S1", "-o"): "trace.checked",
    ("why", "--evidence"): "why._ask",
    ("parametric", "-o"): "parametric.decide_all",
    ("simulate", "--revision", "ab27c3b5e7", "--trace-out"): "simulate.simulate",
}


def no_place(folder: Path) -> list[Path]:
    """Where neither a file nor a directory can be made."""
    (folder / "file").write_text("old", encoding="utf-8")
    (folder / "circle").symlink_to(folder / "circle")
    return [folder / "file" / "inside", folder / "circle", folder / ("x" * 300), folder / "half\0"]


@pytest.mark.parametrize("command", WORK, ids=" ".join)
def test_no_work_is_done_for_nothing(command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One message with the path, code 2, and nothing has been decided; nothing is made or changed either."""

    def work(*_: object, **__: object) -> None:
        raise AssertionError("work was done")

    monkeypatch.setattr(f"check_invariants.work.{WORK[command]}", work)
    for path in no_place(tmp_path):
        before = sorted(tmp_path.iterdir())
        result = run(*command, str(path))
        assert (result.exit_code, result.stdout) == (2, ""), result.output
        assert "cannot be" in result.stderr
        assert sorted(tmp_path.iterdir()) == before
        (tmp_path / "circle").unlink()
        (tmp_path / "file").unlink()
        no_place(tmp_path)


@pytest.mark.parametrize("command", WORK, ids=" ".join)
def test_the_work_is_the_one_that_is_done(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: with a place for the output, that work is begun."""

    class Begun(BaseException):
        pass

    def work(*_: object, **__: object) -> None:
        raise Begun

    monkeypatch.setattr(f"check_invariants.work.{WORK[command]}", work)
    with pytest.raises(Begun):
        run(*command, str(tmp_path / "place"))


def test_the_model_is_refused_as_an_output_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would replace an input is no place either."""

    def work(*_: object, **__: object) -> None:
        raise AssertionError("work was done")

    monkeypatch.setattr("check_invariants.work.graph.explore", work)
    file = tmp_path / "own.py"
    file.write_text(
        "from draincheck.lang import Model\ndef build():\n    m = Model('m')\n    x = m.bool('x')\n"
        "    with m.thread('t') as p:\n        p.do('go', x.set())\n    m.always('p', ~x)\n    return m\n",
        encoding="utf-8",
    )
    assert run("graph", f"{file}:build", "-o", str(file)).exit_code == 2


def missing(folder: Path) -> Path:
    """In a directory that is not there."""
    return folder / "missing" / "file"


def directory(folder: Path) -> Path:
    """A directory."""
    return folder


def read_only(folder: Path) -> Path:
    """A file that may not be written."""
    (folder / "file").write_text("old", encoding="utf-8")
    return folder / "file"


@pytest.mark.parametrize("place", [missing, directory, read_only])
def test_what_cannot_be_written_is_known_before(
    place: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the path, and nothing is left behind."""
    path = place(tmp_path)
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(os, "access", lambda *_: False)  # an administrator may write everything
    with pytest.raises(OSError, match=path.name) as caught:
        check_writable(path)
    assert (caught.value.filename, sorted(tmp_path.iterdir())) == (str(path), before)


def test_what_can_be_written_stays_as_it_was(tmp_path: Path) -> None:
    """A new file is not made, an old one not touched, a device not opened."""
    (tmp_path / "old").write_text("old", encoding="utf-8")
    os.mkfifo(tmp_path / "pipe")
    for name in ("new", "old", "pipe", "x" * 255):
        check_writable(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old", "pipe"]
    assert (tmp_path / "old").read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--trace-out same --html same", "--trace-out and --html cannot share same: name a file for each"),
        ("--trace-out same --html ./same", "--trace-out and --html cannot share ./same: name a file for each"),
        ("--trace-out d/ --html d", "--trace-out and --html cannot share d: name a file for each"),
        ("--trace-out d/ --html d/S1.json", "--trace-out puts JSON files into the folder of --html d/S1.json: "),
        ("--trace-out - --json", "--json and --trace-out cannot share -: name a file for each"),
    ],
)
def test_two_outputs_are_two_files(options: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one would replace the other without a word; it is refused before any work, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    result = run("check", "--scenario", "mirror", *options.split())
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "first", "second"),
    [
        ("log {log} --against v2.6.0 --export same --graph same", "--export", "--graph"),
        ("log {log} --against v2.6.0 --graph same --html same", "--graph", "--html"),
        ("log {log} --against v2.6.0 --export - --json", "--json", "--export"),
        ("compare ab27c3b5e7 9a0cec664e --trace-out - --json", "--json", "--trace-out"),
        ("gate --junit same --sarif same", "--junit", "--sarif"),
    ],
)
def test_of_every_command_that_writes_several(
    command: str, first: str, second: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One rule for all of them; a gate's refusal goes into the report that has the file."""
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "log"
    log.write_text("", encoding="utf-8")
    result = run(*command.format(log=log).split())
    assert result.exit_code == 2, result.output
    assert f"{first} and {second} cannot share " in result.stderr


def test_files_beside_each_other_are_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: of different names, in the directory of the counterexamples too."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d").mkdir()
    found = run("check", "--revision", "ab27c3b5e7", "--scenario", "mirror", "--trace-out", "d/", "--html", "d/a.html")
    assert found.exit_code == 12, found.output
    assert {"a.html", "S1.json"} <= {path.name for path in (tmp_path / "d").iterdir()}


def test_what_was_written_is_said_and_standard_output_says_it_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On standard error, the same way by each command that has nothing else to say; not where standard output has it."""
    monkeypatch.chdir(tmp_path)
    base = ("--revision", "ab27c3b5e7")
    for words, file, said in (
        (("trace", "export", *base, "--property", "S4"), "t.json", "ab27c3b5e7 / mirror: S4: 42 steps"),
        (("graph", *base, "--states"), "g.json", "991 nodes and "),
        (("model", "export", *base, "--format", "smtlib"), "m.smt2", ""),
    ):
        result = run(*words, "-o", file)
        assert (result.exit_code, result.stdout) == (0, "") and Path(file).exists(), result.output
        assert result.stderr.startswith(said) and result.stderr.endswith(f" written to {file}\n")
        assert "written to" not in run(*words, "-o", "-").stderr


def test_a_matrix_begins_and_ends_with_what_it_comes_to() -> None:
    """The first line is the last one, and never an empty one."""
    lines = run("--scenario", "mirror", "--property", "S1").stdout.splitlines()
    assert lines[0] == lines[-1] and " rows" in lines[0]
