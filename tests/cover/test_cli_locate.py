"""`locate`: what it ends with, what it writes, and what it says of files that are no backtraces."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from draincheck.backtrace.index import postures
from draincheck.verdict import Limits
from drainspecs.mirror.code_base import CodeBase
from tests.support.backtraces import STRANGERS, gdb, of_moment
from tests.support.cli import run
from tests.support.house import ROOT
from tests.support.qemu_logs import LOGS
from tests.support.samples import sampled

NARROW = ("--revision", "65c1b5b622", "--scenario", "dataplane")


@pytest.fixture(scope="module")
def hang() -> str:
    """The stacks of a hang."""
    found = postures(CodeBase.named("65c1b5b622", "dataplane").system(), Limits(states=100_000))
    return gdb(of_moment(next(moment for moment in found.moments if moment.hopeless)))


def written(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_hang_is_told_with_who_waits_and_what_ends_it(hang: str, tmp_path: Path) -> None:
    """The property, the threads, that there is no way out, the commit that ends it; the answer first and last."""
    result = run("locate", written(tmp_path / "bt", hang), *NARROW)
    lines = result.output.splitlines()
    assert lines[0] == lines[-1]
    assert "F1" in lines[0]
    assert "it cannot get out: F1" in result.output
    assert "321d1dba8b" in result.output


@pytest.mark.slow
def test_the_trace_that_is_written_leads_there(hang: str, tmp_path: Path) -> None:
    """`trace show` runs it again on the code base that it names."""
    file, stacks = tmp_path / "trace.json", written(tmp_path / "bt", hang)
    nowhere = written(tmp_path / "strange", STRANGERS[0])
    told = run("locate", nowhere, stacks, *NARROW, "-o", str(file)).stderr
    assert f"{stacks}: a shortest trace to place 1 written to {file}\n" in told
    assert run("trace", "show", str(file)).exit_code == 0


def test_a_trace_that_is_not_written_is_told(tmp_path: Path) -> None:
    """Where nothing fits there is no place."""
    file = tmp_path / "trace.json"
    told = run("locate", written(tmp_path / "bt", STRANGERS[0]), *NARROW, "-o", str(file)).stderr
    assert (told, file.exists()) == (f"there is no place that a trace could lead to: {file} is not written\n", False)


@pytest.mark.parametrize("output", ["-", "/dev/stdout"])
def test_a_document_stands_on_standard_output_alone(output: str, tmp_path: Path) -> None:
    """A trace beside it would be a second one."""
    found = run("locate", written(tmp_path / "bt", "hello\n"), *NARROW, "--json", "-o", output)
    assert (found.exit_code, "--json and --output cannot share -" in found.stderr) == (2, True)
    assert list(json.loads(found.stdout)) != []


@pytest.mark.parametrize(("text", "code"), [(STRANGERS[0], 10), ("hello\n", 150), ("", 150)])
def test_what_is_unknown_and_what_is_no_backtrace_are_told_apart(text: str, code: int, tmp_path: Path) -> None:
    """10 and 150."""
    assert run("locate", written(tmp_path / "bt", text), *NARROW).exit_code == code


def test_an_ordinary_state_is_no_bug(tmp_path: Path) -> None:
    """A main loop that waits for work: 30, and nothing is violated."""
    calls = ["main", "main_loop_wait", "os_host_main_loop_wait", "qemu_poll_ns", "ppoll"]
    result = run(
        "locate", written(tmp_path / "bt", gdb([("qemu", calls)])), "--revision", "9a0cec664e", "--scenario", "mirror"
    )
    assert result.exit_code == 30
    assert "ordinary" in result.output


def test_an_idle_qemu_is_told_so_first_and_a_hang_that_looks_alike_behind_it() -> None:
    """30; of a code base that has such a hang, which stands behind what is ordinary."""
    result = run(
        "locate", "--json", "--top", "9", str(ROOT / "tests" / "data" / "backtraces" / "idle-iothread.txt"), *NARROW
    )
    (file,) = json.loads(result.output)["files"]
    assert (result.exit_code, file["answer"]) == (30, "idle")
    fitting = [place["violated"] for place in file["places"] if place["fits"]]
    assert fitting[0] == []
    assert ["F1"] in fitting


def test_what_fits_only_in_part_names_no_commit(tmp_path: Path) -> None:
    """Nor who waits for whom: nothing is known of it."""
    calls = ["main", "main_loop_wait", "aio_bh_poll", "bdrv_swap", "aio_poll", "ppoll"]
    document = json.loads(run("locate", "--json", written(tmp_path / "bt", gdb([("qemu", calls)])), *NARROW).output)
    parts = [place for place in document["files"][0]["places"] if not place["fits"]]
    assert parts
    assert not any(place["ended_by"] or place["waiting"] for place in parts)


def test_lines_that_are_not_read_are_named(tmp_path: Path) -> None:
    """In a form that nobody reads: no backtrace, and which lines look like one."""
    text = "==7==    at 0x4C2B: poll (poll.c:3)\n==7==    by 0x4C2C: main_loop_wait (main-loop.c:1)\n"
    result = run("locate", "--json", written(tmp_path / "bt", text), *NARROW)
    assert result.exit_code == 150
    assert json.loads(result.output)["files"][0]["unread"] == [1, 2]


def test_json_says_the_same(hang: str, tmp_path: Path) -> None:
    """One document."""
    document = json.loads(run("locate", "--json", written(tmp_path / "bt", hang), *NARROW).output)
    (file,) = document["files"]
    assert file["places"][0]["violated"] == ["F1"]
    assert file["places"][0]["models"][0]["revision"] == "65c1b5b622"
    assert document["exit_code"] == file["exit_code"]


def test_a_file_that_is_not_there_is_a_usage_error() -> None:
    """2."""
    assert run("locate", "no-such-file").exit_code == 2


def test_a_model_of_ones_own_has_no_revision(tmp_path: Path) -> None:
    """2."""
    assert (
        run(
            "locate", written(tmp_path / "bt", STRANGERS[0]), "--model", "examples/deadlock.py:deadlock", *NARROW
        ).exit_code
        == 2
    )


def test_a_backtrace_is_not_replaced_by_what_is_written(hang: str, tmp_path: Path) -> None:
    """It may be the only one there is; a link to it is the same file."""
    file = Path(written(tmp_path / "bt", hang))
    (tmp_path / "link").symlink_to(file)
    for output in (file, tmp_path / "link"):
        result = run("locate", str(file), *NARROW, "-o", str(output))
        assert result.exit_code == 2
        assert file.read_text(encoding="utf-8") == hang


@pytest.mark.parametrize(
    "pack", sampled([gzip.compress, lzma.compress, bytes], [lzma.compress, bytes]), ids=["gzip", "xz", "plain"]
)
def test_a_packed_backtrace_is_unpacked(pack: Callable[[bytes], bytes], hang: str, tmp_path: Path) -> None:
    """And found as the plain one is."""
    (tmp_path / "bt").write_bytes(pack(hang.encode()))
    result = run("locate", str(tmp_path / "bt"), *NARROW)
    assert "violates F1" in result.output.splitlines()[0]


@pytest.mark.slow
def test_a_backtrace_in_utf_16_is_read(hang: str, tmp_path: Path) -> None:
    """Zeros are no sign of a program."""
    (tmp_path / "bt").write_bytes(hang.encode("utf-16-le"))
    assert "violates F1" in run("locate", str(tmp_path / "bt"), *NARROW).output.splitlines()[0]


@pytest.mark.parametrize(
    "data",
    [b"\x7fELF\x02\x01\x01" + bytes(64), Path(LOGS / "old-silent-mirror.log.xz").read_bytes()[64:9000]],
    ids=["a core dump", "packed otherwise"],
)
def test_what_is_no_text_is_refused_with_what_to_do(data: bytes, tmp_path: Path) -> None:
    """150, whatever its bytes look like; and a damaged package."""
    for number, each in enumerate((data, lzma.compress(data)[:-20])):
        (tmp_path / "bt").write_bytes(each)
        result = run("locate", str(tmp_path / "bt"), *NARROW)
        assert result.exit_code == 150
        assert ("unpacked" if number else "gdb -batch") in result.output


def test_where_there_is_no_frame_no_model_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer needs none; a backtrace does."""

    def built(_: CodeBase) -> None:
        raise AssertionError("a model is built")

    monkeypatch.setattr(CodeBase, "system", built)
    assert run("locate", str(ROOT / "README.md"), str(LOGS / "72-mirror-1disk.log.xz"), *NARROW).exit_code == 150
    backtrace = str(ROOT / "tests" / "data" / "backtraces" / "stop.txt")
    assert run("locate", backtrace, *NARROW).exit_code == 255


