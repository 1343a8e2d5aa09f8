"""Machine code finds what Python finds, and the reference interpreter: states, counts, verdicts, traces, whatever the width of a state."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from ctypes import CFUNCTYPE, c_uint64
from pathlib import Path
from random import Random
from time import sleep
from typing import cast

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from draincheck import interpreter
from draincheck.checking import system_of
from draincheck.engines import explicit
from draincheck.errors import EvidenceError
from draincheck.exploration import loop as loops
from draincheck.exploration.explorer import Explorer
from draincheck.expr import BoolExpr, all_
from draincheck.model_file import builders
from draincheck.native import code, expand, explorer, parts, reaching, system, team, terms
from draincheck.native import states as tables
from draincheck.native.explorer import NativeExplorer
from draincheck.native.states import States, read
from draincheck.native.tiers import Tier
from draincheck.properties import Always, CanAlwaysFinish, NoDeadlock, Reachable
from draincheck.sorts import IntSort
from draincheck.system import IntVar, TransitionSystem
from draincheck.verdict import Exploration, Limits
from tests.support.breaking import Break, kernel
from tests.support.house import ROOT
from tests.support.layouts import Spread, spread_out
from tests.support.machines import Machine
from tests.support.rows import default_systems
from tests.support.samples import sampled
from tests.support.strategies import limits, random_system, systems, tries

RANDOM = tries(8, HealthCheck.function_scoped_fixture)

#: the states after one, in the order of the text; whether any action is enabled; for each condition whether it holds
Seen = tuple[list[int], bool, list[bool]]

#: the widest gap between fields: a state has one word, two or three, up to eight; with wider ones some would have more
GAPS = (0, 12, 25, 40)


@pytest.fixture(params=sampled(GAPS, [0, 40]))
def spread(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """States have gaps between their fields."""
    spread_out(monkeypatch, request.param)
    yield


def natively(system: TransitionSystem, limit: Limits) -> Exploration:
    """What machine code says of a system."""
    return explicit.decide(system, system.properties, limit, tier=Tier.NATIVE)


@pytest.mark.parametrize("part", sampled(range(75), 1, 4))
@RANDOM
@given(systems(), limits(), st.integers(0, 2**32 - 1))
def test_explorations_are_equal(spread: None, part: int, system: TransitionSystem, limit: Limits, seed: int) -> None:
    """Statistics, verdicts, traces and faults are exactly those of the interpreter, under every limit of states."""
    Spread.seed = seed
    assert natively(system, limit) == interpreter.explore(system, limit)


@pytest.mark.parametrize("part", sampled(range(75), 1, 4))
@RANDOM
@given(systems(), st.integers(0, 2**32 - 1))
def test_threads_find_what_one_finds(
    monkeypatch: pytest.MonkeyPatch, spread: None, part: int, system: TransitionSystem, seed: int
) -> None:
    """Whoever of two to four threads is first at a state, and wherever they are late: statistics, verdicts and traces are the same."""
    Spread.seed = seed
    monkeypatch.setattr(team, "ENOUGH", 1)
    monkeypatch.setattr(team, "processors", lambda: 2 + seed % 3)
    monkeypatch.setattr(explorer, "LARGE_PIECE", 32)
    monkeypatch.setattr(States, "call", late(Random(seed)))
    assert natively(system, Limits()) == explicit.decide(system, system.properties, tier=Tier.PYTHON)


def late(random: Random, call: Callable[..., int] = States.call) -> Callable[..., int]:
    """The kernel, called after a moment."""

    def called(states: States, name: str, *words: int) -> int:
        sleep(random.choice((0, 0, 1e-5, 1e-4)))
        return call(states, name, *words)

    return called


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are small and nearly full, and code is made with care from the second layer on."""
    monkeypatch.setattr(tables, "FIRST", 64)
    monkeypatch.setattr(tables, "FULL", 97)
    monkeypatch.setattr(explorer, "LONG", 0)


@pytest.mark.slow
@pytest.mark.usefixtures("crowd", "spread")
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("part", sampled(range(38), 2, 2))
@RANDOM
@given(systems())
def test_crowded_tables_lose_nothing(
    monkeypatch: pytest.MonkeyPatch, part: int, threads: int, system: TransitionSystem
) -> None:
    """States that find their places taken, and tables that grow again and again, change nothing; nor does better code."""
    monkeypatch.setattr(team, "ENOUGH", 1)
    monkeypatch.setattr(team, "processors", lambda: threads)
    assert natively(system, Limits()) == explicit.decide(system, system.properties, tier=Tier.PYTHON)


