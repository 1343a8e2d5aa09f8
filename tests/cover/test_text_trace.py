"""Traces as call trees: layout, numbering, interruptions, and the word on what was violated."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent, indent
from typing import NamedTuple

import pytest
from rich.text import Text

from draincheck.errors import ModelError, SourceLine, TraceError
from draincheck.expr import BOOL, FALSE, TRUE, BoolExpr, EnumSort, IntSort
from draincheck.report.text import MAX_CONDITION, render_outline, render_trace, summarize_marks
from draincheck.system import (
    Action,
    Always,
    Assertion,
    BoolVar,
    CanAlwaysFinish,
    Check,
    EnumVar,
    Eventually,
    IntVar,
    LeadsTo,
    NoDeadlock,
    Part,
    Property,
    Reachable,
    TransitionSystem,
    Update,
    Variable,
)
from draincheck.trace import Trace

EVENTFD = BoolVar("eventfd", BOOL, (0,))
WINDOW = BoolVar("window", BOOL, (0,))
IN_FLIGHT = IntVar("in_flight", IntSort(0, 2), (0,))
REQUEST = EnumVar("request", EnumSort.of(["new", "in flight", "done"]), (0,))
DATA = BoolVar("data[0]", BOOL, (0,))
STEP = IntVar("step", IntSort(0, 30), (0,), internal=True)
VISIBLE: tuple[Variable, ...] = (EVENTFD, WINDOW, IN_FLIGHT)


class Do(NamedTuple):
    """One scripted part."""

    label: str
    frames: tuple[str, ...] = ()
    opens: int = 0
    updates: tuple[Update, ...] = ()
    mark: str = ""
    enters: str = ""
    when: BoolExpr = TRUE


class Script:
    """A system that can do one thing only: its steps in the order they were added."""

    def __init__(self, *variables: Variable) -> None:
        self.variables = (*(variables or VISIBLE), STEP)
        self.actions: list[Action] = []

    def step(
        self,
        process: str,
        *dos: Do,
        checks: tuple[Check, ...] = (),
        updates: tuple[Update, ...] = (),
        then: int | None = None,
    ) -> None:
        """Add a step made of parts; `then` is the step that comes after it if not the one added next."""
        index = len(self.actions)
        written = {update.variable: update for do in dos for update in do.updates} | {u.variable: u for u in updates}
        self.actions.append(
            Action(
                index,
                process,
                tuple(map(_part, dos)),
                STEP.is_(index),
                (*written.values(), STEP.set(index + 1 if then is None else then)),
                checks,
            )
        )

    def system(self, *properties: Property) -> TransitionSystem:
        """The finished system."""
        return TransitionSystem("demo", self.variables, tuple(self.actions), properties)

    def trace(self, *properties: Property) -> tuple[TransitionSystem, Trace]:
        """The finished system and its only complete trace, as evidence about the first property."""
        system = self.system(*properties)
        name = properties[0].name if properties else ""
        return system, Trace("demo", system.digest, name, system.initial[0], tuple(range(len(self.actions))))


def _part(do: Do) -> Part:
    writes = tuple(update.variable.name for update in do.updates)
    return Part(do.label, do.frames, do.opens, do.mark, SourceLine("demo.py", 1), do.when, writes, do.enters)


def tree(text: str) -> str:
    """Only the call tree of a rendered trace: what stands between the first and the last empty line around it."""
    return text.split("\n\n", 1)[1]


def drawing(text: str) -> str:
    """A call tree as the source of this test shows it, at the margin where it is printed."""
    return indent(dedent(text), "    ")


LOOP = ("main_loop_wait #", "os_host_main_loop_wait", "g_main_context_dispatch")
AIO = (*LOOP, "aio_ctx_dispatch (qemu_aio_context)")
IOHANDLER = (*LOOP, "aio_ctx_dispatch (iohandler_ctx)", "virtio_queue_host_notifier_read")
EXIT = (LOOP[0], "aio_dispatch", "aio_bh_poll")
NO_REQUEST = Assertion("no request at (c)", meaning="no request is in flight when mirror_exit runs")
CHECK = Check(NO_REQUEST.name, IN_FLIGHT.is_(0), SourceLine("demo.py", 7))


def _defer(script: Script) -> None:
    script.step("main thread", Do("ppoll", LOOP[:2]))
    script.step("guest", Do("kick", updates=(EVENTFD.set(),)))
    script.step("main thread", Do("qemu_coroutine_enter", AIO, 2, enters="mirror"))
    script.step("mirror", Do("no request pending", ("mirror_run", "bdrv_drain")))
    script.step("mirror", Do("block_job_defer_to_main_loop", ("mirror_run",), 1, (WINDOW.set(),), mark="a"))


def _submit(script: Script, frames: tuple[str, ...], opens: int) -> None:
    script.step("main thread", Do("test and clear", frames, opens, (EVENTFD.clear(),)))
    multiwrite = (*frames, "virtio_submit_multiwrite")
    script.step("main thread", Do("blk_aio_multiwrite", multiwrite, len(frames), (IN_FLIGHT.inc(),), mark="b"))


def bug_case_1() -> tuple[TransitionSystem, Trace]:
    """The iohandlers are dispatched after the mirror coroutine, in the same iteration."""
    script = Script()
    _defer(script)
    _submit(script, IOHANDLER, 3)
    script.step("main thread", Do("mirror_exit", EXIT, 0, (WINDOW.clear(),), mark="c"), checks=(CHECK,))
    return script.trace(NO_REQUEST)


def bug_case_2() -> tuple[TransitionSystem, Trace]:
    """The iohandlers are dispatched before the exit callback, in the next iteration."""
    script = Script()
    _defer(script)
    _submit(script, IOHANDLER, 0)
    script.step("main thread", Do("mirror_exit", EXIT, 1, (WINDOW.clear(),), mark="c"), checks=(CHECK,))
    return script.trace(NO_REQUEST)


def test_bug_case_1_is_drawn_like_in_the_commit_message() -> None:
    """A whole trace: header, nested calls with a coroutine in them, marks, the guest's interruption, the verdict."""
    assert render_trace(*bug_case_1()) == dedent(
        """\
        demo: violation of 'no request at (c)', 8 steps
        initially eventfd=0, window=0, in_flight=0

            main_loop_wait # 1
              os_host_main_loop_wait
                ppoll
                ~ guest: kick                       eventfd=1
                g_main_context_dispatch
                  aio_ctx_dispatch (qemu_aio_context)
                    qemu_coroutine_enter
                    mirror_run
                      bdrv_drain
                        no request pending
                  (a) block_job_defer_to_main_loop  window=1
                  aio_ctx_dispatch (iohandler_ctx)
                    virtio_queue_host_notifier_read
                      test and clear                eventfd=0
                      virtio_submit_multiwrite
                    (b) blk_aio_multiwrite          in_flight=1

            main_loop_wait # 2
              aio_dispatch
                aio_bh_poll
              (c) mirror_exit                       window=0

        violated in step 8: no request at (c): no request is in flight when
            mirror_exit runs
            must hold before it: in_flight == 0
            with in_flight=1
        """
    )


