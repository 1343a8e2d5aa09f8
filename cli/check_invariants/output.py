"""How results reach people and files: tables, progress. Plain and stable text, unless a terminal is watching."""

from __future__ import annotations

import os
import sys
from collections import Counter as Tally
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from mmap import mmap
from threading import Event, Lock, Thread
from time import perf_counter
from types import ModuleType
from typing import TYPE_CHECKING, TextIO, TypeVar

from check_invariants import standard
from check_invariants.documents import put
from check_invariants.exit import more
from check_invariants.table import Table
from draincheck import Run, render_trace
from draincheck.budget import memory_in_use
from draincheck.errors import OutOfBudget
from draincheck.escape import harmless
from draincheck.reason import Stop
from draincheck.report.layout import legible
from draincheck.revisions import Revision, substitutes
from draincheck.subject import About
from draincheck.verdict import stop_of
from draincheck.words import counted

if TYPE_CHECKING:
    from rich.status import Status

__all__ = [
    "Counter",
    "advise",
    "emit",
    "emit_content",
    "emit_markup",
    "emit_stop",
    "emit_substitutes",
    "emit_table",
    "emit_trace",
    "shown_elsewhere",
    "until_stopped",
]

T = TypeVar("T")

#: seconds after which progress is shown, never if the environment says so; off a terminal the time between two lines doubles, up to a minute
SOON, SELDOM = float("inf") if os.environ.get("CHECK_INVARIANTS_PROGRESS") == "off" else 2.0, 60.0

#: seconds between two looks at whether it is time
TICK = 0.25


# -- standard output --------------------------------------------------------------------------------


def emit(text: str) -> None:
    """Print text for people: a line that is too long goes on below, further in. If nobody reads on (`| head`), stay quiet from here.

    The exit code still says how it went. Raises NotWritable for a full disk.
    """
    put(legible(text, standard.columns()))


def emit_content(text: str) -> None:
    """Print what a file would have; on a terminal nothing in it moves the cursor."""
    put(harmless(text) if _watched(standard.stream()) else text)


def emit_table(table: Table) -> None:
    """Print a table, with colours on a terminal."""
    found = table.each(harmless)
    width = standard.columns()
    watched = _watched(standard.stream())
    put(_terminal().painted(found.lines(width)) if watched else found.text(width))


def emit_markup(render: Callable[[bool, int | None], str]) -> None:
    """Print text, which is rendered with rich's markup or without, for so many columns or as many as it likes."""
    watched = _watched(standard.stream())
    text = harmless(render(watched, standard.columns()))
    put(_terminal().marked(text) if watched else text)


def emit_trace(run: Run, about: About | None = None, short: bool = False) -> None:
    """Print a trace as a call tree, below six lines on what it is, if they are wanted."""
    emit_markup(lambda color, width: render_trace(run, color=color, width=width, about=about, short=short))


