"""The analysis of pairs: what it excludes, from which depth on, and that it never excludes what can be."""

from __future__ import annotations

from itertools import combinations, combinations_with_replacement

import pytest

from draincheck import interpreter
from draincheck.engines.smt import mutexes as module
from draincheck.engines.smt.mutexes import FOR_EVER, Pairs
from draincheck.engines.smt.operators import OperatorFacts, possible
from draincheck.expr import FALSE, TRUE, BoolExpr, all_, constant, eq, ite
from draincheck.naturals import NATURAL
from draincheck.properties import Always, Reachable
from draincheck.sorts import BOOL, IntSort
from draincheck.system import BoolVar, FaultKind, IntVar, TransitionSystem, Variable
from tests.support.machines import Machine, bounded, counter, event_loop, philosophers

SYSTEMS = {
    "counter": counter(4),
    "philosophers": philosophers(),
    "bounded": bounded(),
    "event loop": event_loop(1, 2),
    "two devices": event_loop(2, 1),
}


def depths(system: TransitionSystem) -> list[tuple[tuple[int, ...], int]]:
    """The reachable states, each with the least number of steps that lead to it."""
    first: dict[tuple[int, ...], int] = dict.fromkeys(system.initial, 0)
    for state in interpreter.states(system):
        for action in system.enabled(state):
            if system.fault(state, action) is None:
                first.setdefault(system.step(state, action), first[state] + 1)
    return list(first.items())


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("located", [True, False])
def test_no_reachable_pair_is_excluded(name: str, located: bool) -> None:
    """At the depth of a state none of its pairs of values is excluded."""
    system = SYSTEMS[name]
    pairs = Pairs(system, located)
    layer = {pair: first for first, found in pairs.exclusions().items() for pair in found}
    for state, depth in depths(system):
        facts = sorted(pairs.facts.number(v, value) for v, value in zip(system.variables, state, strict=True))
        assert all(layer.get(pair, 0) <= depth for pair in combinations_with_replacement(facts, 2))


@pytest.mark.parametrize("name", SYSTEMS)
def test_conditions_are_possible_no_later_than_they_are_met(name: str) -> None:
    """The first layer of a condition is a lower bound of the depth at which a state meets it."""
    system = SYSTEMS[name]
    pairs, reached = Pairs(system), depths(system)
    for variable, other in combinations(system.variables, 2):
        condition = all_(~_lowest(variable), ~_lowest(other))
        met = [depth for state, depth in reached if system.holds(condition, state)]
        assert pairs.first(condition) <= min(met, default=FOR_EVER)


def _lowest(variable: Variable) -> BoolExpr:
    """The condition that a variable has its least value."""
    return eq(variable, constant(variable.sort, variable.sort.low))


def test_layers_count_steps() -> None:
    """A counter reaches each value after as many steps."""
    system = counter(4, "top")
    number = system.variables[0]
    assert isinstance(number, IntVar)
    pairs = Pairs(system)
    assert [pairs.first(number.is_(value)) for value in range(5)] == [0, 1, 2, 3, 4]
    assert pairs.first(number > 4) == FOR_EVER


def test_locations_keep_apart_what_pairs_alone_mix() -> None:
    """A flag that each of two locations sets and clears is known to be clear between them."""
    pc = IntVar("pc", IntSort(0, 3), (0,), internal=True)
    flags = [BoolVar(name, BOOL, (0,)) for name in "ab"]
    machine = Machine(*flags, pc)
    machine.action("set a", pc.is_(0), flags[0].set(), pc.set(1))
    machine.action("a becomes b", pc.is_(1) & flags[0], flags[0].clear(), flags[1].set(), pc.set(2))
    machine.action("clear b", pc.is_(2), flags[1].clear(), pc.set(0))
    system = machine.system(Reachable("both", all_(*flags)))
    assert Pairs(system).first(all_(*flags)) == FOR_EVER
    assert Pairs(system).first(pc.is_(1) & flags[0]) == 1


