"""Which reductions a search of a system may use, and its paths, undone: from the reduced system back to the one that was asked about."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from draincheck.expr import BoolExpr, Expr, any_
from draincheck.reductions.confluence import Confluence, Settled, acyclic, settled
from draincheck.reductions.symmetry import Exchange, answering, exchanges, is_symmetric, orbit, quotient
from draincheck.reductions.wanted import Reductions, Sought
from draincheck.system import State, TransitionSystem
from draincheck.words import counted

__all__ = ["Path", "Reduction", "reduced"]

#: terms that are looked at to find confluent actions, at most: some tenths of a second, and where nobody has asked for them some hundredths
WORK, UNASKED = 300_000, 30_000

#: a state to start from and the indices of the actions to take
Path = tuple[State, Sequence[int]]


class Reduction(Struct, frozen=True):
    """A system that is searched in place of another.

    Attributes:
        original: the one that was asked about.
        system: the one that is searched. Its actions have the same numbers.
        settled: how confluent steps are taken at once, None if none are.
        exchanged: the exchanges of neighbours by which its states come into order.
        refused: the properties because of which some components were told apart all the same.
        left_out: the processes for whose goals those of others answer.
    """

    original: TransitionSystem
    system: TransitionSystem
    settled: Settled | None = None
    exchanged: Sequence[Exchange] = ()
    refused: Sequence[str] = ()
    left_out: frozenset[str] = frozenset()

    def __str__(self) -> str:
        words: list[str] = []
        if self.exchanged:
            apart = " (the first of a kind apart)" if self.left_out else ""
            words.append(f"states that differ in the order of interchangeable components{apart} count as one")
        if self.settled is not None:
            words.append(f"{counted(len(self.settled.passed), 'confluent step')} taken at once")
        return "; ".join(words)

    @property
    def is_some(self) -> bool:
        """Whether it is another system that is searched."""
        return self.system is not self.original

    @property
    def keeps_lengths(self) -> bool:
        """Whether a shortest path of the reduced system is one of the original."""
        return self.settled is None

    @property
    def settling(self) -> BoolExpr:
        """The states in which some confluent step is enabled: those that are hardly stored any more."""
        return any_(*(self.original.actions[index].guard for index in self.passed))

    @property
    def passed(self) -> Mapping[int, BoolExpr]:
        """For each action that is taken at once where that is so."""
        return {} if self.settled is None else self.settled.passed

    def stood_for(self, actions: Iterable[int]) -> set[int]:
        """Some actions of the reduced system, and all that they stand for."""
        alike = [each.actions for each in self.exchanged]
        return set[int]().union(*(orbit(index, alike) for index in actions))

    def expanded(self, path: Path, last: Collection[int] = ()) -> Path:
        """A path of the original, for one of the reduced system, and where that takes one more step, with that step."""
        initial, actions = path
        state = self._in_original_order(initial)
        way = _Way(self, state)
        for index in actions:
            way.take(index)
        return state, [*way.actions, *(way.original[index] for index in last)]

    def _in_original_order(self, state: State) -> State:
        values = dict(zip(self.system.variables, state, strict=True))
        return tuple([values[variable] for variable in self.original.variables])


class _Way:
    """A path of the original in the making. It is written down under the names that actions had before components changed places.

    Attributes:
        actions: the actions of the path.
        original: for each action what it is called at the beginning of the path.
    """

    def __init__(self, reduction: Reduction, state: State) -> None:
        self._reduction, self._state = reduction, state
        self.actions: list[int] = []
        self.original = list(range(len(reduction.original.actions)))

    def take(self, index: int) -> None:
        """Take an action of the reduced system: in the original, the confluent ones that it lets happen behind it, and components change places."""
        self._step(index)
        system, settled = self._reduction.original, self._reduction.settled
        for other in settled.chains[index] if settled else ():
            if system.holds(system.actions[other].guard, self._state):
                self._step(other)
        self._order()

    def _step(self, index: int) -> None:
        system = self._reduction.original
        self.actions.append(self.original[index])
        self._state = system.step(self._state, system.actions[index])

    def _order(self) -> None:
        """Bring components into order by exchanging neighbours."""
        while (wrong := next(self._in_wrong_order(), None)) is not None:
            system = self._reduction.original
            self._state = tuple([self._value(wrong.variables.get(v, v)) for v in system.variables])
            self.original = [self.original[index] for index in wrong.actions]

    def _in_wrong_order(self) -> Iterator[Exchange]:
        for each in self._reduction.exchanged:
            components = self._reduction.original.interchangeable[each.group].components
            one, other = ([*map(self._value, c)] for c in components[each.first : each.first + 2])
            if one > other:
                yield each

    def _value(self, variable: Expr) -> int:
        return self._state[self._reduction.original.position[variable]]


def reduced(system: TransitionSystem, wanted: Reductions, sought: Sequence[Sought]) -> Reduction:
    """The reduction of a system that keeps what is sought, such as it is: perhaps none."""
    exchanged, refused, left_out = _exchanged(system, sought) if wanted.symmetry else ((), (), frozenset[str]())
    smaller, steps = system, _settled(system, sought, wanted) if wanted.confluence else None
    if steps is not None:
        smaller = steps.system
    if exchanged:
        smaller = quotient(smaller, exchanged)
    return Reduction(system, smaller, steps, exchanged, refused, left_out)


def _exchanged(
    system: TransitionSystem, sought: Sequence[Sought]
) -> tuple[Sequence[Exchange], Sequence[str], frozenset[str]]:
    """The exchanges that everything that is asked is symmetric in, the properties that speak against others, the processes that need not be asked."""
    every, odd, refused = exchanges(system), set[int](), dict[str, None]()
    for each in sought:
        changed = {one.group for one in every if each.process is None and not is_symmetric(each.condition, [one])}
        odd |= changed
        if changed:
            refused[each.property] = None
    goals = {each.process: each.condition for each in sought if each.process is not None}
    found = answering(goals, [one for one in every if one.group not in odd])
    if {one.group for one in every} - odd - {one.group for one in found.kept}:
        refused |= dict.fromkeys(each.property for each in sought if each.process is not None)
    return found.kept, list(refused), found.left_out


def _settled(system: TransitionSystem, sought: Sequence[Sought], wanted: Reductions) -> Settled | None:
    """The system with confluent steps taken at once; None if there are none."""
    kept = [each.condition for each in sought if not each.at_ends]
    work = UNASKED if wanted is Reductions.AUTO else WORK
    found = acyclic(system, Confluence(system, kept, work).actions)
    return settled(system, found) if found else None
