"""Commands that are declared here and done elsewhere, so that a help text loads nothing that it does not show."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

import click

from check_invariants.options import resize

if TYPE_CHECKING:
    from check_invariants.exit import ExitCode

__all__ = ["NO_MODEL", "Deferred", "own_model"]

#: the commands that take no model of one's own, and why
NO_MODEL = {
    "repair": "chooses among the commits of QEMU's history; `why` and `sweep` say which parameters mend a model",
    "replay": "runs traces on an emulator of QEMU alone; `trace show` executes them on the model",
    "conform": "holds that emulator against QEMU's models",
    "matrix": "is the table of QEMU's code bases",
    "claims": "decides sentences about QEMU's code bases",
    "parametric": "counts requests of QEMU's model; a parameter of yours can count: `--set items=1..3`",
    "log": "reads what a QEMU has logged; what a model of yours could do, `check` says",
    "run": "drives a QEMU",
    "list": "shows what is built in; an unknown parameter is answered with those that a function takes",
}


#: the commands whose answer says which row stands for a code base without one
SAY_SUBSTITUTES = frozenset({"check", "compare", "liveness", "matrix"})


def own_model(arguments: Sequence[str]) -> str | None:
    """The first argument that is one: a Python file, perhaps with a function in it."""
    return next((each for each in arguments if each.partition(":")[0].endswith(".py")), None)


def _is_there(file: str) -> bool:
    return os.path.exists(file)  # noqa: PTH110 (no help text needs what pathlib takes to load)


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

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments, sizes of scenarios into these."""
        rest = self._read(ctx, args)
        resize(ctx)
        return rest

    def _read(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; one that names a model of one's own is refused with the reason."""
        given, name = own_model(args), ctx.info_name or ""
        if given is None or name not in NO_MODEL:
            return super().parse_args(ctx, args)
        try:
            rest = super().parse_args(ctx, args)
        except click.UsageError:
            rest = None
        files = (ctx.params.get("file"), *ctx.params.get("files", ()))
        if rest is None or (given in files and not _is_there(given)):
            raise click.UsageError(f"{name} takes no model of your own, such as {given}: it {NO_MODEL[name]}", ctx)
        return rest

    def invoke(self, ctx: click.Context) -> NoReturn:
        """Do it, within its budget, and end with its exit code."""
        from check_invariants.running import carried_out, say_substitutes  # which loads the library

        if ctx.info_name not in SAY_SUBSTITUTES:
            say_substitutes(ctx.params)
        ctx.exit(carried_out(ctx, self.work))
