"""Which of the core's choices each action of a model is.

Both name processes alike. A process of the model may have several actions where the core has one step whose outcome is open (which
finished I/O is met first), or several things that an actor may do (which I/O the storage finishes). The labels tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from draincheck.core.host import Choice
from draincheck.system import Action

__all__ = ["choice_of", "outcomes_of"]

#: actions of these processes are told apart at the scheduling point: (what the first part's label begins with, the core's label)
_ACTORS: dict[str, tuple[tuple[str, str], ...]] = {
    "guest": (("a kick for ", "chardev"), ("writes the doorbell", "doorbell")),
}

#: frames that name the source a dispatch in any order begins with
_SOURCES = {
    "aio_ctx_dispatch (qemu_aio_context)": "qemu_aio_context",
    "aio_ctx_dispatch (iohandler_ctx)": "iohandler_ctx",
    "monitor_read": "monitor",
    "tcp_chr_read": "chardev",
}


def choice_of(action: Action) -> Choice:
    """What the core offers at a scheduling point where the model can take this action."""
    label = action.parts[0].label
    if action.process in ("storage", "clock"):
        return Choice(action.process, label)
    for begin, name in _ACTORS.get(action.process, ()):
        if label.startswith(begin):
            return Choice(action.process, name)
    return Choice(action.process)


def outcomes_of(action: Action) -> tuple[str, ...]:
    """The labels that the core uses within its step for what this action does, in the order in which it may ask."""
    return tuple(label for rule in _RULES if (label := rule(action)))


def _source(action: Action) -> str:
    """The GSource that is dispatched."""
    frames = [frame for part in action.parts for frame in part.frames]
    return next((_SOURCES[frame] for frame in frames if frame in _SOURCES), "")


def _any_label(*pairs: tuple[str, str]) -> Callable[[Action], str]:
    """A rule: the core's label for the first of these texts that some part's label contains."""

    def rule(action: Action) -> str:
        labels = [part.label for part in action.parts]
        return next((name for text, name in pairs if any(text in label for label in labels)), "")

    return rule


def _first_label(*pairs: tuple[str, str]) -> Callable[[Action], str]:
    """A rule: the core's label for the first of these texts that the first part's label contains."""

    def rule(action: Action) -> str:
        return next((name for text, name in pairs if text in action.parts[0].label), "")

    return rule


_RULES: Sequence[Callable[[Action], str]] = (
    _source,
    _any_label(("after 1000 spins", "after 1000 spins"), ("if the poll may sleep", "as the timeout says")),
    _first_label(
        ("mirror's I/O completes", "mirror's I/O"),
        ("mirror [1]'s I/O completes", "mirror [1]'s I/O"),
        ("completes, the guest is told", "guest requests"),
    ),
    _any_label(("SIGSEGV", "it crashes"), ("in flight across the swap", "it goes on")),
)
