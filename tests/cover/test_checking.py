"""`check` and the registry of engines: one question, whichever engine answers it."""

from __future__ import annotations

import pytest

from draincheck.checking import check, system_of
from draincheck.engines.question import Question
from draincheck.engines.registry import ENGINES, EXPLORING, Engine, find_engine
from draincheck.errors import ModelError
from draincheck.expr import TRUE
from draincheck.lang import Model
from draincheck.properties import (
    FAULTS,
    Always,
    Assertion,
    CanAlwaysFinish,
    Eventually,
    LeadsTo,
    NoDeadlock,
    Property,
    Reachable,
)
from draincheck.reason import Refused
from draincheck.verdict import Limits, Outcome


def model() -> Model:
    """A counter with a demand of each kind, all of them met but `small`."""
    m = Model("counter")
    n = m.int("n", 0, 3)
    with m.thread("p") as p:
        p.do("one", n.set(1))
        p.check("kept", n >= 1)
        p.do("two", n.set(2))
    m.always("in range", n <= 3)
    m.always("small", n <= 1)
    m.assertion("kept")
    m.reachable("gets there", n >= 2)
    m.no_deadlock()
    m.can_always_finish("can get there", n >= 2)
    m.eventually("will get there", n >= 2)
    m.leads_to("goes on", n.is_(1), n >= 2)
    m.final(n >= 2)
    m.progress()
    return m


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_an_engine_refuses_what_the_registry_says(engine: Engine) -> None:
    """Of every kind of property: refused with a reason if and only if the engine is not said to decide it."""
    system = system_of(model())
    for item in system.properties:
        verdicts, _ = engine.ask(Question(system, [item.name], Limits(depth=3)))
        reason = verdicts[item.name].reason
        refused = isinstance(getattr(reason, "reason", reason), Refused)
        assert refused is not isinstance(item, engine.decides), item.name


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_every_engine_answers_the_same_question(engine: Engine) -> None:
    """What is violated is so for each, and demands on whole runs are decided beside it."""
    result = check(model(), ["small", "will get there"], engine=engine.name, limits=few(engine))
    assert [finding.name for finding in result.findings] == ["small", "will get there"]
    assert result["small"].outcome is Outcome.VIOLATED
    assert result["will get there"].outcome is Outcome.HOLDS
    assert not result.holds
    assert (result.exploration is not None) is (engine.name in EXPLORING)


def few(engine: Engine) -> Limits:
    """A limit that an engine knows."""
    return Limits(depth=4) if "depth" in engine.limits else Limits()


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_a_limit_that_an_engine_does_not_know_is_refused(engine: Engine) -> None:
    """Whoever gives it learns which engines know it; the others are kept."""
    for name, limits in (("states", Limits(states=1)), ("depth", Limits(depth=1))):
        if name in engine.limits:
            assert check(model(), ["in range"], engine=engine.name, limits=limits).findings
        else:
            with pytest.raises(ModelError, match=f"knows no limit of {name}; engines that do: .*auto"):
                check(model(), ["in range"], engine=engine.name, limits=limits)


def test_unknown_names_are_refused() -> None:
    """An engine or a property that is not there is an error, never a verdict."""
    with pytest.raises(ModelError, match="unknown engine 'magic'; known: explicit, native, python, bmc"):
        find_engine("magic")
    with pytest.raises(ModelError, match="has no property 'tiny'"):
        check(model(), ["tiny"])


def test_a_demand_is_called_what_a_model_writes() -> None:
    """Each kind that a model can write has a method of that name; what is built in has none."""
    demands: list[Property] = [
        Always("it", TRUE),
        Assertion("it"),
        Reachable("it", TRUE),
        NoDeadlock("it"),
        CanAlwaysFinish("it", TRUE),
        Eventually("it", TRUE),
        LeadsTo("it", TRUE, TRUE),
    ]
    assert all(callable(getattr(Model, item.written)) for item in demands)
    assert not hasattr(Model, FAULTS["values in range"].written)
