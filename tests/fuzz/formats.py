"""What the command line reads: for each format how an input is made by chance, and how it is given to the command.

A new format is an entry in `FORMATS`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

import click

from check_invariants.main import COMMANDS, cli
from drainspecs.mirror.scenarios import SCENARIOS
from tests.fuzz.changes import NASTY, changed_lines, changed_text, changed_value, changed_words, nasty
from tests.fuzz.left_by_qemu import backtrace, log, sidecar
from tests.support.cli import run

__all__ = ["CONFIGURATION", "EARLIER", "FORMATS", "LONG_WORK", "MODEL", "REPORTS", "WHOLE"]

#: makes an input in a folder, and gives the arguments that have it read
Format = Callable[[Random, Path], Sequence[str]]

#: what takes long where nothing is wrong with its options, and so is only asked whether it understands them
LONG_WORK: Final = frozenset(COMMANDS) - {
    "check",
    "trace",
    "graph",
    "model",
    "list",
    "prove",
    "explain",
    "replay",
    "certificate",
    "log",
    "locate",
}

#: the formats whose inputs are small enough that every command is run to its end
WHOLE: Final = frozenset({"parameters", "options", "configuration", "reports", "log", "sidecar", "backtrace"})

#: a limit for what does not
LIMITS: Final = {"check": ("--timeout", "2", "--max-states", "2000"), "prove": ("--timeout", "2")}

MODEL: Final = """from typing import Literal
from draincheck.lang import Model, variant

@variant("tame", most=2, expect={"never": "violated"})
@variant("wild", eager=True, mode="b")
def build(eager: bool = False, most: int = 3, mode: Literal["a", "b"] = "a") -> Model:
    m = Model("own")
    x, n = m.bool("x"), m.int("n", 0, most, initial=1)
    e = m.enum("e", "a", "b", "c")
    co = m.coroutine("co")
    with co as c:
        c.do("inner", e.set(mode))
        c.yield_("there")
    with m.thread("t") as p, p.call("f"):
        p.do("first", x.set(), n.inc(), when=n < most, mark="(a)")
        with p.loop():
            with p.when(x & ~e.is_("c"), text="x is set"):
                p.do("then", e.set("b"))
            with p.either() as choice:
                with choice():
                    p.do("left", n.set(0))
                with choice(when=x):
                    p.enter(co)
            p.check("asked", n <= most)
            p.break_()
    m.always("never", x.implies(e.is_("c")) if eager else ~x, meaning="text", source="somewhere")
    m.assertion("asked")
    m.reachable("goal", e.is_("b"))
    m.final(x)
    m.no_deadlock()
    return m
"""

CONFIGURATION: Final = """[[model]]
file = "own.py"
function = "build"
properties = ["never", "asked", "goal"]
expect = { never = "violated", asked = "holds", goal = "reachable" }
counts = { states = 12, transitions = 30, depth = 7 }

[[model]]
file = "own.py"
function = "build"
parameters = { eager = true, most = 2, mode = "a" }

