"""Below each thing that is not as expected stands a command: copied, it shows that very thing. So it does in every report."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from check_invariants import reports
from check_invariants.work import gate_replay
from drainspecs.suite.matrix import Deviation, pinned_counts
from tests.support.cli import run
from tests.support.github import commands
from tests.support.processes import COMMAND
from tests.support.projects import ACCEPTED, FIXED, MODEL, TROUBLES, project
from tests.support.samples import sampled

#: code bases of which something is not as it is said to be
CODE_BASES = {
    "a verdict": '[[code_base]]\nrevision = "v2.6.0"\nscenarios = ["mirror"]\nexpect = { S1 = "holds" }\nproperties = ["S1"]\n',
    "a turned knob": '[[code_base]]\nrevision = "v2.6.0"\nscenarios = ["timer"]\nsettings = { drain = "nested" }\nproperties = ["S7"]\n',
    "another order": '[[code_base]]\nrevision = "f3926945c8"\nscenarios = ["mirror"]\norder = "any"\nproperties = ["S1"]\nexpect = { S1 = "holds" }\n',
    "a demand on whole runs": '[[code_base]]\nrevision = "bdffb31d8e"\nscenarios = ["mirror"]\nproperties = ["L7s"]\nexpect = { L7s = "holds" }\n',
    "counts": '[[code_base]]\nrevision = "v2.6.0"\nscenarios = ["mirror"]\nproperties = ["S1"]\ncounts = { states = 1, transitions = 1, depth = 1 }\n',
}


@pytest.fixture(autouse=True)
def folder(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is an empty one, and GitHub and GitLab are not there."""
    for name in (reports.SUMMARY, reports.GITHUB, reports.GITLAB):
        monkeypatch.delenv(name, raising=False)
    return empty_folder


def troubles(*options: str) -> list[tuple[str, str]]:
    """Each line of a gate that is red, with the command below it."""
    lines = [line for line in run("gate", *options).stdout.splitlines()[:-1] if ACCEPTED not in line]
    return [(line, command.strip()) for line, command in zip(lines[::2], lines[1::2], strict=True)]


def what_shows(line: str) -> str:
    """A regular expression for what has to be there: the verdict in its row, the counts, or the error in its words."""
    if verdict := re.search(r": ([^:]+): expected [a-z ]+, found ([a-z ]+) \(", line):
        return rf"(?m)^ *{re.escape(verdict[1])} .*\b{verdict[2]}\b|^{re.escape(verdict[1])}: {verdict[2]}"
    if counts := re.search(r"found (\d+ states?, \d+ transitions?, depth \d+)", line):
        return re.escape(counts[1])
    return re.escape(re.sub(r"^.*?: (model|configuration): ", "", line))


@pytest.mark.parametrize("what", sampled(TROUBLES, list(TROUBLES)[::3]))
def test_a_command_shows_what_is_wrong_with_a_model(what: str) -> None:
    """With its parameters, its properties, or the configuration that is wrong."""
    project(Path(), TROUBLES[what][0])
    ((line, command),) = troubles()
    shown = run(*shlex.split(command)[1:])
    assert re.search(what_shows(line), shown.stdout + shown.stderr), (line, command, shown.output)
    assert shown.exit_code not in (2, 255)


@pytest.mark.parametrize("what", CODE_BASES)
def test_a_command_shows_what_is_wrong_with_a_code_base(what: str) -> None:
    """In its scenario, with its knobs and its order."""
    project(Path(), CODE_BASES[what])
    ((line, command),) = troubles("--no-replay")
    shown = run(*shlex.split(command)[1:])
    assert re.search(what_shows(line), shown.stdout), (line, command, shown.output)


#: what the built-in story could say of each kind of thing, and a regular expression for what its command shows
DEVIATIONS = [
    (Deviation("verdict", "ab27c3b5e7", "mirror", "S8", "violated", "holds"), r"(?m)^S8 .*holds"),
    (Deviation("verdict", "ab27c3b5e7", "mirror", "L4", "violated", "holds"), r"(?m)^L4 .*holds"),
    (Deviation("counts", "f3926945c8", "mirror order=any", "counts", "", ""), r"order=any"),
    (Deviation("fault", "ab27c3b5e7", "timer", "model", "", ""), r"(?m)^S1 .*violated"),
    (Deviation("claim", "claim", "dataplane", "verdict", "refuted", "confirmed"), r"dataplane.*confirmed"),
    (Deviation("verdict", "aio_notify BUG", "notify", "served", "holds", "violated"), r"aio_notify BUG +x"),
]