@pytest.mark.parametrize("part", sampled(range(23), 1, 10))
@RANDOM
@given(systems(careless=70), st.integers(0, 2**32 - 1))
def test_steps_are_equal_in_any_state(spread: None, part: int, system: TransitionSystem, seed: int) -> None:
    """Machine code takes the same actions with the same effects as Python does, in unreachable states too, and knows where conditions hold."""
    Spread.seed = seed
    conditions = list(dict.fromkeys(item.holds for item in system.properties if isinstance(item, Always)))
    random = Random(seed)
    states = [tuple(random.randint(v.sort.low, v.sort.high) for v in system.variables) for _ in range(40)]
    python, native = _looked_at(system, conditions, states)
    assert native == python


def _looked_at(
    system: TransitionSystem, conditions: list[BoolExpr], states: list[tuple[int, ...]]
) -> tuple[list[Seen], list[Seen]]:
    """What Python and machine code say of some states: what comes after them, whether anything is enabled, which conditions hold."""
    explorer = Explorer(system, (), conditions)
    native = NativeExplorer(explorer, conditions)
    packed = sorted(set(map(explorer.loop.layout.pack, states)))
    native.states.put(packed)
    holding = [native.code.holds(condition) for condition in conditions]
    python = [_by_python(explorer, state) for state in packed]
    return python, [_natively(native.states, number, native.code.expand, holding) for number in range(len(packed))]


def _by_python(explorer: Explorer, state: int) -> Seen:
    explorer.loop.expand((state,))
    holds = [bool(where((state,))) for where in explorer.loop.conditions]
    return list(explorer.loop.targets), not explorer.loop.dead, holds


def _natively(states: States, number: int, expand: int, holding: Sequence[int]) -> Seen:
    order = states[parts.ORDER]
    found = _called(expand, order, number, states[parts.OUT], 0, states[parts.FIRED], states[parts.NOTED])
    after = read(states._blocks[parts.OUT], 0, found >> 1, states.words)
    return list(after), bool(found & 1), [bool(_called(holds, order, number)) for holds in holding]


def _called(address: int, *words: int) -> int:
    return int(CFUNCTYPE(c_uint64, *[c_uint64] * len(words))(address)(*words))


SYSTEMS = 110

FILES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("number", sampled(range(SYSTEMS), range(0, SYSTEMS, 37), 40))
def test_rows_are_equal(number: int) -> None:
    """Machine code says of every system of the default matrix what Python says."""
    rows = list(default_systems().values())
    system = rows[number]
    assert len(rows) == SYSTEMS
    assert natively(system, Limits()) == explicit.decide(system, system.properties, tier=Tier.PYTHON)


@pytest.mark.parametrize("bits", [1, 40, 62, 63, 64, 65, 126, 127, 128, 191, 192, 511])
def test_states_may_fill_their_words(bits: int) -> None:
    """To the last bit, with which nothing is confused: the greatest state is the initial one."""
    widths = [min(40, bits - at) for at in range(0, bits, 40)]
    numbers = [IntVar(f"n{n}", IntSort(0, (1 << width) - 1), ((1 << width) - 1,)) for n, width in enumerate(widths)]
    machine = Machine(*numbers)
    for number in dict.fromkeys((numbers[0], numbers[-1])):
        most = number.sort.high
        machine.action("down", number > max(0, most - 20), number.dec())
        machine.action("up", number < most, number.inc())
    system = machine.system(
        Reachable("both low", all_(*(n < n.sort.high for n in (numbers[0], numbers[-1])))),
        CanAlwaysFinish("back", all_(*(n.is_(n.sort.high) for n in numbers))),
        NoDeadlock("alive"),
    )
    found = natively(system, Limits())
    assert found == explicit.decide(system, system.properties, tier=Tier.PYTHON)
    assert found.statistics.states in (2, 21, 21 * 21, 2 * 21, 8 * 21)


@pytest.mark.parametrize(
    "file", sampled(FILES, [file for file in FILES if file.stem != "lost_wakeup"]), ids=[file.stem for file in FILES]
)
def test_examples_are_equal(file: Path) -> None:
    """Machine code says of every variant of an example what Python says."""
    for builder in builders(str(file)):
        system = system_of(builder.build({}))
        assert natively(system, Limits()) == explicit.decide(system, system.properties, tier=Tier.PYTHON)


# -- negative controls ------------------------------------------------------------------------------


#: systems among which one shows what is broken
SAMPLE = 150


