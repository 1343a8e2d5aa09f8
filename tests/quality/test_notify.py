"""The notification protocol: twelve verdicts that were published before this checker existed."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from draincheck.engines.explicit import explore
from draincheck.engines.liveness import decide
from draincheck.lang import Process
from draincheck.reason import Assuming
from draincheck.run import rerun
from draincheck.verdict import Limits, Outcome
from drainspecs import notify
from drainspecs.notify import ROWS, NotifyRow, check, system_of

each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def row_named(name: str) -> NotifyRow:
    return next(row for row in ROWS if row.name == name)


def actions_of(name: str, demand: str) -> tuple[list[str], int | None]:
    """The steps of a row's counterexample as `process: label`, and where its loop begins."""
    system, trace = system_of(row_named(name)), check(row_named(name)).verdicts[demand].trace
    assert trace is not None
    steps = [system.actions[step.action] for step in rerun(system, trace)]
    return [f"{action.process}: {action.name}" for action in steps], trace.loop


@each_row
def test_verdict_is_the_published_one(row: NotifyRow) -> None:
    """Each model, with each bug and each demand, has the verdict that QEMU's own model has."""
    assert check(row).outcome is row.expected


@each_row
def test_counts_are_pinned(row: NotifyRow) -> None:
    """Each model has exactly so many states and transitions, and no step that is never taken."""
    statistics = explore(system_of(row)).statistics
    assert (statistics.states, statistics.transitions) == (row.states, row.transitions)
    assert statistics.never_fired == ()


def test_there_are_twelve_rows_of_distinct_systems() -> None:
    """No bug and no demand leaves the model what it was."""
    assert len({system_of(row).digest for row in ROWS}) == len(ROWS) == 12


def test_lost_wakeup_of_a_waiter_that_does_not_look_again() -> None:
    """The waiter says it will sleep too late for all requests, does not look, and sleeps beside them for ever."""
    steps, loop = actions_of("aio_notify BUG", "served")
    assert loop is None
    assert steps[-1] == "waiter: notify_me up"
    assert "notifier: sets the event" not in steps


def test_event_raised_after_the_flag_keeps_a_poller_spinning() -> None:
    """BUG1: a poller takes the flag down between flag and event, so nobody ever clears the event: a loop without the notifier."""
    steps, loop = actions_of("aio_notify_accept BUG1", "cleared")
    assert loop is not None
    assert {step.split(":")[0] for step in steps[loop:]} == {"waiter"}
    assert "waiter: finds notified down" in steps[loop:]


def test_event_not_set_again_leaves_the_pollers_asleep() -> None:
    """BUG2: the flag is up while the event is clear, so the notifier goes on and on without ringing."""
    steps, loop = actions_of("aio_notify_accept BUG2", "rung")
    assert loop is not None
    assert set(steps[loop:]) == {
        "notifier: makes a request",
        "notifier: not notified is down",
        "notifier: raises notified",
    }


def test_first_model_needs_nothing_but_progress() -> None:
    """In aio_notify a request is served if both processes go on; with neither promise the first may never be made, or never be taken."""
    system = system_of(row_named("aio_notify"))
    assert decide(system)["served"].reason == Assuming(("notifier", "waiter"))
    for promise in system.fairness:
        alone = replace(system, fairness=(promise,))
        assert decide(alone)["served"].outcome is Outcome.VIOLATED


@pytest.mark.parametrize("name", ["aio_notify_bug", "aio_notify_bug CHECK_REQ", "aio_notify_accept"])
def test_other_models_need_their_fairness(name: str) -> None:
    """Negative control: without fairness a poller may rest beside a set event for ever, and the demand is broken."""
    system = replace(system_of(row_named(name)), fairness=())
    assert Outcome.VIOLATED in {verdict.outcome for verdict in decide(system).values()}


def test_waiter_that_sees_requests_asleep_hides_two_bugs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: with a poll that requests wake without an event, exactly the two lost wakeups of the table go unseen."""

    def poll(p: Process, bell: notify._Bell, accept: notify._Routine) -> None:
        p.do("notify_me up", bell.notify_me.inc())
        p.wait("event or request", bell.event | bell.req)
        p.do("notify_me down", bell.notify_me.dec())
        accept(p)

    monkeypatch.setattr(notify, "_poll", poll)
    differing = [row.name for row in ROWS if not check(row).as_expected]
    assert differing == ["aio_notify_bug CHECK_REQ BUG", "aio_notify_accept CHECK_REQ BUG2"]


def test_truncated_search_gives_no_verdict() -> None:
    """A row that holds is unknown under a limit, never held."""
    assert check(row_named("aio_notify"), Limits(states=100)).outcome is Outcome.UNKNOWN
