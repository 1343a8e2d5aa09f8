"""The `check-invariants` command: a group whose commands are loaded when they run."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click
from click import formatting

from check_invariants import standard
from check_invariants.exit import DEBUG, ExitCode, NoCommand
from check_invariants.options import offered
from draincheck import __version__

__all__ = ["Application", "cli"]

#: command -> what it does, in one line; its module is `check_invariants.commands.NAME`
COMMANDS = {
    "matrix": "Check every code base in every scenario (what runs without a command).",
    "check": "Check one code base, or a model of your own.",
    "compare": "Say what a change mends, breaks and leaves open.",
    "claims": "Decide the claims of the commit message this project was born from.",
    "report": "Write the explorer: one HTML file in which counterexamples can be looked at, and left.",
    "gate": "Compare what is configured here, or else the built-in story, with what is expected: for CI.",
    "list": "List revisions, scenarios, properties, knobs, claims, terms or mitigations.",
    "liveness": "Decide liveness: what must happen in the end.",
    "why": "Say which changes a verdict depends on.",
    "repair": "Find the smallest sets of known mitigations that mend a code base.",
    "sweep": "Decide every code base that some knobs can make up.",
    "trace": "Show, export, compare or minimize traces.",
    "explain": "Explain a trace, step by step.",
    "replay": "Execute a trace on the reference core, with real bytes.",
    "log": "Hold trace logs of real QEMUs against the drain rule.",
    "qemu": "Drive a real QEMU, and hold its log against what the guest reads back.",
    "locate": "Say where a backtrace of a hung or aborted QEMU was taken.",
    "simulate": "Run code bases on the reference core under random schedules.",
    "conform": "Hold the model and the reference core against each other.",
    "parametric": "Decide the drain invariant for any number of guest writes.",
    "prove": "Write a certificate of what holds.",
    "certificate": "Have certificates checked by a solver.",
    "graph": "Draw a model or a trace, or write its graph for other tools.",
    "model": "Write a model in the language of another tool.",
}

#: what runs when no command is named
MAIN_JOB = "matrix"

#: how shells ask for completions
COMPLETION = "_CHECK_INVARIANTS_COMPLETE"

_HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}

_EPILOG = """\b
Exit codes (the first in this list wins):
{codes}
What is expected of a code base holds without --set; --order any changes nothing in it.

\b
Shell completion, for the shell's start-up file:
  bash: eval "$(_CHECK_INVARIANTS_COMPLETE=bash_source check-invariants)"
  zsh:  eval "$(_CHECK_INVARIANTS_COMPLETE=zsh_source check-invariants)"
  fish: _CHECK_INVARIANTS_COMPLETE=fish_source check-invariants | source
"""


class Application(click.Group):
    """A group that imports a command's module only to run it, runs the main job without a command, and ends by `ExitCode`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order of the help text."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"check_invariants.commands.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which ones have a name like that."""
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            raise NoCommand(args[0], list(COMMANDS), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands' one-liners, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What is neither a command nor an option of this group belongs to the main job."""
        own = {"--version", *ctx.help_option_names}
        theirs = args[0].startswith("-") and args[0] not in own if args else not ctx.resilient_parsing
        if theirs:
            args = [MAIN_JOB, *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Commands with their one-liners, and the options of the main job."""
        if not incomplete.startswith("-"):
            return offered(COMMANDS.items(), incomplete)
        job = self.get_command(ctx, MAIN_JOB)
        assert job is not None
        found = super().shell_complete(ctx, incomplete) + job.shell_complete(click.Context(job), incomplete)
        return list({item.value: item for item in found}.values())

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, and turn whatever happens into one message at most and an exit code of the table."""
        extra.setdefault("terminal_width", _columns())
        arguments = list(sys.argv[1:] if args is None else args)
        standard.begin()
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except SystemExit:
            if COMPLETION in os.environ:
                raise
            code = ExitCode.OK  # what click printed (a help text) was not read to its end
        except Exception as error:
            cause = _cause_of(error)
            if os.environ.get(DEBUG) and not isinstance(cause, (click.ClickException, click.Abort)):
                raise cause from None
            code = _failed(cause, arguments)
        if standalone_mode:
            sys.exit(int(code or 0))
        return code


def _cause_of(error: Exception) -> Exception:
    """The error itself: click takes the end of a file, wherever it was met, for somebody who did not wait."""
    cause = error.__cause__
    return cause if isinstance(error, click.Abort) and isinstance(cause, EOFError) else error


def _columns() -> int:
    """The width of help texts: that of everything else, but no wider than is easily read."""
    return formatting.FORCED_WIDTH or max(min(standard.columns() or 80, 80) - 2, 50)


def _failed(error: Exception, arguments: Sequence[str]) -> int:
    """Say why there is no result; the exit code."""
    from check_invariants.failure import failed  # brings what a help text, and a command that ends well, need not

    return failed(error, arguments)


def _epilog() -> str:
    lines = (f"  {int(code):>3}  {code.meaning}" for code in ExitCode)
    return _EPILOG.format(codes="\n".join(lines))


@click.command(cls=Application, context_settings=_HELP_OPTIONS, epilog=_epilog())
@click.version_option(__version__, message="check-invariants %(version)s", help="Show the version and exit.")
def cli() -> None:
    """Check the drain invariant of QEMU's event loop, by exhaustive search.

    Without a command, check every code base of QEMU's history in every scenario (`matrix`) and compare the verdicts with
    what is expected; the options of that command may follow directly.

    \b
    Examples:
      check-invariants                                      the whole matrix
      check-invariants --scenario mirror --revision v2.6.0  a part of it
      check-invariants check --revision ab27c3b5e7          one code base, with counterexamples
      check-invariants check my_model.py:build              a model of your own
    """
