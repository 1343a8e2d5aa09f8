"""A program as a plain tree: what the random programs are made of. Values are stored as integers (truth 0/1, names by position)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = [
    "Abort", "Alternative", "At", "Atomic", "Block", "Bound", "Break", "Call", "CanEnter", "Check", "Continue", "Do", "Either", "Enter", "Error",
    "ErrorKind", "Here", "IsName", "Loop", "Name", "Number", "Op", "Process", "Program", "Read", "Slip", "Statement", "Term", "Truth", "Update", "Var",
    "Wait", "When", "While", "Yield", "Yielded", "blocks", "operands", "own_terms", "statements", "terms", "used",
]  # fmt: skip

Kind: TypeAlias = Literal["bool", "int", "enum"]
#: what a run ends with at an `error`
ErrorKind: TypeAlias = Literal["error", "scheduled"]


@dataclass(frozen=True, slots=True)
class Var:
    """A variable; `names` are those of an enum, whose values are their positions. With `any` it may start with any value.

    A `history` one belongs to a specification.
    """

    name: str
    kind: Kind
    low: int = 0
    high: int = 1
    initial: int = 0
    names: tuple[str, ...] = ()
    any: bool = False
    history: bool = False

    @property
    def starts(self) -> Iterable[int]:
        """The values that it may start with."""
        return range(self.low, self.high + 1) if self.any else (self.initial,)


# terms


@dataclass(frozen=True, slots=True)
class Read:
    """The value of a variable."""

    var: Var


@dataclass(frozen=True, slots=True)
class Number:
    """A Python int."""

    value: int


@dataclass(frozen=True, slots=True)
class Name:
    """A value of an enum with these names, by its position."""

    names: tuple[str, ...]
    value: int


@dataclass(frozen=True, slots=True)
class Truth:
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True, slots=True)
class IsName:
    """Whether a term of an enum is one of some names."""

    term: Term
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class At:
    """Whether a process is at a named place."""

    process: str
    place: str


@dataclass(frozen=True, slots=True)
class Yielded:
    """Whether a coroutine has yielded at a named place."""

    process: str
    place: str


@dataclass(frozen=True, slots=True)
class CanEnter:
    """Whether a coroutine can be entered."""

    coroutine: str


@dataclass(frozen=True, slots=True)
class Op:
    """An operator: not and or implies iff, lt le gt ge is, same, add sub, ite, count."""

    op: str
    args: tuple[Term, ...]


Term: TypeAlias = Read | Number | Name | Truth | IsName | At | Yielded | CanEnter | Op


@dataclass(frozen=True, slots=True)
class Update:
    """What a `do` stores: `how` is set, to, inc or dec; the term of the last two is their condition, if any."""

    var: Var
    how: Literal["set", "to", "inc", "dec"]
    term: Term | None = None


# statements


@dataclass(frozen=True, slots=True)
class Do:
    label: str
    updates: tuple[Update, ...] = ()
    guard: Term | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    label: str
    guard: Term


@dataclass(frozen=True, slots=True)
class When:
    test: Term
    then: Block
    otherwise: Block | None = None
    local: bool = False


@dataclass(frozen=True, slots=True)
class Alternative:
    body: Block
    guard: Term | None = None


@dataclass(frozen=True, slots=True)
class Either:
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    body: Block


@dataclass(frozen=True, slots=True)
class While:
    """A `while_`, or an `until`."""

    test: Term
    body: Block
    until: bool = False


@dataclass(frozen=True, slots=True)
class Break:
    pass


@dataclass(frozen=True, slots=True)
class Continue:
    pass


@dataclass(frozen=True, slots=True)
class Atomic:
    body: Block


@dataclass(frozen=True, slots=True)
class Call:
    body: Block


@dataclass(frozen=True, slots=True)
class Enter:
    """`place` names standing in it, if given."""

    coroutine: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Yield:
    name: str


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    holds: Term


@dataclass(frozen=True, slots=True)
class Abort:
    pass


@dataclass(frozen=True, slots=True)
class Bound:
    pass


@dataclass(frozen=True, slots=True)
class Error:
    """Where `when` holds, always without it; `kind` is what the run then ends with."""

    when: Term | None = None
    kind: ErrorKind = "error"


@dataclass(frozen=True, slots=True)
class Here:
    name: str


@dataclass(frozen=True, slots=True)
class Slip:
    """Something that is refused wherever it stands; `play` knows what it looks like."""

    what: str


Statement: TypeAlias = (
    Do
    | Wait
    | When
    | Either
    | Loop
    | While
    | Break
    | Continue
    | Atomic
    | Call
    | Enter
    | Yield
    | Check
    | Abort
    | Bound
    | Error
    | Here
    | Slip
)
Block: TypeAlias = tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Process:
    """A thread or a coroutine."""

    name: str
    body: Block
    coroutine: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """Variables and processes; final is where every thread has ended."""

    variables: tuple[Var, ...]
    processes: tuple[Process, ...]
    name: str = field(default="random", compare=False)


def blocks(statement: Statement) -> Iterator[Block]:
    """The blocks that a statement opens."""
    match statement:
        case When(then=then, otherwise=otherwise):
            yield then
            if otherwise is not None:
                yield otherwise
        case Either(alternatives=alternatives):
            yield from (alternative.body for alternative in alternatives)
        case Loop(body=body) | While(body=body) | Atomic(body=body) | Call(body=body):
            yield body
        case _:
            pass


def statements(block: Block) -> Iterator[Statement]:
    """All statements of a block, inner ones included."""
    for statement in block:
        yield statement
        for inner in blocks(statement):
            yield from statements(inner)


def operands(term: Term) -> tuple[Term, ...]:
    """The terms that a term is made of."""
    match term:
        case Op(args=args):
            return args
        case IsName(term=inner):
            return (inner,)
        case _:
            return ()


def terms(term: Term) -> Iterator[Term]:
    """A term and everything in it."""
    yield term
    for inner in operands(term):
        yield from terms(inner)


def used(program: Program) -> Iterator[Term]:
    """All terms of a program."""
    for process in program.processes:
        for statement in statements(process.body):
            for term in own_terms(statement):
                yield from terms(term)


def own_terms(statement: Statement) -> Iterator[Term]:
    """The terms that a statement itself has, without those of inner blocks."""
    match statement:
        case Do(updates=updates, guard=guard):
            found = [*(update.term for update in updates), guard]
        case Wait(guard=term) | When(test=term) | While(test=term) | Check(holds=term):
            found = [term]
        case Either(alternatives=alternatives):
            found = [alternative.guard for alternative in alternatives]
        case Error(when=when):
            found = [when]
        case _:
            found = []
    yield from (term for term in found if term is not None)
