"""The graph that machine code lists is the one that Python lists: states, edges, what is fair, who waits. So demands on runs have the same verdicts."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Sequence
from random import Random
from typing import Any

import networkx as nx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from msgspec.structs import replace

from draincheck import budget
from draincheck.engines.liveness import decide
from draincheck.exploration import loop as loops
from draincheck.exploration.components import components
from draincheck.exploration.graph import ExploredGraph, StateGraph
from draincheck.expr import BoolExpr
from draincheck.native import cache, code, graph, kernel_fair, kernel_graph, parts, staying, system, team, tiers
from draincheck.native.tiers import Tier, graph_of
from draincheck.promise import Fairness, Strength
from draincheck.reason import Stop, StopKind
from draincheck.system import TransitionSystem
from draincheck.verdict import SILENT, Limits, Outcome
from drainspecs.mirror import liveness as mirror_liveness
from drainspecs.suite.matrix import default_rows
from tests.differential.test_liveness_networkx import with_demands
from tests.differential.test_liveness_reference import systems as small_systems
from tests.support.breaking import kernel
from tests.support.layouts import GAPS, Spread, spread_out
from tests.support.machines import event_loop
from tests.support.samples import evenly, sampled
from tests.support.strategies import limits, random_system, tries

RANDOM = tries(15, HealthCheck.function_scoped_fixture)


@pytest.fixture(params=sampled(GAPS, [0, 40]))
def spread(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """States have gaps between their fields; the kernel comes back often."""
    spread_out(monkeypatch, request.param)
    in_small_pieces(monkeypatch)
    yield


def in_small_pieces(patch: pytest.MonkeyPatch) -> None:
    """Whatever is done piece by piece is done in many."""
    patch.setattr(graph, "PIECE", 13)
    patch.setattr(graph, "CUTS", 2)
    patch.setattr(staying, "PIECE", 7)
    patch.setattr("draincheck.native.waiting.PIECE", 5)


def demanding(seed: int, careless: int = 10) -> TransitionSystem:
    """A random system with demands on its runs, fairness and faults; with several initial states, some."""
    random = Random(seed)
    size, processes = random.randint(2, 4), random.randint(1, 3)
    return with_demands(
        random_system(seed, size, processes, random.randint(0, 2), folded=True, careless=careless), seed
    )


systems = st.builds(demanding, st.integers(0, 2**32 - 1))


def listed(system: TransitionSystem, tier: Tier, limit: Limits, conditions: Sequence[BoolExpr] = ()) -> ExploredGraph:
    """The graph of a system, by this tier."""
    return graph_of(system, conditions, limit, SILENT, tier)


def conditions_of(system: TransitionSystem) -> list[BoolExpr]:
    """Conditions that can be asked of it."""
    return list(dict.fromkeys(action.guard for action in system.actions))[:4]


def seen(found: ExploredGraph, conditions: Collection[BoolExpr]) -> dict[str, Any]:
    """All that a graph says of its states."""
    numbers = range(len(found))
    return {
        "states": [found.state(number) for number in numbers],
        "edges": [list(found.edges[number]) for number in numbers],
        "depth": list(found.depth)[: len(found)],
        "enabled": list(found.enabled)[: len(found)],
        "where": [bytes(found.where(condition)) for condition in conditions],
        "others": (found.cut, found.stuck, found.expanded, found.fired, found.roots, found.weak, found.strong),
        "met": found.met(),
        "grants": found.grants,
        "stopped": (found.stopped, found.incomplete),
        "stops": [found.may_stop(number) for number in numbers],
        "paths": [found.path(number) for number in range(0, len(found), 7)],
    }


def homes_in(found: ExploredGraph, inside: Collection[int]) -> set[frozenset[int]]:
    """The fair parts, as sets."""
    homes = found.fair_homes(inside)
    return {frozenset(other for other in homes if other in homes[number]) for number in homes}


def ways_in(found: ExploredGraph, starts: Sequence[int], met: bytearray) -> list[tuple[int, int, object]]:
    """Who waits, how deep, and how they come there."""
    ways = found.waiting(iter(starts), met)
    return [(number, ways.depth(number), ways.origin(number)) for number in ways.numbers]


@pytest.mark.slow
@pytest.mark.parametrize("part", sampled(range(30), 1, 2))
@RANDOM
@given(systems, limits(), st.integers(0, 2**32 - 1))
def test_graphs_are_equal(spread: None, part: int, system: TransitionSystem, limit: Limits, seed: int) -> None:
    """State by state and edge by edge, under every limit of states."""
    Spread.seed = seed
    conditions = conditions_of(system)
    python, native = (listed(system, tier, limit, conditions) for tier in (Tier.PYTHON, Tier.NATIVE))
    assert seen(native, conditions) == seen(python, conditions)


@pytest.mark.slow
@pytest.mark.parametrize("part", sampled(range(30), 1, 2))
@RANDOM
@given(systems, st.integers(0, 2**32 - 1))
def test_fair_parts_and_ways_to_wait_are_equal(spread: None, part: int, system: TransitionSystem, seed: int) -> None:
    """Inside any states, and from any on, whatever is taken for the goal."""
    Spread.seed = seed
    python, native = (listed(system, tier, Limits(states=300)) for tier in (Tier.PYTHON, Tier.NATIVE))
    random, numbers = Random(seed), range(len(python))
    for share in (1.0, 0.8, 0.5):
        inside = [number for number in numbers if random.random() < share]
        assert homes_in(native, inside) == homes_in(python, inside)
        met = bytearray(random.random() > share for _ in numbers)
        starts = [number for number in numbers if random.random() < 0.3 and not met[number]]
        assert ways_in(native, starts, met) == ways_in(python, starts, met)


@pytest.mark.slow
@pytest.mark.parametrize("part", sampled(range(30), 1, 2))
@RANDOM
@given(st.one_of(systems, small_systems()), limits(), st.integers(0, 2**32 - 1))
def test_verdicts_are_equal(spread: None, part: int, system: TransitionSystem, limit: Limits, seed: int) -> None:
    """On demands on whole runs, with the runs that show a violation, their loops, and the reasons."""
    Spread.seed = seed
    python, native = (decide(system, limits=limit, tier=tier) for tier in (Tier.PYTHON, Tier.NATIVE))
    assert native == python


@pytest.mark.parametrize("part", sampled(range(10), 0, 5))
@RANDOM
@given(systems)
def test_threads_that_search_together_change_nothing(
    monkeypatch: pytest.MonkeyPatch, part: int, system: TransitionSystem
) -> None:
    """Whoever finds a state first: layers are sorted before they are numbered."""
    monkeypatch.setattr(team, "ENOUGH", 1)
    monkeypatch.setattr(team, "processors", lambda: 3)
    assert decide(system, tier=Tier.NATIVE) == decide(system, tier=Tier.PYTHON)


# -- the kernel, as Python --------------------------------------------------------------------------


def block(edges: Sequence[Sequence[tuple[int, int]]]) -> list[Any]:
    """What the kernel is told of a graph, in lists."""
    size, shared = len(edges), [0] * parts.SHARED
    made: list[Any] = list(shared)
    starts = [0]
    for leaving in edges:
        starts.append(starts[-1] + len(leaving))
    made[parts.STARTS], made[parts.STORED] = starts, size
    made[parts.ACTIONS] = [action for leaving in edges for action, _ in leaving]
    made[parts.TARGETS] = [target for leaving in edges for _, target in leaving]
    made[parts.INSIDE] = bytearray(b"\1" * size)
    for name in (parts.INDEX, parts.LOW, parts.HOME, parts.CALLS, parts.PATH, parts.POSITIONS, parts.ENABLED):
        made[name] = [0] * (size + 1)
    return made


def random_graph(random: Random) -> list[list[tuple[int, int]]]:
    """A few states, with edges anywhere."""
    size = random.randint(1, 12)
    return [[(0, random.randrange(size)) for _ in range(random.choice((0, 1, 1, 2, 3)))] for _ in range(size)]


@pytest.mark.parametrize("seed", range(60))
def test_the_text_finds_strongly_connected_parts(seed: int) -> None:
    """Those of another library, within any states, however often it is interrupted; and those of Python's own search, single states left out."""
    random = Random(seed)
    edges = random_graph(random)
    shared, inside = block(edges), [number for number in range(len(edges)) if random.random() < 0.8]
    shared[parts.INSIDE][:] = bytes(number in inside for number in range(len(edges)))
    while kernel_fair.tarjan(shared, random.randint(1, 5)):
        pass
    found: dict[int, set[int]] = {}
    for number in inside:
        found.setdefault(shared[parts.HOME][number], set()).add(number)
    whole: nx.DiGraph[int] = nx.DiGraph((here, target) for here, out in enumerate(edges) for _, target in out)
    whole.add_nodes_from(range(len(edges)))
    expected = nx.strongly_connected_components(whole.subgraph(inside))
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, expected))
    own = {frozenset(component) for component in components(edges, inside)}
    assert own <= set(map(frozenset, found.values()))


