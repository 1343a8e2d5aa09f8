"""A backtrace, found again among the states of systems: where its threads stand together, best first.

A thread of a backtrace is laid over the calls of one thread of the model, each over another (`fitting`). Three things are asked beside that:
a thread that sleeps (its innermost frame is a system call that waits, or a lock) can do nothing in the model's state either, one that
aborts takes a step there that violates a property, and the main thread is nobody else, nor anybody else the main thread, nor a virtual CPU
an IOThread. Stacks without any function that a model knows say nothing; a model's thread that the backtrace lacks costs a little: not
everybody sends all threads.

What a stack says is found out once (`sought`), what it costs over calls once for all processes in those calls, and who is who once for all
states in which threads stand alike: so the length and the number of stacks add to what a search takes, and do not multiply it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from draincheck.backtrace.assigning import assigned
from draincheck.backtrace.fitting import STRANGE, Fit, fit
from draincheck.backtrace.index import Calls, Postures, Sight
from draincheck.backtrace.sought import SoughtStack, most_telling
from draincheck.backtrace.stacks import GAP, StackOf, Start

__all__ = ["Laid", "Match", "StackSearch"]

#: a thread that sleeps where the model's could go on; a thread of the model that the backtrace lacks
AWAKE, LACKING = 2, 2
#: what models call the thread that has the main loop
MAIN = "main thread"
#: what an IOThread stands in
IOTHREAD = "iothread_run"
#: more than any sum of costs: who cannot be who
_NEVER = 1 << 40


class Laid(Struct, frozen=True):
    """A stack of the backtrace and the process that it fits; either may be missing.

    Attributes:
        count: how many stacks of the backtrace say the same.
        known: how many functions of the stack models know.
    """

    stack: StackOf | None
    calls: Calls | None
    fit: Fit = Fit(0)
    awake: bool = False
    count: int = 1
    known: int = 0

    @property
    def speaks(self) -> bool:
        """Whether more stands for the two to be the same than against it."""
        return self.stack is not None and self.calls is not None and self.known > 2 * len(self.fit.strange)


class Match(Struct, frozen=True):
    """States that a backtrace fits.

    Attributes:
        cost: how much does not fit; 0 for all.
        pairs: who is who.
        moment: the states.
    """

    cost: int
    pairs: tuple[Laid, ...]
    moment: Sight

    @property
    def rank(self) -> tuple[int, bool, int]:
        """What comes first: what fits best, of that what is hopeless or violated, of that what is reached first."""
        return self.cost, not (self.moment.hopeless or self.moment.breaks), self.moment.depth

    @property
    def fits(self) -> bool:
        """Whether nothing stands against it: at most inlined functions, and threads that nobody has sent."""
        pairs = [pair for pair in self.pairs if pair.stack is not None]
        return bool(pairs) and all(
            pair.calls and not pair.fit.strange and pair.fit.cost < STRANGE // 2 and not pair.awake for pair in pairs
        )


class StackSearch:
    """Some stacks, looked for in any systems.

    Attributes:
        stacks: those that are looked for.
        left_out: how many others say something, too.
    """

    def __init__(self, stacks: Sequence[SoughtStack]) -> None:
        threads, coroutines = ([each for each in stacks if each.stack.coroutine is one] for one in (False, True))
        self._threads, self._coroutines = most_telling(threads), most_telling(coroutines)
        self.stacks = [*self._threads, *self._coroutines]
        self.left_out = len(stacks) - len(self.stacks)
        self._aborts = any(each.aborts for each in self._threads)
        self._fits: dict[tuple[SoughtStack, tuple[str, ...], bool], Fit | None] = {}
        self._laid: dict[tuple[tuple[Calls, ...], bool, bool, bool], tuple[tuple[Laid, ...], int]] = {}
        self._has_main = False

    def matches(self, postures: Postures) -> list[Match]:
        """The best match of each kind of state, by what is violated there; the best kind first."""
        self._has_main = any(control.process == MAIN for control in postures.graph.system.controls)
        best: dict[tuple[tuple[str, ...], tuple[str, ...]], Match] = {}
        for moment in postures.moments:
            match, kind = self._match(moment), (moment.hopeless, moment.breaks)
            if kind not in best or match.rank < best[kind].rank:
                best[kind] = match
        return sorted(best.values(), key=lambda match: match.rank)

    def _match(self, moment: Sight) -> Match:
        breaks = bool(moment.breaks)
        pairs, cost = self._who_is_who(moment.threads, breaks, parked=False)
        parked, more = self._who_is_who(moment.coroutines, False, parked=True)
        return Match(cost + more + (STRANGE if self._aborts != breaks else 0), pairs + parked, moment)

    def _who_is_who(self, processes: tuple[Calls, ...], breaks: bool, *, parked: bool) -> tuple[tuple[Laid, ...], int]:
        key = processes, breaks, parked, self._has_main
        if key not in self._laid:
            stacks = self._coroutines if parked else self._threads
            lacking = LACKING if stacks or not parked else 0
            pairs = tuple(self._over(stacks, processes, breaks, lacking))
            self._laid[key] = pairs, sum(map(_cost, pairs))
        return self._laid[key]

    def _over(
        self, stacks: Sequence[SoughtStack], processes: Sequence[Calls], breaks: bool, lacking: int
    ) -> Iterable[Laid]:
        """Each process gets a stack of its own or none, as cheaply as that can be; then the stacks that no process has got."""
        copies = [(each, copy) for each in stacks for copy in range(min(each.count, len(processes)))]
        table = [
            [self._pair(each, calls, breaks and i == 0) for each, _ in copies] for i, calls in enumerate(processes)
        ]
        none = [lacking] * len(processes)
        columns = assigned([
            [_over_alone(pair, *copies[j]) for j, pair in enumerate(row)] + none for row in table
        ])  # fmt: skip
        taken = {copies[column][0] for column in columns if column < len(copies)}
        yield from (row[column] or _NOBODY for row, column in zip(table, columns, strict=True) if column < len(copies))
        yield from (Laid(each.stack, None, each.alone, count=each.count) for each in stacks if each not in taken)
        yield from (
            Laid(None, calls, Fit(lacking))
            for calls, column in zip(processes, columns, strict=True)
            if column >= len(copies)
        )

    def _pair(self, each: SoughtStack, calls: Calls, breaks: bool) -> Laid | None:
        """A stack laid over the calls of a process; None if that cannot be, or is never better than to leave it alone."""
        if not self._may_be(each, calls):
            return None
        key = each, calls.calls, breaks and each.aborts
        if key not in self._fits:
            self._fits[key] = _fit(*key)
        found = self._fits[key]
        return (
            None
            if found is None
            else Laid(each.stack, calls, found, each.sleeps and not calls.waits, each.count, each.names)
        )

    def _may_be(self, each: SoughtStack, calls: Calls) -> bool:
        """Whether what has started a thread, and what stands around its calls, leaves that open."""
        if each.is_cpu and IOTHREAD in calls.calls:
            return False
        unknown = not self._has_main or each.stack.start is Start.UNKNOWN
        return unknown or (each.stack.start is Start.MAIN) == (calls.process == MAIN)


_NOBODY = Laid(None, None)


def _over_alone(pair: Laid | None, each: SoughtStack, copy: int) -> int:
    """What a pair costs beyond what the stack costs alone; another copy of a stack costs nothing alone."""
    return _NEVER if pair is None else _cost(pair) - (0 if copy else each.alone.cost)


def _cost(pair: Laid) -> int:
    return pair.fit.cost + (AWAKE if pair.awake else 0)


def _fit(each: SoughtStack, calls: tuple[str, ...], aborts: bool) -> Fit | None:
    """The cheapest way; where it waits, what it waits in may have another name, and where it aborts it has gone on from the calls."""
    if (each.names - len(calls)) * STRANGE > each.alone.cost:
        return None
    if aborts:
        return fit((*each.known, GAP), calls)
    return min([fit(each.known, calls), *([fit(each.shorter, calls)] if each.shorter else [])])
