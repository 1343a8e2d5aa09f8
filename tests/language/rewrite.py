"""Trees rebuilt from changed parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.language.tree import (
    Alternative,
    At,
    Atomic,
    Block,
    Call,
    Check,
    Do,
    Either,
    Error,
    IsName,
    Loop,
    Op,
    Program,
    Statement,
    Term,
    Wait,
    When,
    While,
    Yielded,
)

__all__ = ["renamed", "with_terms"]


def renamed(program: Program, place: Callable[[At | Yielded], str]) -> Program:
    """The program with a place of that process for every `At` and every `Yielded` that names none."""

    def named(term: Term) -> Term:
        return replace(term, place=place(term)) if isinstance(term, At | Yielded) and term.place == "?" else term

    bodies = ((process, _block(process.body, named)) for process in program.processes)
    return replace(program, processes=tuple(replace(process, body=body) for process, body in bodies))


def with_terms(term: Term, change: Callable[[Term], Term]) -> Term:
    """The term with every part changed, inner parts first."""
    match term:
        case Op(op=op, args=args):
            return change(Op(op, tuple(with_terms(arg, change) for arg in args)))
        case IsName(term=inner, names=names):
            return change(IsName(with_terms(inner, change), names))
        case _:
            return change(term)


def _block(block: Block, change: Callable[[Term], Term]) -> Block:
    return tuple(_statement(statement, change) for statement in block)


def _statement(statement: Statement, change: Callable[[Term], Term]) -> Statement:
    def one(term: Term) -> Term:
        return with_terms(term, change)

    def maybe(term: Term | None) -> Term | None:
        return None if term is None else one(term)

    def inner(block: Block) -> Block:
        return _block(block, change)

    match statement:
        case Do(label=label, updates=updates, guard=guard):
            return Do(label, tuple(replace(update, term=maybe(update.term)) for update in updates), maybe(guard))
        case Wait(label=label, guard=guard):
            return Wait(label, one(guard))
        case Check(name=name, holds=holds):
            return Check(name, one(holds))
        case Error(when=when, kind=kind):
            return Error(maybe(when), kind)
        case When(test=test, then=then, otherwise=otherwise, local=local):
            return When(one(test), inner(then), None if otherwise is None else inner(otherwise), local)
        case Either(alternatives=alternatives):
            return Either(tuple(Alternative(inner(each.body), maybe(each.guard)) for each in alternatives))
        case While(test=test, body=body, until=until):
            return While(one(test), inner(body), until)
        case Loop(body=body) | Atomic(body=body) | Call(body=body):
            return type(statement)(inner(body))
        case _:
            return statement
