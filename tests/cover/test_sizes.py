"""Scenarios of other sizes: their names, what is refused, and the options that give them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from check_invariants.main import cli
from draincheck.errors import ModelError, UnknownName
from draincheck.qemu import Scenario, build
from draincheck.qemu.scenario import SIZES
from draincheck.revisions import find_revision
from draincheck.subject import Source
from drainspecs.mirror.code_base import CodeBase, named_by
from drainspecs.mirror.expectations import expected
from drainspecs.mirror.liveness_expectations import expected_liveness
from drainspecs.mirror.scenarios import SCENARIOS, find_scenario, in_table, with_sizes


def run(*arguments: str) -> Result:
    """The command line."""
    return CliRunner().invoke(cli, arguments, prog_name="check-invariants")


# -- names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("mirror[writes=3]", "mirror[writes=3]"),
        ("mirror[jobs=2,writes=3]", "mirror[writes=3,jobs=2]"),
        ("mirror[writes=3,jobs=2,disks=2]", "mirror[writes=3,jobs=2]"),
        ("mirror[ writes = 03 ]", "mirror[writes=3]"),
        ("mirror-2-writes[writes=3]", "mirror[writes=3]"),
        ("mirror-reopen[writes=3]", "mirror-reopen[writes=3]"),
        ("timer-flush-reopen[writes=2,flushes=0]", "timer-flush-reopen[writes=2,flushes=0]"),
        ("mirror[jobs=2,disks=3]", "mirror[jobs=2,disks=3]"),
        ("mirror[writes=1]", "mirror"),
        ("mirror[writes=2]", "mirror-2-writes"),
        ("mirror[jobs=2]", "mirror-2-jobs"),
        ("mirror-2-disks[disks=1]", "mirror"),
        ("dataplane-stop[writes=0]", "dataplane-reset"),
    ],
)
def test_a_scenario_of_other_sizes_has_one_name(given: str, name: str) -> None:
    """That of the table, if it is there; and the name leads back to it."""
    found = find_scenario(given)
    assert found.name == name and find_scenario(name) == found


def test_the_sizes_of_a_scenario_are_those_of_its_name() -> None:
    """Of the model, too; all others stay."""
    found = find_scenario("dataplane[writes=4,reads=2,flushes=1,disks=3]")
    assert (found.writes, found.reads, found.flushes, found.jobs, found.disks) == (4, 2, 1, 1, 3)
    assert found.iothread and "four writes, two reads, one flush and three disks" in found.meaning
    system = build("sized", find_revision("9a0cec664e").knobs, found).compile()
    names = {variable.name for variable in system.variables}
    assert {"write[0.3]", "read[0.1]", "flush[0.0]", "write[1.0]", "write[2.0]"} <= names
    assert not {"write[0.4]", "write[1.1]", "write[3.0]"} & names


def test_every_scenario_of_the_table_with_its_own_sizes_is_itself() -> None:
    """None is taken for another."""
    for scenario in SCENARIOS:
        assert with_sizes(scenario, {size: getattr(scenario, size) for size in SIZES}) is scenario


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mirror[writes=2,writes=3]", "the size writes is given twice"),
        ("mirror[writes=2,writes=2]", "the size writes is given twice"),
        ("mirror[wirtes=2]", "unknown size 'wirtes'; did you mean writes"),
        ("mirror[name=2]", "unknown size 'name'"),
        ("mirror[]", "unknown size ''; known: writes, reads, flushes, jobs, disks"),
        ("mirror[writes=2,]", "unknown size ''"),
        ("mirror[writes]", "the size writes is a number"),
        ("mirror[writes=x]", "as in writes=2, not 'x'"),
        ("mirror[writes=1e9]", "not '1e9'"),
        ("mirror[writes=1_0]", "not '1_0'"),
        ("mirror[writes=٣]", "the size writes is a number"),
        (f"mirror[writes={'9' * 5000}]", "the size writes is a number of a few digits"),
        ("mirror[writes=2][reads=1]", "the size writes is a number"),
        ("mirror[writes=2", "unknown scenario 'mirror[writes=2'"),
        ("mirror[writes=2]x", "unknown scenario 'mirror[writes=2]x'"),
        ("mirrr[writes=2]", "unknown scenario 'mirrr'; did you mean mirror"),
        ("mirror[writes=-1]", "mirror[writes=-1] is not modelled: writes is -1, and it is modelled from 0 to 32"),
        ("mirror[writes=1000]", "modelled from 0 to 32"),
        ("mirror[disks=9]", "modelled from 1 to 8"),
        ("mirror[jobs=3]", "a third one would do nothing else"),
        ("mirror-flush[flushes=2]", "bdrv_co_flush"),
        ("mirror[jobs=2,disks=1]", "2 jobs need 2 disks"),
        ("mirror-2-jobs[disks=1]", "2 jobs need 2 disks"),
        ("dataplane[jobs=2]", "two jobs are modelled in the main loop"),
        ("mirror-target-error[jobs=2]", "two jobs are modelled in the main loop"),
        ("timer[disks=2]", "several disks are modelled with host notifiers"),
        ("no-ioeventfd[jobs=2]", "several disks are modelled with host notifiers"),
        ("dataplane-stop[disks=2]", "several disks are modelled with host notifiers"),
        ("mirror-zero-length[reads=1]", "a disk without sectors takes no requests"),
        ("mirror-source-error[writes=0]", "there is nothing to copy"),
    ],
)
def test_what_is_no_size_or_not_modelled_is_refused(name: str, words: str) -> None:
    """By name, with what is possible."""
    with pytest.raises(UnknownName) as caught:
        find_scenario(name)
    assert words in str(caught.value)


def test_a_model_of_sizes_that_are_not_modelled_is_not_built() -> None:
    """Whoever makes the scenario; negative control: one that is."""
    knobs = find_revision("9a0cec664e").knobs
    assert build("two", knobs, Scenario("two", "", jobs=2, disks=2)).compile().actions
    with pytest.raises(ModelError, match="modelled from 1 to 2"):
        build("three", knobs, Scenario("three", "", jobs=3, disks=3))


# -- expectations -----------------------------------------------------------------------------------


def test_nothing_is_expected_of_a_size_that_no_table_has() -> None:
    """However clear a smaller one makes it; negative control: the table's own, by whichever name."""
    sized, known = find_scenario("mirror[writes=3]"), find_scenario("mirror[writes=2]")
    assert not in_table(sized) and in_table(known)
    assert expected("ab27c3b5e7", sized, "S1") is None is expected_liveness("ab27c3b5e7", sized, "L1")
    assert expected("ab27c3b5e7", known, "S1") is not None is not expected_liveness("ab27c3b5e7", known, "L1")


