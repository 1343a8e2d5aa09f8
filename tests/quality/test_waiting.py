"""Who waits where for what: tables that were written down by hand from the models, before anything was run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from draincheck.analysis.waiting import Comes, Help, Moves, Obstacle, Situation, Waiting, situation
from draincheck.checking import check
from draincheck.lang import Model
from draincheck.run import Run
from tests.support import stuck_models as stuck


def shown(m: Model) -> Situation:
    """The situation at the end of the counterexample of a model's one property that is violated."""
    system = m.compile()
    (trace,) = (verdict.trace for verdict in check(system).verdicts.values() if verdict.trace is not None)
    found = situation(Run.of(system, trace))
    assert found is not None
    return found


def table(found: Situation) -> dict[str, str]:
    """One line a process."""
    return {item.stand.process: told(item) for item in found.processes}


def told(item: Waiting) -> str:
    """What a process does, in a line."""
    steps = ", ".join(item.steps)
    match item.moves:
        case Moves.ENDED:
            return "ended"
        case Moves.GOES_ON:
            return f"goes on: {steps}"
        case Moves.COULD | Moves.NOW_AND_THEN:
            return f"{item.moves.value}: {steps}, {item.promised or 'nothing'} promised"
        case Moves.PARKED:
            by = ", ".join(help.process + COMES[help.comes] for help in item.entered_by) or "nobody"
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


COMES = {Comes.MAY: "", Comes.AFTER: " after", Comes.NEVER: " never"}


def helper(help: Help) -> str:
    """Who could help, `?` if that is not sure, and whether it may still come."""
    return f"{help.process}: {', '.join(help.steps)}{'' if help.sure else '?'}{COMES[help.comes]}"


#: model -> what each process does at the end of the counterexample, and the circle
EXPECTED: dict[Callable[[], Model], tuple[dict[str, str], tuple[str, ...]]] = {
    stuck.two_locks: (
        {"A": "lock b == free [lock b=B] by B: releases both", "B": "lock a == free [lock a=A] by A: releases both"},
        ("A", "B"),
    ),
    stuck.lost_wakeup: ({"guest": "ended", "main loop": "notified [notified=False] by nobody (guest)"}, ()),
    stuck.parked_coroutine: (
        {"request": "parked at in flight, nobody enters it", "main": "done [done=False] by request: completes never"},
        (),
    ),
    stuck.drain_and_request: (
        {
            "main thread": "in_flight == 0 [in_flight=1] by iothread: done after",
            "iothread": "not quiesced [quiesced=True] by main thread: resume after",
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
            "P": "Q is done [Q is done=False] by Q: done after",
            "Q": "R is done [R is done=False] by R: done after",
            "R": "P is done [P is done=False] by P: done after",
        },
        ("P", "Q", "R"),
    ),
    stuck.bounded_queue: ({"producer": "queued < 2 [queued=2] by nobody (consumer)", "consumer": "ended"}, ()),
    stuck.nested_drain: (
        {
            "request": "parked at in flight, main after enters it",
            "job": "not pending [pending=True] by request: completes after",
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
}


@pytest.mark.parametrize("make", EXPECTED, ids=lambda make: make.__name__)
def test_who_waits_for_what(make: Callable[[], Model]) -> None:
    """Each process is told as it was derived by hand."""
    found = shown(make())
    assert (table(found), found.circle) == EXPECTED[make]
