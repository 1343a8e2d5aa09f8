"""What every command promises, asked of each that the command line has: a new one is in by itself."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from check_invariants.deferred import Deferred
from check_invariants.exit import ExitCode, MalformedInput
from check_invariants.main import COMMANDS, MAIN_JOB, cli
from check_invariants.options import Named, OutputFile
from draincheck.errors import OutOfBudget, WorkerLost
from draincheck.escape import HARMFUL
from draincheck.reason import Stop, StopKind
from tests.golden.documents import validator
from tests.support.cli import run
from tests.support.processes import COMMAND, LONG
from tests.support.samples import sampled

#: a name that a terminal would obey: a title, a colour, C1's CSI, another direction
EVIL = "\x1b]0;evil\x07\x1b[31m\x9b31m\u202e\u2066"

Path_ = tuple[str, ...]


def _leaves() -> Iterator[tuple[Path_, Deferred]]:
    for name in COMMANDS:
        found = cli.get_command(click.Context(cli), name)
        if isinstance(found, click.Group):
            yield from (((name, inner), item) for inner, item in found.commands.items() if isinstance(item, Deferred))
        elif isinstance(found, Deferred):
            yield (name,), found


#: by its words each command that does something
LEAVES = dict(_leaves())


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_standard_output_is_known_by_every_name(words: Path_) -> None:
    """Where a file is written, what the system calls standard output is that; folders have names of their own."""
    written = [
        item
        for item in LEAVES[words].params
        if isinstance(item, click.Option) and not item.is_flag and (item.help or "").startswith(("Write ", "Draw ", "Where to write", "The file to write"))
        and item.metavar not in ("DIR", "FOLDER")
    ]  # fmt: skip
    assert [item.name for item in written if not isinstance(item.type, OutputFile)] == []
    assert (words == ("check",)) <= (len(written) == 2)


def needed(words: Path_) -> list[str]:
    """Arguments without which a command does not begin."""
    items = [item for item in LEAVES[words].params if isinstance(item, click.Argument) and item.required]
    return [_fitting(item.type) for item in items]


def _fitting(kind: object) -> str:
    if isinstance(kind, click.Choice):
        return str(kind.choices[0])
    return "ab27c3b5e7" if isinstance(kind, Named) else __file__


def document(text: str) -> dict[str, Any]:
    """The one JSON document that a text is. Fails if it is not."""
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


# -- help -------------------------------------------------------------------------------------------

#: where a model of the user's may stand
OWN = {"model", "model_of_trace", "before"}


def unlisted(leaf: Deferred, text: str) -> set[int]:
    """Exit codes that a command may end with by what it takes, and that its list lacks."""
    listed = {int(code) for code in re.findall(r"\b\d+\b", text.partition("Exit codes")[2].partition("Example:")[0])}
    names = {item.name for item in leaf.params}
    demanded = {2} | ({30} if "timeout" in names else set()) | ({150} if names & OWN else set())
    return demanded - listed


@pytest.mark.parametrize("words", [words for words in LEAVES if words != ("qemu", "run")], ids=" ".join)
def test_a_list_of_exit_codes_is_whole(words: Path_) -> None:
    """Wrong arguments are 2, a limit is 30, a malformed model is 150. `qemu run` has the list of `log`."""
    assert unlisted(LEAVES[words], LEAVES[words].help or "") == set()


def test_an_exit_code_that_is_not_listed_is_noticed() -> None:
    """Negative control: numbers before and behind the list are none of it."""
    assert unlisted(LEAVES["simulate",], "2 and 30 Exit codes: 0 fine; 12 lost. Example: 150") == {2, 30, 150}
    assert unlisted(LEAVES["list",], "Exit codes: 0; 2 wrong.") == set()


# -- documents --------------------------------------------------------------------------------------


def test_every_command_has_json() -> None:
    """Whatever it does."""
    for words, leaf in LEAVES.items():
        assert "--json" in [option for item in leaf.params for option in item.opts], words


SLIPS = [["--no-such-option"], ["--json=yes"], ["surplus"] * 9, ["--max-memory"], ["--timeout", "never"], ["\udcff"]]


@pytest.mark.parametrize(
    "words", [*LEAVES, (), ("trace",), ("certificate",), ("model",), ("qemu",), ("no-such-command",)], ids=" ".join
)
def test_wrong_arguments_are_a_document(words: Path_) -> None:
    """One on standard output, whatever is wrong; its words stand on standard error, too."""
    lacking = words == ("model",) or words[:1] in {("trace",), ("certificate",), ("no-such-command",)}
    for slip in [*SLIPS, *([[]] if lacking else [])]:
        result = run(*words, *slip, "--json")
        data = document(result.stdout)
        validator("error").validate(data)
        assert result.exit_code == data["exit_code"] == 2, slip
        assert not re.search(HARMFUL, result.stderr)


#: what may go wrong while a command works, and the code that it ends with
ACCIDENTS: list[tuple[BaseException, int]] = [
    (MalformedInput(f"a model {EVIL}"), 150),
    (OutOfBudget(Stop(StopKind.SECONDS, 1)), 30),
    (WorkerLost(f"lost {EVIL}"), 30),
    (RuntimeError(f"{EVIL}"), 255),
    (MemoryError(), 255),
    (RecursionError(), 255),
    (KeyboardInterrupt(), 130),
    (OSError(28, "No space left on device"), 2),
]


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
@pytest.mark.parametrize(("accident", "code"), ACCIDENTS, ids=lambda item: type(item).__name__)
def test_an_accident_is_a_document(
    words: Path_, accident: BaseException, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the code of the table, and no character that a terminal would obey."""

    def work(**_: object) -> ExitCode:
        raise accident

    monkeypatch.setattr(Deferred, "work", property(lambda self: work))
    monkeypatch.delenv("CHECK_INVARIANTS_DEBUG", raising=False)
    monkeypatch.setattr("check_invariants.standard.let_go", lambda: None)
    result = run(*words, *needed(words), "--json")
    data = document(result.stdout)
    validator("error").validate(data)
    assert result.exit_code == data["exit_code"] == code
    assert not re.search(HARMFUL, result.stdout + result.stderr)
    assert result.stderr


