"""Who decides what happens next. All nondeterminism of a machine goes through one scheduler object.

A scheduler is asked two kinds of things: whose step comes next, and, within a step, which of several outcomes it has. The same answers
always give the same run. A scheduler serves several runs: `begin` prepares the next one, and says whether there is one.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from draincheck.core.errors import ReplayDiverged
from draincheck.core.host import Choice

__all__ = ["PCT", "Fair", "Random", "Replay", "Scheduler", "SchedulerStep"]


class SchedulerStep(NamedTuple):
    """One step of a run: whose it was, which of that process's (`label`), and what the open outcomes within it were."""

    process: str
    label: str = ""
    outcomes: tuple[str, ...] = ()

    def __str__(self) -> str:
        label = f": {self.label}" if self.label else ""
        return f"{self.process}{label}" + (f" ({', '.join(self.outcomes)})" if self.outcomes else "")


class Scheduler(Protocol):
    """Decides."""

    def begin(self) -> bool:
        """Prepare a run; false if there is none left."""
        ...

    def step(self, choices: Sequence[Choice]) -> int:
        """The index of the choice that happens next; there is at least one."""
        ...

    def outcome(self, choices: Sequence[Choice]) -> int:
        """The index of the outcome of the step that is being made; there are at least two."""
        ...


class Random:
    """Every choice with the same probability. Run n of a seed is always the same run."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.runs = 0
        self._random = random.Random()

    def begin(self) -> bool:
        """There is always another run."""
        self._random.seed(f"{self.seed}/{self.runs}")
        self.runs += 1
        return True

    def step(self, choices: Sequence[Choice]) -> int:
        """Any."""
        return int(self._random.random() * len(choices))

    outcome = step


class PCT:
    """Probabilistic concurrency testing: random priorities, lowered after `depth` - 1 random steps of a run of about `length`.

    The i-th of these changes gives priority i, below all that a run begins with, and may come before or after the others: which of the
    lowered processes goes on first is random too. Finds a bug that needs `depth` ordering constraints among n processes with a
    probability of at least 1 / (n * length**(depth - 1)) a run (Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees
    of Finding Bugs", ASPLOS 2010). A process sinks too each time it has made `PATIENCE` steps: processes that keep each other busy
    would otherwise keep the others out for ever.
    """

    #: more than any code path between two sleeps needs
    PATIENCE = 64

    def __init__(self, seed: int, depth: int = 3, length: int = 80) -> None:
        self.seed, self.depth, self.length = seed, depth, length
        self.runs = 0
        self._random = random.Random()

    def begin(self) -> bool:
        """There is always another run."""
        self._random.seed(f"{self.seed}/{self.runs}")
        self.runs += 1
        self._priority: dict[str, float] = {}
        self._lowest = 0.0
        #: steps, counted from 0, after which the process that made them gets this priority
        self._changes = {self._random.randrange(self.length): priority for priority in range(1, self.depth)}
        self._made = 0
        self._steps: Counter[str] = Counter()
        return True

    def step(self, choices: Sequence[Choice]) -> int:
        """The process with the highest priority; its own alternatives with the same probability."""
        for choice in choices:
            if choice.process not in self._priority:
                self._priority[choice.process] = self.depth + self._random.random()
        first = max(choices, key=lambda choice: self._priority[choice.process]).process
        self._count(first)
        return self._random.choice([i for i, choice in enumerate(choices) if choice.process == first])

    def _count(self, process: str) -> None:
        """Sink a process at a change point, and below all others when it has had its share."""
        self._priority[process] = self._changes.get(self._made, self._priority[process])
        self._made += 1
        self._steps[process] += 1
        if self._steps[process] % self.PATIENCE == 0:
            self._lowest -= 1
            self._priority[process] = self._lowest

    def outcome(self, choices: Sequence[Choice]) -> int:
        """Any."""
        return self._random.randrange(len(choices))


class Fair:
    """The process that has waited longest; without randomness. Brings a machine to its end if it has one."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> bool:
        """There is always another run, the same one."""
        self._turn: dict[Choice, int] = {}
        self._made = 0
        return True

    def step(self, choices: Sequence[Choice]) -> int:
        """The choice that was taken longest ago, the first of those never taken."""
        turn = min(range(len(choices)), key=lambda i: (self._turn.get(choices[i], -1), i))
        self._made += 1
        self._turn[choices[turn]] = self._made
        return turn

    outcome = step


class Replay:
    """A recorded run. Raises ReplayDiverged where the machine does not offer what was recorded."""

    def __init__(self, steps: Sequence[SchedulerStep]) -> None:
        self.steps = steps
        self.begin()

    def begin(self) -> bool:
        """The run from its start."""
        self._position = 0
        self._outcomes: list[str] = []
        return True

    @property
    def over(self) -> bool:
        """All steps have been made."""
        return self._position == len(self.steps)

    def step(self, choices: Sequence[Choice]) -> int:
        """The recorded one."""
        self.check_outcomes_used()
        if self.over:
            raise ReplayDiverged(self._position + 1, None, tuple(choices))
        step = self.steps[self._position]
        self._position += 1
        self._outcomes = list(step.outcomes)
        return self._index(Choice(step.process, step.label), choices)

    def outcome(self, choices: Sequence[Choice]) -> int:
        """The recorded one."""
        step = self.steps[self._position - 1]
        wanted = self._outcomes.pop(0) if self._outcomes else None
        if wanted is None:
            raise ReplayDiverged(self._position, None, tuple(choices))
        return self._index(Choice(step.process, wanted), choices)

    def check_outcomes_used(self) -> None:
        """Raise ReplayDiverged if the step just made had recorded outcomes that the core did not ask for."""
        if self._outcomes:
            wanted = Choice(self.steps[self._position - 1].process, self._outcomes[0])
            raise ReplayDiverged(self._position, wanted, ())

    def _index(self, wanted: Choice, choices: Sequence[Choice]) -> int:
        if wanted not in choices:
            raise ReplayDiverged(self._position, wanted, tuple(choices))
        return choices.index(wanted)