def test_outline_keeps_the_marked_steps_only() -> None:
    """The outline of bug case 2 is the drawing: marked steps, their calls, the iterations; no values."""
    assert render_outline(*bug_case_2()) == drawing(
        """\
            main_loop_wait # 1
              os_host_main_loop_wait
                g_main_context_dispatch
                  aio_ctx_dispatch (qemu_aio_context)
                    mirror_run
                  (a) block_job_defer_to_main_loop

            main_loop_wait # 2
              os_host_main_loop_wait
                g_main_context_dispatch
                  aio_ctx_dispatch (iohandler_ctx)
                    virtio_queue_host_notifier_read
                      virtio_submit_multiwrite
                    (b) blk_aio_multiwrite
              aio_dispatch
                aio_bh_poll
              (c) mirror_exit
        """
    )


def test_marks_tell_bug_case_1_from_bug_case_2() -> None:
    """In case 1 the request comes in the iteration of (a), in case 2 in that of (c)."""
    assert [(m.mark, m.iteration) for m in summarize_marks(*bug_case_1())] == [("a", 1), ("b", 1), ("c", 2)]
    assert [(m.mark, m.iteration) for m in summarize_marks(*bug_case_2())] == [("a", 1), ("b", 2), ("c", 2)]
    assert summarize_marks(*bug_case_1())[1].label == "blk_aio_multiwrite"


