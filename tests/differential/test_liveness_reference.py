"""The liveness engine against a reference that tries every set of states a run could visit for ever."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from draincheck import op
from draincheck.engines.liveness import decide
from draincheck.errors import SourceLine
from draincheck.expr import FALSE, TRUE, BoolExpr, IntExpr, any_
from draincheck.promise import Fairness, Strength
from draincheck.properties import Eventually, LeadsTo, Liveness, NoFault
from draincheck.run import Run, Trace, rerun
from draincheck.semantics.violation import shows
from draincheck.sorts import IntSort
from draincheck.system import Action, Fault, FaultKind, IntVar, State, TransitionSystem
from draincheck.verdict import Limits, Outcome
from tests.support.samples import sampled

MOST_STATES = 6
#: paths are enumerated up to this length
LONGEST_TRIED = 5
HERE = SourceLine("test", 1)

#: state, action, state after
Edge = tuple[State, int, State]


def violates(system: TransitionSystem, item: Liveness, trace: Trace) -> bool:
    """Whether a trace, executed, shows a demand on whole runs to be broken."""
    return shows(Run.of(system, trace), item)


# -- the reference ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Graph:
    """All that can happen in a system, by its own rules."""

    states: frozenset[State]
    edges: tuple[Edge, ...]
    bound: bool


def graph_of(system: TransitionSystem) -> Graph:
    todo, states, edges, bound = list(system.initial), set(system.initial), list[Edge](), False
    while todo:
        state = todo.pop()
        for action in system.enabled(state):
            if (fault := system.fault(state, action)) is not None:
                bound = (
                    bound or fault.kind is FaultKind.BOUND
                )  # a run that ends with an error is over, and has waited for nothing
                continue
            after = system.step(state, action)
            edges.append((state, action.index, after))
            if after not in states:
                states.add(after)
                todo.append(after)
    return Graph(frozenset(states), tuple(edges), bound)


def reach(sources: Iterable[State], edges: Iterable[Edge]) -> set[State]:
    found = set(sources)
    for _ in range(MOST_STATES):
        found |= {after for before, _, after in edges if before in found}
    return found


def waiting_states(system: TransitionSystem, item: Liveness, graph: Graph) -> set[State]:
    """The states in which some run still owes the goal."""
    match item:
        case Eventually(goal=goal):
            starts: Iterable[State] = system.initial
        case LeadsTo(trigger=trigger, goal=goal):
            starts = [state for state in graph.states if system.holds(trigger, state)]
        case _:
            raise NotImplementedError
    open_edges = [edge for edge in graph.edges if not (system.holds(goal, edge[0]) or system.holds(goal, edge[2]))]
    return reach([state for state in starts if not system.holds(goal, state)], open_edges)


def is_connected(states: frozenset[State], edges: list[Edge]) -> bool:
    return bool(edges) and all(reach([state], edges) == states for state in states)


def is_fair(system: TransitionSystem, states: Iterable[State], edges: Iterable[Edge]) -> bool:
    """Whether a run that takes exactly these edges, in exactly these states, again and again is fair."""
    for fairness in system.fairness:
        taken = any(action in fairness.actions for _, action, _ in edges)
        enabled = [any(a.index in fairness.actions for a in system.enabled(state)) for state in states]
        neglected = all(enabled) if fairness.strength is Strength.WEAK else any(enabled)
        if neglected and not taken:
            return False
    return True


def stays(system: TransitionSystem, state: State) -> bool:
    """Whether a run may stay in a state for ever: fair as a run is that visits nothing else and takes nothing."""
    return is_fair(system, [state], [])


def breakable(system: TransitionSystem, item: Liveness, graph: Graph) -> bool:
    """Whether some fair run breaks the demand."""
    return fair_run_among(system, waiting_states(system, item, graph), graph)


def fair_run_among(system: TransitionSystem, states: Collection[State], graph: Graph) -> bool:
    """Whether some fair run stays among some states for ever."""
    if any(stays(system, state) for state in states):
        return True
    sets = chain.from_iterable(combinations(sorted(states), size) for size in range(1, len(states) + 1))
    for chosen in map(frozenset, sets):
        inner = [edge for edge in graph.edges if edge[0] in chosen and edge[2] in chosen]
        if is_connected(chosen, inner) and is_fair(system, chosen, inner):
            return True
    return False


def expected(system: TransitionSystem, item: Liveness) -> Outcome:
    graph = graph_of(system)
    if breakable(system, item, graph):
        return Outcome.VIOLATED
    if graph.bound:
        return Outcome.UNKNOWN
    return Outcome.HOLDS if is_asked(system, item, graph) else Outcome.NEVER_ASKED


def is_asked(system: TransitionSystem, item: Liveness, graph: Graph) -> bool:
    """Whether something can happen at all, and the trigger, if there is one, comes about, in a run to the goal or a fair one without an error."""
    steps = ((state, action) for state in graph.states for action in system.enabled(state))
    if all(system.fault(state, action) for state, action in steps):
        return False
    trigger, goal = (item.trigger if isinstance(item, LeadsTo) else TRUE), item.conditions()[-1]
    among = graph.states if isinstance(item, LeadsTo) else system.initial
    later = reach((state for state in among if system.holds(trigger, state)), graph.edges)
    return any(system.holds(goal, state) for state in later) or fair_run_among(system, later, graph)


# -- random systems -----------------------------------------------------------------------------------


def among(state: IntVar, numbers: Iterable[int]) -> BoolExpr:
    return any_(*(state.is_(number) for number in numbers))


def goes_to(
    index: int,
    state: IntVar,
    sources: Iterable[int],
    target: int,
    bounds: Iterable[int] = (),
    *,
    kind: FaultKind = FaultKind.BOUND,
) -> Action:
    """The action that leads from any of some states to one; from `bounds` it would pass a bound."""
    faults = [Fault(kind, among(state, [number]), "too far", HERE) for number in bounds]
    new = IntExpr("", state.sort, op=op.CONST, value=target)
    return Action(index, "p", (), among(state, sources), (state.to(new),), faults=tuple(faults))


@st.composite
def systems(draw: st.DrawFn) -> TransitionSystem:
    """A ring of states, a few more, actions that each lead from any of some states to one, and any fairness over all of them.

    The ring keeps runs from getting stuck too soon, goals are single states: so there is something to be fair about.
    """
    size = draw(st.integers(2, MOST_STATES))
    ring = draw(st.integers(1, size))
    numbers = st.integers(0, size - 1)
    state = IntVar("s", IntSort(0, size - 1), (0,))
    moves = [([number], (number + 1) % ring) for number in range(ring)]
    moves += draw(st.lists(st.tuples(st.lists(numbers, unique=True), numbers), min_size=1, max_size=5))
    kind = draw(st.sampled_from((None, None, FaultKind.BOUND, FaultKind.RANGE, FaultKind.RANGE)))
    faulty = draw(st.integers(0, len(moves) - 1))
    actions = tuple(
        goes_to(i, state, *move, move[0] if i == faulty and kind else (), kind=kind or FaultKind.RANGE)
        for i, move in enumerate(moves)
    )
    progress = [Fairness("all", Strength.WEAK, tuple(range(len(actions))))] if draw(st.booleans()) else []
    groups = st.lists(st.integers(0, len(actions) - 1), min_size=1, max_size=2, unique=True).map(tuple)
    fairness = st.builds(Fairness, st.just("some"), st.sampled_from(Strength), groups)
    items = (
        Eventually("eventually", among(state, [draw(numbers)])),
        LeadsTo("leads to", among(state, draw(st.lists(numbers))), among(state, [draw(numbers)])),
    )
    return TransitionSystem(
        "random", (state,), actions, items, fairness=(*progress, *draw(st.lists(fairness, max_size=4)))
    )


def assert_shows(system: TransitionSystem, item: Liveness, trace: Trace | None) -> None:
    """The counterexample is one in the reference's eyes: its own loop is fair, and waits for the goal."""
    assert trace is not None
    steps = rerun(system, trace)
    waiting = waiting_states(system, item, graph_of(system))
    if trace.loop is None:
        last = steps[-1].after if steps else trace.initial
        assert last in waiting and stays(system, last)
        return
    loop = steps[trace.loop :]
    assert {step.before for step in loop} <= waiting
    assert is_fair(system, {step.before for step in loop}, [(s.before, s.action, s.after) for s in loop])


