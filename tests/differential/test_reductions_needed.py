"""Every condition that a reduction rests on is dropped once, on purpose: then some verdict, trace or count is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from draincheck.engines.explicit import Search
from draincheck.errors import SourceLine
from draincheck.exploration import ordering
from draincheck.expr import FALSE, TRUE, BoolExpr, all_, eq, ite, not_, number
from draincheck.properties import Always, Assertion, NoDeadlock, Property, Reachable
from draincheck.reductions import confluence, reduction, symmetry
from draincheck.reductions.confluence import Confluence, _Effect
from draincheck.reductions.reduction import Reduction, _Way
from draincheck.reductions.symmetry import Answering
from draincheck.reductions.wanted import Reductions, Sought
from draincheck.sorts import BOOL, IntSort
from draincheck.system import BoolVar, FaultKind, Interchangeable, IntVar, TransitionSystem, Update
from tests.support.machines import Machine
from tests.support.reduced import classes, disagreements, stored
from tests.support.reducible import symmetric_system

Break = Callable[[pytest.MonkeyPatch], None]


def _stays_without(part: int) -> Break:
    """The conditions on other actions without one kind of them: that they stay enabled, their faults, what breaks checks, who is asked."""

    def stays(effect: _Effect, other: _Effect) -> BoolExpr:
        behind, action = effect.behind, other.action
        kinds: Sequence[Sequence[BoolExpr]] = (
            [behind(action.guard)],
            [fault.when.iff(behind(fault.when)) for fault in action.faults],
            [not_(check.holds).implies(not_(behind(check.holds))) for check in action.checks],
            [check.asked.implies(behind(check.asked)) for check in action.checks],
        )
        return all_(*(condition for number, each in enumerate(kinds) if number != part for condition in each))

    return lambda patch: patch.setattr(confluence, "other_stays", stays)


def _confluent_steps_may_be_disabled(patch: pytest.MonkeyPatch) -> None:
    def same_state(effect: _Effect, other: _Effect) -> BoolExpr:
        written = dict.fromkeys((*effect.writes, *other.writes))
        return all_(*(eq(effect.behind(other.stored(v)), other.behind(effect.stored(v))) for v in written))

    patch.setattr(confluence, "commuting", same_state)


def _orders_may_lead_elsewhere(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(confluence, "commuting", lambda effect, other: other.behind(effect.action.guard))


def _what_is_sought_may_cease(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Confluence, "_keeps_what_is_sought", lambda self, effect: True)


def _goals_may_cease(patch: pytest.MonkeyPatch) -> None:
    sought = Search._sought

    def fewer(self: Search, properties: Sequence[Property]) -> Iterator[Sought]:
        stuck = {item.name for item in properties if isinstance(item, NoDeadlock)}
        return (each for each in sought(self, properties) if each.property not in stuck)

    patch.setattr(Search, "_sought", fewer)


def _confluent_steps_may_ask(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Confluence, "is_confluent", _commutes)


def _commutes(self: Confluence, effect: _Effect) -> bool:
    others = (other for other in self._effects if other is not effect)
    return self._keeps_what_is_sought(effect) and all(self._commute(effect, other) for other in others)


def _confluent_steps_count_as_not_taken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reduction, "passed", property(lambda self: {}))


def _confluent_steps_are_taken_where_they_are_not_enabled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(confluence, "choose", lambda condition, then, otherwise: then)


def _paths_lack_confluent_steps(patch: pytest.MonkeyPatch) -> None:
    def take(self: _Way, index: int) -> None:
        self._step(index)
        self._order()

    patch.setattr(_Way, "take", take)


def _paths_keep_the_names_of_actions(patch: pytest.MonkeyPatch) -> None:
    order = _Way._order

    def ordered(self: _Way) -> None:
        before = list(self.original)
        order(self)
        self.original = before

    patch.setattr(_Way, "_order", ordered)


def _goals_of_single_components_are_taken_for_symmetric(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reduction, "answering", lambda goals, exchanged: Answering(exchanged, frozenset(), frozenset()))


def _those_that_are_asked_about_are_sorted_too(patch: pytest.MonkeyPatch) -> None:
    found = symmetry.answering
    patch.setattr(reduction, "answering", lambda goals, every: replace(found(goals, every), kept=every))


def _one_goal_answers_for_all(patch: pytest.MonkeyPatch) -> None:
    found = symmetry.answering
    patch.setattr(
        reduction, "answering", lambda goals, every: replace(found(goals, every), left_out=frozenset([*goals][1:]))
    )


def _actions_stand_for_themselves(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reduction, "stood_for", lambda self, actions: set(actions))


def _anything_is_interchangeable(patch: pytest.MonkeyPatch) -> None:
    """Each action has itself for its image."""
    patch.setattr(symmetry, "_counterparts", lambda system, *more: range(len(system.actions)))


# -- confluent steps ----------------------------------------------------------------------------------------------------------------

FLAG, PC, X = (IntVar(name, IntSort(0, 2), (0,)) for name in ("flag", "pc", "x"))

#: a guard and updates
Does = tuple[BoolExpr, Sequence[Update]]

STEP: Does = (PC.is_(1), [PC.set(2)])
LOWER: Does = (FLAG.is_(1), [FLAG.set(0)])
SETS_X: Does = (FLAG.is_(1), [FLAG.set(0), X.set(1)])
SETS_X_LATE: Does = (FLAG.is_(1) & PC.is_(2), [FLAG.set(0), X.set(1)])


def _flagged(
    *properties: Property,
    step: Does = STEP,
    helper: Does = LOWER,
    step_has: Mapping[str, Any] | None = None,
    helper_has: Mapping[str, Any] | None = None,
    stuck: bool = False,
) -> TransitionSystem:
    """Somebody raises a flag, takes another step and begins anew; a helper lowers the flag."""
    machine = Machine(FLAG, PC, X)
    machine.action("raise", PC.is_(0) & FLAG.is_(0), FLAG.set(1), PC.set(1))
    machine.action("step", step[0], *step[1], **(step_has or {}))
    machine.action("lower", helper[0], *helper[1], process="helper", **(helper_has or {}))
    machine.action("do without", PC.is_(0) & FLAG.is_(0), PC.set(1))  # so that to raise it is not confluent
    machine.action("again", PC.is_(2) & ~FLAG.is_(1), PC.set(0), FLAG.set(0), X.set(0))
    at_rest = (("p", FALSE), ("helper", FALSE)) if stuck else ()
    return replace(machine.system(*properties), at_rest=at_rest)


#: for each condition a system of whose verdicts one is wrong without it
NEEDED: list[tuple[Break, TransitionSystem]] = [
    (_stays_without(0), _flagged(Always("x", X.is_(0)), step=(PC.is_(1) & FLAG.is_(1), [PC.set(2), X.set(1)]))),
    (_stays_without(1), _flagged(step_has={"faults": [(FaultKind.ERROR, FLAG.is_(1), "raised")]})),
    (_stays_without(2), _flagged(Assertion("A"), step_has={"checks": [("A", ~FLAG.is_(1))]})),
    (
        _confluent_steps_may_be_disabled,
        _flagged(
            Always("x is set", ~(FLAG.is_(2) & X.is_(0))),
            step=(PC.is_(1), [PC.set(2), FLAG.set(ite(FLAG.is_(1), number(2), FLAG))]),
            helper=(FLAG.is_(1) & X.is_(0), [X.set(1)]),
        ),
    ),
    (
        _orders_may_lead_elsewhere,
        _flagged(
            Reachable("a", PC.is_(1)),
            Always("x", ~(PC.is_(2) & X.is_(1))),
            step=(PC.is_(1), [PC.set(2), X.set(2)]),
            helper=SETS_X,
        ),
    ),
    (_what_is_sought_may_cease, _flagged(Always("no flag", ~FLAG.is_(1)))),
    (_goals_may_cease, _flagged(NoDeadlock("no deadlock"), stuck=True)),
    (_confluent_steps_may_ask, _flagged(Assertion("A"), helper_has={"checks": [("A", FALSE)]})),
    (_confluent_steps_may_ask, _flagged(helper_has={"faults": [(FaultKind.ERROR, TRUE, "lowered")]})),
    (_confluent_steps_count_as_not_taken, _flagged()),
    (
        _confluent_steps_are_taken_where_they_are_not_enabled,
        _flagged(Reachable("a", PC.is_(1)), Reachable("b", PC.is_(2) & X.is_(0) & FLAG.is_(0)), helper=SETS_X_LATE),
    ),
    (_paths_lack_confluent_steps, _flagged(Reachable("x", X.is_(1)), helper=SETS_X)),
]


@pytest.mark.parametrize(("broken", "system"), NEEDED)
def test_each_condition_is_needed(broken: Break, system: TransitionSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one of the conditions on confluent steps a reduced search is wrong about a system of five actions; with it it is not."""
    assert disagreements(system, Reductions.CONFLUENCE) == []
    broken(monkeypatch)
    assert disagreements(system, Reductions.CONFLUENCE) != []


