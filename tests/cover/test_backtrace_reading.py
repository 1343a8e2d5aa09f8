"""Backtraces as people paste them."""

from __future__ import annotations

from time import process_time

import pytest

from draincheck.backtrace.reading import read_backtrace
from draincheck.backtrace.stacks import GAP, Start
from tests.support.backtrace_forms import FORMS, FORMS_WITH_COROUTINE
from tests.support.backtrace_forms import READ as IN_EVERY_FORM
from tests.support.backtraces import STRANGERS, eu_stack, gdb
from tests.support.samples import sampled

CALLS = ("main_loop_wait", "g_main_context_dispatch", "aio_ctx_dispatch", "aio_bh_poll", "qemu_poll_ns", "ppoll")
STACKS = [("qemu", ["_start", "main", *CALLS]), ("io", ["clone", "start_thread", "iothread_run", "aio_poll", "ppoll"])]
READ = [CALLS, ("iothread_run", "aio_poll", "ppoll")]

FULL = """\
Thread 1 (Thread 0x7f1 (LWP 11) "qemu"):
#0  0x00007f6f9a in __ppoll (fds=0x1, nfds=2,
    timeout=<optimized out>, timeout@entry=0x0) at ../ppoll.c:42
        _a2 = 4
        timeout = {tv_sec = 0, tv_nsec = 1}
        #define = 3
#1  0x000055 in qemu_poll_ns (fds=0x0) at ../util/qemu-timer.c:335
No locals.
#2  main_loop_wait (nonblocking=nonblocking@entry=0) at ../util/main-loop.c:600
        mlpoll = {state = 0, timeout = 4294967295}
#3  0x000055 in main (argc=1) at ../softmmu/main.c:47
"""


def frames(text: str) -> list[tuple[str, ...]]:
    return [stack.frames for stack in read_backtrace(text).stacks]


@pytest.mark.parametrize(
    "text", [gdb(STACKS), gdb(STACKS, addresses=False), eu_stack(STACKS)], ids=["gdb", "no addresses", "eu-stack"]
)
def test_every_debugger_says_the_same(text: str) -> None:
    """Functions, outermost first, without what lies below everything."""
    assert frames(text) == READ


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same(form: str) -> None:
    """Nothing is left unread, and it is known who is the main thread, where the form says who began."""
    found = read_backtrace(FORMS[form])
    assert {stack.frames for stack in found.stacks} == {*IN_EVERY_FORM}
    assert len(found.stacks) == 2
    assert found.unread == ()
    assert {stack.start for stack in found.stacks} == {Start.MAIN, Start.THREAD}
    assert all(stack.ends and stack.begins and not stack.coroutine for stack in found.stacks)


@pytest.mark.parametrize("form", FORMS)
def test_a_frame_that_is_damaged_is_missed(form: str) -> None:
    """Negative control, in every form: without the name another stack is read."""
    found = read_backtrace(FORMS[form].replace("mirror_exit", "mirror_run"))
    assert {stack.frames for stack in found.stacks} != {*IN_EVERY_FORM}


def test_who_has_entered_a_coroutine_is_part_of_the_thread() -> None:
    """`qemu bt` prints its stack below, as a coroutine's: together they are the calls of the thread."""
    found = read_backtrace(FORMS_WITH_COROUTINE["qemu bt"])
    _, main = found.stacks
    assert tuple(name for name in main.frames if name != "qemu_aio_coroutine_enter") == IN_EVERY_FORM[0]
    assert (main.begins, main.start, main.coroutine) == (True, Start.MAIN, False)
    assert not found.has_coroutines


def test_a_coroutine_below_a_thread_that_has_not_entered_it_stands_alone() -> None:
    """It has yielded."""
    text = FORMS_WITH_COROUTINE["qemu bt"].replace("qemu_aio_coroutine_enter", "qemu_coroutine_yield")
    assert [stack.coroutine for stack in read_backtrace(text).stacks] == [False, False, True]


def test_a_frame_that_cannot_be_read_is_a_gap_and_is_listed() -> None:
    """It is there, whatever it is."""
    found = read_backtrace("#0 ppoll ()\n#1 %%% !!\n#2 main_loop_wait ()\n")
    assert found.stacks[0].frames == ("main_loop_wait", GAP, "ppoll")
    assert found.unread == (2,)


def test_frames_that_were_left_out_are_a_gap() -> None:
    """Their numbers are missing."""
    assert frames("#0 ppoll ()\n#7 main_loop_wait ()\n") == [("main_loop_wait", GAP, "ppoll")]


@pytest.mark.parametrize(
    "text",
    ["==7==    at 0x4C2B: poll (poll.c:3)\n==7==    by 0x4C2C: main_loop_wait (main-loop.c:1)\n",
     "0x00007f8c01: ppoll + 0x10\n0x000055d0c2: main_loop_wait + 0x20\n", "qemu(main_loop_wait+0x4e)[0x55d0]\n"],
)  # fmt: skip
def test_forms_that_are_not_read_are_listed(text: str) -> None:
    """Line by line, and no backtrace is made of them."""
    found = read_backtrace(text)
    assert not found.stacks
    assert found.unread == tuple(range(1, text.count("\n") + 1))


