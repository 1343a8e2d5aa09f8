"""What limits do to searches by machine code, and what states take there."""

from __future__ import annotations

import pytest

from draincheck import budget
from draincheck.budget import interrupt, running
from draincheck.engines import explicit
from draincheck.errors import OutOfBudget
from draincheck.exploration.explorer import Explorer
from draincheck.expr import all_
from draincheck.lang import Model
from draincheck.lang.process import Process
from draincheck.native import explorer, parts, reaching, states
from draincheck.native import system as native_system
from draincheck.native.explorer import NativeExplorer
from draincheck.native.tiers import Tier
from draincheck.properties import CanAlwaysFinish
from draincheck.reason import Stop, StopKind
from draincheck.reductions.wanted import Reductions
from draincheck.sorts import IntSort
from draincheck.system import IntVar
from draincheck.verdict import SILENT, Limits, Outcome, Silent
from tests.support.machines import Machine, event_loop
from tests.support.tiers import few

__all__ = ["few"]


def test_an_interrupted_search_keeps_what_it_has_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever does not wait gets what is decided, and *unknown*."""
    monkeypatch.setattr(explorer, "PIECE", 100)

    class Impatient(Silent):
        def progress(self, states: int, transitions: int, depth: int, queue: int) -> None:
            if states > 1000:
                interrupt()

    system = event_loop(2, 2)
    with running(Limits()):
        found = explicit.decide(system, system.properties, Limits(), Impatient(), Tier.NATIVE)
    stop = found.verdicts["drained"].reason.stopped
    assert stop is not None and stop.kind is StopKind.REQUEST
    assert 0 < found.statistics.queue < found.statistics.states


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("reductions", [Reductions.NONE, Reductions.AUTO])
def test_what_python_has_found_is_not_lost_when_its_successor_is_stopped(reductions: Reductions) -> None:
    """Ctrl-C just behind the change, to machine code or to a reduced system: what was decided is decided; the negative control has no end."""

    class Impatient(Silent):
        phases = 0

        def phase(self, name: str) -> None:
            self.phases += name.startswith("searching")
            if self.phases > 1:
                interrupt()

    m = Model("two counters")
    numbers = [m.int("one", 0, 40), m.int("other", 0, 40)]
    components: list[list[IntVar | Process]] = []
    for name, number in zip("pq", numbers, strict=True):
        with m.thread(name) as thread, thread.loop():
            thread.do("up", number.inc(), when=number < 40)
        components.append([number, thread])
    m.interchangeable(*components)
    m.always("small", numbers[0] + numbers[1] < 5)
    m.reachable("top", all_(*(number.is_(40) for number in numbers)))
    system = m.compile()
    with running(Limits()):
        found = explicit.decide(system, system.properties, Limits(), Impatient(), reductions=reductions)
    assert found.verdicts["small"].outcome is Outcome.VIOLATED and found.verdicts["top"].outcome is Outcome.UNKNOWN
    assert 100 <= found.statistics.states < 41 * 41 and found.statistics.queue > 0
    whole = explicit.decide(system, system.properties, Limits(), SILENT)
    assert whole.verdicts["top"].outcome is Outcome.HOLDS
    assert found.verdicts["small"].trace == whole.verdicts["small"].trace


def test_the_clock_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search whose time is up ends after the piece that it is at."""
    monkeypatch.setattr(explorer, "PIECE", 100)
    times = iter(range(1000))
    monkeypatch.setattr(budget, "perf_counter", lambda: float(next(times)))
    system = event_loop(2, 1)
    found = explicit.decide(system, system.properties, Limits(seconds=9), tier=Tier.NATIVE)
    stop = found.verdicts["drained"].reason.stopped
    assert stop is not None and stop.kind is StopKind.SECONDS
    assert found.statistics.states < 1500


