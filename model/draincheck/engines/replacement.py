"""A reduced system searched in place of another: asked for when it is wanted, and undone in whatever was found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from draincheck.errors import EvidenceError
from draincheck.exploration.explored import Explored
from draincheck.exploration.explorer import Explorer
from draincheck.properties import Always, Assertion, NoFault, Property, Reachable
from draincheck.reductions.wanted import Reductions, Sought
from draincheck.run import Run
from draincheck.semantics.validation import Evidence, Path
from draincheck.system import TransitionSystem
from draincheck.verdict import SILENT, Reporter
from draincheck.words import listed

if TYPE_CHECKING:
    from draincheck.reductions.reduction import Reduction

__all__ = ["Replacement", "Undoing"]

#: the longest path from which confluent steps that it does not need are taken out again
LONGEST = 200

#: states that are looked at to see how many would not be stored, and one of how many has to be such: there are more of them deeper down
SAMPLE, ENOUGH = 4096, 8

#: the kinds of property that a path shows by its last state or step
SHOWN_AT_END = (Always, Assertion, NoFault, Reachable)


class Replacement:
    """What may be searched in place of a system; called when it is wanted."""

    def __init__(
        self,
        system: TransitionSystem,
        reductions: Reductions,
        sought: Callable[[], Sequence[Sought]],
        reporter: Reporter = SILENT,
    ) -> None:
        self._system, self._reductions, self._sought, self._reporter = system, reductions, sought, reporter
        self._found: Reduction | None = None

    def __call__(self, seen: Explorer | None = None) -> TransitionSystem | None:
        """The reduced system; None where nothing is reduced, or hardly anything would be, as those states show that somebody has seen."""
        if self._reductions is Reductions.NONE:
            return None
        found = self._reduced(self._reductions)
        if seen is not None and found.settled is not None and not _is_worth(found, seen):
            found = self._reduced(Reductions.SYMMETRY)
        self._found = found
        if self.advice:
            self._reporter.advice(self.advice)
        return found.system if found.is_some else None

    def _reduced(self, reductions: Reductions) -> Reduction:
        from draincheck.reductions.reduction import reduced  # most searches have no use for it

        return reduced(self._system, reductions, self._sought())

    @property
    def advice(self) -> str:
        """What would have saved states, "" if nobody knows."""
        if self._found is None or not self._found.refused:
            return ""
        return f"interchangeable components were told apart because of {listed(self._found.refused)}: asked without, fewer states would do"

    def undoing(self, searched: TransitionSystem) -> Undoing:
        """How to undo what was done to the system that was searched in the end."""
        return Undoing(self._found if searched is not self._system else None)


def _is_worth(reduction: Reduction, seen: Explorer) -> bool:
    """Whether in enough of the states that were seen some confluent step is enabled."""
    last = [state for layer in seen.layers[-2:] for state in layer]
    sample = last[:: len(last) // SAMPLE + 1]
    return len(seen.loop.where(reduction.settling)(sample)) * ENOUGH >= len(sample)


class Undoing:
    """Says of the original what was found of its reduction, or of itself where there is none."""

    def __init__(self, reduction: Reduction | None) -> None:
        self._reduction = reduction

    def __str__(self) -> str:
        return str(self._reduction or "")

    @property
    def left_out(self) -> frozenset[str]:
        """The processes for whose goals those of others answer."""
        return frozenset() if self._reduction is None else self._reduction.left_out

    @property
    def keeps_lengths(self) -> bool:
        """Whether shortest paths stay shortest."""
        return self._reduction is None or self._reduction.keeps_lengths

    def fired(self, found: Explored) -> set[int]:
        """The actions that runs take."""
        if self._reduction is None:
            return found.fired
        passed = {index for index, where in self._reduction.passed.items() if found.first(where) is not None}
        return self._reduction.stood_for(found.fired | passed)

    def path(self, path: Path, last: Sequence[int] = ()) -> Path:
        """The path of the original, with the last actions behind it."""
        if self._reduction is not None:
            return self._reduction.expanded(path, last)
        return path[0], [*path[1], *last]

    def shortened(self, evidence: Evidence, item: Property, path: Path) -> Run:
        """The run along a path of the original, without confluent steps that it does not need. Raises EvidenceError if it does not show the property."""
        run = evidence.shows(item, path)
        if self._reduction is None or len(path[1]) > LONGEST or not isinstance(item, SHOWN_AT_END):
            return run
        initial, actions = path
        for place in reversed(range(len(actions))):
            if actions[place] in self._reduction.passed:
                fewer = [*actions[:place], *actions[place + 1 :]]
                try:
                    run, actions = evidence.shows(item, (initial, fewer)), fewer
                except EvidenceError:
                    continue  # it is needed
        return run
