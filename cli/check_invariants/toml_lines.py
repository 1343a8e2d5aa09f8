"""On which line of a TOML file something is written: `tomllib` says it of slips of syntax alone."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

__all__ = ["Place", "line_of"]

#: where something stands in a document: keys, and numbers in arrays
Place = tuple[str | int, ...]


def line_of(text: str, place: Place) -> int:
    """The line on which the statement begins that says it, or else what is nearest around it; `text` is sound TOML."""
    lines = _lines(text)
    return next((lines[place[:end]] for end in range(len(place), 0, -1) if place[:end] in lines), 1)


def _lines(text: str) -> dict[Place, int]:
    """By place the line where it is first spoken of."""
    found: dict[Place, int] = {}
    arrays: dict[Place, int] = {}
    table: Place = ()
    for line, statement, said in _statements(text):
        if statement.lstrip().startswith("["):
            table = _table(list(_keys(said)), statement.lstrip().startswith("[["), arrays)
            places: list[Place] = [table]
        else:
            places = [(*table, *place) for place in _places(said)]
        for place in places:
            for end in range(1, len(place) + 1):
                found.setdefault(place[:end], line)
    return found


def _statements(text: str) -> Iterator[tuple[int, str, Mapping[str, object]]]:
    """Each with the line where it begins, and what it says by itself: as few lines as can be read alone."""
    start, statement = 1, ""
    for number, line in enumerate(text.split("\n"), 1):
        statement += f"{line}\n"
        try:
            said = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        if said:
            yield start, statement, said
        start, statement = number + 1, ""


def _keys(said: object) -> Iterator[str]:
    """The keys of a header, which says nothing else."""
    while isinstance(said, list | dict) and said:
        if isinstance(said, dict):
            key, said = next(iter(cast(Mapping[str, object], said).items()))
            yield key
        else:
            said = cast(Sequence[object], said)[0]


def _table(keys: Sequence[str], is_item: bool, arrays: dict[Place, int]) -> Place:
    """What a header opens: a table, or the next one of an array; a key of an array on the way stands for its last table."""
    place: Place = ()
    for number, key in enumerate(keys, 1):
        place = (*place, key)
        if is_item and number == len(keys):
            arrays[place] = arrays.get(place, -1) + 1
        if place in arrays:
            place = (*place, arrays[place])
    return place


def _places(value: object) -> Iterator[Place]:
    """Everything inside a value, itself left out."""
    pairs: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        pairs = list(cast(Mapping[str | int, object], value).items())
    elif isinstance(value, list):
        pairs = list(enumerate(cast(Sequence[object], value)))
    for key, inner in pairs:
        yield (key,)
        yield from ((key, *place) for place in _places(inner))
