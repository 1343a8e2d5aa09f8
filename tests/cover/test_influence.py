"""Who is at work in a model, and who only looks on: a monitor hides no end, whatever it remembers, asks or counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from draincheck.engines.explicit import check, explore
from draincheck.lang import TRUE, BoolExpr, BoolVar, Model, ModelError, Process, all_, any_
from draincheck.verdict import Outcome


def outcome(add: Callable[[Model, BoolVar], None]) -> Outcome:
    """Whether somebody is stuck where all ends and what should have come about has not, with something more in the model."""
    m = Model("finished")
    served = m.bool("served")
    with m.thread("guest") as p:
        p.do("gives up")
    m.final(served)
    m.no_deadlock()
    add(m, served)
    return check(m.compile(), "no deadlock").outcome


def moving(m: Model, served: BoolVar) -> None:
    """Goes round."""
    with m.thread("more") as p, p.loop():
        p.do("here")
        p.do("there")


def remembering(m: Model, served: BoolVar) -> None:
    """Notes what a property has to know."""
    seen = m.bool("seen", history=True)
    m.always("seen once", ~seen | served)
    with m.thread("more") as p, p.loop():
        p.do("notes", seen.set(served))
        p.do("forgets", seen.clear())


def asking(m: Model, served: BoolVar) -> None:
    """Asks an assertion, and knows an error."""
    with m.thread("more") as p, p.loop():
        p.check("not served", ~served)
        p.error("served", when=served)


def counting(m: Model, served: BoolVar) -> None:
    """Counts for itself alone."""
    n = m.int("n", 0, 2)
    with m.thread("more") as p, p.loop():
        p.do("counts", n.inc(when=n < 2))
        with p.when(n.is_(2)):
            p.do("begins again", n.set(0))


def telling(m: Model, served: BoolVar) -> None:
    """Two that look on, one at the other, and at where it stands; one has a coroutine."""
    seen = m.bool("seen", history=True)
    helper = m.coroutine("helper")
    with helper as co, co.loop():
        co.do("helps")
        co.yield_("idle")
    with m.thread("more") as p, p.loop():
        p.enter(helper)
        p.do("notes", seen.set())
    with m.thread("other") as p, p.loop():
        with p.when(seen & helper.at("idle")):
            p.do("sees")
        p.do("looks again")


def conversing(m: Model, served: BoolVar) -> None:
    """Two that talk about what nobody else knows of."""
    ready = m.bool("ready")
    with m.thread("more") as p, p.loop():
        p.do("makes ready", ready.set(), when=~ready)
    with m.thread("other") as p, p.loop():
        p.do("takes it", ready.clear(), when=ready)


def watched(m: Model, served: BoolVar) -> None:
    """A clock that only a monitor reads, and one that ends."""
    tick, seen, noted = m.bool("tick"), m.bool("seen", history=True), m.bool("noted")
    with m.thread("more") as p, p.while_(TRUE):
        p.do("ticks", tick.to(~tick))
    with m.thread("monitor") as p, p.loop():
        p.do("looks", seen.to(tick))
    with m.thread("other") as p:
        p.do("notes", noted.to(tick))


def unentered(m: Model, served: BoolVar) -> None:
    """A coroutine that nobody ever enters, and that would read what goes round."""
    tick, seen = m.bool("tick"), m.bool("seen")
    with m.thread("more") as p, p.loop():
        p.do("ticks", tick.to(~tick))
    with m.coroutine("never") as p:
        p.do("looks", seen.to(tick))


@pytest.mark.parametrize("add", [moving, remembering, asking, counting, telling, conversing, watched, unentered])
def test_who_only_looks_on_hides_no_end(add: Callable[[Model, BoolVar], None]) -> None:
    """Everything else has ended, nothing final is in reach: that is found, whoever goes on beside it."""
    assert outcome(lambda m, served: None) is Outcome.VIOLATED
    assert outcome(add) is Outcome.VIOLATED


@pytest.mark.parametrize(
    "holds",
    [
        lambda ready, other: ready.implies(ready | other),
        lambda ready, other: (ready & other).implies(ready),
        lambda ready, other: (ready & other) | ~ready | ~other,
        lambda ready, other: other.implies(ready.iff(~ready)) | other,
    ],
    ids=["folded", "implied", "all cases", "of the other alone"],
)
@pytest.mark.parametrize("checked", [False, True])
def test_a_demand_that_turns_on_nothing_puts_nobody_to_work(
    holds: Callable[[BoolVar, BoolVar], BoolExpr], checked: bool
) -> None:
    """Whether it is folded away where it is written, or says the same at length: who stores what it names only looks on."""

    def add(m: Model, served: BoolVar) -> None:
        ready, other = m.bool("ready"), m.bool("other")
        if not checked:
            m.always("ready or not", holds(ready, other))
        with m.thread("more") as p, p.loop():
            p.do("makes ready", ready.set())
            p.do("uses it up", ready.clear())
            if checked:
                p.check("ready or not", holds(ready, other))

    assert outcome(add) is Outcome.VIOLATED


def demanded(m: Model, served: BoolVar) -> None:
    """A property is about what it stores."""
    ready = m.bool("ready")
    m.reachable("ready", ready)
    with m.thread("more") as p, p.loop():
        p.do("makes ready", ready.set())


def named_at_length(m: Model, served: BoolVar) -> None:
    """A property turns on what it stores, whatever else it names."""
    ready, other = m.bool("ready"), m.bool("other")
    m.always("ready or not", (ready & other) | (ready & ~other) | ~served)
    with m.thread("more") as p, p.loop():
        p.do("makes ready", ready.set())


def with_many_values(m: Model, served: BoolVar) -> None:
    """Where not all values can be tried, it is what it names."""
    ready = m.int("ready", -(1 << 61), 1 << 61)
    others = [m.bool(f"other {number}") for number in range(20)]
    m.always("ready or not", any_(all_(*others), *(~each for each in others), ready.is_(0)))
    m.always("never so many", ready + 1 > ready)
    with m.thread("more") as p, p.loop():
        p.do("makes ready", ready.set(1))


def heard(m: Model, served: BoolVar) -> None:
    """Another one waits for it, that stores what a property reads."""
    ready, taken = m.bool("ready"), m.bool("taken")
    m.reachable("taken", taken)
    with m.thread("more") as p, p.loop():
        p.do("makes ready", ready.set(), when=~ready)
    with m.thread("other") as p, p.loop():
        p.do("takes it", ready.clear(), taken.set(), when=ready)


def awaited(m: Model, served: BoolVar) -> None:
    """One that is at work waits for where it stands."""
    ready = m.bool("ready")
    m.reachable("ready", ready)
    with m.thread("more") as p, p.loop():
        p.do("goes there")
        p.here("there")
        p.do("comes back")
    with m.thread("other") as p:
        p.wait("there", m.at("more", "there"))
        p.do("ready", ready.set())


def final(m: Model, served: BoolVar) -> None:
    """A final condition is about what it stores."""
    ready, asked = m.bool("ready"), m.bool("asked")
    m.final(ready & asked)
    with m.thread("more") as p, p.loop():
        p.do("makes ready", ready.set())


@pytest.mark.parametrize("add", [demanded, named_at_length, with_many_values, heard, awaited, final])
def test_who_is_at_work_has_not_ended(add: Callable[[Model, BoolVar], None]) -> None:
    """Negative control: what goes on is something that somebody reads."""
    assert outcome(add) is Outcome.HOLDS


@pytest.mark.parametrize("wide", [50, 600, 3000])
@pytest.mark.parametrize("joined", [all_, any_])
def test_wide_conditions_take_no_time_and_no_depth(wide: int, joined: Callable[..., BoolExpr]) -> None:
    """Of what cannot be tried out it is assumed that it turns on all that it names."""
    m = Model("wide")
    bits = [m.bool(f"bit {number}") for number in range(wide)]
    with m.thread("p") as p:
        p.do("all", *[bit.set() for bit in bits])
    m.final(joined(*bits))
    m.always("some", any_(*bits) | ~bits[0])
    m.no_deadlock()
    assert explore(m.compile()).verdicts["no deadlock"].outcome is Outcome.HOLDS


def two_places() -> tuple[Model, Process]:
    """A thread that goes round between two places."""
    m = Model("places")
    x = m.bool("x")
    with m.thread("p") as p, p.loop():
        p.here("a")
        p.do("set", x.set())
        p.here("b")
        p.do("clear", x.clear())
    return m, p


def test_a_final_condition_of_two_places_of_one_process_is_refused() -> None:
    """Nobody is at both: it is false whatever the variables are, though each of its places can be reached."""
    m, p = two_places()
    m.final(p.at("a") & p.at("b"))
    with pytest.raises(ModelError, match="no state is final"):
        m.compile()


def test_a_final_condition_of_one_place_is_none_of_these() -> None:
    """Negative control."""
    m, p = two_places()
    m.final(p.at("a") & ~p.at("b"))
    m.no_deadlock()
    assert explore(m.compile()).verdicts["no deadlock"].outcome is Outcome.HOLDS
