"""The specifications that a code base can be held against, and which properties belong to which.

A model has the properties of one specification: each adds what it needs to observe (history variables, assumptions of fairness), and two
demands of liveness are decided on models of their own (see `drainspecs.mirror.liveness`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from draincheck.knobs import nearest
from draincheck.qemu import Probes, Scenario, build
from draincheck.revisions import Revision
from draincheck.subject import Expectation
from draincheck.system import TransitionSystem
from drainspecs.comutex import comutex_system
from drainspecs.mirror.expectations import expected
from drainspecs.mirror.liveness import LIVENESS, Progress, StalledProgress
from drainspecs.mirror.liveness_expectations import expected_liveness
from drainspecs.mirror.properties import PROPERTIES, DrainInvariant
from drainspecs.mirror.stray_requests import CASES, SeedCases

__all__ = ["SPECIFICATIONS", "Specification", "find_specification", "specification_of"]

#: the system of a code base in a scenario, under a title
Build = Callable[[str, Revision, Scenario], TransitionSystem]


class Specification(Struct, frozen=True):
    """What a model is held against.

    Attributes:
        name: what trace files and certificates call it.
        properties: names and meanings of its properties.
        build: makes the system.
        expected: the expected verdict on a property of a revision in a scenario; None where nothing was written down.
        probes: how it is hung into a model; None for one that demands something of whole runs.
    """

    name: str
    properties: Mapping[str, str]
    build: Build
    expected: Callable[[str, Scenario, str], Expectation | None]
    probes: type[Probes] | None = None


def _of(probes: Callable[[], Probes]) -> Build:
    return lambda title, revision, scenario: build(title, revision.knobs, scenario, probes()).compile()


def _comutex(title: str, revision: Revision, scenario: Scenario) -> TransitionSystem:
    """The scenario does not matter there: the model knows nothing but the kind of drain."""
    return replace(comutex_system(revision.knobs.drain), name=title)


_INVARIANT: Final = {item.name: item.meaning for item in PROPERTIES}
_LIVENESS: Final = {item.name: item.meaning for item in LIVENESS}


def _named(*names: str) -> dict[str, str]:
    return {name: _LIVENESS[name] for name in names}


SPECIFICATIONS: Final = (
    Specification("invariant", _INVARIANT, _of(DrainInvariant), expected, DrainInvariant),
    Specification("cases", {**_INVARIANT, **CASES}, _of(SeedCases), expected, SeedCases),
    Specification("liveness", _named("L1", "L2", "L3", "L6", "L7"), _of(Progress), expected_liveness),
    Specification("liveness while the storage stalls", _named("L7s"), _of(StalledProgress), expected_liveness),
    Specification("coroutine mutex", _named("L4"), _comutex, expected_liveness),
)


def find_specification(name: str) -> Specification:
    """The specification of this name; raises UnknownName with the nearest ones."""
    for item in SPECIFICATIONS:
        if item.name == name:
            return item
    raise nearest("specification", name, [item.name for item in SPECIFICATIONS])


def specification_of(properties: Iterable[str]) -> Specification | None:
    """The first specification that has all these properties (the drain invariant for none); None if they are of several."""
    names = set(properties)
    return next((item for item in SPECIFICATIONS if names <= item.properties.keys()), None)
