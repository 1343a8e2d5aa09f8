"""A coroutine mutex under a drain: the model on which L4 is decided, with the code base's kind of drain.

The QEMU model leaves such locks of the block layer out. What decides is whether a drain polls inside the coroutine that holds the wake
list, or gives up control.
"""

from __future__ import annotations

from functools import cache

from draincheck.lang import Model, Process
from draincheck.system import TransitionSystem
from drainspecs.mirror.properties import L4

__all__ = ["comutex", "comutex_system"]


@cache
def comutex_system(drain: str) -> TransitionSystem:
    """The compiled model; `drain` is the knob of that name."""
    return comutex(drain).compile()


def comutex(drain: str) -> Model:
    """A guest request waits for a coroutine mutex that mirror_run holds; then mirror_run unlocks it and drains.

    Unlocking puts the request on the wake list of the coroutine that unlocks, and the list runs when that coroutine next gives up
    control. `drain` is the knob of that name: a nested drain polls inside the coroutine, which gives up nothing.
    """
    m = Model(f"CoMutex under a drain ({drain})")
    c = _CoMutex(m)
    _request(c)
    _mirror(c, nested=drain == "nested")
    _events(c)
    with m.thread("guest") as p:
        p.do("kicks", c.kicked.set())
    with m.thread("storage") as p, p.loop(), p.either() as choice:
        with choice():
            p.do("finishes mirror's copy", c.copy_io.set("io_done"), when=c.copy_io.is_("in_flight"))
        with choice():
            p.do("finishes the read", c.read_io.set("io_done"), when=c.read_io.is_("in_flight"))
    m.leads_to("L4", c.draining, ~c.draining, **L4.about)
    for name in ("main thread", "mirror_run", "request", "storage"):
        m.fair(m.processes[name])
    return m


class _CoMutex:
    """What the model of L4 consists of."""

    def __init__(self, m: Model) -> None:
        self.m = m
        self.locked = m.bool("mutex locked by mirror_run", initial=True)
        self.waits = m.bool("request waits for the mutex")
        self.woken = m.bool("request is on mirror_run's wake list")
        self.tracked = m.bool("request tracked")
        self.kicked = m.bool("kicked")
        self.copy_io = m.enum("copy", "in_flight", "io_done", "none")
        self.read_io = m.enum("read", "none", "in_flight", "io_done")
        self.draining, self.drain_bh = m.bool("drain"), m.bool("drain BH")
        self.mirror = m.coroutine("mirror_run", waits_at="copy")
        self.request = m.coroutine("request")


def _request(c: _CoMutex) -> None:
    """A guest read: tracked from the start, it needs the mutex before its I/O."""
    with c.request as p, p.call("bdrv_co_preadv"), p.atomic():
        p.do("tracked_request_begin", c.tracked.set())
        with p.when(c.locked), p.call("qemu_co_mutex_lock"):
            p.do("waits", c.waits.set())
            c.request.yield_("mutex", "qemu_coroutine_yield")
        p.do("reads", c.read_io.set("in_flight"))
        c.request.yield_("I/O", "qemu_coroutine_yield")
        p.do("tracked_request_end", c.tracked.clear())


def _mirror(c: _CoMutex, nested: bool) -> None:
    """The end of the job's last copy, and its drain."""
    with c.mirror as p, p.call("mirror_run"):
        p.do("qemu_co_mutex_unlock", c.locked.clear(), c.woken.set(c.waits), c.waits.clear())
        with p.call("bdrv_drain"):
            p.do("begins to drain", c.draining.set())
            if nested:
                _poll_until_quiet(p, c)
            else:
                p.do("schedule bdrv_co_drain_bh_cb", c.drain_bh.set())
                c.mirror.yield_("drain", "qemu_coroutine_yield")
        p.do("drained", c.draining.clear())


def _poll_until_quiet(p: Process, c: _CoMutex) -> None:
    """aio_poll until no request is tracked; it sleeps while the request has nothing to be woken for."""
    with p.loop(), p.call("aio_poll"), p.either() as choice:
        with choice(when=~c.tracked):
            p.break_()
        with choice(when=c.tracked & c.read_io.is_("io_done")):
            p.do("the read is done", c.read_io.set("none"))
            p.enter(c.request, "qemu_coroutine_enter")


def _events(c: _CoMutex) -> None:
    """The event loop: whatever is ready, in any order."""
    with c.m.thread("main thread") as p, p.loop(), p.either() as choice:
        with choice(when=c.kicked):
            p.do("the kick's handler", c.kicked.clear())
            p.enter(c.request, "qemu_coroutine_enter")
        with choice(when=c.read_io.is_("io_done")):
            p.do("the read is done", c.read_io.set("none"))
            p.enter(c.request, "qemu_coroutine_enter")
        with choice(when=c.copy_io.is_("io_done")):
            p.do("the copy is done", c.copy_io.set("none"))
            _enter_mirror(p, c)
        with choice(when=c.drain_bh):
            with p.call("bdrv_co_drain_bh_cb"):
                p.do("the drain's bottom half runs", c.drain_bh.clear())
                _poll_until_quiet(p, c)
                _enter_mirror(p, c)


def _enter_mirror(p: Process, c: _CoMutex) -> None:
    """Run mirror_run until it gives up control, then what it has woken."""
    p.enter(c.mirror, "qemu_coroutine_enter")
    with p.when(c.woken, "qemu_co_queue_run_restart"):
        p.do("the wake list runs", c.woken.clear())
        p.enter(c.request, "qemu_coroutine_enter")
