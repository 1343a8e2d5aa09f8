"""One budget of time, states and memory for all that a command does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import count
from mmap import mmap
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from draincheck import Limits, Model, Outcome, budget, check
from draincheck.budget import NO_LIMITS, divided, free_memory, interrupt, look, memory_in_use, running
from draincheck.errors import ModelError, OutOfBudget
from draincheck.exploration import explorer
from draincheck.exploration.explorer import EMPTY, NEAR, _growth
from draincheck.pool import in_processes
from draincheck.reason import Stop, StopKind, Stuck
from draincheck.solvers import Answer
from draincheck.solvers.cvc5_solver import Cvc5
from tests.support.cli import run
from tests.support.clocks import FACTORS, PRODUCT
from tests.support.processes import lives

MEGABYTE = 1 << 20


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """A clock that somebody sets."""
    time = [0.0]
    monkeypatch.setattr(budget, "perf_counter", lambda: time[0])
    yield time


@pytest.fixture
def growing(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process takes a megabyte more at each look, from a hundred on."""
    sizes, looks = count(100 * MEGABYTE, MEGABYTE), count()
    monkeypatch.setattr(budget, "_memory", budget._Memory())
    monkeypatch.setattr(budget, "memory_in_use", lambda: next(sizes))
    monkeypatch.setattr(budget, "perf_counter", lambda: float(next(looks)))


def wide(bits: int) -> Model:
    """2**bits states."""
    m = Model("wide")
    variables = [m.bool(f"b{number}") for number in range(bits)]
    for bit in variables:
        with m.thread(f"sets {bit}") as p:
            p.do("set", bit.set())
    m.always("fine", variables[0] | ~variables[0].iff(variables[1]) | ~variables[1])
    m.eventually("set", variables[0])
    return m


def paths(choices: int) -> Model:
    """One step with 2**choices ways."""
    m = Model("paths")
    bits = [m.bool(f"b{number}") for number in range(choices)]
    with m.thread("t") as p, p.atomic():
        for bit in bits:
            with p.either() as choice:
                with choice():
                    p.do("set", bit.set())
                with choice():
                    p.do("clear", bit.clear())
    m.always("fine", bits[0] | ~bits[0].iff(bits[1]))
    return m


def test_what_has_no_limits_of_its_own_shares_the_commands(clock: list[float]) -> None:
    """Time that is spent is spent for whatever comes later; outside the command there is no limit."""
    with running(Limits(seconds=10, memory=1 << 40)):
        clock[0] = 6.0
        shared = NO_LIMITS.begun()
        assert (shared.left(), shared.memory) == (4.0, 1 << 40)
        clock[0] = 11.0
        assert shared.stop() == NO_LIMITS.begun().stop() == Stop(StopKind.SECONDS, 10)
        with pytest.raises(OutOfBudget, match="time limit 10 s reached"):
            look()
    assert NO_LIMITS.begun().stop() is None
    look()


def test_limits_of_its_own_end_no_later_than_the_commands(clock: list[float]) -> None:
    """Shorter ones hold, longer ones end with the command."""
    with running(Limits(seconds=10)):
        clock[0] = 6.0
        assert Limits(seconds=1).begun().left() == 1.0
        assert Limits(seconds=100, states=7).begun().left() == 4.0
        assert Limits(seconds=100, states=7).begun().states == 7


def test_memory_is_looked_at(growing: None) -> None:
    """A search ends when this process takes more than it may, and says so."""
    system = wide(16).compile()
    with running(Limits(memory=110 * MEGABYTE)):
        verdict = check(system, ["fine"]).verdicts["fine"]
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.reason.stopped == Stop(StopKind.MEMORY, 110)


def test_a_limit_below_a_megabyte_is_not_called_none() -> None:
    """A thousand bytes are not 0 MB."""
    with pytest.raises(OutOfBudget) as caught, running(Limits(memory=1000)) as budget:
        budget.look()
    assert str(caught.value.stop) == "memory limit 0.000953674 MB reached"


