"""Inputs of every kind changed by chance: texts, lines, words, JSON values; and names that break things."""

from __future__ import annotations

import re
from random import Random
from typing import Final

__all__ = ["NASTY", "changed_lines", "changed_text", "changed_value", "changed_words", "nasty"]

#: names and numbers that break things elsewhere
NASTY: Final = (
    "", " ", "-", "--", "-1", "0", "1", "3", "1e400", "nan", "inf", "-inf", "99999999999999999999", "\x00", "\x1b[31m", "\u202e", "\ud800", "\udcff",
    "ünï",
    "a/b", "..", "/", "/dev/full", "/dev/null", "x" * 5_000, "S1", "S1=1", "drain=nested", "order=any", "=", "ab27c3b5e7", "v2.6.0", "9a0cec664e~1",
    "mirror", "dataplane", "none", "json", "own.py", "own.py:build", "own.py:no", ":", "own.py:", "{}", "[1]", "'", '"', "%s", "$HOME", "\n", "\\u0000",
)  # fmt: skip


def nasty(random: Random) -> str:
    return random.choice(NASTY)


def changed_text(text: str, random: Random) -> str:
    """A text with a few pieces lost, doubled, exchanged or put in."""
    for _ in range(random.randint(1, 4)):
        start, end = sorted((random.randrange(len(text) + 1), random.randrange(len(text) + 1)))
        end = min(end, start + random.choice((1, 3, 40)))
        piece = text[start:end]
        other = random.choice(
            ("", piece * 2, piece[::-1], nasty(random), random.choice(text or " "), str(random.randint(-9, 10**12)))
        )
        text = text[:start] + other + text[end:]
    return text


def changed_lines(text: str, random: Random) -> str:
    """A text with a few lines lost, doubled or exchanged."""
    lines = text.split("\n")
    for _ in range(random.randint(1, 3)):
        one, two = random.randrange(len(lines)), random.randrange(len(lines))
        match random.randrange(4):
            case 0:
                lines[one] = ""
            case 1:
                lines.insert(one, lines[two])
            case 2:
                lines[one], lines[two] = lines[two], lines[one]
            case _:
                lines[one] = changed_text(lines[one], random)
    return "\n".join(lines)


def changed_words(text: str, random: Random) -> str:
    """A text in which one or two words stand where others stood."""
    words = re.split(r"(\W+)", text)
    for _ in range(random.randint(1, 2)):
        words[2 * random.randrange(len(words) // 2)] = words[2 * random.randrange(len(words) // 2)]
    return "".join(words)


def changed_value(value: object, random: Random) -> object:
    """JSON values, one of which is another, somewhere inside."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(list(value))
        others = {k: v for k, v in value.items() if k != key}
        return random.choice(({**value, key: changed_value(value[key], random)}, others, {**value, nasty(random): 1}))
    if isinstance(value, list) and value and random.random() < 0.9:
        at = random.randrange(len(value))
        return [
            *value[:at],
            *random.choice(([changed_value(value[at], random)], [], [value[at]] * 2)),
            *value[at + 1 :],
        ]
    return random.choice((None, True, 0, -1, 7, 10**30, 0.5, nasty(random), [], {}, [[]], {"a": 1}, "x" * 3_000))
