"""What the referee shows of a difference: the smallest program, printed as code that can be run."""

from __future__ import annotations

from typing import Any

import pytest

import draincheck.lang
from draincheck.expr import want_int
from draincheck.lang import Model
from draincheck.system import TransitionSystem
from tests.language.play import record
from tests.language.random_programs import random_program
from tests.language.refusal import refusal
from tests.language.shrink import shrunk
from tests.language.source import source
from tests.language.tree import Check, Program, Statement, statements


def checks(program: Program) -> list[Statement]:
    """The checks of a program."""
    return [s for process in program.processes for s in statements(process.body) if isinstance(s, Check)]


def test_shrunk_program_has_nothing_more_to_lose() -> None:
    """Of a program that has to keep a check nothing else is left."""
    program = next(p for p in map(random_program, range(100)) if len(checks(p)) > 1)
    small = shrunk(program, lambda other: bool(checks(other)))
    assert [len(process.body) for process in small.processes] == [1]
    assert small.variables == ()
    assert small.processes[0].body == tuple(checks(small))


@pytest.mark.slow
def test_printed_program_is_the_same_model() -> None:
    """The code that is printed builds what the tree builds."""
    for program in (p for p in map(random_program, range(150)) if not refusal(p)):
        printed = built(source(program))
        printed.reachable("aborted", printed.halted)
        assert behaviour(printed.compile()) == behaviour(record(program, []).compile()), program.name


def built(code: str) -> Model:
    """Run printed code."""
    names: dict[str, Any] = {**vars(draincheck.lang), "want_int": want_int}
    exec(code, names)
    model = names["build"]()
    assert isinstance(model, Model)
    return model


def behaviour(system: TransitionSystem) -> list[tuple[str, ...]]:
    """What the actions do, as text."""
    return [
        (str(a.guard), *(f"{u.variable}={u.value}" for u in a.updates), *map(str, (c.holds for c in a.checks)))
        for a in system.actions
    ]
