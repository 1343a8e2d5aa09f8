"""`check-invariants report`: what it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path

import click
from msgspec import Struct

from check_invariants import standard
from check_invariants.again import command_again
from check_invariants.documents import Document, Json, emit_json
from check_invariants.exit import ExitCode, MalformedInput, cut_short, ending
from check_invariants.explorer import cell_of, explorer_page, legend_of, opening
from check_invariants.files import check_output, say_written, write_to
from check_invariants.judge import Asked, checked_quietly, compiled
from check_invariants.options import STDOUT
from check_invariants.output import emit_stop, until_stopped
from check_invariants.own_models import Maker, Models, load_models
from check_invariants.selection import check_names, had_by, impossible, named_code_base, names_of, own_settings
from check_invariants.work.findings import Checked
from draincheck import Subject
from draincheck.explorer.document import Opening, PageMatrix, PageRow
from draincheck.knobs import Setting, shown
from draincheck.qemu import Scenario
from draincheck.revisions import CONTROLS, Revision, code_bases
from draincheck.words import counted, listed, share
from drainspecs.mirror.answer import answer, answering_scenarios
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.impact import SAFE, VISIBLE
from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS

__all__ = ["Selection", "code_bases_in", "command", "own", "write"]


class _Place(Struct, frozen=True):
    """A subject that is asked for, and where it stands in the table: names of its row and column, each with a note."""

    row: tuple[str, str]
    column: tuple[str, str]
    make: Callable[[], Subject]


class Selection(Struct, frozen=True):
    """What is asked for: what it is called together, how the answer is told of what was found, and the words that select it again."""

    called: str
    places: Sequence[_Place]
    told: Callable[[Sequence[Checked]], Opening]
    words: Sequence[str]


def command(
    *,
    model: str | None,
    revisions: Sequence[Revision],
    scenarios: Sequence[Scenario],
    properties: Sequence[str],
    order: str | None,
    settings: Sequence[tuple[str, Setting]],
    output: str,
    as_json: bool,
) -> ExitCode:
    """Decide what the options select, and write the explorer."""
    if as_json and output == STDOUT:
        raise click.UsageError("--json and -o - cannot share standard output: name a file")
    check_output(output)
    if model is None:
        selected = code_bases_in(revisions, scenarios, order, settings, properties)
    else:
        first, where = next(iter(revisions), None), next(iter(scenarios), None)
        given = own_settings({"revision": first, "scenario": where, "order": order, "settings": settings})
        selected = own(model, given, properties)
    return write(selected, Asked(properties), output, as_json)


def write(selected: Selection, asked: Asked, output: str, as_json: bool = False) -> ExitCode:
    """Decide what is selected, write the explorer and say so. Raises LimitReached, or Interrupted, if not all of it is decided."""
    every = (_checked(place, asked) for place in selected.places)
    found, stop = until_stopped(every, "subject", "decided", len(selected.places))
    if stop is not None:
        raise cut_short(stop, f"{share(len(found), len(selected.places), 'subject')} decided; {output} was not written")
    answer = selected.told(found)
    page = explorer_page(
        found,
        answer,
        title=selected.called,
        command=_again(selected, asked, output),
        matrix=_matrix(selected, found),
        titles=_titles(selected, found),
    )
    write_to(output, page)
    return _end(found, _titles(selected, found), answer, output, as_json)


def _titles(selected: Selection, found: Sequence[Checked]) -> list[str]:
    """What each subject is called: those that would be called the same with what tells them apart."""
    titles = Counter(each.subject.title for each in found)
    rows = (place.row[0] for place in selected.places)
    return [
        f"{each.subject.title} ({row})" if titles[each.subject.title] > 1 else each.subject.title
        for each, row in zip(found, rows, strict=False)
    ]


def _again(selected: Selection, asked: Asked, output: str) -> str:
    properties = (word for name in asked.properties for word in ("--property", name))
    return command_again(
        "report", *selected.words, *properties, "-o", "report.html" if output == STDOUT else Path(output).name
    )


def _end(found: Sequence[Checked], called: Sequence[str], answer: Opening, output: str, as_json: bool) -> ExitCode:
    """Say what was written; the exit code."""
    runs = sum(len(each.counterexamples) for each in found)
    stop = next(filter(None, (each.result.stopped for each in found)), None)
    code = ending([ExitCode.OK], stop)
    if as_json:
        titles: list[Json] = [*called]
        written: Document = {"file": output, "answer": answer.headline, "subjects": titles, "counterexamples": runs}
        emit_json("report", written, code)
    elif output != STDOUT:
        standard.note(f"{answer.headline}\n")
        say_written(f"{counted(len(found), 'subject')} with {counted(runs, 'counterexample')}", output)
    emit_stop(stop, "what was not decided is unknown")
    return code


def _checked(place: _Place, asked: Asked) -> Checked:
    subject = place.make()
    had = had_by(compiled(subject), asked.properties) or asked.properties  # of several models each has some
    return Checked(subject, checked_quietly(subject, asked._replace(properties=had)), strict=bool(asked.properties))


def _matrix(selected: Selection, found: Sequence[Checked]) -> PageMatrix | None:
    """The table, if it would have more than one cell."""
    if len(found) < 2:
        return None
    cells = {
        (place.row, place.column): cell_of(each, n)
        for n, (place, each) in enumerate(zip(selected.places, found, strict=True))
    }
    columns, rows = (tuple(dict.fromkeys(key[axis] for key in cells)) for axis in (1, 0))
    told = tuple(PageRow(*row, tuple(cells.get((row, column)) for column in columns)) for row in rows)
    return PageMatrix(columns, told, legend_of(found))


# -- code bases ------------------------------------------------------------------------------------


def code_bases_in(
    revisions: Sequence[Revision],
    scenarios: Sequence[Scenario],
    order: str | None,
    settings: Sequence[tuple[str, Setting]],
    properties: Sequence[str],
) -> Selection:
    """Code bases in scenarios, as far as they can run them. Raises MalformedInput if none can."""
    where = scenarios or (answering_scenarios() if revisions else DEFAULT_SCENARIOS)
    every = [
        named_code_base(properties, revision=revision, scenario=scenario, order=order, settings=settings)
        for scenario in where
        for revision in revisions or code_bases()
    ]
    possible = [each for each in every if not impossible(each)]
    if not possible:
        raise MalformedInput(f"no code base could be like {every[0].turned.name}: {impossible(every[0])}")
    names = list(dict.fromkeys(each.called for each in possible))
    places = [_place(each, alone=len(names) == 1) for each in possible]
    words = [
        *(word for revision in revisions for word in ("--revision", revision.stands_for or revision.name)),
        *(word for scenario in scenarios for word in ("--scenario", scenario.name)),
        *(("--order", order) if order else ()),
        *(word for name, value in settings for word in ("--set", f"{name}={shown(value)}")),
    ]
    called = names[0] if len(names) == 1 else f"{counted(len(names), 'code base')} of QEMU"
    return Selection(called, places, _of_code_bases, words)


def _place(code_base: CodeBase, alone: bool) -> _Place:
    """A code base in its scenario: of several code bases each has a row, of one each scenario has."""
    scenario = (code_base.scenario.name, code_base.scenario.meaning)
    if alone:
        return _Place(
            scenario,
            ("outcome", "what comes of it, and the rules that are violated; those inside QEMU in parentheses"),
            lambda: code_base,
        )
    row = code_base.turned
    return _Place((code_base.called, f"{row.date}: {row.subject}"), scenario, lambda: code_base)


def _of_code_bases(found: Sequence[Checked]) -> Opening:
    """What one code base does, or how many are not safe."""
    by_name: dict[str, list[Checked]] = {}
    for each in found:
        assert isinstance(each.subject, CodeBase)
        by_name.setdefault(each.subject.called, []).append(each)
    sentence = _compared(found)
    if len(by_name) == 1:
        return opening(found, _of_one(*by_name.popitem()), sentence)
    return opening(found, _of_several(by_name), sentence)


def _of_several(found: Mapping[str, Sequence[Checked]]) -> str:
    """Of how many something is violated in some scenario: a guest can see it, or, of demands on whole runs, whatever it is."""
    if not all(each.impact for every in found.values() for each in every):
        what, bad = "violate something in some scenario", [_violated_somewhere(every) for every in found.values()]
    else:
        seen = f"a guest can see {listed(VISIBLE, 'or')} violated"
        what = f"are unsafe: in some scenario {seen}"
        bad = [any(each.impact not in ((SAFE,), ("unknown",)) for each in every) for every in found.values()]
    own = f", {counted(controls, 'control')} among them," if (controls := _controls(found)) else ""
    return f"{sum(bad)} of {counted(len(found), 'code base')}{own} {what}"


def _violated_somewhere(found: Sequence[Checked]) -> bool:
    return any(item.word == "violated" for each in found for item in each.listed)


def _controls(found: Mapping[str, Sequence[Checked]]) -> int:
    """How many of them never existed."""
    names = {control.name for control in CONTROLS}
    return len(names.intersection(found))


def _of_one(name: str, found: Sequence[Checked]) -> str:
    """What comes of it for the guest; of demands on whole runs, which say nothing of that, how many are violated."""
    words = {each.subject.scenario.name: each.impact for each in found if isinstance(each.subject, CodeBase)}
    if len(found) == 1 and not found[0].impact:
        return found[0].answer
    if not all(words.values()):
        violated = sum(_violated_somewhere([each]) for each in found)
        return f"{name}: something is violated in {violated} of {counted(len(found), 'scenario')}"
    return answer(name, words) + next(filter(None, (each.short_of for each in found)), "")


def _compared(found: Sequence[Checked]) -> str:
    """Whether it is what is expected."""
    wrong = [
        f"{each.subject.title} ({', '.join(names)})"
        for each in found
        if (names := [item.name for item in each.listed if item.unexpected])
    ]
    if wrong:
        return f"Not as expected: {listed(wrong)}."
    expected = any(item.expectation is not None for each in found for item in each.listed)
    code_bases = "expected of these code bases: that was written down from QEMU's commits, apart from any run"
    whose = code_bases if isinstance(found[0].subject, CodeBase) else "what the file expects"
    known = "" if all(item.word != "unknown" for each in found for item in each.listed) else " that is known"
    return f"Every verdict{known} is {whose}." if expected else ""


# -- models of one's own ---------------------------------------------------------------------------


def own(name: str, settings: Sequence[tuple[str, Setting]], properties: Sequence[str]) -> Selection:
    """A model of the user's, or several: those that have some of these properties. Raises BadParameter for one that none of them has."""
    model = load_models(name, settings)
    words = [name, *(word for key, value in settings for word in ("--set", f"{key}={value}"))]
    if not isinstance(model, Models):
        return Selection(model.title, [_Place(("", ""), ("", ""), lambda: model)], _of_one_model, words)
    column = ("outcome", "what the check found")
    places = [_Place((each.name, ""), column, each.make) for each in _having(model, properties)]
    return Selection(model.called, places, lambda found: _of_models(model.called, found), words)


def _having(models: Models, properties: Sequence[str]) -> Sequence[Maker]:
    """Those that have some of these properties; all if none is named."""
    if not properties:
        return models.all
    known = {made: names_of(compiled(made.make())) for made in models.all}
    check_names(properties, list(dict.fromkeys(chain.from_iterable(known.values()))))
    return [made for made, names in known.items() if not set(properties).isdisjoint(names)]


def _of_one_model(found: Sequence[Checked]) -> Opening:
    return opening(found, found[0].answer, _compared(found))


def _of_models(called: str, found: Iterable[Checked]) -> Opening:
    every = list(found)
    violated = sum(_violated_somewhere([each]) for each in every)
    said = f"{called}: something is violated in {violated} of {counted(len(every), 'model')}"
    return opening(every, said, _compared(every))
