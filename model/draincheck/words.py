"""Numbers and values in words, for everything that is read by people."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["assigned", "counted", "listed", "number_word", "plural", "share", "some"]

#: names that a sentence has room for
FEW = 5


def counted(number: int, noun: str) -> str:
    """`1 state`, `2 states`."""
    return f"{number} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """`states`, `queries`, `replays`, `code bases`, `switches`, `states or steps`."""
    return " or ".join(_plural(one) for one in noun.split(" or "))


def _plural(word: str) -> str:
    if word.endswith("y") and word[-2] not in "aeou":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith("ch") else f"{word}s"


def share(number: int, total: int, noun: str) -> str:
    """`1 of 3 models was`, `2 of 3 models were`."""
    return f"{number} of {counted(total, noun)} {'was' if number == 1 else 'were'}"


def assigned(name: str, value: bool | int | str) -> str:
    """`eventfd=1`: truth values as 0 and 1."""
    return f"{name}={int(value) if isinstance(value, bool) else value}"


def listed(names: Sequence[str], joint: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`; or with another word than `and`."""
    return f" {joint} ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def some(names: Sequence[str]) -> str:
    """The same (`listed`), but of many only the first few, and how many more there are."""
    return listed(names) if len(names) <= FEW + 1 else f"{', '.join(names[:FEW])} and {len(names) - FEW} more"


def number_word(number: int) -> str:
    """`two`; from ten on, `10`."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return words[number] if 0 <= number < len(words) else str(number)
