"""Terms as SMT-LIB text mean what the system's own evaluation says."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest
import z3

from draincheck import op
from draincheck.engines.smt.relation import Relation
from draincheck.engines.smt.writer import BitVectors, Integers, SmtWriter, define
from draincheck.errors import ModelError
from draincheck.expr import TRUE, BoolExpr, IntExpr, ite, want_int
from draincheck.naturals import NATURAL
from draincheck.sorts import BOOL, EnumSort, IntSort
from draincheck.system import BoolVar, EnumVar, IntVar, State, TransitionSystem, Variable
from tests.support.machines import Machine, bounded, counter, philosophers

UNFOLDED = IntExpr("", IntSort(1, 1), op=op.SUB, args=(want_int(2), want_int(1)))
SMALL, SIGNED, ONE = (IntVar(f"{low}..{high}", IntSort(low, high), (low,)) for low, high in ((0, 2), (-3, 4), (3, 3)))
FLAG, COLOUR = BoolVar("flag", BOOL, (0,)), EnumVar("colour", EnumSort.of(("red", "green", "blue")), (0,))
VARIABLES: tuple[Variable, ...] = (SMALL, SIGNED, ONE, FLAG, COLOUR)
STATES = list(product(*(range(v.sort.low, v.sort.high + 1) for v in VARIABLES)))

CONDITIONS: dict[str, BoolExpr] = {
    "constant": TRUE,
    "flag": FLAG,
    "names": COLOUR.is_("red", "blue"),
    "different ranges": SMALL.is_(SIGNED),
    "less than a sum": SIGNED < SMALL + SMALL,
    "at most a difference": SMALL - SIGNED <= ONE,
    "shifted down": SIGNED - 4 < SMALL - 3,
    "shifted up": SMALL + 7 > SIGNED + 4,
    "a negative constant": SIGNED.is_(-2),
    "a choice of numbers": ite(FLAG, SIGNED, SMALL + 5) > 3,
    "a choice of conditions": ite(FLAG, SMALL > 0, SIGNED > 0),
    "equal truth values": FLAG.iff(SMALL > 1),
    "a count": ite(FLAG, want_int(1), want_int(0)) + ite(SMALL > 0, want_int(1), want_int(0)) > 1,
    "one value": ONE.is_(3) & ~ONE.is_(SMALL),
    "a constant that is not folded": BoolExpr("", BOOL, op=op.LT, args=(want_int(-1), UNFOLDED)),
}  # fmt: skip


def meaning(writer: SmtWriter, text: str, states: Sequence[State]) -> list[bool]:
    """In which states z3 finds a text true."""
    parser = z3.ParserContext(z3.Context())
    parameters = [(writer.names[v], writer.sort(v.sort)) for v in VARIABLES]
    values = (" ".join(writer.constant(v.sort, x) for v, x in zip(VARIABLES, state, strict=True)) for state in states)
    asked = "".join(f"(assert (asked {value}))" for value in values)
    return [z3.is_true(z3.simplify(found)) for found in parser.from_string(define("asked", parameters, text) + asked)]


@pytest.mark.parametrize("kind", [BitVectors, Integers])
@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions_mean_the_same(name: str, kind: type[SmtWriter]) -> None:
    """A condition is true in the same states as text, over bit vectors and over integers."""
    condition = CONDITIONS[name]
    writer = kind({v: f"x{n}" for n, v in enumerate(VARIABLES)})
    system = Machine(*VARIABLES).system()
    expected = [system.holds(condition, state) for state in STATES]
    assert meaning(writer, writer.bound(lambda: writer.truth(condition)), STATES) == expected


def test_negation_is_seen() -> None:
    """The comparison above can fail: the negation of a condition means something else."""
    writer = BitVectors({v: f"x{n}" for n, v in enumerate(VARIABLES)})
    assert meaning(writer, writer.truth(FLAG), STATES) == [
        not value for value in meaning(writer, writer.truth(~FLAG), STATES)
    ]


def test_long_terms_are_written_once() -> None:
    """A term that is used again and again does not make the text grow with the number of its uses."""
    term: BoolExpr = FLAG
    for _ in range(40):
        term = ite(SMALL.is_(SIGNED), term & (SMALL < SIGNED), ~term | (SIGNED < SMALL))
    writer = BitVectors({v: f"x{n}" for n, v in enumerate(VARIABLES)})
    text = writer.bound(lambda: writer.truth(term))
    assert len(text) < 20_000
    assert text.count("(let ") > 10


def test_numbers_are_as_wide_as_they_need() -> None:
    """A variable of three values takes two bits, one of a single value one."""
    writer = BitVectors({SMALL: "x"})
    assert [writer.sort(v.sort) for v in (SMALL, SIGNED, ONE, FLAG)] == [
        "(_ BitVec 2)",
        "(_ BitVec 3)",
        "(_ BitVec 1)",
        "Bool",
    ]
    assert [writer.limits("x", v.sort) for v in (SMALL, SIGNED, ONE, FLAG)] == [
        "(bvule x #b10)",
        "true",
        "(bvule x #b0)",
        "true",
    ]


def test_natural_numbers_have_one_end() -> None:
    """The limits of a natural number are those of SMT-LIB's integers with nothing above."""
    writer = Integers({})
    assert writer.limits("n", NATURAL) == "(<= 0 n)"
    assert writer.limits("n", SIGNED.sort) == "(and (<= (- 3) n) (<= n 4))"


