"""What README.md shows is what the command prints; a line `...` stands for what it leaves out."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from check_invariants.exit import ExitCode
from check_invariants.main import cli
from drainspecs.mirror.properties import PROPERTIES
from drainspecs.mirror.scenarios import CONFIGURATIONS, DEFAULT_SCENARIOS
from drainspecs.mirror.terms import TERMS
from tests.support.processes import COMMAND

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def printed(*arguments: str) -> list[str]:
    """What a command prints, as lines."""
    return CliRunner().invoke(cli, arguments, prog_name="check-invariants").stdout.splitlines()


def block(line: str) -> list[str]:
    """The indented block of README.md that contains this."""
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", README, re.MULTILINE)
    (found,) = (text for text in blocks if line in text)
    return [line[4:] for line in found.strip("\n").splitlines()]


def is_excerpt(excerpt: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether these are lines of the whole in their order, with nothing left out but where `...` says so."""
    for start in range(len(whole)):
        place, gap = start, False
        for line in excerpt:
            if line == "...":
                gap = True
                continue
            if gap:
                place = next((at for at in range(place, len(whole)) if whole[at] == line), len(whole))
            if place >= len(whole) or whole[place] != line:
                break
            place, gap = place + 1, False
        else:
            return True
    return False


def test_an_excerpt_leaves_out_nothing_unsaid() -> None:
    """Negative control of the comparison: a gap that is not marked, another order, another line."""
    whole = ["a", "b", "c", "d", "e"]
    assert is_excerpt(["b", "c"], whole) and is_excerpt(["a", "...", "d", "e"], whole)
    assert not any(is_excerpt(part, whole) for part in (["a", "c"], ["d", "...", "b"], ["b", "x"], ["...", "f"]))


def test_the_trace_is_the_one_that_is_printed() -> None:
    """Numbers, marks, calls and values."""
    whole = printed("check", "--revision", "ab27c3b5e7", "--property", "S1")
    shown = block("main_loop_wait # 3")
    assert is_excerpt(shown, whole)
    assert not is_excerpt([line.replace("window=1", "window=0") for line in shown], whole)


def test_the_answer_is_the_one_that_is_printed() -> None:
    """The sentence, first and last, and the table between."""
    whole = printed("check", "--revision", "v2.6.0")
    (sentence,) = block("v2.6.0 loses acknowledged writes")
    assert whole[0] == whole[-1] == sentence
    assert is_excerpt(block("scenario            outcome"), whole)


def test_the_comparison_is_the_one_that_is_printed() -> None:
    """Its sentence, first and last."""
    whole = printed("compare", "v2.6.0", "v2.7.0", "--no-trace")
    assert [whole[0], whole[-1]] == 2 * block("v2.7.0, compared with v2.6.0")


def test_the_lost_write_is_the_one_that_is_printed(tmp_path: Path) -> None:
    """What the guest was told, and the disks."""
    file = str(tmp_path / "S4.json")
    printed("trace", "export", "--revision", "ab27c3b5e7", "--property", "S4", "-o", file)
    shown = block("outcome on the core: silent loss")
    assert is_excerpt(shown[shown.index("...") :], printed("replay", file))


def test_the_table_of_who_waits_is_the_one_that_is_printed() -> None:
    """Who sleeps, why, and who could help."""
    whole = printed("check", "--revision", "91af091f92", "--scenario", "dataplane", "--property", "L2")
    shown = block("mirror_run, guest and management have ended")
    assert is_excerpt(shown, whole)
    assert not is_excerpt([line.replace("ring", "parked") for line in shown], whole)