@pytest.mark.parametrize("words", sampled(LEAVES, list(LEAVES)[::3]), ids=" ".join)
def test_values_of_options_are_shown_escaped(words: Path_, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that no option takes, and names that no file can have; what takes anything is not refused here."""
    monkeypatch.setattr(Deferred, "work", property(lambda self: lambda **_: ExitCode.OK))
    for item in LEAVES[words].params:
        for value in [] if getattr(item, "is_flag", False) else [EVIL, "\udcff\udc9b", "1e400", "\0"]:
            given = item.opts[:1] if isinstance(item, click.Option) else []
            result = run(*words, *needed(words), *given, value, "--json")
            assert not re.search(HARMFUL, result.stdout + result.stderr)
            assert (result.exit_code, bool(result.stdout)) in {(0, False), (2, True)}, (item.name, value)


# -- names from models and files --------------------------------------------------------------------

MODEL = f"""
from draincheck.lang import Model
E = {EVIL!r}
def build():
    m = Model("model " + E)
    x, e = m.bool("variable " + E), m.enum("enum " + E, "first", "value " + E)
    co = m.coroutine("coroutine " + E)
    with co as c:
        c.yield_("place " + E)
    with m.thread("thread " + E) as p, p.call("call " + E):
        p.do("step " + E, x.set(), e.set("value " + E), mark="(a)")
        p.enter(co)
        p.check("assertion " + E, ~x)
        p.wait("waits for " + E, e.is_("first"))
        p.do("never " + E)
    m.always("property " + E, ~x, meaning="meaning " + E, source="source " + E)
    m.always("holds " + E, x | ~x)
    m.assertion("slip " + E)
    m.eventually("in the end " + E, e.is_("first") & x)
    m.no_deadlock()
    return m
"""

#: by its words, how a command is called where a model of such names is known; () where it knows none
CALLS: dict[Path_, list[list[str]]] = {
    ("check",): [
        ["own.py:build"],
        ["own.py:build", "--engine", "bmc", "--depth", "3"],
        ["own.py:build", "--engine", "simulation", "--depth", "3"],
        ["own.py:build", "--property", EVIL],
        ["own.py:build", "--trace-out", f"folder {EVIL}/"],
        [f"own.py:{EVIL}"],
        [f"{EVIL}.py:build"],
        ["raises.py:build"],
        ["wrong.py:build"],
    ],
    ("compare",): [
        ["own.py:build", "own.py:build"],
        ["own.py:build", f"{EVIL}.py:build"],
        ["own.py:build", EVIL],
        ["sound.py:build", "own.py:build", "--trace-out", f"new {EVIL}.json"],
    ],
    ("prove",): [["own.py:build"], ["own.py:build", "-o", "-"], ["own.py:build", "-o", f"{EVIL}.smt2"]],
    ("report",): [["own.py:build"], ["own.py:build", "-o", f"{EVIL}/missing.html"], ["own.py:build", "--json"]],
    ("graph",): [["own.py:build"], ["own.py:build", "-o", f"{EVIL}/missing.dot"]],
    ("model", "export"): [
        ["own.py:build"],
        ["own.py:build", "--property", f"in the end {EVIL}"],
        ["own.py:build", "-o", f"{EVIL}/missing.pml"],
    ],
    ("trace", "export"): [
        ["own.py:build", "--property", f"property {EVIL}"],
        ["own.py:build", "--property", f"property {EVIL}", "--format", "text"],
        ["own.py:build", "--property", f"holds {EVIL}"],
        ["own.py:build", "--property", f"property {EVIL}", "--format", "pytest"],
        ["own.py:build", "--property", f"property {EVIL}", "--format", "itf"],
    ],
    ("trace", "show"): [
        ["own.json", "--model", "own.py:build"],
        ["own.json", "--model", "own.py:build", "--outline"],
        ["own.json"],
        ["foreign.json", "--model", "own.py:build"],
        [f"{EVIL}.json"],
    ],
    ("trace", "diff"): [["own.json", "foreign.json"], ["own.json", f"{EVIL}.json"]],
    ("trace", "minimize"): [
        ["own.json", "--model", "own.py:build"],
        ["own.json", "--model", "own.py:build", "-o", f"{EVIL}.json"],
    ],
    ("log",): [[f"{EVIL}.log"], ["own.json", f"{EVIL}.log"], ["foreign.json", "--json"]],
    ("locate",): [
        ["own.json", "--model", "own.py:build"],
        [f"{EVIL}.txt"],
        ["foreign.json", "--model", "own.py:build", "--json"],
    ],
    ("explain",): [["own.json", "--model", "own.py:build"], ["foreign.json"]],
    ("replay",): [["own.json"], ["foreign.json"]],
    ("certificate", "check"): [["own.smt2", "--model", "own.py:build"], ["own.smt2"], ["foreign.json"]],
}

#: what refuses such a file before it comes to the names in it
NAMELESS = {("locate",), ("log",), ("replay",), ("certificate", "check"), ("trace", "show")}

#: the others know names from the table of code bases alone
TABLES = {
    "qemu",
    "matrix",
    "claims",
    "gate",
    "list",
    "liveness",
    "why",
    "repair",
    "sweep",
    "simulate",
    "conform",
    "parametric",
}


def test_every_command_is_called() -> None:
    """A new command says what it does with such names."""
    assert {words[0] for words in CALLS} | TABLES == set(COMMANDS)
    assert all(words in CALLS or words[0] in TABLES for words in LEAVES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model, a trace and a certificate of it, a trace that says something else, and models that are none."""
    found = tmp_path_factory.mktemp("names")
    (found / "own.py").write_text(MODEL, encoding="utf-8")
    (found / "raises.py").write_text(
        f"def build():\n    raise type({EVIL!r}, (Exception,), {{}})({EVIL!r})\n", encoding="utf-8"
    )
    (found / "sound.py").write_text(
        MODEL.replace('e.set("value " + E), ', "").replace("x.set(), ", ""), encoding="utf-8"
    )
    (found / "wrong.py").write_text(MODEL.replace("m.no_deadlock()", "p.do('outside ' + E)"), encoding="utf-8")
    own = f"{found / 'own.py'}:build"
    assert run("trace", "export", own, "--property", f"property {EVIL}", "-o", str(found / "own.json")).exit_code == 0
    assert run("prove", own, "-o", str(found / "own.smt2")).exit_code == 10
    data = json.loads((found / "own.json").read_text(encoding="utf-8"))
    data |= {"property": EVIL, "source": {"file": f"{EVIL}.py", "function": EVIL}, EVIL: EVIL}
    (found / "foreign.json").write_text(json.dumps(data), encoding="utf-8")
    return found


def shown(folder: Path, arguments: list[str]) -> bytes:
    """What a command writes to a terminal, standard error included."""
    master, slave = pty.openpty()
    words = [word.encode(errors="surrogateescape") for word in [*COMMAND, *arguments]]
    path = os.pathsep.join(str(Path(item).resolve()) for item in ("model", "specs", "cli"))
    process = subprocess.Popen(
        words,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "TERM": "xterm"},
    )
    os.close(slave)
    read = b""
    while chunk := _read(master):
        read += chunk
    os.close(master)
    process.wait(timeout=LONG)
    return read


