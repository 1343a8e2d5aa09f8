"""Who waits where for what: tables that were written down by hand from the models, before anything was run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from draincheck.analysis.waiting import Comes, Help, Moves, Obstacle, Situation, Waiting, situation, situation_in
from draincheck.checking import check
from draincheck.errors import SourceLine
from draincheck.lang import Model
from draincheck.report.waiting import waiting_lines
from draincheck.revisions import find_revision
from draincheck.run import Run, Trace
from draincheck.verdict import Outcome
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.suite.matrix import Row, system_of
from tests.support import stuck_models as stuck


def shown(m: Model) -> Situation:
    """The situation at the end of the counterexample of a model's one property that is violated."""
    system = m.compile()
    verdicts = check(system, [item.name for item in system.properties]).verdicts
    (trace,) = (verdicts[item.name].trace for item in system.properties if verdicts[item.name].trace is not None)
    assert trace is not None
    found = situation(Run.of(system, trace))
    assert found is not None
    return found


def table(found: Situation) -> dict[str, str]:
    """One line a process."""
    return {item.stand.process: told(item) for item in found.processes}


def told(item: Waiting) -> str:
    """What a process does, in a line."""
    steps = ", ".join((*item.steps, *(f"into {error.split(' (')[0]}" for error in item.errors)))
    match item.moves:
        case Moves.ENDED:
            return "ended"
        case Moves.HALTED:
            return "halted"
        case Moves.GOES_ON:
            return f"goes on: {steps}"
        case Moves.COULD | Moves.NOW_AND_THEN:
            return f"{item.moves.value}: {steps}, {item.promised or 'nothing'} promised"
        case Moves.PARKED:
            by = ", ".join(help.process + COMES[help.comes] + help.after for help in item.entered_by) or "nobody"
            return f"parked at {', '.join(item.stand.places)}, {by} enters it"
        case Moves.WAITS if item.stand.awaits:
            return f"in {item.stand.awaits}"
        case Moves.WAITS:
            return " or ".join(
                ("never together: " if way.alternately else "") + " and ".join(map(why, way.obstacles))
                for way in item.ways
            )


def why(obstacle: Obstacle) -> str:
    """What is false, why, and who could help."""
    values = ", ".join(f"{name}={value}" for name, value in (*obstacle.values.items(), *obstacle.whereabouts.items()))
    by = "; ".join(map(helper, obstacle.helpers))
    gone = f" ({', '.join(obstacle.gone)})" if obstacle.gone else ""
    return f"{obstacle.condition} [{values}] by {by or 'nobody'}{gone}"


COMES = {Comes.MAY: "", Comes.AFTER: " after ", Comes.NEVER: " never", Comes.VAIN: " in vain", Comes.ERROR: " wrongly"}


def helper(help: Help) -> str:
    """Who could help, `?` if that is not sure, and whether it may still come, or after whom."""
    return f"{help.process}: {', '.join(help.steps)}{'' if help.sure else '?'}{COMES[help.comes]}{help.after}"


