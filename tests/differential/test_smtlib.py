"""Solvers read in an exported system what the system does: initial states, steps and what shows a property, state by state and along runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

import pytest
import z3

from draincheck.engines.smt.relation import Relation
from draincheck.engines.smt.writer import Integers
from draincheck.export import Origin, demanded, smtlib
from draincheck.properties import Assertion, NoDeadlock, NoFault, Property
from draincheck.solvers import Answer, open_solver
from draincheck.sorts import BOOL, Sort
from draincheck.system import State, TransitionSystem
from drainspecs.suite.matrix import default_rows
from tests.support import rows
from tests.support.machines import bounded, counter, event_loop, philosophers
from tests.support.samples import sampled
from tests.support.strategies import random_system

ORIGIN = Origin("test")

#: states by chance that a system is compared in, reachable or not
STATES = 12

#: how far runs are followed
DEPTH = 3


def value(sort: Sort, stored: int) -> str:
    """A stored value as SMT-LIB."""
    if sort is BOOL:
        return "true" if stored else "false"
    return str(stored) if stored >= 0 else f"(- {-stored})"


def written(system: TransitionSystem, state: State) -> str:
    """A state as arguments."""
    return " ".join(value(v.sort, stored) for v, stored in zip(system.variables, state, strict=True))


def some_states(system: TransitionSystem, seed: int) -> list[State]:
    """States by chance, most of them not reachable."""
    random = Random(seed)
    sorts = [variable.sort for variable in system.variables]
    return [tuple(random.randint(sort.low, sort.high) for sort in sorts) for _ in range(STATES)]


def shows(system: TransitionSystem, item: Property, state: State) -> bool:
    """Whether a state shows a property, in the system's own words."""
    enabled = list(system.enabled(state))
    sound = [action for action in enabled if system.fault(state, action) is None]
    if isinstance(item, Assertion):
        return any(item.name in system.broken_checks(state, action) for action in sound)
    if isinstance(item, NoFault):
        return any((fault := system.fault(state, a)) is not None and fault.kind is item.kind for a in enabled)
    if isinstance(item, NoDeadlock):
        rests = bool(system.at_rest) and all(system.holds(where, state) for _, where in system.at_rest)
        return not (enabled or rests or system.holds(system.final, state))
    (condition,) = item.conditions()
    return system.holds(condition, state) is (item.form == "reachable")


def statements(
    system: TransitionSystem, states: Sequence[State], items: Sequence[tuple[Property, str]]
) -> Iterator[tuple[str, bool]]:
    """What is true and false of some states, as a solver is told it."""
    taken = Relation(system).actions
    for state in states:
        here = written(system, state)
        yield f"(domain {here})", True
        yield f"(init {here})", system.is_initial(state)
        for item, name in items:
            yield f"({name} {here})", shows(system, item, state)
        for number, action in enumerate(taken):
            after = system.step(state, action)
            sound = system.holds(action.guard, state) and system.fault(state, action) is None
            inside = all(v.sort.low <= x <= v.sort.high for v, x in zip(system.variables, after, strict=True))
            yield f"(step {here} {written(system, after)} {number})", sound
            for other in states[:3] if inside else ():
                yield f"(step {here} {written(system, other)} {number})", sound and other == after


def definitions(text: str) -> str:
    """A file without the query at its end."""
    return text.partition("(push 1)")[0]


def misread(system: TransitionSystem, seed: int) -> list[str]:
    """Statements about some states that z3 reads in the file otherwise than the system has them."""
    exported = smtlib.to_smtlib(system, demanded(system), ORIGIN)
    items = [(system.property_named(name), called) for name, called in exported.carried]
    wanted = list(statements(system, some_states(system, seed), items))
    context = z3.ParserContext(z3.Context())
    asserted = "".join(f"(assert {text})" for text, _ in wanted)
    found = [z3.is_true(z3.simplify(each)) for each in context.from_string(definitions(exported.text) + asserted)]
    return [text for (text, holds), read in zip(wanted, found, strict=True) if holds is not read]


def systems(seeds: range) -> Iterator[tuple[int, TransitionSystem]]:
    """Random systems by their seeds."""
    for seed in seeds:
        shape = {"data": 2 + seed % 3, "processes": 1 + seed % 3, "depth": seed % 3}
        yield seed, random_system(seed, **shape, folded=seed % 2 == 0, careless=60 if seed % 4 == 0 else 6)


