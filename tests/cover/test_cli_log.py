"""`log`: what it ends with, and what it says of files that are no logs."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from draincheck.qemulog.source import opened
from tests.support.cli import run
from tests.support.processes import COMMAND, at_a_prompt, wait_for
from tests.support.qemu_logs import LOGS, Guest, lines_of, made

WINDOWS = {0: ["held"], 12: ["acked"]}


def written(path: Path, rounds: list[list[str]], new: bool = True, cut: int | None = None) -> str:
    lines = made(Guest(new=new), rounds).lines
    path.write_bytes(b"".join(line + b"\n" for line in lines[:cut]))
    return str(path)


@pytest.mark.parametrize(("rounds", "code"), [([["held"], []], 0), ([[], ["acked"]], 12), ([["failed"]], 12), ([], 30)])
def test_the_worst_switch_decides_the_exit_code(rounds: list[list[str]], code: int, tmp_path: Path) -> None:
    """Clean and held are 0, a loss or a broken window 12, no switch 30."""
    assert run("log", written(tmp_path / "log", rounds)).exit_code == code


def test_another_abort_is_14() -> None:
    """QEMU's abort while it switches the disk is no broken window."""
    result = run("log", str(LOGS / "72-mirror-mmiokick-abort.log.xz"))
    assert result.exit_code == 14
    assert "2398747128" in result.output


@pytest.mark.parametrize(
    ("file", "code", "ended", "where"),
    [
        (LOGS.parent / "made-logs" / "72-cut-broken.log", 12, "the log ends", " inside a broken window ("),
        (
            LOGS / "72-mirror-mmiokick-abort.log.xz",
            14,
            "the log ends where QEMU may have aborted",
            ", in no broken window (",
        ),
    ],
    ids=["broken", "another abort"],
)
def test_a_log_that_ends_is_no_qemu_that_has(file: Path, code: int, ended: str, where: str, tmp_path: Path) -> None:
    """A log that was cut, and that of a QEMU that goes on, end like one of a QEMU that has; what it printed makes the difference."""
    with opened(str(file)) as source:
        log = source.read()
    for printed, said in ((b"", ended), (b"qemu: mirror.c:1: f: Assertion `x' failed.\n", "QEMU aborted")):
        (tmp_path / "log").write_bytes(log + printed)
        result = run("log", str(tmp_path / "log"))
        assert (result.exit_code, f": {said}{where}" in result.stdout.splitlines()[-1]) == (code, True)


def test_a_changed_line_is_150(tmp_path: Path) -> None:
    """A known event that does not say what it should: the line is named, and what to give."""
    file = Path(written(tmp_path / "log", [[]]))
    file.write_bytes(file.read_bytes().replace(b"dirty count 0", b"dirty count none"))
    result = run("log", str(file))
    assert result.exit_code == 150
    assert "--trace-events" in result.output


def test_answers_stand_in_the_first_and_last_line(tmp_path: Path) -> None:
    """And are the same."""
    lines = run("log", written(tmp_path / "log", [["acked"], []])).output.splitlines()
    assert lines[0] == lines[-1]
    assert "DATA LOSS" in lines[0]


@pytest.mark.parametrize("stamped", [True, False])
def test_times_are_said_to_be_utc(stamped: bool, tmp_path: Path) -> None:
    """Once, and where there are any."""
    file = tmp_path / "log"
    file.write_bytes(b"".join(line + b"\n" for line in made(Guest(new=True, stamped=stamped), [["held"]]).lines))
    shown = run("log", str(file)).output
    assert shown.count("; times are UTC\n") == stamped


def test_several_files_are_judged_each(tmp_path: Path) -> None:
    """The worst decides."""
    good, bad = written(tmp_path / "good", [[]]), written(tmp_path / "bad", [["acked"]], new=False)
    document = json.loads(run("log", "--json", good, bad).output)
    assert [each["exit_code"] for each in document["files"]] == [0, 12]
    assert document["exit_code"] == 12
    assert document["files"][1]["pivots"][0]["lost"][0]["sectors"] == 8


@pytest.mark.parametrize("name", ["no-such-file", "a\x00b", ""])
def test_a_file_that_is_not_there_is_a_usage_error(name: str) -> None:
    """Not a log without switches."""
    assert run("log", name).exit_code == 2


@pytest.mark.parametrize(("name", "code"), [("/dev/zero", 2), ("/dev/full", 2), ("/dev/null", 30)])
def test_a_device_without_an_end_is_no_log(name: str, code: int, tmp_path: Path) -> None:
    """By a link to it, too; one that is empty is an empty log."""
    (tmp_path / "link").symlink_to(name)
    assert [run("log", each).exit_code for each in (name, str(tmp_path / "link"))] == [code, code]


