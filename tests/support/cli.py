"""The command line as a user calls it, in this process."""

from __future__ import annotations

from collections.abc import Mapping

from click.testing import CliRunner, Result

from check_invariants.main import cli


def run(*arguments: str, env: Mapping[str, str] | None = None) -> Result:
    """A command that was run, with these variables in its environment besides: its exit code and what it printed."""
    return CliRunner().invoke(cli, arguments, prog_name="check-invariants", env=env)
