"""Which device is which disk, as far as a log lets that be seen."""

from __future__ import annotations

from draincheck.qemulog.seen import Entered, Reached

__all__ = ["Owners"]


class Owners:
    """Devices, with the nodes and backends by which they were last seen to write: one that is plugged in may have the pointer of one that is gone.

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
        self._votes: dict[str, tuple[str, int]] = {}

    @property
    def several(self) -> bool:
        """Whether a request may be another disk's than a job's: several devices were kicked, or nodes that others write to are known."""
        return len(self.devices) > 1 or bool(self.device_of)

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
            backend, number = self._votes.get(last.device, (entered.backend, 0))
            again = backend == entered.backend
            self._votes[last.device] = entered.backend, number + 1 if again else 1
            del self._last[entered.moment.thread]

    def foreign(self, source: str | None, backend: str | None) -> frozenset[str | None]:
        """Devices that have been seen to write to other disks than this one alone."""
        if backend is None and source is None:
            return frozenset()
        if backend is None:
            own = self.device_of.get(source or "")
            return frozenset(device for node, device in self.device_of.items() if node != source and device != own)
        return frozenset(device for device, (other, number) in self._votes.items() if number > 1 and other != backend)

    def likely(self) -> dict[str | None, str]:
        """The backend by which each device was last seen to write, be it once."""
        return {device: backend for device, (backend, _) in self._votes.items()}
