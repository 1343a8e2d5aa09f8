"""A model is what its source says: what was made before it, what is done with it later, and where it travels change nothing."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from enum import Enum, IntEnum

import pytest

from draincheck import Model, Outcome, Run, TransitionSystem, certify, check, check_certificate, write_trace
from draincheck.digest import digest_of
from draincheck.engines.registry import ENGINES
from draincheck.errors import ModelError
from draincheck.export import FORMATS, Origin, demanded
from draincheck.expr import FALSE, TRUE, BoolExpr, ite, number
from draincheck.system import BoolVar, IntVar

STUCK = "no deadlock"


def ending(final: Callable[[Model, IntVar, BoolVar], BoolExpr] | None, others: int = 0) -> Model:
    """A thread that takes one step and has ended; `final` says where that is fine. So many terms are made beside it."""
    m = Model("ends")
    x, y, absent = m.int("x", 0, 3), m.int("y", -5000, 5000), m.bool("absent", exists=False)
    x.is_(1)
    for each in range(others):
        y.is_(each - 2500)
    with m.thread("t") as p:
        p.do("two", x.set(2))
    if final is not None:
        m.final(final(m, x, absent))
    m.no_deadlock()
    return m


@pytest.mark.parametrize(
    "final",
    [
        lambda m, x, absent: FALSE,
        lambda m, x, absent: x.is_(7),
        lambda m, x, absent: x.is_(1) & ~x.is_(1),
        lambda m, x, absent: x.is_(1) & x.is_(3),
        lambda m, x, absent: absent,
    ],
    ids=["never", "outside", "a contradiction", "two values", "an absent variable"],
)
@pytest.mark.parametrize("others", [0, 5000])
def test_a_final_that_no_state_meets_counts(final: Callable[[Model, IntVar, BoolVar], BoolExpr], others: int) -> None:
    """One that is seen to be false before anything is searched is refused, with its line; any other is one. None counts as none at all."""
    try:
        found = check(ending(final, others))
    except ModelError as error:
        assert "no state is final" in str(error) and "test_same_model.py" in str(error)
    else:
        assert found[STUCK].outcome is Outcome.VIOLATED


@pytest.mark.parametrize(("most", "folded", "refused"), [(3, True, True), (7, True, False), (7, False, True)])
def test_a_thread_that_goes_round_has_not_ended(most: int, folded: bool, refused: bool) -> None:
    """It is at work if `final` reads what it stores; a condition that turns on nothing says nothing of that, so no verdict rests on it."""
    m = Model("round")
    n = m.int("n", 0, most)
    never = n.is_(7) if folded else n.is_(1) & n.is_(7)
    with m.thread("p") as p, p.loop():
        p.do("one", n.set(1))
        p.do("none", n.set(0))
    m.final(never)
    m.no_deadlock()
    if refused:
        with pytest.raises(ModelError, match="no state is final"):
            m.compile()
        m.final(n.is_(2))
    assert check(m)[STUCK].outcome is Outcome.HOLDS


@pytest.mark.parametrize("final", [None, lambda m, x, absent: TRUE, lambda m, x, absent: x.is_(2) | absent])
@pytest.mark.parametrize("others", [0, 5000])
def test_a_final_that_is_met_is_none_of_these(
    final: Callable[[Model, IntVar, BoolVar], BoolExpr] | None, others: int
) -> None:
    """The control: with one that holds at the end, and with none, nothing is stuck."""
    assert check(ending(final, others))[STUCK].outcome is Outcome.HOLDS


def guarded(others: int) -> Model:
    """A guard that is always true, and looks so only to somebody who knows that its parts were made of the same things."""
    m = Model("late")
    x, y = m.int("x", 0, 3), m.int("y", -5000, 5000)
    one = x.is_(1)
    for each in range(others):
        y.is_(each - 2500)
    with m.thread("t") as p, p.atomic():
        p.do("one", x.set(1))
        p.do("two", when=one | ~x.is_(1))
    return m


@pytest.mark.parametrize("others", [0, 5000])
def test_what_is_refused_does_not_depend_on_what_was_made_before(others: int) -> None:
    """A guard behind a step of the same atomic is refused, always true or not."""
    with pytest.raises(ModelError, match="guard after something was done"):
        guarded(others)


def violating(name: str = "kept") -> Model:
    """A model whose one demand is violated."""
    m = Model("violating")
    x = m.bool("x")
    with m.thread("t") as p:
        p.do("set", x.set())
    m.always(name, ~x)
    return m


def test_names_may_come_one_by_one() -> None:
    """What gives them once is asked once; a single name needs no list."""
    for names in ("kept", ["kept"], (name for name in ["kept"]), iter(["kept"])):
        for engine in ("explicit", "bmc"):
            found = check(violating(), names, engine=engine)
            assert [item.name for item in found.findings] == ["kept"]
            assert not found.holds


# -- later


def with_coroutine() -> tuple[Model, BoolVar]:
    """A model that can be compiled, and a variable of it."""
    m = Model("later")
    x = m.bool("x")
    co = m.coroutine("co")
    with co:
        co.do("set", x.set())
    with m.thread("t") as p:
        p.enter(co)
    return m, x


@pytest.mark.parametrize(
    "change",
    [
        lambda m, x: m.any_initial(x),
        lambda m, x: x.start_with((1,)),
        lambda m, x: m.bool("on co"),
        lambda m, x: m.int("more", 0, 1),
        lambda m, x: m.enum("more", "a", "b"),
    ],
    ids=["any start", "another start", "a truth value", "a number", "a name"],
)
def test_a_compiled_model_keeps_its_variables(change: Callable[[Model, BoolVar], object]) -> None:
    """They are those of the system, too, and what was found of that would be of another one. Before, all that is fine."""
    before, x = with_coroutine()
    change(before, x)
    before.compile()
    m, x = with_coroutine()
    system = m.compile()
    with pytest.raises(ModelError, match=r"is compiled|is made"):
        change(m, x)
    assert digest_of(system) == system.digest == m.compile().digest


# -- elsewhere


def travelled() -> list[TransitionSystem]:
    """A system, and what came back of it from elsewhere."""
    m = Model("travels")
    x, n, state = m.bool("x"), m.int("n", 0, 2), m.enum("state", "idle", "busy", "done")
    with m.thread("t") as p:
        p.do("start", state.set("busy"), when=state.is_("idle"))
        with p.atomic():
            with p.when(n < 1):
                p.check("asked", x | n.is_(0))
            p.do("end", state.set("done"), x.set(), n.set(ite(x, n, number(1))))
        p.wait("for ever", n.is_(0) & x)
    m.always("kept", ~x | state.is_("done"))
    m.reachable("met", n.is_(1))
    m.no_deadlock()
    system = m.compile()
    return [system, copy.deepcopy(system), pickle.loads(pickle.dumps(system))]


@pytest.mark.parametrize("engine", [engine.name for engine in ENGINES if engine.name != "native"])
def test_a_copy_is_the_same_system(engine: str) -> None:
    """Every engine says the same of it, by the same reasons."""
    first, *others = [check(system, engine=engine).verdicts for system in travelled()]
    assert {verdict.outcome for verdict in first.values()} > {Outcome.VIOLATED}
    for each in others:
        assert {name: (v.outcome, str(v.reason)) for name, v in each.items()} == {
            name: (v.outcome, str(v.reason)) for name, v in first.items()
        }


@pytest.mark.parametrize("form", FORMATS)
def test_a_copy_is_written_as_the_system_is(form: str) -> None:
    """Its truth values are no numbers."""
    texts = {FORMATS[form].write(s, demanded(s), Origin("of", command="how")).text for s in travelled()}
    assert len(texts) == 1


def test_certificates_of_a_copy_are_the_systems() -> None:
    """They name its digest, and are accepted for it."""
    first, *others = travelled()
    for each in others:
        certificate = certify(each, ["asked"]).certificate
        assert certificate is not None
        assert check_certificate(certificate, first, "z3").accepted


# -- what decides a verdict is in the digest


def asking(behind: bool) -> Model:
    """A check that always holds, behind a test that never does."""
    m = Model("asks")
    never, d = m.bool("never"), m.bool("d")
    with m.thread("t") as p, p.atomic():
        if behind:
            with p.when(never):
                p.check("P", TRUE)
        else:
            p.check("P", TRUE)
        p.do("set", d.set())
    m.always("Q", ~never)
    return m


def remembering(history: bool) -> Model:
    """A thread that goes round for ever, and stores nothing but what it has done."""
    m = Model("remembers")
    other, h = m.bool("other"), m.bool("h", history=history)
    with m.thread("t") as p, p.loop():
        p.do("store", h.set())
    m.always("P", ~other)
    return m


def idling(ends: bool) -> Model:
    """A thread that stores nothing; whether it ends does not show in its steps alone."""
    m = Model("idles")
    other = m.bool("other")
    with m.thread("t") as p, p.loop():
        p.do("step")
        if ends:
            with p.either() as choice:
                with choice():
                    p.break_()
                with choice():
                    pass
        else:
            with p.either() as choice:
                with choice():
                    p.here("elsewhere")
                with choice():
                    pass
    m.always("P", ~other)
    return m


@pytest.mark.parametrize("model", [asking, remembering, idling])
def test_models_of_different_verdicts_have_different_digests(model: Callable[[bool], Model]) -> None:
    """Searches are shared, and traces and certificates accepted, by digest. The same model twice has the same one."""
    one, other = (model(flag).compile() for flag in (True, False))
    assert check(one)["P"].outcome is not check(other)["P"].outcome
    assert one.digest != other.digest
    assert one.digest == model(True).compile().digest


def test_an_enum_called_bool_is_no_truth_value() -> None:
    """Nor is one whose values are named like the ends of a range."""

    def digest(make: Callable[[Model], object]) -> str:
        m = Model("sorts")
        make(m)
        with m.thread("t") as p:
            p.do("step")
        return m.compile().digest

    made: list[Callable[[Model], object]] = [
        lambda m: m.bool("a"),
        lambda m: m.enum("a", "bool"),
        lambda m: m.int("a", 0, 0),
        lambda m: m.enum("a", "0", "0 "),
        lambda m: m.enum("a", "\x00\x00"),
    ]
    assert len({digest(make) for make in made}) == len(made)


# -- values of a user's own


class Text(str):
    """A text of another type."""

    def __str__(self) -> str:
        return "wrong"


class Big(int):
    """A number of another type."""


class Colour(IntEnum):
    """Numbers with names."""

    RED = 3


class Named(str, Enum):  # noqa: UP042 - as text it is `Named.RED`, which a StrEnum is not
    """Texts with names."""

    RED = "red"
    BLUE = "blue"


def of_numbers(three: int, most: int) -> Model:
    """A number is stored and compared."""
    m = Model("numbers")
    x = m.int("x", 0, most)
    with m.thread("t") as p:
        p.do("three", x.set(three))
    m.always("less", x < three)
    return m


def of_names(red: str, blue: str) -> Model:
    """A value is stored by its name, and compared."""
    m = Model("names")
    x = m.enum("x", red, blue, initial=blue)
    with m.thread("t") as p:
        p.do("red", x.set(red))
    m.always("blue", x.is_(blue))
    return m


@pytest.mark.parametrize("order", [1, -1])
def test_values_are_what_they_are_equal_to(order: int) -> None:
    """Numbers and texts of other types are numbers and texts, in whichever order models of them are made."""
    numbers = [of_numbers(*each).compile() for each in ((Big(3), Big(5)), (Colour.RED, 5), (3, 5))[::order]]
    names = [of_names(*each).compile() for each in ((Named.RED, Named.BLUE), ("red", "blue"))[::order]]
    for systems in (numbers, names):
        assert len({system.digest for system in systems}) == 1
        assert len({str([*s.properties[0].conditions(), *s.actions[0].updates]) for s in systems}) == 1
        for system in systems:
            (finding,) = check(system).findings
            assert finding.outcome is Outcome.VIOLATED and finding.verdict.trace is not None
            assert write_trace(Run.of(system, finding.verdict.trace))


@pytest.mark.parametrize("text", [str, Text])
def test_names_are_texts(text: type[str]) -> None:
    """Of whatever type they were: of variables, processes, steps, places, properties and checks."""
    m = Model(text("m"))
    x = m.bool(text("x"))
    with m.thread(text("t")) as p:
        p.do(text("set"), x.set(), fair="weak")
        p.wait(text("wait"), x)
        p.check(text("asked"), x)
        p.here(text("end"))
    m.always(text("kept"), ~m.at("t", text("end")))
    found = check(m)
    assert {name: each.outcome for name, each in found.verdicts.items()} == {
        "asked": Outcome.HOLDS,
        "kept": Outcome.VIOLATED,
    }
    names = [found.system.name, *found.verdicts, *(part.label for a in found.system.actions for part in a.parts)]
    assert {type(name) for name in [*names, *(f.name for f in found.system.fairness)]} == {str}
    trace = found["kept"].verdict.trace
    assert trace is not None and '"wrong"' not in write_trace(Run.of(found.system, trace))


# -- promises


def helped(*promised: bool) -> TransitionSystem:
    """One line records a step twice: in an atomic, under a condition, and by itself."""
    m = Model("helpers")
    b, c = m.bool("b"), m.bool("c")
    with m.thread("t") as p:

        def step(fair: bool) -> None:
            p.do("set", b.set(), fair="weak" if fair else None)

        with p.atomic(), p.when(c):
            step(promised[0])
        step(promised[1])
    return m.compile()


def test_a_promise_is_about_the_step_that_it_was_made_of() -> None:
    """Not about one of the same line."""
    system = helped(False, True)
    (promise,) = system.fairness
    assert [system.actions[index].location for index in promise.actions] == [1]
    assert not helped(False, False).fairness


def test_a_promise_of_a_step_under_a_condition_is_refused() -> None:
    """The control: that one happens without the step, too."""
    with pytest.raises(ModelError, match="under a condition inside atomic"):
        helped(True, False)