def compare(system: TransitionSystem) -> None:
    for name, verdict in decide(system).items():
        item = system.property_named(name)
        if isinstance(item, NoFault):
            continue
        assert isinstance(item, Liveness)
        assert verdict.outcome is expected(system, item), verdict
        if verdict.outcome is Outcome.VIOLATED:
            assert_shows(system, item, verdict.trace)


@pytest.mark.parametrize("part", sampled(range(50), 1, 5))
@given(systems())
@settings(max_examples=100, deadline=None)
def test_engine_agrees_with_the_reference(part: int, system: TransitionSystem) -> None:
    """On small random systems with random fairness every verdict is the reference's, and every counterexample is one."""
    compare(system)


def paths(system: TransitionSystem, longest: int) -> Iterator[tuple[tuple[int, ...], list[State]]]:
    """All paths of up to so many actions: the actions, and the states they pass."""
    found: list[tuple[tuple[int, ...], list[State]]] = [((), [state]) for state in system.initial]
    for _ in range(longest + 1):
        yield from found
        found = [
            ((*actions, action.index), [*states, system.step(states[-1], action)])
            for actions, states in found
            for action in system.enabled(states[-1])
            if system.fault(states[-1], action) is None
        ]


def waits(system: TransitionSystem, item: Liveness, states: list[State]) -> bool:
    """Whether a run that came this way waits for the goal."""
    if isinstance(item, LeadsTo):
        asked = max((n for n, state in enumerate(states) if system.holds(item.trigger, state)), default=len(states))
        return asked < len(states) and not any(system.holds(item.goal, state) for state in states[asked:])
    assert isinstance(item, Eventually)
    return not any(system.holds(item.goal, state) for state in states)


