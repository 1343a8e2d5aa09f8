"""Sets of knob vectors as small decision tables: all prime cubes of a set, and a greedy choice of them that covers it.

A *cube* gives every knob a set of values and contains the vectors whose values are all among them; a knob that may have any of its
values does not matter in it. A cube is *prime* for a set of vectors if it lies in the set and no value can be added to any of its
knobs without leaving it. (In two-level logic minimisation these are the implicants and prime implicants of multi-valued functions.)

Sets of vectors are integers with one bit a vector; see `Space.number`. That keeps spaces of 10^5 vectors affordable, not more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import product
from math import prod

from msgspec import Struct

from draincheck.knobs import Setting, knob_named
from draincheck.parameters import distinct, shown

__all__ = ["Cube", "Space", "cover", "members", "prime_cubes"]

#: for each knob of a space the values that are allowed, as bits
_Choices = tuple[int, ...]


class Cube(Struct, frozen=True):
    """Knobs that matter, in the order of their space, with the values they may have; every other knob may have any."""

    allowed: tuple[tuple[str, tuple[Setting, ...]], ...]

    def contains(self, vector: Mapping[str, Setting]) -> bool:
        """Whether a vector, by knob, is in the cube."""
        return all(vector[knob] in values for knob, values in self.allowed)

    def __str__(self) -> str:
        return ", ".join(f"{knob}={' or '.join(map(shown, values))}" for knob, values in self.allowed) or "(anything)"


class Space(Struct, frozen=True, dict=True):
    """All vectors over some knobs; `knobs` is in the order in which vectors are numbered, the first one counting most.

    `domains` are the values of each, for what is no knob of the table (a parameter of a model).
    """

    knobs: tuple[str, ...]
    domains: tuple[tuple[Setting, ...], ...] = ()

    @cached_property
    def values(self) -> tuple[tuple[Setting, ...], ...]:
        """The values of each knob."""
        return self.domains or tuple(knob_named(name).settings for name in self.knobs)

    @cached_property
    def size(self) -> int:
        """How many vectors there are."""
        return prod(map(len, self.values))

    @cached_property
    def everything(self) -> int:
        """The set of all vectors."""
        return (1 << self.size) - 1

    def vectors(self) -> Iterator[dict[str, Setting]]:
        """All vectors, in the order of their numbers."""
        return (dict(zip(self.knobs, choice, strict=True)) for choice in product(*self.values))

    def number(self, vector: Mapping[str, Setting]) -> int:
        """The number of a vector, from 0."""
        number = 0
        for knob, values in zip(self.knobs, self.values, strict=True):
            number = number * len(values) + _place(values, vector[knob])
        return number

    def members(self, fixed: Mapping[str, Setting]) -> int:
        """The set of the vectors that have these values, whatever the other knobs'."""
        choices = (
            1 << _place(values, fixed[knob]) if knob in fixed else (1 << len(values)) - 1
            for knob, values in self._rows()
        )
        return members(tuple(choices), self.sizes)

    def cube(self, choices: _Choices) -> Cube:
        """The cube that allows these values."""
        rows = ((knob, values, bits) for (knob, values), bits in zip(self._rows(), choices, strict=True))
        return Cube(tuple(
            (knob, tuple(value for place, value in enumerate(values) if bits >> place & 1))
            for knob, values, bits in rows
            if bits != (1 << len(values)) - 1
        ))  # fmt: skip

    def _rows(self) -> Iterator[tuple[str, tuple[Setting, ...]]]:
        return zip(self.knobs, self.values, strict=True)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many values each knob has."""
        return tuple(map(len, self.values))

    def primes(self, wanted: int) -> dict[_Choices, int]:
        """Every prime cube of a set of vectors, with its members."""
        return {choices: members(choices, self.sizes) for choices in prime_cubes(wanted, self.sizes)}


def _place(values: Sequence[Setting], value: Setting) -> int:
    return [*map(distinct, values)].index(distinct(value))


def members(choices: Sequence[int], sizes: Sequence[int]) -> int:
    """The set of the vectors that a cube contains."""
    found, width = 1, 1
    for bits, size in zip(reversed(choices), reversed(sizes), strict=True):
        found = sum(found << width * place for place in range(size) if bits >> place & 1)
        width *= size
    return found


def prime_cubes(wanted: int, sizes: Sequence[int]) -> list[_Choices]:
    """Every prime cube of a set of vectors over knobs with so many values each.

    By the first knob: a prime with values V of it goes on with a prime of what the slices of all values in V have in common, provided
    that no slice of another value contains the rest as well.
    """
    return _primes(wanted, tuple(sizes), {})


def _primes(wanted: int, sizes: tuple[int, ...], known: dict[tuple[int, int], list[_Choices]]) -> list[_Choices]:
    if not wanted:
        return []
    if not sizes:
        return [()]
    key = (len(sizes), wanted)
    if key not in known:
        known[key] = list(_by_first_knob(wanted, sizes, known))
    return known[key]


def _by_first_knob(
    wanted: int, sizes: tuple[int, ...], known: dict[tuple[int, int], list[_Choices]]
) -> Iterator[_Choices]:
    size, rest = sizes[0], sizes[1:]
    width = prod(rest)
    slices = [wanted >> width * place & (1 << width) - 1 for place in range(size)]
    for bits in range(1, 1 << size):
        common = (1 << width) - 1
        for place in range(size):
            if bits >> place & 1:
                common &= slices[place]
        others = [slices[place] for place in range(size) if not bits >> place & 1]
        for prime in _primes(common, rest, known):
            inside = members(prime, rest)
            if not any(inside & ~other == 0 for other in others):
                yield (bits, *prime)


def cover(space: Space, wanted: int, free: int = 0) -> tuple[Cube, ...]:
    """Prime cubes that together contain all of a set of vectors, and nothing else but some of those that are `free`.

    Greedy: the cube that adds most comes first (of equals the one about fewest knobs, then the first in the order of the values); at the
    end, cubes whose wanted vectors are all in others are dropped. The result is irredundant and often, not always, the smallest.
    """
    found = space.primes(wanted | free)
    primes = {choices: found[choices] & wanted for choices in sorted(found, key=lambda choices: _rank(space, choices))}
    chosen: list[_Choices] = []
    left = wanted
    while left:
        best = max(primes, key=lambda choices: (primes[choices] & left).bit_count())  # the first of equals
        chosen.append(best)
        left &= ~primes[best]
    return tuple(space.cube(_tidied(choices, space.sizes, wanted)) for choices in _irredundant(chosen, primes))


def _tidied(choices: _Choices, sizes: Sequence[int], wanted: int) -> _Choices:
    """The cube without values that only free vectors have; a knob that does not matter stays so."""
    kept = list(choices)
    for knob, size in enumerate(sizes):
        if choices[knob] == (1 << size) - 1:
            continue
        for bit in (1 << place for place in range(size) if choices[knob] >> place & 1):
            slice_ = members([*choices[:knob], bit, *choices[knob + 1 :]], sizes)
            if not slice_ & wanted:
                kept[knob] &= ~bit
    return tuple(kept)


def _rank(space: Space, choices: _Choices) -> tuple[int, tuple[int, ...]]:
    return len(space.cube(choices).allowed), choices


def _irredundant(chosen: Iterable[_Choices], primes: Mapping[_Choices, int]) -> list[_Choices]:
    """Leave out, from the last one on, every cube that the others make superfluous."""
    kept = list(chosen)
    for choices in kept[::-1]:
        others = 0
        for other in kept:
            if other != choices:
                others |= primes[other]
        if primes[choices] & ~others == 0:
            kept.remove(choices)
    return kept
