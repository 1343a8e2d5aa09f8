"""What a model says wrongly is refused with one clear message, and the line where there is one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from draincheck.lang import TRUE, Model, ModelError
from draincheck.lang.fairness import Demand


def unknown_variable() -> None:
    m, other = Model("m"), Model("other")
    with m.thread("p") as p:
        p.do("step", other.bool("stray").set())
    m.compile()


def two_writers() -> None:
    m = Model("m")
    x = m.bool("x")
    with m.thread("p") as p:
        p.do("step", x.set(), x.clear())


def outside() -> None:
    m = Model("m")
    m.thread("p").do("step")


def unreachable() -> None:
    m = Model("m")
    with m.thread("p") as p:
        with p.loop():
            p.do("for ever")
        p.do("never")


def python_truth() -> None:
    m = Model("m")
    x = m.bool("x")
    bool(x & x)


def python_bool_as_condition() -> None:
    m = Model("m")
    with m.thread("p") as p:
        p.wait("always", True)  # type: ignore[arg-type]


def wrong_type() -> None:
    m = Model("m")
    m.int("n", 0, 3).set("three")  # type: ignore[arg-type]


def wrong_name() -> None:
    m = Model("m")
    m.enum("state", "idle", "busy").is_("bussy")


def wait_in_atomic() -> None:
    m = Model("m")
    x = m.bool("x")
    with m.thread("p") as p, p.atomic():
        p.do("first")
        p.wait("then wait", x)


def otherwise_alone() -> None:
    m = Model("m")
    with m.thread("p") as p, p.otherwise():
        p.do("step")


def no_such_place() -> None:
    m = Model("m")
    co = m.coroutine("co")
    with co as p:
        p.do("step")
    m.always("x", ~co.at("nowhere"))
    m.compile()


def name_twice() -> None:
    m = Model("m")
    m.bool("x")
    m.int("x", 0, 1)


def no_process() -> None:
    Model("empty").compile()


def break_outside() -> None:
    m = Model("m")
    with m.thread("p") as p:
        p.break_()


def update_as_mark() -> None:
    m = Model("m")
    lock = m.bool("lock")
    with m.thread("p") as p:
        p.wait("take", ~lock, lock.set())  # type: ignore[arg-type]


def update_of_no_step() -> None:
    m = Model("m")
    x = m.bool("x")
    with m.thread("p") as p, p.when(x):
        x.clear()
    m.compile()


def place_without_yield() -> None:
    m = Model("m")
    co = m.coroutine("co")
    with co as p:
        p.do("step")
        p.here("between")
        p.do("step")
    m.always("x", ~co.at("between"))
    m.compile()


def coroutine_of_another_model() -> None:
    m, other = Model("m"), Model("other")
    with m.thread("p") as p:
        p.enter(other.coroutine("co"))


def block_twice() -> None:
    m = Model("m")
    with m.thread("p") as p:
        block = p.call("f")
        for _ in range(2):
            with block:
                p.do("step")


def meaning_of_a_number() -> None:
    m = Model("m")
    m.always("p", TRUE, meaning=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("slip", "message"),
    [
        (update_as_mark, "a mark is a text in quotes; this is lock := True (Update)"),
        (update_of_no_step, "x := False is stored by no step"),
        (place_without_yield, "co never yields at 'between'"),
        (coroutine_of_another_model, "co is a coroutine of another model"),
        (block_twice, "a block is opened once: call call(...) anew"),
        (meaning_of_a_number, "the meaning of p is a text in quotes; this is 3 (int)"),
        (unknown_variable, "unknown variable stray: it was not made by this model"),
        (two_writers, "x is written twice in one step"),
        (outside, "step outside a process: write it inside the 'with' that begins 'p'"),
        (unreachable, "unreachable step"),
        (python_truth, "a model expression has no Python truth value"),
        (python_bool_as_condition, "a condition must be a truth-valued expression, not True"),
        (wrong_type, "expected an integer or an integer expression, not 'three'"),
        (wrong_name, "'bussy' is not one of idle, busy"),
        (wait_in_atomic, "a guard after something was done in the same step"),
        (otherwise_alone, "otherwise without a when just before it"),
        (no_such_place, "co has no place 'nowhere'"),
        (name_twice, "there is a variable 'x' already"),
        (no_process, "empty has no process"),
        (break_outside, "break_ outside a loop"),
    ],
)
def test_every_slip_is_one_clear_message(slip: Callable[[], None], message: str) -> None:
    """A model error says what is wrong; where a step is at fault, also where it stands."""
    with pytest.raises(ModelError) as error:
        slip()
    assert message in str(error.value)


@pytest.mark.parametrize(
    "slip", [unknown_variable, two_writers, outside, unreachable, wait_in_atomic, otherwise_alone, break_outside]
)
def test_errors_of_steps_name_the_source_line(slip: Callable[[], None]) -> None:
    """The place is the line of the model that recorded the step."""
    with pytest.raises(ModelError, match=r"test_language_slips\.py:\d+: "):
        slip()


def test_process_of_which_nothing_is_recorded_is_refused() -> None:
    """Somebody forgot to write it, or to open it; one that does nothing says so."""
    m = Model("m")
    with m.thread("p") as p:
        p.do("step")
    later = m.coroutine("later")
    with pytest.raises(ModelError, match=r"test_language_slips.py:\d+: nothing is recorded of later"):
        m.compile()
    with later:
        pass
    assert m.compile().name == "m"  # negative control


def test_model_without_a_name_is_refused() -> None:
    """Nothing that is said of it would say of what."""
    with pytest.raises(ModelError, match="the name of a model is empty"):
        Model(" ")


def test_who_serves_is_one_process_or_several() -> None:
    """As `fair` takes one."""
    m = Model("m")
    with m.thread("p") as p:
        p.do("step")
    m.served("one", ~p.at("(ended)"), p.at("(ended)"), by=p)
    m.served("several", ~p.at("(ended)"), p.at("(ended)"), by=[p])
    assert [item.process for item in m.fairness if isinstance(item, Demand)] == ["p", "p"]
