"""`check-invariants repair`: which of history's mitigations would mend a code base, and what the others leave open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from check_invariants.exit import of_comparison
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
from check_invariants.output import emit_json

if TYPE_CHECKING:
    from draincheck.qemu import Scenario
    from drainspecs.mirror.mitigations import Mitigation

__all__ = ["command"]


def _find(name: str) -> Mitigation:
    from drainspecs.mirror.mitigations import find_mitigation

    return find_mitigation(name)


def _known() -> Iterable[tuple[str, str]]:
    from drainspecs.mirror.mitigations import MITIGATIONS

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

    Cheapest first, each with the commits that did it in history. A set that makes the job hang (F1, R1), there or in a scenario that
    varies the same default scenario, or that costs liveness (L1 to L7), is none. Without --property what must hold is S1, S2, S3, S4, S8
    and A1; several scenarios must be mended together.

    \b
    Exit codes: 0 there is such a set, or nothing to mend; 10 there is none (with --with: something is left open),
    or the code base cannot run a scenario;
    150 the model with these knobs is malformed; 2 wrong arguments; 130 interrupted.

    \b
    Example: check-invariants repair --revision ab27c3b5e7 --scenario mirror --scenario timer
    """
    from check_invariants.work.repair import search, selected_by, show, to_json, what_remains_with

    selected = selected_by(scenarios, selectors)
    if chosen:
        ctx.exit(what_remains_with(selected, properties, chosen, as_json))
    found = search(selected, properties, jobs)
    code = of_comparison(bool(found.solutions))
    if as_json:
        emit_json("repair", {**to_json(found), "exit_code": int(code)})
    else:
        show(selected, found)
    ctx.exit(code)
