"""`check-invariants why`, `repair`, `sweep` and `explain`: what they print, and with which exit code they end."""

from __future__ import annotations

import json
import re
import shlex
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from check_invariants.main import cli
from drainspecs.questions import sweep as sweep_module
from tests.golden.documents import validator


def run(name: str, *arguments: str) -> Result:
    """Run one command."""
    command = import_module(f"check_invariants.commands.{name}").command
    assert isinstance(command, click.Command)
    return CliRunner().invoke(command, list(arguments), prog_name=f"check-invariants {name}")


def document(name: str, *arguments: str) -> dict[str, Any]:
    """The JSON document that a command prints, checked against its schema."""
    result = run(name, *arguments, "--json")
    assert result.exit_code in (0, 10), result.output
    data: dict[str, Any] = json.loads(result.stdout)
    validator(name).validate(data)
    assert data["exit_code"] == result.exit_code
    return data


# -- why ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_commands_that_why_names_show_what_it_says() -> None:
    """Each `see:` line runs, and comes to the verdict that the answer gives."""
    for revision, words in (("ab27c3b5e7", "; holds: S1\n"), ("9a0cec664e", "violated in step")):
        answers = run("why", "--revision", revision).stdout.splitlines()
        commands = [line.removeprefix("   see: check-invariants ") for line in answers if line.startswith("   see: ")]
        assert commands
        for command in commands:
            result = CliRunner().invoke(cli, shlex.split(command))
            assert result.exit_code == 0 and words in result.stdout, command


@pytest.mark.slow
def test_why_as_a_document() -> None:
    """Traces are inside, and they are those of the code bases after removal."""
    data = document("why", "--revision", "9a0cec664e", "--property", "S1")
    assert [answer["toggles"] for answer in data["answers"]] == [
        ["iohandler"],
        ["notifier_home"],
        ["is_external"],
        ["walk_checks_external"],
    ]
    assert all(answer["trace"]["source"]["settings"] for answer in data["answers"])
    assert {t["knob"]: t["commit"] for t in data["toggles"]}["notifier_home"] == "0ff841f6d1"


@pytest.mark.slow
def test_why_writes_certificates(tmp_path: Path) -> None:
    """Where the property holds after removal: z3 and cvc5 accept each, and it is about the code base that the answer names."""
    from draincheck.certificate import read

    answers = document("why", "--evidence", str(tmp_path))["answers"]
    files = [answer["evidence"] for answer in answers]
    assert files == [str(tmp_path / "without-drain.smt2"), str(tmp_path / "without-begin.smt2")]
    assert [read(Path(file).read_text()).header.digest for file in files] == [answer["digest"] for answer in answers]
    result = CliRunner().invoke(cli, ["certificate", "check", *files, "--solver", "both"])
    assert result.exit_code == 0, result.output


def test_why_writes_traces(tmp_path: Path) -> None:
    """Where the property breaks after removal: each is accepted by every command that the answer names, with the exit code of a loss."""
    result = run("why", "--revision", "176c36997f", "--scenario", "dataplane", "--evidence", str(tmp_path))
    for knob in ("begin", "dataplane_is_external"):
        file = str(tmp_path / f"without-{knob}.json")
        assert f"   written: {file}, for check-invariants trace show, explain, replay\n" in result.stdout
        for command, code, words in (
            ("trace show", 0, "violated in step"),
            ("explain", 0, "could"),
            ("replay", 12, "reproduced"),
        ):
            shown = CliRunner().invoke(cli, [*command.split(), file])
            assert shown.exit_code == code and words in shown.stdout, (command, shown.output)


def test_a_certificate_of_another_answer_is_refused(tmp_path: Path) -> None:
    """Negative control: the certificate of one answer under the name of the other's code base is rejected."""
    file = Path(document("why", "--evidence", str(tmp_path))["answers"][0]["evidence"])
    text = file.read_text()
    file.write_text(text.replace('"drain": "nested"', '"begin": "none"'))
    assert file.read_text() != text
    assert CliRunner().invoke(cli, ["certificate", "check", str(file)]).exit_code == 14


def test_why_knows_the_bug_cases_and_other_code_bases_to_compare_with() -> None:
    """Since 37989ced44 the bandage is what closed case 1."""
    data = document("why", "--property", "case 1", "--against", "37989ced44")
    assert (data["verdict"], [answer["toggles"] for answer in data["answers"]]) == ("holds", [["bandage"]])


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--set", "exit=inline"], 150, "no code base could be like ab27c3b5e7+exit=inline"),
        (["--revision", "5a7e7a0bad", "--scenario", "dataplane"], 10, "mirror was not allowed with dataplane"),
        (["--property", "S1", "--property", "S4"], 2, "name one property"),
        (["--property", "S99"], 2, "unknown property 'S99'"),
        (["--against", "v99"], 2, "unknown revision 'v99'"),
    ],
)
def test_why_says_what_it_cannot_answer(arguments: list[str], code: int, words: str) -> None:
    """One message, and the exit code of the table."""
    result = run("why", *arguments)
    assert result.exit_code == code and words in result.stderr and "Traceback" not in result.output


