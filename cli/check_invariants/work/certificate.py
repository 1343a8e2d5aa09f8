"""`check-invariants certificate`: what it does and shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from check_invariants.claimed import claimed
from check_invariants.exit import ExitCode, Interrupted, MalformedInput, of_certificate, worst
from check_invariants.judge import compiled
from check_invariants.output import counted, until_interrupted
from check_invariants.selection import load_model, select_from_source
from draincheck.certificate import CertificateVerdict, Header
from draincheck.errors import NoSolver
from draincheck.solvers import demand
from draincheck.system import TransitionSystem

__all__ = ["CheckedFile", "check_all", "check_one", "demand_all", "summary_of", "to_json", "to_text", "uncovered_by"]


class CheckedFile(Struct, frozen=True):
    """What came of a file.

    Attributes:
        file: its path.
        header: what it says of itself; None if that cannot be read.
        verdicts: what came of it with each solver.
        problem: why no check was possible, "" if one was.
        code: the exit code that makes.
    """

    file: str
    header: Header | None
    verdicts: Sequence[CertificateVerdict]
    problem: str
    code: ExitCode

    @property
    def word(self) -> str:
        """What came of it, in a word."""
        words = {ExitCode.OK: "accepted", ExitCode.DIVERGED: "rejected", ExitCode.INCONCLUSIVE: "undecided"}
        return words.get(self.code, "malformed" if self.code is ExitCode.MALFORMED else "not checked")


def demand_all(solvers: Iterable[str]) -> None:
    """Raise UsageError unless all these solvers are there."""
    try:
        for solver in solvers:
            demand(solver)
    except NoSolver as error:
        raise click.UsageError(str(error)) from error


def check_all(files: Sequence[str], work: partial[CheckedFile], jobs: int | None) -> list[CheckedFile]:
    """Check the files, in several processes. Raises Interrupted."""
    from drainspecs.suite.pool import in_processes

    found, stopped = until_interrupted(in_processes(work, files, jobs), "certificates checked", len(files))
    if stopped:
        raise Interrupted(f"interrupted: {len(found)} of {len(files)} certificates were checked")
    return found


def check_one(file: str, *, solvers: Sequence[str], model: str | None, seconds: float) -> CheckedFile:
    """Make the model again, and check a file."""
    from draincheck.certificate import check, read
    from draincheck.errors import CertificateError

    try:
        certificate = read(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        return CheckedFile(file, None, (), f"it cannot be read: {error.strerror}", ExitCode.MALFORMED)
    except (CertificateError, UnicodeDecodeError) as error:
        return CheckedFile(file, None, (), str(error), ExitCode.MALFORMED)
    try:
        system = _system_of(certificate.header.source) if model is None else _system_named(model)
    except _NeedsModelError as error:
        return CheckedFile(file, certificate.header, (), str(error), ExitCode.USAGE)
    except MalformedInput as error:
        return CheckedFile(file, certificate.header, (), error.message, ExitCode.MALFORMED)
    verdicts = [check(certificate, system, solver, seconds) for solver in solvers]
    return CheckedFile(file, certificate.header, verdicts, "", worst(map(of_certificate, verdicts)))


class _NeedsModelError(Exception):
    """A certificate about a program that the user has to name."""


def _system_of(source: Mapping[str, Any]) -> TransitionSystem:
    """The system that a header's source names, made again. Raises MalformedInput if it names none that can be made.

    A user's model is a program. A certificate may come from anywhere, so that it names a program is no reason to run it: raises
    _NeedsModelError.
    """
    if "file" in source:
        name = f"{source['file']}:{source.get('function', '')}"[:100]
        raise _NeedsModelError(
            f"it is about a program, {name!a}, which is run only if you name it: add --model MODEL.py:FUNCTION"
        )
    return compiled(select_from_source(source or None, "certificate"))


def _system_named(model: str) -> TransitionSystem:
    """The user's model; raises BadParameter or MalformedInput."""
    return compiled(load_model(model))


def uncovered_by(found: Sequence[CheckedFile], jobs: int | None) -> list[str]:
    """The verdicts of the default matrix that need a certificate, and that no accepted one is about."""
    from drainspecs.suite.certificates import uncovered
    from drainspecs.suite.matrix import decide_all, default_rows

    headers: dict[str, list[Header]] = {}
    for item in found:
        if item.header is not None and item.code is ExitCode.OK:
            headers.setdefault(item.header.digest, []).append(item.header)
    rows = default_rows()
    results, stopped = until_interrupted(decide_all(rows, jobs), "rows decided", len(rows))
    if stopped:
        raise Interrupted(f"interrupted: only {len(results)} of {len(rows)} rows were compared with the certificates")
    return uncovered(results, headers)


# -- what it shows ---------------------------------------------------------------------------------


def to_text(item: CheckedFile) -> str:
    """What came of a file, in a line for each reason."""
    if item.code is ExitCode.OK and item.header is not None:
        solvers = " and ".join(verdict.solver for verdict in item.verdicts)
        asked = item.verdicts[0].queries
        queries = f"{asked} {'query' if asked == 1 else 'queries'}"
        return f"{item.file}: accepted by {solvers} ({queries}): {claimed(item.header.claims)} in {item.header.model}\n"
    reasons = [verdict.reason for verdict in item.verdicts if not verdict.accepted]
    return "".join(
        f"{item.file}: {item.word.upper()}: {reason}\n" for reason in dict.fromkeys(reasons or [item.problem])
    )


def summary_of(found: Sequence[CheckedFile], solvers: Sequence[str], complete: bool) -> str:
    """What came of all of them, in a line."""
    tally = Counter(item.word for item in found)
    words = [f"{number} {word}" for word, number in tally.items()]
    asked = sum(verdict.queries for item in found for verdict in item.verdicts)
    end = "; every verdict of the default matrix that needs a certificate has one" if complete else ""
    return f"{counted(len(found), 'certificate')}, {' and '.join(solvers)}: {', '.join(words)}; {asked} queries answered{end}\n"


def to_json(item: CheckedFile) -> dict[str, Any]:
    """What came of a file, as JSON values."""
    header = item.header
    return {
        "file": item.file,
        "outcome": item.word,
        "model": None if header is None else header.model,
        "claims": [] if header is None else [{"property": c.property, "verdict": c.verdict} for c in header.claims],
        "problem": item.problem,
        "solvers": [
            {
                "solver": verdict.solver,
                "accepted": verdict.accepted,
                "undecided": verdict.undecided,
                "reason": verdict.reason,
                "queries": verdict.queries,
            }
            for verdict in item.verdicts
        ],
    }
