"""How fast logs of QEMU are read and judged: lines in a second of processor time, beside `grep -c` of a word in the same file.

    python -m benchmarks.logs [REPEATS]

Each of the real logs of the tests, written to a file as often as that; medians of three runs, in turns.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import process_time

from draincheck.qemulog.log import read_log
from draincheck.qemulog.source import blocks, opened

LOGS = Path(__file__).parents[1] / "tests" / "data" / "qemu-logs"
#: a word that stands in most lines
WORD = "virtio_blk"


def main(repeats: int) -> None:
    """Measure, and print a table."""
    print("| log | lines | lines in a second | times the processor time of `grep -c` |\n|---|---|---|---|")
    for path in sorted(LOGS.glob("*.log.xz")):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "trace.log"
            with opened(str(path)) as source:
                file.write_bytes(b"".join(blocks(source)) * repeats)
            lines, ours, theirs = _measured(file)
        print(f"| {path.name.removesuffix('.log.xz')} | {lines:,} | {lines / ours:,.0f} | {ours / theirs:.0f} |")


def _measured(file: Path) -> tuple[int, float, float]:
    """How many lines a file has, and the seconds that we and grep take."""
    ours, theirs, lines = list[float](), list[float](), 0
    for _ in range(3):
        start = process_time()
        with opened(str(file)) as source:
            lines = read_log(blocks(source)).tally.lines
        ours.append(process_time() - start)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(["grep", "-c", WORD, str(file)], stdout=subprocess.DEVNULL, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        theirs.append(max(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 0.001))
    return lines, median(ours), median(theirs)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
