"""Whose steps could help a process that waits, and who has to go on before they can."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from msgspec import Struct

from draincheck.analysis.enabling import makes_true
from draincheck.analysis.prospects import Coming, Prospects
from draincheck.analysis.standing import Posture
from draincheck.expr import BoolExpr
from draincheck.system import Action

__all__ = ["Comes", "Help", "Helpers", "is_hopeless", "labels"]


class Comes(Enum):
    """Whether steps that would help may come, as far as is seen without a search (`draincheck.analysis.prospects`); all but MAY is certain."""

    MAY = "may come"
    AFTER = "not before another process goes on"
    NEVER = "cannot come any more"
    VAIN = "comes, and cannot help any more"


class Help(Struct, frozen=True):
    """Steps of a process that could help.

    Attributes:
        process: its name.
        steps: those that may come; if none may before somebody else goes on, the nearest then; or else those that would help if they could.
        comes: whether they may come.
        sure: one of them makes the condition true as things stand.
        after: who has to go on before they can: the waiting process itself, or another that does not move; "" where nobody has to, or it does not help.
    """

    process: str
    steps: tuple[str, ...]
    comes: Comes
    sure: bool
    after: str = ""


class _Wanted(NamedTuple):
    """Steps of one process that a process wants to come: to make a condition over variables true, or, without one, to enter it."""

    process: str
    actions: Sequence[Action]
    condition: BoolExpr | None

    @property
    def helper(self) -> str:
        """Whose they are."""
        return self.actions[0].process

    def offered(self, coming: Coming) -> list[Action]:
        """Those that could do it under a condition."""
        return coming.offered(self.actions, self.condition)


class _Chance(NamedTuple):
    """Whether steps may come, which, and after whom."""

    comes: Comes
    steps: Sequence[Action]
    after: str = ""


class Helpers:
    """Whose steps could help, seen from some states."""

    def __init__(self, prospects: Prospects) -> None:
        self._prospects = prospects
        self._makers: dict[str, frozenset[int]] = {}

    def of_condition(self, process: str, condition: BoolExpr) -> tuple[tuple[Help, ...], tuple[str, ...]]:
        """Whose steps could make a condition over variables true for a process, and whose could have and are passed for good."""
        able = self._by_process(self._makers_of({str(condition): condition}))
        able.pop(process, None)
        gone = [name for name, actions in able.items() if not self._ahead(actions)]
        left = (actions for name, actions in able.items() if name not in gone)
        return tuple(self._help(_Wanted(process, actions, condition)) for actions in left), tuple(gone)

    def enterers(self, coroutine: str) -> Iterator[Help]:
        """Whose steps could enter a coroutine."""
        for actions in self._by_process(self._prospects.map.entering(coroutine)).values():
            if self._ahead(actions):
                yield self._help(_Wanted(coroutine, actions, None))

    def _help(self, wanted: _Wanted) -> Help:
        """What one of the other processes could do for a process."""
        comes, steps, after = self._chance(wanted)
        system, last, condition = self._prospects.system, self._prospects.states[-1], wanted.condition
        sure = condition is not None and any(makes_true(system, action, condition, last) for action in steps)
        return Help(wanted.helper, labels(steps), comes, sure, after)

    def _chance(self, wanted: _Wanted) -> _Chance:
        anyway = self._prospects.coming()
        if steps := wanted.offered(self._prospects.coming(without=wanted.process)):
            return _Chance(Comes.MAY, steps)
        if steps := wanted.offered(anyway):
            return _Chance(Comes.AFTER, steps, wanted.process)
        if behind := self._behind(wanted):
            return behind
        steps = self._ahead(wanted.actions)
        return _Chance(Comes.VAIN if any(anyway.offers(action, None) for action in steps) else Comes.NEVER, steps)

    def _behind(self, wanted: _Wanted) -> _Chance | None:
        """Steps that cannot come, as if one of the others could go on: None if that would not do.

        One for which the helper itself waits, if there is any; the waiting process before others; then the one that it takes fewest steps from.
        """
        others = [name for name in self._prospects.map.processes if name != wanted.helper]
        nearer = self._waits_for(wanted.helper)
        for names in ([name for name in others if name in nearer], others):
            found = list(filter(None, (self._after(name, wanted) for name in names)))
            if found:
                return min(found, key=lambda way: way[0])[1]
        return None

    def _after(self, name: str, wanted: _Wanted) -> tuple[tuple[bool, int], _Chance] | None:
        """Steps as if a process could go on: whether it is another than the one that waits, and how many others come before them."""
        granted = self._prospects.coming(granted=name)
        if not (steps := granted.first(wanted.actions, wanted.condition)):
            return None
        rounds = min(granted.rounds[action.index] for action in steps)
        return (name != wanted.process, rounds), _Chance(Comes.AFTER, steps, name)

    def _waits_for(self, process: str) -> set[str]:
        """The processes whose steps could free another one, were they to come."""
        stand = self._prospects.stands[process]
        if stand.awaits:
            return {stand.awaits}
        is_parked = stand.posture is Posture.PARKED
        helping = self._prospects.map.entering(process) if is_parked else self._freeing(process)
        return {self._prospects.system.actions[index].process for index in helping & self._prospects.ahead}

    def _freeing(self, process: str) -> frozenset[int]:
        """The actions that could make true what keeps a process from going on."""
        lacks = map(self._prospects.lacks, self._prospects.leaving(process))
        return self._makers_of({text: term for lack in lacks for text, term in lack.items()})

    def _makers_of(self, conditions: Mapping[str, BoolExpr]) -> frozenset[int]:
        """The actions that could ever make one of some conditions true; these are known by their texts."""
        for text in conditions.keys() - self._makers.keys():
            self._makers[text] = self._prospects.makers(conditions[text])
        return frozenset[int]().union(*map(self._makers.__getitem__, conditions))

    def _ahead(self, actions: Iterable[Action]) -> list[Action]:
        """Those to which control can still come."""
        return [action for action in actions if action.index in self._prospects.ahead]

    def _by_process(self, indices: Collection[int]) -> dict[str, list[Action]]:
        found: dict[str, list[Action]] = {}
        for index in sorted(indices):
            action = self._prospects.system.actions[index]
            found.setdefault(action.process, []).append(action)
        return found


def is_hopeless(helpers: Iterable[Help]) -> bool:
    """Nobody's help can come, or not before it is needed no more."""
    return all(help.comes is not Comes.MAY for help in helpers)


def labels(actions: Iterable[Action]) -> tuple[str, ...]:
    """What these actions do, each once."""
    return tuple(dict.fromkeys(action.name for action in actions))
