"""Whether a window of a log is a run of a model: what the log shows, in its order, with any hidden steps between.

A step of a model shows what its parts say of themselves as data: the marks of the story ((w), (b), (a), (c)), the choice `guest requests` for an
answer to the guest, and the end of the program. A log shows the same events. The search goes over pairs of a state and of how many events of
the log have been seen, breadth first, so the run that is found is a shortest one; a prefix that no state survives is told with all
states that got so far.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import Enum

from msgspec import Struct

from draincheck import op
from draincheck.analysis.standing import ControlMap
from draincheck.budget import look
from draincheck.exploration.domains import flat
from draincheck.expr import BoolExpr, variables_of
from draincheck.qemulog.pivot import Fate, Judgement, Moment, Pivot
from draincheck.run import Run, Trace, label_of
from draincheck.system import Action, State, TransitionSystem

__all__ = ["Observed", "Refusal", "Sign", "Validation", "observed_in", "requests_in", "validate"]

#: pairs of a state and a place in the log that are looked at
MOST = 400_000
#: what a model calls the choice of a step that answers the guest
ANSWERS = "guest requests"
#: so many refused steps are told
TOLD = 4


class Sign(Enum):
    """What both a log and a step can show."""

    WINDOW = "(w) the job finds nothing dirty"
    ENTER = "(b) a guest's write enters"
    ANSWER = "the guest is told that a write is done"
    DEFER = "(a) the job defers its exit"
    SWITCH = "(c) mirror_exit"
    ABORT = "the program aborts"


_MARKS = {"w": Sign.WINDOW, "b": Sign.ENTER, "a": Sign.DEFER, "c": Sign.SWITCH}


class Observed(Struct, frozen=True):
    """Something that a log shows, and where."""

    what: Sign
    moment: Moment | None


class Refusal(Struct, frozen=True):
    """A step that would have shown the next event, and why it does not.

    Attributes:
        process: who would have taken it.
        label: the step.
        shows: all that it shows at once, where it can be taken and shows more than the log does.
        unmet: else the conditions of it that are false, in the state in which fewest are.
        values: the variables of these, with their values there.
    """

    process: str
    label: str
    shows: tuple[Sign, ...] = ()
    unmet: tuple[str, ...] = ()
    values: Mapping[str, str] = {}


class Validation(Struct, frozen=True):
    """What came of a window and a model.

    Attributes:
        observed: what the log shows.
        accepted: how many of these, from the first, some run shows; all if the window is a run of the model.
        run: a shortest such run; None if it is none.
        states: in how many states the model may be there.
        next: what the model can show next, without more of what it hides.
        refusals: the steps that would have shown what the log shows next.
        stopped: there were too many states to know.
    """

    observed: tuple[Observed, ...]
    accepted: int
    run: Run | None = None
    states: int = 0
    next: tuple[Sign, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    stopped: bool = False


def observed_in(pivot: Pivot) -> tuple[Observed, ...]:
    """What a switch shows, from (w) to (c) or to the abort, in order."""
    found = [(Sign.WINDOW, pivot.opened), (Sign.DEFER, pivot.deferred), (Sign.SWITCH, pivot.exited or pivot.switched)]
    for each in pivot.intruders:
        found.append((Sign.ENTER, each.entered))
        if each.request.fate is Fate.ACKED:
            found.append((Sign.ANSWER, each.request.answered))
    aborted = pivot.judgement in (Judgement.ASSERT, Judgement.ABORT)
    found += [(Sign.ENTER, each.entered) for each in pivot.held if aborted]
    last = None if aborted else pivot.exited or pivot.switched
    seen = [
        Observed(what, moment)
        for what, moment in found
        if moment is not None and (last is None or moment.line <= last.line)
    ]
    abort = [Observed(Sign.ABORT, None)] if aborted else []
    return (*sorted(seen, key=lambda each: each.moment.line if each.moment else 0), *abort)


def requests_in(observed: Collection[Observed]) -> int:
    """How many requests a model needs."""
    return max(sum(each.what is Sign.ENTER for each in observed), 1)


def validate(system: TransitionSystem, observed: Sequence[Observed], hidden: Collection[Sign] = ()) -> Validation:
    """Whether a run of a system shows this, and nothing else but what is `hidden` in the log. Raises OutOfBudget."""
    return _Search(system, tuple(observed), frozenset(hidden)).result()


_Pair = tuple[State, int]


class _Search:
    """Pairs of a state and of how many events have been seen, each with the pair before and the action from there."""

    def __init__(self, system: TransitionSystem, observed: tuple[Observed, ...], hidden: frozenset[Sign]) -> None:
        self.system, self.observed, self.hidden = system, observed, hidden
        self.controls = ControlMap(system)
        self.before: dict[_Pair, tuple[_Pair, int] | None] = {(state, 0): None for state in system.initial}

    def result(self) -> Validation:
        """Search, layer by layer."""
        layer, wanted = list(self.before), len(self.observed)
        while layer and len(self.before) <= MOST:
            if end := next((pair for pair in layer if pair[1] == wanted), None):
                return Validation(self.observed, wanted, self._run(end))
            look()
            layer = [after for pair in layer for after in self._after(pair)]
        return self._refused(stopped=bool(layer))

    def _after(self, pair: _Pair) -> Iterator[_Pair]:
        state, seen = pair
        for action in self.controls.able(state):
            if self.system.fault(state, action) is not None:
                continue
            after = self.system.step(state, action)
            shown = self._shown(action, state, after)
            if tuple(each.what for each in self.observed[seen : seen + len(shown)]) == shown:
                new = (after, seen + len(shown))
                if new not in self.before:
                    self.before[new] = pair, action.index
                    yield new

    def _shown(self, action: Action, state: State, after: State) -> tuple[Sign, ...]:
        """What a step shows, in the order of its parts."""
        parts = [part for part in action.parts if self.system.holds(part.when, state)]
        found = [_MARKS.get(part.mark) or (Sign.ANSWER if part.choice == ANSWERS else None) for part in parts]
        halted = self.system.halted
        abort = [Sign.ABORT] if self.system.holds(halted, after) and not self.system.holds(halted, state) else []
        return tuple(each for each in (*found, *abort) if each is not None and each not in self.hidden)

    def _run(self, end: _Pair) -> Run:
        actions: list[int] = []
        while (way := self.before[end]) is not None:
            end, action = way
            actions.append(action)
        system = self.system
        return Run.of(system, Trace(system.name, system.digest, "", end[0], tuple(reversed(actions))))

    # -- refused

    def _refused(self, stopped: bool) -> Validation:
        seen = max(seen for _, seen in self.before)
        states = [state for state, number in self.before if number == seen]
        able = [(state, action) for state in states for action in self.controls.able(state)]
        shown = {(action.index, self._shown(action, state, self.system.step(state, action))): (state, action)
                 for state, action in able if self.system.fault(state, action) is None}  # fmt: skip
        rest = tuple(each.what for each in self.observed[seen:])
        begun = {key: _in_common(key[1], rest) for key in shown}
        further = max(begun.values(), default=0)
        partly = [(*shown[key], key[1]) for key, common in begun.items() if common and common == further]
        refusals = [
            Refusal(action.process, label_of(self.system, action, state), shows) for state, action, shows in partly
        ]
        nexts = {key[1][further] for key, common in begun.items() if common == further and len(key[1]) > further}
        return Validation(
            self.observed,
            seen + further,
            None,
            len(states),
            tuple(sorted(nexts, key=list(Sign).index)),
            tuple(refusals or self._refusals(states, rest[0]))[:TOLD],
            stopped,
        )

    def _refusals(self, states: Sequence[State], wanted: Sign) -> Iterator[Refusal]:
        """The steps that would show what is wanted, each in the state that comes nearest to allowing it."""
        for action in self.system.actions:
            if any(
                _MARKS.get(part.mark) is wanted or (wanted is Sign.ANSWER and part.choice == ANSWERS)
                for part in action.parts
            ):
                state, unmet = min(
                    ((state, self._unmet(action, state)) for state in states), key=lambda each: len(each[1])
                )
                label = label_of(self.system, action, state)
                yield Refusal(action.process, label, (), tuple(map(str, unmet)), self._values(unmet, state))

    def _unmet(self, action: Action, state: State) -> list[BoolExpr]:
        terms = (term for term in flat(op.AND, [action.guard]) if isinstance(term, BoolExpr))
        return [term for term in terms if not self.system.holds(term, state)]

    def _values(self, terms: Sequence[BoolExpr], state: State) -> dict[str, str]:
        values = self.system.values(state)
        return {
            str(variable): str(variable.sort.decode(values[variable]))
            for term in terms
            for variable in sorted(variables_of(term), key=str)
        }


def _in_common(one: Sequence[Sign], other: Sequence[Sign]) -> int:
    """How many of their first elements are the same."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a is not b), min(len(one), len(other)))
