"""How results reach people and files: widths, closed pipes, full disks, terminals."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from check_invariants.exit import NotWritable
from check_invariants.files import make_directory, write_to
from check_invariants.table import Column, Styled, Table
from draincheck.words import counted
from tests.support.processes import AS_AT_A_PROMPT
from tests.support.samples import sampled

ROOT = Path(__file__).parent.parent.parent

COMMAND = [
    sys.executable,
    "-c",
    f"import sys; sys.path[:0] = {[str(ROOT / part) for part in ('model', 'specs', 'cli')]!r}; sys.argv[0] = 'check-invariants'\n"
    "from check_invariants.__main__ import main; main()",
]

TABLE = Table(
    [Column("name"), Column("number", right=True, give_way=2), Column("what it says", give_way=1, least=8)],
    [["a", "1", "short"], [Styled("long name", "red"), "22", "a text of some length"]],
)
SIGNS = Table([Column("row"), Column("S1 S10 S2 S11 S3", grid=True)], [["first", "x  .   -  x   ."]])


def test_a_table_is_plain_lines() -> None:
    """Columns two blanks apart, numbers to the right, nothing behind the last word."""
    assert TABLE.text() == (
        "name       number  what it says\n"
        "a               1  short\n"
        "long name      22  a text of some length\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (40, ["name       number  what it says",
              "a               1  short",
              "long name      22  a text of some length"]),
        (34, ["name       number  what it says",
              "a               1  short",
              "long name      22  a text of some",
              "                     length"]),
        (24, ["name       what it says",
              "a          short",
              "    number: 1",
              "long name  a text of",
              "             some length",
              "    number: 22"]),
    ],
)  # fmt: skip
def test_a_table_says_everything_where_there_is_little_room(width: int, lines: list[str]) -> None:
    """Cells go on below, further in; columns for which there is no room at all stand below their rows."""
    assert TABLE.text(width).splitlines() == lines


def test_signs_stay_below_their_names() -> None:
    """A column of signs breaks where its header does, and stays a column."""
    shown = SIGNS.text(19).splitlines()
    assert [line.split() for line in shown] == [
        ["row", "S1", "S10", "S2"],
        ["S11", "S3"],
        ["first", "x", ".", "-"],
        ["x", "."],
    ]
    assert shown[1].index("S11") == shown[3].index("x") == shown[0].index("S1")


def test_words_are_counted() -> None:
    """One is singular, all else plural."""
    assert [counted(number, "state") for number in (0, 1, 2)] == ["0 states", "1 state", "2 states"]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """What cannot be written leaves what was there."""
    write_to(str(tmp_path / "new"), "text")
    assert (tmp_path / "new").read_text(encoding="utf-8") == "text"
    with pytest.raises(NotWritable, match=r"none/new cannot be written: No such file or directory"):
        write_to(str(tmp_path / "none" / "new"), "text")
    with pytest.raises(NotWritable, match="Is a directory"):
        write_to(str(tmp_path), b"data")
    with pytest.raises(NotWritable, match="new cannot be made: File exists"):
        make_directory(str(tmp_path / "new"))


@pytest.mark.parametrize(
    "arguments",
    sampled([["list", "knobs"], ["check"], ["check", "--json"], ["--scenario", "mirror", "-j", "1"]], 2),
    ids=" ".join,
)
def test_a_closed_pipe_is_no_failure(arguments: list[str]) -> None:
    """`| head`: no traceback, nothing said, and the exit code is that of the verdicts."""
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert (process.wait(), process.stderr.read()) == (12 if "check" in arguments else 0, "")
    process.stderr.close()


@pytest.mark.slow
def test_a_closed_pipe_does_not_hide_a_verdict() -> None:
    """A violation is code 12 whether or not anybody reads about it."""
    process = subprocess.Popen([*COMMAND, "check", "--set", "bandage=off"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait() == 12


def test_no_standard_output_at_all() -> None:
    """`>&-` is treated like a closed pipe."""
    closed = ["sh", "-c", '"$@" >&-', "sh", *COMMAND, "list", "knobs"]
    done = subprocess.run(closed, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    sampled(
        [
            ["model", "export", "examples/deadlock.py:deadlock", "--format", "tla", "-o", "-"],
            ["report", "examples/deadlock.py:deadlock", "-o", "/dev/stdout"],
            ["prove", "--revision", "v2.6.0", "--property", "S2", "-o", "-"],
            ["check", "--property", "S1", "--trace-out", "-"],
        ],
        2,
    ),
    ids=" ".join,
)
def test_standard_output_that_is_asked_for_is_open(arguments: list[str]) -> None:
    """`-o -` with `>&-` asks for an output that cannot be written."""
    closed = ["sh", "-c", '"$@" >&-', "sh", *COMMAND, *arguments]
    done = subprocess.run(closed, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (2, "Error: standard output cannot be written: it is closed\n")


def test_what_no_name_asks_for_is_written_to_nobody() -> None:
    """Standard output, if no other place is named: a closed one is a closed pipe, also of what is mostly a file."""
    graph = ["graph", "examples/deadlock.py:deadlock"]
    done = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *COMMAND, *graph], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_one_message() -> None:
    """What could not be printed is said, code 2."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*COMMAND, "list", "knobs"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "Error: standard output cannot be written: No space left on device\n")


