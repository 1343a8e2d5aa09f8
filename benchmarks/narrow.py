"""A system that is as deep as it has states, nearly: 32,769 layers of two states and of one.

    check-invariants check benchmarks/narrow.py:narrow --set last=32767

What costs something for each layer shows here.
"""

from __future__ import annotations

from draincheck.lang import Model

__all__ = ["narrow"]


def narrow(last: int = 1_000) -> Model:
    """Somebody counts to a number, and somebody else sets a flag at some time."""
    m = Model(f"narrow, {last}")
    counter, flag = m.int("counter", 0, last), m.bool("flag")
    with m.thread("counter") as p, p.loop():
        p.do("count", counter.inc(), when=counter < last)
    with m.thread("flag") as p, p.loop():
        p.do("set", flag.set(), when=~flag)
    m.always("within", counter <= last)
    return m
