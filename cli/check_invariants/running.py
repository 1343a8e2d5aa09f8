"""A command at work: within its budget, its progress shown, with the exit code that it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import click

from check_invariants import standard
from check_invariants.exit import ExitCode, ending
from check_invariants.output import Counter, emit_stop
from draincheck.budget import Limits, default_memory, interrupted, running
from draincheck.reason import Stop, StopKind
from draincheck.revisions import substitutes

__all__ = ["carried_out", "say_substitutes"]


def carried_out(ctx: click.Context, work: Callable[..., ExitCode]) -> ExitCode:
    """What the work comes to, done with the options that were given."""
    options, limits = dict(ctx.params), Limits(memory=default_memory())
    if "max_memory" in options:
        memory = options.pop("max_memory")
        limits = Limits(seconds=options.pop("timeout"), memory=memory or limits.memory)
    with running(limits), Counter("", phase=ctx.info_name or ""):
        code: ExitCode = ctx.invoke(work, **options)
        return _interrupted(code) if interrupted() else code


def say_substitutes(options: Mapping[str, object]) -> None:
    """Say on standard error which rows stand for the code bases without one that the options name."""
    named: list[object] = []
    for value in options.values():
        named += cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
    standard.note("".join(f"{why}\n" for why in substitutes(named)))


def _interrupted(code: ExitCode) -> ExitCode:
    """What it comes to after Ctrl-C: work that was all done has not noticed it, other work has ended with what it had."""
    stop = Stop(StopKind.REQUEST)
    if code != (found := ending([code], stop)):
        emit_stop(stop, "the answer is what had been decided until then")
    return found
