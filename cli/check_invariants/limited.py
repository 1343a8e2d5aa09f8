"""What verdicts hold short of: "as far as modelled"."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from check_invariants.output import VERDICTS

if TYPE_CHECKING:
    from draincheck.subject import Subject
    from draincheck.verdict import Outcome

__all__ = ["as_far_as_modelled"]


def as_far_as_modelled(subject: Subject, verdicts: Iterable[tuple[str, Outcome]]) -> str:
    """A line for each thing that is left out, with the verdicts that could turn on it."""
    limited: dict[tuple[str, str], list[str]] = {}
    for property, outcome in verdicts:
        for says in subject.limits(property, outcome):
            limited.setdefault((outcome.value, says), []).append(property)
    return "".join(
        f"as far as modelled: {', '.join(names)} {_verb(word, len(names))}: {says}\n"
        for (word, says), names in limited.items()
    )


def _verb(word: str, number: int) -> str:
    return word if number == 1 else VERDICTS[word][1]
