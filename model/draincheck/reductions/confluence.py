"""Steps that are taken at once: they commute with all others, and nothing that is asked about gets lost by them.

A step e is *confluent* if in every state that enables it

1. each other step that is enabled, and can be taken, stays so behind e; e stays enabled behind that step; and both orders lead to the same state;
2. the faults of each other step that is enabled are the same behind e, and the checks that it is asked, or breaks, it is asked, or breaks, there;
3. what is sought (the violation of an `Always`, a goal, that a process can go on) does not cease to hold by e;
4. e has no faults and no checks of its own.

In the system that `settled` makes, every other step is followed at once by the confluent ones that it lets happen, each at most once, in an order
in which none enables one before it. States between are not stored. Everything else is as it was: confluent steps are steps, too.

*Why no verdict changes.* Say that a stored state n is *ahead* of a state s if confluent steps lead from s to n. For each reachable s some stored n is
ahead of it: an initial state is stored itself. If s goes to t by a step b, and n is ahead of s, then either b is among the steps between, where it can
be moved to the front (1), so that n is ahead of t; or b can be taken in n (1, 2), and leads to a state that is ahead of t; and so is what is stored
for it, a few confluent steps later. What is stored is reachable, since all these are steps of the system. So whatever is sought in a reachable
state is found in the stored one ahead of it (3), a check that is broken by b there is broken by b here, a fault that b runs into there it runs into
here (2). A state where nothing is enabled is stored: only itself is ahead of it. And if from s a state t with a goal can be reached, then from each n
ahead of s a stored state ahead of t can be, by the same argument; so goals that stay reachable do so in both, and a process that is never able to go
on again is so in both. The argument needs no proviso against steps that are put off for ever: every stored state takes all its steps.

With interchangeable components beside (`symmetry`), n is ahead of s if confluent steps lead to n from a reordering of s: the reordering of a confluent
step is confluent, too, whether or not it is among those that are taken at once.

Runs are not the same: fairness counts steps, and demands on whole runs are not decided on such a system.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from draincheck import op
from draincheck.expr import FALSE, BoolExpr, Expr, Substitution, all_, any_, choose, eq, not_, variables_of
from draincheck.reductions.cases import Cases
from draincheck.system import Action, TransitionSystem, Update, Variable

__all__ = ["Confluence", "Settled", "acyclic", "settled"]


#: variables of a condition that is looked at as a whole, at most
FEW = 6


class _Effect:
    """An action, and what becomes of terms by it."""

    def __init__(self, action: Action) -> None:
        self.action = action
        self.writes: dict[Expr, Update] = {update.variable: update for update in action.updates}
        self.behind = Substitution({update.variable: update.value for update in action.updates})

    @cached_property
    def needs(self) -> set[Expr]:
        """The variables that its guard reads."""
        return variables_of(self.action.guard)

    @cached_property
    def reads(self) -> set[Expr]:
        """The variables that it reads, one way or another."""
        action = self.action
        terms: list[Expr] = [action.guard, *(u.value for u in action.updates), *(f.when for f in action.faults)]
        return variables_of(*terms, *(c.holds for c in action.checks), *(c.asked for c in action.checks))

    @cached_property
    def faulty(self) -> BoolExpr:
        """Where it cannot be taken, though it is enabled."""
        return any_(*(fault.when for fault in self.action.faults))

    def stored(self, variable: Expr) -> Expr:
        """What a variable is afterwards."""
        update = self.writes.get(variable)
        return variable if update is None else update.value


class Confluence:
    """Which actions of a system are confluent, as far as so much work decides it."""

    def __init__(self, system: TransitionSystem, sought: Iterable[BoolExpr], work: int) -> None:
        """Begin.

        Args:
            system: the system.
            sought: what is looked for in states: none of it may cease to hold by a confluent step.
            work: how many terms may be looked at.
        """
        self._cases = Cases(work)
        self._sought = [(condition, variables_of(condition)) for condition in sought]
        self._effects = [_Effect(action) for action in system.actions if action.guard is not FALSE]

    @property
    def actions(self) -> list[int]:
        """The confluent actions that were found, in ascending order."""
        return [effect.action.index for effect in self._effects if self.is_confluent(effect)]

    def is_confluent(self, effect: _Effect) -> bool:
        """Whether an action is known to be confluent."""
        action = effect.action
        if action.faults or action.checks or not action.updates or self._cases.left <= 0:
            return False
        return self._keeps_what_is_sought(effect) and all(
            self._commute(effect, other) for other in self._effects if other is not effect
        )

    def _keeps_what_is_sought(self, effect: _Effect) -> bool:
        touched = (condition for condition, read in self._sought if not read.isdisjoint(effect.writes))
        return all(self._keeps(effect, condition) for condition in touched)

    def _keeps(self, effect: _Effect, condition: BoolExpr, wanted: bool = True) -> bool:
        """Whether a condition that has a truth value keeps it behind an action; of a large one each part is looked at alone, which is enough."""
        read = variables_of(condition)
        if read.isdisjoint(effect.writes):
            return True
        parts = [part for part in condition.args if isinstance(part, BoolExpr)]
        if condition.op is op.NOT:
            return self._keeps(effect, parts[0], not wanted)
        if condition.op in (op.AND, op.OR) and len(read) > FEW:
            return all(self._keeps(effect, part, wanted) for part in parts)
        so = condition if wanted else not_(condition)
        return self._cases.implied(all_(effect.action.guard, so), effect.behind(so))

    def _commute(self, effect: _Effect, other: _Effect) -> bool:
        """Whether an action and another one do what the module text says of them."""
        if effect.reads.isdisjoint(other.writes) and other.reads.isdisjoint(effect.writes):
            written = effect.writes.keys() & other.writes.keys()
            if not written:
                return True
        both = all_(effect.action.guard, other.action.guard)
        return self._cases.left > 0 and self._cases.implied(
            both, all_(other_stays(effect, other), any_(other.faulty, commuting(effect, other)))
        )


def other_stays(effect: _Effect, other: _Effect) -> BoolExpr:
    """That another action is enabled behind a confluent one, meets the same faults, and is asked the same checks."""
    behind, action = effect.behind, other.action
    faults = [fault.when.iff(behind(fault.when)) for fault in action.faults]
    broken = [not_(check.holds).implies(not_(behind(check.holds))) for check in action.checks]
    asked = [check.asked.implies(behind(check.asked)) for check in action.checks]
    return all_(behind(action.guard), *faults, *broken, *asked)


def commuting(effect: _Effect, other: _Effect) -> BoolExpr:
    """That a confluent action is enabled behind another one, and that both orders of the two lead to the same state."""
    written = dict.fromkeys((*effect.writes, *other.writes))
    same = (eq(effect.behind(other.stored(v)), other.behind(effect.stored(v))) for v in written)
    return all_(other.behind(effect.action.guard), *same)


class Settled(Struct, frozen=True):
    """A system whose confluent steps are taken at once.

    Attributes:
        system: the system; its actions have the numbers that they had.
        chains: for each action the confluent ones that are tried behind it, in this order.
        passed: for each confluent action where it is taken at once behind some other.
    """

    system: TransitionSystem
    chains: Sequence[Sequence[int]]
    passed: Mapping[int, BoolExpr]


def settled(system: TransitionSystem, confluent: Collection[int]) -> Settled:
    """The system in which these confluent actions are taken at once, wherever an action lets them happen. None enables itself by way of others."""
    effects = [_Effect(action) for action in system.actions]
    order = list(_in_order([effects[index] for index in confluent]))
    chains = [[] if action.guard is FALSE else _chain(effects[action.index], order) for action in system.actions]
    passed: dict[int, list[BoolExpr]] = {effect.action.index: [] for effect in order}
    actions = [
        _followed(effects[action.index], [effects[index] for index in chain], passed)
        for action, chain in zip(system.actions, chains, strict=True)
    ]
    conditions = {index: any_(*where) for index, where in passed.items()}
    return Settled(replace(system, actions=tuple(actions)), chains, conditions)


def acyclic(system: TransitionSystem, confluent: Collection[int]) -> list[int]:
    """Those of some actions that cannot enable one another in a circle, nor themselves."""
    placed: list[_Effect] = []
    for effect in (_Effect(system.actions[index]) for index in confluent):
        if _is_over(effect) and not _reaches(effect, placed):
            placed.append(effect)
    return [effect.action.index for effect in placed]


def _in_order(effects: Sequence[_Effect]) -> Iterator[_Effect]:
    """Each before those that it may enable."""
    left = list(effects)
    while left:
        first = next(one for one in left if not any(_may_enable(other, one) for other in left if other is not one))
        left.remove(first)
        yield first


def _may_enable(effect: _Effect, other: _Effect) -> bool:
    """Whether one may make the other possible, as far as its text shows."""
    return not other.needs.isdisjoint(effect.writes)


def _is_over(effect: _Effect) -> bool:
    """Whether an action is known not to be enabled behind itself."""
    return Cases(len(effect.behind) + 1000).implied(effect.action.guard, not_(effect.behind(effect.action.guard)))


def _reaches(effect: _Effect, among: Sequence[_Effect]) -> bool:
    """Whether an action may come to enable itself by way of some others."""
    found = [effect]
    for here in found:
        if here is not effect and _may_enable(here, effect):
            return True
        found += [other for other in among if other not in found and _may_enable(here, other)]
    return False


def _chain(effect: _Effect, order: Sequence[_Effect]) -> list[int]:
    """The confluent actions that may be possible behind an action, in an order in which none enables one before it."""
    written, found = set(effect.writes), list[int]()
    for other in order:
        if other is not effect and not other.needs.isdisjoint(written):
            found.append(other.action.index)
            written.update(other.writes)
    return found


def _followed(effect: _Effect, chain: Sequence[_Effect], passed: Mapping[int, list[BoolExpr]]) -> Action:
    """An action with the confluent ones behind it; `passed` is told where each is taken."""
    action = effect.action
    values: dict[Expr, Expr] = {update.variable: update.value for update in action.updates}
    for other in chain:
        behind = Substitution(values)
        taken = behind(other.action.guard)
        passed[other.action.index].append(all_(action.guard, not_(effect.faulty), taken))
        if taken is not FALSE:
            after = {u.variable: behind(u.value) for u in other.action.updates}
            values |= {v: choose(taken, new, values.get(v, v)) for v, new in after.items()}
    if not chain:
        return action
    return replace(action, updates=tuple(_updates(values)))


def _updates(values: Mapping[Expr, Expr]) -> Iterator[Update]:
    for variable, value in values.items():
        assert isinstance(variable, Variable)
        yield Update(variable, value)
