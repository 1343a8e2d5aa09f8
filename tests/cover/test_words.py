"""Numbers in words: one thing is no plural."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from draincheck.words import counted, listed, plural, share, some

ROOMS = ("model/draincheck", "specs/drainspecs", "cli/check_invariants")


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [
        (0, "state", "0 states"),
        (1, "state", "1 state"),
        (2, "code base", "2 code bases"),
        (1, "query", "1 query"),
        (2, "query", "2 queries"),
        (2, "context switch", "2 context switches"),
        (2, "replay", "2 replays"),
        (3, "state or step", "3 states or steps"),
    ],
)
def test_a_number_of_things(number: int, noun: str, said: str) -> None:
    """One, or none and several."""
    assert counted(number, noun) == said


def test_a_share_of_things() -> None:
    """What the verb agrees with is how many, the noun with of how many."""
    assert [share(1, 3, "row"), share(0, 1, "row"), share(2, 3, "row")] == [
        "1 of 3 rows was",
        "0 of 1 row were",
        "2 of 3 rows were",
    ]


def test_a_list_in_words() -> None:
    """With `and`, or another word."""
    assert [listed(["a"]), listed(["a", "b", "c"]), listed(["a", "b"], "or")] == ["a", "a, b and c", "a or b"]


def bare_plurals(source: str, nouns: set[str]) -> Iterator[str]:
    """Texts in which a value stands before one of these nouns in the plural; a constant (in capitals) may."""
    for text in ast.walk(ast.parse(source)):
        for value, rest in zip(text.values, text.values[1:], strict=False) if isinstance(text, ast.JoinedStr) else ():
            is_constant = isinstance(value, ast.FormattedValue) and ast.unparse(value.value).isupper()
            if isinstance(value, ast.FormattedValue) and isinstance(rest, ast.Constant) and not is_constant:
                yield from (ast.unparse(text) for noun in nouns if f"{rest.value!s} ".startswith(f" {plural(noun)} "))


def sources() -> Iterator[str]:
    """All of the product, without the core, which imports nothing of the rest."""
    root = Path(__file__).parents[2]
    for room in ROOMS:
        yield from (file.read_text("utf-8") for file in sorted((root / room).rglob("*.py")) if "core" not in file.parts)


def counted_nouns(source: str) -> Iterator[str]:
    """What a file counts."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("counted", "share"):
            yield from (str(word.value) for word in call.args[-1:] if isinstance(word, ast.Constant))


@pytest.mark.slow
def test_a_long_list_is_cut() -> None:
    """A sentence names a few of many, and says how many others there are; nobody counts the last one."""
    assert some("abcdef") == listed("abcdef") == "a, b, c, d, e and f"
    assert some("abcdefgh") == "a, b, c, d, e and 3 more"


def test_numbers_of_things_have_one_home() -> None:
    """No text puts a number before a plural by itself: what is counted anywhere is counted by the words for it everywhere."""
    nouns = {noun for source in sources() for noun in counted_nouns(source)}
    assert {"state", "action", "row"} <= nouns
    assert [text for source in sources() for text in bare_plurals(source, nouns)] == []


@pytest.mark.slow
def test_a_bare_plural_is_found() -> None:
    """The control."""
    assert list(bare_plurals('f"after {n} states"', {"state"})) == ["f'after {n} states'"]
    assert list(bare_plurals('f"{MOST} states, {n} stateside, {n} of 3 states"', {"state"})) == []
