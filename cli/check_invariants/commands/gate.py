"""`check-invariants gate`: what is expected and pinned, of a project's models or of the built-in story, for CI."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("gate", cls=Deferred)
@click.argument("config", required=False, metavar="[CONFIG]")
@click.option("--list", "as_list", is_flag=True, help="Show what would be checked. No model is run.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the configuration.")
@click.option("--no-replay", is_flag=True, help="Do not execute counterexamples of code bases on the reference core.")
@click.option("--built-in", is_flag=True, help="The built-in story, whatever is configured here.")
@click.option(
    "--quick",
    is_flag=True,
    help="Of the built-in story only the five default scenarios, with GSources in the order of attachment. Where something is "
    "configured, --built-in has to stand beside it.",
)
@click.option(
    "--pin",
    is_flag=True,
    help="Write the counts of the built-in story that were found as the ones to expect from now on (counts.json).",
)
@options.processes_or_jobs
@options.budget
@options.reports
@options.as_json
def command() -> None:
    """Compare what is configured here, or else the built-in story, with what is expected: for CI.

    CONFIG is a TOML file: by default `drain-gate.toml` of the current folder, or the table `[tool.check-invariants]` of its
    pyproject.toml. It names models of the project's and code bases of QEMU's, with what is expected of them and pinned counts.
    Whatever differs is a line, with the command that shows it: another verdict, a property that was never asked, a limit, a model at
    fault, a counterexample that the reference core does not follow. The models of the configuration's folder are run, as pytest runs
    its tests; no others are.

    Without a configuration it is the built-in story: of every code base in every scenario, and with GSources in any order, every
    verdict, every exact count of states, transitions and depth, and what must happen in the end; QEMU's notify protocol; every claim.
    With --pin, counts that differ are written down instead (in a checkout; look at the change before you commit it).

    The last line says what was checked. Reports for others can be written at once, several in one run; they are red, with the error, if
    the gate is refused or does not come to its end.

    \b
    Exit codes: 0 no difference; 10 differences, or nothing was selected;
    14 model and core part ways; 30 a verdict was not reached; 150 a model is
    malformed; 151 the configuration is; 2 wrong arguments, or something cannot
    be written; 130 interrupted.

    \b
    Example: check-invariants gate drain-gate.toml --junit junit.xml --github
    """
