"""The models in `examples/`: each file says what comes of its variants, and that is so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from draincheck.checking import check
from draincheck.model_file import builders
from tests.support.cli import run
from tests.support.house import ROOT

FILES = sorted((ROOT / "examples").glob("*.py"))
NAMES = [file.stem for file in FILES]


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_an_example_is_as_it_says(file: Path) -> None:
    """Every variant's verdicts are the expected ones."""
    result = run("check", str(file))
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_an_example_goes_wrong_and_is_mended(file: Path) -> None:
    """There is a variant in which something is violated, and one in which nothing is; no property is never asked."""
    found = [{item.outcome.value for item in check(builder.build({})).findings} for builder in builders(str(file))]
    assert {"holds"} in found
    assert any("violated" in outcomes for outcomes in found)
    assert not any("never asked" in outcomes for outcomes in found)


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_an_expectation_that_is_not_met_is_noticed(file: Path, tmp_path: Path) -> None:
    """Negative control: the same file that expects nothing to be violated."""
    text = file.read_text(encoding="utf-8")
    changed = text.replace('": "violated"', '": "holds"')
    assert changed != text
    (tmp_path / file.name).write_text(changed, encoding="utf-8")
    assert run("check", str(tmp_path / file.name)).exit_code == 10


def test_the_readme_names_the_examples() -> None:
    """Each by its file."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"examples/{name}.py" not in readme] == []


#: exact counts of each variant: states, by the explicit engine
COUNTS = {
    "deadlock": {"bug": 17, "ordered": 16, "gives up": 17},
    "event_loop": {"bug": 64, "bug, two kicks": 158, "fixed": 67, "fixed, two kicks": 158},
    "lost_wakeup": {"bug": 21, "bug, three items": 95, "fixed": 31, "fixed, three items": 143},
}


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_the_exact_size_of_an_example(file: Path) -> None:
    """So that a change of the language or of the example is seen."""
    data = json.loads(run("check", str(file), "--json").stdout)
    assert {item["variant"]: item["states"] for item in data["models"]} == COUNTS[file.stem]
