"""Random walks: what they find, what they never claim, and that the same seed walks the same way."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from draincheck.engines.explicit import explore
from draincheck.engines.simulation import Simulation, simulate
from draincheck.errors import ModelError
from draincheck.lang import Model
from draincheck.properties import Property
from draincheck.run import rerun
from draincheck.verdict import Limits, Outcome, Silent

HOLDS, VIOLATED, UNKNOWN = Outcome.HOLDS, Outcome.VIOLATED, Outcome.UNKNOWN


def walker(size: int = 4) -> Model:
    """A process that walks up and down between 0 and a size, and may stop for good at the top."""
    m = Model("walker")
    place, rests = m.int("place", 0, size), m.bool("rests")
    with m.thread("p") as p, p.loop(), p.either() as choice:
        with choice():
            p.do("up", place.inc(), when=place < size)
        with choice():
            p.do("down", place.dec(), when=place > 0)
        with choice():
            p.do("rests", rests.set(), when=place.is_(size))
            p.check("never rests", ~rests)
            p.break_()
    m.always("below the top", place < size)
    m.always("in bounds", place <= size)
    m.reachable("top", place.is_(size))
    m.reachable("nowhere", place < 0)
    m.final(place.is_(0))
    m.no_deadlock()
    m.can_always_finish("can rest", rests)
    m.eventually("will rest", rests)
    return m


def found(seed: int = 0, runs: int = 100, depth: int = 50) -> Simulation:
    return simulate(walker().compile(), runs=runs, depth=depth, seed=seed)


def test_walks_find_violations_and_witnesses() -> None:
    """Invariants, assertions and deadlocks are violated by a walk, a reachability goal is met by one."""
    outcomes = {name: verdict.outcome for name, verdict in found().verdicts.items()}
    assert outcomes == {
        "below the top": VIOLATED,
        "in bounds": UNKNOWN,
        "top": HOLDS,
        "nowhere": UNKNOWN,
        "no deadlock": VIOLATED,
        "never rests": VIOLATED,
        "can rest": UNKNOWN,
        "will rest": UNKNOWN,
    }


def test_nothing_found_is_never_holds() -> None:
    """A property that no walk breaks is unknown, and the verdict says what was done."""
    verdict = found(seed=3, runs=20).verdicts["in bounds"]
    how = "only a search: 20 random walks of up to 50 actions found nothing (seed 3)"
    assert (verdict.outcome, str(verdict.reason)) == (UNKNOWN, how)


@pytest.mark.parametrize(("name", "kind"), [("can rest", "can_always_finish"), ("will rest", "eventually")])
def test_what_walks_cannot_decide_says_so(name: str, kind: str) -> None:
    """Demands on what stays possible and on whole runs are not for walks; they are called as the model writes them."""
    assert str(found().verdicts[name].reason) == f"random walks cannot decide {kind}"


def test_walks_are_cleared_of_detours() -> None:
    """The way up is shown without the downs between, whatever the walk did."""
    system = walker().compile()
    for seed in range(20):
        trace = simulate(system, ["below the top"], seed=seed).verdicts["below the top"].trace
        assert trace is not None
        assert [system.actions[index].name for index in trace.actions] == ["up"] * 4
        rerun(system, trace)


def test_same_seed_walks_the_same_way() -> None:
    """A seed decides everything; another seed walks elsewhere."""
    assert found(seed=7) == found(seed=7)
    assert len({found(seed=seed, runs=5).steps for seed in range(10)}) > 1


def test_walks_stop_when_all_is_found() -> None:
    """Once nothing is left to be found the walks end early."""
    m = Model("m")
    flag = m.bool("flag")
    with m.thread("p") as p:
        p.do("sets", flag.set())
    m.always("clear", ~flag)
    simulation = simulate(m.compile())
    assert (simulation.runs, simulation.steps, simulation.longest) == (1, 1, 1)


def test_walk_is_no_longer_than_asked() -> None:
    """Depth bounds every walk, and what lies beyond it is not found."""
    simulation = found(depth=3)
    assert simulation.longest == 3
    assert simulation.verdicts["below the top"].outcome is UNKNOWN


def test_actions_never_taken_are_reported() -> None:
    """A walk too short to get to the top never takes the step that is only possible there."""
    system = walker().compile()
    never = [system.actions[index].name for index in found(depth=3).never_fired]
    assert "rests" in never and "up" not in never


def test_assertion_broken_by_the_last_step_keeps_that_step() -> None:
    """The action that breaks an assertion is the last one of its trace."""
    system = walker().compile()
    trace = simulate(system, ["never rests"], seed=1).verdicts["never rests"].trace
    assert trace is not None
    assert rerun(system, trace)[-1].broken == ("never rests",)


def test_assertion_broken_on_the_way_back_is_not_cut_off() -> None:
    """A step that breaks an assertion and leads back to where the walk began is no detour."""
    m = Model("m")
    away = m.bool("away")
    with m.thread("p") as p, p.loop():
        p.do("goes", away.set())
        with p.atomic():
            p.do("comes back", away.clear())
            p.check("stays away", away)
    system = m.compile()
    trace = simulate(system, ["stays away"]).verdicts["stays away"].trace
    assert trace is not None
    assert [system.actions[index].name for index in trace.actions] == ["goes", "comes back"]


def test_bound_ends_a_walk() -> None:
    """What lies behind a bound is not walked, and the verdict mentions it."""
    m = Model("m")
    n = m.int("n", 0, 9)
    with m.thread("p") as p:
        p.do("counts", n.inc())
        p.bound("one is enough")
    m.always("small", n < 5)
    verdict = simulate(m.compile(), runs=3).verdicts["small"]
    assert verdict.outcome is UNKNOWN
    assert str(verdict.reason).endswith("(seed 0; some were stopped by a bound: one is enough)")


def test_blocked_by_a_bound_is_no_deadlock() -> None:
    """A state whose only action passes a bound is not one where nothing moves."""
    m = Model("m")
    with m.thread("p") as p:
        p.bound("not modelled")
    m.no_deadlock()
    assert simulate(m.compile(), runs=3).verdicts["no deadlock"].outcome is UNKNOWN


def test_final_state_is_no_deadlock() -> None:
    """Where the system may end, ending is fine."""
    m = Model("m")
    done = m.bool("done")
    with m.thread("p") as p:
        p.do("does", done.set())
    m.final(done)
    m.no_deadlock()
    assert simulate(m.compile(), runs=3).verdicts["no deadlock"].outcome is UNKNOWN


def test_an_error_is_what_a_walk_finds() -> None:
    """A walk that comes to a step which leaves its variable's range ends there, with a verdict of its own."""
    m = Model("m")
    n = m.int("n", 0, 2)
    with m.thread("p") as p, p.loop():
        p.do("counts", n.inc())
    m.always("small", n < 9)
    m.always("big", n <= 2)
    found = simulate(m.compile(), runs=3).verdicts
    assert [verdict.outcome.value for verdict in found.values()] == ["unknown", "unknown", "violated"]
    trace = found["values in range"].trace
    assert trace is not None and len(trace.actions) == 2


