"""The exit table: its order, and one run that ends with each code."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from check_invariants import exit as table
from check_invariants.exit import ExitCode, more, worst
from check_invariants.main import cli
from draincheck.budget import interrupt
from draincheck.certificate import CertificateVerdict
from draincheck.expr import TRUE
from draincheck.properties import (
    Always,
    Assertion,
    Breach,
    CanAlwaysFinish,
    Eventually,
    LeadsTo,
    NoDeadlock,
    Property,
    Reachable,
)
from draincheck.reason import Stop, StopKind
from draincheck.revisions import find_revision
from draincheck.subject import Expectation
from draincheck.verdict import Outcome
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.impact import breach_of
from drainspecs.mirror.properties import PROPERTIES
from drainspecs.mirror.scenarios import find_scenario

HOLDS, VIOLATED, UNKNOWN = Outcome.HOLDS, Outcome.VIOLATED, Outcome.UNKNOWN

#: the documented order: the first of several wins
ORDER = [255, 150, 151, 2, 143, 130, 12, 13, 11, 14, 10, 30, 0]

MODEL = """
from draincheck.lang import Model

def build():
    m = Model("small")
    x = m.int("x", 0, 3)
    with m.thread("main") as p:
        {statements}
    {properties}
    return m
"""


def run(*arguments: str, **keywords: Any) -> Result:
    """Run the command as a user would."""
    return CliRunner().invoke(cli, arguments, prog_name="check-invariants", **keywords)


def model(folder: Path, properties: str, statements: str = "p.do('step', x.inc())") -> str:
    """A model file, as the command takes it."""
    file = folder / "small.py"
    file.write_text(MODEL.format(properties=properties, statements=statements), encoding="utf-8")
    return f"{file}:build"


def test_the_table_is_the_documented_one() -> None:
    """Numbers, their order, and a meaning for each."""
    assert [int(code) for code in ExitCode] == ORDER
    assert all(code.meaning for code in ExitCode)


@pytest.mark.parametrize(("better", "worse"), list(itertools.combinations(reversed(ORDER), 2)))
def test_the_worst_code_wins(better: int, worse: int) -> None:
    """Of any two codes the one that stands earlier in the table is the result, whatever their order."""
    pair = [code for code in ExitCode if code in (better, worse)]
    assert worst(pair) == worst(reversed(pair)) == worse


def test_no_code_at_all_is_fine() -> None:
    """Nothing to complain about is 0."""
    assert worst([]) is ExitCode.OK


@pytest.mark.slow
def test_12_for_what_a_guest_sees_though_it_is_expected() -> None:
    """Who names a code base asks about it, not about the table; without a name the matrix asks about the table."""
    result = run("check", "--revision", "ab27c3b5e7", "--scenario", "mirror", "--property", "S1", "--no-trace")
    assert "S1        violated  violated" in result.stdout
    assert result.exit_code == 12
    assert run("matrix", "--scenario", "mirror").exit_code == 0
    assert run("matrix", "--scenario", "mirror", "--revision", "ab27c3b5e7").exit_code == 12


#: S7 and B6 alone are violated there
RULES = ("--scenario", "mirror", "--set", "begin=before_check")


@pytest.mark.parametrize(
    ("options", "code"), [((), 0), (("--strict",), 12), (("--property", "B6"), 12), (("--property", "S8"), 0)], ids=str
)
def test_a_rule_inside_qemu_alone_is_no_failure(options: Sequence[str], code: int) -> None:
    """Unless it is asked for."""
    assert run("check", *RULES, *options, "--no-trace").exit_code == code


@pytest.mark.parametrize("strict", [False, True])
def test_rules_alone_in_the_matrix(strict: bool) -> None:
    """The same of a code base that is named there: S6 and S7 are violated in both, nothing else."""
    options = ["--strict"] if strict else []
    named = ("--revision", "d4a92a8420", "--scenario", "dataplane")
    codes = run("matrix", *named, *options).exit_code, run("check", *named, "--no-trace", *options).exit_code
    assert codes == ((12, 12) if strict else (0, 0))


def test_the_breaches_are_those_of_the_models() -> None:
    """What a property of the drain invariant is violated as is written down once more where no model is loaded."""
    system = CodeBase(find_revision("ab27c3b5e7"), find_scenario("mirror")).system()
    assert {item.name: item.breach for item in system.properties} == {
        item.name: breach_of(item.name) for item in PROPERTIES
    }


def test_0_for_a_model_that_holds(tmp_path: Path) -> None:
    """A user's model in which everything holds."""
    assert run("check", model(tmp_path, "m.always('small', x <= 1)")).exit_code == 0


