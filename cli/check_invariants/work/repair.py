"""`check-invariants repair`: what it does and shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Unpack

from msgspec.structs import asdict, replace

from check_invariants.documents import Document, emit_json
from check_invariants.exit import ExitCode, ending, of_comparison
from check_invariants.judge import asking, meaningful
from check_invariants.names import Names
from check_invariants.output import Counter, emit, emit_stop, emit_table
from check_invariants.selection import only_the_default, select_code_base
from check_invariants.table import Column, Styled, Table
from draincheck.qemu import Scenario
from draincheck.revisions import Revision
from draincheck.words import counted, number_word
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.liveness import LIVENESS
from drainspecs.mirror.mitigations import MITIGATIONS, Mitigation, find_mitigation
from drainspecs.mirror.properties import PROPERTIES
from drainspecs.mirror.stray_requests import CASES
from drainspecs.questions.repair import NO_HANG, SAFETY, Flaw, Remainder, Repair, Repairs, repair, what_remains

if TYPE_CHECKING:
    from check_invariants.selectors import CodeBaseOptions

TABLES: Final = {
    "mitigation": Names(
        find_mitigation, lambda: ((item.name, f"{item.commits[0]}, cost {item.cost}") for item in MITIGATIONS)
    )
}


def command(
    scenarios: Sequence[Scenario],
    properties: Sequence[str],
    chosen: Sequence[Mitigation],
    processes: int | None,
    as_json: bool,
    **selectors: Unpack[CodeBaseOptions],
) -> ExitCode:
    """Find the smallest sets that mend the code base in all these scenarios; or say what the chosen mitigations leave open."""
    places: Sequence[Scenario | None] = tuple(dict.fromkeys(scenarios)) or (None,)
    named: list[CodeBaseOptions] = [{**selectors, "scenario": place} for place in places]
    selected = [select_code_base(**options) for options in named]
    demanded, unasked = properties or SAFETY, only_the_default(named[0])
    if chosen:
        return _remains(selected, unasked, demanded, chosen, as_json)
    return _mended(selected, unasked, demanded, processes, as_json)


def _remains(
    selected: Sequence[CodeBase], unasked: str, properties: Sequence[str], chosen: Sequence[Mitigation], as_json: bool
) -> ExitCode:
    """What is open as it is, and what these mitigations leave open; what the answer says nothing of stands behind it."""
    revision, scenarios = selected[0].turned, [item.scenario for item in selected]
    with meaningful(revision.name):
        now, left = (what_remains(revision, items, scenarios, properties) for items in ((), chosen))
    code = of_comparison(not (left.flaws or left.objection))
    said = f"{_head(revision, scenarios)}: {_left(left)}{unasked}"
    if as_json:
        found: Document = {"answer": said, "now": _remainder_json(now), "remainders": [_remainder_json(left)]}
        emit_json("repair", {**_head_json(revision, scenarios), **found}, code)
    else:
        emit(f"{said}\n\n")
        _print_table([now, left])
        emit(f"\n{said}\n")
    return code


def _mended(
    selected: Sequence[CodeBase], unasked: str, properties: Sequence[str], processes: int | None, as_json: bool
) -> ExitCode:
    """The smallest sets that mend it, and what the answer says nothing of. Raises MalformedInput and Interrupted."""
    revision, scenarios, counter = (
        selected[0].turned,
        [item.scenario for item in selected],
        Counter("code base", "decided"),
    )
    with asking(revision.name, counter, "after {} which sets suffice is unknown"):
        found = repair(revision, scenarios, properties, advance=counter.advance, processes=processes)
    code = ending([of_comparison(bool(found.solutions) or found.stopped is not None)], found.stopped)
    said = _answer(found) + unasked
    if as_json:
        emit_json("repair", _json(said, found), code)
    else:
        _show(said, selected, found)
    emit_stop(found.stopped, f"{counted(found.examined, 'set')} looked at; which others suffice is unknown")
    return code


def _show(said: str, selected: Sequence[CodeBase], found: Repairs) -> None:
    """Print the answer, what is wrong, what mends it, and the answer again."""
    emit(f"{said}\n")
    if not found.now.flaws:
        return
    emit(f"these do not hold: {_flaws(found.now)}\n")
    emit("".join(f"{line}\n" for line in _answer_lines(selected, found)))
    emit("\nwhat the others leave open:\n")
    _print_table([found.now, *found.remainders])
    emit(f"\n{counted(found.examined, 'set')} looked at, {counted(found.systems, 'distinct model')}\n{said}\n")


def _answer(found: Repairs) -> str:
    """The first and the last line."""
    head = _head(found.revision, found.scenarios)
    if not found.now.flaws:
        return f"{head}: nothing to mend: {', '.join(dict.fromkeys((*found.properties, *NO_HANG)))} hold"
    if not found.solutions:
        none = (
            "no repair among the sets that were looked at" if found.stopped else "no set of known mitigations suffices"
        )
        return f"{head}: {none}"
    cheapest, number = found.solutions[0], len(found.solutions)
    others = f"; {number - 1} more suffice" if number > 1 else ""
    as_cheap = sum(item.cost == cheapest.cost for item in found.solutions)
    which = "the cheapest repair" if as_cheap == 1 else f"one of the {number_word(as_cheap)} cheapest repairs"
    return f"{head}: {which} is {_names(cheapest.mitigations)} (cost {cheapest.cost}){others}"


def _left(remainder: Remainder) -> str:
    """What the chosen mitigations come to, together."""
    chosen = _names(remainder.mitigations)
    if remainder.objection:
        return f"{chosen} cannot be had: {remainder.objection}"
    return f"{chosen} leaves open: {_flaws(remainder)}" if remainder.flaws else f"{chosen} suffices"


def _head(revision: Revision, scenarios: Iterable[Scenario]) -> str:
    """What is spoken of."""
    return f"{revision.name}, {', '.join(scenario.name for scenario in scenarios)}"


def _answer_lines(selected: Sequence[CodeBase], found: Repairs) -> Iterator[str]:
    """The repairs, and the sets that would be some if they did not cost liveness."""
    if len(found.solutions) > 1:
        yield f"{counted(len(found.solutions), 'smallest repair')}, cheapest first"
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
    """What does not hold."""
    found: dict[str, list[str]] = {name: [] for name in item.cases}
    for flaw in item.flaws:
        found.setdefault(flaw.scenario, []).append(flaw.property)
    return _by_scenario(found)


def _by_scenario(names: Mapping[str, Sequence[str]]) -> str:
    """The names, with that of the scenario if there are several."""
    several = len(names) > 1
    return "; ".join(
        f"{f'{scenario}: ' if several else ''}{', '.join(some)}" for scenario, some in names.items() if some
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
    emit_table(Table(columns, [_row(item) for item in remainders]))
    found = {name for item in remainders for names in item.cases_any_order.values() for name in names}
    legend = [f"{name}: {meaning}" for name, meaning in CASES.items() if name in found]
    if any(item.inert for item in remainders):
        legend.append("inert: nothing in this table changes by it")
    emit("".join(f"{line}\n" for line in ["", *legend]) if legend else "")


def _row(item: Remainder) -> tuple[str, str, str, Styled]:
    flaws = item.objection or _flaws(item) or "-"
    name = f"{_names(item.mitigations)}{' (inert)' if item.inert else ''}"
    return name, _cases(item.cases), _cases(item.cases_any_order), Styled(flaws, "red" if item.flaws else "green")


def _cases(cases: Mapping[str, Sequence[str]]) -> str:
    """The numbers of the cases."""
    numbers = {scenario: [name.removeprefix("case ") for name in names] for scenario, names in cases.items()}
    return _by_scenario(numbers) or "-"


def _head_json(revision: Revision, scenarios: Iterable[Scenario]) -> Document:
    return {"revision": revision.name, "scenarios": [scenario.name for scenario in scenarios]}


def _json(said: str, found: Repairs) -> Document:
    """The same as JSON values."""
    return {
        "answer": said,
        **_head_json(found.revision, found.scenarios),
        "properties": list(found.properties),
        "now": _remainder_json(found.now),
        "repairs": list(map(_solution_json, found.solutions)),
        "rejected": [
            {"mitigations": [item.name for item in items], "flaws": list(map(str, flaws))}
            for items, flaws in found.rejected
        ],
        "remainders": list(map(_remainder_json, found.remainders)),
        "examined": found.examined,
        "stopped": None if found.stopped is None else str(found.stopped),
        "systems": found.systems,
    }


def _solution_json(solution: Repair) -> Document:
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


def _remainder_json(item: Remainder) -> Document:
    return {
        **asdict(item),
        "mitigations": [mitigation.name for mitigation in item.mitigations],
        "flaws": list(map(asdict, item.flaws)),
        "objection": item.objection or None,
    }
