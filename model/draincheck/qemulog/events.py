"""The trace events that are understood, and how versions of QEMU print them (block/trace-events, hw/block/trace-events, trace-events, job events).

Values go by the names that QEMU's own definitions give them. Where versions differ an event has several formats: until v2.6 without the
device, sectors before v2.10, then bytes. Events whose names begin with `x_` are no part of QEMU: instrumented builds print them where
QEMU has no event (drained sections, node replacement, bottom halves).
"""

from __future__ import annotations

from draincheck.qemulog.formats import EventFormat, TraceEvent

__all__ = ["CONTROL", "EVENTS", "GUEST"]

#: events of jobs and nodes: always looked at
CONTROL = (
    "bdrv_open_common",
    "blk_root_attach",
    "blk_root_detach",
    "mirror_start",
    "mirror_before_drain",
    "mirror_before_sleep",
    "mirror_restart_iter",
    "mirror_one_iteration",
    "qmp_block_job_complete",
    "qmp_job_complete",
    "qmp_block_job_cancel",
    "qmp_job_cancel",
    "block_job_cb",
    "job_completed",
    "job_state_transition",
    "handle_qmp_command",
    "x_defer_to_main_loop",
    "x_mirror_exit",
    "x_replace",
)
#: events of the guest: looked at where a window may be open
GUEST = (
    "virtio_queue_notify",
    "virtio_blk_handle_write",
    "virtio_blk_req_complete",
    "virtio_blk_rw_complete",
    "blk_co_pwritev",
    "bdrv_aio_writev",
    "bdrv_co_pwritev_part",
)


def _event(name: str, *formats: str) -> tuple[str, TraceEvent]:
    """An event by its formats, each conversion followed by the name of its value in braces."""
    return name, TraceEvent(name, tuple(map(_format, formats)))


def _format(text: str) -> EventFormat:
    pieces = text.replace("}", "{").split("{")
    return EventFormat("".join(pieces[::2]), tuple(pieces[1::2]))


