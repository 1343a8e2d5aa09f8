"""Terms of more than a thousand parts, deeper than a thousand, or with parts that share parts: nothing calls itself into an error, or goes on for ever."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

import pytest

from draincheck import Limits, Model, Outcome, Run, check, interpreter, render_trace, write_trace
from draincheck.analysis.explain import explain
from draincheck.certificate import check as check_certificate
from draincheck.certificate.certification import certify
from draincheck.evaluation import Evaluation
from draincheck.expr import TRUE, BoolExpr, Expr, IntExpr, count, ite, number, render, substitute, variables_of
from draincheck.system import TransitionSystem
from draincheck.verdict import Verdict
from draincheck.walks import bottom_up
from tests.support.samples import sampled

#: deeper than Python's recursion, and wider than its parser's parentheses
MANY = 1_200


def total(size: int) -> Model:
    """A sum of so many terms as an update, a guard and a property."""
    m = Model("total")
    bits, n = [m.bool(f"b{i}") for i in range(size)], m.int("n", 0, size)
    with m.thread("t") as p:
        p.do("first", bits[0].set(), bits[size // 2].set())
        p.do("sum", n.set(count(*bits)))
        p.do("one more", bits[1].set(), when=count(*bits) > 1)
    m.always("few", count(*bits) < 3)
    m.always("at most two", n <= 2)
    m.always("not two", ~n.is_(2))
    return m


def deep(size: int) -> Model:
    """Conditions and choices nested so deep, as updates, guards, checks and properties."""
    m = Model("deep")
    a, b, c, x = m.bool("a"), m.bool("b"), m.bool("c"), m.int("x", 0, 3)
    condition: BoolExpr = a
    choice: Expr = x
    for i in range(size):
        condition = (condition | b) & (c if i % 2 else a) if i % 3 else ~condition
        choice = ite(a & b if i % 2 else b, choice, number(i % 4))
    with m.thread("t") as p:
        p.do("b", b.set())
        p.do("c", c.set(), a.set(), x.to(choice))
        p.do("deep", a.set(condition), when=condition | b)
        p.check("checked", condition | ~condition | a)
    m.always("either", condition | ~condition.iff(condition) | ~a | c)
    m.always("below three", x < 3)
    return m


def shared(size: int) -> Model:
    """Choices whose parts are in both branches: written out they have 2**size parts."""
    m = Model("shared")
    a, b, x = m.bool("a"), m.bool("b"), m.int("x", 0, 9)
    condition: BoolExpr = a
    choice: IntExpr = x
    for _ in range(size):
        condition = ite(b.iff(condition), a & condition, b)
        choice = ite(condition & (choice < 5), choice, ite(b, choice, number(3)))
    with m.thread("t") as p:
        p.do("s", a.set(), x.to(choice))
        p.do("t", b.set(condition))
    m.always("below nine", x < 9)
    m.always("never a", ~a)
    return m


MODELS = {"total": (total, MANY), "deep": (deep, MANY), "shared": (shared, 150)}


@cache
def system_of(name: str) -> TransitionSystem:
    """One of the models, compiled once."""
    build, size = MODELS[name]
    return build(size).compile()


@cache
def verdicts_of(name: str) -> Mapping[str, Verdict]:
    """What the interpreter says of one."""
    return interpreter.explore(system_of(name)).verdicts


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("engine", sampled(["explicit", "auto", "simulation"], ["explicit"]))
def test_searches_take_big_terms(name: str, engine: str) -> None:
    """Searches decide what the interpreter does, with terms of any size; random walks claim no more."""
    limits = Limits(depth=10) if engine != "explicit" else Limits()
    found = check(system_of(name), engine=engine, limits=limits)
    for item, expected in verdicts_of(name).items():
        assert found[item].outcome in (expected.outcome, *([Outcome.UNKNOWN] if engine == "simulation" else []))


#: a model and an engine that asks z3
ASKED = [("shared", "bmc"), ("shared", "induction"), ("deep", "bmc"), ("deep", "induction"), ("total", "bmc")]


@pytest.mark.parametrize("case", sampled(ASKED, 2))
def test_solvers_take_big_terms(case: tuple[str, str]) -> None:
    """Bounded model checking and induction agree with the interpreter, or do not know."""
    name, engine = case
    system = system_of(name)
    expected = verdicts_of(name)
    for item, verdict in check(system, engine=engine, limits=Limits(depth=4)).verdicts.items():
        assert verdict.outcome in (expected[item].outcome, Outcome.UNKNOWN), item
        assert verdict.outcome is expected[item].outcome or expected[item].outcome is Outcome.HOLDS


@pytest.mark.parametrize("name", sampled(MODELS, ["deep", "shared"]))
def test_reports_take_big_terms(name: str) -> None:
    """Traces about big terms are shown, written as JSON and explained; their texts stay short enough to be read."""
    system = system_of(name)
    found = check(system)
    for finding in found.findings:
        trace = finding.verdict.trace
        if trace is not None:
            run = Run.of(system, trace)
            assert render_trace(run)
            assert json.loads(write_trace(run))
            assert explain(run).steps
    assert all(len(render(part)) < 10_000 for item in system.properties for part in item.conditions())


@pytest.mark.parametrize("name", ["deep", "shared"])
def test_certificates_take_big_terms(name: str) -> None:
    """What holds of big terms is certified, and z3 accepts it."""
    system = system_of(name)
    certificate = certify(system).certificate
    assert certificate is not None
    assert check_certificate(certificate, system).accepted


@pytest.mark.slow
def test_digest_of_big_terms() -> None:
    """A digest tells big terms apart, by what is deep in them, and says the same of the same model built twice."""
    assert deep(MANY).compile().digest == system_of("deep").digest
    assert deep(MANY + 1).compile().digest != system_of("deep").digest
    assert shared(149).compile().digest != system_of("shared").digest


def test_walks_look_at_each_part_once() -> None:
    """A term whose parts share parts is walked in as many looks as it has parts, each behind its own."""
    system = system_of("shared")
    condition = next(action for action in system.actions if action.name == "t").updates[0].value
    order = list(bottom_up(condition))
    assert len(order) == len(set(order)) < 1_000
    place = {term: number for number, term in enumerate(order)}
    assert all(place[arg] < place[term] for term in order for arg in term.args)


def test_functions_of_deep_terms() -> None:
    """Substituting, evaluating and asking for variables do not depend on how deep a term is."""
    m = Model("chain")
    a, b = m.bool("a"), m.bool("b")
    term: BoolExpr = a
    for _ in range(MANY):
        term = ite(b, ~term, term & a)
    assert variables_of(term) == {a, b}
    assert variables_of(substitute(term, {b: TRUE})) == {a}
    for value in (0, 1):
        assert Evaluation({a: value, b: 1})[term] == value
        assert Evaluation({a: value, b: 0})[term] == value


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["z3", "cvc5"])
def test_certificates_take_a_thousand_variables(solver: str) -> None:
    """A diagram of 1,200 variables is as deep as that, and no solver minds."""
    system = system_of("total")
    certificate = certify(system, ["at most two"]).certificate
    assert certificate is not None
    assert check_certificate(certificate, system, solver).accepted
