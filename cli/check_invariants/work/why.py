"""`check-invariants why`: what it does and shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Unpack

import click
from msgspec import Struct
from msgspec.structs import asdict, replace

from check_invariants.documents import Document, emit_json
from check_invariants.exit import ExitCode, ending
from check_invariants.files import make_directory, write_to
from check_invariants.judge import asking
from check_invariants.output import Counter, emit, emit_stop
from check_invariants.selection import only_the_default, own_settings, probes_of_states, select_code_base
from check_invariants.work.why_parameters import WhyQuestion, explained
from draincheck import Run, TransitionSystem
from draincheck.budget import grace
from draincheck.certificate import make
from draincheck.knobs import shown
from draincheck.report.jsontrace import trace_to_json, write_trace
from draincheck.revisions import Revision
from draincheck.words import counted
from drainspecs.mirror.code_base import CodeBase
from drainspecs.questions.why import Flip, KnobChange, Why, why

if TYPE_CHECKING:
    from check_invariants.selectors import CodeBaseOptions


def command(
    *,
    model: str | None,
    properties: Sequence[str],
    against: Revision,
    evidence: str | None,
    processes: int | None,
    as_json: bool,
    **selectors: Unpack[CodeBaseOptions],
) -> ExitCode:
    """Find the answers, and write their evidence where it is wanted."""
    if len(properties) > 1:
        raise click.UsageError("a reason is for one verdict: name one property")
    if model is not None:
        return explained(WhyQuestion.of(model, own_settings(selectors), properties), evidence, processes, as_json)
    name = properties[0] if properties else "S1"
    selected = select_code_base([name], **selectors)
    if evidence is not None:
        make_directory(evidence)
    answer = _ask(selected, name, against, processes)
    answers = [_Answer(selected, name, flip, evidence) for flip in answer.flips]
    code, said = ending([], answer.stopped), _answer(selected, name, answer) + only_the_default(selectors)
    with grace():
        for item in answers:
            item.write()
        if as_json:
            emit_json("why", _json(said, selected, name, answer, answers), code)
        else:
            emit(_text(said, answer, answers))
    emit_stop(answer.stopped, f"{counted(answer.examined, 'set')} of changes looked at: there may be more answers")
    return code


def _ask(selected: CodeBase, name: str, against: Revision, processes: int | None) -> Why:
    """The answers. Raises MalformedInput and Interrupted."""
    probes, counter = probes_of_states(selected, "why"), Counter("set", "of changes looked at")
    with asking(selected.title, counter, "no answer after {} of changes"):
        return why(
            selected.turned,
            selected.scenario,
            name,
            base=against,
            probes=probes,
            advance=counter.advance,
            processes=processes,
        )


class _Answer(Struct, frozen=True, dict=True):
    """Changes without which the verdict is the other one, and what shows it."""

    selected: CodeBase
    name: str
    flip: Flip
    directory: str | None

    @cached_property
    def without(self) -> CodeBase:
        """The code base after removal, as options name it."""
        removed = {change.knob: change.before for change in self.flip.changes}
        order = str(removed.pop("order")) if "order" in removed else self.selected.order
        return replace(self.selected, order=order, settings={**self.selected.settings, **removed})

    @cached_property
    def system(self) -> TransitionSystem:
        """Its model."""
        return self.without.system()

    @cached_property
    def run(self) -> Run | None:
        """The trace where the property breaks; None where it holds."""
        trace = self.flip.verdict.trace
        return None if trace is None else Run.of(self.system, trace)

    @property
    def file(self) -> str | None:
        """The file for its evidence."""
        if self.directory is None:
            return None
        suffix = ".smt2" if self.flip.verdict.trace is None else ".json"
        return str(Path(self.directory) / f"without-{'+'.join(change.knob for change in self.flip.changes)}{suffix}")

    def write(self) -> None:
        """Write that file: a certificate, or a trace. Raises NotWritable."""
        if self.file is None:
            return
        source, verdict = self.without.source(), self.flip.verdict.outcome
        if self.run is None:
            write_to(self.file, make(self.system, [self.name], source=source).text)
        else:
            write_to(self.file, write_trace(self.run, source=source, verdict=verdict))

    @property
    def see(self) -> str:
        """The command that shows it."""
        what, form = ("check", "") if self.flip.verdict.trace is None else ("trace export", " --format text")
        return f"check-invariants {what} {self.without.options} --property {quote(self.name)}{form}"


def _text(said: str, answer: Why, answers: Sequence[_Answer]) -> str:
    """The answers, each with what is to be seen, and how all sets of changes were accounted for."""
    changes = f"{counted(len(answer.changes), 'change')} since {answer.base.name}"
    lines = [said, f"{answer.verdict.reason}; looked at were the {changes}"]
    if answer.flips:
        kind = "exposes" if answer.exposes else "protects"
        lines.append(f"what {kind} it: take back any one of these, and the verdict is the other one")
    for number, item in enumerate(answers, 1):
        lines += ["", *_answer_lines(item, number)]
    return "\n".join([*lines, "", *_account(answer, any(item.file for item in answers)), "", said, ""])


def _answer(selected: CodeBase, name: str, answer: Why) -> str:
    """The first and the last line."""
    now = f"{selected.title}: {name} {_outcome(answer.verdict.outcome.value)}"
    if answer.flips:
        would = "hold" if answer.exposes else "be violated"
        without = (" and ".join(map(str, flip.changes)) for flip in answer.flips)
        return f"{now}; it would {would} {', or '.join(f'without {changes}' for changes in without)}"
    if answer.stopped:
        return f"{now}; why is unknown: no answer among the sets that were looked at"
    return f"{now}, whichever of the {counted(len(answer.changes), 'change')} since {answer.base.name} are taken back"


def _account(answer: Why, written: bool) -> Iterator[str]:
    """How all sets of changes were accounted for, and where to go from here."""
    sets = counted(2 ** len(answer.changes), "set")
    others = "contains one of the above or has" if answer.flips else "has"
    left = f"{answer.stopped} before more were" if answer.stopped else f"any other {others} the model of one of these"
    yield f"{answer.examined} of {sets} looked at, {counted(answer.systems, 'distinct model')}; {left}"
    yield from (f"left out, because no code base could be like that: {reason}" for reason in answer.objections)
    if answer.flips and not written:
        yield "--evidence DIR writes the traces and certificates"


def _outcome(word: str) -> str:
    return "is violated" if word == "violated" else word


def _answer_lines(answer: _Answer, number: int) -> Iterator[str]:
    """An answer: its changes, what comes of their removal, and how to look at that."""
    flip, indent = answer.flip, " " * len(f"{number}. ")
    for place, change in enumerate(flip.changes):
        yield f"{indent if place else f'{number}. '}{change}, before that {shown(change.before)}"
        yield from (f"{indent}  {row.name}: {row.subject}" for row in change.turns)
    states = counted(flip.statistics.states, "state")
    yield (
        f"{indent}without {'it' if len(flip.changes) == 1 else 'them'} {answer.name} {_outcome(flip.verdict.outcome.value)} "
        f"({flip.verdict.reason}; {states})"
    )
    yield f"{indent}see: {answer.see}"
    if answer.file:
        uses = ("trace show", "explain", "replay") if flip.verdict.trace else ("certificate check",)
        yield f"{indent}written: {answer.file}, for check-invariants {', '.join(uses)}"


def _json(said: str, selected: CodeBase, name: str, answer: Why, answers: Sequence[_Answer]) -> Document:
    """The same as JSON values."""
    return {
        "answer": said,
        "model": selected.title,
        "property": name,
        "verdict": answer.verdict.outcome.value,
        "how": str(answer.verdict.reason),
        "against": answer.base.name,
        "toggles": list(map(_change_json, answer.changes)),
        "answers": list(map(_answer_json, answers)),
        "sets": 2 ** len(answer.changes),
        "examined": answer.examined,
        "systems": answer.systems,
        "left_out": list(answer.objections),
        "stopped": None if answer.stopped is None else str(answer.stopped),
    }


def _change_json(change: KnobChange) -> Document:
    fields = asdict(change)
    turns = [row.name for row in fields.pop("turns")]
    return {**fields, "commit": change.commit or None, "turns": turns}


def _answer_json(answer: _Answer) -> Document:
    flip, run = answer.flip, answer.run
    source = answer.without.source()
    return {
        "toggles": [change.knob for change in flip.changes],
        "without": flip.without.name,
        "digest": flip.digest,
        "verdict": flip.verdict.outcome.value,
        "how": str(flip.verdict.reason),
        "states": flip.statistics.states,
        "trace": None if run is None else trace_to_json(run, source=source, verdict=flip.verdict.outcome),
        "evidence": answer.file,
    }
