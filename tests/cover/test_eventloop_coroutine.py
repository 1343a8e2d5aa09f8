"""Timers, and coroutines that have a home: who may enter them, and what becomes of a sleep."""

from __future__ import annotations

import pytest

from draincheck.engines.explicit import check, explore
from draincheck.eventloop import BottomHalf, CoSleep, HomedCoroutine, Timer
from draincheck.lang import Model, Process
from draincheck.verdict import Outcome

HOLDS, VIOLATED = Outcome.HOLDS, Outcome.VIOLATED


def late(change: str) -> Outcome:
    """Whether a timer's callback never runs once the timer was changed, if its time may have come before."""
    m = Model("timer")
    timer, changed, ran = Timer(m.bool("due"), m.bool("armed")), m.bool("changed"), m.bool("ran late")
    updates = timer.taken() if change == "deleted" else [timer.armed.clear()]
    with m.thread("p") as p:
        p.do("arm", *timer.arm())
        p.do(change, *updates, changed.set())
    with m.thread("clock") as p, p.loop():
        p.do("its time comes", timer.due.set(), when=timer.may_expire)
    with m.thread("aio_dispatch") as p, p.loop():
        p.do("its callback", *timer.taken(), ran.set(changed), when=timer.due)
    m.always("never late", ~ran)
    return check(m.compile(), "never late").outcome


@pytest.mark.parametrize(("change", "outcome"), [("deleted", HOLDS), ("disarmed", VIOLATED)])
def test_a_timer_that_is_deleted_does_not_fire_even_if_its_time_had_come(change: str, outcome: Outcome) -> None:
    """Negative control: one that only leaves its list fires late."""
    assert late(change) is outcome


def test_a_timer_that_is_armed_anew_is_not_due() -> None:
    """timer_mod takes the time back that had come; without a flag of its own a timer is always armed."""
    m = Model("timer_mod")
    timer, plain = Timer(m.bool("due", initial=True), m.bool("armed")), Timer(m.bool("plain"))
    with m.thread("p") as p:
        p.do("timer_mod", *timer.arm())
    m.always("armed and not due", m.at("p", "(ended)").implies(timer.armed & timer.may_expire))
    assert check(m.compile(), "armed and not due").outcome is HOLDS
    assert str(plain.may_expire) == "not plain"


def homed(m: Model, home: str = "iothread") -> HomedCoroutine:
    """A coroutine that does nothing but yield, whose home may be either of two threads."""
    coroutine = m.coroutine("co")
    with coroutine, coroutine.loop():
        coroutine.yield_("again")
    where = m.enum("home", "main", "iothread", initial=home, exists=False)
    return HomedCoroutine(coroutine, where, BottomHalf(m.bool("scheduled")), waits="in co")


def run_scheduled(m: Model, co: HomedCoroutine) -> None:
    """The home's event loop."""
    with m.thread("iothread") as p, p.loop():
        p.do("co_schedule_bh_cb", *co.comes_back.taken(), when=co.comes_back.runs)
        co.enter(p)


@pytest.mark.parametrize(("wakes", "outcome"), [(True, HOLDS), (False, VIOLATED)])
def test_a_coroutine_that_is_woken_runs_at_home(wakes: bool, outcome: Outcome) -> None:
    """Negative control: whoever enters it from elsewhere runs it in the wrong thread."""
    m = Model("home")
    co = homed(m)
    with m.thread("main") as p, p.atomic():
        if wakes:
            co.wake(p, "main")
        else:
            co.enter(p)
    run_scheduled(m, co)
    m.always("at home", co.coroutine.on.implies(m.at("iothread", "in co")))
    m.reachable("runs", co.coroutine.on)
    found = explore(m.compile()).verdicts
    assert found["at home"].outcome is outcome
    assert found["runs"].outcome is HOLDS


def test_a_coroutine_that_is_woken_at_home_runs_at_once() -> None:
    """It is not scheduled."""
    m = Model("at once")
    co = homed(m, home="main")
    with m.thread("main") as p, p.atomic():
        co.wake(p, "main")
    m.always("not scheduled", ~co.comes_back.scheduled)
    m.reachable("runs", co.coroutine.on)
    assert {verdict.outcome for verdict in explore(m.compile()).verdicts.values()} == {HOLDS}


@pytest.mark.parametrize(("waits", "outcome"), [(True, HOLDS), (False, VIOLATED)])
def test_a_coroutine_is_not_scheduled_twice(waits: bool, outcome: Outcome) -> None:
    """Two threads wake it: an error of the run, where QEMU aborts, unless the second one waits until it has parked again."""
    m = Model("twice")
    co = homed(m)
    for name in ("main", "other"):
        with m.thread(name) as p, p.atomic():
            if waits:
                p.wait("parked", co.parked)
            co.wake(p, "main")
    run_scheduled(m, co)
    assert check(m.compile(), "coroutines scheduled once").outcome is outcome


def sleeping(deletes: bool) -> Outcome:
    """Whether a timer whose time has come always belongs to a coroutine that sleeps."""
    m = Model("sleep")
    coroutine = m.coroutine("co", waits_at="sleep")
    home = m.enum("home", "main", exists=False)
    sleep = CoSleep(HomedCoroutine(coroutine, home, BottomHalf(m.bool("scheduled"))), Timer(m.bool("due")))
    with coroutine:
        sleep.begin("sleeps again")
        coroutine.do("works")
        coroutine.yield_("work")

    def enter_early(p: Process) -> None:
        with p.when(sleep.asleep):
            p.do("the timer is left")
            sleep.sleeper.enter(p)

    with m.thread("main") as p, p.loop(), p.either() as choice:
        with choice(when=sleep.timer.due), p.atomic():
            sleep.run_timer(p)
        with choice(when=sleep.asleep), p.atomic():
            (sleep.interrupt if deletes else enter_early)(p)
    with m.thread("clock") as p, p.loop():
        p.do("its time comes", sleep.timer.due.set(), when=sleep.may_end)
    m.always("only a sleeper's", sleep.timer.due.implies(sleep.asleep))
    return check(m.compile(), "only a sleeper's").outcome


@pytest.mark.parametrize(("deletes", "outcome"), [(True, HOLDS), (False, VIOLATED)])
def test_who_ends_a_sleep_early_deletes_its_timer(deletes: bool, outcome: Outcome) -> None:
    """Negative control: a timer that is left alone comes when its coroutine waits for something else."""
    assert sleeping(deletes) is outcome


def test_a_coroutine_comes_back_through_its_own_bottom_half() -> None:
    """It yields until that enters it, and is not parked meanwhile."""
    m = Model("yield to")
    coroutine, back = m.coroutine("co"), m.bool("is back")
    co = HomedCoroutine(coroutine, m.enum("home", "main", exists=False), BottomHalf(m.bool("BH")))
    with coroutine, coroutine.atomic():
        co.yield_to("drain_cb", "drain")
        coroutine.do("back", back.set())
    with m.thread("main") as p:
        co.enter(p)
        with p.atomic():
            p.do("aio_bh_poll", *co.comes_back.taken(), when=co.comes_back.runs)
            co.enter(p)
    m.always("it is awaited", coroutine.at("drain").implies(~co.parked))
    m.reachable("it comes back", back)
    assert {verdict.outcome for verdict in explore(m.compile()).verdicts.values()} == {HOLDS}
