"""What puts a demand to the test: steps that are taken, checks that stand somewhere; whatever the engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from check_invariants.main import cli
from draincheck import Limits, Model, Outcome, check
from draincheck.engines.registry import ENGINES
from draincheck.engines.simulation import simulate

NEVER, UNKNOWN, HOLDS, VIOLATED = Outcome.NEVER_ASKED, Outcome.UNKNOWN, Outcome.HOLDS, Outcome.VIOLATED
NAMES = [engine.name for engine in ENGINES]


def first_step(*, errs: bool) -> Model:
    """Its first step is an error of the run, or is not."""
    m = Model("first step")
    x = m.bool("x")
    with m.thread("a") as p:
        p.error("at once", when=x if errs is False else ~x)
    m.always("never", ~x)
    m.reachable("at once", ~x)
    m.no_deadlock()
    return m


def counter(slip: str = "kept") -> Model:
    """A long way, and an assertion that is asked on it, unless its name is a slip."""
    m = Model("counter")
    n = m.int("n", 0, 100)
    with m.thread("a") as p, p.while_(n < 100):
        p.do("up", n.inc())
        p.check("kept", n > 0)
    m.assertion(slip)
    return m


@pytest.mark.parametrize("engine", NAMES)
def test_a_step_with_an_error_puts_nothing_to_the_test(engine: str) -> None:
    """It is not taken: what would hold was never asked, beside the error that is found."""
    result = check(first_step(errs=True), engine=engine)
    outcomes = {name: verdict.outcome for name, verdict in result.verdicts.items()}
    assert outcomes.pop("no error met") is VIOLATED
    assert set(outcomes.values()) <= {NEVER, UNKNOWN}
    assert NEVER in outcomes.values()


@pytest.mark.parametrize("engine", NAMES)
def test_a_step_without_one_does(engine: str) -> None:
    """Negative control: where the same step is taken, nothing is never asked."""
    result = check(first_step(errs=False), engine=engine)
    assert {verdict.outcome for verdict in result.verdicts.values()} <= {HOLDS, UNKNOWN}
    assert result["at once"].outcome is HOLDS


@pytest.mark.parametrize("engine", NAMES)
def test_that_no_check_asks_needs_no_search(engine: str) -> None:
    """Every engine says so, however little it may look at; of an assertion that is asked it says what it found."""
    limits = Limits(states=2) if engine == "explicit" else Limits(depth=2)
    assert check(counter("kpet"), ["kpet"], engine=engine, limits=limits)["kpet"].outcome is NEVER
    assert check(counter(), ["kept"], engine=engine, limits=limits)["kept"].outcome in (UNKNOWN, HOLDS)


def test_walks_that_go_nowhere_are_told_from_those_that_could() -> None:
    """A goal that is met at once is never asked if no initial state lets anything move, and unknown if those are too many to look at."""

    def met(low: int, starts: int) -> Outcome:
        m = Model("waits")
        n = m.any_initial(m.int("n", 0, starts))
        with m.thread("a") as p:
            p.wait("low", n < low)
        m.reachable("met", n >= 0)
        return simulate(m.compile(), runs=1).verdicts["met"].outcome

    assert [met(0, 9), met(0, 30_000), met(10, 9)] == [NEVER, UNKNOWN, HOLDS]


def test_a_simulation_ends_as_what_was_never_asked(tmp_path: Path) -> None:
    """The answer names it and the code is 10; without the slip it is 0."""
    lines = [
        "from draincheck.lang import Model",
        "def build(name='kept'):",
        "    m = Model('slip')",
        "    x = m.bool('x')",
        "    with m.thread('a') as p, p.loop():",
        "        p.do('turn', x.to(~x))",
        "        p.check('kept', x | ~x)",
        "    m.assertion(name)",
        "    return m",
    ]
    file = tmp_path / "slip.py"
    file.write_text("\n".join(lines), encoding="utf-8")
    arguments = ["simulate", f"{file}:build", "--runs", "3"]
    slip = CliRunner().invoke(cli, [*arguments, "--set", "name=kpet"])
    assert (slip.exit_code, "slip: never asked: kpet (3 walks" in slip.stdout) == (10, True)
    assert CliRunner().invoke(cli, arguments).exit_code == 0


#: every run of it ends with an error, so that no demand on runs is about any
DOOMED = """\
from draincheck.lang import Model
def build():
    m = Model('doomed')
    x = m.bool('x')
    with m.thread('a') as p:
        p.do('one')
        p.error('boom')
    m.progress()
    m.eventually('served', x)
    return m
"""


def test_a_demand_on_runs_that_all_end_with_an_error_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text and JSON call it never asked, and the gate wants that to be expected."""
    monkeypatch.chdir(tmp_path)
    Path("doomed.py").write_text(DOOMED, encoding="utf-8")
    entry = '[[model]]\nfile = "doomed.py"\nfunction = "build"\nexpect = { "no error met" = "violated"'
    (listed, _) = json.loads(CliRunner().invoke(cli, ["check", "doomed.py:build", "--json"]).stdout)["properties"]
    assert (listed["name"], listed["verdict"]) == ("served", "never asked")
    for more, code in ((" }\n", 10), (', served = "never asked" }\n', 0)):
        Path("drain-gate.toml").write_text(entry + more, encoding="utf-8")
        result = CliRunner().invoke(cli, ["gate"])
        found = "served: expected holds, found never asked" in result.output
        assert (result.exit_code, found) == (code, code == 10)
