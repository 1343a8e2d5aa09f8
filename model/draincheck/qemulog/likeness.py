"""Requests that only their numbers tell apart: of states in which they are exchanged one stands for all.

A model names its requests, and its guest makes them one after the other, so exchanging two does not map the system to itself. It maps a part of a run
that begins when both are made. Call a component *fresh* as long as it is as it was at the start. What is made sure of:

1. every step is *even*: exchanges map the even steps to one another, with what they show; or it is *about* one component, and mapped to itself if
   others are exchanged; or it is *odd*. This is decided once, on the steps' terms.
2. In no state that is looked at an odd step could be taken, nor one that is about a component which is not fresh any more; neither could it in a state
   that differs in an exchange, for of a guard only those conditions are asked that no exchange changes.
3. No step makes a component fresh again.

2 and 3 are looked at in every state and step (`Unlike` is raised where they do not hold, unless fewer than two components are there to be
exchanged). So if s and t differ in the order of components that are not fresh, each step from s is mapped to one from t that shows the same; behind
them the two states differ in the same order of components that are not fresh. Then both can show the same for ever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import islice

from msgspec import Struct

from draincheck import op
from draincheck.analysis.standing import ControlMap
from draincheck.budget import look
from draincheck.exploration.domains import flat
from draincheck.expr import BoolExpr, Expr, Substitution, all_, variables_of
from draincheck.reductions.symmetry import Shapes, image_of
from draincheck.system import Action, Part, State, TransitionSystem, Variable

__all__ = ["Components", "Likeness", "Unlike"]

#: for each component its variables, in the same order
Components = Sequence[Sequence[Variable]]
_Exchanged = Mapping[Expr, Expr]


class Unlike(Exception):
    """A step that tells components apart may be taken: states that differ in their order are not alike."""


class _Odd(Struct, frozen=True):
    """A step that tells components apart: what it needs whichever they are, and the one that it is about, if it is about one."""

    needs: BoolExpr
    about: int | None


class Likeness:
    """The components of a system, and its states with those in ascending order that are not fresh.

    Args:
        system: the system.
        components: its components; nothing is exchanged if they are fewer than two, or begin differently.
        shown: what a part of a step shows.
    """

    def __init__(
        self, system: TransitionSystem, components: Components, shown: Callable[[Part], Sequence[Hashable]]
    ) -> None:
        self._system, self._shown, self._shapes = system, shown, Shapes()
        self.components: Components = components if _start_alike(system, components) else ()
        self._places = [[system.position[variable] for variable in each] for each in self.components]
        self._fresh = tuple(system.initial[0][place] for place in self._places[0]) if self._places else ()
        self._controls = ControlMap(system)
        self._odd: dict[str, dict[int | None, list[_Odd]]] = {}
        for action, odd in self._odd_steps() if self.components else ():
            self._odd.setdefault(action.process, {}).setdefault(action.location, []).append(odd)

    # -- in a search

    def representative(self, before: State, after: State) -> State:
        """The state that stands for the one behind a step. Raises Unlike."""
        used = self._used(after)
        if not self._used(before) <= used:
            raise Unlike
        if len(used) < 2:
            return after
        if any(self._system.holds(odd.needs, after) for odd in self._in_question(after, used)):
            raise Unlike
        return self._in_order(after, sorted(used))

    def _in_question(self, state: State, used: set[int]) -> Iterator[_Odd]:
        """The odd steps of where processes stand, but those that are about a component which is fresh."""
        for process, by_place in self._odd.items():
            for place in (None, self._controls.number(process, state)):
                yield from (odd for odd in by_place.get(place, ()) if odd.about is None or odd.about in used)

    def _used(self, state: State) -> set[int]:
        """The components that are not fresh."""
        return {i for i, places in enumerate(self._places) if tuple(map(state.__getitem__, places)) != self._fresh}

    def _in_order(self, state: State, used: Sequence[int]) -> State:
        found = list(state)
        parts = sorted(tuple(state[place] for place in self._places[number]) for number in used)
        for number, part in zip(used, parts, strict=True):
            for place, value in zip(self._places[number], part, strict=True):
                found[place] = value
        return tuple(found)

    # -- which steps are even

    def _odd_steps(self) -> Iterator[tuple[Action, _Odd]]:
        own = {v for component in self.components for v in component}
        steps = [action for action in self._system.actions if not self._touched(action).isdisjoint(own)]
        exchanged = list(_generators(self.components))
        even = self._even(steps, exchanged)
        for action in steps:
            if action.index not in even:
                yield action, _Odd(self._needs(action, exchanged), self._about(action))

    def _touched(self, action: Action) -> set[Expr]:
        return self._shapes.variables_of(action) | variables_of(*(part.when for part in action.parts))

    def _even(self, steps: Sequence[Action], exchanged: Sequence[_Exchanged]) -> set[int]:
        """The largest part of some steps that these exchanges map to itself."""
        keys = {action.index: self._key(action) for action in steps}
        images = [{action.index: self._image_key(action, each) for action in steps} for each in exchanged]
        while odd := _odd_ones(keys, images):
            keys = {index: key for index, key in keys.items() if index not in odd}
        return set(keys)

    def _about(self, action: Action) -> int | None:
        """The component that a step is about, which it names first, if it is mapped to itself when others are exchanged."""
        labels = "; ".join(part.label for part in action.parts)
        named = ((labels.find(str(v)), number) for number, each in enumerate(self.components) for v in each)
        _, number = min((place for place in named if place[0] >= 0), default=(0, None))
        if number is None:
            return None
        others = [each for each in self.components if each is not self.components[number]]
        alike = all(self._image_key(action, each) == self._key(action) for each in _generators(others))
        return number if alike else None

    def _needs(self, action: Action, exchanged: Sequence[_Exchanged]) -> BoolExpr:
        """Those conditions of a step's guard that no exchange changes."""
        terms = [term for term in flat(op.AND, [action.guard]) if isinstance(term, BoolExpr)]
        images = [Substitution(each) for each in exchanged]
        return all_(
            *(term for term in terms if all(self._shapes[image(term)] == self._shapes[term] for image in images))
        )

    def _image_key(self, action: Action, exchanged: _Exchanged) -> Hashable:
        look()
        image = Substitution(exchanged)
        return self._key(image_of(action, image), image)

    def _key(self, action: Action, image: Callable[[BoolExpr], BoolExpr] = lambda when: when) -> Hashable:
        """What a step does and shows; of neighbouring parts that show the same the order does not matter."""
        runs: list[tuple[Sequence[Hashable], list[int]]] = []
        for part in action.parts:
            if sign := self._shown(part):
                if not runs or runs[-1][0] != sign:
                    runs.append((sign, []))
                runs[-1][1].append(self._shapes[image(part.when)])
        return self._shapes.of_action(action), tuple((tuple(sign), tuple(sorted(whens))) for sign, whens in runs)