#: name -> event
EVENTS = dict(
    (
        # nodes, and who has which
        _event("bdrv_open_common", 'bs %p{bs} filename "%s{filename}" flags %#x{flags} format_name "%s{format_name}"'),
        _event("blk_root_attach", "child %p{child} blk %p{blk} bs %p{bs}"),
        _event("blk_root_detach", "child %p{child} blk %p{blk} bs %p{bs}"),
        # requests
        _event(
            "virtio_blk_handle_write",
            "vdev %p{vdev} req %p{req} sector %u{sector} nsectors %u{nsectors}",
            "req %p{req} sector %u{sector} nsectors %u{nsectors}",
        ),
        _event(
            "virtio_blk_req_complete", "vdev %p{vdev} req %p{req} status %d{status}", "req %p{req} status %d{status}"
        ),
        _event("virtio_blk_rw_complete", "vdev %p{vdev} req %p{req} ret %d{ret}", "req %p{req} ret %d{ret}"),
        _event("virtio_queue_notify", "vdev %p{vdev} n %d{n} vq %p{vq}"),
        _event("blk_co_pwritev", "blk %p{blk} bs %p{bs} offset %d{offset} bytes %d{bytes} flags %#x{flags}"),
        _event("bdrv_aio_writev", "bs %p{bs} sector_num %d{sector_num} nb_sectors %d{nb_sectors} opaque %p{opaque}"),
        # the job
        _event("mirror_start", "bs %p{bs} s %p{s} opaque %p{opaque}", "bs %p{bs} s %p{s} co %p{co} opaque %p{opaque}"),
        _event("mirror_before_flush", "s %p{s}"),
        _event("mirror_before_drain", "s %p{s} dirty count %d{cnt}"),
        _event(
            "mirror_before_sleep",
            "s %p{s} dirty count %d{cnt} synced %d{synced} delay %u{delay_ns}ns",
            "s %p{s} dirty count %d{cnt} synced %d{synced}",
        ),
        _event("mirror_restart_iter", "s %p{s} dirty count %d{cnt}"),
        _event(
            "mirror_one_iteration",
            "s %p{s} offset %d{offset} bytes %u{bytes}",
            "s %p{s} sector_num %d{sector_num} nb_sectors %d{nb_sectors}",
        ),
        _event("qmp_block_job_complete", "job %p{job}"),
        _event("qmp_job_complete", "job %p{job}"),
        _event("qmp_block_job_cancel", "job %p{job}"),
        _event("qmp_job_cancel", "job %p{job}"),
        _event("block_job_cb", "bs %p{bs} job %p{job} ret %d{ret}"),
        _event("job_completed", "job %p{job} ret %d{ret}", "job %p{job} ret %d{ret} corrected ret %d{jret}"),
        _event("job_state_transition", "job %p{job} (ret: %d{ret}) attempting %s{legal} transition (%s{s0}-->%s{s1})"),
        # what else such logs have
        _event("handle_qmp_command", "mon %p{mon} req: %s{req}", 'mon %p{mon} cmd_name "%s{cmd_name}"'),
        _event("monitor_protocol_event_emit", "event=%d{event} data=%p{data}"),
        _event("job_apply_verb", "job %p{job} in state %s{state}; applying verb %s{verb} (%s{legal})"),
        _event(
            "mirror_iteration_done",
            "s %p{s} offset %d{offset} bytes %u{bytes} ret %d{ret}",
            "s %p{s} sector_num %d{sector_num} nb_sectors %d{nb_sectors} ret %d{ret}",
        ),
        _event(
            "mirror_yield",
            "s %p{s} dirty count %d{cnt} free buffers %d{buf_free_count} in_flight %d{in_flight}",
            "s %p{s} dirty count %d{cnt} in_flight %d{in_flight}",
        ),
        _event(
            "mirror_yield_in_flight",
            "s %p{s} offset %d{offset} in_flight %d{in_flight}",
            "s %p{s} sector_num %d{sector_num} in_flight %d{in_flight}",
        ),
        _event("bdrv_co_preadv_part", "bs %p{bs} offset %d{offset} bytes %d{bytes} flags 0x%x{flags}"),
        _event("bdrv_co_pwritev_part", "bs %p{bs} offset %d{offset} bytes %d{bytes} flags 0x%x{flags}"),
        _event("bdrv_co_readv", "bs %p{bs} sector_num %d{sector_num} nb_sectors %d{nb_sector}"),
        _event("bdrv_co_writev", "bs %p{bs} sector_num %d{sector_num} nb_sectors %d{nb_sector}"),
        _event(
            "bdrv_co_io_em",
            "bs %p{bs} sector_num %d{sector_num} nb_sectors %d{nb_sectors} is_write %d{is_write} acb %p{acb}",
        ),
        _event(
            "virtio_blk_handle_read",
            "vdev %p{vdev} req %p{req} sector %u{sector} nsectors %u{nsectors}",
            "req %p{req} sector %u{sector} nsectors %u{nsectors}",
        ),
        _event(
            "virtio_blk_submit_multireq",
            "vdev %p{vdev} mrb %p{mrb} start %d{start} num_reqs %d{num_reqs} offset %u{offset} size %u{size} is_write %d{is_write}",
            "mrb %p{mrb} start %d{start} num_reqs %d{num_reqs} offset %u{offset} size %u{size} is_write %d{is_write}",
            "mrb %p{mrb} start %d{start} num_reqs %d{num_reqs} sector %u{sector} nsectors %u{nsectors} is_write %d{is_write}",
        ),
        _event("virtio_notify", "vdev %p{vdev} vq %p{vq}"),
        _event("virtio_blk_data_plane_start", "dataplane %p{s}"),
        _event("virtio_blk_data_plane_stop", "dataplane %p{s}"),
        _event(
            "paio_submit",
            "acb %p{acb} opaque %p{opaque} offset %d{offset} count %d{count} type %d{type}",
            "acb %p{acb} opaque %p{opaque} sector_num %d{sector_num} nb_sectors %d{nb_sectors} type %d{type}",
        ),
        _event(
            "paio_submit_co",
            "offset %d{offset} count %d{count} type %d{type}",
            "sector_num %d{sector_num} nb_sectors %d{nb_sectors} type %d{type}",
        ),
        _event("mirror_break_buf_busy", "s %p{s} requested chunks %d{nb_chunks} in_flight %d{in_flight}"),
        _event("mirror_yield_buf_busy", "s %p{s} requested chunks %d{nb_chunks} in_flight %d{in_flight}"),
        # instrumented builds
        _event("x_main_loop_wait", "qemu_ctx %p{qemu_ctx} iohandler_ctx %p{iohandler_ctx} nonblocking %d{nonblocking}"),
        _event("x_main_loop_wait_end", "ret %d{ret}"),
        _event("x_aio_ctx_dispatch", "ctx %p{ctx}"),
        _event("x_aio_ctx_dispatch_end", "ctx %p{ctx}"),
        _event("x_aio_bh_call", "bh %p{bh} cb %p{cb} opaque %p{opaque}"),
        _event("x_host_notifier_read", "vq %p{vq}"),
        _event("x_iohandler_disable", "ctx %p{ctx}"),
        _event("x_iohandler_enable", "ctx %p{ctx}"),
        _event("x_drained_end", "bs %p{bs} ctx %p{ctx} counter %d{counter}"),
        _event("x_mirror_exit_done", "job %p{job}"),
        _event("x_drained_begin", "bs %p{bs} ctx %p{ctx} counter %d{counter}"),
        _event("x_drained_begin_done", "bs %p{bs} pending %d{pending}"),
        _event("x_defer_to_main_loop", "job %p{job} bs %p{bs}"),
        _event(
            "x_mirror_exit", "job %p{job} bs %p{bs} ret %d{ret} pending_old %d{pending_old} pending_new %d{pending_new}"
        ),
        _event("x_replace", "old %p{old} new %p{new}"),
    )
)