def test_10_for_an_expectation_that_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verdict that is not the expected one."""
    from drainspecs.mirror import expectations
    from drainspecs.mirror.spans import ok

    monkeypatch.setitem(expectations._EVERYWHERE, "S6", (ok("5a7e7a0bad~1", "tampered with"),))
    expectations.expected.cache_clear()
    try:
        result = run("check", "--revision", "ab27c3b5e7", "--property", "S6", "--no-trace")
    finally:
        expectations.expected.cache_clear()
    assert "not as expected: S6" in result.stdout
    assert result.exit_code == 12


def test_10_for_a_goal_that_is_not_reachable(tmp_path: Path) -> None:
    """A model in which the good thing can never happen shows nothing."""
    result = run("check", model(tmp_path, "m.reachable('far', x >= 3)"))
    assert "violated: far" in result.stdout
    assert result.exit_code == 10


def test_10_for_an_empty_selection() -> None:
    """Options that select nothing are a failure, not a success."""
    result = run("--revision", "5a7e7a0bad", "--scenario", "dataplane")
    assert "nothing selected" in result.stderr
    assert result.exit_code == 10


def test_11_for_a_deadlock(tmp_path: Path) -> None:
    """A model that ends where it says that it may not."""
    assert run("check", model(tmp_path, "m.no_deadlock(); m.final(x <= 0)")).exit_code == 11
    assert run("check", model(tmp_path, "m.no_deadlock()")).exit_code == 0


def test_11_for_a_goal_out_of_reach(tmp_path: Path) -> None:
    """A model that can come to a state from which it can no longer finish."""
    assert run("check", model(tmp_path, "m.can_always_finish('start again', x <= 0)")).exit_code == 11


def test_12_for_a_safety_violation(tmp_path: Path) -> None:
    """A user's model has no expectations: the verdict itself counts."""
    assert run("check", model(tmp_path, "m.always('none', x <= 0)")).exit_code == 12


def test_12_for_a_code_base_of_ones_own() -> None:
    """A turned knob makes a code base nobody expects anything of."""
    result = run("check", "--set", "walk_checks_external=off", "--property", "S1", "--no-trace")
    assert "expected" not in result.stdout
    assert result.exit_code == 12


def expect(outcome: Outcome) -> Expectation:
    """That this is expected."""
    return Expectation(outcome, "the argument", True)


@pytest.mark.parametrize(
    ("outcome", "breach", "expectation", "code"),
    [
        (HOLDS, Breach.SAFETY, None, 0),
        (VIOLATED, Breach.SAFETY, None, 12),
        (VIOLATED, Breach.LIVENESS, None, 13),
        (VIOLATED, Breach.STUCK, None, 11),
        (VIOLATED, Breach.VACUOUS, None, 10),
        (UNKNOWN, Breach.SAFETY, None, 30),
        (UNKNOWN, Breach.LIVENESS, expect(VIOLATED), 30),
        (VIOLATED, Breach.SAFETY, expect(VIOLATED), 0),
        (HOLDS, Breach.SAFETY, expect(HOLDS), 0),
        (HOLDS, Breach.STUCK, expect(VIOLATED), 10),
        (VIOLATED, Breach.LIVENESS, expect(HOLDS), 10),
    ],
)
def test_what_a_verdict_comes_to(outcome: Outcome, breach: Breach, expectation: Expectation | None, code: int) -> None:
    """Compared with what is expected; where nothing is, the verdict and the kind of property decide."""
    assert int(table.of_verdict(outcome, breach, expectation)) == code


