"""Putting a machine together: which parts a configuration needs, and how they are connected."""

from __future__ import annotations

from dataclasses import dataclass

from draincheck.core.aio import AioContext, AioPoll
from draincheck.core.block import BlockBackend, BlockDriverState
from draincheck.core.chardev import Chardev
from draincheck.core.config import Config
from draincheck.core.disk import Disk, Mirrored
from draincheck.core.environment import Actor, Clock, Guest, Management, MmioGuest, Storage, TimerGuest
from draincheck.core.glib import GMainContext
from draincheck.core.guest import GuestDriver
from draincheck.core.host import Host, Thread
from draincheck.core.image import Image
from draincheck.core.iothread import IOThread
from draincheck.core.lock import BigQemuLock
from draincheck.core.mainloop import MainLoop
from draincheck.core.mirror import Contexts, MirrorBlockJob, Nodes
from draincheck.core.mirror_top import MirrorTop
from draincheck.core.threadpool import ThreadPool
from draincheck.core.vcpu import ResettingVcpu
from draincheck.core.virtio_blk import VirtIOBlock
from draincheck.core.virtqueue import VirtQueue

__all__ = ["STANDARD_PARTS", "Assembly", "Parts"]


@dataclass(frozen=True, slots=True)
class Parts:
    """The classes that a machine is made of. Only those are exchangeable that a seeded fault replaces (see `faults`)."""

    context: type[AioContext] = AioContext
    main_context: type[GMainContext] = GMainContext
    pool: type[ThreadPool] = ThreadPool
    job: type[MirrorBlockJob] = MirrorBlockJob
    backend: type[BlockBackend] = BlockBackend


STANDARD_PARTS = Parts()


