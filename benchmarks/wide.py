"""A search of 2**20 states and the certificate made of it: `python benchmarks/wide.py`.

Seconds of processor time. Measured (2 cores, shared; with one more bit, so 2**21 states, by the command): search 10, `prove` 34 (3.4 times the
search, which it makes twice). The order of the diagram's variables is found among some of the states, and no edges are kept.
"""

from __future__ import annotations

from time import process_time

from draincheck import Model, check
from draincheck.budget import memory_in_use
from draincheck.certificate import certify

BITS = 20


def bits() -> Model:
    """A process that sets and clears bits."""
    m = Model("bits")
    variables = [m.bool(f"b{number}") for number in range(BITS)]
    with m.thread("t") as p, p.loop(), p.either() as choice:
        for bit in variables:
            with choice(when=~bit):
                p.do("set", bit.set())
            with choice(when=bit):
                p.do("clear", bit.clear())
    m.always("fine", variables[0] | ~variables[0].iff(variables[1]) | ~variables[1])
    return m


def main() -> None:
    """Measure and print."""
    started = process_time()
    check(bits())
    searched = process_time()
    certify(bits())
    made = process_time()
    print(
        f"search {searched - started:.1f} s, certificate {made - searched:.1f} s, {memory_in_use() >> 20} MB at the end"
    )


if __name__ == "__main__":
    main()
