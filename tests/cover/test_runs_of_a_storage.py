"""What a storage engineer says of whole runs, through the command line: each with the model in which it is not so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from check_invariants.main import cli
from draincheck import check
from draincheck.model_file import ModelFile
from draincheck.report.account import suite_of

STORAGE = """
from draincheck.lang import Model

def build(guest_stops=False, disk_stops=False, disk_fails=False, promise="progress", by_disk=False):
    m = Model("a guest and its disk")
    request, told = m.enum("request", "none", "queued", "served", "lost"), m.bool("the guest knows")
    with m.thread("guest", may_stop=guest_stops) as guest:
        guest.do("kicks", request.set("queued"))
        guest.do("reads the used ring", told.set(), when=request.is_("served"))
    with m.thread("disk", may_stop=disk_stops) as disk:
        with disk.either() as choice:
            with choice():
                disk.do("answers", request.set("served"), when=request.is_("queued"))
            if disk_fails:
                with choice():
                    disk.do("loses it", request.set("lost"), when=request.is_("queued"))
    if promise == "progress":
        m.progress()
    elif promise == "but":
        m.fair(guest, but="kicks")
        m.fair(disk)
    m.served("served", request.is_("queued"), request.is_("served"), by=[disk] if by_disk else [])
    m.leads_to("told", request.is_("served"), told)
    m.eventually("kicked", ~request.is_("none"))
    m.stays_reachable("can answer", request.is_("served"))
    return m

def all_go_on():
    return build()

def guest_may_never_kick():
    return build(guest_stops=True)

def guest_may_never_kick_but_reads():
    return build(promise="but")

def storage_may_never_answer():
    return build(disk_stops=True)

def storage_may_fail():
    return build(disk_fails=True)

def nobody_goes_on():
    return build(promise="")

def the_disk_goes_on():
    return build(promise="", by_disk=True)
"""

HOLDS, VIOLATED = "holds", "violated"

#: model -> verdicts on: served, told, kicked, can answer; the exit code; whether there is a warning
EXPECTED = {
    "all_go_on": ((HOLDS, HOLDS, HOLDS, HOLDS), 0, False),
    "guest_may_never_kick": ((HOLDS, VIOLATED, VIOLATED, HOLDS), 13, False),
    "guest_may_never_kick_but_reads": ((HOLDS, HOLDS, VIOLATED, HOLDS), 13, False),
    "storage_may_never_answer": ((VIOLATED, HOLDS, HOLDS, HOLDS), 13, False),
    "storage_may_fail": ((VIOLATED, HOLDS, HOLDS, VIOLATED), 13, False),
    "nobody_goes_on": ((VIOLATED, VIOLATED, VIOLATED, HOLDS), 13, True),
    "the_disk_goes_on": ((HOLDS, VIOLATED, VIOLATED, HOLDS), 13, False),
}
NAMES = ("served", "told", "kicked", "can answer")


@pytest.fixture
def file(tmp_path: Path) -> str:
    """The models."""
    path = tmp_path / "storage.py"
    path.write_text(STORAGE, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("function", EXPECTED)
def test_runs_mean_what_was_said_of_them(function: str, file: str) -> None:
    """Who goes on decides what happens in the end, and never what can still happen; each column has both answers."""
    result = CliRunner().invoke(cli, ["check", f"{file}:{function}", "--json"])
    document = json.loads(result.stdout)
    found = {item["name"]: item["verdict"] for item in document["properties"]}
    verdicts, code, warned = EXPECTED[function]
    assert (tuple(found[name] for name in NAMES), result.exit_code) == (verdicts, code)
    assert (bool(document["warnings"]), "warning: " in result.stderr) == (warned, warned)


@pytest.mark.parametrize(
    ("name", "code"), [("served", 13), ("kicked", 0), ("can answer", 11)]
)  # fmt: skip
def test_one_demand_alone_decides_the_exit_code(name: str, code: int, file: str) -> None:
    """A request that is never served is 13, a goal out of reach 11."""
    assert CliRunner().invoke(cli, ["check", f"{file}:storage_may_fail", "--property", name]).exit_code == code


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("all_go_on", "assuming that guest and disk go on while nothing prevents it (weak fairness)"),
        ("guest_may_never_kick", "assuming that disk goes on while nothing prevents it (weak fairness); guest may stop for ever"),
        ("storage_may_never_answer", "then disk stops for ever, as may_stop says"),
        ("the_disk_goes_on", "assuming that disk goes on while nothing prevents it (weak fairness); guest may stop for ever"),
    ],
)  # fmt: skip
def test_the_verdict_on_serving_names_its_assumption(function: str, words: str, file: str) -> None:
    """Under which promise it holds, and who stops where it does not."""
    document = json.loads(CliRunner().invoke(cli, ["check", f"{file}:{function}", "--json"]).stdout)
    (served,) = (item for item in document["properties"] if item["name"] == "served")
    assert words in served["how"]


@pytest.mark.parametrize(("function", "warned"), [("nobody_goes_on", True), ("all_go_on", False)])
def test_reports_are_made_with_the_warnings(function: str, warned: bool, file: str) -> None:
    """The value that every report format is made from has them."""
    subject = ModelFile.load(f"{file}:{function}")
    assert bool(suite_of(subject, check(subject)).warnings) is warned


@pytest.mark.parametrize(("function", "warned"), [("nobody_goes_on", True), ("all_go_on", False)])
def test_missing_promises_are_warned_about_wherever_they_are_asked(
    function: str, warned: bool, file: str, tmp_path: Path
) -> None:
    """In the text, or beside a document, and where the trace is exported; with promises nowhere."""
    shown = CliRunner().invoke(cli, ["check", f"{file}:{function}", "--property", "served"])
    exported = CliRunner().invoke(
        cli, ["trace", "export", f"{file}:{function}", "--property", "served", "-o", str(tmp_path / "t.json")]
    )
    beside = CliRunner().invoke(cli, ["check", f"{file}:{function}", "--property", "served", "--json"])
    told = [("warning: " in text) for text in (shown.stdout, beside.stderr, exported.stderr)]
    assert told == [warned] * 3
    assert "warning: " not in shown.stderr