def test_mark_outside_numbered_calls_is_in_iteration_0() -> None:
    """A marked step that no numbered call encloses has no iteration."""
    script = Script()
    script.step("guest", Do("kick", mark="k"))
    assert summarize_marks(*script.trace()) == [("k", 0, "kick")]


def test_thread_switch_continues_the_numbering() -> None:
    """After another thread ran, the tree starts from the root with the same number, drawn calls cut to their ends."""
    script = Script()
    script.step("main thread", Do("one", AIO))
    script.step("iothread", Do("two", ("aio_poll #", "aio_dispatch")))
    script.step("main thread", Do("three", (*AIO, "bdrv_drain"), 4))
    script.step("main thread", Do("four", LOOP[:1]))
    assert tree(render_trace(*script.trace())) == dedent(
        """\
        -- main thread
            main_loop_wait # 1
              os_host_main_loop_wait
                g_main_context_dispatch
                  aio_ctx_dispatch (qemu_aio_context)
                    one

        -- iothread
            aio_poll # 1
              aio_dispatch
                two

        -- main thread
            main_loop_wait # 1 (continued)
              ... aio_ctx_dispatch (qemu_aio_context)
                    bdrv_drain
                      three

            main_loop_wait # 2
              four
        """
    )


def test_short_continuation_is_repeated_whole() -> None:
    """Where there is nothing between the outermost and the innermost call, nothing is left out."""
    script = Script()
    script.step("main", Do("one", ("f", "g")))
    script.step("other", Do("two", ("h",)))
    script.step("main", Do("three", ("f", "g"), 2))
    script.step("other", Do("four", ("h",), 1))
    ending = render_trace(*script.trace()).split("two\n\n")[1]
    assert ending == "-- main\n    f (continued)\n      g\n        three\n\n-- other\n    h (continued)\n      four\n"


def test_numbered_calls_are_never_left_out_of_a_continuation() -> None:
    """Which iteration goes on is what a reader needs to know, however deep it stands."""
    script = Script()
    script.step("io", Do("one", ("iothread_run", "f", "aio_poll #", "g", "h")))
    script.step("main", Do("two", ("m",)))
    script.step("io", Do("three", ("iothread_run", "f", "aio_poll #", "g", "h"), 5))
    lines = render_trace(*script.trace()).split("-- io\n")[2].splitlines()
    assert lines == [
        "    iothread_run (continued)",
        "    ... aio_poll # 1",
        "        ... h",
        "              three",
    ]


def test_surroundings_do_not_break_the_tree() -> None:
    """A process without calls interrupts at the current indentation; without it the rest of the drawing is the same."""
    with_kick, without = Script(), Script()
    for script in (with_kick, without):
        script.step("main", Do("one", ("f", "g")))
        if script is with_kick:
            script.step("guest", Do("kick", updates=(EVENTFD.set(),), mark="k"))
        script.step("main", Do("two", ("f", "g"), 2))
    lines = render_trace(*with_kick.trace()).splitlines()
    kick = "    (k) ~ guest: kick  eventfd=1"
    assert lines[6] == kick
    assert [line for line in lines[1:] if line != kick] == render_trace(*without.trace()).splitlines()[1:]


def test_model_without_calls_is_a_list_of_steps() -> None:
    """Where no process ever stands in a call there is no tree to interrupt, and every line names its process."""
    script = Script()
    script.step("writer", Do("write", enters="flush"))
    script.step("flush", Do("help"))
    script.step("reader", Do("read"))
    assert tree(render_trace(*script.trace())).split("\n") == [
        "    writer: write",
        "    flush: help",
        "    reader: read",
        "",
    ]


def test_resumed_coroutine_stands_under_whoever_entered_it_last() -> None:
    """A coroutine's calls are shown below those of its last enterer, and are continued there, not made again."""
    script = Script()
    script.step("main", Do("enter", ("mirror_start",), enters="co"))
    script.step("co", Do("yield", ("mirror_run", "mirror_iteration", "bdrv_co_read")))
    script.step("main", Do("enter", ("aio_dispatch", "aio_bh_poll"), enters="co"))
    script.step("co", Do("done", ("mirror_run", "mirror_iteration", "bdrv_co_read"), 3))
    script.step("main", Do("next", ("aio_dispatch", "aio_bh_poll"), 2))
    assert tree(render_trace(*script.trace())) == drawing(
        """\
            mirror_start
              enter
              mirror_run
                mirror_iteration
                  bdrv_co_read
                    yield

            aio_dispatch
              aio_bh_poll
                enter
                mirror_run (continued)
                ... bdrv_co_read
                      done
                next
        """
    )