def _odd_ones(keys: Mapping[int, Hashable], images: Sequence[Mapping[int, Hashable]]) -> set[int]:
    """The steps that are not as often there, by what they do, as among the images of all of them, or whose images are not."""
    there = Counter(keys.values())
    made = [Counter(image[index] for index in keys) for image in images]
    wrong = {key for each in made for key in {*there, *each} if there[key] != each[key]}
    return {i for i in keys if keys[i] in wrong or any(image[i] in wrong for image in images)}


def _start_alike(system: TransitionSystem, components: Components) -> bool:
    """Whether there is something to exchange, which begins alike in the one initial state."""
    starts = {tuple(system.initial[0][system.position[v]] for v in component) for component in components}
    ends = variables_of(system.halted).isdisjoint(v for component in components for v in component)
    return len(components) > 1 and len(list(islice(system.initial, 2))) == 1 and len(starts) == 1 and ends


def _generators(components: Components) -> Iterator[_Exchanged]:
    """The exchange of the first two, and that of each for the next: every order is made of these."""
    if len(components) > 1:
        first, second = components[:2]
        yield dict(zip((*first, *second), (*second, *first), strict=True))
    if len(components) > 2:
        pairs = zip(components, (*components[1:], components[0]), strict=True)
        yield {a: b for one, other in pairs for a, b in zip(one, other, strict=True)}
