"""Programs that do not come with Python: a test that needs one says so, and is skipped, or fails, where it is missing.

`@pytest.mark.needs("dot")` is the marker; `.ci/packages` tells which Debian package has the program. With REQUIRE_PARTS=1, as in CI, a missing
program is a failure: nothing is left out there without anybody noticing.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parents[2] / ".ci" / "packages"


def packages(text: str) -> dict[str, str]:
    """The package of each program, from lines of a package and its programs."""
    lines = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {program: line[0] for line in lines for program in line[1:]}


def advice(program: str) -> str:
    """How to get a program; raises KeyError for one that no package of the list is said to have."""
    package = packages(PACKAGES.read_text(encoding="utf-8"))[program]
    return f"{program} is not here: apt-get install {package}"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test, or have it fail where parts are required, for want of a program."""
    for program in (name for marker in item.iter_markers("needs") for name in marker.args):
        said = advice(program)
        if shutil.which(program) is None:
            leave = pytest.fail if os.environ.get("REQUIRE_PARTS") == "1" else pytest.skip
            leave(said)
