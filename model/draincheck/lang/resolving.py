"""What recorded terms mean: places become conditions on program counters, equal terms one."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from draincheck import op
from draincheck.errors import ModelError, SourceLine
from draincheck.expr import FALSE, REBUILD, Expr, Substitution
from draincheck.op import Op
from draincheck.sorts import Sort
from draincheck.system import Check, Fault, Update, Variable

__all__ = ["Resolve"]


class Resolve(Substitution):
    """Replaces places by what they mean, and refuses variables that belong to no or to another model."""

    def __init__(self, variables: tuple[Variable, ...], places: Mapping[Expr, Expr]) -> None:
        super().__init__((*zip(variables, variables, strict=True), *places.items()))
        self._stored: dict[tuple[Expr, Expr], Update | None] = {}
        self._terms: dict[tuple[Op | Expr, ...], Expr] = {}
        self._constants: dict[tuple[Sort, int], Expr] = {}
        #: what is being resolved: a step written in a line, or what is demanded under a name
        self.line: SourceLine | None = None
        self._demand = ""

    def about(self, demand: str) -> Resolve:
        """From now on a property of this name is resolved."""
        self.line, self._demand = None, f"{demand}: "
        return self

    def stored(self, pair: tuple[Expr, Expr]) -> Update | None:
        """The update that stores a value in a variable, None if that changes nothing; many ways through the same statements store the same."""
        if pair in self._stored:
            return self._stored[pair]
        variable, value = map(self.__getitem__, pair)
        assert isinstance(variable, Variable)
        update = self._stored[pair] = None if value is variable else Update(variable, value)
        return update

    def of(self, a: Expr) -> Expr:
        """The term with its parts replaced; equal ones, however often they have been written, become one."""
        if not a.args:
            return self.leaf(a)
        args = tuple(map(self.__getitem__, a.args))
        made: tuple[Op | Expr, ...] = (a.op, *args)
        found = self._terms.get(made)
        if found is None:
            same = all(map(operator.is_, args, a.args))
            found = self._terms[made] = a if same else REBUILD[a.op](*args)
        return found

    def leaf(self, a: Expr) -> Expr:
        """Raise ModelError for all but constants: what may stand in a term has been replaced."""
        if a.op is op.CONST:
            return self._constants.setdefault((a.sort, a.value), a)
        raise ModelError(f"{self._demand}unknown variable {a}: it was not made by this model", self.line)

    def check(self, check: Check) -> Check:
        """A check with its terms resolved."""
        return replace(check, holds=self(check.holds), asked=self(check.asked))

    def faults(self, faults: Sequence[Fault]) -> tuple[Fault, ...]:
        """Faults with their terms resolved: those that may happen."""
        return tuple([fault for fault in map(self._fault, faults) if fault.when is not FALSE]) if faults else ()

    def _fault(self, fault: Fault) -> Fault:
        when = self(fault.when)
        if fault.stores is None:
            return replace(fault, when=when)
        variable, value = fault.stores
        return replace(fault, when=when, stores=(variable, self(value)))