def test_a_code_base_in_a_sized_scenario_is_named_by_its_options_and_by_files() -> None:
    """Both lead back to it."""
    code_base = CodeBase.named("v2.6.0", "mirror[writes=3]")
    assert code_base.options == "--revision ab27c3b5e7 --scenario 'mirror[writes=3]'"
    assert named_by(code_base.source()) == code_base
    assert "no expectation for this size" in code_base.heading
    assert "no expectation" not in CodeBase.named("v2.6.0", "mirror[writes=2]").heading


def test_a_file_that_names_a_size_that_is_not_modelled_is_malformed() -> None:
    """It says which."""
    source: Source = {**CodeBase.named("v2.6.0").source(), "scenario": "mirror[jobs=3]"}
    with pytest.raises(Exception, match=r"mirror\[jobs=3\] is not modelled"):
        named_by(source)


# -- the command line -------------------------------------------------------------------------------


def checked(*arguments: str) -> Any:
    """What `check` says of a small property, as JSON."""
    result = run("check", "--revision", "v2.6.0", "--property", "S10", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (("--writes", "0"), "mirror[writes=0]"),
        (("--writes", "0", "--reads", "2"), "mirror[writes=0,reads=2]"),
        (("--writes", "0", "--flushes", "1"), "mirror-flush"),
        (("--jobs", "1", "--disks", "2", "--writes", "0"), "mirror[writes=0,disks=2]"),
    ],
)
def test_sizes_are_options_of_a_scenario(options: tuple[str, ...], name: str) -> None:
    """They are as good as a name with brackets."""
    by_options, by_name = checked("--scenario", "mirror", *options), checked("--scenario", name)
    assert by_options["model"] == by_name["model"] == f"ab27c3b5e7 / {name}"
    assert by_options["statistics"]["states"] == by_name["statistics"]["states"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("check", "--writes", "3"), "--writes is a size of a scenario: name one with --scenario"),
        (("check", "--jobs", "2"), "so many processes: --processes"),
        (("why", "--jobs", "2"), "so many processes: --processes"),
        (("matrix", "--jobs", "2"), "so many processes: --processes"),
        (("check", "--scenario", "mirror", "--jobs", "3"), "mirror[jobs=3] is not modelled"),
        (("conform", "--scenario", "mirror", "--scenario", "timer", "--disks", "2"), "timer[disks=2] is not modelled"),
        (("check", "--scenario", "mirror", "--writes", "x"), "'x' is not a valid integer"),
        (("check", "own.py:build", "--writes", "2"), "a model of your own has no --writes"),
        (("compare", "own.py:build", "own.py:other", "--jobs", "2"), "a model of your own has no --jobs"),
    ],
)
def test_sizes_that_belong_to_nothing_are_refused(arguments: tuple[str, ...], words: str) -> None:
    """With the next step, as wrong arguments."""
    result = run(*arguments)
    assert result.exit_code == 2 and words in " ".join(result.output.split())


