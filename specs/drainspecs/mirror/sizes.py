"""Scenarios of other sizes: how often the guest writes, reads and flushes, how many jobs and disks there are; and how they are called.

`mirror[writes=3,jobs=2]` is the scenario *mirror* with three writes and two jobs (and so two disks). Whatever the sizes were given
from, a scenario has one name: that of the table, if one there is the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from draincheck.errors import UnknownName
from draincheck.names import nearest
from draincheck.qemu import Scenario
from draincheck.qemu.scenario import SIZES, not_modelled
from draincheck.words import listed, number_word

__all__ = ["parse_sizes", "sized"]

_ONE: Final = {"writes": "write", "reads": "read", "flushes": "flush", "jobs": "job", "disks": "disk"}
_PLAIN: Final[Mapping[str, Any]] = {"writes": 1, "reads": 0, "flushes": 0, "jobs": 1, "disks": 1}
#: digits that a size may have; larger ones are none that is modelled
_DIGITS: Final = 9


def parse_sizes(text: str) -> dict[str, int]:
    """`writes=3,jobs=2`. Raises UnknownName for what is no size, has no number, or is said twice."""
    sizes: dict[str, int] = {}
    for item in text.split(","):
        name, _, number = (part.strip() for part in item.partition("="))
        if name not in SIZES:
            raise nearest("size", name, list(SIZES))
        if name in sizes:
            raise UnknownName(f"the size {name} is given twice")
        if not re.fullmatch(rf"-?[0-9]{{1,{_DIGITS}}}", number):
            raise UnknownName(f"the size {name} is a number of a few digits, as in {name}=2, not {number[:20]!r}")
        sizes[name] = int(number)
    return sizes


def sized(scenario: Scenario, sizes: Mapping[str, int], table: Sequence[Scenario]) -> Scenario:
    """A scenario with other sizes; each job has a disk, whether or not `sizes` says so.

    The one of the table, if it has one that differs in name alone. Raises UnknownName for one that is not modelled.
    """
    jobs = sizes.get("jobs", scenario.jobs)
    given: dict[str, Any] = {"disks": max(scenario.disks, jobs), **sizes}
    wanted = replace(scenario, **given)
    if reason := not_modelled(wanted):
        raise UnknownName(f"{_name(scenario, sizes)} is not modelled: {reason}")
    same = (known for known in table if _nameless(known) == _nameless(wanted))
    return next(same, None) or _named(wanted, _base(wanted, table))


def _nameless(scenario: Scenario) -> Scenario:
    return replace(scenario, name="", meaning="")


def _base(wanted: Scenario, table: Sequence[Scenario]) -> Scenario:
    """What it is called after: the first of its kind in the table, if possible one with a single write and nothing else."""
    kind = [known for known in table if _unsized(known) == _unsized(wanted)]
    return next((known for known in kind if _unsized(known) == _nameless(known)), kind[0])


def _unsized(scenario: Scenario) -> Scenario:
    return replace(scenario, name="", meaning="", **_PLAIN)


def _named(wanted: Scenario, base: Scenario) -> Scenario:
    """The same, named after its base and the sizes that differ."""
    implied = {"disks": max(base.disks, wanted.jobs)}
    differing = {
        size: value for size in SIZES if (value := getattr(wanted, size)) != implied.get(size, getattr(base, size))
    }
    meaning = f"{base.meaning}; with {listed([_words(*item) for item in differing.items()])}"
    return replace(wanted, name=_name(base, differing), meaning=meaning)


def _name(scenario: Scenario, sizes: Mapping[str, int]) -> str:
    return f"{scenario.name}[{','.join(f'{size}={value}' for size, value in sizes.items())}]"


def _words(size: str, number: int) -> str:
    """`three writes`."""
    return f"{number_word(number)} {_ONE[size] if number == 1 else size}"
