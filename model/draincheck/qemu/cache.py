"""Build each distinct system once: a build depends on nothing but what it reads of code base and scenario."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from draincheck.knobs import Knobs
from draincheck.qemu.build import build
from draincheck.qemu.probes import Probes
from draincheck.qemu.scenario import Scenario
from draincheck.system import TransitionSystem
from draincheck.variants import Variants

__all__ = ["BuildCache"]


class _Situation(Struct, frozen=True):
    """A code base in a scenario."""

    knobs: Knobs
    scenario: Scenario


class BuildCache:
    """Systems by what mattered for them: code bases and scenarios that agree on that have the same system, which has the name of the first."""

    def __init__(self, probes: Callable[[], Probes]) -> None:
        self._probes = probes
        self._built = Variants[_Situation, TransitionSystem]()

    def system(self, knobs: Knobs, scenario: Scenario) -> TransitionSystem:
        """The compiled system; the same object for what a build cannot tell apart."""
        return self._built.find(
            _Situation(knobs, scenario),
            lambda read: build(scenario.name, read.knobs, read.scenario, self._probes()).compile(),
        )
