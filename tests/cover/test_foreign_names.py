"""Names of any kind, files from anywhere, outputs that are somewhere already: nothing is run, lost, replaced or obeyed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import networkx as nx
import pytest

from check_invariants.filenames import file_names, plain
from draincheck.escape import harmless, unescaped
from tests.golden.documents import validator
from tests.support.cli import run
from tests.support.processes import COMMAND, LONG, at_a_prompt
from tests.support.samples import sampled

#: a model with properties of some names, each violated, and whatever else is to be done
MODEL = """
import os, sys
from draincheck.lang import Model
{beside}
def build():
    m = Model({model!r})
    x = m.bool({variable!r})
    with m.thread({thread!r}) as p:
        p.do({label!r}, x.set())
    for name in {properties!r}:
        m.always(name, ~x)
    {inside}
    return m
"""

NAMES = {"model": "m", "variable": "x", "thread": "t", "label": "go", "properties": ["p"], "beside": "", "inside": ""}


@pytest.fixture
def model(tmp_path: Path) -> Callable[..., str]:
    """A file of a user's: `NAMES`, but for what is given; what options call it."""

    def written(**names: object) -> str:
        file = tmp_path / "own_model.py"
        file.write_text(MODEL.format(**NAMES | names), encoding="utf-8")
        return f"{file}:build"

    return written


#: each is a name of a property; ten of them clash somewhere
CLASHING = ["a/b", "a b", "a:b", "x" * 300, "x" * 301, ".", "..", "con", "Foo", "foo", "\ud800", "ünï", "A B"]


def test_one_property_always_has_one_file(model: Callable[..., str], tmp_path: Path) -> None:
    """Whatever properties are called: as many files as counterexamples, also where letters have no case."""
    result = run("check", model(properties=CLASHING), "--trace-out", f"{tmp_path}/traces/")
    files = list((tmp_path / "traces").iterdir())
    assert f"{len(CLASHING)} counterexamples written" in result.stderr
    assert len({file.name.casefold() for file in files}) == len(CLASHING)
    assert {json.loads(file.read_text(encoding="utf-8"))["property"] for file in files} == set(CLASHING)


def test_file_names_stay() -> None:
    """A name that clashes with none is readable as it is; what one gets does not depend on the order of the others."""
    found = file_names(CLASHING)
    assert found == file_names(list(reversed(CLASHING)))
    assert file_names(["S1", "case 1"]) == {"S1": "S1", "case 1": "case-1"}
    assert found["con"] == "con-"
    assert all(re.fullmatch(r"[A-Za-z0-9._~+=-]{1,113}", file) for file in found.values())
    assert plain("a/b") == plain("a b")  # the control: without a hash they would be one


@pytest.mark.parametrize("link", ["itself", "symbolic", "hard"])
@pytest.mark.parametrize(
    "command",
    [("prove", "-o"), ("check", "--trace-out"), ("graph", "-o"), ("trace", "export", "--property", "p", "-o")],
    ids=" ".join,
)
def test_an_output_never_replaces_the_model(
    command: tuple[str, ...], link: str, model: Callable[..., str], tmp_path: Path
) -> None:
    """Through links neither: code 2, and it is as it was. Another file of that kind is replaced."""
    named = model(inside="m.always('holds', x | ~x)")
    file, other = Path(named.removesuffix(":build")), tmp_path / "other.py"
    before = file.read_bytes()
    if link == "symbolic":
        other.symlink_to(file)
    elif link == "hard":
        os.link(file, other)
    output = file if link == "itself" else other
    result = run(command[0], *command[1:-1], named, command[-1], str(output)) if command[0] != "trace" else run(
        "trace", "export", named, *command[2:], str(output)
    )  # fmt: skip
    assert (result.exit_code, file.read_bytes()) == (2, before)
    assert "would be replaced" in result.stderr
    free = tmp_path / "free.dot"
    free.write_bytes(before)
    assert run("graph", named, "-o", str(free)).exit_code == 0
    assert free.read_bytes() != before