def test_following_takes_one_file(tmp_path: Path) -> None:
    """Standard input comes as it is written anyway."""
    file = written(tmp_path / "log", [[]])
    assert run("log", "--follow", file, file).exit_code == 2
    assert run("log", "--follow", "-").exit_code == 2


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Generator[subprocess.Popen[bytes]]:
    """A process that does not outlive its test."""
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("rounds", "ending", "code"),
    [
        ([["acked"]], signal.SIGINT, 12),
        pytest.param([["held"]], signal.SIGINT, 0, marks=pytest.mark.slow),
        pytest.param([["acked"]], signal.SIGTERM, 143, marks=pytest.mark.slow),
    ],
    ids=["a loss", "held", "SIGTERM"],
)
def test_ctrl_c_ends_following_with_what_was_found(
    rounds: list[list[str]], ending: signal.Signals, code: int, tmp_path: Path
) -> None:
    """It is how that ends, and no interrupt; SIGTERM is one. The answer is there in any case."""
    file, told = written(tmp_path / "log", rounds), tmp_path / "told"
    with told.open("wb") as output, ended(at_a_prompt(*COMMAND, "log", "--follow", file, output=output)) as process:
        assert wait_for(lambda: b", switch " in told.read_bytes())
        os.kill(process.pid, ending)
        assert process.wait() == code
    answer = f"{file}: {'DATA LOSS' if rounds == [['acked']] else 'nothing was lost'}"
    assert answer in told.read_text(encoding="utf-8").splitlines()[-1] or ending is signal.SIGTERM
    assert answer in told.read_text(encoding="utf-8")


def test_windows_after_ctrl_c_are_held_against_models(tmp_path: Path) -> None:
    """Ctrl-C ends the reading alone: nothing that comes behind it is unknown."""
    file, told = written(tmp_path / "log", [["held"]], new=False), tmp_path / "told"
    words = (*COMMAND, "log", "--follow", file, "--against", "v2.6.0")
    with told.open("wb") as output, ended(at_a_prompt(*words, output=output)) as process:
        assert wait_for(lambda: b", switch " in told.read_bytes())
        os.kill(process.pid, signal.SIGINT)
        process.wait()
    assert "unknown" not in told.read_text(encoding="utf-8")
    assert "of v2.6.0, 1 is not" in told.read_text(encoding="utf-8")


@pytest.mark.parametrize(("rounds", "code"), [([["acked"]], 12), ([[]], 0)])
def test_an_answer_is_told_though_nothing_is_exported(rounds: list[list[str]], code: int, tmp_path: Path) -> None:
    """With the log's own exit code, its page and its document; standard error says why there is no trace. Clean logs end with 0."""
    trace, page = tmp_path / "x.json", tmp_path / "page.html"
    file = written(tmp_path / "log", rounds, new=False)
    words = ("log", file, "--against", "v8.0.0", "--export", str(trace))
    told = run(*words, "--html", str(page))
    own = run("log", file, "--against", "v8.0.0").exit_code
    assert (told.exit_code, own) == (own, code)
    assert told.stdout.splitlines()[0] == told.stdout.splitlines()[-1]
    assert "nothing was exported" in told.stderr
    assert page.exists() and not trace.exists()
    assert json.loads(run(*words, "--json").stdout)["exit_code"] == code


def test_a_code_base_that_cannot_run_the_scenario_is_refused_before_a_log_is_read() -> None:
    """10; a log that is not there would be 2."""
    assert run("log", "no-such-file", "--against", "5a7e7a0bad~1", "--scenario", "dataplane").exit_code == 10


def test_the_logs_own_answer_stands_first_and_last_beside_what_came_of_models(tmp_path: Path) -> None:
    """And clean windows that came to the same share a line; one in which something happened has its own."""
    file = written(tmp_path / "log", [[], [], ["acked"], []], new=False)
    lines = run("log", file, "--against", "v2.6.0").stdout.splitlines()
    assert lines[0] == lines[-1]
    assert lines[0].startswith(f"{file}: DATA LOSS")
    assert "of v2.6.0" in lines[0]
    clean = [line for line in lines if "(clean): a run of v2.6.0" in line]
    assert [line.partition(", ")[2] for line in clean] == ["switches 1-2, 4 (clean): a run of v2.6.0"]


def test_formats_of_ones_own_take_the_place_of_ours(tmp_path: Path) -> None:
    """A QEMU that prints an event otherwise is read with its own trace-events-all."""
    file = Path(written(tmp_path / "log", [["acked"]]))
    file.write_bytes(file.read_bytes().replace(b"dirty count", b"dirty bytes"))
    formats = tmp_path / "trace-events-all"
    names = ("mirror_before_drain", "mirror_restart_iter")
    formats.write_text("".join(f'{name}(void *s, int64_t cnt) "s %p dirty bytes %"PRId64\n' for name in names))
    assert run("log", str(file)).exit_code == 150
    assert run("log", str(file), "--trace-events", str(formats)).exit_code == 12


