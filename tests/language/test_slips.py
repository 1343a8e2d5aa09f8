"""Slips of Python in a model: what Python would accept in silence, or refuse in its own words, is refused with the line and what to write."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from draincheck import interpreter
from draincheck.engines.explicit import explore
from draincheck.engines.smt import bmc, induction
from draincheck.errors import MalformedModel
from draincheck.lang import TRUE, Model, ModelError, Process, all_
from draincheck.model_file import ModelFile
from draincheck.verdict import Limits, Outcome
from tests.support.engines import one

# blocks that an exception leaves, or that nobody closes


class Skip(Exception):
    """Something that a model's own Python raises and catches."""


def caught_in_a_block(p: Process) -> None:
    with suppress(Skip), p.when(p.model.bool("x")):
        p.do("first")
        raise Skip


def caught_outside_the_process(p: Process) -> None:
    with suppress(Skip), p.model.thread("other") as other:
        other.do("first")
        raise Skip


def left_by_a_generator(p: Process) -> None:
    def inside() -> Iterator[None]:
        with p.when(p.model.bool("x")):
            yield

    next(inside())


def never_closed(p: Process) -> None:
    p.when(p.model.bool("x")).__enter__()


def closed_out_of_order(p: Process) -> None:
    outer = p.call("f")
    outer.__enter__()
    p.atomic().__enter__()
    outer.__exit__(None, None, None)


def process_of_nobody(p: Process) -> None:
    with Process(p.model, "nobody's") as other:
        other.do("step")


def call_behind_abort(p: Process) -> None:
    with p.atomic():
        p.abort("ends")
        with p.call("f"):
            pass


def otherwise_behind_a_call(p: Process) -> None:
    with p.call("f"), p.when(p.model.bool("x")):
        p.do("first")
    with p.otherwise():
        p.do("second")


def in_place(p: Process) -> None:
    n: Any = p.model.int("n", 0, 2)
    n += 1


def attribute(p: Process) -> None:
    flag: Any = p.model.bool("flag")
    flag.value = True


def where_it_starts(p: Process) -> None:
    flag: Any = p.model.bool("flag")
    flag.initial = True


@pytest.mark.parametrize(
    ("slip", "message"),
    [
        (caught_in_a_block, "an exception left a block here, and was caught"),
        (caught_outside_the_process, "an exception left a block here, and was caught"),
        (left_by_a_generator, "an exception left a block here, and was caught"),
        (never_closed, "when(...) is never closed: open it by 'with'"),
        (closed_out_of_order, "call(...) is closed before a block inside it"),
        (process_of_nobody, "a process is made by m.thread(...) or m.coroutine(...)"),
        (call_behind_abort, "unreachable step"),
        (otherwise_behind_a_call, "otherwise without a when just before it"),
        (in_place, "an operator with = stores nothing in n: write p.do('...', x.set(...))"),
        (attribute, "flag.value = True stores nothing"),
        (where_it_starts, "flag.initial = True stores nothing"),
        (lambda p: copy.deepcopy(p.model), "a model is not copied: build it again"),
    ],
)
def test_slip_is_refused(slip: Callable[[Process], None], message: str) -> None:
    """A model that Python would have made another one in silence is none."""
    m = Model("slip")
    with pytest.raises(ModelError) as error:
        with m.thread("t") as p:
            slip(p)
        m.compile()
    assert message in str(error.value)


def test_exception_that_goes_through_stays_what_it_is() -> None:
    """A block that an exception leaves does not hide it, and what Python does inside a block is its own affair."""
    m = Model("through")
    with pytest.raises(Skip), m.thread("t") as p, p.atomic():
        raise Skip
    m = Model("caught")
    with m.thread("t") as p, p.call("f"), p.atomic():
        with suppress(Skip):
            raise Skip
        p.do("step")
    assert len(m.compile().actions) == 1


def opened_by_a_generator(p: Process) -> Iterator[None]:
    """A helper that stands around what its caller records."""
    with p.call("f"), p.atomic():
        yield


def returned_from(p: Process) -> None:
    """A helper that returns from inside a block."""
    with p.when(p.model.variables["x"]):  # type: ignore[arg-type]
        p.do("and back")
        return


