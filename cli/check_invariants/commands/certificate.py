"""`check-invariants certificate`: have certificates checked by a solver."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred

#: seconds for one query: the slowest of the default matrix take two
TIMEOUT = 60.0


@click.group("certificate")
def command() -> None:
    """Have certificates checked by a solver."""


@command.command("check", cls=Deferred)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=options.ExistingFile())
@click.option("--solver", type=click.Choice(["z3", "cvc5", "both"]), default="z3", show_default=True)
@options.own_model
@options.timeout("Time for each query.", TIMEOUT)
@click.option(
    "--matrix", is_flag=True, help="Also demand that nothing is missing: every verdict of the default matrix."
)
@options.processes_or_jobs
@options.as_json
def check_files() -> None:
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