def test_analysis_without_locations_is_that_of_a_system_without_them() -> None:
    """What is left when locations are mixed is what the analysis finds that never kept them apart; the first one stays as it was."""
    for system in SYSTEMS.values():
        pairs = Pairs(system)
        before = pairs.exclusions()
        assert pairs.without_locations().exclusions() == Pairs(system, located=False).exclusions()
        assert pairs.exclusions() == before


def test_disjunction_is_possible_with_its_first_part() -> None:
    """A disjunction may be true as soon as one of its parts may, however many there are."""
    system = counter(4)
    number = system.variables[0]
    assert isinstance(number, IntVar)
    assert Pairs(system).first(number.is_(3) | (number > 4) | number.is_(2)) == 2


def test_faulty_steps_are_not_taken() -> None:
    """What only an action that passes a bound could reach is excluded."""
    system = bounded()
    goal = system.property_named("never")
    assert isinstance(goal, Reachable)
    assert Pairs(system).first(goal.goal) == FOR_EVER


def test_too_much_work_excludes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An analysis that would cost too much is given up: every depth is possible, and nothing is excluded."""
    system = philosophers()
    held = system.property_named("exclusive")
    assert isinstance(held, Always)
    assert Pairs(system).first(~held.holds) == FOR_EVER
    monkeypatch.setattr(module, "MOST_WORK", 0)
    given_up = Pairs(system)
    assert given_up.first(~held.holds) == 0
    assert given_up.exclusions() == {}


def test_too_many_locations_are_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """If keeping locations apart costs too much, the analysis goes on without them."""
    system = event_loop(2, 1)
    monkeypatch.setattr(module, "MOST_WORK", 600)
    assert [len(layer) for layer in Pairs(system).layers] == [1] * len(Pairs(system).layers)
    assert Pairs(system).exclusions() == Pairs(system, located=False).exclusions()


def test_wide_variables_are_left_out() -> None:
    """A variable with very many values has no facts, and what depends on it may have any value."""
    wide, narrow = IntVar("wide", IntSort(0, 1000), (0,)), IntVar("narrow", IntSort(0, 3), (0,))
    machine = Machine(wide, narrow)
    machine.action("go", narrow.is_(0), wide.set(7), narrow.set(ite(wide > 5, narrow + 1, narrow + 2)))
    pairs = Pairs(machine.system())
    assert [pairs.first(narrow.is_(value)) for value in range(4)] == [0, 1, 1, 1]
    assert pairs.first(wide.is_(999)) == 0


def test_cases_say_what_a_step_does() -> None:
    """An update that depends on a variable is one case for each of its values."""
    flag, number = BoolVar("flag", BOOL, (0,)), IntVar("number", IntSort(0, 2), (0,))
    facts = OperatorFacts([flag, number])
    cases = facts.cases(number < 2, {number: ite(flag, number + 1, number)})
    assert len(cases) == 3  # flag and 0, flag and 1, not flag
    assert {case.makes.get(number) for case in cases} == {None, facts.mask(number, [1]), facts.mask(number, [2])}


def test_many_cases_are_cut_off() -> None:
    """An update that depends on too much may store anything, which forgets but never lies."""
    digits = [IntVar(f"digit {n}", IntSort(0, 9), (0,)) for n in range(4)]
    total = IntVar("total", IntSort(0, 31), (0,))
    machine = Machine(*digits, total)
    added = digits[0] + digits[1] + digits[2] + digits[3]
    machine.action("add", TRUE, total.set(ite(added <= 31, added, total)), faults=[(FaultKind.RANGE, FALSE, "none")])
    pairs = Pairs(machine.system())
    assert pairs.first(total.is_(0)) == 0
    assert pairs.first(total.is_(31)) == 1


def test_comparisons_of_natural_numbers_are_open() -> None:
    """Nothing is said of counters without an upper end, and what else a condition says still counts."""
    count, flag = IntVar("count", NATURAL, (0,)), BoolVar("flag", BOOL, (0,))
    assert possible((count > 3) & flag)
    assert not possible((count > 3) & flag & ~flag)
    machine = Machine(count, flag)
    machine.action("count", TRUE, count.inc())
    machine.action("enough", count > 3, flag.set())
    assert Pairs(machine.system()).first(flag & count.is_(0)) == 1
