"""Rounds of a mirror or an active commit with concurrent writes, and what the guest reads back behind each.

Every block that the guest writes says which disk, block and write it is. Behind each pivot all blocks whose writes were acknowledged are read
again: one that is older than what was acknowledged is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from struct import Struct as Packed
from time import monotonic, sleep

from msgspec import Struct

from draincheck.budget import look
from draincheck.errors import QemuError
from draincheck.qemulog.log import NEEDED
from draincheck.qemurun.process import QemuProcess
from draincheck.qemurun.virtio import BLOCK, VirtioDisk

__all__ = ["Lost", "Round", "Session", "Workload"]

#: blocks of each disk that are written, and bytes of an image
BLOCKS, IMAGE = 1024, 16 << 20
#: seconds for one job to become ready, and for its pivot
PATIENCE = 60.0
#: seconds of writes behind READY, and behind the pivot
BEFORE, BEHIND = 0.05, 0.03
#: bytes in a second that a job copies which is held: a chunk of its bitmap in a few hundredths of a second
HELD = 2 << 20
#: where disks go: PCI slot, first port, first byte of memory, and the distance of the next
SLOT, PORT, PORTS, BASE, BASES = 4, 0xC000, 0x100, 2 << 20, 1 << 20

_LEGACY = ",disable-modern=on,disable-legacy=off"
_LABEL = Packed("<8sIIQ")
_MAGIC = b"draincks"


class Workload(Struct, frozen=True):
    """What is done.

    Attributes:
        mode: `mirror` or `commit`.
        disks: how many, each with a job of its own in every round.
        iothread: the disks are in an IOThread.
        ioeventfd: kicks are host notifiers; else they run the queue handler at once.
        stop: the VM is stopped and goes on in every round.
        rounds: how many.
        rate: writes of a disk in a second.
        seed: which blocks are written.
        vcpu: a virtual CPU kicks, as it always does where there is an IOThread; else qtest does, of which the main loop hears.
        hold: the job's copies are held when its command is sent, and let go while the guest writes without a pause: the window opens beside kicks.
    """

    mode: str = "mirror"
    disks: int = 1
    iothread: bool = False
    ioeventfd: bool = True
    stop: bool = False
    rounds: int = 3
    rate: float = 2000.0
    seed: int = 1
    vcpu: bool = False
    hold: bool = False


class Lost(Struct, frozen=True):
    """A block whose acknowledged write was not read back."""

    disk: int
    block: int
    acked: int
    found: int


class Round(Struct, frozen=True):
    """What came of one round."""

    number: int
    lost: tuple[Lost, ...]


class Session:
    """A QEMU with a guest that is played here.

    Args:
        binary: QEMU's program.
        folder: an empty folder for its files.
        workload: what is done.
    """

    def __init__(self, binary: str, folder: Path, workload: Workload) -> None:
        self.workload, self.folder = workload, folder
        self.random = Random(workload.seed)
        self.sequence = 0
        self.acked: list[dict[int, int]] = [{} for _ in range(workload.disks)]
        self.errors = 0
        for disk in range(workload.disks):
            _image(folder / f"disk{disk}.raw")
        self.qemu = QemuProcess(
            binary, folder, self._devices(), NEEDED["v2.12 or later"], kicker=workload.iothread or workload.vcpu
        )

    def _devices(self) -> list[str]:
        found = ["-object", "iothread,id=io0"] if self.workload.iothread else []
        for disk in range(self.workload.disks):
            found += ["-drive", f"if=none,id=d{disk},file=disk{disk}.raw,format=raw,cache=unsafe,aio=threads"]
            more = ",iothread=io0" if self.workload.iothread else ""
            eventfd = "on" if self.workload.ioeventfd else "off"
            found += [
                "-device",
                f"virtio-blk-pci,id=vblk{disk},drive=d{disk},addr={SLOT + disk:#x},ioeventfd={eventfd}{_LEGACY}{more}",
            ]
        return found

    def rounds(self, done: Callable[[Round], None] = lambda _: None) -> tuple[Sequence[Round], str]:
        """All rounds, and how QEMU ended: "" if it was asked to. Raises QemuError if it cannot be started."""
        found: list[Round] = []
        with self.qemu as qemu:
            self.disks = [
                VirtioDisk(qemu, SLOT + i, PORT + PORTS * i, BASE + BASES * i) for i in range(self.workload.disks)
            ]
            try:
                for number in range(self.workload.rounds):
                    found.append(Round(number, tuple(self._round(number))))
                    done(found[-1])
                status = qemu.quit()
                return found, "" if status == 0 else f"exit status {status}: {qemu.errors()}"
            except QemuError as error:
                return found, "\n".join(filter(None, (qemu.errors(), str(error))))
            finally:
                for disk in self.disks:
                    disk.release()

    def _round(self, number: int) -> list[Lost]:
        for disk in range(self.workload.disks):
            self._start(disk, number)
        self._until({"BLOCK_JOB_READY"})
        self._write_for(BEFORE)
        if self.workload.hold:
            self._set_speed(HELD)
            self._write_for(BEFORE)
        if self.workload.stop:
            self.qemu.command_of("stop")
        for disk in range(self.workload.disks):
            self.qemu.command_of("block-job-complete", device=f"d{disk}")
        if self.workload.stop:
            self.qemu.command_of("cont")
        if self.workload.hold:
            with suppress(QemuError):  # a job that had nothing to copy is over by now
                self._set_speed(0)
        self._until({"BLOCK_JOB_COMPLETED"}, pausing=not self.workload.hold)
        self._write_for(BEHIND)
        self._settle()
        return [lost for disk in range(self.workload.disks) for lost in self._read_back(disk)]

    def _set_speed(self, speed: int) -> None:
        """Bytes in a second that the jobs may copy; 0: no limit."""
        for disk in range(self.workload.disks):
            self.qemu.command_of("block-job-set-speed", device=f"d{disk}", speed=speed)

    def _start(self, disk: int, number: int) -> None:
        device = f"d{disk}"
        if self.workload.mode == "commit":
            self.qemu.command_of(
                "blockdev-snapshot-sync",
                device=device,
                **{"snapshot-file": f"top{disk}.r{number}.qcow2"},
                format="qcow2",
            )
            self._write_for(BEFORE)
            self.qemu.command_of("block-commit", device=device)
        else:
            target = f"target{disk}.r{number}.raw"
            self.qemu.command_of(
                "drive-mirror", device=device, target=target, sync="full", mode="absolute-paths", format="raw"
            )

    # -- the guest's writes

    def _until(self, names: set[str], pausing: bool = True) -> None:
        """Write until every job has sent one of these events. Raises QemuError if one fails, or none comes."""
        waiting, end = {f"d{disk}" for disk in range(self.workload.disks)}, monotonic() + PATIENCE
        while waiting:
            self._write_some(pausing)
            for event in self.qemu.events():
                data = event.get("data", {})
                if event["event"] in names:
                    waiting.discard(data.get("device", ""))
                    if data.get("error"):
                        raise QemuError(f"a job failed: {data['error']}")
                elif event["event"] == "BLOCK_JOB_ERROR":
                    raise QemuError("a job has an I/O error")
            if monotonic() > end:
                raise QemuError(f"no {' or '.join(sorted(names))} in {PATIENCE:.0f} seconds")

    def _write_for(self, seconds: float) -> None:
        end = monotonic() + seconds
        while monotonic() < end:
            self._write_some()

    def _write_some(self, pausing: bool = True) -> None:
        """A few writes to each disk, as the rate says, and what has been answered."""
        look()
        for number, disk in enumerate(self.disks):
            self._take(number)
            batch = self.random.randint(1, 4)
            busy = {request.block for request in disk.out.values()}
            if disk.room >= batch:
                blocks = [block for block in self.random.sample(range(BLOCKS), batch) if block not in busy]
                disk.send([self._write(number, block) for block in blocks])
            sleep(batch / self.workload.rate if pausing else 0)

    def _write(self, disk: int, block: int) -> tuple[bool, int, int, bytes]:
        self.sequence += 1
        label = _LABEL.pack(_MAGIC, disk, block, self.sequence)
        return True, block, self.sequence, label.ljust(BLOCK, bytes([self.sequence & 0xFF]))

    def _take(self, number: int) -> None:
        for request, status, _ in self.disks[number].answers():
            if request.write and status == 0:
                self.acked[number][request.block] = max(request.sequence, self.acked[number].get(request.block, 0))
            elif status:
                self.errors += 1

    def _settle(self) -> None:
        """Wait for all answers. Raises QemuError if they do not come."""
        end = monotonic() + PATIENCE
        while not all(disk.idle for disk in self.disks):
            look()
            for number in range(len(self.disks)):
                self._take(number)
            if monotonic() > end:
                raise QemuError(f"requests were not answered in {PATIENCE:.0f} seconds")
            sleep(0.001)

    def _read_back(self, number: int) -> Iterator[Lost]:
        """Read all blocks that were acknowledged."""
        disk, todo = self.disks[number], sorted(self.acked[number])
        end = monotonic() + PATIENCE
        while todo or not disk.idle:
            look()
            batch, todo = todo[: disk.room], todo[disk.room :]
            if batch:
                disk.send([(False, block, 0, b"") for block in batch])
            for request, status, data in disk.answers():
                acked = self.acked[number][request.block]
                magic, owner, block, found = _LABEL.unpack_from(data)
                right = status == 0 and magic == _MAGIC and (owner, block) == (number, request.block)
                if not right or found < acked:
                    self.acked[number][request.block] = found if right else 0
                    yield Lost(number, request.block, acked, found if right else 0)
            if monotonic() > end:
                raise QemuError(f"reads were not answered in {PATIENCE:.0f} seconds")


def _image(path: Path) -> None:
    with path.open("wb") as image:
        image.truncate(IMAGE)