# -- repair -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_commands_that_repair_names_show_that_all_is_well() -> None:
    """Each `see:` line runs on the mended code base, where the chosen properties hold."""
    lines = run("repair", "--set", "reopen_drains=on").stdout.splitlines()
    commands = [line.removeprefix("     see: check-invariants ") for line in lines if line.startswith("     see: ")]
    assert len(commands) == 3 and all("--set reopen_drains=on" in command for command in commands)
    for command in commands:
        result = CliRunner().invoke(cli, [*shlex.split(command), "--property", "S1", "--property", "S4"])
        assert result.exit_code == 0 and "; holds: S1, S4\n" in result.stdout, command


def test_chosen_mitigations_say_what_they_leave_open() -> None:
    """The bandage with both commits leaves case 3: exit code 10, because something is open."""
    chosen = ["--with", "bandage=on", "--with", "is_external=on", "--with", "walk_checks_external=on"]
    data = document("repair", "--revision", "14560d69e7~1", *chosen)
    assert data["exit_code"] == 10 and data["remainders"][0]["cases"] == {"mirror": ["case 3"]}
    assert data["now"]["cases"] == {"mirror": ["case 1", "case 3"]}
    assert run("repair", "--with", "park_requests=on", "--with", "parked_counts=off").exit_code == 0
    assert "mirror-flush: F1" in run("repair", "--with", "park_requests=on").stdout


@pytest.mark.slow
def test_repair_as_a_document() -> None:
    """Several scenarios must be mended together."""
    data = document("repair", "--scenario", "mirror", "--scenario", "timer")
    assert [[m["name"] for m in r["mitigations"]] for r in data["repairs"]] == [
        ["park_requests=on", "parked_counts=off"]
    ]
    assert data["repairs"][0]["settings"] == {"park_requests": True, "parked_counts": False}
    assert data["scenarios"] == ["mirror", "timer"] and data["exit_code"] == 0
    assert {r["mitigations"][0] for r in data["remainders"] if r["inert"]} == {
        "drain_is_section=on",
        "enable_notifies=on",
        "parked_counts=off",
    }


@pytest.mark.slow
def test_no_repair_is_no_success() -> None:
    """Exit code 10 and a word; nothing to mend is a success."""
    result = run("repair", "--revision", "bdffb31d8e", "--property", "S6")
    assert result.exit_code == 10 and "no set of known mitigations suffices" in result.stdout
    result = run("repair", "--revision", "9a0cec664e")
    assert result.exit_code == 0 and "nothing to mend" in result.stdout


def test_a_setting_that_is_no_mitigation_is_refused_with_the_reason() -> None:
    """Reverting the fix of another bug is no repair."""
    result = run("repair", "--with", "drain=nested")
    assert result.exit_code == 2 and "is not a mitigation: reverts a77fd4bb29" in result.stderr


@pytest.mark.slow
def test_sets_that_hang_are_named() -> None:
    """With the properties that fail, and what they mean; larger sets that fail alike are left out."""
    result = run("repair", "--revision", "65c1b5b622", "--set", "begin=none", "--scenario", "dataplane")
    refused = result.stdout.partition("no repair: begin=before_check makes it safe, but these do not hold:\n")[
        2
    ].partition("\n\n")[0]
    assert [line.split(" (")[0].strip() for line in refused.splitlines()] == ["dataplane: F1", "dataplane: L2"]
    assert all(line.endswith(")") for line in refused.splitlines())
    assert result.stdout.count("no repair: ") == 2  # the other one hangs where the device is reset


# -- sweep --------------------------------------------------------------------------------------------

SMALL = [
    word
    for knob in ("is_external", "walk_checks_external", "begin", "bandage", "busy_poll")
    for word in ("--knob", knob)
]


def test_sweep_prints_the_decision_table() -> None:
    """Only the columns that matter somewhere, the numbers above, what was not read below."""
    result = run("sweep", *SMALL)
    head, _, rest = result.stdout.partition("\n\n")
    assert result.exit_code == 0
    assert head.startswith("mirror: S1 holds in 2 of 24 code bases\n24 settings of 4 knobs, 24 code bases among them, ")
    assert head.endswith("\nsafe are those that fit a row, whatever stands in empty cells, and no other")
    assert [line.split() for line in rest.splitlines()[:2]] == [
        ["is_external", "walk_checks_external", "begin", "bandage", "code", "bases"],
        ["on", "on", "none", "or", "before_check", "on", "2"],
    ]
    assert "the other knobs are those of ab27c3b5e7\nnot read in this scenario: busy_poll\n" in rest


def words_of(text: str) -> set[str]:
    """The words of a text, but for times."""
    return {word.strip(":;") for word in text.split() if not re.fullmatch(r"[0-9]+\.[0-9]+", word)}