def test_only_calls_made_anew_are_printed_again() -> None:
    """The same call is printed once; a second call of the same function is printed again."""
    for opens, times in ((1, 1), (0, 2)):
        script = Script()
        script.step("main", Do("one", ("aio_poll",)))
        script.step("main", Do("two", ("aio_poll",), opens))
        assert render_trace(*script.trace()).count("aio_poll") == times


def test_calls_that_were_never_open_are_printed_though_the_part_says_they_were() -> None:
    """On a path that skips the part that opened a call, the next part in it opens the call."""
    script = Script()
    script.step("main", Do("one", ("f",)))
    script.step("main", Do("two", ("f", "g"), 2))
    assert [line.strip() for line in tree(render_trace(*script.trace())).splitlines()] == ["f", "one", "g", "two"]


def test_skipped_part_is_not_shown_nor_counted() -> None:
    """A part whose condition is false in the state before the step leaves no line and no number."""
    script = Script()
    script.step("main", Do("skipped", ("loop #", "f"), when=WINDOW, mark="a"), Do("first", ("loop #",), 0))
    script.step("main", Do("second", ("loop #",), 0))
    system, trace = script.trace()
    assert [line.strip() for line in tree(render_trace(system, trace)).splitlines()] == [
        "loop # 1",
        "first",
        "",
        "loop # 2",
        "second",
    ]
    assert summarize_marks(system, trace) == []


def test_later_part_stands_in_the_call_a_skipped_part_opened() -> None:
    """A call opened by a part that did not take place is printed with the first part in it that did."""
    script = Script()
    script.step("main", Do("skipped", ("f", "g"), when=WINDOW), Do("taken", ("f", "g"), 2))
    assert [line.strip() for line in tree(render_trace(*script.trace())).splitlines()] == ["f", "g", "taken"]


def test_condition_of_a_part_is_about_the_state_before_the_step() -> None:
    """What an earlier part of the same step writes does not make a later one take place."""
    script = Script()
    script.step("main", Do("open", ("f",), updates=(WINDOW.set(),)), Do("skipped", ("f",), 1, when=WINDOW))
    script.step("main", Do("taken", ("f",), 1, when=WINDOW))
    text = render_trace(*script.trace())
    assert "taken" in text
    assert "skipped" not in text


def test_part_without_label_shows_only_with_what_it_changes() -> None:
    """Where control merely passes on there is no line, unless a value changes; the calls it opens stay open."""
    script = Script()
    script.step("main", Do("", ("f", "loop #")))
    script.step("main", Do("one", ("f", "loop #"), 2))
    script.step("main", Do("", ("f",), 1))
    script.step("main", Do("", ("f", "loop #"), 1, (WINDOW.set(),)))
    assert tree(render_trace(*script.trace())) == drawing(
        """\
        f
          loop # 1
            one
          loop # 2
            (goes on)  window=1
        """
    )


def test_change_belongs_to_the_last_part_that_writes_it() -> None:
    """Of several parts that write a variable, the last one that took place shows the change."""
    script = Script()
    script.step(
        "main",
        Do("first", ("f",), updates=(EVENTFD.set(),)),
        Do("last", ("f",), 1, (EVENTFD.set(),)),
        Do("skipped", ("f",), 1, (EVENTFD.set(),), when=WINDOW),
    )
    assert tree(render_trace(*script.trace())) == "    f\n      first\n      last  eventfd=1\n"


def test_only_what_changes_and_is_not_internal_is_shown() -> None:
    """A write of the old value, a program counter, and a reset that no part owns stay out of the text."""
    script = Script()
    script.step("main", Do("one", ("f",), updates=(EVENTFD.clear(),)), updates=(WINDOW.set(),))
    text = render_trace(*script.trace())
    assert text == "demo: trace, 1 step\ninitially eventfd=0, window=0, in_flight=0\n\n    f\n      one\n"