def _read(file: int) -> bytes:
    try:
        return os.read(file, 65536)
    except OSError:  # the other end is closed
        return b""


def obeyed(text: bytes) -> list[str]:
    """What a terminal would obey, but for the colours that the command makes itself."""
    plain = re.sub(r"\x1b\[[0-9;]*[mKA]|\x1b\[\?25[lh]|\r(?=\n)", "", text.decode(errors="replace"))
    return re.findall(HARMFUL, plain)


#: each command in every run, and each way to call it in the full one
ALL_CALLS = [(words, number) for words, calls in CALLS.items() for number in range(len(calls))]


@pytest.mark.parametrize("call", sampled(ALL_CALLS, [call for call in ALL_CALLS if call[1] == 0][::3]))
def test_names_on_a_terminal(call: tuple[Path_, int], folder: Path) -> None:
    """Each is shown with a backslash, u, and the number; none is obeyed."""
    words, number = call
    arguments = CALLS[words][number]
    text = shown(folder, [*words, *arguments])
    assert obeyed(text) == []
    assert b"evil" in text or words in NAMELESS


def test_the_look_at_raw_bytes_finds_something() -> None:
    """Negative control: colours are nothing, the rest is found."""
    assert obeyed(b"\x1b[1mbold\x1b[0m\r\n") == []
    assert obeyed(EVIL.encode())


