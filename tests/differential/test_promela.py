"""Spin finds in an exported system what the interpreter finds in the system: as many states, and the same properties shown.

A compilation takes a quarter of a second, so the full run looks at some dozens of systems, `make long` at hundreds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from draincheck import interpreter, op
from draincheck.errors import ExportError, ModelError
from draincheck.export import Origin, demanded, promela
from draincheck.expr import TRUE
from draincheck.model_file import builders
from draincheck.properties import Always, Reachable
from draincheck.sorts import BOOL, IntSort
from draincheck.system import BoolVar, IntVar, TransitionSystem
from tests.language import play, random_programs
from tests.support.exported import checked, shifting
from tests.support.house import ROOT
from tests.support.machines import Machine, bounded, clock, event_loop, philosophers
from tests.support.rows import default_systems
from tests.support.samples import sampled
from tests.support.spin import BREADTH_FIRST, DEPTH_FIRST, Found, expected, search
from tests.support.strategies import random_system

pytestmark = [pytest.mark.needs("spin"), pytest.mark.needs("gcc")]

ORIGIN = Origin("test")


def compared(system: TransitionSystem, folder: Path, flags: Sequence[str] = BREADTH_FIRST) -> tuple[Found, Found]:
    """What Spin finds, and what it should."""
    items = demanded(system)
    exported = promela.to_promela(system, items, ORIGIN)
    should = expected(system, items, interpreter.explore(system), interpreter.states(system))
    return search(exported, folder, flags), should


def agree(system: TransitionSystem, folder: Path, flags: Sequence[str] = BREADTH_FIRST) -> bool:
    """Whether Spin finds what it should."""
    found, should = compared(system, folder, flags)
    return found == should


@pytest.mark.slow
@pytest.mark.parametrize("part", sampled((None, *range(11)), 1, 1))
def test_rows_of_the_matrix_agree(part: int | None, tmp_path: Path) -> None:
    """Spin stores as many states of each system of the default matrix, and sees the same properties shown; every run looks at two."""
    rows = default_systems()
    chosen = [*rows][::55] if part is None else [*rows][part::11]
    assert [name for name in chosen if not agree(rows[name], tmp_path)] == []


EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("file", sampled(EXAMPLES, [ROOT / "examples" / "lost_wakeup.py"]), ids=lambda file: file.stem)
def test_examples_agree(file: Path, tmp_path: Path) -> None:
    """So it does with every variant of the examples, searching depth first."""
    systems = [each.build({}).system() for each in builders(str(file))]
    assert systems and [system.name for system in systems if not agree(system, tmp_path, DEPTH_FIRST)] == []


@pytest.mark.slow
@pytest.mark.parametrize("part", sampled(range(40), 1, 2))
def test_random_systems_agree(part: int, tmp_path: Path) -> None:
    """So it does with random systems: every sort, operator, kind of fault, several initial states."""
    seeds = range(4) if part == 0 else range(12 * part, 12 * part + 12)
    systems = {
        seed: random_system(
            seed,
            data=2 + seed % 3,
            processes=1 + seed % 3,
            depth=seed % 3,
            folded=seed % 2 == 0,
            careless=60 if seed % 4 == 0 else 6,
        )
        for seed in seeds
    }
    flags = DEPTH_FIRST if part % 2 else BREADTH_FIRST
    assert [seed for seed, system in systems.items() if not agree(system, tmp_path, flags)] == []


@pytest.mark.slow
@pytest.mark.parametrize("part", sampled(range(20), 1, 2))
def test_random_programs_agree(part: int, tmp_path: Path) -> None:
    """So it does with what the compiler makes of random programs."""
    different: list[int] = []
    for seed in range(3) if part == 0 else range(15 * part, 15 * part + 15):
        try:
            system = play.record(random_programs.random_program(seed), []).compile()
        except ModelError:
            continue
        different += [] if agree(system, tmp_path) else [seed]
    assert different == []


@pytest.mark.parametrize("flags", sampled([BREADTH_FIRST, DEPTH_FIRST, ("-DSAFETY",), ("-DSAFETY", "-DCOLLAPSE")], 1))
def test_states_do_not_depend_on_how_spin_searches(flags: Sequence[str], tmp_path: Path) -> None:
    """Breadth first or depth first, with partial order reduction or without, compressed or not: as many states."""
    assert search(promela.to_promela(event_loop(2, 2), (), ORIGIN), tmp_path, flags).states == 9_761


def test_many_initial_states_are_accounted_for(tmp_path: Path) -> None:
    """Lists and long ranges of initial values, several of each: what is stored while they are chosen is no state of the system."""
    bit, small = BoolVar("bit", BOOL, (0, 1)), IntVar("small", IntSort(-3, 9), (-3, 0, 9))
    wide, other = IntVar("wide", IntSort(0, 99), ()), IntVar("other", IntSort(0, 300), ())
    wide.start_with(range(100))
    other.start_with(range(200, 301))
    machine = Machine(bit, small, wide, other)
    machine.action("step", bit & (wide < 99), wide.inc(), small.set(0))
    system = machine.system(Always("small", small < 9), Reachable("99", wide.is_(99) & small.is_(0)))
    exported = promela.to_promela(system, system.properties, ORIGIN)
    assert exported.extra_states == 1 + 2 + 2 * 3 * 100 + 2 * 3 * 100 * 101
    assert search(exported, tmp_path) == Found(2 * 3 * 100 * 101, frozenset({"small", "99"}))


@pytest.mark.parametrize(
    "system",
    [
        clock(),
        pytest.param(philosophers(final=True), marks=pytest.mark.slow),
        pytest.param(bounded(), marks=pytest.mark.slow),
    ],
    ids=lambda system: system.name,
)
def test_small_machines_agree(system: TransitionSystem, tmp_path: Path) -> None:
    """Two initial states; a final state that is no deadlock; a bound that ends runs."""
    assert agree(system, tmp_path)


def test_a_variable_that_nothing_reads_counts(tmp_path: Path) -> None:
    """Spin leaves variables out that are only written: the file reads them."""
    shown, hidden = IntVar("shown", IntSort(0, 3), (0,)), IntVar("hidden", IntSort(0, 1), (0,))
    machine = Machine(shown, hidden)
    machine.action("up", shown < 3, shown.inc())
    machine.action("note", shown.is_(2), hidden.set(1))
    assert search(promela.to_promela(machine.system(), (), ORIGIN), tmp_path).states == 6


def test_numbers_of_more_than_32_bits_are_refused() -> None:
    """A variable, or a term in between, that C's numbers do not hold is no silent wrap."""
    wide, at_the_end = IntVar("offset", IntSort(0, 1 << 40), (0,)), IntVar("offset", IntSort(0, (1 << 31) - 1), (0,))
    for variable, guard in ((wide, wide < 3), (at_the_end, at_the_end + at_the_end < 3)):
        machine = Machine(variable)
        machine.action("step", guard, variable.set(1))
        with pytest.raises(ExportError, match="32 bits"):
            promela.to_promela(machine.system(), (), ORIGIN)


