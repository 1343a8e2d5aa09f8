"""All that the documentation says about speed, measured in one run: `make bench`, or `python -m benchmarks`.

Our tiers, our own past and other tools search the same systems, each in a process of its own. What they count has to be the same, else this
ends with 1. One JSON document has all numbers; a table and plots are made of it.
"""

from __future__ import annotations

import sys
import tempfile
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import json
from msgspec.structs import replace

from benchmarks.document import Bench, Described
from benchmarks.logs import LogSpeed, logs_measured
from benchmarks.machine import free_memory, machine
from benchmarks.plots import plots
from benchmarks.processes import Allowance
from benchmarks.random_access import Access, measured
from benchmarks.rounds import ROUNDS, Mismatch, results
from benchmarks.subjects import PARTS, SUBJECTS, Subject
from benchmarks.table import table
from benchmarks.tools import ROOT, Tool, tools

#: a smoke run: the smallest of everything
QUICK = 70_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write what was found."""
    given = _parser().parse_args(arguments)
    if given.show:
        print(table(json.decode(given.show.read_bytes(), type=Bench)), end="")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            return _bench(given, _chosen_tools(given, tools(Path(folder))), _chosen_subjects(given))
        except Mismatch as error:
            print(f"bench: {error}", file=sys.stderr)
            return 1


def _parser() -> ArgumentParser:
    parser = ArgumentParser("make bench", description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=_names, metavar="PARTS", help=f"of {', '.join((*PARTS, 'logs'))}, with commas")
    parser.add_argument("--sizes", type=_names, metavar="STATES", help="systems of so many states alone, with commas")
    parser.add_argument("--tools", type=_names, metavar="TOOLS", help="tools whose names begin so, with commas")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each is run (%(default)s)")
    parser.add_argument("--patience", type=float, default=600, help="seconds for one run of a tool (%(default)s)")
    parser.add_argument("--memory", type=float, default=16, help="GB for one run of a tool (%(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench", help="where files go (build/bench)")
    parser.add_argument("--quick", action="store_true", help="the smallest of everything, once: does it work?")
    parser.add_argument("--show", type=Path, metavar="FILE", help="only print the table of a bench.json")
    return parser


def _names(text: str) -> list[str]:
    return [name for name in text.replace("_", "").split(",") if name]


def _chosen_tools(given: Namespace, all_tools: Sequence[Tool]) -> Sequence[Tool]:
    return [tool for tool in all_tools if given.tools is None or tool.name.lower().startswith(tuple(given.tools))]


def _chosen_subjects(given: Namespace) -> Sequence[Subject]:
    chosen = [subject for subject in SUBJECTS if given.only is None or subject.part in given.only]
    if given.sizes is not None:
        chosen = [each for each in chosen if {str(each.states), str(each.about)} & {*given.sizes}]
    return [each for each in chosen if each.about < QUICK] if given.quick else chosen


def _bench(given: Namespace, chosen: Sequence[Tool], subjects: Sequence[Subject]) -> int:
    given.out.mkdir(parents=True, exist_ok=True)
    described = [Described(tool.name, tool.version, tool.install) for tool in chosen]
    bench = Bench(machine(), described, _accesses(given.quick), [])
    memory = min(int(given.memory * 1e9), free_memory() * 9 // 10)
    here = [tool for tool in chosen if tool.version]
    patience = min(given.patience, 20) if given.quick else given.patience
    for result in results(subjects, here, Allowance(patience, memory), 1 if given.quick else given.rounds):
        bench = replace(bench, results=[*bench.results, result])
        _write(bench, given.out)
    bench = replace(bench, logs=_logs(given))
    bench = replace(bench, finished=datetime.now(UTC).isoformat(timespec="seconds"))
    _write(bench, given.out)
    print(table(bench), end="")
    _draw(bench, given.out)
    return 0


def _logs(given: Namespace) -> list[LogSpeed]:
    """How fast logs are read, if that is asked for."""
    if given.only is not None and "logs" not in given.only:
        return []
    return list(logs_measured(1, 1) if given.quick else logs_measured(5))


def _accesses(quick: bool) -> list[Access]:
    """How fast memory is, measured while nothing else of ours runs."""
    try:
        return measured([16], [1], 1 << 16, 1) if quick else measured()
    except ImportError:
        print("bench: without llvmlite nobody measures how fast memory is", file=sys.stderr)
        return []


def _write(bench: Bench, folder: Path) -> None:
    (folder / "bench.json").write_bytes(json.format(json.encode(bench)) + b"\n")
    (folder / "bench.md").write_text(table(bench), encoding="utf-8")


def _draw(bench: Bench, folder: Path) -> None:
    try:
        written = plots(bench, folder)
    except ImportError:
        print("bench: no plots without matplotlib: pip install 'check-invariants[bench]'", file=sys.stderr)
        return
    print(
        f"bench: {', '.join(file.name for file in written)}, bench.json and bench.md are in {folder}", file=sys.stderr
    )


if __name__ == "__main__":
    sys.exit(main())
