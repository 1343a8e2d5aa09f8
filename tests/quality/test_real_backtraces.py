"""Backtraces that a real gdb took of a stock QEMU 7.2: idle, with a mirror job, and parked in drains by a server that was stopped, or by blkdebug.

Debian's QEMU has no symbols but those it exports, so most frames have no name. None of these states is a bug: each waits for a server that will
answer, or for work. What was to be expected was written down before `locate` was asked.
"""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

import pytest

from draincheck.backtrace.activity import Doing, activity, is_idle
from draincheck.backtrace.located import Candidate, LocatedAs, candidates, located
from draincheck.backtrace.reading import read_backtrace
from draincheck.backtrace.stacks import GAP
from draincheck.qemurun.process import QemuProcess
from draincheck.verdict import Limits
from drainspecs.mirror.code_base import CodeBase
from drainspecs.suite.matrix import default_rows
from tests.support.loops import apart
from tests.support.samples import sampled

BACKTRACES = Path(__file__).parents[1] / "data" / "backtraces"
IDLE = ("qemu_main_loop", "main_loop_wait", "qemu_poll_ns", "__ppoll")

#: file -> what its main thread ends with, and what may be said of it. An idle main loop with an idle IOThread looks like a hang of 2017,
#: and is told as idle all the same; what is outside of the main loop, or beneath commands that no model has, fits in part, or not
EXPECTED = {
    "idle": (IDLE, {LocatedAs.IDLE}),
    "mirror-ready": (IDLE, {LocatedAs.IDLE}),
    "idle-iothread": (IDLE, {LocatedAs.IDLE}),
    "stop": (
        ("bdrv_drain_all", "bdrv_drain_all_begin", "aio_poll", GAP, "__ppoll"),
        {LocatedAs.ORDINARY, LocatedAs.PARTIAL},
    ),
    "snapshot": (
        ("bdrv_drain_all", "bdrv_drain_all_begin", "aio_poll", GAP, "__ppoll"),
        {LocatedAs.ORDINARY, LocatedAs.PARTIAL},
    ),
    "pivot": (("aio_bh_poll", GAP, GAP, "aio_poll", GAP, "__ppoll"), {LocatedAs.ORDINARY, LocatedAs.PARTIAL}),
    "quit": (("bdrv_drain_all_begin", "aio_poll", GAP, "__ppoll"), {LocatedAs.PARTIAL, LocatedAs.NOTHING}),
    "stop-iothread": (
        ("bdrv_try_change_aio_context", GAP, GAP, GAP, "aio_poll", GAP, "__ppoll"),
        {LocatedAs.ORDINARY, LocatedAs.PARTIAL},
    ),
    # not started, without a machine; with two IOThreads and VNC; an NBD export in an IOThread, stopped; a mirror job of a disk with an IOThread
    "none": (("main_loop_wait", "__ppoll"), {LocatedAs.IDLE}),
    "iothreads-vnc": (IDLE, {LocatedAs.IDLE}),
    "nbd-export": (IDLE, {LocatedAs.IDLE}),
    "mirror-ready-iothread": (IDLE, {LocatedAs.IDLE}),
    # a write that blkdebug has suspended: the monitor's qemu-io drains its disk
    "drain-hmp": (
        ("hmp_qemu_io", "blk_unref", "blk_drain", GAP, "aio_poll", GAP, "__ppoll"),
        {LocatedAs.ORDINARY, LocatedAs.PARTIAL},
    ),
    # the same, and the guest has reset the disk: its CPU drains, with the lock that the main thread waits for
    "guest-resets": (
        (
            "main_loop_wait",
            "qemu_mutex_lock_iothread_impl",
            "qemu_mutex_lock_impl",
            "___pthread_mutex_lock",
            "lll_mutex_lock_optimized",
            "__GI___lll_lock_wait",
            "futex_wait",
        ),
        {LocatedAs.PARTIAL, LocatedAs.NOTHING},
    ),
    "reset-iothread": (
        ("bdrv_try_change_aio_context", GAP, GAP, GAP, "aio_poll", GAP, "__ppoll"),
        {LocatedAs.ORDINARY, LocatedAs.PARTIAL},
    ),
}


@cache
def systems() -> tuple[Candidate, ...]:
    rows = [row for row in default_rows() if row.revision.release in ("v2.6.0", "v2.9.0", "v6.1.0", "v8.0.0")]
    return tuple(candidates((CodeBase(row.revision, row.scenario) for row in rows), Limits(states=100_000)))


def test_every_backtrace_is_expected() -> None:
    """No file is left out."""
    assert {path.stem for path in BACKTRACES.glob("*.txt")} == EXPECTED.keys()


@pytest.mark.parametrize("name", sampled(EXPECTED, [name for name in EXPECTED if name != "idle"]))
def test_a_real_backtrace_is_read_and_no_bug_is_made_of_it(name: str) -> None:
    """Its threads, the main one last; and an answer that names no bug for certain."""
    found = read_backtrace((BACKTRACES / f"{name}.txt").read_text(encoding="utf-8"))
    inner, answers = EXPECTED[name]
    assert not found.unread
    assert len(found.stacks) >= 3
    main = found.stacks[-1]
    assert main.begins
    assert main.frames[-len(inner) :] == inner
    assert located(found, systems()).answer in answers


@pytest.mark.parametrize("name", [name for name, (_, answers) in EXPECTED.items() if LocatedAs.IDLE not in answers])
def test_a_qemu_that_waits_for_something_is_not_idle(name: str) -> None:
    """Negative control: who is held up, and in what, is told."""
    found = read_backtrace((BACKTRACES / f"{name}.txt").read_text(encoding="utf-8"))
    assert not is_idle(found)
    assert any(activity(stack).doing in (Doing.INSIDE, Doing.LOCK) for stack in found.stacks)


def test_who_has_the_lock_is_told_beside_who_waits_for_it() -> None:
    """A CPU that drains while the main thread waits for it."""
    found = read_backtrace((BACKTRACES / "guest-resets.txt").read_text(encoding="utf-8"))
    said = {(each.doing, each.where) for each in map(activity, found.stacks)}
    assert {(Doing.INSIDE, "blk_drain"), (Doing.LOCK, "main_loop_wait")} <= said


@pytest.mark.slow
@pytest.mark.needs("qemu-system-x86_64")
@pytest.mark.needs("gdb")
def test_a_backtrace_of_a_running_qemu_is_located(tmp_path: Path) -> None:
    """gdb, now: an idle main loop."""
    found = read_backtrace(apart(taken, tmp_path))
    assert located(found, systems()).answer is LocatedAs.IDLE


def taken(folder: Path) -> str:
    """What gdb prints of a QEMU that does nothing."""
    with QemuProcess("qemu-system-x86_64", folder, [], []) as qemu:
        command = ["gdb", "-nx", "-batch", "-p", str(qemu.process.pid), "-ex", "thread apply all bt"]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100).stdout
