"""SARIF: valid for the standard's schema, with what GitHub demands besides, and nothing green in it that is not."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from draincheck.errors import SourceLine
from draincheck.report.account import Account, Standing
from draincheck.report.calls import events_of
from draincheck.report.sarif import MOST_LOCATIONS, sarif_log
from draincheck.run import Run, Trace
from tests.support.machines import clock
from tests.support.reports import NASTY, account, everything, item, nasty, schema, scripted_run

ACCOUNTS = {"everything": everything(), "nasty": nasty(), "empty": account(), "nothing": account(suites=[])}


@cache
def validator() -> jsonschema.Draft4Validator:
    known = schema("sarif-2.1.0.json")
    jsonschema.Draft4Validator.check_schema(known)
    return jsonschema.Draft4Validator(known)


def run_of(found: Account, **options: bool) -> Any:
    return json.loads(sarif_log(found, **options))["runs"][0]


def demanded_by_github(log: Any) -> list[str]:
    """What a log lacks of what GitHub's code scanning documents as required, in words."""
    missing = [] if log.get("$schema") else ["$schema"]
    for run in log["runs"]:
        for rule in run["tool"]["driver"]["rules"]:
            missing += [key for key in ("shortDescription", "fullDescription", "help") if not rule[key]["text"].strip()]
            missing += ["short enough"] if len(rule["fullDescription"]["text"]) > 1024 else []
        for result in run["results"]:
            missing += _demanded_of(result, len(run["tool"]["driver"]["rules"]))
    return missing


def _demanded_of(result: Any, rules: int) -> list[str]:
    missing = [] if result["message"]["text"] else ["message"]
    missing += [] if 0 <= result["ruleIndex"] < rules else ["ruleIndex"]
    missing += [] if "primaryLocationLineHash" in result["partialFingerprints"] else ["fingerprint"]
    if not result.get("locations"):
        return [*missing, "location"]
    place = result["locations"][0]["physicalLocation"]
    keys = ("startLine", "startColumn", "endLine", "endColumn")
    return [*missing, *(key for key in keys if place["region"].get(key, 0) < 1)]


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("found", ACCOUNTS.values(), ids=ACCOUNTS)
def test_every_log_is_valid(found: Account, whole: bool) -> None:
    """For the schema of SARIF 2.1.0, and for GitHub."""
    log = json.loads(sarif_log(found, everything=whole))
    assert [error.message for error in validator().iter_errors(log)] == []
    assert demanded_by_github(log) == []


def broken(path: list[str | int], value: Any) -> Any:
    """A good log with one thing in it changed, or left out (None)."""
    log = inside = json.loads(sarif_log(everything()))
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    if value is None:
        del inside[path[-1]]
    return log


FIRST: list[str | int] = ["runs", 0, "results", 0]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["version"], "2.0.0"),
        ([*FIRST, "kind"], "passed"),
        ([*FIRST, "message"], None),
        ([*FIRST, "partialFingerprints"], "no object"),
        (["runs", 0, "tool", "driver", "name"], None),
        (["runs", 0, "invocations", 0, "executionSuccessful"], None),
    ],
)
def test_what_the_standard_refuses_is_noticed(path: list[str | int], value: Any) -> None:
    """Negative control of the schema."""
    assert list(validator().iter_errors(broken(path, value)))


@pytest.mark.parametrize(
    ("path", "lacks"),
    [
        (["$schema"], "$schema"),
        ([*FIRST, "locations"], "location"),
        ([*FIRST, "locations", 0, "physicalLocation", "region", "endColumn"], "endColumn"),
    ],
)
def test_what_github_refuses_is_noticed(path: list[str | int], lacks: str) -> None:
    """Negative control of what its documents demand, and the schema does not."""
    assert demanded_by_github(broken(path, None)) == [lacks]


def test_only_what_is_to_be_looked_at_is_a_result() -> None:
    """GitHub makes an alert of every result, whatever its kind."""
    found = run_of(account(*map(item, Standing)))["results"]
    assert [(one["ruleId"], one["kind"], one["level"]) for one in found] == [
        ("wrong", "fail", "error"),
        ("undecided", "open", "none"),
        ("model fault", "fail", "error"),
        ("configuration error", "fail", "error"),
    ]


def test_with_everything_nothing_unknown_or_never_asked_passes() -> None:
    """And another level than *none* stands beside *fail* alone, as the standard demands."""
    found = run_of(account(*map(item, Standing)), everything=True)["results"]
    assert [one["ruleId"] for one in found if one["kind"] == "pass"] == ["fine"]
    assert all((one["kind"] == "fail") is (one["level"] != "none") for one in found)