def test_helpers_close_their_blocks_by_themselves() -> None:
    """A generator that runs to its end, an early return and `finally` are ordinary Python."""
    m = Model("helpers")
    x = m.bool("x")
    with m.thread("t") as p:
        for _ in opened_by_a_generator(p):
            p.do("set", x.set())
        try:
            returned_from(p)
        finally:
            p.do("clear", x.clear())
    m.reachable("set", x)
    result = explore(m.compile())
    assert (result.statistics.states, result.verdicts["set"].outcome) == (5, Outcome.HOLDS)


# names


@pytest.mark.parametrize("empty", ["", "  "])
@pytest.mark.parametrize(
    ("named", "what"),
    [
        (lambda p, name: p.model.bool(name), "the name of a variable"),
        (lambda p, name: p.model.int(name, 0, 1), "the name of a variable"),
        (lambda p, name: p.model.enum("e", "a", name), "a value of e"),
        (lambda p, name: p.model.thread(name), "the name of a process"),
        (lambda p, name: p.model.coroutine(name), "the name of a process"),
        (lambda p, name: p.model.coroutine("co", name), "the name of a place"),
        (lambda p, name: p.model.always(name, TRUE), "the name of a property"),
        (lambda p, name: p.model.assertion(name), "the name of a property"),
        (lambda p, name: p.check(name, TRUE), "the name of a property"),
        (lambda p, name: p.do(name), "the label of a step"),
        (lambda p, name: p.wait(name, TRUE), "the label of a wait"),
        (lambda p, name: p.abort(name), "the label of a step"),
        (lambda p, name: p.bound(name), "what is bounded"),
        (lambda p, name: p.here(name), "the name of a place"),
        (lambda p, name: p.call(name).__enter__(), "the name of a function"),
    ],
)
def test_empty_name_is_refused(named: Callable[[Process, str], object], what: str, empty: str) -> None:
    """Nobody can tell by it what a trace or a verdict is about."""
    m = Model("names")
    with pytest.raises(ModelError, match=rf"test_slips.py:\d+: {what}.* is empty"), m.thread("t") as p:
        named(p, empty)


def test_step_that_only_remembers_needs_no_label() -> None:
    """A history variable stays out of traces, and so may the step in an atomic that writes it; but it alone."""
    m = Model("remembers")
    was, x = m.bool("was", history=True), m.bool("x")
    with m.thread("t") as p, p.atomic():
        p.do("", was.set())
        p.do("x", x.set())
    assert m.compile().actions[0].name == "x"
    with pytest.raises(ModelError, match="the label of a step"), m.thread("u") as p:
        p.do("", was.set(), x.set())


# names that the language uses itself


def named_ended(p: Process) -> None:
    p.here("(ended)")


def waits_at_ended(p: Process) -> None:
    p.wait("(ended)", TRUE)


def enters_at_ended(p: Process) -> None:
    p.enter(p.model.coroutine("co"), place="(ended)")


def named_start(p: Process) -> None:
    p.here("(start)")


@pytest.mark.parametrize(
    ("slip", "message"),
    [
        (named_ended, "'(ended)' is the name of the end of a process"),
        (waits_at_ended, "'(ended)' is the name of the end of a process"),
        (enters_at_ended, "'(ended)' is the name of the end of a process"),
        (named_start, "'(start)' is the name of the start of a process"),
    ],
)
def test_name_that_means_something_else_is_refused(slip: Callable[[Process], None], message: str) -> None:
    """Conditions and traces could not tell the two apart."""
    m = Model("names")
    with pytest.raises(ModelError, match=r"test_slips.py:\d+: ") as error:
        with m.thread("t") as p:
            slip(p)
        m.compile()
    assert message in str(error.value)


OWN_NAMES = ("pc t", "pc t'", "on co", "enterer of co", "halted", "halted'")


