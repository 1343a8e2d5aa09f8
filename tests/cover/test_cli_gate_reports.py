"""Reports of the gate: several in one run, each whole or not at all, none of them green for what is not known."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft4Validator

from check_invariants import reports
from check_invariants.work import gate_project
from draincheck.errors import OutOfBudget
from draincheck.reason import Stop, StopKind
from draincheck.revisions import find_revision
from drainspecs.mirror import claims
from drainspecs.mirror.claims import find_claim
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.suite import matrix
from drainspecs.suite.matrix import Row
from tests.support.cli import run
from tests.support.github import commands
from tests.support.house import ROOT
from tests.support.processes import COMMAND
from tests.support.projects import MODEL, project
from tests.support.reports import schema

RED = '[[model]]\nfile = "ring.py"\nfunction = "build"\nparameters = { careful = false }\nexpect.unasked = "never asked"\n'
GREEN = RED.replace("careful = false", "careful = true")

FILES = {"--junit": "j.xml", "--sarif": "s.json", "--gitlab": "g.json", "--markdown": "m.md"}
ALL = [word for pair in FILES.items() for word in pair]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is a project whose gate is red."""
    monkeypatch.chdir(tmp_path)
    for name in (reports.SUMMARY, reports.GITHUB, reports.GITLAB):
        monkeypatch.delenv(name, raising=False)
    return project(tmp_path, RED)


def read(name: str) -> Any:
    """A JSON file."""
    return json.loads(Path(name).read_text(encoding="utf-8"))


def failures() -> tuple[int, int, int]:
    """Test cases of the JUnit file that failed, met an error, were skipped."""
    root = ElementTree.parse("j.xml").getroot()
    failed, wrong, skipped = (len(root.findall(f".//{tag}")) for tag in ("failure", "error", "skipped"))
    return failed, wrong, skipped


