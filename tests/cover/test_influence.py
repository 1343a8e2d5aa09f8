"""Who is at work in a model, and who only looks on: a monitor hides no end, whatever it remembers, asks or counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from draincheck.engines.explicit import check
from draincheck.lang import TRUE, BoolVar, Model
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


def demanded(m: Model, served: BoolVar) -> None:
    """A property is about what it stores."""
    ready = m.bool("ready")
    m.reachable("ready", ready)
    with m.thread("more") as p, p.loop():
        p.do("makes ready", ready.set())


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
    ready = m.bool("ready")
    m.final(ready & served)
    with m.thread("more") as p, p.loop():
        p.do("makes ready", ready.set())


@pytest.mark.parametrize("add", [demanded, heard, awaited, final])
def test_who_is_at_work_has_not_ended(add: Callable[[Model, BoolVar], None]) -> None:
    """Negative control: what goes on is something that somebody reads."""
    assert outcome(add) is Outcome.HOLDS
