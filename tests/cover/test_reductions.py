"""Reductions: numbers of a known family, when they are used, what is said of them, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from benchmarks.event_loop_family import event_loop
from draincheck.checking import check
from draincheck.engines.explicit import decide
from draincheck.errors import ModelError, SourceLine
from draincheck.exploration.explorer import Explorer
from draincheck.exploration.layout import Layout
from draincheck.exploration.ordering import network, ordering
from draincheck.expr import FALSE, TRUE, all_
from draincheck.lang import Model, Process
from draincheck.native import tiers
from draincheck.native.tiers import Tier
from draincheck.reason import Short, Shortest, Stuck
from draincheck.reductions.cases import Cases
from draincheck.reductions.symmetry import exchanges, quotient
from draincheck.reductions.wanted import Reductions
from draincheck.sorts import BOOL, IntSort
from draincheck.system import BoolVar, Interchangeable, IntVar, TransitionSystem
from draincheck.verdict import Exploration, Outcome, Silent
from tests.support.cli import run
from tests.support.machines import Machine
from tests.support.reduced import classes
from tests.support.reducible import symmetric_system

FAMILY = str(Path(__file__).parents[2] / "benchmarks" / "event_loop_family.py") + ":event_loop"
DRAINED = "nothing in flight when a job exits"


def family(devices: int, slots: int, reductions: Reductions, *, buggy: bool = False) -> Exploration:
    """What a search of the family finds."""
    system = event_loop(devices, slots, buggy, alike=True).compile()
    return decide(system, system.properties, tier=Tier.BY_SIZE, reductions=reductions)


@pytest.mark.parametrize(
    ("devices", "slots", "reductions", "states"),
    [
        (2, 2, Reductions.NONE, 9761),
        (2, 2, Reductions.SYMMETRY, 2002),
        (2, 2, Reductions.CONFLUENCE, 2197),
        (2, 2, Reductions.BOTH, 522),
        (3, 2, Reductions.SYMMETRY, 26_158),
        (3, 2, Reductions.BOTH, 4416),
        (5, 1, Reductions.BOTH, 8190),
        pytest.param(4, 2, Reductions.BOTH, 29_736, marks=pytest.mark.slow),
        pytest.param(3, 2, Reductions.CONFLUENCE, 76_895, marks=pytest.mark.slow),
        pytest.param(5, 1, Reductions.SYMMETRY, 37_485, marks=pytest.mark.slow),
        pytest.param(5, 1, Reductions.CONFLUENCE, 471_293, marks=pytest.mark.slow),
        pytest.param(4, 2, Reductions.SYMMETRY, 267_905, marks=pytest.mark.slow),
        pytest.param(4, 2, Reductions.CONFLUENCE, 2_770_417, marks=pytest.mark.slow),
    ],
)
def test_the_family_has_so_many_states(devices: int, slots: int, reductions: Reductions, states: int) -> None:
    """Symmetry of devices and slots, and the steps `reap` and `dispatched` taken at once, leave these of them; nothing is violated."""
    found = family(devices, slots, reductions)
    assert (found.statistics.states, found.verdicts[DRAINED].outcome) == (states, Outcome.HOLDS)
    assert found.statistics.never_fired == ()


@pytest.mark.parametrize("reductions", list(Reductions))
def test_the_bug_is_found(reductions: Reductions) -> None:
    """Whatever is reduced, the counterexample is one of the model, of seven steps; with confluence nobody says that none is shorter."""
    verdict = family(2, 2, reductions, buggy=True).verdicts[DRAINED]
    assert verdict.outcome is Outcome.VIOLATED and verdict.trace is not None
    assert len(verdict.trace.actions) == 7
    assert isinstance(verdict.reason, Short if reductions in (Reductions.CONFLUENCE, Reductions.BOTH) else Shortest)


# -- when they are used -------------------------------------------------------------------------------------------------------------


def test_small_systems_are_not_reduced() -> None:
    """By itself a search reduces nothing before there are many states."""
    assert family(2, 2, Reductions.AUTO).reduction == ""


def test_large_systems_are_reduced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are many states, it does; here few are many."""
    monkeypatch.setattr(tiers, "MANY", 1000)
    found = family(2, 2, Reductions.AUTO)
    assert found.statistics.states == 522
    assert found.reduction == (
        "states that differ in the order of interchangeable components count as one; 5 confluent steps taken at once"
    )


