"""A verdict that could turn on something the model leaves out says so wherever it is printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from drainspecs.mirror import abstractions
from tests.golden.documents import validator
from tests.support.cli import run

SAYS = "a write that its driver finishes without yielding is over at (c)"


def document(*arguments: str) -> dict[str, Any]:
    """The JSON document that a command prints."""
    found: dict[str, Any] = json.loads(run(*arguments, "--json").stdout)
    return found


ROW = ("--revision", "3f09bfbc7b", "--scenario", "mirror")


def test_check_says_how_far_a_verdict_goes() -> None:
    """A line for each thing that is left out, with the properties; none for verdicts that nothing limits."""
    result = run("check", *ROW, "--no-trace")
    assert f"as far as modelled: S3, S4 hold: {SAYS}" in result.stdout
    assert result.exit_code == 12
    assert "as far as modelled" not in run("check", *ROW, "--property", "S1", "--no-trace").stdout


def test_safe_is_safe_as_far_as_modelled() -> None:
    """Where a verdict that holds is limited, the outcome says so, too."""
    for name, said in (
        ("684e508c23~1", "684e508c23~1 is safe with mirror; "),
        ("2398747128", "v8.0.0 is safe with mirror, as far as modelled; "),
        ("ab27c3b5e7", "v2.6.0 loses acknowledged writes silently in mirror; "),
    ):
        result = run("check", "--revision", name, "--scenario", "mirror", "--no-trace")
        assert result.stdout.startswith(said)


def test_check_as_json() -> None:
    """Beside each property."""
    data = document("check", *ROW, "--no-trace")
    validator("check").validate(data)
    limits = {item["name"]: item["limits"] for item in data["properties"]}
    assert limits["S1"] == [] and [SAYS in says for says in limits["S4"]] == [False, True]


def test_the_matrix_marks_it() -> None:
    """`~` beside the sign, explained in the legend; `safe~` where what is safe is so as far as modelled."""
    names = ("3f09bfbc7b", "59c9f437c5", "2398747128")
    chosen = [word for name in names for word in ("--revision", name)]
    lines = run(*chosen, "--scenario", "mirror").stdout.splitlines()
    rows = {line.split()[0]: line for line in lines if line.startswith(tuple(f"{name}  " for name in names))}
    assert "  x  .~ .~ x  " in rows["3f09bfbc7b"]
    assert " safe~ " in rows["2398747128"]
    assert " safe " in rows["59c9f437c5"] and "~" not in rows["59c9f437c5"]
    assert any(line.startswith("~ as far as modelled: ") for line in lines)


def test_the_full_matrix_says_on_what() -> None:
    """The names beside the verdict, and below the table what they stand for, each once."""
    text = run("--full", *ROW).stdout
    (line,) = (line for line in text.splitlines() if line.split()[3:4] == ["S4"])
    assert "requests, no yield" in line
    assert text.count("as far as modelled: no yield: ") == 1


def test_the_matrix_as_json() -> None:
    """Beside each property."""
    data = document(*ROW)
    validator("matrix").validate(data)
    limits = {item["name"]: item["limits"] for item in data["rows"][0]["properties"]}
    assert limits["S1"] == [] and len(limits["S4"]) == 2


def test_a_certificate_is_about_the_model(tmp_path: Path) -> None:
    """What it claims goes as far as the model does, and `prove` says so."""
    file = str(tmp_path / "c.smt2")
    result = run("prove", *ROW, "--property", "S4", "-o", file)
    assert f"as far as modelled: S4 holds: {SAYS}" in result.stdout
    data = document("prove", *ROW, "--property", "S4", "-o", file)
    validator("prove").validate(data)
    assert [SAYS in says for says in data["claims"][0]["limits"]] == [False, True]


def test_a_limit_that_is_gone_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: what is printed comes from the table of abstractions."""
    monkeypatch.setattr(abstractions, "ABSTRACTIONS", ())
    for arguments in (("check", *ROW, "--no-trace"), ("--full", *ROW)):
        assert "as far as modelled: " not in run(*arguments).stdout
    assert ".~" not in run(*ROW).stdout
    assert {tuple(item["limits"]) for item in document(*ROW)["rows"][0]["properties"]} == {()}


def test_liveness_and_own_models_have_none(tmp_path: Path) -> None:
    """The table is about the drain invariant of QEMU's code bases."""
    model = tmp_path / "m.py"
    model.write_text(
        "from draincheck.lang import Model\n\n\ndef build() -> Model:\n    m = Model('m')\n    x = m.bool('x')\n"
        "    with m.thread('t') as p:\n        p.do('set', x.set())\n    m.always('A1', x | ~x)\n    return m\n"
    )
    for arguments in ((f"{model}:build",), (*ROW, "--property", "L1")):
        assert "as far as modelled" not in run("check", *arguments).stdout
