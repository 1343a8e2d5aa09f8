"""Traces in lanes: who stands where, which steps belong together, who lets whom go on; each written by hand beside its model."""

from __future__ import annotations

import pytest

from draincheck.checking import check
from draincheck.lang import Model
from draincheck.report.arrows import Arrow, ArrowKind
from draincheck.report.lanes import Band, EndKind, Lane, LaneKind, Lanes, TraceEnd, Window, lanes_of
from draincheck.run import Run, Trace
from draincheck.sorts import BOOL
from draincheck.subject import About
from draincheck.system import BoolVar
from tests.support.machines import clock, counter, philosophers
from tests.support.scripted import AIO, LOOP, Do, Script, bug_case_1


def drawn(model: Model, name: str, about: About | None = None) -> Lanes:
    """The trace of a property in lanes."""
    found = check(model, [name])
    trace = found[name].verdict.trace
    assert trace is not None
    return lanes_of(Run.of(found.system, trace), about)


def round_trip() -> Model:
    """A loop with three contexts, a coroutine that waits for a disk, and a clock that starts it: it can do one thing only."""
    m = Model("round trip")
    due, exit_scheduled, done = m.bool("due"), m.bool("exit scheduled"), m.bool("done")
    io = m.enum("io", "none", "in flight", "finished")
    job = m.coroutine("job")
    with m.thread("clock") as p:
        p.do("the timer expires", due.set())
    with m.thread("disk") as p, p.loop():
        p.do("finishes", io.set("finished"), when=io.is_("in flight"))
    with job, job.call("job_run"):
        with job.atomic():
            job.do("submits", io.set("in flight"), mark="s")
            job.yield_("I/O")
        job.do("schedules its exit", exit_scheduled.set(), mark="x")
    with m.thread("main loop") as p, p.loop(), p.call("iteration", numbered=True), p.either() as choice:
        with choice(), p.call("dispatch (timers)"):
            p.do("the timer runs", due.clear(), when=due)
            p.enter(job)
        with choice(), p.call("dispatch (completions)"):
            p.do("completes", io.set("none"), when=io.is_("finished"))
            p.enter(job)
        with choice(), p.call("bottom_half"):
            p.do("exits", exit_scheduled.clear(), done.set(), when=exit_scheduled)
    m.always("never done", ~done)
    return m


def test_lanes_are_threads_contexts_coroutines_and_the_outside() -> None:
    """What a dispatcher calls is a context; who acts of itself stands left, who only answers stands right."""
    assert drawn(round_trip(), "never done").lanes == (
        Lane("clock", LaneKind.OUTSIDE, "clock"),
        Lane("timers", LaneKind.CONTEXT, "main loop"),
        Lane("completions", LaneKind.CONTEXT, "main loop"),
        Lane("bottom_half", LaneKind.CONTEXT, "main loop"),
        Lane("job", LaneKind.COROUTINE, "main loop"),
        Lane("disk", LaneKind.OUTSIDE, "disk"),
    )


def test_a_context_is_called_with_its_thread_where_that_has_no_lane() -> None:
    """Nobody would know otherwise whose it is."""
    titles = drawn(round_trip(), "never done").titles
    assert titles == (
        "clock",
        "timers (main loop)",
        "completions (main loop)",
        "bottom_half (main loop)",
        "job",
        "disk",
    )
    assert lanes_of(Run.of(*bug_case_1())).titles == (
        "guest",
        "main thread",
        "qemu_aio_context",
        "iohandler_ctx",
        "mirror",
    )