def test_locals_and_wrapped_lines_are_passed_over() -> None:
    """`bt full`, and arguments on lines of their own."""
    assert frames(FULL) == [("main_loop_wait", "qemu_poll_ns", "__ppoll")]


@pytest.mark.parametrize("quote", ["> ", ">> ", "> > ", "| ", "    "])
def test_mails_quote(quote: str) -> None:
    """Signs of quoting before each line."""
    assert frames("".join(f"{quote}{line}\n" for line in gdb(STACKS).splitlines())) == READ


def test_long_lines_are_wrapped_by_mailers() -> None:
    """A frame that goes on below."""
    text = "#0  0x0000000000001111\nin ppoll\n(fds=0x1)\n#1  0x0000000000002222 in\nmain_loop_wait (x=1)\nat main.c:1\n#2  0x1 in main ()\n"
    assert frames(text) == [("main_loop_wait", "ppoll")]


@pytest.mark.parametrize(
    "line",
    ["#1  0x55 in ?? ()", "#1  0x55 in  ()", "#1  0x55 in ()", "#1  0x0000000000000055", "#1  <signal handler called>"],
)
def test_a_frame_without_a_name_is_a_gap(line: str) -> None:
    """Builds without symbols, and signals."""
    assert frames(f"#0  0x1 in ppoll ()\n{line}\n#2  0x3 in main_loop_wait ()\n") == [("main_loop_wait", "", "ppoll")]


@pytest.mark.parametrize(
    ("name", "read"),
    [("aio_poll.constprop.0", "aio_poll"),
     ("aio_poll.part.1.cold", "aio_poll"), ("poll@@GLIBC_2.2.5", "poll"), ("ns::f", "f"), ("__GI___poll", "__GI___poll")],
)  # fmt: skip
def test_what_compilers_and_linkers_add_is_taken_off(name: str, read: str) -> None:
    """Suffixes of clones and of versions."""
    assert frames(f"#0  0x1 in {name} ()\n") == [(read,)]


def test_stacks_without_headers_are_told_by_their_numbers() -> None:
    """A frame 0 begins a stack."""
    assert frames("#0 f ()\n#1 g ()\n#0 h ()\n") == [("g", "f"), ("h",)]


def test_what_is_cut_is_open_at_that_end() -> None:
    """The first frame, or the last one, is missing."""
    (stack,) = read_backtrace("#4  0x1 in aio_poll ()\n#5  0x2 in main_loop_wait ()\n").stacks
    assert (stack.begins, stack.ends) == (False, False)


def test_coroutines_have_stacks_of_their_own() -> None:
    """As QEMU's gdb scripts print them; on a thread a coroutine's stack hides who has entered it."""
    text = "Coroutine at 0x55d0:\n#0  0x1 in qemu_coroutine_switch ()\n#1  0x2 in mirror_run ()\n"
    text += "#2  0x3 in coroutine_trampoline ()\n"
    text += "Thread 1 (LWP 1):\n#0  0x1 in ppoll ()\n#1  0x1 in aio_poll ()\n#2  0x2 in mirror_run ()\n"
    text += "#3  0x3 in coroutine_trampoline ()\n#4 0x1 in ?? ()\n"
    parked, running = read_backtrace(text).stacks
    assert parked.coroutine
    assert parked.frames == ("mirror_run", "qemu_coroutine_switch")
    assert not running.coroutine
    assert not running.begins
    assert running.frames == ("mirror_run", "aio_poll", "ppoll")


@pytest.mark.parametrize(
    "text", ["", "hello", "#include <stdio.h>\n# 3 things\n", "\x00\xff" * 100, "Thread 1 (LWP 3):\n"]
)
def test_what_is_no_backtrace_has_no_stacks(text: str) -> None:
    """Nothing is made up."""
    assert not read_backtrace(text).stacks


def test_every_stranger_is_read() -> None:
    """Other programs' backtraces are backtraces."""
    assert all(read_backtrace(text).stacks for text in STRANGERS)


@pytest.mark.parametrize(
    "text",
    [
        *sampled(
            [
                "#0 " + "(" * 10**6,
                "#0 " + "a" * 10**6,
                "#0 0x1 in f\n" * 10**4,
                "#0 " + "<" * 10**5,
                "> " * 10**5,
                "#0 0x" + "1" * 10**6,
                "\x1b]" * 10**5,
                "\x1b[" + "1;" * 10**6,
                "--Type <" * 10**5,
                "(gdb) " * 10**5,
                "frame #0: 0x1 " + "[inlined] `" * 10**5,
                "a" * 10**6 + " Stack trace of thread",
                "#0 [" * 10**5,
                "x(" * 10**6,
            ],
            3,
        )
    ],
)
def test_no_text_takes_long(text: str) -> None:
    """Time grows with the text."""
    start = process_time()
    read_backtrace(text)
    assert process_time() - start < 20