@pytest.mark.parametrize("seed", range(20))
def test_the_text_sorts(seed: int) -> None:
    """States in any order, whatever the length of the runs."""
    random = Random(seed)
    order = [random.getrandbits(100) for _ in range(random.randint(1, 40))]
    shared: list[Any] = [0] * parts.SHARED
    shared[parts.ORDER], shared[parts.BUFFER] = order[:], [0] * len(order)
    width = 1
    while width < len(order):
        kernel_graph.merge_runs(shared, 0, len(order), width)
        width *= 2
    assert shared[parts.ORDER] == sorted(order)


# -- who lists it -----------------------------------------------------------------------------------


def test_machine_code_takes_over_where_there_are_many_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before; and nobody can tell from what is found."""
    monkeypatch.setattr(tiers, "MANY", 50)
    small, large = with_demands(event_loop(1, 1), 1), with_demands(event_loop(1, 2), 1)
    assert [type(listed(each, Tier.BY_SIZE, Limits())) for each in (small, large)] == [StateGraph, graph.NativeGraph]
    assert decide(large) == decide(large, tier=Tier.PYTHON)


def test_without_llvmlite_python_goes_on_and_says_what_would_have_helped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there were many states."""
    monkeypatch.setattr(tiers, "MANY", 50)
    monkeypatch.setattr(tiers, "WAITED", 100)
    monkeypatch.setattr(tiers, "is_installed", lambda: False)
    system = event_loop(1, 2)
    found = listed(system, Tier.BY_SIZE, Limits())
    assert isinstance(found, StateGraph) and tiers.MISSING in found.advice