def test_files_of_a_sized_scenario_are_read_again(tmp_path: Path) -> None:
    """A trace is shown and replayed; a certificate is remade."""
    trace, proof = str(tmp_path / "t.json"), str(tmp_path / "c.smt2")
    sized = ("--revision", "v2.6.0", "--scenario", "mirror", "--disks", "2", "--writes", "0", "--reads", "1")
    assert run("trace", "export", *sized, "--property", "S1", "-o", trace).exit_code == 0
    shown = run("trace", "show", trace)
    assert shown.exit_code == 0 and "--scenario 'mirror[writes=0,reads=1,disks=2]'" in shown.stdout
    assert "model and core agree in each" in run("replay", trace).stdout
    assert run("prove", *sized, "--property", "S10", "-o", proof).exit_code == 0
    assert "ab27c3b5e7 / mirror[writes=0,reads=1,disks=2]" in Path(proof).read_text(encoding="utf-8")


def test_a_gate_decides_sized_scenarios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not said to be violated has to hold; a slip is refused by its line."""
    monkeypatch.chdir(tmp_path)
    entry = (
        '[[code_base]]\nrevision = "v2.6.0"\nscenarios = ["mirror[writes=0,reads=1,disks=2]"]\nproperties = ["S1"]\n'
    )
    config = tmp_path / "drain-gate.toml"
    config.write_text(entry, encoding="utf-8")
    assert "all holds" in run("gate", "--list").stdout
    assert run("gate").exit_code == 10
    config.write_text(f'{entry}expect = {{ S1 = "violated" }}\n', encoding="utf-8")
    assert run("gate").exit_code == 0
    config.write_text(entry.replace("reads=1", "raeds=1"), encoding="utf-8")
    refused = run("gate")
    assert refused.exit_code == 151 and "drain-gate.toml:3: unknown size 'raeds'" in refused.output


def test_the_matrix_has_rows_of_a_sized_scenario() -> None:
    """Also with --all, which speaks of the table's."""
    for wide in ([], ["--all"]):
        result = run("--scenario", "mirror", "--writes", "0", "--revision", "v2.6.0", "--json", *wide)
        rows = json.loads(result.stdout)["rows"]
        assert [(row["scenario"], row["states"]) for row in rows] == [("mirror[writes=0]", 123)]


def test_runs_of_a_sized_scenario_have_plain_file_names(tmp_path: Path) -> None:
    """Without anything that a shell takes for a pattern."""
    sized = ("--revision", "5a7e7a0bad", "--scenario", "mirror[reads=1]")
    run("simulate", *sized, "--runs", "100", "--trace-out", str(tmp_path))
    (written,) = tmp_path.iterdir()
    assert written.name == "5a7e7a0bad-mirror-reads=1-silent-loss.json"
    assert run("trace", "show", str(written)).exit_code == 0