@pytest.mark.parametrize(("deviation", "shown"), DEVIATIONS, ids=lambda value: str(value).partition(":")[0])
def test_a_command_shows_what_differs_in_the_built_in_story(deviation: Deviation, shown: str) -> None:
    """Of each kind; a row's counts are those that are pinned for it."""
    found = run(*shlex.split(deviation.command)[1:])
    assert re.search(shown, found.stdout), (deviation.command, found.output)
    if deviation.kind == "counts":
        assert str(pinned_counts()[deviation.row][deviation.revision]) in found.stdout


def test_names_are_quoted() -> None:
    """A property and a folder that a shell would take apart."""
    where = project(Path("my drains"), FIXED.replace("unasked =", '"it\'s $x" ='), MODEL.replace("unasked", "it's $x"))
    config = (where / "drain-gate.toml").read_text(encoding="utf-8").replace("never asked", "holds")
    (where / "drain-gate.toml").write_text(config, encoding="utf-8")
    ((line, command),) = troubles(f"{where}/drain-gate.toml")
    assert re.search(what_shows(line), run(*shlex.split(command)[1:]).stdout)


def test_limits_are_said_again() -> None:
    """What was too little shows itself again; negative control: without limits the command names none."""
    project(Path(), FIXED)
    ((_, command),) = troubles("--timeout", "1e-9", "--max-memory", "4G")
    assert command == "check-invariants check ring.py:build --timeout 1e-09 --max-memory 4294967296"
    assert run(*shlex.split(command)[1:]).exit_code == 30
    run("gate", "--timeout", "1e-9", "--junit", "j.xml")
    (said,) = ElementTree.parse("j.xml").getroot().findall(".//property[@name='command']")
    assert said.get("value") == "check-invariants gate drain-gate.toml --timeout 1e-09"
    project(Path(), TROUBLES["vacuity"][0])
    assert "--" not in troubles()[0][1].replace("--property", "")


def shell(command: str, folder: Path = Path()) -> subprocess.CompletedProcess[str]:
    """A command in a shell whose PATH begins with a folder that has the tool."""
    bin = Path("bin").absolute()
    bin.mkdir(exist_ok=True)
    (bin / "check-invariants").write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n', encoding="utf-8")
    (bin / "check-invariants").chmod(0o755)
    variables = {
        "PATH": f"{bin}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    return subprocess.run(
        command, shell=True, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )


def test_a_replay_is_done_again_in_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Export and replay, one after the other: they reproduce the violation, because the core parted only in the gate."""
    with monkeypatch.context() as patch:
        patch.setattr(gate_replay, "follow", lambda run, machine: run)
        patch.setattr(gate_replay, "parted", lambda parting, model: f"{model}: core and trace part ways")
        project(Path(), '[[code_base]]\nrevision = "v2.6.0"\nscenarios = ["mirror"]\nproperties = ["S1"]\n')
        ((_, command),) = troubles()
    done = shell(command)
    assert (done.returncode, "S1 is violated: reproduced" in done.stdout) == (12, True), done.stderr


def test_every_report_has_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is typed in the repository's folder, where that is known; it runs there."""
    where = project(folder / "my drains", TROUBLES["a violation"][0])
    monkeypatch.setenv(reports.GITHUB, str(folder))
    monkeypatch.setenv(reports.SUMMARY, "summary.md")
    monkeypatch.chdir(where)
    words = ["--junit", "j.xml", "--sarif", "s.json", "--gitlab", "g.json", "--markdown", "m.md", "--github"]
    result = run("gate", *words)
    command = "cd 'my drains' && check-invariants check ring.py:build --set careful=off --property safe"
    (annotation,) = [found.message for found in commands(result.stdout) if found.name == "error"]
    texts = [
        *ElementTree.parse("j.xml").getroot().itertext(),
        json.loads(Path("s.json").read_text(encoding="utf-8"))["runs"][0]["results"][0]["message"]["text"],
        json.loads(Path("g.json").read_text(encoding="utf-8"))[0]["description"],
    ]
    assert sum(command in text for text in texts) == 3
    for text in (Path("m.md").read_text(encoding="utf-8"), Path("summary.md").read_text(encoding="utf-8"), annotation):
        assert command in text
    monkeypatch.chdir(folder)
    done = shell(command, folder)
    assert (done.returncode, "safe" in done.stdout) == (12, True), done.stderr
