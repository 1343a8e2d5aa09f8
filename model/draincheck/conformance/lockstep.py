"""Model and core side by side along one path: a trace of the model, or a random walk of both."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from draincheck.conformance.abstraction import Abstraction
from draincheck.conformance.execute import Lead, Mismatch, Offers
from draincheck.core.machine import Machine
from draincheck.core.scheduler import SchedulerStep
from draincheck.errors import TraceError
from draincheck.run import Run, Trace
from draincheck.system import State, TransitionSystem

__all__ = ["Parting", "follow", "steps_of_run", "trace_of_steps", "walk"]


class Parting(Struct, frozen=True):
    """Where core and model part ways on a path.

    Attributes:
        step: the number of the step in or after which they differ, from 1; 0: from the start.
        difference: both sides' views, and what the core offers.
    """

    step: int
    difference: Mismatch


class _SideBySide:
    """A machine, and the model's state that it should be in."""

    def __init__(self, system: TransitionSystem, machine: Machine) -> None:
        self.system = system
        self.offers = Offers(system)
        self.abstraction = Abstraction(system)
        self.lead = Lead(machine, self.abstraction)
        self.state = system.initial[0]
        self.steps = 0

    def enabled(self) -> list[int]:
        """The model's actions."""
        return [a.index for a in self.system.enabled(self.state) if self.system.fault(self.state, a) is None]

    def compare(self) -> Parting | None:
        """Whether both show the same and offer the same."""
        choices = self.offers.choices(self.enabled())
        return self._parting(self.lead.compare(self.abstraction.of_state(self.state), choices))

    def take(self, action: int) -> Parting | None:
        """Take an action with both."""
        alternatives = self.offers.alternatives(action, self.enabled())
        self.steps += 1
        self.state = self.system.step(self.state, self.system.actions[action])
        return self._parting(self.lead.take(self.offers.choice(action), alternatives)) or self.compare()

    def _parting(self, difference: Mismatch | None) -> Parting | None:
        return None if difference is None else Parting(self.steps, difference)


def follow(run: Run, machine: Machine) -> Parting | None:
    """Lead a new machine along a run; None if it agrees all the way."""
    both = _SideBySide(run.system, machine)
    parting = both.compare()
    for step in run.steps:
        parting = parting or both.take(step.action)
    return parting


def walk(system: TransitionSystem, machine: Machine, pick: Callable[[int], int], most: int) -> Parting | None:
    """Walk both at random: `pick` gives a number below its argument; `most` steps at most. None if they agree all the way."""
    both = _SideBySide(system, machine)
    parting = both.compare()
    for _ in range(most):
        enabled = both.enabled()
        if parting is not None or not enabled:
            break
        parting = both.take(enabled[pick(len(enabled))])
    return parting


def steps_of_run(run: Run) -> tuple[SchedulerStep, ...]:
    """A run of the model as steps of the core."""
    offers = Offers(run.system)
    return tuple(
        offers.step(step.action, [action.index for action in run.system.enabled(step.before)]) for step in run.steps
    )


def trace_of_steps(system: TransitionSystem, steps: tuple[SchedulerStep, ...], property_name: str = "") -> Trace:
    """Steps of the core as a trace of the model; raises TraceError where the model has no action for a step."""
    offers = Offers(system)
    state: State = system.initial[0]
    actions: list[int] = []
    for number, step in enumerate(steps, 1):
        index = offers.action(step, [action.index for action in system.enabled(state)])
        if index is None:
            raise TraceError(f"step {number} of the core, {step}, is no action of {system.name} there")
        actions.append(index)
        state = system.step(state, system.actions[index])
    return Trace.of(system, property_name, system.initial[0], actions)
