"""Options that several commands share: names are checked against their tables, mistyped ones get the nearest, shells complete them.

Nothing here loads the library before a value has to be converted or completed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

import click
from click.core import ParameterSource

from check_invariants import standard
from check_invariants.exit import NotWritable

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from check_invariants.names import Names

    ParamType = click.ParamType[Any]
else:  # older versions of click have no type arguments here
    ParamType = click.ParamType


#: a command as it is declared: without a body
Declared: TypeAlias = Callable[[], None]
Option: TypeAlias = Callable[[Declared], Declared]

#: the module that has the tables of most names
NAMES = "check_invariants.names"

#: the file name that means standard output
STDOUT = "-"
#: what the system calls it. What a model prints has taken its place there, and goes to standard error
STDOUT_DEVICES = frozenset(("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"))

#: less memory than that is a slip, and a number up to so many without a unit was meant as gigabytes
LEAST_MEMORY, MANY_GIGABYTES = 1 << 20, 64


def _table(name: str, module: str) -> Names:
    """A table that a module has, which is loaded when there is something to look up."""
    found: Names = import_module(module).TABLES[name]
    return found


class Named(ParamType):
    """A value that is looked up by name, in the table of this name of a module that is loaded when there is something to look up."""

    def __init__(self, name: str, module: str = NAMES) -> None:
        self.name = name
        self._module = module

    @property
    def _table(self) -> Names:
        return _table(self.name, self._module)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Look the name up."""
        return self._table.find(value) if isinstance(value, str) else value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The names that begin so."""
        return offered(self._table.known(), incomplete)


def offered(known: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem]:
    """The names, with what is said of them, that begin like this."""
    from click.shell_completion import CompletionItem  # which shells alone need

    return [CompletionItem(name, help=text) for name, text in known if name.startswith(incomplete)]


def revision(multiple: bool) -> Option:
    """`--revision`, once (None if absent) or often."""
    what = "A code base: a commit's hash or its beginning, HASH~1, a release (v2.6.0), or a control"
    return _named_option("revision", multiple, what, "ab27c3b5e7")


#: the sizes that a scenario may be given, whatever others its name stands for
SIZES = {
    "writes": "The scenario with so many guest writes to a disk that has a job.",
    "reads": "With so many guest reads.",
    "flushes": "With so many guest flushes.",
    "jobs": "With so many jobs, each on a disk of its own.",
    "disks": "With so many disks; the guest writes once to one without a job.",
}


def scenario(multiple: bool, default: str = "mirror") -> Option:
    """`--scenario`, once (None if absent, which `default` says) or often; and its sizes, which become part of what it names (`resize`)."""

    def decorate(command: Declared) -> Declared:
        for size, text in reversed(SIZES.items()):
            command = click.option(f"--{size}", _size(size), type=int, metavar="N", help=text)(command)
        text = "Topology and workload, as in `list scenarios`, or of other sizes: mirror[writes=3]"
        return _named_option("scenario", multiple, text, default)(command)

    return decorate


def _size(name: str) -> str:
    return f"size_{name}"


def resize(ctx: click.Context) -> None:
    """Have the scenarios that were named the sizes that were given. Raises UsageError where none was named, or one cannot be so."""
    values = {size: ctx.params.pop(_size(size), None) for size in SIZES}
    given = {size: value for size, value in values.items() if value is not None}
    if not given:
        return
    name = next(name for name in ("scenario", "scenarios") if name in ctx.params)
    if names_own_model(ctx):
        raise click.UsageError(f"a model of your own has no --{next(iter(given))}; --set gives it parameters", ctx)
    if not ctx.params[name]:
        processes = "; so many processes: --processes" if "jobs" in given else ""
        raise click.UsageError(
            f"--{next(iter(given))} is a size of a scenario: name one with --scenario{processes}", ctx
        )
    ctx.params[name] = _table("scenario", NAMES).with_sizes(ctx.params[name], given)


def _named_option(name: str, multiple: bool, what: str, default: str) -> Option:
    text = f"{what}; may be given several times." if multiple else f"{what}.  [default: {default}]"
    return click.option(f"--{name}", f"{name}{'s' * multiple}", type=Named(name), multiple=multiple, help=text)


def properties(of_matrix: bool) -> Option:
    """`--property`, often: of the drain invariant, or of whatever model is checked."""
    return click.option(
        "--property",
        "properties",
        type=Named("property" if of_matrix else "any property"),
        multiple=True,
        metavar="PROPERTY",
        help="Only this property; may be given several times.",
    )


class Setting(Named):
    """`KNOB=VALUE`, looked up; for a model of the user's, `PARAMETER=VALUE` as it is: only the model knows its parameters."""

    def __init__(self, own: bool = False) -> None:
        super().__init__("knob=value")
        self._own = own

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A name with its value; as it is where the model can only be the user's `own`."""
        if not isinstance(value, str) or not (self._own or (ctx is not None and names_own_model(ctx))):
            return super().convert(value, param, ctx)
        name, found, text = value.partition("=")
        if not found:
            self.fail(f"{value!r} lacks a value; write {name}=VALUE", param, ctx)
        return name, text


