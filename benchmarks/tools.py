"""What searches: our tiers, our own past, and the tools that the field trusts; each with its version, or with how to get it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from math import inf
from pathlib import Path

from msgspec import Struct

from benchmarks.peers import murphi, prism, promela, tla
from benchmarks.subjects import CODE_BASE, Subject

__all__ = ["REVISIONS", "ROOT", "Tool", "tools"]

ROOT = Path(__file__).parents[1]

#: commits that are measured beside the present: what they were the last before, and in which parts
REVISIONS: Mapping[str, tuple[str, Sequence[str]]] = {
    "f30c451": ("generated search loops", ("commands", "family", "narrow")),
    "12f12b8": ("machine code", ("commands",)),
}

CHECK = "check", "--revision", CODE_BASE, "--scenario", "mirror"

#: the commands of the part `commands`
COMMANDS: Mapping[str, Sequence[str]] = {"check of one code base": CHECK, "the default matrix": ()}

#: how a command of ours is called in a tree of any age
_START = """
import sys
sys.argv[0] = 'check-invariants'
try:
    from check_invariants.__main__ import main
except ImportError:
    from check_invariants.main import main
main()
"""

#: a model file for a tree of any age: what the language called otherwise once is given its present name
_MODEL = """
from draincheck.expr import EnumExpr
from draincheck.system import EnumVar
if not hasattr(EnumExpr, "named"):
    EnumVar.to = EnumVar.set
    EnumExpr.named = lambda self, name: EnumExpr("const", (), self.sort, self.sort.encode(name))
import {module}
def subject():
    return {module}.{call}
