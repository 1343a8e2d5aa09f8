"""Chance that can be had again: numbers that a seed decides, the same wherever they are drawn.

The generator is SplitMix64 (Steele, Lea, Flood 2014): its state is a word to which `STEP` is added, and what is drawn is that word, `mixed`.
Walk number n of a seed begins with `beginning(seed, n)`: no walk depends on what another has drawn.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CHOICES", "Chance", "beginning", "chosen", "following", "mixed"]

#: bits of a word, and all of them
WORD: Final = 64
ALL: Final = (1 << WORD) - 1

#: what is added to a state: odd, and close to the golden part of all words
STEP: Final = 0x9E3779B97F4A7C15

#: by how many places, and by which odd number, a word is mixed, twice; and by how many places at the end
MIXING: Final = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
LAST: Final = 31

#: from fewer things than these one is chosen by half a word: none of them is more likely than another by a part in 2**17
CHOICES: Final = 1 << 15

HALF: Final = WORD // 2


def mixed(word: int) -> int:
    """A word each bit of which depends on all bits of another; no two words have the same."""
    for places, factor in MIXING:
        word = (word ^ word >> places) * factor & ALL
    return word ^ word >> LAST


def following(state: int) -> int:
    """The state of the generator after this one."""
    return state + STEP & ALL


def chosen(state: int, number: int) -> int:
    """Which of fewer things than `CHOICES` a state of the generator chooses."""
    return (mixed(state) >> HALF) * number >> HALF


def beginning(seed: int, walk: int) -> int:
    """The state before the first number of a walk is drawn; of a seed the lowest 64 bits matter."""
    return mixed(mixed(seed & ALL) + walk & ALL)


class Chance:
    """The generator at work.

    Attributes:
        state: where it is.
    """

    def __init__(self, state: int) -> None:
        self.state = state

    def below(self, number: int) -> int:
        """One of the numbers from 0 to before a number, however large that is: it is drawn by halves of words, one for less than `CHOICES`."""
        halves = (number.bit_length() + 16) // HALF + 1
        drawn = 0
        for _ in range(halves):
            self.state = following(self.state)
            drawn = drawn << HALF | mixed(self.state) >> HALF
        return drawn * number >> HALF * halves
