"""What could have been done instead of a trace's steps: the last chances to keep its property, as far as the whole graph tells."""

from __future__ import annotations

from msgspec import Struct

from draincheck.analysis.avoidability import Alternative, Avoidabilities, Avoidability, Evasion
from draincheck.errors import ModelError
from draincheck.properties import NoFault, Property
from draincheck.run import Trace
from draincheck.system import TransitionSystem
from draincheck.verdict import Limits

__all__ = ["Escape", "Otherwise"]

#: stands for the step that an error keeps from being taken
NOT_TAKEN = -1


class Escape(Struct, frozen=True):
    """Where the trace could have turned out otherwise: instead of a step these could have been taken, the best first.

    That is what makes the property safe at once, then what takes the fewest steps to come to a safe state.
    """

    step: int
    alternatives: tuple[Alternative, ...]


class Otherwise:
    """The avoidabilities of the states that a trace passes up to its violation, and of their other successors."""

    def __init__(self, avoidabilities: Avoidabilities | None, trace: Trace, untold: str = "") -> None:
        self._avoidabilities, self._trace, self.untold = avoidabilities, trace, untold
        self._passed = avoidabilities.along(trace) if avoidabilities is not None else []
        self.violated_at = next((n for n in range(len(self._passed)) if self._is_violated(n)), None)
        #: with an error the run ends in a step that is not taken, one behind the last
        self._by_error = avoidabilities is not None and isinstance(avoidabilities.item, NoFault)
        #: the last step instead of which something could have been done
        self._last = 0 if self.violated_at is None else self.violated_at + self._by_error
        if avoidabilities is not None and avoidabilities.is_about_runs:
            self._last = len(trace.actions)
        elif avoidabilities is not None and self.violated_at is None:
            self.untold = f"the trace does not violate {trace.property!r}"

    @classmethod
    def of(cls, system: TransitionSystem, item: Property | None, trace: Trace, limits: Limits) -> Otherwise:
        """What is known about a trace; `untold` says why nothing is."""
        if item is None:
            return cls(None, trace, "the trace is about no property")
        try:
            return cls(Avoidabilities(system, item, limits), trace, "")
        except ModelError as error:
            return cls(None, trace, error.message)

    def _is_violated(self, number: int) -> bool:
        assert self._avoidabilities is not None
        if self._avoidabilities.is_bad(self._passed[number]):
            return True
        if number == len(self._trace.actions) and self._avoidabilities.errs(self._passed[number]):
            return True
        return number > 0 and self._avoidabilities.breaks(self._passed[number - 1], self._trace.actions[number - 1])

    def avoidability(self, number: int) -> Avoidability | None:
        """What is still possible after a step; None where that is not known, or where it has happened."""
        if self._avoidabilities is None or (self.violated_at is not None and number >= self._last):
            return None
        return self._avoidabilities.of(self._passed[number])

    def lost_at(self) -> int | None:
        """The step after which nothing helps any more; the violation itself if it could be avoided until then."""
        end = None if self.violated_at is None else self._last
        doomed = next((n for n in range(self._last + 1) if self.avoidability(n) is Avoidability.DOOMED), end)
        return None if self.untold else doomed

    def instead(self) -> tuple[Alternative, ...]:
        """What else could have been done instead of the step that violates the property."""
        return tuple(self._alternatives(self._last)) if self.violated_at is not None and self._last else ()

    def escape(self, *good: Avoidability) -> Escape | None:
        """The latest step instead of which something else has one of these avoidabilities."""
        for number in range(self._last, 0, -1):
            if found := tuple(way for way in self._alternatives(number) if way.avoidability in good):
                return Escape(number, found)
        return None

    def evasions(self) -> tuple[Evasion, ...]:
        """What a run from the start may do without a violation that nothing makes impossible; () of a demand on whole runs."""
        if self._avoidabilities is None or self._avoidabilities.is_about_runs or self.lost_at() != 0:
            return ()
        return self._avoidabilities.evasions(self._passed[0])

    def _alternatives(self, number: int) -> list[Alternative]:
        """What else could have been done instead of a step."""
        assert self._avoidabilities is not None
        taken = (*self._trace.actions, NOT_TAKEN)[number - 1]
        return self._avoidabilities.other_ways(self._passed[number - 1], taken)
