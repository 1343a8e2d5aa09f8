"""What the command prints, byte for byte. `UPDATE_GOLDEN=1 pytest tests/golden/test_cli_golden.py` writes the files anew.

Look at the difference before you commit it: a golden file that changes is a change that users see.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from check_invariants.main import cli
from draincheck.engines.explicit import explore
from draincheck.qemu import build
from draincheck.revisions import find_revision, with_settings
from draincheck.run import Run
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.mirror.stray_requests import SeedCases
from tests.support.marks import summarize_marks
from tests.support.samples import sampled

FOLDER = Path(__file__).parent / "cli"

#: set to anything: files are written instead of compared
UPDATE = "UPDATE_GOLDEN"

#: what differs between two runs, or between two trees that print the same: times, the width of their column, line numbers
VARYING = ((re.compile(r" +\d+\.\d+(?=  )"), " T"), (re.compile(r"\d+\.\d+ s\n"), "T s\n"), (re.compile(r" +(m?s)(?=  )"), r" \1"),
           (re.compile(r"(?<=\.py:)\d+"), "N"), (re.compile(r"(?<=Digest: )[0-9a-f]{64}"), "D"),
           (re.compile(r"(?<=Written by check-invariants )[^:]+"), "V"))  # fmt: skip

CASES = {
    "case-1-f3926945c8": ("--revision", "f3926945c8", "--case", "case 1"),
    "case-1-3f09bfbc7b": ("--revision", "3f09bfbc7b", "--case", "case 1"),
    "case-2-3f09bfbc7b": ("--revision", "3f09bfbc7b", "--case", "case 2", "--order", "any"),
    "case-3-ab27c3b5e7": ("--revision", "ab27c3b5e7", "--case", "case 3"),
}

#: file -> the command that prints it
COMMANDS: dict[str, tuple[str, ...]] = {
    "matrix-mirror": ("--scenario", "mirror", "--processes", "1"),
    "check-ab27c3b5e7": ("check", "--scenario", "mirror", "--no-trace"),
    "check-sized": ("check", "--scenario", "mirror", "--reads", "1", "--property", "S1", "--short"),
    "check-v2.6.0": ("check", "--revision", "v2.6.0"),
    "check-v5.0.0": ("check", "--revision", "v5.0.0", "--no-trace"),
    "matrix-v2.6.0": ("--revision", "v2.6.0"),
    "claims": ("claims",),
    "liveness-dataplane": ("liveness", "--scenario", "dataplane"),
    "liveness-notify": ("liveness", "--notify"),
    "parametric": ("parametric", "--revision", "f3926945c8", "--revision", "d4a92a8420", "--revision", "9a0cec664e"),
    "compare-begin-before-check": ("compare", "v2.6.0", "--set", "begin=before_check"),
    "compare-v2.7.0-v2.6.0": ("compare", "v2.7.0", "v2.6.0", "--scenario", "mirror"),
    "why-ab27c3b5e7": ("why", "--revision", "ab27c3b5e7"),
    "repair-ab27c3b5e7": ("repair", "--revision", "ab27c3b5e7"),
    "model-promela": ("model", "export", "examples/lost_wakeup.py:lost_wakeup", "--format", "promela"),
    "model-tla": ("model", "export", "examples/lost_wakeup.py:lost_wakeup", "--format", "tla"),
    "model-smtlib": ("model", "export", "examples/lost_wakeup.py:lost_wakeup", "--format", "smtlib"),
    "list-revisions": ("list", "revisions"),
    "list-scenarios": ("list", "scenarios"),
    "list-properties": ("list", "properties"),
    "list-knobs": ("list", "knobs"),
    "list-claims": ("list", "claims"),
    **{f"trace-{name}": ("trace", "export", "--format", "text", *selectors) for name, selectors in CASES.items()},
}


#: the commands that are asked about code bases by their names, and find that something is violated there
VIOLATED = ("check-ab27c3b5e7", "check-sized", "check-v2.6.0", "matrix-v2.6.0", "parametric", "compare-v2.7.0-v2.6.0")


def printed(*arguments: str, given: str | None = None, code: int = 0) -> str:
    """What a command prints, with what varies blotted out."""
    result = CliRunner().invoke(cli, arguments, prog_name="check-invariants", input=given)
    assert result.exit_code == code, result.output
    return steady(result.stdout)


def steady(text: str) -> str:
    """The text without what varies."""
    for pattern, instead in VARYING:
        text = pattern.sub(instead, text)
    return text


def compare(name: str, text: str) -> None:
    """Hold the text against its golden file."""
    file = FOLDER / f"{name}.txt"
    if os.environ.get(UPDATE):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


#: what takes a second or more
LARGE = (
    "matrix-mirror",
    "compare-begin-before-check",
    "claims",
    "liveness-dataplane",
    "parametric",
    "repair-ab27c3b5e7",
)


@pytest.mark.parametrize("name", sampled(COMMANDS, [name for name in COMMANDS if name not in LARGE]))
def test_the_output_is_exactly_this(name: str) -> None:
    """The command prints its golden file."""
    compare(name, printed(*COMMANDS[name], code=12 if name in VIOLATED else 0))


@pytest.mark.parametrize("name", CASES)
def test_the_outline_is_exactly_this(name: str) -> None:
    """The drawing of a case, made from an exported trace."""
    exported = printed("trace", "export", *CASES[name])
    compare(f"outline-{name}", printed("trace", "show", "--outline", "-", given=exported))


def test_there_is_no_other_golden_file() -> None:
    """A file that no test looks at would say nothing."""
    assert {file.stem for file in FOLDER.iterdir()} == {*COMMANDS, *(f"outline-{name}" for name in CASES)}


def test_times_are_all_that_is_blotted_out() -> None:
    """Negative control of the comparison: another number of states is seen."""
    line = "2 rows, 36 verdicts; 2 distinct systems, 1625 states, 0.12 s\n"
    assert steady(line) == steady(line.replace("0.12", "12.34"))
    assert steady(line) != steady(line.replace("1625", "1626"))
    assert steady("states    ms  what\n   855  30.5  the bandage\n") == "states ms  what\n   855 T  the bandage\n"


# -- the seed's two drawings, and the case it does not know -----------------------------------------


def marks(revision: str, case: str, order: str = "attach") -> list[tuple[str, int]]:
    """The marked steps of the shortest trace of a case, with their main-loop iterations."""
    code_base = with_settings(find_revision(revision), {"order": order})
    system = build("cases", code_base.knobs, find_scenario("mirror"), SeedCases()).compile()
    trace = explore(system).verdicts[case].trace
    assert trace is not None
    return [(step.mark, step.iteration) for step in summarize_marks(Run.of(system, trace))]


def relative(found: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Iterations counted from that of (a)."""
    start = dict(found)["a"]
    return [(mark, iteration - start) for mark, iteration in found]


