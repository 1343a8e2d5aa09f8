"""Counterexamples of code bases, executed on the reference core: whether model and core go the same way."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from check_invariants.again import replay_again
from check_invariants.work.replay import parted
from draincheck import ModelError, Outcome, Run, Subject, Trace
from draincheck.checking import Result
from draincheck.conformance.lockstep import follow
from draincheck.core.machine import Machine
from draincheck.report.account import Item, Standing

__all__ = ["replayed"]


def replayed(subject: Subject, result: Result) -> Iterator[Item]:
    """An item for each distinct counterexample, under the name of the first property that it violates."""
    seen = dict[Trace, None]()
    for name, verdict in result.verdicts.items():
        if verdict.outcome is not Outcome.VIOLATED or verdict.trace is None:
            continue
        steps = replace(verdict.trace, property="")
        if steps not in seen:
            seen[steps] = None
            yield _item(subject, name, Run.of(result.system, verdict.trace))


def _item(subject: Subject, name: str, run: Run) -> Item:
    """What came of one."""
    item = Item(
        name=f"replay of {name}",
        kind="replay",
        standing=Standing.FINE,
        meaning="the reference core does what the model does",
        command=replay_again(subject.about.options, name),
    )
    try:
        parting = follow(run, Machine(*subject.on_core()))
    except ModelError as error:
        return replace(item, standing=Standing.NOTED, why=f"not executed: {error}")
    if parting is None:
        return item
    return replace(item, standing=Standing.WRONG, why=parted(parting, run.system.name), run=run)
