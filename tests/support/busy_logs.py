"""Logs of a made QEMU whose disks are always busy: what has to come out is known, because the simulation knows each write's fate.

Unlike `qemu_logs.made`, which places writes by words, it has disks with requests in flight at any time, jobs on several of them, windows that
open several times, sectors that are written again, requests that enter together, writes and jobs that fail, and threads whose lines are mixed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tests.support.qemu_logs import Guest

__all__ = ["Busy", "busy_log"]


@dataclass(eq=False)
class Request:
    """A write of a block of 4 KiB; `ok`: the guest was told that it is done."""

    pointer: str
    block: int
    ok: bool = False


@dataclass(eq=False)
class Disk:
    """A disk of the guest: the node on top, the thread that serves it, and what is in flight."""

    number: int
    node: str
    thread: int
    flying: list[Request] = field(default_factory=list[Request])


@dataclass
class Busy:
    """A log: its lines, and of each switch the verdict and the blocks that are lost."""

    lines: list[bytes]
    verdicts: list[str]
    lost: list[list[int]]


class Simulation:
    """Disks at work, and jobs that switch them; `said` are the lines so far, each with its thread."""

    def __init__(self, seed: int, new: bool, disks: int, blocks: int, threads: bool) -> None:
        self.random = Random(seed)
        self.new, self.blocks = new, blocks
        self.guest = Guest(new=new, disks=disks, pool=1 << 12)
        self.disks = [Disk(i, f"0x5{i:03x}", 20 + i if threads else 7) for i in range(disks)]
        self.nodes = 0x9000
        self.verdicts, self.lost = list[str](), list[list[int]]()
        for disk in self.disks:
            self.say(f'bdrv_open_common bs {disk.node} filename "d{disk.number}.raw" flags 0x2 format_name "raw"')
            if new:
                self.say(f"blk_root_attach {self.seat(disk)} bs {disk.node}")

    def say(self, event: str, thread: int = 7) -> None:
        self.guest.say(event, thread)

    def seat(self, disk: Disk) -> str:
        """The guest's backend of a disk, and its child."""
        return f"child 0x55d0b100{disk.number:04x} blk 0x55d0b000{disk.number:04x}"

    # -- the guest

    def reach(self, disk: Disk) -> list[Request]:
        """Some writes reach the device; none to a block that is being written."""
        self.say(f"virtio_queue_notify vdev 0x88{disk.number}0 n 0 vq 0x99", disk.thread)
        busy = {one.block for one in disk.flying}
        free = [block for block in range(self.blocks) if block not in busy]
        found = list[Request]()
        for block in self.random.sample(free, min(len(free), self.random.randint(1, 4))):
            self.guest.requests += 1
            found.append(Request(f"0x{0x10000 + 16 * self.guest.requests:x}", block))
            vdev = f"vdev 0x88{disk.number}0 " if self.new else ""
            said = f"{vdev}req {found[-1].pointer} sector {8 * block} nsectors 8"
            self.say(f"virtio_blk_handle_write {said}", disk.thread)
        disk.flying += found
        return found

    def enter(self, disk: Disk, requests: list[Request]) -> None:
        """They enter on the disk's node, neighbours perhaps together."""
        left = sorted(requests, key=lambda one: one.block)
        while left:
            count = 1
            while count < len(left) and left[count].block == left[count - 1].block + 1 and self.random.random() < 0.5:
                count += 1
            first = left[0]
            if self.new:
                blk = self.seat(disk).split(" ", 2)[2]
                said = f"{blk} bs {disk.node} offset {4096 * first.block} bytes {4096 * count} flags 0x8"
                self.say(f"blk_co_pwritev {said}", disk.thread)
            else:
                said = f"sector_num {8 * first.block} nb_sectors {8 * count} opaque {first.pointer}"
                self.say(f"bdrv_aio_writev bs {disk.node} {said}", disk.thread)
            left = left[count:]

    def answer(self, disk: Disk) -> None:
        """The guest is told what came of one; some fail."""
        one = self.random.choice(disk.flying)
        one.ok = self.random.random() > 0.15
        vdev = f"vdev 0x88{disk.number}0 " if self.new else ""
        self.say(f"virtio_blk_rw_complete {vdev}req {one.pointer} ret {0 if one.ok else -5}", disk.thread)
        self.say(f"virtio_blk_req_complete {vdev}req {one.pointer} status {int(not one.ok)}", disk.thread)
        disk.flying.remove(one)

    def work(self, disk: Disk, most: int) -> None:
        """A disk goes on for a while."""
        for _ in range(self.random.randint(0, most)):
            if self.random.random() < 0.5 and len(disk.flying) < 8:
                self.enter(disk, self.reach(disk))
            elif disk.flying:
                self.answer(disk)

    def all_work(self, most: int, without: Disk | None = None) -> None:
        for disk in self.disks:
            if disk is not without:
                self.work(disk, most)

    def drain(self, disk: Disk) -> None:
        """All of its writes are waited for."""
        while disk.flying:
            self.answer(disk)

    # -- jobs

    def node(self) -> str:
        self.nodes += 16
        return hex(self.nodes)

    def job(self, disk: Disk, job: str) -> None:
        """A job of a disk, from its start to its end."""
        old, target, own = disk.node, self.node(), self.node()
        seat = f"child {self.node()} blk {own}"
        self.say(f'bdrv_open_common bs {target} filename "{target}.raw" flags 0x2 format_name "raw"')
        if self.new:
            self.move(disk, self.node())
            self.turn(job, "undefined-->created")
            self.say(f"blk_root_attach {seat} bs {target}")
            self.say(f"mirror_start bs {old} s {job} opaque (nil)")
        else:
            self.say(f"mirror_start bs {old} s {job} co 0x1 opaque 0x2")
        self.copy(job)
        self.all_work(30)
        how = self.random.choice(["clean", "clean", "held", "loss", "cancel", "fail"])
        self.say(f"qmp_block_job_{'cancel' if how == 'cancel' else 'complete'} job {job}")
        for _ in range(self.random.randint(0, 2)):
            self.say(f"mirror_before_drain s {job} dirty count 0")
            self.drain(disk)
            self.all_work(4, disk)
            self.copy(job)
            self.work(disk, 6)
        self.say(f"mirror_before_drain s {job} dirty count 0")
        self.drain(disk)
        self.all_work(6, disk)
        late = self.intrude(disk) if how == "loss" else []
        held = self.reach(disk) if how == "held" and self.new else []
        self.all_work(6, disk)
        stays = how in ("cancel", "fail")
        self.end(disk, job, (old if stays else target, target, seat), how, held)
        if not stays:
            self.judge(disk, late, held)

    def intrude(self, disk: Disk) -> list[Request]:
        """Writes that enter in the window, though nothing may; some are answered in it."""
        found = self.reach(disk)
        self.enter(disk, found)
        for _ in range(self.random.randint(0, len(found))):
            self.answer(disk)
        return found

    def end(self, disk: Disk, job: str, nodes: tuple[str, str, str], how: str, held: list[Request]) -> None:
        """The job is over, and the disk has another node: the target, or the old one if it was cancelled or has failed."""
        now, target, seat = nodes
        ret = -5 if how == "fail" else 0
        if not self.new:
            self.say(f"block_job_cb bs {disk.node} job {job} ret {ret}")
            disk.node = now
            return
        self.say(f"job_completed job {job} ret 0")
        self.turn(job, "ready-->aborting" if ret else "waiting-->pending", ret)
        self.say(f"blk_root_detach {seat} bs {target}")
        self.move(disk, now)
        self.enter(disk, held)
        self.turn(job, "pending-->concluded", ret)
        self.turn(job, "concluded-->null", ret)

    def judge(self, disk: Disk, late: list[Request], held: list[Request]) -> None:
        """What this switch is: of what is not answered yet the answer comes now."""
        self.drain(disk)
        done = [one.block for one in late if one.ok]
        self.verdicts.append("loss" if done else "broken" if late else "held" if held else "clean")
        self.lost.append(sorted(done))

    def move(self, disk: Disk, node: str) -> None:
        self.say(f"blk_root_detach {self.seat(disk)} bs {disk.node}")
        self.say(f"blk_root_attach {self.seat(disk)} bs {node}")
        disk.node = node

    def turn(self, job: str, states: str, ret: int = 0) -> None:
        self.say(f"job_state_transition job {job} (ret: {ret}) attempting allowed transition ({states})")

    def copy(self, job: str) -> None:
        what = "offset 0 bytes 65536" if self.new else "sector_num 0 nb_sectors 128"
        self.say(f"mirror_one_iteration s {job} {what}")


