"""What a system does, written down canonically and hashed: the digest that traces and certificates name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from draincheck.expr import Expr
from draincheck.properties import NoDeadlock
from draincheck.sorts import BoolSort, EnumSort, Sort
from draincheck.walks import OfTerms

if TYPE_CHECKING:
    from draincheck.system import TransitionSystem

__all__ = ["digest_of"]

#: values that a variable may start with which are listed one by one where behaviour is written down; of more only the ends are
LISTED = 1024

#: terms of which more than these stand in one another, or deeper, have a hash where behaviour is written down
MOST_TERMS, DEEPEST_TERMS = 10_000, 200


def digest_of(system: TransitionSystem) -> str:
    """A hash of everything that decides behaviour."""
    return _hash(_canonical(system))


def _asks_who_rests(system: TransitionSystem) -> bool:
    """Whether what is demanded depends on where processes may rest."""
    return bool(system.at_rest) and any(isinstance(item, NoDeadlock) for item in system.properties)


def _canonical(system: TransitionSystem) -> list[object]:
    """Behaviour as plain lists: variables, actions (guards, updates, checks, faults) and properties; no labels, no source lines."""
    numbers: dict[Expr, int] = dict(system.position)
    written = _Canonical(numbers)

    def term(a: Expr) -> object:
        return written[a].plain

    def sort(a: Sort) -> object:
        return list(a.names) if isinstance(a, EnumSort) else ["bool"] if isinstance(a, BoolSort) else [a.low, a.high]

    def starts(values: Sequence[int]) -> object:
        return ["range", values[0], values[-1]] if isinstance(values, range) and len(values) > LISTED else list(values)

    return [
        [[v.name, sort(v.sort), starts(v.initial)] for v in system.variables],
        [
            [
                action.process, term(action.guard), [[numbers[u.variable], term(u.value)] for u in action.updates],
                [[c.property, term(c.holds)] for c in action.checks], [[f.kind.name, term(f.when)] for f in action.faults],
            ]
            for action in system.actions
        ],
        [[type(p).__name__, p.name, *map(term, p.conditions())] for p in system.properties],
        term(system.final),
        *([[[f.strength.value, f.actions] for f in system.fairness]] if system.fairness else []),
        *([system.quotient] if system.quotient else []),
        *([[[name, term(rests)] for name, rests in system.at_rest]] if _asks_who_rests(system) else []),
    ]  # fmt: skip


class _Written(Struct, frozen=True):
    """A term as plain lists: of how many it consists, and how deep they are nested."""

    plain: object
    size: int
    depth: int


class _Canonical(OfTerms[_Written]):
    """Terms as plain lists; what is very large has a hash in its place."""

    def __init__(self, numbers: Mapping[Expr, int]) -> None:
        super().__init__((variable, _Written(number, 1, 1)) for variable, number in numbers.items())

    def of(self, a: Expr) -> _Written:
        """The lists of a term, from those of its arguments."""
        if not a.args:
            return _Written([a.op.value, a.value], 1, 1)
        plain: list[object] = [a.op.value]
        size = deepest = 1
        for arg in a.args:
            part = self[arg]
            plain.append(part.plain)
            size += part.size
            if part.depth > deepest:  # noqa: PLR1730 - max costs a call
                deepest = part.depth
        if size > MOST_TERMS or deepest > DEEPEST_TERMS:
            return _Written(["sha256", _hash(plain)], 1, 1)
        return _Written(plain, size, deepest + 1)


def _hash(plain: object) -> str:
    return hashlib.sha256(json.dumps(plain, separators=(",", ":")).encode()).hexdigest()
