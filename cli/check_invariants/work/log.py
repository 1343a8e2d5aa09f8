"""`check-invariants log`: what it does and shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from time import sleep

import click
from msgspec import Struct, to_builtins
from msgspec.structs import replace

from check_invariants import standard
from check_invariants.again import command_again
from check_invariants.documents import Document, emit_json
from check_invariants.exit import EmptySelection, ExitCode, MalformedInput, interrupted, of_log, worst
from check_invariants.files import apart, check_output, write_to
from check_invariants.interrupts import answered
from check_invariants.options import STDOUT
from check_invariants.output import Counter, emit, emit_table
from check_invariants.table import Column, Table
from check_invariants.work.log_runs import (
    check_applicable,
    draw,
    export,
    held_against,
    joint_line,
    of_runs,
    runs_json,
    show_runs,
)
from draincheck.budget import interrupted as asked_to_end
from draincheck.errors import LogError, SidecarError
from draincheck.qemu import Scenario
from draincheck.qemulog.events import EVENTS
from draincheck.qemulog.excerpt import Excerpts
from draincheck.qemulog.formats import TraceEvent, read_formats
from draincheck.qemulog.log import ReadLog, read_log
from draincheck.qemulog.pivot import Judgement, Moment, Pivot
from draincheck.qemulog.sections import beside
from draincheck.qemulog.source import STDIN, blocks, followed, opened, packed
from draincheck.qemulog.uprobes import Sidecar, read_sidecar
from draincheck.report.log_text import answer_line, clock, needed_lines, pivot_lines, reading_lines
from draincheck.revisions import Revision, called
from draincheck.words import counted
from drainspecs.mirror.log_runs import HeldWindow

#: seconds between two looks at a log that is followed
LOOK = 0.25
#: bytes of a block behind which nothing more was written yet: a log is read to its end before Ctrl-C is taken for that of following
SMALL = 1 << 19
#: of a file that is none
NO_LOG = "none of its {} is a trace event of QEMU's as its log backend prints it (`THREAD@SECONDS:EVENT ...`, or `EVENT ...`)"
#: switches that were clean are not listed one by one if there are more
LISTED = 30


class JudgedFile(Struct, frozen=True, eq=False):
    """What came of a file: what it shows, or why it cannot be read; and lines of it, where a page is to show them."""

    file: str
    log: ReadLog | None = None
    problem: str = ""
    excerpts: Excerpts | None = None

    @property
    def answer(self) -> str:
        """In a sentence."""
        return f"{self.file}: malformed: {self.problem}" if self.log is None else answer_line(self.file, self.log)

    @property
    def code(self) -> ExitCode:
        """The exit code that makes."""
        return ExitCode.MALFORMED if self.log is None else of_log(self.log)


def command(
    *,
    files: Sequence[str],
    formats: str | None,
    sidecars: Sequence[str],
    follow: bool,
    revisions: Sequence[Revision],
    fits: bool,
    scenario: Scenario | None,
    output: str | None,
    picture: str | None,
    html: str | None,
    as_json: bool,
) -> ExitCode:
    """Judge each file, and hold it against code bases."""
    _check_compared(output, picture, revisions, fits)
    apart({"--export": output, "--graph": picture, "--html": html}, as_json=as_json)
    _check_outputs((output, picture, html), (*files, *sidecars), html)
    _check_read(files, sidecars, follow)
    check_applicable(revisions, scenario)
    events = _events(formats)
    recorded: Sequence[Sidecar | None] = [_sidecar(file) for file in sidecars] or [None] * len(files)
    judged = [
        _sharpened(_judged(file, events, follow, follow and not as_json, html is not None), sidecar)
        for file, sidecar in zip(files, recorded, strict=True)
    ]
    held = [held_against(each.log.report, revisions, fits, scenario) if each.log else () for each in judged]
    code = worst([*(each.code for each in judged), *(of_runs(each, revisions) for each in held)])
    if as_json:
        told = [{**_json(each), **runs_json(runs)} for each, runs in zip(judged, held, strict=True)]
        emit_json("log", {"files": told}, code)
    for each, runs in () if as_json else zip(judged, held, strict=True):
        _show(each, runs, revisions, fits, scenario)
    if html is not None:
        _write_page(judged, held, revisions, fits, html)
    if output is not None:
        _say_written(partial(export, output, held))
    if picture is not None:
        _say_written(partial(draw, picture, held, revisions))
    return code


def _say_written(write: Callable[[], str]) -> None:
    """Write a file, or say why there is nothing to write: the answer stands, whatever becomes of that."""
    try:
        said = write()
    except EmptySelection as nothing:
        said = nothing.message
    standard.note(f"{said}\n", whole=True)


def _check_compared(output: str | None, picture: str | None, revisions: Sequence[Revision], fits: bool) -> None:
    """Raise UsageError for outputs that are about code bases where there are none."""
    if output is not None and not (revisions or fits):
        raise click.UsageError("--export needs --against: a trace is a run of a code base")
    if picture is not None and not revisions:
        raise click.UsageError("--graph needs --against: it shows why a window is no run of a code base")


def _check_outputs(outputs: Iterable[str | None], read: Sequence[str], html: str | None) -> None:
    """Raise NotWritable for an output that cannot be written, or is read; UsageError for one that standard output is none for."""
    for path in outputs:
        if path is not None:
            check_output(path, read)
    if html == STDOUT:
        raise click.UsageError("--html is for a file, since standard output has the answer")


def _check_read(files: Sequence[str], sidecars: Sequence[str], follow: bool) -> None:
    """Raise UsageError where what is read does not go together."""
    if follow and (len(files) > 1 or files == (STDIN,)):
        raise click.UsageError("--follow takes one file, by its name")
    if follow and _is_packed(files[0]):
        raise click.UsageError(f"{files[0]}: it is packed, and nobody goes on writing to it: leave out --follow")
    if follow and sidecars:
        raise click.UsageError("--follow and --uprobes: a sidecar is laid beside a log that is whole")
    if sidecars and len(sidecars) != len(files):
        raise click.UsageError(
            f"--uprobes: {counted(len(sidecars), 'sidecar')} and {counted(len(files), 'log')}: give one for each log, in their order"
        )


def _is_packed(file: str) -> bool:
    try:
        return packed(file)
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror or error}") from error


def _sidecar(file: str) -> Sidecar:
    """What was recorded. Raises UsageError for a file that is not there, MalformedInput for one that is no sidecar."""
    try:
        with opened(file) as source:
            return read_sidecar(blocks(source), file)
    except OSError as error:
        raise click.BadParameter(f"{file}: {error.strerror or error}", param_hint="--uprobes") from error
    except LogError as error:
        raise MalformedInput(str(error)) from error


def _sharpened(judged: JudgedFile, sidecar: Sidecar | None) -> JudgedFile:
    """With what the sidecar adds. Raises UsageError for one that is not this log's."""
    if judged.log is None or sidecar is None:
        return judged
    try:
        return replace(judged, log=replace(judged.log, report=beside(judged.log.report, sidecar)))
    except SidecarError as error:
        raise click.BadParameter(str(error), param_hint="--uprobes") from error