def shortest(system: TransitionSystem, item: Liveness, most: int) -> int | None:
    """How many actions it takes to show a run that breaks a demand and waits when its loop begins; None if more than `most`."""
    for actions, states in paths(system, most):
        loops = [number for number, state in enumerate(states[:-1]) if state == states[-1]]
        for loop in (None, *(number for number in loops if waits(system, item, states[: number + 1]))):
            if violates(system, item, Trace(system.name, system.digest, item.name, states[0], actions, loop)):
                return len(actions)
    return None


@pytest.mark.slow
@pytest.mark.parametrize("part", sampled(range(6), 1))
@given(systems())
@settings(max_examples=50, deadline=None)
def test_counterexample_is_a_shortest_one(part: int, system: TransitionSystem) -> None:
    """No run that waits when its loop begins can be shown with fewer actions (the engine gives up on that only in wide systems)."""
    for name, verdict in decide(system).items():
        if verdict.trace is not None and len(verdict.trace.actions) <= LONGEST_TRIED:
            item = system.property_named(name)
            if isinstance(item, NoFault):
                continue
            assert isinstance(item, Liveness)
            assert shortest(system, item, len(verdict.trace.actions)) == len(verdict.trace.actions)


@pytest.mark.parametrize("part", sampled(range(4), 1))
@given(systems(), st.integers(1, MOST_STATES))
@settings(max_examples=50, deadline=None)
def test_limit_never_turns_unknown_into_a_verdict(part: int, system: TransitionSystem, most: int) -> None:
    """With a limit on states the engine says what it would say without, or unknown; it never says holds too early."""
    for name, verdict in decide(system, limits=Limits(states=most)).items():
        item = system.property_named(name)
        if isinstance(item, NoFault):
            continue
        assert isinstance(item, Liveness)
        seen = len(graph_of(system).states)
        allowed = (
            {expected(system, item)}
            if most >= seen
            else {Outcome.UNKNOWN, expected(system, item)} - {Outcome.HOLDS, Outcome.NEVER_ASKED}
        )
        assert verdict.outcome in allowed


def test_reference_tells_weak_from_strong() -> None:
    """Negative control of the reference: what is enabled every other step is starved under weak fairness, not under strong."""
    state = IntVar("s", IntSort(0, 2), (0,))
    moves = [(0, 1), (1, 0), (0, 2)]
    actions = tuple(
        Action(i, "p", (), state.is_(source), (state.set(target),)) for i, (source, target) in enumerate(moves)
    )
    item = Eventually("out", state.is_(2))
    system = TransitionSystem("swing", (state,), actions, (item,))
    outcomes = [
        expected(replace(system, fairness=(Fairness("swing", Strength.WEAK, (0, 1)), *fairness)), item)
        for fairness in ((), (Fairness("out", Strength.WEAK, (2,)),), (Fairness("out", Strength.STRONG, (2,)),))
    ]
    assert outcomes == [Outcome.VIOLATED, Outcome.VIOLATED, Outcome.HOLDS]


def test_reference_sees_a_run_that_gets_stuck() -> None:
    """Negative control of the reference: a run that ends short of the goal breaks the demand, whatever is assumed."""
    state = IntVar("s", IntSort(0, 1), (0,))
    action = Action(0, "p", (), state.is_(0), (state.set(1),))
    items = (Eventually("never", FALSE), LeadsTo("at once", TRUE, TRUE))
    system = TransitionSystem("stuck", (state,), (action,), items, fairness=(Fairness("p", Strength.WEAK, (0,)),))
    assert [expected(system, item) for item in items] == [Outcome.VIOLATED, Outcome.HOLDS]


def test_reference_lets_a_run_stop_where_nobody_promised_otherwise() -> None:
    """Negative control of the reference: of a step that is enabled all the time only a promise says that it is taken."""
    state = IntVar("s", IntSort(0, 1), (0,))
    action = Action(0, "p", (), state.is_(0), (state.set(1),))
    item = Eventually("one", state.is_(1))
    system = TransitionSystem("lone", (state,), (action,), (item,))
    promises = [(), *((Fairness("p", strength, (0,)),) for strength in Strength)]
    outcomes = [expected(replace(system, fairness=promise), item) for promise in promises]
    assert outcomes == [Outcome.VIOLATED, Outcome.HOLDS, Outcome.HOLDS]
