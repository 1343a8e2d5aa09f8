"""A run as GitLab's code quality report, which its merge requests show beside the lines: only what has to be looked at.

What it demands: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import json
from pathlib import PurePath

from draincheck.errors import SourceLine
from draincheck.escape import harmless
from draincheck.jsonvalue import Json
from draincheck.report.account import Account, Item, Standing, Suite

__all__ = ["code_quality"]

#: what an item without a line points at: GitLab shows nothing that has no file
_NOWHERE = SourceLine("(no file)", 1)


def code_quality(account: Account) -> str:
    """The report as JSON text; an empty list if there is nothing to look at."""
    pairs = zip(account.items, account.fingerprints, strict=True)
    found: list[Json] = [_issue(account, suite, item, name) for (suite, item), name in pairs if item.standing.bad]
    return json.dumps(found, indent=2) + "\n"


def _issue(account: Account, suite: Suite, item: Item, fingerprint: str) -> Json:
    place = account.place_of(item) or _NOWHERE
    return {
        "description": harmless(_description(account, suite, item)),
        "check_name": harmless(item.name),
        "fingerprint": fingerprint,
        "severity": _severity(item),
        "location": {"path": _path(place.file), "lines": {"begin": max(1, place.line)}},
    }


def _description(account: Account, suite: Suite, item: Item) -> str:
    meaning = f" ({item.meaning})" if item.meaning else ""
    return f"{suite.title}: {item.name}{meaning}: {item.why}; shown by: {account.command_of(item)}"


def _severity(item: Item) -> str:
    """`info`, `minor`, `major`, `critical` or `blocker`."""
    if item.standing is not Standing.WRONG:
        return "major"
    return "critical" if item.matters else "minor"


def _path(file: str) -> str:
    """A path with forward slashes and without `./` before it, as GitLab compares them."""
    return harmless(PurePath(file).as_posix())
