"""The exit status, in one place: the table, which one wins, what results come to, and the errors that carry one.

The numbers are TLC's where TLC has a meaning for them, and keep clear of 1, with which Python ends on an accident.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

import click

from check_invariants.interrupts import exit_number

if TYPE_CHECKING:
    from draincheck.certificate import CertificateVerdict
    from draincheck.errors import SourceLine
    from draincheck.properties import Breach
    from draincheck.qemulog.log import ReadLog
    from draincheck.reason import Stop
    from draincheck.subject import Expectation
    from draincheck.verdict import Outcome

__all__ = [
    "DEBUG",
    "Diverged",
    "EmptySelection",
    "ExitCode",
    "InternalError",
    "Interrupted",
    "LimitReached",
    "MalformedInput",
    "Misconfigured",
    "NeedsModel",
    "NoCommand",
    "NotWritable",
    "Terminated",
    "cut_short",
    "ending",
    "interrupted",
    "more",
    "of_answer",
    "of_certificate",
    "of_comparison",
    "of_log",
    "of_stop",
    "of_verdict",
    "worst",
]


#: set to anything: an internal error shows its Python traceback
DEBUG = "CHECK_INVARIANTS_DEBUG"


class ExitCode(IntEnum):
    """What a run came to. `meaning` is one line for people."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> ExitCode:
        """A number with its meaning."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    @classmethod
    def of(cls, error: click.ClickException) -> ExitCode:
        """The one that an error ends with."""
        return next(code for code in cls if int(code) == error.exit_code)

    INTERNAL = 255, "internal error of check-invariants"
    MALFORMED = 150, "a model, trace or log file is malformed"
    CONFIGURATION = 151, "a configuration file is malformed"
    USAGE = 2, "wrong arguments, or an output that cannot be written"
    TERMINATED = 143, "interrupted by SIGTERM: what was not decided is unknown"
    INTERRUPTED = 130, "interrupted: what was not decided is unknown"
    VIOLATED = 12, "a safety property is violated, or a log shows a broken window"
    LIVENESS = 13, "a liveness property is violated"
    DEADLOCK = 11, "a deadlock, or a goal that is out of reach"
    DIVERGED = (
        14,
        "a trace does not belong to the model it names, model and core part ways, or a log shows another abort",
    )
    DIFFERENT = (
        10,
        "an expectation or a pinned count differs, a property was never asked, the model of a code base is at fault, "
        "nothing good is reachable, nothing was selected, or two traces differ",
    )
    INCONCLUSIVE = 30, "a limit was reached first, or a log lacks what it takes: unknown"
    OK = 0, "nothing is wrong: what was named holds, or every verdict is as expected"


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """The code to end with: the first of them in the order of `ExitCode`; OK if there are none."""
    order = list(ExitCode)
    return min(codes, key=order.index, default=ExitCode.OK)


#: `Breach` -> what it comes to where nothing was expected
_BREACHES = {
    "safety": ExitCode.VIOLATED,
    "liveness": ExitCode.LIVENESS,
    "stuck": ExitCode.DEADLOCK,
    "vacuous": ExitCode.DIFFERENT,
    "bound": ExitCode.INCONCLUSIVE,
}


def of_verdict(outcome: Outcome, breach: Breach, expectation: Expectation | None = None) -> ExitCode:
    """What a verdict comes to: compared with what is expected; where nothing is, the verdict itself decides."""
    if outcome.value == "unknown":
        return ExitCode.INCONCLUSIVE
    if expectation is not None:
        return of_comparison(outcome is expectation.outcome)
    if outcome.value == "never asked":
        return ExitCode.DIFFERENT
    return ExitCode.OK if outcome.value == "holds" else _BREACHES[breach.value]


def of_answer(outcome: Outcome, breach: Breach, matters: bool, expectation: Expectation | None = None) -> ExitCode:
    """What a verdict on a named code base or model comes to: the verdict itself decides if it `matters`, and another than expected is wrong."""
    if outcome.value == "never asked" and (matters or expectation is not None):
        return of_verdict(outcome, breach, expectation)
    if outcome.value == "never asked":
        return ExitCode.OK
    itself = of_verdict(outcome, breach)
    if itself is ExitCode.INCONCLUSIVE:
        return itself
    as_expected = expectation is None or outcome is expectation.outcome
    return worst([itself if matters else ExitCode.OK, of_comparison(as_expected)])


def of_comparison(as_expected: bool, unknown: bool = False) -> ExitCode:
    """What comes of comparing something with what is expected of it; `unknown`: it could not be decided."""
    return ExitCode.INCONCLUSIVE if unknown else ExitCode.OK if as_expected else ExitCode.DIFFERENT


def of_certificate(verdict: CertificateVerdict) -> ExitCode:
    """What the check of a certificate comes to."""
    if verdict.accepted:
        return ExitCode.OK
    return ExitCode.INCONCLUSIVE if verdict.undecided else ExitCode.DIVERGED


#: what became of a switch of a disk in a log -> what it comes to
_LOGGED = {
    "loss": ExitCode.VIOLATED,
    "assert": ExitCode.VIOLATED,
    "broken": ExitCode.VIOLATED,
    "other abort": ExitCode.DIVERGED,
    "cannot tell": ExitCode.INCONCLUSIVE,
    "held": ExitCode.OK,
    "clean": ExitCode.OK,
}


def of_log(log: ReadLog) -> ExitCode:
    """What a log of QEMU comes to: the worst of its switches; without any it is no pass."""
    codes = [_LOGGED[pivot.judgement.value] for pivot in log.report.pivots] or [ExitCode.INCONCLUSIVE]
    return worst([*codes, *([ExitCode.MALFORMED] if log.tally.misprints else [])])


def ending(codes: Iterable[ExitCode], stop: Stop | None = None) -> ExitCode:
    """What several results come to; `stop`: what kept others from being there."""
    return worst([*codes, *([] if stop is None else [of_stop(stop)])])


def of_stop(stop: Stop) -> ExitCode:
    """What it comes to that something was stopped."""
    return _of_request() if stop.kind.name == "REQUEST" else ExitCode.INCONCLUSIVE


def _of_request() -> ExitCode:
    """What a run comes to that somebody did not wait for."""
    return ExitCode.TERMINATED if exit_number() == int(ExitCode.TERMINATED) else ExitCode.INTERRUPTED


class EmptySelection(click.ClickException):
    """The options select nothing to check."""

    exit_code = ExitCode.DIFFERENT


class Diverged(click.ClickException):
    """A trace that its model does not follow."""

    exit_code = ExitCode.DIVERGED


class LimitReached(click.ClickException):
    """Something is too large for what was asked, or a search stopped before it knew."""

    exit_code = ExitCode.INCONCLUSIVE


class NotWritable(click.ClickException):
    """An output that cannot be written; what was there before still is."""

    exit_code = ExitCode.USAGE


class Interrupted(click.ClickException):
    """Ctrl-C; the message says what had been decided."""

    exit_code = ExitCode.INTERRUPTED


class Terminated(Interrupted):
    """SIGTERM; the message says what had been decided."""

    exit_code = ExitCode.TERMINATED


def interrupted(message: str) -> Interrupted:
    """The error for a run that somebody did not wait for."""
    return (Terminated if _of_request() is ExitCode.TERMINATED else Interrupted)(message)


def cut_short(stop: Stop, words: str) -> click.ClickException:
    """The error for what has no result before its end, and was stopped; the words say what there is."""
    kind = LimitReached if of_stop(stop) is ExitCode.INCONCLUSIVE else interrupted
    return kind(f"{stop}: {words}{more(stop)}")


def more(stop: Stop) -> str:
    """Which option lets a stopped command do more, with the punctuation before it; nothing where none does."""
    option = {"STATES": "--max-states", "SECONDS": "--timeout", "MEMORY": "--max-memory"}.get(stop.kind.name)
    return f"; a larger {option} may decide more" if option else ""


class NoCommand(click.UsageError):
    """A word where a command belongs, and those that there are."""

    def __init__(self, word: str, known: Sequence[str], ctx: click.Context) -> None:
        self.word, self.known = word, known
        super().__init__(f"{word!r} is no command", ctx)


class InternalError(click.ClickException):
    """A bug of this program."""

    exit_code = ExitCode.INTERNAL


class NeedsModel(click.UsageError):
    """A file about a program: files may come from anywhere, and no program is run that the user has not named; `named` are the options that do."""

    def __init__(self, message: str, named: str) -> None:
        super().__init__(f"{message}: add {named}")
        self.said, self.named = message, named


class MalformedInput(click.ClickException):
    """A model or trace file that cannot be used; the message says where and why."""

    exit_code = ExitCode.MALFORMED


class Misconfigured(click.ClickException):
    """A configuration that cannot be used: why, and on which line of it, if that is known."""

    exit_code = ExitCode.CONFIGURATION

    def __init__(self, message: str, line: SourceLine | None = None) -> None:
        self.line = line
        super().__init__(message if line is None else f"{line}: {message}")