def test_nor_what_the_model_imports(model: Callable[..., str], tmp_path: Path) -> None:
    """A file beside it is part of it."""
    part = tmp_path / "part_of_own_model.py"
    part.write_text("", encoding="utf-8")
    assert run("graph", model(beside="import part_of_own_model"), "-o", str(part)).exit_code == 2
    assert part.read_bytes() == b""


def test_a_circle_of_links_is_no_place_to_write_to(tmp_path: Path) -> None:
    """One message, code 2, and the links stay."""
    circle = tmp_path / "circle.json"
    circle.symlink_to(circle)
    result = run("trace", "export", "--property", "S1", "-o", str(circle))
    assert result.exit_code == 2
    assert circle.is_symlink()


EVIL = "\x1b[31m red \u202e bidi \x07 \x9b"


@pytest.mark.parametrize("part", ["model", "thread", "label", "variable"])
def test_a_terminal_obeys_no_name(part: str, model: Callable[..., str]) -> None:
    """What is printed, and what errors say, has control characters escaped."""
    named = model(**{part: EVIL, "properties": [EVIL]})
    for arguments in (("check", named), ("check", named, "--property", EVIL + "?"), ("prove", named)):
        result = run(*arguments)
        assert result.output
        assert harmless(result.stdout + result.stderr) == result.stdout + result.stderr
    assert "\\u001b[31m red \\u202e" in run("check", named).stdout


def test_what_is_harmless_stays() -> None:
    """Letters of any script, line ends, tabs; the others are named by their numbers."""
    assert harmless("ünï ☃ 日本\n\t") == "ünï ☃ 日本\n\t"
    assert harmless("\x1b\u2066\ud800\r\x7f") == "\\u001b\\u2066\\ud800\\u000d\\u007f"


#: ways in which a model writes to standard output
LOUD = {
    "prints": "print('loud')",
    "to the descriptor": "os.write(1, b'loud')",
    "by a program": "os.system('echo loud')",
    "at the end": "import atexit; atexit.register(lambda: os.write(1, b'loud'))",
    "to the stream Python began with": "sys.__stdout__.write('loud'); sys.__stdout__.flush()",
    "forks": "os.fork()",
    "forks, and fails there": "if os.fork() == 0: raise ValueError",
}


@pytest.mark.parametrize("way", sampled(LOUD, list(LOUD)[::3]))
def test_a_document_stands_alone(way: str, model: Callable[..., str]) -> None:
    """Whatever the model does: one JSON document, once, and the exit code of the command."""
    process = at_a_prompt(*COMMAND, "check", model(inside=LOUD[way]), "--json")
    stdout, _ = process.communicate(timeout=LONG)
    assert json.loads(stdout)["exit_code"] == process.returncode == 12


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("check", "no_such_file.py:build", "--json"), 2),
        (("check", "--property", "nothing", "--json"), 2),
        (("check", "--no-such-option", "--json"), 2),
        (("trace", "show", __file__, "--json"), 150),
        (("explain", "no such file", "--json"), 2),
        (("prove", "--revision", "ab27c3b5e7", "--property", "S1", "--json"), 10),
        (("certificate", "check", __file__, "--json"), 150),
    ],
)
def test_an_error_is_a_document_too(arguments: tuple[str, ...], code: int) -> None:
    """Its message and its code; what people read stands on standard error."""
    result = run(*arguments)
    data = json.loads(result.stdout)
    assert (result.exit_code, data["exit_code"]) == (code, code)
    if data["format"].endswith("/error"):
        validator("error").validate(data)
        assert data["error"] in result.stderr


def test_an_interrupt_is_a_document_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing could be said yet of what was done."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("check_invariants.selection.specification_of", interrupted)
    result = run("check", "--json")
    data = json.loads(result.stdout)
    validator("error").validate(data)
    assert data["exit_code"] == result.exit_code == 130


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_a_full_disk_is_one_message(option: str) -> None:
    """Also where click prints."""
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(
            [sys.executable, "-c", "import os, sys; os.execv(sys.argv[1], sys.argv[1:])", *COMMAND, option],
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            check=False,
        )
    assert (process.returncode, process.stderr.count(b"\n")) == (2, 1)


