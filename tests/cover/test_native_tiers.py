"""Who explores: Python, and machine code where there is much to find; and what is said where there is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from check_invariants import output
from draincheck import optional
from draincheck.certificate import diagram
from draincheck.certificate.make import make
from draincheck.certificate.reached import searched
from draincheck.engines import explicit, simulation
from draincheck.engines.explicit import Search
from draincheck.errors import EvidenceError, ModelError
from draincheck.exploration import backward
from draincheck.exploration.explored import Explored
from draincheck.exploration.explorer import Explorer, Keep
from draincheck.expr import all_
from draincheck.native import explorer, reaching, tiers
from draincheck.native.explorer import NativeExplorer
from draincheck.native.tiers import MISSING, Tier, graph_of
from draincheck.native.width import refusal
from draincheck.properties import Always, Assertion, CanAlwaysFinish, Reachable
from draincheck.sorts import BOOL, IntSort
from draincheck.system import BoolVar, IntVar, TransitionSystem
from draincheck.verdict import SILENT, Limits, Outcome, Silent
from drainspecs.suite import matrix
from tests.support.cli import run
from tests.support.machines import Machine, event_loop
from tests.support.projects import RING, gate
from tests.support.tiers import few

__all__ = ["few"]

MEGABYTE = 1 << 20

MODEL = """
from draincheck.lang import Model
from draincheck.lang.process import Process


def build(last: int = 5) -> Model:
    m = Model("two numbers")
    one, other = m.int("one", 0, last), m.int("other", 0, last)
    with m.thread("p") as p, p.loop():
        p.do("up", one.inc(), when=one < last)
    with m.thread("q") as q, q.loop():
        q.do("up", other.inc(), when=other < last)
    m.always("small", one < last)
    m.reachable("top", other.is_(last))
    m.eventually("bottom", other.is_(0))
    return m
"""


@pytest.fixture
def uninstalled(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no llvmlite."""
    monkeypatch.setattr(optional, "find_spec", lambda name: None)


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A model of a user's, with as many states as its parameter says."""
    (tmp_path / "model.py").write_text(MODEL)
    return f"{tmp_path / 'model.py'}:build"


def explored(system: TransitionSystem, tier: Tier = Tier.BY_SIZE, keep: Keep = Keep.NOTHING) -> type:
    """Who has explored a system."""
    return type(Search(system, system.properties, Limits(), SILENT, keep, tier=tier)._found)


@pytest.mark.usefixtures("few")
def test_machine_code_takes_over_where_there_are_many_states() -> None:
    """Not before; and by name always, or never."""
    small, large = event_loop(1, 1), event_loop(1, 2)
    assert [explored(system) for system in (small, large)] == [Explorer, NativeExplorer]
    assert [explored(small, tier) for tier in (Tier.NATIVE, Tier.PYTHON)] == [NativeExplorer, Explorer]
    assert explored(large, Tier.PYTHON) is Explorer