@pytest.mark.parametrize("revision", ["f3926945c8", "3f09bfbc7b"])
def test_case_1_has_b_in_the_iteration_of_a(revision: str) -> None:
    """The request enters after (a) in the same iteration; (c) is in the next one."""
    assert relative(marks(revision, "case 1")) == [("w", 0), ("a", 0), ("b", 0), ("c", 1)]


@pytest.mark.parametrize("revision", ["f3926945c8", "3f09bfbc7b"])
def test_case_2_has_b_in_the_next_iteration_before_c(revision: str) -> None:
    """The request enters in the iteration after (a), and (c) follows in the same one."""
    assert relative(marks(revision, "case 2", order="any")) == [("w", 0), ("a", 0), ("b", 1), ("c", 1)]


def test_case_3_has_b_between_w_and_a() -> None:
    """The request enters while drained_begin has yielded, before the job comes to (a)."""
    assert relative(marks("ab27c3b5e7", "case 3")) == [("w", -1), ("b", -1), ("a", 0), ("c", 1)]


def test_the_yield_of_case_3_is_visible() -> None:
    """In the text the coroutine yields inside bdrv_drained_begin, before (b)."""
    text = printed("trace", "export", "--format", "text", *CASES["case-3-ab27c3b5e7"]).partition("\n\n")[2]
    section = text.index("bdrv_drained_begin")
    assert (
        text.index("(w)")
        < section
        < text.index("qemu_coroutine_yield", section)
        < text.index("(b)")
        < text.index("(a)")
    )


def test_trace_files_are_the_same_every_time() -> None:
    """Exporting twice gives the same document."""
    first, second = (printed("trace", "export", *CASES["case-3-ab27c3b5e7"]) for _ in range(2))
    assert first == second
    assert json.loads(first)["model"] == "ab27c3b5e7 / mirror"
