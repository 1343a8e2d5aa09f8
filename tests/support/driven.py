"""The reference core driven by hand: which process goes next is said step by step, and what it does is read from the event log."""

from __future__ import annotations

from collections.abc import Sequence

from draincheck.conformance import config_of
from draincheck.core.events import Event, EventLog
from draincheck.core.host import Choice
from draincheck.core.machine import Machine
from draincheck.knobs import Setting
from draincheck.revisions import find_revision, with_settings
from drainspecs.mirror.scenarios import find_scenario

__all__ = ["Driven"]


class Driven:
    """A machine of a code base in a scenario, some of its knobs turned by hand.

    Attributes:
        machine: the machine.
        log: what has happened.
        wishes: outcomes that are taken where a step has several; without one the first.
    """

    def __init__(self, revision: str, scenario: str, **settings: Setting) -> None:
        knobs = with_settings(find_revision(revision), settings).knobs
        self.log = EventLog()
        self.machine = Machine(knobs, config_of(find_scenario(scenario)), self.log)
        self.machine.decide = self._decide
        self.wishes: set[str] = set()

    def _decide(self, choices: Sequence[Choice]) -> int:
        return next((index for index, choice in enumerate(choices) if choice.label in self.wishes), 0)

    def offered(self, process: str) -> list[Choice]:
        """What a process may do next."""
        return [choice for choice in self.machine.choices() if choice.process == process]

    def make(self, process: str, label: str = "") -> list[Event]:
        """One step of a process, and what happened in it."""
        (choice, *_) = [choice for choice in self.offered(process) if label in choice.label]
        before = len(self.log.events)
        self.machine.take(choice)
        return self.log.events[before:]

    def until(self, text: str, *processes: str) -> list[Event]:
        """Steps of these processes, the first that can act each time, until an event with this text; what happened in them."""
        before = len(self.log.events)
        for _ in range(300):
            (process, *_) = [name for name in processes if self.offered(name)]
            self.make(process)
            found = self.log.events[before:]
            if any(text in event.text for event in found):
                return found
        raise AssertionError(f"{text!r} does not happen")

    def rest(self, *processes: str) -> None:
        """Steps of these processes until none of them can act."""
        for _ in range(300):
            names = [name for name in processes if self.offered(name)]
            if not names:
                return
            self.make(names[0])
        raise AssertionError(f"{', '.join(processes)} do not come to rest")

    def said(self, process: str) -> list[str]:
        """What a process has done, in its order."""
        return [event.text for event in self.log.events if event.process == process]