@pytest.mark.slow
@pytest.mark.parametrize("part", sampled(range(20), 1, 3))
def test_random_systems_are_read_as_they_are(part: int) -> None:
    """Every action's step from states by chance, where runs begin, and what shows each property."""
    assert [seed for seed, system in systems(range(20 * part, 20 * part + 20)) if misread(system, seed)] == []


@pytest.mark.parametrize("number", sampled(range(0, 263, 30), 0, 3))
def test_rows_of_the_matrix_are_read_as_they_are(number: int) -> None:
    """So are the models of QEMU: one of every thirty rows."""
    assert misread(rows.system(default_rows()[number]), 1) == []


def runs(system: TransitionSystem) -> Iterator[set[State]]:
    """The states in which runs of 0, 1, ... steps end."""
    layer = set(system.initial)
    for _ in range(DEPTH + 1):
        yield layer
        steps = ((state, action) for state in layer for action in system.enabled(state))
        layer = {system.step(*step) for step in steps if system.fault(*step) is None}


def misfound(system: TransitionSystem, solver: str) -> list[tuple[int, str]]:
    """At which depth a solver finds a run that shows a property where there is none, or the other way round."""
    exported = smtlib.to_smtlib(system, demanded(system), ORIGIN)
    asked, lines, path = open_solver(solver, None), [definitions(exported.text)], ""
    sorts = ["Bool" if v.sort is BOOL else "Int" for v in system.variables]
    at = [" ".join(f"s{depth}.{n}" for n in range(len(sorts))) for depth in range(DEPTH + 1)]
    for depth in range(DEPTH + 1):
        lines += [f"(declare-const s{depth}.{n} {sort})" for n, sort in enumerate(sorts)]
        lines += [f"(declare-const c{depth} Int)"]
    asked.define("\n".join(lines))
    wrong: list[tuple[int, str]] = []
    for depth, ends in enumerate(runs(system)):
        path += f" (step {at[depth - 1]} {at[depth]} c{depth})" if depth else f"(init {at[0]})"
        for name, called in exported.carried:
            there = any(shows(system, system.property_named(name), state) for state in ends)
            answer = asked.ask(f"(and {path} ({called} {at[depth]}))")
            wrong += [] if answer is (Answer.SAT if there else Answer.UNSAT) else [(depth, name)]
    return wrong


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["z3", "cvc5"])
@pytest.mark.parametrize("part", sampled(range(10), 1, 2))
def test_runs_show_what_they_show(part: int, solver: str) -> None:
    """Bounded model checking from the file alone: runs of up to three steps of random systems, with either solver."""
    assert [seed for seed, system in systems(range(8 * part, 8 * part + 8)) if misfound(system, solver)] == []


@pytest.mark.parametrize("solver", sampled(["z3", "cvc5"], ["z3"]))
@pytest.mark.parametrize(
    "system", [philosophers(), bounded(), counter(2, "top", "alive", guarded=False), event_loop(1, 1)], ids=str
)
def test_runs_of_machines(system: TransitionSystem, solver: str) -> None:
    """So with machines that somebody has written."""
    assert misfound(system, solver) == []


def test_the_query_can_be_asked() -> None:
    """Solvers run the file as it is: its query has an answer."""
    system = counter(3, "small")
    exported = smtlib.to_smtlib(system, demanded(system), ORIGIN)
    solver = z3.Solver(ctx=z3.Context())
    solver.from_string(exported.text.replace("(push 1)", "").replace("(pop 1)", ""))
    assert solver.check() == z3.unsat
    assert exported.text.count("(check-sat)") == 1


# -- negative controls


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("_kept", lambda self, variable: "true"),
        ("_effect", lambda self, action: "true"),
        ("_taken", lambda self, number: f"(= c {number + 1})"),
        ("domain", "(define-fun domain ((|a| Bool) (|b| Bool) (|pc P| Int) (|pc Q| Int)) Bool (< |pc P| 2))"),
    ],
    ids=["variables lose their values", "steps without effect", "other actions", "a range too small"],
)
def test_a_relation_that_is_wrong_is_noticed(
    name: str, wrong: Callable[..., str] | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a definition lacks shows in some state."""
    assert not misread(philosophers(), 0)
    monkeypatch.setattr(Relation, name, wrong)
    assert misread(philosophers(), 0)


def test_what_shows_a_property_the_wrong_way_round_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for properties, and for a run that is followed."""
    monkeypatch.setattr(Integers, "_truth", lambda self, a: "true")
    assert misread(philosophers(), 0)
    assert misfound(philosophers(), "z3")
