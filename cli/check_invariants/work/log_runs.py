"""`check-invariants log --against`: windows of logs held against code bases, and what of that is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from msgspec import to_builtins

from check_invariants.exit import EmptySelection, ExitCode
from check_invariants.files import write_to
from check_invariants.output import Counter, Document, emit
from draincheck.qemu import Scenario
from draincheck.qemulog.pivot import LogReport
from draincheck.qemulog.validation import Refusal, Validation
from draincheck.report.jsontrace import write_trace
from draincheck.report.log_text import clock
from draincheck.revisions import REVISIONS, Revision, called
from draincheck.verdict import Outcome
from draincheck.words import counted, listed
from drainspecs.mirror.log_runs import MOST_WRITES, HeldWindow, against, bad_run, shown_in_words
from drainspecs.mirror.scenarios import applies, find_scenario

__all__ = ["export", "held_against", "of_runs", "refused_lines", "runs_json", "show_runs"]

#: observations of a refused window that are shown
SHOWN = 12


def held_against(
    report: LogReport, revisions: Sequence[Revision], fits: bool, scenario: Scenario | None
) -> tuple[HeldWindow, ...]:
    """Each switch of a log and each code base; all that the scenario applies to, if it is asked which fit."""
    chosen = scenario or find_scenario("mirror")
    rows = list(dict.fromkeys([*revisions, *(REVISIONS if fits else ())]))
    found: list[HeldWindow] = []
    with Counter("window", "held against a code base", len(rows) * len(report.pivots)) as counter:
        for row in rows:
            if not applies(row, chosen):
                if row in revisions:
                    raise EmptySelection(f"{called(row)} cannot run the scenario {chosen.name}")
                continue
            for each in against(report, row, chosen):
                found.append(each)
                counter.advance(len(found))
    return tuple(found)


def of_runs(judged: Iterable[HeldWindow], revisions: Sequence[Revision]) -> ExitCode:
    """What it comes to: a window that is no run of a code base that was named is no log of it."""
    named = [each.validation for each in judged if each.code_base.revision in revisions]
    if any(found and not found.run and not found.stopped for found in named):
        return ExitCode.DIVERGED
    return ExitCode.INCONCLUSIVE if any(found is None or found.stopped for found in named) else ExitCode.OK


def export(output: str, held: Iterable[Sequence[HeldWindow]]) -> str:
    """Write the worst window as a trace, and say which. Raises EmptySelection where no window is a run that violates anything."""
    found = bad_run(each for judged in held for each in judged)
    if found is None:
        raise EmptySelection(
            "no window of these logs is a run of a code base that violates anything outside QEMU: nothing was written"
        )
    each, run = found
    code_base = each.code_base
    write_to(output, write_trace(run, source=code_base.source(), verdict=Outcome.VIOLATED))
    blocks = ", ".join(f"{one.sector}-{one.sector + one.sectors - 1}" for one in each.pivot.lost)
    told = f" (sectors {blocks} of the log are its writes, in this order)" if blocks else ""
    return f"{output}: {each.pivot.disk}, switch {each.pivot.number}, as a run of {code_base.title}{told}; check-invariants replay {output} executes it"


# -- text


def show_runs(judged: Sequence[HeldWindow], revisions: Sequence[Revision]) -> None:
    """Each window with the code bases of which it is a run, and why it is none of those that were named."""
    lines: list[str] = []
    for _, group in groupby(sorted(judged, key=_line), key=_line):
        lines += _window(list(group), revisions)
    if lines:
        emit("\n" + "".join(f"{line}\n" for line in lines))


def _line(each: HeldWindow) -> int:
    return each.pivot.opened.line if each.pivot.opened else 0


def _window(judged: Sequence[HeldWindow], revisions: Sequence[Revision]) -> Iterator[str]:
    pivot = judged[0].pivot
    fitting = [each for each in judged if each.validation and each.validation.run]
    names = listed([called(each.code_base.revision) for each in fitting]) or "none of these code bases"
    if all(each.validation is None for each in judged):
        yield f"{pivot.disk}, switch {pivot.number}: not decided: its beginning is not in the log, or more than {MOST_WRITES} writes are in it"
        return
    yield f"{pivot.disk}, switch {pivot.number} ({pivot.judgement.value}): a run of {names}"
    for each in judged:
        if each.validation and not each.validation.run and each.code_base.revision in revisions:
            yield from refused_lines(each, each.validation)


def refused_lines(each: HeldWindow, found: Validation) -> Iterator[str]:
    """Why a window is no run of a code base: how far it is one, what the model allows there, and which step it refuses."""
    yield (
        f"  no run of {each.code_base.title}: {found.accepted} of {counted(len(found.observed), 'event')} are, in {counted(found.states, 'state')}"
        + ("; too many to know" if found.stopped else "")
    )
    for number, one in enumerate(found.observed[:SHOWN]):
        sign = "ok" if number < found.accepted else "->" if number == found.accepted else "  "
        where = "" if one.moment is None else f"{clock(one.moment)}line {one.moment.line}: "
        yield f"    {sign} {where}{one.what.value}"
    wanted = shown_in_words(found.observed, found.accepted)
    instead = listed([one.value for one in found.next]) or "nothing more"
    yield f"    the log goes on with: {wanted}; the model with: {instead}"
    for refusal in found.refusals:
        yield from _refusal(refusal)


def _refusal(refusal: Refusal) -> Iterator[str]:
    if refusal.shows:
        yield f"    {refusal.process}: {refusal.label} shows at once: {', then '.join(one.value for one in refusal.shows)}"
    elif refusal.unmet:
        values = ", ".join(f"{name}={value}" for name, value in refusal.values.items())
        yield f"    {refusal.process}: {refusal.label} is refused: {' and '.join(refusal.unmet)} is false, with {values}"


# -- JSON


def runs_json(judged: Sequence[HeldWindow]) -> Document:
    """The same for programs."""
    return {"runs": [_run_json(each) for each in judged]} if judged else {}


def _run_json(each: HeldWindow) -> Document:
    found = each.validation
    return {
        "disk": each.pivot.disk,
        "switch": each.pivot.number,
        "model": dict(each.code_base.source()),
        "accepted": None if found is None or found.stopped else found.run is not None,
        "events": [] if found is None else [one.what.name.lower() for one in found.observed],
        "longest": 0 if found is None else found.accepted,
        "states": 0 if found is None else found.states,
        "next": [] if found is None else [one.name.lower() for one in found.next],
        "refusals": [] if found is None else to_builtins(found.refusals),
    }
