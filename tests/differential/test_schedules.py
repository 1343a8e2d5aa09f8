"""Steps taken again by name: what a schedule finds on another system is what trying all its runs finds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import pytest
from msgspec.structs import replace

from draincheck import Limits, Run, Schedule, TransitionSystem, check
from draincheck.expr import BoolExpr, all_, not_
from draincheck.promise import Fairness, Strength
from draincheck.properties import Eventually, LeadsTo
from draincheck.run import label_of
from draincheck.schedule import _Paths
from tests.support.samples import sampled
from tests.support.schedules import followed, showing
from tests.support.strategies import random_system

SIZE, SMALL = 6, Limits(states=300)

#: longer schedules of systems in which much has the same name have too many runs to try
LONGEST = 12


def ambiguous(seed: int) -> TransitionSystem:
    """A system in which several steps of a process have the same name, with demands of every kind."""
    random = Random(seed)
    system = random_system(seed, 2 + seed % 2, 2, seed % 3, folded=bool(seed % 2))
    actions = tuple(
        replace(action, parts=(replace(action.parts[0], label=random.choice("ab")),)) for action in system.actions
    )
    conditions = [found for item in system.properties if (found := getattr(item, "goal", None)) is not None]
    runs = [Eventually("in the end", random.choice(conditions)), LeadsTo("served", *random.sample(conditions, 2))]
    fair = [a.index for a in actions if a.process == "process 0"]
    promises = (Fairness("process 0", Strength.WEAK, tuple(fair)),) if seed % 3 else ()
    return replace(system, actions=actions, properties=(*system.properties, *runs), fairness=promises)


def changed(system: TransitionSystem, random: Random) -> TransitionSystem:
    """The system after somebody has worked at it: guards that say more, updates that are gone."""
    actions = list(system.actions)
    for _ in range(random.randint(1, 2)):
        at = random.randrange(len(actions))
        action = actions[at]
        if random.random() < 0.5 or not action.updates:
            actions[at] = replace(action, guard=all_(action.guard, _condition(system, random)))
        else:
            gone = random.choice(action.updates)
            actions[at] = replace(action, updates=tuple(update for update in action.updates if update is not gone))
    return replace(system, actions=tuple(actions))


def _condition(system: TransitionSystem, random: Random) -> BoolExpr:
    guard = random.choice(system.actions).guard
    return guard if random.random() < 0.5 else not_(guard)


def schedules(seeds: range) -> Iterator[tuple[int, Schedule, TransitionSystem]]:
    """Counterexamples as schedules, each with the system it is of and with changed ones."""
    for seed in seeds:
        system = ambiguous(seed)
        result = check(system, limits=SMALL)
        random = Random(seed)
        for finding in result.findings:
            trace = finding.verdict.trace
            if trace is not None and len(trace.actions) <= LONGEST:
                schedule = Schedule.of(Run.of(result.system, trace))
                yield from (
                    (seed, schedule, each) for each in (result.system, *(changed(system, random) for _ in "12"))
                )


def said(schedule: Schedule, system: TransitionSystem) -> str:
    """What `assert_shows` finds missing, "" for nothing."""
    try:
        run = schedule.assert_shows(system)
    except AssertionError as error:
        return str(error)
    actions = run.system.actions
    taken = [(actions[s.action].process, label_of(system, actions[s.action], s.before)) for s in run.steps]
    assert taken == list(schedule.steps)
    return ""


@pytest.mark.parametrize("part", sampled(range(50), 1, 25))
def test_a_schedule_shows_what_one_of_its_runs_shows(part: int) -> None:
    """And where no run takes all of its steps, the first that none takes is named."""
    tally = {"shown": 0, "parted": 0, "followed": 0}
    for seed, schedule, system in schedules(range(part * SIZE, (part + 1) * SIZE)):
        item, message = system.property_named(schedule.property), said(schedule, system)
        most = followed(schedule, system)
        parted = re.match(r"step (\d+) cannot be taken", message)
        if parted:
            tally["parted"] += 1
            assert int(parted[1]) == most + 1, seed
        else:
            tally["followed" if message else "shown"] += 1
            assert (most, not message) == (len(schedule.steps), showing(schedule, system, item)), (seed, message)
    assert min(tally.values()) > 0 or part, tally


@pytest.mark.parametrize("part", sampled(range(50), 1, 25))
def test_what_never_shows_is_shown_by_no_run(part: int) -> None:
    """Nor by one in which the process that is next has taken two other steps before; what it finds was executed."""
    for seed, schedule, system in schedules(range(part * SIZE, (part + 1) * SIZE)):
        item = system.property_named(schedule.property)
        short = (
            Schedule(schedule.property, schedule.steps[:6], schedule.start, schedule.loop)
            if schedule.loop is None
            else schedule
        )
        try:
            short.assert_never_shows(system)
        except AssertionError:
            continue
        assert not showing(short, system, item, strays=2 if len(short.steps) < 7 else 0), seed


# -- negative controls ------------------------------------------------------------------------------


def disagreements(seeds: range) -> list[int]:
    """Where a schedule and trying all its runs part ways."""
    found = list[int]()
    for seed, schedule, system in schedules(seeds):
        item, message = system.property_named(schedule.property), said(schedule, system)
        if "cannot be taken" not in message and (not message) != showing(schedule, system, item):
            found.append(seed)
    return found


def test_runs_that_are_united_too_early_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: to forget what a step has broken, and what has become of a goal."""
    monkeypatch.setattr(_Paths, "_asked", lambda self, path: replace(path, broken=False, round=()))
    assert disagreements(range(3))
