"""One input, tried in this process or in one of its own: what is wrong with how the command takes it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import chdir, contextmanager, nullcontext
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import FrameType
from typing import NoReturn
from xml.etree import ElementTree

import click
import pytest

from check_invariants.deferred import Deferred
from check_invariants.exit import ExitCode
from tests.fuzz.formats import EARLIER, FORMATS, LONG_WORK, REPORTS, WHOLE
from tests.support.cli import run
from tests.support.processes import COMMAND

__all__ = ["trial"]

#: seconds that an input may take: a hundred times what any does
LIMIT = 120

#: the codes that a run may end with
DOCUMENTED = {int(code) for code in ExitCode} - {ExitCode.INTERNAL}


class _HangsError(BaseException):
    """An input that takes too long."""


def trial(name: str, number: int, alone: bool = False) -> str:
    """What is wrong with the input of this number, "" if nothing is; always the same one. `alone`: in a process of its own."""
    random = Random(f"{name} {number}")
    with TemporaryDirectory() as folder, chdir(folder):
        arguments = FORMATS[name](random, Path(folder))
        if alone and not _is_for_a_process(arguments):
            return ""
        try:
            code, said = _alone(arguments) if alone else _here(arguments, whole=name in WHOLE)
            wrong = _wrong(code, said) or _wrong_reports(arguments, code)
        except (_HangsError, subprocess.TimeoutExpired):
            wrong = f"takes more than {LIMIT} s"
        return wrong and f"{name} {number}: {arguments}: {wrong}"


def _here(arguments: Sequence[str], whole: bool) -> tuple[int, str]:
    with _in_time() as hangs, nullcontext() if whole else _without_long_work():
        result = run(*arguments)
    if hangs:
        raise _HangsError  # whatever was made of it in between
    return result.exit_code, result.stdout + result.stderr


def _wrong(code: int, said: str) -> str:
    if code not in DOCUMENTED or "Traceback (most recent call last)" in said:
        return f"code {code}: {said[-2_000:]}"
    return ""


def _wrong_reports(arguments: Sequence[str], code: int) -> str:
    """A report that was asked for and is the earlier one, cannot be read, or is green without reason."""
    asked = [file for option, file in pairwise(arguments) if REPORTS.get(option) == file and arguments.count(file) == 1]
    for file in asked:
        text = Path(file).read_text(encoding="utf-8")
        if text == EARLIER or _is_green(file, text) is not (code == 0):
            return f"code {code}, and {file} says {text[:2_000]}"
    return ""


def _is_green(file: str, text: str) -> bool:
    """Whether a report has nothing to look at; raises an error for one that cannot be read."""
    match file:
        case "j.xml":
            root = ElementTree.fromstring(text)
            return not [*root.iter("failure"), *root.iter("error")]
        case "s.json":
            return not json.loads(text)["runs"][0]["results"]
        case "g.json":
            return not json.loads(text)
        case _:
            return text[:4] not in ("## ❌", "## ❓", "## 💥", "## 🔧")


def _is_for_a_process(arguments: Sequence[str]) -> bool:
    """Whether it can be given to a process, and would not take long there."""
    takes_long = arguments[0] in LONG_WORK and arguments[:2] != ["gate", "drain-gate.toml"]
    return not takes_long and not any("\0" in word for word in arguments)


def _alone(arguments: Sequence[str]) -> tuple[int, str]:
    words = [word.encode(errors="surrogatepass") for word in [*COMMAND, *arguments]]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, env=environment, check=False
    )
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


@contextmanager
def _in_time() -> Generator[list[bool]]:
    """Raise _HangsError in what takes too long; the list says whether it did."""
    hangs: list[bool] = []

    def late(number: int, frame: FrameType | None) -> None:
        hangs.append(True)
        raise _HangsError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LIMIT)
    try:
        yield hangs
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _without_long_work() -> Generator[None]:
    """What takes long is asked no more than whether it understands its options."""
    invoke = Deferred.invoke

    def short(self: Deferred, ctx: click.Context) -> NoReturn:
        assert self.callback is not None
        if self.callback.__module__.rpartition(".")[2] in LONG_WORK:
            ctx.exit(ExitCode.OK)
        invoke(self, ctx)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Deferred, "invoke", short)
        yield
