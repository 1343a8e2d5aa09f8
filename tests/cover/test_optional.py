"""Packages that not every installation has: a command that wants one says how it is got, and ends with 2; nothing else is missing it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

from draincheck import optional
from tests.support.cli import run
from tests.support.house import ROOT

#: a line of a log
DRAIN = "mirror_before_drain s 0x10 dirty count 0\n"

#: the library's files
ROOM = Path(optional.__file__).parent


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them is there."""
    monkeypatch.setattr(optional, "find_spec", lambda name: None)


@pytest.mark.usefixtures("bare")
def test_what_is_missing_is_named(tmp_path: Path) -> None:
    """Logs, backtraces and a QEMU; the same log that is not packed is read."""
    packed, plain = tmp_path / "trace.log.zst", tmp_path / "trace.log"
    plain.write_text(DRAIN)
    packed.write_bytes(zstandard.compress(DRAIN.encode()))
    for arguments, package in (
        (("log", str(packed)), "zstandard"),
        (("log", str(plain), "--uprobes", str(packed)), "zstandard"),
        (("locate", str(packed)), "zstandard"),
        (("qemu", "run", "--qemu", "true"), "qemu.qmp"),
    ):
        found = run(*arguments)
        assert (found.exit_code, optional.missing(package) in found.stderr) == (2, True), found.stderr
    assert run("log", str(plain)).exit_code != 2


@pytest.mark.parametrize(
    ("package", "arguments"),
    [
        ("z3", ["check", "examples/deadlock.py:deadlock", "--engine", "induction"]),
        ("z3", ["check", "examples/deadlock.py:deadlock", "--engine", "bmc"]),
        ("z3", ["parametric", "--revision", "9a0cec664e"]),
        ("networkx", ["graph", "examples/deadlock.py:deadlock"]),
        ("greenlet", ["conform", "--revision", "9a0cec664e", "--scenario", "mirror"]),
    ],
)
def test_what_somebody_has_left_out_is_named(package: str, arguments: list[str]) -> None:
    """Also a package that an installation has with the program; what does without it goes on."""
    checked = "check", "examples/deadlock.py:deadlock", "--no-trace"
    found = without(package, *arguments)
    told = " ".join(found.stderr.split())  # as one line, however wide a terminal is
    assert (found.returncode, told.endswith(f"Error: {optional.missing(package)}")) == (2, True), told
    assert without(package, *checked).returncode == 13


def test_part_of_one_that_is_there_is_not_what_is_missing() -> None:
    """Nor is a package of somebody else's; that is no case for pip."""
    for name in ("networkx.algorithms.gone", "somebody", None):
        assert optional.missed_by(ModuleNotFoundError(name=name)) == ""
    assert optional.missed_by(ImportError(name="networkx")) == ""
    assert optional.missed_by(ModuleNotFoundError(name="networkx")) == optional.missing("networkx")


def without(package: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of its own process where a package cannot be imported."""
    rooms = [str(ROOT / part) for part in ("model", "specs", "cli")]
    script = f"import sys; sys.path[:0] = {rooms}; sys.modules[{package!r}] = None\nfrom check_invariants.__main__ import main; main()"
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )


def test_part_of_a_package_that_is_not_there_is_not_there_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python raises where it would have to look into it."""

    def raises(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(optional, "find_spec", raises)
    assert not optional.is_installed("qemu.qmp")


def test_nobody_else_asks_what_is_installed() -> None:
    """There is one home for it: no other file looks for a package, or catches that one is missing to say so itself."""
    named = {
        str(file.relative_to(ROOM)): text for file in ROOM.rglob("*.py") if "find_spec" in (text := file.read_text())
    }
    assert {file for file, text in named.items() if asks(text)} == {"optional.py"}


def asks(text: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "find_spec" for node in ast.walk(ast.parse(text)))
