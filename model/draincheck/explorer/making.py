"""From the results of checks to the document: subjects that cannot be told apart share a system."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from draincheck.budget import grace
from draincheck.checking import Finding
from draincheck.errors import OutOfBudget
from draincheck.explorer.document import ExplorerDocument, Opening, PageMatrix, PageSubject
from draincheck.explorer.examined import Examined
from draincheck.explorer.packing import fingerprint
from draincheck.explorer.subjects import told_subject
from draincheck.explorer.systems import MOST_STATES, examined_system
from draincheck.explorer.tables import Tables
from draincheck.explorer.walkable import PageSystem
from draincheck.reason import StopKind

__all__ = ["Gathered", "document", "gathered", "together"]


class Gathered(Struct, frozen=True):
    """Subjects in their order, and their systems by key; what one process makes and another puts together."""

    subjects: tuple[PageSubject, ...]
    systems: Mapping[str, PageSystem]


def gathered(examined: Iterable[Examined], most_states: int = MOST_STATES) -> Gathered:
    """Subjects with their systems; arguments and errors as for `document`."""
    systems: dict[str, PageSystem] = {}
    subjects: list[PageSubject] = []
    for item in examined:
        tables = Tables(item.result.system)
        key = fingerprint(tables.told, list(map(_shown, item.result.findings)))
        if key not in systems:
            systems[key] = _system(item, tables, most_states)
        subjects.append(told_subject(item, tables, systems[key], key))
    return Gathered(tuple(subjects), systems)


def together(parts: Iterable[Gathered]) -> Gathered:
    """The subjects of all parts, one after the other; what cannot be told apart is there once."""
    found = list(parts)
    subjects = (subject for part in found for subject in part.subjects)
    return Gathered(tuple(subjects), {key: system for part in found for key, system in part.systems.items()})


def document(
    examined: Iterable[Examined] | Gathered,
    *,
    title: str,
    generator: str,
    command: str,
    answer: Opening,
    matrix: PageMatrix | None = None,
    most_states: int = MOST_STATES,
    glossary: Mapping[str, str] = {},
) -> ExplorerDocument:
    """The document.

    Args:
        examined: the subjects, in the order in which they are shown, or what was gathered of them; cells of the matrix name them by their numbers.
        title: of the page.
        generator: who makes it, with the version.
        command: makes it again.
        answer: what is read first.
        matrix: the table above.
        most_states: of a system with more states only those nearest to its evidence are embedded.
        glossary: words that stand on the page, each with what it means.

    Where time or memory ends, systems have no more states than their runs need, with what comes after these: nothing that was found is lost.

    Raises OutOfBudget where somebody does not wait any longer, and TraceError for a trace that its system does not follow.
    """
    found = examined if isinstance(examined, Gathered) else gathered(examined, most_states)
    return ExplorerDocument(title, generator, command, answer, matrix, found.subjects, found.systems, glossary)


def _shown(finding: Finding) -> tuple[object, ...]:
    """A property, and the steps that show it."""
    trace = finding.verdict.trace
    return (finding.name, None) if trace is None else (finding.name, trace.initial, trace.actions, trace.loop)


def _system(item: Examined, tables: Tables, most_states: int) -> PageSystem:
    try:
        return examined_system(item, tables, most_states)
    except OutOfBudget as end:
        if end.stop.kind is StopKind.REQUEST:
            raise
    with grace():
        return examined_system(item, tables, 0)