def test_unknown_operators_are_refused() -> None:
    """A term that no engine knows is an error that names the operator."""
    strange = BoolExpr("", BOOL, op=op.OPAQUE)
    number = IntExpr("", IntSort(0, 4), op=op.AND, args=(SMALL, SMALL))
    for kind, term in product((BitVectors, Integers), (strange, BoolExpr("", BOOL, op=op.EQ, args=(number, SMALL)))):
        writer = kind(dict.fromkeys(VARIABLES, "x"))
        with pytest.raises(ModelError, match=r"unknown operator '(opaque|and)'"):
            writer.truth(term)


@pytest.mark.parametrize("system", [counter(3), philosophers(), bounded()])
def test_steps_are_those_of_the_system(system: TransitionSystem) -> None:
    """Between any two states there is a step of an action exactly if the system takes it there."""
    relation = Relation(system)
    every = list(product(*(range(v.sort.low, v.sort.high + 1) for v in system.variables)))
    parser = z3.ParserContext(z3.Context())
    parser.from_string(relation.domain + relation.step)
    triples = list(product(every, every, range(len(relation.actions))))
    texts = [[*_constants(system.variables, a + b), relation.number(c)] for a, b, c in triples]
    found = parser.from_string("".join(f"(assert (step {' '.join(text)}))" for text in texts))
    assert len(found) == len(triples)
    for position, (before, after, number) in enumerate(triples):
        action, formula = relation.actions[number], found[position]
        taken = system.holds(action.guard, before) and system.fault(before, action) is None
        assert z3.is_true(z3.simplify(formula)) == (taken and system.step(before, action) == after)


def _constants(variables: Sequence[Variable], values: State) -> list[str]:
    writer = BitVectors({})
    return [writer.constant(v.sort, value) for v, value in zip([*variables, *variables], values, strict=True)]


def test_impossible_actions_are_left_out() -> None:
    """An action whose guard contradicts itself is none of those that a step counts."""
    machine = Machine(SMALL)
    machine.action("never", SMALL.is_(0) & SMALL.is_(1), SMALL.set(1))
    machine.action("sometimes", SMALL.is_(0), SMALL.set(1))
    relation = Relation(machine.system())
    assert [action.index for action in relation.actions] == [1]
    assert relation.number_of(1) == "#b0"


def test_system_without_actions_takes_no_step() -> None:
    """The step of a system that never moves is false."""
    assert Relation(Machine(SMALL).system()).step.endswith(" Bool false)")