#: model -> what each process does at the end of the counterexample, and the circle
EXPECTED: dict[Callable[[], Model], tuple[dict[str, str], tuple[str, ...]]] = {
    stuck.two_locks: (
        {
            "A": "lock b == free [lock b=B] by B: releases both after A",
            "B": "lock a == free [lock a=A] by A: releases both after B",
        },
        ("A", "B"),
    ),
    stuck.lost_wakeup: ({"guest": "ended", "main loop": "notified [notified=False] by nobody (guest)"}, ()),
    stuck.parked_coroutine: (
        {"request": "parked at in flight, nobody enters it", "main": "done [done=False] by request: completes never"},
        (),
    ),
    stuck.drain_and_request: (
        {
            "main thread": "in_flight == 0 [in_flight=1] by iothread: done after main thread",
            "iothread": "not quiesced [quiesced=True] by main thread: resume after iothread",
        },
        ("main thread", "iothread"),
    ),
    stuck.starved_reader: (
        {"writer": "goes on: locks, unlocks", "reader": "could go on now and then: reads, weak promised"},
        (),
    ),
    stuck.ended_partner: ({"producer": "ended", "consumer": "0 < items [items=0] by nobody (producer)"}, ()),
    stuck.three_in_a_circle: (
        {
            "P": "Q is done [Q is done=False] by Q: done after R",
            "Q": "R is done [R is done=False] by R: done after P",
            "R": "P is done [P is done=False] by P: done after Q",
        },
        ("P", "Q", "R"),
    ),
    stuck.bounded_queue: ({"producer": "queued < 2 [queued=2] by nobody (consumer)", "consumer": "ended"}, ()),
    stuck.nested_drain: (
        {
            "request": "parked at in flight, main after job enters it",
            "job": "not pending [pending=True] by request: completes after main",
            "main": "in job",
        },
        ("request", "main", "job"),
    ),
    stuck.place_never_reached: (
        {
            "other": "one at (ended) [one=the other] by one: the other never",
            "one": "other at ready [other=elsewhere] by nobody (other)",
        },
        (),
    ),
    stuck.two_ways: (
        {
            "chooser": "red [red=False] by nobody or green [green=False] by painter: paints never and not blue [blue=True] by nobody",
            "painter": "not blue [blue=True] by nobody",
        },
        (),
    ),
    stuck.spinner: ({"spins": "goes on: round", "sleeps": "flag [flag=False] by nobody"}, ()),
    stuck.swing: (
        {
            "swings": "goes on: goes left, goes right",
            "sits": "never together: right [] by swings: goes right and left [] by swings: goes left",
        },
        (),
    ),
    stuck.wrong_turn: ({"walker": "key [key=False] by nobody"}, ()),
    stuck.lock_of_the_caller: (
        {
            "job": "lock == free [lock=main] by main: gives after job",
            "main": "in job",
            "other": "lock == free [lock=main] by main: gives after job",
        },
        ("job", "main"),
    ),
    stuck.never_armed: ({"tries": "goes on: tries", "waits": "done [done=False] by nobody"}, ()),
    stuck.too_late: (
        {"decides": "ended", "tries": "goes on: tries", "waits": "done [done=False] by tries: tries? in vain"},
        (),
    ),
    stuck.error_ahead: (
        {
            "builder": "could go on: into an error: a part is missing, nothing promised",
            "waits": "done [done=False] by builder: builds? wrongly",
        },
        (),
    ),
    stuck.never_enough: ({"adds": "goes on: adds, takes back", "waits": "number == 3 [] by nobody"}, ()),
    stuck.out_of_range: (
        {"builder": "could go on: counts, nothing promised", "waits": "done [done=False] by builder: builds? wrongly"},
        (),
    ),
    stuck.spinning_holder: (
        {
            "holder": "goes on: not flag, spins",
            "setter": "lock == free [lock=holder] by holder: gives after setter",
            "bystander": "lock == free [lock=holder] by holder: gives after setter",
        },
        ("holder", "setter"),
    ),
    stuck.either_friend: (
        {
            "one": "yours [yours=False] by other: gives",
            "other": "mine or his [mine=False, his=False] by one: gives after other; friend: helps",
            "friend": "could go on: helps, nothing promised",
        },
        (),
    ),
    stuck.never_both: (
        {"swings": "could go on: goes right, nothing promised", "sits": "right [right=False] by swings: goes right"},
        (),
    ),
    stuck.aborts: ({"ends": "ended", "decides": "halted", "waits": "halted"}, ()),
}


@pytest.mark.parametrize("make", EXPECTED, ids=lambda make: make.__name__)
def test_who_waits_for_what(make: Callable[[], Model]) -> None:
    """Each process is told as it was derived by hand."""
    found = shown(make())
    assert (table(found), found.circle) == EXPECTED[make]


def at_the_end(m: Model) -> dict[str, Waiting]:
    """By name the processes at the end of a model's counterexample."""
    return {item.stand.process: item for item in shown(m).processes}


