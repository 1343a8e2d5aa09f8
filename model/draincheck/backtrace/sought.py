"""The stacks of a backtrace, made ready to be looked for: once each, whatever they are held against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set

from msgspec import Struct
from msgspec.structs import replace

from draincheck.backtrace.fitting import STRANGE, Fit, known_part
from draincheck.backtrace.stacks import GAP, Backtrace, StackOf, Start
from draincheck.backtrace.waits import aborts, sleeps

__all__ = ["MOST", "SoughtStack", "is_cpu", "most_telling", "names_known", "sought"]

#: so many stacks that stand differently are looked for, those that say most; the others are counted
MOST = 8

#: what stands at the inner end of a stack that waits, whatever the model calls it
_WAITING = frozenset({"aio_poll", "qemu_poll_ns", "aio_context_acquire", "qemu_coroutine_yield"})
#: functions that say nothing alone: a virtual CPU in the guest's code, a loop of GLib, which other programs have as well
_NEUTRAL = frozenset({
    "kvm_cpu_exec", "qemu_poll_ns", "g_main_context_check", "g_main_context_dispatch", "g_main_context_prepare",
})  # fmt: skip
#: what only virtual CPUs stand in
_CPU = frozenset({
    "cpu_exec", "tcg_cpus_exec", "tcg_cpu_exec", "mttcg_cpu_thread_fn", "rr_cpu_thread_fn", "kvm_cpu_exec", "kvm_vcpu_thread_fn",
    "qemu_kvm_cpu_thread_fn", "qemu_tcg_cpu_thread_fn", "qemu_wait_io_event", "qemu_kvm_wait_io_event", "qemu_tcg_wait_io_event",
})  # fmt: skip


class SoughtStack(Struct, frozen=True, eq=False):
    """Stacks that say the same to the models.

    Attributes:
        stack: the first of them.
        count: how many there are.
        known: the functions that models know, outermost first, and gaps.
        shorter: the same without what it waits in; () if that leaves nothing, or if it does not wait.
        sleeps: its innermost frame is a call that waits.
        aborts: it ends the program.
        alone: what it costs if no thread of the model stands so.
        is_cpu: it is a virtual CPU's, as functions say that no model needs to have.
    """

    stack: StackOf
    count: int
    known: tuple[str, ...]
    shorter: tuple[str, ...]
    sleeps: bool
    aborts: bool
    alone: Fit
    is_cpu: bool

    @property
    def names(self) -> int:
        """How many functions models know, each as often as it stands there."""
        return len(self.known) - self.known.count(GAP)


def sought(backtrace: Backtrace, vocabulary: Set[str]) -> list[SoughtStack]:
    """The stacks with functions that models know, in the order of the text, but for those of idle virtual CPUs; those that say the same are one."""
    found: dict[object, SoughtStack] = {}
    for stack in backtrace.stacks:
        known = known_part(stack, vocabulary)
        if {*known} - {GAP} - _NEUTRAL:
            asleep, ends = sleeps(stack), aborts(stack)
            key = (known, stack.coroutine, stack.start, asleep, ends, is_cpu(stack))
            earlier = found.get(key)
            found[key] = (
                _ready(stack, known, asleep, ends) if earlier is None else replace(earlier, count=earlier.count + 1)
            )
    return list(found.values())


def _ready(stack: StackOf, known: tuple[str, ...], asleep: bool, ends: bool) -> SoughtStack:
    names = {*known} - {GAP}
    return SoughtStack(
        stack, 1, known, _shorter(known) if asleep else (), asleep, ends, Fit(STRANGE * len(names)), is_cpu(stack)
    )


def is_cpu(stack: StackOf) -> bool:
    """Whether only a virtual CPU stands so."""
    return not _CPU.isdisjoint(stack.frames)


def _shorter(known: tuple[str, ...]) -> tuple[str, ...]:
    kept = len(known)
    while kept and (known[kept - 1] in _WAITING or known[kept - 1] == GAP):
        kept -= 1
    return known[:kept] if any(name != GAP for name in known[:kept]) else ()


def most_telling(stacks: Sequence[SoughtStack]) -> list[SoughtStack]:
    """At most `MOST` of them: who aborts, the main thread, then those with the most different functions; in the order of the text."""

    def says(number: int) -> tuple[bool, bool, int]:
        each = stacks[number]
        return not each.aborts, each.stack.start is not Start.MAIN, -each.alone.cost

    return [stacks[number] for number in sorted(sorted(range(len(stacks)), key=says)[:MOST])]


def names_known(stacks: Iterable[StackOf], vocabulary: Set[str]) -> tuple[list[str], list[str]]:
    """The functions of stacks that models know, and the others, in order."""
    names = dict.fromkeys(_named(stacks))
    return [name for name in names if name in vocabulary], [name for name in names if name not in vocabulary]


def _named(stacks: Iterable[StackOf]) -> Iterator[str]:
    return (name for stack in stacks for name in stack.frames if name != GAP)
