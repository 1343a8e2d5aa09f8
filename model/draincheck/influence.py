"""Who influences whom: which variables the processes of a system read and write, and what nobody would miss.

A thread that does nothing must change no verdict, be it counted among those that have not ended or among those whose steps put a demand to
the test. The reference interpreter and the second reading of the language find such threads by readings of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from math import prod
from operator import attrgetter
from typing import Final

from draincheck.budget import look
from draincheck.evaluation import Evaluation
from draincheck.expr import FALSE, BoolExpr, Expr, any_, constant, not_, substitute, variables_of
from draincheck.properties import NoDeadlock, Property
from draincheck.system import Action, TransitionSystem, Variable
from draincheck.walks import bottom_up

__all__ = ["at_work", "bearing", "can_hold"]

#: values of its variables with which it is tried whether a process can always go on
MOST_TRIED: Final = 1 << 14

#: sub-terms that are looked at, again and again, until it is known what a condition turns on
MOST_LOOKED_AT: Final = 1 << 18

_NAME: Final = attrgetter("name")


def at_work(
    actions: Sequence[Action], demands: Iterable[BoolExpr], final: BoolExpr, goes_round: Callable[[str], bool]
) -> frozenset[str]:
    """The processes that have to end before everything has: the others only look on, and may do so for ever.

    At work is who stores something that `final` turns on, or, in a variable of the program, something that a demand turns on; and who stores what
    one of these reads, where it stands and what it remembers in history variables included. Whoever else stores something in a variable of the
    program is waited for only if it goes straight to its end, and not round: that may put off that all has ended, and never prevent it.
    """
    reads, writes = _reads(actions), _writes(actions)
    demanded, needed = set[Expr]().union(*map(_turns_on, (*demands, *_checked(actions)))), _turns_on(final)
    own = {name: {variable for variable in written if not variable.internal} for name, written in writes.items()}
    found = {name for name, written in writes.items() if own[name] & demanded or written & needed}
    while more := {name for name in writes.keys() - found if _is_read(writes[name], name, reads, found)}:
        found |= more
    return frozenset(found | {name for name in own.keys() - found if own[name] and not goes_round(name)})


def can_hold(condition: BoolExpr) -> bool:
    """Whether a condition holds with some values of its variables; that is assumed where many are tried in vain."""
    read = variables_of(condition)
    at_once = Evaluation((variable, variable.sort.high) for variable in read)  # all is done in many a final state
    return bool(at_once[condition]) or _holds_somewhere(condition, iter(range(_tries(condition, 1))))


def bearing(system: TransitionSystem, item: Property | None = None) -> Iterator[str]:
    """The processes whose steps can matter to some demand, or to this one: those that do something themselves first, then what influences these.

    They have checks or errors, may end, store something in a variable of the program, or something that a property or a `final` condition reads
    that the model names; and if it is about `NoDeadlock`, they may have to wait. The others do nothing for ever: without them no verdict
    would be another.
    """
    cone = _Cone(system)
    yield from cone.of(action.process for action in system.actions if action.checks or action.faults or action.stores)
    yield from cone.of(cone.writers(_demanded(system, item)))
    yield from cone.of(_ending(system))
    if isinstance(item, NoDeadlock):
        yield from cone.of(_waiting(system))


def _demanded(system: TransitionSystem, item: Property | None) -> set[Expr]:
    """The variables that demands read."""
    named = [system.final] if "" in dict(system.at_rest) else []
    conditions = [each for demand in (*system.properties, *([item] if item else [])) for each in demand.conditions()]
    return variables_of(*named, *conditions)


def _turns_on(condition: BoolExpr) -> set[Expr]:
    """The variables that make a difference to a condition.

    Not all that it names: some conditions are folded where they are written and others are not, and who is at work must not turn on that.
    """
    read = variables_of(condition)
    tries = _tries(condition, len(read)) if read else 0
    return {variable for variable in read if _makes_a_difference(variable, condition, tries)} if tries else read


def _makes_a_difference(variable: Expr, condition: BoolExpr, tries: int) -> bool:
    """Whether a condition has two values that differ in nothing but this variable; that is assumed where so many are tried in vain."""
    look()
    left, settled = iter(range(tries)), _settled(condition, variable)
    first = next(settled)
    return any(_holds_somewhere(not_(first.iff(other)), left) for other in settled)


def _tries(condition: BoolExpr, questions: int) -> int:
    """How often so many questions about a condition may each set a variable: all together look at so many sub-terms, however large it is."""
    return MOST_LOOKED_AT // (questions * sum(1 for _ in bottom_up(condition)))


def _holds_somewhere(condition: BoolExpr, left: Iterator[int]) -> bool:
    """Whether a condition holds with some values of its variables, and true where nothing is `left` to try."""
    todo: list[Iterator[BoolExpr]] = [iter((condition,))]
    while todo:
        here = next(todo[-1], None)
        if here is None:
            todo.pop()
        elif next(left, None) is None:
            return True
        elif read := variables_of(here):
            todo.append(_settled(here, min(read, key=_NAME)))
        elif here is not FALSE:
            return True
    return False


def _settled(condition: BoolExpr, variable: Expr) -> Iterator[BoolExpr]:
    """A condition with each value of a variable."""
    values = range(variable.sort.low, variable.sort.high + 1)
    return (substitute(condition, {variable: constant(variable.sort, value)}) for value in values)


class _Cone:
    """A cone of influence in the making: processes, and those that write what they read."""

    def __init__(self, system: TransitionSystem) -> None:
        self._system = system
        self._writes = _writes(system.actions)
        self._found: set[str] = set()

    def writers(self, variables: set[Expr]) -> list[str]:
        """Who writes some of these variables."""
        return [name for name, written in self._writes.items() if not written.isdisjoint(variables)]

    def of(self, names: Iterable[str]) -> Iterator[str]:
        """Those of some processes, and of all that influence them, that were not found before."""
        todo: list[str] = []
        for name in self._new(names):
            todo.append(name)
            yield name
        for name in todo:
            reads = _reads(action for action in self._system.actions if action.process == name)
            for other in self._new(self.writers(reads.get(name, set()))):
                todo.append(other)
                yield other

    def _new(self, names: Iterable[str]) -> Iterator[str]:
        for name in names:
            if name not in self._found:
                self._found.add(name)
                yield name


def _ending(system: TransitionSystem) -> Iterator[str]:
    """The processes that are at rest at the start, or come to rest by a step that no constant rules out."""
    first: dict[Expr, Expr] = {v: constant(v.sort, v.initial[0]) for v in system.variables if len(v.initial) == 1}
    stores: list[dict[Expr, Expr]] = [
        {update.variable: update.value for update in action.updates}
        for action in system.actions
        if action.guard is not FALSE
    ]
    for name, rests in system.at_rest:
        touching = filter(variables_of(rests).intersection, stores)
        if name and any(substitute(rests, stored) is not FALSE for stored in (first, *touching)):
            yield name


def _waiting(system: TransitionSystem) -> Iterator[str]:
    """The processes that may have to wait. All of a system that says of none where it rests: there whatever moves is of interest."""
    guards: dict[str, list[BoolExpr]] = {}
    for action in system.actions:
        guards.setdefault(action.process, []).append(action.guard)
    at_rest = dict(system.at_rest)
    return (name for name in guards if not at_rest or not _is_valid(system, any_(*guards[name], at_rest[name])))


def _is_valid(system: TransitionSystem, condition: BoolExpr) -> bool:
    """Whether a condition holds with all values of its variables, as far as they are tried; those that nobody writes keep theirs."""
    read = variables_of(condition)
    variables = [variable for variable in system.variables if variable in read]
    written = {variable for found in _writes(system.actions).values() for variable in found}
    values = [range(v.sort.low, v.sort.high + 1) if v in written or not v.initial else v.initial for v in variables]
    if prod(map(_number, values)) > MOST_TRIED:
        return False
    return all(Evaluation(zip(variables, chosen, strict=True))[condition] for chosen in product(*values))


def _number(values: range | tuple[int, ...]) -> int:
    """How many values there are, also where `len` has no number for them."""
    return values.stop - values.start if isinstance(values, range) else len(values)


def _is_read(written: set[Variable], by: str, reads: Mapping[str, set[Expr]], among: Iterable[str]) -> bool:
    """Whether some process other than the one that writes it reads a variable."""
    return any(not written.isdisjoint(reads[name]) for name in among if name != by)


def _checked(actions: Iterable[Action]) -> Iterator[BoolExpr]:
    """What checks come to: true where one is not asked, or holds."""
    return (check.asked.implies(check.holds) for action in actions for check in action.checks)


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