def test_a_process_stands_in_calls_at_a_place_of_a_line() -> None:
    """A thread in its own calls; a coroutine that runs in those of whoever has entered it, too; one that is parked in its own."""
    job, main, request = (at_the_end(stuck.nested_drain())[name].stand for name in ("job", "main", "request"))
    assert (job.stack, job.places, job.thread) == (
        ("main_loop_wait", "mirror_run", "bdrv_drain"),
        ("nothing pending",),
        "main",
    )
    assert (main.stack, main.places, main.awaits, main.thread) == (("main_loop_wait",), ("in the job",), "job", "main")
    assert (request.stack, request.places, request.thread) == ((), ("in flight",), "request")
    assert [stand.line for stand in (job, request, main)] == [
        line_of("stuck_models", text)
        for text in ('co.wait("nothing pending"', "# parked by the drain", 'p.enter(job, place="in')
    ]


def line_of(module: str, text: str) -> SourceLine:
    """Where a text stands in a module of tests.support."""
    lines = (Path(stuck.__file__).parent / f"{module}.py").read_text().splitlines()
    (number,) = (number for number, line in enumerate(lines, 1) if text in line)
    return SourceLine(f"tests/support/{module}.py", number)


def test_who_cannot_be_freed_is_lost() -> None:
    """Whoever waits for what nobody can do, or only somebody who waits for him."""
    lost = {make.__name__: [n for n, item in at_the_end(make()).items() if item.is_lost] for make in EXPECTED}
    assert lost["lost_wakeup"] == ["main loop"]
    assert lost["parked_coroutine"] == ["request", "main"]
    assert lost["drain_and_request"] == ["main thread", "iothread"]
    assert lost["two_ways"] == ["chooser", "painter"]
    assert lost["starved_reader"] == []
    assert lost["swing"] == ["sits"]


def test_it_is_told_where_things_come_to_an_end() -> None:
    """Where a goal has got out of reach two more steps can be taken, and are named; a deadlock and a loop are told as they are."""
    ways = [shown(make()).path for make in (stuck.wrong_turn, stuck.lost_wakeup, stuck.swing)]
    assert ways == [("walker: walks", "walker: walks on"), (), ()]
    assert [shown(make()).loop for make in (stuck.wrong_turn, stuck.lost_wakeup, stuck.swing)] == [False, False, True]


MENDED: list[Callable[[], Model]] = [
    lambda: stuck.two_locks(ordered=True),
    lambda: stuck.lost_wakeup(always=True),
    lambda: stuck.parked_coroutine(completes=True),
    lambda: stuck.drain_and_request(counted=False),
    lambda: stuck.starved_reader("strong"),
    lambda: stuck.ended_partner(items=2),
    lambda: stuck.three_in_a_circle(started=True),
    lambda: stuck.wrong_turn(back=True),
    lambda: stuck.too_late(arms=True),
]


def test_who_holds_a_lock_and_waits_is_in_the_circle() -> None:
    """A thread that waits instead of spinning is told alike, and who only waits for the lock, too, stands beside it."""
    found = shown(stuck.spinning_holder(spins=False))
    assert table(found) == {
        "holder": "flag [flag=False] by setter: sets after holder",
        "setter": "lock == free [lock=holder] by holder: gives after setter",
        "bystander": "lock == free [lock=holder] by holder: gives after setter",
    }
    assert found.circle == ("holder", "setter")


def test_who_can_add_enough_is_named() -> None:
    """The control of the one who never can: with two at a time three are reached."""
    system = stuck.never_enough(more=True).compile()
    _, waits = situation_in(system, [system.initial[0]]).processes
    assert told(waits) == "number == 3 [number=0] by adds: adds?"


@pytest.mark.parametrize("both", [False, True])
def test_what_is_never_true_together_is_said_to_be_so(both: bool) -> None:
    """Each could become true by itself; the control: where both can be true the sentence is not there."""
    lines = [line.text.strip() for line in waiting_lines(shown(stuck.never_both(both)), 80)]
    assert ("never all true at the same time:" in lines) is not both
    assert "would be made true by swings: goes right" in lines


def test_an_abort_is_told_by_its_step() -> None:
    """Nothing waits any more, and who has ended before is told apart."""
    found = shown(stuck.aborts())
    assert found.aborted == "decides: gives up"
    assert [item.stand.places for item in found.processes][1:] == [(), ("for the flag",)]


@pytest.mark.parametrize("make", MENDED)
def test_with_the_missing_step_nobody_is_stuck(make: Callable[[], Model]) -> None:
    """The control: the property holds."""
    assert [verdict.outcome for verdict in check(make().compile()).verdicts.values()] == [Outcome.HOLDS]


