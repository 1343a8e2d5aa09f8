"""Build each distinct system once: a build depends on nothing but the knobs it reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from draincheck.knobs import Knobs
from draincheck.qemu.build import build
from draincheck.qemu.probes import Probes
from draincheck.qemu.scenario import Scenario
from draincheck.system import TransitionSystem
from draincheck.variants import Variants

__all__ = ["BuildCache"]


class BuildCache:
    """Systems by scenario and by the knobs that mattered: two code bases that agree on those have the same system."""

    def __init__(self, probes: Callable[[], Probes]) -> None:
        self._probes = probes
        self._built: dict[Scenario, Variants[Knobs, TransitionSystem]] = defaultdict(Variants)

    def system(self, knobs: Knobs, scenario: Scenario) -> TransitionSystem:
        """The compiled system; the same object for code bases that cannot be told apart in this scenario."""
        return self._built[scenario].find(
            knobs, lambda read: build(scenario.name, read, scenario, self._probes()).compile()
        )
