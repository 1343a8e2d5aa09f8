"""The state of the model with counted requests (see `counted.py`), composed of the same parts as the one with named ones."""

from __future__ import annotations

from msgspec import Struct

from draincheck import eventloop
from draincheck.knobs import Knobs
from draincheck.lang import FALSE, BoolExpr, BoolVar, IntExpr, IntVar, Model, ModelError, Update, any_
from draincheck.naturals import INFINITY, parameter
from draincheck.qemu.graph import has_sections
from draincheck.qemu.loops import main_loop_home
from draincheck.words import counted

__all__ = ["HostNotifier", "Requests", "State"]


class Requests(Struct, frozen=True):
    """Guest requests that were submitted to one node: how many are in flight, and how many of which the I/O is done."""

    in_flight: IntVar
    io_done: IntVar

    def submitted(self, requests: IntExpr) -> Update:
        """So many more are in flight."""
        return self.in_flight.set(self.in_flight + requests)

    @property
    def pending(self) -> BoolExpr:
        """Some of them are tracked."""
        return (self.in_flight > 0) | (self.io_done > 0)


class HostNotifier(eventloop.FdHandler, frozen=True):
    """The handler of the disk's host notifier, and how many requests wait in the ring."""

    ring: IntVar

    @property
    def io_poll(self) -> BoolExpr:
        """The ring is filled."""
        return self.ring > 0


class State:
    """The variables of the modelled QEMU, and what can be asked of them."""

    def __init__(self, knobs: Knobs, writes: int | None, highest: int = INFINITY) -> None:
        """A QEMU with the knobs of a code base.

        Args:
            knobs: the knobs.
            writes: how many writes the guest makes; None for any number.
            highest: the upper end of the counters. If there is one, iterations of the main loop are not counted: they have none.

        Raises:
            ModelError: the knobs choose an order of GSources other than that of attachment.
        """
        if knobs.order != "attach":
            raise ModelError("the model with counted requests has no other order of GSources than that of attachment")
        words = "any number of writes" if writes is None else counted(writes, "write")
        model = self.m = Model(words)
        self.k = knobs
        self._highest = highest
        self.to_make = model.int("writes to make", 0, highest, writes or 0)
        if writes is None:
            parameter(self.to_make)
        self.ring, self.parked, self.acked, self.dirty = map(self._counter, ("ring", "parked", "acked", "dirty"))
        self.source, self.target = (
            Requests(self._counter(f"in flight on the {node}"), self._counter(f"I/O done on the {node}"))
            for node in ("source", "target")
        )
        self.copies, self.copied = self._counter("copies in flight"), self._counter("copies done")
        self.flush = model.enum("flush", "none", "in_flight", "io_done")
        self.iterations = model.int("iterations", 0, highest, exists=highest == INFINITY)
        self._flags()
        self._contexts()

    def _counter(self, name: str) -> IntVar:
        return self.m.int(name, 0, self._highest)

    def _flags(self) -> None:
        m = self.m
        self.root = m.enum("root", "source", "target")
        self.notifier = HostNotifier(m.bool("eventfd"), m.bool("revents"), self.ring)
        self.should_complete, self.qmp = m.bool("should_complete"), m.bool("monitor command")
        timer = eventloop.Timer(m.bool("sleep timer due"))
        self.window, self.bitmap = m.bool("window"), m.bool("dirty bitmap", initial=True)
        self.drain_bh, self.exit_bh = eventloop.BottomHalf(m.bool("drain BH")), eventloop.BottomHalf(m.bool("exit BH"))
        self.completed = m.bool("job completed")
        self.ready, self.monitor_ready = m.bool("qemu_aio_context ready"), m.bool("monitor ready")
        self.mirror = m.coroutine("mirror_run", waits_at="sleep")
        home = m.enum("home of mirror_run", "qemu_aio_context", exists=False)
        self.coroutine = eventloop.HomedCoroutine(self.mirror, home, self.drain_bh, waits="in mirror")
        self.sleep = eventloop.CoSleep(self.coroutine, timer)

    def _contexts(self) -> None:
        m, k = self.m, self.k
        sections, self.home = has_sections(k), main_loop_home(k)
        quiesce = m.int("quiesce_counter", 0, 2, exists=sections)
        disable_count = m.int("external_disable_cnt", 0, 2, exists=sections)
        target_drained = m.bool("target drained", exists=k.target_drained)
        notified = m.bool("notified", exists=sections and k.enable_notifies)
        bandage = m.int("external_disable_cnt (iohandler_ctx)", 0, 1, exists=k.bandage)
        self.ctx = self.context("qemu_aio_context", "main", disable_count, notified)
        self.iohandler_ctx = self.context("iohandler_ctx", "ioh", bandage, eventloop.NEVER)
        self.backend, home = eventloop.Backend(k, quiesce > 0, FALSE), eventloop.fixed(self.ctx)
        self.node = eventloop.Node("source", quiesce, home, self.source.pending, (self.backend,))
        self.lone_target = eventloop.DrainedOnce("target", target_drained, home, self.target.pending)

    def context(self, name: str, home: str, count: IntVar, notified: BoolVar) -> eventloop.AioContext[HostNotifier]:
        """A context, with the host notifier if it is registered there."""
        handlers = (self.notifier,) if self.home == home else ()
        external = bool(handlers) and count.exists and self.k.is_external
        return eventloop.AioContext(name, self.k, handlers, count, external, notified, eventloop.NEVER)

    # -- conditions -----------------------------------------------------------------------------------------------------------

    @property
    def on_old_node(self) -> BoolExpr:
        """The disk's root is still the source."""
        return self.root.is_("source")

    @property
    def guest_io_done(self) -> BoolExpr:
        """The thread pool has a finished guest request."""
        return (self.source.io_done > 0) | (self.target.io_done > 0)

    @property
    def bh_scheduled(self) -> BoolExpr:
        """A bottom half of qemu_aio_context is scheduled."""
        io_done = any_(self.guest_io_done, self.copied > 0, self.flush.is_("io_done"))
        return any_(self.drain_bh.pending if self.k.drain != "nested" else FALSE, self.exit_bh.pending, io_done)

    @property
    def copying(self) -> BoolExpr:
        """Mirror has copies under way."""
        return (self.copies > 0) | (self.copied > 0)