def test_steps_stand_in_their_lanes() -> None:
    """Each with its number, labels, marks, changes and the round of the loop that it belongs to."""
    steps = drawn(round_trip(), "never done").steps
    assert [(step.number, step.lane, step.labels[:1], step.iteration) for step in steps] == [
        (1, 0, ("the timer expires",), ""),
        (2, 1, ("the timer runs",), "iteration # 1"),
        (3, 1, ("enter job",), "iteration # 1"),
        (4, 4, ("submits",), "iteration # 1"),
        (5, 5, ("finishes",), ""),
        (6, 2, ("completes",), "iteration # 2"),
        (7, 2, ("enter job",), "iteration # 2"),
        (8, 4, ("schedules its exit",), "iteration # 2"),
        (9, 3, ("exits",), "iteration # 3"),
    ]
    assert [step.marks for step in steps if step.marks] == [("s",), ("x",)]
    assert [(change.name, change.new) for change in steps[8].changes] == [("exit scheduled", False), ("done", True)]
    assert steps[8].process == "main loop"
    assert all(step.shown for step in steps)


def test_rounds_of_a_loop_are_bands() -> None:
    """From the first to the last step inside the call, those of coroutines included."""
    assert drawn(round_trip(), "never done").bands == (
        Band("iteration # 1", "main loop", 2, 4),
        Band("iteration # 2", "main loop", 6, 8),
        Band("iteration # 3", "main loop", 9, 9),
    )


def test_arrows_say_who_lets_whom_go_on() -> None:
    """Control that is given and given back, and values that one lane leaves for another."""
    assert drawn(round_trip(), "never done").arrows == (
        Arrow(ArrowKind.HANDOVER, 1, 2, ("due",)),
        Arrow(ArrowKind.ENTER, 3, 4, ("job",)),
        Arrow(ArrowKind.HANDOVER, 4, 5, ("io",)),
        Arrow(ArrowKind.BACK, 4, 6, ("job",)),
        Arrow(ArrowKind.HANDOVER, 5, 6, ("io",)),
        Arrow(ArrowKind.ENTER, 7, 8, ("job",)),
        Arrow(ArrowKind.BACK, 8, 9, ("job",)),
        Arrow(ArrowKind.HANDOVER, 8, 9, ("exit scheduled",)),
    )


def test_nobody_hands_anything_over_to_itself_and_control_comes_back_once() -> None:
    """What one lane sets and takes up itself is no arrow; a coroutine gives control back with its last step alone."""
    m = Model("alone")
    flag, done = m.bool("flag"), m.bool("done")
    job = m.coroutine("job")
    with job:
        job.do("sets", flag.set())
        job.do("takes", flag.clear(), when=flag)
        job.do("ends")
    with m.thread("main") as p:
        p.enter(job)
        p.do("goes on", done.set())
    m.always("never done", ~done)
    found = drawn(m, "never done")
    assert [step.labels for step in found.steps] == [("enter job",), ("sets",), ("takes",), ("ends",), ("goes on",)]
    assert found.arrows == (Arrow(ArrowKind.ENTER, 1, 2, ("job",)), Arrow(ArrowKind.BACK, 4, 5, ("job",)))


def sleeper(rung: bool) -> Model:
    """Somebody who sleeps until a bell rings, and leaves it ringing."""
    m = Model("sleeper")
    bell, up, ringer = m.bool("bell", initial=rung), m.bool("up"), m.bool("has rung")
    with m.thread("ringer") as p:
        p.do("rings", bell.set(), ringer.set())
    with m.thread("sleeper") as p:
        p.wait("sleeps", bell)
        p.do("gets up", up.set(), when=ringer)
    m.always("stays in bed", ~up)
    return m


def test_a_wakeup_is_an_arrow_though_nothing_is_taken_away() -> None:
    """It leads to the first step of whoever could do nothing before; to nobody who could."""
    found = drawn(sleeper(rung=False), "stays in bed")
    assert found.arrows == (Arrow(ArrowKind.WAKEUP, 1, 2, ("bell",)),)
    assert [lane.kind for lane in found.lanes] == [LaneKind.THREAD, LaneKind.THREAD]
    assert ("bell",) not in [arrow.what for arrow in drawn(sleeper(rung=True), "stays in bed").arrows]


