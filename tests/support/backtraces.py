"""Backtraces as debuggers print them, made of the calls in which a model's threads stand, with what real ones have besides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from draincheck.backtrace.index import Calls, Sight

__all__ = ["STRANGERS", "eu_stack", "gdb", "noisy", "of_moment"]

#: functions that no model has, and that stand between those that models have in real programs
NOISE = (
    "object_property_set",
    "glib_pollfds_poll",
    "fdmon_poll_wait",
    "bdrv_do_drained_begin_quiesce",
    "aio_bh_call",
    "qemu_main_loop",
    "blk_do_x",
)

#: backtraces of programs that have nothing to do with event loops of block layers
STRANGERS = tuple(
    "\n".join(["Thread 1 (LWP 7):", *(f"#{i}  0x{i + 4096:x} in {name} ()" for i, name in enumerate(names))])
    for names in (
        ("__poll", "g_main_loop_run", "gtk_main", "main"),
        ("epoll_wait", "uv__io_poll", "uv_run", "node::SpinEventLoop", "main"),
        ("__futex_abstimed_wait", "pthread_cond_wait", "std::condition_variable::wait", "worker", "start_thread"),
        ("raise", "abort", "__assert_fail", "parse_header", "main"),
        ("read", "_IO_file_read", "fgets", "readline", "main"),
        ("select", "PyObject_Call", "_PyEval_EvalFrameDefault", "Py_RunMain", "main"),
        ("ppoll", "sd_event_wait", "sd_event_run", "manager_loop", "main"),
        ("??", "??", "??"),
        ("nanosleep", "sleep", "main"),
        # a loop of GLib that dispatches, as that of every desktop program; what waits for events in a server, a runtime, an interpreter
        (
            "__poll",
            "g_main_context_poll",
            "g_main_context_iterate",
            "g_main_context_dispatch",
            "g_main_loop_run",
            "main",
        ),
        ("epoll_wait", "ngx_epoll_process_events", "ngx_process_events_and_timers", "ngx_worker_process_cycle", "main"),
        ("runtime.futex", "runtime.notesleep", "runtime.mPark", "runtime.schedule", "runtime.park_m", "runtime.mcall"),
        ("ioctl", "kvm_vm_ioctl", "crosvm::run_vcpu", "std::sys::thread_start", "start_thread", "clone3"),
        ("__lll_lock_wait", "pthread_mutex_lock", "dl_iterate_phdr", "_Unwind_Find_FDE", "__cxa_throw", "main"),
    )
)


def gdb(stacks: Iterable[tuple[str, Sequence[str]]], *, addresses: bool = True) -> str:
    """`thread apply all bt`: each stack outermost first."""
    lines: list[str] = []
    for number, (name, calls) in enumerate(stacks, 1):
        lines.append(f'Thread {number} (Thread 0x7f{number:010x} (LWP {4000 + number}) "{name}"):')
        for i, call in enumerate(reversed(calls)):
            address = f"0x{0x55D0_0000_0000 + 64 * i:016x} in " if addresses and i else ""
            lines.append(f"#{i:<3} {address}{call} (ctx=0x55d0, x=<optimized out>) at ../util/file-{i}.c:{100 + i}")
        lines.append("")
    return "\n".join(lines)


def eu_stack(stacks: Iterable[tuple[str, Sequence[str]]]) -> str:
    """The same as `eu-stack` prints it."""
    lines = ["PID 4000 - process"]
    for number, (_, calls) in enumerate(stacks, 1):
        lines.append(f"TID {4000 + number}:")
        lines += [
            f"#{i:<3} 0x{0x55D0_0000_0000 + 64 * i:016x}{' - 1' if i else '    '} {call}"
            for i, call in enumerate(reversed(calls))
        ]
    return "\n".join(lines)


def of_moment(moment: Sight) -> list[tuple[str, list[str]]]:
    """The threads of a state, each from where the system starts it to where it sleeps."""
    return [(each.process, _whole(each)) for each in moment.threads]


def _whole(each: Calls) -> list[str]:
    outer = (
        ["_start", "__libc_start_main", "main", "qemu_main_loop"]
        if each.process == "main thread"
        else ["clone", "start_thread", "qemu_thread_start"]
    )
    return [*outer, *each.calls, *(["ppoll"] if each.waits else [])]


def noisy(stacks: Iterable[tuple[str, list[str]]], chance: Random) -> list[tuple[str, list[str]]]:
    """With functions that no model has between the others, suffixes of compilers, and threads that are none of the models'."""
    changed = [(name, _noisy(calls, chance)) for name, calls in stacks]
    others = [("CPU 0/KVM", ["clone", "start_thread", "kvm_vcpu_thread_fn", "kvm_cpu_exec", "kvm_vcpu_ioctl", "ioctl"]),
              ("worker", ["clone", "start_thread", "worker_thread", "qemu_cond_timedwait_impl", "pthread_cond_timedwait"]),
              ("call_rcu", ["clone", "start_thread", "call_rcu_thread", "qemu_event_wait", "syscall"])]  # fmt: skip
    return [*others, *changed] if chance.random() < 0.5 else [*changed, *others]


def _noisy(calls: Sequence[str], chance: Random) -> list[str]:
    found: list[str] = []
    for call in calls:
        if chance.random() < 0.3:
            found.append(chance.choice(NOISE))
        found.append(call + chance.choice(("", "", "", ".constprop.0", ".isra.3", ".part.0")))
    return found
