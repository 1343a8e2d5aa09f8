"""What is searched: a family that grows, the seed's model with more writes, a deep narrow system, and whole commands on small models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from draincheck.system import TransitionSystem
from draincheck.words import counted

__all__ = ["CODE_BASE", "PARTS", "SUBJECTS", "Subject", "system"]

#: the last number of the counter in the narrow system: 32,769 layers of two states and of one
LAST = 32_767

#: the code base whose model is searched with more writes
CODE_BASE = "9a0cec664e"

#: what each part is about
PARTS: Mapping[str, str] = {
    "commands": "Whole commands on small models",
    "family": "The event loop of `benchmarks/event_loop_family.py`",
    "mirror": f"The mirror job with more guest writes, code base {CODE_BASE}",
    "narrow": "A deep narrow system: 32,769 layers",
}


class Subject(Struct, frozen=True):
    """One thing to search.

    Attributes:
        numbers: devices and slots of the family; writes and jobs of the mirror; the last number of the narrow system's counter.
        states: how many there are; 0 where only one run's tools are held against each other, for the count moves with the model.
        about: how many there are, more or less: what decides how often it is searched.
    """

    part: str
    name: str
    numbers: tuple[int, ...]
    states: int
    about: int


def _family(devices: int, slots: int, states: int) -> Subject:
    return Subject("family", f"{devices} devices of {slots} slots", (devices, slots), states, states)


def _mirror(writes: int, jobs: int, about: int) -> Subject:
    name = counted(writes, "write") if jobs == 1 else f"{jobs} jobs of {writes} writes"
    return Subject("mirror", name, (writes, jobs), 0, about)


SUBJECTS: Sequence[Subject] = (
    Subject("commands", "check of one code base", (), 0, 1),
    Subject("commands", "the default matrix", (), 0, 1),
    _family(2, 2, 9_761),
    _family(3, 2, 578_509),
    _family(5, 1, 2_495_505),
    _family(4, 2, 35_167_121),
    *(_mirror(n, 1, about) for n, about in enumerate((900, 12_000, 67_000, 310_000, 1_400_000, 6_000_000), 1)),
    _mirror(2, 2, 31_000_000),
    Subject("narrow", "counter and flag", (LAST,), 2 * (LAST + 1), 2 * (LAST + 1)),
)


def system(part: str, numbers: Sequence[int]) -> TransitionSystem:
    """The transition system of a part with these numbers."""
    match part, *numbers:
        case "family", int(devices), int(slots):
            from benchmarks.event_loop_family import event_loop

            return event_loop(devices, slots).compile()
        case "narrow", int(last):
            from benchmarks.narrow import narrow

            return narrow(last).compile()
        case "mirror", int(writes), int(jobs):
            return _mirror_job(f"mirror[writes={writes},jobs={jobs}]")
        case _:
            raise ValueError(f"{part} {numbers} is no system")


def _mirror_job(scenario: str) -> TransitionSystem:
    from draincheck.revisions import find_revision
    from drainspecs.mirror.scenarios import find_scenario
    from drainspecs.suite.matrix import Row, system_of

    return system_of(Row(find_revision(CODE_BASE), find_scenario(scenario)))
