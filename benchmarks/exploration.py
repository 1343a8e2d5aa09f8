"""How fast states are explored, and what they take: `python benchmarks/exploration.py`.

Two families that grow: a small event loop with devices and requests, and QEMU's main loop with a mirror job and guest writes. Each
system is explored in a process of its own; printed are the CPU seconds of the search with all its verdicts, the states in a second, and
the bytes that each state takes at the peak. Compare ratios of one run, never seconds of two.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from time import process_time

from msgspec.structs import replace

from draincheck.engines.explicit import explore
from draincheck.revisions import find_revision
from draincheck.system import TransitionSystem
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.suite.matrix import Row, system_of
from tests.support.machines import event_loop


def mirror(writes: int) -> TransitionSystem:
    """The model of the first code base with this many guest writes."""
    return system_of(Row(find_revision("9a0cec664e"), replace(find_scenario("mirror"), writes=writes)))


def systems() -> Iterator[tuple[str, Callable[[int], TransitionSystem], int]]:
    """The systems by name: how to make them, from which number."""
    for requests in (2, 3):
        yield f"event loop, {requests} requests", _event_loop, requests
    for writes in (1, 2, 3, 4):
        yield f"mirror, {writes} writes", mirror, writes


def _event_loop(requests: int) -> TransitionSystem:
    return event_loop(2, requests)


def measure(make: Callable[[int], TransitionSystem], number: int) -> tuple[int, float, float]:
    """States, CPU seconds, bytes a state."""
    system = make(number)
    before, started = _peak(), process_time()
    states = explore(system).statistics.states
    seconds = process_time() - started
    return states, seconds, (_peak() - before) / states


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Print the table."""
    print(f"{'system':26} {'states':>9} {'CPU s':>7} {'states/s':>9} {'bytes/state':>11}")
    for name, make, number in systems():
        with get_context("spawn").Pool(1) as pool:
            states, seconds, memory = pool.apply(measure, (make, number))
        print(f"{name:26} {states:9} {seconds:7.2f} {states / seconds:9.0f} {memory:11.0f}")


if __name__ == "__main__":
    main()
