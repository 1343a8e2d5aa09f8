"""The specifications that a code base can be held against, and which properties belong to which.

A model has the properties of one specification: each adds what it needs to observe (history variables, assumptions of fairness), and two
demands of liveness are decided on models of their own (see `drainspecs.mirror.liveness`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from draincheck.names import named
from drainspecs.mirror.expectations import expected
from drainspecs.mirror.properties import LIVENESS, PROPERTIES, DrainInvariant
from drainspecs.mirror.specification import Specification, meanings, with_probes
from drainspecs.mirror.stray_requests import CASES, SeedCases

__all__ = ["find_specification", "known_properties", "specification_of", "specifications"]

_INVARIANT = Specification("invariant", meanings(PROPERTIES), with_probes(DrainInvariant), expected, DrainInvariant)
_CASES = Specification("cases", {**_INVARIANT.properties, **CASES}, with_probes(SeedCases), expected, SeedCases)


def specifications() -> Iterator[Specification]:
    """All of them. Those of whole runs are loaded only for those who have not found what they look for among the others."""
    yield from (_INVARIANT, _CASES)
    from drainspecs.mirror.liveness import SPECIFICATIONS

    yield from SPECIFICATIONS


def known_properties() -> dict[str, str]:
    """The meanings of all properties, by name."""
    return {**_CASES.properties, **meanings(LIVENESS)}


def find_specification(name: str) -> Specification:
    """The specification of this name; raises UnknownName with the nearest ones."""
    return named("specification", name, specifications())


def specification_of(properties: Iterable[str]) -> Specification | None:
    """The first specification that has all these properties (the drain invariant for none); None if they are of several."""
    names = set(properties)
    return next((item for item in specifications() if names <= item.properties.keys()), None)
