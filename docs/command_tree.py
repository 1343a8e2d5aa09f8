"""The reference of the commands, written from the tree of click commands: what `--help` says of each, as Markdown.

sphinx-click does nearly this. But it reads help texts as reStructuredText, and ours are plain text with names between backticks, which is
Markdown; it sorts the commands by name, where the help text has them in the order in which one needs them; and it writes metavariables and
defaults otherwise than `--help` does. To correct that would take more lines than these.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from check_invariants.main import cli

__all__ = ["commands"]

#: wide enough for any usage line: it is not wrapped
WIDE = 1000


def commands() -> str:
    """All of them, each under a heading with its name."""
    context = click.Context(cli, info_name="check-invariants", **cli.context_settings)
    return "\n".join(line for inner in _inner(context) for line in _page(inner, 3))


def _inner(context: click.Context) -> Iterator[click.Context]:
    """The commands of a group, in its own order."""
    group = context.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield click.Context(command, info_name=name, parent=context)


def _page(context: click.Context, level: int) -> Iterator[str]:
    """A heading, how it is called, what it does, its options; then the commands of a group."""
    yield f"{'#' * level} {context.command_path.partition(' ')[2]}\n"
    if isinstance(context.command, click.Group):
        yield from _text(context.command.help or "")
        yield from (line for inner in _inner(context) for line in _page(inner, level + 1))
        return
    formatter = click.HelpFormatter(width=WIDE)
    context.command.format_usage(context, formatter)
    yield f"```text\n{formatter.getvalue().removeprefix('Usage: ').strip()}\n```\n"
    yield from _text(context.command.help or "")
    yield from _options(context)


def _text(text: str) -> Iterator[str]:
    """Paragraphs; those that click does not wrap stand as they are."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        kept = paragraph.strip("\n").removeprefix("\b\n")
        yield f"{_as_is(kept) if kept != paragraph.strip() else _plain(paragraph)}\n"


def _as_is(text: str) -> str:
    return f"```text\n{text}\n```"


def _plain(text: str) -> str:
    """Text in which nothing but code between backticks means anything."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([\\*_<>\[\]|#$])", r"\\\1", part) for part in parts)


def _options(context: click.Context) -> Iterator[str]:
    """A list of definitions: an option, and what it means."""
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            yield f"`{record[0]}`\n: {_plain(record[1])}\n"