def sample(seed: int) -> TransitionSystem:
    """One of them; every second has wide states."""
    Spread.seed, Spread.widest = seed, 25 * (seed % 2)
    random = Random(seed)
    return random_system(
        seed, data=random.randint(2, 4), processes=random.randint(1, 3), depth=2, folded=random.random() < 0.5
    )


def differs(seed: int) -> bool:
    """Whether machine code finds something else in one of them than Python does, or stumbles."""
    system, limit = sample(seed), Limits(states=(300, 20)[seed % 3 == 0])
    expected = explicit.decide(system, system.properties, limit, tier=Tier.PYTHON)
    try:
        return natively(system, limit) != expected
    except EvidenceError:
        return True


def _compares(operator: type[ast.AST], instead: str) -> Break:
    def broken(patch: pytest.MonkeyPatch) -> None:
        patch.setitem(cast(dict[type[ast.AST], str], terms._SIGNED), operator, instead)

    return broken


def _computes(operator: type[ast.AST], instead: str) -> Break:
    def broken(patch: pytest.MonkeyPatch) -> None:
        patch.setitem(cast(dict[type[ast.AST], str], terms._LOW_BITS), operator, instead)

    return broken


def _all_of_some(patch: pytest.MonkeyPatch) -> None:
    joined = terms.Terms._joined
    patch.setattr(terms.Terms, "_joined", lambda self, operator, parts: joined(self, "and", parts))


def _forgets_else(patch: pytest.MonkeyPatch) -> None:
    choice = expand._Expansion._choice
    patch.setattr(expand._Expansion, "_choice", lambda self, test, body, _: choice(self, test, body, ()))


def _too_far(patch: pytest.MonkeyPatch) -> None:
    zeros = terms._trailing_zeros
    patch.setattr(terms, "_trailing_zeros", lambda values: zeros(values) + 64)


def _forgets_an_action(patch: pytest.MonkeyPatch) -> None:
    call = expand._Expansion._call

    def some(self: expand._Expansion, name: str, argument: ast.expr) -> None:
        if name != "put" or "s +" not in ast.unparse(argument):
            call(self, name, argument)

    patch.setattr(expand._Expansion, "_call", some)


def _no_walks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reaching.Reaching, "_round", lambda self, bit: False)


BROKEN = {
    "less is less or equal": _compares(ast.Lt, "sle"),
    "less or equal is less": _compares(ast.LtE, "slt"),
    "equal is always": _compares(ast.Eq, "uge"),
    "unequal is equal": _compares(ast.NotEq, "eq"),
    "sums are differences": _computes(ast.Add, "sub"),
    "differences are sums": _computes(ast.Sub, "add"),
    "masks are dropped": _computes(ast.BitAnd, "or"),
    "some of is all of": _all_of_some,
    "nothing stands behind else": _forgets_else,
    "words are taken for others": _too_far,
    "actions are forgotten": _forgets_an_action,
    "what leads on is not looked at": _no_walks,
    "the greatest is first": kernel("order[least - 1] < order[at]", "order[at] < order[least - 1]"),
    "the last is first": kernel("if least and order[least - 1] < order[at]", "if 0 and order[least - 1] < order[at]"),
    "marks are lost": kernel("marks[path[length]] |= bit", "marks[path[length]] |= 0"),
    "nothing is ever dead": kernel("dead += 1 - (found & 1)", "dead += 0"),
    "full buckets lose states": kernel("last = postpone(shared, shared, here, last)", "last += 0"),
    "who waits is forgotten": kernel("while waiting > SLOTS:", "while waiting > waiting:"),
    "growth takes any place": kernel("if place < bucket:", "if place < 0:"),
    "nothing is taken back": kernel("take_back(shared, stored)\n", "stored += 0\n"),
}


#: of the terms, of the statements, of the kernel: one each in every run
FEW = ("less is less or equal", "actions are forgotten", "what leads on is not looked at", "marks are lost")


@pytest.mark.slow
@pytest.mark.parametrize("part", sampled(BROKEN, FEW, len(BROKEN) // 2))
def test_machine_code_that_is_wrong_is_noticed(part: str, crowd: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part, broken on purpose, shows in some system of the sample, which unbroken it does not."""
    monkeypatch.setattr(loops, "Layout", Spread)
    monkeypatch.setattr(code, "kept", lambda key, make: make())
    system._kernel.cache_clear()
    with monkeypatch.context() as patch:
        BROKEN[part](patch)
        wrong = next((seed for seed in range(SAMPLE) if differs(seed)), None)
        system._kernel.cache_clear()
    assert wrong is not None
    assert not differs(wrong)
