"""What must hold, and whether it does: ratios of one run."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from benchmarks.document import Bench

__all__ = ["Bar", "bars", "limit", "share"]

MIDDLE, LARGE, JOBS = "3 devices of 2 slots", "4 devices of 2 slots", "2 jobs of 2 writes"
SMALL = "check of one code base", "the default matrix"

#: seconds of noise in a whole command, as a part of it
NOISE = 1.1


class Bar(Struct, frozen=True):
    """A number and what it has to be: at least, or at most. `value` is None where something was not measured."""

    says: str
    value: float | None
    bar: float
    at_least: bool

    @property
    def is_met(self) -> bool:
        """Whether it is known to be what it has to be."""
        return self.value is not None and (self.value >= self.bar if self.at_least else self.value <= self.bar)


def bars(bench: Bench) -> Iterator[Bar]:
    """Those of the project."""
    for tool, bar in (("spin", 5), ("f30c451", 7)):
        yield Bar(
            f"{MIDDLE}: times less processor time than {tool}",
            _times(bench, MIDDLE, tool, "check-invariants"),
            bar,
            True,
        )
    yield Bar(
        f"{LARGE}, two threads: times less processor time than spin", _times(bench, LARGE, "spin", "native-2"), 20, True
    )
    yield Bar(f"{LARGE}, two threads: share of the limit of random access", share(bench, "native-2", 2), 0.3, True)
    yield Bar(f"{LARGE}, reduced: seconds of processor time", bench.cpu(LARGE, "reduced"), 0.5, False)
    yield Bar(
        f"{JOBS}: seconds of processor time",
        _least(bench.cpu(JOBS, tool) for tool in ("native-1", "native-2")),
        30,
        False,
    )
    yield Bar(f"{JOBS}: GB of memory", _peak(bench), 3, False)
    for subject in SMALL:
        yield Bar(
            f"{subject}: of the time before machine code",
            _times(bench, subject, "check-invariants", "12f12b8"),
            NOISE,
            False,
        )
    yield Bar(
        "a log: lines in a second of processor time",
        min((each.rate for each in bench.logs), default=None),
        500_000,
        True,
    )


def _times(bench: Bench, subject: str, one: str, other: str) -> float | None:
    more, less = bench.cpu(subject, one), bench.cpu(subject, other)
    return more / less if more is not None and less else None


def _least(numbers: Iterator[float | None]) -> float | None:
    return min((each for each in numbers if each is not None), default=None)


def _peak(bench: Bench) -> float | None:
    found = [bench.result(JOBS, tool) for tool in ("native-1", "native-2")]
    return max((max(each.peak) / 1e9 for each in found if each), default=None)


def limit(bench: Bench, threads: int) -> float | None:
    """Reads in a second of processor time that so many threads can do, in a table as large as that of the largest search, whatever the pages."""
    found = [each.by_cpu for each in bench.accesses if each.threads == threads]
    smallest = min((each.megabytes for each in bench.accesses), default=0)
    found = [each.by_cpu for each in bench.accesses if (each.threads, each.megabytes) == (threads, smallest)]
    return max(found, default=None)


def share(bench: Bench, tool: str, threads: int) -> float | None:
    """Transitions in a second of a whole process at the largest size, of the limit: each needs one read at least."""
    found, most = bench.result(LARGE, tool), limit(bench, threads)
    if found is None or most is None:
        return None
    return found.transitions / sum(found.cpu) * len(found.cpu) / most
