"""Why a configuration does not fit its types, where, and what to write: msgspec's own words are for who knows the types."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, cast

from msgspec import Struct

from check_invariants.toml_lines import Place
from draincheck.names import nearest

__all__ = ["Known", "misfit"]

#: what msgspec says of a value -> what to write instead; `{key}` is its key
_INSTEAD: Final = {
    r"Expected `array` of length >= 1": "an empty list would mean all of them: name what is wanted, or leave the key out",
    r"Expected `str` of length >= 1": "an empty text names nothing: write a name, or leave the key out",
    r"Expected `array`, got `.*`": 'wanted is a list: write {key} = ["..."]',
    r"Expected `str \| array`, got `.*`|Invalid enum value '.*'": 'wanted is a list, {key} = ["..."], or {key} = "guest-visible"',
    r"Expected `object`, got `.*`": "wanted is a table: write {key} = {{ NAME = VALUE }}",
}


class Known(NamedTuple):
    """What may stand in a document: in a table, by the keys that lead there; and for a key of an entry that takes words, these."""

    fields: Mapping[tuple[str, ...], type[Struct]]
    words: Mapping[str, Sequence[str]]

    def words_at(self, place: Sequence[str | int]) -> Sequence[str]:
        """The words that are taken there; none if it is anything else."""
        return next((self.words[key] for key in _keys(place)[1:2] if key in self.words), ())


def misfit(message: str, data: object, known: Known) -> tuple[Place, str]:
    """Where something does not fit, and why, from msgspec's message about this document."""
    said, _, path = message.partition(" - at `$")
    place = _place(path, data, known)
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", said, re.DOTALL):
        here = list(known.fields[_keys(place)].__struct_fields__)
        return (*place, unknown[1]), str(nearest("key", unknown[1], here))
    subject = f"{_keys(place)[-1]}: " if _keys(place) else ""
    return place, f"{subject}{_reason(said, place, known)}"


def _place(path: str, data: object, known: Known) -> Place:
    """The place that msgspec writes as `.model[0].expect[...]`; which key of a table is meant by the dots, it does not say."""
    place: list[str | int] = []
    for key, number, dots in re.findall(r"\.(\w+)|\[(\d+)\]|(\[\.\.\.\])", path):
        place += [_unfit(_at(data, place), known.words_at(place))] if dots else [key or int(number)]
    return tuple(place)


def _at(data: object, place: Sequence[str | int]) -> Mapping[str, object]:
    """The table at a place."""
    for key in place:
        data = cast(Mapping[str | int, object], data)[key]
    return cast(Mapping[str, object], data)


def _unfit(table: Mapping[str, object], words: Sequence[str]) -> str:
    """The first key whose value is none of these words or, where any value is taken, none that a parameter or a knob can have."""
    unfit = (k for k, v in table.items() if (v not in words if words else not isinstance(v, bool | int | str)))
    return next(unfit, "...")


def _keys(place: Sequence[str | int]) -> tuple[str, ...]:
    """The keys that lead to a place, without numbers."""
    return tuple(key for key in place if isinstance(key, str))


def _reason(said: str, place: Sequence[str | int], known: Known) -> str:
    """What is wrong with the value there."""
    keys, words = _keys(place), known.words_at(place)
    if missing := re.fullmatch(r"Object missing required field `(.*)`", said):
        all_of_them = (
            "; states, transitions and depth belong together, and `check` prints them"
            if keys[-1:] == ("counts",)
            else ""
        )
        return f"the key {missing[1]!r} is missing{all_of_them}"
    if len(keys) == 1:
        return f"an entry is a table with two brackets: [[{keys[0]}]]"
    if words and (word := re.fullmatch(r"Invalid enum value '(.*)'", said, re.DOTALL)):
        return str(nearest("word", word[1], list(words)))
    if found := next((instead for pattern, instead in _INSTEAD.items() if re.fullmatch(pattern, said, re.DOTALL)), ""):
        return found.format(key=keys[-1])
    return f"wanted is one of {', '.join(words)}" if words else f"{said[0].lower()}{said[1:]}"
