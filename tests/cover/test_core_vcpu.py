"""A vCPU thread of the core that stops dataplane by a reset: what it does under the BQL, in the order of the code base."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.driven import Driven

MAIN, IOTHREAD, JOB, GUEST = "main thread", "iothread", "mirror_run", "guest"
#: takes the job to (a), where its exit callback is scheduled; the guest does nothing meanwhile
TO_THE_WINDOW = ("management", "clock", IOTHREAD, JOB, MAIN, "storage")


def in_the_window(writes: bool, **settings: Any) -> Driven:
    """A machine whose exit callback is scheduled, and whose main thread polls without the BQL. The guest has a write to make, or none."""
    driven = Driven(
        "65c1b5b622", "dataplane-stop" if writes else "dataplane-reset", **{"job_at_switch": "ignored", **settings}
    )
    driven.wishes = {"after 1000 spins"}
    driven.until("block_job_defer_to_main_loop", *TO_THE_WINDOW)
    if driven.machine.bql.held:
        driven.until("g_main_context_prepare", MAIN)
    driven.rest(JOB, IOTHREAD)
    return driven


def with_a_write_in_flight(**settings: Any) -> Driven:
    """In the window, and the IOThread has submitted a stray write."""
    driven = in_the_window(writes=True, begin="none", **settings)
    driven.until("kicks", GUEST)
    driven.until("enters source", IOTHREAD)
    driven.rest(IOTHREAD)
    return driven


def test_it_resets_only_between_a_and_c_and_only_where_it_can_have_the_bql() -> None:
    """Not before the exit callback is scheduled, not after it has run, not while the main thread holds the BQL."""
    driven = Driven("65c1b5b622", "dataplane-stop")
    driven.wishes = {"after 1000 spins"}
    driven.until("kicks", GUEST)
    job, seen = driven.machine.jobs[0], set[tuple[bool, bool, bool]]()
    for _ in range(100):
        scheduled, held = job.exit_bh is not None and job.exit_bh.scheduled, driven.machine.bql.held
        assert bool(driven.offered(GUEST)) == (scheduled and not held)
        seen.add((scheduled, held, job.completed))
        driven.make(next(name for name in TO_THE_WINDOW if driven.offered(name)))
        if job.completed and not driven.machine.bql.held:
            break
    assert not driven.offered(GUEST)
    assert seen >= {(False, True, False), (False, False, False), (True, True, False), (True, False, False)}


def test_nobody_else_has_the_bql_while_it_stops_dataplane() -> None:
    """The main thread's poll does not return before the device has been stopped; afterwards it does, and the guest is at rest."""
    driven = in_the_window(writes=False)
    driven.until("takes the BQL", GUEST)
    driven.make(GUEST)
    while driven.machine.bql.vcpu:
        assert driven.machine.ctx.acquired.holder == GUEST
        assert not driven.offered(MAIN)
        driven.make(GUEST)
    assert driven.machine.ctx.acquired.is_free()
    assert driven.offered(MAIN) and not driven.offered(GUEST)


# -- the kick that is pending ---------------------------------------------------------------------------------------------------------


def stopped(writes: bool, **settings: Any) -> Driven:
    """Dataplane has been stopped, with a kick pending if the guest writes; others act only where the guest's thread waits for them."""
    driven = in_the_window(writes, **settings)
    driven.until("is in qemu_aio_context", GUEST, IOTHREAD, "storage", MAIN)
    driven.rest(GUEST)
    return driven


def test_a_pending_kick_is_eaten() -> None:
    """Up to 03de2f5274~1 the notifier is cleared and the queue handler does not run: nobody answers, and after the reset nobody has to."""
    driven = stopped(writes=True, begin="none", stop_runs_queue="none")
    (disk,) = driven.machine.disks
    assert not disk.device.host_notifier.readable
    assert disk.device.vq.last_avail_idx == 0
    assert disk.driver.void == {"write[0.0]"} and disk.driver.all_answered()


@pytest.mark.parametrize(("knob", "process"), [("main", GUEST), ("iothread", IOTHREAD)])
def test_a_pending_kick_runs_the_queue_handler(knob: str, process: str) -> None:
    """From 03de2f5274 on in the thread that stops dataplane, from 1010cadf62 on in the IOThread."""
    driven = stopped(writes=True, begin="none", stop_runs_queue=knob, drain_polls_ctx="node")
    (disk,) = driven.machine.disks
    told = [event for event in driven.log.events if "write[0.0] enters" in event.text]
    assert [(event.process, "virtio_queue_aio_set_host_notifier_handler" in event.frames) for event in told] == [
        (process, True)
    ]
    said = driven.said(process)
    assert said.index("aio_set_event_notifier removes the handler") < said.index("event_notifier_test_and_clear")
    assert disk.driver.void == set() and not disk.device.host_notifier.readable


