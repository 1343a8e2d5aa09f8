"""What is promised of the runs of a system: that some actions are not neglected for ever."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

__all__ = ["Fairness", "Strength"]


class Strength(Enum):
    """How much a run may enable actions without taking one: not from some point on for ever, or not even again and again."""

    WEAK = "weak"
    STRONG = "strong"


class Fairness(Struct, frozen=True):
    """An assumption about a group of actions: no run neglects it. `name` says in words whose actions they are.

    Weak: if from some point on every state enables one of the actions, one is taken again and again. Strong: that follows already
    if states that enable one keep coming. A run that stops stays in one state for ever; it neglects what is enabled there.
    """

    name: str
    strength: Strength
    actions: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.strength.value} fairness of {self.name}"
