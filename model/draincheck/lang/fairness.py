"""Fairness as a model declares it, and what it means for the compiled actions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias, get_args

from msgspec import Struct

from draincheck.errors import ModelError, SourceLine
from draincheck.expr import TRUE
from draincheck.location import want_text
from draincheck.system import Action, Fairness, Part, Strength

__all__ = ["Demand", "FairWord", "demanded", "resolve"]

#: `weak`: what could run for ever does run; `strong`: what could run again and again does run
FairWord: TypeAlias = Literal["weak", "strong"]


class Demand(Struct, frozen=True):
    """A fairness assumption on a process, on its steps with a label, or on one recorded step (`part`)."""

    process: str
    strength: Strength
    label: str
    part: Part | None
    line: SourceLine

    @property
    def name(self) -> str:
        """Whose actions it is about."""
        return f"{self.process}: {self.label}" if self.label else self.process


def demanded(process: str, word: str, label: str, part: Part | None, line: SourceLine) -> Demand:
    """The assumption a model states; raises ModelError for a word that is neither `weak` nor `strong`."""
    if want_text(word, "fairness, 'weak' or 'strong',") not in get_args(FairWord):
        raise ModelError(f"fairness is 'weak' or 'strong', not {word!r}", line, process)
    return Demand(process, Strength(word), label, part, line)


def resolve(demands: Iterable[Demand], actions: Sequence[Action]) -> tuple[Fairness, ...]:
    """The assumptions over the actions of the compiled system; raises ModelError for one that is about nothing."""
    return tuple(Fairness(demand.name, demand.strength, _actions(demand, actions)) for demand in demands)


def _actions(demand: Demand, actions: Sequence[Action]) -> tuple[int, ...]:
    found = tuple(a.index for a in actions if a.process == demand.process and _is_meant(demand, a))
    if not found:
        raise ModelError(f"fairness of {demand.name}: there is no such step", demand.line, demand.process)
    return found


def _is_meant(demand: Demand, action: Action) -> bool:
    if demand.part is None and not demand.label:
        return True
    meant = [part for part in action.parts if _is_step(demand, part)]
    if any(part.when is not TRUE for part in meant):
        raise ModelError(
            "a fair step under a condition inside atomic: the action happens without it too; test the condition before the atomic",
            demand.line,
            demand.process,
        )
    return bool(meant)


def _is_step(demand: Demand, part: Part) -> bool:
    """Whether a part is the step in question, or what became of it under a condition."""
    if demand.part is None:
        return part.label == demand.label
    return part is demand.part or (part.when is not TRUE and part.only(TRUE) == demand.part)