@pytest.mark.parametrize("first", [True, False], ids=["before the processes", "after them"])
def test_names_of_the_language_give_way_to_those_of_a_model(first: bool) -> None:
    """A program counter, a running coroutine, who entered it, an abort: whoever was first, a variable of that name is one like others."""
    m = Model("names")
    mine = [m.bool(name) for name in OWN_NAMES] if first else []
    co = m.coroutine("co")
    threads = [m.thread(name) for name in ("t", "t'")]
    halted = m.halted
    mine = mine or [m.bool(name) for name in OWN_NAMES]
    with co:
        co.do("works", mine[2].set())
        co.yield_("rests")
    for thread in threads:
        with thread as p, p.atomic(), p.when(co.can_be_entered):
            p.do("all", *(variable.set() for variable in mine if variable is not mine[2]))
            p.enter(co)
            p.abort("ends")
    m.reachable("mine", all_(*mine) & ~halted)
    m.reachable("aborted", halted)
    m.always("never aborted", ~halted)
    system = m.compile()
    names = [variable.name for variable in system.variables]
    assert len(names) == len(set(names)) == 12
    assert set(OWN_NAMES) <= set(names)
    assert [name for name in names if name not in OWN_NAMES] == [
        "on co'",
        "halted''",
        "pc co",
        "pc t''",
        "pc t'''",
        "enterer of co'",
    ]
    outcomes = {name: verdict.outcome for name, verdict in explore(system).verdicts.items()}
    assert outcomes == {"mine": Outcome.HOLDS, "aborted": Outcome.HOLDS, "never aborted": Outcome.VIOLATED}
    assert m.compile().digest == system.digest


def test_names_that_nobody_has_taken_stay() -> None:
    """The control: without a variable of its own the model has the language's names as they are."""
    m = Model("plain")
    co, x = m.coroutine("co"), m.bool("x")
    with co:
        co.do("works", x.set())
    for name in ("t", "u"):
        with m.thread(name) as p, p.when(co.can_be_entered):
            p.enter(co)
            p.abort("ends")
    assert [v.name for v in m.compile().variables] == ["on co", "x", "halted", "pc co", "pc t", "pc u", "enterer of co"]


def test_a_model_cannot_have_a_name_twice_itself() -> None:
    """Giving way is for the language alone: a second variable of the model is refused with its line."""
    m = Model("twice")
    m.bool("pc t")
    with pytest.raises(ModelError, match=r"test_slips.py:\d+: there is a variable 'pc t' already"):
        m.int("pc t", 0, 1)


# nothing to tell states by


@pytest.mark.parametrize("spins", [False, True])
def test_program_without_variables_has_one_state(spins: bool) -> None:
    """Where nothing can change nothing is asked, be it that somebody spins; every engine decides so, or does not claim to know anything."""
    m = Model("still")
    with m.thread("t") as p:
        if spins:
            with p.loop():
                p.do("spin")
    m.always("true", TRUE)
    m.no_deadlock("moves")
    m.reachable("start", TRUE)
    system = m.compile()
    expected = dict.fromkeys(("true", "moves", "start"), Outcome.NEVER_ASKED)
    assert explore(system).statistics.states == 1
    for name, outcome in expected.items():
        assert interpreter.explore(system).verdicts[name].outcome is outcome
        assert explore(system).verdicts[name].outcome is outcome
        assert one(induction.prove, system, name)[0].outcome in (outcome, Outcome.UNKNOWN)
        assert one(bmc.decide, system, name, Limits(depth=2)).outcome in (outcome, Outcome.UNKNOWN)


# model files


def refused(tmp_path: Path, statement: str) -> str:
    """What is said of a model file with this statement, in its line 12."""
    file = tmp_path / "m.py"
    file.write_text(_FILE.format(statement=statement), encoding="utf-8")
    with pytest.raises(MalformedModel) as error:
        ModelFile.load(f"{file}:build")
    assert f"{file}:12: " in str(error.value)
    return str(error.value).partition(":12: ")[2]


_FILE = """from draincheck.lang import Model, all_, any_, count, ite, number


def build():
    m = Model("m")
    x, n, e = m.bool("x"), m.int("n", 0, 2), m.enum("e", "a", "b")
    co = m.coroutine("co")
    with co as c:
        c.do("in")
    with m.thread("p") as p:
        p.do("begin")
        {statement}
        p.do("end", x.set())
    m.reachable("r", x)
    return m
"""