def busy_log(seed: int, new: bool, disks: int = 1, blocks: int = 500, threads: bool = False) -> Busy:
    """A log of some jobs, one after the other, each of any disk.

    Args:
        seed: decides everything.
        new: QEMU 7.2's events, else those of v2.5.
        disks: how many the guest has.
        blocks: how many blocks of a disk are written: with few the same ones are written again.
        threads: each disk has a thread of its own, and lines of threads are written a little out of order.
    """
    made = Simulation(seed, new, disks, blocks, threads)
    for number in range(made.random.randint(1, 4)):
        made.all_work(30)
        made.job(made.random.choice(made.disks), f"0x7{number}00")
    for disk in made.disks:
        made.drain(disk)
    lines = [line.encode() for line in made.guest.lines]
    return Busy(_mixed(lines, made.random) if threads else lines, made.verdicts, made.lost)


def _mixed(lines: list[bytes], random: Random) -> list[bytes]:
    """The same lines a little out of order; those of a thread keep theirs."""
    places = sorted(range(len(lines)), key=lambda i: (i + 20 * random.random() * lines[i].startswith(b"2"), i))
    threads = [lines[i].split(b"@")[0] for i in places]
    left = {thread: iter([line for line in lines if line.startswith(thread + b"@")]) for thread in set(threads)}
    return [next(left[thread]) for thread in threads]
