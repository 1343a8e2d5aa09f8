"""`check-invariants why` of a model of the user's: which parameters a verdict depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shlex import quote

import click
from msgspec import Struct

from check_invariants.documents import Document, emit_json
from check_invariants.exit import EmptySelection, ExitCode, LimitReached, ending
from check_invariants.filenames import plain
from check_invariants.files import make_directory, write_to
from check_invariants.judge import Asked, checked, warn
from check_invariants.output import Counter, emit, emit_stop
from check_invariants.own_models import Varied, refusing, varied
from check_invariants.selection import chosen_properties
from draincheck import ModelFile, Outcome, Run, Verdict
from draincheck.budget import grace
from draincheck.certificate import make
from draincheck.errors import OutOfBudget, SpaceTooLarge
from draincheck.knobs import Setting
from draincheck.parameters import assigned, shown
from draincheck.properties import Liveness
from draincheck.reason import Stop
from draincheck.report.jsontrace import write_trace
from draincheck.sorts import Value
from draincheck.verdict import stop_of
from draincheck.words import counted, listed
from drainspecs.questions.parameters import Combination, ParameterFlip, decide_all, flips, points_of


class WhyQuestion(Struct, frozen=True):
    """What is asked: the model as it is, the parameters that it started with, what else they could be, and the property."""

    varied: Varied
    model: ModelFile
    start: dict[str, Value]
    name: str

    @classmethod
    def of(cls, name: str, settings: Sequence[tuple[str, Setting]], properties: Sequence[str]) -> WhyQuestion:
        """What the options name. Raises UsageError and EmptySelection."""
        if click.get_current_context().get_parameter_source("against") is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(
                "--against is for code bases: parameters are compared with their defaults, and with all they can be"
            )
        found = varied(name, settings, other_values=True)
        if not found.axes:
            raise EmptySelection(
                f"nothing can be changed: {found.builder.parameters.takes}; set one that has a default, by --set"
            )
        with refusing():
            model = found.builder.build(found.fixed)
        demanded = [item.name for item in chosen_properties(model.system(), properties)]
        if len(demanded) > 1:
            raise click.UsageError(
                f"a reason is for one verdict: name one property by --property: {', '.join(demanded)}"
            )
        return cls(found, model, {**found.defaults, **found.fixed}, demanded[0])


def explained(asked: WhyQuestion, evidence: str | None, processes: int | None, as_json: bool) -> ExitCode:
    """Find the smallest changes that turn the verdict, and write their evidence where it is wanted. Raises LimitReached, MalformedInput."""
    if evidence is not None:
        make_directory(evidence)
    warn(result := checked(asked.model, Asked([asked.name])))
    verdict = result[asked.name].verdict
    found = _searched(asked, verdict, processes)
    undecided = verdict.outcome is Outcome.UNKNOWN or found.unknown
    code = ending([ExitCode.INCONCLUSIVE] if undecided else [], found.stop)
    with grace():
        for flip in found.flips if evidence is not None else ():
            _write(asked, flip, str(evidence))
        if as_json:
            emit_json("why-model", _json(found), code)
        else:
            emit("".join(f"{line}\n" for line in _lines(found)))
    emit_stop(found.stop, "there may be more answers")
    return code


class _Found(Struct, frozen=True):
    """The answers, and what was looked at for them: how many models, how many distinct ones, and of how many the verdict is unknown."""

    asked: WhyQuestion
    verdict: Verdict
    flips: Sequence[ParameterFlip]
    examined: int
    digests: int
    unknown: int
    size: int
    stop: Stop | None

    @property
    def whole(self) -> bool:
        """Whether nothing that might be an answer is unknown."""
        return not (self.stop or self.unknown)

    @property
    def answer(self) -> str:
        """The first and the last line."""
        name = self.asked.name
        now = f"{self.asked.model.title}: {name} {_outcome(self.verdict.outcome)}"
        ways = [f"with {assigned(flip.changes)} it {_outcome(flip.decided.outcomes[name])}" for flip in self.flips]
        stays = (
            _of_what_was_tried(self.asked.varied) if self.whole else "no change among those that were decided turns it"
        )
        return "; ".join([now, *ways]) if ways else f"{now}, {stays}"


def _of_what_was_tried(varied: Varied) -> str:
    """That a verdict stays, as far as that is known: of some parameters no values are listed, and of others two alone are known."""
    axes = varied.axes
    if all(item.choices and item.name in axes for item in varied.builder.parameters.all):
        return "whatever else its parameters are"
    return f"with every value that was tried of {listed(list(axes))}"


def _searched(asked: WhyQuestion, verdict: Verdict, processes: int | None) -> _Found:
    answers, seen, stop = list[ParameterFlip](), list[Combination](), None
    builder, axes = asked.varied.builder, asked.varied.axes
    try:
        size = len(points_of(axes, {}))
    except SpaceTooLarge as error:
        raise LimitReached(str(error)) from error
    with Counter("model", "decided", size) as counter, refusing():

        def decide(points: Sequence[Mapping[str, Value]]) -> Iterator[Combination]:
            for item in decide_all(builder, points, [asked.name], processes):
                seen.append(item)
                counter.advance(len(seen))
                yield item

        try:
            if verdict.outcome is not Outcome.UNKNOWN:  # of which nothing else is the other one
                answers.extend(flips(asked.start, axes, decide, verdict.outcome, asked.name))
        except (KeyboardInterrupt, OutOfBudget) as end:
            stop = stop_of(end)
    stop = stop or next((item.stopped for item in seen if item.stopped), None)
    unknown = sum(Outcome.UNKNOWN in item.outcomes.values() for item in seen) + (verdict.outcome is Outcome.UNKNOWN)
    return _Found(
        asked,
        verdict,
        answers,
        len(seen) + 1,
        len({item.digest for item in seen} | {asked.model.system().digest}),
        unknown,
        size,
        stop,
    )


def _changed(asked: WhyQuestion, flip: ParameterFlip) -> ModelFile:
    """The model with the changes."""
    with refusing():
        return asked.varied.builder.build({**asked.varied.fixed, **flip.changes})


def _file(flip: ParameterFlip, asked: WhyQuestion) -> str:
    """The file for the evidence of an answer, "" if there is none: of demands on runs there are no certificates."""
    violated = flip.decided.outcomes[asked.name] is Outcome.VIOLATED
    if not violated and isinstance(asked.model.system().property_named(asked.name), Liveness):
        return ""
    return f"{plain('with-' + '+'.join(f'{n}={shown(v)}' for n, v in flip.changes.items()))}.{'json' if violated else 'smt2'}"


def _write(asked: WhyQuestion, flip: ParameterFlip, directory: str) -> None:
    """Write what shows an answer: a trace, or a certificate. Raises NotWritable."""
    model, file = _changed(asked, flip), _file(flip, asked)
    if not file:
        return
    path = str(Path(directory) / file)
    if file.endswith("smt2"):
        write_to(path, make(model.system(), [asked.name], source=model.source()).text)
        return
    verdict = checked(model, Asked([asked.name]))[asked.name].verdict
    if verdict.trace is not None:
        write_to(
            path, write_trace(Run.of(model.system(), verdict.trace), source=model.source(), verdict=verdict.outcome)
        )


def _lines(found: _Found) -> Iterator[str]:
    """The answer, the changes, what was looked at, and the answer again."""
    asked = found.asked
    yield found.answer
    yield str(found.verdict.reason)
    tried = ", ".join(f"{name} ({', '.join(map(shown, values))})" for name, values in asked.varied.axes.items())
    for number, flip in enumerate(found.flips, 1):
        yield ""
        yield f"{number}. with {assigned(flip.changes)} it {_outcome(flip.decided.outcomes[asked.name])}"
        yield f"   see: check-invariants check {_changed(asked, flip).options} --property {quote(asked.name)}"
    yield ""
    looked = f"{found.examined} of {counted(found.size, 'combination')} looked at, {counted(found.digests, 'distinct model')}"
    yield f"{looked}{_rest(found)}"
    yield f"tried: {tried}"
    yield ""
    yield found.answer


def _rest(found: _Found) -> str:
    """What is to be said of the combinations that were not looked at, and of those that are unknown."""
    said = [f"; {found.unknown} unknown"] if found.unknown else []
    said += [f"; {found.stop} before more were"] if found.stop else []
    if found.flips and found.whole:
        said.append("; any other contains one of the above")
    return "".join(said)


def _outcome(outcome: Outcome) -> str:
    return {"violated": "is violated", "unknown": "is unknown", "never asked": "is never asked"}.get(
        outcome.value, outcome.value
    )


def _json(found: _Found) -> Document:
    """The same as JSON values."""
    asked = found.asked
    return {
        "answer": found.answer,
        "model": asked.model.name,
        "parameters": asked.start,
        "property": asked.name,
        "verdict": found.verdict.outcome.value,
        "how": str(found.verdict.reason),
        "tried": {name: list(values) for name, values in asked.varied.axes.items()},
        "answers": [
            {
                "changes": dict(flip.changes),
                "verdict": flip.decided.outcomes[asked.name].value,
                "digest": flip.decided.digest,
                "evidence": _file(flip, asked) or None,
            }
            for flip in found.flips
        ],
        "combinations": found.size,
        "examined": found.examined,
        "systems": found.digests,
        "undecided": found.unknown,
        "stopped": None if found.stop is None else str(found.stop),
    }