def test_what_is_unknown_or_never_asked_is_notified() -> None:
    """The one as an error, the other as a note."""
    found = run_of(account(*map(item, Standing)))["invocations"][0]["toolExecutionNotifications"]
    assert [(one["level"], one["message"]["text"].split(": ")[1]) for one in found] == [
        ("note", "noted"),
        ("error", "undecided"),
        ("error", "model fault"),
        ("error", "configuration error"),
    ]


def test_a_rule_that_does_not_matter_is_a_warning() -> None:
    """It is wrong all the same."""
    found = run_of(account(item(Standing.WRONG, matters=False)))["results"][0]
    assert (found["kind"], found["level"]) == ("fail", "warning")


@pytest.mark.parametrize(("code", "ended"), [(0, True), (12, True), (30, True), (150, False), (255, False)])
def test_the_exit_code_is_said(code: int, ended: bool) -> None:
    """With its meaning, and whether the tool came to its end."""
    found = run_of(account(exit_code=code, why="so it was"))["invocations"][0]
    assert (found["exitCode"], found["exitCodeDescription"]) == (code, "so it was")
    assert found["executionSuccessful"] is ended


def test_a_counterexample_has_a_thread_flow_for_each_context() -> None:
    """Coroutines run in the thread that enters them; the order of steps is that of the trace."""
    flows = run_of(account(item(Standing.WRONG, run=scripted_run())))["results"][0]["codeFlows"][0]["threadFlows"]
    assert [flow["id"] for flow in flows] == ["main thread", "guest"]
    order = sorted(place["executionOrder"] for flow in flows for place in flow["locations"])
    assert order == [event.step for event in events_of(scripted_run()) if event.shown]
    marked = [p["location"]["message"]["text"] for f in flows for p in f["locations"] if p["importance"] == "essential"]
    assert [text[:3] for text in marked] == ["(a)", "(b)", "(c)"]


def test_a_step_says_what_it_changes() -> None:
    """Values as traces show them."""
    flows = run_of(account(item(Standing.WRONG, run=scripted_run())))["results"][0]["codeFlows"][0]["threadFlows"]
    assert flows[1]["locations"][0]["state"] == {"eventfd": {"text": "1"}}
    assert flows[0]["initialState"]["eventfd"] == {"text": "0"}


def test_a_long_counterexample_is_cut_where_github_cuts_it() -> None:
    """Its end is kept."""
    system = clock()
    trace = Trace("machine", system.digest, "", (0,), (0, 1) * MOST_LOCATIONS)
    found = run_of(account(item(Standing.WRONG, run=Run.of(system, trace))))["results"][0]
    places = found["codeFlows"][0]["threadFlows"][0]["locations"]
    assert (len(places), places[-1]["executionOrder"]) == (MOST_LOCATIONS, 2 * MOST_LOCATIONS)


def test_a_counterexample_without_steps_is_valid() -> None:
    """What is violated initially has a flow of one location."""
    system = clock()
    run = Run.of(system, Trace("machine", system.digest, "", (0,), ()))
    log = json.loads(sarif_log(account(item(Standing.WRONG, run=run))))
    assert not list(validator().iter_errors(log))


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("models/queue.py", "models/queue.py"),
        ("a b/#1%.py", "a%20b/%231%25.py"),
        ("/home/x/m.py", "file:///home/x/m.py"),
        ("m:1.py", "m%3A1.py"),
    ],
)
def test_a_path_is_a_reference(file: str, uri: str) -> None:
    """Relative to the repository, where it is."""
    found = run_of(account(item(Standing.WRONG, place=SourceLine(file, 0))))["results"][0]["locations"][0]
    assert found["physicalLocation"]["artifactLocation"]["uri"] == uri
    assert found["physicalLocation"]["region"]["startLine"] == 1


def test_files_are_called_what_the_repository_calls_them() -> None:
    """In places and in code flows; other files keep their names."""
    wrong = item(Standing.WRONG, run=scripted_run(), place=SourceLine("demo.py", 7))
    for known, name in (({"demo.py": "src/demo.py"}, "src/demo.py"), ({"m.py": "src/m.py"}, "demo.py")):
        text = sarif_log(account(wrong, files=known))
        assert {found.split('"')[3] for found in text.splitlines() if '"uri"' in found} == {name}


def test_what_has_no_line_points_at_the_configuration() -> None:
    """GitHub refuses a whole log for one result without a place."""
    found = run_of(account(item(Standing.WRONG, place=None), place=SourceLine("drain-gate.toml", 1)))["results"][0]
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "drain-gate.toml"


@settings(max_examples=30)
@given(st.text())
@example(NASTY)
def test_any_name_makes_a_valid_log(name: str) -> None:
    """Rules and results belong together."""
    found = run_of(account(item(Standing.WRONG, name=name, why=name, meaning=name)))
    assert found["tool"]["driver"]["rules"][found["results"][0]["ruleIndex"]]["id"] == found["results"][0]["ruleId"]
