"""The document that the explorer shows: what it says, and what its page may rely on.

Everything is ready to be shown: the page evaluates no term, knows no model, and joins texts only. Things refer to each other by their
positions in lists; a position that may be missing is None.

A *subject* is what was checked. Its *system* has what does not depend on who is asked: tables of variables, processes, actions, the graph to walk
in, and the runs that show something, as paths in that graph. Subjects that cannot be told apart share one. In a file systems are packed
(`packing`), each by itself, and unpacked when somebody opens one of its subjects; the rest is plain JSON.

Every name and text stands there as the model has it, control characters and halves of characters included.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from draincheck.explorer.runs import Tone
from draincheck.explorer.walkable import PageSystem
from draincheck.jsonvalue import Json

__all__ = [
    "EvidenceOfSubject",
    "ExplorerDocument",
    "Opening",
    "PageCell",
    "PageMatrix",
    "PageNote",
    "PageRemedy",
    "PageReplay",
    "PageRow",
    "PageSubject",
    "PageVerdict",
]


class PageVerdict(Struct, frozen=True):
    """The verdict on a property.

    Attributes:
        property: its position in `PageSystem.properties`.
        outcome: `holds`, `violated`, `never asked` or `unknown`.
        tone: how that is meant.
        reason: how it was decided, in a few words.
        expected: the expected outcome, "" if nothing is.
        argument: why that is expected.
        as_expected: nothing else was expected.
        matters: a violation is bad news by itself.
        limits: what the model leaves out and the verdict could turn on.
        evidence: the run that shows it, as a position in the subject's evidence.
    """

    property: int
    outcome: str
    tone: Tone
    reason: str
    expected: str
    argument: str
    as_expected: bool
    matters: bool
    limits: tuple[str, ...]
    evidence: int | None


class PageReplay(Struct, frozen=True):
    """What comes of a run with real bytes, on the reference core, which goes on to an end.

    Attributes:
        sentence: what was lost, or how it ends.
        rows: name, bytes, and a note for each row: `written`, `old disk`, `new disk`, `read back`.
        lost_here: an acknowledged write is lost when the run ends.
        lost_later: one is lost if it goes on.
        ends_here: how QEMU ends badly with the last step of the run (it aborts, say), "" if it does not.
        ends_later: how it does if it goes on.
    """

    sentence: str
    rows: tuple[tuple[str, str, str], ...] = ()
    lost_here: bool = False
    lost_later: bool = False
    ends_here: str = ""
    ends_later: str = ""


class PageRemedy(Struct, frozen=True):
    """What would have prevented a run beyond another choice of steps: a sentence, and more in lines."""

    sentence: str
    lines: tuple[str, ...] = ()


class PageNote(Struct, frozen=True):
    """Something else that is known of a run.

    Attributes:
        title: what it is about.
        sentence: in short.
        lines: in full.
        subject: another subject that shows more of it, as a position in `ExplorerDocument.subjects`.
    """

    title: str
    sentence: str
    lines: tuple[str, ...] = ()
    subject: int | None = None


class EvidenceOfSubject(Struct, frozen=True):
    """A run of the system, as far as it is about this subject.

    Attributes:
        evidence: its position in `PageSystem.evidence`.
        property: the name of its property.
        headline: what it shows, in a sentence for a stranger.
        tone: how that is meant.
        command: shows it again, to copy into a shell.
        remedy: what would have prevented it, where somebody knows.
        replay: what was lost, as bytes; None where the core does not know the model.
        text: the trace as text, for those who have nothing else; it does not go into the file's JSON.
        notes: what else is known of it.
    """

    evidence: int
    property: str
    headline: str
    tone: Tone
    command: str
    remedy: PageRemedy | None
    replay: PageReplay | None
    text: str = ""
    notes: tuple[PageNote, ...] = ()


class PageSubject(Struct, frozen=True):
    """What was checked.

    Attributes:
        title: its name.
        model: the name of the model, in trace files.
        kind: `code base` or `model`; `log` for a stretch of a log, where nothing but what was seen can be said to be possible.
        scenario: the short name of its scenario; "" for a model of one's own.
        headline: what comes of it.
        tone: how that is meant.
        facts: name and text of each.
        command: checks it, to copy into a shell.
        counts: what the search saw, in words; "" if it does not say.
        marks: the letters beside steps, each with what it stands for.
        source: what a trace file says so that the model can be built again.
        verdicts: all that were asked for.
        evidence: runs that show something, the worst first.
        warnings: what verdicts rest on that is hardly meant.
        system: the key of its system in `ExplorerDocument.systems`.
    """

    title: str
    model: str
    kind: str
    scenario: str
    headline: str
    tone: Tone
    facts: tuple[tuple[str, str], ...]
    command: str
    counts: str
    marks: Mapping[str, str]
    source: Mapping[str, Json]
    verdicts: tuple[PageVerdict, ...]
    evidence: tuple[EvidenceOfSubject, ...]
    warnings: tuple[str, ...]
    system: str


class PageCell(Struct, frozen=True):
    """A cell of the matrix: what comes of it, what a guest sees and what rules inside are violated, and its subject."""

    text: str
    tone: Tone
    visible: tuple[str, ...]
    inside: tuple[str, ...]
    as_expected: bool
    subject: int | None


class PageRow(Struct, frozen=True):
    """A row of the matrix: a code base with what there is to say of it, and a cell for each column; None where there is none."""

    name: str
    note: str
    cells: tuple[PageCell | None, ...]


class PageMatrix(Struct, frozen=True):
    """Rows and columns; a column has a name and a meaning, as each item of the legend below has."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[PageRow, ...]
    legend: tuple[tuple[str, str], ...] = ()


class Opening(Struct, frozen=True):
    """The answer: what is read first. `sentence` may be ""."""

    tone: Tone
    headline: str
    sentence: str


class ExplorerDocument(Struct, frozen=True):
    """All of it.

    Attributes:
        title: of the page.
        generator: who has made it, with the version.
        command: makes it again.
        answer: what is read first.
        matrix: the table above, where there is one.
        subjects: in the order in which they are shown.
        systems: by key.
        glossary: words that stand on the page, each with what it means.
    """

    title: str
    generator: str
    command: str
    answer: Opening
    matrix: PageMatrix | None
    subjects: tuple[PageSubject, ...]
    systems: Mapping[str, PageSystem]
    glossary: Mapping[str, str] = {}