def test_who_will_be_woken_is_not_lost() -> None:
    """The other control: the main loop sleeps before the guest notifies it, and the table says who will move, and that it helps."""
    system = stuck.lost_wakeup(always=True).compile()
    asleep = Run.of(system, Trace(system.name, system.digest, "", system.initial[0], (1,))).states[-1]
    guest, main = situation_in(system, [asleep]).processes
    assert told(guest) == "could go on: notifies, nothing promised"
    assert (told(main), main.is_lost) == ("notified [notified=False] by guest: notifies", False)


@pytest.mark.slow
def test_a_large_circle_is_told_at_once() -> None:
    """Thirty threads, twenty steps each, and every one waits for the next: what may come is found step by step, and only as far as is asked."""
    m = Model("ring")
    done = [m.bool(f"done {number}") for number in range(30)]
    for number in range(30):
        with m.thread(f"thread {number}") as p:
            p.wait("for the next", done[(number + 1) % 30])
            for step in range(20):
                p.do(f"step {step}")
            p.do("done", done[number].set())
    system = m.compile()
    found = situation_in(system, [system.initial[0]])
    assert len(found.circle) == 30
    assert told(found.processes[0]) == "done 1 [done 1=False] by thread 1: done after thread 2"


def test_a_step_that_is_an_error_helps_where_somebody_may_mend_it() -> None:
    """The control: with the part it is none. Who may stop for ever by the model's own word is told as such."""
    found = at_the_end(stuck.error_ahead(mends=True))
    assert told(found["waits"]) == "done [done=False] by builder: builds"
    assert [found[name].may_stop for name in ("builder", "friend")] == [False, True]


def test_other_runs_have_no_table() -> None:
    """A counterexample of an invariant ends where it ends, whatever waits there."""
    m = Model("closed")
    door = m.bool("door")
    with m.thread("main") as p:
        p.do("opens", door.set())
    m.always("the door stays closed", ~door)
    system = m.compile()
    (trace,) = (verdict.trace for verdict in check(system).verdicts.values())
    assert trace is not None
    assert situation(Run.of(system, trace)) is None


# -- QEMU: derived from the code bases' expectations ----------------------------------------------------------------------------------


def of_code_base(revision: str, scenario: str) -> dict[str, Waiting]:
    """By name the processes at the end of the counterexample of F1."""
    system = system_of(Row(find_revision(revision), find_scenario(scenario)))
    trace = check(system, ["F1"])["F1"].verdict.trace
    assert trace is not None
    found = situation(Run.of(system, trace))
    assert found is not None
    return {item.stand.process: item for item in found.processes}


def test_an_iothread_sleeps_and_nobody_notifies_it() -> None:
    """321d1dba8b: its poll set leaves the notifier out, the section's end does not notify it, and the write stays in the ring."""
    iothread = of_code_base("65c1b5b622", "dataplane")["iothread"]
    assert (iothread.stand.stack, iothread.stand.places) == (("iothread_run", "aio_poll"), ("qemu_poll_ns",))
    (way,) = iothread.ways
    (obstacle,) = way.obstacles
    assert {"poll set has the notifier": False, "write[0.0]": "ring"}.items() <= obstacle.values.items()
    assert [(help.process, help.comes) for help in obstacle.helpers] == [
        ("storage", Comes.AFTER),
        ("clock", Comes.NEVER),
    ]
    assert iothread.is_lost


def test_a_drain_waits_for_a_request_that_waits_for_it() -> None:
    """7f16476fab: a flush that is queued stays counted, and the drain before the switch waits for it, in the main thread."""
    main = of_code_base("cf3129323f", "no-ioeventfd-flush")["main thread"]
    assert main.stand.stack[-3:] == ("mirror_exit", "bdrv_replace_node", "bdrv_drained_begin")
    quiet = next(way for way in main.ways if way.condition.startswith("not "))
    (obstacle,) = quiet.obstacles
    assert (obstacle.values, obstacle.helpers) == ({"flush[0.0]": "parked"}, ())
    assert main.is_lost
