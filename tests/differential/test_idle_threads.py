"""A thread that does nothing changes no verdict: of no kind of property, by no engine, in random systems and random programs."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from itertools import islice

import pytest
from msgspec.structs import replace

from draincheck import interpreter
from draincheck.checking import check
from draincheck.engines import explicit, liveness, portfolio
from draincheck.engines.smt import bmc, induction
from draincheck.errors import ModelError, ModelFault
from draincheck.expr import FALSE, TRUE, constant, eq
from draincheck.influence import bearing
from draincheck.lang import Model, any_
from draincheck.properties import Liveness, NoDeadlock
from draincheck.sorts import BOOL, IntSort
from draincheck.system import Action, BoolVar, IntVar, TransitionSystem, Update
from draincheck.verdict import Limits, Outcome
from tests.differential.test_liveness_networkx import expected, with_demands
from tests.language.play import record
from tests.language.random_programs import random_program
from tests.language.refusal import refusal
from tests.support.samples import sampled
from tests.support.strategies import random_system

Outcomes = Mapping[str, Outcome]

#: the fewest states of a system that is worth a look
LEAST = 3


def with_idler(system: TransitionSystem, *updates: Update, name: str = "idler") -> TransitionSystem:
    """The system with a thread that takes two steps for ever, and stores nothing unless told to."""
    at = IntVar(f"pc {name}", IntSort(0, 1), (0,), internal=True, counts=name)
    first = len(system.actions)
    idles = [
        Action(first + here, name, (), at.is_(here), (Update(at, constant(at.sort, 1 - here)), *updates))
        for here in (0, 1)
    ]
    at_rest = (*system.at_rest, (name, FALSE)) if system.at_rest else ()
    return replace(system, variables=(*system.variables, at), actions=(*system.actions, *idles), at_rest=at_rest)


def with_noter(system: TransitionSystem) -> TransitionSystem:
    """The same, but what it reads of the system it notes in a history variable that nobody reads."""
    seen = BoolVar("seen", BOOL, (0,), internal=True)
    read = next(variable for variable in system.variables if not variable.internal)
    noted = Update(seen, eq(read, constant(read.sort, read.sort.high)))
    return with_idler(replace(system, variables=(*system.variables, seen)), noted)


def with_talkers(system: TransitionSystem) -> TransitionSystem:
    """With two threads that talk with each other alone, by history variables."""
    told, heard = BoolVar("told", BOOL, (0,), internal=True), BoolVar("heard", BOOL, (0,), internal=True)
    wider = replace(system, variables=(*system.variables, told, heard))
    return with_idler(with_idler(wider, Update(told, heard)), Update(heard, ~told), name="other")


IDLE = (with_idler, with_noter, with_talkers)


def of_runs(system: TransitionSystem) -> Outcomes:
    """What the liveness engine says."""
    return {name: verdict.outcome for name, verdict in liveness.decide(system).items()}


def of_runs_by_reference(system: TransitionSystem) -> Outcomes:
    """What plain graph code says of the demands on runs."""
    return {item.name: expected(system, item) for item in system.properties if isinstance(item, Liveness)}


def by_search(system: TransitionSystem) -> Outcomes:
    """What explicit search says of properties of states and steps."""
    return {name: verdict.outcome for name, verdict in explicit.explore(system).verdicts.items()}


def by_interpreter(system: TransitionSystem) -> Outcomes:
    """What the referee says of them."""
    return {name: verdict.outcome for name, verdict in interpreter.explore(system).verdicts.items()}


def by_race(system: TransitionSystem) -> Outcomes:
    """What explicit search and bounded model checking say together."""
    names = [item.name for item in system.properties if not isinstance(item, Liveness)]
    return {name: portfolio.check(system, name).outcome for name in names}


DECIDING = (by_search, by_interpreter, of_runs, of_runs_by_reference, by_race)


def about(system: TransitionSystem) -> TransitionSystem:
    """The system without the demand that only a system can be asked which says where its processes rest."""
    items = tuple(p for p in system.properties if system.at_rest or not isinstance(p, NoDeadlock))
    return replace(system, properties=items)


def sample(seed: int) -> TransitionSystem:
    """A random system with properties of all kinds."""
    states = random_system(seed, 2 + seed % 3, 1 + seed % 3, seed % 2, folded=True, careless=0)
    runs = with_demands(states, seed)
    return about(replace(states, properties=(*states.properties, *runs.properties), fairness=runs.fairness))


def outcomes(decide: Callable[[TransitionSystem], Outcomes], system: TransitionSystem) -> Outcomes | str:
    """What an engine says, or that an action is at fault."""
    try:
        return decide(system)
    except ModelFault as fault:
        return str(fault)


def is_small(system: TransitionSystem) -> bool:
    """Few enough states for the referees, which are slow."""
    try:
        return not explicit.explore(system, Limits(states=150)).statistics.queue
    except ModelFault:
        return True


@pytest.mark.slow
@pytest.mark.parametrize("part", sampled(range(36), 1, 2))
def test_idle_thread_changes_no_verdict_of_a_random_system(part: int) -> None:
    """Every engine that decides says of every property what it says without the thread."""
    seen = set[tuple[str, Outcome]]()
    for seed in range(20 * part, 20 * (part + 1)):
        system = sample(seed)
        if not is_small(system):
            continue
        for decide in DECIDING if seed % 6 == 0 else DECIDING[:-1]:
            alone, beside = outcomes(decide, system), outcomes(decide, IDLE[seed % len(IDLE)](system))
            assert alone == beside, (seed, decide.__name__)
            if not isinstance(alone, str):
                seen |= {(type(system.property_named(name)).__name__, outcome) for name, outcome in alone.items()}
    kinds = ("Always", "Assertion", "Reachable", "NoDeadlock", "CanAlwaysFinish", "Eventually", "LeadsTo")
    assert {kind for kind, _ in seen} >= set(kinds)
    assert {outcome for _, outcome in seen} >= {Outcome.HOLDS, Outcome.VIOLATED, Outcome.NEVER_ASKED}


@pytest.mark.parametrize("systems", sampled([3, 40], 1, 1))
def test_idle_thread_turns_no_verdict_of_an_engine_with_a_bound(systems: int) -> None:
    """Bounded model checking and induction may know more or less with the thread, and never the opposite."""
    for seed in range(systems):
        system = sample(seed)
        names = [item.name for item in system.properties if not isinstance(item, Liveness)]
        for other in (system, with_idler(system)):
            known = outcomes(by_search, other)
            if isinstance(known, str):
                continue
            found = bmc.decide(other, names, Limits(depth=6))
            proved = {name: verdict for name, (verdict, _) in induction.prove(other, names, Limits(depth=2)).items()}
            for verdicts in (found, proved):
                for name, verdict in verdicts.items():
                    assert verdict.outcome in (Outcome.UNKNOWN, known[name]), (seed, verdict)


def only(system: TransitionSystem, names: Container[str]) -> TransitionSystem:
    """The system with some of its processes alone."""
    kept = [action for action in system.actions if action.process in names]
    index = {action.index: number for number, action in enumerate(kept)}
    fairness = [replace(f, actions=tuple(index[n] for n in f.actions if n in index)) for f in system.fairness]
    return replace(
        system,
        actions=tuple(replace(action, index=number) for number, action in enumerate(kept)),
        fairness=tuple(promise for promise in fairness if promise.actions),
        at_rest=tuple((name, rests) for name, rests in system.at_rest if not name or name in names),
    )


@pytest.mark.parametrize("part", sampled(range(12), 0, 4))
def test_who_does_not_matter_can_be_left_out(part: int) -> None:
    """Both readings of who matters agree on every demand, and with the others left out every engine says the same."""
    left_out = 0
    for seed in range(30 * part, 30 * (part + 1)):
        system = IDLE[seed % len(IDLE)](sample(seed)) if seed % 2 else sample(seed)
        everybody = {action.process for action in system.actions}
        found = {**by_search(system), **of_runs(system)} if is_small(system) else {}
        for item in system.properties:
            matter = set(bearing(system, item))
            assert matter == interpreter.bearing(system, item), (seed, item.name)
            if matter < everybody and found:
                left_out += 1
                decide = of_runs if isinstance(item, Liveness) else by_search
                assert decide(only(system, matter))[item.name] is found[item.name], (seed, item.name)
    assert left_out > 10


def test_thread_that_stores_something_does_change_verdicts() -> None:
    """Negative control: with an update of what the properties are about, some verdict of many a system is another."""

    def is_changed(seed: int) -> bool:
        system = sample(seed)
        variable = next(v for v in system.variables if not v.internal)
        store = Update(variable, constant(variable.sort, variable.sort.high))
        return outcomes(by_search, system) != outcomes(by_search, with_idler(system, store))

    assert len([*islice(filter(is_changed, range(60)), 6)]) == 6


def test_idle_thread_would_hide_a_deadlock_that_is_only_looked_for_where_nothing_moves() -> None:
    """Negative control: asked as a state without enabled actions, a deadlock is gone as soon as somebody spins."""
    m = Model("wait")
    go = m.bool("go")
    with m.thread("p") as p:
        p.wait("for go", go)
    m.no_deadlock()
    system = m.compile()
    assert by_search(system) == by_search(with_idler(system)) == {"no deadlock": Outcome.VIOLATED}
    blind = replace(system, at_rest=())
    assert by_search(blind) == {"no deadlock": Outcome.VIOLATED}
    assert by_search(with_idler(blind)) == {"no deadlock": Outcome.HOLDS}


def demanding(seed: int, idle: bool) -> Model | None:
    """The model of a random program with demands of all kinds, and a thread that does nothing; None for a program that is refused."""
    program = random_program(seed)
    if refusal(program):
        return None
    model = record(program, [])
    ends = [model.at(process.name, "(ended)") for process in program.processes]
    if seed % 2:
        model.final_when = None
    if seed % 3:
        model.progress("strong" if seed % 5 == 0 else "weak")
    model.no_deadlock()
    for number, end in enumerate(ends):
        model.always(f"goes on {number}", ~end)
        model.eventually(f"ends {number}", end)
        model.stays_reachable(f"may end {number}", end)
        model.leads_to(f"all end {number}", end, any_(*ends[number + 1 :]))
    if idle:
        with model.thread("idler") as p, p.loop():
            p.do("nothing")
            p.do("nothing again", when=TRUE)
    return model


@pytest.mark.parametrize("part", sampled(range(20), 0, 4))
def test_idle_thread_changes_no_verdict_of_a_random_program(part: int) -> None:
    """In the language too, with promises of progress and without, with final states and without."""
    seen = set[Outcome]()
    compared = 0
    for seed in range(40 * part, 40 * (part + 1)):
        found = [verdicts(model) for idle in (False, True) if (model := demanding(seed, idle)) is not None]
        if found:
            assert found[0] == found[1], seed
            compared += 1
            seen |= set(found[0].values())
    assert compared > 10
    assert seen >= {Outcome.HOLDS, Outcome.VIOLATED}


def verdicts(model: Model) -> Outcomes:
    """The outcomes of everything; none for a program with an error of the run."""
    try:
        return {name: verdict.outcome for name, verdict in check(model).verdicts.items()}
    except (ModelError, ModelFault):
        return {}