def _events(formats: str | None) -> Mapping[str, TraceEvent]:
    """The events that are known, with those of the user's QEMU in place of ours."""
    if formats is None:
        return EVENTS
    try:
        with open(formats, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123 (a path would make `.` of an empty name)
            own = read_formats(file.read(1 << 26), formats)
        for name in own.keys() & EVENTS.keys():
            EVENTS[name].check(own[name])
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise click.BadParameter(f"{formats}: {reason}", param_hint="--trace-events") from error
    except LogError as error:
        raise MalformedInput(str(error)) from error
    used = {name: event if name in EVENTS else TraceEvent(name, ()) for name, event in own.items()}
    return {**EVENTS, **used}


def _write_page(
    judged: Sequence[JudgedFile],
    held: Sequence[Sequence[HeldWindow]],
    revisions: Sequence[Revision],
    fits: bool,
    path: str,
) -> None:
    """Write the explorer."""
    from check_invariants.work.log_html import SeenLog, log_page  # brings the explorer

    logs = [SeenLog(each.file, each.log, each.problem, each.answer, each.excerpts or Excerpts()) for each in judged]
    write_to(path, log_page(logs, held, revisions, fits, _again()))


def _again() -> str:
    """The command as it was given, for a shell."""
    given = click.get_current_context().params
    options = [("--trace-events", "formats"), ("--html", "html"), ("--export", "output"), ("--graph", "picture")]
    named = [word for option, name in options if given[name] is not None for word in (option, given[name])]
    against = [word for revision in given["revisions"] for word in ("--against", called(revision))]
    against += [word for sidecar in given["sidecars"] for word in ("--uprobes", sidecar)]
    scenario = [] if given["scenario"] is None else ["--scenario", given["scenario"].name]
    return command_again("log", *given["files"], *against, *["--fits"] * given["fits"], *scenario, *named)


def _judged(file: str, events: Mapping[str, TraceEvent], follow: bool, at_once: bool, with_lines: bool) -> JudgedFile:
    """What a file shows, each switch `at_once` when it is known. Raises UsageError for one that is not there."""
    excerpts = Excerpts() if with_lines else None

    def closed(pivot: Pivot) -> None:
        if excerpts is not None:
            excerpts.notice(pivot)
        if at_once:
            emit("".join(f"{line}\n" for line in pivot_lines(pivot)))

    try:
        with Counter("line", "read", None) as counter:
            source = _blocks(file, follow)
            read = excerpts.passing(source) if excerpts else source
            log = read_log(read, events, closed, lambda tally: counter.advance(tally.lines))
        if excerpts is not None:
            excerpts.end(log.report.pivots)
        problem = "" if log.tally.is_log else NO_LOG.format(counted(log.tally.lines, "line"))
        return JudgedFile(file, None if problem else log, problem, excerpts)
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror or error}") from error
    except LogError as error:
        return JudgedFile(file, problem=str(error))
    except KeyboardInterrupt as error:
        raise interrupted(f"interrupted: {file} was not read to its end, and nothing is known of it") from error


