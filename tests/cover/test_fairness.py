"""How fairness and demands on runs are declared."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from draincheck.engines.liveness import decide
from draincheck.errors import ModelError
from draincheck.expr import TRUE
from draincheck.lang import Model
from draincheck.promise import Fairness, Strength
from draincheck.properties import LeadsTo
from tests.support.starving import swing, two_steps


def test_fairness_of_a_process_is_about_all_its_actions() -> None:
    """`fair` on a process gathers every action of it, whatever the order of declaration."""
    system = swing("weak").compile()
    _, fairness = system.fairness
    assert fairness == Fairness("leaver", Strength.WEAK, (2,))
    assert str(fairness) == "weak fairness of leaver"


def test_fairness_of_a_step_by_its_label() -> None:
    """`fair(step=...)` is about the steps of that process with that label, and says so in its name."""
    m = two_steps()
    m.fair(m.processes["p"], "strong", step="good")
    assert m.compile().fairness == (Fairness("p: good", Strength.STRONG, (0,)),)


def test_fairness_where_the_step_is_written() -> None:
    """`do(..., fair=...)` is about exactly the actions of that statement."""
    assert two_steps("other").compile().fairness == (Fairness("p: other", Strength.WEAK, (1,)),)


def test_fairness_of_a_wait() -> None:
    """`wait` takes `fair` too."""
    m = Model("m")
    flag = m.bool("flag")
    with m.thread("p") as p:
        p.wait("for it", flag, fair="strong")
    assert m.compile().fairness == (Fairness("p: for it", Strength.STRONG, (0,)),)


def test_fair_step_that_several_ways_lead_into_is_one_group() -> None:
    """A statement that compiles to several actions, one for each way there, is one assumption over all of them."""
    m = Model("m")
    a, b = m.bool("a"), m.bool("b")
    with m.thread("p") as p:
        with p.either() as choice:
            with choice(when=a):
                p.do("in a", fair="weak")
                p.here("behind a")
            with choice(when=b):
                p.do("in b")
        p.do("after", fair="weak")
    names = {f.name: f.actions for f in m.compile().fairness}
    assert names == {"p: in a": (0,), "p: after": (2, 3)}


def test_step_that_is_fair_to_nothing_is_refused() -> None:
    """Fairness of a label that no step has is an error with its place."""
    m = two_steps()
    m.fair(m.processes["p"], step="better")
    with pytest.raises(ModelError, match=r"test_fairness\.py:\d+: fairness of p: unknown step 'better'; "):
        m.compile()


def test_unknown_strength_is_refused() -> None:
    """Only weak and strong are known."""
    m = two_steps()
    with pytest.raises(ModelError, match="fairness is 'weak' or 'strong', not 'medium'"):
        m.fair(m.processes["p"], "medium")  # type: ignore[arg-type]


@pytest.mark.parametrize("by_label", [False, True])
def test_conditional_part_cannot_be_fair(by_label: bool) -> None:
    """A step under a condition inside atomic is not an action of its own, so being fair to it would say something else."""
    m = Model("m")
    flag = m.bool("flag")
    with m.thread("p") as p, p.atomic():
        p.do("first")
        with p.when(flag):
            p.do("second", flag.clear(), fair=None if by_label else "weak")
    if by_label:
        m.fair(m.processes["p"], step="second")
    with pytest.raises(ModelError, match="a fair step under a condition inside atomic"):
        m.compile()


def test_digest_covers_fairness_and_demands_on_runs() -> None:
    """Systems that differ in what is assumed, how strongly, or in trigger or goal have different digests."""

    def with_demand(demand: Callable[[Model], None]) -> str:
        m = swing()
        demand(m)
        return m.compile().digest

    digests = {swing().compile().digest, swing("weak").compile().digest, swing("strong").compile().digest}
    digests |= {
        with_demand(lambda m: m.leads_to("x", m.variables["right"], m.variables["out"])),  # type: ignore[arg-type]
        with_demand(lambda m: m.leads_to("x", m.variables["out"], m.variables["out"])),  # type: ignore[arg-type]
        with_demand(lambda m: m.leads_to("x", m.variables["out"], m.variables["right"])),  # type: ignore[arg-type]
    }
    assert len(digests) == 6


def test_digest_covers_the_quotient() -> None:
    """A system with states made one is another system."""
    system = swing().compile()
    assert replace(system, quotient="symmetry").digest != system.digest


def test_demand_on_runs_keeps_its_meaning_and_places() -> None:
    """Meaning and source survive compilation, and `at` conditions are resolved in trigger and goal."""
    m = Model("m")
    with m.thread("p") as p:
        p.here("start")
        p.do("goes")
        p.here("there")
    m.fair(p)
    m.leads_to("arrives", p.at("start"), p.at("there"), meaning="it goes", source="here")
    system = m.compile()
    item = system.property_named("arrives")
    assert isinstance(item, LeadsTo) and (item.meaning, item.source) == ("it goes", "here")
    assert (
        str(decide(system, [system.property_named("arrives")])["arrives"].reason)
        == "exhaustive, assuming that p goes on while nothing prevents it (weak fairness)"
    )


def test_demand_with_a_foreign_variable_is_refused() -> None:
    """A trigger over another model's variable is an error that names the property."""
    m, other = swing(), Model("other")
    m.leads_to("x", other.bool("y"), TRUE)
    with pytest.raises(ModelError, match="x: unknown variable y"):
        m.compile()
