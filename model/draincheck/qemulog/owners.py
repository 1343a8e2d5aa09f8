"""Which device is which disk, as far as a log lets that be seen."""

from __future__ import annotations

from collections import Counter

from draincheck.qemulog.window import Entered, Reached

__all__ = ["Owners"]


class Owners:
    """Devices, with the nodes and backends by which they have been seen to write.

    Attributes:
        devices: all that were kicked.
        notified: by its thread the device that was kicked last.
        device_of: by its node the device whose requests went there (until v2.6).
    """

    def __init__(self) -> None:
        self.devices: set[str] = set()
        self.notified: dict[int | None, str] = {}
        self.device_of: dict[str, str] = {}
        self._last: dict[int | None, Reached] = {}
        self._votes: Counter[tuple[str, str]] = Counter()

    def notify(self, thread: int | None, device: str) -> None:
        """A device was kicked."""
        self.notified[thread] = device
        self.devices.add(device)

    def reach(self, reached: Reached) -> None:
        """A request has reached a device."""
        self._last[reached.moment.thread] = reached

    def enter(self, entered: Entered) -> None:
        """A write has entered: if a request with the same sectors has just reached a device in this thread, that is the backend's."""
        last = self._last.get(entered.moment.thread)
        if last and last.device and (last.sector, last.sectors) == (entered.sector, entered.sectors):
            self._votes[last.device, entered.backend] += 1

    def foreign(self, source: str | None, backend: str | None) -> frozenset[str | None]:
        """Devices that have been seen to write to other disks than this one alone."""
        if backend is None:
            own = self.device_of.get(source or "")
            return frozenset(device for node, device in self.device_of.items() if node != source and device != own)
        best: dict[str, tuple[int, str]] = {}
        for (device, other), number in self._votes.items():
            best[device] = max(best.get(device, (0, "")), (number, other))
        return frozenset(device for device, (number, other) in best.items() if number > 1 and other != backend)
