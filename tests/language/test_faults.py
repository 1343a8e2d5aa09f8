"""Small programs that compilers of this language have got wrong, with the right verdicts; and slips that must not be taken for programs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from draincheck.engines.explicit import explore
from draincheck.engines.liveness import decide
from draincheck.lang import TRUE, BoolVar, IntVar, Model, ModelError, Process, ite
from draincheck.verdict import Outcome

HOLDS, VIOLATED, NEVER_ASKED = Outcome.HOLDS, Outcome.VIOLATED, Outcome.NEVER_ASKED


def verdicts(model: Model) -> dict[str, Outcome]:
    """The verdict of every property but those of liveness."""
    return {name: verdict.outcome for name, verdict in explore(model.compile()).verdicts.items()}


# guards inside `when` inside `atomic`


def guarded(p: Process, go: BoolVar, done: BoolVar) -> None:
    """The guard of a `do`."""
    p.do("may not happen", done.set(), when=go)


def waited(p: Process, go: BoolVar, done: BoolVar) -> None:
    """A `wait`."""
    p.wait("for go", go)
    p.do("may not happen", done.set())


def chosen(p: Process, go: BoolVar, done: BoolVar) -> None:
    """The guard of the only choice."""
    with p.either() as choice, choice(go):
        p.do("may not happen", done.set())


def chosen_of_two(p: Process, go: BoolVar, done: BoolVar) -> None:
    """The guards of two choices."""
    with p.either() as choice:
        with choice(go):
            p.do("may not happen", done.set())
        with choice(go & ~done):
            p.do("nor this", done.set())


@pytest.mark.parametrize("otherwise", [False, True])
@pytest.mark.parametrize("blocked", [guarded, waited, chosen, chosen_of_two])
def test_guard_inside_when_inside_atomic_is_kept(
    blocked: Callable[[Process, BoolVar, BoolVar], None], otherwise: bool
) -> None:
    """What a guard on the way forbids does not happen: nothing moves, which is a deadlock, and nobody gets past."""
    m = Model("kept")
    locked, go, done = m.bool("locked", True), m.bool("go"), m.bool("done")
    with m.thread("t") as p:
        with p.atomic():
            with p.when(locked):
                blocked(p, go, done)
            if otherwise:
                with p.otherwise():
                    p.do("other")
        p.do("gets here", done.set())
    m.always("never done", ~done)
    m.no_deadlock()
    m.reachable("gets there", done)
    m.can_always_finish("can finish", done)
    expected = {"never done": NEVER_ASKED, "no deadlock": VIOLATED, "gets there": VIOLATED, "can finish": VIOLATED}
    assert verdicts(m) == expected


def test_nothing_comes_to_an_end_that_waits_inside_atomic() -> None:
    """A demand on whole runs sees the same: who waits for ever never comes to an end."""
    m = Model("waits")
    locked, done = m.bool("locked", True), m.bool("done")
    with m.thread("t") as p, p.atomic():
        with p.when(locked):
            p.wait("until unlocked", ~locked)
        p.do("enter", done.set())
    m.eventually("comes to an end", done)
    assert decide(m.compile())["comes to an end"].outcome is VIOLATED


# tests, loops and checks


@pytest.mark.parametrize("atomic", [False, True])
def test_last_test_of_a_loop_is_not_one_step_with_what_follows(atomic: bool) -> None:
    """Between the test that leaves a loop and the next statement others may come, whether or not the loop stands in `atomic`."""
    m = Model("last test")
    c = m.bool("c")
    with m.thread("t") as p:
        around: AbstractContextManager[None] = p.atomic() if atomic else nullcontext()
        with around, p.while_(c):
            p.do("spin")
        p.check("c is still false", ~c)
        p.do("y")
    with m.thread("u") as p:
        p.do("c := true", c.set())
    assert verdicts(m) == {"c is still false": VIOLATED}


def test_loop_first_in_a_choice_stays_in_it() -> None:
    """After a round of a loop that begins an alternative, the other alternative is not open again."""
    m = Model("stays")
    a, b = m.bool("a"), m.bool("b")
    with m.thread("t") as p, p.either() as choice:
        with choice():
            p.do("A", a.set())
        with choice(), p.loop():
            p.do("B", b.set())
    m.always("A or B, not both", ~(a & b))
    assert verdicts(m) == {"A or B, not both": HOLDS}


@pytest.mark.parametrize("as_wait", [False, True])
def test_check_is_asked_before_what_never_comes(as_wait: bool) -> None:
    """A check is asked where it stands, whatever guard follows it, and however that is written."""
    m = Model("asked")
    a, n = m.bool("a"), m.int("n", 0, 2)
    with m.thread("t") as p:
        p.do("x", a.set())
        p.check("S", ~a)
        p.wait("blocked", n > 0) if as_wait else p.do("blocked", when=n > 0)
    assert verdicts(m) == {"S": VIOLATED}


@pytest.mark.parametrize(("checked", "states"), [(False, 3), (True, 5)])
def test_property_adds_no_states_but_a_check_is_a_step(checked: bool, states: int) -> None:
    """Outside `atomic` every check is one step, and nothing else that asks something is."""
    m = Model("steps")
    a = m.bool("a")
    with m.thread("t") as p:
        p.do("x", a.set())
        if checked:
            p.check("S", a)
        p.wait("y", a)
        if checked:
            p.check("S", a)
    m.always("T", a | ~a)
    m.reachable("R", a)
    assert explore(m.compile()).statistics.states == states


# slips


class Parts:
    """What slips are made of: a process that is being recorded, and some variables."""

    def __init__(self, m: Model, p: Process) -> None:
        self.m, self.p = m, p
        self.a: BoolVar = m.bool("a")
        self.n: IntVar = m.int("n", 0, 2)
        self.big, self.small = m.enum("big", *"abcde"), m.enum("small", "x", "y")


def slip_beside_choices(x: Parts) -> None:
    with x.p.either() as choice:
        x.p.do("beside", x.n.inc())
        with choice():
            x.p.do("y")


def slip_no_choice(x: Parts) -> None:
    with x.p.either():
        pass


def slip_guard_of_choice_behind_do(x: Parts) -> None:
    with x.p.atomic():
        x.p.do("x", x.n.inc())
        with x.p.either() as choice, choice(x.a):
            x.p.do("y")


def slip_wait_behind_do(x: Parts) -> None:
    with x.p.atomic():
        with x.p.when(x.a):
            x.p.do("x", x.n.inc())
        x.p.wait("w", x.a)


def slip_guard_behind_check(x: Parts) -> None:
    with x.p.atomic():
        x.p.check("S", x.a)
        x.p.do("x", x.n.inc(), when=x.a)


def slip_python_and(x: Parts) -> None:
    x.p.wait("w", a(x.a) and a(x.n))


def slip_python_if(x: Parts) -> None:
    if a(x.a):
        x.p.do("x")


def slip_test_with_equality(x: Parts) -> None:
    with x.p.when(a(x.n) == 1):
        x.p.do("x")


def forgotten(x: Parts, opened: Callable[[Process], Any]) -> None:
    """A block that is called, and not opened by `with`."""
    kept = opened(x.p)
    x.p.do("only in the block", x.n.inc())
    del kept


def a(x: Any) -> Any:
    """Anything: what slips write is of the wrong type, as type checkers would say too."""
    return x


SLIPS: dict[str, Callable[[Parts], object]] = {
    "beside choices": slip_beside_choices,
    "no choice": slip_no_choice,
    "guard of a choice behind a do": slip_guard_of_choice_behind_do,
    "wait behind a do": slip_wait_behind_do,
    "guard behind a check": slip_guard_behind_check,
    "and": slip_python_and,
    "if": slip_python_if,
    "when ==": slip_test_with_equality,
    "stored ==": lambda x: x.p.do("s", x.a.set(a(x.n) == 0)),
    "stored !=": lambda x: x.p.do("s", x.a.set(a(x.n) != 0)),
    "== for an update": lambda x: x.p.do("s", a(a(x.n) == 1)),
    "a term for an update": lambda x: x.p.do("s", a(x.a)),
    "no label": lambda x: x.p.do(a(x.a.set())),
    "no label of a wait": lambda x: x.p.wait(a(x.a), x.a),
    "no name of a check": lambda x: x.p.check(a(x.a), x.a),
    "no name of a place": lambda x: x.p.here(a(None)),
    "another enum": lambda x: x.p.do("s", x.small.to(x.big)),
    "another enum by set": lambda x: x.p.do("s", x.small.set(x.big)),
    "a number for a truth value": lambda x: x.p.do("s", x.a.to(x.n)),
    "a truth value for a number": lambda x: x.p.do("s", x.n.to(x.a)),
    "two enums in ite": lambda x: x.p.do("s", x.small.set(ite(x.a, x.small, x.big))),
    "two sorts in ite": lambda x: x.p.do("s", x.n.set(ite(x.a, a(x.n), a(x.a)))),
    "2 - n": lambda x: x.p.do("s", x.n.set(2 - a(x.n))),
    "2 * n": lambda x: x.p.do("s", x.n.set(2 * a(x.n))),
    "index": lambda x: x.p.do("s", [x.a][a(x.n)].set()),
    "no such name": lambda x: x.p.wait("s", x.small.is_("z")),
    "no such name stored": lambda x: x.p.do("s", x.small.set("z")),
    "a Python truth value": lambda x: x.p.wait("s", a(True)),
    "written twice": lambda x: x.p.do("s", x.n.inc(), x.n.set(0)),
    "when": lambda x: forgotten(x, lambda p: p.when(x.a)),
    "loop": lambda x: forgotten(x, lambda p: p.loop()),
    "while": lambda x: forgotten(x, lambda p: p.while_(x.a)),
    "until": lambda x: forgotten(x, lambda p: p.until(x.a)),
    "atomic": lambda x: forgotten(x, lambda p: p.atomic()),
    "call": lambda x: forgotten(x, lambda p: p.call("f")),
    "either": lambda x: forgotten(x, lambda p: p.either()),
    "otherwise": lambda x: x.p.otherwise().__enter__(),
    "break": lambda x: x.p.break_(),
    "continue": lambda x: x.p.continue_(),
}


@pytest.mark.parametrize("name", SLIPS)
def test_slip_is_one_message_with_its_line(name: str) -> None:
    """What has no meaning is refused, and the message says where it was written."""
    with pytest.raises(ModelError) as error:
        slipped(SLIPS[name])
    assert error.value.line is not None
    assert "test_faults.py" in str(error.value.line)


def slipped(slip: Callable[[Parts], object]) -> None:
    """Record and compile a process with a slip in it."""
    m = Model("slip")
    with m.thread("t") as p:
        slip(Parts(m, p))
        p.do("the end")
    m.compile()


def test_same_process_without_the_slip_is_a_model() -> None:
    """What the slips stand in is refused for nothing else."""
    slipped(lambda x: x.p.do("s", x.a.set(x.n.is_(0)), x.n.set(ite(x.a, x.n, x.n + 1)), when=TRUE))
