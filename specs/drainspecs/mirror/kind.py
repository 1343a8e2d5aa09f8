"""Scenarios of a kind: what a change must not make hang, whichever of them somebody was thinking of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from draincheck.knobs import Knobs
from draincheck.qemu import Scenario
from draincheck.revisions import Revision
from drainspecs.mirror.scenarios import SCENARIOS, applies, base_scenario
from drainspecs.questions.variants import Judge, Judged

__all__ = ["NO_HANG", "Kind", "same_kind"]

#: what no change may cost
NO_HANG: Final = ("F1", "R1")


def same_kind(revision: Revision, scenarios: Sequence[Scenario]) -> list[Scenario]:
    """The other scenarios that vary the same default scenarios, as far as the code base can run them.

    Two jobs are left out: they take longer than all others together, and bring no request of another kind.
    """
    bases = {base_scenario(scenario) for scenario in scenarios}
    others = (item for item in SCENARIOS if base_scenario(item) in bases and item not in scenarios and item.jobs == 1)
    return [item for item in others if applies(revision, item)]


class Kind:
    """Looks for hangs in the scenarios of the same kind as some chosen ones: users have those requests, too."""

    def __init__(self, revision: Revision, scenarios: Sequence[Scenario]) -> None:
        self._judges = [Judge(place, NO_HANG) for place in same_kind(revision, scenarios)]

    def hang(self, knobs: Knobs) -> tuple[Scenario, Judged] | None:
        """A scenario where a code base with these knobs hangs, and what is known of it there.

        What has shown a hang is tried first the next time: larger sets often hang alike.
        """
        for number, judge in enumerate(self._judges):
            judged = judge.judge(knobs)
            if not (judged.objection or judged.all_hold()):
                self._judges.insert(0, self._judges.pop(number))
                return judge.scenario, judged
        return None
