"""`make bench`: what it takes down, what it refuses to believe, and what it makes of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec import json
from msgspec.structs import replace

from benchmarks.bars import bars, share
from benchmarks.document import Bench, Described
from benchmarks.logs import LogSpeed, logs_measured
from benchmarks.machine import Machine, free_memory, machine
from benchmarks.peers import tuples
from benchmarks.processes import MEASURED, Allowance, Spent, spent
from benchmarks.random_access import Access
from benchmarks.rounds import Mismatch, Result, results
from benchmarks.subjects import SUBJECTS, Subject, system
from benchmarks.table import table
from benchmarks.tools import Tool, tools
from draincheck.engines.explicit import explore

ENOUGH = Allowance(60, 4 << 30)

SMALL, LARGE = Subject("family", "small", (2, 2), 9_761, 9_761), Subject("family", "large", (4, 2), 0, 35_167_121)

#: what each tool prints at its end, with the numbers in it
SAID = {
    "ours": ("x: everything holds\n9761 states, 49895 transitions, depth 20; 0.08 s\n", (9_761, 49_895)),
    "spin": (
        "State-vector 28 byte, depth reached 20, errors: 0\n  9761 states, stored\n 40135 states, matched\n 49896 transitions (= stored+matched)\n",
        (9_761, 49_896),
    ),
    "Rumur": ("State Space Explored:\n\n\t9761 states, 49895 rules fired in 0s.\n", (9_761, 49_895)),
    "TLC": (
        "Progress(9): 20 states generated, 11 distinct states found, 3 states left on queue.\n"
        "49896 states generated, 9761 distinct states found, 0 states left on queue.\n",
        (9_761, 49_896),
    ),
}  # fmt: skip


def tool(name: str, *command: str) -> Tool:
    """A tool that calls this, whatever the subject."""
    return Tool(name, "1", "", lambda subject, folder: command or None)


def took(states: int, cpu: float = 1.0, peak: int = 1 << 20, code: int = 0, timed_out: bool = False) -> Spent:
    """A run that has counted so many states."""
    return Spent(cpu, cpu, peak, code, timed_out, f"{states} states, {5 * states} transitions")


def bench(found: Sequence[Result], accesses: Sequence[Access] = ()) -> Bench:
    """What a run has written down."""
    here = Machine("abc", "cpu", 2, 1 << 34, "Linux", "CPython", "gcc", 0.0)
    return Bench(here, [Described("spin", "", "apt-get install spin")], accesses, found)


# -- the models -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1)])
def test_the_family_as_tuples_is_the_family(size: tuple[int, int]) -> None:
    """States and transitions are as many as in our language."""
    assert counted(tuples.event_loop(*size)) == ours("family", *size)


def test_the_narrow_system_is_deep() -> None:
    """It has a layer for each number and one more, and two states for each."""
    found = explore(system("narrow", (50,))).statistics
    assert (found.states, found.transitions, found.depth) == (102, 151, 51)
    assert counted(tuples.narrow(50)) == (102, 151)


def ours(part: str, *numbers: int) -> tuple[int, int]:
    """How many states and transitions our engine finds."""
    found = explore(system(part, numbers)).statistics
    return found.states, found.transitions


def counted(machine: tuples.Machine) -> tuple[int, int]:
    """How many there are, in plain words; all states are fine."""
    seen, todo, transitions = {machine.initial}, deque([machine.initial]), 0
    while todo:
        state = todo.popleft()
        assert machine.fine(state)
        for _, after in machine.steps(state):
            transitions += 1
            if after not in seen:
                seen.add(after)
                todo.append(after)
    return len(seen), transitions


# -- one process ------------------------------------------------------------------------------------


def test_a_process_is_measured_with_its_children(tmp_path: Path) -> None:
    """Processor time and memory are those of a child, too."""
    work = "import sys; sys.exit(len(bytearray(40_000_000)) and sum(range(3_000_000)) % 2)"
    found = spent(["sh", "-c", f"'{sys.executable}' -c '{work}'; true"], tmp_path, ENOUGH, environment={})
    assert found.code == 0 and found.cpu > 0.01 and found.peak > 40_000_000


def test_a_process_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """With all that it has started, and it is said."""
    found = spent(["sh", "-c", "sleep 60; true"], tmp_path, replace(ENOUGH, seconds=0.2), environment={})
    assert found.timed_out and found.code < 0 and found.wall < 30  # far below the minute that it would sleep


def test_an_interrupt_ends_what_was_started(tmp_path: Path) -> None:
    """A command that takes hours does not go on alone."""
    numbers = tmp_path / "numbers"
    command = [
        sys.executable,
        "-S",
        str(MEASURED),
        str(numbers),
        "600",
        "0",
        "0",
        "sh",
        "-c",
        "echo begun; exec sleep 600",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == ""  # which ends when nobody can write any more
    assert numbers.read_text(encoding="utf-8").split()[3] == str(-signal.SIGKILL)


@pytest.mark.slow
def test_a_process_gets_no_more_memory_than_it_may(tmp_path: Path) -> None:
    """It fails where it asks for more."""
    ask = [sys.executable, "-c", "bytearray(1 << 30)"]
    found = spent(ask, tmp_path, replace(ENOUGH, memory=1 << 29), environment={})
    assert found.code == 1 and "MemoryError" in found.output
    assert spent(ask, tmp_path, ENOUGH, environment={}).code == 0


# -- rounds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAID)
def test_what_tools_print_is_read(name: str) -> None:
    """States and transitions stand in the last lines, however each tool words them."""
    said, numbers = SAID[name]
    assert tool(name).counts(said) == numbers


def test_rounds_are_interleaved() -> None:
    """Three rounds, in each of which every tool runs once; of a large system one."""
    order: list[str] = []

    def runner(tool: Tool, subject: Subject, allowance: Allowance) -> Spent:
        order.append(tool.name)
        return took(subject.about, cpu=0.01)

    found = list(results([SMALL, LARGE], [tool("a"), tool("b")], ENOUGH, runner=runner))
    assert "".join(order) == "abababab"
    assert [len(result.cpu) for result in found] == [3, 3, 1, 1]


@pytest.mark.parametrize("counts", [{"a": 9_761, "b": 9_760}, {"a": 9_762, "b": 9_762}])
def test_other_counts_are_no_result(counts: dict[str, int]) -> None:
    """Neither if tools differ, nor if all differ from what is known."""
    with pytest.raises(Mismatch, match=r"9,761 states there should be"):
        list(results([SMALL], [*map(tool, counts)], ENOUGH, runner=lambda tool, *_: took(counts[tool.name])))


def test_a_tool_that_reduces_has_a_count_of_its_own() -> None:
    """The others are still held against each other, and against what is known."""
    counts = {"a": 9_761, "reduced": 522}
    chosen = [tool("a"), replace(tool("reduced"), reduces=True)]
    large = Subject("family", "large", (4, 2), 0, 35_167_121)
    found = list(results([SMALL, large], chosen, ENOUGH, 1, lambda tool, *_: took(counts[tool.name])))
    assert [result.states for result in found] == [9_761, 522, 0, 522]  # where the other is not tried, this one is
    assert "small: 9,761" in table(bench(found))
    with pytest.raises(Mismatch):
        list(results([SMALL], chosen, ENOUGH, 1, lambda *_: took(522)))


def test_a_tool_that_fails_is_no_result() -> None:
    """What it has said is shown."""
    with pytest.raises(Mismatch, match=r"a failed on family, small \(3\)"):
        list(results([SMALL], [tool("a")], ENOUGH, runner=lambda *_: took(9_761, code=3)))


def test_what_takes_too_long_is_said() -> None:
    """Of time and of memory it stands in the table that it was not within; larger systems are not tried then."""

    def runner(tool: Tool, *_: object) -> Spent:
        return took(0, code=-9, timed_out=True) if tool.name == "slow" else took(0, peak=3 << 30, code=1)

    found = list(results([SMALL, LARGE], [tool("slow"), tool("fat")], ENOUGH, runner=runner))
    assert [result.note for result in found] == ["not within 60 s", "not within 4 GB"] * 2


def test_what_would_take_too_long_is_not_tried() -> None:
    """By the speed that a tool had before."""
    found = list(results([SMALL, LARGE], [tool("a")], ENOUGH, runner=lambda *_: took(9_761)))
    assert found[1].note == "not within: about 60 minutes, at its speed before"


def test_a_tool_without_a_model_has_no_row() -> None:
    """It is not said to have failed."""
    assert list(results([SMALL], [tool("a")], ENOUGH, runner=lambda *_: None)) == []


def test_a_missing_tool_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where there are no programs at all, each tool names a line to call."""
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {each.name: each for each in tools(tmp_path)}
    assert not found["spin"].version and found["spin"].install == "apt-get install spin gcc"
    assert not found["f30c451"].version and "f30c451 is not in this repository" in found["f30c451"].install


