"""Programs that are not Python's: what happens to a test that needs one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.support import parts

NEEDS = """
    import pytest

    @pytest.mark.needs("dot")
    def test_something():
        pass
"""


@pytest.fixture
def folder(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with one test, which needs a program that is not there; nothing is required."""
    monkeypatch.delenv("REQUIRE_PARTS", raising=False)
    monkeypatch.setattr(shutil, "which", lambda program: None)
    pytester.makeini("[pytest]\nmarkers = needs: a program")
    pytester.makepyfile(NEEDS)
    return pytester


def ran(folder: pytest.Pytester) -> pytest.RunResult:
    """What comes of the test."""
    return folder.runpytest_inprocess("-rs", "-p", "no:cacheprovider", plugins=[parts])


def test_without_its_program_a_test_is_skipped(folder: pytest.Pytester) -> None:
    """The reason says how to get it."""
    result = ran(folder)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*dot is not here: apt-get install graphviz"])


def test_where_parts_are_required_a_missing_one_is_a_failure(
    folder: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left out in CI."""
    monkeypatch.setenv("REQUIRE_PARTS", "1")
    ran(folder).assert_outcomes(errors=1)


def test_with_its_program_a_test_runs(folder: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: required or not."""
    monkeypatch.setenv("REQUIRE_PARTS", "1")
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
    ran(folder).assert_outcomes(passed=1)


def test_a_file_of_an_npm_package_is_a_part_too(
    folder: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Skipped, with how to get it, and run where it lies; it is no program."""
    monkeypatch.setattr(parts, "FILES", tmp_path)
    folder.makepyfile(NEEDS.replace("dot", "mermaid.min.js"))
    ran(folder).stdout.fnmatch_lines(["*mermaid.min.js is not here: .ci/part-files"])
    (tmp_path / "mermaid.min.js").touch()
    ran(folder).assert_outcomes(passed=1)


def test_a_program_of_no_package_is_an_error(folder: pytest.Pytester) -> None:
    """Nobody could install it."""
    folder.makepyfile(NEEDS.replace("dot", "unheard-of"))
    ran(folder).assert_outcomes(errors=1)


def test_every_program_that_a_test_needs_is_in_the_list() -> None:
    """And nothing is installed that no test needs."""
    texts = [path.read_text(encoding="utf-8") for path in Path(__file__).parents[1].rglob("test_*.py")]
    markers = [marker for text in texts for marker in re.findall(r"mark\.needs\(([^)]+)\)", text)]
    needed = {name for marker in markers for name in re.findall('"([^"]+)"', marker)}
    assert needed == set(parts.packages(parts.PACKAGES.read_text(encoding="utf-8")))
