"""Whatever takes long shows itself: on a terminal from the second second on, elsewhere now and then, in plain lines on standard error."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import sys
import threading
from pathlib import Path
from select import select

import pytest

from check_invariants import output
from check_invariants.output import Counter
from tests.support.processes import COMMAND, LONG, at_a_prompt
from tests.support.samples import sampled


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
    monkeypatch.setattr(output, "SOON", 2)
    return time


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread shows anything: the test does."""
    monkeypatch.setattr(Counter, "_watch", lambda self: None)


@pytest.mark.usefixtures("still")
def test_plain_lines_now_and_then(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """In a log: nothing for two seconds, then a line whenever the time has doubled, or a minute has passed; no control characters."""
    stream = Stream(terminal=False)
    monkeypatch.setattr(sys, "stderr", stream)
    with Counter("state", "found") as counter:
        for second in range(1, 201):
            clock[0] = float(second)
            counter.progress(1000 * second, 0, second, 7)
            counter.show()
    lines = stream.getvalue().splitlines()
    assert [int(line.split(" s, ")[0].split()[-1]) for line in lines] == [2, 4, 8, 16, 32, 64, 124, 184]
    assert lines[0].startswith("2000 states found, depth 2, 7 to expand, 1000 a second, 2 s, ")
    assert all(line.isascii() and line.isprintable() and line.endswith(" MB") for line in lines)


@pytest.mark.usefixtures("still")
def test_a_phase_begins_anew(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """What was counted before does not count, nor does the time in the rate; what counts nothing has a name and the time, a second search its number."""
    stream = Stream(terminal=False)
    monkeypatch.setattr(sys, "stderr", stream)
    with Counter("state", "found") as counter:
        counter.phase("searching")
        counter.progress(90, 0, 3, 0)
        clock[0] = 2.0
        counter.show()
        clock[0] = 4.0
        counter.phase("checking")
        counter.show()
        counter.phase("searching")
        counter.progress(80, 0, 3, 0)
        clock[0] = 8.0
        counter.show()
    lines = [line.rpartition(", ")[0] for line in stream.getvalue().splitlines()]
    assert lines == [
        "searching: 90 states found, depth 3, 45 a second, 2 s",
        "checking, 4 s",
        "searching (2): 80 states found, depth 3, 20 a second, 8 s",
    ]


@pytest.mark.usefixtures("still")
def test_what_is_inside_something_says_where(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of three models, the one row of all, one state: numbers and words agree; what has no name is left out."""
    stream = Stream(terminal=False)
    monkeypatch.setattr(sys, "stderr", stream)
    with Counter("", phase="check"), Counter("model", "decided", 3) as models:
        models.advance(1)
        with Counter("state", "found") as counter:
            counter.phase("searching")
            counter.progress(1, 0, 0, 0)
            clock[0] = 2.0
            counter.show()
    with Counter("row", "decided", 1) as rows:
        rows.advance(1)
        clock[0] = 4.0
        rows.show()
    lines = [line.rpartition(", ")[0] for line in stream.getvalue().splitlines()]
    assert lines == ["model 2 of 3: searching: 1 state found, depth 0, 0 a second, 2 s", "1 of 1 row decided, 2 s"]


@pytest.mark.usefixtures("still")
def test_what_is_quick_shows_nothing(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in a log nor on a terminal."""
    for terminal in (False, True):
        stream = Stream(terminal)
        monkeypatch.setattr(sys, "stderr", stream)
        with Counter("row", "", 9) as counter:
            clock[0] += 1.5
            counter.advance(9)
            counter.show()
        assert stream.getvalue() == ""


@pytest.mark.usefixtures("still")
def test_a_terminal_is_shown_a_line(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """From the second second on, until the end."""
    monkeypatch.setattr(sys, "stderr", Stream(terminal=True))
    line = Line()
    monkeypatch.setattr("check_invariants.terminal.counting", lambda words: line)
    with Counter("row", "", 9) as counter:
        for second in (1.0, 2.0, 3.0):
            clock[0] = second
            counter.advance(int(second))
            counter.show()
    assert [words.rpartition(", ")[0] for words in line.words] == ["2 of 9 rows, 2 s", "3 of 9 rows, 3 s", ""]


#: a model that is built for ever, one that is searched for ever and violated at once
MODELS = """
from draincheck import Model

def built():
    while True:
        Model("m")

def searched():
    m = Model("m")
    n = m.int("n", 0, 2**40)
    with m.thread("t") as p, p.loop():
        p.do("count", n.inc())
    m.always("small", n < 5)
    m.always("inside", n < 2**40)
    m.eventually("far", n.is_(2**39))
    m.no_deadlock()
    m.progress()
    return m
"""

#: a question that no solver answers, under a counter
QUESTION = """
import sys
from check_invariants.interrupts import hear_every_interrupt, hear_no_more
from check_invariants.output import Counter
from draincheck.budget import NO_LIMITS, running
from draincheck.solvers import Answer, incremental
from tests.support.clocks import FACTORS, PRODUCT
hear_every_interrupt()
with running(NO_LIMITS), Counter("step") as counter:
    solver = incremental("QF_BV")
    solver.define(FACTORS + "(declare-const asked Bool)")
    solver.add("(assert (=> asked " + PRODUCT + "))")
    counter.phase("query at depth 7")
    assert solver.check(["asked"], None) is Answer.UNKNOWN
hear_no_more()
sys.exit(130)
"""


def command(what: str, folder: Path) -> list[str]:
    """What takes for ever, and what its progress says."""
    (folder / "m.py").write_text(MODELS, encoding="ascii")
    if what == "query at depth 7":
        return [sys.executable, "-c", QUESTION]
    return [*COMMAND, "check", f"{folder / 'm.py'}:{'built' if what == 'building' else 'searched'}", "--json"]


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(
    "case",
    sampled(
        [(phase, watched) for phase in ("query at depth 7", "building", "searching") for watched in (False, True)],
        [("building", False), ("searching", True)],
        1,
    ),
    ids=lambda case: f"{case[0]}, {'on a terminal' if case[1] else 'in a log'}",
)
def test_what_takes_long_shows_itself(case: tuple[str, bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it does: builds, searches, waits for a solver; and then Ctrl-C ends it, with one document of what is known."""
    phase, watched = case
    monkeypatch.delenv("CHECK_INVARIANTS_PROGRESS")
    ours, theirs = os.openpty() if watched else os.pipe()
    process = at_a_prompt(*command(phase, tmp_path), error=theirs)
    os.close(theirs)
    said = b""
    shown = rb"\d\d states found" if phase == "searching" else phase.encode()
    while not re.search(shown, said):
        assert select([ours], [], [], LONG)[0]
        more = os.read(ours, 4096)
        assert more, said  # nothing more comes of what has ended
        said += more
    assert b"Traceback" not in said
    assert (b"\x1b" in said) is watched
    os.killpg(process.pid, signal.SIGINT)
    threading.Thread(target=drained, args=(ours,), daemon=True).start()
    output, _ = process.communicate(timeout=LONG)
    assert process.returncode == 130
    if phase == "searching":
        found = {item["name"]: (item["verdict"], item["how"]) for item in json.loads(output)["properties"]}
        assert found["small"] == ("violated", "shortest counterexample: 5 actions")
        assert found["far"] == ("unknown", "interrupted before anything was decided")
        assert {found[name][0] for name in ("inside", "no deadlock")} == {"unknown"}
    elif phase == "building":
        assert json.loads(output)["exit_code"] == 130


def drained(stream: int) -> None:
    """Read what nobody looks at any more."""
    with contextlib.suppress(OSError):
        while os.read(stream, 4096):
            pass