def test_several_at_once() -> None:
    """All are of one run, and say the same: a violation at its line, and one thing that was never asked, as expected."""
    result = run("gate", *ALL)
    assert result.exit_code == 10
    assert failures() == (1, 0, 1)
    (found,) = read("s.json")["runs"][0]["results"]
    Draft4Validator(schema("sarif-2.1.0.json")).validate(read("s.json"))
    where = found["locations"][0]["physicalLocation"]
    assert (where["artifactLocation"]["uri"], where["region"]["startLine"]) == ("ring.py", 11)
    assert len(found["codeFlows"]) == 1
    (issue,) = read("g.json")
    assert issue["location"] == {"path": "ring.py", "lines": {"begin": 11}}
    assert "❌" in Path("m.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("variable", [reports.GITHUB, reports.GITLAB])
def test_files_are_called_as_the_repository_calls_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Where the gate runs in a folder of it; control: without the variable, and with another folder, they are not."""
    project(folder / "drains", RED)
    monkeypatch.chdir(folder / "drains")
    known = {}
    for root in (None, folder, folder / "elsewhere"):
        monkeypatch.delenv(variable, raising=False)
        if root is not None:
            monkeypatch.setenv(variable, str(root))
        run("gate", "--gitlab", "g.json")
        known[root] = read("g.json")[0]["location"]["path"]
    assert list(known.values()) == ["ring.py", "drains/ring.py", "ring.py"]


def test_trouble_is_in_the_configuration_as_the_repository_calls_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The configuration is a file like others."""
    project(folder / "drains", GREEN.replace('"build"', '"biuld"'))
    monkeypatch.chdir(folder / "drains")
    monkeypatch.setenv(reports.GITHUB, str(folder))
    run("gate", "--gitlab", "g.json")
    assert read("g.json")[0]["location"]["path"] == "drains/drain-gate.toml"


def test_a_green_run() -> None:
    """Control: nothing to look at, and what was never asked is still not green."""
    project(Path(), GREEN)
    assert run("gate", *ALL).exit_code == 0
    assert failures() == (0, 0, 1)
    assert (read("s.json")["runs"][0]["results"], read("g.json")) == ([], [])


def test_what_is_unknown_is_green_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that comes first is an error everywhere."""

    def late(*_: object) -> None:
        raise OutOfBudget(Stop(StopKind.SECONDS, 1))

    monkeypatch.setattr(gate_project, "_decided", late)
    assert run("gate", *ALL).exit_code == 30
    assert failures() == (0, 1, 0)
    assert [found["kind"] for found in read("s.json")["runs"][0]["results"]] == ["open"]
    assert len(read("g.json")) == 1
    assert "✅" not in Path("m.md").read_text(encoding="utf-8")


def test_trouble_of_the_configuration_has_its_line() -> None:
    """What has no line in a model points at the entry."""
    project(Path(), f"\n{GREEN}".replace('"build"', '"biuld"'))
    assert run("gate", "--gitlab", "g.json").exit_code == 151
    assert [issue["location"] for issue in read("g.json")] == [{"path": "drain-gate.toml", "lines": {"begin": 4}}]


def test_what_the_configuration_says_has_its_line() -> None:
    """A pinned count, and an expectation where no run shows what else to look at; a counterexample keeps its step."""
    text = f"{GREEN}expect.safe = 'violated'\ncounts = {{ states = 1, transitions = 1, depth = 1 }}\n"
    for config, lines in ((text, [6, 7]), (text.replace("careful = true", "careful = false"), [7])):
        project(Path(), config)
        run("gate", "--gitlab", "g.json")
        assert [issue["location"]["lines"]["begin"] for issue in read("g.json")] == lines
        assert {issue["location"]["path"] for issue in read("g.json")} == {"drain-gate.toml"}
    project(Path(), RED + 'expect.safe = "holds"\n')
    run("gate", "--gitlab", "g.json")
    assert read("g.json")[0]["location"] == {"path": "ring.py", "lines": {"begin": 11}}


@pytest.mark.parametrize(
    "options", [("--json", "--junit", "-"), ("--sarif", "-", "--junit", "-"), ("--sarif", "x", "--gitlab", "./x")]
)
def test_two_reports_do_not_share_a_place(options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """That is a wrong argument, before anything runs."""
    monkeypatch.setattr(gate_project, "run", lambda *_: pytest.fail("something was run"))
    assert run("gate", *options).exit_code == 2


def test_a_report_on_standard_output_is_alone_there() -> None:
    """Nothing for people stands before or behind it."""
    assert ElementTree.fromstring(run("gate", "--junit", "-").stdout).tag == "testsuites"


@pytest.mark.parametrize("option", FILES)
def test_an_old_report_is_replaced_or_left(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be written ends with 2, before anything runs."""
    monkeypatch.setattr(gate_project, "run", lambda *_: pytest.fail("something was run"))
    Path("folder").mkdir()
    for path in ("folder", "no/where"):
        assert run("gate", option, path).exit_code == 2
    assert sorted(item.name for item in Path().iterdir() if item.is_file()) == ["drain-gate.toml", "ring.py"]


def test_a_model_is_no_place_for_a_report() -> None:
    """Neither is the configuration: what a run is made from stays."""
    for path in ("ring.py", "drain-gate.toml"):
        before = Path(path).read_bytes()
        assert run("gate", "--junit", path).exit_code == 2
        assert Path(path).read_bytes() == before


def test_what_a_verdict_rests_on_is_said_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A demand on runs where nobody has promised to go on is violated as expected, and for another reason than was meant; control: promised."""
    monkeypatch.setenv(reports.SUMMARY, "summary.md")
    model = MODEL.replace("    return m", '    m.eventually("ends", y)\n    return m')
    for text, warned in ((model, True), (model.replace("    return m", "    m.progress()\n    return m"), False)):
        Path("summary.md").unlink(missing_ok=True)
        project(Path(), f'{GREEN}expect.ends = "violated"\n', text)
        result = run("gate", "--github", *ALL)
        notified = read("s.json")["runs"][0]["invocations"][0]["toolExecutionNotifications"]
        said = [
            result.stderr.startswith("warning: ring.py:build (careful=on): ends: nothing promises"),
            any(found.name == "warning" and "ends" in found.message for found in commands(result.stdout)),
            any(found["level"] == "warning" for found in notified),
            "### Warnings" in Path("m.md").read_text(encoding="utf-8"),
            "### Warnings" in Path("summary.md").read_text(encoding="utf-8"),
            "nothing promises" in Path("j.xml").read_text(encoding="utf-8"),
        ]
        assert (result.exit_code, said) == (0, [warned] * 6)


# -- GitHub -----------------------------------------------------------------------------------------


def test_annotations_and_the_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command a trouble, and the summary is appended to what is there."""
    Path("summary.md").write_text("before\n", encoding="utf-8")
    monkeypatch.setenv(reports.SUMMARY, "summary.md")
    result = run("gate", "--github")
    stopped, command = commands(result.stdout)
    assert (stopped.name, command.name) == ("stop-commands", "error")
    assert command.properties == {"file": "ring.py", "line": "11", "title": "safe in ring.py:build (careful=off)"}
    summary = Path("summary.md").read_text(encoding="utf-8")
    assert summary.startswith("before\n") and "```mermaid" in summary


def test_without_the_option_there_are_no_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: standard output stays clean, and no summary is written, wherever it runs."""
    monkeypatch.setenv(reports.SUMMARY, "summary.md")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "::" not in run("gate").stdout.replace("ring.py:build", "")
    assert not Path("summary.md").exists()


def test_annotations_beside_a_document() -> None:
    """They go to standard error, which GitHub reads, too."""
    result = run("gate", "--github", "--json")
    assert json.loads(result.stdout)["exit_code"] == 10
    assert [command.name for command in commands(result.stderr)] == ["stop-commands", "error"]


def test_a_model_gives_no_commands() -> None:
    """Names that look like commands are none."""
    project(Path(), RED.replace("unasked =", '"::error::x" ='))
    text = (
        Path("ring.py")
        .read_text(encoding="utf-8")
        .replace('"safe"', '"::error::safe"')
        .replace('"unasked"', '"::error::x"')
    )
    Path("ring.py").write_text(text, encoding="utf-8")
    found = commands(run("gate", "--github").stdout)
    assert [command.properties.get("title") for command in found] == [
        None,
        "::error::safe in ring.py:build (careful=off)",
    ]


def environment(**variables: str) -> dict[str, str]:
    """That of a step whose PATH begins with a folder that has the command."""
    bin = Path("bin")
    bin.mkdir(exist_ok=True)
    words = " ".join(f"'{word}'" for word in COMMAND)
    (bin / "check-invariants").write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    (bin / "check-invariants").chmod(0o755)
    path = os.pathsep.join([str(bin.resolve()), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **variables}


@pytest.mark.slow
def test_the_script_of_the_action() -> None:
    """With the variables that action.yml sets: red with annotations, a summary and reports, and green when it is mended."""
    variables = {
        "JUNIT": "j.xml",
        "SARIF": "s s.json",
        "MARKDOWN": "",
        "CONFIG": "",
        "ARGUMENTS": "--timeout 60 --no-replay",
    }
    step = environment(**variables, GITHUB_STEP_SUMMARY="summary.md")
    for config, code in ((RED, 10), (GREEN, 0)):
        project(Path(), config)
        done = subprocess.run([ROOT / "ci" / "gate.sh"], env=step, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert ("::error file=ring.py" in done.stdout) == bool(code)
        assert Path("s s.json").exists() and Path("summary.md").exists()
        assert failures()[:2] == (int(bool(code)), 0)


@pytest.mark.parametrize(
    ("name", "words"),
    [("drain_gate.toml", "did you mean drain-gate.toml?"), ("other.toml", "Error: there is no drain-gate.toml here")],
)
def test_a_job_without_a_configuration_is_not_green(name: str, words: str) -> None:
    """A misnamed file or the wrong folder ends with 151, also in the report, which is about nothing else; who wants QEMU's story says so."""
    Path("drain-gate.toml").rename(name)
    step = environment(JUNIT="j.xml", CONFIG="", ARGUMENTS="")
    done = subprocess.run([ROOT / "ci" / "gate.sh"], env=step, capture_output=True, text=True, check=False)
    assert (done.returncode, failures()) == (151, (0, 1, 0))
    assert words in done.stdout
    assert run("gate", "--gitlab", "g.json").exit_code == 151


def test_the_script_reads_nothing_as_a_command() -> None:
    """A name with a command in it is a name."""
    step = environment(CONFIG="$(touch pwned); touch pwned", ARGUMENTS="`touch pwned` ;touch pwned *")
    done = subprocess.run([ROOT / "ci" / "gate.sh"], env=step, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert not Path("pwned").exists()


def test_the_action_names_what_the_scripts_read() -> None:
    """Every input reaches a script by its variable, and no expression stands in a command."""
    action = (ROOT / "action.yml").read_text(encoding="utf-8")
    script = (ROOT / "ci" / "gate.sh").read_text(encoding="utf-8")
    for name in ("CONFIG", "ARGUMENTS", "JUNIT", "SARIF", "MARKDOWN"):
        assert f"{name}: ${{{{ inputs.{name.lower()} }}}}" in action and f"${{{name}:-}}" in script
    commands = [line for line in action.splitlines() if line.strip().startswith("run:")]
    assert len(commands) == 2 and not any("${{" in line for line in commands)
    for line in commands:
        file = ROOT / line.partition("$GITHUB_ACTION_PATH/")[2].strip("\"'")
        assert os.access(file, os.X_OK), file


def test_the_job_for_gitlab_runs() -> None:
    """Its command, as it stands there; the artifacts that it names are written."""
    text = (ROOT / "ci" / "gitlab-ci.yml").read_text(encoding="utf-8")
    (command,) = [line.strip().removeprefix("- ") for line in text.splitlines() if "check-invariants gate" in line]
    result = run(*command.split()[1:])
    assert result.exit_code == 10
    for file in ("check-invariants-junit.xml", "check-invariants-codequality.json", "check-invariants.md"):
        assert f" {file}" in text.replace(command, "") and Path(file).exists()
    assert not ("git+" in text and re.search(r"image: \S+-(slim|alpine)", text)), "pip would find no git there"


# -- the built-in story -----------------------------------------------------------------------------


@pytest.mark.slow
def test_reports_of_the_built_in_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """A suite a row, and one for what goes beyond; all that is expected is no trouble."""
    rows = [Row(find_revision("ab27c3b5e7"), find_scenario("mirror"))]
    monkeypatch.setattr(matrix, "default_rows", lambda: rows)
    monkeypatch.setattr(claims, "CLAIMS", (find_claim("dataplane"),))
    result = run("gate", "--built-in", "--quick", *ALL)
    assert result.exit_code == 0, result.output
    titles = [suite.get("name") for suite in ElementTree.parse("j.xml").getroot()]
    assert titles == ["ab27c3b5e7 / mirror", "liveness, notify and claims"]
    assert failures()[:2] == (0, 0) and read("g.json") == []
    copy = {scenario: dict(found) for scenario, found in matrix.pinned_counts().items()}
    del copy["mirror"]["ab27c3b5e7"]
    monkeypatch.setattr(matrix, "pinned_counts", lambda: copy)
    assert run("gate", "--built-in", "--quick", *ALL).exit_code == 10
    assert failures()[:2] == (1, 0)
    assert run("gate", "--pin", "--junit", "j.xml").exit_code == 2