[[code_base]]
revision = "v2.6.0"
scenarios = ["mirror"]
order = "any"
properties = ["S1"]
[code_base.settings]
begin = "before_check"
drain = "nested"
[code_base.expect]
S1 = "violated"
"""


#: the file of each report, and what an earlier run has written there
REPORTS: Final = {"--junit": "j.xml", "--sarif": "s.json", "--gitlab": "g.json", "--markdown": "m.md"}
EARLIER: Final = "green"


# -- the formats ------------------------------------------------------------------------------------


def command_line(random: Random, folder: Path) -> Sequence[str]:
    """A command with options of its own and of others, and values of any kind."""
    name = random.choice(list(COMMANDS))
    (folder / "own.py").write_text(MODEL, encoding="utf-8")
    path, command = _command(name, random)
    options = [option for item in command.params for option in item.opts if option.startswith("-")]
    words = [*path, *LIMITS.get(name, ())]
    for _ in range(random.randint(0, 5)):
        words += random.choice(([nasty(random)], [random.choice(options)], _fitting(command, random)))
    return [word for word in words if word != "--follow"]  # which waits for a log that is not there yet, for ever


def _fitting(command: click.Command, random: Random) -> list[str]:
    """An option with a value that it could have, or an argument."""
    item = random.choice(command.params)
    values = item.type.choices if isinstance(item.type, click.Choice) else NASTY
    given = [] if isinstance(item, click.Option) and item.is_flag else [str(random.choice(list(values)))]
    return [*(item.opts[:1] if isinstance(item, click.Option) else []), *given]


def _command(name: str, random: Random) -> tuple[list[str], click.Command]:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    if not isinstance(found, click.Group):
        return [name], found
    inner = random.choice(list(found.commands))
    return [name, inner], found.commands[inner]


def model_file(random: Random, folder: Path) -> Sequence[str]:
    """A program that makes a model, changed somewhere."""
    change = random.choice((changed_text, changed_lines, changed_words, changed_words))
    (folder / "own.py").write_text(change(MODEL, random), encoding="utf-8", errors="surrogatepass")
    return random.choice(
        (
            ("check", "own.py:build", *LIMITS["check"], "--json"),
            ("trace", "export", "own.py:build", "--property", "never"),
        )
    )


#: values of parameters, sound and not
VALUES: Final = (
    "on",
    "off",
    "on,off",
    "2",
    "2..4",
    "3,2",
    "a",
    "a,b",
    "b",
    "4..2",
    "0..",
    "..",
    ",",
    "1..99999",
    "0..1,0..2",
    "²",
    "1e3",
    "+2",
    "-1..2",
)

#: commands that take a model with parameters
TAKING: Final = (
    ("check", "own.py", "--timeout", "5"),
    ("check", "own.py:build", "--timeout", "5", "--json"),
    ("check", "own.py:build:wild", "--timeout", "5", "--engine", "simulation", "--depth", "5"),
    ("compare", "own.py:build:tame", "own.py:build", "--timeout", "5"),
    ("sweep", "own.py:build", "--timeout", "5", "--processes", "1"),
    ("why", "own.py:build:tame", "--property", "never", "--timeout", "5", "--processes", "1"),
    ("simulate", "own.py:build", "--runs", "9"),
    ("liveness", "own.py:build", "--timeout", "5"),
    ("graph", "own.py:build"),
    ("model", "export", "own.py:build"),
    ("trace", "export", "own.py:build", "--property", "never"),
)


def parameters(random: Random, folder: Path) -> Sequence[str]:
    """A model with parameters and variants, sound or changed, that is given some of any kind."""
    text = MODEL if random.random() < 0.7 else changed_words(MODEL, random)
    (folder / "own.py").write_text(text, encoding="utf-8", errors="surrogatepass")
    words = list(random.choice(TAKING))
    for _ in range(random.randint(0, 3)):
        name = random.choice(("eager", "most", "mode", "most", nasty(random)))
        words += ["--set", f"{name}={random.choice((*VALUES, nasty(random)))}"]
    return words


#: commands that read a trace
READING: Final = (
    ("trace", "show"),
    ("trace", "show", "--json"),
    ("trace", "minimize"),
    ("trace", "minimize", "--max-states", "20"),
    ("explain",),
    ("replay",),
    ("graph", "--trace"),
)


def trace_file(random: Random, folder: Path) -> Sequence[str]:
    """A trace of a code base or of a model of one's own, changed somewhere."""
    own = random.random() < 0.5
    text = _own_trace() if own else _trace()
    if random.random() < 0.7:
        text = json.dumps(changed_value(json.loads(text), random))
    else:
        text = random.choice((changed_text, changed_lines))(text, random)
    (folder / "own.py").write_text(MODEL, encoding="utf-8")
    (folder / "trace.json").write_text(text, encoding="utf-8", errors="surrogatepass")
    command = random.choice(READING)
    return [*command, "trace.json", *(("--model", "own.py:build") if own and random.random() < 0.9 else ())]


def two_traces(random: Random, folder: Path) -> Sequence[str]:
    """Two traces to be compared, of which at least one is changed somewhere."""
    trace_file(random, folder)
    (folder / "other.json").write_text(random.choice((_trace, _own_trace))(), encoding="utf-8")
    files = random.sample(("trace.json", "other.json"), 2) if random.random() < 0.8 else ["trace.json", "trace.json"]
    return ["trace", "diff", *files, *(["--json"] if random.random() < 0.3 else [])]


def certificate(random: Random, folder: Path) -> Sequence[str]:
    """A certificate, its header changed as JSON, or any of it as text."""
    text = _certificate()
    if random.random() < 0.5:
        first, header, rest = text.split("\n", 2)
        text = "\n".join([first, f"; {json.dumps(changed_value(json.loads(header[2:]), random))}", rest])
    else:
        text = random.choice((changed_text, changed_lines))(text, random)
    (folder / "own.py").write_text(MODEL, encoding="utf-8")
    (folder / "proof.smt2").write_text(text, encoding="utf-8", errors="surrogatepass")
    named = ("--model", "own.py:build") if random.random() < 0.9 else ()
    return [
        "certificate",
        "check",
        "proof.smt2",
        "--timeout",
        "5",
        *named,
        *random.choice(((), ("--json",), ("--solver", "cvc5"))),
    ]


def configuration(random: Random, folder: Path) -> Sequence[str]:
    """What a project wants checked, changed somewhere, with reports."""
    text = random.choice((changed_text, changed_lines, changed_words))(CONFIGURATION, random)
    (folder / "own.py").write_text(MODEL, encoding="utf-8")
    (folder / "drain-gate.toml").write_text(text, encoding="utf-8", errors="surrogatepass")
    wanted = random.choice(
        ((), ("--list",), ("--json",), ("--list", "--json"), ("--github", "--sarif", "s", "--junit", "-"))
    )
    return ["gate", "drain-gate.toml", "--timeout", "5", *wanted]


