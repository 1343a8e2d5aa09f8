"""CONTRIBUTING.md's model as somebody types it in: its commands end as it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.house import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
COMMANDS = re.findall(
    r"^    check-invariants (\w+ queue_resume\.py\S*(?: [^#\n]*[^#\s])?) *(?:#.*)?$", PAGE, re.MULTILINE
)
ENDS = {
    "check queue_resume.py": 0,
    "check queue_resume.py:queue_resume": 12,
    "check queue_resume.py:queue_resume --set count=early": 11,
}


@pytest.fixture
def typed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example as a file."""
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    Path("queue_resume.py").write_text(code, encoding="utf-8")


def test_the_page_shows_commands() -> None:
    """Four of them."""
    assert len(COMMANDS) == 4


@pytest.mark.usefixtures("typed_in")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_ends_as_it_says(command: str) -> None:
    """With the exit code of its verdict."""
    result = run(*shlex.split(command))
    assert result.exit_code == ENDS.get(command, 0), result.output


@pytest.mark.usefixtures("typed_in")
def test_a_file_that_expects_something_else_is_noticed() -> None:
    """Negative control of the first command."""
    file = Path("queue_resume.py")
    file.write_text(
        file.read_text(encoding="utf-8").replace('expect={"no deadlock": "violated"}', "expect={}"), encoding="utf-8"
    )
    assert run("check", "queue_resume.py").exit_code == 10
