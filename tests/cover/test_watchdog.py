"""The budget of a command holds for a user's Python, too, which never looks at it."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from threading import Thread, Timer

import pytest

from draincheck import Limits
from draincheck.budget import interrupt, memory_in_use, running
from draincheck.errors import MalformedModel, OutOfBudget
from draincheck.model_file import ModelFile
from draincheck.reason import StopKind
from draincheck.watchdog import SIGNAL, watched
from tests.support.cli import run

BUILDERS = """
import time
from draincheck.lang import Model

def loops():
    while True:
        pass

def sleeps():
    time.sleep(30)

def retries():
    for _ in range(3):
        try:
            while True:
                pass
        except Exception:
            pass
    return build()

def grows():
    kept = []
    while True:
        kept.append(bytearray(1 << 20))
        time.sleep(0.001)

def works(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass

class Deaf:
    def __del__(self):
        works(1)

def loses():
    Deaf()
    works(60)

def fails():
    time.sleep(0.2)
    raise ValueError("of its own")

def build():
    m = Model("built")
    x = m.bool("x")
    with m.thread("a") as p:
        p.do("set", x.set())
    m.always("either", x | ~x)
    return m
"""


class Unheard:
    """Something that fails where nobody can be told."""

    def __del__(self) -> None:
        raise ValueError


@pytest.fixture
def builders(tmp_path: Path) -> str:
    """The file of functions that take their time."""
    file = tmp_path / "builders.py"
    file.write_text(BUILDERS, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("function", ["loops", "sleeps"])
@pytest.mark.parametrize("command", ["check", "simulate"])
def test_a_builder_ends_with_the_time_of_its_command(command: str, function: str, builders: str) -> None:
    """30, and the limit's name; whether it computes or sleeps."""
    began = time.monotonic()
    result = run(command, f"{builders}:{function}", "--timeout", "0.3")
    assert (result.exit_code, "time limit 0.3 s reached" in result.stderr) == (30, True)
    assert time.monotonic() - began < 10


def test_a_file_that_does_not_end_ends(tmp_path: Path) -> None:
    """Its import is the user's Python as well."""
    file = tmp_path / "endless.py"
    file.write_text("while True:\n    pass\n", encoding="utf-8")
    assert run("check", f"{file}:build", "--timeout", "0.3").exit_code == 30


def test_an_exception_that_is_caught_comes_again(builders: str) -> None:
    """A builder that catches whatever happens, and goes on for a while, ends the sooner each time, and nothing is checked then."""
    result = run("check", f"{builders}:retries", "--timeout", "0.3")
    assert (result.exit_code, "holds" in result.stdout) == (30, False)


def test_an_exception_that_is_lost_comes_again_in_silence(builders: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python can only report it, nothing is reported; what else is lost there (negative control) is."""
    reported: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda lost: reported.append(lost.exc_type.__name__))
    assert run("check", f"{builders}:loses", "--timeout", "0.3").exit_code == 30
    assert reported == []
    with watched():
        Unheard()
    assert reported == ["ValueError"]


def test_a_builder_ends_with_the_memory_of_its_command(builders: str) -> None:
    """The limit is named."""
    with pytest.raises(OutOfBudget) as caught, running(Limits(memory=memory_in_use() + (64 << 20))):
        ModelFile.load(f"{builders}:grows")
    assert caught.value.stop.kind is StopKind.MEMORY


def test_ctrl_c_is_heard_in_a_builder(builders: str) -> None:
    """Whoever asks the command to end is heard."""
    with pytest.raises(OutOfBudget) as caught, running(Limits()):
        Timer(0.2, interrupt).start()
        ModelFile.load(f"{builders}:loops")
    assert caught.value.stop.kind is StopKind.REQUEST


def test_within_its_budget_nothing_changes(builders: str) -> None:
    """Negative control: a builder that is quick is checked, one that fails fails as before, and the signal's handler is what it was."""
    before = signal.getsignal(signal.SIGVTALRM)
    with running(Limits(seconds=60)):
        assert ModelFile.load(f"{builders}:build").title == "built"
        with pytest.raises(MalformedModel, match="of its own"):
            ModelFile.load(f"{builders}:fails")
    assert signal.getsignal(signal.SIGVTALRM) is before


def test_another_thread_is_left_alone() -> None:
    """No signal reaches it."""
    seen: list[object] = []

    def work() -> None:
        with watched():
            seen.append(signal.getsignal(signal.SIGVTALRM))

    before = signal.getsignal(signal.SIGVTALRM)
    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert (seen, SIGNAL) == ([before], signal.SIGVTALRM)


def test_a_fork_in_it_is_no_concern() -> None:
    """The process that is forked has no such thread, and ends as it likes."""
    with running(Limits(seconds=60)), watched():
        child = os.fork()
        if child == 0:
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
