"""What was measured, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import median

from benchmarks.bars import bars, share
from benchmarks.document import Bench
from benchmarks.rounds import Result
from benchmarks.subjects import PARTS

__all__ = ["table"]


def table(bench: Bench) -> str:
    """All of it: the machine, the tools, what they took, and what must hold."""
    parts = [*_head(bench), *_tools(bench)]
    for part, title in PARTS.items():
        if found := list(bench.of(part)):
            parts += ["", f"## {title}", *_part(part, found)]
    return "\n".join([*parts, *_limit(bench), *_logs(bench), *_bars(bench), ""])


def _head(bench: Bench) -> Iterator[str]:
    here = bench.machine
    yield "# Benchmarks"
    yield ""
    yield f"Commit {here.commit or 'unknown'}; {here.processor}, {here.cores} cores, {here.memory / 2**30:.0f} GiB, {here.kernel};"
    yield f"{here.python}; {here.compiler}."
    yield (
        f"Load when it began: {here.load}. Processor time of whole processes, children and compilers included; medians of three runs, in rounds "
        "in which every tool runs once. One run alone above five million states, and where a run takes more than a minute."
    )


def _tools(bench: Bench) -> Iterator[str]:
    yield from ["", "| tool | version |", "|---|---|"]
    for tool in bench.tools:
        yield f"| {tool.name} | {tool.version or f'not here: {tool.install}'} |"


def _part(part: str, found: Sequence[Result]) -> Iterator[str]:
    yield from _grid("Processor time, s", found, lambda result: _seconds(median(result.cpu)))
    yield from _grid("By the clock, s", found, lambda result: _seconds(median(result.wall)))
    if part == "commands":
        yield from _grid("Memory, MB", found, lambda result: f"{max(result.peak) / 1e6:,.0f}")
    else:
        yield from _grid("Memory, bytes a state (MB)", found, _memory)


def _grid(title: str, found: Sequence[Result], value: Callable[[Result], str]) -> Iterator[str]:
    """A row for each tool, a column for each subject."""
    subjects = list(dict.fromkeys(result.subject for result in found))
    states: dict[str, int] = {}
    for result in found:  # as many as there are, whoever needs not all of them
        states[result.subject] = max(result.states, states.get(result.subject, 0))
    yield ""
    yield f"| {title} | {' | '.join(map(_named(states), subjects))} |"
    yield "|---" * (len(subjects) + 1) + "|"
    for tool in dict.fromkeys(result.tool for result in found):
        mine = {result.subject: result for result in found if result.tool == tool}
        yield f"| {tool} | {' | '.join(_cell(mine.get(subject), value) for subject in subjects)} |"


def _named(states: dict[str, int]) -> Callable[[str], str]:
    return lambda subject: f"{subject}: {states[subject]:,}" if states.get(subject) else subject


def _cell(result: Result | None, value: Callable[[Result], str]) -> str:
    if result is None:
        return ""
    return value(result) if result.cpu else result.note


def _seconds(number: float) -> str:
    return f"{number:.3f}" if number < 1 else f"{number:.2f}" if number < 10 else f"{number:,.0f}"


def _memory(result: Result) -> str:
    most = max(result.peak)
    return f"{most / result.states:,.0f} ({most / 1e6:,.0f})"


def _limit(bench: Bench) -> Iterator[str]:
    """How fast memory is, and how near to that the search comes."""
    if not bench.accesses:
        return
    yield from ["", "## The limit: reads of a large table at random, 64 in flight, millions in a second", ""]
    yield from ["| table | pages | threads | of processor time | by the clock |", "|---|---|---|---|---|"]
    for each in bench.accesses:
        pages = "large" if each.huge else "small"
        yield f"| {each.megabytes} MB | {pages} | {each.threads} | {each.by_cpu / 1e6:.0f} | {each.by_clock / 1e6:.0f} |"
    for tool, threads in (("native-1", 1), ("native-2", 2)):
        found = share(bench, tool, threads)
        if found is not None:
            yield f"\n{tool}, 35 million states: {found:.0%} of the limit (transitions in a second of processor time of the whole process)."


def _logs(bench: Bench) -> Iterator[str]:
    """How fast logs are read, where that was measured."""
    if not bench.logs:
        return
    yield from [
        "",
        "## Logs of QEMU, read and judged",
        "",
        "| log | lines | lines in a second of processor time | times that of `grep -c` |",
        "|---|---|---|---|",
    ]
    for each in bench.logs:
        yield f"| {each.log} | {each.lines:,} | {each.rate:,.0f} | {each.ratio:.0f} |"


def _bars(bench: Bench) -> Iterator[str]:
    yield from ["", "## What must hold", "", "| what | measured | must be | |", "|---|---|---|---|"]
    for bar in bars(bench):
        value = "not measured" if bar.value is None else f"{bar.value:.2f}"
        must = f"{'at least' if bar.at_least else 'at most'} {bar.bar:g}"
        yield f"| {bar.says} | {value} | {must} | {'' if bar.value is None else 'met' if bar.is_met else '**missed**'} |"