@pytest.mark.parametrize(
    ("item", "breach"),
    [
        (Always("p", TRUE), Breach.SAFETY),
        (Assertion("p"), Breach.SAFETY),
        (Reachable("p", TRUE), Breach.VACUOUS),
        (NoDeadlock("p"), Breach.STUCK),
        (CanAlwaysFinish("p", TRUE), Breach.STUCK),
        (Eventually("p", TRUE), Breach.LIVENESS),
        (LeadsTo("p", TRUE, TRUE), Breach.LIVENESS),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_it_is_to_violate_a_property(item: Property, breach: Breach) -> None:
    """Each kind of property says what its violation is."""
    assert item.breach is breach


@pytest.mark.parametrize(
    ("as_expected", "unknown", "code"), [(True, False, 0), (False, False, 10), (False, True, 30), (True, True, 30)]
)
def test_what_a_comparison_comes_to(as_expected: bool, unknown: bool, code: int) -> None:
    """Claims, counts, rows of the gate: as expected, not so, or not known."""
    assert int(table.of_comparison(as_expected, unknown)) == code


@pytest.mark.parametrize(("accepted", "undecided", "code"), [(True, False, 0), (False, True, 30), (False, False, 14)])
def test_what_a_certificate_comes_to(accepted: bool, undecided: bool, code: int) -> None:
    """Accepted, rejected, or given up on."""
    assert int(table.of_certificate(CertificateVerdict(accepted, undecided, "", "z3", 0))) == code


@pytest.mark.parametrize(
    ("codes", "stop", "code"),
    [
        ([], None, 0),
        ([12, 30], None, 12),
        ([0], StopKind.REQUEST, 130),
        ([12], StopKind.REQUEST, 130),
        ([150], StopKind.REQUEST, 150),
        ([10], StopKind.SECONDS, 10),
        ([0], StopKind.MEMORY, 30),
    ],
)
def test_what_several_results_come_to(codes: list[int], stop: StopKind | None, code: int) -> None:
    """The worst of them; an interruption is one of them, and so is a limit."""
    found = table.ending([code for code in ExitCode if code in codes], None if stop is None else Stop(stop, 1))
    assert int(found) == code


def test_replay_and_check_agree_on_a_job_that_cannot_finish(tmp_path: Path) -> None:
    """A hang is 11 for both, not a safety violation for one of them."""
    file = str(tmp_path / "F1.json")
    selected = ("--revision", "65c1b5b622", "--scenario", "dataplane", "--property", "F1")
    assert run("trace", "export", *selected, "-o", file).exit_code == 0
    assert run("replay", file).exit_code == 11
    assert run("check", *selected, "--set", "submit=blk_aio_pwritev", "--no-trace").exit_code == 11


def test_14_for_a_trace_of_another_model(tmp_path: Path) -> None:
    """A trace whose model has changed since."""
    file = tmp_path / "trace.json"
    assert run("trace", "export", "--property", "S1", "-o", str(file)).exit_code == 0
    text = file.read_text(encoding="utf-8")
    start = text.index('"digest": "') + len('"digest": "')
    file.write_text(text[:start] + "0" * 64 + text[start + 64 :], encoding="utf-8")
    assert run("trace", "show", str(file)).exit_code == 14


def test_30_for_a_limit(tmp_path: Path) -> None:
    """A search that was stopped knows nothing."""
    result = run("check", model(tmp_path, "m.always('small', x <= 1)"), "--max-states", "1")
    assert "state limit 1 reached" in result.stdout
    assert "unknown: small" in result.stdout
    assert result.exit_code == 30


def test_30_for_a_bound_of_the_model(tmp_path: Path) -> None:
    """Past a bound of the model nothing is known, although the search came to its end."""
    result = run("check", model(tmp_path, "m.always('small', x <= 1)", "p.bound('nested polls')"))
    assert "bound passed: nested polls" in result.stdout
    assert result.exit_code == 30


def test_2_for_wrong_arguments() -> None:
    """An option that does not exist."""
    result = run("--nonsense")
    assert "No such option" in result.stderr
    assert result.exit_code == 2


def test_130_says_why_where_everything_had_been_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C that comes last changes no verdict; who reads the code alone is told on standard error what it means."""

    def interrupting(*arguments: object, **named: object) -> object:
        interrupt()
        return ExitCode.OK

    monkeypatch.setattr("check_invariants.deferred.Deferred.work", property(lambda _: interrupting))
    result = run("claims")
    assert (result.exit_code, result.stderr) == (
        130,
        "Error: interrupted: the answer is what had been decided until then\n",
    )


def test_130_for_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in a search."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("draincheck.engines.explicit.decide", interrupted)
    result = run("check", "--scenario", "mirror", "--no-trace")
    assert result.stderr == "Error: interrupted: what was not decided is unknown\n"
    assert "interrupted before anything was decided" in result.stdout
    assert result.exit_code == 130


def test_a_limit_names_the_option_that_moves_it() -> None:
    """And only a limit does: who interrupts, or a solver that gives up, has none."""
    check = cli.get_command(click.Context(cli), "check")
    assert check is not None
    options = {option for parameter in check.params for option in parameter.opts}
    named = {kind: word for kind in StopKind for word in more(Stop(kind, 1)).split() if word.startswith("--")}
    assert named.keys() == {StopKind.STATES, StopKind.SECONDS, StopKind.MEMORY}
    assert len(set(named.values())) == 3 and set(named.values()) <= options


def test_130_anywhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C outside a search is a message, too: that nothing was decided, in a document as well."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("check_invariants.selection.specification_of", interrupted)
    result = run("check", "--revision", "ab27c3b5e7~1", "--property", "S1")
    assert result.stderr.lstrip() == "Error: interrupted: nothing was decided\n"
    assert result.exit_code == 130
    document = json.loads(run("check", "--revision", "ab27c3b5e7~1", "--property", "S1", "--json").stdout)
    assert (document["error"], document["exit_code"]) == ("interrupted: nothing was decided", 130)


def test_150_for_a_malformed_model(tmp_path: Path) -> None:
    """A model that cannot be given a meaning."""
    result = run("check", model(tmp_path, "m.always('x', x <= 0)", "p.do('step', x)"))
    assert result.exit_code == 150


def test_12_for_an_error_of_a_run(tmp_path: Path) -> None:
    """A value out of range is a violation beside the other verdicts; a property that was asked by name hides it neither."""
    name = model(tmp_path, "m.always('x', x <= 0)", "p.do('first', x.set(0)); p.do('step', x.set(9))")
    result = run("check", name, "--property", "x")
    assert "the step that cannot be taken" in result.stdout
    assert result.stdout.endswith("violated: values in range\n")
    assert (result.exit_code, run("check", name, "--property", "values in range").exit_code) == (12, 12)


def test_10_for_what_was_never_asked(tmp_path: Path) -> None:
    """Nothing is wrong, and nothing was looked at: no success; and not proved."""
    name = model(tmp_path, "m.assertion('y')", "p.do('step', x.set(1)); p.check('z', x >= 0)")
    result = run("check", name)
    assert result.stdout.endswith("never asked: y\n")
    assert (result.exit_code, run("prove", name, "-o", str(tmp_path / "p.smt2")).exit_code) == (10, 10)


def test_a_model_that_never_moves_is_said_to(tmp_path: Path) -> None:
    """In the last line; not where something moves."""
    still = run("check", model(tmp_path, "m.always('x', x <= 0)", "p.do('step', x.set(1), when=x > 0)"))
    assert still.stdout.endswith("never asked: x; nothing ever moves in this model\n")
    assert still.exit_code == 10
    assert "nothing ever" not in run("check", model(tmp_path, "m.always('x', x <= 1)", "p.do('step', x.set(1))")).stdout


def test_a_name_that_every_model_has_is_refused(tmp_path: Path) -> None:
    """Nobody's own property is called like what is demanded of all."""
    result = run("check", model(tmp_path, "m.always('values in range', x <= 0)", "p.do('step', x.set(1))"))
    assert result.exit_code == 150 and "is demanded of every model" in result.stderr


def test_151_is_a_row_for_configuration_files() -> None:
    """A number of their own: what is wrong with them is wrong before any model is."""
    assert int(ExitCode.CONFIGURATION) == 151


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (table.EmptySelection, 10),
        (table.Diverged, 14),
        (table.LimitReached, 30),
        (table.NotWritable, 2),
        (table.Interrupted, 130),
        (table.MalformedInput, 150),
    ],
)
def test_errors_carry_their_codes(error: type[click.ClickException], code: int) -> None:
    """Each error ends the command with its code and its message."""

    @click.command()
    def failing() -> None:
        raise error("the message")

    result = CliRunner().invoke(failing)
    assert (result.exit_code, result.stderr) == (code, "Error: the message\n")
