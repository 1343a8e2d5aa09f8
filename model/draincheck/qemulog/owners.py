"""Which device is which disk, as far as a log lets that be seen."""

from __future__ import annotations

from collections import Counter

from draincheck.qemulog.seen import Entered, Reached

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
            del self._last[entered.moment.thread]

    def foreign(self, source: str | None, backend: str | None) -> frozenset[str | None]:
        """Devices that have been seen to write to other disks than this one alone."""
        if backend is None:
            own = self.device_of.get(source or "")
            return frozenset(device for node, device in self.device_of.items() if node != source and device != own)
        best = {device: max(votes) for device, votes in self._by_device().items()}
        return frozenset(device for device, (number, other) in best.items() if number > 1 and other != backend)

    def likely(self) -> dict[str | None, str]:
        """The backend by which each device has most often been seen to write, be it once; no device of which two are as likely."""
        votes = {device: sorted(votes, reverse=True) for device, votes in self._by_device().items()}
        return {device: best[0][1] for device, best in votes.items() if len(best) == 1 or best[0][0] > best[1][0]}

    def _by_device(self) -> dict[str, list[tuple[int, str]]]:
        found: dict[str, list[tuple[int, str]]] = {}
        for (device, backend), number in self._votes.items():
            found.setdefault(device, []).append((number, backend))
        return found
