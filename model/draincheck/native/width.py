"""How wide states are, in machine words, and which are too wide for machine code."""

from __future__ import annotations

from typing import Final

from draincheck.exploration.loop import Loop
from draincheck.words import counted

__all__ = ["BYTES", "HALF", "MOST_WORDS", "WORD", "refusal", "words_of"]

#: bits of a machine word, bytes, and bytes of half a word
WORD: Final = 64
BYTES: Final = 8
HALF: Final = 4

#: words of the widest state that is searched natively
MOST_WORDS: Final = 8

#: characters of the longest text that is compiled: a second or two of it
LONGEST: Final = 1_000_000


def words_of(bits: int) -> int:
    """The machine words that a state of so many bits takes: the bit above its highest is never set."""
    return bits // WORD + 1


def refusal(loop: Loop) -> str:
    """Why a system is not searched natively; "" if it is."""
    if words_of(loop.layout.width) > MOST_WORDS:
        return f"its states take {counted(loop.layout.width, 'bit')}, and {MOST_WORDS * WORD - 1} are the most"
    if len(loop.source) > LONGEST:
        return f"the text of its steps is {len(loop.source):,} characters long, and {LONGEST:,} are the most"
    return ""
