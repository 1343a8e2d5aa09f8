"""`check-invariants repair`: what it does and shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from textwrap import wrap
from typing import Any

from check_invariants.exit import ExitCode, Interrupted, MalformedInput, of_comparison
from check_invariants.output import Column, Counter, Styled, Table, counted, emit, emit_json, emit_table
from check_invariants.selection import select_code_base
from draincheck.errors import ModelError
from draincheck.qemu import Scenario
from draincheck.revisions import Revision
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.liveness import LIVENESS
from drainspecs.mirror.mitigations import Mitigation
from drainspecs.mirror.properties import PROPERTIES
from drainspecs.mirror.stray_requests import CASES
from drainspecs.questions.repair import NO_HANG, Flaw, Remainder, Repair, Repairs

__all__ = ["remainders_of", "search", "selected_by", "show", "to_json", "what_remains_with"]


def selected_by(scenarios: Sequence[Scenario], selectors: Mapping[str, Any]) -> Sequence[CodeBase]:
    """The code base in each of the scenarios; raises what `select` raises."""
    places: Sequence[Scenario | None] = tuple(dict.fromkeys(scenarios)) or (None,)
    return [select_code_base(scenario=place, **selectors) for place in places]


def search(selected: Sequence[CodeBase], properties: Sequence[str], jobs: int | None) -> Repairs:
    """The smallest sets that mend it. Raises MalformedInput and Interrupted."""
    from drainspecs.questions.repair import SAFETY, repair

    revision, scenarios = selected[0].turned, [item.scenario for item in selected]
    counter = Counter("code bases decided")
    try:
        with counter:
            return repair(revision, scenarios, properties or SAFETY, advance=counter.advance, processes=jobs)
    except ModelError as error:
        raise MalformedInput(f"{revision.name}: {error}") from error
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted after {counter.done} code bases: which sets suffice is unknown") from error


def remainders_of(
    selected: Sequence[CodeBase], properties: Sequence[str], sets: Sequence[Sequence[Mitigation]]
) -> list[Remainder]:
    """What is open with each of these sets. Raises MalformedInput."""
    from drainspecs.questions.repair import SAFETY, what_remains

    revision, scenarios = selected[0].turned, [item.scenario for item in selected]
    try:
        return [what_remains(revision, chosen, scenarios, properties or SAFETY) for chosen in sets]
    except ModelError as error:
        raise MalformedInput(f"{revision.name}: {error}") from error


# -- what it shows ---------------------------------------------------------------------------------


def what_remains_with(
    selected: Sequence[CodeBase], properties: Sequence[str], chosen: Sequence[Mitigation], as_json: bool
) -> ExitCode:
    """`--with`: what is open as it is, and what these mitigations leave open."""
    now, left = remainders_of(selected, properties, [(), chosen])
    code = of_comparison(not (left.flaws or left.objection))
    if as_json:
        found = {"now": _remainder_json(now), "remainders": [_remainder_json(left)], "exit_code": int(code)}
        emit_json("repair", {**_head_json(selected[0].turned, [item.scenario for item in selected]), **found})
    else:
        _print_table([now, left])
    return code


def show(selected: Sequence[CodeBase], found: Repairs) -> None:
    """Print what is wrong, and what mends it."""
    head = f"{found.revision.name}, {', '.join(scenario.name for scenario in found.scenarios)}"
    if not found.now.flaws:
        emit(f"{head}: nothing to mend: {', '.join(dict.fromkeys((*found.properties, *_no_hang())))} hold\n")
        return
    emit(f"{head}: these do not hold: {_flaws(found.now)}\n")
    emit("".join(f"{line}\n" for line in _answer_lines(selected, found)))
    emit("\nwhat the others leave open:\n")
    _print_table([found.now, *found.remainders])
    emit(f"\n{counted(found.examined, 'set')} looked at, {counted(found.systems, 'distinct model')}\n")


def _no_hang() -> Sequence[str]:
    return NO_HANG


def _answer_lines(selected: Sequence[CodeBase], found: Repairs) -> Iterator[str]:
    """The repairs, and the sets that would be some if they did not cost liveness."""
    if found.solutions:
        yield f"{counted(len(found.solutions), 'smallest repair')}{', cheapest first' if len(found.solutions) > 1 else ''}"
    else:
        yield "no set of known mitigations suffices"
    for number, solution in enumerate(found.solutions, 1):
        yield ""
        yield from _solution_lines(selected, number, solution)
    for mitigations, flaws in found.rejected:
        yield ""
        yield from _rejected_lines(mitigations, flaws)


def _rejected_lines(mitigations: Sequence[Mitigation], flaws: Sequence[Flaw]) -> Iterator[str]:
    meanings = {item.name: item.meaning for item in (*PROPERTIES, *LIVENESS)}
    yield f"no repair: {_names(mitigations)} makes it safe, but these do not hold:"
    yield from (f"     {flaw}{f' ({meanings[flaw.property]})' if flaw.property in meanings else ''}" for flaw in flaws)


def _flaws(item: Remainder) -> str:
    """What does not hold; by scenario, if there are several."""
    by_scenario: dict[str, list[str]] = {name: [] for name in item.cases}
    for flaw in item.flaws:
        by_scenario.setdefault(flaw.scenario, []).append(flaw.property)
    several = len(by_scenario) > 1
    return "; ".join(
        f"{f'{name}: ' if several else ''}{', '.join(props)}" for name, props in by_scenario.items() if props
    )


def _solution_lines(selected: Sequence[CodeBase], number: int, solution: Repair) -> Iterator[str]:
    yield f"{number}. {_names(solution.mitigations)} (cost {solution.cost})"
    yield from (f"     {commit}: {subject}" for commit, subject in solution.commits)
    yield from (f"     side effect: {effect}" for item in solution.mitigations for effect in item.side_effects)
    for code_base in selected:
        mended = replace(code_base, settings={**code_base.settings, **solution.settings})
        yield f"     see: check-invariants check {mended.options}"


def _names(mitigations: Sequence[Mitigation]) -> str:
    return ", ".join(item.name for item in mitigations) or "(nothing)"


def _print_table(remainders: Sequence[Remainder]) -> None:
    """What sets leave open, and what the words in it mean."""
    columns = [Column("with"), Column("cases open"), Column("in any GSource order"), Column("does not hold")]
    emit_table(Table(columns, [_row(item) for item in remainders]), partial(_list, remainders))
    found = {name for item in remainders for names in item.cases_any_order.values() for name in names}
    legend = [f"{name}: {meaning}" for name, meaning in CASES.items() if name in found]
    if any(item.inert for item in remainders):
        legend.append("inert: nothing in this table changes by it")
    emit("".join(f"{line}\n" for line in ["", *legend]) if legend else "")


def _list(remainders: Sequence[Remainder], width: int) -> str:
    """The table as a list, for terminals that are too narrow for it."""
    lines: list[str] = []
    for item in remainders:
        flaws, cases, any_order = (
            item.objection or _flaws(item) or "-",
            _cases(item.cases),
            _cases(item.cases_any_order),
        )
        text = f"{_names(item.mitigations)}: {'inert; ' if item.inert else ''}cases open: {cases} (in any GSource order: {any_order}); "
        lines += wrap(f"{text}does not hold: {flaws}", width, subsequent_indent="  ", break_on_hyphens=False)
    return "".join(f"{line}\n" for line in lines)


def _row(item: Remainder) -> list[str | Styled]:
    flaws = item.objection or _flaws(item) or "-"
    name = f"{_names(item.mitigations)}{' (inert)' if item.inert else ''}"
    return [name, _cases(item.cases), _cases(item.cases_any_order), Styled(flaws, "red" if item.flaws else "green")]


def _cases(cases: Mapping[str, Sequence[str]]) -> str:
    """The numbers of the cases; by scenario, if there are several."""
    several = len(cases) > 1
    words = [
        f"{f'{scenario}: ' if several else ''}{', '.join(name.removeprefix('case ') for name in names)}"
        for scenario, names in cases.items()
        if names
    ]
    return "; ".join(words) or "-"


def _head_json(revision: Revision, scenarios: Iterable[Scenario]) -> dict[str, Any]:
    return {"revision": revision.name, "scenarios": [scenario.name for scenario in scenarios]}


def to_json(found: Repairs) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        **_head_json(found.revision, found.scenarios),
        "properties": list(found.properties),
        "now": _remainder_json(found.now),
        "repairs": [_solution_json(solution) for solution in found.solutions],
        "rejected": [
            {"mitigations": [item.name for item in items], "flaws": list(map(str, flaws))}
            for items, flaws in found.rejected
        ],
        "remainders": [_remainder_json(item) for item in found.remainders],
        "examined": found.examined,
        "systems": found.systems,
    }


def _solution_json(solution: Repair) -> dict[str, Any]:
    return {
        "mitigations": [
            {"name": item.name, "cost": item.cost, "reason": item.reason, "side_effects": list(item.side_effects)}
            for item in solution.mitigations
        ],
        "repaired": solution.repaired.name,
        "settings": dict(solution.settings),
        "cost": solution.cost,
        "commits": [{"commit": commit, "subject": subject} for commit, subject in solution.commits],
    }


def _remainder_json(item: Remainder) -> dict[str, Any]:
    return {
        "mitigations": [mitigation.name for mitigation in item.mitigations],
        "flaws": [{"scenario": flaw.scenario, "property": flaw.property} for flaw in item.flaws],
        "cases": {name: list(cases) for name, cases in item.cases.items()},
        "cases_any_order": {name: list(cases) for name, cases in item.cases_any_order.items()},
        "inert": item.inert,
        "objection": item.objection or None,
    }
