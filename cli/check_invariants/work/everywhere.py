"""`check` of a code base in all default scenarios: what it does to its guest, and where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, TypeAlias

import click
from msgspec import Struct

from check_invariants import standard
from check_invariants.documents import Document, Json, emit_json, whole
from check_invariants.exit import ExitCode, MalformedInput, ending
from check_invariants.filenames import file_names
from check_invariants.files import is_directory, make_directory, write_to
from check_invariants.judge import Asked, checked_quietly, instead
from check_invariants.output import emit, emit_stop, emit_table, emit_trace, until_stopped
from check_invariants.selection import impossible, named_code_base
from check_invariants.table import Cell, Column, Styled, Table
from check_invariants.words import Listed, placed, searched
from check_invariants.work.document import document
from check_invariants.work.findings import Checked, Wanted
from draincheck import Run
from draincheck.pool import in_processes
from draincheck.properties import FAULTS
from draincheck.reason import Stop
from draincheck.report.jsontrace import write_trace
from draincheck.revisions import why_it_stands
from draincheck.words import counted, listed, share
from drainspecs.mirror.answer import answer, answering_scenarios
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.impact import SAFE, matters
from drainspecs.mirror.properties import LIVENESS

if TYPE_CHECKING:
    from check_invariants.selectors import Selectors

__all__ = ["check"]


def check(asked: Asked, wanted: Wanted, processes: int | None, named: Selectors) -> ExitCode:
    """Check a code base in every scenario that an answer rests on and that it can run."""
    asked, revision = asked.of_all_states, named.get("revision")
    order, settings = named.get("order"), named.get("settings", ())
    everywhere = [
        named_code_base(asked.properties, revision=revision, scenario=scenario, order=order, settings=settings)
        for scenario in answering_scenarios()
    ]
    subjects = _possible(everywhere)
    if wanted.trace_out is not None:
        _check_directory(wanted.trace_out)
    told, stop = until_stopped(
        in_processes(lambda number: _told(subjects[number], asked, wanted), range(len(subjects)), processes),
        "scenario",
        "decided",
        len(subjects),
    )
    found = _Found(subjects, told, asked.properties)
    stop = stop or next(filter(None, (item.stop for item in found.told)), None)
    code = ending((code for item in found.told for code in item.codes), stop)
    if wanted.trace_out is not None:
        _write_traces(found, wanted.trace_out)
    if wanted.as_json:
        emit_json("check-scenarios", _json(found), code)
    else:
        _show(found, wanted)
    decided = sum(all(each.word != "unknown" for each in item.listed) for item in found.told)
    emit_stop(
        stop, f"{share(decided, len(subjects), 'scenario')} decided; the others are unknown", instead(asked, stop)
    )
    return code


def _possible(code_bases: Sequence[CodeBase]) -> list[CodeBase]:
    """Those that can be. Raises MalformedInput if there are none."""
    found = [item for item in code_bases if not impossible(item)]
    if not found:
        raise MalformedInput(f"no code base could be like {code_bases[0].turned.name}: {impossible(code_bases[0])}")
    return found


class _Told(Struct, frozen=True):
    """What one scenario came to, as one process tells another.

    Attributes:
        limited: something holds as far as modelled alone.
        counterexamples: for each its properties, whether it matters, and its length; what matters first, then the shortest.
        answered: as JSON, if that is wanted.
        files: the counterexamples as files, by property, if they are wanted.
    """

    impact: tuple[str, ...]
    short_of: str
    limited: bool
    listed: list[Listed]
    codes: list[ExitCode]
    states: str
    counterexamples: list[tuple[list[str], bool, int]]
    answered: Json
    files: Mapping[str, str]
    stop: Stop | None


def _told(subject: CodeBase, asked: Asked, wanted: Wanted) -> _Told:
    """Decide a scenario."""
    result = checked_quietly(subject, asked)
    found = Checked(subject, result, wanted.strict)
    codes = list(found.codes)
    return _Told(
        found.impact,
        found.short_of,
        any(item.word == "holds" and subject.limits(item.name, item.verdict.outcome) for item in found.listed),
        found.listed,
        codes,
        "" if result.exploration is None else searched(result.exploration),
        [([i.name for i in item.items], item.matters, len(item.run.steps)) for item in found.counterexamples],
        whole("check", document(found, wanted.traces != 0), ending(codes, result.stopped)) if wanted.as_json else None,
        _files(found) if wanted.trace_out is not None else {},
        result.stopped,
    )


def _files(found: Checked) -> dict[str, str]:
    source = found.subject.source()
    return {item.name: write_trace(run, source=source, verdict=item.verdict.outcome) for item, run in found.violated}


#: what demands something of whole runs
_OF_RUNS = frozenset(item.name for item in LIVENESS)

#: a scenario, and what was told of it
_Row: TypeAlias = tuple[str, _Told | None]


class _Found(Struct, frozen=True):
    """The scenarios, what was told of them before something stopped it, and the properties that were named (none: all are meant)."""

    subjects: Sequence[CodeBase]
    told: Sequence[_Told]
    asked: Sequence[str]

    @property
    def by_scenario(self) -> dict[str, _Told | None]:
        """What was told; None: nothing."""
        missing = [None] * (len(self.subjects) - len(self.told))
        names = (item.scenario.name for item in self.subjects)
        return dict(zip(names, [*self.told, *missing], strict=True))

    @property
    def sentence(self) -> str:
        """The answer."""
        called, found = self.subjects[0].called, self.by_scenario
        if self.asked:
            return f"{called}: {self._of_the_asked(found)}"
        if any(item is not None and not item.impact for item in found.values()):
            return f"{called}: {self._by_property(found)}"
        words = {name: ("unknown",) if item is None else item.impact for name, item in found.items()}
        said = answer(called, words)
        short = ", as far as modelled" if any(item.short_of for item in self.told) else ""
        return "; ".join([said + short, *self._unexpected])

    @property
    def _unexpected(self) -> list[str]:
        found = self.by_scenario
        names = {name: [i.name for i in item.listed if i.unexpected] if item else [] for name, item in found.items()}
        return [f"not as expected: {placed(names)}"] if any(names.values()) else []

    def _of_the_asked(self, found: Mapping[str, _Told | None]) -> str:
        """What came of each property that was named, and where."""
        said = _placed_by_word(found, ("violated", "never asked", "unknown", "holds"), lambda item: True)
        limits = ", as far as modelled" if any(item.limited for item in self.told) else ""
        return "; ".join([*_missing(found), *said]) + "; ".join([limits, *self._unexpected])

    def _by_property(self, found: Mapping[str, _Told | None]) -> str:
        """What is not as it should be, by property."""
        words = ("violated", "never asked", "unknown")
        said = _placed_by_word(found, words, lambda item: not item.expected == item.word == "never asked")
        return "; ".join([*([*_missing(found), *said] or ["everything holds"]), *self._unexpected])


def _missing(found: Mapping[str, _Told | None]) -> list[str]:
    """The scenarios that nobody came to."""
    undecided = [name for name, item in found.items() if item is None]
    return [f"unknown: {listed(undecided)}"] if undecided else []


def _placed_by_word(
    found: Mapping[str, _Told | None], words: Sequence[str], counts: Callable[[Listed], bool]
) -> list[str]:
    """For each of these verdicts the properties that have it, with their scenarios."""
    said: list[str] = []
    for word in words:
        names = {
            name: [] if item is None else [each.name for each in item.listed if each.word == word and counts(each)]
            for name, item in found.items()
        }
        said += [f"{word}: {placed(names)}"] if any(names.values()) else []
    return said


# -- as text ----------------------------------------------------------------------------------------


def _show(found: _Found, wanted: Wanted) -> None:
    """The answer, a line a scenario, one counterexample, how to see the others, and the answer again."""
    row = found.subjects[0].turned
    release = f", {row.release}" if row.release else ""
    what = "\n".join(filter(None, [f"{row.name} ({row.date}{release}: {row.subject})", why_it_stands(row)]))
    emit(f"{found.sentence}\n\n{what}\n\n")
    emit_table(_table_of_the_asked(found) if found.asked else _table(found))
    shown = next(
        ((subject, item) for subject, item in zip(found.subjects, found.told, strict=False) if _matters(item)), None
    )
    if wanted.traces != 0 and shown is not None:
        _show_trace(*shown, short=wanted.short)
    emit(_to_see(found))
    emit(_not_asked(found.subjects[0], asked_of_runs=any(name in _OF_RUNS for name in found.asked)))
    emit(f"\n{found.sentence}\n")


def _matters(item: _Told) -> bool:
    return any(matters for _, matters, _ in item.counterexamples)


def _show_trace(subject: CodeBase, item: _Told, short: bool) -> None:
    name = item.counterexamples[0][0][0]
    trace = next(listed.verdict.trace for listed in item.listed if listed.name == name)
    assert trace is not None
    emit("\n")
    emit_trace(Run.of(subject.system(), trace), short=short)


def _to_see(found: _Found) -> str:
    """The commands that show what is violated in each scenario."""
    named = "".join(f" --property {quote(name)}" for name in found.asked)
    lines = [
        f"  {'; '.join(map(_in_short, item.counterexamples))}\n    check-invariants check {subject.options}{named} --traces\n"
        for subject, item in zip(found.subjects, found.told, strict=False)
        if item.counterexamples
    ]
    return "".join(["\ncounterexamples, by scenario:\n", *lines]) if lines else ""


def _not_asked(subject: CodeBase, asked_of_runs: bool) -> str:
    """What the answer says nothing of, and who does."""
    named = subject.options_everywhere
    runs = f"check {named} --property L1" if subject.order else f"liveness {named}"
    in_the_end = "" if asked_of_runs else f"what must happen in the end (check-invariants {runs}), "
    return f"\nnot asked here: {in_the_end}other requests, a second job and errors (check-invariants --all {named})\n"


def _in_short(counterexample: tuple[list[str], bool, int]) -> str:
    names, _, steps = counterexample
    return f"{', '.join(names)} after {counted(steps, 'step')}"


def _table(found: _Found) -> Table:
    """A line a scenario."""

    def violated(visible: bool) -> Callable[[_Row], Cell]:
        def cell(row: _Row) -> Cell:
            verdicts = () if row[1] is None else row[1].listed
            return " ".join(item.name for item in verdicts if item.word == "violated" and matters(item.name) is visible)

        return cell

    columns: dict[Column, Callable[[_Row], Cell]] = {
        Column("scenario"): lambda row: row[0],
        Column("outcome"): _outcome,
        Column("violated, as a guest sees"): violated(visible=True),
        Column("violated inside QEMU"): violated(visible=False),
        Column("states", right=True): _states,
    }
    return Table.of(found.by_scenario.items(), columns).without_empty("outcome").without_empty("states")


def _table_of_the_asked(found: _Found) -> Table:
    """A line a scenario, and a column for each property that was named, or is an error of a run that somewhere came first."""

    def verdict(name: str) -> Callable[[_Row], Cell]:
        def cell(row: _Row) -> Cell:
            verdicts = () if row[1] is None else row[1].listed
            return next((item.cell for item in verdicts if item.name == name), "")

        return cell

    names = dict.fromkeys(item.name for told in found.told for item in told.listed)
    columns: dict[Column, Callable[[_Row], Cell]] = {
        Column("scenario"): lambda row: row[0],
        **{Column(name): verdict(name) for name in names},
        Column("states", right=True): _states,
    }
    return Table.of(found.by_scenario.items(), columns).without_empty("states")


def _states(row: _Row) -> Cell:
    return "" if row[1] is None else row[1].states


def _outcome(row: _Row) -> Cell:
    item = row[1]
    if item is None:
        return Styled("unknown", "yellow")
    return Styled(", ".join(item.impact) + item.short_of, "green" if SAFE in item.impact else "bold red")


# -- as files ---------------------------------------------------------------------------------------


def _check_directory(path: str) -> None:
    """Raise UsageError for a place that takes one counterexample only; make the directory."""
    if not is_directory(path):
        raise click.UsageError(
            f"--trace-out {path}: several scenarios have counterexamples; name a directory ({path}/), or choose a --scenario"
        )
    make_directory(path)


def _write_traces(found: _Found, path: str) -> None:
    written = 0
    for subject, item in zip(found.subjects, found.told, strict=False):
        files = file_names([*(listed.name for listed in item.listed), *FAULTS])
        for name, text in item.files.items():
            write_to(str(Path(path) / f"{subject.scenario.name}-{files[name]}.json"), text)
        written += len(item.files)
    said = f"{counted(written, 'counterexample')} written to {path}" if written else "no counterexample to write"
    standard.note(f"{said}\n")


def _json(found: _Found) -> Document:
    return {"answer": found.sentence, "scenarios": [item.answered for item in found.told]}
