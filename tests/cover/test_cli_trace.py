"""`trace`: what is exported can be shown again, and nothing else can."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from check_invariants.main import cli
from tests.golden.documents import validator


def run(*arguments: str, given: str | None = None) -> Result:
    """Run the command as a user would."""
    return CliRunner().invoke(cli, ["trace", *arguments], prog_name="check-invariants", input=given)


CASE_3 = ("--revision", "ab27c3b5e7", "--case", "case 3")


@pytest.mark.parametrize(
    "selectors",
    [
        CASE_3,
        ("--property", "S1"),
        ("--property", "R1"),
        ("--case", "case 2", "--order", "any", "--revision", "37989ced44"),
        ("--property", "S1", "--set", "walk_checks_external=off", "--scenario", "commit"),
        pytest.param(
            ("--property", "F1", "--revision", "59c9f437c5", "--scenario", "dataplane"), marks=pytest.mark.slow
        ),
    ],
    ids=" ".join,
)
def test_what_is_exported_can_be_shown(selectors: tuple[str, ...], tmp_path: Path) -> None:
    """The file says enough to build the model again: the text is the one that export writes itself."""
    file = tmp_path / "trace.json"
    assert run("export", *selectors, "-o", str(file)).exit_code == 0
    validator_of_traces().validate(json.loads(file.read_text(encoding="utf-8")))
    shown = run("show", str(file))
    assert shown.stdout == run("export", *selectors, "--format", "text").stdout
    assert "main_loop_wait # 1" in shown.stdout
    assert shown.exit_code == 0


def validator_of_traces() -> Any:
    """Checks a trace file by its schema."""
    return validator("check").evolve(schema={"$ref": "urn:check-invariants:trace:1"})


def exported(*selectors: str) -> dict[str, Any]:
    """A trace file as JSON values."""
    data: dict[str, Any] = json.loads(run("export", *(selectors or CASE_3)).stdout)
    return data


def test_standard_input_is_a_file_too() -> None:
    """`trace show -` reads what `trace export` writes."""
    assert run("show", "-", given=json.dumps(exported())).stdout == run("export", *CASE_3, "--format", "text").stdout


def test_json_of_a_shown_trace_is_the_file_again() -> None:
    """--json gives the document itself, written anew after running it."""
    assert json.loads(run("show", "--json", "-", given=json.dumps(exported())).stdout) == exported()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("--json --format svg", "--format svg and --json"),
        ("--json --short", "--short and --json"),
        ("--outline --short --format dot", "--outline, --short and --format dot"),
    ],
)
def test_a_trace_is_shown_in_one_way(options: str, named: str) -> None:
    """Whatever was given stands in the message, and nothing else."""
    result = run("show", "-", *options.split(), given=json.dumps(exported()))
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (2, f"Error: {named} exclude each other")


def test_an_outline_has_only_the_marked_steps() -> None:
    """The drawing for a commit message."""
    text = run("show", "--outline", "-", given=json.dumps(exported())).stdout
    assert [line.strip()[:3] for line in text.splitlines() if "(" in line[:30] and line.strip()[2:3] == ")"] == [
        "(w)",
        "(b)",
        "(a)",
        "(c)",
    ]
    assert "qemu_poll_ns" not in text


def test_a_model_of_ones_own_is_run_if_the_user_names_it(tmp_path: Path) -> None:
    """From any folder; what the file names is never run."""
    model = tmp_path / "my_model.py"
    model.write_text(
        "from draincheck.lang import Model\n"
        "def build():\n"
        "    m = Model('m'); x = m.bool('x')\n"
        "    with m.thread('t') as p: p.do('sets it', x.set())\n"
        "    m.always('never', ~x)\n"
        "    return m\n",
        encoding="utf-8",
    )
    file = tmp_path / "trace.json"
    assert run("export", f"{model}:build", "--property", "never", "-o", str(file)).exit_code == 0
    own = ("--model", f"{model}:build")
    unnamed = run("show", str(file))
    assert f"add --model {model}:build\n" in unnamed.stderr
    assert (unnamed.exit_code, unnamed.stdout) == (2, "")
    assert "t: sets it" in run("show", str(file), *own).stdout
    model.write_text(model.read_text(encoding="utf-8").replace("x.set()", "x.set(), when=~x"), encoding="utf-8")
    changed = run("show", str(file), *own)
    assert "the model has changed" in changed.stderr
    assert changed.exit_code == 14
    model.unlink()
    gone = run("show", str(file), *own)
    assert f"there is no file '{model}'" in gone.stderr
    assert gone.exit_code == 2


def test_a_trace_of_another_model_names_both_digests() -> None:
    """Drift is never silent: the message has the digest in the file and the one now."""
    data = exported()
    now, data["digest"] = data["digest"], "0" * 64
    result = run("show", "-", given=json.dumps(data))
    assert f"digest {'0' * 16}, and ab27c3b5e7 / mirror is now {now[:16]}" in result.stderr
    assert (result.exit_code, result.stdout) == (14, "")


def test_a_step_that_cannot_be_taken_is_refused() -> None:
    """The steps are executed again, not believed."""
    data = exported()
    data["steps"][3]["action"] = data["steps"][30]["action"]
    result = run("show", "-", given=json.dumps(data))
    assert "standard input: step 4 cannot be taken" in result.stderr
    assert (result.exit_code, result.stdout) == (14, "")


def changed(**changes: Any) -> str:
    """A trace file with some of its fields changed; `None` takes one out."""
    data = {**exported(), **changes}
    return json.dumps({key: value for key, value in data.items() if value is not None or key not in changes})


def source(**changes: Any) -> str:
    """A trace file with another source."""
    data = exported()["source"] | changes
    return changed(source={key: value for key, value in data.items() if value is not None})


@pytest.mark.parametrize("words", [["trace", "show"], ["trace", "minimize"], ["explain"], ["replay"]], ids=" ".join)
@pytest.mark.parametrize(("file", "named"), [("m.py", "m.py:FUNCTION"), ("my m.py", "'my m.py:FUNCTION'")])
def test_a_program_in_place_of_its_trace_is_told_as_one(
    words: list[str], file: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And how a trace of it is made; it is not run."""
    monkeypatch.chdir(tmp_path)
    Path(file).write_text("raise SystemExit('ran')\n", encoding="utf-8")
    result = CliRunner().invoke(cli, [*words, file])
    said = f"wanted is a trace of a model: check-invariants trace export {named} -o trace.json"
    assert said in result.stderr and "JSON" not in result.stderr and result.exit_code == 150


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lambda: "{", "not JSON, or cut off"),
        (lambda: "[]", "no trace of check-invariants"),
        (lambda: changed(version=99), "version"),
        (lambda: changed(digest="0"), "expected 64 hexadecimal digits"),
        (lambda: changed(property="S99"), "has no property 'S99'"),
        (lambda: changed(source=None), "the trace does not say which model it belongs to"),
        (lambda: source(revision="zz"), "unknown revision 'zz'"),
        (lambda: source(revision=None), "'revision' is missing"),
        (lambda: source(scenario={}), "scenario is not a name"),
        (lambda: source(settings="on"), "settings is not an object"),
        (lambda: source(settings={"drain": "no"}), "unknown value of drain 'no'"),
        (lambda: source(order="some"), "unknown value of order 'some'"),
    ],
)
def test_a_malformed_file_is_one_message(text: Any, message: str) -> None:
    """The place and the cause, code 150."""
    result = run("show", "-", given=text())
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert (result.exit_code, result.stdout) == (150, "")


