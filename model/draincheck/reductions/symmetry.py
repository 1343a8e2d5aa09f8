"""Interchangeable components: whether they are, and the system whose states stand for all that differ in their order alone.

Components are *interchangeable* if exchanging any two of them, value by value, maps the system to itself: initial states to initial states, actions to
actions (guard, updates, checks and faults), promises to promises. Then it maps runs to runs, and conditions that it maps to themselves hold of both or of
neither. It is enough to look at neighbours: exchanges of neighbours make up every other order.

In the system that `quotient` makes, every step leads on to the *representative* of the state behind it, in which components stand in ascending order.

*Why no verdict changes.* Say that a stored state n stands for s if some reordering of components maps s to n. Initial states are stored themselves, or
their representatives, which are initial states, too. If s goes to t by an action b, then n goes to the image of t by the image of b, which is an action
of the system; what is stored is a reordering of it. And what is stored is reachable, for the inverse reordering of its path is a path. So conditions that
are symmetric are found to hold in stored states where they hold in reachable ones; checks and faults are those of the image of b, of the same names and
kinds; and whether a symmetric goal can be reached from a state is so of all that it stands for. Paths are as long as the paths they stand for.

A goal of one process (that *it* can go on) is not symmetric. In a quotient it would be confused with that of another. But goals that exchanges map to
one another answer for each other: if from a reachable state s the goal of q cannot be reached, and a reordering maps q's goal to p's, then from
the image of s, which is reachable in as many steps, that of p cannot be. So of each kind of goal one is asked, the first, in the quotient of
the exchanges alone that map all those to themselves: the components of the processes that are asked about stay where they are. They are no fewer
than the exchanges of the others among themselves. (`answering`; an exchange that makes a goal which nobody asks about answers for none.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace

from draincheck import op
from draincheck.budget import look
from draincheck.errors import ModelError
from draincheck.expr import BoolExpr, Expr, Substitution, all_, eq, variables_of
from draincheck.reductions.cases import Cases
from draincheck.system import Action, Interchangeable, TransitionSystem, Update, Variable
from draincheck.walks import OfTerms

__all__ = ["Answering", "Exchange", "Shapes", "answering", "exchanges", "image_of", "is_symmetric", "orbit", "quotient"]

#: terms that may be looked at to see that two which are written otherwise say the same
WORK = 200_000


class Exchange(Struct, frozen=True):
    """Two neighbours among interchangeable components, exchanged.

    Attributes:
        group: which components these are among, as a number in the system's order.
        first: the number of the first of the two.
        variables: for each variable of the two the one in its place.
        actions: for each action the number of the one that takes its place.
    """

    group: int
    first: int
    variables: Mapping[Expr, Expr]
    actions: Sequence[int]


class Answering(Struct, frozen=True):
    """Goals of which some answer for others.

    Attributes:
        kept: the exchanges that map each goal to itself that is still to be asked.
        odd: the groups of which an exchange makes a goal that is none of these.
        left_out: the names of the goals that others answer for.
    """

    kept: Sequence[Exchange]
    odd: frozenset[int]
    left_out: frozenset[str]


def exchanges(system: TransitionSystem) -> list[Exchange]:
    """The exchanges of neighbours among components that a system calls interchangeable.

    Raises ModelError for those that are not, OutOfBudget.
    """
    shapes = Shapes()
    found: list[Exchange] = []
    for number, group in enumerate(system.interchangeable):
        for first in range(len(group.components) - 1):
            look()
            found.append(_exchange(system, shapes, number, first))
    return found


def is_symmetric(condition: BoolExpr, exchanged: Iterable[Exchange]) -> bool:
    """Whether exchanges are known to map a condition to itself."""
    shapes = Shapes()
    return all(_is_same(shapes, condition, Substitution(each.variables)) for each in exchanged)


def answering(goals: Mapping[str, BoolExpr], exchanged: Sequence[Exchange]) -> Answering:
    """Which of some goals, by their names, answer for others, and which exchanges are kept for that. Raises OutOfBudget."""
    shapes = Shapes()
    numbers = {name: shapes[goal] for name, goal in goals.items()}
    maps = [(each, _images(shapes, goals, each)) for each in exchanged]
    known = set(numbers.values())
    odd = frozenset(each.group for each, image in maps if not known.issuperset(image.values()))
    closed = [(each, image) for each, image in maps if each.group not in odd]
    first = _first_alike(list(dict.fromkeys(numbers.values())), [image for _, image in closed])
    asked = set(first.values())
    kept = [each for each, image in closed if all(image[number] == number for number in asked)]
    return Answering(kept, odd, frozenset(name for name, number in numbers.items() if first[number] != number))


def _images(shapes: Shapes, goals: Mapping[str, BoolExpr], each: Exchange) -> dict[int, int]:
    """For each goal, by its number, the number of what an exchange makes of it."""
    look()
    image, found = Substitution(each.variables), dict[int, int]()
    for goal in goals.values():
        other = image(goal)
        same = shapes[other] not in map(shapes.__getitem__, goals.values()) and Cases(WORK).equal(goal, other)
        found[shapes[goal]] = shapes[goal if same else other]
    return found


def _first_alike(numbers: Sequence[int], maps: Sequence[Mapping[int, int]]) -> dict[int, int]:
    """For each number the first that maps lead to from it, in whichever direction."""
    first = {number: place for place, number in enumerate(numbers)}
    while wrong := [(a, b) for image in maps for a, b in image.items() if first[a] != first[b]]:
        for a, b in wrong:
            first[a] = first[b] = min(first[a], first[b])
    return {number: numbers[place] for number, place in first.items()}


def orbit(action: int, maps: Sequence[Sequence[int]]) -> set[int]:
    """An action and all that some maps of actions lead to from it."""
    found = [action]
    for here in found:
        found += [there for there in dict.fromkeys(each[here] for each in maps) if there not in found]
    return set(found)


def quotient(system: TransitionSystem, exchanged: Iterable[Exchange]) -> TransitionSystem:
    """The system of representatives, as to these exchanges of its components. Its variables stand in another order."""
    groups = tuple(_runs(system, exchanged))
    alike = dict.fromkeys(v for group in reversed(groups) for component in group.components for v in component)
    variables = (*(v for v in system.variables if v not in alike), *alike)
    return replace(system, variables=variables, sorts=groups, quotient="interchangeable components in ascending order")


def _runs(system: TransitionSystem, exchanged: Iterable[Exchange]) -> Iterator[Interchangeable]:
    """The components that exchanges of neighbours bring into any order, inner ones first."""
    ordered = enumerate(sorted(exchanged, key=lambda each: (each.group, each.first)))
    for _, run in groupby(ordered, key=lambda item: (item[1].group, item[1].first - item[0])):
        those = [each for _, each in run]
        group = system.interchangeable[those[0].group]
        yield replace(group, components=group.components[those[0].first : those[-1].first + 2])


def _exchange(system: TransitionSystem, shapes: Shapes, number: int, first: int) -> Exchange:
    group = system.interchangeable[number]
    one, other = group.components[first : first + 2]
    where = f"components {first + 1} and {first + 2} of {len(group.components)} are not interchangeable"
    for a, b in zip(one, other, strict=True):
        if a.sort != b.sort or not _start_alike(a.initial, b.initial):
            raise ModelError(f"{where}: {a} and {b} have other values, or start with others", group.line)
    variables = dict[Expr, Expr](zip((*one, *other), (*other, *one), strict=True))
    image = Substitution(variables)
    actions = _counterparts(system, shapes, variables, where, group)
    promised = {(each.strength, frozenset(each.actions)) for each in system.fairness}
    for each in system.fairness:
        if (each.strength, frozenset(actions[index] for index in each.actions)) not in promised:
            raise ModelError(f"{where}: {each} would be promised of others if they were exchanged", group.line)
    conditions = [(repr(item.name), c) for item in system.properties for c in item.conditions()]
    for name, condition in (*conditions, ("what is final", system.final)):
        if not _is_same(shapes, condition, image):
            raise ModelError(f"{where}: {name} says something else if they are exchanged", group.line)
    return Exchange(number, first, variables, actions)


def _start_alike(one: Sequence[int], other: Sequence[int]) -> bool:
    return one == other or set(one) == set(other)


def _is_same(shapes: Shapes, condition: BoolExpr, image: Substitution) -> bool:
    """Whether a condition and its image say the same."""
    other = image(condition)
    return shapes[condition] == shapes[other] or Cases(WORK).equal(condition, other)


def _counterparts(
    system: TransitionSystem, shapes: Shapes, variables: Mapping[Expr, Expr], where: str, group: Interchangeable
) -> list[int]:
    """For each action the number of the one that does what its image does, each once. Raises ModelError if one has none."""
    touched = [action for action in system.actions if not shapes.variables_of(action).isdisjoint(variables)]
    image = Substitution(variables)
    free: dict[object, list[Action]] = {}
    for action in touched:
        free.setdefault(shapes.of_action(action), []).append(action)
    found, odd = {action.index: action.index for action in system.actions}, list[Action]()
    for action in touched:
        alike = free.get(shapes.of_action(image_of(action, image)))
        if alike:
            found[action.index] = alike.pop(0).index
        else:
            odd.append(action)
    left = [action for alike in free.values() for action in alike]
    for action in odd:
        other = next((other for other in left if _do_the_same(image_of(action, image), other)), None)
        if other is None:
            reason = f"{where}: no step does for one what {action.process}: {action.name} does for the other"
            raise ModelError(f"{reason} ({action.line}); a component needs all its variables and processes", group.line)
        left.remove(other)
        found[action.index] = other.index
    return [found[action.index] for action in system.actions]


def image_of(action: Action, image: Substitution) -> Action:
    """What an action is if components are exchanged (its parts, which are for people, stay)."""
    updates = [Update(_variable(image[update.variable]), image(update.value)) for update in action.updates]
    checks = [replace(check, holds=image(check.holds), asked=image(check.asked)) for check in action.checks]
    faults = [replace(fault, when=image(fault.when), stores=None) for fault in action.faults]
    return replace(
        action, guard=image(action.guard), updates=tuple(updates), checks=tuple(checks), faults=tuple(faults)
    )


def _variable(a: Expr) -> Variable:
    assert isinstance(a, Variable)
    return a


def _do_the_same(one: Action, other: Action) -> bool:
    """Whether two actions that are written otherwise have the same guard, and the same effect, checks and faults where it holds."""
    if [c.property for c in one.checks] != [c.property for c in other.checks]:
        return False
    if [f.kind for f in one.faults] != [f.kind for f in other.faults]:
        return False
    values = [{u.variable: u.value for u in action.updates} for action in (one, other)]
    stored = [eq(values[0].get(v, v), values[1].get(v, v)) for v in {**values[0], **values[1]}]
    checks = zip(one.checks, other.checks, strict=True)
    checked = [all_(a.holds.iff(b.holds), a.asked.iff(b.asked)) for a, b in checks]
    faults = [a.when.iff(b.when) for a, b in zip(one.faults, other.faults, strict=True)]
    cases = Cases(WORK)
    return cases.equal(one.guard, other.guard) and cases.implied(one.guard, all_(*stored, *checked, *faults))


class Shapes(OfTerms[int]):
    """A number for each term, the same for those that differ in the order of what has none."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[object, int] = {}
        self._added: dict[int, tuple[int, ...]] = {}
        self._variables: dict[int, set[Expr]] = {}

    def variables_of(self, action: Action) -> set[Expr]:
        """The variables that an action reads or writes."""
        found = self._variables.get(action.index)
        if found is None:
            terms: list[Expr] = [action.guard, *(f.when for f in action.faults)]
            terms += [term for u in action.updates for term in (u.variable, u.value)]
            terms += [term for c in action.checks for term in (c.holds, c.asked)]
            found = self._variables[action.index] = variables_of(*terms)
        return found

    def of(self, a: Expr) -> int:
        """The number of a term, from those of its parts."""
        parts = [self[arg] for arg in a.args]
        if a.op is op.ADD:
            parts = [each for part in parts for each in self._added.get(part, (part,))]
        if a.op in (op.AND, op.OR, op.EQ, op.ADD):
            parts.sort()
        number = self._number((a.op, a.value, *parts) if parts or a.op is op.CONST else id(a))
        if a.op is op.ADD:
            self._added[number] = tuple(parts)
        return number

    def of_action(self, action: Action) -> object:
        """The same for what an action does."""
        faults = [(fault.kind, self[fault.when]) for fault in action.faults]
        return (
            self[action.guard],
            frozenset((self[update.variable], self[update.value]) for update in action.updates),
            frozenset((check.property, self[check.holds], self[check.asked]) for check in action.checks),
            frozenset(faults) if len({kind for kind, _ in faults}) == 1 else tuple(faults),
        )

    def _number(self, what: object) -> int:
        return self._numbers.setdefault(what, len(self._numbers))
