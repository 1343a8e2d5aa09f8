"""GitLab's code quality report: what its documents demand, and only what has to be looked at."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from draincheck.errors import SourceLine
from draincheck.report.account import Account, Standing
from draincheck.report.gitlab import code_quality
from tests.support.reports import account, everything, item, nasty

ACCOUNTS = {"everything": everything(), "nasty": nasty(), "empty": account(), "nothing": account(suites=[])}

#: what the documents of GitLab say of the format; it publishes no schema
SCHEMA: Any = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string"},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./)"},
                    "lines": {"required": ["begin"], "properties": {"begin": {"type": "integer", "minimum": 1}}},
                },
            },
        },
    },
}


@pytest.mark.parametrize("found", ACCOUNTS.values(), ids=ACCOUNTS)
def test_every_report_is_as_documented(found: Account) -> None:
    """With fingerprints of which GitLab would show only the first, were they the same."""
    report = json.loads(code_quality(found))
    jsonschema.validate(report, SCHEMA)
    assert len({issue["fingerprint"] for issue in report}) == len(report) == len(found.bad)


def test_a_report_without_a_line_is_noticed() -> None:
    """Negative control."""
    report = json.loads(code_quality(everything()))
    del report[0]["location"]["lines"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(report, SCHEMA)


def test_severities_say_what_matters() -> None:
    """A rule inside is minor; what is not known is in between."""
    found = account(*map(item, Standing), item(Standing.WRONG, name="rule", matters=False))
    assert {issue["check_name"]: issue["severity"] for issue in json.loads(code_quality(found))} == {
        "wrong": "critical",
        "undecided": "major",
        "model fault": "major",
        "configuration error": "major",
        "rule": "minor",
    }


def test_a_path_is_as_gitlab_compares_it() -> None:
    """Without `./` before it."""
    found = account(item(Standing.WRONG, place=SourceLine("./models/m.py", 0)))
    assert json.loads(code_quality(found))[0]["location"] == {"path": "models/m.py", "lines": {"begin": 1}}


def test_nothing_to_look_at_is_an_empty_list() -> None:
    """As GitLab wants it."""
    assert json.loads(code_quality(account(item(Standing.FINE), item(Standing.NOTED)))) == []