def reports(random: Random, folder: Path) -> Sequence[str]:
    """A gate, mostly sound, with reports that go anywhere; those that have names of their own are there from an earlier run."""
    text = CONFIGURATION if random.random() < 0.6 else changed_words(CONFIGURATION, random)
    (folder / "own.py").write_text(MODEL, encoding="utf-8")
    (folder / "drain-gate.toml").write_text(text, encoding="utf-8", errors="surrogatepass")
    words = ["gate", "drain-gate.toml", "--timeout", "5"]
    for option, file in REPORTS.items():
        if random.random() < 0.6:
            (folder / file).write_text(EARLIER, encoding="utf-8")
            words += [option, file if random.random() < 0.8 else nasty(random)]
    flags = (
        "--github",
        "--json",
        "--no-replay",
        "--list",
        "--pin",
        "--schema",
        "--jobs",
        "--max-memory",
        nasty(random),
    )
    return [*words, *(word for word in flags if random.random() < 0.12)]


#: commands that show something, small ones
SHOWING: Final = (
    ("trace", "export", "own.py:build", "--property", "never"),
    ("trace", "show", "trace.json", "--model", "own.py:build"),
    ("trace", "minimize", "trace.json", "--model", "own.py:build"),
    ("trace", "diff", "trace.json", "trace.json"),
    ("explain", "trace.json", "--model", "own.py:build"),
    ("check", "own.py:build", "--timeout", "5"),
    ("compare", "own.py:build:tame", "own.py:build", "--timeout", "5"),
    ("check", "--revision", "v2.6.0", "--scenario", "mirror", "--property", "S1", "--timeout", "5"),
    ("list", "terms"),
)

#: options that say how it is shown, or of what, each with values that it has
SAYING: Final = {
    "--short": (),
    "--outline": (),
    "--json": (),
    "--traces": (),
    "--no-trace": (),
    "--strict": (),
    "--format": ("text", "markdown", "json", "itf", "pytest"),
    "--expect": ("violated", "fixed"),
    "--set": ("most=2", "mode=b", "eager=on", "drain=nested"),
    "--model": ("own.py:build", "own.py:build:wild"),
    "--property": ("never", "asked", "S1"),
    "--trace-out": ("out", "own.py"),
}


SIZES: Final = ("writes", "reads", "flushes", "jobs", "disks")
NUMBERS: Final = ("0", "1", "2", "3", "4", "-1", "33", "1e9", "x", "", "9" * 5_000)


def options(random: Random, folder: Path) -> Sequence[str]:
    """A command that shows something, with options of its own and of others."""
    (folder / "own.py").write_text(MODEL, encoding="utf-8")
    (folder / "trace.json").write_text(_own_trace(), encoding="utf-8")
    words = list(random.choice(SHOWING))
    for _ in range(random.randint(1, 4)):
        option = random.choice(list(SAYING))
        words += [option, *([random.choice((*SAYING[option], nasty(random)))] if SAYING[option] else [])]
    return words


def sizes(random: Random, folder: Path) -> Sequence[str]:
    """A code base in a scenario whose sizes are given by its name, by options or by both."""
    words = ["check", "--revision", "9a0cec664e", "--property", "S10", "--max-states", "500"]
    given = [f"{random.choice(SIZES)}={random.choice(NUMBERS)}" for _ in range(random.randint(0, 3))]
    name = random.choice([item.name for item in SCENARIOS]) + (f"[{','.join(given)}]" if given else "")
    words += ["--scenario", changed_text(name, random) if random.random() < 0.2 else name]
    for size in random.sample(SIZES, random.randint(0, 2)):
        words += [f"--{size}", random.choice((*NUMBERS, nasty(random)))]
    return words


FORMATS: dict[str, Format] = {
    "command line": command_line,
    "model file": model_file,
    "parameters": parameters,
    "options": options,
    "trace": trace_file,
    "two traces": two_traces,
    "certificate": certificate,
    "configuration": configuration,
    "reports": reports,
    "sizes": sizes,
    "log": log,
    "sidecar": sidecar,
    "backtrace": backtrace,
}


# -- sound ones, to be changed ----------------------------------------------------------------------


@cache
def _trace() -> str:
    return run("trace", "export", "--revision", "3f09bfbc7b", "--property", "S1").stdout


@cache
def _own_trace() -> str:
    Path("own.py").write_text(MODEL, encoding="utf-8")
    return run("trace", "export", "own.py:build", "--set", "most=2", "--property", "never").stdout


@cache
def _certificate() -> str:
    Path("own.py").write_text(MODEL, encoding="utf-8")
    return run("prove", "own.py:build", "--set", "most=2", "-o", "-").stdout
