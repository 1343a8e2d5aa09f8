"""The main thread: main_loop_wait, from prepare to the main timers.

One iteration is: prepare, poll (the only sampling of readiness), check, then the dispatch of every source that was found ready:
qemu_aio_context (A), the iohandlers (B; before f3926945c8 after all GSources, from then on a GSource of their own), chardevs (M), and
last the main timers (T).
"""

from __future__ import annotations

from functools import partial

from draincheck.eventloop import GSource, dispatch
from draincheck.lang import FALSE, TRUE, BoolExpr, BoolVar, Process, any_
from draincheck.qemu import aio, bottom_halves, virtio
from draincheck.qemu import requests as block_requests
from draincheck.qemu.world import World

__all__ = ["main_thread"]


def main_thread(w: World) -> None:
    """main_loop_wait for ever."""
    ready = w.m.bool("qemu_aio_context ready")
    monitor_ready = [w.m.bool(world.job.own("monitor ready")) for world in w.worlds]
    with w.m.thread("main thread") as p, p.loop(), p.call("main_loop_wait", numbered=True):
        with p.call("os_host_main_loop_wait"):
            _prepare(p, w, ready)
            _poll(p, w, monitor_ready)
            _check(p, w, ready)
            with p.call("g_main_context_dispatch"):
                dispatch(p, _sources(p, w, ready, monitor_ready), any_order=w.k.order == "any")
        if w.loops.legacy_iohandlers:
            with p.call("qemu_iohandler_poll"):
                _run_legacy_handlers(p, w)
        if w.s.source == "timer":
            _run_main_timers(p, w)


def due(w: World) -> BoolExpr:
    """A bottom half of qemu_aio_context is scheduled, or one of its timers is due."""
    if w.s.iothread:
        return w.job.exit_bh.pending
    return any_(w.bh_scheduled, *(world.job.sleep.timer.due for world in w.worlds))


def _prepare(p: Process, w: World, ready: BoolVar) -> None:
    """aio_ctx_prepare: a scheduled bottom half or a due timer makes the source ready and the timeout 0.

    The BQL is dropped around a poll that may sleep; one that may not keeps it, except that after 1000 of them in a row it is dropped too.
    """
    free, soon, label = w.loops.bql.free, due(w), "aio_ctx_prepare, unlock the BQL"
    found, spins = ready.set(soon), "after 1000 spins"
    with p.call("g_main_context_prepare"), p.atomic():
        w.probes.iteration_begins(p, w)
        if not free.exists:
            p.do("aio_ctx_prepare", found)
        elif w.k.bql_drop == "always":
            p.do(label, found, free.set())
        else:
            with p.either() as choice:
                with choice():
                    p.do(f"{label} if the poll may sleep", found, free.set(~soon), choice="as the timeout says")
                with choice(when=soon):
                    p.do(f"{label} {spins}", found, free.set(), choice=spins)


def _poll(p: Process, w: World, monitor_ready: list[BoolVar]) -> None:
    """P: returns when something is ready. GLib polls every descriptor, those of disabled external handlers too."""
    polled = () if w.s.iothread else w.disks if w.s.source in ("ioeventfd", "mmio") else ()
    asked, kicks = (world.job.qmp for world in w.worlds), (disk.eventfd for disk in polled)
    wake = any_(due(w), *asked, *kicks, w.disk.io_poll if w.s.source == "timer" else FALSE)
    updates = [ready.set(world.job.qmp) for ready, world in zip(monitor_ready, w.worlds, strict=True)]
    updates += [disk.revents.set(disk.eventfd) for disk in polled]
    notified = [w.loops.main_ctx.notified, w.loops.iohandler_ctx.notified]
    wake = any_(wake, *notified) & ~w.loops.bql.taken
    p.here("qemu_poll_ns")
    p.do("qemu_poll_ns", *updates, *(each.clear() for each in notified), w.loops.bql.free.clear(), when=wake)


