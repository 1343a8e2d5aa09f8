"""`check-invariants conform`: what it does and shows."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import asdict

from check_invariants.documents import Document, emit_json
from check_invariants.exit import EmptySelection, ExitCode, ending
from check_invariants.output import Counter, emit, emit_stop
from draincheck import ModelError, Run, render_trace
from draincheck.conformance.exhaustive import NOTHING_COMPARED, Conformance, Divergence
from draincheck.conformance.matrix import conform_all
from draincheck.errors import OutOfBudget
from draincheck.qemu import Scenario, build
from draincheck.revisions import Revision
from draincheck.verdict import stop_of
from draincheck.words import counted
from drainspecs.suite.matrix import Deviation, default_rows, fault_of


def command(revisions: Sequence[Revision], scenarios: Sequence[Scenario], as_json: bool) -> ExitCode:
    """Compare the code bases that are named with the core, all if none is."""
    rows = default_rows(list(revisions), list(scenarios))
    if not rows:
        raise EmptySelection("none of these code bases can run these scenarios")
    found, faults, stop = list[str](), list[Deviation](), None
    result = NOTHING_COMPARED
    with Counter("system", "compared") as counter:

        def compared(revision: Revision, scenario: Scenario, one: Conformance) -> None:
            nonlocal result
            result += one
            counter.advance(result.systems)
            found.extend(_text(revision, scenario, item) for item in one.divergences)

        def at_fault(revision: Revision, scenario: Scenario, error: ModelError) -> None:
            faults.append(fault_of(revision.name, scenario.name, error))

        try:
            conform_all([(row.revision, row.scenario) for row in rows], compared, at_fault)
        except (KeyboardInterrupt, OutOfBudget) as end:
            stop = stop_of(end)
    code = ending([ExitCode.DIVERGED] * len(result.divergences) + [ExitCode.DIFFERENT] * len(faults), stop)
    if as_json:
        parted: list[Document] = [
            {"trace": item.trace.actions, "difference": str(item.difference)} for item in result.divergences
        ]
        document: Document = {
            word: getattr(result, word) for word in ("systems", "states", "edges", "choices", "steps")
        }
        document |= {"divergences": parted, "seconds": round(result.seconds, 3), "faults": list(map(asdict, faults))}
        emit_json("conform", document, code)
    else:
        emit("".join(f"{item}\n" for item in faults) + "".join(found) + _summary(result))
    emit_stop(stop, f"{counted(result.systems, 'system')} compared, others not")
    return code


def _summary(result: Conformance) -> str:
    return (
        f"{counted(result.systems, 'system')}, {counted(result.states, 'state')}: {counted(result.edges, 'edge')} executed "
        f"in {counted(result.steps, 'step')}, {counted(result.choices, 'choice')} compared, "
        f"{counted(len(result.divergences), 'divergence')}; {result.seconds:.1f} s\n"
    )


def _text(revision: Revision, scenario: Scenario, item: Divergence) -> str:
    """Where model and core part ways: the shortest trace there, and both sides' views."""
    system = build(f"{revision.name} / {scenario.name}", revision.knobs, scenario).compile()
    return f"{render_trace(Run.of(system, item.trace))}\n{system.name}, after these steps: {item.difference}\n\n"
