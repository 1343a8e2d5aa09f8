"""`check-invariants locate`: what it does and shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click
from msgspec import to_builtins
from msgspec.structs import replace

from check_invariants import standard
from check_invariants.documents import Document, emit_json
from check_invariants.exit import EmptySelection, ExitCode, MalformedInput, worst
from check_invariants.files import apart, check_output, say_written, write_to
from check_invariants.inputs import LONGEST, read_bytes
from check_invariants.names import merged
from check_invariants.output import emit, emit_stop, until_stopped
from check_invariants.own_models import load_model
from draincheck.backtrace.activity import Activity
from draincheck.backtrace.lines import is_binary
from draincheck.backtrace.located import Candidate, Located, LocatedAs, LocatedSpot, located, shared, shortest_run
from draincheck.backtrace.reading import read_backtrace
from draincheck.errors import LogError, ModelError
from draincheck.knobs import Setting
from draincheck.qemu import Scenario
from draincheck.qemulog.source import unpacked
from draincheck.reason import Stop
from draincheck.report.jsontrace import write_trace
from draincheck.report.locate_text import answer_of, doing_lines, place_lines, unknown_lines, waits_of
from draincheck.revisions import Revision, with_settings
from draincheck.subject import Subject
from draincheck.verdict import Limits
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.explored import remedy_of
from drainspecs.mirror.specifications import find_specification
from drainspecs.suite.matrix import default_rows

#: states of one system that are looked at
MOST = 200_000

#: of a file that a backtrace can be had from, perhaps
NO_TEXT = (
    "it is no text, and no package of one (gzip, xz, zstandard); the backtrace of a core dump is what gdb prints: "
    "gdb -batch -ex 'thread apply all bt' PROGRAM CORE > bt.txt"
)
#: what is demanded of whole runs: asked where nothing else is violated for certain
WHOLE_RUNS = ("liveness", "liveness while the storage stalls")
_UNDECIDED = (LocatedAs.ORDINARY, LocatedAs.SEVERAL, LocatedAs.PARTIAL)

_CODES: Mapping[LocatedAs, ExitCode] = {
    LocatedAs.NAMED: ExitCode.OK,
    LocatedAs.SEVERAL: ExitCode.INCONCLUSIVE,
    LocatedAs.ORDINARY: ExitCode.INCONCLUSIVE,
    LocatedAs.IDLE: ExitCode.INCONCLUSIVE,
    LocatedAs.PARTIAL: ExitCode.INCONCLUSIVE,
    LocatedAs.NOTHING: ExitCode.DIFFERENT,
    LocatedAs.UNSEARCHED: ExitCode.INCONCLUSIVE,
    LocatedAs.NO_BACKTRACE: ExitCode.MALFORMED,
}


def command(
    *,
    files: Sequence[str],
    model: str | None,
    settings: Sequence[tuple[str, Setting]],
    revisions: Sequence[Revision],
    scenarios: Sequence[Scenario],
    top: int,
    output: str | None,
    as_json: bool,
) -> ExitCode:
    """Search each backtrace in all systems."""
    apart({"--output": output}, as_json=as_json)
    if output is not None:
        check_output(output, files)
    texts = [(file, _text(file)) for file in files]
    traces = [(file, read_backtrace(text)) for file, text in texts]
    subjects = _subjects(model, settings, revisions, scenarios)
    systems, stop = _explored(subjects if any(trace.stacks for _, trace in traces) else [])
    found = [(file, located(trace, systems, qemu=model is None)) for file, trace in traces]
    if model is None and stop is None and any(each.answer in _UNDECIDED for _, each in found):
        more, stop = _explored(_subjects(model, settings, revisions, scenarios, *WHOLE_RUNS), "whole-run system")
        found = [
            (file, located(each.backtrace, [*systems, *more]) if each.answer in _UNDECIDED else each)
            for file, each in found
        ]
    found = [(file, _as_far_as_searched(each, stop)) for file, each in found]
    code = worst([*(_CODES[each.answer] for _, each in found), *([ExitCode.INCONCLUSIVE] if stop else [])])
    if output is not None:
        _write(output, found)
    if as_json:
        emit_json("locate", {"files": [_json(file, each, top) for file, each in found], **_stopped(stop)}, code)
    else:
        for file, each in found:
            _show(file, each, top)
    emit_stop(stop, "what was not searched is not known")
    return code


def _text(file: str) -> str:
    """What a file says, whatever its encoding, unpacked. Raises UsageError, and MalformedInput for what is no text."""
    try:
        data = unpacked(read_bytes(file), LONGEST)
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror or error}") from error
    except LogError as error:
        raise MalformedInput(f"{file}: {error}") from error
    if is_binary(data):
        raise MalformedInput(f"{file}: {NO_TEXT}")
    return data.decode(errors="replace")


def _subjects(
    model: str | None,
    settings: Sequence[tuple[str, Setting]],
    revisions: Sequence[Revision],
    scenarios: Sequence[Scenario],
    *specifications: str,
) -> list[Subject]:
    """What is searched: a model of the user's, or code bases."""
    if model is not None:
        if revisions or scenarios:
            raise click.UsageError("a model of your own has no --revision or --scenario")
        return [load_model(model, settings)]
    turned = merged(settings)
    rows = default_rows(revisions, scenarios)
    if not rows:
        raise EmptySelection("none of these code bases can run these scenarios")
    return [
        CodeBase(
            with_settings(row.revision, turned) if turned else row.revision,
            row.scenario,
            specification=find_specification(name),
        )
        for name in specifications or ("invariant",)
        for row in rows
    ]


