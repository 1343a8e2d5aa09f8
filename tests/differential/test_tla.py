"""A module of TLA+, read by a parser and an explorer that know nothing of this project, means what the interpreter says of the system.

TLC itself is asked about some of them.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from draincheck import interpreter, op
from draincheck.engines import liveness
from draincheck.export import Exported, Origin, demanded, infix, tla
from draincheck.expr import TRUE
from draincheck.model_file import builders
from draincheck.promise import Fairness, Strength
from draincheck.properties import Eventually, Liveness
from draincheck.sorts import BOOL
from draincheck.system import BoolVar, TransitionSystem
from draincheck.verdict import Outcome
from drainspecs.suite.matrix import default_rows
from tests.differential.test_liveness_reference import MOST_STATES, breakable, graph_of
from tests.differential.test_liveness_reference import systems as fair_systems
from tests.support import rows
from tests.support.exported import checked, shifting, starting
from tests.support.house import ROOT
from tests.support.machines import Machine, bounded, clock, event_loop, philosophers
from tests.support.parts import file_of
from tests.support.samples import sampled
from tests.support.spin import Found, expected
from tests.support.strategies import random_system
from tests.support.tla import Module, ReadError

ORIGIN = Origin("test")


def read(system: TransitionSystem) -> Found:
    """What the reader finds in a module of a system; `TypeOK` is an invariant like others."""
    exported = tla.to_tla(system, demanded(system), ORIGIN)
    module, names = Module(exported.text), {called: name for name, called in exported.carried}
    return Found(len(module.states.order), frozenset(names.get(called, called) for called in module.violated()))


def should(system: TransitionSystem) -> Found:
    """What it should find, by the interpreter."""
    found = expected(system, demanded(system), interpreter.explore(system), interpreter.states(system))
    return Found(found.states, found.shown | broken_runs(system))


def broken_runs(system: TransitionSystem) -> set[str]:
    """The demands on whole runs that some run breaks: by a reference that tries all, of a few states, else by the engine."""
    items = [item for item in system.properties if isinstance(item, Liveness)]
    if not items:
        return set()
    graph = graph_of(system)
    if len(graph.states) > MOST_STATES:
        verdicts = liveness.decide(system)
        return {item.name for item in items if verdicts[item.name].outcome is Outcome.VIOLATED}
    return {item.name for item in items if breakable(system, item, graph)}


def agree(system: TransitionSystem) -> bool:
    """Whether the module means what the system does."""
    return read(system) == should(system)


def _rows(every: int) -> Iterator[TransitionSystem]:
    """The systems of some rows of the default matrix, each once."""
    found = map(rows.system, default_rows()[::every])
    yield from {system.digest: system for system in found}.values()


@pytest.mark.slow
@pytest.mark.parametrize("every", sampled((100, 10, 1), 1, 1))
def test_rows_of_the_matrix_agree(every: int) -> None:
    """As many states of each system of the default matrix, the same properties shown, no value of another type."""
    assert [system.digest for system in _rows(every) if not agree(system)] == []


@pytest.mark.slow
def test_examples_agree() -> None:
    """So it is with every variant of the examples."""
    files = sorted((ROOT / "examples").glob("*.py"))
    systems = [each.build({}).system() for file in files for each in builders(str(file))]
    assert len(systems) >= 6
    assert [system.name for system in systems if not agree(system)] == []


@pytest.mark.slow
@pytest.mark.parametrize("part", sampled(range(20), 1, 3))
def test_random_systems_agree(part: int) -> None:
    """So it is with random systems: every sort, operator, kind of fault, several initial states."""
    different: list[int] = []
    for seed in range(20 * part, 20 * part + 20):
        shape = {"data": 2 + seed % 3, "processes": 1 + seed % 3, "depth": seed % 3}
        system = random_system(seed, **shape, folded=seed % 2 == 0, careless=60 if seed % 4 == 0 else 6)
        different += [] if agree(system) else [seed]
    assert different == []


@pytest.mark.parametrize("part", sampled(range(20), 0, 4))
@given(fair_systems())
@settings(max_examples=40, deadline=None)
def test_promises_mean_the_same(part: int, system: TransitionSystem) -> None:
    """Demands on whole runs, with any fairness over any groups, steps that change nothing and errors among them."""
    assert agree(system)


@pytest.mark.parametrize(
    "system",
    [clock(), philosophers(final=True), bounded(), event_loop(1, 2), shifting(), checked(), starting()],
    ids=str,
)
def test_machines_agree(system: TransitionSystem) -> None:
    """So it is with machines that somebody has written."""
    assert agree(system)


def idler(strength: Strength) -> TransitionSystem:
    """Who is promised may go on without changing anything, and then need not do what would."""
    bit = BoolVar("bit", BOOL, (0,))
    machine = Machine(bit)
    machine.action("spin", TRUE)
    machine.action("set", ~bit, bit.set())
    system = machine.system(Eventually("set in the end", bit))
    return replace(system, fairness=(Fairness("p", strength, (0, 1)),))


@pytest.mark.parametrize("strength", Strength)
def test_a_step_that_changes_nothing_is_one(strength: Strength, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that spins for ever is not neglected, so nothing is promised; TLA+'s own fairness, which counts no such step, would say otherwise."""
    assert read(idler(strength)).shown == {"set in the end"}
    monkeypatch.setattr(tla, "_changes_nothing", lambda action: ~TRUE)
    assert read(idler(strength)).shown == frozenset()