def test_an_encoding_that_lacks_letters(model: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What it cannot say is escaped."""
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    process = at_a_prompt(*COMMAND, "check", model(thread="☃", label="\ud800"))
    stdout, stderr = process.communicate(timeout=LONG)
    assert (process.returncode, stderr) == (12, b"")
    assert b"\\u2603" in stdout
    assert b"\\ud800" in stdout


@pytest.mark.parametrize(
    "name",
    sampled(
        ["\x07 \x00", "\ud800 half", "a\\u0007", "\\", 'say "<&>"', "line\r\nend\t", "☃ \u202e", "pc", "halted"],
        ["\x07 \x00", "\ud800 half", "line\r\nend\t", "pc"],
    ),
)
def test_names_survive_every_export(name: str, model: Callable[..., str], tmp_path: Path) -> None:
    """A trace, a certificate and a graph that were written say the same names when they are read, also those that the language uses itself."""
    own = model(
        model=name,
        variable=name,
        thread=name,
        label=name,
        properties=[name],
        inside=f"m.always('holds', x | ~x); m.bool('pc ' + {name!r})",
    )
    trace, proof, graph = (str(tmp_path / file) for file in ("t.json", "c.smt2", "g.graphml"))
    assert run("trace", "export", own, "--property", name, "-o", trace).exit_code == 0
    data = json.loads(run("trace", "show", trace, "--model", own, "--json").stdout)
    assert (data["model"], data["property"], data["steps"][0]["process"]) == (name, name, name)
    assert next(iter(data["steps"][0]["changes"])) == name
    assert run("prove", own, "-o", proof).exit_code == 0
    assert run("certificate", "check", proof, "--model", own, "--solver", "both").exit_code == 0
    assert run("graph", own, "-o", graph).exit_code == 0
    read = nx.read_graphml(graph, node_type=int, force_multigraph=True)
    assert [unescaped(edge["label"]) for _, _, edge in read.edges(data=True)] == [name]
    assert run("graph", own, "-o", str(tmp_path / "g.dot")).exit_code == 0


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no /dev/zero here")
@pytest.mark.parametrize(
    "command",
    sampled(
        [("trace", "show"), ("explain",), ("replay",), ("certificate", "check")],
        [("trace", "show"), ("certificate", "check")],
    ),
    ids=" ".join,
)
def test_a_file_without_an_end_is_refused(command: tuple[str, ...]) -> None:
    """A device that gives for ever is no file; it is said at once, and takes no memory to speak of."""
    result = run(*command, "/dev/zero")
    assert result.exit_code == (150 if command[0] == "certificate" else 2)
    assert "it is longer than 256 MB" in result.output


@pytest.mark.parametrize("command", ["explain", "log", "locate"])
def test_closed_standard_input_is_refused(command: str) -> None:
    """`<&-`, where a trace, a log or a backtrace should come from."""
    process = at_a_prompt("/bin/sh", "-c", '"$@" <&-', "sh", *COMMAND, command, "-")
    _, stderr = process.communicate(timeout=LONG)
    assert (process.returncode, b"standard input is closed" in stderr) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    sampled(
        [
            ["check", "--revision", "v2.6.0", "--scenario", "mirror"],
            ["check", "model.py:build"],
            ["list", "knobs"],
            ["gate", "--junit"],
        ],
        2,
    ),
    ids=" ".join,
)
def test_a_working_directory_that_was_removed_is_named(arguments: list[str], tmp_path: Path) -> None:
    """What is named is named from there; a report elsewhere is written all the same, and red."""
    report = tmp_path / "report.xml"
    (tmp_path / "gone").mkdir()
    script = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
    given = [*arguments, str(report)] if arguments[0] == "gate" else arguments
    process = at_a_prompt("/bin/sh", "-c", script, "sh", str(tmp_path / "gone"), *COMMAND, *given)
    _, stderr = process.communicate(timeout=LONG)
    said = "there is no working directory (No such file or directory): it has been removed; change to one that is there"
    assert (process.returncode, stderr.decode()) == (2, f"Error: {said}\n")
    assert arguments[0] != "gate" or said in report.read_text(encoding="utf-8")
