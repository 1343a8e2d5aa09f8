"""What a system does, written down canonically and hashed: the digest that traces and certificates name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import json

from draincheck.expr import Expr
from draincheck.properties import NoDeadlock
from draincheck.sorts import BoolSort, EnumSort, Sort
from draincheck.walks import OfTerms

if TYPE_CHECKING:
    from draincheck.system import TransitionSystem

__all__ = ["digest_of"]

#: values that a variable may start with which are listed one by one where behaviour is written down; of more only the ends are
LISTED = 1024


def digest_of(system: TransitionSystem) -> str:
    """A hash of everything that decides behaviour."""
    return hashlib.sha256(json.encode(_canonical(system))).hexdigest()


def _asks_who_rests(system: TransitionSystem) -> bool:
    """Whether a verdict may depend on where processes may rest: on deadlocks, or on whether a process that does nothing itself may end."""
    busy = {a.process for a in system.actions if a.checks or a.faults or a.stores}
    idle = any(action.process not in busy for action in system.actions)
    return (idle or any(isinstance(item, NoDeadlock) for item in system.properties)) and bool(system.at_rest)


def _canonical(system: TransitionSystem) -> list[object]:
    """Behaviour as plain lists: variables, actions (guards, updates, checks, faults) and properties; no labels, no source lines.

    Terms stand there by their numbers, and what they are made of stands last.
    """
    numbers = system.position
    terms = _Numbered(numbers)
    term = terms.__getitem__

    def sort(a: Sort) -> object:
        if isinstance(a, EnumSort):
            return [list(map(_name, a.names))]
        return "bool" if isinstance(a, BoolSort) else [a.low, a.high]

    def starts(values: Sequence[int]) -> object:
        return ["range", values[0], values[-1]] if isinstance(values, range) and len(values) > LISTED else list(values)

    return [
        [[_name(v.name), sort(v.sort), starts(v.initial), v.internal] for v in system.variables],
        [
            [
                _name(action.process), term(action.guard), [[numbers[u.variable], term(u.value)] for u in action.updates],
                [[_name(c.property), term(c.holds), term(c.asked)] for c in action.checks], [[f.kind.name, term(f.when)] for f in action.faults],
            ]
            for action in system.actions
        ],
        [[type(p).__name__, _name(p.name), *map(term, p.conditions())] for p in system.properties],
        term(system.final),
        [[f.strength.value, f.actions] for f in system.fairness],
        system.quotient,
        [[_name(name), term(rests)] for name, rests in system.at_rest] if _asks_who_rests(system) else [],
        list(terms.numbers),
    ]  # fmt: skip


def _name(text: str) -> str | list[int]:
    """A name, by the numbers of its letters unless all are ASCII: half a surrogate pair is one that no encoding has."""
    return text if text.isascii() else list(map(ord, text))


class _Numbered(OfTerms[int]):
    """The numbers of terms, in the order in which they are first come to: equal ones have the same, whoever has made them.

    Attributes:
        numbers: what a term is made of, by numbers, with its own: operator and arguments, of a constant its value.
    """

    def __init__(self, variables: Mapping[Expr, int]) -> None:
        super().__init__(variables)
        self.numbers: dict[tuple[str | int, ...], int] = {}
        self._first = len(variables)

    def of(self, a: Expr) -> int:
        """The number of a term, from those of its arguments."""
        written = (a.op.value, *map(self.__getitem__, a.args)) if a.args else (a.op.value, a.value)
        return self.numbers.setdefault(written, self._first + len(self.numbers))