# -- what is made of it -----------------------------------------------------------------------------


def large(name: str, cpu: float) -> Result:
    """What a tool took for the largest of the family."""
    return Result("family", "4 devices of 2 slots", name, 35_167_121, 326_873_269, [cpu], [cpu], [10**9])


def test_bars_are_ratios_of_one_run() -> None:
    """What was not measured is not met."""
    found = bench([large("spin", 160.0), large("native-2", 8.0)])
    values = {bar.says: (bar.value, bar.is_met) for bar in bars(found)}
    spins = [
        f"{size}: times less processor time than spin"
        for size in ("4 devices of 2 slots, two threads", "3 devices of 2 slots")
    ]
    assert [values[says] for says in spins] == [(20, True), (None, False)]


def test_the_share_of_the_limit_is_by_processor_time() -> None:
    """Transitions in a second, of the reads of the fastest pages with as many threads in the smallest table."""
    accesses = [
        Access(512, 2, False, 1e8, 1e8),
        Access(512, 2, True, 3e8, 163_436_634.5),
        Access(2048, 2, True, 9e9, 9e9),
    ]
    assert share(bench([large("native-2", 8.0)], accesses), "native-2", 2) == pytest.approx(0.25)


def test_the_table_has_it_all() -> None:
    """The machine, the tools that are missing, the numbers, and what was not within."""
    found = [large("native-2", 8.0), Result("family", "4 devices of 2 slots", "minicheck", note="not within 16 GB")]
    text = table(bench(found))
    assert "| spin | not here: apt-get install spin |" in text
    assert "| native-2 | 8.00 |" in text and "| native-2 | 28 (1,000) |" in text
    assert "| minicheck | not within 16 GB |" in text