@pytest.mark.parametrize("refused", [False, True])
def test_a_table_that_has_no_room_to_grow_ends_the_search(refused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the budget says so or the system: what was found until then stays."""
    system = event_loop(2, 3)  # 100,000 states and more
    if refused:

        def no_memory(self: object) -> None:
            raise MemoryError

        monkeypatch.setattr("draincheck.native.states.States.grow", no_memory)
    else:
        monkeypatch.setattr("draincheck.native.states.States.growth", 1 << 50)
    found = explicit.decide(system, system.properties, Limits(memory=1 << 49), tier=Tier.NATIVE)
    stop = found.verdicts["drained"].reason.stopped
    assert stop is not None and stop.kind is StopKind.MEMORY
    assert 40_000 < found.statistics.states < 60_000


@pytest.mark.parametrize("short", [0, 1 << 20])
def test_long_searches_get_better_code(short: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the text is not too long for that; what they find is the same."""
    monkeypatch.setattr(explorer, "LONG", 100)
    monkeypatch.setattr(native_system, "SHORT", short)
    python = Explorer(event_loop(1, 2))
    native = NativeExplorer(python, ())
    native.run()
    python.run()
    assert (len(native), native.transitions) == (len(python), python.transitions)
    assert (native.states[parts.EXPAND] != native.code.expand) == bool(short)


def test_a_table_that_cannot_grow_in_place_is_filled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search finds the same."""
    system, asked = event_loop(2, 2), list[str]()
    before = explicit.decide(system, system.properties, tier=Tier.NATIVE).statistics
    call = states.States.call

    def crowded(self: states.States, name: str, *words: int) -> int:
        asked.append(name)
        return call(self, name, words[0], parts.SLOTS) if name == "spread" else call(self, name, *words)

    monkeypatch.setattr(states, "FIRST", 1 << 7)
    monkeypatch.setattr(states.States, "call", crowded)
    after = explicit.decide(system, system.properties, tier=Tier.NATIVE).statistics
    assert (after.states, after.transitions, after.depth) == (before.states, before.transitions, before.depth)
    assert "store_again" in asked


def test_a_search_for_what_can_be_reached_can_be_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its verdict is unknown then, and no other is."""
    monkeypatch.setattr(reaching, "look", interrupt_once := _Interrupt())
    system = event_loop(1, 2)
    back = CanAlwaysFinish("back", all_(*(v.is_(0) for v in system.variables if isinstance(v, IntVar))))
    found = explicit.decide(system, (*system.properties, back), tier=Tier.NATIVE)
    assert interrupt_once.asked
    assert found.verdicts["back"].outcome is Outcome.UNKNOWN
    assert found.verdicts["drained"].outcome is Outcome.HOLDS


class _Interrupt:
    """A look at the budget that finds that somebody does not wait."""

    asked = False

    def __call__(self) -> None:
        self.asked = True
        raise OutOfBudget(Stop(StopKind.REQUEST))


# -- what states take -------------------------------------------------------------------------------


def test_states_take_what_was_promised() -> None:
    """At most 24 bytes for a state of one word, at most 60 for one of two, however full the table is."""
    for variables, most in ((3, 24), (5, 60)):
        numbers = [IntVar(f"n{n}", IntSort(0, (1 << 20) - 1), (0,)) for n in range(variables)]
        machine = Machine(*numbers)
        for number in numbers[:2]:
            machine.action("up", number < 400, number.inc())
        for size in (60_000, 80_000, 130_000):
            found = explicit.decide(machine.system(), (), Limits(states=size), tier=Tier.NATIVE)
            assert found.statistics.states == size
            assert found.statistics.bytes / size <= most


@pytest.mark.parametrize(("variables", "most"), [(3, 40), (5, 100)])
def test_states_take_what_was_promised_while_the_table_grows(variables: int, most: int) -> None:
    """At most 40 bytes for a state of one word, at most 100 for one of two, where it is full and has just become larger."""
    numbers = [IntVar(f"n{n}", IntSort(0, (1 << 20) - 1), (0,)) for n in range(variables)]
    states = NativeExplorer(Explorer(Machine(*numbers).system()), ()).states
    assert states.words == (variables * 20) // 64 + 1
    for _ in range(6):
        full, before = states[parts.ROOM], states.slots * states.width
        growth = states.growth
        states.grow()
        assert before + full * states.width + growth <= most * full
