"""What every command has in common: a quick start, help texts that say enough, completion, the version."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from check_invariants.deferred import Deferred
from check_invariants.main import COMMANDS, cli
from check_invariants.options import SIZES
from check_invariants.reports import ReportOptions
from check_invariants.selectors import OwnModel, Selectors
from draincheck import __version__

ROOT = Path(__file__).parent.parent.parent

#: what `--help` must not import: it is what makes a start slow
HEAVY = (
    "draincheck.",
    "drainspecs",
    "rich",
    "networkx",
    "z3",
    "multiprocessing",
    "concurrent",
    "check_invariants.commands",
    "check_invariants.work",
    "check_invariants.output",
    "json",
    "pathlib",
    "dataclasses",
    "msgspec",
    *(() if version("click").startswith("8.2.") else ("shutil",)),  # click's own help texts load it until 8.3
)


def modules_after(*arguments: str) -> set[str]:
    """The modules that a fresh process has imported after running the command, and nobody measures it: that imports more."""
    code = (
        f"import sys; sys.path[:0] = {[str(ROOT / part) for part in ('model', 'specs', 'cli')]!r}\n"
        "from check_invariants.main import cli\n"
        f"cli.main({list(arguments)!r}, standalone_mode=False)\n"
        "print('MODULES', *sys.modules)"
    )
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=unmeasured)
    return set(done.stdout.rpartition("MODULES ")[2].split())


def heavy(modules: set[str]) -> set[str]:
    """Those of the modules that are heavy."""
    return {module for module in modules if module.startswith(HEAVY)}


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_imports_nothing_heavy(option: str) -> None:
    """Neither the library nor any command is loaded for the help text or the version."""
    assert heavy(modules_after(option)) == set()


def test_the_check_for_heavy_imports_can_fail() -> None:
    """Negative control: a command that needs the library is seen to load it, and only its own module."""
    found = modules_after("list", "knobs")
    assert {"draincheck.knobs", "check_invariants.commands.list"} <= found
    assert not {"check_invariants.commands.check", "networkx", "z3", "rich"} & found


#: what a check of states neither needs nor loads: process pools, liveness, graphs, solvers, the core, suites, claims and questions
UNUSED = {
    "multiprocessing",
    "concurrent.futures",
    "networkx",
    "z3",
    "greenlet",
    "draincheck.core",
    "draincheck.engines.liveness",
    "drainspecs.mirror.liveness",
    "drainspecs.mirror.liveness_expectations",
    "drainspecs.mirror.claims",
    "drainspecs.mirror.counted",
    "drainspecs.suite.matrix",
    "drainspecs.questions.variants",
}


def test_a_check_loads_nothing_that_it_does_not_use() -> None:
    """And, as negative control, a question about many code bases does."""
    chosen = ("--revision", "9a0cec664e", "--scenario", "mirror", "--property", "S1")
    assert not UNUSED & modules_after("check", *chosen)
    assert {"draincheck.engines.liveness"} <= modules_after("check", "--revision", "9a0cec664e", "--property", "L4")
    assert {"drainspecs.questions.variants"} <= modules_after("sweep", *chosen, "--knob", "drain", "-j", "1")


def test_the_help_of_a_command_does_not_load_the_library() -> None:
    """Values of options are looked up only when there are any."""
    found = heavy(modules_after("check", "--help"))
    assert found == {"check_invariants.commands", "check_invariants.commands.check"}


def command(name: str) -> click.Command:
    """A command, loaded."""
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


def leaves() -> list[Deferred]:
    """The commands that do something."""
    found = [command(name) for name in COMMANDS]
    inside = [item for group in found if isinstance(group, click.Group) for item in group.commands.values()]
    return [item for item in (*found, *inside) if isinstance(item, Deferred)]


@pytest.mark.parametrize("leaf", leaves(), ids=lambda leaf: leaf.name)
def test_what_is_declared_is_what_is_done(leaf: Deferred) -> None:
    """The work takes exactly the options that the command has; those that select a model or name reports under the names of a table."""
    taken = inspect.signature(leaf.work).parameters
    options = {name for name, item in taken.items() if item.kind is not inspect.Parameter.VAR_KEYWORD}
    declared = {str(item.name) for item in leaf.params}
    declared -= {"timeout", "max_memory"} if "max_memory" in declared else set()  # the budget of the whole command
    declared -= {f"size_{size}" for size in SIZES}  # part of the scenarios
    assert options <= declared
    tables = {"selectors": Selectors, "reports": ReportOptions, "own": OwnModel}
    assert declared - options <= {
        key for name, table in tables.items() if name in taken for key in table.__annotations__
    }


def test_every_command_is_deferred() -> None:
    """None does its work where it is declared."""
    assert len(leaves()) == len(COMMANDS) + 3


@pytest.mark.parametrize("name", COMMANDS)
def test_one_liners_are_those_of_the_commands(name: str) -> None:
    """The table that spares the imports says what the commands say of themselves."""
    loaded = command(name)
    assert loaded.name == name
    assert (loaded.help or "").partition("\n")[0] == COMMANDS[name]


LEAVES = [name for name in COMMANDS if name not in ("trace", "certificate", "model", "qemu")]


@pytest.mark.parametrize(
    "arguments",
    [
        *([name] for name in LEAVES),
        ["trace", "show"],
        ["trace", "export"],
        ["trace", "diff"],
        ["trace", "minimize"],
        ["certificate", "check"],
        ["model", "export"],
        ["qemu", "run"],
    ],
    ids=" ".join,
)
def test_every_help_text_has_exit_codes_and_an_example(arguments: list[str]) -> None:
    """What a script needs to know, and how to begin."""
    result = CliRunner().invoke(cli, [*arguments, "--help"], prog_name="check-invariants")
    assert result.exit_code == 0
    assert "Exit codes" in result.stdout
    assert f"Example: check-invariants {' '.join(arguments)}".removesuffix(" matrix") in result.stdout


def test_the_main_help_text_lists_the_exit_codes() -> None:
    """The whole table, but for the code that nothing uses yet."""
    text = CliRunner().invoke(cli, ["-h"]).stdout
    for code in (255, 150, 2, 130, 12, 13, 11, 14, 10, 30, 0):
        assert f"\n  {code:>5}  " in text


def test_the_version() -> None:
    """`--version` names the program and its version."""
    result = CliRunner().invoke(cli, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"check-invariants {__version__}\n")


def completions(words: str) -> list[str]:
    """What a shell is offered for the last of the words."""
    environment = {
        "_CHECK_INVARIANTS_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    result = CliRunner().invoke(cli, [], env=environment, prog_name="check-invariants")
    return [line.partition(",")[2] for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("check-invariants ga", ["gate"]),
        ("check-invariants --scen", ["--scenario"]),
        ("check-invariants --scenario dataplane-rea", ["dataplane-read"]),
        ("check-invariants check --revision ab27c3b5e7-n", ["ab27c3b5e7-nested-drain"]),
        ("check-invariants check --property S1", ["S1", "S10", "S11"]),
        ("check-invariants check --property case", ["case 1", "case 2", "case 3"]),
        ("check-invariants check --set banda", ["bandage=off", "bandage=on"]),
        ("check-invariants claims case-", ["case-1", "case-2", "case-3"]),
        ("check-invariants list kn", ["knobs"]),
        ("check-invariants trace ex", ["export"]),
    ],
)
def test_shells_complete_names(words: str, offered: list[str]) -> None:
    """Commands, options, and the values that have names."""
    assert completions(words) == offered


def test_a_mistyped_command_gets_the_nearest() -> None:
    """The message names commands that look alike."""
    result = CliRunner().invoke(cli, ["chek"])
    assert "unknown command 'chek'; did you mean check" in result.stderr
    assert result.exit_code == 2


def test_options_before_a_command_are_refused() -> None:
    """Options without a command belong to the matrix, which takes no command."""
    result = CliRunner().invoke(cli, ["--scenario", "mirror", "check"])
    assert "unexpected extra argument (check)" in result.stderr
    assert result.exit_code == 2


def test_an_unread_help_text_is_no_failure() -> None:
    """`--help | head -0` does not end with a traceback or an undocumented code."""
    paths = [str(ROOT / part) for part in ("model", "specs", "cli")]
    code = f"import sys; sys.path[:0] = {paths!r}\nfrom check_invariants.__main__ import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert (process.wait(), process.stderr.read()) == (0, "")
    process.stderr.close()
