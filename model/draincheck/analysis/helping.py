"""Whose steps could help a process that waits, and who has to go on before they can."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from msgspec import Struct

from draincheck.analysis.enabling import makes_true
from draincheck.analysis.future import Future
from draincheck.analysis.prospects import Coming, Prospects
from draincheck.analysis.standing import Posture
from draincheck.expr import BoolExpr, variables_of
from draincheck.system import Action, Variable

__all__ = ["Comes", "Help", "Helped", "Helpers", "is_hopeless", "labels"]


class Comes(Enum):
    """Whether steps that would help may come.

    MAY: some run has them help, as a search shows (`draincheck.analysis.future`). PERHAPS: there was too much to search, and nothing shows
    that they cannot (`draincheck.analysis.prospects`). All others are certain.
    """

    MAY = "may come"
    PERHAPS = "may come, as far as is seen"
    AFTER = "not before another process goes on"
    NEVER = "cannot come any more"
    VAIN = "comes, and cannot help any more"
    ERROR = "would be an error"


class Help(Struct, frozen=True):
    """Steps of a process that could help.

    Attributes:
        process: its name.
        steps: those that may come; if none may before somebody else goes on, the nearest then; or else those that would help if they could.
        comes: whether they may come.
        sure: they make the condition true wherever they come while it is false; of steps that do not come: as things stand.
        after: without whom they cannot come, whoever else goes on: the waiting process itself, or another that does not move; "" where there is no
            such process, or several would have to go on.
    """

    process: str
    steps: tuple[str, ...]
    comes: Comes
    sure: bool
    after: str = ""


class Helped(NamedTuple):
    """What is known of a condition: who could make it true, who could have and is past that, and whether no run ever does."""

    helpers: tuple[Help, ...]
    gone: tuple[str, ...]
    never: bool


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
    """Whether steps may come, which, whether they are sure to help, and after whom."""

    comes: Comes
    steps: Sequence[Action]
    sure: bool = False
    after: str = ""


class Helpers:
    """Whose steps could help, seen from some states."""

    def __init__(self, prospects: Prospects, future: Future) -> None:
        self._prospects, self._future = prospects, future
        self._makers: dict[str, frozenset[int]] = {}

    def of_condition(self, process: str, condition: BoolExpr) -> Helped:
        """Whose steps could make a condition over variables true for a process, and whose could have and are passed for good."""
        makers = self._makers_of({str(condition): condition})
        able = self._by_process(makers)
        able.pop(process, None)
        passed = [name for name, actions in able.items() if not self._ahead(actions)]
        gone = tuple(name for name in passed if self._ever((a.index for a in able[name]), condition))
        left = (_Wanted(process, actions, condition) for name, actions in able.items() if name not in passed)
        helpers = tuple(filter(None, map(self._help, left)))
        return Helped(self._of_the_holder(condition, helpers), gone, not self._ever(makers, condition))

    def enterers(self, coroutine: str) -> Iterator[Help]:
        """Whose steps could enter a coroutine."""
        for actions in self._by_process(self._prospects.map.entering(coroutine)).values():
            if self._ahead(actions) and (found := self._help(_Wanted(coroutine, actions, None))):
                yield found

    def is_lost(self, process: str, hopeless: bool) -> bool:
        """Whether a process that does not move never does again; `hopeless` is what its helpers say."""
        return hopeless if not self._future.complete else not self._future.moves(process)

    def _help(self, wanted: _Wanted) -> Help | None:
        """What one of the other processes could do for a process; None if nothing."""
        chance = self._chance(wanted)
        return chance and Help(wanted.helper, labels(chance.steps), chance.comes, chance.sure, chance.after)

    def _chance(self, wanted: _Wanted) -> _Chance | None:
        if found := self._seen(wanted, wanted.process, Comes.MAY):
            return found
        later = self._seen(wanted, "", Comes.AFTER) if self._future.complete else self._perhaps(wanted)
        return later or self._never(wanted)

    def _perhaps(self, wanted: _Wanted) -> _Chance | None:
        """Steps that are not known not to come, where not all is seen."""
        if steps := wanted.offered(self._prospects.coming(without=wanted.process)):
            return _Chance(Comes.PERHAPS, steps)
        steps = wanted.offered(self._prospects.coming())
        return _Chance(Comes.AFTER, steps, after=wanted.process) if steps else None

    def _seen(self, wanted: _Wanted, without: str, comes: Comes) -> _Chance | None:
        """Steps that a search has seen to help."""
        indices = self._future.helping((a.index for a in wanted.actions), wanted.condition, without)
        steps = [a for a in wanted.actions if a.index in indices]
        sure = (  # of what is not seen nobody knows what comes of it
            self._future.complete
            and wanted.condition is not None
            and all(self._future.always_helps(index, wanted.condition, without) for index in indices)
        )
        return _Chance(comes, steps, sure, "" if comes is Comes.MAY else wanted.process) if steps else None

    def _never(self, wanted: _Wanted) -> _Chance | None:
        """Steps that do not help any more, whatever happens: as if somebody could go on who cannot."""
        ahead, condition = self._ahead(wanted.actions), wanted.condition
        if wrong := [a for a in ahead if self._future.errs(a.index, condition)]:
            return _Chance(Comes.ERROR, wrong)
        steps = [a for a in ahead if condition is None or self._as_things_stand(a, condition)]
        sure = bool(steps) and condition is not None
        steps = steps or [a for a in ahead if condition is not None and self._future.ever_helps(a.index, condition)]
        if not steps or self._is_itself_waiting(wanted):
            return None
        after, first = self._first(wanted, steps)
        if after:
            return _Chance(Comes.AFTER, first, sure, after)
        return _Chance(Comes.VAIN, steps) if self._come(steps) else _Chance(Comes.NEVER, steps, sure)

    def _first(self, wanted: _Wanted, steps: Sequence[Action]) -> tuple[str, Sequence[Action]]:
        """Who has to go on before which of some steps come: who waits (they help no more then), or one that does not move; "" for nobody."""
        if self._come(steps):
            return "" if self._come(steps, wanted.process) else wanted.process, steps
        return self._needed(wanted._replace(actions=steps))

    def _come(self, steps: Iterable[Action], without: str = "") -> bool:
        """Whether a step may come that goes by the name of one of these, while a process takes none."""
        names = {(action.process, action.name) for action in steps}
        alike = [a for a in self._prospects.system.actions if (a.process, a.name) in names]
        if self._future.complete:
            return any(self._future.comes(action.index, without) for action in alike)
        return bool(self._prospects.coming(without=without).offered(alike, None))

    def _as_things_stand(self, action: Action, condition: BoolExpr) -> bool:
        """Whether an action would make a condition true with the values of the last state."""
        return makes_true(self._prospects.system, action, condition, self._prospects.states[-1])

    def _is_itself_waiting(self, wanted: _Wanted) -> bool:
        """Whether who could help would first have to get past the very same condition."""
        if wanted.condition is None:
            return False
        granted = self._others(wanted.helper)
        if not wanted.offered(self._prospects.coming(granted=granted)):
            return False
        return not wanted.offered(
            self._prospects.coming(granted=granted, barred=(wanted.helper, str(wanted.condition)))
        )

    def _needed(self, wanted: _Wanted) -> tuple[str, Sequence[Action]]:
        """A process without which steps cannot come, and those that could if all others went on; "" if there is none, or if that would not do.

        One for which the helper itself waits before others, then the one that waits. Who waits for the same as the helper is no way to it.
        """
        others, needs = self._others(wanted.helper), self._lacking(wanted.helper)
        granted = [name for name in others if needs.keys().isdisjoint(self._lacking(name))]
        steps = wanted.offered(self._prospects.coming(granted=granted))
        nearer = self._waits_for(wanted.helper)
        # where not all is seen nobody knows of one that he does not move by himself
        still = [name for name in others if steps and self._future.complete and not self._future.moves(name)]
        for name in sorted(still, key=lambda name: (name not in nearer, name != wanted.process)):
            without = self._prospects.coming(without=name, granted=[other for other in granted if other != name])
            if not wanted.offered(without):
                return name, steps
        return "", steps

    def _others(self, process: str) -> list[str]:
        return [name for name in self._prospects.map.processes if name != process]

    def _of_the_holder(self, condition: BoolExpr, helpers: tuple[Help, ...]) -> tuple[Help, ...]:
        """Of helpers that cannot help any more the one that holds what the condition is about: a variable's value is its name."""
        last, position = self._prospects.states[-1], self._prospects.system.position
        variables = [leaf for leaf in variables_of(condition) if isinstance(leaf, Variable)]
        holders = {leaf.sort.decode(last[position[leaf]]) for leaf in variables}
        held = tuple(help for help in helpers if help.process in holders)
        return held if held and is_hopeless(helpers) else helpers

    def _ever(self, makers: Iterable[int], condition: BoolExpr) -> bool:
        """Whether some run may make a condition true, as far as that is known."""
        return any(self._future.ever_helps(index, condition) is not False for index in makers)

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
        return self._makers_of(self._lacking(process))

    def _lacking(self, process: str) -> dict[str, BoolExpr]:
        """What is false and keeps a process from going on, by its text."""
        lacks = map(self._prospects.lacks, self._prospects.leaving(process))
        return {text: term for lack in lacks for text, term in lack.items()}

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
    return all(help.comes not in (Comes.MAY, Comes.PERHAPS) for help in helpers)


def labels(actions: Iterable[Action]) -> tuple[str, ...]:
    """What these actions do, each once."""
    return tuple(dict.fromkeys(action.name for action in actions))