class Turnable(Named):
    """A knob, looked up; for a model of the user's, the name of a parameter as it is."""

    def __init__(self) -> None:
        super().__init__("knob")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A knob, or a name."""
        return value if ctx is not None and names_own_model(ctx) else super().convert(value, param, ctx)


def names_own_model(ctx: click.Context) -> bool:
    """Whether an argument names a model of the user's: such arguments are eager, so that they are read before the options."""
    return any(isinstance(ctx.params.get(name), str) for name in ("model", "before", "after"))


class ExistingFile(click.Path):
    """The path of a file that is there."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path; a name that no file can have is that of no file."""
        try:
            return super().convert(value, param, ctx)
        except ValueError:
            self.fail(f"File {value!r} does not exist.", param, ctx)


class OutputFile(ParamType):
    """The path of a file that is written; whatever names standard output is `-`."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path. Raises NotWritable for standard output that somebody asks for and nobody has opened (`>&-`)."""
        path = STDOUT if value in STDOUT_DEVICES else value
        if path == STDOUT and _is_given(param, ctx) and standard.stream() is None:
            raise NotWritable("standard output cannot be written: it is closed")
        return path


def _is_given(param: click.Parameter | None, ctx: click.Context | None) -> bool:
    """Whether the value of an option is the user's, and not what it is without one."""
    name = None if param is None else param.name
    return ctx is not None and name is not None and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE


#: of a trace as text
short = click.option("--short", is_flag=True, help="Only the steps that change something, and how many are left out.")


def refuse_short(given: bool, as_json: bool, no_trace: bool = False) -> None:
    """Raise UsageError for --short where nothing can be left out."""
    for option, other in (("--json", as_json), ("--no-trace", no_trace)):
        if given and other:
            raise click.UsageError(f"{option} and --short exclude each other")


class Seconds(ParamType):
    """A time: a number of seconds that is positive and has an end."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        try:
            found = float(value)
        except ValueError:
            found = 0.0
        if not 0 < found < math.inf:
            self.fail(f"{value!r} is no time: write a positive number of seconds, such as 60 or 2.5", param, ctx)
        return found


class Memory(ParamType):
    """An amount of memory, in bytes or with a unit."""

    name = "memory"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of bytes."""
        text = str(value).strip()
        parts = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,15})?) ?(?:([KMGT])(?:iB|B)?|B)?", text, re.IGNORECASE)
        number, unit = ("0", "") if parts is None else (parts[1], (parts[2] or "").upper())
        found = int(float(number) * 1024 ** " KMGT".index(unit or " "))
        if not found:
            self.fail(
                f"{value!r} is no amount of memory: write bytes, or a unit with it, such as 512M or 2G", param, ctx
            )
        if found < LEAST_MEMORY:
            self.fail(
                f"{value!r} is {found} byte{'s' * (found > 1)}, too little for anything{_meant(number, unit)}",
                param,
                ctx,
            )
        return found