def test_who_waits_inside_of_something_is_told_before_who_waits_for_the_lock() -> None:
    """Of a real hang, whose virtual CPU stands first in the file; and nothing is said to be violated, or not, where only a part fits."""
    backtrace = str(ROOT / "tests" / "data" / "backtraces" / "stop.txt")
    first, second, *_ = run("locate", backtrace, *NARROW).output.splitlines()
    assert first.index("waits in bdrv_drain_all_begin") < first.index("waits for a lock in qemu_wait_io_event")
    assert "waits in bdrv_drain_all_begin" in second
    assert "violated" not in first


@pytest.mark.usefixtures("hurry")
def test_what_was_not_searched_is_not_known(hang: str, tmp_path: Path) -> None:
    """At a limit nothing fits only as far as was searched: 30, the answer and the document say so."""
    result = run("locate", written(tmp_path / "bt", hang), *NARROW, "--timeout", "1", "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["exit_code"], document["files"][0]["answer"]) == (30, 30, "not known")
    assert "limit" in document["stopped"]


def test_what_was_searched_and_fits_nothing_is_known(tmp_path: Path) -> None:
    """The control: all was searched."""
    document = json.loads(run("locate", written(tmp_path / "bt", STRANGERS[0]), *NARROW, "--json").stdout)
    assert "stopped" not in document and document["files"][0]["answer"] == "nothing fits"
