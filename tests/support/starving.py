"""Small models in which somebody is starved, unless fairness is promised."""

from __future__ import annotations

from draincheck.lang import Model
from draincheck.lang.fairness import FairWord

__all__ = ["swing", "two_steps"]


def swing(fair: FairWord | None = None) -> Model:
    """One process swings between two places for ever, as is promised; the other can leave for good from one of them."""
    m = Model("swing")
    right, out = m.bool("right"), m.bool("out")
    with m.thread("swinger") as p, p.loop():
        p.do("to the right", right.set(), when=~out)
        p.do("to the left", right.clear(), when=~out)
    with m.thread("leaver") as p:
        p.do("leaves", out.set(), when=right)
    m.eventually("out", out)
    m.fair(m.processes["swinger"])
    if fair is not None:
        m.fair(m.processes["leaver"], fair)
    return m


def two_steps(fair: str = "") -> Model:
    """A process that chooses between two steps for ever; one of them is the good one."""
    m = Model("two steps")
    good, other = m.bool("good"), m.bool("other")
    with m.thread("p") as p, p.loop(), p.either() as choice:
        with choice():
            p.do("good", good.set(), fair="weak" if fair == "good" else None)
        with choice():
            p.do("other", other.set(), fair="weak" if fair == "other" else None)
    m.eventually("good", good)
    return m