"""


class Tool(Struct, frozen=True):
    """Something that searches.

    Attributes:
        version: which; "" if it is not here.
        install: how to get it.
        command: what to call in a folder of its own, into which it writes what that needs; None if it has no model of a subject.
        environment: what the command finds in its environment.
        threads: processors that it may use; 0: all there are.
        is_limited: its addresses may be limited.
        patience: seconds that it is given at most.
        reduces: it looks at fewer states, so that its count is its own.
    """

    name: str
    version: str
    install: str
    command: Callable[[Subject, Path], Sequence[str] | None]
    environment: Mapping[str, str] = {}
    threads: int = 0
    is_limited: bool = True
    patience: float = inf
    reduces: bool = False

    def counts(self, output: str) -> tuple[int, int]:
        """States and transitions, as the tool has printed them last; zero for what it does not say."""
        states = _last(r"(\d+) (?:states, (?:stored|\d)|distinct states found|rows)", output)
        return states, _last(r"(\d+) (?:transitions|rules fired|states generated)", output)


def _last(pattern: str, text: str) -> int:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def tools(folder: Path) -> list[Tool]:
    """All of them; trees of the past are laid out in a folder."""
    return [*_ours(), *(_past(revision, folder) for revision in REVISIONS), *_peers()]


# -- ours -------------------------------------------------------------------------------------------


def _ours() -> list[Tool]:
    here, native = version("check-invariants"), _package("llvmlite")
    compiled = native and f"{here}, llvmlite {native}"
    get_native = "pip install 'check-invariants[native]'"
    models = {"PYTHONPATH": os.pathsep.join([str(ROOT / "benchmarks"), os.environ.get("PYTHONPATH", "")])}
    return [
        Tool("native-1", compiled, get_native, _by("native"), models, threads=1),
        Tool("native-2", compiled, get_native, _by("native"), models, threads=2),
        Tool("python", here, "", _by("python"), models, threads=1),
        Tool("check-invariants", here, "", _of_all_states, models),
        Tool("reduced", compiled, get_native, _reduced, models, reduces=True),
        Tool("interpreter", here, "", _interpreter, threads=1, patience=60),
    ]


def _by(engine: str) -> Callable[[Subject, Path], Sequence[str] | None]:
    def command(subject: Subject, folder: Path) -> Sequence[str] | None:
        found = _command(subject, folder) if subject.numbers else None
        return found and [*found, "--engine", engine]

    return command


def _of_all_states(subject: Subject, folder: Path) -> Sequence[str]:
    """The command as it is, but for reductions: tools are compared on the same states."""
    found = _command(subject, folder)
    return [*found, "--reductions", "none"] if subject.numbers else found


def _reduced(subject: Subject, folder: Path) -> Sequence[str] | None:
    """The command where the model says which of its components are alike."""
    if subject.part != "family":
        return None
    sizes = ", ".join(map(str, subject.numbers))
    arguments = _checked(folder, "event_loop_family", f"event_loop({sizes}, alike=True)")
    return [sys.executable, "-c", _START, *arguments, "--reductions", "both"]


def _interpreter(subject: Subject, folder: Path) -> Sequence[str] | None:
    return _alone("interpreter", subject.part, *subject.numbers) if subject.numbers else None


def _alone(*arguments: object) -> Sequence[str]:
    return [sys.executable, "-m", "benchmarks.alone", *map(str, arguments)]


def _command(subject: Subject, folder: Path) -> Sequence[str]:
    """A command of ours, as a user calls it; those of the past know no sizes."""
    return [sys.executable, "-c", _START, *_arguments(subject, folder)]


def _arguments(subject: Subject, folder: Path) -> Sequence[str]:
    match subject.part, *subject.numbers:
        case "mirror", int(writes), int(jobs):
            return [*CHECK, "--writes", str(writes), "--jobs", str(jobs)]
        case "family", int(devices), int(slots):
            return _checked(folder, "event_loop_family", f"event_loop({devices}, {slots})")
        case "narrow", int(last):
            return _checked(folder, "narrow", f"narrow({last})")
        case _:
            return COMMANDS[subject.name]


def _checked(folder: Path, module: str, call: str) -> Sequence[str]:
    file = folder / "subject.py"
    file.write_text(_MODEL.format(module=module, call=call), encoding="utf-8")
    return ["check", f"{file}:subject"]


def _past(revision: str, folder: Path) -> Tool:
    """Our own past, from the repository."""
    git = ["git", "-C", str(ROOT), "archive", revision]
    archive = subprocess.run(git, capture_output=True, check=False) if shutil.which("git") else None
    if archive is None or archive.returncode:
        return Tool(revision, "", f"git fetch of the whole history: {revision} is not in this repository", _command)
    tree = folder / revision
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as tar:
        tar.extractall(tree, filter="data")
    what, parts = REVISIONS[revision]

    def command(subject: Subject, folder: Path) -> Sequence[str] | None:
        return _command(subject, folder) if subject.part in parts else None

    path = os.pathsep.join([*(str(tree / part) for part in ("model", "specs", "cli")), str(ROOT / "benchmarks")])
    return Tool(revision, f"the last before {what}", "", command, {"PYTHONPATH": path})


# -- peers ------------------------------------------------------------------------------------------


def _peers() -> list[Tool]:
    pip = "pip install 'check-invariants[bench]'"
    jar = os.environ.get("TLC_JAR", "")
    has_tlc = Path(jar).is_file() and shutil.which("java")
    return [
        Tool("spin", _program("spin", "-V", "gcc"), "apt-get install spin gcc", _spin),
        Tool("minicheck", _package("minicheck"), pip, _minicheck),
        Tool("Storm", _package("stormpy"), pip, _storm),
        Tool("Rumur", _program("rumur", "--version", "gcc"), "apt-get install rumur gcc", _rumur),
        Tool("TLC", jar if has_tlc else "", "TLC_JAR=.../tla2tools.jar in the environment, and java", _tlc, is_limited=False),
    ]  # fmt: skip


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _program(name: str, asks: str, *others: str) -> str:
    if not all(map(shutil.which, (name, *others))):
        return ""
    said = subprocess.run([name, asks], capture_output=True, text=True, check=False)
    return (said.stdout or said.stderr).strip().splitlines()[0]


def _spin(subject: Subject, folder: Path) -> Sequence[str] | None:
    """Spin, its compiler included; the mirror job is given to it by our own export, before the clock runs."""
    exported = subject.part == "mirror"
    text = _exported(subject) if exported else _text(subject, promela.event_loop, promela.narrow)
    return text and _shell(
        folder,
        "model.pml",
        text,
        "spin -a model.pml && gcc -O2 -DBFS -DSAFETY -DNOREDUCE -w -o pan pan.c"
        f" && ./pan -m1000000 {'-c0 ' * exported}> out; cat out"
        f" && grep -q '{'states, stored' if exported else 'errors: 0'}' out && ! grep -qE 'error: max|out of memory' out",
    )


def _exported(subject: Subject) -> str:
    arguments = ["model", "export", "--format", "promela", *_arguments(subject, Path())[1:]]
    command = [sys.executable, "-c", _START, *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout


def _rumur(subject: Subject, folder: Path) -> Sequence[str] | None:
    text = _text(subject, murphi.event_loop, murphi.narrow)
    return text and _shell(
        folder,
        "model.m",
        text,
        "rumur --quiet --threads 1 --deadlock-detection off -o model.c model.m"
        f" && gcc -O3 {'-march=native -mcx16 ' * (platform.machine() == 'x86_64')}-w -o model model.c -lpthread && ./model",
    )


def _tlc(subject: Subject, folder: Path) -> Sequence[str] | None:
    text = _text(subject, tla.event_loop, tla.narrow)
    (folder / "model.cfg").write_text(tla.CONFIGURATION, encoding="utf-8")
    java = 'java -XX:+UseParallelGC -Xmx12g -cp "$TLC_JAR" tlc2.TLC -workers 2 -deadlock -metadir "$(mktemp -d -p .)" model'
    return text and _shell(folder, "model.tla", text, java)


def _storm(subject: Subject, folder: Path) -> Sequence[str] | None:
    text = _text(subject, prism.event_loop, prism.narrow)
    if text is None:
        return None
    file = folder / "model.prism"
    file.write_text(text, encoding="utf-8")
    return _alone("storm", file)


def _minicheck(subject: Subject, folder: Path) -> Sequence[str] | None:
    return _alone("minicheck", subject.part, *subject.numbers) if subject.part in ("family", "narrow") else None


def _text(subject: Subject, family: Callable[[int, int], str], narrow: Callable[[int], str]) -> str | None:
    """What a peer is given of a subject; None if there is nothing."""
    match subject.part, *subject.numbers:
        case "family", int(devices), int(slots):
            return family(devices, slots)
        case "narrow", int(last):
            return narrow(last)
        case _:
            return None


def _shell(folder: Path, name: str, text: str, script: str) -> Sequence[str]:
    """Commands in the folder where a text stands in a file."""
    (folder / name).write_text(text, encoding="utf-8")
    return ["sh", "-c", f"cd '{folder}' && {script}"]
