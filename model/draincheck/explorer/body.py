"""The document as plain HTML: all that a reader needs without a script, and what is printed.

Names from models and files stand there as text; characters that nobody would see, or that turn the direction of what follows, as their numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from draincheck.escape import harmless
from draincheck.explorer.document import (
    EvidenceOfSubject,
    ExplorerDocument,
    PageCell,
    PageMatrix,
    PageReplay,
    PageSubject,
)
from draincheck.explorer.runs import PageEvidence, StoryStep, TurningPoint

__all__ = ["body_of", "text"]

#: subjects from which on their runs stand here without their steps, but for the first: a browser reads all of it before it shows anything
MANY: Final = 30


def text(words: str) -> str:
    """Text in HTML."""
    return escape(harmless(words))


def body_of(document: ExplorerDocument) -> str:
    """What stands in the file for everybody."""
    return "\n".join(_blocks(document))


def _blocks(document: ExplorerDocument) -> Iterator[str]:
    answer = document.answer
    yield _tag("h1", text(answer.headline))
    yield from _paragraph(answer.sentence)
    if document.matrix is not None:
        yield _matrix(document.matrix)
    for number, subject in enumerate(document.subjects):
        yield from _subject(document, subject, number)
    if document.glossary:
        yield f'<section class="words">{_tag("h2", "Words")}{_told(document.glossary.items())}</section>'
    yield _tag("p", f"Made by {text(document.generator)}. Again: {_code(document.command)}")


def _matrix(matrix: PageMatrix) -> str:
    head = _cells("th", "", *(name for name, _ in matrix.columns))
    rows = "".join(_tag("tr", _cells("th", row.name) + "".join(map(_cell, row.cells))) for row in matrix.rows)
    legend = _told(matrix.legend) if matrix.legend else ""
    return _tag("table", _tag("thead", _tag("tr", head)) + _tag("tbody", rows), kind="matrix") + legend


def _told(words: Iterable[tuple[str, str]]) -> str:
    """Words, each with what it means."""
    return _tag("table", "".join(_tag("tr", _cells("td", *item)) for item in words), kind="meanings")


def _cell(cell: PageCell | None) -> str:
    if cell is None:
        return _tag("td", "-")
    return _tag("td", text(" ".join([cell.text, *cell.visible, *(f"({name})" for name in cell.inside)])))


def _subject(document: ExplorerDocument, subject: PageSubject, number: int) -> Iterator[str]:
    yield _tag("h2", text(f"{subject.title}: {subject.headline}"))
    yield from (_tag("p", text(f"{name}: {said}"), kind="fact") for name, said in subject.facts)
    runs = document.systems[subject.system].evidence
    whole = len(document.subjects) < MANY or number == 0
    for place, shown in enumerate(subject.evidence):
        inside = "\n".join(_case(shown, runs[shown.evidence], whole))
        yield f'<section class="case" id="case-{number}-{place}">\n{inside}\n</section>'


def _case(shown: EvidenceOfSubject, run: PageEvidence, whole: bool) -> Iterator[str]:
    yield _tag("h3", text(f"{run.title}: {shown.headline}"))
    if run.story:
        yield _tag("ol", "".join(map(_story, run.story)))
    if shown.replay is not None:
        yield from _bytes(shown.replay)
    if run.turning is not None:
        yield from _turning(run.turning)
    if shown.remedy is not None:
        yield from (part for words in (shown.remedy.sentence, *shown.remedy.lines) for part in _paragraph(words))
    for note in shown.notes:
        yield from _paragraph(f"{note.title}: {note.sentence}")
        if note.lines:
            yield _tag("pre", text("\n".join(note.lines)))
    if whole:
        yield _tag("pre", text(shown.text), kind="trace")
    yield _tag("p", f"Shown again by: {_code(shown.command)}")


def _story(item: StoryStep) -> str:
    mark = f"({item.mark}) " if item.mark else ""
    told = text(": ".join(filter(None, [item.detail, item.text])))
    return _tag("li", f"{_tag('b', text(mark + item.title))}, step {item.step}, {told}")


def _bytes(replay: PageReplay) -> Iterator[str]:
    yield from _paragraph(replay.sentence)
    if replay.rows:
        yield _tag("table", "".join(_tag("tr", _cells("td", *row)) for row in replay.rows), kind="bytes")


def _turning(turning: TurningPoint) -> Iterator[str]:
    yield from _paragraph(turning.sentence)
    if turning.alternatives:
        ways = (_tag("li", text(f"{each.sentence} ({each.fate.value})")) for each in turning.alternatives)
        yield _tag("ul", "".join(ways))


def _paragraph(words: str) -> Iterable[str]:
    return [_tag("p", text(words))] if words else []


def _code(words: str) -> str:
    return _tag("code", text(words))


def _cells(name: str, *words: str) -> str:
    return "".join(_tag(name, text(each)) for each in words)


def _tag(name: str, inside: str, kind: str = "") -> str:
    """An element; what is inside is HTML."""
    attribute = f' class="{kind}"' if kind else ""
    return f"<{name}{attribute}>{inside}</{name}>"
