"""What a log has said lately, although nobody looked: requests that reached a device before a window, and may enter in it."""

from __future__ import annotations

import re
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
        records = self._until(now)
        found: dict[bytes, tuple[int, Numbered, bytes]] = {}
        kicks: dict[bytes, bytes] = {}
        for at, each in enumerate(records, now - len(records)):
            thread, _, name, text = each[1]
            if name not in _LOOKED_FOR:
                continue
            if name == b"virtio_queue_notify":
                kicks[thread] = text
            elif name == b"virtio_blk_handle_write":
                found[self._value(name, text, _REQUEST, "req")] = at, each, kicks.get(thread, b"")
            else:
                found.pop(self._value(name, text, _REQUEST, "req"), None)
        for at, each, kick in found.values():
            if one := self._reached(each, kick):
                yield at, one

    def _until(self, now: int) -> list[Numbered]:
        """The last records before that of this number."""
        count = now - self._start
        last = self._records[max(count - LOOKED_BACK, 0) : count]
        return [*self._before[len(last) - LOOKED_BACK :], *last] if len(last) < LOOKED_BACK else last

    def _value(self, name: bytes, text: bytes, form: re.Pattern[bytes], value: str) -> bytes:
        """One value of an event's text: most are found without reading the others."""
        if match := form.search(text):
            return match[1]
        return (self._values(name, text) or {}).get(value, b"")

    def _reached(self, numbered: Numbered, kick: bytes) -> Reached | None:
        """A request that has reached a device, behind that kick of its thread."""
        line, (thread, time, name, text) = numbered
        if (said := self._values(name, text)) is None:
            return None
        kicked = (self._values(b"virtio_queue_notify", kick) or {}).get("vdev") if kick else None
        device = said.get("vdev", kicked)
        return Reached(
            moment_of(line, thread, time, name),
            None if device is None else _text(device),
            _text(said["req"]),
            int(said["sector"]),
            int(said["nsectors"]),
        )

    def writers(self, now: int) -> frozenset[str]:
        """Backends by which writes have entered, up to the record of this number."""
        entered = {
            self._value(name, text, _BACKEND, "blk")
            for _, (_, _, name, text) in self._until(now)
            if name == b"blk_co_pwritev"
        }
        return frozenset(_text(each) for each in entered if each)


#: values as QEMU prints them in all of its versions
_REQUEST, _BACKEND = re.compile(rb"\breq (0x[0-9a-f]+)\b"), re.compile(rb"\bblk (0x[0-9a-f]+)\b")
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