def test_what_would_save_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A confluent step that no state on the way enables costs shortest traces, and is not worth them."""
    monkeypatch.setattr(tiers, "MANY", 100)
    number, rare = IntVar("number", IntSort(0, 999), (0,)), BoolVar("rare", BOOL, (0,))
    machine = Machine(number, rare)
    machine.action("up", number < 999, number.inc())
    machine.action("last", number.is_(999) & ~rare, rare.set(), number.set(0))
    machine.action("over", rare & number.is_(0), rare.clear())
    assert decide(machine.system(), (), reductions=Reductions.AUTO).reduction == ""


def test_a_property_that_forbids_symmetry_is_named() -> None:
    """Where a process of a component may be stuck, the component is told apart: that is said, by the name of the demand."""
    m = workers()
    m.no_deadlock("nobody is stuck")
    system = m.compile()
    found = decide(system, system.properties, reductions=Reductions.SYMMETRY)
    assert found.reduction == ""
    assert found.advice == (
        "interchangeable components were told apart because of nobody is stuck: asked without, fewer states would do"
    )


def test_of_processes_that_may_be_stuck_one_answers_for_the_others() -> None:
    """The first of three workers stays where it is, the others are interchangeable still: they are brought into order, and nobody is asked about them."""
    m = workers(number=3)
    m.no_deadlock("nobody is stuck")
    system = m.compile()
    found = decide(system, system.properties, reductions=Reductions.SYMMETRY)
    assert found.reduction == (
        "states that differ in the order of interchangeable components (the first of a kind apart) count as one"
    )
    assert found.advice == ""
    (group,) = system.interchangeable
    others = replace(system, interchangeable=(replace(group, components=group.components[1:]),))
    assert found.statistics.states == classes(others)
    stuck, plain = (each.verdicts["nobody is stuck"] for each in (found, decide(system, system.properties)))
    assert isinstance(stuck.reason, Stuck) and isinstance(plain.reason, Stuck)
    assert stuck.outcome is plain.outcome is Outcome.VIOLATED
    assert (stuck.reason.actions, stuck.reason.processes) == (plain.reason.actions, ("worker 0",))


def test_what_forbids_symmetry_is_said_before_the_search() -> None:
    """Nobody waits for its end to hear of it."""
    m, told = workers(), list[str]()
    m.no_deadlock("nobody is stuck")

    class Told(Silent):
        def phase(self, name: str) -> None:
            told.append(name)

        def advice(self, text: str) -> None:
            told.append(text)

    system = m.compile()
    found = decide(system, system.properties, reporter=Told(), reductions=Reductions.SYMMETRY)
    assert told[0] == found.advice and told.count(found.advice) == 1


def test_a_library_call_reduces_nothing() -> None:
    """Unless it is told to."""
    model = event_loop(2, 2, alike=True)
    searched = [check(model).exploration, check(model, reductions=Reductions.BOTH).exploration]
    assert [found and found.statistics.states for found in searched] == [9761, 522]


# -- the command line ---------------------------------------------------------------------------------------------------------------


def test_the_command_says_what_was_reduced() -> None:
    """A line below the numbers, and a key in the document."""
    where = [FAMILY, "--set", "alike=true", "--reductions", "both"]
    assert "522 states, 2398 transitions, depth 12" in run("check", *where).stdout
    found = json.loads(run("check", *where, "--json").stdout)
    assert found["reduction"].startswith("states that differ in the order of interchangeable components count as one; ")
    assert json.loads(run("check", FAMILY, "--json").stdout)["reduction"] == ""


def test_engines_that_know_no_reductions_refuse_them() -> None:
    """What is asked of one that does not search states is a wrong argument."""
    result = run("check", FAMILY, "--engine", "bmc", "--depth", "2", "--reductions", "both")
    assert (result.exit_code, "--reductions both is for explicit search" in result.stderr) == (2, True)


# -- what is declared ---------------------------------------------------------------------------------------------------------------


def workers(**odd: Any) -> Model:
    """Two workers that take turns with a lock; `odd` says what is different about the second."""
    m = Model("workers")
    free = m.bool("free", initial=True)
    components: list[list[Any]] = []
    for number in range(odd.get("number", 2)):
        done = m.int(f"done {number}", 0, odd.get("most", 2) if number else 2)
        with m.thread(f"worker {number}") as p, p.loop():
            p.do("takes it", free.clear(), when=free & (done < 2))
            p.do("works", done.inc() if not (number and odd.get("idles")) else done.set(2))
            p.do("gives it back", free.set())
        components.append([done, p])
        if odd.get("fair") and number:
            m.fair(p)
        if odd.get("demands") and number:
            m.always("the second is never done", ~done.is_(2))
    if odd.get("forgets"):
        components = [component[:1] for component in components]
    m.interchangeable(*components)
    return m


def test_processes_are_components() -> None:
    """A process stands for the variables that the language has made for it: its program counter."""
    system = workers().compile()
    (group,) = system.interchangeable
    assert [[v.name for v in component] for component in group.components] == [
        ["done 0", "pc worker 0"],
        ["done 1", "pc worker 1"],
    ]
    assert decide(system, (), reductions=Reductions.SYMMETRY).statistics.states < decide(system, ()).statistics.states


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        ({"most": 3}, "done 0 and done 1 have other values"),
        ({"idles": True}, "no step does for one what worker 0: works does for the other"),
        ({"forgets": True}, "a component needs all its variables and processes"),
        ({"fair": True}, "weak fairness of worker 1 would be promised of others"),
        ({"demands": True}, "'the second is never done' says something else"),
    ],
)
def test_what_is_not_interchangeable_is_refused(odd: dict[str, Any], words: str) -> None:
    """With the line of the declaration, and the variable, step, promise or demand that tells components apart."""
    with pytest.raises(ModelError, match="components 1 and 2 of 2 are not interchangeable") as error:
        workers(**odd).compile()
    assert words in str(error.value) and "test_reductions.py" in str(error.value)


def _nothing(m: Model) -> None:
    m.interchangeable()


def _a_text(m: Model) -> None:
    m.interchangeable("ab", "cd")  # type: ignore[arg-type]


def _foreign(m: Model) -> None:
    m.interchangeable([Model("other").bool("x")])


def _twice(m: Model) -> None:
    x = m.bool("x")
    m.interchangeable([x], [x])


def _in_two_groups(m: Model) -> None:
    x, y = m.bool("x"), m.bool("y")
    m.interchangeable([x], [y])
    m.interchangeable([x], [m.bool("z")])


@pytest.mark.parametrize(
    ("declare", "words"),
    [
        (_nothing, "takes components"),
        (_a_text, "a component is a list of variables and processes"),
        (_foreign, "variables and processes of this model"),
        (_twice, "stands in two interchangeable components"),
        (_in_two_groups, "stands in two interchangeable components"),
    ],
)
def test_a_wrong_declaration_is_refused_at_once(declare: Callable[[Model], None], words: str) -> None:
    """Where it is written."""
    with pytest.raises(ModelError, match=words):
        declare(Model("m"))


def test_components_have_equally_many_variables() -> None:
    """Program counters count: one component's process has places where the other's has none."""
    m = Model("m")
    found: list[Process] = []
    for number in range(2):
        with m.thread(f"p{number}") as p, p.loop():
            p.do("a", m.bool(f"x{number}").set())
            if number:
                p.do("b")
        found.append(p)
    m.interchangeable(*([p] for p in found))
    with pytest.raises(ModelError, match="as many variables as one another"):
        m.compile()


def test_one_component_says_nothing() -> None:
    """A family with one device is a model, too."""
    assert decide(event_loop(1, 1, alike=True).compile(), (), reductions=Reductions.SYMMETRY).reduction == ""


def test_a_declaration_changes_no_digest() -> None:
    """Traces of a model stay its own when somebody declares what was so before."""
    assert event_loop(2, 1, alike=True).compile().digest == event_loop(2, 1).compile().digest


def test_a_reduced_system_is_no_model() -> None:
    """Engines take it for another; a system made by hand whose components are not alike is refused, too."""
    system = symmetric_system(1)
    with pytest.raises(ModelError, match="is reduced"):
        check(quotient(system, exchanges(system)))
    a, b = BoolVar("a", BOOL, (0,)), BoolVar("b", BOOL, (0,))
    machine = Machine(a, b)
    machine.action("a up", ~a, a.set())
    odd = replace(machine.system(), interchangeable=(Interchangeable(((a,), (b,)), SourceLine("m.py", 1)),))
    with pytest.raises(ModelError, match="not interchangeable"):
        check(odd)


# -- the parts ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_the_search_loop_orders_as_a_step_does(seed: int) -> None:
    """What is stored of a quotient is what `TransitionSystem.step` says, which sorts values, not bits."""
    system = symmetric_system(seed)
    system = quotient(system, exchanges(system))
    explorer = Explorer(system)
    explorer.run()
    for state in map(explorer.loop.layout.unpack, explorer.order()):
        explorer.loop.expand([explorer.loop.layout.pack(state)])
        sound = (action for action in system.enabled(state) if system.fault(state, action) is None)
        expected = sorted(system.step(state, action) for action in sound)
        assert sorted(map(explorer.loop.layout.unpack, explorer.loop.targets)) == expected


@pytest.mark.parametrize("size", range(1, 9))
def test_networks_sort(size: int) -> None:
    """Zeros and ones in every order, which is enough."""
    for bits in product((0, 1), repeat=size):
        values: list[int] = list(bits)
        for first, second in network(size):
            if values[first] > values[second]:
                values[first], values[second] = values[second], values[first]
        assert values == sorted(bits)


def test_components_stand_side_by_side() -> None:
    """The bits of one have to be a number."""
    a, b, c, d = variables = [BoolVar(name, BOOL, (0,)) for name in "abcd"]
    with pytest.raises(ModelError, match="side by side"):
        ordering(Layout(variables), [((a, c), (b, d))])


def _implied(number: IntVar, flag: BoolVar) -> Sequence[tuple[bool, bool]]:
    cases = Cases(10_000)
    return [
        (cases.implied(number.is_(2), ~number.is_(1)), True),
        (cases.implied(number < 2, number < 3), True),
        (cases.implied(number < 3, number < 2), False),
        (cases.implied(flag & number.is_(0), FALSE), False),
        (cases.implied(number.is_(1) & ~flag, (number + 1).is_(2) & ~flag), True),
        (cases.implied(all_(number.is_(1), number.is_(2)), FALSE), True),
        (cases.implied(TRUE, flag | ~flag), True),
        (cases.equal(number < 2, ~(number > 1)), True),
        (cases.equal(number < 2, number < 3), False),
    ]


def test_cases_decide() -> None:
    """What follows from a premise does, what does not does not."""
    assert all(
        found is expected for found, expected in _implied(IntVar("n", IntSort(0, 3), (0,)), BoolVar("f", BOOL, (0,)))
    )


def test_what_takes_too_much_work_is_not_decided() -> None:
    """Nor what would be split into too many values: that counts as not implied."""
    small, wide = IntVar("n", IntSort(0, 3), (0,)), IntVar("w", IntSort(0, 1 << 20), (0,))
    assert not Cases(0).implied(small < 2, (small + 1) < 3)
    assert not Cases(10_000).implied(wide < 2, (wide + 1) < 3)


def test_exchanges_know_which_action_takes_whose_place() -> None:
    """Those of the second component take the place of those of the first, and those of nobody keep theirs."""
    a, b = BoolVar("a", BOOL, (0,)), BoolVar("b", BOOL, (0,))
    machine = Machine(a, b)
    machine.action("a up", ~a, a.set())
    machine.action("both down", a & b, a.clear(), b.clear())
    machine.action("b up", ~b, b.set())
    alike = Interchangeable(((a,), (b,)), SourceLine("m.py", 1))
    system: TransitionSystem = replace(machine.system(), interchangeable=(alike,))
    assert [list(each.actions) for each in exchanges(system)] == [[2, 1, 0]]


def test_a_table_says_what_was_reduced() -> None:
    """Where a row stands for a model; by itself nothing is reduced there."""
    table = [FAMILY, "--set", "alike=true", "--set", "devices=1,2"]
    assert "522, reduced" in run("check", *table, "--reductions", "both").stdout
    assert "reduced" not in run("check", *table).stdout
