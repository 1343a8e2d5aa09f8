"""The event loops of a scenario: which context serves the disks, where their host notifiers are registered, and who has which lock."""

from __future__ import annotations

from msgspec import Struct

from draincheck.eventloop import AioContext, BottomHalf, Bql, Home, Lock
from draincheck.knobs import Knobs
from draincheck.lang import FALSE, BoolVar, Model
from draincheck.qemu.disk import Disk
from draincheck.qemu.graph import has_filter, has_sections
from draincheck.qemu.scenario import Scenario

__all__ = ["EventLoops", "main_loop_home"]


class EventLoops(Struct, frozen=True):
    """What all jobs share.

    Attributes:
        ctx: where the disks are served: qemu_aio_context, or an IOThread's.
        iohandler_ctx: the main loop's other context; its counter is that of the bandage.
        main_ctx: qemu_aio_context, which is `ctx` unless an IOThread serves the disks; these may move there.
        legacy_iohandlers: disks whose host notifier is no context's (before f3926945c8).
        moved: the disk is in the main loop's context now, and `target_home` says whether the target goes along.
        stop_bh: the bottom half of virtio_blk_data_plane_stop (1010cadf62).
    """

    ctx: AioContext[Disk]
    iohandler_ctx: AioContext[Disk]
    main_ctx: AioContext[Disk]
    legacy_iohandlers: tuple[Disk, ...]
    moved: BoolVar
    stop_bh: BottomHalf
    bql: Bql
    lock: Lock
    source_home: Home[Disk]
    target_home: Home[Disk]

    @classmethod
    def of(cls, m: Model, k: Knobs, s: Scenario, disks: tuple[Disk, ...]) -> EventLoops:
        """Make the variables. Knobs are read only where they matter."""
        home, reset, sections = _notifier_home(k, s), s.device_reset, has_sections(k)
        name, nodes = "iothread" if s.iothread else "qemu_aio_context", 3 if has_filter(k) else 2
        served = disks if home in ("iothread", "main") else ()
        external = sections and bool(served) and (k.dataplane_is_external if s.iothread else k.is_external)
        ctx = _context(m, k, name, "", served, nodes * s.jobs, sections, external, reset)
        handled, bandage = disks if home == "ioh" else (), k.bandage and not s.iothread
        marked = bandage and bool(handled) and k.is_external
        ioh = _context(m, k, "iohandler_ctx", " (iohandler_ctx)", handled, s.jobs, bandage, marked)
        moved = m.bool("disk moved to the main loop", exists=reset)
        stop_bh = BottomHalf(m.bool("stop BH", exists=reset and k.stop_runs_queue == "iothread"))
        suffix, counts = " (qemu_aio_context)", reset and sections
        main = _context(m, k, "qemu_aio_context", suffix, (), nodes, counts) if s.iothread else ctx
        taken = m.bool("vCPU has the BQL", exists=reset)
        free = m.bool("BQL free", exists=s.source in ("mmio", "vcpu") or reset)
        lock = m.enum("AioContext lock", "free", "iothread", "main", exists=s.iothread)
        follows = moved if reset and k.job_at_switch != "ignored" else FALSE
        homes = Home(ctx, main, moved if reset else FALSE), Home(ctx, main, follows)
        legacy = disks if home == "legacy" else ()
        return cls(ctx, ioh, main, legacy, moved, stop_bh, Bql(free, taken), Lock(lock), *homes)


def _context(  # noqa: PLR0917
    m: Model,
    k: Knobs,
    name: str,
    suffix: str,
    handlers: tuple[Disk, ...],
    highest: int,
    counts: bool,
    external: bool = False,
    removable: bool = False,
) -> AioContext[Disk]:
    """A context that counts up to a number, if it does."""
    counter = m.int(f"external_disable_cnt{suffix}", 0, highest, exists=counts)
    notified = m.bool(f"notified{suffix}", exists=counts and k.enable_notifies)
    removed = m.bool(f"host notifier removed{suffix}", exists=removable)
    return AioContext(name, k, handlers, counter, external, notified, removed)


def _notifier_home(k: Knobs, s: Scenario) -> str:
    """Where host notifiers are registered: with the IOThread's, the main or the iohandlers' context, as legacy iohandlers, nowhere."""
    if s.source != "ioeventfd":
        return "none"
    if s.iothread:
        return "iothread"
    return main_loop_home(k)


def main_loop_home(k: Knobs) -> str:
    """Where the main loop registers host notifiers: `main`, `ioh`, or `legacy`."""
    return k.notifier_home if k.iohandler == "gsource" else "legacy"