def test_formats_that_are_none_are_150(tmp_path: Path) -> None:
    """With the line."""
    formats = tmp_path / "formats"
    formats.write_text("nonsense\n")
    result = run("log", written(tmp_path / "log", [[]]), "--trace-events", str(formats))
    assert result.exit_code == 150
    assert "formats:1" in result.output


def test_a_file_without_any_event_is_no_log(tmp_path: Path) -> None:
    """Malformed; an empty one may become a log."""
    for text, code in (("# A page\nof words\n", 150), ("", 30)):
        (tmp_path / "log").write_text(text)
        assert run("log", str(tmp_path / "log")).exit_code == code


def test_a_packed_log_is_not_followed(tmp_path: Path) -> None:
    """Nobody goes on writing to it; without the option it is read."""
    file = Path(written(tmp_path / "log", [[]]))
    file.write_bytes(gzip.compress(file.read_bytes()))
    assert run("log", "--follow", str(file)).exit_code == 2
    assert run("log", str(file)).exit_code == 0


SECTIONS = Path(__file__).parents[1] / "data" / "sidecars"


def test_a_sidecar_is_laid_beside_its_log(tmp_path: Path) -> None:
    """What it adds is in the text and in the document; one with lost events is no pass."""
    log, sidecar = str(SECTIONS / "mirror.log.xz"), str(SECTIONS / "mirror.perf.txt.gz")
    assert "drained throughout" in run("log", log, "--uprobes", sidecar).output
    pivots = json.loads(run("log", log, "--uprobes", sidecar, "--json").output)["files"][0]["pivots"]
    assert [pivot["drained"]["coverage"] for pivot in pivots] == ["drained throughout"] * 2
    (tmp_path / "lost").write_bytes(gzip.decompress(Path(sidecar).read_bytes()) + b"CPU:1 [LOST 12 EVENTS]\n")
    assert [run("log", log, "--uprobes", each).exit_code for each in (sidecar, str(tmp_path / "lost"))] == [0, 30]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--uprobes", "none"), 2),
        (("--uprobes", "README"), 150),
        (("--uprobes", "mine", "--uprobes", "mine"), 2),
        (("--uprobes", "mine", "--follow"), 2),
        (("--uprobes", "others"), 2),
    ],
    ids=["not there", "no sidecar", "too many", "followed", "another's"],
)
def test_a_sidecar_that_does_not_fit_is_refused(words: tuple[str, ...], code: int, tmp_path: Path) -> None:
    """Each in its way; one that fits is taken."""
    (tmp_path / "README").write_text("words\n")
    mine = gzip.decompress((SECTIONS / "mirror.perf.txt.gz").read_bytes())
    (tmp_path / "mine").write_bytes(mine)
    (tmp_path / "others").write_bytes(mine.replace(b" 22836 ", b" 22837 "))
    given = [str(tmp_path / word) if not word.startswith("--") else word for word in words]
    assert run("log", str(SECTIONS / "mirror.log.xz"), *given).exit_code == code
    assert run("log", str(SECTIONS / "mirror.log.xz"), "--uprobes", str(tmp_path / "mine")).exit_code == 0


@pytest.mark.slow
def test_a_window_that_no_model_is_asked_about_is_no_run_of_none(tmp_path: Path) -> None:
    """Of which code bases it is a run is not known, and the answer does not say that it is of none; where all are decided, it does."""
    many = run("log", written(tmp_path / "many", [["acked"] * 40], new=False), "--fits").stdout.splitlines()
    none = run("log", written(tmp_path / "none", [["failed"]], new=False), "--fits").stdout.splitlines()
    assert many[0] == many[-1] and "not known" not in none[0]
    assert "runs of no code base" not in many[0] and "known" in many[0]


def test_a_log_that_is_cut_in_a_switch_is_no_abort(tmp_path: Path) -> None:
    """Where a second write goes on QEMU has survived the first; where the log ends with the first it may be the abort."""
    lines = lines_of("72-commit-mmiokick-held")
    first = next(
        i
        for i, line in enumerate(lines)
        if i > 8000 and b"blk_co_pwritev " in line and b"blk_root_attach" in lines[i - 1]
    )
    second = next(i for i in range(first + 1, len(lines)) if b":blk_co_pwritev " in lines[i])
    codes = [
        run("log", str(_file(tmp_path / f"{end}", lines[:end]))).exit_code for end in (first, first + 1, second + 1)
    ]
    assert codes == [30, 14, 30]


def _file(path: Path, lines: Sequence[bytes]) -> Path:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def test_the_switch_that_lost_most_is_exported_and_the_command_can_be_pasted(tmp_path: Path) -> None:
    """Of two that lost writes silently not the first."""
    trace = tmp_path / "my worst.json"
    file = written(tmp_path / "log", [["acked"], ["merged"]], new=False)
    told = run("log", file, "--against", "v2.6.0", "--export", str(trace))
    assert "switch 2, as a run" in told.stderr
    assert f"replay '{trace}'" in told.stderr
