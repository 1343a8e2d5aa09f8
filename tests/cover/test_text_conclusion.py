"""How a shown trace ends: the word on what was violated, met, or repeated for ever."""

from __future__ import annotations

from textwrap import dedent

import pytest
from msgspec.structs import replace

from draincheck.expr import FALSE, TRUE, BoolExpr
from draincheck.properties import (
    Always,
    Assertion,
    CanAlwaysFinish,
    Eventually,
    LeadsTo,
    NoDeadlock,
    Property,
    Reachable,
)
from draincheck.report.text import MAX_CONDITION, render_trace
from draincheck.run import Run, Trace
from draincheck.sorts import BOOL
from draincheck.system import BoolVar, Check, TransitionSystem
from tests.support.scripted import CHECK, EVENTFD, IN_FLIGHT, LOOP, NO_REQUEST, STEP, WINDOW, Do, Script, _part, tree


def _ending(prop: Property, final: BoolExpr = FALSE, steps: int = 1) -> str:
    """The ending of a trace that sets `window` and then can do nothing more."""
    script = Script()
    script.step("main", Do("one", ("f",), updates=(WINDOW.set(),)), checks=(CHECK, Check("early", WINDOW, CHECK.line)))
    system = replace(script.system(prop), final=final)
    trace = Trace("demo", system.digest, prop.name, system.initial[0], tuple(range(steps)))
    return _conclusion(render_trace(Run.of(system, trace)))


def _conclusion(text: str) -> str:
    """The last block of a trace before the table of who waits for what."""
    blocks = [block for block in text.rstrip("\n").split("\n\n") if not block.startswith("    who waits")]
    return f"{blocks[-1]}\n"


