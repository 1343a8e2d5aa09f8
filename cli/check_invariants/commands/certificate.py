"""`check-invariants certificate`: have certificates checked by a solver."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from check_invariants.exit import of_comparison, worst
from check_invariants.options import jobs_option, json_option
from check_invariants.output import emit, emit_json

if TYPE_CHECKING:
    pass

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
    from check_invariants.work.certificate import (
        check_all,
        check_one,
        demand_all,
        summary_of,
        to_json,
        to_text,
        uncovered_by,
    )

    solvers = ("z3", "cvc5") if solver == "both" else (solver,)
    demand_all(solvers)
    work = partial(check_one, solvers=solvers, model=model, seconds=timeout)
    found = check_all(files, work, 1 if model else jobs)
    missing = uncovered_by(found, jobs) if matrix else []
    codes = [item.code for item in found]
    code = worst([*codes, of_comparison(not missing)])
    if as_json:
        document = {"files": [to_json(item) for item in found], "missing": missing, "exit_code": int(code)}
        emit_json("certificate", document)
    else:
        emit("".join(map(to_text, found)) + "".join(f"NO CERTIFICATE: {line}\n" for line in missing))
        emit(summary_of(found, solvers, matrix and not missing) if len(found) > 1 or matrix else "")
    ctx.exit(code)
