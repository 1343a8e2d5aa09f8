"""Whether a trace shows what is said of it: what can come after its end is searched, nobody is believed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from check_invariants.exit import ExitCode
from draincheck import Limits, Run, Trace, TransitionSystem
from draincheck.analysis.confirmed import confirmed
from draincheck.lang import Model
from draincheck.properties import CanAlwaysFinish
from draincheck.semantics.violation import shown_for_sure, shows
from tests.support.cli import run
from tests.support.samples import sampled

#: more states than are looked at beside an engine
FAR = 5000


def far_away(helps: bool, ends: str = "") -> TransitionSystem:
    """A counter goes up to a thousand times five; if it `helps` it then does what the waiter waits for. It may pass a bound there."""
    m = Model("far away")
    n, done = m.int("n", 0, FAR), m.bool("done")
    with m.thread("counter") as p:
        with p.until(n.is_(FAR)):
            p.do("counts", n.inc())
        if helps:
            p.do("helps", done.set())
        if ends:
            p.bound(ends)
    with m.thread("waiter") as p:
        p.wait("help", done)
    m.stays_reachable("can be done", done)
    m.no_deadlock()
    return m.compile()


def at_the_start(system: TransitionSystem, name: str) -> Run:
    """A trace that takes no step and says that it shows a property."""
    return Run.of(system, Trace(system.name, system.digest, name, system.initial[0], ()))


@pytest.mark.parametrize("name", sampled(["can be done", "no deadlock"], ["no deadlock"]))
@pytest.mark.parametrize("helps", [True, False])
def test_what_comes_late_is_seen(name: str, helps: bool) -> None:
    """Help that comes after more steps than are looked at beside an engine; the control: none comes."""
    system = far_away(helps)
    found, item = at_the_start(system, name), system.property_named(name)
    assert shown_for_sure(found, item) is None and shows(found, item)
    assert confirmed(found, item) is not helps


@pytest.mark.parametrize("name", ["can be done", "no deadlock"])
def test_a_limit_leaves_it_open(name: str) -> None:
    """Neither shown nor not."""
    system = far_away(helps=False)
    assert confirmed(at_the_start(system, name), system.property_named(name), Limits(states=FAR)) is None


@pytest.mark.parametrize(("name", "shown"), [("can be done", None), ("no deadlock", False)])
def test_behind_a_bound_nobody_knows(name: str, shown: bool | None) -> None:
    """The goal may be there; who waits where a bound can still be passed is not called stuck."""
    system = far_away(helps=False, ends="more to count")
    assert confirmed(at_the_start(system, name), system.property_named(name)) is shown


def test_a_near_bound_leaves_it_open_too() -> None:
    """Where few states are looked at."""
    m = Model("bound")
    x = m.bool("x")
    with m.thread("t") as p:
        p.do("one step")
        p.bound("more")
    m.stays_reachable("x", x)
    system = m.compile()
    item = system.property_named("x")
    assert isinstance(item, CanAlwaysFinish)
    assert shown_for_sure(at_the_start(system, "x"), item) is None
    assert confirmed(at_the_start(system, "x"), item) is None


MODEL = """from draincheck.lang import Model
def build():
    m = Model("m"); x = m.bool("x"); y = m.bool("y")
    with m.thread("t") as p:
        p.do("sets x", x.set())
        with p.either() as c:
            with c(): p.do("sets y", y.set())
            with c(): p.do("goes wrong")
    m.stays_reachable("y stays in reach", y)
    m.always("no x", ~x)
    return m
"""


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A trace after which y is out of reach."""
    monkeypatch.chdir(tmp_path)
    Path("m.py").write_text(MODEL, encoding="utf-8")
    assert run("trace", "export", "m.py:build", "--property", "y stays in reach", "-o", "t.json").exit_code == 0
    data: dict[str, Any] = json.loads(Path("t.json").read_text(encoding="utf-8"))
    assert len(data["steps"]) == 2
    return data


def of_file(command: str, data: dict[str, Any]) -> str:
    """What a command says of a file, all of it."""
    Path("t.json").write_text(json.dumps(data), encoding="utf-8")
    result = run(*command.split(), "t.json", "--model", "m.py:build")
    assert result.exit_code == ExitCode.OK, result.stderr
    return result.stdout


@pytest.mark.parametrize(
    ("command", "shown", "not_shown"),
    [
        ("trace show", "violated after step 2: y stays in reach", "this trace does not decide 'y stays in reach'"),
        ("trace show --json", '"verdict": "violated"', '"verdict": null'),
        ("explain", "'y stays in reach' is violated in step 2", "the trace does not violate 'y stays in reach'"),
    ],
)
def test_a_goal_that_is_still_in_reach_is_not_called_lost(
    trace: dict[str, Any], command: str, shown: str, not_shown: str
) -> None:
    """A trace that is cut short says it of a state from which y can come; the control is the whole trace."""
    assert shown in of_file(command, trace)
    told = of_file(command, {**trace, "steps": trace["steps"][:1], "waiting": trace["waiting"]})
    assert not_shown in told
    assert shown not in told
    assert "who waits" not in told


def test_what_the_file_says_of_it_is_not_repeated(trace: dict[str, Any]) -> None:
    """The trace of one property under the verdict of another: what it shows is asked of the states."""
    shown = json.loads(of_file("trace show --json", {**trace, "property": "no x", "verdict": "holds"}))
    assert (shown["property"], shown["verdict"]) == ("no x", "violated")


@pytest.fixture(scope="module")
def stray(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A trace of S2, which is violated before the job is asked to complete."""
    path = tmp_path_factory.mktemp("stray") / "S2.json"
    assert run("trace", "export", "--revision", "3f09bfbc7b", "--property", "S2", "-o", str(path)).exit_code == 0
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def replayed(data: dict[str, Any], path: Path) -> tuple[int, str, str]:
    """What `replay` says of a trace, and how it ends."""
    path.write_text(json.dumps(data), encoding="utf-8")
    result = run("replay", str(path))
    return result.exit_code, result.stdout[-120:], result.stderr


@pytest.mark.parametrize("name", ["S3", "S4", "B1", "R1", "F1"])
def test_replay_believes_no_name(name: str, stray: dict[str, Any], tmp_path: Path) -> None:
    """A trace of S2 that says that it violates something else: 14, and nothing is called reproduced."""
    code, told, error = replayed({**stray, "property": name}, tmp_path / "forged.json")
    assert (code, told) == (ExitCode.DIVERGED, "")
    assert f"the trace does not show {name!r}" in error


def test_replay_of_what_a_trace_does_show(stray: dict[str, Any], tmp_path: Path) -> None:
    """The control; whatever verdict the file has. If it names no property, what it breaks that a guest can see is named."""
    named: list[tuple[dict[str, Any], str]] = [
        ({}, "S2"),
        ({"verdict": None}, "S2"),
        ({"verdict": "holds"}, "S2"),
        ({"property": ""}, "S1"),
    ]
    for change, name in named:
        code, told, error = replayed({**stray, **change}, tmp_path / "S2.json")
        assert (code, error) == (ExitCode.VIOLATED, "")
        assert told.endswith(f"{name} is violated: reproduced\n")


def test_replay_of_a_part_that_violates_nothing(stray: dict[str, Any], tmp_path: Path) -> None:
    """About nothing, and all is well so far."""
    code, told, _ = replayed({**stray, "property": "", "steps": stray["steps"][:3]}, tmp_path / "part.json")
    assert (code, told.endswith("nothing is violated on this trace\n")) == (ExitCode.OK, True)
