"""What the threads of a QEMU do, by their stacks alone: wait for work, as all do in an idle one, or wait inside of something.

This needs no model. A QEMU does nothing if its main thread polls in `main_loop_wait`, outside of everything that this calls, and each IOThread in
the outermost `aio_poll` of its loop; virtual CPUs, workers and the threads of libraries wait to be woken, or run (the guest). A thread that polls
further inside waits for something that has to come before it goes on: requests that a drain waits for, a reply. One that waits for a lock waits
for whoever has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from msgspec import Struct

from draincheck.backtrace.stacks import GAP, Backtrace, StackOf, Start
from draincheck.backtrace.waits import LOCKING, SLEEPING, aborts, begins, locks, sleeps

__all__ = ["Activity", "Doing", "activity", "is_idle"]


class Doing(Enum):
    """What a thread does."""

    LOOP = "waits for work in its event loop"
    WORKER = "waits to be woken"
    GUEST = "runs, and nothing of the block layer"
    INSIDE = "waits"
    LOCK = "waits for a lock"
    ABORTS = "aborts"
    RUNS = "runs"


class Activity(Struct, frozen=True):
    """What a thread does.

    Attributes:
        where: the function in which it waits inside of something, or waits for a lock; else "".
    """

    stack: StackOf
    doing: Doing
    where: str = ""

    @property
    def said(self) -> str:
        """In words."""
        return f"{self.doing.value} in {self.where}" if self.where else self.doing.value


#: what waits for work, and for nothing else
_IDLE = frozenset({Doing.LOOP, Doing.WORKER, Doing.GUEST})
#: loops whose outermost round waits for work
_LOOPS = frozenset({"main_loop_wait", "aio_poll", "g_main_loop_run", "g_main_context_iteration"})
#: what stands around a loop
_AROUND = frozenset({
    "qemu_main_loop", "qemu_default_main", "main_loop", "iothread_run", "iothread_g_main_context_init", "call_main_loop", "qemu_init_main_loop",
})  # fmt: skip
#: what a loop polls with
_POLLING = frozenset({
    "os_host_main_loop_wait", "qemu_poll_ns", "g_poll", "g_main_context_iterate", "g_main_context_poll", "g_main_context_iterate_unlocked",
    "fdmon_poll_wait", "fdmon_epoll_wait", "fdmon_io_uring_wait", "aio_epoll", "try_poll_mode", "run_poll_handlers", "main_loop_wait",
    "qemu_cond_wait_impl", "qemu_cond_timedwait_impl", "qemu_cond_timedwait_ts", "kvm_vcpu_ioctl", "ioctl", "__GI___ioctl", "g_main_context_iterate.isra",
})  # fmt: skip
#: where a thread that only waits to be woken does not stand: it does something for somebody
_BUSY = (
    "bdrv_", "blk_", "qmp_", "hmp_", "virtio_", "memory_region_", "job_", "block_job_", "mirror_", "commit_", "qcow2_", "nbd_co", "run_on_cpu",
    "do_run_on_cpu", "synchronize_rcu", "drain_call_rcu", "vm_stop", "do_vm_stop", "pause_all_vcpus", "qemu_system_reset", "qemu_cleanup",
    "aio_wait", "aio_poll", "aio_bh_poll", "aio_dispatch", "aio_context_acquire", "prepare_mmio_access",
)  # fmt: skip


def is_idle(backtrace: Backtrace) -> bool:
    """Whether all threads are there that a QEMU needs to be told by, and each waits for work. With coroutines there is more to say."""
    found = [activity(stack) for stack in backtrace.stacks]
    main = any(each.doing is Doing.LOOP and "main_loop_wait" in each.stack.frames for each in found)
    return main and not backtrace.has_coroutines and all(each.doing in _IDLE for each in found)


def activity(stack: StackOf) -> Activity:
    """What one thread does."""
    frames = stack.frames
    if aborts(stack):
        return Activity(stack, Doing.ABORTS, _around(frames, len(frames)))
    if locks(stack):
        return Activity(stack, Doing.LOCK, _around(frames, len(frames)))
    busy = stack.start is Start.MAIN or not stack.begins or any(name.startswith(_BUSY) for name in frames)
    if not sleeps(stack):
        return Activity(stack, Doing.RUNS if busy or not stack.ends else Doing.GUEST)
    loop = next((i for i, name in enumerate(frames) if name in _LOOPS), None)
    if loop is not None and stack.begins and _outermost(frames, loop):
        return Activity(stack, Doing.LOOP)
    return Activity(stack, Doing.INSIDE, _around(frames, len(frames))) if busy else Activity(stack, Doing.WORKER)


def _outermost(frames: Sequence[str], loop: int) -> bool:
    """Whether nothing stands around a loop but what has begun it, and within nothing but its poll; the main loop is not begun by a thread."""
    outside, inside = frames[:loop], frames[loop + 1 :]
    return all(name == GAP or name in _AROUND for name in outside) and all(
        name == GAP or name in _POLLING or begins(name, SLEEPING) for name in inside
    )


def _around(frames: Sequence[str], end: int) -> str:
    """The innermost function that says in what a thread waits."""
    named = (name for name in reversed(frames[:end]) if name != GAP)
    return next((name for name in named if not _says_nothing(name)), "")


def _says_nothing(name: str) -> bool:
    return name in _POLLING - {"main_loop_wait"} or name == "aio_poll" or begins(name, (*SLEEPING, *LOCKING, *_ENDING))


_ENDING = ("abort", "raise", "assert_fail", "assert_perror", "g_assertion_message", "pthread_kill", "libc_message")