# -- negative controls: what is written wrong is noticed


MUTANTS: dict[str, tuple[object, str, object]] = {
    "updates one after the other": (promela, "_delayed", lambda action: []),
    "guards dropped": (promela, "faultless", lambda action: TRUE),
    "faults ignored": (promela, "faultless", lambda action: action.guard),
    "faults not asserted": (promela._Writer, "_faults", lambda self, action: iter(())),
    "checks the wrong way round": (promela, "not_", lambda condition: condition),
    "an initial value less": (
        promela,
        "_starts",
        lambda variable: sorted(variable.initial)[: max(1, len(variable.initial) - 1)],
    ),
    "a type too small": (promela, "_type", lambda variable: "byte"),
    "at most for less than": (promela, "SIGNS", replace(promela.SIGNS, between={**promela.SIGNS.between, op.LT: "<="})),
    "variables that nobody reads": (promela._Writer, "_used", lambda self: iter(())),
    "states uncounted": (promela._Writer, "extra_states", 0),
    "nothing demanded of states": (promela._Writer, "_of_states", lambda self: iter(())),
}


@pytest.mark.slow
@pytest.mark.parametrize("mutant", sampled(MUTANTS, 3, 3))
def test_an_export_that_is_wrong_is_noticed(mutant: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each way of writing something else is seen in one of two systems."""
    monkeypatch.setattr(*MUTANTS[mutant])
    assert not all(agree(system, tmp_path) for system in (shifting(), checked()))


@pytest.mark.slow
def test_these_systems_agree(tmp_path: Path) -> None:
    """The control of the controls."""
    assert [system for system in (shifting(), checked()) if not agree(system, tmp_path)] == []
