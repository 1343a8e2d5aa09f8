"""A QEMU process: started with a parked CPU, a guest memory that is a file, a qtest socket for the guest's port I/O, and a QMP socket."""

from __future__ import annotations

import mmap
import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from ctypes import c_uint16
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Any

from draincheck.errors import NotInstalled, QemuError
from draincheck.optional import demand, missing

__all__ = ["MEMORY", "QemuProcess", "monitor_class"]

#: bytes of guest memory
MEMORY = 64 << 20
#: seconds for QEMU to start, and to answer
PATIENCE = 30.0
#: seconds between two looks whether it has ended instead
LOOK = 0.1
_BIOS = 64 << 10
#: a word of guest memory: the port that the CPU is to write to; and what the CPU does: it waits for one, clears it, writes 0 to the port
MAILBOX = 0x7000
_KICKER = bytes.fromhex("fa 31c0 8ed8 f390 8b160070 85d2 74f6 c70600700000 31c0 ef ebeb")
#: what it does where nobody needs it: `cli; hlt`, then back
_PARKED = bytes.fromhex("fa f4 ebfd")


class QemuProcess:
    """A running QEMU, until the end of a `with`.

    Args:
        binary: the program.
        folder: where its files go: memory, log, sockets, images.
        devices: its options for disks and threads.
        kicker: the CPU writes to ports (see `kick`); else it is parked.
        events: trace events that it logs.

    Raises QemuError if it cannot be started or ends by itself.
    """

    def __init__(
        self, binary: str, folder: Path, devices: Sequence[str], events: Sequence[str], kicker: bool = False
    ) -> None:
        self.kicker = kicker
        self.folder, self.log = folder, folder / "trace.log"
        self._write_files(events)
        self._qtest, self._qmp = _listening(folder / "qtest.sock"), _monitor(folder / "qmp.sock")
        self.command = [binary, *_MACHINE, "-qtest", "unix:qtest.sock", "-qtest-log", "/dev/null", "-qmp", "unix:qmp.sock",
                        "-D", "trace.log", "-msg", "timestamp=on", "-trace", "events=events.txt", *devices]  # fmt: skip
        with (folder / "stderr.txt").open("wb") as errors:
            try:
                self.process = subprocess.Popen(
                    self.command, cwd=folder, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors
                )
            except OSError as error:
                raise QemuError(f"{binary}: {error.strerror}") from error

    def _write_files(self, events: Sequence[str]) -> None:
        bios = bytearray(_BIOS)
        code = _KICKER if self.kicker else _PARKED
        bios[-0x100 : -0x100 + len(code)] = code
        bios[-16:-13] = b"\xe9\x0d\xff"  # jmp to it
        (self.folder / "bios.bin").write_bytes(bios)
        (self.folder / "events.txt").write_text("".join(f"{event}\n" for event in events))
        with (self.folder / "ram").open("wb") as ram:
            ram.truncate(MEMORY)

    def __enter__(self) -> QemuProcess:
        try:
            self.port = self._accepted()
            self.port.settimeout(PATIENCE)
            self._lines = self.port.makefile("rb")
            self._qmp.accept(PATIENCE)
        except Exception as error:  # the package for QMP has many of its own
            self.close()
            raise QemuError(f"it does not start: {self.errors() or error}") from error
        with (self.folder / "ram").open("r+b") as ram:
            self.memory = mmap.mmap(ram.fileno(), MEMORY)
        return self

    def _accepted(self) -> socket.socket:
        """The guest's side of the connection that QEMU makes. Raises OSError where it makes none, at once if it has ended."""
        self._qtest.settimeout(LOOK)
        end = monotonic() + PATIENCE
        while True:
            try:
                return self._qtest.accept()[0]
            except TimeoutError:
                if self.ended is not None:
                    raise OSError(f"exit status {self.ended}") from None
                if monotonic() > end:
                    raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for item in (self._qtest, getattr(self, "_lines", None), getattr(self, "port", None)):
            if item is not None:
                item.close()
        with suppress(Exception):
            self._qmp.close()

    @property
    def ended(self) -> int | None:
        """Its exit status; None while it runs."""
        return self.process.poll()

    def errors(self) -> str:
        """What it printed."""
        with suppress(OSError):
            return (self.folder / "stderr.txt").read_text(errors="replace").strip()
        return ""

    # -- the guest's side

    def port_io(self, line: str) -> int:
        """One command of qtest (`outw PORT VALUE`, `inl PORT`), and its value. Raises QemuError if QEMU is gone."""
        try:
            self.port.sendall(line.encode() + b"\n")
            while (answer := self._lines.readline().split()) and answer[0] == b"IRQ":
                pass
        except OSError as error:
            raise QemuError(f"it is gone: {self._why()}") from error
        if not answer or answer[0] != b"OK":
            raise QemuError(f"{line}: {b' '.join(answer).decode(errors='replace') or self._why()}")
        return int(answer[1], 16) if len(answer) > 1 else 0

    def kick(self, port: int) -> None:
        """Have 0 written to a port, by the CPU where there is one that does, else by qtest. Raises QemuError."""
        if not self.kicker:
            self.port_io(f"outw {port:#x} 0x0")
            return
        mailbox = c_uint16.from_buffer(self.memory, MAILBOX)
        end = monotonic() + PATIENCE
        while mailbox.value:
            if monotonic() > end or self.ended is not None:
                raise QemuError(f"the CPU does not kick: {self.errors()}")
            sleep(0.0001)
        mailbox.value = port

    def _why(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE)
        return self.errors() or f"exit status {self.process.poll()}"

    # -- the manager's side

    def command_of(self, name: str, **arguments: object) -> Any:
        """A QMP command, and what it returns. Raises QemuError."""
        try:
            return self._qmp.cmd(name, **arguments)
        except Exception as error:
            raise QemuError(f"{name}: {error}") from error

    def events(self) -> list[dict[str, Any]]:
        """QMP events that have come, without waiting."""
        found: list[dict[str, Any]] = []
        try:
            while (event := self._qmp.pull_event(wait=False)) is not None:
                found.append(event)
        except Exception as error:
            raise QemuError(f"it is gone: {self._why()}") from error
        return found

    def quit(self) -> int:
        """Have it end by itself; its exit status."""
        with suppress(QemuError):
            self.command_of("quit")
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.kill(self.process.pid, signal.SIGKILL)
            return self.process.wait()


_MACHINE = ("-machine", "pc,accel=tcg", "-bios", "bios.bin", "-nodefaults", "-nographic", "-m", str(MEMORY >> 20),
            "-object", f"memory-backend-file,id=ram0,size={MEMORY},mem-path=ram,share=on", "-numa", "node,memdev=ram0")  # fmt: skip


def _listening(path: Path) -> socket.socket:
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    found.bind(str(path))
    found.listen(1)
    return found


def monitor_class() -> Any:
    """What speaks QMP. Raises NotInstalled where that package is missing, or has no such part."""
    demand("qemu.qmp")
    try:
        from qemu.qmp.legacy import QEMUMonitorProtocol
    except ImportError as error:
        raise NotInstalled(missing("qemu.qmp")) from error
    return QEMUMonitorProtocol


def _monitor(path: Path) -> Any:
    return monitor_class()(str(path), server=True)
