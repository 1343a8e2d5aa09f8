"""Fairness as a model declares it, and what it means for the compiled actions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Literal, TypeAlias, get_args

from msgspec import Struct

from draincheck.errors import ModelError, SourceLine
from draincheck.expr import TRUE
from draincheck.location import want_text
from draincheck.names import nearest
from draincheck.promise import Fairness, Strength
from draincheck.system import Action, Part
from draincheck.words import listed

__all__ = ["Demand", "DemandOfAll", "FairWord", "demanded", "resolve", "strength_of"]

#: `weak`: what could run for ever does run; `strong`: what could run again and again does run
FairWord: TypeAlias = Literal["weak", "strong"]


class Demand(Struct, frozen=True):
    """A fairness assumption on a process, on its steps with a label, on all but those with some labels, or on one recorded step (`part`)."""

    process: str
    strength: Strength
    label: str
    part: Part | None
    line: SourceLine
    but: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Whose actions it is about."""
        if self.but:
            return f"{self.process} (but for {listed(self.but)})"
        return f"{self.process}: {self.label}" if self.label else self.process

    @property
    def is_whole(self) -> bool:
        """It is about all steps of the process."""
        return not (self.label or self.part or self.but)


class DemandOfAll(Struct, frozen=True):
    """The assumption on every process that may not stop."""

    strength: Strength
    line: SourceLine


def strength_of(word: str, line: SourceLine, process: str = "") -> Strength:
    """What a model calls the strength of fairness; raises ModelError for a word that is neither `weak` nor `strong`."""
    if want_text(word, "fairness, 'weak' or 'strong',") not in get_args(FairWord):
        raise ModelError(f"fairness is 'weak' or 'strong', not {word!r}", line, process)
    return Strength(word)


def demanded(process: str, word: str, label: str, part: Part | None, line: SourceLine) -> Demand:
    """The assumption a model states; raises ModelError as `strength_of`."""
    return Demand(process, strength_of(word, line, process), label, part, line)


def resolve(
    demands: Iterable[Demand | DemandOfAll], actions: Sequence[Action], stopping: Collection[str]
) -> tuple[Fairness, ...]:
    """The assumptions over the actions of the compiled system, given the processes that may stop.

    Raises ModelError for one that is about nothing, or that promises that a process goes on which may stop.
    """
    return tuple(_over(demand, actions) for demand in _each(list(demands), actions, stopping))


def _each(
    demands: Sequence[Demand | DemandOfAll], actions: Sequence[Action], stopping: Collection[str]
) -> Iterator[Demand]:
    """The assumptions one by one: progress is one on each process of which nobody has demanded the same already."""
    stated = {(d.process, d.strength) for d in demands if isinstance(d, Demand) and d.is_whole}
    for demand in demands:
        if isinstance(demand, Demand):
            if demand.is_whole and demand.process in stopping:
                raise ModelError(
                    f"{demand.process} may stop for ever, and fairness of it says that it does not: leave out one of the two",
                    demand.line,
                    demand.process,
                )
            yield demand
            continue
        for process in dict.fromkeys(action.process for action in actions):
            if process not in stopping and (process, demand.strength) not in stated:
                stated.add((process, demand.strength))
                yield Demand(process, demand.strength, "", None, demand.line)


def _over(demand: Demand, actions: Sequence[Action]) -> Fairness:
    return Fairness(demand.name, demand.strength, _actions(demand, actions))


def _actions(demand: Demand, actions: Sequence[Action]) -> tuple[int, ...]:
    """The actions that are meant; raises ModelError if there is none, or no step to be left out."""
    mine = [a for a in actions if a.process == demand.process]
    for label in demand.but:
        if not any(part.label == label for action in mine for part in action.parts):
            raise _no_step(demand, label, mine)
    found = tuple(a.index for a in mine if _is_meant(demand, a))
    if not found:
        raise _no_step(demand, demand.label, mine)
    return found


def _no_step(demand: Demand, label: str, actions: Sequence[Action]) -> ModelError:
    """The error for a label that no step of the process has, with those that may have been meant."""
    if not label:
        return ModelError(f"fairness of {demand.name}: there is no such step", demand.line, demand.process)
    known = list(dict.fromkeys(part.label for action in actions for part in action.parts if part.label))
    return ModelError(f"fairness of {demand.process}: {nearest('step', label, known)}", demand.line, demand.process)


def _is_meant(demand: Demand, action: Action) -> bool:
    if demand.part is None and not demand.label:
        return not any(part.label in demand.but for part in action.parts)
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
    return part.promise == demand.part.promise
