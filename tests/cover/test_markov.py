"""Exact probabilities under a uniformly random scheduler."""

from __future__ import annotations

from fractions import Fraction

from draincheck.analysis.markov import probability
from draincheck.lang import Model


def test_a_fair_race_is_won_half_the_time() -> None:
    """Two enabled actions, one of which is the event."""
    m = Model("race")
    over = m.bool("over")
    for name in ("p", "q"):
        with m.thread(name) as p:
            p.do(name, over.set(), when=~over)
    assert probability(m.compile(), lambda state, action: action.process == "p") == Fraction(1, 2)


def test_cycles_are_solved_not_sampled() -> None:
    """Gambler's ruin on 0..4 from 1, with a fair coin: 1/4."""
    m = Model("ruin")
    n = m.int("n", 0, 4, initial=1)
    with m.thread("coin") as p, p.loop(), p.either() as choice:
        with choice(when=(n > 0) & (n < 4)):
            p.do("win", n.inc())
        with choice(when=(n > 0) & (n < 4)):
            p.do("lose", n.dec())
        with choice(when=n.is_(4)):
            p.do("rich", n.set(4))
    assert probability(m.compile(), lambda state, action: action.name == "rich") == Fraction(1, 4)


def test_a_loop_without_the_event_never_leads_to_it() -> None:
    """Probability 0, not a division by 0."""
    m = Model("idle")
    x = m.bool("x")
    with m.thread("p") as p, p.loop():
        p.do("spin", x.set(~x))
    assert probability(m.compile(), lambda state, action: action.name == "event") == 0
