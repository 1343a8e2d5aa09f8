"""A variable costs what is said about it, not how many values its range has."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from tracemalloc import get_traced_memory, start, stop

import pytest

from draincheck import Limits, Model, Outcome, check, interpreter
from draincheck.certificate.certification import certify
from draincheck.checking import Result
from draincheck.errors import ModelError
from draincheck.exploration.domains import Values, complement, intersection, size, union
from draincheck.expr import ite, number
from draincheck.reason import Stop, StopKind
from draincheck.sorts import IntSort
from draincheck.system import IntVar
from draincheck.verdict import Exploration
from tests.support.samples import sampled

#: values of the small variable whose sets are all looked at
FEW = range(-1, 4)

MEGABYTE = 1_000_000


def sets() -> list[Values]:
    """All sets of values of the small variable."""
    found: list[Values] = []
    for chosen in product((False, True), repeat=len(FEW)):
        values = [value for value, inside in zip(FEW, chosen, strict=True) if inside]
        borders = {*values, *(value + 1 for value in values)}
        found.append(tuple(sorted(b for b in borders if (b in values) != (b - 1 in values))))
    return found


def members(values: Values) -> set[int]:
    """What is in a set, by its borders."""
    return {v for v in FEW if sum(border <= v for border in values) % 2}


def test_sets_of_values_are_sets() -> None:
    """Union, intersection, complement and size of sets of values are those of Python's sets."""
    variable = IntVar("x", IntSort(FEW[0], FEW[-1]), (0,))
    for one, other in product(sets(), repeat=2):
        assert members(union(one, other)) == members(one) | members(other)
        assert members(intersection(one, other)) == members(one) & members(other)
    for one in sets():
        assert members(complement(variable, one)) == set(FEW) - members(one)
        assert size(one) == len(members(one))


def disks(high: int) -> Model:
    """Byte offsets of three disks, one below and one above nothing: together wider than 64 bits."""
    m = Model("offsets")
    here, there = m.int("here", 0, high), m.int("there", -high, high, initial=7)
    copied = m.int("copied", 0, high)
    with m.thread("seeker") as p:
        p.do("seek to the end", here.set(high), there.set(here - 3))
        p.do("copy", copied.set(ite(here > 100, number(high), number(3))))
        with p.when(there < 0):
            p.do("turn", there.to(number(4) - there))
        p.do("one back", copied.dec())
    m.fair(p)
    m.always("inside", here < high)
    m.always("far or near", (copied < 10) | (copied > 1000) | copied.is_(55))
    m.always("not at seven", ~there.is_(7) | ~copied.is_(high - 1))
    m.eventually("copied in the end", copied.is_(high - 1))
    m.can_always_finish("can be copied", copied.is_(high - 1))
    m.final(copied.is_(high - 1))
    m.no_deadlock()
    return m


@pytest.mark.parametrize("engine", sampled(["explicit", "bmc", "auto", "induction"], 3))
@pytest.mark.parametrize("high", [1 << 40, 1 << 62])
def test_engines_take_wide_ranges(engine: str, high: int) -> None:
    """Every engine decides a model whose variables have 2**40 or 2**62 values, as the interpreter does."""
    system = disks(high).compile()
    expected = interpreter.explore(system).verdicts
    for name, verdict in check(system, engine=engine).verdicts.items():
        known = expected[name].outcome if expected[name].outcome is not Outcome.UNKNOWN else Outcome.HOLDS
        refused = engine in ("bmc", "induction") and name in ("can be copied", "no deadlock")
        assert verdict.outcome is (Outcome.UNKNOWN if refused else known), name


def test_wide_ranges_cost_nothing() -> None:
    """Building, searching and certifying a model with 2**62 values takes next to no memory."""
    start()
    try:
        found = certify(disks(1 << 62))
        assert get_traced_memory()[1] < 20 * MEGABYTE
    finally:
        stop()
    assert found.certificate is not None


def anywhere(high: int) -> Model:
    """A counter that starts anywhere and goes down."""
    m = Model("anywhere")
    x = m.any_initial(m.int("x", 0, high))
    with m.thread("t") as p:
        p.do("down", x.dec(), when=x > 0)
    m.always("not seven", ~x.is_(7))
    m.always("in range", x <= high - 1)
    m.always("less once it has ended", (x <= high - 1) | ~m.at("t", "(ended)"))
    return m


@pytest.mark.parametrize("explore", [check, interpreter.explore])
def test_initial_states_stop_at_a_limit(explore: Callable[..., Result | Exploration]) -> None:
    """2**40 initial states are stored up to the limit of states and no further; what was seen of them counts."""
    system = anywhere(1 << 40).compile()
    verdicts = explore(system, limits=Limits(states=3_000)).verdicts
    assert verdicts["not seven"].outcome is Outcome.VIOLATED
    assert verdicts["in range"].outcome is Outcome.UNKNOWN
    assert verdicts["in range"].reason.stopped == Stop(StopKind.STATES, 3_000)


def test_initial_states_stop_in_time(hurry: None) -> None:
    """Making initial states ends when time is up."""
    verdict = check(anywhere(1 << 40).compile(), limits=Limits(seconds=1)).verdicts["in range"]
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.reason.stopped is not None
    assert verdict.reason.stopped.kind is StopKind.SECONDS


def test_any_initial_value_is_proved_of() -> None:
    """Induction speaks of all 2**40 initial values without listing them."""
    found = check(anywhere(1 << 40), engine="induction", limits=Limits(depth=3)).verdicts
    assert found["less once it has ended"].outcome is Outcome.HOLDS
    assert found["in range"].outcome is Outcome.VIOLATED


def test_initial_states_are_numbered_in_order() -> None:
    """Initial states are every combination once, in ascending order, whatever order values were given in."""
    m = Model("two")
    x, y = m.int("x", 0, 5), m.any_initial(m.int("y", -1, 1))
    x.start_with((4, 2, 4))
    with m.thread("t") as p:
        p.do("go", y.set(0))
    initial = m.compile().initial
    assert [state[:2] for state in initial] == [(2, -1), (2, 0), (2, 1), (4, -1), (4, 0), (4, 1)]
    assert initial.number == 6
    assert initial[3] in initial
    assert (3, 0, 0) not in initial
    assert (2, 0) not in initial


@pytest.mark.parametrize("engine", ["explicit", "bmc", "auto"])
@pytest.mark.parametrize("top", [(1 << 64) - 1, 1 << 64, 1 << 93])
def test_a_number_with_an_end_has_one(top: int, engine: str) -> None:
    """However far away it is: it is passed, and every engine sees it."""
    m = Model("upper end")
    x = m.int("x", 0, top, initial=top - 1)
    with m.thread("t") as p, p.loop():
        p.do("up", x.inc())
    m.always("below", x < top)
    found = check(m, engine=engine)
    assert {item.name: item.outcome for item in found.findings} == {
        "below": Outcome.VIOLATED,
        "values in range": Outcome.VIOLATED,
    }


def test_as_many_initial_values_as_fit() -> None:
    """More than there can be places in a list are refused where they are asked for."""
    m = Model("anywhere")
    m.any_initial(m.int("x", 1, 1 << 62))
    with pytest.raises(ModelError, match="y cannot start with any of its values: they are more than"):
        m.any_initial(m.int("y", 0, 1 << 62))
