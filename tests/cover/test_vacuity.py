"""What puts a demand to the test: steps that are taken, checks that stand somewhere; whatever the engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from check_invariants.main import cli
from draincheck import Limits, Model, Outcome, certify, check, interpreter
from draincheck.engines import explicit, liveness
from draincheck.engines.registry import ENGINES, EXPLORING
from draincheck.engines.simulation import simulate
from draincheck.lang import TRUE, BoolVar

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
    limits = Limits(states=2) if engine in EXPLORING else Limits(depth=2)
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


def still(add: Callable[[Model, BoolVar], None]) -> Model:
    """Nothing can happen in it, and something more is there."""
    m = Model("still")
    x = m.bool("x")
    with m.thread("ended"):
        pass
    add(m, x)
    m.progress()
    m.always("never", ~x)
    m.always("wrong", x)
    m.reachable("at once", ~x)
    m.reachable("far", x)
    m.stays_reachable("stays", ~x)
    m.eventually("in the end", ~x)
    m.eventually("too late", x)
    m.leads_to("leads", ~x, ~x)
    m.no_deadlock()
    return m


def nothing(m: Model, x: BoolVar) -> None:
    """Nothing more."""


def spinning(m: Model, x: BoolVar) -> None:
    """Goes round."""
    with m.thread("more", may_stop=True) as p, p.loop():
        p.do("here")
        p.do("there")


def noting(m: Model, x: BoolVar) -> None:
    """Notes what no property is about."""
    seen = m.bool("seen", history=True)
    with m.thread("more") as p, p.loop():
        p.do("notes", seen.set(x))


def looking(m: Model, x: BoolVar) -> None:
    """Reads what the others store."""
    with m.thread("more") as p, p.loop():
        with p.when(x):
            p.do("sees")
        p.do("looks again")


def gazing(m: Model, x: BoolVar) -> None:
    """Two that look at each other alone, and have an end that is never reached."""
    told, heard = m.bool("told", history=True), m.bool("heard", history=True)
    for name, mine, other in (("one", told, heard), ("two", heard, told)):
        with m.thread(name) as p, p.while_(TRUE):
            p.do("says", mine.to(~other))


IDLE = (nothing, spinning, noting, looking, gazing)


@pytest.mark.parametrize("engine", NAMES)
@pytest.mark.parametrize("add", IDLE)
def test_a_thread_that_does_nothing_puts_nothing_to_the_test(
    add: Callable[[Model, BoolVar], None], engine: str
) -> None:
    """Beside a model in which nothing can happen: what would hold is never asked, what is violated is so, by every engine that decides it."""
    limits = Limits() if engine in {*EXPLORING, "auto"} else Limits(depth=3)
    found = check(still(add), engine=engine, limits=limits).verdicts
    outcomes = {name: verdict.outcome for name, verdict in found.items()}
    violated = {"wrong", "far", "too late"}
    undecided = {name for name, outcome in outcomes.items() if outcome is UNKNOWN}
    expected = {name: VIOLATED if name in violated else NEVER for name in outcomes}
    assert outcomes == expected | dict.fromkeys(undecided, UNKNOWN)
    assert engine not in {*EXPLORING, "auto"} or not undecided


@pytest.mark.parametrize("add", IDLE)
def test_the_referee_and_random_walks_say_the_same(add: Callable[[Model, BoolVar], None]) -> None:
    """And nothing is certified."""
    system = still(add).compile()
    assert interpreter.explore(system).verdicts == explicit.explore(system).verdicts
    assert simulate(system, ["never", "at once"], runs=3).verdicts["at once"].outcome is NEVER
    assert [gap.unasked for gap in certify(system, ["never", "at once", "no deadlock"]).gaps] == [True] * 3


def ending(m: Model, x: BoolVar) -> None:
    """Comes to its end."""
    with m.thread("more") as p:
        p.do("once")


def counting(m: Model, x: BoolVar) -> None:
    """Counts, in a variable of the program."""
    own = m.int("own", 0, 2)
    with m.thread("more") as p, p.loop():
        p.do("counts", own.inc(when=own < 2))
        with p.when(own.is_(2)):
            p.do("begins again", own.set(0))


def talking(m: Model, x: BoolVar) -> None:
    """Two that work together, and nobody has a demand on what comes of it: a model whose bug is mended looks like that."""
    told, heard = m.bool("told"), m.bool("heard")
    for name, mine, other in (("one", told, heard), ("two", heard, told)):
        with m.thread(name) as p, p.loop():
            p.do("says", mine.to(~other))


def storing(m: Model, x: BoolVar) -> None:
    """Stores what the properties are about."""
    with m.thread("more") as p, p.loop():
        p.do("clears", x.clear())


def passing(m: Model, x: BoolVar) -> None:
    """Asks something."""
    with m.thread("more") as p, p.loop():
        p.check("asked", ~x)


def told(m: Model, x: BoolVar) -> None:
    """Is heard by one that stores what the properties are about."""
    flag = m.bool("flag")
    with m.thread("more") as p, p.loop():
        p.do("turns", flag.to(~flag))
    with m.thread("other") as p, p.loop():
        p.do("clears", x.set(x & flag))


@pytest.mark.parametrize("add", [ending, counting, talking, storing, passing, told])
def test_a_thread_that_does_something_does(add: Callable[[Model, BoolVar], None]) -> None:
    """Negative control: it ends, stores or asks something."""
    system = still(add).compile()
    for name in ("never", "at once", "stays", "no deadlock"):
        assert explicit.check(system, name).outcome is interpreter.explore(system).verdicts[name].outcome is HOLDS
    assert liveness.decide(system)["in the end"].outcome is HOLDS


def test_a_thread_that_may_have_to_wait_is_what_no_deadlock_is_about() -> None:
    """Two that hand something to and fro for ever, noted for the specification alone, touch no other demand; that neither is stuck does matter."""
    m = still(nothing)
    turn = m.bool("turn", history=True)
    for name, mine in (("one", ~turn), ("two", turn)):
        with m.thread(name) as p, p.loop():
            p.do("takes its turn", turn.to(~turn), when=mine)
    outcomes = {name: verdict.outcome for name, verdict in check(m).verdicts.items()}
    assert (outcomes["no deadlock"], outcomes["never"], outcomes["stays"]) == (HOLDS, NEVER, NEVER)
    assert interpreter.explore(m.compile()).verdicts["no deadlock"].outcome is HOLDS


def test_a_demand_that_is_always_true_is_about_whatever_is_stored() -> None:
    """Folded, it does not say any more what it was about: a thread that stores something puts it to the test, one that does not does not."""

    def verdict(stores: bool) -> Outcome:
        m = Model("folded")
        n = m.int("n", 0, 3)
        with m.thread("a") as p, p.loop():
            p.do("turns", *([n.set(3)] if stores else []))
        m.always("in range", n <= 3)
        system = m.compile()
        assert interpreter.explore(system).verdicts == explicit.explore(system).verdicts
        return explicit.check(system, "in range").outcome

    assert [verdict(True), verdict(False)] == [HOLDS, NEVER]
