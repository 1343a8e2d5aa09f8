"""Components that a model calls interchangeable: what belongs to each, and the variables that this comes to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, cast

from msgspec import Struct

from draincheck.errors import ModelError, SourceLine
from draincheck.lang.process import Process
from draincheck.location import caller_line, slip
from draincheck.system import Interchangeable, TransitionSystem, Variable

if TYPE_CHECKING:
    from draincheck.lang.model import Model

__all__ = ["Alike", "Part", "interchangeable", "refuse_unlike", "resolved"]


class Alike(Struct, frozen=True):
    """Interchangeable components, each as the list of its parts."""

    components: tuple[tuple[Part, ...], ...]
    line: SourceLine


#: what a component has: variables, processes, and components of its own
Part: TypeAlias = "Variable | Process | Alike"


def interchangeable(model: Model, components: Sequence[Sequence[Part]]) -> Alike:
    """Record components of a model. Raises ModelError for parts that it does not have, has twice, or that are not alike."""
    if not components:
        raise slip("interchangeable takes components, each a list of its variables and processes")
    for component in components:
        if not isinstance(cast(object, component), list | tuple):
            raise slip(f"a component is a list of variables and processes, not {component!r}")
        for part in component:
            _refuse_foreign(model, part)
    found = Alike(tuple(map(tuple, components)), caller_line())
    _refuse_overlap(model, found)
    model.alike.append(found)
    return found


def _refuse_foreign(model: Model, part: object) -> None:
    """Raise ModelError for what is no part of a model."""
    match part:
        case Alike():
            known = any(part is other for other in model.alike)
        case Process():
            known = model.processes.get(part.name) is part
        case Variable():
            known = not part.exists or any(part is other for other in model.stored)
        case _:
            known = False
    if not known:
        raise slip(
            f"a component has variables and processes of this model, and what m.interchangeable gave: not {part!r}"
        )


def _refuse_overlap(model: Model, found: Alike) -> None:
    """Raise ModelError for a part that stands in two components, or in two groups that are not parts of each other."""
    nested = {id(part) for component in found.components for part in component if isinstance(part, Alike)}
    others = (group for group in _outermost(model.alike) if id(group) not in nested)
    taken = {id(leaf): leaf for group in others for leaf in _leaves(group)}
    for leaf in _leaves(found):
        if id(leaf) in taken:
            name = leaf.name
            raise slip(
                f"{name} stands in two interchangeable components; name components within others by what m.interchangeable gave"
            )
        taken[id(leaf)] = leaf


def _outermost(groups: Sequence[Alike]) -> Iterator[Alike]:
    """The groups that are not part of another."""
    inside = {id(part) for group in groups for component in group.components for part in component}
    return (group for group in groups if id(group) not in inside)


def _leaves(part: Part) -> Iterator[Variable | Process]:
    """The variables and processes in a part, those that stand for themselves before those in groups of their own."""
    if not isinstance(part, Alike):
        yield part
        return
    for component in part.components:
        yield from _of_component(component)


def _of_component(component: Iterable[Part]) -> Iterator[Variable | Process]:
    for part in sorted(component, key=lambda part: isinstance(part, Alike)):
        yield from _leaves(part)


def resolved(groups: Iterable[Alike], own: Mapping[str, Sequence[Variable]]) -> tuple[Interchangeable, ...]:
    """The variables of components; `own` are those that the language has made for each process. Raises ModelError for components that are not alike."""
    found: list[Interchangeable] = []
    for group in groups:
        components = tuple(tuple(_variables(component, own)) for component in group.components)
        if len({len(component) for component in components}) > 1:
            sizes = ", ".join(str(len(component)) for component in components)
            raise ModelError(
                f"interchangeable components have as many variables as one another, program counters included: {sizes}",
                group.line,
            )
        found.append(Interchangeable(components, group.line))
    return tuple(found)


def _variables(component: Iterable[Part], own: Mapping[str, Sequence[Variable]]) -> Iterator[Variable]:
    for leaf in _of_component(component):
        if isinstance(leaf, Process):
            yield from own[leaf.name]
        elif leaf.exists:
            yield leaf


def refuse_unlike(system: TransitionSystem) -> None:
    """Raise ModelError for components that a system calls interchangeable, and that are not; OutOfBudget."""
    if system.interchangeable:
        from draincheck.reductions.symmetry import exchanges  # for the few systems that have any

        exchanges(system)
