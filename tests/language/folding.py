"""Terms of which an API that folds terms may not see all. Knows nothing of the library."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from tests.language.meaning import Store, Value, reader
from tests.language.tree import (
    Do,
    Either,
    Program,
    Read,
    Statement,
    Term,
    Update,
    Wait,
    When,
    own_terms,
    statements,
    terms,
)

__all__ = ["folds", "in_vain"]


def folds(program: Program) -> bool:
    """Whether some guard is always or never true, or some local test does not depend on a variable that is in it."""
    stores = list(product(*(range(var.low, var.high + 1) for var in program.variables)))
    index = {var.name: number for number, var in enumerate(program.variables)}
    inside = [statement for process in program.processes for statement in statements(process.body)]
    guards = (reader(guard, index) for statement in inside for guard in _guards(statement))
    tests = (statement.test for statement in inside if isinstance(statement, When) and statement.local)
    return any(_constant(guard, stores) for guard in guards) or any(
        _reads_in_vain(test, index, stores) for test in tests
    )


def in_vain(program: Program) -> bool:
    """Whether some variable makes no difference for a term that it is in, or something is stored where it is already."""
    stores = list(product(*(range(var.low, var.high + 1) for var in program.variables)))
    index = {var.name: number for number, var in enumerate(program.variables)}
    inside = [statement for process in program.processes for statement in statements(process.body)]
    updates = [update for statement in inside if isinstance(statement, Do) for update in statement.updates]
    return any(_reads_in_vain(term, index, stores) for statement in inside for term in own_terms(statement)) or any(
        _stores_in_vain(update, index, stores) for update in updates
    )


def _stores_in_vain(update: Update, index: dict[str, int], stores: list[Store]) -> bool:
    """Whether an update always leaves what is there."""
    if update.term is None or update.how in ("inc", "dec"):
        return False
    read, place = reader(update.term, index), index[update.var.name]
    return all(read(store, where) == store[place] for store in stores for where in (_Nowhere(False), _Nowhere(True)))


def _guards(statement: Statement) -> Iterator[Term]:
    match statement:
        case Do(guard=guard) | Wait(guard=guard) if guard is not None:
            yield guard
        case Either(alternatives=alternatives):
            yield from (each.guard for each in alternatives if each.guard is not None)
        case _:
            pass


def _constant(read: Value, stores: list[Store]) -> bool:
    return len({read(store, where) for store in stores for where in (_Nowhere(False), _Nowhere(True))}) < 2


def _reads_in_vain(test: Term, index: dict[str, int], stores: list[Store]) -> bool:
    """Whether a variable in the test makes no difference for it."""
    read = reader(test, index)
    places = {index[term.var.name] for term in terms(test) if isinstance(term, Read)}
    return not all(any(_differs(read, place, store, stores) for store in stores) for place in places)


def _differs(read: Value, place: int, store: Store, stores: list[Store]) -> bool:
    """Whether a store that differs from this one in one place alone gives another value."""
    alike = (other for other in stores if other[:place] == store[:place] and other[place + 1 :] == store[place + 1 :])
    return any(read(other, _Nowhere(False)) != read(store, _Nowhere(False)) for other in alike)


@dataclass(frozen=True)
class _Nowhere:
    """Answers every question about processes with the same."""

    answer: bool

    def is_at(self, process: str, place: str) -> bool:
        return self.answer

    def has_yielded(self, coroutine: str, place: str) -> bool:
        """See Where."""
        return self.answer

    def can_enter(self, coroutine: str) -> bool:
        return self.answer
