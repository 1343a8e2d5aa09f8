"""What a specification is: properties, and how a code base gets a model that has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from msgspec import Struct

from draincheck.qemu import Probes, Scenario, build
from draincheck.revisions import Revision
from draincheck.subject import Expectation
from draincheck.system import TransitionSystem
from drainspecs.mirror.properties import PropertySpec

__all__ = ["Build", "Specification", "meanings", "with_probes"]

#: the system of a code base in a scenario, under a title
Build: TypeAlias = Callable[[str, Revision, Scenario], TransitionSystem]


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


def with_probes(probes: Callable[[], Probes]) -> Build:
    """The QEMU model with these probes hung into it."""
    return lambda title, revision, scenario: build(title, revision.knobs, scenario, probes()).compile()


def meanings(properties: Iterable[PropertySpec]) -> dict[str, str]:
    """Of properties, by name."""
    return {item.name: item.meaning for item in properties}