def test_who_is_asked_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """So is that checks are asked behind a confluent step: what nobody asks there was asked before it."""
    asked = _flagged(Assertion("A"), step_has={"checks": [("A", TRUE)]})
    check = replace(asked.actions[1].checks[0], asked=FLAG.is_(1))
    actions = (asked.actions[0], replace(asked.actions[1], checks=(check,)), *asked.actions[2:])
    system = replace(asked, actions=actions)
    assert disagreements(system, Reductions.CONFLUENCE) == []
    _stays_without(3)(monkeypatch)
    assert disagreements(system, Reductions.CONFLUENCE) != []


# -- interchangeable components -----------------------------------------------------------------------------------------------------

SYMMETRIC = [
    _paths_keep_the_names_of_actions,
    _actions_stand_for_themselves,
    _anything_is_interchangeable,
    _one_goal_answers_for_all,
]


@pytest.mark.parametrize("broken", SYMMETRIC)
def test_a_quotient_without_a_condition_is_noticed(broken: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any one of the conditions that it rests on a quotient is wrong about some system of the sample; with all of them it is not."""
    broken(monkeypatch)
    wrong = next((seed for seed in range(300) if disagreements(symmetric_system(seed), Reductions.SYMMETRY)), None)
    assert wrong is not None
    monkeypatch.undo()
    assert disagreements(symmetric_system(wrong), Reductions.SYMMETRY) == []


@pytest.mark.parametrize(
    "broken", [_goals_of_single_components_are_taken_for_symmetric, _those_that_are_asked_about_are_sorted_too]
)
def test_goals_have_to_be_symmetric(broken: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that hand on a token for ever are never stuck; where it does not matter who has it, it would seem that one never gets it."""
    tokens = BoolVar("a", BOOL, (0,)), BoolVar("b", BOOL, (0,))
    machine = Machine(*tokens)
    for mine, other in (tokens, tokens[::-1]):
        machine.action("begin", ~mine & ~other, mine.set(), process=mine.name)
        machine.action("hand on", mine & ~other, mine.clear(), other.set(), process=mine.name)
    alike = Interchangeable(tuple((token,) for token in tokens), SourceLine("machine.py", 1))
    at_rest = tuple((token.name, FALSE) for token in tokens)
    system = replace(machine.system(NoDeadlock("no deadlock")), at_rest=at_rest, interchangeable=(alike,))
    assert disagreements(system, Reductions.SYMMETRY) == []
    broken(monkeypatch)
    assert disagreements(system, Reductions.SYMMETRY) != []


def test_a_network_without_a_comparison_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Components that are not brought into order count as other states."""
    network = ordering.network
    monkeypatch.setattr(ordering, "network", lambda size: [*network(size)][:-1])
    system = next(each for each in map(symmetric_system, range(100)) if stored(each) != classes(each))
    monkeypatch.undo()
    assert stored(system) == classes(system)
