"""Which processes are at work, as LANGUAGE.md tells it: the others only look on. Knows nothing of the library."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from tests.language.tree import (
    Abort,
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
    Loop,
    Process,
    Program,
    Read,
    Statement,
    Term,
    Wait,
    When,
    While,
    Yielded,
    blocks,
    own_terms,
    statements,
    terms,
)

__all__ = ["at_work", "of_interest", "surely_idle"]


def at_work(program: Program, final: Term, history: Collection[str]) -> set[str]:
    """The processes of which all have to be at their end where everything has ended."""
    demanded = {*_read([final]), *_read(s.holds for s in _inside(program.processes) if isinstance(s, Check))}
    needed = {*_read([final])}
    ending = {p.name for p in program.processes if may_end(p)}  # who never ends is never asked for at its end
    asked = {
        t.process for t in terms(final) if isinstance(t, At | Yielded) and (t.place != "(ended)" or t.process in ending)
    }
    found = {
        p.name
        for p in program.processes
        if (_stores(p) - {*history}) & demanded or _stores(p) & needed or p.name in asked or _aborts(p)
    }
    while more := {p.name for p in program.processes if p.name not in found and _is_seen(p, program, found)}:
        found |= more
    return found | {p.name for p in program.processes if _stores(p) - {*history} and not _goes_round(p.body)}


def of_interest(program: Program) -> set[str]:
    """The processes that surely do something: they may end, store, ask, err, abort, hand control over, or are looked at by such a one."""
    found = {process.name for process in program.processes if may_end(process) or _does_something(process)}
    for _ in program.processes:
        readers = [process for process in program.processes if process.name in found]
        found |= {p.name for p in program.processes if any(_stores(p) & _reads(r) or _meets(p, r) for r in readers)}
    return found


def surely_idle(process: Process) -> bool:
    """It never ends, stores, waits or asks."""
    inside = list(_inside([process]))
    waits = any(isinstance(s, Wait) or (isinstance(s, Do) and s.guard is not None) for s in inside)
    waits = waits or any(isinstance(s, Either) and all(each.guard for each in s.alternatives) for s in inside)
    return not (waits or may_end(process) or _does_something(process))


def _does_something(process: Process) -> bool:
    """What it stores are variables of the program, where none is a specification's."""
    return bool(_stores(process)) or any(
        isinstance(s, Check | Error | Enter | Abort | Bound) for s in _inside([process])
    )


def may_end(process: Process) -> bool:
    """Whether some way through its statements comes past the last one; a coroutine may always rest where it starts."""
    return process.coroutine or "past" in _ways(process.body)


def _ways(block: Block) -> set[str]:
    """How control may leave a block: past its end, by break or continue."""
    found = {"past"}
    for statement in block:
        if "past" in found:
            found = found - {"past"} | _ways_past(statement)
    return found


def _ways_past(statement: Statement) -> set[str]:
    """How control may leave a statement."""
    inner = set[str]().union(*map(_ways, blocks(statement)))
    match statement:
        case Break():
            return {"break"}
        case Continue():
            return {"continue"}
        case Abort() | Bound() | Error(when=None):
            return set()
        case Loop():
            return {"past"} if "break" in inner else set()
        case While() | When(otherwise=None):
            return {"past"} | (inner - {"break", "continue"} if isinstance(statement, While) else inner)
        case When() | Either() | Atomic() | Call():
            return inner
        case _:
            return {"past"}


def _aborts(process: Process) -> bool:
    return any(isinstance(statement, Abort) for statement in statements(process.body))


def _goes_round(block: Block) -> bool:
    """Whether control may come to a statement again: that of a loop whose body has a way to begin again."""
    inside = list(statements(block))
    loops = [statement for statement in inside if isinstance(statement, Loop | While)]
    return any({"past", "continue"} & set[str]().union(*map(_ways, blocks(loop))) for loop in loops)


def _is_seen(process: Process, program: Program, working: Collection[str]) -> bool:
    """Another process, which is at work, reads what it stores, or asks where it stands, or hands control to or fro."""
    others = [other for other in program.processes if other.name in working and other is not process]
    return any(not _stores(process).isdisjoint(_reads(other)) or _meets(process, other) for other in others)


def _meets(process: Process, other: Process) -> bool:
    """The other one asks where this one is, or one enters the other, or both enter the same."""
    entered, theirs = _enters(process), _enters(other)
    asked = {term.process for term in _terms(other) if isinstance(term, At | Yielded)}
    asked |= {term.coroutine for term in _terms(other) if isinstance(term, CanEnter)}
    return process.name in asked | theirs or other.name in entered or not entered.isdisjoint(asked | theirs)


def _inside(processes: Iterable[Process]) -> Iterator[Statement]:
    for process in processes:
        yield from statements(process.body)


def _terms(process: Process) -> Iterator[Term]:
    """What a process asks for on its way; a check is no business of the process."""
    for statement in _inside([process]):
        if not isinstance(statement, Check):
            for term in own_terms(statement):
                yield from terms(term)


def _reads(process: Process) -> set[str]:
    return set(_read(_terms(process)))


def _read(among: Iterable[Term]) -> Iterator[str]:
    return (part.var.name for term in among for part in terms(term) if isinstance(part, Read))


def _stores(process: Process) -> set[str]:
    return {u.var.name for s in _inside([process]) if isinstance(s, Do) for u in s.updates}


def _enters(process: Process) -> set[str]:
    return {statement.coroutine for statement in _inside([process]) if isinstance(statement, Enter)}
