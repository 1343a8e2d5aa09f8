"""Who influences whom: which variables the processes of a system read and write, and what nobody would miss.

A thread that does nothing must change no verdict, be it counted among those that have not ended or among those whose steps put a demand to
the test. The reference interpreter and the second reading of the language find such threads by readings of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from draincheck.expr import Expr, variables_of
from draincheck.properties import Property
from draincheck.system import Action, Variable

__all__ = ["at_work"]


def at_work(actions: Sequence[Action], properties: Iterable[Property], final: Expr) -> frozenset[str]:
    """The processes that have to end before everything has: what they store, somebody reads.

    Not those that only look on: where a process stands and what it remembers in a history variable counts as far as another one reads it
    that is at work itself, everything else if another process, a property or `final` does.
    """
    reads, writes = _reads(actions), _writes(actions)
    demanded = variables_of(final, *_demanded(actions, properties))
    own = {name: {variable for variable in written if not variable.internal} for name, written in writes.items()}
    found = {name for name in own if own[name] & demanded or _is_read(own[name], name, reads, reads)}
    while more := {name for name in writes.keys() - found if _is_read(writes[name], name, reads, found)}:
        found |= more
    return frozenset(found)


def _is_read(written: set[Variable], by: str, reads: Mapping[str, set[Expr]], among: Iterable[str]) -> bool:
    """Whether some process other than the one that writes it reads a variable."""
    return any(not written.isdisjoint(reads[name]) for name in among if name != by)


def _demanded(actions: Iterable[Action], properties: Iterable[Property]) -> Iterator[Expr]:
    """The conditions of demands."""
    for item in properties:
        yield from item.conditions()
    for check in (check for action in actions for check in action.checks):
        yield check.asked
        yield check.holds


def _reads(actions: Iterable[Action]) -> dict[str, set[Expr]]:
    """The variables that each process reads to take its steps: whether they can be taken, and what they store."""
    terms: dict[str, list[Expr]] = {}
    for action in actions:
        found = terms.setdefault(action.process, [])
        found += [action.guard, *(update.value for update in action.updates), *(fault.when for fault in action.faults)]
    return {name: variables_of(*found) for name, found in terms.items()}


def _writes(actions: Iterable[Action]) -> dict[str, set[Variable]]:
    """The variables that each process writes."""
    found: dict[str, set[Variable]] = {}
    for action in actions:
        found.setdefault(action.process, set()).update(update.variable for update in action.updates)
    return found
