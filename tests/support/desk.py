"""The desk of somebody who follows a page: a folder in which files are written, commands typed in and programs run."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.cli import run
from tests.support.house import ROOT
from tests.support.pages import Command, File, Program, Session, Step
from tests.support.processes import COMMAND

__all__ = ["Desk", "NotAsShown", "fits"]

#: where the programs are that come with Python packages, and the modules of this process
BESIDE, MODULES = Path(sys.executable).parent, os.pathsep.join(filter(None, sys.path))
#: what makes a line one for a shell
SHELL = re.compile(r"[|<>;&$]")


class NotAsShown(AssertionError):
    """What a page shows is not what happens: where, what it shows, and what came."""


class Desk(NamedTuple):
    """A folder, the current one, with the examples of the project in it; and what has been defined at Python's prompt."""

    folder: Path
    names: dict[str, Any]

    @classmethod
    def laid(cls, folder: Path) -> Desk:
        """A new one, as after a fresh clone."""
        shutil.copytree(ROOT / "examples", folder / "examples")
        return cls(folder, {})

    def follow(self, steps: list[Step], slow: bool = False, parts: bool = False) -> None:
        """Do all of it in order; `slow`: also what takes long; `parts`: also what needs more than Python.

        Raises:
            NotAsShown: something else comes of a step than the page shows.
        """
        for step in steps:
            if (slow or not step.slow) and (parts or not step.needs):
                self._do(step)

    def _do(self, step: Step) -> None:
        match step.does:
            case File(name, text):
                (self.folder / name).write_text(text, encoding="utf-8")
            case Program(text):
                exec(compile(text, step.place, "exec"), {"__name__": "shown"})
            case Session(text):
                self._converse(step.place, text)
            case Command():
                self._type_in(step.place, step.does)

    def _converse(self, place: str, text: str) -> None:
        examples = doctest.DocTestParser().get_doctest(text, self.names, place, place, 0)
        report: list[str] = []
        if doctest.DocTestRunner(verbose=False).run(examples, out=report.append, clear_globs=False).failed:
            raise NotAsShown("".join(report))
        self.names.update(examples.globs)

    def _type_in(self, place: str, command: Command) -> None:
        code, printed = self.come_of(command.text)
        if code != command.code:
            raise NotAsShown(f"{place}: {command.text}\nends with {code}, not with {command.code}:\n{printed[-2000:]}")
        if command.printed is not None and not fits(command.printed, printed):
            raise NotAsShown(f"{place}: {command.text}\nprints\n{printed}\nand not\n{command.printed}")

    def come_of(self, text: str) -> tuple[int, str]:
        """The exit code of a command, and what it prints: in this process, or in a shell's where the line needs one."""
        if SHELL.search(re.sub(r"'[^']*'|\"[^\"$]*\"", "", text)) or not text.startswith("check-invariants"):
            return self._in_shell(text)
        result = run(*(name for word in shlex.split(text)[1:] for name in self._expanded(word)))
        return result.exit_code, result.output

    def _expanded(self, word: str) -> Iterator[str]:
        """A word, or the files that it is a pattern of."""
        found = sorted(str(path.relative_to(self.folder)) for path in self.folder.glob(word)) if "*" in word else []
        yield from found or [word]

    def _in_shell(self, text: str) -> tuple[int, str]:
        program = f'check-invariants() {{ {shlex.join(COMMAND)} "$@"; }}\n'
        done = subprocess.run(
            ["bash", "-c", program + text],
            cwd=self.folder,
            env={**os.environ, "PATH": f"{BESIDE}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": MODULES},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout


def fits(shown: str, printed: str) -> bool:
    """Whether this is what was printed, nothing left out but where `...` says so."""
    pattern = "".join(_line_pattern(line) for line in shown.splitlines())
    return re.fullmatch(pattern, "".join(f"{line.rstrip()}\n" for line in printed.splitlines())) is not None


def _line_pattern(line: str) -> str:
    if line.strip() == "...":
        return r"(?:.*\n)*?"
    return r".*".join(re.escape(part) for part in line.rstrip().split("...")) + r"\n"
