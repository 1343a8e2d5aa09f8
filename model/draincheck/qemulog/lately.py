"""What a log has said lately, although nobody looked: requests that reached a device before a window, and may enter in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from draincheck.qemulog.pivot import Moment
from draincheck.qemulog.reader import Numbered, Parser
from draincheck.qemulog.seen import Reached

__all__ = ["Lately", "moment_of"]

#: records that are looked at again
LOOKED_BACK = 2_000


class Lately:
    """The records of the list that is being watched, and the last ones of the lists before."""

    def __init__(self, values: Parser) -> None:
        self._values = values
        self._before: list[Numbered] = []
        self._records: list[Numbered] = []
        self._start = 0

    def follow(self, records: Iterable[Numbered], start: int) -> list[Numbered]:
        """The records that come next; so many came before them."""
        if len(self._records) < LOOKED_BACK:  # blocks are small where a log is followed
            self._records = self._before + self._records
        self._before, self._records, self._start = self._records[-LOOKED_BACK:], list(records), start
        return self._records

    def unanswered(self, now: int) -> Iterator[tuple[int, Reached]]:
        """Requests that have reached a device and are not answered, up to the record of this number."""
        records = [*self._before, *self._records[: now - self._start]][-LOOKED_BACK:]
        found: dict[bytes, tuple[int, Reached]] = {}
        devices: dict[bytes, str] = {}
        for at, (line, (thread, time, name, text)) in enumerate(records, now - len(records)):
            if name not in _LOOKED_FOR or (said := self._values(name, text)) is None:
                continue
            if name == b"virtio_queue_notify":
                devices[thread] = _text(said["vdev"])
            elif name == b"virtio_blk_handle_write":
                device = _text(said["vdev"]) if "vdev" in said else devices.get(thread)
                moment = moment_of(line, thread, time, name)
                one = Reached(moment, device, _text(said["req"]), int(said["sector"]), int(said["nsectors"]))
                found[said["req"]] = at, one
            else:
                found.pop(said["req"], None)
        yield from found.values()

    def writers(self, now: int) -> frozenset[str]:
        """Backends by which writes have entered, up to the record of this number."""
        records = [*self._before, *self._records[: now - self._start]][-LOOKED_BACK:]
        entered = (self._values(name, text) for _, (_, _, name, text) in records if name == b"blk_co_pwritev")
        return frozenset(_text(said["blk"]) for said in entered if said is not None)


_LOOKED_FOR = frozenset(
    {b"virtio_queue_notify", b"virtio_blk_handle_write", b"virtio_blk_req_complete", b"virtio_blk_rw_complete"}
)


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def moment_of(line: int, thread: bytes, time: bytes, name: bytes) -> Moment:
    """Where and when a record stands."""
    seconds, _, rest = time.partition(b".")
    when = int(seconds) * 1_000_000 + int(rest.ljust(6, b"0")[:6]) if time else None
    return Moment(line, name.decode(), when, int(thread) if thread else None)
