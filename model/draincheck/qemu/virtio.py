"""The virtio disk: the handler of its host notifier, and the queue handler behind it."""

from __future__ import annotations

from draincheck.lang import Process
from draincheck.qemu import requests
from draincheck.qemu.disk import Disk
from draincheck.qemu.world import World

__all__ = ["handle_output", "host_notifier_read", "remove_host_notifier", "stop_bottom_half"]


def host_notifier_read(p: Process, w: World, disk: Disk) -> None:
    """The handler of an ioeventfd: test and clear it, and if it was set, empty the ring (part of an atomic step)."""
    with p.call("virtio_queue_host_notifier_read"), p.when(disk.eventfd):
        w.probes.handler_runs(p, w.of(disk), disk)
        p.do("event_notifier_test_and_clear", disk.eventfd.clear())
        handle_output(p, w, disk)


def handle_output(p: Process, w: World, disk: Disk) -> None:
    """Pop the ring until it is empty and submit what was in it (part of an atomic step): flushes at once, the rest as one batch."""
    submitter = "virtio_submit_multiwrite" if w.k.submit == "blk_aio_multiwrite" else "virtio_blk_submit_multireq"
    with p.call("virtio_blk_handle_output"):
        for function, flushes in (("virtio_blk_handle_flush", True), (submitter, False)):
            with p.call(function):
                for request in disk.requests:
                    if (request.kind == "flush") is flushes:
                        with p.when(request.state.is_("ring")):
                            requests.submit(p, w.of(disk), request)


def remove_host_notifier(p: Process, w: World, runs_queue: bool) -> None:
    """virtio_queue_aio_set_host_notifier_handler: nobody polls it any more; from 03de2f5274 on also run the queue for a kick that is there."""
    p.do("aio_set_event_notifier removes the handler", w.loops.ctx.removed.set(), w.disk.revents.clear())
    if runs_queue:
        host_notifier_read(p, w, w.disk)


def stop_bottom_half(p: Process, w: World) -> None:
    """What the IOThread does for virtio_blk_data_plane_stop from 1010cadf62 on, if it is asked to (part of an atomic step)."""
    if w.loops.stop_bh.scheduled.exists:
        with p.call("virtio_blk_data_plane_stop_bh"), p.when(w.loops.stop_bh.runs):
            p.do("the stop's bottom half runs", *w.loops.stop_bh.taken())
            remove_host_notifier(p, w, runs_queue=True)
