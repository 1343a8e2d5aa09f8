"""`trace minimize`: what is written can be shown, explained and replayed, and is no larger; what cannot be made smaller is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from draincheck import Model, Run, Trace, TraceError, check
from draincheck.analysis.minimal import minimized
from draincheck.analysis.switches import Cost, cost_of
from draincheck.verdict import Limits
from tests.golden.documents import validator
from tests.support.cli import run

OWN = """from draincheck.lang import Model
def build():
    m = Model("queue")
    queued, taken = m.int("queued", 0, 3), m.int("taken", 0, 3)
    with m.thread("producer") as p, p.loop():
        p.do("puts", queued.inc(), when=queued < 3)
    with m.thread("consumer") as p, p.loop():
        p.do("takes", taken.inc(), when=taken < queued)
    m.always("not all taken", ~taken.is_(3))
    return m
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somewhere to write."""
    monkeypatch.chdir(tmp_path)


def alternating() -> Run:
    """A run of that model in which producer and consumer take turns."""
    m = Model("queue")
    queued, taken = m.int("queued", 0, 3), m.int("taken", 0, 3)
    with m.thread("producer") as p, p.loop():
        p.do("puts", queued.inc(), when=queued < 3)
    with m.thread("consumer") as p, p.loop():
        p.do("takes", taken.inc(), when=taken < queued)
    m.always("not all taken", ~taken.is_(3))
    system = m.compile()
    trace = Trace(system.name, system.digest, "not all taken", next(iter(system.initial)), (0, 1) * 3)
    return Run.of(system, trace)


@pytest.mark.parametrize("limits", [Limits(states=100), Limits(states=1)])
def test_turns_are_moved_together(limits: Limits) -> None:
    """Six turns become two, by the search as well as by moving steps; only the search says that there are no fewer."""
    found = minimized(alternating(), limits)
    assert (found.before, found.after) == (Cost(5, 6), Cost(1, 6))
    assert bool(found.doubt) == found.stopped == (limits.states == 1)


def test_steps_behind_what_shows_the_property_are_left_out() -> None:
    """A run that goes on is cut where it has shown it."""
    run_ = alternating()
    m = run_.system
    longer = Trace(m.name, m.digest, "not all taken", run_.trace.initial, (0, 0, 0, 1, 1, 1))
    assert minimized(Run.of(m, longer)).after == Cost(1, 6)


def test_a_trace_that_shows_nothing_is_refused() -> None:
    """There is nothing that a smaller one would have to show."""
    run_ = alternating()
    for trace in (
        Trace(run_.system.name, run_.system.digest, "", run_.trace.initial, (0,)),
        Trace(run_.system.name, run_.system.digest, "not all taken", run_.trace.initial, (0,)),
    ):
        with pytest.raises(TraceError):
            minimized(Run.of(run_.system, trace))


def test_a_coroutine_runs_on_the_stack_of_whoever_entered_it() -> None:
    """To enter one and to come back is no switch; another thread in between makes two."""
    m = Model("stacks")
    x = m.bool("x")
    co = m.coroutine("co")
    with co as c:
        c.do("inside")
        c.yield_("there")
        c.do("inside again", x.set())
    with m.thread("main") as p:
        p.enter(co)
        p.do("between")
        p.enter(co)
    m.always("never", ~x)
    found = check(m)
    trace = found["never"].verdict.trace
    assert trace is not None
    assert cost_of(Run.of(found.system, trace)) == Cost(0, len(trace.actions))


def looping() -> Model:
    """A model in which a thread goes round for ever, and another one might help."""
    m = Model("goes round")
    n, done = m.int("n", 0, 2), m.bool("done")
    spinner = m.thread("spinner")
    with spinner as p, p.loop():
        p.do("up", n.set(1), when=n.is_(0))
        p.do("down", n.set(0))
    with m.thread("idler") as p:
        p.do("first")
        p.do("second", done.set())
    m.eventually("done", done)
    m.fair(spinner)
    return m


def test_a_demand_on_whole_runs_is_never_called_smallest() -> None:
    """Steps are left out of its loop and of the way there, and it goes round all the same."""
    found = check(looping())
    trace = found["done"].verdict.trace
    assert trace is not None and trace.loop is not None
    twice = Trace(trace.system, trace.digest, trace.property, trace.initial, trace.actions + trace.actions[trace.loop :], trace.loop)  # fmt: skip
    small = minimized(Run.of(found.system, twice))
    assert small.after.steps == len(trace.actions) and small.run.trace.loop is not None
    assert small.doubt and not small.stopped


def written(*arguments: str) -> dict[str, Any]:
    """What a command writes to standard output, as JSON."""
    data: dict[str, Any] = json.loads(run(*arguments).stdout)
    return data


def test_a_smaller_trace_is_a_trace() -> None:
    """It is shown, explained and replayed as others are, and cannot be made smaller."""
    assert run("trace", "export", "--revision", "ab27c3b5e7", "--property", "S4", "-o", "S4.json").exit_code == 0
    made = run("trace", "minimize", "S4.json", "-o", "small.json")
    assert (made.exit_code, made.stderr) == (0, "")
    assert run("trace", "show", "small.json").exit_code == run("explain", "small.json").exit_code == 0
    assert run("replay", "small.json").exit_code == 12
    again = written("trace", "minimize", "small.json", "--json")
    validator("minimize").validate(again)
    assert again["smallest"] and again["before"] == again["after"] == {"switches": 7, "steps": 42}
    assert again["trace"] == json.loads(Path("small.json").read_text(encoding="utf-8"))
    assert written("trace", "minimize", "S4.json") == again["trace"]


def test_a_limit_is_said_and_what_was_found_is_written() -> None:
    """Exit code 30: whether there is a smaller one is unknown."""
    assert run("trace", "export", "--revision", "ab27c3b5e7", "--property", "S4", "-o", "S4.json").exit_code == 0
    result = run("trace", "minimize", "S4.json", "--max-states", "10", "-o", "small.json")
    assert result.exit_code == 30 and Path("small.json").exists()


def test_the_suffix_says_the_format() -> None:
    """As of an export."""
    assert run("trace", "export", "--revision", "ab27c3b5e7", "--property", "S4", "-o", "S4.json").exit_code == 0
    assert run("trace", "minimize", "S4.json", "-o", "small.md").exit_code == 0
    assert Path("small.md").read_text(encoding="utf-8").startswith("- **violated:** S4")


def test_a_model_of_ones_own_has_to_be_named() -> None:
    """As everywhere: no file names a program that is run."""
    Path("own.py").write_text(OWN, encoding="utf-8")
    assert run("simulate", "own.py:build", "--runs", "9", "--trace-out", "walks").exit_code == 12
    (walk,) = map(str, Path("walks").iterdir())
    assert run("trace", "minimize", walk).exit_code == 2
    found = written("trace", "minimize", walk, "--model", "own.py:build", "--json")
    assert found["smallest"] and found["after"] == {"switches": 1, "steps": 6}


def test_what_does_not_show_its_property_is_refused() -> None:
    """Exit code 14, and nothing is written."""
    assert run("trace", "export", "--revision", "ab27c3b5e7", "--property", "S4", "-o", "S4.json").exit_code == 0
    data = json.loads(Path("S4.json").read_text(encoding="utf-8"))
    del data["steps"][5:]
    Path("S4.json").write_text(json.dumps(data), encoding="utf-8")
    assert run("trace", "minimize", "S4.json", "-o", "small.json").exit_code == 14
    assert not Path("small.json").exists()
