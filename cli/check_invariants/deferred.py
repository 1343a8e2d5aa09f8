"""Commands that are declared here and done elsewhere, so that a help text loads nothing that it does not show."""

from __future__ import annotations

from importlib import import_module
from typing import NoReturn

import click

__all__ = ["Deferred"]


class Deferred(click.Command):
    """A command whose work is the function of the same name in `check_invariants.work`, loaded when it runs.

    That function takes the options by their names and returns the exit code.
    """

    def invoke(self, ctx: click.Context) -> NoReturn:
        """Load the work, do it, and end with its exit code."""
        assert self.callback is not None
        room = import_module(self.callback.__module__.replace(".commands.", ".work."))
        ctx.exit(ctx.invoke(getattr(room, self.callback.__name__), **ctx.params))
