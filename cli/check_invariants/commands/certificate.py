"""`check-invariants certificate`: have certificates checked by a solver."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from check_invariants.claimed import claimed
from check_invariants.exit import ExitCode, Interrupted, MalformedInput, of_certificate, of_comparison, worst
from check_invariants.options import jobs_option, json_option
from check_invariants.output import counted, emit, emit_json, until_interrupted

if TYPE_CHECKING:
    from draincheck.certificate import CertificateVerdict, Header
    from draincheck.system import TransitionSystem

__all__ = ["command"]

#: seconds for one query: the slowest of the default matrix take two
TIMEOUT = 60.0


@click.group("certificate")
def command() -> None:
    """Have certificates checked by a solver."""


@command.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False))
@click.option("--solver", type=click.Choice(["z3", "cvc5", "both"]), default="z3", show_default=True)
@click.option(
    "--model",
    metavar="MODEL.py:FUNCTION",
    help="What the certificates should be about: a model of your own. It is run; what a certificate names never is.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=TIMEOUT,
    show_default=True,
    metavar="SECONDS",
    help="Time for each query.",
)
@click.option(
    "--matrix", is_flag=True, help="Also demand that nothing is missing: every verdict of the default matrix."
)
@jobs_option
@json_option
@click.pass_context
def check_files(
    ctx: click.Context,
    /,
    *,
    files: Sequence[str],
    solver: str,
    model: str | None,
    timeout: float,
    matrix: bool,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Check certificates that `prove` has written.

    A certificate is not trusted. The model is made again from the code base that the file names, and its definitions and
    the queries are compared with the file's before any solver is asked; the rest may only define the invariant; then each
    query has to be unsatisfiable. Read in the output which model an accepted certificate is about. cvc5 comes with the
    extra `[cvc5]`.

    \b
    Exit codes: 0 all accepted; 14 one is rejected; 10 with --matrix: a verdict has no certificate;
    30 a solver gave up; 150 a file is malformed; 2 wrong arguments, the solver is not installed, or a
    certificate is about a model of the user's and --model does not say which.

    \b
    Example: check-invariants certificate check 9a0cec664e-mirror.smt2 --solver both
       Also: check-invariants certificate check certificates/*.smt2 --solver both --matrix
    """
    solvers = ("z3", "cvc5") if solver == "both" else (solver,)
    _demand(solvers)
    work = partial(_checked, solvers=solvers, model=model, seconds=timeout)
    found = _all(files, work, 1 if model else jobs)
    missing = _uncovered(found, jobs) if matrix else []
    codes = [item.code for item in found]
    code = worst([*codes, of_comparison(not missing)])
    if as_json:
        document = {"files": [_json(item) for item in found], "missing": missing, "exit_code": int(code)}
        emit_json("certificate", document)
    else:
        emit("".join(map(_text, found)) + "".join(f"NO CERTIFICATE: {line}\n" for line in missing))
        emit(_summary(found, solvers, matrix and not missing) if len(found) > 1 or matrix else "")
    ctx.exit(code)


@dataclass(frozen=True, slots=True)
class _Checked:
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


def _demand(solvers: Iterable[str]) -> None:
    """Raise UsageError unless all these solvers are there."""
    from draincheck.errors import NoSolver
    from draincheck.solvers import demand

    try:
        for solver in solvers:
            demand(solver)
    except NoSolver as error:
        raise click.UsageError(str(error)) from error


def _all(files: Sequence[str], work: partial[_Checked], jobs: int | None) -> list[_Checked]:
    from drainspecs.suite.pool import in_processes

    found, stopped = until_interrupted(in_processes(work, files, jobs), "certificates checked", len(files))
    if stopped:
        raise Interrupted(f"interrupted: {len(found)} of {len(files)} certificates were checked")
    return found


def _checked(file: str, *, solvers: Sequence[str], model: str | None, seconds: float) -> _Checked:
    """Make the model again, and check a file."""
    from draincheck.certificate import CertificateError, check, read

    try:
        certificate = read(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        return _Checked(file, None, (), f"it cannot be read: {error.strerror}", ExitCode.MALFORMED)
    except (CertificateError, UnicodeDecodeError) as error:
        return _Checked(file, None, (), str(error), ExitCode.MALFORMED)
    try:
        system = _system_of(certificate.header.source) if model is None else _system_named(model)
    except _NeedsModelError as error:
        return _Checked(file, certificate.header, (), str(error), ExitCode.USAGE)
    except MalformedInput as error:
        return _Checked(file, certificate.header, (), error.message, ExitCode.MALFORMED)
    verdicts = [check(certificate, system, solver, seconds) for solver in solvers]
    return _Checked(file, certificate.header, verdicts, "", worst(map(of_certificate, verdicts)))


class _NeedsModelError(Exception):
    """A certificate about a program that the user has to name."""


def _system_of(source: Mapping[str, Any]) -> TransitionSystem:
    """The system that a header's source names, made again. Raises MalformedInput if it names none that can be made.

    A user's model is a program. A certificate may come from anywhere, so that it names a program is no reason to run it: raises
    _NeedsModelError.
    """
    from check_invariants.judge import compiled
    from check_invariants.selection import select_from_source

    if "file" in source:
        name = f"{source['file']}:{source.get('function', '')}"[:100]
        raise _NeedsModelError(
            f"it is about a program, {name!a}, which is run only if you name it: add --model MODEL.py:FUNCTION"
        )
    return compiled(select_from_source(source or None, "certificate"))


def _system_named(model: str) -> TransitionSystem:
    """The user's model; raises BadParameter or MalformedInput."""
    from check_invariants.judge import compiled
    from check_invariants.selection import load_model

    return compiled(load_model(model))


def _uncovered(found: Sequence[_Checked], jobs: int | None) -> list[str]:
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


# -- as text and as JSON ----------------------------------------------------------------------------


def _text(item: _Checked) -> str:
    if item.code is ExitCode.OK and item.header is not None:
        solvers = " and ".join(verdict.solver for verdict in item.verdicts)
        asked = item.verdicts[0].queries
        queries = f"{asked} {'query' if asked == 1 else 'queries'}"
        return f"{item.file}: accepted by {solvers} ({queries}): {claimed(item.header.claims)} in {item.header.model}\n"
    reasons = [verdict.reason for verdict in item.verdicts if not verdict.accepted]
    return "".join(
        f"{item.file}: {item.word.upper()}: {reason}\n" for reason in dict.fromkeys(reasons or [item.problem])
    )


def _summary(found: Sequence[_Checked], solvers: Sequence[str], complete: bool) -> str:
    tally = Counter(item.word for item in found)
    words = [f"{number} {word}" for word, number in tally.items()]
    asked = sum(verdict.queries for item in found for verdict in item.verdicts)
    end = "; every verdict of the default matrix that needs a certificate has one" if complete else ""
    return f"{counted(len(found), 'certificate')}, {' and '.join(solvers)}: {', '.join(words)}; {asked} queries answered{end}\n"


def _json(item: _Checked) -> dict[str, Any]:
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
