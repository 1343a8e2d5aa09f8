"""Tables of the documentation are those of the program."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import median

from msgspec.json import decode

from benchmarks.document import Bench
from benchmarks.table import table
from check_invariants.exit import ExitCode
from check_invariants.main import COMMANDS
from check_invariants.trace_formats import TRACE_FORMATS
from docs.command_tree import commands
from drainspecs.mirror.properties import PROPERTIES
from drainspecs.mirror.scenarios import CONFIGURATIONS, DEFAULT_SCENARIOS
from drainspecs.mirror.terms import TERMS
from tests.support.cli import run
from tests.support.house import ROOT


def page(name: str) -> str:
    """A page of the documentation."""
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def test_the_exit_codes_are_those_of_the_table() -> None:
    """Each code with its meaning, in the order in which they win."""
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", page("reference/exit-codes"), re.MULTILINE)
    assert rows == [(str(int(code)), code.meaning) for code in ExitCode]


def test_the_queries_of_a_certificate_are_those_that_are_named(tmp_path: Path) -> None:
    """Three about the invariant; one for each property, two for F1, none for R1, which has a witness."""
    file = tmp_path / "proof.smt2"
    run("prove", "--revision", "9a0cec664e", "-o", str(file))
    names = re.findall(r'\(echo "(.*)"\)', file.read_text(encoding="utf-8"))
    assert names[:3] == ["initial states inside", "closed under every action", "no action at fault"]
    held = [item.name for item in PROPERTIES if item.name not in ("B3", "B6", "F1", "R1")]
    assert names[3:] == [f"inside {name}" for name in held] + [
        "F1: its strategy can be followed",
        "F1: its strategy comes nearer",
    ]
    assert all(
        words in " ".join(page("how-to/certificate").split())
        for words in ("Three are about the invariant", "F1 has two")
    )


def test_the_keys_of_a_configuration_are_those_of_the_table() -> None:
    """Each key that the schema knows stands in the table, and no other."""
    table = page("how-to/ci").partition("Keys of an entry")[2].partition("## Reports for others")[0]
    tables = json.loads(run("gate", "--schema").stdout)["properties"].values()
    known = {key for each in tables for key in each["items"]["properties"]}
    assert {
        key for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)
    } == known


def test_the_job_for_github_uses_inputs_that_there_are() -> None:
    """What the example sets, the action takes."""
    action = (ROOT / "action.yml").read_text(encoding="utf-8")
    (job,) = re.findall(r"```yaml\n(.*?)```", page("how-to/ci"), re.DOTALL)
    given = re.findall(r"^ {10}(\w+):", job, re.MULTILINE)
    assert given and all(f"\n  {name}:\n" in action for name in given)


def test_the_words_are_those_that_are_listed() -> None:
    """Each term with its meaning, in one order."""
    assert re.findall(r"^\| (.*?) \| (.*) \|$", page("reference/words"), re.MULTILINE)[1:] == [
        (item.name, item.meaning) for item in TERMS
    ]


def test_the_configurations_are_those_that_are_listed() -> None:
    """Each default scenario with the QEMU that it is about, in one order."""
    section = page("how-to/safe-patch").partition("| which QEMU that is |\n|---|---|\n")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(.*?)` \| (.*) \|$", section, re.MULTILINE) == list(CONFIGURATIONS.items())
    assert list(CONFIGURATIONS) == [scenario.name for scenario in DEFAULT_SCENARIOS]


def test_the_configuration_that_is_shown_is_the_one_of_the_examples() -> None:
    """Line by line, behind its name."""
    config = (ROOT / "examples/drain-gate.toml").read_text(encoding="utf-8")
    assert f"```toml\n# examples/drain-gate.toml\n{config}```" in page("how-to/ci")


def test_the_formats_of_traces_are_those_of_the_table() -> None:
    """Each with its suffix."""
    rows = re.findall(r"^\| `(\w+)` \| `(\.[\w.]+)` \|", page("how-to/bug-report"), re.MULTILINE)
    assert sorted(rows) == sorted((name, form.suffix) for name, form in TRACE_FORMATS.items())


def options(text: str) -> list[str]:
    """The options that a text defines at the beginning of its lines, by their long names."""
    return re.findall(r"^(?:`|  )(?:-\w, )?(?:--[\w-]+, )*(--[\w-]+)", text, re.MULTILINE)


def test_the_reference_has_what_help_says() -> None:
    """Each command under its name, with each of its options."""
    names, *parts = re.split(r"^#{3,4} (.*)$", commands(), flags=re.MULTILINE)
    found = dict(zip(parts[::2], map(options, parts[1::2]), strict=True))
    assert not names and {"check", "trace export", "certificate check"} <= found.keys()
    asked = {name: run(*name.split(), "--help").stdout for name in found}
    groups = {name for name, text in asked.items() if "\nCommands:\n" in text}
    assert {name: options(asked[name]) for name in found if name not in groups} == {
        name: shown for name, shown in found.items() if name not in groups
    }
    assert groups >= {"trace", "certificate", "model"} and set(COMMANDS) <= found.keys()


# -- benchmarks


def measured() -> Bench:
    """What one run of `make bench` has left."""
    return decode((ROOT / "docs" / "benchmarks" / "bench.json").read_bytes(), type=Bench)


def test_the_table_of_benchmarks_is_made_of_the_measured_numbers() -> None:
    """No number in it was written by hand."""
    assert (ROOT / "docs" / "benchmarks" / "table.txt").read_text(encoding="utf-8") == table(measured())


def test_the_sizes_of_the_family_are_the_measured_ones() -> None:
    """Each row of the page about sizes, to the same number of digits."""
    columns = ("python", "check-invariants", "reduced", "spin", "Rumur")
    found = {(result.subject, result.tool): median(result.cpu) for result in measured().results if result.cpu}
    rows = re.findall(r"^\| [\d,]+ \((\d devices of \d slot)s?\).*?\|(.*)\|$", page("how-to/sizes"), re.MULTILINE)
    assert len(rows) == 3
    for subject, cells in rows:
        for tool, cell in zip(columns, cells.split("|"), strict=True):
            text = cell.strip().removesuffix(" s")
            assert float(f"{found[subject + 's', tool]:.{len(text.partition('.')[2])}f}") == float(text)
