"""Which requests an entry is of: a log names the device that a request reached and the backend that it entered by, and nothing that both have."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import islice

from msgspec import Struct, field

from draincheck.qemulog.seen import Entered, Reached

__all__ = ["Matches", "covers"]

#: a request, with the how-manieth record it is
Requests = Sequence[tuple[int, Reached]]


class Matches(Struct):
    """Requests by the records of their entries.

    Attributes:
        entry: by its request the entry that it entered by; `requests`: by an entry those that entered by it.
        others: by its request those of other devices that it could have been as well.
    """

    entry: dict[int, int] = field(default_factory=dict[int, int])
    requests: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    others: dict[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])

    def add(
        self,
        entries: Sequence[tuple[int, Entered]],
        reached: Requests,
        likely: Mapping[str | None, str],
        over: Mapping[int, int],
    ) -> None:
        """Each entry takes the oldest requests that it covers, as many as it has sectors, all of one device: of its backend's if it has one.

        A request that is `over` before an entry (by its place that of its answer) is none of that entry's.
        """
        placed = sorted(reached, key=_sector)
        for at, entry in entries:
            those = self._candidates(at, entry, placed, over)
            if not those:
                continue
            best = min(_rank(one, entry, likely) for _, one in those)
            ranked = [(when, one) for when, one in those if _rank(one, entry, likely) == best]
            device = ranked[0][1].device
            rivals = tuple(when for when, one in ranked if one.device != device)
            room = entry.sectors
            for when, one in ranked:
                if one.device == device and one.sectors <= room:
                    self.entry[when], self.others[when] = at, rivals
                    self.requests.setdefault(at, []).append(when)
                    room -= one.sectors

    def _candidates(
        self, at: int, entry: Entered, placed: Requests, over: Mapping[int, int]
    ) -> list[tuple[int, Reached]]:
        """Requests that have not entered yet and that an entry covers, in their order, of all in the order of their sectors."""
        first = bisect_left(placed, entry.sector, key=_sector)
        last = bisect_right(placed, entry.sector + entry.sectors, key=_sector)
        return sorted(
            (when, one)
            for when, one in islice(placed, first, last)
            if when < at < over.get(when, at + 1) and when not in self.entry and covers(entry, one)
        )


def _sector(item: tuple[int, Reached]) -> int:
    return item[1].sector


def covers(entry: Entered, one: Reached) -> bool:
    """Whether all sectors of a request are among an entry's."""
    return entry.sector <= one.sector and one.sector + one.sectors <= entry.sector + entry.sectors


def _rank(one: Reached, entry: Entered, likely: Mapping[str | None, str]) -> int:
    """Devices that have been seen to write by this backend first, those that write by another last."""
    return 1 if one.device not in likely else 0 if likely[one.device] == entry.backend else 2
