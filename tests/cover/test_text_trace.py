"""Traces as call trees: layout, numbering, interruptions, and the word on what was violated."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest
from msgspec.structs import replace
from rich.text import Text

from draincheck.errors import ModelError, TraceError
from draincheck.properties import Reachable
from draincheck.report.text import render_outline, render_trace
from draincheck.run import Run, Trace
from draincheck.sorts import EnumSort
from draincheck.system import EnumVar, TransitionSystem
from tests.support.marks import summarize_marks
from tests.support.scripted import (
    AIO,
    DATA,
    EVENTFD,
    LOOP,
    REQUEST,
    WINDOW,
    Do,
    Script,
    bug_case_1,
    bug_case_2,
    drawing,
    tree,
)


def test_bug_case_1_is_drawn_like_in_the_commit_message() -> None:
    """A whole trace: header, nested calls with a coroutine in them, numbers, marks, the guest's interruption, the verdict."""
    assert render_trace(Run.of(*bug_case_1())) == dedent(
        """\
        demo: violation of 'no request at (c)', 8 steps
        initially eventfd=0, window=0, in_flight=0

              main_loop_wait # 1
                os_host_main_loop_wait
        1         ppoll
        2         ~ guest: kick                       eventfd=1
                  g_main_context_dispatch
                    aio_ctx_dispatch (qemu_aio_context)
        3             qemu_coroutine_enter
                      mirror_run
                        bdrv_drain
        4                 no request pending
        5           (a) block_job_defer_to_main_loop  window=1
                    aio_ctx_dispatch (iohandler_ctx)
                      virtio_queue_host_notifier_read
        6               test and clear                eventfd=0
                        virtio_submit_multiwrite
        7             (b) blk_aio_multiwrite          in_flight=1

              main_loop_wait # 2
                aio_dispatch
                  aio_bh_poll
        8       (c) mirror_exit                       window=0

        violated in step 8: no request at (c): no request is in flight when
            mirror_exit runs
            must hold before it: in_flight == 0
            with in_flight=1
        """
    )


def test_a_step_has_its_number_once_and_one_without_a_line_has_none() -> None:
    """The first line of a step has it, right-aligned; steps that nothing shows of are counted all the same."""
    script = Script()
    for number in range(1, 9):
        script.step("main", Do(f"step {number}" if number < 3 else "", ("f",), 1))
    script.step("main", Do("first", ("f",), 1), Do("second", ("f", "g"), 1))
    script.step("main", Do("last", ("f",), 1))
    assert render_trace(Run.of(*script.trace())).partition("\n\n")[2].splitlines() == [
        "       f",
        " 1       step 1",
        " 2       step 2",
        " 9       first",
        "         g",
        "           second",
        "10       last",
    ]