def test_enum_values_show_by_name() -> None:
    """A named value is shown as its name, a truth value as 0 or 1."""
    script = Script(REQUEST, DATA)
    script.step("main", Do("pop", ("f",), updates=(REQUEST.set("in flight"), DATA.set())))
    assert "pop  request=in flight, data[0]=1\n" in render_trace(*script.trace())


def test_action_without_parts_is_a_step() -> None:
    """An action without parts is shown with all it changes, in the calls its process stands in."""
    script = Script()
    script.step("main", Do("one", ("f", "g")))
    script.step("main", updates=(WINDOW.set(),))
    script.step("main", updates=())
    script.step("main", Do("two", ("f", "g"), 2))
    script.step("guest", updates=(EVENTFD.set(),))
    assert tree(render_trace(*script.trace())) == drawing(
        """\
        f
          g
            one
            (goes on)           window=1
            two
            ~ guest: (goes on)  eventfd=1
        """
    )


def test_values_stay_in_sight_beside_a_very_deep_step() -> None:
    """One very long line does not push the values of all others off the screen, and keeps its own."""
    script = Script()
    script.step("main", Do("short", updates=(EVENTFD.set(),)))
    script.step("main", Do("x" * 100, ("f",), updates=(WINDOW.set(),)))
    lines = render_trace(*script.trace()).splitlines()
    assert lines[3].index("eventfd=1") == 74
    assert lines[-1].endswith("x  window=1")


def test_many_initial_values_are_wrapped_between_values() -> None:
    """The initial values wrap like running text, never inside a value with a space in it."""
    variables = [EnumVar(f"request_{i}", EnumSort.of(["in flight", "done"]), (0,)) for i in range(12)]
    system = TransitionSystem("wide", tuple(variables), ())
    lines = render_trace(system, Trace("wide", system.digest, "", (0,) * 12, ())).rstrip("\n").splitlines()[1:]
    assert len(lines) > 2
    assert all(len(line) <= 78 and line.rstrip(",").endswith("=in flight") for line in lines)
    assert all(line.startswith("          request_") for line in lines[1:])