class Assembly:
    """The parts of one machine, connected."""

    def __init__(self, host: Host, config: Config, parts: Parts) -> None:
        self.host, self.config, self.parts = host, config, parts
        host.jobs = config.jobs
        self.threads: list[Thread] = []
        self.actors: list[Actor] = []
        self.kick_chardev: Chardev | None = None
        self._event_loops()
        self.disks = [self._disk(index) for index in range(config.disks)]
        self._environment()

    def _event_loops(self) -> None:
        """The main loop, and the context that serves the disks, with its thread pool."""
        config, host, new_context = self.config, self.host, self.parts.context
        self.bql = BigQemuLock(wanted=config.source in ("mmio", "vcpu") or config.device_reset)
        contexts = Contexts(new_context(host, "qemu_aio_context"), new_context(host, "iohandler_ctx"))
        self.contexts = contexts
        self.main_loop = MainLoop(host, self.bql, *contexts, self.parts.main_context(host))
        self.threads.append(Thread("main thread", self.main_loop.main_loop))
        self.iothread: IOThread | None = None
        self.ctx: AioContext = contexts.main
        if config.iothread:
            self.ctx = new_context(host, "iothread")
            self.iothread = IOThread(host, self.ctx)
            self.threads.append(Thread("iothread", self.iothread.iothread_run))
        self.pool = self.ctx.thread_pool = self.parts.pool(self.ctx)

    # -- disks ----------------------------------------------------------------------------------------------------------------

    def _disk(self, index: int) -> Disk:
        """One disk, its job included if it has one."""
        config = self.config
        has_job = index < config.jobs
        driver = GuestDriver(index, *((config.writes, config.reads, config.flushes) if has_job else (1, 0, 0)))
        if not has_job:
            root = self._node(Image("other disk"))
            return self._attach(index, driver, self.parts.backend(self.host, root), None)
        nodes = self._nodes(index)
        backend = self.parts.backend(self.host, nodes.top or nodes.source)
        return self._attach(index, driver, backend, self._mirrored(index, driver, backend, nodes))

    def _nodes(self, index: int) -> Nodes:
        """Source and target: two images, or a qcow2 overlay and its base; and the filter above the source."""
        suffix, driver = f" [{index}]" if index else "", self.config.target_format
        if self.config.job == "commit":
            base = Image(f"base{suffix}", driver)
            source, target = self._node(Image(f"overlay{suffix}", "qcow2"), base), self._node(base)
        else:
            source, target = self._node(Image(f"source{suffix}")), self._node(Image(f"target{suffix}", driver))
        return Nodes(source, target, MirrorTop(source) if self._has_filter() else None)

    def _has_filter(self) -> bool:
        """The filter shows only where a BlockBackend queues requests, and a replacement drains."""
        k = self.host.knobs
        return k.pre_switch == "drain" and k.exit == "bh" and k.park_requests and k.mirror_top

    def _node(self, image: Image, backing: Image | None = None) -> BlockDriverState:
        return BlockDriverState(self.host, image, backing, self.ctx)

    def _attach(self, index: int, driver: GuestDriver, backend: BlockBackend, mirrored: Mirrored | None) -> Disk:
        """The device, on its backend and on the guest's memory; its host notifier is registered as the code base does."""
        device = VirtIOBlock(self.host, index, backend, VirtQueue(driver.memory, driver.layout), driver.interrupt)
        if self.config.source == "ioeventfd":
            self._register(device)
        return Disk(index, driver, device, backend, mirrored)

    def _register(self, device: VirtIOBlock) -> None:
        knobs, fd, handler = self.host.knobs, device.host_notifier, device.virtio_queue_host_notifier_read
        io_poll = AioPoll(device.virtio_queue_has_entries, device.virtio_queue_host_notifier_aio_poll)
        if self.iothread is not None:
            self.ctx.aio_set_event_notifier(fd, handler, knobs.dataplane_is_external, io_poll)
        elif knobs.notifier_home == "main" and knobs.iohandler == "gsource":
            self.ctx.aio_set_event_notifier(fd, handler, knobs.is_external, io_poll)
        else:
            self.main_loop.qemu_set_fd_handler(fd, handler, knobs.is_external)

    def _mirrored(self, index: int, driver: GuestDriver, backend: BlockBackend, nodes: Nodes) -> Mirrored:
        """A job on the backend's root, asleep, and the monitor through which it is told things."""
        source, target, _ = nodes
        suffix = f" [{index}]" if index else ""
        job = self.parts.job(self.host, f"mirror_run{suffix}", nodes, self.contexts, self.config)
        if not self.config.starts_ready:
            job.dirty_bitmap.bits.update(request.sector for request in driver.requests if request.is_write)
        command = job.mirror_complete if self.config.command == "complete" else job.block_job_cancel
        monitor = Chardev(self.host, f"monitor{suffix}", command)
        self.main_loop.context.g_source_attach(monitor.source)
        return Mirrored(source, target, source.image, target.image, job, monitor, backend)

    # -- what acts on QEMU ----------------------------------------------------------------------------------------------------

    def _environment(self) -> None:
        """The chardev or the timer that the configuration asks for, and all actors."""
        if self.config.source == "mmio":
            self.kick_chardev = Chardev(self.host, "chardev", self.disks[0].device.virtio_queue_notify)
            self.main_loop.context.g_source_attach(self.kick_chardev.source)
        if self.config.device_reset:
            self._resetting_vcpu()
        else:
            self.actors += [self._guest(disk) for disk in self.disks]
        mirrored = [disk.mirrored for disk in self.disks if disk.mirrored is not None]
        jobs = [item.job for item in mirrored]
        self.storage = Storage(self.host, self.pool, jobs)
        self.actors.append(self.storage)
        self.actors.append(Clock(self.host, jobs))
        self.actors += [Management(self.host, number, item.job, item.monitor) for number, item in enumerate(mirrored)]

    def _guest(self, disk: Disk) -> Guest:
        name = f"guest of disk {disk.index}" if disk.index else "guest"
        match self.config.source:
            case "timer":
                timer = self.main_loop.main_timers.timer_new(disk.device.virtio_blk_handle_output)
                return TimerGuest(self.host, name, disk.driver, timer)
            case "mmio" | "vcpu":
                return MmioGuest(self.host, name, disk.driver, (disk.device, self.bql, self.kick_chardev))
            case _:
                return Guest(self.host, name, disk.driver, disk.device.host_notifier)

    def _resetting_vcpu(self) -> None:
        disk = self.disks[0]
        assert disk.mirrored is not None and self.iothread is not None
        guest = self._guest(disk)
        vcpu = ResettingVcpu(self.host, self.bql, (disk, disk.mirrored), guest, self.iothread)
        self.threads.append(Thread("guest", vcpu.kvm_cpu_exec))
