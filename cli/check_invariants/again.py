"""Commands to copy into a shell, that show again what this one has found."""

from __future__ import annotations

import shlex

import click

from draincheck.subject import check_command

__all__ = ["check_again", "command_again", "replay_again"]


def command_again(*words: str) -> str:
    """`check-invariants` with these words, within the limits that this command was given."""
    return shlex.join(["check-invariants", *words, *_limits()])


def check_again(options: str, *properties: str) -> str:
    """`check` of these properties (all if there are none) of what the options name, within the same limits."""
    return " ".join([check_command(options, *properties), *_limits()])


def replay_again(options: str, name: str) -> str:
    """The counterexample of a property of what the options name, executed on the reference core, within the same limits."""
    export = f"check-invariants trace export {options} --property {shlex.quote(name)} -o trace.json"
    return f"{' '.join([export, *_limits()])} && check-invariants replay trace.json"


def _limits() -> list[str]:
    """`--timeout` and `--max-memory`, if this command has them."""
    context = click.get_current_context(silent=True)
    given = {} if context is None else context.params
    seconds, memory = given.get("timeout"), given.get("max_memory")
    return [
        *([] if seconds is None else ["--timeout", f"{seconds:g}"]),
        *([] if memory is None else ["--max-memory", str(memory)]),
    ]