@pytest.mark.parametrize("engine", ["explicit", "bmc", "induction", "auto", "simulation"])
@pytest.mark.usefixtures("hurry")
def test_time_is_for_all_properties_together(engine: str) -> None:
    """Whatever was not decided when time was up is unknown, and says which limit it was; a model that was built stays so."""
    system = wide(4).compile()
    for verdict in check(system, engine=engine, limits=Limits(seconds=3600 * 3)).verdicts.values():
        assert verdict.outcome is Outcome.UNKNOWN
        assert verdict.reason.stopped == Stop(StopKind.SECONDS, 3600 * 3)


@pytest.mark.usefixtures("hurry")
def test_recording_a_model_ends_in_time() -> None:
    """A step with more ways than anybody waits for is given up while it is recorded."""
    with running(Limits(seconds=3600)), pytest.raises(OutOfBudget, match="time limit 3600 s reached"):
        paths(30)


def test_memory_is_divided_among_processes() -> None:
    """Each of several workers may take its part."""
    with running(Limits(memory=800 * MEGABYTE)):
        with divided(4):
            assert NO_LIMITS.begun().memory == 200 * MEGABYTE
        found = list(in_processes(lambda _: NO_LIMITS.begun().memory, range(2), 2))
        assert found == [400 * MEGABYTE, 400 * MEGABYTE]


def test_this_process_takes_memory() -> None:
    """What is taken follows what is stored."""
    before = memory_in_use()
    with mmap(-1, 64 * MEGABYTE) as block:  # from the system, not from what was freed before
        block.write(b"x" * (64 * MEGABYTE))
        assert memory_in_use() >= before + 50 * MEGABYTE


@pytest.mark.parametrize(
    ("groups", "files", "left"),
    [
        ("0::/ci/job", {"ci/job/memory.max": "max", "ci/memory.max": "5000", "ci/memory.current": "2000"}, 3000),
        ("0::/", {"memory.max": "900", "memory.current": "1000"}, 0),
        (
            "5:cpu:/x\n9:memory:/job",
            {"memory/job/memory.limit_in_bytes": "700", "memory/job/memory.usage_in_bytes": "100"},
            600,
        ),
        ("0::/free", {"free/memory.max": "max", "free/memory.current": "1000"}, 8192_000),
    ],
)
def test_control_groups_are_respected(
    groups: str, files: dict[str, str], left: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is free is the least of what the system has and what each group around this process has left."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="ascii")

    def lines(file: str) -> list[str]:
        if file.startswith("/proc"):
            known = {"/proc/meminfo": "MemTotal: 9000 kB\nMemAvailable:    8000 kB", "/proc/self/cgroup": groups}
            return known[file].splitlines()
        path = tmp_path / Path(file).relative_to("/sys/fs/cgroup")
        return path.read_text(encoding="ascii").splitlines() if path.exists() else []

    monkeypatch.setattr(budget, "_lines", lines)
    assert free_memory() == left


@pytest.mark.parametrize("value", ["inf", "nan", "-inf", "0", "-1", "1e400", "", "1h"])
@pytest.mark.parametrize("command", ["check", "prove", "parametric", "matrix", "sweep", "certificate check"])
def test_times_have_an_end(command: str, value: str) -> None:
    """A time that is none is refused with one message that says what to write."""
    result = run(*command.split(), "--timeout", value)
    assert result.exit_code == 2
    assert f"{value!r} is no time: write a positive number of seconds" in result.stderr


@pytest.mark.parametrize("value", ["0", "-1", "inf", "2X", "1e3", "G", "", "0.0001", "9" * 400])
def test_amounts_of_memory_are_amounts(value: str) -> None:
    """So is an amount of memory that is none."""
    result = run("check", "--max-memory", value)
    assert result.exit_code == 2
    assert f"{value!r} is no amount of memory: write bytes, or a unit with it, such as 512M or 2G" in result.stderr


@pytest.mark.parametrize(
    ("value", "size"),
    [("2G", 2 << 30), ("512M", 512 << 20), ("2GiB", 2 << 30), ("1.5g", 3 << 29), ("4194304", 4 << 20)],
)
def test_units_of_memory(value: str, size: int) -> None:
    """Units are powers of 1024, and bytes need none."""
    from check_invariants.options import Memory

    assert Memory().convert(value, None, None) == size


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("2", "'2' is 2 bytes, too little for anything; did you mean 2G?"),
        ("1", "'1' is 1 byte, too little for anything; did you mean 1G?"),
        ("512", "'512' is 512 bytes, too little for anything; did you mean 512M?"),
        ("20k", "'20k' is 20480 bytes, too little for anything; did you mean 20M?"),
        ("0.5M", "'0.5M' is 524288 bytes, too little for anything\n"),
    ],
)
def test_bytes_that_were_meant_as_more(value: str, said: str) -> None:
    """A limit that nothing fits in is no limit but a slip: one message says what it is, and what it may have been."""
    result = run("check", "--max-memory", value)
    assert result.exit_code == 2
    assert said in result.stderr


