"""How long the default matrix takes, from a cold process to the last line: `python benchmarks/matrix.py`.

Each measurement is a process of its own, five of each kind, of which the median is printed:

* `--help`, and an interpreter that does nothing, to compare with;
* the whole command `check-invariants`, as a user runs it, with as many processes as cores, and with one;
* the phases of the latter: imports, building the systems, naming them (digests), searching them, printing.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

RUNS = 5

ROOT = Path(__file__).parent.parent

COMMAND = "import sys; sys.argv[0] = 'check-invariants'; from check_invariants.__main__ import main; main()"

#: the phases of one process that does everything itself; printed as JSON: seconds by phase
PHASES = """
import json, sys, io
from contextlib import redirect_stdout
from time import perf_counter
clock = [perf_counter()]
spent = {}
def phase(name):
    clock.append(perf_counter())
    spent[name] = spent.get(name, 0.0) + clock[-1] - clock[-2]
from check_invariants.work import matrix
from draincheck.engines.explicit import explore
from drainspecs.suite.matrix import BuildCache, DrainInvariant, RowResult, default_rows, pinned_counts
phase("import")
cache, found, results = BuildCache(DrainInvariant), {}, []
rows = default_rows()
phase("rows")
for row in rows:
    system = cache.system(row.revision.knobs, row.scenario)
    phase("build")
    key = (row.scenario, system.digest)
    phase("digest")
    if key not in found:
        found[key] = explore(system)
        phase("search")
    results.append(RowResult(row, system.digest, found[key], 0.0, None))
with redirect_stdout(io.StringIO()):
    matrix.show(results, (), 0.0, False)
phase("print")
print(json.dumps(spent))
"""


def run(code: str, *arguments: str) -> tuple[float, str]:
    """Wall time and output of one Python process."""
    path = os.pathsep.join(str(ROOT / part) for part in ("model", "specs", "cli"))
    start = perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        check=True,
        text=True,
    )
    return perf_counter() - start, done.stdout


def typical(code: str, *arguments: str) -> float:
    """The median wall time of some runs, in seconds."""
    return median(run(code, *arguments)[0] for _ in range(RUNS))


def phases() -> dict[str, float]:
    """The median time of each phase, in seconds."""
    runs = [json.loads(run(PHASES)[1]) for _ in range(RUNS)]
    return {name: median(one[name] for one in runs) for name in runs[0]}


def main() -> None:
    """Print the table."""
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, median of {RUNS} cold processes"
    )
    bare = typical("pass")
    whole, alone = typical(COMMAND), typical(COMMAND, "--processes", "1")
    for name, seconds in (
        ("python -c pass", bare),
        ("check-invariants --help", typical(COMMAND, "--help")),
        ("check-invariants", whole),
        ("check-invariants --processes 1", alone),
    ):
        print(f"  {name:28}{seconds * 1000:8.0f} ms")
    print(f"  ratio of the last two       {alone / whole:8.2f}")
    print("phases of one process")
    for name, seconds in phases().items():
        print(f"  {name:28}{seconds * 1000:8.0f} ms")


if __name__ == "__main__":
    main()
