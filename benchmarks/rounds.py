"""All tools on all subjects, in rounds: in each of them every tool runs once, so that a busy machine is busy for all."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from benchmarks.processes import Allowance, Spent, spent
from benchmarks.subjects import Subject
from benchmarks.tools import ROOT, Tool

__all__ = ["Mismatch", "Result", "results"]

#: rounds; one alone for more states than `FEW_TIMES`, and for a tool that needs longer than `LONG` seconds by the clock
ROUNDS = 3
FEW_TIMES, LONG = 5_000_000, 60.0


class Mismatch(Exception):
    """Two tools have counted other numbers of states, or one has failed."""


class Result(Struct):
    """What a tool took for a subject.

    Attributes:
        part: of the subject; `subject` is its name.
        states: as the tool counted them; 0 if it did not get that far.
        transitions: 0 where it does not say.
        cpu: seconds of processor time, one number for each run; `wall`: by the clock; `peak`: bytes of memory.
        note: why there is nothing; "" if there is.
    """

    part: str
    subject: str
    tool: str
    states: int = 0
    transitions: int = 0
    cpu: list[float] = field(default_factory=list[float])
    wall: list[float] = field(default_factory=list[float])
    peak: list[int] = field(default_factory=list[int])
    note: str = ""


#: how a search ends well: also where something is violated, as it is known to be of the mirror job
ENDS = 0, 12

Runner = Callable[[Tool, Subject, Allowance], Spent | None]


def run(tool: Tool, subject: Subject, allowance: Allowance) -> Spent | None:
    """One run; None if the tool has nothing for the subject."""
    with tempfile.TemporaryDirectory() as folder:
        command = tool.command(subject, Path(folder))
        if command is None:
            return None
        return spent(
            command, ROOT, allowance, environment=tool.environment, threads=tool.threads, is_limited=tool.is_limited
        )


def results(
    subjects: Iterable[Subject], tools: Sequence[Tool], allowance: Allowance, rounds: int = ROUNDS, runner: Runner = run
) -> Iterator[Result]:
    """What every tool took for every subject. Raises Mismatch."""
    before: list[Result] = []
    for subject in subjects:
        found = [Result(subject.part, subject.name, tool.name) for tool in tools]
        for number in range(1 if subject.about > FEW_TIMES else rounds):
            for tool, result in zip(tools, found, strict=True):
                own = replace(allowance, seconds=min(allowance.seconds, tool.patience))
                if number == 0 and not tool.reduces:  # how much that is nobody knows before
                    result.note = _foreseen(result, subject, before, own)
                if not result.note and not (number and result.wall[0] > LONG):
                    _once(tool, subject, own, result, runner)
        _agree(subject, [result for tool, result in zip(tools, found, strict=True) if not tool.reduces])
        before = [*found, *before]
        yield from (result for result in found if result.note != NOTHING)


#: the note of a tool that has no model of a subject
NOTHING = "nothing"


def _foreseen(result: Result, subject: Subject, before: Sequence[Result], allowance: Allowance) -> str:
    """Why a tool need not be tried: by what it took for the next smaller system of the same part."""
    last = next((each for each in before if (each.part, each.tool) == (result.part, result.tool)), None)
    if last is None or not subject.numbers:
        return ""
    if not last.states:
        return last.note
    times = subject.about / last.states
    wall, peak = min(last.wall) * times, min(last.peak) * times
    if wall > allowance.seconds and times > 1:
        return f"not within: about {_span(wall)}, at its speed before"
    if peak > 2 * allowance.memory and times > 1:
        return f"not within: about {peak / 1e9:.0f} GB, by what it took before"
    return ""


def _once(tool: Tool, subject: Subject, allowance: Allowance, result: Result, runner: Runner) -> None:
    found = runner(tool, subject, allowance)
    if found is None:
        result.note = NOTHING
    elif found.timed_out:
        result.note = f"not within {_span(allowance.seconds)}"
    elif found.code and found.peak > 0.5 * allowance.memory:
        result.note = f"not within {allowance.memory / 1e9:.0f} GB"
    elif found.code not in ENDS or (not tool.counts(found.output)[0] and subject.numbers):
        raise Mismatch(f"{tool.name} failed on {subject.part}, {subject.name} ({found.code}):\n{found.output[-2000:]}")
    else:
        result.states, result.transitions = tool.counts(found.output)
        _tell(f"{subject.part}, {subject.name}: {tool.name} {found.cpu:.2f} s")
        result.cpu.append(found.cpu)
        result.wall.append(found.wall)
        result.peak.append(found.peak)


def _agree(subject: Subject, found: Sequence[Result]) -> None:
    """Raise Mismatch unless all tools have counted the same states, and as many as there are known to be."""
    counts = {result.tool: result.states for result in found if result.states}
    right = subject.states or next(iter(counts.values()), 0)
    wrong = {tool: states for tool, states in counts.items() if states != right}
    if wrong and subject.numbers:
        told = ", ".join(f"{tool} {states:,}" for tool, states in counts.items())
        raise Mismatch(
            f"{subject.part}, {subject.name}: {right:,} states there should be, and these were counted: {told}"
        )


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds <= 100 else f"{seconds / 60:.0f} minutes"


def _tell(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
