"""Commands that are declared here and done elsewhere, so that a help text loads nothing that it does not show."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from check_invariants.exit import ExitCode

__all__ = ["Deferred"]


class Deferred(click.Command):
    """A command whose work is the function of the same name in `check_invariants.work`, loaded when it runs.

    That function takes the options by their names and returns the exit code.
    """

    @property
    def work(self) -> Callable[..., ExitCode]:
        """What it does."""
        assert self.callback is not None
        room = import_module(self.callback.__module__.replace(".commands.", ".work."))
        found: Callable[..., ExitCode] = getattr(room, self.callback.__name__)
        return found

    def invoke(self, ctx: click.Context) -> NoReturn:
        """Do it, within its budget, and end with its exit code."""
        from check_invariants.output import Counter
        from draincheck.budget import Limits, default_memory, interrupted, running

        options, limits = dict(ctx.params), Limits(memory=default_memory())
        if "max_memory" in options:
            memory = options.pop("max_memory")
            limits = Limits(seconds=options.pop("timeout"), memory=memory or limits.memory)
        with running(limits), Counter("", phase=ctx.info_name or ""):
            code = ctx.invoke(self.work, **options)
            if interrupted():
                from check_invariants.exit import ending
                from check_invariants.output import emit_stop
                from draincheck.reason import Stop, StopKind

                stop = Stop(StopKind.REQUEST)
                if code != (code := ending([code], stop)):
                    emit_stop(stop, "everything had been decided")
            ctx.exit(code)
