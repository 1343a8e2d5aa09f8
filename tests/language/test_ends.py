"""Where everything has ended and nothing final is in reach: who only looks on hides no end. The compiler against the direct reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from draincheck.engines.explicit import check
from draincheck.lang import BoolExpr, Model
from draincheck.verdict import Outcome
from tests.language import direct
from tests.language.folding import in_vain
from tests.language.play import record
from tests.language.random_programs import random_program
from tests.language.refusal import refusal
from tests.language.tree import At, CanEnter, Check, Op, Program, Read, Term, Yielded, statements, used
from tests.language.working import at_work
from tests.support.samples import sampled


@pytest.mark.parametrize("part", sampled(range(20), 0, 4))
def test_stuck_ends_are_those_of_the_direct_reading(part: int) -> None:
    """With final states and history variables, from the statements to the verdict and the length of its counterexample."""
    seen = Counter[tuple[bool, bool]]()
    for seed in range(500 * part, 500 * (part + 1)):
        program = of_a_specification(random_program(seed), seed)
        if not is_plain(program) or direct.explore(program, []).errors:
            continue
        final = final_of(program, Random(seed))
        history = {var.name for var in program.variables if var.history}
        working = at_work(program, final, history)
        expected = direct.stuck(program, final=final, working=working)
        assert length(program, final) == expected, seed
        seen[expected is None, len(working) < len(program.processes)] += 1
    assert len(seen) == 4 and seen[False, True] > 2, seen


def of_a_specification(program: Program, seed: int) -> Program:
    """The program with some variables that are a specification's."""
    random = Random(seed)
    made = (replace(var, history=var.kind != "int" and random.random() < 0.5) for var in program.variables)
    return replace(program, variables=tuple(made))


def is_plain(program: Program) -> bool:
    """It is legal, and what the compiler reads and stores is what stands there: it leaves out what makes no difference.

    Checks are about values in the middle of a step, so it may find that they turn on other variables.
    """
    inside = [statement for process in program.processes for statement in statements(process.body)]
    return not (
        refusal(program)
        or any(isinstance(statement, Check) for statement in inside)
        or any(isinstance(term, CanEnter | Yielded) for term in used(program))
        or any(isinstance(term, At) and term.place == "(ended)" for term in used(program))
        or in_vain(program)
    )


def final_of(program: Program, random: Random) -> Term:
    """Where processes may rest: it turns on a variable, and perhaps on a process."""
    read = Read(random.choice([var for var in program.variables if var.kind == "bool"]))
    return random.choice((read, Op("not", (read,)), Op("or", (read, At(program.processes[0].name, "(ended)")))))


def length(program: Program, final: Term) -> int | None:
    """How many actions the counterexample has that the engine finds; None if there is none."""
    model = record(program, [])
    model.no_deadlock()
    model.final_when = condition(model, final)
    verdict = check(model.compile(), "no deadlock")
    assert verdict.outcome is not Outcome.UNKNOWN
    return None if verdict.trace is None else len(verdict.trace.actions)


def condition(model: Model, term: Term) -> BoolExpr:
    """A final condition in the language itself."""
    parts: Iterator[BoolExpr]
    match term:
        case Read(var=var):
            found = model.variables[var.name]
            assert isinstance(found, BoolExpr)
            return found
        case At(process=process, place=place):
            return model.at(process, place)
        case Op(op="not", args=(inner,)):
            return ~condition(model, inner)
        case Op(args=args):
            parts = (condition(model, arg) for arg in args)
            return next(parts) | next(parts)
        case _:
            raise TypeError(term)