def test_the_verdicts_on_ones_own_model_are_those_that_are_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was never asked, what rests on a promise, an error of a run; and without the promise, who could go on."""
    monkeypatch.chdir(tmp_path)
    (model,) = re.findall(r"```python\n(.*?one write.*?)```", README, re.DOTALL)
    (tmp_path / "one_write.py").write_text(model, encoding="utf-8")
    whole = printed("check", "one_write.py:build")
    for line in block("no submission while drained  never asked"):
        assert any(found.startswith(line.removesuffix(" ...")) for found in whole), line
    (tmp_path / "unpromised.py").write_text(model.replace(", by=[iothread]", ""), encoding="utf-8")
    ends = [line.replace("one_write", "unpromised") for line in block("violated by stopping there: served")]
    assert is_excerpt(ends, printed("check", "unpromised.py:build"))
    assert not is_excerpt(ends, whole)


def test_the_matrix_is_the_one_that_is_printed() -> None:
    """Each line that is shown: code base, date, outcome, the first verdicts, states."""
    whole = {line.split()[0]: line for line in printed("--scenario", "mirror", "--processes", "1") if line.strip()}
    shown = [line for line in block("5a7e7a0bad~1  2014-10-21") if re.match(r"[0-9a-f]{10}", line)]
    assert len(shown) == 7
    for line in shown:
        row, states = re.fullmatch(r"(.*\S) +(\d+)  \w.*", line).groups()  # type: ignore[union-attr]
        assert whole[line.split()[0]].startswith(row) and f" {states} " in whole[line.split()[0]]


def test_the_exit_codes_are_those_of_the_table() -> None:
    """Each code with its meaning, in the order in which they win."""
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", README, re.MULTILINE)
    assert rows == [(str(int(code)), code.meaning) for code in ExitCode]


def test_the_queries_of_a_certificate_are_those_that_are_named(tmp_path: Path) -> None:
    """Three about the invariant; one for each property, two for F1, none for R1, which has a witness."""
    file = tmp_path / "proof.smt2"
    printed("prove", "--revision", "9a0cec664e", "-o", str(file))
    names = re.findall(r'\(echo "(.*)"\)', file.read_text(encoding="utf-8"))
    assert names[:3] == ["initial states inside", "closed under every action", "no action at fault"]
    held = [item.name for item in PROPERTIES if item.name not in ("B3", "B6", "F1", "R1")]
    assert names[3:] == [f"inside {name}" for name in held] + [
        "F1: its strategy can be followed",
        "F1: its strategy comes nearer",
    ]
    assert all(words in " ".join(README.split()) for words in ("Three are about the invariant", "F1 has two"))


def test_the_gate_of_the_examples_is_the_one_that_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration, what it comes to, and what differs with the second model mended."""
    examples = Path(__file__).parents[2] / "examples"
    config = (examples / "drain-gate.toml").read_text(encoding="utf-8")
    assert f"```toml\n{config}```" in README
    shutil.copytree(examples, tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    assert printed("gate", "examples/drain-gate.toml") == block("18 verdicts, 1 pinned count; all as expected")[2:]
    (tmp_path / "examples/drain-gate.toml").write_text(config.replace("recheck = false", "recheck = true"))
    assert [line for line in printed("gate", "examples/drain-gate.toml") if ": violated, as" not in line] == block(
        "3 wrong"
    )


def test_a_job_of_ones_own_is_green_and_then_red(tmp_path: Path) -> None:
    """The commands, as they stand there, each with the code that is written beside it."""
    shutil.copytree(Path(__file__).parents[2] / "examples", tmp_path / "examples")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    codes = list[tuple[int, int]]()
    for line in block("mkdir -p build/mine")[1:]:
        command, _, comment = line.partition("    # ")
        command = command.replace(".venv/bin/check-invariants", shlex.join(COMMAND))
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, check=False)
        codes.append((done.returncode, int(comment.partition(":")[0] or 0)))
    assert codes == [(0, 0), (0, 0), (0, 0), (0, 0), (0, 0), (10, 10)]
    assert "<failure" in (tmp_path / "build/mine/junit.xml").read_text(encoding="utf-8")


def test_the_keys_of_a_configuration_are_those_of_the_table() -> None:
    """Each key that the schema knows stands in the table, and no other."""
    table = README.partition("Keys of an entry")[2].partition("Reports for others")[0]
    tables = json.loads("\n".join(printed("gate", "--schema")))["properties"].values()
    known = {key for each in tables for key in each["items"]["properties"]}
    assert {
        key for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)
    } == known


def test_the_job_for_github_uses_inputs_that_there_are() -> None:
    """What the example sets, the action takes."""
    action = (Path(__file__).parents[2] / "action.yml").read_text(encoding="utf-8")
    (job,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    given = re.findall(r"^ {10}(\w+):", job, re.MULTILINE)
    assert given and all(f"\n  {name}:\n" in action for name in given)


def test_the_words_are_those_that_are_listed() -> None:
    """Each term with its meaning, in one order."""
    section = README.partition("## The words\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| (.*?) \| (.*) \|$", section, re.MULTILINE)[1:] == [
        (item.name, item.meaning) for item in TERMS
    ]


def test_the_configurations_are_those_that_are_listed() -> None:
    """Each default scenario with the QEMU that it is about, in one order."""
    section = README.partition("| which QEMU that is |\n|---|---|\n")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(.*?)` \| (.*) \|$", section, re.MULTILINE) == list(CONFIGURATIONS.items())
    assert list(CONFIGURATIONS) == [scenario.name for scenario in DEFAULT_SCENARIOS]
