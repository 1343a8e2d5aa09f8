"""The model of `draincheck.qemu` in the scenario *mirror*, with its requests counted instead of named.

They are alike but for how far they have come and the node they were submitted to, so how many there are in each stage is all there is to
know of them. Mirror may have any number of copies in flight. Knobs, names and steps are those of `draincheck.qemu`; see there for what
they stand for. With counters that have no upper end this is the story for any number of writes.
"""

from __future__ import annotations

from draincheck.eventloop import GSource, NestedPoll, dispatch, poll_until_quiet
from draincheck.expr import want_int
from draincheck.lang import FALSE, BoolExpr, IntVar, Process, any_, ite
from draincheck.naturals import over_naturals
from draincheck.qemu.counted_state import Requests, State
from draincheck.system import TransitionSystem

__all__ = ["Qemu", "Requests"]


class Qemu(State):
    """The modelled QEMU: its threads as methods."""

    # -- what a specification may look at ---------------------------------------------------------------------------------------

    def requests_submitted(self, p: Process, requests: IntVar) -> None:
        """(b): so many requests are about to become tracked on the disk's root. A specification may check something here."""

    def properties(self) -> None:
        """Called when everything is recorded. A specification may demand something of states here."""

    # -- threads --------------------------------------------------------------------------------------------------------------

    def compile(self) -> TransitionSystem:
        """The transition system, with everything that moves."""
        self.main_thread()
        self.mirror_run()
        self.guest()
        self.storage()
        with self.m.thread("clock") as p, p.loop():
            p.do("mirror's sleep timer expires", self.sleep.timer.due.set(), when=self.sleep.may_end)
        with self.m.thread("management") as p:
            p.do("sends block-job-complete", self.qmp.set())
        self.properties()
        return over_naturals(self.m.compile())

    def guest(self) -> None:
        """A descriptor and its kick are two steps: a handler that is already running may take the descriptor first."""
        with self.m.thread("guest") as p, p.loop():
            p.do("adds a write to the ring", self.to_make.dec(), self.ring.inc(), when=self.to_make > 0)
            p.do("kicks", self.notifier.eventfd.set())

    def storage(self) -> None:
        """The host finishes I/O in any order, at any time."""
        pairs = {
            "a write on the source": (self.source.in_flight, self.source.io_done),
            "a write on the target": (self.target.in_flight, self.target.io_done),
            "a copy": (self.copies, self.copied),
        }
        with self.m.thread("storage") as p, p.loop(), p.either() as choice:
            for what, (before, after) in pairs.items():
                with choice():
                    p.do(f"finishes {what}", before.dec(), after.inc(), when=before > 0)
            with choice():
                p.do("finishes the flush", self.flush.set("io_done"), when=self.flush.is_("in_flight"))

    def main_thread(self) -> None:
        """main_loop_wait for ever."""
        with self.m.thread("main thread") as p, p.loop(), p.call("main_loop_wait", numbered=True):
            self.prepare_poll_check(p)
            dispatch(p, self.sources(p))
            if self.home == "legacy":
                with p.when(self.notifier.revents, local=True), p.atomic():
                    p.do("revents consumed", self.notifier.revents.clear())
                    self.host_notifier_read(p)

    def sources(self, p: Process) -> list[GSource]:
        """The GSources in attach order."""
        main = GSource(self.ready, lambda: self.dispatch_qemu_aio_context(p))
        iohandlers = GSource(self.notifier.revents, lambda: self.dispatch_iohandler_ctx(p))
        monitor = GSource(self.monitor_ready, lambda: self.dispatch_monitor(p))
        return [main, iohandlers, monitor] if self.home == "ioh" else [main, monitor]

    def dispatch_iohandler_ctx(self, p: Process) -> None:
        """B, where the host notifier is registered there."""
        with p.atomic():
            self.iohandler_ctx.run_fd_handlers(p, lambda _: self.host_notifier_read(p))

    def prepare_poll_check(self, p: Process) -> None:
        """The first half of an iteration: only the poll samples readiness."""
        due = self.bh_scheduled | self.sleep.timer.due
        p.do("aio_ctx_prepare", self.ready.set(due), self.iterations.inc())
        eventfd, revents = self.notifier.eventfd, self.notifier.revents
        polled = self.monitor_ready.set(self.qmp), revents.set(eventfd), self.ctx.notified.clear()
        p.do("qemu_poll_ns", *polled, when=any_(due, self.qmp, eventfd, self.ctx.notified))
        fds = revents & self.ctx.allowed if self.home == "main" else FALSE
        checked = [self.ready.set(any_(self.ready, due, fds))]
        if self.home == "ioh":
            checked.append(revents.set(revents & self.iohandler_ctx.allowed))
        p.do("aio_ctx_check", *checked)

    def dispatch_qemu_aio_context(self, p: Process) -> None:
        """A: bottom halves newest first, then the fd walk, then timers."""
        with p.call("aio_dispatch"):
            self.newest_bottom_half(p)
            self.thread_pool_completion_bh(p)
            if self.home == "main":
                with p.atomic():
                    self.ctx.run_fd_handlers(p, lambda _: self.host_notifier_read(p))
            with p.atomic():
                self.sleep.run_timer(p)

    def newest_bottom_half(self, p: Process) -> None:
        """The drain's or the exit's, never both."""
        with p.atomic():
            p.do("bottom halves, newest first", self.ready.clear())
            if self.k.drain == "nested":
                self.exit_bottom_half(p)
                return
            with p.when(self.drain_bh.pending):
                p.do("bdrv_co_drain_bh_cb", *self.drain_bh.taken())
                if self.k.drain == "yield_first":
                    self.node.begin(p)
                self.poll_until_quiet(p, self.node.waits, "drain BH")
                self.coroutine.enter(p)
            with p.otherwise():
                self.exit_bottom_half(p)

    def exit_bottom_half(self, p: Process) -> None:
        """(c)."""
        if self.k.exit == "bh":
            with p.when(self.exit_bh.pending), p.call("mirror_exit"):
                released = [self.bitmap.clear()] if self.k.release_bitmap == "exit" else []
                p.do("mirror_exit", *self.exit_bh.taken(), *released, mark="c")
                self.finish(p)

    def thread_pool_completion_bh(self, p: Process) -> None:
        """The oldest bottom half: it completes what is done, in any order."""
        with p.loop(), p.either() as choice:
            with choice(when=~any_(self.guest_io_done, self.copied > 0, self.flush.is_("io_done"))):
                p.break_()
            with choice(when=self.guest_io_done), p.atomic():
                self.complete_all(p)
            with choice(when=self.copied > 0), p.atomic():
                p.do("a copy completes", self.copied.dec())
                self.coroutine.enter(p)
            with choice(when=self.flush.is_("io_done")), p.atomic():
                p.do("the flush completes", self.flush.set("none"))
                self.coroutine.enter(p)

    def dispatch_monitor(self, p: Process) -> None:
        """M: block-job-complete enters a sleeping job at once."""
        with p.call("qmp_block_job_complete"), p.atomic():
            p.do("mirror_complete", self.monitor_ready.clear(), self.qmp.clear(), self.should_complete.set())
            self.sleep.interrupt(p)

    # -- requests -------------------------------------------------------------------------------------------------------------

    def host_notifier_read(self, p: Process) -> None:
        """Test and clear; then empty the ring."""
        with p.when(self.notifier.eventfd):
            p.do("event_notifier_test_and_clear", self.notifier.eventfd.clear())
            self.handle_output(p)

    def handle_output(self, p: Process) -> None:
        """Empty the ring."""
        self.backend.submit(p, lambda: self.submit(p, self.ring), lambda: self.park(p))

    def park(self, p: Process) -> None:
        """Queue all requests in the ring."""
        p.do("blk_wait_while_drained", self.parked.set(self.parked + self.ring), self.ring.set(0))

    def submit(self, p: Process, requests: IntVar) -> None:
        """(b): all of some requests become tracked on the disk's root."""
        self.requests_submitted(p, requests)
        here, there = (ite(when, requests, want_int(0)) for when in (self.on_old_node, ~self.on_old_node))
        submitted = self.source.submitted(here), self.target.submitted(there)
        p.do("submits every request", *submitted, requests.set(0), mark="b")

    def complete_all(self, p: Process) -> None:
        """Every request whose I/O is done: its sector is dirty if a bitmap still listens, and the guest is told."""
        done = self.source.io_done + self.target.io_done
        p.do(
            "completes, the guest is told",
            self.dirty.set(self.dirty + ite(self.bitmap, self.source.io_done, want_int(0))),
            self.acked.set(self.acked + done),
            self.source.io_done.set(0),
            self.target.io_done.set(0),
        )

    # -- drain ----------------------------------------------------------------------------------------------------------------

    def drained_begin(self, p: Process, place: str = "drain") -> None:
        """bdrv_drained_begin in the job's coroutine."""
        if self.k.drain != "yield_first":
            self.node.begin(p)
        self.drain_in_coroutine(p, place)

    def drained_end(self, p: Process) -> None:
        """bdrv_drained_end: the last one enables external events again and lets parked requests go."""
        with p.when(self.node.counter.is_(1)):
            p.do("aio_enable_external", *self.ctx.enable())
        p.do("quiesce_counter--", self.node.counter.dec())
        if self.k.park_requests:
            with self.backend.resumed(p):
                self.submit(p, self.parked)

    def drain_in_coroutine(self, p: Process, place: str) -> None:
        """Poll inside the coroutine, or yield at a place to a bottom half that polls."""
        if self.k.drain == "nested":
            self.poll_until_quiet(p, self.node.waits, place)
        else:
            self.coroutine.yield_to("bdrv_co_drain_bh_cb", place)

    def poll_until_quiet(self, p: Process, pending: BoolExpr, place: str) -> None:
        """At a place: nested aio_poll until nothing is pending; until 721671ade7 the last one, without progress, washes."""
        event = self.guest_io_done | self.runnable
        progress = self.k.drain_polls == "progress"
        washed = self.ctx.consumed() if progress and self.home == "main" and self.k.poll_walks == "always" else []
        poll_until_quiet(p, pending, event, progress, washed, lambda: self.aio_poll(p), place)

    @property
    def runnable(self) -> BoolExpr:
        """A nested aio_poll of now would run the host notifier's handler, or the queue's."""
        if self.home != "main":
            return FALSE
        stored = self.notifier.revents if self.k.poll_walks == "always" else FALSE
        return (ite(self.ctx.polled, self.notifier.eventfd, stored) & self.ctx.allowed) | self.ctx.busy_polled

    def aio_poll(self, p: Process) -> None:
        """One round of it: poll, bottom halves, the fd walk (in one step)."""
        poll = NestedPoll(
            self.ctx,
            self.ctx.busy_polled,
            self.ctx.polled & self.notifier.eventfd,
            run_queues=self.poll_busily,
            bottom_halves=self.complete_all,
            handler=lambda _: self.host_notifier_read(p),
            stored=lambda: [self.notifier.revents.set()],
        )
        with p.atomic():
            (poll.run if self.home == "main" else self.complete_all)(p)

    def poll_busily(self, p: Process) -> None:
        """The ring is filled: empty it."""
        with p.when(self.ctx.busy_polled):
            self.handle_output(p)

    # -- mirror ---------------------------------------------------------------------------------------------------------------

    def mirror_run(self) -> None:
        """The job from READY on."""
        with self.mirror as p, p.call("mirror_run"), p.loop(), p.atomic():
            p.here("round")
            with p.when(self.dirty > 0):
                self.copy_or_wait(p)
            with p.when(self.copying):
                self.mirror.yield_("copy", "waits for its copies")
                p.continue_()
            if self.k.flush == "before_check":
                self.flush_target(p)
            with p.when(self.dirty > 0):
                p.continue_()
            with p.when(self.should_complete):
                self.converge(p)
            with p.otherwise():
                self.sleep.begin("block_job_sleep_ns")

    def copy_or_wait(self, p: Process) -> None:
        """Start a copy, or wait for one because too many are in flight."""
        with p.either() as choice:
            with choice():
                p.do("starts to copy a sector", self.dirty.dec(), self.copies.inc())
            with choice(when=self.copying):
                self.mirror.yield_("copy", "has too many copies in flight")
        p.continue_()

    def flush_target(self, p: Process, place: str = "flush") -> None:
        """bdrv_flush of the target, which yields."""
        p.do("flushes the target", self.flush.set("in_flight"))
        self.mirror.yield_(place, "qemu_coroutine_yield")

    def converge(self, p: Process) -> None:
        """The epilogue, in the order of the code base."""
        begins = self.k.begin == "before_check"
        if begins:
            self.drained_begin(p)
        elif self.k.drain_is_section:
            self.drained_begin(p)
            self.drained_end(p)
        else:
            self.drain_in_coroutine(p, "drain")
        with p.when(self.dirty > 0):
            if begins:
                self.drained_end(p)
        with p.otherwise():
            p.do("bdrv_get_dirty_count is 0", self.window.set(self.should_complete), mark="w")
            if self.k.flush == "after_check":
                self.flush_target(p, "last flush")
            self.leave(p)
            p.break_()

    def leave(self, p: Process) -> None:
        """From the decision to leave to (a)."""
        if self.k.release_bitmap == "run":
            p.do("bdrv_release_dirty_bitmap", self.bitmap.clear())
        if self.k.exit == "inline":
            self.finish(p)
            return
        if self.k.begin == "after_release":
            self.drained_begin(p, "last drain")
        if self.iohandler_ctx.disable_count.exists:
            p.do("aio_disable_external (iohandler_ctx)", self.iohandler_ctx.disable())
        p.do("block_job_defer_to_main_loop", *self.exit_bh.schedule(), mark="a")

    def finish(self, p: Process) -> None:
        """Switch the disk, and end the job and its sections."""
        if self.k.reopen_drains:
            self.poll_until_quiet(p, self.node.waits, "bdrv_reopen")
        if self.lone_target.drained.exists:
            self.lone_target.begin(p)
            self.poll_until_quiet(p, self.target.pending, "bdrv_drained_begin")
        self.before_the_switch(p)
        p.do("the disk is the target now", self.root.set("target"), self.window.clear(), self.completed.set())
        if self.k.pre_switch == "drain":
            self.drained_end(p)
        if self.lone_target.drained.exists:
            p.do("the target's section ends", self.lone_target.drained.clear(), *self.ctx.enable())
        if self.k.begin != "none":
            self.drained_end(p)
        if self.iohandler_ctx.disable_count.exists:
            p.do("aio_enable_external (iohandler_ctx)", *self.iohandler_ctx.enable())

    def before_the_switch(self, p: Process) -> None:
        """What the code base does about requests of the source at (c)."""
        match self.k.pre_switch:
            case "swap_drain":
                self.poll_until_quiet(p, self.node.waits, "bdrv_swap")
            case "assert":
                with p.when(self.node.waits):
                    p.abort("assert(!bdrv_requests_pending(old)) fails")
            case "drain":
                self.node.begin(p)
                self.poll_until_quiet(p, self.node.waits, "bdrv_replace_node")
            case _:
                pass
