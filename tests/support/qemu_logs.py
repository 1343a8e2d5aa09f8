"""Logs of QEMU: real ones with what their guests were told, and made ones whose verdict is known because of how they are made.

The real ones were written by QEMUs of 2016 and 2022 (tests/data/qemu-logs); beside each stands what a driver that played the guest read back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from draincheck.qemulog.log import ReadLog, read_log
from draincheck.qemulog.source import blocks, opened

__all__ = ["LOGS", "Guest", "Made", "lines_of", "made", "oracle", "read_lines"]

#: the old and the new node, mirror's filter, the job and its own backend
Nodes = tuple[str, str, str, str, str]

LOGS = Path(__file__).parents[1] / "data" / "qemu-logs"


@cache
def lines_of(name: str) -> tuple[bytes, ...]:
    """The lines of a real log, without their ends."""
    with opened(str(LOGS / f"{name}.log.xz")) as source:
        return tuple(b"".join(blocks(source)).splitlines())


def oracle(name: str) -> dict[str, Any]:
    """What the guest's driver knows of a real log."""
    found: dict[str, Any] = json.loads((LOGS / f"{name}.oracle.json").read_text())
    return found


def read_lines(lines: Iterable[bytes], size: int = 1 << 16) -> ReadLog:
    """What lines show."""
    return read_log(blocks(BytesIO(b"".join(line + b"\n" for line in lines)), size))


@dataclass
class Guest:
    """Writes lines as QEMU does, in one of two vocabularies; `told` is what has to come out.

    Attributes:
        new: QEMU 7.2's events, else those of v2.5.
        stamped: whether lines begin with thread and time.
        disks: how many; the second has no job.
        pool: how many requests there are before a pointer is used again.
    """

    new: bool
    stamped: bool = True
    disks: int = 1
    pool: int = 16
    lines: list[str] = field(default_factory=list)
    now: int = 1_700_000_000_000_000
    requests: int = 0

    def say(self, event: str, thread: int = 7) -> None:
        """A line."""
        self.now += 3
        prefix = f"{thread}@{self.now // 1_000_000}.{self.now % 1_000_000:06d}:" if self.stamped else ""
        self.lines.append(prefix + event)

    # -- requests

    def kick(self, disk: int) -> None:
        self.say(f"virtio_queue_notify vdev {_pointer(0xD0, disk)} n 0 vq {_pointer(0xD1, disk)}")

    def reach(self, disk: int, block: int) -> str:
        """A write of a block of 4 KiB reaches the device; its request."""
        self.requests += 1
        request = _pointer(0xE0, self.requests % self.pool)
        vdev = f"vdev {_pointer(0xD0, disk)} " if self.new else ""
        self.say(f"virtio_blk_handle_write {vdev}req {request} sector {block * 8} nsectors 8")
        return request

    def enter(self, disk: int, node: str, block: int, count: int = 1) -> None:
        """Writes enter the block layer; the old vocabulary has no word for that."""
        if self.new:
            where = f"blk {_pointer(0xB0, disk)} bs {node}"
            self.say(f"blk_co_pwritev {where} offset {block * 4096} bytes {4096 * count} flags 0x0")

    def answer(self, disk: int, request: str, status: int = 0) -> None:
        vdev = f"vdev {_pointer(0xD0, disk)} " if self.new else ""
        self.say(f"virtio_blk_rw_complete {vdev}req {request} ret {-5 if status else 0}")
        self.say(f"virtio_blk_req_complete {vdev}req {request} status {status}")

    def write(self, disk: int, node: str, block: int) -> None:
        """A whole write, as outside every window."""
        self.kick(disk)
        request = self.reach(disk, block)
        self.enter(disk, node, block)
        self.answer(disk, request)


@dataclass
class Made:
    """A made log: its lines, and for each switch the verdict and the lost blocks that its making implies."""

    lines: list[bytes]
    verdicts: list[str]
    lost: list[list[int]]


def _pointer(kind: int, number: int) -> str:
    return f"0x55d0{kind:02x}00{number:04x}"