@pytest.mark.slow
@pytest.mark.parametrize("width", [50, 70])
def test_where_there_is_little_room_repairs_and_sweeps_say_the_same(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is cut off, and no line is wider than there is room, but for commands to copy."""
    for arguments in (["repair", "--revision", "14560d69e7~1", "--with", "bandage=on"], ["sweep", *SMALL]):
        wide = run(*arguments).stdout
        monkeypatch.setenv("COLUMNS", str(width))
        narrow = run(*arguments).stdout
        monkeypatch.delenv("COLUMNS")
        assert all(len(line) <= width for line in narrow.splitlines() if "check-invariants" not in line)
        assert words_of(wide) <= words_of(narrow)


@pytest.mark.slow
def test_sweep_as_a_document() -> None:
    """The table, with truth values for switches."""
    data = document("sweep", *SMALL)
    assert (data["vectors"], data["code_bases"], data["safe"], data["fitting"]) == (24, 24, 2, [2])
    assert data["table"] == [
        {"is_external": [True], "walk_checks_external": [True], "begin": ["none", "before_check"], "bandage": [True]}
    ]


def test_a_sweep_without_a_safe_code_base_says_so() -> None:
    """No table."""
    result = run("sweep", "--knob", "bandage", "--scenario", "timer")
    assert result.exit_code == 0 and "S1 holds in none of 2 code bases\n" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--knob", "bandages"], 2, "unknown knob 'bandages'; did you mean bandage"),
        (["--scenario", "dataplane", "--revision", "5a7e7a0bad"], 10, "mirror was not allowed with dataplane"),
    ],
)
def test_sweep_says_what_it_cannot_do(arguments: list[str], code: int, words: str) -> None:
    """One message, and the exit code of the table."""
    result = run("sweep", *arguments)
    assert result.exit_code == code and words in result.stderr


def test_too_large_a_sweep_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 30, at once."""
    monkeypatch.setattr(sweep_module, "MOST", 100)
    result = run("sweep")
    assert result.exit_code == 30 and "choose fewer knobs" in result.stderr


# -- explain ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trace_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The counterexample of S1 at ab27c3b5e7."""
    path = tmp_path_factory.mktemp("traces") / "S1.json"
    result = CliRunner().invoke(cli, ["trace", "export", "--property", "S1", "-o", str(path)])
    assert result.exit_code == 0
    return path


def test_explain_reads_a_trace_file(trace_file: Path) -> None:
    """From a file or standard input."""
    result = run("explain", str(trace_file))
    assert result.exit_code == 0
    assert "the point of no return: from here on nothing makes S1 safe any more" in result.stdout
    assert "main thread: qemu_poll_ns (makes S1 safe for good)" in result.stdout
    command = import_module("check_invariants.commands.explain").command
    assert CliRunner().invoke(command, ["-"], input=trace_file.read_text()).stdout == result.stdout


def test_explain_as_a_document(trace_file: Path) -> None:
    """Every step, with the facts behind its guard and checks."""
    data = document("explain", str(trace_file))
    last = data["steps"][-1]
    assert data["lost_at"] < data["violated_at"] == len(data["steps"])
    assert {"S1", "S5", "S7"} == {check["property"] for check in last["checks"] if not check["holds"]}
    assert data["escape"]["alternatives"][0]["fate"] == "safe" and data["instead"] == []


@pytest.mark.slow
def test_explain_tells_ways_out_step_by_step(tmp_path: Path) -> None:
    """Of a hang: what else was enabled at the end, the steps that lead out from there, and where one choice would have been enough."""
    file = tmp_path / "F1.json"
    asked = [
        "trace",
        "export",
        "--revision",
        "65c1b5b622",
        "--scenario",
        "dataplane",
        "--property",
        "F1",
        "-o",
        str(file),
    ]
    assert CliRunner().invoke(cli, asked).exit_code == 0
    data, text = document("explain", str(file)), run("explain", str(file)).stdout
    best = data["instead"][0]
    assert (best["fate"], len(best["rest"])) == ("avoidable", 4)
    assert f"        {best['process']}: {best['label']} (4 more steps make F1 safe)\n            then " in text
    assert "the last step at which one other choice makes F1 safe for good:\n    instead of step 13:\n" in text


def test_explain_refuses_what_is_no_trace_of_the_model(trace_file: Path, tmp_path: Path) -> None:
    """Exit codes 14, 150 and 2."""
    data = json.loads(trace_file.read_text())
    drifted, broken = tmp_path / "drifted.json", tmp_path / "broken.json"
    data["source"]["settings"] = {"bandage": False}
    drifted.write_text(json.dumps(data))
    broken.write_text("{}")
    assert run("explain", str(drifted)).exit_code == 14
    assert run("explain", str(broken)).exit_code == 150
    assert run("explain", str(tmp_path / "absent.json")).exit_code == 2


# -- all of them --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["why", "repair", "sweep"])
def test_interrupting_says_what_is_missing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 130, no traceback, nothing on standard output."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"check_invariants.work.{name}.{name}", interrupted)
    result = run(name)
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr.startswith("Error: interrupted: ") and "after 0 " in result.stderr


@pytest.mark.parametrize("name", ["why", "repair", "sweep", "explain"])
def test_help_texts_have_exit_codes_and_an_example(name: str) -> None:
    """What a script needs to know, and how to begin."""
    text = run(name, "--help").stdout
    assert "Exit codes: 0 " in text and f"Example: check-invariants {name} " in text
