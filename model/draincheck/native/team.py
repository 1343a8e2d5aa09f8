"""Threads that take the actions of a layer together, where there is enough to do."""

from __future__ import annotations

import os
from collections.abc import Sequence
from threading import Thread

from draincheck.native import parts
from draincheck.native.states import Hand, States

__all__ = ["ENOUGH", "Team"]

#: states of a layer that are worth a thread of their own
ENOUGH = 1 << 16

#: more would wait for memory
MOST = 8


class Team:
    """The threads that work on some states; the first of them is whoever asks.

    Attributes:
        hands: what each works with.
    """

    def __init__(self, states: States) -> None:
        self._states = states
        self.hands: list[Hand] = [states]

    def wanted(self, number: int) -> int:
        """How many threads are of use for so many states."""
        return max(1, min(processors(), number // ENOUGH))

    def advance(self, threads: int) -> int:
        """Take all actions of the states from AT to before UNTIL, by so many threads; 1 if there may be no more room for what they lead to."""
        states, room = self._states, self._states[parts.ROOM]
        left = room - threads * states.most
        if left <= len(states):
            return 1
        states[parts.ROOM] = left
        told = self._told(self._of(threads))
        states[parts.ROOM] = room
        states[parts.AT] = min(states[parts.AT], states[parts.UNTIL])
        return max(told)

    def _of(self, threads: int) -> Sequence[Hand]:
        while len(self.hands) < threads:
            self.hands.append(self._states.another())
        return self.hands[:threads]

    def _told(self, hands: Sequence[Hand]) -> Sequence[int]:
        """What the kernel has told each of them. The others end with the first: there is nothing left, or no room."""
        told = [0] * len(hands)

        def work(number: int) -> None:
            told[number] = self._states.call("advance_together", hands[number].address)

        others = [Thread(target=work, args=(number,)) for number in range(1, len(hands))]
        started = [other for other in others if _starts(other)]
        try:
            work(0)
        finally:
            _join(started)
        return told


def _starts(thread: Thread) -> bool:
    """Start a thread; where the system allows no more of them, those that there are do its part."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True


def _join(threads: Sequence[Thread]) -> None:
    """Wait until all have ended, whoever does not want to wait: what they work with has to stay until then. Raises KeyboardInterrupt."""
    interrupt: KeyboardInterrupt | None = None
    for thread in threads:
        while thread.is_alive():
            try:
                thread.join()
            except KeyboardInterrupt as error:
                interrupt = error
    if interrupt is not None:
        raise interrupt


def processors() -> int:
    """How many threads run at once, at most."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(here, MOST)