@pytest.mark.parametrize("mutant", sampled(["signs", "guards", "prime", "starts"], ["signs", "prime"]))
def test_a_module_that_is_wrong_is_noticed(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written otherwise is seen, or cannot be read: a sign, a guard, a value that nothing encloses, an initial value less."""
    wrong = replace(tla.SIGNS, between={**tla.SIGNS.between, op.LT: "<="})
    patches = {
        "signs": (tla, "SIGNS", wrong),
        "guards": (tla, "faultless", lambda action: action.guard),
        "prime": (infix.Infix, "inside", lambda self, a: self[a]),
        "starts": (tla, "_starts", lambda variable: f"= {tla._constant(variable.sort, variable.initial[0])}"),
    }
    monkeypatch.setattr(*patches[mutant])
    with suppress(ReadError):
        assert not all(agree(system) for system in (shifting(), checked(), random_system(3, 3, 2, 2, folded=False)))


# -- TLC, where there is one


class Tlc:
    """TLC with a module: asked about one property at a time, since of a state it names one violated invariant alone."""

    def __init__(self, exported: Exported, folder: Path) -> None:
        self._text, self._folder = exported.text, folder
        self.module = Module(exported.text)
        (folder / f"{self.module.name}.tla").write_text(exported.text, encoding="ascii")

    def found(self) -> Found:
        """How many distinct states it stores, and what it sees violated."""
        said = self._said("INVARIANT TypeOK")
        (states,) = re.findall(r"^\d+ states generated, (\d+) distinct states found, 0 states left", said, re.MULTILINE)
        lines = [line for line in self.module.configuration if line.startswith(("INVARIANT", "PROPERTY"))]
        return Found(int(states), frozenset(line.split()[1] for line in lines if self._violates(line)))

    def _violates(self, line: str) -> bool:
        said = self._said(line)
        violated = re.search(
            r"^Error: (Invariant \w+ is violated|Temporal properties were violated)", said, re.MULTILINE
        )
        assert violated or "No error has been found" in said, said
        return bool(violated)

    def _said(self, line: str) -> str:
        (self._folder / f"{self.module.name}.cfg").write_text(f"SPECIFICATION Spec\n{line}\n", encoding="ascii")
        # A folder for each run: TLC names its own there by the second, and refuses one that another run made in the same second.
        apart = tempfile.mkdtemp(dir=self._folder)
        options = (
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xmx1g",
            f"-Djava.io.tmpdir={apart}",
            "-cp",
            str(file_of("tla2tools.jar")),
        )
        command = ("java", *options, "tlc2.TLC", "-deadlock", "-workers", "1", "-metadir", apart, self.module.name)
        ended = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False, timeout=600)
        assert ended.stdout, ended.stderr
        return ended.stdout


def tlc_systems() -> dict[str, TransitionSystem]:
    """Systems of few states: machines, fairness of both strengths, the smallest example, two models of QEMU."""
    found = {
        "shifting": shifting(),
        "checked": checked(),
        "starting": starting(),
        "philosophers": philosophers(),
        "bounded": bounded(),
    }
    found |= {f"idler, {strength.value}": idler(strength) for strength in Strength}
    found |= {each.title: each.build({}).system() for each in builders(str(ROOT / "examples" / "lost_wakeup.py"))}
    found |= {f"random {seed}": random_system(seed, 3, 2, 2, folded=True) for seed in range(3)}
    return found | {f"row {number}": system for number, system in enumerate(_rows(200))}


#: left to `make long`: one of the two rows, and what is by chance or larger, for each run of TLC takes seconds
TLC_LATER = ("random", "row 1", "three items")
TLC_IN_CI = [name for name in tlc_systems() if not any(words in name for words in TLC_LATER)]


@pytest.mark.slow
@pytest.mark.needs("java", "tla2tools.jar")
@pytest.mark.parametrize("name", sampled(tlc_systems(), TLC_IN_CI, 0))
def test_tlc_agrees(name: str, tmp_path: Path) -> None:
    """TLC stores as many distinct states, and sees the same violated."""
    system = tlc_systems()[name]
    exported = tla.to_tla(system, demanded(system), ORIGIN)
    called, wanted = dict(exported.carried), should(system)
    found = Tlc(exported, tmp_path).found()
    assert found == Found(wanted.states, frozenset(called[item] for item in wanted.shown))