def _meant(number: str, unit: str) -> str:
    """What a number was meant to be that is too small with its unit, or without one."""
    larger = {"": "G" if float(number) <= MANY_GIGABYTES else "M", "K": "M"}.get(unit)
    return f"; did you mean {number}{larger}?" if larger else ""


def timeout(text: str = "Stop after so much time.", default: float | None = None) -> Option:
    """`--timeout`, in seconds."""
    return click.option("--timeout", type=Seconds(), default=default, show_default=True, metavar="SECONDS", help=text)


def budget(command: Declared) -> Declared:
    """`--timeout` and `--max-memory`: the budget of the whole command, which starts as it runs (see `Deferred`)."""
    memory = click.option(
        "--max-memory",
        type=Memory(),
        metavar="SIZE",
        help="Stop when a process takes so much memory (512M, 2G; several share it).  [default: three quarters of what is free]",
    )
    return timeout("Stop the whole command after so much time: what is not decided then is unknown.")(memory(command))


order = click.option(
    "--order",
    type=click.Choice(["attach", "any"]),
    help="Dispatch GSources of equal priority in the order of attachment, as GLib does, or in any, as its API allows.",
)
settings = click.option(
    "--set",
    "settings",
    type=Setting(),
    multiple=True,
    metavar="NAME=VALUE",
    help="Turn a knob of the code base (`list knobs` explains them), or set a parameter of a model of your own; may be given several times.",
)


def own_model(command: Declared) -> Declared:
    """`--model` and `--set`: a model of the user's that a file is about, for commands that read one."""
    model = click.option(
        "--model",
        metavar="MODEL.py:FUNCTION",
        help="What the file is about, if that is a model of your own. It is run; a program that a file names never is.",
    )
    settings = click.option(
        "--set",
        "settings",
        type=Setting(own=True),
        multiple=True,
        metavar="NAME=VALUE",
        help="A parameter of that model; may be given several times. What the file says of parameters is not taken.",
    )
    return model(settings(command))


strict = click.option(
    "--strict", is_flag=True, help="A violated rule inside QEMU, which no guest sees, decides the exit code, too."
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")


def _processes(*older: str) -> Option:
    text = "Search in so many processes.  [default: as many as there are cores]"
    return click.option("-j", "--processes", *older, "processes", type=click.IntRange(min=1), help=text)


processes = _processes()
#: where no scenario is named whose jobs could be meant, the older name is understood as well
processes_or_jobs = _processes("--jobs")
output = click.option(
    "-o",
    "--output",
    type=OutputFile(),
    default=STDOUT,
    metavar="FILE|-",
    help="Where to write it.  [default: standard output]",
)


def reports(command: Declared) -> Declared:
    """Files for those who read a run elsewhere, several at once: `Reports` takes them."""
    kinds = {
        "junit": "JUnit XML: what most CI servers show",
        "sarif": "SARIF 2.1.0: GitHub's code scanning, editors",
        "gitlab": "GitLab's code quality report",
        "markdown": "a report for people, with every counterexample",
        "html": "the explorer (see `report`), with every counterexample",
    }
    github = click.option(
        "--github",
        is_flag=True,
        help="Print GitHub's annotations, all in one stream, and append to the summary of the step.",
    )
    for kind, what in reversed(kinds.items()):
        command = click.option(f"--{kind}", type=OutputFile(), metavar="FILE|-", help=f"Write {what}.")(command)
    return github(command)


model = click.argument("model", required=False, is_eager=True, metavar="[MODEL.py:FUNCTION]")


def selectors_in(default: str) -> Option:
    """The options and the argument that name a code base in a scenario, or in those that `default` says, or a file of the user's."""

    def decorate(command: Declared) -> Declared:
        for each in (model, settings, order, scenario(False, default), revision(False)):
            command = each(command)
        return command

    return decorate


#: those that name one model
selectors = selectors_in("mirror")
