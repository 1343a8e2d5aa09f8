"""Which processes are at work, as LANGUAGE.md tells it: the others only look on. Knows nothing of the library."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from tests.language.tree import (
    Abort,
    At,
    CanEnter,
    Check,
    Do,
    Enter,
    Process,
    Program,
    Read,
    Statement,
    Term,
    Yielded,
    own_terms,
    statements,
    terms,
)

__all__ = ["at_work"]


def at_work(program: Program, final: Term, history: Collection[str]) -> set[str]:
    """The processes of which all have to be at their end where everything has ended."""
    demanded = {*_read([final]), *_read(s.holds for s in _inside(program.processes) if isinstance(s, Check))}
    found = {p.name for p in program.processes if _stores(p) - {*history} & demanded or _is_heeded(p, program, history)}
    while True:
        more = {p for p in program.processes if p.name not in found and _is_seen(p, program, found, history)}
        if not more:
            return found
        found |= {p.name for p in more}


def _is_heeded(process: Process, program: Program, history: Collection[str]) -> bool:
    """It aborts the program, or stores in a variable of the program what another process reads."""
    aborts = any(isinstance(statement, Abort) for statement in statements(process.body))
    return aborts or any(
        not (_stores(process) - {*history}).isdisjoint(_reads(other))
        for other in program.processes
        if other is not process
    )


def _is_seen(process: Process, program: Program, working: Collection[str], history: Collection[str]) -> bool:
    """Another process, which is at work, reads a history variable of its, or asks where it stands, or hands control to or fro."""
    others = [other for other in program.processes if other.name in working and other is not process]
    return any(
        not (_stores(process) & {*history}).isdisjoint(_reads(other)) or _meets(process, other) for other in others
    )


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
