"""The explicit engine on tiny machines with known numbers; the reference interpreter has to give the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from draincheck import interpreter
from draincheck.engines.explicit import check, explore, states
from draincheck.errors import ModelError
from draincheck.exploration.explorer import PIECE, Explorer
from draincheck.expr import FALSE, TRUE, all_
from draincheck.properties import Always, Assertion, CanAlwaysFinish, NoDeadlock, Property, Reachable
from draincheck.run import rerun
from draincheck.sorts import BOOL, IntSort
from draincheck.system import BoolVar, FaultKind, IntVar, TransitionSystem
from draincheck.verdict import Exploration, Limits, Outcome, Silent
from tests.support.machines import Machine, bounded, clock, counter, event_loop, philosophers

Explore = Callable[..., Exploration]

HOLDS, VIOLATED, UNKNOWN, NEVER_ASKED = Outcome.HOLDS, Outcome.VIOLATED, Outcome.UNKNOWN, Outcome.NEVER_ASKED


def both(system: TransitionSystem, limits: Limits = Limits()) -> Exploration:  # noqa: B008 - a frozen value
    """Explore with the engine; the interpreter has to come to the same, and every trace has to be one of the system."""
    found = explore(system, limits)
    assert found == interpreter.explore(system, limits)
    for verdict in found.verdicts.values():
        if verdict.trace is not None:
            rerun(system, verdict.trace)
    return found


def outcomes(found: Exploration) -> dict[str, Outcome]:
    """The outcome of each property."""
    return {name: verdict.outcome for name, verdict in found.verdicts.items()}


def path(found: Exploration, name: str) -> tuple[int, ...]:
    """The actions of a property's trace."""
    trace = found.verdicts[name].trace
    assert trace is not None
    return trace.actions


def test_binary_clock() -> None:
    """A clock that starts with either value has two states, two transitions and no depth."""
    found = both(clock(NoDeadlock("alive")))
    statistics = found.statistics
    assert (statistics.states, statistics.transitions, statistics.depth) == (2, 2, 0)
    assert (statistics.queue, statistics.widest) == (0, 2)
    assert (statistics.fired, statistics.never_fired) == ((0, 1), ())
    assert outcomes(found) == {"alive": HOLDS}


def test_counter() -> None:
    """A counter to 5 has a state for each value, one behind the other."""
    found = both(counter(5, "small", "in range", "top", "back", "ahead", "alive"))
    statistics = found.statistics
    assert (statistics.states, statistics.transitions, statistics.depth, statistics.widest) == (6, 5, 5, 1)
    assert outcomes(found) == {
        "small": VIOLATED,
        "in range": HOLDS,
        "top": HOLDS,
        "back": VIOLATED,
        "ahead": HOLDS,
        "alive": VIOLATED,
    }
    assert [len(path(found, name)) for name in ("small", "top", "back", "alive")] == [5, 5, 1, 5]