def test_limits_that_an_engine_does_not_know_are_refused() -> None:
    """One message names the engines that know it."""
    result = run("check", "--depth", "3")
    assert result.exit_code == 2
    assert (
        "--depth is no limit that --engine explicit knows; these do: bmc, induction, auto, simulation" in result.stderr
    )
    result = run("check", "--engine", "bmc", "--max-states", "3")
    assert result.exit_code == 2
    assert "--max-states is no limit that --engine bmc knows; these do: explicit, native, python, auto" in result.stderr


def test_building_that_takes_too_long_is_unknown(tmp_path: Path) -> None:
    """The command ends with 30 and says which limit it was."""
    file = tmp_path / "slow.py"
    file.write_text(
        "from tests.cover.test_budget import paths\n\n\ndef build():\n    return paths(40)\n", encoding="ascii"
    )
    result = run("check", f"{file}:build", "--timeout", "0.2")
    assert result.exit_code == 30
    assert "time limit 0.2 s reached" in result.stderr


# -- the passes that look ahead, or fall back ------------------------------------------------------------


def test_a_question_to_cvc5_ends_with_the_budget() -> None:
    """Its process is ended, what it is asked then and later is unknown; before that it answers."""
    solver = Cvc5(seconds=20)
    solver.define(FACTORS)
    with running(NO_LIMITS):
        assert solver.ask("true") is Answer.SAT
        assert lives(solver.process)
        interrupt()
        assert solver.ask(PRODUCT) is Answer.UNKNOWN
        assert not lives(solver.process)
    assert solver.ask("true") is Answer.UNKNOWN


@pytest.mark.parametrize("stored", [78_000, 100_000, 157_000, 314_000, 629_000])
@pytest.mark.parametrize("more", [1, 64, 2048])
def test_the_growth_of_a_set_is_foreseen(stored: int, more: int) -> None:
    """It is the whole new table, for the old one goes only when that is filled; and nothing where no leap is near."""
    found = set(range(stored))
    before, foreseen = sys.getsizeof(found), _growth(found, more)
    found |= set(range(stored, stored + NEAR * more))
    if (taken := sys.getsizeof(found)) > before:
        assert taken - EMPTY <= foreseen
    if stored == 100_000:
        assert foreseen == 0