def _check(p: Process, w: World, ready: BoolVar) -> None:
    """aio_ctx_check: which sources are ready, given what the poll has found and what has been scheduled since.

    A context whose external handlers are disabled is not made ready by them where check looks at the counter (37989ced44).
    """
    main, ioh = w.loops.main_ctx, w.loops.iohandler_ctx
    updates = [ready.set(any_(ready, due(w), *(disk.revents & main.allowed for disk in main.handlers)))]
    if ioh.enabled is not TRUE and w.k.walk_checks_external:
        updates += [disk.revents.set(disk.revents & ioh.enabled) for disk in ioh.handlers]
    with p.call("g_main_context_check"):
        p.do("aio_ctx_check", *updates)


def _sources(p: Process, w: World, ready: BoolVar, monitor_ready: list[BoolVar]) -> list[GSource]:
    """The GSources in attach order: qemu_aio_context, iohandler_ctx, then chardevs (the monitor, and a kick that comes through one)."""
    sources = [GSource(ready, lambda: _aio_ctx_dispatch(p, w, ready))]
    if w.loops.iohandler_ctx.handlers:
        sources.append(GSource(w.loops.iohandler_ctx.found, lambda: _iohandler_dispatch(p, w)))
    for answered, world in zip(monitor_ready, w.worlds, strict=True):
        sources.append(GSource(answered, partial(_monitor_dispatch, p, world, answered)))
    if w.s.source == "mmio":
        sources.append(GSource(w.disk.revents, lambda: _chardev_kick(p, w)))
    return sources


def _aio_ctx_dispatch(p: Process, w: World, ready: BoolVar) -> None:
    """A: aio_dispatch of qemu_aio_context: bottom halves newest first, then fd handlers, then timers."""
    with p.call("aio_ctx_dispatch (qemu_aio_context)"), p.call("aio_dispatch"):
        if w.s.iothread:
            with p.call("aio_bh_poll"):
                bottom_halves.newest_first(p, w, ready)
        else:
            aio.aio_dispatch(p, w, lambda: bottom_halves.newest_first(p, w, ready))


def _iohandler_dispatch(p: Process, w: World) -> None:
    """B, from f3926945c8 on."""
    with p.call("aio_ctx_dispatch (iohandler_ctx)"), p.call("aio_dispatch"), p.atomic():
        aio.run_fd_handlers(p, w, w.loops.iohandler_ctx)


def _run_legacy_handlers(p: Process, w: World) -> None:
    """B, before f3926945c8: run the handlers whose descriptors P has found ready, the one registered last first."""
    for disk in reversed(w.loops.legacy_iohandlers):
        with p.when(disk.revents, local=True), p.atomic():
            p.do("revents consumed", disk.revents.clear())
            virtio.host_notifier_read(p, w, disk)


def _monitor_dispatch(p: Process, w: World, ready: BoolVar) -> None:
    """M: the job's command. It enters a sleeping job at once, except one of another thread, which its own timer wakes."""
    with p.call("monitor_read"), p.call(f"qmp_block_job_{w.s.command}"), p.atomic():
        cancels = w.s.command == "cancel"
        label, told = ("block_job_cancel", w.job.cancelled) if cancels else ("mirror_complete", w.job.should_complete)
        p.do(label, ready.clear(), w.job.qmp.clear(), told.set(), choice="monitor")
        if not w.s.iothread:
            with p.call("block_job_enter"):
                w.job.sleep.interrupt(p)


def _chardev_kick(p: Process, w: World) -> None:
    """M: a kick that arrives through a chardev runs the queue handler at once; no external flag covers it."""
    with p.call("tcp_chr_read"), p.atomic():
        p.do("a kick is read", w.disk.revents.clear(), w.disk.eventfd.clear(), choice="chardev")
        with p.call("virtio_queue_notify"):
            virtio.handle_output(p, w, w.disk)


def _run_main_timers(p: Process, w: World) -> None:
    """T: a device model's timer submits its request; no external flag covers it."""
    with p.call("qemu_clock_run_all_timers"), p.atomic():
        for request in w.disk.requests:
            with p.when(request.state.is_("ring")):
                block_requests.submit(p, w, request)
        p.do("the main timers have run")
