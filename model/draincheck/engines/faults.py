"""The error an exploration ends with when the model itself is wrong: a reachable step that makes no sense."""

from __future__ import annotations

from draincheck.errors import ModelError
from draincheck.system import Action, Fault
from draincheck.trace import Trace

__all__ = ["ModelFault"]


class ModelFault(ModelError):
    """A reachable state enables an action that cannot be taken: a value leaves its range, or a coroutine is re-entered.

    Attributes:
        action: the action at fault.
        fault: what is wrong with it.
        trace: a shortest path to the state in which it happens; the action itself is not part of it.
    """

    def __init__(self, action: Action, fault: Fault, trace: Trace) -> None:
        self.action = action
        self.fault = fault
        self.trace = trace
        where = f"{action.process}: {action.name}, after {_actions(len(trace.actions))}"
        super().__init__(f"{fault.kind.value}: {fault.message} ({where})", fault.line, action.process)


def _actions(number: int) -> str:
    return "1 action" if number == 1 else f"{number} actions"
