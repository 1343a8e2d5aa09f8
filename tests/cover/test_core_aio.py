"""One AioContext of the core alone: bottom halves, the walk of the handlers, external events, busy polling; and how requests are submitted."""

from __future__ import annotations

from functools import partial

import pytest

from draincheck.core.aio import AioContext, AioPoll
from draincheck.core.errors import QemuAbort
from draincheck.core.host import Host, Thread
from draincheck.core.notifier import EventNotifier
from draincheck.knobs import Setting
from draincheck.revisions import find_revision, with_settings
from tests.support.driven import Driven


def context(revision: str = "9a0cec664e", **settings: Setting) -> AioContext:
    """A context in whose thread nothing else acts."""
    host = Host(with_settings(find_revision(revision), settings).knobs, None, lambda choices: 0)
    host.running = Thread("main thread")
    host.running.atomic = 1
    return AioContext(host, "qemu_aio_context")


def test_bottom_halves_run_newest_first_and_once() -> None:
    """One that is made by a callback waits for the next walk; one that is scheduled again does too; a deleted one is taken off."""
    ctx, ran = context(), list[str]()

    def callback() -> None:
        ran.append("new")
        new.qemu_bh_delete()
        ctx.aio_bh_new(lambda: ran.append("later")).qemu_bh_schedule()

    old = ctx.aio_bh_new(lambda: ran.append("old"))
    new = ctx.aio_bh_new(callback)
    assert not ctx.aio_bh_poll()
    old.qemu_bh_schedule()
    new.qemu_bh_schedule()
    assert ctx.bh_scheduled() and ctx.aio_bh_poll()
    assert ran == ["new", "old"] and new not in ctx.bottom_halves
    assert ctx.aio_bh_poll() and ran == ["new", "old", "later"] and not ctx.aio_bh_poll()
    old.qemu_bh_schedule()
    old.qemu_bh_cancel()
    assert not ctx.bh_scheduled() and not ctx.aio_bh_poll()


def test_the_last_enable_wakes_the_context_where_the_code_base_knows_it_must() -> None:
    """Not the first of two, and never before; one more than was disabled is QEMU's assertion."""
    for notifies in (False, True):
        ctx = context(enable_notifies=notifies)
        ctx.aio_disable_external()
        ctx.aio_disable_external()
        ctx.aio_enable_external()
        assert not ctx.notified and ctx.external_disable_cnt == 1
        ctx.aio_enable_external()
        assert ctx.notified == notifies and ctx.external_disable_cnt == 0
        ctx.aio_notify_accept()
        assert not ctx.notified
        with pytest.raises(QemuAbort, match="external_disable_cnt > 0"):
            ctx.aio_enable_external()


@pytest.mark.parametrize("checks", [False, True])
def test_the_walk_consumes_readiness_and_skips_external_handlers_while_they_are_disabled(checks: bool) -> None:
    """From 37989ced44 on; before, the poll set alone was asked. What was not ready does not run."""
    ctx, ran = context(walk_checks_external=checks), list[str]()
    external = ctx.aio_set_event_notifier(EventNotifier(), lambda: ran.append("external"), is_external=True)
    internal = ctx.aio_set_event_notifier(EventNotifier(), lambda: ran.append("internal"))
    idle = ctx.aio_set_event_notifier(EventNotifier(), lambda: ran.append("idle"))
    assert external is not None and internal is not None and idle is not None
    external.revents = True
    ctx.aio_disable_external()
    assert ctx.aio_pending() == (not checks)
    internal.revents = True
    assert ctx.aio_pending() and ctx.aio_ctx_check() and not ctx.aio_ctx_prepare()
    assert ctx.aio_dispatch_handlers()
    assert ran == (["internal"] if checks else ["internal", "external"])
    assert not (external.revents or internal.revents) and not ctx.aio_dispatch_handlers()


def test_a_handler_is_replaced_and_removed_by_its_descriptor() -> None:
    """Others stay."""
    ctx, one, other = context(), EventNotifier(), EventNotifier()
    kept = ctx.aio_set_event_notifier(one, lambda: None)
    ctx.aio_set_event_notifier(other, lambda: None)
    new = ctx.aio_set_event_notifier(other, lambda: None)
    assert ctx.handlers == [new, kept]
    assert ctx.aio_set_event_notifier(other, None) is None and ctx.handlers == [kept]


