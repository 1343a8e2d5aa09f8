"""Scripted systems, which can do one thing only, and the seed's bug cases as such: for tests of how traces are shown."""

from __future__ import annotations

import re
from textwrap import dedent, indent
from typing import NamedTuple

from draincheck.errors import SourceLine
from draincheck.expr import TRUE, BoolExpr
from draincheck.properties import Assertion, Property
from draincheck.run import Trace
from draincheck.sorts import BOOL, EnumSort, IntSort
from draincheck.system import Action, BoolVar, Check, EnumVar, Frame, IntVar, Part, TransitionSystem, Update, Variable

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
    frames = tuple(Frame(name.removesuffix(" #"), name.endswith(" #")) for name in do.frames)
    return Part(do.label, frames, do.opens, do.mark, SourceLine("demo.py", 1), do.when, writes, do.enters)


def tree(text: str) -> str:
    """Only the call tree of a rendered trace and what follows it: without what stands before the first empty line, and without numbers."""
    head, _, rest = text.partition("\n\n")
    steps = re.search(r"(\d+) step", head)
    assert steps is not None
    numbers = re.compile(rf"^[ \d]{{{len(steps[1])}}} (?= {{4}}|\(\w\) |\.\.\. )", re.MULTILINE)
    return numbers.sub("", rest)


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
