"""The explorer's parts: paths in what it keeps, the tree of guards, generated updates, the layout of packed states."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import cast

import pytest

from draincheck import interpreter, op
from draincheck.engines.explicit import explore
from draincheck.errors import EvidenceError
from draincheck.exploration import explorer, loop
from draincheck.exploration.explorer import Explorer, Keep
from draincheck.exploration.layout import Layout
from draincheck.exploration.loop import Loop
from draincheck.exploration.writer import Writer
from draincheck.expr import FALSE, TRUE, BoolExpr, IntExpr, ite, want_int
from draincheck.reason import StopKind
from draincheck.sorts import BOOL, EnumSort, IntSort
from draincheck.system import BoolVar, EnumVar, IntVar, Update
from draincheck.verdict import Exploration, Limits, Outcome
from tests.support.machines import Machine, counter, event_loop, philosophers

Explore = Callable[..., Exploration]

HOLDS, VIOLATED, UNKNOWN = Outcome.HOLDS, Outcome.VIOLATED, Outcome.UNKNOWN


def test_a_state_that_nothing_leads_to_has_no_path() -> None:
    """A path is looked for in what the loop finds, never made up."""
    found = Explorer(counter(5))
    found.run()
    found.layers[2] = [5]
    with pytest.raises(EvidenceError, match="nothing leads to state 5"):
        found.path(5)


@pytest.mark.parametrize(("late", "kind"), [(99, StopKind.STATES), (19, StopKind.SECONDS)])
def test_the_first_limit_is_the_reason(monkeypatch: pytest.MonkeyPatch, late: int, kind: StopKind) -> None:
    """A search that has stopped does not look at the clock again, though the time is up then; one that has not does."""
    wide = IntVar("wide", IntSort(0, 63), tuple(range(16)))
    machine = Machine(wide)
    machine.action("more", wide < 48, wide.set(wide + 16))
    found = Explorer(machine.system())
    monkeypatch.setattr(explorer, "PIECE", 1)
    monkeypatch.setattr("draincheck.budget.perf_counter", lambda: 2.0 if found.stopped or len(found) > late else 0.0)
    found.run(Limits(states=20, seconds=1))
    assert (len(found), found.stopped and found.stopped.kind) == (20, kind)


@pytest.mark.parametrize("keep", list(Keep))
def test_paths_do_not_depend_on_what_is_kept(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the shortest paths the one over the smallest states is taken, whatever was kept and however the layers were cut."""
    monkeypatch.setattr(explorer, "PIECE", 3)
    system = event_loop(1, 2)
    found = Explorer(system, keep=keep)
    found.run(Limits(states=200))
    reached = interpreter.states(system, Limits(states=200))
    assert list(map(found.loop.layout.unpack, found.order())) == reached
    first: dict[tuple[int, ...], list[int]] = {state: [] for state in system.initial}
    for state in reached:
        for action in system.enabled(state):
            first.setdefault(system.step(state, action), [*first[state], action.index])
    assert [found.path(state)[1] for state in found.order()] == [first[state] for state in reached]


def test_guards_are_tested_by_halves() -> None:
    """Where a process stands is looked at once for all its actions, and what else a guard says where the action stands."""
    system = philosophers()
    text = Loop(system).source
    assert text.count("x = s & ") == 2
    assert text.count("put(") == len(system.actions) == 6


def test_deep_trees_end_in_plain_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tree that grows too deep for Python's parser is cut; nothing is found differently."""
    expected = explore(philosophers())
    monkeypatch.setattr(loop, "DEEPEST", 3)
    assert "x = s & " not in Loop(philosophers()).source
    assert explore(philosophers()) == expected


N, M, BIT = IntVar("n", IntSort(0, 3), (0,)), IntVar("m", IntSort(-1, 2), (0,)), BoolVar("bit", BOOL, (0,))
TWO = IntExpr("", IntSort(2, 2), op=op.ADD, args=(want_int(1), want_int(1)))


@pytest.mark.parametrize(
    ("guard", "update"),
    [
        (N < 2, N.set(ite(BIT, cast(IntExpr, N), N + 1) + 1)),
        (N.is_(0), N.set(TWO)),
        (N.is_(0), N.set(ite(BIT, TWO, N + 1) - 1)),
        (N > 0, N.set(TWO)),
        (TRUE, N.set(ite(BIT, want_int(1), want_int(0)) + 2)),
        (TRUE, N.set(ite(BIT, M + 1, N))),
        (M > -1, N.set(M)),
        (N < 3, M.set(N)),
        (N < 3, M.set(IntExpr("", IntSort(-1, 2), op=op.SUB, args=(TWO, N)))),
        (BIT | N.is_(1) | N.is_(3), BIT.set(N < M)),
        (~N.is_(1) & ~N.is_(2), BIT.set(N.is_(M).iff(BIT))),
    ],
)
def test_updates(guard: BoolExpr, update: Update) -> None:
    """Terms of every shape come to the same in generated code as in the system."""
    machine = Machine(N, M, BIT)
    machine.action("update", guard, update)
    system = machine.system()
    code = Loop(system)
    for state in product(range(4), range(-1, 3), range(2)):
        code.expand((code.layout.pack(state),))
        expected = [system.step(state, action) for action in system.enabled(state)]
        assert list(map(code.layout.unpack, code.targets)) == expected


def test_layout() -> None:
    """A state is packed without gaps, each variable in as many bits as its values need, and comes back whole."""
    number, single = IntVar("n", IntSort(-3, 1), (0,)), IntVar("one", IntSort(7, 7), (7,))
    bit, mode = BoolVar("b", BOOL, (0,)), EnumVar("m", EnumSort.of(("x", "y", "z")), (0,))
    layout = Layout((number, single, bit, mode))
    assert layout.width == 3 + 0 + 1 + 2
    assert layout.fields[mode].offset == 0
    assert layout.pack((-3, 7, 0, 0)) == 0
    every = [(n, 7, b, m) for n in range(-3, 2) for b in (0, 1) for m in range(3)]
    packed = list(map(layout.pack, every))
    assert list(map(layout.unpack, packed)) == every == sorted(every)
    assert packed == sorted(packed)


def test_a_disjunction_of_nothing_is_written_as_false() -> None:
    """Of one that nobody folded nothing may be left: an empty tuple is false to Python alone, not to machine code."""
    layout = Explorer(counter(3)).loop.layout
    assert Writer(layout).condition(BoolExpr("", BOOL, op=op.OR, args=(FALSE, FALSE))) == "(False)"
