"""The event log: what the machine did, who did it, and in which call."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FrameType

from greenlet import getcurrent, greenlet

__all__ = ["Event", "EventLog"]

#: modules whose functions are QEMU's: what a call tree shows
SHOWN = frozenset(
    {
        "aio", "block", "blockjob", "chardev", "coroutine", "drain", "glib", "iothread", "mainloop", "mirror", "mirror_exit", "threadpool",
        "timer", "vcpu", "virtio_blk",
    }
)  # fmt: skip

#: functions of these that QEMU has only as a part of others
HELPERS = frozenset(
    {
        "bh_runs", "blk_wait_uncounted", "complete", "copy_sector", "drain_requests", "end_sections", "enter_root", "immediate_exit",
        "last_dirty_count", "mirror_converge",
        "mirror_retry", "mirror_round", "pending_when_poll_returns", "release_bitmap", "replace", "run", "run_if_due", "submit", "switch",
        "swap_with_requests_in_flight", "unlock_iothread", "wait_for_command", "wait_until_poll_returns",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        step: the number of the scheduling step it happened in, from 1; 0 before the first.
        process: the thread, or the job's coroutine, that did it.
        frames: the calls it stands in, outermost first.
        text: what was done, in a few words.
        mark: the letter the story gives it (`a`, `b`, `c`, `w`), or "".
    """

    step: int
    process: str
    frames: tuple[str, ...]
    text: str
    mark: str = ""


class EventLog:
    """Collects events. A machine without one does not pay for call frames."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def add(self, step: int, process: str, text: str, mark: str) -> None:
        """Append an event of the code that runs now."""
        self.events.append(Event(step, process, tuple(reversed(list(_calls()))), text, mark))


def _calls() -> Iterator[str]:
    """The QEMU functions on the stacks of this coroutine and of those that entered it, innermost first."""
    here: greenlet | None = getcurrent()
    frame: FrameType | None = _caller_of_this_module()
    while here is not None:
        while frame is not None:
            if (name := _SHOWN_NAME.get(frame.f_code)) is None:
                name = _SHOWN_NAME[frame.f_code] = _shown_name(frame)
            if name:
                yield name
            frame = frame.f_back
        here = here.parent
        frame = None if here is None else here.gr_frame


def _caller_of_this_module() -> FrameType | None:
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage] - inspect's import costs too much
    while frame is not None and frame.f_globals["__name__"] == __name__:
        frame = frame.f_back
    return frame


_SHOWN_NAME: dict[CodeType, str] = {}


def _shown_name(frame: FrameType) -> str:
    """The function's name if it is one that a call tree shows, else ""."""
    package, _, module = str(frame.f_globals.get("__name__", "")).rpartition(".")
    name = frame.f_code.co_name
    shown = package == __package__ and module in SHOWN and name not in HELPERS and not name.startswith(("_", "<"))
    return name if shown else ""
