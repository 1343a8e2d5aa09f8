"""What terms mean, as functions of the stored values and of where the processes are. Knows nothing of the library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from tests.language.tree import At, CanEnter, IsName, Name, Number, Op, Read, Term, Truth, Var, Yielded

__all__ = ["Store", "Value", "Where", "enum_names", "reader"]

Store: TypeAlias = tuple[int, ...]


class Where(Protocol):
    """Where the processes are."""

    def is_at(self, process: str, place: str) -> bool:
        """Whether control of a process is at a named place."""
        ...

    def has_yielded(self, coroutine: str, place: str) -> bool:
        """Whether a coroutine has yielded at a named place, or ended there."""
        ...

    def can_enter(self, coroutine: str) -> bool:
        """Whether a coroutine is neither running nor ended."""
        ...


Value: TypeAlias = Callable[[Store, Where], int]

_BINARY: Mapping[str, Callable[[int, int], int]] = {
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "implies": lambda a, b: (1 - a) | b,
    "iff": lambda a, b: int(a == b),
    "lt": lambda a, b: int(a < b),
    "le": lambda a, b: int(a <= b),
    "gt": lambda a, b: int(a > b),
    "ge": lambda a, b: int(a >= b),
    "is": lambda a, b: int(a == b),
    "same": lambda a, b: int(a == b),
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
}


def reader(term: Term, index: Mapping[str, int]) -> Value:
    """The function that a term is; `index` says where each variable is stored."""
    match term:
        case Read(var=var):
            place = index[var.name]
            return lambda store, _: store[place]
        case Number(value=value) | Truth(value=value) | Name(value=value):
            constant = int(value)
            return lambda _, __: constant
        case At(process=process, place=name):
            return lambda _, where: int(where.is_at(process, name))
        case Yielded(process=process, place=name):
            return lambda _, where: int(where.has_yielded(process, name))
        case CanEnter(coroutine=coroutine):
            return lambda _, where: int(where.can_enter(coroutine))
        case IsName(term=inner, names=names):
            wanted, read = {enum_names(inner).index(name) for name in names}, reader(inner, index)
            return lambda store, where: int(read(store, where) in wanted)
        case Op(op=op, args=args):
            return _operator(op, [reader(arg, index) for arg in args])


def _operator(op: str, args: list[Value]) -> Value:
    if op == "count":
        return lambda store, where: sum(arg(store, where) for arg in args)
    if op == "not":
        (only,) = args
        return lambda store, where: 1 - only(store, where)
    if op == "ite":
        test, then, otherwise = args
        return lambda store, where: (then if test(store, where) else otherwise)(store, where)
    left, right = args
    apply = _BINARY[op]
    return lambda store, where: apply(left(store, where), right(store, where))


def enum_names(term: Term) -> tuple[str, ...]:
    """The names that a term of an enum can have."""
    match term:
        case Read(var=Var(names=names)) | Name(names=names):
            return names
        case Op(args=args):
            return enum_names(args[-1])
        case _:
            raise TypeError(term)
