"""The names that options take: how each is looked up, and which there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import click
from msgspec import Struct

from draincheck.errors import UnknownName
from draincheck.knobs import Setting, all_knobs, knob_named, parse_setting
from draincheck.names import named
from draincheck.qemu import Scenario
from draincheck.revisions import Revision, code_bases, find_revision
from drainspecs.mirror.properties import PROPERTIES
from drainspecs.mirror.scenarios import SCENARIOS, find_scenario, with_sizes
from drainspecs.mirror.specifications import known_properties

__all__ = ["TABLES", "Names", "merged"]


def _as_it_is(found: object, sizes: Mapping[str, int]) -> object:
    return found


class Names(Struct, frozen=True):
    """A table: `look_up` raises UnknownName for a name that it does not have; `known` has the names with help texts.

    What has sizes can be `resized`, one or several: that raises UnknownName for sizes that it cannot have.
    """

    look_up: Callable[[str], object]
    known: Callable[[], Iterable[tuple[str, str]]]
    resized: Callable[[Any, Mapping[str, int]], object] = _as_it_is

    def find(self, name: str) -> object:
        """What has this name. Raises BadParameter."""
        try:
            return self.look_up(name)
        except UnknownName as error:
            raise click.BadParameter(str(error)) from error

    def with_sizes(self, found: object, sizes: Mapping[str, int]) -> object:
        """The same with other sizes. Raises BadParameter."""
        try:
            return self.resized(found, sizes)
        except UnknownName as error:
            raise click.BadParameter(str(error)) from error


def _find_property(name: str) -> str:
    return named("property", name, PROPERTIES).name


def _find_comparable(name: str) -> Revision | str:
    """A code base; MODEL.py:FUNCTION stays as it is."""
    return name if ":" in name else find_revision(name)


def _parse_setting(text: str) -> tuple[str, Setting]:
    if "=" not in text and text in {knob.name for knob in all_knobs().values()}:
        raise UnknownName(
            f"{text!r} lacks a value; write {' or '.join(f'{text}={value}' for value in knob_named(text).values)}"
        )
    return parse_setting(text)


def _resized(scenarios: Scenario | Iterable[Scenario], sizes: Mapping[str, int]) -> Scenario | tuple[Scenario, ...]:
    if isinstance(scenarios, Scenario):
        return with_sizes(scenarios, sizes)
    return tuple(with_sizes(scenario, sizes) for scenario in scenarios)


TABLES: Final = {
    "revision": Names(find_revision, lambda: ((row.name, row.subject) for row in code_bases())),
    "code base or model": Names(_find_comparable, lambda: ((row.name, row.subject) for row in code_bases())),
    "scenario": Names(find_scenario, lambda: ((item.name, item.meaning) for item in SCENARIOS), _resized),
    "property": Names(_find_property, lambda: ((item.name, item.meaning) for item in PROPERTIES)),
    # checked later, against the model
    "any property": Names(str, lambda: known_properties().items()),
    "knob": Names(knob_named, lambda: ((knob.name, knob.meaning) for knob in all_knobs().values())),
    "knob=value": Names(
        _parse_setting,
        lambda: ((f"{knob.name}={value}", knob.meaning) for knob in all_knobs().values() for value in knob.values),
    ),
}


def merged(settings: Iterable[tuple[str, Setting]]) -> dict[str, Setting]:
    """Settings by knob; one knob cannot have two values."""
    merged: dict[str, Setting] = {}
    for name, value in settings:
        if merged.setdefault(name, value) != value:
            raise click.UsageError(f"--set gives {name} two values")
    return merged
