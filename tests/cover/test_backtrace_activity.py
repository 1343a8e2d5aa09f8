"""What a thread does, by its stack alone, and when a QEMU is idle."""

from __future__ import annotations

import pytest

from draincheck.backtrace.activity import Doing, activity, is_idle
from draincheck.backtrace.reading import read_backtrace
from tests.support.backtraces import gdb

MAIN = ["main", "qemu_main_loop", "main_loop_wait"]
THREAD = ["clone3", "start_thread", "qemu_thread_start"]
IDLE = {
    "main": [*MAIN, "os_host_main_loop_wait", "qemu_poll_ns", "ppoll"],
    "stripped main": [*MAIN, "??", "__ppoll"],
    "iothread": [*THREAD, "iothread_run", "aio_poll", "fdmon_poll_wait", "qemu_poll_ns", "ppoll"],
    "stripped iothread": [*THREAD, "??", "aio_poll", "??", "__ppoll"],
    "GLib": [*THREAD, "iothread_run", "g_main_loop_run", "g_main_context_iterate", "__GI___poll"],
    "CPU": [*THREAD, "kvm_vcpu_thread_fn", "kvm_cpu_exec", "kvm_vcpu_ioctl", "__GI___ioctl"],
    "halted CPU": [*THREAD, "qemu_wait_io_event", "qemu_cond_wait_impl", "___pthread_cond_wait", "__futex_abstimed_wait_common"],
    "worker": [*THREAD, "worker_thread", "qemu_cond_timedwait_impl", "___pthread_cond_timedwait64", "__futex_abstimed_wait_common"],
    "RCU": [*THREAD, "call_rcu_thread", "qemu_event_wait", "syscall"],
}  # fmt: skip
HELD = {
    "drain": ([*MAIN, "aio_bh_poll", "bdrv_drain_all_begin", "aio_poll", "??", "__ppoll"], Doing.INSIDE, "bdrv_drain_all_begin"),
    "quit": (["main", "qemu_cleanup", "bdrv_drain_all_begin", "aio_poll", "ppoll"], Doing.INSIDE, "bdrv_drain_all_begin"),
    "nested": ([*THREAD, "iothread_run", "aio_poll", "aio_bh_poll", "blk_drain", "aio_poll", "ppoll"], Doing.INSIDE, "blk_drain"),
    "big lock": ([*MAIN, "qemu_mutex_lock_iothread_impl", "___pthread_mutex_lock", "__lll_lock_wait"], Doing.LOCK, "main_loop_wait"),
    "CPU": ([*THREAD, "cpu_exec", "virtio_reset", "blk_drain", "??", "aio_poll", "??", "__ppoll"], Doing.INSIDE, "blk_drain"),
    "abort": ([*THREAD, "iothread_run", "bdrv_co_yield_to_drain", "__assert_fail", "abort", "raise"], Doing.ABORTS, "bdrv_co_yield_to_drain"),
    "event": ([*MAIN, "drain_call_rcu", "qemu_event_wait", "syscall"], Doing.INSIDE, "drain_call_rcu"),
}  # fmt: skip


def whole(*more: list[str], without: str = "") -> str:
    return gdb(
        [*((name, calls) for name, calls in IDLE.items() if name != without), *(("more", each) for each in more)]
    )


def test_an_idle_qemu_is_told_as_idle() -> None:
    """Main loop, IOThreads, virtual CPUs and workers that wait, with symbols and without."""
    assert is_idle(read_backtrace(whole()))


@pytest.mark.parametrize("name", HELD)
def test_one_thread_that_is_held_up_makes_it_otherwise(name: str) -> None:
    """It is told in which function it waits or aborts."""
    calls, doing, where = HELD[name]
    found = read_backtrace(whole(calls))
    assert not is_idle(found)
    assert (activity(found.stacks[-1]).doing, activity(found.stacks[-1]).where) == (doing, where)


def test_without_a_main_thread_nobody_knows() -> None:
    """Idle IOThreads alone are no idle QEMU: what hangs may be what was not sent."""
    assert not is_idle(read_backtrace(gdb([("iothread", IDLE["iothread"])])))


@pytest.mark.parametrize("cut", ["inner", "outer"])
def test_a_stack_that_is_cut_may_hide_what_hangs(cut: str) -> None:
    """At either end."""
    lines = gdb([("main", IDLE["main"])]).splitlines()
    kept = [lines[0], *lines[2:]] if cut == "inner" else lines[:3]
    assert is_idle(read_backtrace("\n".join(lines)))
    assert not is_idle(read_backtrace("\n".join(kept)))


def test_a_coroutine_that_waits_is_work() -> None:
    """Somebody has begun something."""
    parked = "Coroutine at 0x1:\n#0  qemu_coroutine_switch ()\n#1  mirror_run ()\n#2  coroutine_trampoline ()\n"
    assert not is_idle(read_backtrace(whole() + "\n" + parked))