@pytest.mark.parametrize("output", ["-", "/dev/stdout", "/dev/fd/1", "/dev/stderr", "/dev/null", "pipe"])
@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="there is no /dev/stdout here")
def test_devices_are_what_they_are_called(output: str, tmp_path: Path) -> None:
    """What a model prints goes to standard error, and the result where it is wanted, also by the system's name for standard output."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    export = [*COMMAND, "model", "export", "examples/deadlock.py:deadlock", "--format", "tla", "-o"]
    with ThreadPoolExecutor() as others:
        read = others.submit(pipe.read_text) if output == "pipe" else None
        path = str(pipe) if read else output
        done = subprocess.run([*export, path], capture_output=True, text=True, check=True, cwd=ROOT)
        found = {"stdout": done.stdout, "stderr": done.stderr, "pipe": read.result() if read else ""}
    meant = {"pipe": "pipe", "/dev/stderr": "stderr", "/dev/null": ""}.get(output, "stdout")
    assert [name for name, text in found.items() if "EXTENDS" in text] == [meant] * bool(meant)


def on_a_terminal(*arguments: str, columns: int = 100, interrupt_at: bytes = b"") -> tuple[str, int]:
    """What the command prints on a terminal of this width, and its exit code; with Ctrl-C once some text has appeared."""
    master, slave = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-c", AS_AT_A_PROMPT, *COMMAND, *arguments]
    process = subprocess.Popen(command, stdout=slave, stderr=slave, env=environment, start_new_session=True)
    os.close(slave)
    read = b""
    while chunk := _read(master):
        read += chunk
        if interrupt_at and interrupt_at in read:
            os.killpg(process.pid, signal.SIGINT)
            interrupt_at = b""
    os.close(master)
    return read.decode().replace("\r\n", "\n"), process.wait()


def _read(file: int) -> bytes:
    try:
        return os.read(file, 65536)
    except OSError:  # the other end is closed
        return b""


def test_a_terminal_gets_colours_and_its_width() -> None:
    """Violations are red, and no line is longer than the terminal."""
    text, code = on_a_terminal("check", "--scenario", "mirror", "--no-trace", columns=90)
    assert "\x1b[31mviolated" in text
    plain = "".join(part.partition("m")[2] if number else part for number, part in enumerate(text.split("\x1b[")))
    table = plain[plain.index("property ") : plain.index(" transitions, ")]
    assert max(map(len, table.splitlines())) <= 90
    assert code == 12


@pytest.mark.slow
def test_a_trace_on_a_terminal_has_the_same_words() -> None:
    """Colours are all that differs: marked steps are bold."""
    shown, _ = on_a_terminal("check", "--property", "S1")
    assert "(b) blk_aio_writev (write[0.0])" in shown
    assert "\x1b[1m" in shown
    assert "main_loop_wait # 1" in shown


@pytest.mark.slow
def test_ctrl_c_in_the_middle_of_the_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole command ends with code 130 and a count of what was decided, no traceback, and stops its processes."""
    monkeypatch.delenv("CHECK_INVARIANTS_PROGRESS")
    text, code = on_a_terminal("--all", "-j", "2", interrupt_at=b"rows decided")
    assert "decided; the others are unknown" in text
    assert "Traceback" not in text
    assert code == 130


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("arguments", [["list", "no-such-table"], ["check", "--no-such-option"]], ids=" ".join)
def test_nobody_reads_standard_error(arguments: list[str]) -> None:
    """A full disk there, or none at all, changes no exit code and makes no traceback."""
    for end in ("2>/dev/full", "2>&-"):
        shell = ["sh", "-c", f'"$@" {end}', "sh", *COMMAND, *arguments]
        done = subprocess.run(shell, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (2, ""), end


def test_what_is_left_for_the_end_is_done_and_printed() -> None:
    """A command ends at once, but not before what was registered for its end, nor before what that has printed is out."""
    script = "import atexit, sys; sys.argv = ['check-invariants', 'list', 'knobs']; atexit.register(print, 'the end', end='')\n"
    script += "from check_invariants.__main__ import main; main()"
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=buffered)
    assert (done.stdout.splitlines()[-1], done.stderr) == ("the end", "")
