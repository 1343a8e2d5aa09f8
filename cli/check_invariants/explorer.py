"""The explorer's file, for every command that writes it: subjects with what the checks of them found, below what is read first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from shlex import quote

from msgspec.structs import replace

from check_invariants.trace_formats import Exhibit
from check_invariants.work.findings import Checked
from draincheck import Outcome, Run, Subject, Verdict, __version__
from draincheck.checking import Finding, Result
from draincheck.explorer.document import Opening, PageCell, PageMatrix
from draincheck.explorer.examined import Examined
from draincheck.explorer.making import document
from draincheck.explorer.onefile import render
from draincheck.explorer.runs import Tone
from draincheck.reason import Refused
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.explored import examined
from drainspecs.mirror.terms import GLOSSARY

__all__ = ["cell_of", "examined_run", "explorer_page", "legend_of", "opening", "page_of_one", "page_of_run", "tone_of"]

_PARENTHESES = {"( )": "in parentheses: rules inside, whose violation alone is not seen from outside (by a guest, say)"}
#: the worst first
_WORST = (Tone.BAD, Tone.UNKNOWN, Tone.WARN, Tone.GOOD)


def explorer_page(
    found: Sequence[Checked],
    answer: Opening,
    *,
    title: str,
    command: str,
    matrix: PageMatrix | None = None,
    titles: Sequence[str] = (),
) -> str:
    """The file; `titles` are those of the subjects where these do not suffice. Raises OutOfBudget."""
    generator = f"check-invariants {__version__}"
    told = document(
        map(_examined, found),
        title=title,
        generator=generator,
        command=command,
        answer=answer,
        matrix=matrix,
        glossary=GLOSSARY if any(isinstance(item.subject, CodeBase) for item in found) else {},
    )
    named = zip(told.subjects, titles or [each.title for each in told.subjects], strict=True)
    return render(replace(told, subjects=tuple(replace(each, title=name) for each, name in named)))


def page_of_one(found: Checked, command: str) -> str:
    """The file about one subject."""
    return explorer_page([found], opening([found], found.answer), title=found.subject.title, command=command)


def page_of_run(given: Exhibit) -> str:
    """The file about one run, which is of a property."""
    name = given.run.trace.property
    command = f"check-invariants trace export {given.subject.about.options} --property {quote(name)} -o trace.html"
    return page_of_one(_shown_by(given.subject, given.run, given.outcome or Outcome.UNKNOWN), command)


def _shown_by(subject: Subject, run: Run, outcome: Outcome) -> Checked:
    """A subject with what one run shows of it."""
    item = run.system.property_named(run.trace.property)
    verdict = Verdict(item.name, outcome, Refused("a trace"), run.trace)
    result = Result(run.system, [Finding(item, verdict, subject.expectation(item.name))])
    return Checked(subject, result, strict=True)


def examined_run(subject: Subject, run: Run, outcome: Outcome) -> Examined:
    """The same as the explorer takes it."""
    return _examined(_shown_by(subject, run, outcome))


def _examined(found: Checked) -> Examined:
    if isinstance(found.subject, CodeBase):
        return replace(examined(found.subject, found.result), caveat=found.short_of)
    return Examined(found.subject, found.result)


def opening(found: Iterable[Checked], headline: str, sentence: str = "") -> Opening:
    """What is read first: as bad as the worst of them."""
    return Opening(min(map(tone_of, found), key=_WORST.index, default=Tone.UNKNOWN), headline, sentence)


def tone_of(found: Checked) -> Tone:
    """How bad what was found is."""
    words = [(item.word, item.matters) for item in found.listed]
    if ("violated", True) in words:
        return Tone.BAD
    if any(word == "unknown" for word, _ in words):
        return Tone.UNKNOWN
    return Tone.WARN if any(word != "holds" for word, _ in words) and not found.impact else Tone.GOOD


def cell_of(found: Checked, subject: int) -> PageCell:
    """What came of one subject, which has this number in the document."""
    violated = [item for item in found.listed if item.word == "violated"]
    return PageCell(
        text=_word(found),
        tone=tone_of(found),
        visible=tuple(item.name for item in violated if item.matters),
        inside=tuple(item.name for item in violated if not item.matters),
        as_expected=not any(item.unexpected for item in found.listed),
        subject=subject,
    )


def legend_of(found: Iterable[Checked]) -> tuple[tuple[str, str], ...]:
    """What the names in the cells mean, and the parentheses around some."""
    every = [item for each in found for item in zip(each.result.findings, each.listed, strict=True)]
    violated = [(finding, listed) for finding, listed in every if listed.word == "violated"]
    ordered = sorted(violated, key=lambda item: not item[1].matters)
    names = {finding.name: finding.item.meaning for finding, _ in ordered if finding.item.meaning}
    inside = {} if all(listed.matters for _, listed in violated) else _PARENTHESES
    return tuple({**names, **inside}.items())


def _word(found: Checked) -> str:
    if found.impact:
        return ", ".join(found.impact) + found.short_of
    words = {item.word for item in found.listed}
    return next((word for word in ("violated", "unknown", "never asked") if word in words), found.result.well)
