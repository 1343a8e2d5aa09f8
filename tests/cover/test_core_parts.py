"""The core's GLib main context, locks, timers, coroutines and thread pool: each alone, by what GLib, QEMU and virtio promise."""

from __future__ import annotations

import pytest

from draincheck.core.aio import AioContext
from draincheck.core.coroutine import CoQueue, Coroutine, qemu_coroutine_enter, qemu_coroutine_yield
from draincheck.core.glib import GMainContext, GPollFD, GSource
from draincheck.core.host import Host, Thread
from draincheck.core.lock import ContextLock
from draincheck.core.notifier import EventNotifier
from draincheck.core.threadpool import ThreadPool, aio_get_thread_pool
from draincheck.core.timer import QEMUTimer, TimerList
from draincheck.revisions import find_revision, with_settings


def host(order: str = "attach", choice: int = 0) -> Host:
    """A host in which one thread runs, without scheduling points."""
    made = Host(with_settings(find_revision("9a0cec664e"), {"order": order}).knobs, None, lambda choices: choice)
    made.running = Thread("main thread")
    made.running.atomic = 1
    return made


class Source:
    """A GSource that notes what is asked of it."""

    def __init__(self, name: str, asked: list[str], prepared: bool = False) -> None:
        self.name, self.asked, self.prepared = name, asked, prepared
        self.fds = [GPollFD(EventNotifier()), GPollFD(EventNotifier())]
        self.source = GSource(name, self.prepare, self.check, lambda: asked.append(f"{name} runs"), lambda: self.fds)

    def prepare(self) -> bool:
        self.asked.append(f"{self.name} prepare")
        return self.prepared

    def check(self) -> bool:
        self.asked.append(f"{self.name} check")
        return any(fd.revents for fd in self.fds)


def context(
    asked: list[str], prepared: str = "", order: str = "attach", choice: int = 0
) -> tuple[GMainContext, list[Source]]:
    """A main context with three sources, some of them ready at once."""
    made = GMainContext(host(order, choice))
    sources = [Source(name, asked, name in prepared) for name in "abc"]
    for item in sources:
        made.g_source_attach(item.source)
    return made, sources


def test_sources_are_prepared_checked_and_dispatched_in_the_order_in_which_they_were_attached() -> None:
    """Only those that prepare did not find ready are asked again after the poll, and only the ready ones run, once."""
    asked: list[str] = []
    main, sources = context(asked, prepared="b")
    assert main.g_main_context_prepare()
    fds = main.g_main_context_query()
    assert fds == [fd for source in sources for fd in source.fds]
    assert main.g_main_context_check(fds, [False, True, False, False, False, False])
    main.g_main_context_dispatch()
    assert asked == ["a prepare", "b prepare", "c prepare", "a check", "c check", "a runs", "b runs"]
    main.g_main_context_dispatch()
    assert asked[-1] == "b runs" and len(asked) == 7


def test_what_the_poll_has_found_is_stored_with_the_descriptor_that_it_was_found_for() -> None:
    """One by one; and nothing is ready where nothing was found."""
    main, sources = context([])
    assert not main.g_main_context_prepare()
    fds = main.g_main_context_query()
    found = [False, True, True, False, False, False]
    assert main.g_main_context_check(fds, found)
    assert [fd.revents for source in sources for fd in source.fds] == found
    assert [source.source.ready for source in sources] == [True, True, False]
    assert not main.g_main_context_prepare()
    assert not main.g_main_context_check(fds, [False] * 6)
    with pytest.raises(ValueError, match="shorter"):
        main.g_main_context_check(fds, [False] * 5)


def test_in_any_order_every_ready_source_runs_once() -> None:
    """Which is next is open as long as there are several."""
    asked: list[str] = []
    main, _ = context(asked, prepared="ac", order="any", choice=1)
    main.g_main_context_prepare()
    main.g_main_context_dispatch()
    assert asked[3:] == ["c runs", "a runs"]


# -- timers ---------------------------------------------------------------------------------------------------------------------------


def test_a_timer_runs_once_when_its_deadline_has_passed() -> None:
    """Not before, not without a deadline, and not again; it may be armed anew in its callback."""
    ran: list[str] = []
    timers = TimerList()
    first, second = (timers.timer_new(lambda: ran.append("first")) for _ in range(2))
    second.callback = second.timer_mod
    assert (first.armed, first.due) == (False, False)
    assert not timers.timerlist_expired() and not timers.timerlist_run_timers()
    first.timer_mod()
    assert (first.armed, first.due) == (True, False)
    assert not timers.timerlist_run_timers()
    first.due = second.due = True
    assert timers.timerlist_expired() and timers.timerlist_run_timers()
    assert ran == ["first"]
    assert [(timer.armed, timer.due) for timer in (first, second)] == [(False, False), (True, False)]
    assert not timers.timerlist_expired() and not timers.timerlist_run_timers()