@pytest.mark.parametrize(("knob", "runs"), [("none", []), ("ignores", ["inner", "outer"]), ("honours", ["inner"])])
def test_busy_polling_serves_what_has_work(knob: str, runs: list[str]) -> None:
    """Newest first; from 59c9f437c5 on external handlers only while nobody has disabled them; before 684e508c23 none."""
    ctx, ran = context(busy_poll=knob), list[str]()
    for name, works in (("outer", True), ("inner", True), ("idle", False)):
        io_poll = AioPoll(partial(bool, works), partial(ran.append, name))
        ctx.aio_set_event_notifier(EventNotifier(), lambda: None, name == "outer", io_poll)
    ctx.aio_set_event_notifier(EventNotifier(), lambda: None)
    ctx.aio_disable_external()
    assert ctx.run_poll_handlers_once() == bool(runs) and ran == runs
    assert ctx.aio_poll_would_progress() == bool(runs)


@pytest.mark.parametrize(("walks", "left"), [("always", False), ("if_ready", True)])
def test_a_poll_that_finds_nothing_washes_or_not(walks: str, left: bool) -> None:
    """Until 721671ade7 it clears what an outer poll has stored, and runs nothing that is not in its set."""
    ctx = context(poll_walks=walks)
    handler = ctx.aio_set_event_notifier(EventNotifier(), lambda: pytest.fail("runs"), is_external=True)
    assert handler is not None
    handler.revents = True
    ctx.aio_disable_external()
    assert not ctx.aio_poll_once()
    assert handler.revents == left


def test_a_poll_runs_what_is_readable() -> None:
    """And only that."""
    ctx, ran = context(), list[str]()
    kick = EventNotifier()
    ctx.aio_set_event_notifier(kick, lambda: ran.append("kick"))
    ctx.aio_set_event_notifier(EventNotifier(), lambda: ran.append("idle"))
    assert not ctx.aio_poll_once()
    kick.event_notifier_set()
    assert ctx.aio_poll_would_progress() and ctx.aio_poll_once() and ran == ["kick"]


@pytest.mark.parametrize(
    ("revision", "function"), [("5a7e7a0bad", "virtio_submit_multiwrite"), ("9a0cec664e", "virtio_blk_submit_multireq")]
)
def test_a_write_is_submitted_by_the_function_of_the_code_base(revision: str, function: str) -> None:
    """As a trace shows it."""
    driven = Driven(revision, "mirror")
    driven.until("kicks", "guest")
    event = next(event for event in driven.until("enters source", "main thread") if event.mark == "b")
    assert function in event.frames


def test_storage_finishes_and_fails_what_it_may() -> None:
    """A copy may fail on the source, a flush only on the target, a guest's request never."""
    driven = Driven("ab27c3b5e7", "mirror-source-error")
    driven.until("kicks", "guest")
    driven.until("enters source", "main thread")
    assert [choice.label for choice in driven.offered("storage")] == ["finishes write[0.0]"]
    driven.make("storage")
    assert driven.offered("storage") == []
    driven.until("copies sector", "clock", "mirror_run", "main thread")
    (finishes, fails) = [choice.label for choice in driven.offered("storage")]
    assert finishes == "finishes mirror's I/O" and fails == "fails mirror's I/O on the source"
    driven.make("storage", "fails")
    assert "sector 64 is dirty again" in [
        event.text for event in driven.until("dirty again", "main thread", "mirror_run")
    ]


def test_a_kick_without_ioeventfd_comes_by_doorbell_or_chardev() -> None:
    """The doorbell only while the main thread has let go of the BQL; the queue handler runs in the vCPU thread at once."""
    driven = Driven("9a0cec664e", "no-ioeventfd")
    assert [choice.label for choice in driven.offered("guest")] == ["chardev"]
    driven.until("g_main_context_prepare", "main thread")
    assert [choice.label for choice in driven.offered("guest")] == ["chardev", "doorbell"]
    assert any(event.mark == "b" for event in driven.make("guest", "doorbell"))
    assert driven.offered("guest") == []


def test_the_clock_ends_a_sleep_once() -> None:
    """Not again before the job sleeps again."""
    driven = Driven("9a0cec664e", "mirror")
    assert [choice.label for choice in driven.offered("clock")] == ["mirror's sleep timer expires"]
    driven.make("clock")
    assert driven.offered("clock") == []
    driven.until("block_job_sleep_ns", "main thread", "mirror_run", "storage")
    assert len(driven.offered("clock")) == 1


def test_a_copy_is_tracked_on_the_source_until_it_is_over() -> None:
    """A drain of the source waits for the job's own read."""
    driven = Driven("9a0cec664e", "mirror-bulk")
    driven.until("copies sector", "clock", "mirror_run", "main thread")
    job = driven.machine.jobs[0]
    assert [request.owner for request in job.bs.tracked_requests] == [job.owner]
    driven.until("the target has sector", "storage", "mirror_run", "main thread")
    assert job.bs.tracked_requests == []