@pytest.mark.parametrize("knob", ["none", "main", "iothread"])
def test_without_a_kick_no_queue_handler_runs(knob: str) -> None:
    """The notifier is tested first; the handler is taken out in any case."""
    driven = stopped(writes=False, begin="none", stop_runs_queue=knob)
    assert not [event for event in driven.log.events if "enters" in event.text]
    assert driven.machine.ctx.handlers == []
    assert "aio_set_event_notifier removes the handler" in driven.said(IOTHREAD if knob == "iothread" else GUEST)


def test_the_iothread_is_waited_for_in_the_main_loops_context() -> None:
    """1010cadf62 schedules a bottom half and polls: the guest's thread goes on only when the IOThread has run it."""
    driven = in_the_window(writes=False, begin="none", stop_runs_queue="iothread", drain_polls_ctx="node")
    driven.until("schedules virtio_blk_data_plane_stop_bh", GUEST)
    job = driven.machine.jobs[0]
    while driven.offered(GUEST) and not job.completed:
        driven.make(GUEST)
    assert job.completed and "mirror_exit" in driven.said(GUEST)
    driven.rest(GUEST)
    assert driven.machine.bql.vcpu
    driven.until("removes the handler", IOTHREAD)
    assert driven.offered(GUEST)


# -- the switch of the context --------------------------------------------------------------------------------------------------------


def test_its_drain_polls_the_disks_own_context() -> None:
    """Up to c9d1a56174~1: it keeps the lock, waits for the stray write, and completes it itself; the job's exit has to wait."""
    driven = with_a_write_in_flight(drain_polls_ctx="node")
    driven.until("removes the handler", GUEST)
    assert not driven.offered(GUEST) and not driven.offered(IOTHREAD)
    driven.make("storage")
    driven.until("is in qemu_aio_context", GUEST)
    assert "write[0.0] completes, the guest is told" in driven.said(GUEST)
    assert "the exit bottom half runs" not in driven.said(GUEST)


def test_its_drain_polls_the_main_loops_context() -> None:
    """From c9d1a56174 on: it lets go of the lock, and the exit callback is what its poll finds, with the stray write still in flight."""
    driven = with_a_write_in_flight(drain_polls_ctx="own", pre_switch="drain")
    driven.until("aio_context_release", GUEST)
    assert driven.machine.ctx.acquired.is_free()
    assert driven.make(GUEST)[-1].text == "the exit bottom half runs"
    assert "write[0.0] completes, the guest is told" not in driven.said(GUEST)


def test_its_poll_sleeps_while_the_main_loops_context_has_nothing_to_do() -> None:
    """Until the IOThread has completed the stray write; then the drain is over."""
    driven = with_a_write_in_flight(drain_polls_ctx="own")
    exit_bh = driven.machine.jobs[0].exit_bh
    assert exit_bh is not None
    driven.until("takes the BQL", GUEST)
    exit_bh.qemu_bh_cancel()
    driven.until("aio_context_release", GUEST)
    assert not driven.offered(GUEST)
    driven.make("storage")
    driven.until("write[0.0] completes, the guest is told", IOTHREAD)
    assert driven.offered(GUEST)
    driven.rest(IOTHREAD)
    driven.until("aio_context_acquire", GUEST)
    assert driven.machine.ctx.acquired.holder == GUEST
    driven.until("source is in qemu_aio_context", GUEST)


@pytest.mark.parametrize(("knob", "moved"), [("ignored", False), ("moves", True)])
def test_a_switch_of_the_context_moves_the_jobs_nodes_along_or_not(knob: str, moved: bool) -> None:
    """Up to 463e0be101~1 the target stays in the IOThread's context; from 657e120320 on it goes with the source."""
    driven = stopped(writes=False, job_at_switch=knob)
    job, main = driven.machine.jobs[0], driven.machine.main_loop.qemu_aio_context
    assert job.bs.aio_context is main
    assert (job.target.aio_context is main) == moved


def test_a_switch_of_the_context_waits_for_a_job_that_never_pauses() -> None:
    """From 463e0be101 to 657e120320~1: the BQL is kept, so the exit callback never runs, and the machine hangs."""
    driven = in_the_window(writes=False, job_at_switch="waits")
    driven.until("removes the handler", GUEST)
    driven.rest(GUEST)
    assert driven.machine.bql.vcpu and not driven.offered(MAIN)
    assert driven.machine.jobs[0].bs.aio_context is driven.machine.ctx


def test_a_switch_of_the_context_does_not_wait_for_a_job_that_is_over() -> None:
    """The exit callback has run in the drain's poll: the context is switched, and that of the target, which is the disk now, is not."""
    driven = with_a_write_in_flight(drain_polls_ctx="own", job_at_switch="waits")
    job = driven.machine.jobs[0]
    driven.until("aio_context_release", GUEST)
    job.completed = True
    driven.make("storage")
    driven.until("write[0.0] completes, the guest is told", IOTHREAD)
    driven.rest(IOTHREAD)
    exit_bh = job.exit_bh
    assert exit_bh is not None
    exit_bh.qemu_bh_cancel()
    driven.until("source is in qemu_aio_context", GUEST)
    assert job.target.aio_context is driven.machine.ctx
