"""A subject as the page tells it: its verdicts, its facts, and what its runs are to it."""

from __future__ import annotations

from collections.abc import Container, Mapping

from draincheck.checking import Finding, Result
from draincheck.explorer.bytes_lost import replay_of
from draincheck.explorer.document import EvidenceOfSubject, PageReplay, PageSubject, PageVerdict
from draincheck.explorer.examined import Examined, Shown
from draincheck.explorer.runs import Tone
from draincheck.explorer.tables import Tables
from draincheck.explorer.walkable import PageSystem
from draincheck.jsonvalue import Json
from draincheck.report.text import render_trace
from draincheck.subject import Source, Subject, check_command
from draincheck.verdict import Exploration, Outcome
from draincheck.words import counted, listed

__all__ = ["told_subject"]

#: how verdicts are meant, where nothing matters by itself
_TONES = {
    Outcome.HOLDS: Tone.GOOD,
    Outcome.VIOLATED: Tone.WARN,
    Outcome.NEVER_ASKED: Tone.WARN,
    Outcome.UNKNOWN: Tone.UNKNOWN,
}
#: the worst first
_WORST = (Tone.BAD, Tone.UNKNOWN, Tone.WARN, Tone.GOOD)


def told_subject(item: Examined, tables: Tables, system: PageSystem, key: str) -> PageSubject:
    """A subject, of the system with this key."""
    subject, about, result = item.subject, item.subject.about, item.result
    places = {number: place for place, each in enumerate(system.evidence) for number in (each.property, *each.also)}
    shown: list[EvidenceOfSubject] = []
    for each in item.shown():
        place = places[tables.property_number(each.findings[0].name)]
        shown.append(_evidence(item, each, place, {other.headline for other in shown}))
    own = {each.evidence: number for number, each in enumerate(shown)}
    verdicts = tuple(_verdict(subject, finding, tables, places, own) for finding in result.findings)
    tone = min((verdict.tone for verdict in verdicts), key=_WORST.index, default=Tone.UNKNOWN)
    scenario = subject.source().get("scenario", "")
    return PageSubject(
        title=subject.title,
        model=result.system.name,
        kind=about.kind,
        scenario=scenario if isinstance(scenario, str) else "",
        headline=_headline(item),
        tone=tone,
        facts=((about.kind, about.what), ("scenario", about.scenario)),
        command=check_command(about.options),
        counts=_counts(result),
        marks=about.marks,
        source=_plain(subject.source()),
        verdicts=verdicts,
        evidence=tuple(shown),
        warnings=tuple(result.warnings),
        system=key,
    )


def _headline(item: Examined) -> str:
    """What comes of it for the owner of the data, or else what is violated."""
    seen = item.result.exploration  # which has a verdict on everything, asked about or not
    impact = () if seen is None else item.subject.impact(seen.verdicts)
    if impact:
        return ", ".join(impact) + item.caveat
    said = [f"{word.value}: {listed(names)}" for word in _SAID if (names := _names(item.result, word))]
    return "; ".join(said) or item.result.well


#: what a headline says of single properties
_SAID = (Outcome.VIOLATED, Outcome.NEVER_ASKED, Outcome.UNKNOWN)


def _names(result: Result, outcome: Outcome) -> list[str]:
    return [finding.name for finding in result.findings if finding.outcome is outcome]


def _counts(result: Result) -> str:
    if result.exploration is None:
        return ""
    found: Exploration = result.exploration
    numbers = found.statistics
    return f"{counted(numbers.states, 'state')}, {counted(numbers.transitions, 'transition')}, depth {numbers.depth}"


def _plain(source: Source) -> dict[str, Json]:
    return {key: value if isinstance(value, str) else dict(value) for key, value in source.items()}


def _verdict(
    subject: Subject, finding: Finding, tables: Tables, places: Mapping[int, int], own: Mapping[int, int]
) -> PageVerdict:
    number, expected = tables.property_number(finding.name), finding.expectation
    shown = places.get(number) if finding.verdict.trace is not None else None
    return PageVerdict(
        property=number,
        outcome=finding.outcome.value,
        tone=_tone(subject, finding),
        reason=str(finding.verdict.reason),
        expected="" if expected is None else expected.outcome.value,
        argument="" if expected is None else expected.argument,
        as_expected=finding.as_expected,
        matters=subject.matters(finding.name),
        limits=tuple(subject.limits(finding.name, finding.outcome)),
        evidence=None if shown is None else own.get(shown),
    )


def _tone(subject: Subject, finding: Finding) -> Tone:
    bad = finding.outcome is Outcome.VIOLATED and subject.matters(finding.name)
    return Tone.BAD if bad else _TONES[finding.outcome]


# -- runs ------------------------------------------------------------------------------------------


def _evidence(item: Examined, each: Shown, place: int, taken: Container[str]) -> EvidenceOfSubject:
    first, about = each.findings[0], item.subject.about
    replay, tone = replay_of(each.run, item.subject), _tone(item.subject, first)
    return EvidenceOfSubject(
        evidence=place,
        property=first.name,
        headline=_headline_of(first, replay, tone, taken),
        tone=tone,
        command=check_command(about.options, first.name),
        remedy=item.remedy(first.name) if first.outcome is Outcome.VIOLATED else None,
        replay=replay,
        text=render_trace(each.run, about=about),
    )


def _headline_of(finding: Finding, replay: PageReplay | None, tone: Tone, taken: Container[str]) -> str:
    """What a run shows, in a sentence: bad news in the words of whoever has it, all else in those of its property, and no two alike."""
    news: list[str] = []
    if replay is not None and tone is Tone.BAD:
        lost = replay.sentence[:1].upper() + replay.sentence[1:] if replay.lost_here else ""
        news = [each for each in (lost, replay.ends_here) if each and each not in taken]
    return news[0] if news else _shown(finding, replay)


def _shown(finding: Finding, replay: PageReplay | None) -> str:
    demand = f"{finding.name}: {finding.item.meaning}" if finding.item.meaning else finding.name
    if finding.outcome is not Outcome.VIOLATED:
        return f"reached: {demand}" if finding.outcome is Outcome.HOLDS else f"a run that does not decide {demand}"
    later = "" if replay is None else "a write is lost" if replay.lost_later else replay.ends_later
    return f"violated: {demand}" + (f"; if the run goes on, {later}" if later else "")
