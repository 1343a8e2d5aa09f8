"""A reduced search says what the reference interpreter says of the system itself: verdicts, why nothing asks, steps that are taken, traces.

Systems are random: components that are alike, with what they share; and steps that mostly matter to nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from draincheck import interpreter
from draincheck.engines.explicit import decide
from draincheck.errors import ModelError
from draincheck.expr import BoolExpr, all_, constant, eq, not_
from draincheck.native.tiers import Tier
from draincheck.reductions.symmetry import exchanges
from draincheck.reductions.wanted import Reductions
from draincheck.system import TransitionSystem
from draincheck.verdict import Limits, Outcome
from tests.support.reduced import MOST, classes, disagreements, stored
from tests.support.reducible import symmetric_system, system_with_steps
from tests.support.samples import sampled
from tests.support.strategies import tries

RANDOM = tries(10)
SEEDS = st.integers(0, 2**32 - 1)

KINDS = [
    (symmetric_system, Reductions.SYMMETRY),
    (symmetric_system, Reductions.BOTH),
    (system_with_steps, Reductions.CONFLUENCE),
]


@pytest.mark.parametrize(("make", "reductions"), KINDS)
@pytest.mark.parametrize("part", sampled(range(240), 1, 12))
@RANDOM
@given(SEEDS)
def test_reduced_searches_agree(
    part: int, make: Callable[[int], TransitionSystem], reductions: Reductions, seed: int
) -> None:
    """Outcomes, reasons for never being asked, steps that are taken and errors are the interpreter's; traces are runs of the system itself."""
    assert disagreements(make(seed), reductions) == [], f"{make.__name__}({seed})"


@pytest.mark.parametrize(("make", "reductions"), KINDS)
@pytest.mark.parametrize("part", sampled(range(20), 1))
@settings(RANDOM, max_examples=4)
@given(SEEDS)
def test_reduced_searches_agree_natively(
    part: int, make: Callable[[int], TransitionSystem], reductions: Reductions, seed: int
) -> None:
    """Machine code finds the same in the reduced system as Python does."""
    system = make(seed)
    python, native = (
        decide(system, system.properties, tier=tier, reductions=reductions) for tier in (Tier.PYTHON, Tier.NATIVE)
    )
    assert native == python


@pytest.mark.parametrize("part", sampled(range(60), 1))
@RANDOM
@given(SEEDS)
def test_classes_are_counted(part: int, seed: int) -> None:
    """Where symmetry alone reduces, as many states are stored as there are classes of reachable states, found by trying every order."""
    system = symmetric_system(seed)
    assert stored(system) == classes(system)


@pytest.mark.parametrize(("make", "reductions"), KINDS)
@pytest.mark.parametrize("part", sampled(range(8), 1))
@RANDOM
@given(SEEDS, st.sampled_from([1, 3, 8, 20]))
def test_a_limit_makes_nothing_wrong(
    part: int, make: Callable[[int], TransitionSystem], reductions: Reductions, seed: int, most: int
) -> None:
    """What a reduced search says that was stopped is so, or unknown."""
    system = make(seed)
    expected = interpreter.explore(system, MOST)
    found = decide(system, system.properties, Limits(states=most), tier=Tier.PYTHON, reductions=reductions)
    for name, verdict in found.verdicts.items() if not expected.statistics.queue else ():
        assert verdict.outcome in (Outcome.UNKNOWN, expected.verdicts[name].outcome), f"{make.__name__}({seed})"


# -- components that are not alike --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", sampled(range(8), 1))
@RANDOM
@given(SEEDS, SEEDS)
def test_components_that_are_not_alike_are_refused(part: int, seed: int, where: int) -> None:
    """One action, start or demand is made different: that is refused, or makes no difference."""
    system = _spoiled(symmetric_system(seed), where)
    try:
        exchanges(system)
    except ModelError as error:
        assert "not interchangeable" in error.message
    else:
        assert disagreements(system, Reductions.SYMMETRY) == []


def _spoiled(system: TransitionSystem, where: int) -> TransitionSystem:
    """The system with one thing another."""
    actions = list(system.actions)
    number, condition = where % len(actions), _about_first(system)
    action = actions[number]
    spoiled = [
        replace(action, guard=all_(action.guard, condition)),
        replace(action, updates=action.updates[:-1]),
        replace(action, checks=tuple(replace(check, holds=condition) for check in action.checks)),
        replace(action, faults=tuple(replace(fault, when=condition) for fault in action.faults)),
    ]
    kind = where // len(actions) % (len(spoiled) + 1)
    if kind == len(spoiled):
        return replace(
            system, properties=tuple(item.map(lambda holds: all_(holds, condition)) for item in system.properties)
        )
    actions[number] = spoiled[kind]
    return replace(system, actions=tuple(actions))


def _about_first(system: TransitionSystem) -> BoolExpr:
    """A condition on the first component alone."""
    variable = system.interchangeable[-1].components[0][0]
    return not_(eq(variable, constant(variable.sort, variable.sort.high)))


@pytest.mark.slow
def test_most_spoiled_systems_are_refused() -> None:
    """The other control: what was made different is mostly noticed."""
    refused = 0
    for number, where in product(range(40), range(0, 100, 7)):
        try:
            exchanges(_spoiled(symmetric_system(number), where))
        except ModelError:
            refused += 1
    assert refused > 300