@pytest.mark.parametrize("statement", ["x", "'text'", "p.name", "m.halted", "co.can_be_entered", "p.do('a'), p.do"])
def test_what_is_no_statement_may_be_named(tmp_path: Path, statement: str) -> None:
    """Negative control: nothing but a statement or a method that stands alone is meant to be called."""
    file = tmp_path / "m.py"
    file.write_text(_FILE.format(statement=statement), encoding="utf-8")
    assert ModelFile.load(f"{file}:build").system().name == "m"


@pytest.mark.parametrize(
    "statement", ["p.break_", "p.wait", "x.set", "n.inc", "m.variables['x'].clear", "p.do('a'); p.atomic"]
)
def test_statement_that_is_named_and_not_called(tmp_path: Path, statement: str) -> None:
    """Python does nothing there, and the model would be another one."""
    named = statement.rpartition("; ")[2]
    assert refused(tmp_path, statement) == f"{named} is named and not called: it does nothing; write {named}(...)"


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("p.do()", r"'label' missing: write do(label, *updates, when=..., mark=..., fair=..., choice=...)"),
        ("p.wait('a')", r"'condition' missing: write wait(label, condition, mark=..., fair=...)"),
        ("p.wait('a', wen=x)", r"it has no 'wen': write wait(label, condition, mark=..., fair=...)"),
        ("p.break_(1)", r"too many arguments: write break_()"),
        ("p.when()", r"'condition' missing: write when(condition, text=..., local=...)"),
        ("p.here('a', name='b')", r"'name' is given twice: write here(name)"),
        ("Model()", r"'name' missing: write Model(name)"),
        ("x.to()", r"'new' missing: write to(new)"),
        ("ite(x, n)", r"'otherwise' missing: write ite(condition, then, otherwise)"),
        ("with p.either() as c, c(x, n): pass", r"too many arguments: write choice(when=...)"),
        ("with p.either() as c: c.do('a')", r"a choice has no 'do': write 'with choice():'"),
        ("p.brake_()", r"process p (Process) has no 'brake_': did you mean break_?"),
        ("p.yield_('a')", r"process p (Process) has no 'yield_': Coroutine has one"),
        ("x.inc()", r"x (BoolVar) has no 'inc': IntVar has one"),
        ("m.zzz", r"model m (Model) has no 'zzz': it has always, any_initial"),
        ("with p.atomic: pass", r"a block is called: write () behind its name"),
        ("with p.do('a'): pass", r"'with' opens processes and blocks"),
        ("for i in p.loop(): pass", r"something of type Block is no series: open it by 'with'"),
        ("n()", r"something of type IntVar is called, and is no function: write its name alone"),
        ("m[0]", r"something of type Model has no elements"),
        ("round(n)", r"round of n means nothing in a model: numbers have + and -"),
        ("divmod(n, 2)", r"n divmod 2 means nothing in a model"),
        ("all_([x, x])", r"write * before a series of terms"),
        ("p.wait('a', n)", r"a condition must be a truth-valued expression, not n; compare it, as in n.is_(0)"),
        ("p.wait('a', lambda: x)", r"not <lambda>; this is of type function: write a term"),
        ("p.enter(p)", r"enter runs a coroutine; this is process p (Process)"),
        ("m.bool('q', x)", r"q starts with a value, not with a term"),
        ("m.bool('q', 1)", r"q starts with 1, which is not a truth value"),
        ("m.bool('q', history=1)", r"history is True or False, not 1 (int)"),
        ("with p.when(x, local=n): pass", r"local is True or False, not n (IntVar)"),
        ("m.assertion([])", r"the name of a property is a text in quotes; this is [] (list)"),
        ("m.fair(p, x)", r"fairness, 'weak' or 'strong', is a text in quotes; this is x (BoolVar)"),
    ],
)
def test_misuse_is_said_in_the_words_of_the_language(tmp_path: Path, statement: str, message: str) -> None:
    """What was written, and what to write: never Python's own message."""
    said = refused(tmp_path, statement)
    assert message in said
    assert not re.search(r"\w+Error", said)


@pytest.mark.parametrize("statement", ["int('x')", "count_(1)", "(lambda a: a)()", "[].zzz", "open('/nowhere')"])
def test_error_of_other_python_keeps_its_name(tmp_path: Path, statement: str) -> None:
    """Negative control: what has nothing to do with the language is Python's to explain."""
    assert re.match(r"build\(\) failed: \w+Error: ", refused(tmp_path, statement))
