"""Random systems that can be reduced, or nearly: components that are made alike, and steps that mostly matter to nobody.

A *template* is a term with a hole for a component: filled with each of them in turn it makes what the components do alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from msgspec.structs import replace

from draincheck.errors import SourceLine
from draincheck.expr import FALSE, TRUE, BoolExpr, IntExpr, all_, any_, count, ite, number
from draincheck.properties import Always, Assertion, CanAlwaysFinish, NoDeadlock, Property, Reachable
from draincheck.sorts import BOOL, IntSort
from draincheck.system import (
    Action,
    BoolVar,
    Check,
    Fault,
    FaultKind,
    Interchangeable,
    IntVar,
    Part,
    TransitionSystem,
    Update,
    Variable,
)
from tests.support.strategies import random_system

__all__ = ["symmetric_system", "system_with_steps"]

HERE = SourceLine("reducible.py", 1)


def _step(index: int, process: str, guard: BoolExpr, updates: Sequence[Update], label: str = "") -> Action:
    part = Part(label or f"step {index}", (), 0, "", HERE, TRUE)
    return Action(index, process, (part,), guard, tuple(updates))


# -- steps that mostly matter to nobody ---------------------------------------------------------------------------------------------


def system_with_steps(seed: int) -> TransitionSystem:
    """A random system whose actions raise some flags beside what they do, and a few steps that lower these; now and then somebody looks at one."""
    return _Flagged(Random(seed), seed).system()


class _Flagged:
    """Adds flags, and steps that lower them, to a random system."""

    def __init__(self, random: Random, seed: int) -> None:
        self.random = random
        self.chance = _chance(random)
        self.looks = random.choice((0, 0.5, 1))
        data, processes = random.choice((1, 2)), random.choice((1, 1, 2))
        self.plain = random_system(seed, data=data, processes=processes, depth=1, folded=True, careless=0)
        starts = [(random.choice((0, 0, 0, 1)),) for _ in range(random.choice((1, 2, 2)))]
        self.flags = [IntVar(f"flag {number}", IntSort(0, 2), start) for number, start in enumerate(starts)]

    def about_flag(self) -> BoolExpr:
        """Something about a flag."""
        condition = self.random.choice(self.flags).is_(self.random.randrange(3))
        return ~condition if self.chance(50) else condition

    def among(self, condition: BoolExpr, percent: int) -> BoolExpr:
        """A condition, or more or less than that."""
        if not self.chance(percent * self.looks):
            return condition
        return self.random.choice((all_, any_))(condition, self.about_flag())

    def raised(self, flag: IntVar) -> IntExpr:
        """What an action stores in a flag: mostly only if it is down."""
        value = number(self.random.choice((1, 1, 2)))
        return value if self.chance(15 * self.looks) else ite(flag.is_(0), value, flag)

    def changed(self, action: Action) -> Action:
        """An action that raises some flags, too."""
        sets = [Update(flag, self.raised(flag)) for flag in self.flags if self.chance(40)]
        checks = [replace(c, holds=self.among(c.holds, 25), asked=self.among(c.asked, 25)) for c in action.checks]
        faults = list(action.faults)
        if self.chance(8 * self.looks):
            faults.append(Fault(FaultKind.ERROR, all_(action.guard, self.about_flag()), "flagged", HERE))
        guard = self.among(action.guard, 10)
        return replace(
            action, guard=guard, updates=(*action.updates, *sets), checks=tuple(checks), faults=tuple(faults)
        )

    def helper(self, index: int, name: str) -> Action:
        """A step that lowers a flag, or changes it in another way."""
        flag, before = self.random.choice(self.flags), self.random.choice((1, 1, 2))
        after = self.random.choice([value for value in (0, 0, 0, 1, 2) if value != before])
        updates = [Update(flag, number(after))]
        if self.chance(30 * self.looks) and (others := [other for other in self.flags if other is not flag]):
            updates.append(Update(others[0], number(self.random.randrange(3))))
        action = _step(index, name, self.among(flag.is_(before), 25), updates)
        if self.chance(8 * self.looks):
            action = replace(action, checks=(Check("A", self.about_flag(), HERE),))
        if self.chance(6 * self.looks):
            action = replace(action, faults=(Fault(FaultKind.ERROR, self.about_flag(), "helped wrongly", HERE),))
        return action

    def system(self) -> TransitionSystem:
        """The system."""
        plain, random = self.plain, self.random
        actions = [self.changed(action) for action in plain.actions]
        helpers = [f"helper {number}" for number in range(random.choice((1, 1, 2, 3)))]
        actions += [self.helper(len(actions) + number, name) for number, name in enumerate(helpers)]
        rests = [(name, random.choice((TRUE, TRUE, FALSE, self.about_flag()))) for name in helpers]
        rests = sorted((*plain.at_rest, *rests), key=lambda rest: rest[0] == "") if plain.at_rest else []
        stuck = self.chance(40)
        demanded = [item for item in plain.properties if stuck or not isinstance(item, NoDeadlock)]
        return replace(
            plain,
            variables=(*plain.variables, *self.flags),
            actions=tuple(actions),
            properties=tuple(item.map(lambda condition: self.among(condition, 15)) for item in demanded),
            at_rest=tuple(rests),
            final=self.among(plain.final, 10),
        )


# -- components that are alike ------------------------------------------------------------------------------------------------------


def _chance(random: Random) -> Callable[[float], bool]:
    return lambda percent: random.randrange(100) < percent


@dataclass(frozen=True)
class _Component:
    """A component: what it is, and what it has of its own; perhaps smaller ones."""

    number: str
    own: tuple[Variable, ...]
    inner: tuple[_Component, ...] = ()

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (*self.own, *(v for component in self.inner for v in component.variables))


Condition = Callable[[_Component], BoolExpr]


class _Alike:
    """Makes a system of components that are alike."""

    def __init__(self, random: Random) -> None:
        self.random, self.chance = random, _chance(random)
        self.shared: list[Variable] = [
            self._variable(f"shared {n}", self._template()) for n in range(random.choice((1, 1, 2)))
        ]
        kinds = [self._template() for _ in range(random.choice((1, 2)))]
        inner = self._template() if self.chance(40) else None
        number = random.choice((2, 2, 3)) if inner is None else 2
        self.components = [self._component(str(n), kinds, inner) for n in range(number)]
        self.fragile = self.chance(30)

    def _template(self) -> tuple[int, tuple[int, ...]]:
        """The greatest value of a variable (0 for a truth value), and what it starts with."""
        high = self.random.choice((0, 0, 1, 2))
        values = range((high or 1) + 1)
        return high, tuple(sorted({self.random.choice(values) for _ in range(self.random.choice((1, 1, 1, 2)))}))

    @staticmethod
    def _variable(name: str, template: tuple[int, tuple[int, ...]]) -> Variable:
        high, initial = template
        return IntVar(name, IntSort(0, high), initial) if high else BoolVar(name, BOOL, initial)

    def _component(
        self, number: str, kinds: Sequence[tuple[int, tuple[int, ...]]], inner: tuple[int, tuple[int, ...]] | None
    ) -> _Component:
        own = tuple(self._variable(f"x{n} of {number}", kind) for n, kind in enumerate(kinds))
        if inner is None:
            return _Component(number, own)
        names = [f"{number}.{n}" for n in range(2)]
        slots = tuple(_Component(name, (self._variable(f"slot {name}", inner),)) for name in names)
        return _Component(number, own, slots)

    # conditions

    def about(self, variables: Sequence[Variable]) -> Callable[[Sequence[Variable]], BoolExpr]:
        """Something about one of some variables, said of whichever stand at their places."""
        place = self.random.randrange(len(variables))
        variable, value, turned = variables[place], self.random.randrange(3), self.chance(50)

        def said(others: Sequence[Variable]) -> BoolExpr:
            other = others[place]
            if isinstance(other, IntVar):
                return other.is_(min(value, variable.sort.high)) if turned else other < max(value, 1)
            assert isinstance(other, BoolVar)
            return other if turned else ~other

        return said

    def of_shared(self) -> BoolExpr:
        """Something about a shared variable."""
        return self.about(self.shared)(self.shared)

    def of_own(self) -> Condition:
        """Something about what a component has of its own."""
        own = self.about(self.components[0].own)
        return lambda component: own(component.own)

    def of_inner(self) -> Condition:
        """Something about the components in one, all of them or any."""
        if not self.components[0].inner:
            return self.of_own()
        slot = self.about(self.components[0].inner[0].own)
        join = self.random.choice((all_, any_))
        return lambda component: join(*(slot(inner.own) for inner in component.inner))

    def of_all(self) -> BoolExpr:
        """Something about all components that does not depend on their order."""
        each = self.random.choice((self.of_own, self.of_inner))()
        join = self.random.choice((all_, any_, self.counted))
        return join(*(each(component) for component in self.components))

    def counted(self, *conditions: BoolExpr) -> BoolExpr:
        """How many hold."""
        return count(*conditions).is_(self.random.randrange(len(conditions) + 1))

    def condition(self) -> Condition:
        """Something that a component can ask about."""
        kind = self.random.randrange(10)
        if kind < 4:
            return self.of_own()
        if kind < 6:
            return self.of_inner()
        fixed = self.of_shared() if kind < 8 else self.of_all()
        return lambda component: fixed

    def several(self) -> Condition:
        """A few of these together."""
        parts = [self.condition() for _ in range(self.random.choice((1, 2, 2, 3)))]
        join = self.random.choice((all_, all_, any_))
        return lambda component: join(*(part(component) for part in parts))

    # steps

    def stored(self, variables: Sequence[Variable]) -> Callable[[Sequence[Variable], BoolExpr], Update]:
        """An update of one of some variables."""
        place, value = self.random.randrange(len(variables)), self.random.randrange(3)
        turned = self.chance(40)

        def made(others: Sequence[Variable], condition: BoolExpr) -> Update:
            variable = others[place]
            if isinstance(variable, BoolVar):
                return Update(variable, condition if turned else TRUE if value else FALSE)
            assert isinstance(variable, IntVar)
            high = variable.sort.high
            up: IntExpr = ite(variable < high, variable + 1, number(0))
            return Update(variable, ite(condition, up, variable) if turned else number(min(value, high)))

        return made

    def actions(self) -> Iterator[tuple[str, BoolExpr, list[Update], list[Check], list[Fault]]]:
        """What components do, and what is done to all of them."""
        for step in range(self.random.choice((2, 3, 4))):
            guard, condition, check, fault = (self.several() for _ in range(4))
            own, shared = self.stored(self.components[0].own), self.stored(self.shared)
            writes_shared, checks, fails = self.chance(40), self.chance(30), self.chance(8)
            kind = self.random.choice((FaultKind.ERROR, FaultKind.ERROR, FaultKind.BOUND))
            for component in self.components:
                updates = [own(component.own, condition(component))]
                if writes_shared:
                    updates.append(shared(self.shared, condition(component)))
                asked = [Check("A", check(component), HERE)] if checks else []
                faults = [Fault(kind, fault(component), "goes wrong", HERE)] if fails else []
                yield f"{step} of {component.number}", guard(component), updates, asked, faults
        if self.components[0].inner:
            yield from self._inner_actions()
        for step in range(self.random.choice((0, 1, 1))):
            own, condition, where = self.stored(self.components[0].own), self.several(), self.of_shared()
            updates = [own(component.own, condition(component)) for component in self.components]
            if self.chance(60):
                updates.append(self.stored(self.shared)(self.shared, self.of_all()))
            yield f"{step} of all", all_(where, self.of_all()), updates, [], []

    def _inner_actions(self) -> Iterator[tuple[str, BoolExpr, list[Update], list[Check], list[Fault]]]:
        for step in range(self.random.choice((1, 2))):
            guard, outer = self.about(self.components[0].inner[0].own), self.several()
            store, own = self.stored(self.components[0].inner[0].own), self.stored(self.components[0].own)
            writes_own = self.chance(30)
            for component in self.components:
                for slot in component.inner:
                    updates = [store(slot.own, outer(component))]
                    if writes_own:
                        updates.append(own(component.own, guard(slot.own)))
                    yield f"{step} of {slot.number}", all_(guard(slot.own), outer(component)), updates, [], []

    def properties(self) -> Iterator[Property]:
        """Some of every kind."""
        yield Always("always", any_(self.of_all(), self.of_all()))
        yield Always("always, too", any_(self.of_all(), self.of_shared(), self.of_all()))
        yield Reachable("reachable", all_(self.of_all(), self.of_all()))
        yield CanAlwaysFinish("can finish", all_(self.of_all(), self.of_all()))
        yield Assertion("A")
        if self.chance(50):
            yield NoDeadlock("no deadlock")

    def system(self) -> TransitionSystem:
        """The system."""
        shared = self.chance(50)
        actions: list[Action] = []
        for name, guard, updates, checks, faults in self.actions():
            process = "all" if shared and name.endswith("all") else name.partition(" of ")[2] if shared else name
            action = _step(len(actions), process, guard, updates, name)
            actions.append(replace(action, checks=tuple(checks), faults=tuple(faults)))
        final = self.of_all() if self.chance(50) else FALSE
        at_rest = tuple((name, FALSE) for name in dict.fromkeys(a.process for a in actions)) if self.chance(40) else ()
        variables = [*self.shared, *(v for component in self.components for v in component.variables)]
        self.random.shuffle(variables)
        inner = [Interchangeable(tuple(i.variables for i in c.inner), HERE) for c in self.components if c.inner]
        outer = Interchangeable(tuple(component.variables for component in self.components), HERE)
        return TransitionSystem(
            "alike",
            tuple(variables),
            tuple(actions),
            tuple(self.properties()),
            final,
            at_rest=at_rest,
            interchangeable=(*inner, outer),
        )


def symmetric_system(seed: int) -> TransitionSystem:
    """A random system of two or three components that are alike, perhaps with slots that are alike."""
    return _Alike(Random(seed)).system()