def test_the_main_job_is_a_command() -> None:
    """What runs without a name is among those that are asked."""
    assert (MAIN_JOB,) in LEAVES


#: by its words a command that takes knobs, with what it needs beside them; what reads a file takes parameters of one's own model alone
TURNED: dict[Path_, list[str]] = {
    words: ["--property", "S1"] if words == ("trace", "export") else []
    for words, leaf in LEAVES.items()
    if "settings" in (names := {item.name for item in leaf.params}) and names.isdisjoint({"file", "files"})
}


@pytest.mark.parametrize("words", TURNED, ids=" ".join)
def test_knobs_mean_the_same_everywhere(words: Path_, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One knob with two values is refused, and so is a code base that none could be."""
    monkeypatch.chdir(tmp_path)
    named = ["5a7e7a0bad"] if words == ("compare",) else ["--revision", "5a7e7a0bad"]
    two = run(*words, *named, *TURNED[words], "--set", "drain=nested", "--set", "drain=yield_late")
    assert (two.exit_code, "gives drain two values" in two.stderr) == (2, True)
    none = run(*words, *named, *TURNED[words], "--set", "drain=yield_first")
    assert (none.exit_code, "no code base could be like" in none.stderr) == (150, True)
    assert list(tmp_path.iterdir()) == []
