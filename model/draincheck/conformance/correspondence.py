"""Which of the core's choices each action of a model is.

Both name processes alike. Where a process of the model has several actions at once, the statement says what the core's scheduler calls it
(`choice`): what an actor outside does next, or how a step turns out in which the core asks (which finished I/O is met first).
"""

from __future__ import annotations

from draincheck.core.host import Choice
from draincheck.system import Action

__all__ = ["choice_of", "outcomes_of"]

#: processes outside QEMU: what such an actor does next is chosen with it, not asked for in its step
_ACTORS = ("guest", "storage", "clock")


def choice_of(action: Action) -> Choice:
    """What the core offers at a scheduling point where the model can take this action."""
    return Choice(action.process, action.parts[0].choice if action.process in _ACTORS else "")


def outcomes_of(action: Action) -> tuple[str, ...]:
    """The labels that the core uses within its step for what this action does, in the order in which it may ask."""
    first = 1 if action.process in _ACTORS else 0
    return tuple(part.choice for part in action.parts[first:] if part.choice)
