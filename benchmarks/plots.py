"""What was measured, as SVG: processor time and memory by the number of states, a line for each tool."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.document import Bench
from benchmarks.rounds import Result
from benchmarks.subjects import PARTS

__all__ = ["plots"]

#: name and title of each kind, and its value
KINDS: dict[str, tuple[str, Callable[[Result], float]]] = {
    "cpu": ("seconds of processor time", lambda result: median(result.cpu)),
    "memory": ("bytes a state, whole process", lambda result: max(result.peak) / result.states),
}


def plots(bench: Bench, folder: Path) -> list[Path]:
    """Write them for parts with several sizes. Raises ImportError without matplotlib."""
    matplotlib: Any = import_module("matplotlib")
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "check-invariants"  # the same numbers make the same file
    pyplot: Any = import_module("matplotlib.pyplot")
    written: list[Path] = []
    for part, (kind, (label, value)) in product(("family", "mirror"), KINDS.items()):
        found = list(bench.of(part))
        if len({result.states for result in found if result.states}) > 1:
            figure, axes = pyplot.subplots(figsize=(8, 5))
            axes.set(title=PARTS[part].replace("`", ""), xlabel="states", ylabel=label)
            _draw(axes, found, value)
            written.append(folder / f"{part}-{kind}.svg")
            figure.savefig(written[-1], format="svg", metadata={"Date": None})
            pyplot.close(figure)
    return written


def _draw(axes: Any, found: list[Result], value: Callable[[Result], float]) -> None:
    for tool, points in _lines(found, value):
        axes.loglog(*zip(*points, strict=True), marker="o", label=tool)
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend(fontsize="small")


def _lines(found: list[Result], value: Callable[[Result], float]) -> Iterator[tuple[str, list[tuple[int, float]]]]:
    """The points of each tool, by their number of states."""
    for tool in dict.fromkeys(result.tool for result in found if result.tool != "reduced"):
        points = sorted((result.states, value(result)) for result in found if result.tool == tool and result.states)
        if points:
            yield tool, points