@pytest.mark.parametrize(("between", "arrows"), [(False, [(1, 3, ("flag",))]), (True, [])])
def test_a_test_right_before_counts(between: bool, arrows: list[tuple[int, int, tuple[str, ...]]]) -> None:
    """Who looks and then takes has been handed something; who has done something else since then may have had other reasons."""
    m = Model("look and take")
    flag, other, taken = m.bool("flag"), m.bool("other"), m.bool("taken")
    with m.thread("setter") as p:
        p.do("sets", flag.set())
    with m.thread("taker") as p, p.when(flag):
        if between:
            p.do("does something else", other.set())
        p.do("takes", flag.clear(), taken.set())
    m.always("not taken", ~taken)
    found = drawn(m, "not taken")
    assert [(arrow.start, arrow.end, arrow.what) for arrow in found.arrows] == arrows


def test_a_test_of_something_else_is_no_reason() -> None:
    """Who takes whatever there is has not waited for it."""
    m = Model("takes anyway")
    flag, other, taken = m.bool("flag"), m.bool("other", initial=True), m.bool("taken")
    with m.thread("setter") as p:
        p.do("sets", flag.set())
    with m.thread("taker") as p, p.when(other):
        p.do("takes", flag.clear(), taken.set())
    system = check(m).system
    actions = tuple(next(a.index for a in system.actions if a.name == name) for name in ("sets", "other", "takes"))
    assert lanes_of(Run.of(system, Trace(system.name, system.digest, "", system.initial[0], actions))).arrows == ()


def test_who_is_entered_is_not_woken_as_well() -> None:
    """Control that is given explains that a coroutine goes on, whatever else is set in the same step."""
    m = Model("entered")
    go, done = m.bool("go"), m.bool("done")
    job = m.coroutine("job")
    with job:
        job.do("runs", done.set(), when=go)
    with m.thread("main") as p, p.atomic():
        p.do("lets it", go.set())
        p.enter(job)
    m.always("never done", ~done)
    assert drawn(m, "never done").arrows == (Arrow(ArrowKind.ENTER, 1, 2, ("job",)),)


def test_who_begins_stands_left_though_somebody_answers() -> None:
    """The first arrow decides; a coroutine stands beside the thread that has entered it, before the next thread."""
    m = Model("client")
    asked, seen, logged, answered, glad = (m.bool(name) for name in ("asked", "seen", "logged", "answered", "glad"))
    job = m.coroutine("job")
    with job, job.call("run"):
        job.do("answers", answered.set(), when=logged)
    with m.thread("server") as p, p.call("serve"):
        p.do("reads", asked.clear(), seen.set(), when=asked)
        p.enter(job)
    with m.thread("logger") as p, p.call("log"):
        p.do("logs", logged.set(), when=seen)
    with m.thread("client") as p:
        p.do("asks", asked.set())
        p.do("is glad", answered.clear(), glad.set(), when=answered)
    m.always("nobody is glad", ~glad)
    assert [lane.name for lane in drawn(m, "nobody is glad").lanes] == ["client", "server", "job", "logger"]


def test_a_step_stands_where_the_first_of_it_that_shows_does() -> None:
    """What merely passes on before it is no reason."""
    script = Script()
    script.step("p", Do("", LOOP[:2]), Do("dispatches", AIO, 2))
    assert [lane.name for lane in lanes_of(Run.of(*script.trace())).lanes] == ["qemu_aio_context"]


@pytest.mark.parametrize(("items", "arrows"), [(0, [(1, 2)]), (1, [])])
def test_what_was_there_already_is_not_handed_over(items: int, arrows: list[tuple[int, int]]) -> None:
    """Who takes one of two items would have found one without the second."""
    m = Model("queue")
    queue = m.int("queue", 0, 2, initial=items)
    with m.thread("producer") as p:
        p.do("puts", queue.inc())
    with m.thread("consumer") as p:
        p.do("takes", queue.dec(), when=queue > 0)
    system = check(m).system
    found = lanes_of(Run.of(system, Trace("queue", system.digest, "", system.initial[0], (0, 1))))
    assert [(arrow.start, arrow.end) for arrow in found.arrows] == arrows


