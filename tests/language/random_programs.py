"""Random programs: small, and full of what breaks a compiler of this language. Always the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import TypeAlias

from tests.language.play import SLIPS
from tests.language.random_terms import Terms, variables
from tests.language.refusal import named_places, refusal, yielded_places
from tests.language.rewrite import renamed
from tests.language.tree import (
    Abort,
    Alternative,
    At,
    Atomic,
    Block,
    Bound,
    Break,
    Call,
    CanEnter,
    Check,
    Continue,
    Do,
    Either,
    Enter,
    Error,
    ErrorKind,
    Here,
    Loop,
    Op,
    Process,
    Program,
    Read,
    Slip,
    Statement,
    Term,
    Update,
    Var,
    Wait,
    When,
    While,
    Yield,
    Yielded,
    blocks,
    statements,
)

__all__ = ["random_program"]

#: of a hundred programs so many are careless in some way: nobody looked whether they are legal
CARELESS = 8
#: in what way: where guards stand, what is stored, statements that are always refused, statements behind jumps, local tests
WAYS = ("guards", "guards", "guards", "stores", "slips", "behind", "local")


def random_program(seed: int) -> Program:
    """A program, nearly always a legal one."""
    random = Random(seed)
    careless = random.choice(WAYS) if random.random() * 100 < CARELESS else ""
    while True:
        program = _Maker(random, careless).program(f"random {seed}")
        if careless or not refusal(program):
            return program


@dataclass(frozen=True)
class _Spot:
    """Where a statement is to stand: may it have a guard, is it inside atomic, how many loops and blocks are around it."""

    guard: bool = True
    inside: bool = False
    loop: bool = False
    depth: int = 0


@dataclass
class _Owner:
    """The process that is being made."""

    name: str
    coroutine: bool
    terms: Terms
    writable: list[Var]
    mine: list[Var]
    enters: list[str]
    left: int


#: a statement; whether control comes past it, and whether a guard may follow
_Made: TypeAlias = tuple[Statement, bool, bool]
_Make: TypeAlias = Callable[[_Spot], _Made]
_Choices: TypeAlias = list[tuple[_Make, float]]


class _Maker:
    def __init__(self, random: Random, careless: str) -> None:
        self.random, self.careless, self.slipped = random, careless, False
        self.variables = variables(random)
        self.coroutines = [f"co{number}" for number in range(random.choice((0, 0, 0, 1, 1, 2)))]
        self.threads = [f"t{number}" for number in range(1 if len(self.coroutines) == 2 else random.choice((1, 2, 2)))]
        self.owner: _Owner

    def chance(self, percent: float) -> bool:
        return self.random.random() * 100 < percent

    def program(self, name: str) -> Program:
        exclusive = [var for var in self.variables if self.chance(35)]
        processes = tuple(self.process(name, exclusive) for name in [*self.threads, *self.coroutines])
        return self.placed(Program(self.variables, processes, name))

    def process(self, name: str, exclusive: list[Var]) -> Process:
        """A thread or coroutine; the first one alone may write the exclusive variables."""
        coroutine, first = name in self.coroutines, name == "t0"
        shared = coroutine and self.chance(30)
        writable = [var for var in self.variables if first or shared or var not in exclusive]
        everybody = [*self.threads, *self.coroutines]
        enters = [other for other in self.coroutines if other != name or self.chance(4)]
        terms = Terms(self.random, self.variables, everybody, self.coroutines)
        mine = list(self.variables) if self.careless == "local" else exclusive if first else []
        self.owner = _Owner(name, coroutine, terms, writable, mine, enters, self.random.choice((3, 4, 5, 6, 7, 8, 12)))
        body = self.block(_Spot())[0]
        if enters and not coroutine and not any(isinstance(s, Enter) for s in statements(body)):
            body = (Enter(self.random.choice(enters)), *body)
        return Process(name, body, coroutine)

    def placed(self, program: Program) -> Program:
        """Let conditions ask for places that there are."""
        legal = () if refusal(program) else program.processes
        places = {process.name: sorted(named_places(process)) for process in legal}
        yields = {process.name: sorted(yielded_places(process)) for process in legal}

        def place(term: At | Yielded) -> str:
            known = yields if isinstance(term, Yielded) else places
            return self.random.choice([*known.get(term.process, []), "(ended)"])

        return renamed(program, place)

    # blocks

    def block(self, spot: _Spot, least: int = 1) -> tuple[Block, bool, bool]:
        """Some statements; whether control comes to their end, and whether a guard may follow there."""
        made: list[Statement] = []
        size = max(least, self.random.choice((0, 1, 1, 2, 2, 3)) if spot.depth else self.random.choice((2, 3, 4)))
        for _ in range(size):
            self.owner.left -= 1
            statement, falls, guard = self.statement(spot)
            made.append(statement)
            spot = replace(spot, guard=guard)
            if self.careless in ("stores", "slips") and self.chance(15):
                made.append(self.careless_statement())
            if (not falls and not (self.careless == "behind" and self.chance(30))) or self.owner.left <= 0:
                return tuple(made), falls, spot.guard
        return tuple(made), True, spot.guard

    def careless_statement(self) -> Statement:
        if self.careless == "slips":
            return Slip(self.random.choice(SLIPS))
        var, other = self.random.choice(self.variables), self.random.choice(self.variables)
        if self.chance(40):
            return Do("t", (self.owner.terms.update(var), self.owner.terms.update(other)))
        return Do("s", (Update(var, "to", Read(other)),))

    def statement(self, spot: _Spot) -> _Made:
        """One statement; whether control comes past it, and whether a guard may follow."""
        choices = self.simple(spot)
        if self.owner.left > 0 and spot.depth < 4:
            choices = choices + self.compound(spot)
        makers, weights = zip(*choices, strict=True)
        maker: _Make = self.random.choices(makers, weights)[0]
        return maker(spot)

    def simple(self, spot: _Spot) -> _Choices:
        """Statements without blocks, and how often."""
        found: _Choices = [(self.do, 10), (self.check, 2.5), (self.error, 1.2), (self.here, 1)]
        found += [(self.abort, 0.4), (self.bound, 0.3)] if spot.depth else [(self.abort, 0.05), (self.bound, 0.02)]
        if spot.guard:
            found.append((self.wait, 3))
        if self.owner.enters:
            found.append((self.enter, 4))
        if self.owner.coroutine:
            found.append((self.yield_, 5))
        if spot.loop:
            found += (
                [(self.break_, 3), (self.continue_, 1)] if spot.depth > 1 else [(self.break_, 1), (self.continue_, 0.3)]
            )
        return found

    def compound(self, spot: _Spot) -> _Choices:
        """Statements with blocks, and how often."""
        found: _Choices = [
            (self.poll, 2),
            (self.when, 8),
            (self.either, 6),
            (self.loop, 3),
            (self.while_, 2.5),
            (self.call, 0.7),
        ]
        found.append((self.atomic, 2 if spot.inside else 8))
        if self.careless == "guards" and not self.slipped:
            found.append((self.late, 60))
        return found

    # simple statements

    def condition(self) -> Term:
        return self.owner.terms.condition()

    def label(self) -> str:
        return self.random.choice(("p", "q", "r", "s"))

    def do(self, spot: _Spot) -> _Made:
        often = 25 if spot.depth or self.owner.coroutine else 8
        guard = self.condition() if spot.guard and self.chance(often) else None
        return Do(self.label(), self.owner.terms.updates(self.owner.writable), guard), True, not spot.inside

    def wait(self, spot: _Spot) -> _Made:
        return Wait(self.label(), self.condition()), True, not spot.inside

    def check(self, spot: _Spot) -> _Made:
        return Check(self.random.choice(("S", "T")), self.condition()), True, not spot.inside

    def error(self, spot: _Spot) -> _Made:
        """Where a condition holds, which often takes two; now and then, inside of something, always."""
        kinds: tuple[ErrorKind, ...] = ("error", "error", "scheduled")
        kind = self.random.choice(kinds)
        if spot.depth and self.chance(20):
            return Error(None, kind), False, True
        return Error(Op("and", (self.condition(), self.condition())), kind), True, not spot.inside

    def here(self, spot: _Spot) -> _Made:
        return Here(self.random.choice("abc")), True, True

    def abort(self, spot: _Spot) -> _Made:
        return Abort(), False, True

    def bound(self, spot: _Spot) -> _Made:
        return Bound(), False, True

    def enter(self, spot: _Spot) -> _Made:
        name = self.random.choice(self.owner.enters)
        if self.chance(35) and name != self.owner.name:
            return When(CanEnter(name), (Enter(name),)), True, not spot.inside
        return Enter(name, self.random.choice(("", "", "a", "d"))), True, True

    def yield_(self, spot: _Spot) -> _Made:
        return Yield(self.random.choice("abc")), True, True

    def break_(self, spot: _Spot) -> _Made:
        return Break(), False, True

    def continue_(self, spot: _Spot) -> _Made:
        return Continue(), False, True

    # statements with blocks

    def when(self, spot: _Spot) -> _Made:
        ints = [var for var in self.owner.writable if var.kind == "int"]
        if ints and self.chance(20):
            test, update = self.owner.terms.room(self.random.choice(ints))
            return When(test, (Do(self.label(), (update,)),)), True, spot.guard and not spot.inside
        inner = replace(spot, depth=spot.depth + 1)
        local = bool(self.owner.mine) and self.chance(50)
        test = self.owner.terms.condition(1, self.owner.mine) if local else self.condition()
        then, falls, guard = self.block(inner, 0)
        if self.chance(45):
            otherwise, also, guard_too = self.block(inner, 0)
            return When(test, then, otherwise, local), falls or also, guard and guard_too
        return When(test, then, None, local), True, guard and spot.guard

    def either(self, spot: _Spot) -> _Made:
        bodies = [
            self.block(replace(spot, depth=spot.depth + 1), 0) for _ in range(self.random.choice((1, 2, 2, 2, 3)))
        ]
        guards = [self.condition() if self.chance(40) else None for _ in bodies]
        if not spot.guard and None not in guards:
            guards[0] = None
        alternatives = tuple(Alternative(body, guard) for (body, _, _), guard in zip(bodies, guards, strict=True))
        return Either(alternatives), any(falls for _, falls, _ in bodies), all(guard for _, _, guard in bodies)

    def loop(self, spot: _Spot) -> _Made:
        body, _, _ = self.block(replace(spot, depth=spot.depth + 1, loop=True, guard=True))
        return Loop(body), _breaks(body), not spot.inside

    def while_(self, spot: _Spot) -> _Made:
        body, _, _ = self.block(replace(spot, depth=spot.depth + 1, loop=True, guard=True), 0)
        return While(self.condition(), body, self.chance(40)), True, not any(isinstance(s, Break) for s in body)

    def poll(self, spot: _Spot) -> _Made:
        """A loop that is left from the inside of something."""
        jump = Continue() if self.chance(20) else Break()
        then: Block = (
            (jump,) if self.chance(60) else (Do(self.label(), self.owner.terms.updates(self.owner.writable)), jump)
        )
        again: Block = () if self.chance(40) else (Do(self.label(), self.owner.terms.updates(self.owner.writable)),)
        body: Block = (When(self.condition(), then), *again)
        if self.chance(50):
            body = (Either((Alternative(then, self.condition() if self.chance(70) else None), Alternative(again))),)
        if self.chance(50):
            body = (Atomic(body), *again) if self.chance(30) else (Atomic(body),)
        return Loop(body), _breaks(body), not spot.inside

    def late(self, spot: _Spot) -> _Made:
        """Something done in an atomic on some way, then a guard; between them, sometimes, the end of the step."""
        self.slipped = True
        done: Statement = self.random.choice((self.do, self.check))(spot)[0]
        guard: Statement = self.random.choice(
            (Wait(self.label(), self.condition()), Do(self.label(), (), self.condition()))
        )
        before = (done, When(self.condition(), (done,)), When(self.condition(), (), (done,)), _two((done,), ()))
        after = (
            guard,
            When(self.condition(), (guard,)),
            Either((Alternative((), self.condition()),)),
            _two((guard,), ()),
        )
        between: Block = (Here("a"),) if self.chance(25) else ()
        return Atomic((self.random.choice(before), *between, self.random.choice(after))), True, not spot.inside

    def atomic(self, spot: _Spot) -> _Made:
        body, falls, guard = self.block(replace(spot, depth=spot.depth + 1, inside=True))
        return Atomic(body), falls, guard or not spot.inside

    def call(self, spot: _Spot) -> _Made:
        body, falls, guard = self.block(replace(spot, depth=spot.depth + 1), 0)
        return Call(body), falls, guard


def _two(one: Block, other: Block) -> Either:
    """A free choice between two blocks."""
    return Either((Alternative(one), Alternative(other)))


def _breaks(body: Block) -> bool:
    """Whether a break leads out of the loop with this body."""
    for statement in body:
        if isinstance(statement, Break):
            return True
        if not isinstance(statement, Loop | While) and any(_breaks(block) for block in blocks(statement)):
            return True
    return False
