"""A backtrace, found again among the states of systems: where its threads stand together, best first.

A thread of a backtrace is laid over the calls of one thread of the model, each over another (`fitting`). Two things are asked beside that:
a thread that sleeps (its innermost frame is a system call that waits, or a lock) can do nothing in the model's state either, and one that
aborts takes a step there that violates a property. Stacks without any function that a model knows say nothing; a model's thread that the
backtrace lacks costs a little: not everybody sends all threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from itertools import permutations

from msgspec import Struct

from draincheck.backtrace.fitting import STRANGE, Fit, fit, known_part
from draincheck.backtrace.index import Calls, Postures, Sight
from draincheck.backtrace.stacks import GAP, Backtrace, StackOf

__all__ = ["Laid", "Match", "best_matches", "names_known", "speaking"]

#: a thread that sleeps where the model's could go on; a thread of the model that the backtrace lacks
AWAKE, LACKING = 2, 2
#: more threads of one backtrace are not laid over each other in every way
MOST = 5

#: functions in which a thread waits, as the C library, the kernel and QEMU call them
_SLEEPING = (
    "ppoll", "poll", "epoll_wait", "epoll_pwait", "select", "pselect", "futex", "lll_lock", "pthread_cond_", "pthread_mutex_lock", "sem_wait",
    "sem_timedwait", "nanosleep", "clock_nanosleep", "sigtimedwait", "sigwait", "qemu_mutex_lock", "qemu_rec_mutex_lock", "qemu_cond_wait",
    "qemu_cond_timedwait", "qemu_sem_wait", "qemu_futex_wait", "qemu_event_wait", "do_futex_wait", "syscall",
)  # fmt: skip
_ABORTING = (
    "abort",
    "raise",
    "assert_fail",
    "g_assertion_message",
    "assert_perror_fail",
    "pthread_kill_implementation",
)
#: what stands at the inner end of a stack that waits, whatever the model calls it
_WAITING = frozenset({"aio_poll", "qemu_poll_ns", "aio_context_acquire", "qemu_coroutine_yield"})
#: a virtual CPU that runs guest code says nothing
_NEUTRAL = frozenset({"kvm_cpu_exec", "qemu_poll_ns"})


class Laid(Struct, frozen=True):
    """A stack of the backtrace and the process that it fits; either may be missing."""

    stack: StackOf | None
    calls: Calls | None
    fit: Fit = Fit(0)
    awake: bool = False


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


def speaking(backtrace: Backtrace, vocabulary: Set[str]) -> list[StackOf]:
    """The stacks with functions that models know, but for those of idle virtual CPUs; the same stack twice is one."""
    found: dict[tuple[str, ...], StackOf] = {}
    for stack in backtrace.stacks:
        known = known_part(stack, vocabulary)
        if {*known} - {GAP} - _NEUTRAL:
            found.setdefault((str(stack.coroutine), *stack.frames), stack)
    return list(found.values())


def names_known(stacks: Iterable[StackOf], vocabulary: Set[str]) -> tuple[list[str], list[str]]:
    """The functions of stacks that models know, and the others, in order."""
    names = dict.fromkeys(name for stack in stacks for name in stack.frames if name != GAP)
    return [name for name in names if name in vocabulary], [name for name in names if name not in vocabulary]


def best_matches(stacks: Sequence[StackOf], postures: Postures, vocabulary: Set[str], most: int = 3) -> list[Match]:
    """The best ways to find stacks again in a system, no two alike in what they say of its processes."""
    threads = [each for each in stacks if not each.coroutine][:MOST]
    coroutines = [each for each in stacks if each.coroutine][:MOST]
    found = sorted(
        (_match(threads, coroutines, moment, vocabulary) for moment in postures.moments), key=lambda match: match.rank
    )
    return found[:most]


def _match(threads: Sequence[StackOf], coroutines: Sequence[StackOf], moment: Sight, vocabulary: Set[str]) -> Match:
    pairs = _laid(threads, moment.threads, vocabulary, lacking=LACKING, breaks=bool(moment.breaks))
    parked = _laid(coroutines, moment.coroutines, vocabulary, lacking=LACKING if coroutines else 0, breaks=False)
    cost = sum(map(_cost, pairs)) + sum(_cost(pair) for pair in parked if coroutines or pair.stack)
    aborts = any(map(_aborts, threads))
    return Match(cost + (STRANGE if aborts != bool(moment.breaks) else 0), tuple(pairs + parked), moment)


def _laid(
    stacks: Sequence[StackOf], processes: Sequence[Calls], vocabulary: Set[str], *, lacking: int, breaks: bool
) -> list[Laid]:
    """Each stack over another process, as cheaply as that can be."""
    table = {
        (stack, calls): _pair(stack, calls, vocabulary, breaks and calls is processes[0])
        for stack in stacks
        for calls in processes
    }
    alone = [
        Laid(stack, None, Fit(STRANGE * max(len({*known_part(stack, vocabulary)} - {GAP}), 1))) for stack in stacks
    ]
    ways = permutations([*processes, *[None] * len(stacks)], len(stacks))
    best = min(
        (
            [alone[i] if calls is None else table[stacks[i], calls] for i, calls in enumerate(way)]
            for way in dict.fromkeys(ways)
        ),
        key=lambda way: sum(map(_cost, way)) + lacking * (len(processes) - sum(pair.calls is not None for pair in way)),
    )
    taken = {pair.calls for pair in best}
    return [*best, *(Laid(None, calls, Fit(lacking)) for calls in processes if calls not in taken)]


def _cost(pair: Laid) -> int:
    return pair.fit.cost + (AWAKE if pair.awake else 0)


def _pair(stack: StackOf, calls: Calls, vocabulary: Set[str], breaks: bool) -> Laid:
    """A stack laid over the calls of a process; where it waits, what it waits in may have another name."""
    known = known_part(stack, vocabulary)
    sleeps = _sleeps(stack)
    shorter = known
    while sleeps and shorter and shorter[-1] in _WAITING | {GAP}:
        shorter = shorter[:-1]
    fits = [fit(known, calls.calls)] + ([fit(shorter, calls.calls)] if sleeps and {*shorter} - {GAP} else [])
    if breaks and _aborts(stack):
        fits = [fit((*known, GAP), calls.calls)]
    return Laid(stack, calls, min(fits), sleeps and not calls.waits)


def _sleeps(stack: StackOf) -> bool:
    return stack.coroutine or (stack.ends and bool(stack.frames) and _begins(stack.frames[-1], _SLEEPING))


def _aborts(stack: StackOf) -> bool:
    return stack.ends and any(_begins(name, _ABORTING) for name in stack.frames[-6:])


def _begins(name: str, words: Sequence[str]) -> bool:
    bare = name.lstrip("_").removeprefix("GI_").lstrip("_").removeprefix("libc_")
    return bare.startswith(tuple(words))
