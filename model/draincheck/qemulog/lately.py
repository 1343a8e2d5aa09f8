"""What a log has said lately, although nobody looked: requests that reached a device before a window, and may enter in it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from draincheck.qemulog.matching import covers
from draincheck.qemulog.pivot import Moment
from draincheck.qemulog.reader import Numbered, Parser
from draincheck.qemulog.seen import SECTOR, Entered, Reached

__all__ = ["Lately", "Past", "moment_of"]

#: records that are looked at again: for requests of a job's time, and for anything else
LOOKED_BACK, FEW = 20_000, 2_000
#: lists of fewer records are put together
SMALL = 1_000
#: a list of records, with the how-manieth record its first is
Chunk = tuple[int, Sequence[Numbered]]


class Lately:
    """The records of the list that is being watched, and the last ones of the lists before."""

    def __init__(self, values: Parser) -> None:
        self._values = values
        self._chunks: deque[Chunk] = deque()

    def follow(self, records: Iterable[Numbered], start: int) -> Sequence[Numbered]:
        """The records that come next; so many came before them."""
        chunk = list(records)
        if self._chunks and len(self._chunks[-1][1]) + len(chunk) < SMALL:  # blocks are small where a log is followed
            first, before = self._chunks.pop()
            self._chunks.append((first, [*before, *chunk]))
        else:
            self._chunks.append((start, chunk))
        while len(self._chunks) > 1 and start - self._chunks[1][0] >= LOOKED_BACK:
            self._chunks.popleft()
        return chunk

    def until(self, now: int) -> Past:
        """What has been said up to the record of this number."""
        return Past(self._values, tuple(self._chunks), now)


class Past:
    """Records up to one: what they say is looked up where it matters."""

    def __init__(self, values: Parser, chunks: Sequence[Chunk] = (), now: int = 0) -> None:
        self._values, self._chunks, self._now = values, chunks, now

    def _records(self, since: int) -> Iterator[tuple[int, Numbered]]:
        """The last ones, each with its number."""
        since = max(since, self._now - LOOKED_BACK)
        for start, records in self._chunks:
            first, last = max(since - start, 0), self._now - start
            yield from enumerate(islice(records, first, max(last, 0)), start + first)

    def unanswered(self, since: int) -> list[tuple[int, Reached]]:
        """Requests that have reached a device and are not answered: of those since that record, and of the last ones before it."""
        found: dict[bytes, tuple[int, Numbered, bytes]] = {}
        kicks: dict[bytes, bytes] = {}
        for at, each in self._records(min(since, self._now) - FEW):
            thread, _, name, text = each[1]
            if name not in _LOOKED_FOR:
                continue
            if name == b"virtio_queue_notify":
                kicks[thread] = text
                continue
            request = self._value(name, text, _REQUEST, "req")
            found.pop(request, None)
            if name == b"virtio_blk_handle_write":
                found[request] = at, each, kicks.get(thread, b"")
        reached = ((at, self._reached(each, kick)) for at, each, kick in found.values())
        return [(at, one) for at, one in reached if one is not None]

    def entered(self, requests: Sequence[tuple[int, Reached]]) -> dict[int, str]:
        """By those of these requests that have entered the block layer the backend by which they did, or (until v2.6) the node."""
        found: dict[int, str] = {}
        first = requests[0][0] if requests else self._now
        for at, (line, (thread, time, name, text)) in self._records(first):
            if name not in (b"blk_co_pwritev", b"bdrv_aio_writev") or (said := self._values(name, text)) is None:
                continue
            if name == b"bdrv_aio_writev":
                request = _text(said["opaque"])
                found |= {when: _text(said["bs"]) for when, one in requests if when < at and one.pointer == request}
                continue
            begin, end = int(said["offset"]), int(said["offset"]) + int(said["bytes"])
            sector, backend = begin // SECTOR, _text(said["blk"])
            moment = moment_of(line, thread, time, name)
            entry = Entered(moment, backend, _text(said["bs"]), sector, -(-end // SECTOR) - sector)
            found |= {when: backend for when, one in requests if when < at and when not in found and covers(entry, one)}
        return found

    def writers(self) -> frozenset[str]:
        """Backends by which writes have entered."""
        entered = {
            self._value(name, text, _BACKEND, "blk")
            for _, (_, (_, _, name, text)) in self._records(self._now - FEW)
            if name == b"blk_co_pwritev"
        }
        return frozenset(_text(each) for each in entered if each)

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