def test_what_is_known_to_be_large_is_left_to_machine_code_at_once(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python has looked at the initial states alone; where there is no llvmlite it goes on."""
    system, seen, natively = event_loop(1, 1), list[int](), tiers._natively

    def changed(before: Explorer, *more: Any) -> Explored:
        seen.append(before.expanded)
        return natively(before, *more)

    monkeypatch.setattr(tiers, "_natively", changed)
    assert [explored(system, tier) for tier in (Tier.LARGE, Tier.BY_SIZE)] == [NativeExplorer, Explorer]
    assert seen == [1]
    large, small = (explicit.decide(system, system.properties, tier=tier) for tier in (Tier.LARGE, Tier.BY_SIZE))
    assert large == small
    request.getfixturevalue("uninstalled")
    assert explored(system, Tier.LARGE) is Explorer


@pytest.mark.usefixtures("few")
def test_what_takes_over_says_the_same() -> None:
    """Counts, verdicts and traces do not tell who has explored."""
    system = event_loop(1, 2, buggy=True)
    whole = explicit.decide(system, system.properties)
    assert whole == explicit.decide(system, system.properties, tier=Tier.PYTHON)
    assert whole.verdicts["drained"].outcome is Outcome.VIOLATED


@pytest.mark.usefixtures("few")
def test_steps_that_are_kept_are_kept_by_python() -> None:
    """Who wants more than verdicts of a search gets it, however large that is."""
    assert explored(event_loop(1, 2), keep=Keep.EDGES) is Explorer


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("change", [lambda layer: layer.append(layer[-1] + 1), lambda layer: layer.__setitem__(0, 0)])
def test_states_that_python_does_not_find_are_noticed(change: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Python has found before machine code took over is compared: another number of states, or others."""
    before = Explorer(event_loop(1, 2))
    before.run(gives_up=lambda states: states > 100)
    change(before.layers[3])
    with pytest.raises(EvidenceError, match="other states after 3 actions"):
        NativeExplorer(before, ()).run()


def test_states_that_are_too_wide_are_left_to_python() -> None:
    """And refused by name where machine code is demanded."""
    wide = [IntVar(f"n{number}", IntSort(0, 1 << 40), (0,)) for number in range(14)]
    machine = Machine(*wide)
    machine.action("up", wide[0] < 3, wide[0].inc())
    system = machine.system()
    assert "574 bits, and 511 are the most" in refusal(Explorer(system).loop)
    assert explored(system) is Explorer
    with pytest.raises(ModelError, match=r"574 bits.*--engine python"):
        explored(system, Tier.NATIVE)


@pytest.mark.usefixtures("few", "uninstalled")
def test_without_llvmlite_python_goes_on_and_says_what_would_have_helped(model: str) -> None:
    """Once, on standard error, and only where it took long; everything else is as ever."""
    output._advised[0] = 0
    small, large, again = (run("check", model, "--set", f"last={last}") for last in (11, 20, 20))
    assert "llvmlite" not in small.stderr
    assert "441 states" in large.stdout and large.exit_code == small.exit_code
    assert large.stderr.count("check-invariants[native]") == 1
    assert "llvmlite" not in again.stderr


class Told(Silent):
    """A reporter that remembers what it was told, in its order."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def phase(self, name: str) -> None:
        """Remember."""
        self.told.append(name)

    def progress(self, states: int, transitions: int, depth: int, queue: int) -> None:
        """Remember how many states."""
        self.told.append(str(states))

    def advice(self, text: str) -> None:
        """Remember."""
        self.told.append(text)


@pytest.mark.usefixtures("few", "uninstalled")
@pytest.mark.parametrize("of_runs", [False, True])
def test_what_would_help_is_said_while_the_search_goes_on(of_runs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, as soon as somebody has waited; not of a small search, and not where llvmlite is there."""
    monkeypatch.setattr("draincheck.exploration.explorer.PIECE", 16)
    monkeypatch.setattr(tiers, "WAITED", 120)

    def told(system: TransitionSystem) -> list[str]:
        reporter = Told()
        if of_runs:
            graph_of(system, (), Limits(), reporter)
        else:
            found = explicit.decide(system, (), Limits(), reporter)
            assert (MISSING in found.advice) is any(MISSING in text for text in reporter.told)
        return [text for text in reporter.told if MISSING in text]

    (advice,) = told(event_loop(1, 2))
    searched = int(advice.split()[3])
    assert tiers.WAITED <= searched < len(explicit.states(event_loop(1, 2)))
    assert told(event_loop(1, 1)) == []
    monkeypatch.setattr(tiers, "is_installed", lambda: True)
    assert told(event_loop(1, 2)) == []


@pytest.mark.parametrize("tier", [Tier.PYTHON, Tier.NATIVE])
def test_a_look_at_what_stays_in_reach_says_how_far_it_is(tier: Tier, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may take as long as the search; what is asked of states alone does not."""
    monkeypatch.setattr(backward, "PIECE", 16)
    monkeypatch.setattr(reaching, "PIECE", 16)
    system = event_loop(1, 2)
    holds = all_(*(c for item in system.properties for c in item.conditions()))
    for item, lasts in ((CanAlwaysFinish("stays", holds), True), (Always("holds", holds), False)):
        reporter = Told()
        explicit.decide(system, (item,), reporter=reporter, tier=tier)
        looked = [*map(int, reporter.told[reporter.told.index("checking") + 1 :])]
        assert (len(looked) > 5) is lasts
        assert all(0 <= number <= 169 for number in looked)


@pytest.mark.usefixtures("uninstalled")
def test_rows_that_are_pinned_as_large_say_what_would_help_before_they_are_decided() -> None:
    """All rows together are large enough; those of the default scenarios are not."""
    assert "systems of " in matrix.advice(matrix.all_rows()) and MISSING in matrix.advice(matrix.all_rows())
    assert matrix.advice(matrix.default_rows()) == ""


@pytest.mark.usefixtures("few", "uninstalled")
def test_demands_on_runs_and_walks_say_what_would_have_helped(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once each, by the command that takes long."""
    monkeypatch.setattr(simulation, "SOME", 100)
    monkeypatch.setattr(simulation, "MANY", 1000)
    monkeypatch.setattr(simulation, "WAITED", 2000)
    for command in ("liveness", "simulate"):
        for last, times in ((11, command == "simulate"), (20, True)):
            output._advised[0] = 0
            result = run(command, model, "--set", f"last={last}")
            assert result.stderr.count("check-invariants[native]") == times


@pytest.mark.usefixtures("few", "uninstalled")
def test_of_the_processes_of_a_gate_one_says_what_would_have_helped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is known to the others, and to who has started them, that it was said."""
    monkeypatch.chdir(tmp_path)
    output._advised[0] = 0
    entries = [f'{RING}function = "build"\nparameters.last = {last}\n' for last in (19, 20, 21)]
    result = gate("\n".join(entries), model=MODEL)
    assert all(f"last={last}" in result.stdout for last in (19, 20, 21))
    assert output._advised[0] == 1


@pytest.mark.usefixtures("uninstalled")
def test_without_llvmlite_machine_code_is_refused_by_name(model: str) -> None:
    """With what to install; the model is not at fault, and Python alone goes on."""
    result = run("check", model, "--engine", "native")
    assert (result.exit_code, result.stdout) == (2, "")
    assert MISSING in result.stderr and "check-invariants[native]" in MISSING
    assert run("check", model, "--engine", "python").exit_code != 2


@pytest.mark.parametrize("engine", ["native", "python"])
def test_engines_by_name_say_what_explicit_search_says(model: str, engine: str) -> None:
    """With its statistics; what states take in memory depends on who has stored them."""
    expected, found = (json.loads(run("check", model, "--json", *more).stdout) for more in ((), ("--engine", engine)))
    for document in (expected, found):
        assert document["statistics"].pop("bytes") > 0
        del document["statistics"]["seconds"]
    assert found == expected


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("error", [ImportError("no such file"), OSError("libc is too old"), RecursionError("too deep")])
def test_where_no_machine_code_can_be_made_python_begins_again(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says why; whoever demands machine code gets the reason alone."""

    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(explorer, "NativeLoop", broken)
    system = event_loop(1, 2, buggy=True)
    found = explicit.decide(system, system.properties)
    assert found.advice.endswith(str(error))
    assert (found.statistics, found.verdicts) == (
        (expected := explicit.decide(system, system.properties, tier=Tier.PYTHON)).statistics,
        expected.verdicts,
    )
    with pytest.raises(ModelError, match=str(error)):
        explicit.decide(system, system.properties, tier=Tier.NATIVE)


@pytest.mark.parametrize("careful", [True, False])
def test_certificates_are_the_same(careful: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Line by line, whoever has searched: the invariant, whose variables are in an order that some of the states have decided, and the path that asks."""
    monkeypatch.setattr(diagram, "SAMPLE", 300)
    number, flag = IntVar("number", IntSort(0, 200), (0, 3)), BoolVar("flag", BOOL, (0,))
    machine = Machine(number, flag)
    machine.action("up", number < 199, number.inc(), checks=[("small", number < (200 if careful else 150))])
    machine.action("turn", number > 100, flag.set(), number.set(7))
    system = machine.system(Assertion("small"), Always("in range", number < 200), Reachable("end", number.is_(200)))
    asked = [item.name for item in system.properties if careful or item.name != "small"]
    found = []
    for many in (50, 10**9):
        monkeypatch.setattr(tiers, "MANY", many)
        who = searched(system, system.properties, Limits())
        found.append((type(who.explorer), make(system, asked)))
    assert [who for who, _ in found] == [NativeExplorer, Explorer]
    assert found[0][1] == found[1][1]


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(("engine", "by_machine_code"), [("python", False), ("explicit", True), ("native", True)])
def test_python_alone_is_alone_with_whole_runs_too(
    engine: str, by_machine_code: bool, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    """Nothing is compiled for `--engine python`, whatever is asked."""
    made = list[str]()

    def natively(name: str, make: Any) -> Any:
        made.append(name)
        return make()

    monkeypatch.setattr(tiers, "natively", natively)
    asked = ("check", model, "--set", "last=40", "--property", "bottom", "--engine", engine, "--no-trace")
    assert "bottom" in run(*asked).stdout
    assert bool(made) is by_machine_code
