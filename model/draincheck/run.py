"""A trace: an initial state and the actions taken from it. States are derived by running it, never stored as truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from draincheck.errors import TraceError
from draincheck.system import Action, State, TransitionSystem
from draincheck.words import counted

__all__ = ["Run", "Step", "Trace", "label_of", "rerun"]


class Trace(Struct, frozen=True):
    """A path of a system.

    Attributes:
        system: the model's name.
        digest: `TransitionSystem.digest` of the model it belongs to.
        property: the property it is evidence about, or "".
        initial: stored values of the first state, in variable order.
        actions: indices of the actions taken.
        loop: for a path that goes on for ever, how many of them come before the part that repeats: the state after the last action is
            the one after this many. None for a path that ends.
    """

    system: str
    digest: str
    property: str
    initial: State
    actions: tuple[int, ...]
    loop: int | None = None

    @classmethod
    def of(
        cls, system: TransitionSystem, name: str, initial: State, actions: Iterable[int], loop: int | None = None
    ) -> Trace:
        """A trace of this system, evidence about the property of this name."""
        return cls(system.name, system.digest, name, initial, tuple(actions), loop)


class Step(Struct, frozen=True):
    """One executed step of a trace: the action's index, the states around it, and the checks it broke."""

    action: int
    before: State
    after: State
    broken: tuple[str, ...]


class Run(Struct, frozen=True):
    """A trace with its executed steps: what is shown and reported. `of` makes one."""

    system: TransitionSystem
    trace: Trace
    steps: tuple[Step, ...]

    @classmethod
    def of(cls, system: TransitionSystem, trace: Trace, known: Known | None = None) -> Run:
        """The trace, executed; arguments and errors as for `rerun`."""
        return cls(system, trace, rerun(system, trace, known))

    @property
    def states(self) -> list[State]:
        """The states it passes, the first and the last included."""
        return [self.trace.initial, *(step.after for step in self.steps)]


#: steps that have been executed, by the state before and the action
Known = dict[tuple[State, int], Step]


def rerun(system: TransitionSystem, trace: Trace, known: Known | None = None) -> tuple[Step, ...]:
    """Execute a trace through the system's own definition of a step; those that are `known` need not be executed again.

    Raises TraceError if the trace names another model, does not start in an initial state, takes an action that is not there, not
    enabled or faulty, or has a loop that does not close.
    """
    if trace.digest != system.digest:
        raise TraceError(
            f"the trace belongs to another model: it names {trace.digest[:12]}, and {system.name} is {system.digest[:12]}; export it again"
        )
    if len(trace.initial) != len(system.variables) or not system.is_initial(trace.initial):
        raise TraceError(f"the trace does not start in an initial state of {system.name}")
    steps: list[Step] = []
    state, known = trace.initial, {} if known is None else known
    for number, index in enumerate(trace.actions, 1):
        if (state, index) not in known:
            known[state, index] = _executed(system, state, index, number)
        steps.append(known[state, index])
        state = steps[-1].after
    if trace.loop is not None:
        _check_loop(steps, trace.loop)
    return tuple(steps)


def _executed(system: TransitionSystem, state: State, index: int, number: int) -> Step:
    """The step with this number."""
    if not 0 <= index < len(system.actions):
        raise TraceError(
            f"step {number} takes action {index}, and {system.name} has {counted(len(system.actions), 'action')}"
        )
    action = system.actions[index]
    if not system.holds(action.guard, state):
        raise TraceError(f"step {number} cannot be taken: {action.process}: {action.name} is not enabled there")
    if (fault := system.fault(state, action)) is not None:
        raise TraceError(f"step {number} ({action.name}) runs into a fault: {fault.message} ({fault.line})")
    return Step(index, state, system.step(state, action), system.broken_checks(state, action))


def _check_loop(steps: Sequence[Step], loop: int) -> None:
    """Raise TraceError unless the path comes back to where its loop begins."""
    if not 0 <= loop < len(steps):
        raise TraceError(
            f"the loop cannot begin after step {loop}: the trace has {counted(len(steps), 'step')}, and a loop needs one"
        )
    if steps[-1].after != steps[loop].before:
        raise TraceError(f"the loop does not close: the state after step {len(steps)} is not the one after step {loop}")


def label_of(system: TransitionSystem, action: Action, state: State) -> str:
    """What takes place where the action is taken in this state; `(goes on in f)` for a step without a label."""
    parts = [part for part in action.parts if system.holds(part.when, state)]
    labels = dict.fromkeys(part.label for part in parts if part.label)
    places = [str(part.frames[-1]) for part in parts if part.frames]
    return "; ".join(labels) or (f"(goes on in {places[-1]})" if places else "(goes on)")
