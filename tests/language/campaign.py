"""Random programs in numbers: `python -m tests.language.campaign --programs 200000 --jobs 2`."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.language.random_programs import random_program
from tests.language.referee import Tally, differences, report

__all__ = ["first_seed", "judged"]

#: programs that one worker takes at a time
CHUNK = 500


def first_seed() -> int:
    """Where the seeds of this commit begin: every commit has programs of its own. Without git always the same."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return 20_141_021_000_000
    return int(told.stdout[:10], 16) * 1_000_000


def judged(seeds: range) -> tuple[Tally, list[int]]:
    """What became of the programs of these seeds, and the seeds of those on which the readings differ."""
    tally = Tally()
    return tally, [seed for seed in seeds if differences(random_program(seed), tally)]


def _chunks(start: int, programs: int) -> Iterator[range]:
    yield from (range(at, min(at + CHUNK, start + programs)) for at in range(start, start + programs, CHUNK))


def main() -> int:
    """Run; the exit code is 1 where something differs."""
    parser = argparse.ArgumentParser(description="Hold the compiler against the direct reading of LANGUAGE.md.")
    parser.add_argument("--programs", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, help="the first one; of this commit if not given")
    parser.add_argument("--show", type=int, default=3, help="so many differing programs are made small and printed")
    parser.add_argument("--progress", action="store_true", help="say how far it is, also where nobody looks on")
    args = parser.parse_args()
    start = first_seed() if args.seed is None else args.seed
    total, differing = Tally(), list[int]()
    with ProcessPoolExecutor(args.jobs) as pool:
        for tally, seeds in pool.map(judged, _chunks(start, args.programs)):
            total.add(tally)
            differing += seeds
            if sys.stderr.isatty() or args.progress:
                print(f"{total.programs} programs, {len(differing)} differ", file=sys.stderr)
    print(f"seeds from {start}: {total}; {len(differing)} differ")
    for seed in differing[: args.show]:
        print(f"\nseed {seed}\n{report(random_program(seed))}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
