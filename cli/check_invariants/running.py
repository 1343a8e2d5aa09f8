"""A command at work: within its budget, its progress shown, with the exit code that it comes to."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import cast

import click

from check_invariants import documents, standard
from check_invariants.exit import ExitCode, ending
from check_invariants.output import Counter, emit_stop
from draincheck.budget import Limits, default_memory, interrupted, running
from draincheck.reason import Stop, StopKind
from draincheck.revisions import substitutes

__all__ = ["carried_out", "say_substitutes"]


def carried_out(ctx: click.Context, work: Callable[..., ExitCode]) -> ExitCode:
    """What the work comes to, done with the options that were given. Raises UsageError where the working directory is gone."""
    _check_working_directory()
    options, limits = dict(ctx.params), Limits(memory=default_memory())
    if "max_memory" in options:
        memory = options.pop("max_memory")
        limits = Limits(seconds=options.pop("timeout"), memory=memory or limits.memory)
    documents.begin()
    with running(limits), Counter("", phase=ctx.info_name or ""):
        code: ExitCode = ctx.invoke(work, **options)
        return _in_the_end(code)


def _check_working_directory() -> None:
    """What is named is named from there, a model runs there, and processes begin there."""
    try:
        os.getcwd()  # noqa: PTH109 (no library is needed for it)
    except OSError as error:
        raise click.UsageError(
            f"there is no working directory ({error.strerror}): it has been removed; change to one that is there"
        ) from error


def say_substitutes(options: Mapping[str, object]) -> None:
    """Say on standard error which rows stand for the code bases without one that the options name."""
    named: list[object] = []
    for value in options.values():
        named += cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
    standard.note("".join(f"{why}\n" for why in substitutes(named)))


def _in_the_end(code: ExitCode) -> ExitCode:
    """What it comes to, also after Ctrl-C: work that was all done has not noticed it, other work has ended with what it had.

    A document that was printed has said so already: what came behind it changes nothing.
    """
    stop = Stop(StopKind.REQUEST)
    found = documents.code_said()
    if found is None:
        found = ending([code], stop) if interrupted() else code
    if found != code:
        emit_stop(stop, "the answer is what had been decided until then")
    return found
