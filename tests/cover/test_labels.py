"""Steps that are called by what they test say what is true where they are taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import pytest

from draincheck.lang import BoolExpr, Model
from draincheck.lang.process import Process
from draincheck.system import TransitionSystem

CONDITIONS: list[Callable[[BoolExpr, BoolExpr], BoolExpr]] = [
    lambda a, b: a,
    lambda a, b: ~a,
    lambda a, b: a & b,
    lambda a, b: a & ~b,
    lambda a, b: ~a & b,
    lambda a, b: ~a & ~b,
    lambda a, b: a | b,
    lambda a, b: ~a | b,
    lambda a, b: ~(a & b),
    lambda a, b: ~(a | b),
    lambda a, b: ~a & (a | ~b),
]


def branched(p: Process, condition: BoolExpr, text: str) -> None:
    """A test with something to do on both sides."""
    with p.when(condition, text):
        p.do("yes")
    with p.otherwise():
        p.do("no")


def repeated(p: Process, condition: BoolExpr, text: str) -> None:
    """A loop that goes on where a condition holds."""
    with p.while_(condition, text):
        p.do("again")


def ended(p: Process, condition: BoolExpr, text: str) -> None:
    """A loop that ends where a condition holds."""
    with p.until(condition, text):
        p.do("again")


def system(write: Callable[[Process, BoolExpr, str], None], condition: int, text: str = "") -> TransitionSystem:
    """A model with one test of two variables."""
    m = Model("labels")
    a, b = m.any_initial(m.bool("a")), m.any_initial(m.bool("b"))
    with m.thread("main") as p:
        write(p, CONDITIONS[condition](a, b), text)
    return m.compile()


def said(found: TransitionSystem) -> Iterator[tuple[str, bool, bool]]:
    """For each step that a test is, and each start: its label, whether that is true as Python reads it, and whether the step is taken."""
    for a, b in product((False, True), repeat=2):
        state = next(s for s in found.initial if found.decoded(s)["a"] == a and found.decoded(s)["b"] == b)
        taken = {action.index for action in found.enabled(state)}
        for action in found.actions:
            if action.location in {None, 0} and action.name not in {"yes", "no", "again"}:
                yield action.name, bool(eval(action.name, {"a": a, "b": b})), action.index in taken


@pytest.mark.parametrize("condition", range(len(CONDITIONS)))
@pytest.mark.parametrize("write", [branched, repeated, ended])
def test_a_label_is_true_where_its_step_is_taken(
    write: Callable[[Process, BoolExpr, str], None], condition: int
) -> None:
    """And nowhere else, whichever operators the test is made of."""
    found = list(said(system(write, condition)))
    assert len({label for label, _, _ in found}) == 2
    assert [label for label, true, taken in found if true != taken] == []


@pytest.mark.parametrize(
    ("text", "opposite"),
    [
        ("kicked", "not kicked"),
        ("not kicked", "kicked"),
        ("kicked and drained", "not (kicked and drained)"),
        ("not kicked and drained", "not (not kicked and drained)"),
        ("kicked or drained", "not (kicked or drained)"),
        ("not (kicked or drained)", "kicked or drained"),
        ("kicked & drained", "not (kicked & drained)"),
        ("not kicked | drained", "not (not kicked | drained)"),
        ("kicked AND drained", "not (kicked AND drained)"),
        ("kicked, drained", "not (kicked, drained)"),
        ("not (a) & (b)", "not (not (a) & (b))"),
        ("not (a) or (b)", "not (not (a) or (b))"),
    ],
)
@pytest.mark.parametrize("write", [branched, repeated, ended])
def test_words_of_a_test_have_their_opposite(
    write: Callable[[Process, BoolExpr, str], None], text: str, opposite: str
) -> None:
    """What is said of the other side is not what was meant of a part of it."""
    names = {action.name for action in system(write, 0, text).actions} - {"yes", "no", "again"}
    assert names >= {text, opposite}
