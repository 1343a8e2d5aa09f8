"""Searches of 2**20 states and the certificates made of them: `python benchmarks/wide.py`.

Seconds of processor time, and what a certificate takes of what the search takes. Measured (2 cores, heavily shared, each in a process of its
own): an invariant alone 3.8 and 6.1 (1.6 times), with a goal that stays reachable 8.2 and 21.2 (2.6 times), with that and no process stuck 10.2
and 23.1 (2.3 times); 203, 814 and 841 MB. One search serves for both; the steps of a search with goals are kept in arrays.
"""

from __future__ import annotations

from time import process_time

from draincheck import Model, check
from draincheck.budget import memory_in_use
from draincheck.certificate import certify
from draincheck.lang import all_

BITS = 20


def bits(goal: bool, stuck: bool) -> Model:
    """A process that sets and clears bits: that an invariant holds, that the start stays reachable, that it is never stuck."""
    m = Model("bits")
    variables = [m.bool(f"b{number}") for number in range(BITS)]
    with m.thread("t") as p, p.loop(), p.either() as choice:
        for bit in variables:
            with choice(when=~bit):
                p.do("set", bit.set())
            with choice(when=bit):
                p.do("clear", bit.clear())
    m.always("fine", variables[0] | ~variables[0].iff(variables[1]) | ~variables[1])
    if goal:
        m.stays_reachable("home", all_(*(~bit for bit in variables)))
    if stuck:
        m.no_deadlock()
    return m


def main() -> None:
    """Measure and print."""
    for goal, stuck in ((False, False), (True, False), (True, True)):
        started = process_time()
        check(bits(goal, stuck))
        searched = process_time()
        certify(bits(goal, stuck))
        search, made = searched - started, process_time() - searched
        kind = " and no process stuck" if stuck else ""
        print(
            f"{'a goal' if goal else 'an invariant'}{kind}: search {search:.1f} s, certificate {made:.1f} s, "
            f"{made / search:.1f} times as long; {memory_in_use() >> 20} MB at the end"
        )


if __name__ == "__main__":
    main()
