"""Which values two variables can have at the same time, and after how many steps at the earliest.

The planning graph of AI planning (Blum and Furst 1997; the heuristic h2 of Haslum and Geffner 2000), kept for each control location
apart (control state reachability: Ganai and Gupta 2008) and read as a family of invariants: a pair of facts that is not in a layer up
to `t` is false in every state that at most `t` steps can reach, and one that is in no layer is false in every reachable state. The
analysis forgets only what joins three or more facts besides the location, so what it excludes is excluded soundly; it never enumerates
states, and its cost grows with the number of locations and the square of the number of facts.

It is what makes z3 fast on interleavings. Bounded model checking starts at the first layer that does not exclude its goal and adds the
exclusions of each depth; induction starts from those that are for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from itertools import combinations, product

from msgspec import Struct

from draincheck import op
from draincheck.budget import look
from draincheck.engines.smt.operators import Case, OperatorFacts, bits
from draincheck.exploration.domains import flat
from draincheck.expr import BoolExpr
from draincheck.semantics.violation import faultless
from draincheck.system import Action, TransitionSystem, Variable

__all__ = ["FOR_EVER", "Pairs"]

#: the layer of what is in no layer
FOR_EVER = 1 << 30

#: variables with more values are left out: their facts would be too many, and say too little
MOST_VALUES = 32
#: facts of which there may be pairs; of more there would be millions, and nothing is analysed
MOST_FACTS = 1_000
#: cases taken at a location before the analysis is given up: about a second
MOST_WORK = 250_000

#: where the control variables stand: one fact for each, as a mask
Location = int
#: what may be true beside each fact at a location, itself included; 0 where the fact cannot be true
Rows = list[int]


class _TooMuchWorkError(Exception):
    """The analysis costs more than it is worth."""


class _Move(Struct, frozen=True):
    """A case as locations see it.

    Attributes:
        at: the facts about control variables that it allows.
        to: for each control variable that it writes, the facts about it, and those of which one is true afterwards.
        needs: for each other variable that it depends on, the facts of which one must be true.
        makes: the facts about other variables of which one each is true afterwards.
        keeps: the facts about other variables that it does not write.
    """

    at: int
    to: tuple[tuple[int, int], ...]
    needs: tuple[int, ...]
    makes: int
    keeps: int


class Pairs:
    """The layers of pairs of a system.

    Attributes:
        facts: the facts that are looked at.
        layers: for each layer what it adds, location by location: what may be true together there (see `Rows`).
    """

    def __init__(self, system: TransitionSystem, located: bool = True) -> None:
        """Run the analysis; `located` keeps control locations apart, unless there are too many of them."""
        small = [variable for variable in system.variables if variable.sort.size <= MOST_VALUES]
        self.facts = OperatorFacts(small if sum(v.sort.size for v in small) <= MOST_FACTS else ())
        self._cases = [case for action in system.actions for case in _taken(self.facts, action)]
        self.layers: list[dict[Location, Rows]] = []
        self._analyse([variable for variable in self.facts.of if variable.internal and located])

    def without_locations(self) -> Pairs:
        """The analysis that does not keep control locations apart: its exclusions for ever are inductive by themselves."""
        if not self._controls:
            return self
        mixed = copy(self)
        mixed._analyse([])
        return mixed

    # -- answers ----------------------------------------------------------------------------------------------------------

    def first(self, condition: BoolExpr) -> int:
        """The first layer in which a condition may be true; FOR_EVER if it never is."""
        moves = [self._move(case) for part in flat(op.OR, [condition]) for case in self.facts.cases(part, {})]
        for depth, layer in enumerate(self.layers):
            for location, rows in layer.items():
                fitting = [move for move in moves if not location & ~move.at]
                present = _present(rows) if fitting else 0
                if any(_together(move, rows, present) is not None for move in fitting):
                    return depth
        return FOR_EVER

    def exclusions(self) -> Mapping[int, list[tuple[int, int]]]:
        """Pairs of facts by the first layer that has them: before it (or for ever) they exclude each other.

        A fact alone is a pair with itself; pairs that say no more than one of their facts alone are left out.
        """
        first = self._first_layers()
        alone = [first.get((fact, fact), FOR_EVER) for fact in range(len(self.facts.all))]
        found: dict[int, list[tuple[int, int]]] = {}
        for fact, layer in enumerate(alone):
            if layer:
                found.setdefault(layer, []).append((fact, fact))
        for (_, mine), (_, other) in combinations(self.facts.of.items(), 2):
            for pair in product(bits(mine), bits(other)):
                layer = first.get(pair, FOR_EVER)
                if layer > max(alone[pair[0]], alone[pair[1]]):
                    found.setdefault(layer, []).append(pair)
        return found

    def _first_layers(self) -> dict[tuple[int, int], int]:
        """The first layer of each pair that is in some layer."""
        first: dict[tuple[int, int], int] = {}
        known = [0] * len(self.facts.all)
        for depth, layer in enumerate(self.layers):
            for fact, beside in enumerate(self._everywhere(layer)):
                new = beside & ~known[fact]
                known[fact] |= new
                first.update(((fact, other), depth) for other in bits(new))
        return first

    def _everywhere(self, layer: Mapping[Location, Rows]) -> Rows:
        """What a layer has together, whatever the location; control variables are facts like others here."""
        joined = [0] * len(self.facts.all)
        for here, rows in layer.items():
            present = here
            for fact, beside in enumerate(rows):
                if beside:
                    joined[fact] |= beside | here
                    present |= 1 << fact
            for fact in bits(here):
                joined[fact] |= present
        return joined

    # -- layers -----------------------------------------------------------------------------------------------------------

    def _analyse(self, controls: list[Variable]) -> None:
        """Find the layers, with these variables as locations, or with none if that is too much work."""
        self._controls = dict.fromkeys(controls)  # terms are looked up, never compared
        self._own = [self.facts.of[variable] for variable, _ in self.facts.all]
        try:
            self._run()
        except _TooMuchWorkError:
            if controls:
                self._analyse([])
            else:
                self.facts, self._cases, self.layers = OperatorFacts(()), [], [{0: []}]

    def _run(self) -> None:
        self.layers = []
        moves = [self._move(case) for case in self._cases]
        possible: dict[Location, list[tuple[_Move, list[Location]]]] = {}
        known: dict[Location, Rows] = {}
        layer, work = self._initial(), 0
        while layer:
            look()
            self.layers.append(layer)
            known |= layer
            new: dict[Location, Rows] = {}
            for location, rows in layer.items():
                if location not in possible:
                    possible[location] = [(m, _targets(m, location)) for m in moves if not location & ~m.at]
                self._expand(rows, possible[location], new)
                work += len(possible[location])
            if work > MOST_WORK:
                raise _TooMuchWorkError
            layer = {
                place: _joined(rows, known.get(place))
                for place, rows in new.items()
                if _says_more(rows, known.get(place))
            }

    def _expand(self, rows: Rows, moves: list[tuple[_Move, list[Location]]], new: dict[Location, Rows]) -> None:
        """Take every move from a location."""
        present = _present(rows)
        for move, targets in moves:
            together = _together(move, rows, present)
            if together is not None:
                for target in targets:
                    _take(move, rows, together, self._own, new.setdefault(target, [0] * len(rows)))

    def _initial(self) -> dict[Location, Rows]:
        start = {v: self.facts.mask(v, v.initial or range(v.sort.low, v.sort.high + 1)) for v in self.facts.of}
        rows = [0] * len(self.facts.all)
        others = [v for v in start if v not in self._controls]
        everything = sum(start[v] for v in others)
        for variable in others:
            for fact in bits(start[variable]):
                rows[fact] = everything & ~self.facts.of[variable] | 1 << fact
        locations = product(*(bits(start[v]) for v in self._controls))
        return {sum(1 << fact for fact in location): rows.copy() for location in locations}

    def _move(self, case: Case) -> _Move:
        controls = self._controls
        data = [v for v in self.facts.of if v not in controls]
        return _Move(
            at=sum(case.needs.get(v, self.facts.of[v]) for v in controls),
            to=tuple((self.facts.of[v], case.makes[v]) for v in controls if v in case.makes),
            needs=tuple(case.needs[v] for v in data if v in case.needs),
            makes=sum(case.makes[v] for v in data if v in case.makes),
            keeps=sum(self.facts.of[v] for v in data if v not in case.makes),
        )


def _taken(facts: OperatorFacts, action: Action) -> Sequence[Case]:
    """The cases of an action where it can be taken."""
    return facts.cases(faultless(action), {update.variable: update.value for update in action.updates})


def _targets(move: _Move, location: Location) -> list[Location]:
    """The locations that a move leads to."""
    targets = [location]
    for own, made in move.to:
        targets = [target & ~own | 1 << fact for target in targets for fact in bits(made)]
    return targets


def _present(rows: Rows) -> int:
    """The facts that may be true."""
    return sum(1 << fact for fact, beside in enumerate(rows) if beside)


def _together(move: _Move, rows: Rows, present: int) -> int | None:
    """The facts that may be true where a move is taken; None if it cannot be, as far as pairs can tell."""
    together = present
    for need in move.needs:
        beside, wanted = 0, need & together
        while wanted:
            lowest = wanted & -wanted
            beside |= rows[lowest.bit_length() - 1]
            wanted ^= lowest
        together &= beside
    for need in move.needs:
        if not need & together:
            return None
    return together


def _take(move: _Move, rows: Rows, together: int, own: Sequence[int], after: Rows) -> None:
    """Add to the rows of a location what a move to there makes true together. `own` are the facts about the variable of a fact."""
    kept = rest = together & move.keeps
    makes = move.makes
    everything = kept | makes
    while rest:
        lowest = rest & -rest
        fact = lowest.bit_length() - 1
        after[fact] |= rows[fact] & kept | makes
        rest ^= lowest
    while makes:
        lowest = makes & -makes
        fact = lowest.bit_length() - 1
        after[fact] |= everything & ~own[fact] | lowest
        makes ^= lowest


def _says_more(rows: Rows, known: Rows | None) -> bool:
    """Whether some rows contain a pair that others do not."""
    return known is None or any(new & ~old for new, old in zip(rows, known, strict=True))


def _joined(rows: Rows, known: Rows | None) -> Rows:
    return rows if known is None else [new | old for new, old in zip(rows, known, strict=True)]
