"""Whether a step could make a condition true: what is certain, and what counts as `could`."""

from __future__ import annotations

import pytest

from draincheck import op
from draincheck.analysis.enabling import could_make_true, makes_true
from draincheck.analysis.waiting import situation_in
from draincheck.expr import FALSE, TRUE, BoolExpr
from draincheck.lang import Model
from draincheck.sorts import BOOL
from draincheck.system import BoolVar, TransitionSystem
from tests.support.machines import Machine


def counter(high: int = 3) -> tuple[TransitionSystem, BoolExpr, BoolExpr]:
    """A thread that counts up to a limit, one that counts down and one that only looks; whether nothing is left, and whether all is."""
    m = Model("counter")
    n, seen = m.int("n", 0, high), m.bool("seen")
    with m.thread("p") as p:
        p.do("up", n.inc(), when=n < high)
        p.do("down", n.dec(), when=n > 0)
        p.do("down from one", n.dec(), when=n.is_(1))
        p.do("down from two", n.dec(), when=n.is_(2))
        p.do("looks", seen.set(n.is_(0)))
    return m.compile(), n.is_(0), n.is_(high)


@pytest.mark.parametrize("high", [3, 1 << 40])
def test_a_step_could_if_some_values_make_it_so(high: int) -> None:
    """Counting down could empty it, from one and not from two; counting up could fill it; looking does neither."""
    system, empty, full = counter(high)
    assert [could_make_true(system, action, empty) for action in system.actions] == [False, True, True, False, False]
    assert [could_make_true(system, action, full) for action in system.actions] == [True, False, False, False, False]


def test_it_is_sure_if_the_values_of_the_state_make_it_so() -> None:
    """Counting down empties it where one is left, and not where three are."""
    system, empty, _ = counter()
    _, down, *_ = system.actions
    states = [tuple(n if v.name == "n" else 0 for v in system.variables) for n in (1, 3)]
    assert [makes_true(system, down, empty, state) for state in states] == [True, False]


def test_terms_of_any_depth_can_be_waited_for() -> None:
    """A condition of two thousand levels is looked at like any other."""
    m = Model("deep")
    flag, other = m.bool("flag"), m.bool("other")
    condition: BoolExpr = flag
    for number in range(2000):
        condition = (condition | other) if number % 2 else (condition & ~other)
    with m.thread("p") as p:
        p.wait("for it", condition)
    with m.thread("q") as p:
        p.do("sets it", flag.set())
    system = m.compile()
    (waiting, _) = situation_in(system, [system.initial[0]]).processes
    (help,) = (help for way in waiting.ways for obstacle in way.obstacles for help in obstacle.helpers)
    assert help.process == "q"


@pytest.mark.parametrize("true", [False, True])
def test_a_condition_without_variables_is_what_it_is(true: bool) -> None:
    """A system made by hand may have terms that nobody has folded: none of its variables has to be tried."""
    x, other = BoolVar("x", BOOL, (0,)), BoolVar("other", BOOL, (0,))
    machine = Machine(x, other)
    machine.action("sets", TRUE, x.set())
    unfolded = BoolExpr("", BOOL, op=op.OR, args=(FALSE, TRUE if true else FALSE))
    condition = BoolExpr("", BOOL, op=op.AND, args=(x, unfolded))
    system = machine.system()
    assert could_make_true(system, system.actions[0], condition) is true
