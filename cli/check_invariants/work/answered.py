"""What a check of one subject has found, printed: the answer, verdicts, numbers, counterexamples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from shlex import quote

from check_invariants.documents import emit_json
from check_invariants.exit import ExitCode, ending
from check_invariants.judge import Asked, checked, instead, warn
from check_invariants.output import emit, emit_stop, emit_table, emit_trace
from check_invariants.table import Cell, Column, Table
from check_invariants.words import Listed, as_far_as_modelled
from check_invariants.work.findings import Checked, Counterexample, Wanted
from draincheck import Subject
from draincheck.checking import StepOfModel
from draincheck.verdict import Exploration
from draincheck.words import counted

__all__ = ["answered", "check_one"]

#: states from which on it matters what each takes
MANY = 40_000


def check_one(subject: Subject, asked: Asked, wanted: Wanted) -> ExitCode:
    """Check one subject, and print what was found."""
    return answered(Checked(subject, checked(subject, asked), wanted.strict), asked, wanted)


def answered(found: Checked, asked: Asked, wanted: Wanted) -> ExitCode:
    """Print what was found."""
    stop = found.result.stopped
    code = ending(found.codes, stop)
    if wanted.as_json:
        from check_invariants.work.document import document

        warn(found.result)
        emit_json("check", document(found, traces=wanted.traces != 0), code)
    else:
        _show(found, wanted)
    emit_stop(stop, "what was not decided is unknown", instead(asked, stop))
    return code


def _show(found: Checked, wanted: Wanted) -> None:
    """Print the answer, verdicts, numbers, what the model leaves out, as many counterexamples as are wanted, and the answer again."""
    result = found.result
    emit(f"{found.answer}\n\n{found.subject.heading}\n\n")
    emit_table(_table(found))
    limits = as_far_as_modelled(found.subject, found.told)
    if result.exploration is not None:
        emit(f"\n{_statistics(result.exploration)}\n")
        emit(_never_taken(result.never_taken))
    emit(limits)
    emit("".join(f"warning: {warning}\n" for warning in result.warnings))
    _show_traces(found.subject, found.counterexamples, wanted)
    emit(f"\n{found.answer}\n")


def _table(found: Checked) -> Table:
    """A line a property; what is expected only where something is."""
    meanings = {item.name: item.item.meaning for item in found.result.findings}
    columns: dict[Column, Callable[[Listed], Cell]] = {
        Column("property"): lambda item: item.name,
        Column("verdict"): lambda item: item.cell,
        Column("expected"): lambda item: item.expected,
        Column("how", give_way=2): lambda item: str(item.verdict.reason),
        Column("meaning", give_way=1, least=30): lambda item: meanings[item.name],
    }
    return Table.of(found.listed, columns).without_empty("expected")


def _statistics(exploration: Exploration) -> str:
    s = exploration.statistics
    rest = f", {counted(s.queue, 'state')} not expanded" if s.queue else ""
    memory = f", {counted(round(s.bytes / s.states), 'byte')} a state" if s.states >= MANY else ""
    counts = f"{counted(s.states, 'state')}, {counted(s.transitions, 'transition')}, depth {s.depth}{rest}; {s.seconds:.2f} s{memory}"
    if not exploration.reduction:
        return counts
    return f"{counts}\nreduced: {exploration.reduction} (--reductions none counts all states)"


def _never_taken(steps: Sequence[StepOfModel]) -> str:
    if not steps:
        return ""
    lines = [f"  {step.process}: {step.label} ({step.line})\n" for step in steps]
    return f"steps of the model that are never taken ({len(steps)}):\n" + "".join(lines)


def _show_traces(subject: Subject, counterexamples: Sequence[Counterexample], wanted: Wanted) -> None:
    """Print so many counterexamples, and how the others can be seen."""
    for item in counterexamples[: wanted.traces]:
        emit("\n")
        emit_trace(item.run, short=wanted.short)
        if len(item.items) > 1:
            emit(
                f"\nthe same steps are a shortest counterexample of {', '.join(i.name for i in item.items[1:])}, too\n"
            )
    others: Sequence[Counterexample] = counterexamples[wanted.traces :] if wanted.traces else ()
    if others:
        emit("\nother counterexamples:\n" + "".join(map(partial(_to_see, subject), others)))


def _to_see(subject: Subject, item: Counterexample) -> str:
    """The command that shows a counterexample."""
    name = quote(item.items[0].name)
    steps = counted(len(item.run.steps), "step")
    return f"  {item.names}, {steps}: check-invariants check {subject.about.options} --property {name}\n"
