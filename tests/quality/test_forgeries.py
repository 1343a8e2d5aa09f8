"""A forged certificate is never accepted, whatever was done to it, by neither solver."""

from __future__ import annotations

from random import Random

import pytest

from draincheck.certificate import check
from draincheck.errors import CertificateError
from tests.support.forgeries import LIES, Lie, chance, systematic
from tests.support.samples import sampled

BOTH = ("z3", "cvc5")
CASES = [(name, solver) for name in LIES for solver in BOTH]


def accepted(text: str, lie: Lie, solver: str) -> bool:
    """Whether a certificate is accepted for the system that is lied about."""
    try:
        return check(text, lie.system, solver).accepted
    except CertificateError:
        return False


def fooled(texts: list[str], lie: Lie, solver: str) -> list[str]:
    """The forgeries that are accepted, but for those that say something true by now."""
    return [text for text in texts if accepted(text, lie, solver) and not lie.is_true(text)]


@pytest.mark.parametrize("case", sampled(CASES, [*CASES[::2], CASES[1]]))
def test_the_lies_are_lies(case: tuple[str, str]) -> None:
    """Negative control: nothing but the claim is wrong, and the solver is asked about it, or a witness is executed."""
    name, solver = case
    lie = LIES[name]()
    assert not accepted(lie.text, lie, solver)
    assert not lie.is_true(lie.text)
    said = check(lie.text, lie.system, solver).reason
    assert any(words in said for words in ("refutes it", "witness", "path that asks"))


def test_there_are_enough() -> None:
    """Hundreds of tricks on each of eight lies, no two the same."""
    numbers = [len(set(systematic(make()))) for make in LIES.values()]
    assert min(numbers) >= 200
    assert sum(numbers) >= 5_000


@pytest.mark.parametrize("case", sampled(CASES, [("a way home", "z3")]))
def test_no_trick_is_accepted(case: tuple[str, str]) -> None:
    """Every twentieth of the systematic ones; `make long` tries them all."""
    name, solver = case
    lie = LIES[name]()
    assert fooled(list(systematic(lie))[::20], lie, solver) == []


@pytest.mark.long
@pytest.mark.parametrize("solver", BOTH)
@pytest.mark.parametrize("name", LIES)
def test_all_the_tricks(name: str, solver: str) -> None:
    """Each field, each line, each definition."""
    lie = LIES[name]()
    assert fooled(list(systematic(lie)), lie, solver) == []


@pytest.mark.parametrize("solver", BOTH)
def test_chance_fools_nobody(solver: str) -> None:
    """Some random changes of each lie, always the same."""
    for name, make in LIES.items():
        lie, random = make(), Random(name)
        assert fooled([chance(lie, random) for _ in range(10)], lie, solver) == []


@pytest.mark.long
@pytest.mark.parametrize("solver", BOTH)
@pytest.mark.parametrize("name", LIES)
def test_much_chance_fools_nobody(name: str, solver: str) -> None:
    """Two thousand of each."""
    lie, random = LIES[name](), Random(f"long {name}")
    assert fooled([chance(lie, random) for _ in range(2_000)], lie, solver) == []
