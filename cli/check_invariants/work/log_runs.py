"""`check-invariants log --against`: windows of logs held against code bases, and what of that is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from shlex import quote

from msgspec import to_builtins

from check_invariants.documents import Document
from check_invariants.exit import EmptySelection, ExitCode
from check_invariants.files import write_to
from check_invariants.graph_files import GraphFile, form_of, written
from check_invariants.output import Counter, emit
from draincheck.jsonvalue import Json
from draincheck.qemu import Scenario
from draincheck.qemulog.candidates import Prefixes
from draincheck.qemulog.pivot import Judgement, LogReport, Pivot
from draincheck.qemulog.shown import Sign
from draincheck.qemulog.validation import Validation
from draincheck.report.jsontrace import write_trace
from draincheck.report.log_text import clock
from draincheck.report.prefixes import prefix_dot, prefix_graph, refusal_words
from draincheck.revisions import REVISIONS, Revision, called
from draincheck.verdict import Outcome
from draincheck.words import counted, listed
from drainspecs.mirror.log_runs import HeldWindow, Joint, against, bad_run, joint, shown_in_words
from drainspecs.mirror.scenarios import applies, find_scenario

__all__ = [
    "check_applicable",
    "draw",
    "export",
    "held_against",
    "joint_line",
    "of_runs",
    "refused_lines",
    "runs_json",
    "show_runs",
]

#: where the user names none
SCENARIO = "mirror"
#: observations of a refused window that are shown, candidates, and hidden steps that decide for one
SHOWN, TOLD, WAYS = 12, 4, 3


def held_against(
    report: LogReport, revisions: Sequence[Revision], fits: bool, scenario: Scenario | None
) -> tuple[HeldWindow, ...]:
    """Each switch of a log and each code base; all that the scenario applies to, if it is asked which fit."""
    chosen = scenario or find_scenario(SCENARIO)
    named = {revision.name for revision in revisions}
    rows = [*dict.fromkeys(revisions), *(row for row in REVISIONS if fits and row.name not in named)]
    found: list[HeldWindow] = []
    with Counter("window", "held against a code base", len(rows) * len(report.pivots)) as counter:
        for row in rows:
            if not applies(row, chosen):
                continue
            for each in against(report, row, chosen):
                found.append(each)
                counter.advance(len(found))
    return tuple(found)


def check_applicable(revisions: Sequence[Revision], scenario: Scenario | None) -> None:
    """Raise EmptySelection for a code base that cannot run the scenario: before any log is read."""
    chosen = scenario or find_scenario(SCENARIO)
    for row in revisions:
        if not applies(row, chosen):
            raise EmptySelection(f"{called(row)} cannot run the scenario {chosen.name}")


def of_runs(judged: Sequence[HeldWindow], revisions: Sequence[Revision]) -> ExitCode:
    """What it comes to: a window that is no run of a code base that was named is no log of it; what is unknown is no pass."""
    if any(each.is_run is False for each in judged if each.code_base.revision in revisions):
        return ExitCode.DIVERGED
    return ExitCode.INCONCLUSIVE if any(each.is_run is None for each in judged) else ExitCode.OK


def export(output: str, held: Iterable[Sequence[HeldWindow]]) -> str:
    """Write the worst window as a trace, and say which. Raises EmptySelection where no window is a run that violates anything."""
    found = bad_run(each for judged in held for each in judged)
    if found is None:
        raise EmptySelection(
            "no window of these logs is known to be a run of a code base that violates anything outside QEMU: nothing was exported"
        )
    each, run = found
    code_base = each.code_base
    write_to(output, write_trace(run, source=code_base.source(), verdict=Outcome.VIOLATED))
    blocks = ", ".join(f"{one.sector}-{one.sector + one.sectors - 1}" for one in each.pivot.lost)
    told = f" (sectors {blocks} of the log are its writes, in this order)" if blocks else ""
    return (
        f"{output}: {each.pivot.disk}, switch {each.pivot.number}, as a run of {code_base.title}{told}; "
        f"check-invariants replay {quote(output)} executes it"
    )


def draw(output: str, held: Iterable[Sequence[HeldWindow]], revisions: Sequence[Revision]) -> str:
    """Write the candidates of the first window that is no run of a code base that was named, and say which. Raises EmptySelection if all are."""
    refused = [
        each for judged in held for each in judged if each.is_run is False and each.code_base.revision in revisions
    ]
    if not refused:
        raise EmptySelection(
            "no window of these logs is known to be no run of a code base that was named: nothing was drawn"
        )
    first = refused[0]
    assert first.validation is not None
    title = f"{first.pivot.disk}, switch {first.pivot.number}, is no run of {first.code_base.title}"
    graph = prefix_graph(first.validation, title)
    write_to(output, written(GraphFile(graph, "graph-candidates", prefix_dot(graph)), form_of(output)))
    more = (
        f"; {counted(len(refused) - 1, 'window')} more {'is' if len(refused) == 2 else 'are'} none"
        if refused[1:]
        else ""
    )
    return f"{output}: {title}{more}"


# -- text


def joint_line(
    judged: Sequence[HeldWindow], revisions: Sequence[Revision], fits: bool, scenario: Scenario | None
) -> str:
    """What came of all windows together, for each code base that was named, and of which others they all are runs."""
    found = joint(judged)
    named = [_together(each) for each in found if each.revision in revisions]
    said = "; ".join([*named, *([_fitting(found)] if fits and found else [])])
    if not said or _is_one_found(found, revisions):
        return said
    return f"{said} (in the scenario {(scenario or find_scenario(SCENARIO)).name}; --scenario names another)"


def _is_one_found(found: Sequence[Joint], revisions: Sequence[Revision]) -> bool:
    """Whether all windows are runs of what was named, or of some code base where none was."""
    whole = {each.revision for each in found if each.runs == each.windows}
    return whole.issuperset(revisions) if revisions else bool(whole)


def _fitting(found: Sequence[Joint]) -> str:
    """Of which code bases all windows are runs, and of how many that is not known."""
    every = [called(each.revision) for each in found if each.runs == each.windows]
    if not (is_open := sum(each.unknown > 0 and each.refused == 0 for each in found)):
        return f"all windows together are runs of {listed(every) or 'no code base'}"
    if every:
        return f"all windows together are runs of {listed(every)}, and of {counted(is_open, 'code base')} more that is not known"
    return f"of no code base it is known that all windows together are runs of it, of {is_open} it may be so"


def _together(found: Joint) -> str:
    name = called(found.revision)
    if found.runs == found.windows:
        return (
            f"all {counted(found.windows, 'window')} are runs of {name}"
            if found.windows > 1
            else f"the window is a run of {name}"
        )
    counts = [
        f"{found.runs} of {counted(found.windows, 'window')} {'is a run' if found.runs == 1 else 'are runs'} of {name}"
    ]
    counts += [f"{found.refused} {'is' if found.refused == 1 else 'are'} not"] if found.refused else []
    return ", ".join([*counts, *([f"{found.unknown} unknown"] if found.unknown else [])])


def show_runs(judged: Sequence[HeldWindow], revisions: Sequence[Revision]) -> None:
    """Each window with the code bases of which it is a run, and why it is none of those that were named."""
    windows = [list(group) for _, group in groupby(sorted(judged, key=_which), key=_which)]
    alike: dict[tuple[object, ...], list[Pivot]] = {}
    for window in windows:
        alike.setdefault(_alike(window, revisions), []).append(window[0].pivot)
    lines: list[str] = []
    for window in windows:
        if pivots := alike.pop(_alike(window, revisions), []):
            lines += _window(window, _named(pivots), revisions)
    if lines:
        emit("\n" + "".join(f"{line}\n" for line in lines))


def _which(each: HeldWindow) -> tuple[int, str, int]:
    return each.pivot.opened.line if each.pivot.opened else 0, each.pivot.disk, each.pivot.number


def _alike(judged: Sequence[HeldWindow], revisions: Sequence[Revision]) -> tuple[object, ...]:
    """What is shown once for all windows that have it. One that is not clean, or is refused, has something of its own to tell."""
    refused = any(each.is_run is False and each.code_base.revision in revisions for each in judged)
    if refused or judged[0].pivot.judgement is not Judgement.CLEAN:
        return _which(judged[0])
    return tuple((each.code_base.revision.name, each.is_run, each.unknown) for each in judged)


def _named(pivots: Sequence[Pivot]) -> str:
    """Switches that came to the same, disk by disk."""
    disks: dict[str, list[int]] = {}
    for pivot in pivots:
        disks.setdefault(pivot.disk, []).append(pivot.number)
    shown = [
        f"{disk}, switch{'es' if numbers[1:] else ''} {_ranges(numbers)}"
        for disk, numbers in list(disks.items())[:SHOWN]
    ]
    more = [counted(len(disks) - SHOWN, "other disk")] if len(disks) > SHOWN else []
    return f"{'; '.join([*shown, *more])} ({pivots[0].judgement.value})"


def _ranges(numbers: Sequence[int]) -> str:
    """`1-3, 5`: ascending numbers, those without a gap together."""
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda one: one[1] - one[0])]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _window(judged: Sequence[HeldWindow], name: str, revisions: Sequence[Revision]) -> Iterator[str]:
    names = [called(each.code_base.revision) for each in judged if each.is_run]
    decided = [each for each in judged if each.is_run is not None]
    if decided:
        none = "none of these code bases" if len(decided) == len(judged) else "none of those that were decided"
        yield f"{name}: a run of {listed(names) or none}"
    for reason, group in groupby((each for each in judged if each.unknown), key=lambda each: each.unknown):
        yield f"{name}: unknown of {listed([called(each.code_base.revision) for each in group])}: {reason}"
    for each in judged:
        if each.is_run is False and each.validation and each.code_base.revision in revisions:
            yield from refused_lines(each, each.validation)


def refused_lines(each: HeldWindow, found: Validation) -> Iterator[str]:
    """Why a window is no run of a code base: how far it is one, what the model allows there, and which step it refuses, in every way there."""
    yield f"  no run of {each.code_base.title}: {found.accepted} of {counted(len(found.observed), 'event')} are, in {counted(found.states, 'state')}"
    for number, one in enumerate(found.observed[:SHOWN]):
        sign = "ok" if number < found.accepted else "->" if number == found.accepted else "  "
        where = "" if one.moment is None else f"{clock(one.moment)}line {one.moment.line}: "
        yield f"    {sign} {where}{one.what.value}"
    if found.observed[SHOWN:]:
        yield f"       and {counted(len(found.observed) - SHOWN, 'event')} more"
    wanted = shown_in_words(found.observed, found.accepted)
    instead = listed([one.value for one in found.next]) or "nothing more"
    yield f"    the log goes on with: {wanted}; the model with: {instead}"
    yield from _candidates(found)


def _candidates(found: Validation) -> Iterator[str]:
    """Why it is refused: a line if there is one reason, else all of them, up to so many."""
    others = found.prefixes.others if found.prefixes else 0
    if len(found.candidates) + others == 1:
        yield f"    {refusal_words(found.candidates[0].refusal, found.next)}"
        return
    yield f"    {counted(len(found.candidates) + others, 'candidate')}; the log does not say which of them it was:"
    for number, each in enumerate(found.candidates[:TOLD], 1):
        yield f"    {number}. {counted(each.states, 'state')}: {refusal_words(each.refusal, found.next)}"
        if each.ways:
            more = f", and {counted(len(each.ways) - WAYS, 'other')}" if each.ways[WAYS:] else ""
            yield f"       no other any more after {' or '.join(each.ways[:WAYS])}{more}"
    if left := max(len(found.candidates) - TOLD, 0) + others:
        yield f"    and {counted(left, 'other candidate')}"


# -- JSON


def runs_json(judged: Sequence[HeldWindow]) -> Document:
    """The same for programs."""
    if not judged:
        return {}
    together: list[Json] = [
        {
            "model": each.revision.name,
            "windows": each.windows,
            "runs": each.runs,
            "refused": each.refused,
            "unknown": each.unknown,
        }
        for each in joint(judged)
    ]
    return {"joint": together, "runs": [_run_json(each) for each in judged]}


def _run_json(each: HeldWindow) -> Document:
    found = each.validation or Validation(())
    return {
        "disk": each.pivot.disk,
        "switch": each.pivot.number,
        "model": dict(each.code_base.source()),
        "accepted": each.is_run,
        "unknown": each.unknown or None,
        "events": [one.what.name.lower() for one in found.observed],
        "longest": found.accepted,
        "states": found.states,
        "next": [one.name.lower() for one in found.next],
        "candidates": [
            {"states": one.states, "ways": list(one.ways), **_signs(to_builtins(one.refusal), one.refusal.shows)}
            for one in found.candidates
        ],
        "prefixes": _graph_json(found.prefixes) if found.prefixes else None,
    }


def _graph_json(prefixes: Prefixes) -> Document:
    edges = [_signs(to_builtins(edge), edge.shows) for edge in prefixes.edges]
    return {"nodes": to_builtins(prefixes.nodes), "edges": edges, "others": prefixes.others}


def _signs(document: Document, shows: Iterable[Sign]) -> Document:
    return {**document, "shows": [one.name.lower() for one in shows]}
