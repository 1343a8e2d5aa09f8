"""`check-invariants certificate`: have certificates checked by a solver."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from check_invariants.exit import ExitCode, MalformedInput, worst
from check_invariants.options import json_option
from check_invariants.output import counted, emit, emit_json

if TYPE_CHECKING:
    from draincheck.certificate import CertificateVerdict

__all__ = ["command"]


@click.group("certificate")
def command() -> None:
    """Have certificates checked by a solver."""


@command.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False))
@click.option("--solver", type=click.Choice(["z3", "cvc5", "both"]), default="z3", show_default=True)
@json_option
@click.pass_context
def check_files(ctx: click.Context, /, *, files: Sequence[str], solver: str, as_json: bool) -> None:
    """Check certificates that `prove` has written.

    The model is made again from what the file names, and initial states, actions and properties are compared with the
    file's before any solver is asked; then each query has to be unsatisfiable. cvc5 comes with the extra `[cvc5]`.

    \b
    Exit codes: 0 all accepted; 14 one is rejected; 150 a file is malformed; 2 wrong arguments, or the
    solver is not installed.

    \b
    Example: check-invariants certificate check 9a0cec664e.smt2 --solver both
    """
    solvers = ("z3", "cvc5") if solver == "both" else (solver,)
    found = [(file, _checked(file, name)) for file in files for name in solvers]
    code = worst(ExitCode.OK if verdict.accepted else ExitCode.DIVERGED for _, verdict in found)
    if as_json:
        emit_json("certificate", {"files": [_json(*item) for item in found], "exit_code": int(code)})
    else:
        emit("".join(_text(*item) for item in found))
    ctx.exit(code)


def _checked(file: str, solver: str) -> CertificateVerdict:
    """Make the model again and check. Raises MalformedInput or UsageError."""
    from check_invariants.judge import compiled
    from check_invariants.selection import select_from_source
    from draincheck.certificate import CertificateError, check, read

    try:
        certificate = read(Path(file).read_text(encoding="utf-8"))
    except (CertificateError, UnicodeDecodeError) as error:
        raise MalformedInput(f"{file}: {error}") from error
    source: Any = dict(certificate.header.source)
    system = compiled(select_from_source(source or None))
    try:
        return check(certificate, system, solver)
    except CertificateError as error:
        raise click.UsageError(f"{file}: {error}") from error


def _text(file: str, verdict: CertificateVerdict) -> str:
    names = ", ".join(verdict.properties)
    if not verdict.accepted:
        return f"{file}: REJECTED ({verdict.solver}): {verdict.reason}\n"
    return f"{file}: accepted by {verdict.solver}, {counted(verdict.queries, 'query').replace('querys', 'queries')}: {names}\n"


def _json(file: str, verdict: CertificateVerdict) -> dict[str, Any]:
    return {
        "file": file,
        "solver": verdict.solver,
        "accepted": verdict.accepted,
        "reason": verdict.reason,
        "properties": list(verdict.properties),
        "queries": verdict.queries,
    }
