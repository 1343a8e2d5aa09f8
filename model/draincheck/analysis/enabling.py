"""Whether a step could make a condition true: no search, only the condition, the step, and what values variables can have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from draincheck import op
from draincheck.evaluation import Evaluation
from draincheck.expr import BoolExpr, Expr, all_, constant, not_, substitute, variables_of
from draincheck.properties import FaultKind
from draincheck.semantics.violation import faultless
from draincheck.system import Action, State, TransitionSystem, Variable

__all__ = ["Known", "could_make_true", "demands_of", "makes_true", "soundness_of", "stored_by", "visible"]

#: the values that variables may hold, as they are stored; those that are not in it may hold any
Known: TypeAlias = Mapping[Expr, frozenset[int]]

#: so many terms are looked at; where that does not do, a step that is not known to be of no help could help
TRIED: Final = 1000
#: and so many to find out which values an update may store
GLANCES: Final = 50


def conjuncts(terms: Iterable[Expr]) -> list[BoolExpr]:
    """The parts of a conjunction, those of negated disjunctions included."""
    found: list[BoolExpr] = []
    todo = list(terms)[::-1]
    while todo:
        term = todo.pop()
        assert isinstance(term, BoolExpr)
        if term.op is op.AND:
            todo += term.args[::-1]
        elif term.op is op.NOT and term.args[0].op is op.OR:
            todo += [not_(part) for part in term.args[0].args[::-1] if isinstance(part, BoolExpr)]
        else:
            found.append(term)
    return found


def demands_of(action: Action) -> list[BoolExpr]:
    """What an action demands besides where control is, in the model's own words, part by part."""
    return conjuncts(action.demands) or visible([action.guard])


def visible(terms: Iterable[Expr]) -> list[BoolExpr]:
    """The parts of a conjunction that are about more than where control is."""
    return [term for term in conjuncts(terms) if any(_is_shown(leaf) for leaf in variables_of(term))]


def _is_shown(leaf: Expr) -> bool:
    return isinstance(leaf, Variable) and not leaf.internal


def soundness_of(system: TransitionSystem, action: Action) -> list[BoolExpr]:
    """What has to be true where an action begins for it to be no error: a step that would be one is not taken. Bounds are no errors."""
    here = _stands_at(system, action)
    return [substitute(not_(fault.when), here) for fault in action.faults if fault.kind is not FaultKind.BOUND]


def could_make_true(system: TransitionSystem, action: Action, condition: BoolExpr, known: Known | None = None) -> bool:
    """Whether there are values for which a condition is false before an action and true after it; True where that takes too long to find out.

    `known` says which values variables may hold at all.
    """
    written: Mapping[Expr, Expr] = {update.variable: update.value for update in action.updates}
    if written.keys().isdisjoint(variables_of(condition)):
        return False
    here = _stands_at(system, action)
    wanted = [substitute(term, here) for term in (not_(condition), substitute(condition, written))]
    named = set[Expr]().union(*map(variables_of, wanted))
    demands = (substitute(term, here) for term in conjuncts([faultless(action)]))
    return _can_be_true(all_(*wanted, *(term for term in demands if variables_of(term) <= named)), known or {})


def makes_true(system: TransitionSystem, action: Action, condition: BoolExpr, state: State) -> bool:
    """Whether an action would leave a condition true, and be no error, if it were taken with the values of this state."""
    written: Mapping[Expr, Expr] = {update.variable: update.value for update in action.updates}
    after = substitute(substitute(condition, written), _stands_at(system, action))
    return all(system.holds(term, state) for term in (after, *soundness_of(system, action)))


def stored_by(action: Action, known: Known) -> Iterator[tuple[Variable, frozenset[int] | None]]:
    """For each variable that an action writes the values that it may store there; None for any."""
    for update in action.updates:
        yield update.variable, _values_of(update.value, known)


def _values_of(term: Expr, known: Known) -> frozenset[int] | None:
    if term.op is op.CONST:
        return frozenset((term.value,))
    if isinstance(term, BoolExpr):
        sides = ((1, term), (0, not_(term)))
        return frozenset(value for value, side in sides if _can_be_true(side, known, GLANCES))
    if term.op is op.ITE:
        branches = [_values_of(branch, known) for branch in term.args[1:]]
        return None if None in branches else frozenset[int]().union(*filter(None, branches))
    return known.get(term)


def _stands_at(system: TransitionSystem, action: Action) -> dict[Expr, Expr]:
    """The program counter of the action's process, and its value before the action."""
    counters = (variable for variable in system.variables if variable.counts == action.process)
    location = action.location
    return {} if location is None else {counter: constant(counter.sort, location) for counter in counters}


def _can_be_true(condition: BoolExpr, known: Known, tried: int = TRIED) -> bool:
    """Whether some values of its variables make a condition true; True where there are too many to try. One variable after the other gets values."""
    todo = [condition]
    for _ in range(tried):
        if not todo:
            return False
        term = todo.pop()
        if not variables_of(term):
            if Evaluation(())[term]:
                return True
        else:
            variable, values = _next(term, known)
            if len(values) > TRIED:
                return True
            todo += [substitute(term, {variable: constant(variable.sort, value)}) for value in values]
    return True


def _next(condition: BoolExpr, known: Known) -> tuple[Expr, Sequence[int]]:
    """A variable of a condition, and the values to try: one that a part of it fixes, else one that has fewest."""
    for part in conjuncts([condition]):
        if part.op is op.EQ and part.args[0].op is op.VAR and part.args[1].op is op.CONST:
            variable, value = part.args[0], part.args[1].value
            return variable, [value] if value in known.get(variable, (value,)) else []
    values = {leaf: _possible(leaf, known) for leaf in variables_of(condition)}
    variable = min(values, key=lambda leaf: (len(values[leaf]), leaf.name))
    return variable, values[variable]


def _possible(variable: Expr, known: Known) -> Sequence[int]:
    return sorted(known[variable]) if variable in known else range(variable.sort.low, variable.sort.high + 1)
