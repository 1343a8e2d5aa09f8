"""Small projects with a gate of their own, what may be wrong there, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest
from click.testing import Result

from tests.support.cli import run

__all__ = ["ACCEPTED", "FIXED", "MODEL", "RING", "TROUBLES", "code_base", "empty_folder", "gate", "project", "troubles"]

#: a model with a demand that holds, one that is violated with `careful=False`, one that nothing asks, and a goal; 3 states
MODEL: Final = """from draincheck.lang import Model, variant


@variant("bug", careful=False, expect={"safe": "violated", "unasked": "never asked"})
@variant("fixed", expect={"unasked": "never asked"})
def build(careful: bool = True, size: int = 1) -> Model:
    m = Model("queue")
    x, y = m.int("x", 0, size), m.bool("y")
    with m.thread("t") as p:
        p.do("first", x.set(size))
        p.do("second", y.set(not careful))
    m.always("safe", ~y)
    m.assertion("unasked")
    m.reachable("goal", x.is_(size))
    return m
"""


def project(folder: Path, config: str, model: str = MODEL) -> Path:
    """A folder with a model, `ring.py`, and a configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ring.py").write_text(model, encoding="utf-8")
    (folder / "drain-gate.toml").write_text(config, encoding="utf-8")
    return folder


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is an empty one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def gate(config: str, *options: str, model: str = MODEL) -> Result:
    """The gate of a project with this configuration, in its folder."""
    project(Path(), config, model)
    return run("gate", *options)


def troubles(result: Result) -> list[str]:
    """The lines above the last one of what is not as expected, without the command below each."""
    lines = [line for line in result.stdout.splitlines()[:-1] if ACCEPTED not in line]
    assert all(line.startswith("    check-invariants ") for line in lines[1::2])
    return lines[::2]


def code_base(revision: str, scenarios: list[str], properties: list[str] | None = None) -> str:
    """An entry about a code base; without properties about all."""
    asked = "" if properties is None else f"properties = {json.dumps(properties)}\n"
    return f'[[code_base]]\nrevision = "{revision}"\nscenarios = {json.dumps(scenarios)}\n{asked}'


#: an entry about the variants of the model
RING: Final = '[[model]]\nfile = "ring.py"\n'

#: what is expected of `build()` with its defaults, all of it
FIXED: Final = f'{RING}function = "build"\nexpect = {{ unasked = "never asked", goal = "reachable" }}\n'

#: what stands in a line about what is violated as expected
ACCEPTED: Final = ": violated, as expected: "

#: by what is wrong: the entry, the beginning of the line, the code
TROUBLES: Final[dict[str, tuple[str, str, int]]] = {
    "another verdict": (
        FIXED.replace('goal = "reachable"', 'safe = "violated"'),
        "ring.py:build: safe: expected violated, found holds (exhaustive)",
        10,
    ),
    "vacuity": (
        FIXED.replace('unasked = "never asked", ', ""),
        "ring.py:build: unasked: expected holds, found never asked (no check asks it)",
        10,
    ),
    "a violation": (
        f"{FIXED}parameters.careful = false\n",
        "ring.py:build (careful=off): safe: expected holds, found violated (shortest counterexample: 2 actions)",
        10,
    ),
    "counts": (
        f"{FIXED}counts = {{ states = 4, transitions = 2, depth = 2 }}\n",
        "ring.py:build: counts: pinned are 4 states, 2 transitions, depth 2; found 3 states",
        10,
    ),
    "another fault": (f"{FIXED}parameters.size = -1\n", "ring.py:build (size=-1): model: ring.py:8: ", 150),
    "an error that does not come": (
        FIXED.replace("goal =", '"values in range" = "violated", goal ='),
        "ring.py:build: values in range: expected violated, found holds (exhaustive)",
        10,
    ),
    "an unknown property": (
        FIXED.replace("goal =", "gaol ="),
        "ring.py:build: configuration: drain-gate.toml:6: unknown property 'gaol'; did you mean goal?",
        151,
    ),
    "an unknown function": (
        FIXED.replace('"build"', '"biuld"'),
        "ring.py:biuld: configuration: drain-gate.toml:5: ring.py: unknown function 'biuld'; did you mean build?",
        151,
    ),
    "an unknown parameter": (
        f"{FIXED}parameters.carefull = true\n",
        "ring.py:build (carefull=on): configuration: drain-gate.toml:7: unknown parameter 'carefull'; did you mean careful?",
        151,
    ),
    "another type of parameter": (
        f'{FIXED}\nparameters.size = "1..3"\n',
        "ring.py:build (size=1..3): configuration: drain-gate.toml:8: size is an integer",
        151,
    ),
    "a parameter that is missing": (
        '[[model]]\nfile = "ring.py"\nfunction = "variant"\n',
        "ring.py:variant: configuration: drain-gate.toml:5: variant() needs name; variant() takes name",
        151,
    ),
    "an unknown variant": (
        FIXED.replace("expect", 'variant = "bag"\nexpect'),
        "ring.py:build:bag: configuration: drain-gate.toml:6: ring.py: unknown variant 'bag'; did you mean bug?",
        151,
    ),
    "an unknown property to be asked about": (
        '[[model]]\nfile = "ring.py"\nfunction = "build"\nproperties = ["safe",\n"saef"]\n',
        "ring.py:build: configuration: drain-gate.toml:6: unknown property 'saef'; did you mean safe?",
        151,
    ),
    "no goal": (
        FIXED.replace("goal =", "safe ="),
        "ring.py:build: configuration: drain-gate.toml:6: 'safe' is no state to be reached",
        151,
    ),
}
