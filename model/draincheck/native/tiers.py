"""Which explorer looks: Python at once, machine code where there are more states than Python is made for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from draincheck import optional
from draincheck.elsewhere import loaded
from draincheck.errors import ModelError, NotInstalled
from draincheck.exploration.explored import Explored
from draincheck.exploration.explorer import Explorer, Keep
from draincheck.exploration.graph import ExploredGraph, StateGraph
from draincheck.expr import BoolExpr
from draincheck.native.width import WORD, refusal
from draincheck.system import TransitionSystem
from draincheck.verdict import Limits, Reporter
from draincheck.words import counted

if TYPE_CHECKING:
    from draincheck.native.explorer import NativeExplorer
    from draincheck.native.graph import NativeGraph

__all__ = ["MANY", "MISSING", "WAITED", "WALKS", "Instead", "Tier", "explored", "graph_of", "is_installed", "natively"]

#: states after which the rest is worth more than it costs to load a compiler and ask it, which is less than a tenth of a second
MANY = 40_000

#: the same where Python brings the components of every state into order, which takes it several times as long
MANY_IN_ORDER = 10_000

#: states from which on somebody has waited for what machine code would have found in a moment
WAITED = 250_000

#: what is made of machine code, and where that lives: nothing of it is loaded before it is wanted, and llvmlite with it
EXPLORER, GRAPH = "draincheck.native.explorer:NativeExplorer", "draincheck.native.graph:NativeGraph"
WALKS = "draincheck.native.walking:NativeWalks"

MISSING = optional.missing("llvmlite")


T = TypeVar("T")

#: says which system may be searched in place of another, of which this much has been found; None if none is known
Instead: TypeAlias = Callable[[Explorer], TransitionSystem | None]


class Tier(Enum):
    """Who explores."""

    BY_SIZE = "by size"
    #: by size, and it is known beforehand that there are many states
    LARGE = "large"
    PYTHON = "python"
    NATIVE = "native"


def explored(
    system: TransitionSystem,
    watched: Collection[str],
    asked: Sequence[BoolExpr],
    keep: Keep,
    *,
    limits: Limits,
    reporter: Reporter,
    tier: Tier = Tier.BY_SIZE,
    instead: Instead | None = None,
) -> Explored:
    """Explore a system: by Python until that has found `MANY` states (none, if it is known to be `LARGE`), then by machine code from the start.

    Arguments are those of `Explorer`, each condition once; where edges are kept Python explores in any case. Where there are many states, and
    whoever explores may be chosen, `instead` is asked whether another system can be searched in place of this one. Raises NotInstalled and
    ModelError where machine code is demanded and cannot be had.
    """
    budget = limits.begun()
    if tier is Tier.NATIVE:
        found = Explorer(system, watched, asked)
        _demand_native(found)
        return _natively(found, asked, budget, reporter)
    found = Explorer(system, watched, asked, keep)
    by_size = tier in (Tier.BY_SIZE, Tier.LARGE) and keep is not Keep.EDGES
    change = _Change(found, reporter, instead, at_once=tier is Tier.LARGE) if by_size else _never
    if found.run(budget, reporter, change):
        found.advice = _advice(change, len(found))
        return found
    if isinstance(change, _Change) and change.other is not None:
        more = explored(change.other, watched, asked, keep, limits=budget, reporter=reporter, tier=tier)
        return _whoever_found_more(more, found)
    try:
        return _whoever_found_more(_natively(found, asked, budget, reporter), found)
    except ModelError as error:
        found = Explorer(system, watched, asked, keep)
        found.run(budget, reporter)
        found.advice = error.message
        return found


def _whoever_found_more(later: Explored, before: Explorer) -> Explored:
    """A search that began anew; or, if it was stopped before it was as far again, the one that gave up for it."""
    if later.stopped is None or len(later) >= len(before):
        return later
    before.end(later.stopped)
    return before


def graph_of(
    system: TransitionSystem,
    conditions: Sequence[BoolExpr],
    limits: Limits,
    reporter: Reporter,
    tier: Tier = Tier.BY_SIZE,
) -> ExploredGraph:
    """The graph of a system, by whoever would explore it. Raises OutOfBudget, and ModelError as `explored`."""
    budget, asked = limits.begun(), list(dict.fromkeys(conditions))
    found = Explorer(system, (), asked, Keep.EDGES)
    if tier is Tier.NATIVE:
        _demand_native(found)
        return _natively_listed(found, asked, budget, reporter)
    change = _Change(found, reporter) if tier is Tier.BY_SIZE and len(system.fairness) <= WORD else _never
    if found.run(budget, reporter, change):
        found.advice = _advice(change, len(found))
        return StateGraph(system, asked, budget, reporter, found)
    try:
        return _natively_listed(found, asked, budget, reporter)
    except ModelError as error:
        found = Explorer(system, (), asked, Keep.EDGES)
        found.run(budget, reporter)
        found.advice = error.message
        return StateGraph(system, asked, budget, reporter, found)


def _natively_listed(before: Explorer, asked: Sequence[BoolExpr], limits: Limits, reporter: Reporter) -> ExploredGraph:
    """The graph by machine code. Raises as `_natively`."""

    def make() -> NativeGraph:
        made: type[NativeGraph] = loaded(GRAPH)
        return made(before, asked, limits, reporter)

    return natively(before.system.name, make)


def _never(states: int) -> bool:
    return False


def _natively(before: Explorer, asked: Sequence[BoolExpr], limits: Limits, reporter: Reporter) -> Explored:
    """Explore by machine code. Raises ModelError where llvmlite, or the size of a term, keeps it from being made."""

    def make() -> NativeExplorer:
        made: type[NativeExplorer] = loaded(EXPLORER)
        return made(before, asked)

    native = natively(before.system.name, make)
    native.run(limits, reporter)
    return native


def natively(name: str, make: Callable[[], T]) -> T:
    """What is made of machine code for a model of this name. Raises ModelError where llvmlite, or the size of a term, keeps it from being made."""
    try:
        return make()
    except (ImportError, OSError, RecursionError) as error:
        raise ModelError(f"{name} is not searched natively: {error}") from error


def _advice(change: Callable[[int], bool], states: int) -> str:
    """What would have helped a search of so many states."""
    if isinstance(change, _Change) and change.is_missed and states >= WAITED:
        return f"Python alone searched {counted(states, 'state')}: {MISSING}"
    return ""


def _demand_native(found: Explorer) -> None:
    """Raise NotInstalled without llvmlite, ModelError for a system that cannot be searched natively."""
    if not is_installed():
        raise NotInstalled(MISSING)
    if why := refusal(found.loop):
        raise ModelError(f"{found.system.name} is not searched natively: {why}; --engine python searches it")


def is_installed() -> bool:
    """Whether llvmlite is there."""
    return optional.is_installed("llvmlite")


class _Change:
    """Says when Python gives up; asked once whether there is something better, and tells, once somebody has waited for it, what would be.

    Attributes:
        is_missed: there would have been, were it installed.
        other: the system that is to be searched in place of this one.
    """

    def __init__(
        self, explorer: Explorer, reporter: Reporter, instead: Instead | None = None, *, at_once: bool = False
    ) -> None:
        self._explorer, self._reporter, self._instead = explorer, reporter, instead
        self._is_decided = self._is_told = False
        self._many = 0 if at_once else MANY_IN_ORDER if explorer.system.sorts else MANY
        self.is_missed = False
        self.other: TransitionSystem | None = None

    def __call__(self, states: int) -> bool:
        """Whether to give up with so many states."""
        if self._is_decided:
            self._tell(states)
            return False
        return states >= self._many and self._decide()

    def _tell(self, states: int) -> None:
        if not self._is_told and (advice := _advice(self, states)):
            self._is_told = True
            self._reporter.advice(advice)

    def _decide(self) -> bool:
        self._is_decided = True
        self.other = self._instead(self._explorer) if self._instead else None
        if self.other is not None:
            return True
        if refusal(self._explorer.loop):
            return False
        self.is_missed = not is_installed()
        return not self.is_missed
