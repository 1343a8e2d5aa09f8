"""Random transition systems, small enough that the reference interpreter explores them at once.

The terms of a system come from a seed, not from single draws: hypothesis favours small values and short sequences of draws, and
most systems made of these never take a step. What it can still make smaller is the number of parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from random import Random
from typing import Any, cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from draincheck import op
from draincheck.errors import SourceLine
from draincheck.expr import (
    FALSE,
    REBUILD,
    TRUE,
    BoolExpr,
    EnumExpr,
    Expr,
    IntExpr,
    all_,
    bounds,
    compare,
    constant,
    ite,
    want_int,
)
from draincheck.op import Op
from draincheck.properties import Always, Assertion, CanAlwaysFinish, NoDeadlock, Property, Reachable
from draincheck.sorts import BOOL, EnumSort, IntSort, Sort
from draincheck.system import (
    Action,
    BoolVar,
    Check,
    EnumVar,
    Fault,
    FaultKind,
    IntVar,
    Part,
    TransitionSystem,
    Update,
    Variable,
)
from draincheck.verdict import Limits

__all__ = ["Recipe", "limits", "random_system", "recipes", "systems", "tries"]

HERE = SourceLine("random.py", 1)
SORTS = (
    BOOL,
    BOOL,
    IntSort(0, 1),
    IntSort(0, 3),
    IntSort(-2, 1),
    IntSort(3, 3),
    EnumSort.of("ab"),
    EnumSort.of("abcde"),
)


def limits() -> st.SearchStrategy[Limits]:
    """Limits of a search, most of them wide enough for most systems."""
    return st.sampled_from([Limits(states=number) for number in (400, 300, 500, 200, 20, 5, 1)])


def systems(careless: int = 6) -> st.SearchStrategy[TransitionSystem]:
    """Transition systems with all sorts, operators, kinds of fault and kinds of property (`careless`: see random_system)."""
    return st.builds(
        random_system,
        seed=st.integers(0, 2**32 - 1),
        data=st.integers(2, 4),
        processes=st.integers(1, 3),
        depth=st.integers(0, 2),
        folded=st.booleans(),
        careless=st.just(careless),
    )


def recipes() -> st.SearchStrategy[Recipe]:
    """How to make such systems, for tests that name the recipe of one where they fail."""
    return st.builds(
        Recipe,
        seed=st.integers(0, 2**32 - 1),
        data=st.integers(2, 4),
        processes=st.integers(1, 3),
        depth=st.integers(0, 2),
        folded=st.booleans(),
    )


@dataclass(frozen=True)
class Recipe:
    """Arguments of `random_system`; its text makes the system again."""

    seed: int
    data: int
    processes: int
    depth: int
    folded: bool

    def system(self) -> TransitionSystem:
        """The system."""
        return random_system(**asdict(self))


def random_system(
    seed: int, data: int, processes: int, depth: int, *, folded: bool, careless: int = 6
) -> TransitionSystem:
    """A system: always the same for the same arguments.

    Args:
        seed: what everything else depends on.
        data: how many variables are not program counters.
        processes: how many processes there are.
        depth: how deep operators nest in guards and updates.
        folded: whether constants are folded, as they are in models.
        careless: of a hundred updates that could leave their range, so many are not kept from it: that is a fault.
    """
    maker = _Maker(Random(seed), data=data, processes=processes, depth=depth, folded=folded, careless=careless)
    return maker.system()


@dataclass(frozen=True)
class _Process:
    """A process and its program counters, which may be missing."""

    name: str
    pc: IntVar | None
    on: BoolVar | None

    def variables(self) -> list[Variable]:
        return [v for v in (self.on, self.pc) if v is not None]


class _Maker:
    """Makes one system."""

    def __init__(self, random: Random, *, data: int, processes: int, depth: int, folded: bool, careless: int) -> None:
        self.random, self.depth, self.folded, self.careless = random, depth, folded, careless
        self.pick = random.choice
        self.data = [self.variable(number) for number in range(data)]
        self.processes = [self.process(number) for number in range(processes)]
        self.variables = [*self.data, *(v for process in self.processes for v in process.variables())]

    def chance(self, percent: int) -> bool:
        """True in about so many of a hundred cases."""
        return self.random.randrange(100) < percent

    def system(self) -> TransitionSystem:
        """The system."""
        places = [place for process in self.processes for place in self.places(process)]
        actions = tuple(self.action(index, *place) for index, place in enumerate(places))
        properties = tuple(self.properties())
        final = self.condition(1)
        at_rest = tuple(self.at_rest()) if self.chance(60) else ()
        return TransitionSystem("random", tuple(self.variables), actions, properties, final, at_rest=at_rest)

    def at_rest(self) -> Iterator[tuple[str, BoolExpr]]:
        """Where each process may rest: often nowhere, or at its last location; and perhaps where not all has ended."""
        for process in self.processes:
            end = FALSE if process.pc is None else self.build(op.EQ, process.pc, want_int(process.pc.sort.high))
            yield process.name, self.pick((FALSE, end, end, self.condition(1)))
        if self.chance(40):
            yield "", self.condition(1)

    # variables

    def variable(self, number: int) -> Variable:
        """A variable with one or two initial values."""
        sort = self.pick(SORTS)
        values = {self.random.randint(sort.low, sort.high) for _ in range(self.pick((1, 1, 2)))}
        kind = BoolVar if sort is BOOL else EnumVar if isinstance(sort, EnumSort) else IntVar
        return kind(f"x{number}", sort, tuple(values))

    def process(self, number: int) -> _Process:
        """A process with a program counter, a bit that says whether it runs, both or neither."""
        pc = on = None
        if self.chance(80):
            pc = IntVar(f"pc {number}", IntSort(0, self.random.randint(1, 4)), (0,), internal=True)
        if self.chance(40):
            on = BoolVar(f"on {number}", BOOL, (int(self.chance(80)),), internal=True)
        return _Process(f"process {number}", pc, on)

    # terms

    def build(self, kind: Op, *args: Expr) -> Any:
        """An operator applied to terms: folded as models do it, or left exactly as it is."""
        return REBUILD[kind](*args) if self.folded else _unfolded(kind, *args)

    def condition(self, depth: int) -> BoolExpr:
        """A truth-valued term; operators nest up to `depth`."""
        if depth == 0 or self.chance(20):
            return self.atom()
        kind = self.pick((op.NOT, op.AND, op.OR, op.ITE, op.EQ, op.LT, op.LE, None))
        if kind in (op.LT, op.LE):
            return cast(BoolExpr, self.build(kind, self.number(depth - 1), self.number(depth - 1)))
        if kind is None:
            sort = self.pick(self.variables).sort
            return cast(BoolExpr, self.build(op.EQ, self.value(sort, depth - 1), self.value(sort, depth - 1)))
        size = {op.NOT: 1, op.ITE: 3, op.EQ: 2}.get(kind) or self.random.randint(2, 3)
        return cast(BoolExpr, self.build(kind, *(self.condition(depth - 1) for _ in range(size))))

    def atom(self) -> BoolExpr:
        """Something about one variable, or a constant."""
        variable = self.pick(self.variables)
        if isinstance(variable, BoolVar):
            return variable if self.chance(90) else self.pick((TRUE, FALSE))
        limit = constant(variable.sort, self.random.randint(variable.sort.low, variable.sort.high))
        if isinstance(variable, EnumVar) or self.chance(40):
            return cast(BoolExpr, self.build(op.EQ, variable, limit))
        sides = (variable, limit) if self.chance(50) else (limit, variable)
        return cast(BoolExpr, self.build(self.pick((op.LT, op.LE)), *sides))

    def number(self, depth: int) -> IntExpr:
        """An integer term."""
        if depth == 0 or self.chance(20):
            known = [variable for variable in self.variables if isinstance(variable, IntVar)]
            return self.pick(known) if known and self.chance(70) else want_int(self.random.randint(-2, 3))
        if self.chance(30):
            return cast(IntExpr, self.build(op.ITE, self.condition(depth - 1), *self.numbers(depth - 1)))
        return cast(IntExpr, self.build(self.pick((op.ADD, op.SUB)), *self.numbers(depth - 1)))

    def numbers(self, depth: int) -> tuple[IntExpr, IntExpr]:
        """Two integer terms, the second often a constant."""
        return self.number(depth), want_int(1) if self.chance(40) else self.number(depth)

    def value(self, sort: Sort, depth: int) -> Expr:
        """A term of a sort; for integers of any range."""
        if sort is BOOL:
            return self.condition(depth)
        if not isinstance(sort, EnumSort):
            return self.number(depth)
        if depth and self.chance(30):
            return cast(Expr, self.build(op.ITE, self.condition(0), self.value(sort, depth - 1), self.value(sort, 0)))
        same = [variable for variable in self.variables if variable.sort == sort]
        return self.pick(same) if same and self.chance(50) else constant(sort, self.random.randint(0, sort.high))

    # actions

    def places(self, process: _Process) -> list[tuple[_Process, int]]:
        """Where the actions of a process start: up to three at each location of its program counter."""
        last = 0 if process.pc is None else process.pc.sort.high
        return [(process, at) for at in range(last + 1) for _ in range(self.pick((0, 1, 1, 2, 2, 3) if at else (2, 3)))]

    def action(self, index: int, process: _Process, at: int) -> Action:
        """An action of a process at a location."""
        faults: list[Fault] = []
        updates = [self.update(variable, faults) for variable in self.written(process)]
        if process.pc is not None and self.chance(90):
            updates.append(Update(process.pc, want_int(self.random.randint(0, process.pc.sort.high))))
        for kind, percent in ((FaultKind.BOUND, 4), (FaultKind.REENTRY, 1)):
            if self.chance(percent):
                faults.insert(self.random.randint(0, len(faults)), Fault(kind, self.condition(1), kind.name, HERE))
        checks = tuple(Check(name, self.several(op.OR, 2), HERE) for name in "AB" if self.chance(20))
        part = Part(f"step {index}", (), 0, "", HERE, TRUE)
        return Action(index, process.name, (part,), self.guard(process, at), tuple(updates), checks, tuple(faults))

    def written(self, process: _Process) -> list[Variable]:
        """The variables that an action writes, each once."""
        some = [variable for variable in self.data if self.chance(40)]
        others = [other.on for other in self.processes if other.on is not None and self.chance(30)]
        return [*some, *others]

    def guard(self, process: _Process, at: int) -> BoolExpr:
        """Mostly where the process stands, and sometimes more."""
        parts: list[BoolExpr] = []
        if process.on is not None and self.chance(95):
            parts.append(process.on)
        if process.pc is not None and self.chance(95):
            parts.append(self.build(op.EQ, process.pc, want_int(at)))
        if self.chance(35):
            parts.append(self.condition(self.depth))
        other = self.pick(self.processes).on
        if other is not None and other is not process.on and self.chance(20):
            parts.append(self.build(op.NOT, other))
        return cast(BoolExpr, self.build(op.AND, *parts)) if len(parts) > 1 else all_(*parts)

    def update(self, variable: Variable, faults: list[Fault]) -> Update:
        """A new value within the variable's range, or one that is a fault outside of it."""
        new = self.value(variable.sort, self.depth if self.chance(70) else 0)
        if isinstance(variable, IntVar) and self.chance(40):
            new = self.build(self.pick((op.ADD, op.SUB)), variable, want_int(1))
        low, high = variable.sort.low, variable.sort.high
        if isinstance(new, IntExpr) and not (low <= bounds(new)[0] and bounds(new)[1] <= high):
            inside = all_(compare(op.LE, want_int(low), new), compare(op.LE, new, want_int(high)))
            if self.chance(self.careless):
                faults.append(Fault(FaultKind.RANGE, ~inside, f"{variable.name} leaves its range", HERE))
            else:
                new = ite(inside, new, cast(IntExpr, constant(variable.sort, self.pick((low, high)))))
        return Update(variable, new)

    # properties

    def properties(self) -> Iterator[Property]:
        """Some of every kind."""
        yield from (Assertion(name) for name in "AB" if self.chance(80))
        yield from (Always(f"always {number}", self.several(op.OR, number + 1)) for number in range(3))
        yield from (Reachable(f"reachable {number}", self.several(op.AND, number + 1)) for number in range(3))
        if self.chance(70):
            yield NoDeadlock("no deadlock")
        if self.chance(70):
            yield CanAlwaysFinish("can finish", self.several(op.AND, 2))

    def several(self, kind: Op, number: int) -> BoolExpr:
        """A conjunction (seldom true) or disjunction (seldom false) of conditions."""
        parts = [self.condition(1) for _ in range(number)]
        return cast(BoolExpr, self.build(kind, *parts)) if number > 1 else parts[0]


def _unfolded(kind: Op, *args: Expr) -> Expr:
    """The term with just this operator on top."""
    if kind in (op.ADD, op.SUB):
        return IntExpr("", REBUILD[kind](*args).sort, op=kind, args=args)
    if kind is op.ITE and isinstance(args[1], IntExpr):
        (a, b), (c, d) = bounds(args[1]), bounds(args[2])
        return IntExpr("", IntSort(min(a, c), max(b, d)), op=kind, args=args)
    if kind is op.ITE and isinstance(args[1], EnumExpr):
        return EnumExpr("", args[1].sort, op=kind, args=args)
    return BoolExpr("", BOOL, op=kind, args=args)


def tries(number: int, *unusual: HealthCheck) -> settings:
    """How a test tries so many random systems, of which one may take long to make; `unusual` is what else it does on purpose."""
    return settings(
        max_examples=number, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow, *unusual]
    )