def test_a_deleted_timer_does_not_run() -> None:
    """Even if its deadline has passed; and a new deadline is in the future."""
    timer = QEMUTimer(lambda: pytest.fail("runs"))
    timer.timer_mod()
    timer.due = True
    timer.timer_del()
    assert not timer.armed and not timer.run_if_due()
    timer.due = True
    timer.timer_mod()
    assert not timer.run_if_due()


# -- locks ----------------------------------------------------------------------------------------------------------------------------


def test_a_context_lock_is_waited_for_until_it_is_free() -> None:
    """Who waits is a contender until it has the lock."""
    made = host()
    lock = ContextLock(made)
    threads = [Thread(name, lock.aio_context_acquire) for name in ("one", "other")]
    for thread in threads:
        made.resume(thread)
    assert lock.contenders == 2 and lock.is_free()
    made.resume(threads[0])
    assert (lock.contenders, lock.holder) == (1, "one")
    assert threads[1].until is not None and not threads[1].until()
    lock.aio_context_release()
    assert lock.is_free() and threads[1].until()
    made.resume(threads[1])
    assert (lock.contenders, lock.holder) == (0, "other")


# -- coroutines -----------------------------------------------------------------------------------------------------------------------


def test_a_coroutine_goes_on_where_it_has_yielded() -> None:
    """Control comes back to whoever entered it last, and it must not be entered after its end."""
    said: list[str] = []

    def entry() -> None:
        said.append("begins")
        qemu_coroutine_yield()
        said.append("ends")

    co = Coroutine(host(), entry)
    qemu_coroutine_enter(co)
    said.append("meanwhile")
    outer = Coroutine(host(), lambda: qemu_coroutine_enter(co))
    qemu_coroutine_enter(outer)
    assert said == ["begins", "meanwhile", "ends"] and outer.dead
    with pytest.raises(AssertionError, match="re-entered"):
        qemu_coroutine_enter(co)


def test_the_thread_that_runs_a_jobs_coroutine_has_its_name_meanwhile() -> None:
    """Then its own again; it has done something, and has come back."""
    made = host()
    seen: list[str] = []
    made.running.acted = made.running.back = False
    qemu_coroutine_enter(Coroutine(made, lambda: seen.append(made.running.process), process="mirror_run"))
    assert seen == ["mirror_run"] and made.running.process == "main thread"
    assert made.running.acted and made.running.back


def test_a_queue_of_coroutines_is_served_in_order() -> None:
    """One at a time; false when nobody waits."""
    queue, went = CoQueue(), list[str]()

    def waiter(name: str) -> Coroutine:
        def entry() -> None:
            queue.qemu_co_queue_wait()
            went.append(name)

        return Coroutine(host(), entry)

    for name in ("first", "second"):
        qemu_coroutine_enter(waiter(name))
    assert went == []
    assert queue.qemu_co_enter_next() and went == ["first"]
    assert queue.qemu_co_enter_next() and went == ["first", "second"]
    assert not queue.qemu_co_enter_next()


# -- the thread pool ------------------------------------------------------------------------------------------------------------------


def submitted(pool: ThreadPool, told: dict[str, int], *elements: tuple[str, str]) -> None:
    """Coroutines that each wait for an element (its name, whose it is), and note its result."""
    for name, owner in elements:

        def entry(name: str = name, owner: str = owner) -> None:
            told[name] = pool.thread_pool_submit_co(lambda: 7, name, owner, 0)

        qemu_coroutine_enter(Coroutine(pool.host, entry))


def test_who_submits_to_the_pool_waits_for_the_bottom_half() -> None:
    """The worker does the work and schedules it; each coroutine gets its result, or the error with which the worker failed instead."""
    ctx, told = AioContext(host(), "qemu_aio_context"), dict[str, int]()
    pool = aio_get_thread_pool(ctx)
    assert aio_get_thread_pool(ctx) is pool
    submitted(pool, told, ("a", "guest"), ("b", "guest"), ("c", "guest"))
    first, second, third = pool.elements
    assert not pool.completion_bh.scheduled
    pool.worker_thread(first)
    pool.worker_thread(third, -5)
    assert (first.done, second.done, third.done) == (True, False, True) and told == {}
    assert ctx.aio_bh_poll() and told == {"a": 7, "c": -5}
    assert pool.elements == [second] and not ctx.aio_bh_poll()


@pytest.mark.parametrize(("choice", "first"), [(0, {"g1", "g2"}), (1, {"job"})])
def test_which_owners_element_is_met_first_is_open(choice: int, first: set[str]) -> None:
    """All of the guest's in one step, the job's alone; the bottom half runs again for what is left."""
    ctx, told = AioContext(host(choice=choice), "qemu_aio_context"), dict[str, int]()
    pool = aio_get_thread_pool(ctx)
    submitted(pool, told, ("g1", "guest"), ("job", "mirror"), ("g2", "guest"))
    for element in tuple(pool.elements):
        pool.worker_thread(element)
    pool.completion_bh.scheduled = False
    pool.thread_pool_completion_bh()
    assert set(told) == first and pool.completion_bh.scheduled
    pool.thread_pool_completion_bh()
    assert set(told) == {"g1", "g2", "job"} and not pool.completion_bh.scheduled
