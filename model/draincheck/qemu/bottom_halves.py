"""The jobs' own bottom halves in qemu_aio_context: a drain's, and the deferred exit. They are newer than the thread pool's."""

from __future__ import annotations

from draincheck.lang import BoolVar, Process
from draincheck.qemu import drain, mirror_exit
from draincheck.qemu.world import World

__all__ = ["newest_first", "run"]


def newest_first(p: Process, w: World, ready: BoolVar) -> None:
    """The part of aio_bh_poll before the thread pool's: newest first; one that a callback schedules waits for the next walk."""
    with p.atomic():
        first, second = w.job.listed, w.worlds[-1].job.listed
        if not w.newest.exists:
            p.do("bottom halves, newest first", ready.clear(), choice="qemu_aio_context")
            run(p, w)
            return
        other = w.worlds[1]
        listed = first.set(w.fresh_bh), second.set(other.fresh_bh)
        p.do("bottom halves, newest first", ready.clear(), *listed, choice="qemu_aio_context")
        with p.when(first & (~second | w.newest.is_(0))):
            run(p, w)
            with p.when(second):
                run(p, other)
        with p.otherwise():
            with p.when(second):
                run(p, other)
            with p.when(first):
                run(p, w)


def run(p: Process, w: World) -> None:
    """Run a job's bottom half, if one is scheduled: never both, since the job that drains is not yet at its end."""
    if w.k.drain != "nested" and not w.s.iothread:
        with p.when(w.job.drain_bh.pending):
            drain.drain_bottom_half(p, w)
        with p.otherwise():
            mirror_exit.bottom_half(p, w)
    else:
        mirror_exit.bottom_half(p, w)
