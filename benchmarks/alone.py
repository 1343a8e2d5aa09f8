"""What runs in a process of its own, to be measured: `python -m benchmarks.alone interpreter family 2 2`.

The last line says how many states and transitions were found: of the interpreter, of minicheck, of Storm.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["ALONE"]


def interpreter(part: str, *numbers: str) -> None:
    """The reference search."""
    from benchmarks.subjects import system
    from draincheck.interpreter import explore

    _found(explore(system(part, _integers(numbers))))


def minicheck(part: str, *numbers: str) -> None:
    """The search of minicheck."""
    from importlib import import_module

    from benchmarks.peers import tuples

    peer: Any = import_module("minicheck")
    make: Callable[..., tuples.Machine] = tuples.event_loop if part == "family" else tuples.narrow
    machine = make(*_integers(numbers))

    def fine(fields: Mapping[str, Any]) -> bool:
        return machine.fine(tuple(fields.values()))

    protocol = peer.Protocol(
        name=part,
        candidate=False,
        fields=tuple(map(str, range(len(machine.initial)))),
        initial=machine.initial,
        transitions=machine.steps,
        invariants={"fine": fine},
    )
    found = peer.check_safety(protocol, max_states=sys.maxsize)
    assert found["exhaustive"] and found["properties"]["fine"]["holds"]
    _say(found["reachable_states"])


def storm(file: str) -> None:
    """Storm's explicit builder, and whether a state that it built is wrong."""
    from importlib import import_module

    peer: Any = import_module("stormpy")
    model = peer.build_model(peer.parse_prism_program(file))
    assert not model.labeling.get_states("wrong").get_number_of_set_bits()
    _say(model.nr_states, model.nr_transitions)


def random_access() -> None:
    """How fast memory is read at random, as JSON."""
    from msgspec import json

    from benchmarks.random_access import measured

    print(json.encode(measured()).decode())


def _integers(numbers: Sequence[str]) -> list[int]:
    return [int(number) for number in numbers]


def _found(exploration: Any) -> None:
    _say(exploration.statistics.states, exploration.statistics.transitions)


def _say(states: int, transitions: int = 0) -> None:
    print(f"{states} states, {transitions} transitions")


ALONE: Mapping[str, Callable[..., None]] = {
    "interpreter": interpreter,
    "minicheck": minicheck,
    "storm": storm,
    "random-access": random_access,
}

if __name__ == "__main__":
    ALONE[sys.argv[1]](*sys.argv[2:])
