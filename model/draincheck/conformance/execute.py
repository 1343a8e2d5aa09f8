"""One machine of the core led along a path of the model, with both compared at every state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from draincheck.conformance.abstraction import Abstraction, Observed
from draincheck.conformance.correspondence import choice_of, outcomes_of
from draincheck.core.host import Choice
from draincheck.core.machine import Machine
from draincheck.core.scheduler import SchedulerStep
from draincheck.system import TransitionSystem

__all__ = ["Lead", "Mismatch", "Offers"]

#: the outcomes of the actions that one scheduling choice may turn out to be
Alternatives = tuple[tuple[str, ...], ...]


class Mismatch(Struct, frozen=True):
    """Where the two part ways.

    Attributes:
        kind: what differs: `state`, `choices` (whose step may come next), `outcomes` (of the step), or `step` (the core failed in it).
        model: the model's view.
        core: the core's.
        offered: the choices that the core offers there.
    """

    kind: str
    model: str
    core: str
    offered: tuple[Choice, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind} differ: the model has {self.model}; the core has {self.core}"


class Offers:
    """What a model's actions are in the core's words."""

    def __init__(self, system: TransitionSystem) -> None:
        self._choices = [choice_of(action) for action in system.actions]
        self._outcomes = [outcomes_of(action) for action in system.actions]

    def choice(self, action: int) -> Choice:
        """The scheduling choice of an action."""
        return self._choices[action]

    def choices(self, enabled: Iterable[int]) -> frozenset[Choice]:
        """The scheduling choices of all these actions."""
        return frozenset(self._choices[action] for action in enabled)

    def alternatives(self, action: int, enabled: Iterable[int]) -> Alternatives:
        """The outcomes of the step that begins with the same choice; the action's own come first."""
        same = [a for a in enabled if a != action and self._choices[a] == self._choices[action]]
        return (self._outcomes[action], *(self._outcomes[a] for a in same))

    def step(self, action: int, enabled: Iterable[int]) -> SchedulerStep:
        """The core's step for an action: its choice, and the outcomes that tell it apart from its alternatives."""
        script = _Script(self.alternatives(action, enabled))
        asked: list[str] = []
        while script.open:
            asked.append(script.wanted())
            script.narrow()
        return SchedulerStep(*self._choices[action], tuple(asked))

    def action(self, step: SchedulerStep, enabled: Iterable[int]) -> int | None:
        """The action that is this step of the core, None if there is none or more than one."""
        enabled = list(enabled)
        same = [a for a in enabled if self._choices[a] == (step.process, step.label)]
        found = [a for a in same if self.step(a, enabled) == step]
        return found[0] if len(found) == 1 else None


class _Script:
    """The outcomes that are still possible while a step is being made; the first is the one wanted."""

    def __init__(self, alternatives: Alternatives) -> None:
        self.left = list(alternatives)
        self.asked = 0

    @property
    def open(self) -> bool:
        """More than one is still possible."""
        return len(self.left) > 1

    def expected(self) -> set[str]:
        """The labels of the next outcome that is open."""
        while self.asked < max(map(len, self.left)) and len(self._labels()) == 1:
            self.asked += 1
        return self._labels()

    def wanted(self) -> str:
        """The label to take."""
        self.expected()
        return _at(self.left[0], self.asked)

    def narrow(self) -> None:
        """The wanted label has been taken."""
        wanted = self.wanted()
        rest = [left for left in self.left if _at(left, self.asked) == wanted]
        if len(rest) == len(self.left):
            raise ValueError(f"two actions are the same choice of the core: {rest}")
        self.left = rest
        self.asked += 1

    def _labels(self) -> set[str]:
        return {_at(left, self.asked) for left in self.left}


class Lead:
    """Leads a machine: makes it take a model's action, outcomes included, and finds where it does or offers something else."""

    def __init__(self, machine: Machine, abstraction: Abstraction) -> None:
        self.machine = machine
        self.abstraction = abstraction
        machine.decide = self._decide

    def compare(self, state: Observed, choices: frozenset[Choice]) -> Mismatch | None:
        """Whether the machine shows this state, and offers exactly these scheduling choices."""
        observed = self.abstraction.of_machine(self.machine)
        offered = self.machine.choices()
        if observed != state:
            return self._state_difference(state, observed, offered)
        if len(offered) == len(choices) and choices.issuperset(offered):
            return None
        return Mismatch("choices", _listed(choices), _listed(offered), tuple(offered))

    def take(self, choice: Choice, alternatives: Alternatives) -> Mismatch | None:
        """Make an offered choice happen with the outcomes of `alternatives[0]`; the step must ask for what tells them all apart."""
        self._unexpected: list[Mismatch] = []
        self._script = _Script(alternatives)
        try:
            self.machine.take(choice)
        except Exception as error:  # whatever the core's code runs into is a finding
            return Mismatch("step", _listed([choice]), f"{type(error).__name__}: {error}")
        if self._unexpected:
            return self._unexpected[0]
        if self._script.open:
            return Mismatch("outcomes", _listed_labels(self._script.expected()), "only one")
        return None

    def _decide(self, choices: Sequence[Choice]) -> int:
        """The core asks which of several outcomes its step has."""
        offered = [choice.label for choice in choices]
        expected = self._script.expected()
        if expected != set(offered):
            difference = Mismatch("outcomes", _listed_labels(expected), _listed_labels(offered), tuple(choices))
            self._unexpected.append(difference)
            return 0
        wanted = self._script.wanted()
        self._script.narrow()
        return offered.index(wanted)

    def _state_difference(self, model: Observed, core: Observed, offered: Sequence[Choice]) -> Mismatch:
        """Only the variables that differ."""
        differing = [(n, m, c) for n, m, c in zip(self.abstraction.names, model, core, strict=True) if m != c]
        ours, theirs = ", ".join(f"{n}={m}" for n, m, _ in differing), ", ".join(f"{n}={c}" for n, _, c in differing)
        return Mismatch("state", ours, theirs, tuple(offered))


def _at(outcomes: tuple[str, ...], index: int) -> str:
    return outcomes[index] if index < len(outcomes) else ""


def _listed(choices: Iterable[Choice]) -> str:
    return ", ".join(sorted(f"{c.process} ({c.label})" if c.label else c.process for c in choices)) or "nothing"


def _listed_labels(labels: Iterable[str]) -> str:
    return ", ".join(sorted(labels)) or "nothing"
