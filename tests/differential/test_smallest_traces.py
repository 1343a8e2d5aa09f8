"""What `trace minimize` finds is as small as anything that trying finds, on random systems and random programs, and shows the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest
from msgspec.structs import replace

from draincheck import Limits, Run, TransitionSystem, check
from draincheck.analysis.manner import Manner
from draincheck.analysis.minimal import minimized
from draincheck.analysis.smallest import _Search
from draincheck.analysis.switches import Stacks, Threads
from draincheck.errors import EvidenceError, ModelError
from draincheck.exploration.explorer import Explorer
from draincheck.expr import BoolExpr, all_, constant, eq
from draincheck.properties import Liveness, Property, Reachable
from draincheck.system import Action, State
from drainspecs.mirror.code_base import CodeBase
from drainspecs.suite.matrix import default_rows
from tests.language.play import record
from tests.language.random_programs import random_program
from tests.support.samples import evenly, sampled
from tests.support.smallest import cheapest, costs
from tests.support.strategies import random_system

ROWS = [(row.revision.name, row.scenario.name) for row in default_rows()]
QUICK = [("ab27c3b5e7", "mirror")]

SIZE, SMALL = 10, Limits(states=400)


def machine(seed: int) -> TransitionSystem:
    """A system made by hand, so to say: processes that know nothing of coroutines."""
    return random_system(seed, 2 + seed % 2, 2 + seed % 2, seed % 3, folded=bool(seed % 2))


def program(seed: int) -> TransitionSystem | None:
    """A program of the language that is to come to some of its deepest states, beside what it demands; None if it is refused, as some are."""
    try:
        system = record(random_program(seed), []).compile()
    except ModelError:
        return None
    explorer = Explorer(system)
    explorer.run(SMALL)
    last = list(explorer.order())[-1:-40:-10]
    goals = [_exactly(system, explorer.loop.layout.unpack(state)) for state in last]
    return replace(
        system,
        properties=(*system.properties, *(Reachable(f"goal {number}", goal) for number, goal in enumerate(goals))),
    )


def _exactly(system: TransitionSystem, state: State) -> BoolExpr:
    """Where every variable is as in one state."""
    pairs = zip(system.variables, state, strict=True)
    return all_(*(eq(variable, constant(variable.sort, value)) for variable, value in pairs))


def counterexamples(
    make: Callable[[int], TransitionSystem | None], seeds: range
) -> Iterator[tuple[int, Run, Property]]:
    """What explicit search shows, of systems that are small enough to try everything."""
    for seed in seeds:
        system = make(seed)
        result = None if system is None else check(system, limits=SMALL)
        if result is not None and result.stopped is None:
            for finding in result.findings:
                if finding.verdict.trace is not None and not isinstance(finding.item, Liveness):
                    yield seed, Run.of(result.system, finding.verdict.trace), finding.item


def differing(
    make: Callable[[int], TransitionSystem | None], seeds: range
) -> Iterator[tuple[int, str, object, object]]:
    """Where the search and trying part ways."""
    for seed, run, item in counterexamples(make, seeds):
        made = minimized(run)
        least, after = cheapest(run, item), (made.after.switches, made.after.steps)
        if after != least or costs(made.run) != least or made.doubt or not Manner.of(run, item).is_shown(made.run):
            yield seed, item.name, after, least


@pytest.mark.parametrize("make", [machine, program])
@pytest.mark.parametrize("part", sampled(evenly(range(80), 2), 1, 2))
def test_the_smallest_is_the_smallest(make: Callable[[int], TransitionSystem | None], part: int) -> None:
    """No run has fewer switches, or as many and fewer steps; and the one that is found costs what is said, and shows the same."""
    assert [*differing(make, range(part * SIZE, (part + 1) * SIZE))] == []


@pytest.mark.parametrize("make", [machine, program])
@pytest.mark.parametrize("part", sampled(evenly(range(80), 2), 1, 2))
@pytest.mark.parametrize("states", sampled([0, 6, 25], [6]))
def test_leaving_out_steps_keeps_what_is_shown(
    make: Callable[[int], TransitionSystem | None], part: int, states: int
) -> None:
    """Where not all of the graph may be searched, what is left shows the same, costs no more than before, and nobody calls it the smallest."""
    for seed, run, item in counterexamples(make, range(part * SIZE, (part + 1) * SIZE)):
        made, least = minimized(run, Limits(states=states)), cheapest(run, item)
        assert least is not None and bool(made.doubt) == made.stopped, seed
        assert made.stopped or states > 0, seed
        assert least <= costs(made.run) == (made.after.switches, made.after.steps) <= costs(run), seed
        assert Manner.of(run, item).is_shown(Run.of(made.run.system, made.run.trace)), seed


@pytest.mark.slow
@pytest.mark.parametrize("row", sampled(ROWS, QUICK, 3), ids="-".join)
def test_the_smallest_of_a_code_base(row: tuple[str, str]) -> None:
    """The same for every counterexample of the default matrix: of three rows in the full run, of all in `make long`."""
    system = CodeBase.named(*row).system()
    for finding in check(system).findings:
        if finding.verdict.trace is not None:
            run = Run.of(system, finding.verdict.trace)
            made = minimized(run)
            assert cheapest(run, finding.item) == costs(made.run) == (made.after.switches, made.after.steps), (
                finding.name
            )
            assert costs(made.run) <= costs(run) and not made.doubt


# -- negative controls ------------------------------------------------------------------------------

CONTROLS = range(60)


def test_shortest_traces_are_not_the_smallest() -> None:
    """Those of explicit search often have more switches than need be: the search has something to do."""
    costly = (seed for seed, run, item in counterexamples(program, CONTROLS) if costs(run) != cheapest(run, item))
    assert len([*islice(costly, 11)]) == 11


def test_coroutines_on_stacks_of_their_own_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: to count each coroutine as a thread gives other traces."""

    def itself(_: Threads, action: Action, __: Stacks) -> str:
        return action.process

    monkeypatch.setattr(Threads, "of", itself)
    assert any(differing(program, CONTROLS))


def test_a_stack_that_is_never_left_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a coroutine that has come to another thread's stack and is still counted to the first one's."""
    after = Threads.after

    def kept(threads: Threads, action: Action, stacks: Stacks, *states: State) -> Stacks:
        return tuple(sorted({**dict(after(threads, action, stacks, *states)), **dict(stacks)}.items()))

    monkeypatch.setattr(Threads, "after", kept)
    assert any(differing(program, CONTROLS))


@pytest.mark.slow
def test_searching_for_fewest_steps_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: to order by steps alone finds traces that cost more than the given ones, which nobody gets to see."""
    onward = _Search._onward

    def other(search: _Search, switches: int, steps: int, place: Any) -> Iterator[Any]:
        for _, longer, *rest in onward(search, 0, steps, place):
            yield 0, longer, *rest

    monkeypatch.setattr(_Search, "_onward", other)
    with pytest.raises(EvidenceError):
        list(differing(program, CONTROLS))
