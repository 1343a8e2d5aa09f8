"""Whatever takes long shows itself: on a terminal from the second second on, elsewhere now and then, in plain lines on standard error."""

from __future__ import annotations

import io
import sys

import pytest

from check_invariants import output
from check_invariants.output import Counter


class Stream(io.StringIO):
    """Standard error: a terminal, or none."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        """Whether it is one."""
        return self._terminal


class Line:
    """What rich would show."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def update(self, words: str) -> None:
        """Show other words."""
        self.words.append(words)

    def stop(self) -> None:
        """Show nothing any more."""
        self.words.append("")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that somebody sets."""
    time = [0.0]
    monkeypatch.setattr(output, "perf_counter", lambda: time[0])
    return time


def test_plain_lines_now_and_then(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """In a log: nothing for ten seconds, then a line whenever the time has doubled, or a minute has passed; no control characters."""
    stream = Stream(terminal=False)
    monkeypatch.setattr(sys, "stderr", stream)
    with Counter("states found") as counter:
        for second in range(1, 201):
            clock[0] = float(second)
            counter.progress(1000 * second, 0, second, 7)
    lines = stream.getvalue().splitlines()
    assert [int(line.split(" s, ")[0].split()[-1]) for line in lines] == [10, 20, 40, 80, 140, 200]
    assert lines[0].startswith("10000 states found, depth 10, 7 to expand, 1000 a second, 10 s, ")
    assert all(line.isascii() and line.isprintable() and line.endswith(" MB") for line in lines)


def test_what_is_quick_shows_nothing(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in a log nor on a terminal."""
    for terminal in (False, True):
        stream = Stream(terminal)
        monkeypatch.setattr(sys, "stderr", stream)
        with Counter("rows", 9) as counter:
            clock[0] += 1.5
            counter.advance(9)
        assert stream.getvalue() == ""


def test_a_terminal_is_shown_a_line(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """From the second second on, until the end."""
    monkeypatch.setattr(sys, "stderr", Stream(terminal=True))
    line = Line()
    monkeypatch.setattr("check_invariants.terminal.counting", lambda words: line)
    with Counter("rows", 9) as counter:
        for second in (1.0, 2.0, 3.0):
            clock[0] = second
            counter.advance(int(second))
    assert [words.rpartition(", ")[0] for words in line.words] == ["2 of 9 rows, 2 s", "3 of 9 rows, 3 s", ""]
