"""`check-invariants qemu`: what it does and shows."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from msgspec import Struct, to_builtins

from check_invariants.documents import Document, emit_json
from check_invariants.exit import ExitCode, Interrupted, LimitReached, of_comparison, of_log, worst
from check_invariants.output import Counter, emit
from draincheck.errors import OutOfBudget, QemuError
from draincheck.qemulog.log import ReadLog, read_log
from draincheck.qemulog.pivot import Judgement
from draincheck.qemulog.source import blocks, opened
from draincheck.qemurun.compared import ReadBack, compared
from draincheck.qemurun.process import monitor_class
from draincheck.qemurun.session import Round, Session, Workload
from draincheck.reason import StopKind
from draincheck.report.log_text import answer_line, pivot_lines
from draincheck.verdict import stop_of
from draincheck.words import counted

#: how QEMU is had
APT = "apt-get install qemu-system-x86"


class Played(Struct, frozen=True):
    """What came of a run.

    Attributes:
        command: QEMU's.
        rounds: those that were played to their end.
        ended: how QEMU ended, "" if as it was asked to.
        log: what its log shows.
        comparisons: the log and what was read back.
    """

    command: Sequence[str]
    rounds: Sequence[Round]
    ended: str
    log: ReadLog
    comparisons: Sequence[ReadBack]


def run(
    *,
    mode: str,
    disks: int,
    iothread: bool,
    ioeventfd: str,
    stop: bool,
    rounds: int,
    seed: int,
    binary: str,
    output: str | None,
    timeout: float | None,
    as_json: bool,
) -> ExitCode:
    """Play the rounds, judge the log, and compare."""
    workload = Workload(mode, disks, iothread, ioeventfd == "on", stop, rounds, seed=seed)
    program = _program(binary)
    with _folder(output) as folder:
        played = _played(program, folder, workload, output is not None)
        code = worst([of_log(played.log), of_comparison(all(each.agrees for each in played.comparisons))])
        document = {"workload": to_builtins(workload), **_json(played)}
        (folder / "read-back.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        if as_json:
            emit_json("qemu", document, code)
        else:
            _show(played, str(folder / "trace.log") if output else "the log", output)
    return code


def _program(binary: str) -> str:
    """QEMU's program. Raises UsageError where it is missing, NotInstalled where what speaks to it is: before anything is made."""
    program = shutil.which(binary)
    if program is None:
        raise click.UsageError(f"there is no {binary}: {APT}, or --qemu PROGRAM")
    monitor_class()
    return program


@contextmanager
def _folder(output: str | None) -> Generator[Path]:
    """Where QEMU's files go: a new folder that stays, or one that goes."""
    if output is None:
        with tempfile.TemporaryDirectory(prefix="check-invariants-") as folder:
            yield Path(folder)
        return
    path = Path(output)
    try:
        path.mkdir(parents=True)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise click.BadParameter(
            f"{output}: {why}; name a folder that is not there yet", param_hint="--output"
        ) from error
    yield path


def _kept(folder: Path, kept: bool) -> str:
    """What is left of a run that was ended."""
    return (
        f"; its log says what had been: check-invariants log {folder / 'trace.log'}"
        if kept
        else ", and nothing is known"
    )


def _played(program: str, folder: Path, workload: Workload, kept: bool) -> Played:
    """Raises UsageError for a QEMU that does not start."""
    try:
        session = Session(program, folder, workload)
        with Counter("round", "played", workload.rounds) as counter:
            rounds, ended = session.rounds(lambda done: counter.advance(done.number + 1))
        with opened(str(folder / "trace.log")) as source:
            log = read_log(_with_errors(blocks(source), ended))
    except QemuError as error:
        raise click.UsageError(str(error)) from error
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted: QEMU was ended{_kept(folder, kept)}") from error
    except OutOfBudget as limit:
        stop = stop_of(limit)
        ended_by = Interrupted if stop.kind is StopKind.REQUEST else LimitReached
        raise ended_by(f"{stop}: QEMU was ended{_kept(folder, kept)}") from limit
    return Played(session.qemu.command, rounds, ended, log, compared(rounds, log.report.pivots, workload.disks))


def _with_errors(log: Iterator[bytes], ended: str) -> Iterator[bytes]:
    """The log, and behind it what QEMU printed when it ended: an assertion stands there."""
    yield from log
    yield from (f"{line}\n".encode() for line in ended.splitlines() if "ssert" in line)


def _show(played: Played, name: str, output: str | None) -> None:
    answer = answer_line(name, played.log)
    agree = all(each.agrees for each in played.comparisons)
    lost = sum(len(each.lost) for each in played.comparisons)
    verdict = f"{counted(len(played.rounds), 'round')}; read back: {counted(lost, 'block')} lost; the log " + (
        "says the same" if agree else "SAYS SOMETHING ELSE"
    )
    emit(f"{answer}\n{verdict}\n")
    for each in played.comparisons:
        if not each.agrees:
            emit(
                f"round {each.round}, disk {each.disk}: read back, lost are {list(each.lost)}; the log says {list(each.predicted)}\n"
            )
    for pivot in played.log.report.pivots:
        if pivot.judgement not in (Judgement.CLEAN, Judgement.HELD):
            emit("\n" + "".join(f"{line}\n" for line in pivot_lines(pivot)))
    if played.ended:
        emit(f"\nQEMU ended by itself: {played.ended.splitlines()[-1]}\n")
    if output:
        emit(f"\nlog, read-back.json and images are in {output}\n")
    emit(f"{answer}\n")


def _json(played: Played) -> Document:
    return {
        "command": list(played.command),
        "answer": answer_line("trace.log", played.log),
        "rounds": to_builtins(played.rounds),
        "ended": played.ended or None,
        "pivots": to_builtins(played.log.report.pivots),
        "agrees": all(each.agrees for each in played.comparisons),
    }