def _watched(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _terminal() -> ModuleType:
    from check_invariants import terminal

    return terminal


# -- progress ---------------------------------------------------------------------------------------


class Counter:
    """Progress on standard error, of what takes long: a line that is gone at the end where a terminal watches, elsewhere a line now and then.

    A thread shows it, so that it is seen whatever the work does: builds a model, asks a solver one long question. Of several counters, each
    inside the one before, the last shows itself.
    """

    def __init__(self, noun: str, did: str = "", total: int | None = None, phase: str = "") -> None:
        """`noun` is what is counted, in the singular, and `did` what stands behind it."""
        self.noun, self.did, self.total, self.done = noun, did, total, 0
        self._phase, self._details, self._had = phase, "", Tally({phase: 1})
        self._started = self._since = perf_counter()
        self._next: float = SOON
        self._status: Status | None = None
        self._over = Event()

    def __enter__(self) -> Counter:
        _shown.counters.append(self)
        if len(_shown.counters) == 1:
            Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with _shown.lock:
            _shown.counters.remove(self)
            self._over.set()
            self.hide()

    def hide(self) -> None:
        """Take away what a terminal shows of it, until it is shown again."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def advance(self, done: int) -> None:
        """Say how much is done by now."""
        self.done, self._details = done, ""

    def phase(self, name: str) -> None:
        """What is done from here on; counting begins anew. What is done once more has its number."""
        self._had[name] += 1
        again = f" ({self._had[name]})" if self._had[name] > 1 else ""
        self._phase, self.done, self._details, self._since = f"{name}{again}", 0, "", perf_counter()

    def progress(self, states: int, transitions: int, depth: int, queue: int) -> None:
        """What an engine reports (see draincheck.verdict.Reporter)."""
        self.done = states
        self._details = f", depth {depth}" + (f", {queue} to expand" if queue else "")

    def advice(self, text: str) -> None:
        """What would make it faster, above whatever a terminal shows of it."""
        with _shown.lock:
            self.hide()
            advise(text)

    @property
    def place(self) -> str:
        """Which of the things that are counted is worked at now, for a counter inside this one."""
        total = "" if self.total is None else f" of {self.total}"
        return f"{self.noun} {self.done + 1}{total}: " if self.noun else ""

    def show(self) -> None:
        """Show how far it is, if it is time to."""
        now = perf_counter()
        passed = now - self._started
        if passed < self._next:
            return
        if _watched(sys.stderr):
            shown = self._status = self._status or _terminal().counting(self._words(now))
            shown.update(self._words(now))
        else:
            self._next = passed + min(max(passed, SOON), SELDOM)
            standard.note(f"{self._words(now)}\n")

    def _watch(self) -> None:
        """Show the last of those that count, until this one is over."""
        while not self._over.wait(TICK):
            with _shown.lock:
                if _shown.counters and not _shown.elsewhere:
                    _shown.counters[-1].show()

    def _words(self, now: float) -> str:
        outer = [*_shown.around, *_shown.counters[: _shown.counters.index(self)]]
        parts = [
            *(counter.place for counter in outer),
            f"{self._phase}: " if self._phase and self.done else self._phase,
        ]
        if self.done or not self._phase:
            rate = (
                f", {self.done / (now - self._since):.0f} a second" if self.total is None and now > self._since else ""
            )
            parts.append(f"{self._number()}{self.did and ' '}{self.did}{self._details}{rate}")
        return f"{''.join(parts)}, {now - self._started:.0f} s, {memory_in_use() >> 20} MB"

    def _number(self) -> str:
        return (
            counted(self.done, self.noun) if self.total is None else f"{self.done} of {counted(self.total, self.noun)}"
        )


#: whether somebody was told what would be faster: this process shares it with those that are forked from it
_advised = mmap(-1, 1)


def advise(text: str) -> None:
    """Tell on standard error what would have made something faster, if anything: once, however many models there are."""
    if text and not _advised[0]:
        _advised[0] = 1
        standard.note(f"{text}\n")


class _Shown:
    """Those that count, each inside the one before, and who shows or ends one.

    A process that is forked begins with none; if it shows what this one would (`elsewhere`), those of this one stand `around` its own.
    """

    def __init__(self) -> None:
        self.counters: list[Counter] = []
        self.around: list[Counter] = []
        self.elsewhere = False
        self.lock = Lock()

    def begin(self) -> None:
        """Begin anew."""
        self.around = [*self.around, *self.counters] if self.elsewhere else []
        self.counters, self.elsewhere, self.lock = [], False, Lock()


_shown = _Shown()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_shown.begin)


@contextmanager
def shown_elsewhere() -> Generator[None]:
    """While a process that is forked in here does the work, and shows how far it is: this one shows nothing."""
    with _shown.lock:
        _shown.elsewhere = True
        for counter in _shown.counters:
            counter.hide()
    try:
        yield
    finally:
        _shown.elsewhere = False


def until_stopped(items: Iterator[T], noun: str, did: str, total: int | None) -> tuple[list[T], Stop | None]:
    """All the items, counted as they come (see `Counter`); with a stop, those that came before Ctrl-C or a limit."""
    found: list[T] = []
    try:
        with Counter(noun, did, total) as counter:
            for item in items:
                found.append(item)
                counter.advance(len(found))
    except (KeyboardInterrupt, OutOfBudget) as end:
        return found, stop_of(end)
    return found, None


def emit_substitutes(revisions: Iterable[Revision]) -> None:
    """Say why a row answers for what has none of its own, and an empty line behind it; nothing where each is itself."""
    emit("".join(f"{why}\n\n" for why in substitutes(revisions)))


def emit_stop(stop: Stop | None, words: str, instead: str = "") -> None:
    """Say on standard error that not everything is there, and why, and what could be asked `instead`; nothing without a stop."""
    if stop is not None:
        standard.note(f"Error: {stop}: {words}{more(stop)}{instead and '; '}{instead}\n")