def _explored(subjects: Sequence[Subject], what: str = "system") -> tuple[list[Candidate], Stop | None]:
    """The systems, each explored; with a stop, those that came before it. `what` they are called while they are counted."""
    try:
        built, stop = until_stopped(((each, each.system()) for each in subjects), what, "built", len(subjects))
        if stop:
            return [], stop
        systems, limits = shared(built), Limits(states=MOST)
        searched = (Candidate.of(system, those, limits) for system, those in systems)
        return until_stopped(searched, what, "searched", len(systems))
    except ModelError as error:
        raise MalformedInput(str(error)) from error


def _as_far_as_searched(found: Located, stop: Stop | None) -> Located:
    """Where not all was searched nobody knows that nothing fits."""
    return replace(found, answer=LocatedAs.UNSEARCHED) if stop and found.answer is LocatedAs.NOTHING else found


def _write(output: str, found: Sequence[tuple[str, Located]]) -> None:
    """Write a trace to the best place of the first backtrace that has one, and say which that is; or that there is none."""
    for file, each in found:
        if each.places:
            candidate, match = each.places[0].where[0]
            write_to(output, write_trace(shortest_run(candidate, match), source=candidate.subjects[0].source()))
            say_written(f"{file}: a shortest trace to place 1", output)
            return
    standard.note(f"there is no place that a trace could lead to: {output} is not written\n")


# -- text


def _show(file: str, found: Located, top: int) -> None:
    answer = answer_of(file, found)
    emit(f"{answer}\n")
    emit("".join(f"{line}\n" for line in doing_lines(found)))
    for number, place in enumerate(found.places[:top], 1):
        emit(f"\n{number}. " + "".join(f"{line}\n" for line in place_lines(found, place)))
        emit(
            "".join(
                f"{line}\n"
                for line in [*(waits_of(place) if number == 1 and place.match.fits else ()), *_ended_by(place)]
            )
        )
    if len(found.places) > top:
        emit(f"\n{len(found.places) - top} more, with less of a fit: --top\n")
    unknown = "".join(f"{line}\n" for line in unknown_lines(found))
    emit(f"\n{unknown}{answer}\n" if found.places or unknown else "")


def _ended_by(place: LocatedSpot) -> Sequence[str]:
    """Which commit ends what is violated, of the last code base that shows it."""
    subjects = [subject for subject in place.subjects if isinstance(subject, CodeBase)]
    if not subjects or not place.violated or not place.match.fits:
        return ()
    found = remedy_of(subjects[-1], place.violated[0])
    return () if found is None else [f"  {found.sentence}", *(f"  {line}" for line in found.lines)]


# -- JSON


def _json(file: str, found: Located, top: int) -> Document:
    return {
        "file": file,
        "answer": found.answer.value,
        "sentence": answer_of(file, found),
        "threads": [_thread_json(each) for each in found.doing],
        "left_out": found.left_out,
        "places": [_place_json(place) for place in found.places[:top]],
        "known": list(found.known),
        "unknown": list(found.unknown),
        "unread": list(found.backtrace.unread),
        "exit_code": int(_CODES[found.answer]),
    }


def _stopped(stop: Stop | None) -> Document:
    """What ended the search before its time, if anything did."""
    return {"stopped": str(stop)} if stop else {}


def _thread_json(each: Activity) -> Document:
    return {"name": each.stack.name, "line": each.stack.line, "doing": each.doing.value, "where": each.where}


def _place_json(place: LocatedSpot) -> Document:
    return {
        "cost": place.match.cost,
        "fits": place.match.fits,
        "violated": list(place.violated),
        "models": [dict(subject.source()) for subject in place.subjects],
        "depth": place.match.moment.depth,
        "threads": to_builtins(place.match.pairs),
        "waiting": list(waits_of(place)) if place.match.fits else [],
        "ended_by": list(_ended_by(place)),
    }