def test_a_window_is_what_truth_values_say() -> None:
    """From the step that opens it to the step that closes it, in the words of whoever knows; one that stays open ends with the trace."""
    about = About("model", "m", "s", "m.py", {"a": "the exit is left to the loop"}, windows={"window": "W"})
    found = lanes_of(Run.of(*bug_case_1()), about)
    assert found.windows == (Window("W", 5, 8),)
    assert found.marks == {"a": "the exit is left to the loop", "b": "", "c": ""}
    open_at_first = BoolVar("window", BOOL, (1,))
    script = Script(open_at_first)
    for updates in ((), (), (open_at_first.clear(),), ()):
        script.step("p", Do("step", updates=updates))
    assert lanes_of(Run.of(*script.trace()), about).windows == (Window("W", 1, 3),)
    system, trace = bug_case_1()
    shorter = Trace(trace.system, trace.digest, "", trace.initial, trace.actions[:6])
    assert lanes_of(Run.of(system, shorter), about).windows == (Window("W", 5, 6),)


@pytest.mark.parametrize(
    ("marks", "window"),
    [("bab c", (2, 5)), ("a", None), ("aa", None), ("", None), ("w b a c", (1, 7)), ("ab ab", (4, 5))],
)
def test_without_them_marks_make_a_window(marks: str, window: tuple[int, int] | None) -> None:
    """The shortest stretch up to the last mark that has every letter: what is marked long before does not open it."""
    script = Script()
    for mark in marks:
        script.step("p", Do("step", mark=mark.strip()))
    found = lanes_of(Run.of(*script.trace()))
    assert [(item.first, item.last) for item in found.windows] == ([window] if window else [])


def test_a_call_for_an_object_outside_a_loop_is_no_context() -> None:
    """Nor is one of another process: lanes stay few."""
    script = Script()
    script.step("p", Do("a", ("main", "open (file)")))
    script.step("q", Do("b", LOOP))
    assert [lane.name for lane in lanes_of(Run.of(*script.trace())).lanes] == ["p", "q"]


def test_a_step_of_which_there_is_nothing_to_say_is_placed_too() -> None:
    """It has its lane, and drawings may leave it out."""
    script = Script()
    script.step("p", Do("", ("f",)))
    steps = lanes_of(Run.of(*script.trace())).steps
    assert [(step.lane, step.shown, step.labels) for step in steps] == [(0, False, ())]


def test_a_trace_says_how_it_ends() -> None:
    """Violated, reached, stuck; of no property; about one that it does not decide; again and again."""
    system, trace = bug_case_1()
    meaning = "no request is in flight when mirror_exit runs"
    assert lanes_of(Run.of(system, trace)).ending == TraceEnd(EndKind.VIOLATED, "no request at (c)", meaning)
    stuck = philosophers()
    taken = Trace("machine", stuck.digest, "no deadlock", stuck.initial[0], (0, 3))
    assert lanes_of(Run.of(stuck, taken)).ending.kind is EndKind.STUCK
    small = counter(3, "small", "top")
    assert (
        lanes_of(Run.of(small, Trace("machine", small.digest, "top", (0,), (0, 0, 0)))).ending.words == "reached: top"
    )
    hand = lanes_of(Run.of(small, Trace("machine", small.digest, "small", (0,), (0,)))).ending
    assert hand.words == "does not decide small"
    ticking = clock()
    forever = lanes_of(Run.of(ticking, Trace("machine", ticking.digest, "", (0,), (0, 1), 0)))
    assert (forever.loop, forever.ending.words) == (0, "end of the trace")


def test_a_trace_without_steps_has_no_lanes() -> None:
    """What is violated initially needs none."""
    ticking = clock()
    found = lanes_of(Run.of(ticking, Trace("machine", ticking.digest, "", (0,), ())))
    assert (found.lanes, found.steps, found.windows) == ((), (), ())
