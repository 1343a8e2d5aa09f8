"""Build each distinct system once: a build depends on nothing but the knobs it reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from draincheck.qemu.build import build
from draincheck.qemu.probes import Probes
from draincheck.qemu.scenario import Scenario
from draincheck.revisions import Knobs
from draincheck.system import TransitionSystem

__all__ = ["BuildCache"]


class _Recording:
    """A knob vector that remembers which knobs were read."""

    def __init__(self, knobs: Knobs) -> None:
        self._knobs = knobs
        self.read: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        value = self.read[name] = getattr(self._knobs, name)
        return value


class BuildCache:
    """Systems by scenario and by the knobs that mattered: two code bases that agree on those have the same system."""

    def __init__(self, probes: Callable[[], Probes]) -> None:
        self._probes = probes
        self._built: dict[Scenario, list[tuple[dict[str, Any], TransitionSystem]]] = {}

    def system(self, knobs: Knobs, scenario: Scenario) -> TransitionSystem:
        """The compiled system; the same object for code bases that cannot be told apart in this scenario."""
        known = self._built.setdefault(scenario, [])
        for read, system in known:
            if all(getattr(knobs, name) == value for name, value in read.items()):
                return system
        recording = _Recording(knobs)
        system = build(scenario.name, cast(Knobs, recording), scenario, self._probes()).compile()
        known.append((recording.read, system))
        return system
