"""Conformance over code bases and scenarios: what is to be compared, and what need not be compared twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import fields

from draincheck.conformance.exhaustive import NOTHING_COMPARED, Conformance, conform
from draincheck.core.assembly import STANDARD_PARTS, Parts
from draincheck.core.config import Config
from draincheck.core.machine import Machine
from draincheck.errors import ModelError
from draincheck.knobs import Knobs
from draincheck.qemu import Probes, Scenario
from draincheck.qemu.cache import BuildCache
from draincheck.revisions import Revision
from draincheck.system import TransitionSystem
from draincheck.variants import Variants

__all__ = ["config_of", "conform_all", "conform_one"]


def config_of(scenario: Scenario) -> Config:
    """The core's configuration for a scenario of the model."""
    return Config(**{field.name: getattr(scenario, field.name) for field in fields(Config)})


def conform_one(
    system: TransitionSystem, knobs: Knobs, scenario: Scenario, parts: Parts = STANDARD_PARTS
) -> Conformance:
    """Hold the model of a code base in a scenario against the core of the same."""
    config = config_of(scenario)
    return conform(system, lambda: Machine(knobs, config, parts=parts))


def _refused(revision: Revision, scenario: Scenario, error: ModelError) -> None:
    raise error


def conform_all(
    pairs: Iterable[tuple[Revision, Scenario]],
    progress: Callable[[Revision, Scenario, Conformance], None] = lambda revision, scenario, result: None,
    at_fault: Callable[[Revision, Scenario, ModelError], None] = _refused,
) -> Conformance:
    """Hold model and core against each other for all these pairs.

    A pair is left out if another one has the same model, the same scenario, and the same values of all knobs that the core has read
    while it was compared: its core would do the same once more. `progress` is told each result. A model at fault cannot be compared:
    `at_fault` is told, and the others follow; without it ModelError is raised. Raises OutOfBudget; `progress` was told what came before.
    """
    once, total = _Once(), NOTHING_COMPARED
    for revision, scenario in pairs:
        try:
            result = once.conform(revision.knobs, scenario)
        except ModelError as error:
            at_fault(revision, scenario, error)
            continue
        if result is not None:
            total += result
            progress(revision, scenario, result)
    return total


class _Once:
    """Compares what has not been compared before."""

    def __init__(self) -> None:
        self._systems = BuildCache(Probes)
        self._done: dict[tuple[str, Scenario], Variants[Knobs, Conformance]] = defaultdict(Variants)

    def conform(self, knobs: Knobs, scenario: Scenario) -> Conformance | None:
        """The result, or None if there is nothing new in this pair. Raises ModelError."""
        system = self._systems.system(knobs, scenario)
        done = self._done[system.digest, scenario]
        if done.known(knobs) is not None:
            return None
        return done.find(knobs, lambda read: conform_one(system, read, scenario))
