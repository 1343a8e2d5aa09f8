"""Context switches: the steps of a run before which another thread has to go on.

A coroutine runs on the stack of whoever has entered it, so to enter one, and to give control back, is no switch: its steps are its thread's.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TypeAlias

from msgspec import Struct

from draincheck.run import Run
from draincheck.system import Action, BoolVar, State, TransitionSystem

__all__ = ["NOBODY", "Cost", "Stacks", "Threads", "cost_of"]

#: for each coroutine that was entered and has not given control back, the thread that it runs on, in alphabetical order
Stacks: TypeAlias = tuple[tuple[str, str], ...]

#: before the first step no coroutine was entered
NOBODY: Stacks = ()


class Cost(Struct, frozen=True, order=True):
    """What a run asks of who wants to follow it: context switches above all, then steps."""

    switches: int
    steps: int


class Threads:
    """On which threads the steps of a system run, told along a path."""

    def __init__(self, system: TransitionSystem) -> None:
        self.system = system
        self._enters = {action.index: [part for part in action.parts if part.enters] for action in system.actions}
        self._tokens: dict[str, BoolVar] = {c.process: c.token for c in system.controls if c.token is not None}

    def of(self, action: Action, stacks: Stacks) -> str:
        """The thread that takes an action: the process itself, unless it is a coroutine that somebody has entered."""
        return dict(stacks).get(action.process, action.process)

    def enters(self, action: Action) -> bool:
        """Whether an action may enter a coroutine."""
        return bool(self._enters[action.index])

    def after(self, action: Action, stacks: Stacks, before: State, after: State) -> Stacks:
        """Who runs on whose stack after an action has led from one state to another."""
        if not stacks and not self.enters(action):
            return NOBODY
        thread, found = self.of(action, stacks), dict(stacks)
        found |= {part.enters: thread for part in self._enters[action.index] if self.system.holds(part.when, before)}
        return tuple(sorted((name, below) for name, below in found.items() if self._runs(name, after)))

    def _runs(self, coroutine: str, state: State) -> bool:
        """Whether a coroutine has not given control back; of a system made by hand nobody knows."""
        token = self._tokens.get(coroutine)
        return token is None or self.system.holds(token, state)

    def along(self, run: Run) -> Iterator[str]:
        """The thread of each step of a run."""
        stacks = NOBODY
        for step in run.steps:
            action = self.system.actions[step.action]
            yield self.of(action, stacks)
            stacks = self.after(action, stacks, step.before, step.after)


def cost_of(run: Run) -> Cost:
    """How many context switches a run has, and how many steps; of one that goes round for ever those until it is where its loop began."""
    threads = list(Threads(run.system).along(run))
    return Cost(sum(one != other for one, other in pairwise(threads)), len(threads))
