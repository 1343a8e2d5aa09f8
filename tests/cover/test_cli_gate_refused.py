"""A gate that is refused, fails or is ended from outside leaves no report as an earlier run has written it: each is red, with the error."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree

import pytest
from jsonschema import Draft4Validator
from xmlschema import XMLSchema

from check_invariants import reports
from check_invariants.work import gate
from draincheck.errors import OutOfBudget
from draincheck.reason import Stop, StopKind
from tests.cover.test_cli_gate_mistakes import MISTAKES
from tests.support.cli import run
from tests.support.github import commands
from tests.support.processes import COMMAND
from tests.support.projects import FIXED, MODEL, project
from tests.support.reports import SCHEMAS, schema
from tests.support.samples import sampled

FILES = {"--junit": "j.xml", "--sarif": "s.json", "--gitlab": "g.json", "--markdown": "m.md"}
ALL = [word for pair in FILES.items() for word in pair]


@pytest.fixture(autouse=True)
def green(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is a project with reports of an earlier run, which nothing here can read."""
    monkeypatch.chdir(tmp_path)
    for name in (reports.SUMMARY, reports.GITHUB, reports.GITLAB):
        monkeypatch.delenv(name, raising=False)
    for file in FILES.values():
        (tmp_path / file).write_text("as an earlier run has left it", encoding="utf-8")
    return project(tmp_path, FIXED)


def reds(error: str) -> list[bool]:
    """Whether each report is red and has these words."""
    junit = ElementTree.parse("j.xml").getroot()
    said = [each.get("message", "") for tag in ("error", "failure") for each in junit.iter(tag)]
    sarif = json.loads(Path("s.json").read_text(encoding="utf-8"))["runs"][0]["results"]
    gitlab = json.loads(Path("g.json").read_text(encoding="utf-8"))
    markdown = Path("m.md").read_text(encoding="utf-8").replace("\\", "")
    return [
        any(error in text for text in said),
        any(error in each["message"]["text"] and each["kind"] in ("fail", "open") for each in sarif),
        any(error in each["description"] and each["location"]["path"] for each in gitlab),
        markdown[:4] in ("## 🔧", "## ❌", "## ❓", "## 💥") and error in markdown,
    ]


def test_a_gate_that_is_green() -> None:
    """Negative control: no report is red."""
    assert run("gate", *ALL).exit_code == 0
    assert reds("") == [False] * 4


@pytest.mark.parametrize("what", sampled(MISTAKES, [*list(MISTAKES)[::5], "linked"]))
def test_a_configuration_that_is_refused(what: str) -> None:
    """Every kind of mistake, by the words that the command says."""
    Path("drain-gate.toml").write_text(MISTAKES[what][0], encoding="utf-8")
    result = run("gate", *ALL)
    if what in ("linked", "through a linked folder"):  # there is no link here: another mistake, told as well
        assert "there is no file" in result.stderr
    assert result.exit_code == 151
    error = result.stderr.removeprefix("Error: ").rstrip("\n")
    assert reds(" ".join(error.split())) == [True] * 4


#: by what is wrong: more options, the error, the code
COMMAND_LINES: dict[str, tuple[list[str], str, int]] = {
    "an unknown option": (["--timeot", "60"], "No such option", 2),
    "an option without its value": (["--timeout"], "Option '--timeout' requires an argument", 2),
    "a value that is none": (["--timeout", "soon"], "'soon' is no time", 2),
    "a configuration that is not there": (["other.toml"], "there is no file 'other.toml'", 2),
    "two configurations": (["drain-gate.toml", "drain-gate.toml"], "unexpected extra argument", 2),
    "what excludes a report": (["--list"], "--list makes no report", 2),
    "what is for the built-in story": (["--jobs", "2"], "--processes is for the built-in story", 2),
    "a part of the built-in story": (["--quick"], "--quick is for the built-in story, and drain-gate.toml is a", 2),
}


@pytest.mark.parametrize("what", COMMAND_LINES)
def test_a_command_line_that_is_refused(what: str) -> None:
    """Before the reports or behind them."""
    words, error, code = COMMAND_LINES[what]
    for options in ((*ALL, *words), (*words, *ALL))[: 1 if words == ["--timeout"] else 2]:
        assert run("gate", *options).exit_code == code
        assert reds(error) == [True] * 4
        for file in FILES.values():
            Path(file).write_text("as an earlier run has left it", encoding="utf-8")


