"""`check-invariants log --html`: the explorer's file about logs, with the models that windows were held against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from textwrap import dedent
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from check_invariants.explorer import examined_run
from check_invariants.work.log_runs import refused_lines
from draincheck import Outcome, Run, __version__
from draincheck.explorer.document import ExplorerDocument, Opening, PageNote, PageSubject
from draincheck.explorer.log_pages import JUDGEMENTS, HeldCell, SeenLog, drawn_in, log_matrix, log_subjects
from draincheck.explorer.log_system import MARKED
from draincheck.explorer.making import document, gathered, together
from draincheck.explorer.onefile import render
from draincheck.explorer.runs import Tone
from draincheck.qemulog.log import worst_of
from draincheck.qemulog.pivot import Judgement, Pivot
from draincheck.revisions import Revision, called
from draincheck.run import label_of
from draincheck.words import counted, listed
from drainspecs.mirror.impact import matters, rank
from drainspecs.mirror.log_runs import HeldWindow, bad_run
from drainspecs.mirror.terms import GLOSSARY

__all__ = ["SeenLog", "log_page"]

#: runs of models that a page has, and how many states of a model
RUNS, STATES = 8, 2000
#: lines that are told of models beside windows
LINES: Final = 3000
#: logs whose answers stand on top
ANSWERS: Final = 20


def log_page(
    logs: Sequence[SeenLog],
    held: Sequence[Sequence[HeldWindow]],
    revisions: Sequence[Revision],
    fits: bool,
    command: str,
) -> str:
    """The file, which `command` makes again; `held` has for each log what came of its switches and the code bases. Raises OutOfBudget."""
    models = _Models([logs[number].pivots[place] for number, place in drawn_in(logs)])
    told = [
        replace(log, held=_cells(log, found, revisions, fits, models)) for log, found in zip(logs, held, strict=True)
    ]
    return render(_document(told, models, command))


def _document(logs: Sequence[SeenLog], models: _Models, command: str) -> ExplorerDocument:
    runs = gathered([examined_run(each.window.code_base, each.run, each.outcome) for each in models.found], STATES)
    named = replace(runs, subjects=tuple(map(_named, runs.subjects, models.found)))
    marks = {f"({mark})": meaning for mark, meaning in MARKED.items()}
    return document(
        together([log_subjects(logs), named]),
        title=listed([log.file for log in logs[:ANSWERS]]),
        generator=f"check-invariants {__version__}",
        command=command,
        answer=_opening(logs),
        matrix=log_matrix(logs),
        glossary={**JUDGEMENTS, **(GLOSSARY if models.found else marks)},
    )


# -- the answer ------------------------------------------------------------------------------------


def _opening(logs: Sequence[SeenLog]) -> Opening:
    """The answer of the worst log, and below it those of the others."""
    worst = min(logs, key=_badness)
    others = [log.answer for log in logs if log is not worst]
    more = [f"and {counted(len(others) - ANSWERS, 'more log')}"] if len(others) > ANSWERS else []
    return Opening(_tone(worst), worst.answer, ". ".join([*others[:ANSWERS], *more]))


def _badness(log: SeenLog) -> int:
    """How far down in the list of what logs can come to; one that cannot be read beside one that cannot tell."""
    worst = None if log.log is None else worst_of(log.log.report)
    return list(Judgement).index(worst or Judgement.CANNOT_TELL)


def _tone(log: SeenLog) -> Tone:
    if log.log is None or (worst := worst_of(log.log.report)) is None or worst is Judgement.CANNOT_TELL:
        return Tone.UNKNOWN
    if worst not in (Judgement.CLEAN, Judgement.HELD):
        return Tone.BAD
    return Tone.UNKNOWN if log.log.tally.misprints else Tone.GOOD


# -- code bases ------------------------------------------------------------------------------------


class _ModelRun(Struct, frozen=True, eq=False):
    """A run of a model that a window is, and whose."""

    window: HeldWindow
    run: Run
    outcome: Outcome


class _Models:
    """The runs of models that the page shows, as subjects behind those of the logs; and how much is told of models beside the windows."""

    def __init__(self, drawn: Sequence[Pivot]) -> None:
        self.first, self.drawn = len(drawn), {id(pivot) for pivot in drawn}
        self.found = list[_ModelRun]()
        self._known = dict[int, int | None]()
        self._left = LINES

    def subject(self, each: HeldWindow) -> int | None:
        """The number of the subject that shows a run; None where there are so many already. Windows that look alike share one."""
        assert each.validation is not None
        key = id(each.validation.run)
        if key not in self._known:
            self._known[key] = self.first + len(self.found) if len(self.found) < RUNS else None
            if len(self.found) < RUNS:
                self.found.append(_model_run(each))
        return self._known[key]

    def told(self, each: HeldWindow, lines: Iterable[str]) -> tuple[str, ...]:
        """The lines of a note on a window that is drawn, until the page has so many."""
        if id(each.pivot) not in self.drawn or self._left <= 0:
            return ()
        found = tuple(lines)
        self._left -= len(found)
        return found


def _model_run(each: HeldWindow) -> _ModelRun:
    """The run, until it violates something if it does; else about the worst that it could have violated."""
    assert each.validation is not None
    assert each.validation.run is not None
    if bad := bad_run([each]):
        return _ModelRun(each, bad[1], Outcome.VIOLATED)
    run = each.validation.run
    name = min((item.name for item in run.system.properties if matters(item.name)), key=rank)
    return _ModelRun(each, Run(run.system, replace(run.trace, property=name), run.steps), Outcome.UNKNOWN)


def _named(subject: PageSubject, model: _ModelRun) -> PageSubject:
    """A subject that says of which window it is."""
    pivot = model.window.pivot
    window = f"{pivot.disk}, switch {pivot.number}"
    title, told = f"{subject.title}, as {window}", f"{window} is a run of {subject.title}"
    if model.outcome is Outcome.VIOLATED:
        return replace(subject, title=title, scenario="")
    shown = tuple(replace(each, headline=told) for each in subject.evidence)
    return replace(subject, title=title, scenario="", headline="what the log shows, in its order", evidence=shown)


def _cells(
    log: SeenLog, held: Sequence[HeldWindow], revisions: Sequence[Revision], fits: bool, models: _Models
) -> Mapping[int, tuple[HeldCell, ...]]:
    """For each switch what came of it and of each code base that was named, and of all of them together if it is asked which fit: the worst first."""
    places = {id(pivot): place for place, pivot in enumerate(log.pivots)}
    order = list(Judgement)
    found = sorted(held, key=lambda each: (order.index(each.pivot.judgement), places[id(each.pivot)]))
    return {
        place: tuple(_of_switch(list(group), revisions, fits, models))
        for place, group in groupby(found, lambda each: places[id(each.pivot)])
    }


def _of_switch(
    held: Sequence[HeldWindow], revisions: Sequence[Revision], fits: bool, models: _Models
) -> Iterator[HeldCell]:
    for each in held:
        if each.code_base.revision in revisions:
            yield _of_code_base(each, models)
    if fits:
        yield _fitting(held, models)


def _of_code_base(each: HeldWindow, models: _Models) -> HeldCell:
    name, found = called(each.code_base.revision), each.validation
    if found is None or each.unknown:
        return HeldCell(name, "not decided", Tone.UNKNOWN, PageNote(f"A run of {name}?", each.unknown))
    if found.run is not None:
        told = f"{counted(len(found.observed), 'event')}, all of them in this order"
        note = PageNote(f"A run of {name}", told, models.told(each, _steps(found.run)), models.subject(each))
        return HeldCell(name, "a run", Tone.GOOD, note)
    first, *rest = refused_lines(each, found)
    lines = models.told(each, dedent("\n".join(rest)).split("\n"))
    text = f"{found.accepted} of {counted(len(found.observed), 'event')}"
    return HeldCell(name, f"no run: {text}", Tone.BAD, PageNote(f"No run of {name}", first.strip(), lines))


def _steps(run: Run) -> Iterator[str]:
    """The steps of a model's trace that do something, in a line each."""
    for number, step in enumerate(run.steps, 1):
        action = run.system.actions[step.action]
        parts = [part for part in action.parts if run.system.holds(part.when, step.before)]
        mark = "".join(f"({part.mark}) " for part in parts if part.mark)
        if any(part.label for part in parts):
            yield f"{number:3}  {action.process}: {mark}{label_of(run.system, action, step.before)}"


def _fitting(held: Sequence[HeldWindow], models: _Models) -> HeldCell:
    fitting = [each for each in held if each.validation and each.validation.run]
    names = listed([called(each.code_base.revision) for each in fitting]) or "none of these code bases"
    text = f"{len(fitting)} of {counted(len(held), 'code base')}"
    subject = models.subject(fitting[0]) if fitting else None
    tone = Tone.GOOD if fitting else Tone.UNKNOWN
    return HeldCell("code bases", text, tone, PageNote("Of which code bases it is a run", names, (), subject))
