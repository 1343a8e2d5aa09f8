"""Decision diagrams as text: exactly the function they are made of, with equal parts shared."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
import z3

from draincheck.certificate.diagram import good_order
from draincheck.engines.smt.relation import Relation
from draincheck.sorts import BOOL, EnumSort, IntSort
from draincheck.system import BoolVar, EnumVar, IntVar, State, TransitionSystem
from tests.support.certificates import diagram
from tests.support.machines import Machine


def space() -> TransitionSystem:
    """No actions: variables of all sorts, with sizes that are no powers of two."""
    bits = [BoolVar(f"bit {n}", BOOL, (0,)) for n in range(3)]
    number, word = IntVar("number", IntSort(-1, 3), (0,)), EnumVar("word", EnumSort.of("abc"), (0,))
    one = IntVar("one", IntSort(7, 7), (7,))
    return Machine(bits[0], number, bits[1], word, one, bits[2]).system()


def everything(system: TransitionSystem) -> list[State]:
    """All states that there could be."""
    return list(product(*(range(v.sort.low, v.sort.high + 1) for v in system.variables)))


def members(system: TransitionSystem, text: str) -> set[State]:
    """The states in which z3 finds a term over the variables true."""
    relation = Relation(system)
    context = z3.Context()
    parser = z3.ParserContext(context)
    parser.from_string("".join(f"(declare-const {name} {sort})" for name, sort in relation.parameters()))
    solver = z3.Solver(ctx=context)
    solver.add(parser.from_string(f"(assert {text})"))
    found: set[State] = set()
    for state in everything(system):
        values = " ".join(relation.value(v, value) for v, value in zip(system.variables, state, strict=True))
        if solver.check(*parser.from_string(f"(assert (and {values}))")) == z3.sat:
            found.add(state)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_diagram_of_a_set_is_true_in_its_states_alone(seed: int) -> None:
    """Random sets, small, half full and nearly full, in random orders of the variables."""
    random, system = Random(seed), space()
    states = everything(system)
    chosen = random.sample(states, random.choice((1, 2, 7, len(states) // 2, len(states) - 1)))
    order = random.sample(range(len(system.variables)), len(system.variables))
    text = diagram(Relation(system), order, dict.fromkeys(chosen, "true"), "false").text()
    assert members(system, text) == set(chosen)


@pytest.mark.parametrize("seed", range(6))
def test_diagram_without_a_default_is_right_where_it_was_asked(seed: int) -> None:
    """A function of some states only may be anything elsewhere, and is itself in these."""
    random, system = Random(seed), space()
    chosen = random.sample(everything(system), 40)
    values = {state: random.choice(("true", "false")) for state in chosen}
    found = members(system, diagram(Relation(system), range(len(system.variables)), values, "").text())
    assert {state: "true" if state in found else "false" for state in chosen} == values


def test_all_states_are_no_question() -> None:
    """The set of everything needs no node."""
    system = space()
    found = diagram(Relation(system), range(6), dict.fromkeys(everything(system), "true"), "false")
    assert (found.nodes, found.text()) == (0, "true")


def test_equal_rests_are_one_node() -> None:
    """Whether an odd number of n bits is set takes two nodes a bit, but for the first; without sharing it would be 2**n - 1."""
    bits = [BoolVar(f"bit {n}", BOOL, (0,)) for n in range(8)]
    system = Machine(*bits).system()
    odd = [state for state in everything(system) if sum(state) % 2]
    found = diagram(Relation(system), range(8), dict.fromkeys(odd, "true"), "false")
    assert found.nodes == 2 * 8 - 1
    assert members(system, found.text()) == set(odd)
    assert len(found.text()) < 1000


def test_good_order_puts_what_depends_on_each_other_side_by_side() -> None:
    """Equality of two words of four bits: 3 nodes a pair instead of exponentially many."""
    bits = [BoolVar(f"bit {n}", BOOL, (0,)) for n in range(8)]
    system = Machine(*bits).system()
    equal = [state for state in everything(system) if state[:4] == state[4:]]
    order = good_order(equal)
    assert all({order[n], order[n + 1]} == {order[n] % 4, order[n] % 4 + 4} for n in range(0, 8, 2))
    values = dict.fromkeys(equal, "true")
    good, bad = (diagram(Relation(system), o, values, "false").nodes for o in (order, range(8)))
    assert (good, bad) == (12, 45)
