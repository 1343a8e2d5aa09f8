"""Liveness: what the engine makes of small systems."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from draincheck.engines import explicit
from draincheck.engines.liveness import decide
from draincheck.errors import ModelError, TraceError
from draincheck.expr import TRUE, number
from draincheck.interpreter import explore as interpret
from draincheck.lang import Model, Process
from draincheck.lang.fairness import FairWord
from draincheck.promise import Strength
from draincheck.properties import Eventually, LeadsTo, Liveness
from draincheck.reason import Assuming, Exhaustive, NeverAsked, RunsForEver, Unasked
from draincheck.run import Run, Trace, rerun
from draincheck.semantics.violation import shows
from draincheck.system import TransitionSystem
from draincheck.verdict import NO_LIMITS, Exploration, Limits, Outcome, Verdict
from tests.support.starving import swing, two_steps

HOLDS, VIOLATED, UNKNOWN = Outcome.HOLDS, Outcome.VIOLATED, Outcome.UNKNOWN
NEVER_ASKED = Outcome.NEVER_ASKED


def violates(system: TransitionSystem, item: Liveness, trace: Trace) -> bool:
    """Whether a trace, executed, shows a demand on whole runs to be broken."""
    return shows(Run.of(system, trace), item)


def check(system: TransitionSystem, name: str, limits: Limits = NO_LIMITS) -> Verdict:
    """The verdict on one of the demands."""
    return decide(system, [system.property_named(name)], limits)[name]


def verdict_of(m: Model, name: str) -> Verdict:
    return check(m.compile(), name)


# -- deciding -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fair", "outcome"), [(None, VIOLATED), ("weak", VIOLATED), ("strong", HOLDS)])
def test_strength_decides_who_is_starved(fair: FairWord | None, outcome: Outcome) -> None:
    """What is enabled again and again but never for long is starved under weak fairness and taken under strong."""
    assert verdict_of(swing(fair), "out").outcome is outcome


@pytest.mark.parametrize(("fair", "outcome"), [("", VIOLATED), ("other", VIOLATED), ("good", HOLDS)])
def test_fairness_of_one_step_is_not_that_of_another(fair: str, outcome: Outcome) -> None:
    """Being fair to one alternative does nothing for the other."""
    assert verdict_of(two_steps(fair), "good").outcome is outcome


def test_fairness_of_the_process_does_not_choose_its_step() -> None:
    """A process that always does something else is treated fairly as a whole."""
    m = two_steps()
    m.fair(m.processes["p"])
    assert verdict_of(m, "good").outcome is VIOLATED


def test_lasso_keeps_its_assumptions_in_sight() -> None:
    """Under weak fairness the loop goes through the place where the starved process cannot move."""
    system = swing("weak").compile()
    trace = check(system, "out").trace
    assert trace is not None and trace.loop == 0
    names = [system.actions[index].name for index in trace.actions]
    assert names == ["to the right", "to the left"]


def test_verdict_says_what_it_rests_on() -> None:
    """Holds says which progress and fairness were assumed, and who may stop; violated says how long the run is and how it ends."""
    assert verdict_of(swing("strong"), "out").reason == Assuming(("swinger",), ("leaver",))
    assert verdict_of(swing(), "out").reason == RunsForEver(2, 2)
    m = Model("m")
    flag = m.bool("flag")
    with m.thread("p") as p:
        p.do("sets", flag.set())
    m.fair(p)
    with m.thread("idler") as p, p.loop():
        p.do("idles")
    m.eventually("set", flag)
    m.eventually("at once", TRUE)
    m.eventually("cleared again", flag & ~flag)
    m.leads_to("never asked", flag & ~flag, flag)
    assert {name: verdict.reason for name, verdict in decide(m.compile()).items()} == {
        "set": Assuming(("p",), stop=("idler",)),
        "at once": Exhaustive(": every run begins with it"),
        "cleared again": RunsForEver(1, 0, ("idler",)),
        "never asked": NeverAsked(Unasked.NO_TRIGGER),
    }


def test_goal_met_before_the_loop_does_not_count_for_leads_to() -> None:
    """A run that meets the goal once and is asked again later breaks `leads_to`, and keeps `eventually`."""
    m = Model("m")
    asked, done = m.bool("asked"), m.bool("done")
    with m.thread("p") as p:
        p.do("asks", asked.set())
        p.do("does", asked.clear(), done.set())
        p.do("asks again", asked.set(), done.clear())
    m.fair(p)
    m.leads_to("answered", asked, done)
    m.eventually("done", done)
    found = {name: verdict.outcome for name, verdict in decide(m.compile()).items()}
    assert found == {"answered": VIOLATED, "done": HOLDS}


def test_deadlock_breaks_a_demand_whatever_is_assumed() -> None:
    """A run that can go nowhere short of the goal is a counterexample without a loop."""
    m = Model("m")
    flag = m.bool("flag")
    with m.thread("p") as p:
        p.do("steps")
        p.do("sets", flag.set(), when=flag)
    m.fair(p, "strong")
    m.eventually("set", flag)
    trace = verdict_of(m, "set").trace
    assert trace is not None and (trace.actions, trace.loop) == ((0,), None)


def lone(**options: bool) -> tuple[Model, Process]:
    """One process with one step, and a demand that it is taken."""
    m = Model("m")
    flag = m.bool("flag")
    with m.thread("p", **options) as p:
        p.do("sets", flag.set())
    m.eventually("set", flag)
    return m, p


def test_nobody_goes_on_whom_nobody_promised_to() -> None:
    """Where something can move, nothing need: a single step is taken in the end only if somebody promises it."""
    m, p = lone()
    assert verdict_of(m, "set").reason == RunsForEver(0, 0, ("p",))
    m.fair(p)
    assert verdict_of(m, "set").outcome is HOLDS


def test_run_ends_where_only_the_unpromised_moves() -> None:
    """A run may stop where all that is promised waits for somebody who may stop."""
    m = Model("drain and disk")
    n, drained = m.int("in_flight", 0, 1, 1), m.bool("drained")
    with m.thread("disk") as disk:
        disk.do("complete", n.dec())
    with m.thread("drain") as drain:
        drain.wait("idle", n.is_(0))
        drain.do("drained", drained.set())
    m.fair(drain)
    m.eventually("every drain ends", drained)
    assert verdict_of(m, "every drain ends").reason == RunsForEver(0, 0, ("disk",))
    m.fair(disk, step="complete")
    assert verdict_of(m, "every drain ends").outcome is HOLDS


def test_progress_is_fairness_of_all() -> None:
    """`progress` promises it of every process, those that are made later included, and of coroutines."""
    m, _ = lone()
    m.progress()
    co = m.coroutine("co")
    with co:
        co.do("runs")
    with m.thread("q") as q:
        q.enter(co)
    assert [(f.name, f.strength) for f in m.compile().fairness] == [(n, Strength.WEAK) for n in ("p", "co", "q")]
    assert verdict_of(m, "set").outcome is HOLDS


def test_progress_leaves_out_what_may_stop() -> None:
    """A process that `may_stop` is promised nothing, and the verdict says that the model says so."""
    m, _ = lone(may_stop=True)
    m.progress()
    verdict = verdict_of(m, "set")
    assert verdict.reason == RunsForEver(0, 0, ("p",), declared=("p",))
    assert str(verdict.reason) == "counterexample: 0 actions, then p stops for ever, as may_stop says"


def test_progress_repeats_no_promise() -> None:
    """What was promised of a process already is not promised again; its stronger or weaker sister is."""
    m, p = lone()
    m.fair(p)
    m.progress()
    m.progress()
    m.progress("strong")
    assert [f.strength for f in m.compile().fairness] == [Strength.WEAK, Strength.STRONG]


def test_who_may_stop_and_is_promised_not_to_is_refused() -> None:
    """Both cannot be said of a process; of one of its steps a promise may be made."""
    m, p = lone(may_stop=True)
    m.fair(p, step="sets")
    assert verdict_of(m, "set").outcome is HOLDS
    m.fair(p)
    with pytest.raises(
        ModelError, match=r"test_liveness\.py:\d+: p may stop for ever, and fairness of it says that it does not"
    ):
        m.compile()


def test_all_steps_but_some_can_be_promised() -> None:
    """`but` names steps that may be left undone for ever: a guest may never ask, and goes on once it has."""
    m = Model("guest")
    asked, done = m.bool("asked"), m.bool("done")
    with m.thread("guest") as p:
        p.do("asks", asked.set())
        p.do("goes on", done.set())
    m.fair(p, but="asks")
    m.eventually("asked", asked)
    m.leads_to("done", asked, done)
    found = {name: verdict.outcome for name, verdict in decide(m.compile()).items()}
    assert found == {"asked": VIOLATED, "done": HOLDS}
    m.fair(p, but=["jumps"])
    with pytest.raises(ModelError, match="unknown step 'jumps'; known: asks, goes on"):
        m.compile()
    with pytest.raises(ModelError, match="not both"):
        m.fair(p, step="asks", but="goes on")


def test_any_initial_state_counts() -> None:
    """A demand is broken if one of the initial states breaks it."""
    m = Model("m")
    flag = m.any_initial(m.bool("flag"))
    with m.thread("p") as p, p.loop():
        p.do("goes round")
    m.eventually("set", flag)
    trace = verdict_of(m, "set").trace
    assert trace is not None and trace.initial[0] == 0


@pytest.mark.parametrize(("ring", "stays", "shown"), [(10, 2, (3, 2)), (3, 1, (2, 1)), (3, 2, (3, 0))])
def test_shortest_of_several_loops_is_shown(ring: int, stays: int, shown: tuple[int, int]) -> None:
    """A farther state with a short way round wins over a nearer one with a long one only if the whole becomes shorter."""
    m = Model("m")
    place, never = m.int("place", 0, ring - 1), m.bool("never")
    with m.thread("p") as p, p.loop(), p.either() as choice:
        for number in range(ring):
            with choice(when=place.is_(number)):
                p.do("goes on", place.set((number + 1) % ring))
        with choice(when=place.is_(stays)):
            p.do("stays")
    m.fair(p)
    m.eventually("never", never)
    trace = verdict_of(m, "never").trace
    assert trace is not None and (len(trace.actions), trace.loop) == shown


# -- what cannot be decided ---------------------------------------------------------------------------


def counter(bound: bool = False) -> Model:
    m = Model("counter")
    n = m.int("n", 0, 50)
    with m.thread("p") as p, p.loop():
        if bound:
            with p.when(n.is_(20)):
                p.bound("twenty is enough")
        p.do("counts", n.inc(), when=n < 50)
    m.fair(p)
    m.eventually("fifty", n.is_(50))
    m.eventually("minus", n < 0)
    return m


def test_limit_makes_holds_unknown() -> None:
    """A search that had to stop says unknown, and why."""
    assert verdict_of(counter(), "fifty").outcome is HOLDS
    verdict = check(counter().compile(), "fifty", Limits(states=10))
    assert (verdict.outcome, str(verdict.reason)) == (UNKNOWN, "state limit 10 reached after 10 states")


def test_time_limit_makes_holds_unknown() -> None:
    """The clock is looked at now and then, and stops the search."""
    m = Model("m")
    n, goal = m.int("n", 0, 5000), m.bool("goal")
    with m.thread("p") as p, p.loop():
        p.do("counts", n.inc(), when=n < 5000)
    m.eventually("goal", goal)
    verdict = check(m.compile(), "goal", Limits(seconds=0.0))
    assert (verdict.outcome, str(verdict.reason)) == (UNKNOWN, "time limit 0 s reached before anything was decided")


def test_bound_makes_holds_unknown() -> None:
    """A bound of the model that was passed hides what would come after it."""
    verdict = verdict_of(counter(bound=True), "fifty")
    assert verdict.outcome is UNKNOWN
    assert str(verdict.reason).startswith("bound passed: twenty is enough")


def test_violation_beside_a_bound_is_still_one() -> None:
    """A run that was found is a run, whatever was not looked at."""
    m = counter(bound=True)
    with m.thread("resetter") as p, p.loop():
        p.do("starts again", m.variables["n"].to(number(0)))
    verdict = verdict_of(m, "fifty")
    assert (verdict.outcome, verdict.reason) == (VIOLATED, RunsForEver(3, 3))


def test_action_behind_a_bound_counts_as_enabled() -> None:
    """A process kept from moving by a bound only is not treated fairly by waiting: such a wait is no counterexample."""
    m = Model("m")
    goal = m.bool("goal")
    with m.thread("p") as p:
        p.bound("not modelled")
    with m.thread("idler") as p, p.loop():
        p.do("idles")
    m.eventually("goal", goal)
    assert verdict_of(m, "goal").outcome is VIOLATED
    m.fair(m.processes["p"])
    assert verdict_of(m, "goal").outcome is UNKNOWN


def test_quotient_is_refused() -> None:
    """On a system whose states were made one by symmetry no demand on runs is decided, and the verdict says why."""
    verdict = check(replace(swing("strong").compile(), quotient="symmetry over requests"), "out")
    assert verdict.outcome is UNKNOWN
    assert "symmetry over requests" in str(verdict.reason) and str(verdict.reason).startswith("refused")


def erring(rests: bool) -> Model:
    """It counts until that is an error of the run, once or again and again; or comes to rest before, if it may."""
    m = Model("m")
    n, asked, done = m.int("n", 0, 1), m.bool("asked"), m.bool("done")
    with m.thread("p") as p:
        with p.loop(), p.either() as choice:
            with choice():
                p.do("counts", n.inc(), asked.set())
            with choice(when=n.is_(0) if rests else n < 0):
                p.break_()
        p.do("rests", done.set())
    m.fair(p)
    m.eventually("ends", done)
    m.leads_to("counted", n.is_(1), done)
    m.leads_to("starts", n.is_(0), done | asked)
    return m


def test_a_run_that_ends_with_an_error_does_not_wait() -> None:
    """It is no counterexample of a demand on whole runs, and has a verdict of its own."""
    found = decide(erring(rests=True).compile())
    assert (found["ends"].outcome, found["values in range"].outcome) == (HOLDS, VIOLATED)
    trace = found["values in range"].trace
    assert trace is not None and len(trace.actions) == 1
    assert str(found["ends"].reason).endswith(", of runs without an error (values in range violated)")


def test_where_every_fair_run_ends_with_an_error_nothing_was_asked() -> None:
    """A demand on whole runs is about those that come to the goal, or have no error: where none does that comes to the trigger, it is never asked."""
    demands = ("ends", "counted", "starts")
    some, none = (decide(erring(rests).compile()) for rests in (True, False))
    assert [some[name].outcome for name in demands] == [HOLDS, NEVER_ASKED, HOLDS]
    assert [none[name].outcome for name in demands] == [NEVER_ASKED, NEVER_ASKED, HOLDS]
    assert none["ends"].reason == NeverAsked(Unasked.ONLY_ERRORS)
    unfair = replace(erring(rests=False).compile(), fairness=())
    assert decide(unfair)["ends"].outcome is VIOLATED


def test_property_of_states_is_not_for_this_engine() -> None:
    """An invariant is left to the engines that decide it."""
    m = swing()
    m.always("fine", TRUE)
    system = m.compile()
    assert "fine" not in decide(system)


def test_system_without_such_demands_is_not_explored() -> None:
    """Nothing asked, nothing answered."""
    system = counter().compile()
    assert decide(system, (), Limits(states=0)) == {}


@pytest.mark.parametrize("explore", [explicit.explore, interpret])
def test_searches_of_states_say_that_they_cannot_tell(explore: Callable[[TransitionSystem], Exploration]) -> None:
    """Breadth-first search never calls a demand on runs held."""
    assert explore(swing("strong").compile()).verdicts["out"].outcome is UNKNOWN


# -- traces that loop ---------------------------------------------------------------------------------


def looping(loop: int | None, actions: tuple[int, ...] = (0, 1)) -> tuple[TransitionSystem, Trace]:
    system = swing().compile()
    return system, Trace(system.name, system.digest, "out", system.initial[0], actions, loop)


def test_loop_that_closes_is_accepted() -> None:
    """A trace whose last state is the one at its loop's start can be executed."""
    assert len(rerun(*looping(0))) == 2


@pytest.mark.parametrize(
    ("loop", "message"),
    [(1, "the loop does not close"), (2, "cannot begin after step 2"), (-1, "cannot begin after step -1")],
)
def test_loop_that_does_not_close_is_refused(loop: int, message: str) -> None:
    """A loop that ends elsewhere, or that is none, is an error that says where."""
    with pytest.raises(TraceError, match=message):
        rerun(*looping(loop))


def test_check_of_a_run_looks_at_everything() -> None:
    """A run is evidence only if it goes round or may stop, fair, and without the goal where it matters."""
    system, good = looping(0)
    item = system.property_named("out")
    assert isinstance(item, Liveness)
    assert violates(system, item, good)
    assert not violates(system, item, replace(good, loop=None))  # the swinger goes on
    strong = swing("strong").compile()
    assert not violates(strong, item, replace(good, digest=strong.digest))  # unfair
    assert not violates(system, Eventually("right", system.variables[0]), good)  # type: ignore[arg-type]
    asked = LeadsTo("x", TRUE, system.variables[0])  # type: ignore[arg-type]
    assert not violates(system, asked, good)
    never = LeadsTo("x", system.variables[1], system.variables[1])  # type: ignore[arg-type]
    assert not violates(system, never, good)
