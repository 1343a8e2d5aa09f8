"""The table of formats in which a trace leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from check_invariants.trace_formats import DEFAULT, TRACE_FORMATS, Exhibit, trace_format_of
from draincheck.checking import check
from draincheck.run import Run
from drainspecs.mirror.code_base import CodeBase
from tests.support.cli import run
from tests.support.samples import sampled


def exhibit(short: bool = False) -> Exhibit:
    """A counterexample of a real row."""
    subject = CodeBase.named("v2.6.0")
    found = check(subject, ["S1"])
    verdict = found["S1"].verdict
    assert verdict.trace is not None
    return Exhibit(Run.of(found.system, verdict.trace), subject, verdict.outcome, short)


@pytest.mark.parametrize("name", TRACE_FORMATS)
def test_every_format_writes_a_trace_and_has_a_suffix_of_its_own(name: str) -> None:
    """Its text is not empty and ends its last line; a file that is called so is of this format, whatever the case of its letters."""
    form = TRACE_FORMATS[name]
    assert form.render(exhibit()).endswith("\n")
    assert trace_format_of(f"S1{form.suffix}") == name
    assert trace_format_of(f"a.txt.d/S1{form.suffix.upper()}") == name


def test_a_suffix_that_says_nothing_is_the_default() -> None:
    """So is standard output."""
    assert {trace_format_of(name) for name in ("-", "S1", "S1.dat", "S1.json.bak")} == {DEFAULT}


@pytest.mark.parametrize("name", [name for name, form in TRACE_FORMATS.items() if form.shortens])
def test_a_short_trace_is_shorter(name: str) -> None:
    """Where a format can leave steps out, it does."""
    assert len(TRACE_FORMATS[name].render(exhibit(short=True))) < len(TRACE_FORMATS[name].render(exhibit()))


def test_a_file_is_written_in_the_format_that_its_suffix_means(tmp_path: Path) -> None:
    """Unless another one is asked for."""
    selected = ("trace", "export", "--revision", "v2.6.0", "--property", "S1")
    assert run(*selected, "-o", f"{tmp_path}/S1.md").exit_code == 0
    assert run(*selected, "-o", f"{tmp_path}/S1.txt", "--format", "json").exit_code == 0
    assert (tmp_path / "S1.md").read_text().startswith("- **violated:**")
    assert (tmp_path / "S1.txt").read_text().startswith("{")


def test_a_trace_file_is_shown_in_any_format(tmp_path: Path) -> None:
    """As `trace export` would have written it."""
    selected = ("trace", "export", "--revision", "v2.6.0", "--property", "S1", "-o")
    assert [run(*selected, f"{tmp_path}/S1.{form}").exit_code for form in ("json", "svg")] == [0, 0]
    result = run("trace", "show", f"{tmp_path}/S1.json", "--format", "svg")
    assert result.stdout == (tmp_path / "S1.svg").read_text()
    refused = run("trace", "show", f"{tmp_path}/S1.json", "--format", "perfetto", "--short")
    assert refused.exit_code == 2
    assert "perfetto has every step" in refused.stderr


@pytest.mark.parametrize(
    "command",
    sampled([("check", "--scenario", "mirror", "--revision"), ("compare", "0ff841f6d1")], 1),
    ids=lambda words: words[0],
)
def test_every_file_that_a_trace_goes_to_has_the_format_of_its_suffix(command: tuple[str, ...], tmp_path: Path) -> None:
    """Not only those of `trace export`."""
    run(*command, "v2.6.0", "--property", "S1", "--trace-out", f"{tmp_path}/S1.svg")
    assert (tmp_path / "S1.svg").read_text().startswith("<svg ")