def test_where_no_machine_code_can_be_made_python_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says why."""

    def broken(*_: object) -> None:
        raise ImportError("no such file")

    monkeypatch.setattr(tiers, "MANY", 50)
    monkeypatch.setattr(graph, "NativeExplorer", broken)
    found = listed(event_loop(1, 2), Tier.BY_SIZE, Limits())
    assert isinstance(found, StateGraph) and found.advice.endswith("no such file")


@pytest.mark.parametrize("looks", sampled(range(1, 60, 4), range(1, 60, 16)))
def test_whoever_does_not_wait_gets_unknown(looks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the command is interrupted, while states are found, sorted or numbered, edges listed or parts looked for."""
    in_small_pieces(monkeypatch)
    expected, left = decide(with_demands(event_loop(1, 1), 1)), [looks]
    whole = budget.Budget.stop

    def stop(self: budget.Budget, more: int = 0) -> Stop | None:
        left[0] -= 1
        return whole(self, more) if left[0] else Stop(StopKind.REQUEST)

    monkeypatch.setattr(budget.Budget, "stop", stop)
    verdicts = decide(with_demands(event_loop(1, 1), 1), tier=Tier.NATIVE)
    assert left[0] <= 0
    for name, verdict in verdicts.items():
        if verdict.outcome is Outcome.UNKNOWN:
            assert verdict.reason.stopped is not None
        else:
            assert verdict.outcome is expected[name].outcome
    assert looks > 5 or any(verdict.outcome is Outcome.UNKNOWN for verdict in verdicts.values())


def test_more_assumptions_than_a_word_has_bits_are_left_to_python() -> None:
    """By size without a word, and with one where machine code is demanded."""
    some = demanding(3)
    many = replace(some, fairness=tuple(Fairness(f"f{n}", Strength.WEAK, (0,)) for n in range(65)))
    most = replace(some, fairness=many.fairness[:64])
    assert decide(most, tier=Tier.NATIVE) == decide(most, tier=Tier.PYTHON)
    with pytest.raises(Exception, match="65 assumptions of fairness"):
        decide(many, tier=Tier.NATIVE)
    assert decide(many) == decide(many, tier=Tier.PYTHON)


ROWS = 222


def of_rows() -> Iterator[TransitionSystem]:
    """The systems on which the liveness of the default rows is decided."""
    return (each for row in default_rows() for each in mirror_liveness.systems(row.revision, row.scenario).values())


@functools.cache
def distinct() -> list[TransitionSystem]:
    """Each of them once."""
    return list({each.digest: each for each in of_rows()}.values())


@pytest.mark.parametrize("number", sampled(evenly(range(ROWS), 5), 1, 45))
def test_rows_are_equal(number: int) -> None:
    """Of QEMU's code bases machine code says what Python says."""
    chosen = distinct()[number] if number else next(of_rows())
    assert number == 0 or len(distinct()) == ROWS
    assert decide(chosen, tier=Tier.NATIVE) == decide(chosen, tier=Tier.PYTHON)