def test_no_configuration_and_an_empty_one() -> None:
    """What selects nothing is no success of yesterday's."""
    Path("drain-gate.toml").write_text("# nothing\n", encoding="utf-8")
    assert run("gate", *ALL).exit_code == 10
    assert reds("names nothing to check") == [True] * 4
    Path("drain-gate.toml").unlink()
    for options in ([], ["--quick"]):
        assert run("gate", *options, *ALL).exit_code == 151
        assert reds("there is no drain-gate.toml here") == [True] * 4


@pytest.mark.parametrize(
    ("error", "said", "code"),
    [
        (RuntimeError("a bug"), "internal error: RuntimeError: a bug", 255),
        (OutOfBudget(Stop(StopKind.MEMORY, 9)), "memory limit 9 MB reached", 30),
        (KeyboardInterrupt(), "interrupted", 130),
    ],
)
def test_an_accident(monkeypatch: pytest.MonkeyPatch, error: BaseException, said: str, code: int) -> None:
    """Of whatever kind, where nobody expects it."""

    def fail(_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(gate, "_checked", fail)
    assert run("gate", *ALL).exit_code == code
    assert reds(said) == [True] * 4


def test_one_report_that_cannot_be_written() -> None:
    """The others say so."""
    Path("folder").mkdir()
    assert run("gate", *ALL[:-1], "folder").exit_code == 2
    assert reds("folder cannot be written")[:3] == [True] * 3


@pytest.mark.parametrize("path", ["\0", "\ud800", "x" * 5_000])
def test_a_name_that_no_file_has(path: str) -> None:
    """Is a wrong argument, and the others say so."""
    assert run("gate", *ALL[:-1], path).exit_code == 2
    assert reds("cannot be written")[:3] == [True] * 3


@pytest.mark.parametrize("path", ["ring.py", "drain-gate.toml", "other.toml"])
def test_what_somebody_has_written_by_hand_stays(path: str) -> None:
    """Also when the configuration is refused, before anything is known of its models; the other reports say it."""
    Path("other.toml").write_text("[[model]]\n", encoding="utf-8")
    Path("j.xml").write_text("<none/>", encoding="utf-8")
    for text in (FIXED, "[[modle]]\n"):
        Path("drain-gate.toml").write_text(text, encoding="utf-8")
        before = Path(path).read_bytes()
        assert run("gate", "--junit", path, *ALL[2:]).exit_code in (2, 151)
        assert Path(path).read_bytes() == before
        assert reds("")[1:] == [True] * 3


def test_reports_of_a_refused_gate_follow_their_schemas() -> None:
    """As those of any other do."""
    Path("drain-gate.toml").write_text("[[modle]]\n", encoding="utf-8")
    run("gate", *ALL)
    XMLSchema(SCHEMAS / "junit-10.xsd").validate("j.xml")
    Draft4Validator(schema("sarif-2.1.0.json")).validate(json.loads(Path("s.json").read_text(encoding="utf-8")))


def test_an_error_has_its_line() -> None:
    """As the command says it, in what points at lines."""
    Path("drain-gate.toml").write_text(f"{FIXED}\nfunktion = 1\n", encoding="utf-8")
    result = run("gate", *ALL, "--github")
    assert json.loads(Path("g.json").read_text())[0]["location"] == {"path": "drain-gate.toml", "lines": {"begin": 6}}
    (error,) = [found for found in commands(result.stdout) if found.name == "error"]
    assert (error.properties["file"], error.properties["line"]) == ("drain-gate.toml", "6")
    assert "unknown key 'funktion'" in error.message
    assert error.message.endswith("\nshown by: check-invariants gate")


def test_the_command_of_a_refused_run_has_all_but_its_reports() -> None:
    """However they were given: it is to be typed where nobody wants them."""
    words = ["--junit=j.xml", "drain-gate.toml", "--sarif", "s.json", "--timeot", "6 0", "--github"]
    result = run("gate", *words)
    assert result.stdout.rstrip().endswith("shown by: check-invariants gate drain-gate.toml --timeot '6 0'")


def test_the_summary_of_a_step_says_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once."""
    monkeypatch.setenv(reports.SUMMARY, "summary.md")
    Path("drain-gate.toml").write_text("[[modle]]\n", encoding="utf-8")
    run("gate", "--github")
    assert Path("summary.md").read_text(encoding="utf-8").count("## 🔧") == 1


def test_a_document_and_reports() -> None:
    """The one on standard output is the error, the others are files."""
    Path("drain-gate.toml").write_text("[[modle]]\n", encoding="utf-8")
    result = run("gate", "--json", *ALL)
    assert json.loads(result.stdout)["format"] == "check-invariants/error"
    assert reds("unknown key 'modle'") == [True] * 4
    assert ElementTree.fromstring(run("gate", "--junit", "-").stdout).get("errors") == "1"


def test_a_run_that_is_killed(green: Path) -> None:
    """Nobody can say anything any more: the reports say so already."""
    Path("ring.py").write_text(f"import time\nprint('here', flush=True)\ntime.sleep(60)\n{MODEL}", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen([*COMMAND, "gate", *ALL], stderr=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert reds("ended from outside") == [True] * 4


def test_a_pipe_gets_one_report() -> None:
    """There is nothing of an earlier run in it."""
    reader, writer = os.pipe()
    assert run("gate", "--junit", f"/dev/fd/{writer}").exit_code == 0
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        text = pipe.read()
    assert text.count("<?xml") == 1 and "ended from outside" not in text


def test_other_commands_have_no_reports() -> None:
    """Negative control: `--junit` of a command that has none is a wrong option, and touches nothing."""
    before = Path("j.xml").read_bytes()
    assert run("check", "--junit", "j.xml").exit_code == 2
    assert Path("j.xml").read_bytes() == before


# -- what a model prints ----------------------------------------------------------------------------

#: prints what GitHub reads as a command, by every way there is
LOUD = f"""import os, sys
def shout(where):
    print("::warning::print", where)
    print("::warning::stderr", where, file=sys.stderr, flush=True)
    sys.stdout.flush()
    os.write(1, b"::warning::one\\n##[error]one\\n")
    os.write(2, b"::warning::two\\n")
shout("import")
{MODEL.replace('    m = Model("queue")', '    shout("build")' + chr(10) + '    m = Model("queue")')}"""


def gate_of(*options: str) -> subprocess.CompletedProcess[str]:
    """The gate in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run([*COMMAND, "gate", *options], capture_output=True, env=environment, text=True, check=False)


def test_what_a_model_prints_is_no_command() -> None:
    """All of it stands in one stream, between the words that stop and allow commands; ours are read."""
    Path("ring.py").write_text(LOUD, encoding="utf-8")
    Path("drain-gate.toml").write_text(f"{FIXED}parameters.careful = false\n", encoding="utf-8")
    done = gate_of("--github")
    assert (done.stderr, done.stdout.count("::warning::")) == ("", 8)
    assert [found.name for found in commands(done.stdout)] == ["stop-commands", "error"]


@pytest.mark.slow
def test_what_a_model_prints_is_no_command_beside_a_document() -> None:
    """There the log is standard error."""
    Path("ring.py").write_text(LOUD, encoding="utf-8")
    done = gate_of("--github", "--json")
    assert json.loads(done.stdout)["exit_code"] == 0
    assert [found.name for found in commands(done.stderr)] == ["stop-commands"]
    assert done.stderr.count("::warning::") == 8


def test_a_model_that_fails_gives_no_command() -> None:
    """Its error is told in an annotation, and nothing of it is one of its own."""
    Path("ring.py").write_text('raise ValueError("x\\n::warning::y")\n', encoding="utf-8")
    assert [found.name for found in commands(gate_of("--github").stdout)] == ["stop-commands", "error"]


def test_without_the_option_the_log_is_not_github_s() -> None:
    """Negative control: the model's text is read as commands, and standard error is apart."""
    Path("ring.py").write_text(LOUD, encoding="utf-8")
    done = gate_of()
    assert [found.name for found in commands(done.stderr)] == ["warning"] * 8
    assert done.stdout == "drain-gate.toml: 1 model, 3 verdicts; all as expected, of them 1 never asked\n"


def test_an_annotation_is_one_line_however_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal's width is nothing to a command."""
    monkeypatch.setenv("COLUMNS", "40")
    Path("drain-gate.toml").write_text(f"{FIXED}parameters.careful = false\n", encoding="utf-8")
    for options in (("--github",), ("--github", "--json")):
        result = run("gate", *options)
        text = result.stderr if "--json" in options else result.stdout
        (error,) = [found for found in commands(text) if found.name == "error"]
        assert error.message.endswith("--property safe")