def test_the_document_is_read_as_it_was_written() -> None:
    """`--show` has what a run had."""
    found = bench([large("native-2", 8.0)], [Access(512, 2, False, 1e8, 1e8)])
    assert json.decode(json.encode(found), type=Bench) == found


def test_the_machine_is_known() -> None:
    """Its cores and its memory are no less than what is free of it."""
    here = machine()
    assert here.cores >= 1 and here.memory >= free_memory() > 0


def test_every_size_has_a_name_of_its_own() -> None:
    """Results are found by it."""
    names = [subject.name for subject in SUBJECTS]
    assert len({*names}) == len(names)


def test_logs_have_a_row_where_they_were_measured() -> None:
    """Lines in a second, and the ratio to grep; the slowest is held against the bar. A document without them is told as not measured."""
    slow, fast = LogSpeed("slow", 1_000_000, 4.0, 0.5), LogSpeed("fast", 3_000_000, 2.0, 0.1)
    measured = replace(bench([]), logs=[slow, fast])
    assert "| slow | 1,000,000 | 250,000 | 8 |" in table(measured)
    assert "| fast | 3,000,000 | 1,500,000 | 20 |" in table(measured)
    (bar,) = (each for each in bars(measured) if "log" in each.says)
    assert (bar.value, bar.is_met) == (250_000, False)
    old = json.decode(json.encode(bench([])).replace(b',"logs":[]', b""), type=Bench)
    assert "## Logs" not in table(old)
    assert next(each.value for each in bars(old) if "log" in each.says) is None


def test_a_log_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, the first one: all of its lines, in some time."""
    monkeypatch.setattr("benchmarks.logs.RUNS", 1)
    (found,) = logs_measured(1, 1)
    assert found.lines == 24_661
    assert found.ratio > 0
