"""`check-invariants locate`: backtraces of a hung or aborted QEMU, found again among the states of models."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("locate", cls=Deferred)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--model", "model", metavar="MODEL.py:FUNCTION", help="Search a model of your own instead of QEMU's code bases."
)
@options.settings
@options.revision(multiple=True)
@options.scenario(multiple=True)
@click.option(
    "--top", type=click.IntRange(min=1), default=3, show_default=True, metavar="N", help="How many places are told."
)
@click.option(
    "-o",
    "--output",
    type=options.OutputFile(),
    metavar="TRACE.json",
    help="Write a shortest trace to place 1, of the first FILE that has one.",
)
@options.budget
@options.as_json
def command() -> None:
    """Say where a backtrace of a hung or aborted QEMU was taken.

    Reads what gdb prints for `thread apply all bt` (or `bt full`), eu-stack and pstack, quoted, wrapped, cut or without symbols, with the
    coroutine stacks of QEMU's gdb scripts if they are there. First it says what each thread does by its stack alone: a QEMU in which all wait
    for work is idle, and no thread of it hangs. Of the functions in it those that the models know are looked for among all
    reachable states: which code base in which scenario has threads that stand so together, by which shortest trace, what each waits for, whether
    it can get out, what that violates and which commit ends it. A frame without a name matches anything. `-` reads standard input.

    \b
    Exit codes: 0 named: all that fits violates the same; 30 several states fit, an ordinary one, an idle
    QEMU (what violates something and looks no different is named behind it), or only a part; 10 nothing fits; 150 no backtrace, or a
    model of your own that is malformed; 2 wrong arguments, or there is no such file.

    \b
    Example: check-invariants locate bt.txt
    where gdb -p $(pidof qemu-system-x86_64) -batch -ex 'thread apply all bt' > bt.txt has made the file
    """
