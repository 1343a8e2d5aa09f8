"""What an export says of a system, whatever the format: a heading, what is demanded, and what the format cannot carry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from draincheck.errors import ExportError
from draincheck.properties import CanAlwaysFinish, FaultKind, Liveness, NoDeadlock, Property
from draincheck.system import Action, TransitionSystem
from draincheck.words import counted

__all__ = [
    "Exported",
    "NotCarried",
    "Origin",
    "grouped",
    "heading",
    "left_out",
    "refuse_no_variables",
    "said_of",
    "where",
]

#: why a format lacks what it does not carry
_BRANCHING = "that a goal stays in reach is about what can still come, and no condition on states or runs says that"
_OTHERS_MOVE = "in part: only states in which nothing can move; who is stuck while others go on is not seen"
_QUOTIENT = "states of the model were made one, and the runs of that need not be runs of the model"


class Origin(Struct, frozen=True):
    """What people are told an export was made of.

    Attributes:
        title: what the system is called.
        scenario: who does what, "" if that is not said.
        tool: who writes it, with its version.
        command: how to make the file again, "" if no command does.
        file: what the file is called without its suffix, "" if that is not known.
    """

    title: str
    scenario: str = ""
    tool: str = "check-invariants"
    command: str = ""
    file: str = ""


class NotCarried(Struct, frozen=True):
    """A property that a format cannot carry, or not all of it, and why."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"


class Exported(Struct, frozen=True):
    """A system in a format of others.

    Attributes:
        text: the file.
        carried: the names of the properties in it, each with what it is called there.
        left_out: what is not in it, or not all of it.
        extra_states: how many states the tool stores besides those of the system.
    """

    text: str
    carried: tuple[tuple[str, str], ...]
    left_out: tuple[NotCarried, ...]
    extra_states: int = 0


def refuse_no_variables(system: TransitionSystem) -> None:
    """Raise ExportError for a system with one state alone, which some languages cannot say."""
    if not system.variables:
        raise ExportError("it has no variables, so that there is nothing to write down")


def left_out(system: TransitionSystem, items: Sequence[Property], no_runs: str) -> tuple[NotCarried, ...]:
    """What a format cannot carry, or not all of it; `no_runs` says why it has no demands on whole runs, "" if it has."""
    found = ((item.name, _why(system, item, no_runs)) for item in items)
    return tuple(NotCarried(name, why) for name, why in found if why)


def _why(system: TransitionSystem, item: Property, no_runs: str) -> str:
    match item:
        case CanAlwaysFinish():
            return _BRANCHING
        case Liveness():
            return no_runs or (_QUOTIENT if system.quotient else "")
        case NoDeadlock():
            return _OTHERS_MOVE if system.at_rest else ""
    return ""


def heading(
    system: TransitionSystem, origin: Origin, items: Sequence[Property], lacking: Sequence[NotCarried]
) -> Iterator[str]:
    """What stands at the beginning of a file: of what, by whom, what is not in it, and what is meant otherwise than by the tool."""
    yield origin.title
    yield from filter(None, [origin.scenario])
    yield f"Written by {origin.tool}" + (f": {origin.command}" if origin.command else "")
    processes = len({action.process for action in system.actions})
    sizes = counted(len(system.variables), "variable"), counted(len(system.actions), "action")
    yield f"{sizes[0]}, {sizes[1]} of {processes} {'process' if processes == 1 else 'processes'}"
    yield f"Digest: {system.digest}"
    if system.quotient:
        yield f"states of the model were made one: {system.quotient}"
    yield from (f"NOT HERE: {each}" for each in lacking)
    if items:
        yield "What nothing puts to the test counts as kept here; `check-invariants check` says so of it (never asked)."
    if any(fault.kind is FaultKind.BOUND for action in system.actions for fault in action.faults):
        yield "A step that passes a bound of the model is not taken: if `no bound passed` is violated, what holds here is unknown."


def said_of(item: Property) -> str:
    """A property in a line: its name, what it demands of what, and what that means."""
    return f"{item.name} ({item.form})" + (f": {item.meaning}" if item.meaning else "")


def grouped(system: TransitionSystem) -> Iterator[tuple[str, list[Action]]]:
    """The actions by their processes, in the order in which these come first."""
    for process in dict.fromkeys(action.process for action in system.actions):
        yield process, [action for action in system.actions if action.process == process]


def where(action: Action) -> str:
    """What an action does, in which calls, and where the model's source says so."""
    frames = action.parts[0].frames if action.parts else ()
    calls = f", in {' > '.join(map(str, frames))}" if frames else ""
    return f"{action.name}{calls} ({action.line})"
