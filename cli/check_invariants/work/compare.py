"""`check-invariants compare`: what it does and shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from shlex import quote

import click
from msgspec import Struct

from check_invariants import standard
from check_invariants.documents import Document, emit_json
from check_invariants.exit import EmptySelection, ExitCode, ending
from check_invariants.files import apart, check_output, write_to
from check_invariants.judge import meaningful
from check_invariants.options import refuse_short
from check_invariants.output import Counter, emit, emit_stop, emit_substitutes, emit_table, emit_trace
from check_invariants.own_models import called_with, load_model
from check_invariants.selection import check_possible, chosen_properties, impossible, named_code_base
from check_invariants.table import Cell, Column, Styled, Table
from check_invariants.trace_formats import TRACE_FORMATS, Exhibit, trace_format_of
from check_invariants.words import placed
from draincheck import Run, Subject, Verdict
from draincheck.budget import grace
from draincheck.knobs import Setting
from draincheck.qemu import Scenario
from draincheck.report.jsontrace import trace_to_json
from draincheck.revisions import Revision, substitutes
from draincheck.words import counted
from drainspecs.mirror.answer import answering_scenarios
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.impact import SAFE, matters
from drainspecs.mirror.scenarios import SCENARIOS, applies
from drainspecs.questions.compare import Compared, Comparison, Decided, Effect, Pair, compare


def command(
    *,
    before: Revision | str,
    after: Revision | str | None,
    settings: Sequence[tuple[str, Setting]],
    scenarios: Sequence[Scenario],
    wide: bool,
    order: str | None,
    properties: Sequence[str],
    strict: bool,
    short: bool,
    no_trace: bool,
    trace_out: str | None,
    processes: int | None,
    as_json: bool,
) -> ExitCode:
    """Compare what the arguments name, and write the new counterexample where it is wanted."""
    refuse_short(short, as_json, no_trace)
    if after is None and not settings:
        raise click.UsageError("name what to compare with: another one, or --set KNOB=VALUE for a change to this one")
    changed = before if after is None else after
    if isinstance(before, Revision) and isinstance(changed, Revision):
        chosen = scenarios or (SCENARIOS if wide else answering_scenarios())
        asked = _code_bases(before, changed, chosen, properties, settings=settings, order=order)
    else:
        if scenarios or wide or order:
            raise click.UsageError("a model of your own has no --scenario, --all or --order")
        asked = _models(before, changed, properties, settings)
    apart({"--trace-out": trace_out}, as_json=as_json)
    if trace_out is not None:
        check_output(trace_out)
    found = _Found(asked, _decide(asked, properties, strict or bool(properties), processes))
    with grace():
        if trace_out is not None:
            _write_trace(found, trace_out)
        if as_json:
            emit_json("compare", _json(found, traces=not no_trace), found.code)
        else:
            _show(found, traces=not no_trace, short=short)
    emit_stop(found.compared.stopped, f"{found.compared.decided} of {counted(asked.sides, 'model')} decided")
    return found.code


class _Asked(Struct, frozen=True):
    """What is compared: what people call the two, and the pairs; what was left out, and why; the code bases."""

    before: str
    after: str
    pairs: Sequence[Pair]
    left_out: Sequence[str] = ()
    revisions: Sequence[Revision] = ()

    @property
    def sides(self) -> int:
        """How many models there are to be decided."""
        return sum((pair.before is not None) + (pair.after is not None) for pair in self.pairs)


def _models(
    before: Revision | str, after: Revision | str, properties: Sequence[str], settings: Sequence[tuple[str, Setting]]
) -> _Asked:
    """Two models of the user's, the second with these parameters.

    Raises UsageError for one and a code base, BadParameter for a property that one does not have, and for parameters.
    """
    if isinstance(before, Revision) or isinstance(after, Revision):
        raise click.UsageError("a code base cannot be compared with a model of your own")
    two = load_model(before), load_model(after, settings)
    for model in two:
        chosen_properties(model.system(), properties)
    return _Asked(before, called_with(after, settings), [Pair("", *two)])


def _code_bases(
    before: Revision,
    after: Revision,
    scenarios: Sequence[Scenario],
    properties: Sequence[str],
    *,
    settings: Sequence[tuple[str, Setting]],
    order: str | None,
) -> _Asked:
    """Two code bases in each scenario that one of them can run. Raises EmptySelection if there is none, and MalformedInput if one is impossible."""
    pairs, sides, why, names = list[Pair](), list[tuple[CodeBase, CodeBase]](), list[str](), ("", "")
    for scenario in scenarios:
        was = named_code_base(properties, revision=before, scenario=scenario, order=order)
        now = named_code_base(properties, revision=after, scenario=scenario, order=order, settings=settings)
        names = was.called, now.called
        reasons = {side.called: impossible(side) for side in (was, now)}
        why += [f"{name} in {scenario.name}: {reason}" for name, reason in reasons.items() if reason]
        sides.append((was, now))
        pairs.append(Pair(scenario.name, *(None if impossible(side) else side for side in (was, now))))
    for code_bases in zip(*sides, strict=True):
        _refuse_impossible(code_bases)
    kept = [pair for pair in pairs if pair.before or pair.after]
    if not kept:
        raise EmptySelection(f"none of the two can be run: {'; '.join(why)}")
    return _Asked(*names, kept, why, (before, after))


def _refuse_impossible(code_bases: Sequence[CodeBase]) -> None:
    """Raise MalformedInput for knobs that have no meaning in any scenario: a code base that cannot be mends nothing."""
    able = [item for item in code_bases if applies(item.turned, item.scenario)]
    if able and all(map(impossible, able)):
        check_possible(able[0].turned, able[0].scenario)


def _decide(asked: _Asked, properties: Sequence[str], strict: bool, processes: int | None) -> Comparison:
    """Both sides of every pair, those that were decided before a stop. Raises MalformedInput."""
    counter = Counter("model", "decided", asked.sides)
    with meaningful(f"{asked.before} and {asked.after}"), counter:
        return compare(asked.pairs, properties, strict=strict, advance=counter.advance, processes=processes)


class _Found(Struct, frozen=True, dict=True):
    """What was asked, and what was found."""

    asked: _Asked
    compared: Comparison

    @property
    def code(self) -> ExitCode:
        """Whether something got worse, and whether all was decided."""
        return ending([self._answer], self.compared.stopped)

    @property
    def _answer(self) -> ExitCode:
        found = self.compared
        if found.any(Effect.BROKEN, matters=True):
            return ExitCode.VIOLATED
        if found.any(Effect.UNKNOWN):
            return ExitCode.INCONCLUSIVE
        if found.any(Effect.OTHER, matters=True):
            return ExitCode.DIFFERENT
        differ = [found.any(Effect.MENDED, Effect.BROKEN, Effect.OTHER, matters=matters) for matters in (False, True)]
        return ExitCode.DIFFERENT if differ == [True, False] else ExitCode.OK

    @property
    def sentence(self) -> str:
        """The answer."""
        found = self.compared
        unknown = placed({place.pair.place: _unknown(place) for place in found.places})
        if not found.any(*_DIFFERENCES):
            said = ["changes no verdict"]
        else:
            said = [f"mends {self._things(Effect.MENDED)}{self._short_of}", f"adds {self._things(Effect.BROKEN)}"]
            said += filter(None, [self._rules()])
        said.append(f"leaves {self._things(Effect.OPEN)} open")
        others = placed({place.pair.place: place.otherwise(matters=True) for place in found.places})
        said += [f"asked otherwise: {others}"] if others else []
        said += [f"unknown: {unknown}"] if unknown else []
        known = "as far as it was decided, " if unknown else ""
        return f"{self.asked.after}, compared with {self.asked.before}, {known}{'; '.join(said)}"

    def _things(self, change: Effect) -> str:
        """What is so for the owner of the data, and where."""
        return placed({place.pair.place: place.words[change] for place in self.compared.places}) or "nothing"

    @property
    def _short_of(self) -> str:
        """That something is mended as far as modelled alone."""
        mended = (place for place in self.compared.places if place.words[Effect.MENDED])
        return ", as far as modelled" * any(_is_limited(place.after, place.pair.after) for place in mended)

    def _rules(self) -> str:
        """What became of rules inside QEMU, "" if nothing did."""
        places, parts = self.compared.places, list[str]()
        for change in (Effect.MENDED, Effect.BROKEN):
            names = dict.fromkeys(name for place in places for name in place.changed(change, matters=False))
            parts += [f"{', '.join(names)} {change.value}"] if names else []
        return f"rules inside QEMU: {'; '.join(parts)}" if parts else ""

    @property
    def run(self) -> tuple[Subject, Verdict, Run] | None:
        """The shortest new counterexample, executed."""
        worst = self.compared.worst
        if worst is None:
            return None
        place, verdict = worst
        assert place.pair.after is not None and verdict.trace is not None
        return place.pair.after, verdict, Run.of(place.pair.after.system(), verdict.trace)


_LEGEND = "| before it what a guest can see, behind it rules inside QEMU; ~ as far as modelled\n"
_DIFFERENCES = (Effect.MENDED, Effect.BROKEN, Effect.OTHER, Effect.UNKNOWN)


def _unknown(place: Compared) -> list[str]:
    """What is unknown there, in one word if nothing is known."""
    names = place.changed(Effect.UNKNOWN)
    return ["everything"] if names and len(names) == len(place.differences) > 1 else names


# -- as text ----------------------------------------------------------------------------------------


def _show(found: _Found, traces: bool, short: bool) -> None:
    """The answer, a line a place, what is new, and the answer again."""
    emit(f"{found.sentence}\n\n")
    emit_substitutes(found.asked.revisions)
    emit_table(_table(found))
    emit(_LEGEND if found.asked.pairs[0].place else "")
    emit("".join(f"left out: {reason}\n" for reason in found.asked.left_out))
    shown = found.run if traces else None
    if shown is not None:
        subject, verdict, run = shown
        emit(f"\nthe shortest new counterexample, of {verdict.property}:\n\n")
        emit_trace(run, short=short)
        emit(f"\nsee: check-invariants check {subject.about.options} --property {quote(verdict.property)}\n")
    emit(f"\n{found.sentence}\n")


def _table(found: _Found) -> Table:
    """A line a place."""

    def became(change: Effect, style: str) -> Callable[[Compared], Cell]:
        return lambda place: Styled(_apart(place, place.changed(change)), style)

    def otherwise(place: Compared) -> Cell:
        return _apart(place, place.otherwise())

    columns: dict[Column, Callable[[Compared], Cell]] = {
        Column("scenario"): lambda place: place.pair.place,
        Column("before"): lambda place: _impact(place.before, place.pair.before),
        Column("after"): lambda place: _impact(place.after, place.pair.after),
        Column("mended"): became(Effect.MENDED, "green"),
        Column("broken"): became(Effect.BROKEN, "bold red"),
        Column("still violated"): became(Effect.OPEN, "yellow"),
        Column("asked otherwise"): otherwise,
        Column("unknown"): lambda place: Styled(_joined(place, _unknown(place)), "bold yellow"),
    }
    table = Table.of(found.compared.places, columns)
    for header in ("scenario", "before", "after", "asked otherwise", "unknown"):
        table = table.without_empty(header)
    return table


def _joined(place: Compared, names: Sequence[str]) -> str:
    """Names of properties in a cell: those of a code base are one word each, and a user's may have spaces."""
    return (" " if place.pair.place else ", ").join(names)


