"""Whether a window of a log is a run of a model: what the log shows, in its order, with any hidden steps between.

A step of a model shows what its parts say of themselves as data (`shown.py`). A log shows the same events. The search goes over pairs of a state and of
how many events of the log have been seen, breadth first and on the fly, so the run that is found is a shortest one: only states are made that some
prefix of the log leads to. Requests that only their numbers tell apart are exchanged (`likeness.py`), so that the pairs grow with a power of the
number of requests and not exponentially. A prefix that no state survives is told with all ways there (`candidates.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct

from draincheck.analysis.standing import ControlMap
from draincheck.budget import look
from draincheck.errors import OutOfBudget
from draincheck.qemulog.candidates import Pair, PrefixEnd, Prefixes, PrefixStep, prefixes_of
from draincheck.qemulog.likeness import Components, Likeness, Unlike
from draincheck.qemulog.shown import Observed, Sign, shown, signs
from draincheck.run import Run, Trace
from draincheck.system import Action, State, TransitionSystem
from draincheck.words import counted

__all__ = ["Validation", "validate"]

#: pairs of a state and a place in the log that are looked at
MOST = 400_000


class Validation(Struct, frozen=True):
    """What came of a window and a model.

    Attributes:
        observed: what the log shows.
        accepted: how many of these, from the first, some run shows; all if the window is a run of the model.
        run: a shortest such run; None if it is none.
        states: in how many states the model may be there; those in which requests are exchanged count as one.
        next: what the model can show next, without more of what it hides.
        candidates: where it stands then, and why it does not show what the log shows next; the nearest first.
        prefixes: the ways there.
        stopped: why it is not known whether the window is a run, "" if it is known.
    """

    observed: tuple[Observed, ...]
    accepted: int = 0
    run: Run | None = None
    states: int = 0
    next: tuple[Sign, ...] = ()
    candidates: tuple[PrefixEnd, ...] = ()
    prefixes: Prefixes | None = None
    stopped: str = ""


def validate(
    system: TransitionSystem, observed: Sequence[Observed], hidden: Collection[Sign] = (), components: Components = ()
) -> Validation:
    """Whether a run of a system shows this, and nothing else but what is `hidden` in the log.

    `components`: the variables of each request, which are exchanged where that is known to make no difference. What a budget ends is not known.
    """
    window = tuple(observed)
    for exchanged in (components, ()):
        try:
            return _Search(system, window, frozenset(hidden), exchanged).result()
        except Unlike:
            continue
        except OutOfBudget as error:
            return Validation(window, stopped=str(error))
    raise AssertionError("nothing was exchanged, and yet it makes a difference")


class _Search:
    """Pairs of a state and of how many events have been seen, each with the pair before and the action from there."""

    def __init__(
        self, system: TransitionSystem, observed: tuple[Observed, ...], hidden: frozenset[Sign], components: Components
    ) -> None:
        self.system, self.observed, self.hidden = system, observed, hidden
        self.wanted = tuple(each.what for each in observed)
        self.controls = ControlMap(system)
        self.likeness = Likeness(system, components, signs)
        self.before: dict[Pair, tuple[Pair, int] | None] = {(state, 0): None for state in system.initial}

    @property
    def pairs(self) -> list[Pair]:
        """All that were found."""
        return list(self.before)

    def result(self) -> Validation:
        """Search, layer by layer."""
        layer, wanted = list(self.before), len(self.wanted)
        while layer and len(self.before) <= MOST:
            if end := next((pair for pair in layer if pair[1] == wanted), None):
                return Validation(self.observed, wanted, self._run(end))
            look()
            layer = list(self._new(layer))
        seen = max(seen for _, seen in self.before)
        if layer:
            return Validation(self.observed, seen, stopped=f"{counted(MOST, 'state')} were not enough")
        return self._refused(seen)

    def _new(self, layer: Sequence[Pair]) -> Iterator[Pair]:
        for pair in layer:
            for way in self.ways(pair):
                if way.after not in self.before:
                    self.before[way.after] = pair, way.action.index
                    yield way.after

    def ways(self, pair: Pair) -> Iterator[PrefixStep]:
        """All steps from a pair that show what the log shows next, or nothing."""
        state, seen = pair
        for action, after in self._steps(state):
            shows = self._shown(action, state, after)
            if self.wanted[seen : seen + len(shows)] == shows:
                yield PrefixStep(action, shows, (self.likeness.representative(state, after), seen + len(shows)))

    def _steps(self, state: State) -> Iterator[tuple[Action, State]]:
        for action in self.controls.able(state):
            if self.system.fault(state, action) is None:
                yield action, self.system.step(state, action)

    def _shown(self, action: Action, state: State, after: State) -> tuple[Sign, ...]:
        return tuple(each for each in shown(self.system, action, state, after) if each not in self.hidden)

    def _run(self, end: Pair) -> Run:
        """The run: in each state the step that leads to one for which the next of the search stands."""
        pairs = [end]
        while (way := self.before[pairs[-1]]) is not None:
            pairs.append(way[0])
        here, *rest = reversed(pairs)
        state, actions = here[0], list[int]()
        for wanted in rest:
            action, state = self._followed(state, here[1], wanted)
            actions.append(action)
            here = wanted
        return Run.of(self.system, Trace.of(self.system, "", pairs[-1][0], actions))

    def _followed(self, state: State, seen: int, wanted: Pair) -> tuple[int, State]:
        for action, after in self._steps(state):
            shows = self._shown(action, state, after)
            fits = self.wanted[seen : seen + len(shows)] == shows
            if fits and (self.likeness.representative(state, after), seen + len(shows)) == wanted:
                return action.index, after
        raise AssertionError("a state that stands for others has a step that they do not have")

    def shown_by(self, state: State) -> Iterator[tuple[Action, tuple[Sign, ...]]]:
        """All steps from a state, with what they show."""
        return ((action, self._shown(action, state, after)) for action, after in self._steps(state))

    def _refused(self, seen: int) -> Validation:
        found = prefixes_of(self, seen)
        states = sum(number == seen for _, number in self.before)
        return Validation(
            self.observed, seen + found.further, None, states, found.next, found.candidates, found.prefixes
        )
