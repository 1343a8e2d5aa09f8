"""In QEMU's code bases no coroutine is scheduled twice: mirror alone schedules itself, and its bottom half is taken before it runs again."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from draincheck.engines.explicit import explore
from draincheck.expr import FALSE, any_
from draincheck.properties import Reachable
from draincheck.qemu import build
from draincheck.revisions import Revision, code_bases, find_revision
from draincheck.system import BoolVar, TransitionSystem
from draincheck.verdict import Outcome
from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS, applies, find_scenario
from tests.support.samples import sampled

BANDAGE = find_revision("ab27c3b5e7")


def reached(system: TransitionSystem) -> set[str]:
    """What comes about: mirror schedules the bottom half that enters it again, that is pending, and both at once."""
    (bottom_half,) = (v for v in system.variables if v.name == "drain BH" and isinstance(v, BoolVar))
    label = "schedule bdrv_co_drain_bh_cb"
    steps = any_(*(action.guard for action in system.actions if any(part.label == label for part in action.parts)))
    goals = {"scheduled": steps, "pending": bottom_half, "twice": steps & bottom_half}
    found = explore(replace(system, properties=tuple(Reachable(name, goal) for name, goal in goals.items())))
    return {name for name, verdict in found.verdicts.items() if verdict.outcome is Outcome.HOLDS}


@pytest.mark.parametrize("row", sampled(code_bases(), [BANDAGE]), ids=lambda row: row.name)
def test_no_code_base_schedules_mirror_twice(row: Revision) -> None:
    """In none of its scenarios."""
    for scenario in DEFAULT_SCENARIOS:
        if applies(row, scenario):
            system = build(row.name, row.knobs, scenario).compile()
            if any(variable.name == "drain BH" for variable in system.variables):
                assert "twice" not in reached(system), scenario.name


def test_mirror_does_schedule_itself() -> None:
    """The control: where its drains yield, it does, and its bottom half is pending at times."""
    system = build(BANDAGE.name, BANDAGE.knobs, find_scenario("mirror")).compile()
    assert reached(system) == {"scheduled", "pending"}


def test_a_bottom_half_that_is_not_taken_would_be_scheduled_twice() -> None:
    """The control: if what it runs left it pending, it would be found out."""
    system = build(BANDAGE.name, BANDAGE.knobs, find_scenario("mirror")).compile()
    kept = [
        replace(a, updates=tuple(u for u in a.updates if u.variable.name != "drain BH" or u.value is not FALSE))
        for a in system.actions
    ]
    assert "twice" in reached(replace(system, actions=tuple(kept)))
