"""The core's schedulers: `Random` and `PCT` are held against their definitions on tiny programs, `Fair` and `Replay` against their promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import permutations
from math import sqrt

import pytest

from draincheck.core.errors import ReplayDiverged
from draincheck.core.host import Choice
from draincheck.core.scheduler import PCT, Fair, Random, Replay, Scheduler, SchedulerStep

#: of each thread of a program: its steps, and for some of them the step of another thread without which it waits
Program = Mapping[str, Sequence[str]]


def executed(program: Program, scheduler: Scheduler, waits: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Run a program of straight threads to its end; the steps in the order in which they were made."""
    done: list[str] = []
    left = {thread: list(steps) for thread, steps in program.items()}
    while choices := [
        Choice(thread)
        for thread, steps in left.items()
        if steps and (waits is None or waits.get(steps[0], "") in ("", *done))
    ]:
        done.append(left[choices[scheduler.step(choices)].process].pop(0))
    return tuple(done)


def frequencies(
    program: Program, scheduler: Scheduler, runs: int, waits: Mapping[str, str] | None = None
) -> Counter[str]:
    """How often each schedule came up."""
    found: Counter[str] = Counter()
    for _ in range(runs):
        assert scheduler.begin()
        found[" ".join(executed(program, scheduler, waits))] += 1
    return found


def near(found: int, expected: float) -> bool:
    """Within four standard deviations of a Poisson variable."""
    return abs(found - expected) <= 4 * sqrt(expected)


DRAWN: Sequence[Callable[[int], Scheduler]] = (Random, PCT)


@pytest.mark.parametrize("kind", DRAWN)
def test_a_seed_draws_the_same_runs_and_another_seed_others(kind: Callable[[int], Scheduler]) -> None:
    """Run n of a seed is always the same run, and no two runs of a seed are bound to be the same."""
    program = {"A": ["a"] * 8, "B": ["b"] * 8, "C": ["c"] * 8}

    def runs(seed: int) -> list[tuple[str, ...]]:
        scheduler = kind(seed)
        return [executed(program, scheduler) for _ in range(6) if scheduler.begin()]

    assert runs(3) == runs(3) != runs(4)
    assert len(set(runs(3))) > 1


def test_random_makes_every_choice_equally_often() -> None:
    """Steps and outcomes alike, whatever they are called."""
    scheduler = Random(0)
    scheduler.begin()
    choices = [Choice("A"), Choice("A", "other"), Choice("B")]
    for ask in (scheduler.step, scheduler.outcome):
        found = Counter(ask(choices) for _ in range(3000))
        assert sorted(found) == [0, 1, 2]
        assert all(near(number, 1000) for number in found.values())


# -- PCT ------------------------------------------------------------------------------------------------------------------------------


def test_without_change_points_each_order_of_priorities_is_equally_likely() -> None:
    """At depth 1 a process runs until it is over, and the n! orders come up equally often."""
    program = {"A": ["a1", "a2", "a3"], "B": ["b1", "b2", "b3"], "C": ["c1", "c2", "c3"]}
    found = frequencies(program, PCT(0, depth=1, length=9), 3000)
    assert set(found) == {
        " ".join(step for thread in order for step in program[thread]) for order in permutations("ABC")
    }
    assert all(near(number, 3000 / 6) for number in found.values())


def test_a_change_point_comes_after_any_of_the_steps_equally_often() -> None:
    """At depth 2 the first process is interrupted once, after each of its steps equally often, and goes on when the others are over."""
    program = {"A": ["a1", "a2", "a3", "a4"], "B": ["b"]}
    found = frequencies(program, PCT(0, depth=2, length=5), 5000)
    # A first: sunk after its 1st to 4th step, or later, by B's only one. B first: nothing that happens then shows.
    whole = "a1 a2 a3 a4 b"
    assert set(found) == {"a1 b a2 a3 a4", "a1 a2 b a3 a4", "a1 a2 a3 b a4", whole, "b a1 a2 a3 a4"}
    assert all(near(found[schedule], 5000 / 10) for schedule in found if schedule not in (whole, "b a1 a2 a3 a4"))
    assert near(found[whole], 2 * 5000 / 10) and near(found["b a1 a2 a3 a4"], 5000 / 2)


def test_a_bug_of_depth_2_is_found_as_often_as_promised() -> None:
    """Somebody else's write between a test and a use: with n processes and k steps, one run in n * k."""
    program = {"A": ["a1", "test", "use", "a4"], "B": ["b1", "write", "b3", "b4"]}
    found = frequencies(program, PCT(0, depth=2, length=8), 4000)
    hits = sum(number for run, number in found.items() if run.index("test") < run.index("write") < run.index("use"))
    assert near(hits, 4000 / (2 * 8))


def test_a_bug_of_depth_3_is_found_as_often_as_promised() -> None:
    """The process that is stopped first has to go on last: the order in which priorities sink must be as random as the points are."""
    program = {"A": ["a1", "a2"], "B": ["b1", "b2"], "C": ["c"]}
    found = frequencies(program, PCT(0, depth=3, length=5), 15_000, waits={"b1": "a1"})
    assert near(found["a1 b1 c b2 a2"], 15_000 / (3 * 5**2))
    assert near(found["a1 b1 c a2 b2"], 15_000 / (3 * 5**2))


