"""A trace: an initial state and the actions taken from it. States are derived by running it, never stored as truth."""

from __future__ import annotations

from dataclasses import dataclass

from draincheck.errors import TraceError
from draincheck.system import State, TransitionSystem

__all__ = ["Step", "Trace", "rerun"]


@dataclass(frozen=True, slots=True)
class Trace:
    """A path of a system.

    Attributes:
        system: the model's name.
        digest: `TransitionSystem.digest` of the model it belongs to.
        property: the property it is evidence about, or "".
        initial: stored values of the first state, in variable order.
        actions: indices of the actions taken.
    """

    system: str
    digest: str
    property: str
    initial: State
    actions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One executed step of a trace: the action's index, the states around it, and the checks it broke."""

    action: int
    before: State
    after: State
    broken: tuple[str, ...]


def rerun(system: TransitionSystem, trace: Trace) -> tuple[Step, ...]:
    """Execute a trace through the system's own definition of a step.

    Raises TraceError if the trace names another model, does not start in an initial state, takes an action that is not there, not
    enabled or faulty.
    """
    if trace.digest != system.digest:
        raise TraceError(
            f"the trace belongs to another model: it names {trace.digest[:12]}, and {system.name} is {system.digest[:12]}; export it again"
        )
    if trace.initial not in system.initial:
        raise TraceError(f"the trace does not start in an initial state of {system.name}")
    steps: list[Step] = []
    state = trace.initial
    for number, index in enumerate(trace.actions, 1):
        if not 0 <= index < len(system.actions):
            raise TraceError(f"step {number} takes action {index}, and {system.name} has {len(system.actions)} actions")
        action = system.actions[index]
        if not system.holds(action.guard, state):
            raise TraceError(f"step {number} cannot be taken: {action.process}: {action.name} is not enabled there")
        if (fault := system.fault(state, action)) is not None:
            raise TraceError(f"step {number} ({action.name}) runs into a fault: {fault.message} ({fault.line})")
        after = system.step(state, action)
        steps.append(Step(index, state, after, system.broken_checks(state, action)))
        state = after
    return tuple(steps)