def test_many_layers_are_asked_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a condition first holds is asked of many states at once, though each layer has a single one: whoever is to end soon waits for it."""
    last = 3 * PIECE
    system = counter(last)
    (n,) = system.variables
    assert isinstance(n, IntVar)
    condition, asked = n.is_(last - 1), list[int]()
    found = Explorer(system, asked=[condition])
    found.run()
    where = found.where(condition)

    def counted(states: Sequence[int]) -> Sequence[int]:
        asked.append(len(states))
        return where(states)

    monkeypatch.setattr(found, "where", lambda condition: counted)
    first = found.first(condition)
    assert first is not None
    assert found.loop.layout.unpack(first) == (last - 1,)
    assert asked == [PIECE] * 3


def test_verdicts_say_how() -> None:
    """A verdict names the length of its evidence, or that the search was exhaustive."""
    verdicts = explore(counter(1, "small", "in range", "top")).verdicts
    assert [str(verdicts[name].reason) for name in verdicts] == [
        "shortest counterexample: 1 action",
        "exhaustive",
        "shortest witness: 1 action",
    ]


def test_unreachable_goal_is_violated_without_a_trace() -> None:
    """A goal that no reachable state meets is violated, and there is no path to show."""
    bit = BoolVar("bit", BOOL, (0,))
    found = both(Machine(bit).system(Reachable("set", bit)))
    verdict = found.verdicts["set"]
    assert (verdict.outcome, str(verdict.reason), verdict.trace) == (VIOLATED, "exhaustive", None)


def test_overflow_is_a_counterexample() -> None:
    """A counter that leaves its range violates what is demanded of every system; the verdict names action, cause and line."""
    found = both(counter(3, "in range", guarded=False)).verdicts
    verdict = found["values in range"]
    assert verdict.outcome is VIOLATED and verdict.trace is not None and verdict.trace.actions == (0, 0, 0)
    assert str(verdict.reason) == (
        "shortest counterexample: 3 actions, then p: count: number leaves 0..3 (machine.py:1)"
    )
    assert found["in range"].outcome is HOLDS
    assert str(found["in range"].reason) == "exhaustive, of runs without an error (values in range violated)"


def test_reentry_is_a_counterexample() -> None:
    """An enabled action that re-enters a coroutine ends the run."""
    on = BoolVar("on", BOOL, (0,))
    machine = Machine(on)
    machine.action("enter", TRUE, on.set(), faults=[(FaultKind.REENTRY, on, "c is running")])
    found = both(machine.system(NoDeadlock("alive")))
    assert outcomes(found) == {"alive": HOLDS, "coroutines entered once": VIOLATED}
    assert path(found, "coroutines entered once") == (0,)


def test_a_fault_hides_no_other_verdict() -> None:
    """What is violated before and beside an error is found; what lies behind it is not reached."""
    place = IntVar("place", IntSort(0, 3), (0,))
    machine = Machine(place)
    machine.action("on", place < 2, place.inc())
    machine.action("too far", place.is_(2), place.set(3), faults=[(FaultKind.RANGE, TRUE, "place leaves 0..3")])
    found = both(
        machine.system(Always("not at 1", ~place.is_(1)), Reachable("at 3", place.is_(3)), NoDeadlock("alive"))
    )
    assert outcomes(found) == {"not at 1": VIOLATED, "at 3": VIOLATED, "alive": HOLDS, "values in range": VIOLATED}


def test_faults_are_listed_where_some_run_meets_them() -> None:
    """A fault that no run meets has no line; asked for by name it holds."""
    system = counter(3, "in range")
    assert outcomes(both(system)) == {"in range": HOLDS}
    assert check(system, "values in range").outcome is HOLDS


def test_a_system_that_never_moves_is_never_asked() -> None:
    """Without a step nothing is put to the test; what is violated is so all the same."""
    bit = BoolVar("bit", BOOL, (0,))
    items = (
        Always("clear", ~bit),
        Always("set", bit),
        Reachable("at once", ~bit),
        Reachable("far", bit),
        NoDeadlock("alive"),
    )
    found = both(Machine(bit).system(*items, CanAlwaysFinish("ends", ~bit)))
    asked = {name: verdict.outcome.value for name, verdict in found.verdicts.items()}
    assert asked == {
        "clear": "never asked", "set": "violated", "at once": "never asked", "far": "violated", "alive": "violated", "ends": "never asked",
    }  # fmt: skip
    assert str(found.verdicts["clear"].reason) == "no step can ever be taken"


def test_an_assertion_is_asked_where_a_check_is_passed() -> None:
    """Not by a check behind a guard that is never true, nor by one that its own condition leaves out, nor by none."""
    number = IntVar("number", IntSort(0, 2), (0,))
    machine = Machine(number)
    machine.action("count", number < 2, number.inc(), checks=[("passed", TRUE)])
    machine.action("leap", number > 2, number.set(0), checks=[("behind", TRUE)])
    system = machine.system(*map(Assertion, ("passed", "behind", "pased", "within")))
    (first, second) = system.actions
    within = replace(first.checks[0], property="within", asked=number.is_(2))
    system = replace(system, actions=(replace(first, checks=(*first.checks, within)), second))
    found = both(system).verdicts
    assert {name: v.outcome.value for name, v in found.items() if v.outcome is not HOLDS} == dict.fromkeys(
        ("behind", "pased", "within"), "never asked"
    )
    assert str(found["pased"].reason) == "no check asks it; did you mean passed?"
    assert str(found["behind"].reason) == "no run comes to its check (machine.py:2)"
    reached = replace(within, asked=number.is_(1))
    system = replace(system, actions=(replace(first, checks=(*first.checks, reached)), second))
    assert both(system).verdicts["within"].outcome is HOLDS


def test_deadlock() -> None:
    """Two processes that take two locks in opposite order get stuck after one action each."""
    found = both(philosophers())
    statistics = found.statistics
    assert (statistics.states, statistics.transitions, statistics.depth, statistics.widest) == (6, 8, 2, 3)
    assert outcomes(found) == {
        "no deadlock": VIOLATED,
        "both can rest": VIOLATED,
        "P has both": HOLDS,
        "exclusive": HOLDS,
    }
    assert path(found, "no deadlock") == path(found, "both can rest") == (3, 0)


def test_final_states_are_no_deadlock() -> None:
    """A state in which nothing moves is fine where the system says so."""
    assert both(philosophers(final=True)).verdicts["no deadlock"].outcome is HOLDS


def test_bound_makes_unknown() -> None:
    """Behind a bound nothing is known: only what was found stays decided, and a state that was cut is no deadlock."""
    found = both(bounded(NoDeadlock("alive")))
    assert outcomes(found) == {
        "small": VIOLATED,
        "in range": UNKNOWN,
        "done": HOLDS,
        "never": UNKNOWN,
        "checked": VIOLATED,
        "can finish": UNKNOWN,
        "alive": UNKNOWN,
        "no bound passed": VIOLATED,
    }
    assert str(found.verdicts["never"].reason) == "bound passed: nested polls (machine.py:2) after 5 states"
    statistics = found.statistics
    assert (statistics.states, statistics.transitions, statistics.queue) == (5, 5, 0)
    assert statistics.never_fired == (1,)


def test_state_limit() -> None:
    """A search that stores no more states says so, and keeps what it found before."""
    found = both(counter(9, "small", "in range", "top", "back", "alive"), Limits(states=5))
    assert (found.statistics.states, found.statistics.queue, found.statistics.depth) == (5, 1, 4)
    assert set(outcomes(found).values()) == {UNKNOWN}
    assert str(found.verdicts["top"].reason) == "state limit 5 reached after 5 states"
    wide = both(philosophers(), Limits(states=5))
    assert (wide.statistics.states, wide.statistics.queue, wide.statistics.transitions) == (5, 3, 4)


def test_violation_before_the_limit_stays() -> None:
    """A limit does not take back a violation."""
    bit, number = BoolVar("bit", BOOL, (0,)), IntVar("number", IntSort(0, 9), (0,))
    machine = Machine(bit, number)
    machine.action("count", number < 9, number.inc(), bit.set(), checks=[("first", number.is_(0))])
    found = both(machine.system(Always("clear", ~bit), Assertion("first")), Limits(states=4))
    assert outcomes(found) == {"clear": VIOLATED, "first": VIOLATED}
    assert found.statistics.queue == 1


def test_limit_that_is_just_enough() -> None:
    """A limit of exactly the number of reachable states leaves the search exhaustive."""
    found = both(counter(4, "in range"), Limits(states=5))
    assert (found.statistics.queue, outcomes(found)) == (0, {"in range": HOLDS})


def test_limit_below_the_initial_states() -> None:
    """The limit counts initial states too."""
    found = both(clock(NoDeadlock("alive")), Limits(states=1))
    assert (found.statistics.states, found.statistics.queue) == (1, 1)


def test_limit_of_no_states() -> None:
    """Where no state may be stored nothing is known."""
    found = both(counter(9, "small", "back", "alive"), Limits(states=0))
    assert (found.statistics.states, found.statistics.widest, found.statistics.depth) == (0, 0, 0)
    assert {str(verdict.reason) for verdict in found.verdicts.values()} == {"state limit 0 reached after 0 states"}
    assert states(counter(9), Limits(states=0)) == []


def test_time_limit() -> None:
    """Without time nothing but the initial states is known."""
    found = both(counter(9, "in range"), Limits(seconds=0))
    assert (found.statistics.states, found.statistics.queue) == (1, 1)
    assert str(found.verdicts["in range"].reason) == "time limit 0 s reached after 1 state"


def test_time_enough() -> None:
    """A time limit that is not reached changes nothing."""
    found = both(counter(9, "in range"), Limits(seconds=1000))
    assert (found.statistics.queue, outcomes(found)) == (0, {"in range": HOLDS})
    assert 0 < found.statistics.seconds < 1000


def test_initial_states_are_checked() -> None:
    """A property that an initial state violates, and a goal that one meets, have traces without actions."""
    bit = BoolVar("bit", BOOL, (0, 1))
    machine = Machine(bit)
    machine.action("clear", bit, bit.clear())
    found = both(machine.system(Always("clear", ~bit), Reachable("set", bit)))
    assert path(found, "clear") == path(found, "set") == ()
    assert [verdict.trace and verdict.trace.initial for verdict in found.verdicts.values()] == [(1,), (1,)]


def test_ties_go_to_the_first_action() -> None:
    """Of several shortest traces the one of the lowest action indices is shown, the same every time."""
    number = IntVar("number", IntSort(0, 4), (0,))
    machine = Machine(number)
    for _ in range(2):
        machine.action("one", number < 4, number.inc(), process="q")
        machine.action("one", number < 4, number.inc(), process="p")
    system = machine.system(Reachable("two", number.is_(2)))
    found = both(system)
    assert path(found, "two") == (0, 0)
    assert explore(system) == found


def test_two_equal_actions_both_count() -> None:
    """Two actions with the same guard and effect are two transitions, and both have fired."""
    bit = BoolVar("bit", BOOL, (0,))
    machine = Machine(bit)
    machine.action("set", ~bit, bit.set())
    machine.action("set too", ~bit, bit.set())
    found = both(machine.system())
    assert (found.statistics.transitions, found.statistics.fired) == (2, (0, 1))


def test_assertion_trace_ends_with_the_violating_action() -> None:
    """Taking an action whose check is false violates the assertion, and leads on all the same."""
    number = IntVar("number", IntSort(0, 3), (0,))
    machine = Machine(number)
    checks = [("not from 1", ~number.is_(1)), ("not from 2", ~number.is_(2)), ("in range", number < 3)]
    machine.action("count", number < 3, number.inc(), checks=checks)
    machine.action("leap", number.is_(0), number.set(2), checks=[("not from 1", TRUE), ("not from 2", TRUE)])
    found = both(machine.system(*(Assertion(name) for name, _ in checks), Assertion("unused")))
    assert outcomes(found) == {"not from 1": VIOLATED, "not from 2": VIOLATED, "in range": HOLDS, "unused": NEVER_ASKED}
    assert (path(found, "not from 1"), path(found, "not from 2")) == ((0, 0), (1, 0))
    assert found.statistics.states == 4


def test_actions_that_never_fire_are_listed() -> None:
    """A guard that contradicts itself, or waits for what does not happen, shows in the statistics."""
    number = IntVar("number", IntSort(0, 2), (0,))
    machine = Machine(number)
    machine.action("never", number.is_(1) & number.is_(2), number.set(0))
    machine.action("once", number.is_(0), number.set(1))
    machine.action("too late", number.is_(2), number.set(0))
    machine.action("off", FALSE, number.set(2))
    found = both(machine.system())
    assert (found.statistics.fired, found.statistics.never_fired) == ((1,), (0, 2, 3))


@pytest.mark.parametrize(("name", "strengthened"), [("in range", "small"), ("ahead", "back")])
def test_strengthened_property_goes_red(name: str, strengthened: str) -> None:
    """Each verdict `holds` turns into a violation when a little more is demanded."""
    found = both(counter(3, name, strengthened))
    assert outcomes(found) == {name: HOLDS, strengthened: VIOLATED}


def test_event_loop() -> None:
    """Two devices with two requests each have 9,761 states, and the drained property holds."""
    found = explore(event_loop(2, 2))
    statistics = found.statistics
    assert (statistics.states, statistics.transitions, statistics.depth) == (9761, 49895, 20)
    assert outcomes(found) == {"drained": HOLDS, "alive": HOLDS}


def test_buggy_event_loop() -> None:
    """Dispatch that ignores the disable counter breaks the drained property in seven actions; nothing is ever skipped."""
    system = event_loop(2, 2, buggy=True)
    found = explore(system)
    assert (found.statistics.states, found.statistics.transitions) == (14234, 74027)
    assert len(path(found, "drained")) == 7
    assert {system.actions[index].name for index in found.statistics.never_fired} == {"skip"}


def test_one_property() -> None:
    """One property alone gets the verdict it gets among all."""
    system = philosophers()
    every = explore(system).verdicts
    assert {name: check(system, name) for name in every} == every
    with pytest.raises(ModelError, match="no property 'typo'"):
        check(system, "typo")


def test_states_are_listed_layer_by_layer() -> None:
    """The reachable states can be had as values of the system."""
    system = philosophers()
    assert states(system) == interpreter.states(system)
    assert states(system, Limits(states=2)) == states(system)[:2]


def test_unknown_kinds_of_property_stay_unknown() -> None:
    """A property that is not about states and single actions is left to other engines."""
    found = both(clock(Property("something else")))
    assert str(found.verdicts["something else"].reason) == "breadth-first search does not decide property"
    assert outcomes(found) == {"something else": UNKNOWN}


class Recorder(Silent):
    """A reporter that remembers what it was told, or stops everything."""

    def __init__(self, interrupt: bool = False) -> None:
        self.told: list[tuple[int, int, int, int]] = []
        self.interrupt = interrupt

    def progress(self, states: int, transitions: int, depth: int, queue: int) -> None:
        """Remember, or behave like Ctrl-C."""
        if self.interrupt:
            raise KeyboardInterrupt
        self.told.append((states, transitions, depth, queue))


@pytest.mark.parametrize("engine", [explore, interpreter.explore])
def test_progress_is_reported(engine: Explore) -> None:
    """A long search reports growing numbers; a short one says nothing."""
    reporter = Recorder()
    engine(counter(3000, "in range"), Limits(), reporter)
    assert reporter.told
    assert reporter.told == sorted(reporter.told)
    quiet = Recorder()
    engine(counter(30, "in range"), Limits(), quiet)
    assert not quiet.told


def test_interrupt_passes_through() -> None:
    """Ctrl-C ends a search at once."""
    with pytest.raises(KeyboardInterrupt):
        explore(counter(3000, "in range"), reporter=Recorder(interrupt=True))


def test_many_fixed_variables_do_not_overrun_the_parser() -> None:
    """Guards that fix more variables than Python takes levels of indentation can be searched."""
    bits = [BoolVar(f"bit {i}", BOOL, (0,)) for i in range(150)]
    machine = Machine(*bits)
    for bit in bits[:2]:
        machine.action("set", all_(*(~other for other in bits)), bit.set())
    assert both(machine.system()).statistics.states == 3
