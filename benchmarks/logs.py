"""How fast logs of QEMU are read and judged: lines in a second of processor time, beside `grep -c` of a word in the same file.

Each of the real logs of the tests is written to a file some times over; medians of runs in turns. `make bench ARGS="--only logs"` does nothing else.
"""

from __future__ import annotations

import resource
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import process_time

from msgspec import Struct

from draincheck.qemulog.log import read_log
from draincheck.qemulog.source import blocks, opened

__all__ = ["LogSpeed", "logs_measured"]

LOGS = Path(__file__).parents[1] / "tests" / "data" / "qemu-logs"
#: a word that stands in most lines; what grep takes at the least, in seconds, as it is measured
WORD, TICK = "virtio_blk", 0.001
RUNS = 3


class LogSpeed(Struct, frozen=True):
    """A log: how many lines it has, and the seconds of processor time that we and grep take for it."""

    log: str
    lines: int
    seconds: float
    grep: float

    @property
    def rate(self) -> float:
        """Lines in a second."""
        return self.lines / self.seconds

    @property
    def ratio(self) -> float:
        """How many times what grep takes."""
        return self.seconds / self.grep


def logs_measured(repeats: int, most: int | None = None) -> Iterator[LogSpeed]:
    """Each log, so many times over; the first `most` of them."""
    for path in sorted(LOGS.glob("*.log.xz"))[:most]:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "trace.log"
            with opened(str(path)) as source:
                file.write_bytes(b"".join(blocks(source)) * repeats)
            yield _measured(path.name.removesuffix(".log.xz"), file)


def _measured(name: str, file: Path) -> LogSpeed:
    ours, theirs, lines = list[float](), list[float](), 0
    for _ in range(RUNS):
        start = process_time()
        with opened(str(file)) as source:
            lines = read_log(blocks(source)).tally.lines
        ours.append(process_time() - start)
        theirs.append(_grep(file))
    return LogSpeed(name, lines, median(ours), median(theirs))


def _grep(file: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["grep", "-c", WORD, str(file)], stdout=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return max(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, TICK)
