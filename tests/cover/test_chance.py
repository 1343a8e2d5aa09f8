"""The generator of random walks: the numbers that its authors publish, evenly spread, and the same in machine code."""

from __future__ import annotations

from collections import Counter
from ctypes import CFUNCTYPE, c_uint64
from random import Random

import pytest

from draincheck.chance import CHOICES, Chance, beginning, chosen, following, mixed
from draincheck.native import parts
from draincheck.native.code import loaded
from draincheck.native.kernel_text import kernel_functions
from tests.support.samples import sampled

#: what SplitMix64 gives first where it begins with 1234567
PUBLISHED = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]


def drawn(state: int, number: int) -> list[int]:
    """So many words, one after the other."""
    found = []
    for _ in range(number):
        state = following(state)
        found.append(mixed(state))
    return found


def test_the_generator_is_the_published_one() -> None:
    """Word by word."""
    assert drawn(1234567, 5) == PUBLISHED


@pytest.mark.parametrize("number", sampled([1, 2, 3, 7, 40], 4))
def test_what_is_chosen_is_evenly_spread(number: int) -> None:
    """Of many numbers each comes about as often as any other, also the first ones of walks side by side."""
    size, chance = 4000 * number, Chance(7)
    for found in (
        Counter(chance.below(number) for _ in range(size)),
        Counter(Chance(beginning(0, walk)).below(number) for walk in range(size)),
    ):
        assert set(found) == set(range(number))
        assert all(abs(count - 4000) < 400 for count in found.values())


@pytest.mark.parametrize("number", [1, CHOICES - 1, CHOICES, 1 << 32, (1 << 64) + 1, 3**200])
def test_numbers_of_any_size_are_drawn(number: int) -> None:
    """All of them below, and spread from the first to the last tenth."""
    chance = Chance(3)
    found = [chance.below(number) for _ in range(300)]
    assert min(found) >= 0 and max(found) < number
    assert min(found) <= number // 10 and max(found) >= number * 9 // 10 - 1


def test_a_choice_takes_one_number_of_the_generator() -> None:
    """Among fewer things than `CHOICES`: so kernels can do it, too."""
    for number in (1, 2, CHOICES - 1):
        chance = Chance(99)
        assert [chance.below(number) for _ in range(5)] == [
            chosen((99 + n * 0x9E3779B97F4A7C15) % 2**64, number) for n in range(1, 6)
        ]


def test_walks_begin_apart() -> None:
    """Neither the next walk nor the next seed begins where another is."""
    begun = {beginning(seed, walk) for seed in range(50) for walk in range(50)}
    assert len(begun) == 2500
    assert not begun & {state for each in [*begun][:50] for state in drawn(each, 50)}


def test_of_a_seed_the_lowest_64_bits_matter() -> None:
    """So every whole number is one."""
    assert beginning(-1, 3) == beginning(2**64 - 1, 3) == beginning(2**70 - 1, 3) != beginning(1, 3)


SOURCE = """
def word(state: Word) -> Word:
    return following(state)

def choice(state: Word, number: Word) -> Word:
    return chosen(state, number)
"""


def test_machine_code_draws_the_same() -> None:
    """Whatever the state, and however many things there are to choose from."""
    text = parts.parts_text(1) + "\n\n" + kernel_functions([SOURCE], 1, {}, parts.PARTS)
    code = loaded("a test of chance", lambda: text, 1)
    word = CFUNCTYPE(c_uint64, c_uint64)(code.address("word"))
    choice = CFUNCTYPE(c_uint64, c_uint64, c_uint64)(code.address("choice"))
    random = Random(0)
    for state in [0, 1, 2**64 - 1, *(random.getrandbits(64) for _ in range(1000))]:
        number = random.randint(1, CHOICES - 1)
        assert (word(state), choice(state, number)) == (following(state), chosen(state, number))
