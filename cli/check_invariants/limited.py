"""What verdicts hold short of: "as far as modelled"."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from check_invariants.output import VERDICTS
from check_invariants.selection import CodeBase, Selected
from drainspecs.mirror.abstractions import limits_on

if TYPE_CHECKING:
    from draincheck.verdict import Outcome

__all__ = ["as_far_as_modelled", "limits_of"]


def limits_of(selected: Selected, property: str, outcome: Outcome) -> list[str]:
    """What is left out and this verdict could turn on. Nothing is known of a user's own model."""
    if not isinstance(selected, CodeBase):
        return []
    return [note.says for note in limits_on(selected.turned.name, selected.scenario, property, outcome)]


def as_far_as_modelled(selected: Selected, verdicts: Iterable[tuple[str, Outcome]]) -> str:
    """A line for each thing that is left out, with the verdicts that could turn on it."""
    limited: dict[tuple[str, str], list[str]] = {}
    for property, outcome in verdicts:
        for says in limits_of(selected, property, outcome):
            limited.setdefault((outcome.value, says), []).append(property)
    return "".join(
        f"as far as modelled: {', '.join(names)} {_verb(word, len(names))}: {says}\n"
        for (word, says), names in limited.items()
    )


def _verb(word: str, number: int) -> str:
    return word if number == 1 else VERDICTS[word][1]