def _blocks(file: str, follow: bool) -> Iterator[bytes]:
    if follow:
        if not Path(file).exists() and Path(file).parent.is_dir():
            standard.note(f"{file} is not there yet: waiting for it (Ctrl-C ends that)\n")
        for block in followed(file, _wait):
            yield block
            if len(block) < SMALL and _is_ended():
                return
        return
    with opened(file) as source:
        yield from blocks(source)


def _wait() -> bool:
    """Wait until there may be more; no after Ctrl-C, which is how following ends, nor after SIGTERM, which ends the command."""
    try:
        sleep(LOOK)
    except KeyboardInterrupt:
        answered()
        return False
    return not _is_ended()


def _is_ended() -> bool:
    """Whether following is to end; Ctrl-C has done its work with that."""
    ended = asked_to_end()
    if ended:
        answered()
    return ended


# -- text


def _show(
    each: JudgedFile, runs: Sequence[HeldWindow], revisions: Sequence[Revision], fits: bool, scenario: Scenario | None
) -> None:
    """What a file shows; what came of it stands in the first line and in the last, with what came of models beside it."""
    answer = "; ".join(filter(None, [each.answer, joint_line(runs, revisions, fits, scenario)]))
    emit(f"{answer}\n")
    if each.log is None:
        return
    _show_switches(each.log.report.pivots)
    emit("\n" + "".join(f"{line}\n" for line in reading_lines(each.log)))
    missing = sorted({name for pivot in each.log.report.pivots for name in pivot.missing})
    if missing or not each.log.report.pivots:
        emit("".join(f"{line}\n" for line in needed_lines(missing)))
    show_runs(runs, revisions)
    emit(f"\n{answer}\n" if runs else f"{answer}\n")


def _show_switches(pivots: Sequence[Pivot]) -> None:
    if pivots:
        emit("\n")
        emit_table(Table.of(_listed(pivots), _COLUMNS))
    for pivot in pivots:
        if pivot.judgement is not Judgement.CLEAN or (pivot.drained and len(pivots) <= LISTED):
            emit("\n" + "".join(f"{line}\n" for line in pivot_lines(pivot)))


def _listed(pivots: Sequence[Pivot]) -> Sequence[Pivot]:
    """All switches, or those that were not clean where that is too many."""
    return pivots if len(pivots) <= LISTED else [pivot for pivot in pivots if pivot.judgement is not Judgement.CLEAN]


_COLUMNS: Mapping[Column, Callable[[Pivot], str]] = {
    Column("disk"): lambda pivot: pivot.disk,
    Column("switch", right=True): lambda pivot: str(pivot.number),
    Column("(w)"): lambda pivot: _place(pivot.opened),
    Column("(c)"): lambda pivot: _place(pivot.switched),
    Column("open for", right=True): lambda pivot: _length(pivot),  # noqa: PLW0108 (it stands below)
    Column("(b)", right=True): lambda pivot: str(len(pivot.intruders) or ""),
    Column("held", right=True): lambda pivot: str(len(pivot.held) or ""),
    Column("verdict"): lambda pivot: pivot.judgement.value,
}


def _place(moment: Moment | None) -> str:
    return "-" if moment is None else f"{clock(moment).split(' ')[0]} line {moment.line}".strip()


def _length(pivot: Pivot) -> str:
    if pivot.opened is None or pivot.switched is None or pivot.opened.time is None or pivot.switched.time is None:
        return ""
    return f"{(pivot.switched.time - pivot.opened.time) / 1000:.1f} ms"


# -- JSON


def _json(each: JudgedFile) -> Document:
    if each.log is None:
        return {"file": each.file, "problem": each.problem, "exit_code": int(each.code)}
    tally = each.log.tally
    report = each.log.report
    return {
        "file": each.file,
        "answer": each.answer,
        **to_builtins(report),
        "pivots": [{**to_builtins(pivot), "lost": to_builtins(pivot.lost)} for pivot in report.pivots],
        "lines": tally.lines,
        "events": dict(sorted(tally.events.items())),
        "unknown": sorted(tally.unknown),
        "other_lines": tally.others,
        "torn": tally.torn,
        "misprints": to_builtins(tally.shown),
        "exit_code": int(each.code),
    }