def round_of(guest: Guest, number: int, window: Iterable[str], block: Callable[[], int]) -> tuple[str, list[int]]:
    """One job, from its start to its end; `window` is what happens between (w) and (c), in words.

    `acked`, `failed` and `late` enter on the old disk (`late` is answered behind the switch); `held` waits for the new node (new
    vocabulary alone); `merged` are two requests that enter as one, `zeros` enter without a request (new vocabulary alone), `twin` is one that
    fails while the second disk writes the same block; `other` is a write to the second disk; `copy` is one more copy: the window opens anew
    behind it, and a `late` one before it is one for which no drain has waited: what became of its bytes is not known.
    """
    old, new, top = _pointer(0xA0, number % 2), _pointer(0xA0, (number + 1) % 2), _pointer(0xA1, number % 2)
    job, mine = _pointer(0xC0, number % 3), _pointer(0xC1, number % 3)
    guest.say(f'bdrv_open_common bs {new} filename "target{number}.raw" flags 0x2 format_name "raw"')
    _begin(guest, (old, new, top, job, mine))
    seen = top if guest.new else old
    guest.write(0, seen, block())
    _copy(guest, job)
    guest.say(f"mirror_before_drain s {job} dirty count 0")
    broken, lost, held, behind = list[str](), list[int](), list[tuple[str, int]](), list[str]()
    unknown = False
    for word in window:
        if word == "copy":  # the section has ended: what waited has gone on, and was dirty
            for request, here in held:
                guest.enter(0, seen, here)
                guest.answer(0, request)
            held = []
            _copy(guest, job)
            guest.say(f"mirror_before_drain s {job} dirty count 0")
            broken, lost, unknown = [], [], bool(behind)
            continue
        if word == "other":
            guest.write(1, _pointer(0xA0, 9), block())
            continue
        here = block()
        if word in ("merged", "zeros", "twin"):
            broken.append(word)
            lost += _unusual(guest, word, seen, here, block)
            continue
        guest.kick(0)
        request = guest.reach(0, here)
        if word == "held":
            held.append((request, here))
            continue
        guest.enter(0, seen, here)
        broken.append(word)
        if word == "late":
            behind.append(request)
        else:
            guest.answer(0, request, status=int(word == "failed"))
        if word != "failed":
            lost.append(here)
    _end(guest, (old, new, top, job, mine), held)
    for request in [*behind, *(request for request, _ in held)]:
        guest.answer(0, request)
    guest.write(0, new, block())
    calm = "cannot tell" if unknown else "held" if held else "clean"
    return "loss" if lost else "broken" if broken else calm, lost


def _unusual(guest: Guest, word: str, node: str, here: int, block: Callable[[], int]) -> list[int]:
    """Writes that enter on the old disk, not each as a request of its own; the blocks that are lost."""
    if word == "zeros":
        guest.enter(0, node, here)
        return [here]
    guest.kick(0)
    first = guest.reach(0, here)
    if word == "merged":
        there = block()
        second = guest.reach(0, there)
        guest.enter(0, node, here, count=2)
        guest.answer(0, first)
        guest.answer(0, second)
        return [here, there]
    guest.enter(0, node, here)
    guest.kick(1)
    second = guest.reach(1, here)
    guest.enter(1, _pointer(0xA0, 9), here)
    guest.answer(1, second)
    guest.answer(0, first, status=1)
    return []


def _begin(guest: Guest, nodes: Nodes) -> None:
    old, new, top, job, mine = nodes
    if guest.new:
        child, blk = _pointer(0xB1, 0), _pointer(0xB0, 0)
        guest.say(f"blk_root_detach child {child} blk {blk} bs {old}")
        guest.say(f"blk_root_attach child {child} blk {blk} bs {top}")
        guest.say(f"job_state_transition job {job} (ret: 0) attempting allowed transition (undefined-->created)")
        guest.say(f"blk_root_attach child {_pointer(0xB1, 8)} blk {mine} bs {new}")
        guest.say(f"mirror_start bs {old} s {job} opaque (nil)")
    else:
        guest.say(f"mirror_start bs {old} s {job} co {mine} opaque {old}")
    _copy(guest, job)
    guest.say(f"qmp_block_job_complete job {job}")


def _copy(guest: Guest, job: str) -> None:
    if guest.new:
        guest.say(f"mirror_one_iteration s {job} offset 0 bytes 65536")
    else:
        guest.say(f"mirror_one_iteration s {job} sector_num 0 nb_sectors 128")


def _end(guest: Guest, nodes: Nodes, held: list[tuple[str, int]]) -> None:
    old, new, top, job, mine = nodes
    if not guest.new:
        guest.say(f"block_job_cb bs {old} job {job} ret 0")
        return
    child, blk = _pointer(0xB1, 0), _pointer(0xB0, 0)
    guest.say(f"job_completed job {job} ret 0")
    guest.say(f"blk_root_detach child {_pointer(0xB1, 8)} blk {mine} bs {new}")
    guest.say(f"blk_root_detach child {child} blk {blk} bs {top}")
    guest.say(f"blk_root_attach child {child} blk {blk} bs {new}")
    for _, block in held:
        guest.enter(0, new, block)
    guest.say(f"job_state_transition job {job} (ret: 0) attempting allowed transition (pending-->concluded)")


def made(guest: Guest, rounds: Iterable[Iterable[str]]) -> Made:
    """A log of so many jobs, one after the other, with what happens in their windows."""
    numbers = _counting()
    guest.say(f'bdrv_open_common bs {_pointer(0xA0, 0)} filename "disk.raw" flags 0x2 format_name "raw"')
    if guest.new:
        for disk, node in enumerate((_pointer(0xA0, 0), _pointer(0xA0, 9))[: guest.disks]):
            guest.say(f"blk_root_attach child {_pointer(0xB1, disk)} blk {_pointer(0xB0, disk)} bs {node}")
    if guest.disks > 1:
        guest.write(1, _pointer(0xA0, 9), next(numbers))
    told = [round_of(guest, number, window, lambda: next(numbers)) for number, window in enumerate(rounds)]
    return Made([line.encode() for line in guest.lines], [verdict for verdict, _ in told], [lost for _, lost in told])


def _counting() -> Iterator[int]:
    yield from range(100, 1_000_000)
