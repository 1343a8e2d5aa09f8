"""How a run ends with an error, or passes a bound: what would have happened, in the words and values of the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from draincheck.analysis.standing import ControlMap, Stand
from draincheck.errors import SourceLine
from draincheck.properties import NoFault
from draincheck.run import Run, label_of
from draincheck.semantics.violation import faulty_step, shows
from draincheck.system import Action, Fault, FaultKind, State, TransitionSystem

__all__ = ["Accident", "accident"]

#: a longer term is told by its value alone
MAX_TEXT = 100


class Accident(Struct, frozen=True):
    """The step that cannot be taken where a run ends.

    Attributes:
        kind: what is wrong, by the name of its kind.
        action: the index of the action.
        process: who would take it.
        label: what it is called.
        message: what is wrong, in the same words wherever the step meets it.
        told: what is wrong here: which value would leave which range, who has entered the coroutine and where it stands.
        line: where that is written in the model.
    """

    kind: FaultKind
    action: int
    process: str
    label: str
    message: str
    told: str
    line: SourceLine


def accident(run: Run) -> Accident | None:
    """What a trace ends with that shows an error of a run or a passed bound; None for other traces."""
    item = run.system.property_named(run.trace.property) if run.trace.property else None
    if not isinstance(item, NoFault) or not shows(run, item):
        return None
    state = run.states[-1]
    action, fault = faulty_step(run, item.kind)
    label, told = label_of(run.system, action, state), _TOLD[item.kind](run.system, state, action, fault)
    return Accident(item.kind, action.index, action.process, label, fault.message, told, fault.line)


def _message(_: TransitionSystem, __: State, ___: Action, fault: Fault) -> str:
    return fault.message


def _out_of_range(system: TransitionSystem, state: State, _: Action, fault: Fault) -> str:
    """Which value would be stored, and on which side of which range it lies."""
    if fault.stores is None:
        return fault.message
    variable, term = fault.stores
    value, low, high = system.value(term, state), variable.sort.low, variable.sort.high
    side = f"below its least, {low}" if value < low else f"above its greatest, {high}"
    text = str(term)
    computed = f" ({text})" if text != str(value) and len(text) <= MAX_TEXT else ""
    return f"{variable.name} would become {value}{computed}: {side}"


def _entered(system: TransitionSystem, state: State, action: Action, fault: Fault) -> str:
    """Who would enter which coroutine, and why it cannot be: who has entered it, and where it stands."""
    coroutine = next((part.enters for part in action.parts if part.enters), "")
    stands = ControlMap(system).stands(state)
    if coroutine not in stands:
        return fault.message
    enterer = next((stand for stand in stands.values() if stand.awaits == coroutine), None)
    why = "has ended" if enterer is None else _running(stands[coroutine], enterer)
    return f"{action.process} would enter {coroutine}, which {why}"


def _running(coroutine: Stand, enterer: Stand) -> str:
    by = f"{enterer.process}{_at(enterer)} has entered it"
    return f"is running: {by}, and it stands{_where(coroutine)}"


def _where(stand: Stand) -> str:
    """At which of its places, or inside of what it has entered."""
    inside = f" inside {stand.awaits}" if stand.awaits else ""
    named = [repr(place) for place in stand.places if place != "(start)"]
    places = f" at {', '.join(named)}" if named else ""
    return f"{inside or places}{_at(stand)}"


def _at(stand: Stand) -> str:
    return "" if stand.line is None else f" ({stand.line})"


def _passed(_: TransitionSystem, __: State, action: Action, fault: Fault) -> str:
    return f"{action.process} passes a bound of the model: {fault.message}"


_TOLD: Final[dict[FaultKind, Callable[[TransitionSystem, State, Action, Fault], str]]] = {
    FaultKind.RANGE: _out_of_range,
    FaultKind.REENTRY: _entered,
    FaultKind.SCHEDULED: _message,
    FaultKind.ERROR: _message,
    FaultKind.BOUND: _passed,
}