def test_a_file_that_is_not_there() -> None:
    """A wrong argument, code 2."""
    result = run("show", "no_such_file.json")
    assert "'no_such_file.json' cannot be read: No such file or directory" in result.stderr
    assert result.exit_code == 2


def test_nothing_to_export() -> None:
    """A property that holds has no counterexample: that is code 10, and no file."""
    result = run("export", "--case", "case 1")
    assert "case 1 holds (exhaustive): there is no trace of that" in result.stderr
    assert (result.exit_code, result.stdout) == (10, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name one property"),
        (["--property", "S1", "--case", "case 3"], "name one property"),
        (["--property", "S99"], "unknown property 'S99'"),
        (["--case", "case 4"], "'case 4' is not one of"),
        (["--property", "S1", "--json", "--format", "text"], "--json and --format text exclude each other"),
        (["--property", "S1", "-o", "no/such/folder/x.json"], "no/such/folder/x.json cannot be written"),
    ],
)
def test_wrong_arguments_of_export(arguments: list[str], message: str) -> None:
    """One message, code 2, nothing written but the document, if one was wanted, that says so."""
    result = run("export", *arguments)
    assert message in result.stderr
    assert result.exit_code == 2
    assert [message] * ("--json" in arguments) == [json.loads(line)["error"] for line in [result.stdout] if line]
