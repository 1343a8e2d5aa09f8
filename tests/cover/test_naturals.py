"""Systems over natural numbers: what is unlimited in them, and what is not."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from draincheck import interpreter
from draincheck.engines import explicit
from draincheck.engines.smt import bmc
from draincheck.engines.smt.relation import Relation
from draincheck.errors import ModelError
from draincheck.expr import TRUE
from draincheck.lang import IntVar, Model
from draincheck.naturals import INFINITY, NATURAL, has_naturals, is_natural, over_naturals, parameter, refuse_naturals
from draincheck.sorts import BOOL, IntSort
from draincheck.system import State, TransitionSystem
from draincheck.verdict import Limits, Outcome
from tests.support.engines import one


def counting(low: int = 0, high: int = INFINITY) -> TransitionSystem:
    """A thread that counts for ever."""
    m = Model("counting")
    n = m.int("n", low, high, max(low, 0))
    with m.thread("counter") as p, p.loop():
        p.do("counts", n.inc())
    m.always("few", n < 5)
    return m.compile()


def family(writes: int | None, guarded: bool = True) -> TransitionSystem:
    """A guest that makes writes; a parameter says how many. Without its guard it makes one too many."""
    m = Model("writes")
    left, made = m.int("left", 0, INFINITY, writes or 0), m.int("made", 0, INFINITY)
    if writes is None:
        parameter(left)
    with m.thread("guest") as p, p.loop():
        p.do("writes", left.dec(), made.inc(), when=left > 0 if guarded else TRUE)
    m.always("fewer than three", made < 3)
    return over_naturals(m.compile())


def test_only_what_has_no_upper_end_is_natural() -> None:
    """A sort with an end is not, whatever its size; truth values are not."""
    assert is_natural(NATURAL) and is_natural(IntSort(-3, INFINITY))
    assert not is_natural(IntSort(0, INFINITY - 1)) and not is_natural(BOOL)
    assert has_naturals(counting()) and not has_naturals(counting(high=9))


def test_the_upper_end_is_no_fault() -> None:
    """A counter that only grows cannot go wrong; the same one with an end can, and `over_naturals` leaves that alone."""
    (unlimited,) = over_naturals(counting()).actions
    (limited,) = over_naturals(counting(high=9)).actions
    assert unlimited.faults == ()
    assert len(limited.faults) == 1


def test_the_lower_end_still_is_one() -> None:
    """Taking one from 0 is a fault of the model, and the search says so."""
    system = family(2, guarded=False)
    assert [len(action.faults) for action in system.actions] == [1]
    found = bmc.decide(system, ["fewer than three"], Limits(depth=5))
    assert found["values in range"].outcome is Outcome.VIOLATED and "left" in str(found["values in range"].reason)
    assert one(bmc.decide, family(2), "fewer than three", Limits(depth=5)).outcome is Outcome.HOLDS


def test_both_ends_in_one_condition() -> None:
    """An update that may leave its sort at either end keeps the lower one."""
    m = Model("up and down")
    n, up = m.int("n", 0, INFINITY), m.bool("up")
    with m.thread("counter") as p, p.loop(), p.atomic():
        with p.when(up):
            p.do("counts", n.inc())
        with p.otherwise():
            p.do("counts down", n.dec())
    m.always("any", n >= 0)
    system = over_naturals(m.compile())
    (position,) = (i for i, variable in enumerate(system.variables) if variable.name == "n")

    def fault(number: int, upwards: int) -> bool:
        state = tuple({"n": number, "up": upwards}.get(variable.name, 0) for variable in system.variables)
        return any(system.fault(state, action) is not None for action in system.enabled(state))

    assert system.variables[position].sort.high == INFINITY
    assert fault(0, 0) and not fault(0, 1) and not fault(1, 0) and not fault(INFINITY, 1)


def test_a_parameter_starts_with_any_value() -> None:
    """Nothing is said of it at the beginning but its sort."""
    relation = Relation(family(None))
    assert "(= v0" not in relation.initial and "(= v1 0)" in relation.initial
    assert "(= v0 7)" in Relation(family(7)).initial


def test_a_counterexample_belongs_to_a_member() -> None:
    """The search finds how many writes it takes; the trace starts in that member."""

    def member(state: State) -> TransitionSystem:
        return family(state[0])

    found = one(bmc.decide, family(None), "fewer than three", instance=member)
    assert found.outcome is Outcome.VIOLATED and found.trace is not None
    assert found.trace.initial[0] >= 3 and len(found.trace.actions) == 3
    assert found.trace.digest == family(found.trace.initial[0]).digest


def test_what_is_known_narrows_the_search() -> None:
    """It is taken for granted: with something false for known, nothing is found. That is why only proofs may be passed."""
    system = family(None)
    left = system.variables[0]
    assert isinstance(left, IntVar)
    few = one(bmc.decide, system, "fewer than three", Limits(depth=6), instance=lambda s: family(s[0]), known=left < 1)
    assert few.outcome is not Outcome.VIOLATED
    some = one(
        bmc.decide, system, "fewer than three", Limits(depth=6), instance=lambda s: family(s[0]), known=left >= 0
    )
    assert some.outcome is Outcome.VIOLATED


def test_properties_that_no_state_shows_are_unknown() -> None:
    """Bounded model checking of a family decides what bounded model checking decides."""
    m = Model("finish")
    n = m.int("n", 0, INFINITY)
    parameter(n)
    with m.thread("guest") as p, p.loop():
        p.do("counts down", n.dec(), when=n > 0)
    m.can_always_finish("ends", n.is_(0))
    found = one(bmc.decide, over_naturals(m.compile()), "ends", instance=lambda _: counting())
    assert found.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("explore", [explicit.explore, interpreter.explore])
def test_explicit_engines_refuse_naturals(explore: object) -> None:
    """One clear error instead of a search without end, or of no state at all."""
    assert callable(explore)
    for system, words in ((counting(), "n has no upper end"), (family(None), "left has no upper end")):
        with pytest.raises(ModelError, match=words):
            explore(system)


def test_a_bounded_parameter_is_refused_too() -> None:
    """A variable without initial values would make every property hold of no state."""
    system = counting(high=9)
    variable = IntVar("m", IntSort(0, 3), ())
    with pytest.raises(ModelError, match="m may start with any value"):
        refuse_naturals(replace(system, variables=(*system.variables, variable)))
    refuse_naturals(system)
