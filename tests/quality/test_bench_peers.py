"""The benchmarks' models in other tools' languages have as many states as ours: each was written from the family's description alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.peers import promela
from benchmarks.processes import Allowance
from benchmarks.rounds import Mismatch, results
from benchmarks.subjects import SUBJECTS
from benchmarks.tools import ROOT, tools
from tests.support.parts import file_of

pytestmark = pytest.mark.slow

SMALL = [subject for subject in SUBJECTS if subject.states and subject.states < 70_000]

ENOUGH = Allowance(300, 8 << 30)


def counts(name: str, folder: Path) -> list[int]:
    """What a tool counts of the smallest of the family and of the narrow system; raises Mismatch unless these are the right numbers."""
    chosen = [tool for tool in tools(folder) if tool.name == name and tool.version]
    return [result.states for result in results(SMALL, chosen, ENOUGH, 1)]


@pytest.mark.needs("spin")
def test_spin_counts_the_same(tmp_path: Path) -> None:
    """9,761 and 65,536 states."""
    assert counts("spin", tmp_path) == [9_761, 65_536]


@pytest.mark.needs("rumur")
def test_rumur_counts_the_same(tmp_path: Path) -> None:
    """9,761 and 65,536 states."""
    assert counts("Rumur", tmp_path) == [9_761, 65_536]


@pytest.mark.parametrize(("name", "package"), [("minicheck", "minicheck"), ("Storm", "stormpy")])
def test_packages_count_the_same(name: str, package: str, tmp_path: Path) -> None:
    """9,761 and 65,536 states."""
    if find_spec(package) is None:
        pytest.skip(f"pip install {package}")
    assert counts(name, tmp_path) == [9_761, 65_536]


@pytest.mark.needs("java", "tla2tools.jar")
def test_tlc_counts_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """9,761 and 65,536 states."""
    monkeypatch.setenv("TLC_JAR", str(file_of("tla2tools.jar")))
    assert counts("TLC", tmp_path) == [9_761, 65_536]


@pytest.mark.needs("spin")
def test_another_model_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The negative control: where nobody reads the event descriptor there are other states."""
    text = promela.event_loop(2, 2).replace("ready[0] = 0; eventfd[0] = 0;", "ready[0] = 0;")
    monkeypatch.setattr(promela, "event_loop", lambda devices, slots: text)
    with pytest.raises(Mismatch, match=r"9,761 states there should be"):
        counts("spin", tmp_path)


@pytest.mark.needs("spin")
def test_a_violation_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The other control: a loop that dispatches disabled devices breaks the invariant, and the tool's own words are shown."""
    text = promela.event_loop(2, 2).replace("ready[0] && disabled[0] == 0 ->", "ready[0] ->")
    monkeypatch.setattr(promela, "event_loop", lambda devices, slots: text)
    with pytest.raises(Mismatch, match=r"assertion violated"):
        counts("spin", tmp_path)


@pytest.mark.long
def test_the_smallest_of_everything(tmp_path: Path) -> None:
    """`make bench ARGS=--quick` writes its document, its table and, where there is matplotlib, its plots."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {"bench.json", "bench.md"} <= {file.name for file in tmp_path.iterdir()}
    assert f"| spin | {'' if shutil.which('spin') else 'not here'}" in done.stdout
