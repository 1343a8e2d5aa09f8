"""Makes a program smaller as long as something stays true of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.language.tree import (
    Alternative,
    Atomic,
    Block,
    Call,
    Check,
    Do,
    Either,
    Error,
    Loop,
    Op,
    Program,
    Statement,
    Term,
    Truth,
    Wait,
    When,
    While,
    blocks,
)

__all__ = ["shrunk"]


def shrunk(program: Program, fails: Callable[[Program], bool]) -> Program:
    """A smallest program, as far as single cuts lead, of which `fails` is still true."""
    while True:
        smaller = next((p for p in _smaller(program) if _safely(fails, p)), None)
        if smaller is None:
            return program
        program = smaller


def _safely(fails: Callable[[Program], bool], program: Program) -> bool:
    """Cuts may leave names that nothing has: such a program is none."""
    try:
        return fails(program)
    except (KeyError, IndexError):
        return False


def _smaller(program: Program) -> Iterator[Program]:
    processes = program.processes
    if len(processes) > 1:
        for number in range(len(processes)):
            yield replace(program, processes=processes[:number] + processes[number + 1 :])
    for number, process in enumerate(processes):
        for body in _blocks(process.body):
            changed = replace(process, body=body)
            yield replace(program, processes=(*processes[:number], changed, *processes[number + 1 :]))
    for number in range(len(program.variables)):
        yield replace(program, variables=program.variables[:number] + program.variables[number + 1 :])


def _blocks(block: Block) -> Iterator[Block]:
    """Smaller blocks: without a statement, with the inside of a statement for it, with a smaller statement."""
    for number, statement in enumerate(block):
        before, behind = block[:number], block[number + 1 :]
        yield before + behind
        for inner in blocks(statement):
            yield before + inner + behind
        for smaller in _statements(statement):
            yield (*before, smaller, *behind)


def _statements(statement: Statement) -> Iterator[Statement]:
    match statement:
        case Do():
            yield from _dos(statement)
        case Wait(label=label, guard=guard):
            yield from (Wait(label, term) for term in _terms(guard))
        case Check(name=name, holds=holds):
            yield from (Check(name, term) for term in _terms(holds))
        case Error(when=when, kind=kind) if when is not None:
            yield from (Error(term, kind) for term in _terms(when))
        case When():
            yield from _whens(statement)
        case Either(alternatives=alternatives):
            yield from map(Either, _alternatives(alternatives))
        case While(test=test, body=body, until=until):
            yield Loop(body)
            yield from (While(test, inner, until) for inner in _blocks(body))
            yield from (While(term, body, until) for term in _terms(test))
        case Loop(body=body) | Atomic(body=body) | Call(body=body):
            yield from (type(statement)(inner) for inner in _blocks(body))
        case _:
            pass


def _dos(do: Do) -> Iterator[Do]:
    updates = do.updates
    for number, update in enumerate(updates):
        yield replace(do, updates=updates[:number] + updates[number + 1 :])
        for term in _terms(update.term) if update.term is not None else ():
            changed = replace(update, term=term)
            yield replace(do, updates=(*updates[:number], changed, *updates[number + 1 :]))
    if do.guard is not None:
        yield replace(do, guard=None)
        yield from (replace(do, guard=term) for term in _terms(do.guard))


def _whens(when: When) -> Iterator[When]:
    if when.otherwise is not None:
        yield replace(when, otherwise=None)
        yield from (replace(when, otherwise=inner) for inner in _blocks(when.otherwise))
    if when.local:
        yield replace(when, local=False)
    yield from (replace(when, then=inner) for inner in _blocks(when.then))
    yield from (replace(when, test=term) for term in _terms(when.test))


def _alternatives(alternatives: tuple[Alternative, ...]) -> Iterator[tuple[Alternative, ...]]:
    for number, each in enumerate(alternatives):
        before, behind = alternatives[:number], alternatives[number + 1 :]
        if len(alternatives) > 1:
            yield before + behind
        yield from ((*before, replace(each, body=body), *behind) for body in _blocks(each.body))
        if each.guard is not None:
            yield (*before, replace(each, guard=None), *behind)
            yield from ((*before, replace(each, guard=term), *behind) for term in _terms(each.guard))


def _terms(term: Term) -> Iterator[Term]:
    """Smaller terms of the same sort, as far as one can see."""
    if isinstance(term, Op):
        if term.op in ("not", "and", "or", "implies", "iff", "add", "sub"):
            yield from term.args
        if term.op == "ite":
            yield from term.args[1:]
        for number, arg in enumerate(term.args):
            for smaller in _terms(arg):
                yield Op(term.op, (*term.args[:number], smaller, *term.args[number + 1 :]))
    if not isinstance(term, Truth) and isinstance(term, Op) and term.op in ("lt", "le", "gt", "ge", "is", "same"):
        yield from (Truth(True), Truth(False))
