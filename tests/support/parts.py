"""What does not come with Python: a test that needs a program, or a file of an npm or PyPI package, says so, and is skipped, or fails, without it.

`@pytest.mark.needs("dot")` is the marker; `.ci/packages` tells which package has it. With REQUIRE_PARTS=1, as in CI, a missing one is a failure:
nothing is left out there without anybody noticing.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / ".ci" / "packages"
#: where `.ci/part-files` puts files of npm and PyPI packages
FILES = ROOT / ".venv" / "parts"

#: what in the environment names a file that the user has already
ELSEWHERE = {"tla2tools.jar": "TLC_JAR"}


def packages(text: str) -> dict[str, str]:
    """The package of each part, from lines of a package and its parts."""
    lines = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {part: line[0] for line in lines for part in line[1:]}


def advice(part: str) -> str:
    """How to get a part; raises KeyError for one that no package of the list is said to have."""
    package = packages(PACKAGES.read_text(encoding="utf-8"))[part]
    return f"{part} is not here: {'.ci/part-files' if package.startswith(('npm:', 'pypi:')) else f'apt-get install {package}'}"


def is_here(part: str) -> bool:
    """Whether there is such a program, or such a file."""
    return shutil.which(part) is not None or file_of(part).exists()


def file_of(part: str) -> Path:
    """Where a file of a package lies, if it does: where the environment says so, or where `.ci/part-files` puts it."""
    return Path(os.environ.get(ELSEWHERE.get(part, ""), FILES / part))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test, or have it fail where parts are required, for want of one."""
    for part in (name for marker in item.iter_markers("needs") for name in marker.args):
        said = advice(part)
        if not is_here(part):
            leave = pytest.fail if os.environ.get("REQUIRE_PARTS") == "1" else pytest.skip
            leave(said)
