"""The models as Python functions from a tuple to the tuples after it, which is what minicheck searches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

__all__ = ["Machine", "event_loop", "narrow"]

State: TypeAlias = tuple[Any, ...]

POLLS, DISPATCHES, RUNS_BOTTOM_HALVES = range(3)
IDLE, QUEUED, IN_FLIGHT, DONE = range(4)
RUNS, DRAINS, HAS_DEFERRED, EXITS = range(4)


class Device(NamedTuple):
    """A device with its requests and its job."""

    requests: tuple[int, ...]
    efd: bool = False
    ready: bool = False
    bh: bool = False
    job: int = RUNS
    disabled: int = 0


class Machine(NamedTuple):
    """A start, the steps from a state with their labels, and what must hold in each state."""

    initial: State
    steps: Callable[[State], list[tuple[str, State]]]
    fine: Callable[[State], bool]


def event_loop(devices: int, slots: int) -> Machine:
    """The loop with so many devices of so many slots each: a state is where the loop is, and the devices."""
    return Machine((POLLS, *[Device((IDLE,) * slots)] * devices), _steps, _fine)


def _fine(state: State) -> bool:
    return all(device.job != EXITS or IN_FLIGHT not in device.requests for device in state[1:])


def _steps(state: State) -> list[tuple[str, State]]:
    loop, *devices = state
    steps = list(_loop(loop, devices))
    for number, device in enumerate(devices, 1):
        before, behind = (loop, *state[1:number]), state[number + 1 :]
        for moves in (_dispatched(loop, device), _drained(device), _requested(device)):
            steps += [(label, (*before, after, *behind)) for label, after in moves]
    return steps


def _loop(loop: int, devices: list[Device]) -> Iterator[tuple[str, State]]:
    if loop == POLLS:
        yield "poll", (DISPATCHES, *(each._replace(ready=each.efd and each.disabled == 0) for each in devices))
    elif loop == DISPATCHES and not any(device.ready for device in devices):
        yield "dispatched", (RUNS_BOTTOM_HALVES, *devices)
    elif loop == RUNS_BOTTOM_HALVES and not any(device.bh for device in devices):
        yield "again", (POLLS, *devices)


def _dispatched(loop: int, device: Device) -> Iterator[tuple[str, Device]]:
    """What the loop does with a device."""
    requests, efd, ready, bh, job, disabled = device
    if loop == DISPATCHES and ready and disabled == 0:
        started = tuple(IN_FLIGHT if request == QUEUED else request for request in requests)
        yield "dispatch", Device(started, False, False, bh, job, disabled)
    if loop == DISPATCHES and ready and disabled:
        yield "skip", Device(requests, efd, False, bh, job, disabled)
    if loop == RUNS_BOTTOM_HALVES and bh:
        yield "bottom half", Device(requests, efd, ready, False, EXITS, disabled)


def _drained(device: Device) -> Iterator[tuple[str, Device]]:
    """What the job does that drains it."""
    requests, efd, ready, bh, job, disabled = device
    if job == RUNS:
        yield "begin of drain", Device(requests, efd, ready, bh, DRAINS, disabled + 1)
    elif job == DRAINS and IN_FLIGHT not in requests:
        yield "drained", Device(requests, efd, ready, True, HAS_DEFERRED, disabled)
    elif job == EXITS:
        yield "exit", Device(requests, efd, ready, bh, RUNS, disabled - 1)


def _requested(device: Device) -> Iterator[tuple[str, Device]]:
    """What the guest and the storage do."""
    requests, efd, ready, bh, job, disabled = device
    for slot, request in enumerate(requests):
        before, behind = requests[:slot], requests[slot + 1 :]
        if request == IDLE:
            yield "submit", Device((*before, QUEUED, *behind), True, ready, bh, job, disabled)
        elif request == IN_FLIGHT:
            yield "complete", Device((*before, DONE, *behind), efd, ready, bh, job, disabled)
        elif request == DONE:
            yield "reap", Device((*before, IDLE, *behind), efd, ready, bh, job, disabled)


def narrow(last: int) -> Machine:
    """A counter up to a number, and a flag."""

    def steps(state: State) -> list[tuple[str, State]]:
        counter, flag = state
        counts = [("count", (counter + 1, flag))] if counter < last else []
        return counts if flag else [*counts, ("set", (counter, True))]

    def fine(state: State) -> bool:
        counter, _ = state
        return bool(counter <= last)

    return Machine((0, False), steps, fine)
