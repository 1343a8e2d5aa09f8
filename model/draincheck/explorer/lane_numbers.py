"""In which lane a step is drawn that no run takes: the rule of `report.lanes`, for a single step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from draincheck.explorer.tables import Register
from draincheck.report.calls import CallEvent, Change
from draincheck.report.lanes import Lane, LaneKind, LanePlaces
from draincheck.system import Action, State, TransitionSystem

__all__ = ["LaneNumbers"]


class LaneNumbers:
    """The lanes of a system by their numbers. Who was the first to enter a coroutine only a run knows: its lane is one, whoever that is."""

    def __init__(self, system: TransitionSystem) -> None:
        self._system, self._places = system, LanePlaces(system, ())
        self._lanes = Register[Lane]()

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """All that have a number."""
        return tuple(self._lanes)

    def number(self, lane: Lane) -> int:
        """The number of a lane."""
        alone = lane.kind is LaneKind.COROUTINE
        return self._lanes[Lane(lane.name, lane.kind, lane.name) if alone else lane]

    def of_step(self, action: Action, taken: Sequence[int], before: State, after: State) -> int:
        """The number of the lane of a step, of which these parts take place."""
        return self.number(self._places.lane(action.process, list(self._events(action, taken, before, after))))

    def _events(self, action: Action, taken: Sequence[int], before: State, after: State) -> Iterator[CallEvent]:
        """Its parts as a trace would have them, as far as lanes look at them."""
        rows = zip(self._system.variables, before, after, strict=True)
        changes = {v.name: Change(v.name, old, new) for v, old, new in rows if old != new and not v.internal}
        for place in taken:
            part = action.parts[place]
            own = tuple(changes[name] for name in part.writes if name in changes)
            yield CallEvent(0, action.process, action.process, (), part, own, bool(part.frames))