def _ending(prop: Property, final: BoolExpr = FALSE, steps: int = 1) -> str:
    """The ending of a trace that sets `window` and then can do nothing more."""
    script = Script()
    script.step("main", Do("one", ("f",), updates=(WINDOW.set(),)), checks=(CHECK, Check("early", WINDOW, CHECK.line)))
    system = replace(script.system(prop), final=final)
    trace = Trace("demo", system.digest, prop.name, system.initial[0], tuple(range(steps)))
    return render_trace(system, trace).split("\n\n")[-1]


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
    assert render_trace(*looping(answered)) == dedent(
        """\
        demo: violation of 'answered', 4 steps, the last 2 again and again
        initially eventfd=0, window=0, in_flight=0

            main_loop_wait # 1
              open     window=1

            main_loop_wait # 2
              os_host_main_loop_wait
                poll

        -- again and again:
            main_loop_wait # 2 (continued)
              os_host_main_loop_wait
                set    eventfd=1
                clear  eventfd=0

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
    assert tree(render_trace(system, replace(trace, loop=1))) == "    f\n      one\n\n-- again and again:\n"
    script.step("other", Do("never", ("g",)))
    script.actions[1] = replace(script.actions[1], parts=(_part(Do("two", ("f",), 1)),))
    script.actions[2] = replace(script.actions[2], guard=STEP.is_(0), updates=())
    system = script.system()
    trace = Trace("demo", system.digest, "", system.initial[0], (2, 0, 1), 2)
    assert tree(render_trace(system, trace)).endswith(
        "one\n\n-- again and again:\n-- main\n    f (continued)\n      two\n"
    )


@pytest.mark.parametrize(
    ("prop", "steps", "loop", "violated"),
    [
        (Eventually("e", IN_FLIGHT.is_(1)), 4, 2, True),
        (Eventually("e", WINDOW), 4, 2, False),
        (Eventually("e", ~WINDOW), 4, 2, False),
        (Eventually("e", IN_FLIGHT.is_(1)), 4, None, False),
        (LeadsTo("l", WINDOW, IN_FLIGHT.is_(1)), 4, 2, True),
        (LeadsTo("l", EVENTFD, IN_FLIGHT.is_(1)), 4, 2, True),
        (LeadsTo("l", WINDOW, EVENTFD), 4, 2, False),
        (LeadsTo("l", EVENTFD, ~EVENTFD), 4, 2, False),
        (LeadsTo("l", TRUE, ~WINDOW), 4, 2, True),
        (LeadsTo("l", FALSE, FALSE), 4, 2, False),
        (LeadsTo("l", WINDOW, IN_FLIGHT.is_(1)), 4, None, False),
    ],
)
def test_endless_run_is_judged_by_what_it_repeats(prop: Property, steps: int, loop: int | None, violated: bool) -> None:
    """A goal that is met in the loop is met again and again; a path that neither ends nor repeats shows nothing."""
    ending = render_trace(*looping(prop, steps=steps, loop=loop)).split("\n\n")[-1]
    assert ending.startswith("violated by repeating from step 3" if violated else "this trace does not decide") is True


def test_waiting_begins_after_the_goal_was_met_last() -> None:
    """A goal met just before the loop does not help; the waiting is shown to begin at the first trigger after it."""
    ending = render_trace(*looping(LeadsTo("l", WINDOW, STEP.is_(1)))).split("\n\n")[-1]
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
    assert "    must hold before it: in_flight == 1\n" in render_trace(*script.trace(NO_REQUEST, Assertion("other")))


@pytest.mark.parametrize(("length", "shown"), [(MAX_CONDITION, True), (MAX_CONDITION + 1, False)])
def test_endless_condition_is_not_printed(length: int, shown: bool) -> None:
    """A condition is printed up to a length; beyond, only the values in it are."""
    flag = BoolVar("x" * length, BOOL, (0,))
    system = TransitionSystem("long", (flag,), (), (Always("set", flag),))
    text = render_trace(system, Trace("long", system.digest, "set", (0,), ()))
    assert ("must hold:" in text) == shown
    assert text.endswith(f" {flag.name}=0\n")


def test_unknown_property_is_an_error_that_lists_the_known_ones() -> None:
    """A trace about a property that the system does not have is refused."""
    system, trace = bug_case_1()
    with pytest.raises(ModelError, match="has no property 'other'; it has no request"):
        render_trace(system, replace(trace, property="other"))


def test_trace_of_another_model_is_refused() -> None:
    """Nothing is drawn that the system cannot do."""
    system, trace = bug_case_1()
    for refused in (replace(trace, digest="0" * 64), replace(trace, actions=(5,))):
        with pytest.raises(TraceError):
            render_trace(system, refused)


def test_text_is_fit_for_a_commit_message() -> None:
    """Plain text is ASCII without trailing blanks or tabs, and ends in one newline."""
    for system, trace in (bug_case_1(), bug_case_2()):
        text = render_trace(system, trace)
        assert text.isascii()
        assert text.endswith("\n")
        assert all(line == line.rstrip() and "\t" not in line for line in text.split("\n"))


def test_colour_tells_kinds_of_lines_apart() -> None:
    """Marks, interruptions, changes, calls, and a violation have styles of their own; reaching a goal is no alarm."""
    painted = render_trace(*bug_case_1(), color=True)
    lines = {
        line.partition("]")[2].partition("[/]")[0].strip(): line.partition("]")[0] for line in painted.splitlines()
    }
    assert lines["(b) blk_aio_multiwrite"] == "[bold"
    assert lines["~ guest: kick"] == "[cyan"
    assert "[green]eventfd=1[/]" in painted
    assert "[dim]    main_loop_wait # 1[/]\n" in painted
    assert "[bold red]violated in step 8" in painted
    script = Script()
    script.step("main", Do("one", ("f",), updates=(WINDOW.set(),)))
    assert "[bold]reached after step 1: opens[/]" in render_trace(*script.trace(Reachable("opens", WINDOW)), color=True)


def test_colour_changes_no_character() -> None:
    """The markup for colour, taken away, leaves the plain text, even where labels look like markup."""
    script = Script(DATA)
    script.step("main", Do("[bold]read[/bold] \\", ("f [0]",), updates=(DATA.set(),), mark="a"))
    for system, trace in (bug_case_1(), script.trace()):
        painted = render_trace(system, trace, color=True)
        assert Text.from_markup(painted).plain == render_trace(system, trace)
        assert "[bold]" in painted