def test_a_bug_needs_its_depth() -> None:
    """Negative control: one change point less, and the bug of depth 3 is never found."""
    program = {"A": ["a1", "a2"], "B": ["b1", "b2"], "C": ["c"]}
    found = frequencies(program, PCT(0, depth=2, length=5), 3000, waits={"b1": "a1"})
    assert found["a1 b1 c b2 a2"] == found["a1 b1 c a2 b2"] == 0


def test_a_process_that_comes_later_has_a_random_priority_too() -> None:
    """It goes before one that runs already in one run out of two."""
    program = {"A": ["a1", "a2"], "B": ["b"]}
    found = frequencies(program, PCT(0, depth=1, length=3), 2000, waits={"b": "a1"})
    assert near(found["a1 b a2"], 1000) and near(found["a1 a2 b"], 1000)


def test_processes_that_keep_running_take_turns() -> None:
    """Each sinks below all others after PATIENCE steps."""
    scheduler = PCT(0, depth=1)
    scheduler.begin()
    choices = [Choice("A"), Choice("B"), Choice("C")]
    made = [choices[scheduler.step(choices)].process for _ in range(6 * PCT.PATIENCE)]
    turns = [made[start] for start in range(0, len(made), PCT.PATIENCE)]
    assert made == [process for process in turns for _ in range(PCT.PATIENCE)]
    assert sorted(turns[:3]) == ["A", "B", "C"] and turns[3:] == turns[:3]


def test_a_process_chooses_among_its_own_steps_alone() -> None:
    """The alternatives of the process with the highest priority come up equally often, and those of others never."""
    choices = [Choice("A", "one"), Choice("B"), Choice("A", "two"), Choice("A", "three")]
    found: Counter[str] = Counter()
    scheduler = PCT(1, depth=1)
    for _ in range(3000):
        scheduler.begin()
        first = choices[scheduler.step(choices)]
        second = choices[scheduler.step(choices)]
        assert first.process == second.process
        found[first.label] += 1
    assert near(found[""], 1500)
    assert all(near(found[label], 500) for label in ("one", "two", "three"))


def test_outcomes_have_no_priority() -> None:
    """What a step leads to is drawn evenly."""
    scheduler = PCT(0)
    scheduler.begin()
    found = Counter(scheduler.outcome([Choice("A", "one"), Choice("A", "two")]) for _ in range(2000))
    assert near(found[0], 1000) and near(found[1], 1000)


# -- fair schedules and recorded ones -------------------------------------------------------------------------------------------------


def test_the_fair_scheduler_takes_what_has_waited_longest() -> None:
    """First those that were never taken, in their order; then the one taken longest ago, even if others come and go."""
    scheduler = Fair()
    a, b, c = Choice("A"), Choice("B"), Choice("C", "step")
    asked = [[a, b], [a, b], [b, a], [a, b, c], [c, b, a], [c, a], [a, c, b]]
    assert [choices[scheduler.step(choices)] for choices in asked] == [a, b, a, c, b, a, c]
    scheduler.begin()
    assert scheduler.outcome([b, a]) == 0
    assert scheduler.outcome([b, a]) == 1


def test_a_replay_takes_what_was_recorded() -> None:
    """Steps and outcomes, wherever they stand among the choices; `begin` starts it over."""
    scheduler = Replay([SchedulerStep("A"), SchedulerStep("B", "acts", ("two", "one")), SchedulerStep("A")])
    for _ in range(2):
        assert scheduler.begin() and not scheduler.over
        assert scheduler.step([Choice("B", "acts"), Choice("A")]) == 1
        assert scheduler.step([Choice("B"), Choice("A"), Choice("B", "acts")]) == 2
        assert scheduler.outcome([Choice("B", "one"), Choice("B", "two")]) == 1
        assert scheduler.outcome([Choice("B", "one"), Choice("B", "two")]) == 0
        assert scheduler.step([Choice("A")]) == 0
        scheduler.check_outcomes_used()
        assert scheduler.over


def diverged(scheduler: Replay, ask: Callable[[], object]) -> tuple[object, ...]:
    """Where the replay and the machine part ways."""
    with pytest.raises(ReplayDiverged) as caught:
        ask()
    return caught.value.step, caught.value.wanted, caught.value.offered


def test_a_replay_says_where_the_machine_does_something_else() -> None:
    """A step, an outcome, or an end that was not recorded: its number, what was recorded, and what is offered."""
    a, b = Choice("A"), Choice("B", "acts")
    scheduler = Replay([SchedulerStep("A"), SchedulerStep("B", "acts", ("two",))])
    assert diverged(scheduler, lambda: scheduler.step([b])) == (1, a, (b,))
    scheduler.begin()
    assert scheduler.step([a]) == 0
    assert diverged(scheduler, lambda: scheduler.outcome([a, b])) == (1, None, (a, b))
    assert scheduler.step([a, b]) == 1
    one, two = Choice("B", "one"), Choice("B", "two")
    assert diverged(scheduler, scheduler.check_outcomes_used) == (2, two, ())
    assert diverged(scheduler, lambda: scheduler.step([a])) == (2, two, ())
    assert diverged(scheduler, lambda: scheduler.outcome([one])) == (2, two, (one,))
    assert diverged(scheduler, lambda: scheduler.step([a])) == (3, None, (a,))


def test_a_step_is_written_with_its_label_and_outcomes() -> None:
    """As traces and messages show it."""
    assert [str(SchedulerStep("A")), str(SchedulerStep("A", "acts")), str(SchedulerStep("A", "acts", ("x", "y")))] == [
        "A",
        "A: acts",
        "A: acts (x, y)",
    ]
