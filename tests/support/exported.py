"""Systems in which what is written wrong in another language shows: stores that read each other, checks, errors, marks, initial values."""

from __future__ import annotations

from draincheck.expr import ite
from draincheck.lang import Model
from draincheck.properties import Always, Assertion, NoDeadlock
from draincheck.sorts import BOOL, IntSort
from draincheck.system import BoolVar, FaultKind, IntVar, TransitionSystem
from tests.support.machines import Machine

__all__ = ["checked", "shifting", "starting"]


def shifting() -> TransitionSystem:
    """Three bits that move on, all at once, and a counter that is read while it changes."""
    bits = [BoolVar(f"bit {n}", BOOL, (int(n == 0),)) for n in range(3)]
    turns = IntVar("turns", IntSort(0, 5), (0,))
    machine = Machine(*bits, turns)
    machine.action(
        "shift",
        turns < 5,
        bits[0].set(bits[2]),
        bits[1].set(bits[0]),
        bits[2].set(bits[1]),
        turns.set(ite(bits[0], turns + 1, turns)),
    )
    machine.action("again", turns.is_(3), turns.set(0))
    return machine.system(Always("one", ~(bits[0] & bits[1])), Always("few", turns < 4))


def checked() -> TransitionSystem:
    """A counter with a check that holds and one that does not, an error, initial values that nothing leads to, and a mark that nothing reads."""
    number, mark = IntVar("number", IntSort(-1, 300), (-1, 4, 5)), IntVar("mark", IntSort(0, 1), (0,))
    given, unread = IntVar("given", IntSort(0, 2), (0, 1, 2)), BoolVar("unread", BOOL, (0,))
    machine = Machine(number, mark, given, unread)
    checks = [("below 7", number <= 6), ("below 300", number < 300)]
    machine.action("up", number < 300, number.inc(), checks=checks)
    machine.action("note", number.is_(9) & given.is_(2), mark.set(1))
    machine.action("see", number.is_(7), unread.set())
    machine.action(
        "over", number.is_(8), number.set(0), mark.set(1), faults=[(FaultKind.ERROR, ~mark.is_(1), "too early")]
    )
    demands = Assertion("below 7"), Assertion("below 300"), Always("not 300", number < 300), NoDeadlock("alive")
    return machine.system(*demands)


def starting() -> TransitionSystem:
    """Variables that start with any of their values, or with some, of every sort."""
    m = Model("starting")
    flag, number, last = m.bool("flag"), m.int("number", -1, 2), m.int("last", 0, 3, 3)
    word, other = m.enum("word", "one", "two", "three"), m.enum("other", "one", "two")
    for variable in (flag, number, word, other):
        m.any_initial(variable)
    last.start_with(range(1, 3))
    word.start_with(range(1, 3))
    with m.thread("t") as p:
        p.do("step", flag.to(~flag), number.inc(), when=word.is_("two") & (number < last))
    m.always("not both", ~(flag & number.is_(2)))
    m.always("not all", ~(flag & number.is_(2) & word.is_("three") & other.is_("one")))
    m.always("not one", ~word.is_("one"))
    return m.compile()
