"""`check-invariants repair`: which of history's mitigations would mend a code base, and what the others leave open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from check_invariants.exit import ExitCode, Interrupted, MalformedInput
from check_invariants.options import (
    Named,
    jobs_option,
    json_option,
    order_option,
    property_option,
    revision_option,
    scenario_option,
    set_option,
)
from check_invariants.output import Column, Counter, Styled, Table, counted, emit, emit_json, emit_table

if TYPE_CHECKING:
    from draincheck.qemu import Scenario
    from draincheck.revisions import Revision
    from drainspecs.mitigations import Mitigation
    from drainspecs.repair import Remainder, Repair, Repairs

__all__ = ["command"]


def _find(name: str) -> Mitigation:
    from drainspecs.mitigations import find_mitigation

    return find_mitigation(name)


def _known() -> Iterable[tuple[str, str]]:
    from drainspecs.mitigations import MITIGATIONS

    return ((item.name, f"{item.commits[0]}, cost {item.cost}") for item in MITIGATIONS)


@click.command("repair")
@revision_option(multiple=False)
@scenario_option(multiple=True)
@order_option
@set_option
@property_option(of_matrix=True)
@click.option(
    "--with",
    "chosen",
    type=Named("mitigation", _find, _known),
    multiple=True,
    metavar="MITIGATION",
    help="Only say what these leave open; may be given several times.",
)
@jobs_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    scenarios: Sequence[Scenario],
    properties: Sequence[str],
    chosen: Sequence[Mitigation],
    jobs: int | None,
    as_json: bool,
    **selectors: Any,
) -> None:
    """Find the smallest sets of known mitigations that mend a code base.

    Cheapest first, each with the commits that did it in history. A set that makes the job hang, or costs liveness, is none. Without
    --property what must hold is S1, S2, S3, S4, S8 and A1; several scenarios must be mended together.

    \b
    Exit codes: 0 there is such a set, or nothing to mend; 10 there is none, or the code base cannot run a scenario;
    150 the model with these knobs is malformed; 2 wrong arguments; 130 interrupted.

    \b
    Example: check-invariants repair --revision ab27c3b5e7 --scenario mirror --scenario timer
    """
    revision, places = _selected(scenarios, selectors)
    if chosen:
        left = _remainder(revision, places, properties, chosen)
        code = ExitCode.DIFFERENT if left.flaws or left.objection else ExitCode.OK
        if as_json:
            emit_json(
                "repair",
                {**_head_json(revision, places), "remainders": [_remainder_json(left)], "exit_code": int(code)},
            )
        else:
            emit_table(_table([left]))
        ctx.exit(code)
    found = _searched(revision, places, properties, jobs)
    code = ExitCode.OK if found.solutions else ExitCode.DIFFERENT
    if as_json:
        emit_json("repair", {**_json(found), "exit_code": int(code)})
    else:
        _print(found)
    ctx.exit(code)


def _selected(scenarios: Sequence[Scenario], selectors: Mapping[str, Any]) -> tuple[Revision, tuple[Scenario, ...]]:
    """The code base and the scenarios, each checked against the other."""
    from check_invariants.selection import CodeBase, select

    places: Sequence[Scenario | None] = scenarios or (None,)
    chosen = [select(model=None, scenario=place, **selectors) for place in places]
    code_bases = [item for item in chosen if isinstance(item, CodeBase)]
    return code_bases[0].turned, tuple(dict.fromkeys(item.scenario for item in code_bases))


def _searched(
    revision: Revision, scenarios: Sequence[Scenario], properties: Sequence[str], jobs: int | None
) -> Repairs:
    from draincheck.errors import ModelError
    from drainspecs.repair import SAFETY, repair

    counter = Counter("code bases decided")
    try:
        with counter:
            return repair(revision, scenarios, properties or SAFETY, advance=counter.advance, processes=jobs)
    except ModelError as error:
        raise MalformedInput(f"{revision.name}: {error}") from error
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted after {counter.done} code bases: which sets suffice is unknown") from error


def _remainder(
    revision: Revision, scenarios: Sequence[Scenario], properties: Sequence[str], chosen: Sequence[Mitigation]
) -> Remainder:
    from draincheck.errors import ModelError
    from drainspecs.repair import SAFETY, what_remains

    try:
        return what_remains(revision, chosen, scenarios, properties or SAFETY)
    except ModelError as error:
        raise MalformedInput(f"{revision.name}: {error}") from error


# -- as text ----------------------------------------------------------------------------------------


def _print(found: Repairs) -> None:
    names = ", ".join(scenario.name for scenario in found.scenarios)
    if not found.now.flaws:
        emit(f"{found.revision.name}, {names}: nothing to mend\n")
        return
    emit(f"{found.revision.name}, {names}: these do not hold: {_flaws(found.now)}\n")
    words = (
        counted(len(found.solutions), "smallest repair") if found.solutions else "no set of known mitigations suffices"
    )
    emit(f"{words}{', cheapest first' if len(found.solutions) > 1 else ''}\n")
    for number, solution in enumerate(found.solutions, 1):
        emit("\n".join(["", *_solution_lines(number, solution), ""]))
    for mitigations, flaws in found.rejected:
        emit(f"\nnot {_names(mitigations)}: safe, but then {', '.join(map(str, flaws))} does not hold any more\n")
    emit("\nwhat the others leave open:\n")
    emit_table(_table([found.now, *found.remainders]))
    emit(f"\n{counted(found.examined, 'set')} looked at, {counted(found.systems, 'system')}\n")


def _flaws(item: Remainder) -> str:
    """What does not hold; by scenario, if there are several."""
    by_scenario: dict[str, list[str]] = {name: [] for name in item.cases}
    for flaw in item.flaws:
        by_scenario[flaw.scenario].append(flaw.property)
    several = len(by_scenario) > 1
    return "; ".join(
        f"{f'{name}: ' if several else ''}{', '.join(props)}" for name, props in by_scenario.items() if props
    )


def _solution_lines(number: int, solution: Repair) -> list[str]:
    lines = [f"{number}. {_names(solution.mitigations)} (cost {solution.cost})"]
    lines += [f"     {commit}: {subject}" for commit, subject in solution.commits]
    return lines + [f"     beside that: {effect}" for item in solution.mitigations for effect in item.side_effects]


def _names(mitigations: Sequence[Mitigation]) -> str:
    return ", ".join(item.name for item in mitigations) or "(nothing)"


def _table(remainders: Sequence[Remainder]) -> Table:
    columns = [Column("with"), Column("cases open"), Column("in any GSource order"), Column("does not hold", least=20)]
    return Table(columns, [_row(item) for item in remainders])


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


# -- as JSON ----------------------------------------------------------------------------------------


def _head_json(revision: Revision, scenarios: Sequence[Scenario]) -> dict[str, Any]:
    return {"revision": revision.name, "scenarios": [scenario.name for scenario in scenarios]}


def _json(found: Repairs) -> dict[str, Any]:
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
