"""`check-invariants conform`: model and core held against each other, exhaustively."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import asdict

from check_invariants.exit import EmptySelection, ExitCode, worst
from check_invariants.options import json_option, revision_option, scenario_option
from check_invariants.output import Counter, counted, emit, emit_json

if TYPE_CHECKING:
    from draincheck.conformance.exhaustive import Conformance, Divergence
    from draincheck.errors import ModelError
    from draincheck.qemu import Scenario
    from draincheck.revisions import Revision
    from drainspecs.suite.matrix import Deviation

__all__ = ["command"]


@click.command("conform")
@revision_option(multiple=True)
@scenario_option(multiple=True)
@json_option
@click.pass_context
def command(
    ctx: click.Context, /, *, revisions: Sequence[Revision], scenarios: Sequence[Scenario], as_json: bool
) -> None:
    """Hold the model and the reference core against each other.

    Every step of every reachable state of the model is executed by the core, with equal states before and after; and
    in every reachable state the core offers exactly the steps that the model has. Without options: the whole default
    matrix (about a minute). Code bases that model and core cannot tell apart are compared once. A model at fault (a value
    leaves its range, a coroutine is entered twice) is a line of its own, and the others are compared all the same.

    \b
    Exit codes: 0 they agree; 14 they part ways: the shortest trace to it and both sides' views are printed;
    10 a model is at fault, or nothing was selected; 2 wrong arguments; 130 interrupted.

    \b
    Example: check-invariants conform --revision ab27c3b5e7 --scenario mirror
    """
    from draincheck.conformance.matrix import conform_all
    from drainspecs.suite.matrix import default_rows, fault_of

    rows = default_rows(list(revisions), list(scenarios))
    if not rows:
        raise EmptySelection("none of these code bases can run these scenarios")
    found, faults = list[tuple["Revision", "Scenario", "Divergence"]](), list["Deviation"]()
    with Counter("systems compared") as counter:

        def compared(revision: Revision, scenario: Scenario, result: Conformance) -> None:
            counter.advance(counter.done + 1)
            found.extend((revision, scenario, item) for item in result.divergences)

        def at_fault(revision: Revision, scenario: Scenario, error: ModelError) -> None:
            faults.append(fault_of(revision.name, scenario.name, error))

        result = conform_all([(row.revision, row.scenario) for row in rows], compared, at_fault)
    code = worst([ExitCode.DIVERGED] * len(found) + [ExitCode.DIFFERENT] * len(faults))
    if as_json:
        emit_json("conform", {**_numbers(result), "faults": list(map(asdict, faults)), "exit_code": int(code)})
    else:
        emit("".join(f"{item}\n" for item in faults) + "".join(_text(*item) for item in found) + _summary(result))
    ctx.exit(code)


def _numbers(result: Conformance) -> dict[str, Any]:
    divergences = [
        {"trace": list(item.trace.actions), "difference": str(item.difference)} for item in result.divergences
    ]
    return {
        "systems": result.systems,
        "states": result.states,
        "edges": result.edges,
        "choices": result.choices,
        "steps": result.steps,
        "divergences": divergences,
        "seconds": round(result.seconds, 3),
    }


def _summary(result: Conformance) -> str:
    return (
        f"{counted(result.systems, 'system')}, {counted(result.states, 'state')}: {counted(result.edges, 'edge')} executed "
        f"in {counted(result.steps, 'step')}, {counted(result.choices, 'choice')} compared, "
        f"{counted(len(result.divergences), 'divergence')}; {result.seconds:.1f} s\n"
    )


def _text(revision: Revision, scenario: Scenario, item: Divergence) -> str:
    """Where model and core part ways: the shortest trace there, and both sides' views."""
    from draincheck.qemu import build
    from draincheck.report.text import render_trace
    from draincheck.run import Run

    system = build(f"{revision.name} / {scenario.name}", revision.knobs, scenario).compile()
    return f"{render_trace(Run.of(system, item.trace))}\n{system.name}, after these steps: {item.difference}\n\n"
