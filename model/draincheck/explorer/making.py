"""From the results of checks to the document: subjects that cannot be told apart share a system."""

from __future__ import annotations

from collections.abc import Iterable

from draincheck.explorer.document import ExplorerDocument, Opening, PageMatrix, PageSubject, PageSystem
from draincheck.explorer.examined import Examined
from draincheck.explorer.packing import fingerprint
from draincheck.explorer.subjects import told_subject
from draincheck.explorer.systems import MOST_STATES, examined_system
from draincheck.explorer.tables import Tables

__all__ = ["document"]


def document(
    examined: Iterable[Examined],
    *,
    title: str,
    generator: str,
    command: str,
    answer: Opening,
    matrix: PageMatrix | None = None,
    most_states: int = MOST_STATES,
) -> ExplorerDocument:
    """The document.

    Args:
        examined: the subjects, in the order in which they are shown; cells of the matrix name them by their numbers.
        title: of the page.
        generator: who makes it, with the version.
        command: makes it again.
        answer: what is read first.
        matrix: the table above.
        most_states: of a system with more states only those nearest to its evidence are embedded.

    Raises OutOfBudget, and TraceError for a trace that its system does not follow.
    """
    systems: dict[str, PageSystem] = {}
    subjects: list[PageSubject] = []
    for item in examined:
        tables = Tables(item.result.system)
        key = fingerprint(tables.told, [finding.name for finding in item.result.findings])
        if key not in systems:
            systems[key] = examined_system(item, tables, most_states)
        subjects.append(told_subject(item, tables, systems[key], key))
    return ExplorerDocument(title, generator, command, answer, matrix, tuple(subjects), systems)