def test_time_limit_stops_between_walks() -> None:
    """No time at all, no walk, no verdict."""
    simulation = simulate(walker().compile(), limits=Limits(seconds=0.0))
    assert simulation.runs == 0
    assert "time limit 0 s reached" in str(simulation.verdicts["in bounds"].reason)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"runs": 0}, "runs is a whole number from 1, not 0"),
        ({"runs": 1.5}, "runs is a whole number from 1, not 1.5"),
        ({"runs": True}, "runs is a whole number from 1, not True"),
        ({"depth": -2}, "depth is a whole number from 0, not -2"),
        ({"depth": 2.0}, "depth is a whole number from 0, not 2.0"),
        ({"seed": "7"}, "seed is a whole number, not '7'"),
        ({"seed": None}, "seed is a whole number, not None"),
    ],
    ids=str,
)
def test_numbers_that_make_no_sense_are_refused(said: dict[str, Any], message: str) -> None:
    """Neither no walks nor walks of less than no length, nor parts of one."""
    with pytest.raises(ModelError) as refused:
        simulate(walker().compile(), **said)
    assert str(refused.value) == message


def test_numbers_that_make_sense_are_taken() -> None:
    """The control: a negative seed is one, and a walk of no length."""
    assert simulate(walker().compile(), runs=1, depth=0, seed=-7).steps == 0


def test_progress_is_reported() -> None:
    """Long series of walks tell a reporter how far they are."""
    calls: list[tuple[int, int]] = []

    class Listening(Silent):
        def progress(self, states: int, transitions: int, depth: int, queue: int) -> None:
            calls.append((transitions, depth))

    simulate(walker().compile(), runs=200, depth=5, reporter=Listening())
    assert len(calls) == 3 and calls == sorted(calls)


def test_several_initial_states_are_all_walked_from() -> None:
    """The start is drawn too."""
    m = Model("m")
    flag = m.any_initial(m.bool("flag"))
    with m.thread("p") as p:
        p.do("goes")
    m.reachable("set", flag)
    m.reachable("clear", ~flag)
    outcomes = {verdict.outcome for verdict in simulate(m.compile(), runs=50, depth=1).verdicts.values()}
    assert outcomes == {HOLDS}


def test_every_violation_is_one_for_the_search_too() -> None:
    """Walks agree with exhaustive search wherever they say anything."""
    system = walker(6).compile()
    exhaustive = explore(system).verdicts
    for name, verdict in simulate(system, runs=300).verdicts.items():
        if verdict.outcome is not UNKNOWN:
            assert verdict.outcome is exhaustive[name].outcome


def test_walks_that_are_watched_too_little_find_nothing() -> None:
    """Negative control: with the violated property taken out of the system there is nothing to find."""
    system = walker().compile()
    kept: tuple[Property, ...] = tuple(p for p in system.properties if p.name == "in bounds")
    assert {v.outcome for v in simulate(replace(system, properties=kept), runs=50).verdicts.values()} == {UNKNOWN}