@pytest.mark.parametrize("foreseen", [True, False])
def test_a_search_ends_before_its_set_takes_too_much(foreseen: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory that is not taken yet counts; who does not look ahead goes on."""
    monkeypatch.setattr(budget, "_memory", budget._Memory())
    monkeypatch.setattr(budget, "memory_in_use", lambda: 100 * MEGABYTE)
    if not foreseen:
        monkeypatch.setattr(explorer, "_growth", lambda stored, more: 0)
    found = check(wide(16), ["fine"], limits=Limits(memory=101 * MEGABYTE))
    assert (found.stopped == Stop(StopKind.MEMORY, 101)) is foreseen
    assert (found["fine"].outcome is Outcome.UNKNOWN) is foreseen


def waiting(spins: bool, ends: bool = False) -> Model:
    """One process waits for what never comes, from the start on; another takes two steps, and then goes round for ever or not."""
    m = Model("waiting")
    come, at = m.bool("come"), m.int("at", 0, 3)
    with m.thread("waits") as p:
        if not ends:
            p.wait("for what never comes", come)
        p.do("ends", at.set(0))
    with m.thread("moves") as p:
        p.do("one", at.set(1))
        p.do("two", at.set(2))
        if spins:
            with p.loop():
                p.do("and on", at.set(3))
    m.no_deadlock()
    return m


@pytest.mark.parametrize(
    ("model", "outcome"),
    [
        (waiting(spins=False), Outcome.VIOLATED),
        (waiting(spins=True), Outcome.UNKNOWN),
        (waiting(spins=False, ends=True), Outcome.UNKNOWN),
    ],
    ids=["nothing moves", "another spins", "nobody is stuck"],
)
def test_where_nothing_moves_is_known_without_going_back(
    model: Model, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the budget ends before it is known who is stuck, a deadlock is violated all the same; what spins, or ends, is unknown."""

    def ends(*_: object) -> None:
        raise OutOfBudget(Stop(StopKind.REQUEST))

    whole = check(model)["no deadlock"].verdict
    monkeypatch.setattr(explorer, "able", ends)
    found = check(model)["no deadlock"].verdict
    assert (found.outcome, found.reason.stopped) == (
        outcome,
        None if outcome is Outcome.VIOLATED else Stop(StopKind.REQUEST),
    )
    if outcome is Outcome.VIOLATED:
        assert whole.reason == Stuck(("waits",), 0)
        assert found.reason == Stuck(("waits",), 2, first=False)


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"states": 2.5}, "the limit states is a whole number from 0, not 2.5"),
        ({"states": -1}, "the limit states is a whole number from 0, not -1"),
        ({"depth": 2.5}, "the limit depth is a whole number from 0, not 2.5"),
        ({"depth": True}, "the limit depth is a whole number from 0, not True"),
        ({"memory": "1G"}, "the limit memory is a whole number from 0, not '1G'"),
        ({"seconds": float("nan")}, "the limit seconds is a number, or None, not nan"),
        ({"seconds": "1"}, "the limit seconds is a number, or None, not '1'"),
    ],
)
def test_what_is_no_limit_is_refused(limit: dict[str, Any], said: str) -> None:
    """Where it is made: an engine would go further, or never stop, or fail."""
    with pytest.raises(ModelError) as error:
        Limits(**limit)
    assert str(error.value) == said
    with pytest.raises(ModelError):
        replace(NO_LIMITS, **limit)


@pytest.mark.parametrize("limits", [(0, 0.0, 0, 0), (1, 1, 1, 1), (None, float("inf"), None, None), (1, -1.0, 1, 1)])
def test_what_is_a_limit_is_taken(limits: tuple[Any, ...]) -> None:
    """Negative control: none at all, no time left, and numbers without a point where a time is meant."""
    made = Limits(*limits)
    assert (made.states, made.seconds, made.depth, made.memory) == limits


@pytest.mark.parametrize("seconds", [float("inf"), 1e308, 10**9])
@pytest.mark.parametrize("engine", ["explicit", "bmc", "induction", "auto"])
def test_a_time_that_never_ends_is_no_limit(engine: str, seconds: float) -> None:
    """To solvers neither, which count milliseconds."""
    m = Model("m")
    x = m.bool("x")
    with m.thread("t") as p:
        p.do("set", x.set())
    m.always("kept", ~x)
    assert check(m, engine=engine, limits=Limits(seconds=seconds))["kept"].outcome is Outcome.VIOLATED


@pytest.mark.parametrize("engine", ["simulation", "bmc", "induction"])
@pytest.mark.parametrize("depth", [0, 1])
def test_a_depth_of_no_steps_is_one(engine: str, depth: int) -> None:
    """No engine takes it for none; what a step shows is seen with one (induction looks at less than so many)."""
    m = Model("m")
    x = m.int("x", 0, 5)
    with m.thread("t") as p, p.loop():
        p.do("more", x.inc(), when=x < 5)
    m.always("small", x < 1)
    found = check(m, engine=engine, limits=Limits(depth=depth + (engine == "induction" and depth)))["small"]
    assert found.outcome is (Outcome.VIOLATED if depth else Outcome.UNKNOWN)
