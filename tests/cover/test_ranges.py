"""Systems built by hand: what the language would have added is added, and what makes no sense is refused."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from draincheck import check
from draincheck.engines.explicit import explore
from draincheck.errors import ModelError, SourceLine
from draincheck.expr import TRUE, BoolExpr, constant
from draincheck.lang import Model
from draincheck.promise import Fairness, Strength
from draincheck.properties import Always, CanAlwaysFinish, FaultKind, NoDeadlock
from draincheck.ranges import guarded
from draincheck.sorts import EnumSort, IntSort
from draincheck.system import Action, EnumVar, Fault, IntVar, Part, TransitionSystem, Update
from draincheck.verdict import Outcome

X = IntVar("x", IntSort(0, 3), (3,))
E = EnumVar("e", EnumSort.of(["first", "second"]), (0,))
NO_VALUE = constant(E.sort, 2)
PART = Part("step", (), 0, "", SourceLine("hand.py", 7), TRUE)


def system(*steps: tuple[BoolExpr, Update], variable: IntVar = X) -> TransitionSystem:
    """A system of one variable and steps without faults."""
    actions = tuple(Action(n, "p", (PART,), guard, (update,)) for n, (guard, update) in enumerate(steps))
    properties = (NoDeadlock("alive"), CanAlwaysFinish("back", variable.is_(3)))
    return TransitionSystem("by hand", (variable,), actions, properties)


def test_a_store_out_of_range_is_a_fault_though_nobody_said_so() -> None:
    """Unguarded, 3 + 1 would be taken for 0, from where there is a way on."""
    found = check(system((X.is_(3), X.inc()), (X < 2, X.set(3))))["values in range"]
    assert str(found.verdict.reason).endswith("then p: step: x would become x + 1, outside 0..3 (hand.py:7)")


def test_a_store_that_a_guard_keeps_in_range_is_none() -> None:
    """Only where it really leaves the range: nothing is refused because it could."""
    found = check(system((X < 3, X.inc()), (X.is_(3), X.set(0))))
    assert found.holds and found.exploration is not None and found.exploration.statistics.states == 4


def test_what_the_language_makes_is_left_alone() -> None:
    """Its systems have their faults already, so that digests stay what they are."""
    m = Model("counter")
    n = m.int("n", 0, 3)
    with m.thread("p") as p, p.loop():
        p.do("count", n.inc())
    made = m.compile()
    assert guarded(made) is made


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (system(variable=IntVar("x", IntSort(0, 2), (5,))), "x starts with a value that is not an integer from 0 to 2"),
        (system(variable=IntVar("x", IntSort(0, 2), ())), "x starts with no value: name them, all are range(0, 3)"),
        (replace(system(), actions=(Action(4, "p", (PART,), TRUE, ()),)), "action 0 has the index 4"),
        (
            system(variable=IntVar("x", IntSort(0, 9), range(0, 10, 3))),
            "x starts with a range that does not go up one by one",
        ),
        (replace(system(), variables=(X, X)), "a variable stands twice among its variables"),
        (
            replace(system(), actions=(Action(0, "p", (PART,), TRUE, (X.set(1), X.set(2))),)),
            "x is written twice in one action",
        ),
        (system((TRUE, IntVar("y", IntSort(0, 3), (0,)).set(1))), "y is no variable of the system"),
        (
            TransitionSystem("by hand", (E,), (Action(0, "p", (PART,), TRUE, (Update(E, NO_VALUE),)),), ()),
            "a value is stored in e that is not one of first, second",
        ),
        (
            replace(system(), properties=(Always("one", X.is_(1)), Always("one", X < 4))),
            "there are two properties 'one'",
        ),
        (
            replace(system(), fairness=(Fairness("p", Strength.WEAK, (7,)),)),
            "weak fairness of p is about actions that there are not",
        ),
        (
            replace(system((TRUE, X.set(0))), fairness=(Fairness("p", Strength.WEAK, (-1,)),)),
            "weak fairness of p is about actions that there are not",
        ),
    ],
)
def test_systems_that_make_no_sense_are_refused(broken: TransitionSystem, message: str) -> None:
    """With what is wrong, before anything is explored."""
    with pytest.raises(ModelError, match=re.escape(message)):
        check(broken)


@pytest.mark.parametrize("engine", ["explicit", "bmc", "induction"])
def test_a_store_is_guarded_beside_one_that_has_a_fault(engine: str) -> None:
    """What somebody says of one variable says nothing of another: y leaves its range in the third step."""
    x, y = IntVar("x", IntSort(0, 3), (0,)), IntVar("y", IntSort(0, 2), (0,))
    said = Fault(FaultKind.RANGE, x > 3, "x is too large", PART.line, (x, x + 1))
    step = Action(0, "p", (PART,), x < 3, (x.inc(), y.inc()), faults=(said,))
    found = check(TransitionSystem("by hand", (x, y), (step,), (Always("low", y < 3),)), engine=engine)
    assert found["values in range"].outcome is Outcome.VIOLATED


def test_the_language_writes_no_variable_twice_in_one_action() -> None:
    """Also not where a coroutine enters itself, which is an error of the run."""
    m = Model("itself")
    co = m.coroutine("co")
    with co:
        co.enter(co)
    for name in ("a", "b"):
        with m.thread(name) as p:
            p.enter(co)
    assert check(m)["coroutines entered once"].outcome is Outcome.VIOLATED


def test_without_it_the_verdict_would_be_wrong() -> None:
    """Negative control: the engine alone takes the builder's word."""
    assert all(
        v.outcome.value == "holds" for v in explore(system((X.is_(3), X.inc()), (X < 2, X.set(3)))).verdicts.values()
    )


@pytest.mark.parametrize("make", [lambda: Update(X, TRUE), lambda: X.to(TRUE)], ids=["by hand", "by the variable"])
def test_an_update_of_another_sort_is_refused_however_it_is_made(make: Callable[[], Update]) -> None:
    """An engine would store a truth value in a number's bits."""
    with pytest.raises(ModelError, match="x is an integer from 0 to 3"):
        make()