@pytest.mark.parametrize(
    ("prop", "ending"),
    [
        (
            Always("closed", ~WINDOW, meaning="the window stays closed"),
            "violated after step 1: closed: the window stays closed\n    must hold: not window\n    with window=1\n",
        ),
        (
            Assertion("early", meaning="it is open"),
            "violated in step 1: early: it is open\n    must hold before it: window\n    with window=0\n",
        ),
        (Reachable("opens", WINDOW), "reached after step 1: opens\n    goal: window\n    with window=1\n"),
        (
            NoDeadlock("no deadlock"),
            "violated after step 1: no deadlock\n    no process can take a step\n"
            "    with eventfd=0, window=1, in_flight=0\n",
        ),
        (
            CanAlwaysFinish("closes", ~WINDOW),
            "violated after step 1: closes\n    out of reach from here: not window\n    with window=1\n",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Property) else "",
)
def test_ending_says_what_was_decided_and_by_which_values(prop: Property, ending: str) -> None:
    """Each kind of property is concluded in its own words, with its condition and the values in it."""
    assert _ending(prop) == ending


def looping(*properties: Property, steps: int = 4, loop: int | None = 2) -> tuple[TransitionSystem, Trace]:
    """Opens the window once, then sets and clears the eventfd for ever in the second iteration."""
    script = Script()
    script.step("main", Do("open", LOOP[:1], 0, (WINDOW.set(),)))
    script.step("main", Do("poll", LOOP[:2], 0))
    script.step("main", Do("set", LOOP[:2], 2, (EVENTFD.set(),)))
    script.step("main", Do("clear", LOOP[:2], 2, (EVENTFD.clear(),)), then=2)
    system = script.system(*properties)
    name = properties[0].name if properties else ""
    return system, Trace("demo", system.digest, name, system.initial[0], tuple(range(steps)), loop)


def test_loop_is_announced_where_it_begins() -> None:
    """The steps that repeat stand below a line that says so, in the calls that go on."""
    answered = LeadsTo("answered", WINDOW, IN_FLIGHT.is_(1), meaning="an open window closes")
    assert render_trace(Run.of(*looping(answered))) == dedent(
        """\
        demo: violation of 'answered', 4 steps, the last 2 again and again
        initially eventfd=0, window=0, in_flight=0

              main_loop_wait # 1
        1       open     window=1

              main_loop_wait # 2
                os_host_main_loop_wait
        2         poll

        -- again and again:
              main_loop_wait # 2 (continued)
                os_host_main_loop_wait
        3         set    eventfd=1
        4         clear  eventfd=0

        violated by repeating from step 3 on for ever: answered: an open window closes
            true after step 1: window
            with window=1
            never true from then on: in_flight == 1
            with in_flight=0
        """
    )


def test_loop_of_which_nothing_shows_is_announced_too() -> None:
    """A loop without a visible step is still said to be there; threads are named below the announcement."""
    script = Script()
    script.step("main", Do("one", ("f",)))
    script.step("main", Do("", ("f",), 1), then=1)
    system, trace = script.trace()
    assert tree(render_trace(Run.of(system, replace(trace, loop=1)))) == "    f\n      one\n\n-- again and again:\n"
    script.step("other", Do("never", ("g",)))
    script.actions[1] = replace(script.actions[1], parts=(_part(Do("two", ("f",), 1)),))
    script.actions[2] = replace(script.actions[2], guard=STEP.is_(0), updates=())
    system = script.system()
    trace = Trace("demo", system.digest, "", system.initial[0], (2, 0, 1), 2)
    assert tree(render_trace(Run.of(system, trace))).endswith(
        "one\n\n-- again and again:\n-- main\n    f (continued)\n      two\n"
    )


REPEATS, STOPS = "violated by repeating from step 3", "violated by stopping there"


@pytest.mark.parametrize(
    ("prop", "loop", "how"),
    [
        (Eventually("e", IN_FLIGHT.is_(1)), 2, REPEATS),
        (Eventually("e", WINDOW), 2, ""),
        (Eventually("e", ~WINDOW), 2, ""),
        (Eventually("e", IN_FLIGHT.is_(1)), None, STOPS),
        (LeadsTo("l", WINDOW, IN_FLIGHT.is_(1)), 2, REPEATS),
        (LeadsTo("l", EVENTFD, IN_FLIGHT.is_(1)), 2, REPEATS),
        (LeadsTo("l", WINDOW, EVENTFD), 2, ""),
        (LeadsTo("l", EVENTFD, ~EVENTFD), 2, ""),
        (LeadsTo("l", TRUE, ~WINDOW), 2, REPEATS),
        (LeadsTo("l", FALSE, FALSE), 2, ""),
        (LeadsTo("l", WINDOW, IN_FLIGHT.is_(1)), None, STOPS),
    ],
)
def test_endless_run_is_judged_by_what_it_repeats(prop: Property, loop: int | None, how: str) -> None:
    """A goal that is met in the loop is met again and again; a run that nobody promised to go on may stop."""
    ending = render_trace(Run.of(*looping(prop, steps=4, loop=loop))).split("\n\n    who waits")[0].split("\n\n")[-1]
    assert ending.startswith(how or "this trace does not decide")


def test_waiting_begins_after_the_goal_was_met_last() -> None:
    """A goal met just before the loop does not help; the waiting is shown to begin at the first trigger after it."""
    ending = (
        render_trace(Run.of(*looping(LeadsTo("l", WINDOW, STEP.is_(1)))))
        .split("\n\n    who waits")[0]
        .split("\n\n")[-1]
    )
    assert "    true after step 2: window\n    with window=1\n" in ending


@pytest.mark.parametrize(
    ("prop", "ending"),
    [
        (
            Eventually("ends well", WINDOW & EVENTFD),
            "violated by ending there: ends well\n    never true: window and eventfd\n    with eventfd=0, window=1\n",
        ),
        (
            LeadsTo("closes", ~EVENTFD, WINDOW & EVENTFD),
            "violated by ending there: closes\n    true initially: not eventfd\n    with eventfd=0\n"
            "    never true from then on: window and eventfd\n    with eventfd=0, window=1\n",
        ),
        (LeadsTo("opens", TRUE, WINDOW), "this trace does not decide 'opens'\n"),
        (Eventually("opens", WINDOW), "this trace does not decide 'opens'\n"),
    ],
)
def test_run_that_ends_is_judged_by_its_end(prop: Property, ending: str) -> None:
    """Where nothing moves any more, a goal that has not been met never will be."""
    assert _ending(prop) == ending


def test_initial_state_alone_can_violate() -> None:
    """A trace without steps is a counterexample to an invariant that is false from the start."""
    assert _ending(Always("open", WINDOW), steps=0).startswith("violated initially: open\n")


@pytest.mark.parametrize(
    ("prop", "final", "steps"),
    [
        (Always("open or closed", TRUE), FALSE, 1),
        (NO_REQUEST, FALSE, 1),
        (Assertion("early"), FALSE, 0),
        (Reachable("opens", WINDOW), FALSE, 0),
        (CanAlwaysFinish("opens", WINDOW), FALSE, 1),
        (NoDeadlock("no deadlock"), FALSE, 0),
        (NoDeadlock("no deadlock"), WINDOW, 1),
    ],
)
def test_trace_that_shows_nothing_is_not_called_a_violation(prop: Property, final: BoolExpr, steps: int) -> None:
    """A trace at whose end the property is not violated (or reached) says so: the text never just believes the name."""
    assert _ending(prop, final, steps) == f"this trace does not decide {prop.name!r}\n"


def test_condition_over_internal_variables_is_not_printed() -> None:
    """A condition on a program counter would mean nothing to a reader; the visible values in it still do."""
    ending = _ending(Always("both", ~(WINDOW & STEP.is_(1))))
    assert ending == "violated after step 1: both\n    with window=1\n"


def test_condition_that_failed_is_the_one_shown() -> None:
    """Of several checks in a step, the one of this property that failed there is printed."""
    script = Script()
    checks = [(NO_REQUEST.name, ~EVENTFD), ("other", WINDOW), (NO_REQUEST.name, IN_FLIGHT.is_(1))]
    script.step("main", Do("one", ("f",)), checks=tuple(Check(name, holds, CHECK.line) for name, holds in checks))
    assert "    must hold before it: in_flight == 1\n" in render_trace(
        Run.of(*script.trace(NO_REQUEST, Assertion("other")))
    )


@pytest.mark.parametrize(("length", "shown"), [(MAX_CONDITION, True), (MAX_CONDITION + 1, False)])
def test_endless_condition_is_not_printed(length: int, shown: bool) -> None:
    """A condition is printed up to a length; beyond, only the values in it are."""
    flag = BoolVar("x" * length, BOOL, (0,))
    system = TransitionSystem("long", (flag,), (), (Always("set", flag),))
    text = render_trace(Run.of(system, Trace("long", system.digest, "set", (0,), ())))
    assert ("must hold:" in text) == shown
    assert text.endswith(f" {flag.name}=0\n")