# -- negative controls ------------------------------------------------------------------------------


BROKEN = {
    "runs are merged in any order": kernel("if order[left] < order[right]", "if order[right] < order[left]"),
    "edges stand as they come": kernel("actions[place - 1] > action", "actions[place - 1] > action + 1000"),
    "targets stay where they are": kernel("targets[place] = targets[place - 1]", "targets[place] = targets[place]"),
    "what a fault cuts off is not enabled": kernel("grant(shared, at, action_of[met[here]])", "0"),
    "what is taken is not enabled": kernel("grant(shared, at, acts[here])", "0"),
    "faults cut nothing off": kernel("shared[CUTS] += 1", "shared[CUTS] += 0"),
    "conditions hold nowhere": kernel("holding[at] = holds(order, at)", "holding[at] = 0"),
    "edges within a part are not looked at": kernel("low[node] = min(low[node], index[target])", "low[node] += 0"),
    "what was entered is not told to who came before": kernel("low[before] = min(low[before], low[node])", "low[before] += 0"),
    "closed parts are entered again": kernel("elif home[target] == 0", "elif 1"),
    "outside is inside": kernel("if inside[target]:", "if 1:"),
    "what is enabled everywhere is enabled somewhere": kernel("everywhere[home[at]] &=", "everywhere[home[at]] |="),
    "what is enabled somewhere is enabled everywhere": kernel("somewhere[home[at]] |=", "somewhere[home[at]] &="),
    "nothing is taken within": kernel("taken[part] |= grants[actions[edge]]", "taken[part] |= 0"),
    "edges out of a part are taken": kernel("if home[targets[edge]] == part", "if 1"),
    "nothing is starved": kernel("is_starved(shared, part) == 0", "part"),
    "nothing is barred": kernel("return owed - (owed & taken[part])", "return 0"),
    "all of a part is barred": kernel("elif (enabled[at] & barred) == 0:", "elif 0:"),
    "parts without a round are fair": kernel("if part and rounds[part] and", "if part and"),
    "goals are passed": kernel("waited[target] == 0 and met[target] == 0", "waited[target] == 0"),
    "the first comes last": kernel("shared[HEAD] -= 1\n        queue[shared[HEAD]] = start", "queue[shared[TAIL]] = start\n        shared[TAIL] += 1"),
    "beginnings come late": kernel("depths[begun[shared[NEXT_BEGUN]]] + 1 > waited", "depths[begun[shared[NEXT_BEGUN]]] + 2 > waited"),
    "edges are told one too late": kernel("origins[target] = edge + 1", "origins[target] = edge + 2"),
    "every wait is as deep": kernel("waited[target] = waited[here] + 1", "waited[target] = waited[here]"),
}  # fmt: skip

#: systems among which one shows what is broken
SAMPLE = 250


def differs(seed: int) -> bool:
    """Whether machine code says something else of one of them, or stumbles."""
    random = Random(seed)
    Spread.seed, Spread.widest = seed, 12 * (seed % 2)
    system = demanding(seed, careless=30)
    conditions = conditions_of(system)
    python, native = (listed(system, tier, Limits(states=200), conditions) for tier in (Tier.PYTHON, Tier.NATIVE))
    try:
        same = seen(native, conditions) == seen(python, conditions)
    except (ValueError, IndexError):
        return True
    numbers = range(len(python))
    inside = [number for number in numbers if random.random() < 0.9]
    met = bytearray(random.random() < 0.1 for _ in numbers)
    starts = [number for number in numbers if random.random() < 0.3 and not met[number]]
    same = same and homes_in(native, inside) == homes_in(python, inside)
    return not (same and ways_in(native, starts, met) == ways_in(python, starts, met))


@pytest.mark.slow
@pytest.mark.parametrize("what", sampled(BROKEN, list(BROKEN)[::5], len(BROKEN) // 2))
def test_machine_code_that_is_wrong_is_noticed(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part, broken on purpose, shows in some system of the sample, which unbroken it does not."""
    monkeypatch.setattr(loops, "Layout", Spread)
    monkeypatch.setattr(code, "kept", lambda key, make: make() if b"kernel graph" in key else cache.kept(key, make))
    system._kernel.cache_clear()
    with monkeypatch.context() as patch:
        BROKEN[what](patch)
        wrong = next((seed for seed in range(SAMPLE) if differs(seed)), None)
        system._kernel.cache_clear()
    assert wrong is not None
    assert not differs(wrong)
