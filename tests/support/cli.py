"""The command line as a user calls it, in this process."""

from __future__ import annotations

from click.testing import CliRunner, Result

from check_invariants.main import cli


def run(*arguments: str) -> Result:
    """A command that was run: its exit code and what it printed."""
    return CliRunner().invoke(cli, arguments, prog_name="check-invariants")