def _apart(place: Compared, names: Sequence[str]) -> str:
    """The same, of a code base with what a guest can see before a bar, and rules inside QEMU behind it."""
    if not place.pair.place:
        return _joined(place, names)
    seen, rules = ([name for name in names if matters(name) is visible] for visible in (True, False))
    return " ".join([*seen, *(["|", *rules] if rules else [])])


def _impact(side: Decided | None, subject: Subject | None) -> str:
    return "impossible" if side is None else ", ".join(side.impact) + "~" * _is_limited(side, subject)


def _is_limited(side: Decided | None, subject: Subject | None) -> bool:
    """Whether a side is safe as far as modelled alone."""
    if side is None or subject is None or SAFE not in side.impact:
        return False
    return any(subject.limits(name, verdict.outcome) for name, verdict in side.verdicts.items())


# -- as files ---------------------------------------------------------------------------------------


def _write_trace(found: _Found, path: str) -> None:
    shown = found.run
    if shown is None:
        standard.note("no counterexample to write\n")
        return
    subject, verdict, run = shown
    write_to(path, TRACE_FORMATS[trace_format_of(path)].render(Exhibit(run, subject, verdict.outcome)))
    standard.note(f"1 counterexample written to {path}\n")


def _json(found: _Found, traces: bool) -> Document:
    """The same as JSON values."""
    shown, trace = found.run if traces else None, None
    if shown is not None:
        subject, verdict, run = shown
        trace = trace_to_json(run, source=subject.source(), verdict=verdict.outcome)
    return {
        "answer": found.sentence,
        "before": found.asked.before,
        "after": found.asked.after,
        "substitutes": substitutes(found.asked.revisions),
        "places": [_place_json(place) for place in found.compared.places],
        "left_out": found.asked.left_out,
        "trace": trace,
        "stopped": None if found.compared.stopped is None else str(found.compared.stopped),
    }


def _place_json(place: Compared) -> Document:
    return {
        "scenario": place.pair.place or None,
        "before": _side_json(place.before),
        "after": _side_json(place.after),
        "properties": [
            {
                "name": item.name,
                "before": None if item.before is None else item.before.value,
                "after": None if item.after is None else item.after.value,
                "change": item.change.value,
                "matters": item.matters,
                "forms": list(item.forms),
            }
            for item in place.differences
        ],
    }


def _side_json(side: Decided | None) -> Document | None:
    return None if side is None else {"outcome": side.impact, "digest": side.digest}