def test_outline_keeps_the_marked_steps_only() -> None:
    """The outline of bug case 2 is the drawing: marked steps, their calls, the iterations; no values."""
    assert render_outline(Run.of(*bug_case_2())) == drawing(
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
    assert [(m.mark, m.iteration) for m in summarize_marks(Run.of(*bug_case_1()))] == [("a", 1), ("b", 1), ("c", 2)]
    assert [(m.mark, m.iteration) for m in summarize_marks(Run.of(*bug_case_2()))] == [("a", 1), ("b", 2), ("c", 2)]
    assert summarize_marks(Run.of(*bug_case_1()))[1].label == "blk_aio_multiwrite"


def test_mark_outside_numbered_calls_is_in_iteration_0() -> None:
    """A marked step that no numbered call encloses has no iteration."""
    script = Script()
    script.step("guest", Do("kick", mark="k"))
    assert summarize_marks(Run.of(*script.trace())) == [("k", 0, "kick")]


def test_thread_switch_continues_the_numbering() -> None:
    """After another thread ran, the tree starts from the root with the same number, drawn calls cut to their ends."""
    script = Script()
    script.step("main thread", Do("one", AIO))
    script.step("iothread", Do("two", ("aio_poll #", "aio_dispatch")))
    script.step("main thread", Do("three", (*AIO, "bdrv_drain"), 4))
    script.step("main thread", Do("four", LOOP[:1]))
    assert tree(render_trace(Run.of(*script.trace()))) == dedent(
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
    ending = tree(render_trace(Run.of(*script.trace()))).split("two\n\n")[1]
    assert ending == "-- main\n    f (continued)\n      g\n        three\n\n-- other\n    h (continued)\n      four\n"


def test_numbered_calls_are_never_left_out_of_a_continuation() -> None:
    """Which iteration goes on is what a reader needs to know, however deep it stands."""
    script = Script()
    script.step("io", Do("one", ("iothread_run", "f", "aio_poll #", "g", "h")))
    script.step("main", Do("two", ("m",)))
    script.step("io", Do("three", ("iothread_run", "f", "aio_poll #", "g", "h"), 5))
    lines = tree(render_trace(Run.of(*script.trace()))).split("-- io\n")[2].splitlines()
    assert lines == ["    iothread_run (continued)", "    ... aio_poll # 1", "        ... h", "              three"]


def test_surroundings_do_not_break_the_tree() -> None:
    """A process without calls interrupts at the current indentation; without it the rest of the drawing is the same."""
    with_kick, without = Script(), Script()
    for script in (with_kick, without):
        script.step("main", Do("one", ("f", "g")))
        if script is with_kick:
            script.step("guest", Do("kick", updates=(EVENTFD.set(),), mark="k"))
        script.step("main", Do("two", ("f", "g"), 2))
    lines = tree(render_trace(Run.of(*with_kick.trace()))).splitlines()
    kick = "    (k) ~ guest: kick  eventfd=1"
    assert lines[3] == kick
    assert [line for line in lines if line != kick] == tree(render_trace(Run.of(*without.trace()))).splitlines()


@pytest.mark.parametrize(
    ("thread", "named"),
    [("iothread", True), ("mainframe", True), ("main", False), ("main thread", False), ("main loop", False)],
)
def test_a_thread_alone_is_named_unless_it_is_the_main_one(thread: str, named: bool) -> None:
    """Which thread it is may be the point of a trace in which one takes part."""
    script = Script()
    script.step(thread, Do("poll", ("aio_poll",)))
    script.step("guest", Do("kick"))
    script.step(thread, Do("enter", ("aio_poll",), 1, enters="co"))
    script.step("co", Do("run", ("co_entry",)))
    lines = tree(render_trace(Run.of(*script.trace()))).splitlines()
    assert [line for line in lines if line.startswith("--")] == ([f"-- {thread}"] if named else [])


def test_model_without_calls_is_a_list_of_steps() -> None:
    """Where no process ever stands in a call there is no tree to interrupt, and every line names its process."""
    script = Script()
    script.step("writer", Do("write", enters="flush"))
    script.step("flush", Do("help"))
    script.step("reader", Do("read"))
    assert tree(render_trace(Run.of(*script.trace()))).split("\n") == [
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
    assert tree(render_trace(Run.of(*script.trace()))) == drawing(
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
        assert render_trace(Run.of(*script.trace())).count("aio_poll") == times


def test_calls_that_were_never_open_are_printed_though_the_part_says_they_were() -> None:
    """On a path that skips the part that opened a call, the next part in it opens the call."""
    script = Script()
    script.step("main", Do("one", ("f",)))
    script.step("main", Do("two", ("f", "g"), 2))
    assert [line.strip() for line in tree(render_trace(Run.of(*script.trace()))).splitlines()] == [
        "f",
        "one",
        "g",
        "two",
    ]


def test_skipped_part_is_not_shown_nor_counted() -> None:
    """A part whose condition is false in the state before the step leaves no line and no number."""
    script = Script()
    script.step("main", Do("skipped", ("loop #", "f"), when=WINDOW, mark="a"), Do("first", ("loop #",), 0))
    script.step("main", Do("second", ("loop #",), 0))
    system, trace = script.trace()
    assert [line.strip() for line in tree(render_trace(Run.of(system, trace))).splitlines()] == [
        "loop # 1",
        "first",
        "",
        "loop # 2",
        "second",
    ]
    assert summarize_marks(Run.of(system, trace)) == []


def test_later_part_stands_in_the_call_a_skipped_part_opened() -> None:
    """A call opened by a part that did not take place is printed with the first part in it that did."""
    script = Script()
    script.step("main", Do("skipped", ("f", "g"), when=WINDOW), Do("taken", ("f", "g"), 2))
    assert [line.strip() for line in tree(render_trace(Run.of(*script.trace()))).splitlines()] == ["f", "g", "taken"]


def test_condition_of_a_part_is_about_the_state_before_the_step() -> None:
    """What an earlier part of the same step writes does not make a later one take place."""
    script = Script()
    script.step("main", Do("open", ("f",), updates=(WINDOW.set(),)), Do("skipped", ("f",), 1, when=WINDOW))
    script.step("main", Do("taken", ("f",), 1, when=WINDOW))
    text = render_trace(Run.of(*script.trace()))
    assert "taken" in text
    assert "skipped" not in text


def test_part_without_label_shows_only_with_what_it_changes() -> None:
    """Where control merely passes on there is no line, unless a value changes; the calls it opens stay open."""
    script = Script()
    script.step("main", Do("", ("f", "loop #")))
    script.step("main", Do("one", ("f", "loop #"), 2))
    script.step("main", Do("", ("f",), 1))
    script.step("main", Do("", ("f", "loop #"), 1, (WINDOW.set(),)))
    assert tree(render_trace(Run.of(*script.trace()))) == drawing(
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
    assert tree(render_trace(Run.of(*script.trace()))) == "    f\n      first\n      last  eventfd=1\n"


def test_only_what_changes_and_is_not_internal_is_shown() -> None:
    """A write of the old value, a program counter, and a reset that no part owns stay out of the text."""
    script = Script()
    script.step("main", Do("one", ("f",), updates=(EVENTFD.clear(),)), updates=(WINDOW.set(),))
    text = render_trace(Run.of(*script.trace()))
    assert text == "demo: trace, 1 step\ninitially eventfd=0, window=0, in_flight=0\n\n      f\n1       one\n"


def test_enum_values_show_by_name() -> None:
    """A named value is shown as its name, a truth value as 0 or 1."""
    script = Script(REQUEST, DATA)
    script.step("main", Do("pop", ("f",), updates=(REQUEST.set("in flight"), DATA.set())))
    assert "pop  request=in flight, data[0]=1\n" in render_trace(Run.of(*script.trace()))


def test_action_without_parts_is_a_step() -> None:
    """An action without parts is shown with all it changes, in the calls its process stands in."""
    script = Script()
    script.step("main", Do("one", ("f", "g")))
    script.step("main", updates=(WINDOW.set(),))
    script.step("main", updates=())
    script.step("main", Do("two", ("f", "g"), 2))
    script.step("guest", updates=(EVENTFD.set(),))
    assert tree(render_trace(Run.of(*script.trace()))) == drawing(
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
    lines = render_trace(Run.of(*script.trace())).splitlines()
    assert lines[3].index("eventfd=1") == 76
    assert lines[-1].endswith("x  window=1")


def test_many_initial_values_are_wrapped_between_values() -> None:
    """The initial values wrap like running text, never inside a value with a space in it."""
    variables = [EnumVar(f"request_{i}", EnumSort.of(["in flight", "done"]), (0,)) for i in range(12)]
    system = TransitionSystem("wide", tuple(variables), ())
    lines = render_trace(Run.of(system, Trace("wide", system.digest, "", (0,) * 12, ()))).rstrip("\n").splitlines()[1:]
    assert len(lines) > 2
    assert all(len(line) <= 78 and line.rstrip(",").endswith("=in flight") for line in lines)
    assert all(line.startswith("          request_") for line in lines[1:])


def test_unknown_property_is_an_error_that_lists_the_known_ones() -> None:
    """A trace about a property that the system does not have is refused."""
    system, trace = bug_case_1()
    with pytest.raises(ModelError, match="has no property 'other'; it has no request"):
        render_trace(Run.of(system, replace(trace, property="other")))


def test_trace_of_another_model_is_refused() -> None:
    """Nothing is drawn that the system cannot do."""
    system, trace = bug_case_1()
    for refused in (replace(trace, digest="0" * 64), replace(trace, actions=(5,))):
        with pytest.raises(TraceError):
            render_trace(Run.of(system, refused))


def test_text_is_fit_for_a_commit_message() -> None:
    """Plain text is ASCII without trailing blanks or tabs, and ends in one newline."""
    for system, trace in (bug_case_1(), bug_case_2()):
        text = render_trace(Run.of(system, trace))
        assert text.isascii()
        assert text.endswith("\n")
        assert all(line == line.rstrip() and "\t" not in line for line in text.split("\n"))


def test_colour_tells_kinds_of_lines_apart() -> None:
    """Marks, interruptions, changes, calls, and a violation have styles of their own; reaching a goal is no alarm."""
    painted = render_trace(Run.of(*bug_case_1()), color=True)
    lines = {text.strip(): style for style, text in re.findall(r"\[([a-z ]+)\](.*?)\[/\]", painted)}
    assert lines["(b) blk_aio_multiwrite"] == "bold"
    assert lines["~ guest: kick"] == "cyan"
    assert "[green]eventfd=1[/]" in painted
    assert "  [dim]    main_loop_wait # 1[/]\n" in painted
    assert "[bold red]violated in step 8" in painted
    script = Script()
    script.step("main", Do("one", ("f",), updates=(WINDOW.set(),)))
    assert "[bold]reached after step 1: opens[/]" in render_trace(
        Run.of(*script.trace(Reachable("opens", WINDOW))), color=True
    )


def test_colour_changes_no_character() -> None:
    """The markup for colour, taken away, leaves the plain text, even where labels look like markup."""
    script = Script(DATA)
    script.step("main", Do("[bold]read[/bold] \\", ("f [0]",), updates=(DATA.set(),), mark="a"))
    for system, trace in (bug_case_1(), script.trace()):
        painted = render_trace(Run.of(system, trace), color=True)
        assert Text.from_markup(painted).plain == render_trace(Run.of(system, trace))
        assert "[bold]" in painted
