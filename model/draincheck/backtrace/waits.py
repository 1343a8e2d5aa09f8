"""What the innermost frames of a stack say: it sleeps, it waits for a lock, it ends the program."""

from __future__ import annotations

from collections.abc import Sequence

from draincheck.backtrace.stacks import StackOf

__all__ = ["aborts", "begins", "locks", "sleeps"]

#: functions in which a thread waits for a lock, as the C library and QEMU call them
LOCKING = (
    "lll_lock", "lll_mutex_lock", "pthread_mutex_lock", "pthread_mutex_cond_lock", "pthread_rwlock", "pthread_spin_lock", "qemu_mutex_lock",
    "qemu_rec_mutex_lock", "qemu_spin_lock", "qemu_lockcnt",
)  # fmt: skip
#: functions in which a thread waits, as the C library, the kernel and QEMU call them
SLEEPING = (
    "ppoll", "poll", "epoll_wait", "epoll_pwait", "select", "pselect", "futex", "pthread_cond_", "sem_wait", "new_sem_wait", "sem_timedwait",
    "sem_clockwait", "nanosleep", "clock_nanosleep", "sigtimedwait", "sigwait", "qemu_cond_wait", "qemu_cond_timedwait", "qemu_sem_wait",
    "qemu_sem_timedwait", "qemu_futex_wait", "qemu_event_wait", "do_futex_wait", "syscall", "io_uring_enter", "io_uring_submit", "pthread_join",
    "pthread_clockjoin", "libc_recv", "accept", *LOCKING,
)  # fmt: skip
#: those that end a program
ABORTING = (
    "abort",
    "raise",
    "assert_fail",
    "g_assertion_message",
    "assert_perror_fail",
    "pthread_kill",
    "error_exit",
    "error_handle",
)
#: frames of the C library that may stand inside of `abort`
_END = 8


def sleeps(stack: StackOf) -> bool:
    """Whether it waits: a coroutine that does not run, or a thread in a call that waits."""
    return stack.coroutine or (stack.ends and bool(stack.frames) and begins(stack.frames[-1], SLEEPING))


def locks(stack: StackOf) -> bool:
    """Whether it waits for a lock, and not in order to be woken."""
    return stack.ends and any(begins(name, LOCKING) for name in stack.frames[-4:])


def aborts(stack: StackOf) -> bool:
    """Whether it ends the program."""
    return stack.ends and any(begins(name, ABORTING) for name in stack.frames[-_END:])


def begins(name: str, words: Sequence[str]) -> bool:
    """Whether a function has a name like that, but for what the C library puts before it."""
    bare = name.lstrip("_").removeprefix("GI_").lstrip("_").removeprefix("libc_")
    return bare.startswith(tuple(words))
