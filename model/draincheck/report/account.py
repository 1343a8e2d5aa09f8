"""What a run of the tool came to, as one value that every report of it is made from: `junit`, `sarif`, `github`, `gitlab`, `markdown`."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec import Struct, field

from draincheck.checking import Finding, Result
from draincheck.errors import SourceLine
from draincheck.properties import Breach
from draincheck.report.places import place_of
from draincheck.run import Run
from draincheck.subject import Expectation, Subject
from draincheck.verdict import Outcome, Verdict
from draincheck.words import counted, plural

if TYPE_CHECKING:
    from draincheck.core.config import Config
    from draincheck.knobs import Knobs

__all__ = ["Account", "Item", "SearchCounts", "Standing", "Suite", "accepted_of", "item_of", "standing_of", "suite_of"]


class Standing(Enum):
    """How a report shows something. Green is `FINE` alone: what is not known, or was never asked, never is."""

    #: as it should be
    FINE = "fine"
    #: nothing to act on, and no good news either: never asked, as expected; or a violation that does not matter by itself
    NOTED = "noted"
    #: another verdict than expected or, where nothing is, a bad one
    WRONG = "wrong"
    #: a limit came first
    UNDECIDED = "undecided"
    #: the model is wrong itself, or cannot be built
    FAULT = "model fault"
    #: what was asked for is not there, or cannot be read
    MISCONFIGURED = "configuration error"

    def of(self, number: int) -> str:
        """So many of them, in words."""
        noun = self in (Standing.FAULT, Standing.MISCONFIGURED)
        return counted(number, self.value) if noun else f"{number} {self.value}"

    @property
    def bad(self) -> bool:
        """Whether something has to be done about it: a run that has such an item does not end with exit code 0."""
        return self not in (Standing.FINE, Standing.NOTED)


class SearchCounts(Struct, frozen=True):
    """What a search found, exactly: distinct states, transitions, depth."""

    states: int
    transitions: int
    depth: int

    def __str__(self) -> str:
        return f"{counted(self.states, 'state')}, {counted(self.transitions, 'transition')}, depth {self.depth}"

    def since(self, pinned: SearchCounts) -> str:
        """The difference from other counts: `+12 states, -3 transitions`; "" if there is none."""
        states, transitions = self.states - pinned.states, self.transitions - pinned.transitions
        deltas = {
            _of(states, "state"): states,
            _of(transitions, "transition"): transitions,
            "depth": self.depth - pinned.depth,
        }
        return ", ".join(f"{delta:+d} {what}" for what, delta in deltas.items() if delta)


def _of(delta: int, noun: str) -> str:
    return noun if abs(delta) == 1 else plural(noun)


class Item(Struct, frozen=True, kw_only=True):
    """One thing that was decided: a property, or something else that has a name (counts, a replay, a claim).

    Attributes:
        name: what was decided.
        kind: what that is, in a word or two.
        standing: how it is shown.
        outcome: the verdict; None for what is no property.
        expected: the expected one; None if nothing is.
        why: a sentence that says why it is not simply good news; "" if it is.
        meaning: what is demanded, in a line; may be "".
        reason: how it was decided, in a few words.
        matters: whether a violation is bad news by itself.
        run: the counterexample (or the witness), executed.
        place: the line of a model's source to look at.
        command: shows it again, and how it comes about, to copy into a shell; "" if that of the whole run does.
    """

    name: str
    kind: str = "verdict"
    standing: Standing
    outcome: Outcome | None = None
    expected: Outcome | None = None
    why: str = ""
    meaning: str = ""
    reason: str = ""
    matters: bool = True
    run: Run | None = None
    place: SourceLine | None = None
    command: str = ""

    @property
    def trouble(self) -> tuple[str, str]:
        """What is wrong with one that is bad, as a noun of which there may be several, and what follows it; each may be ""."""
        if self.standing is Standing.UNDECIDED:
            return "", "undecided"
        if self.standing is not Standing.WRONG:
            return self.standing.value, ""
        if self.outcome is Outcome.NEVER_ASKED:
            return "demand", "never asked"
        return (self.kind, "not as expected") if self.differs or self.outcome is None else ("violation", "")

    @property
    def found(self) -> str:
        """The verdict in a word or two."""
        return self.standing.value if self.outcome is None else self.outcome.value

    @property
    def wanted(self) -> str:
        """The expected verdict, "" if nothing is expected."""
        return "" if self.expected is None else self.expected.value

    @property
    def accepted(self) -> bool:
        """Whether it is as expected, and no good news for that: it is violated, or was never asked."""
        return not self.standing.bad and self.expected is self.outcome in (Outcome.VIOLATED, Outcome.NEVER_ASKED)

    @property
    def sort(self) -> str:
        """What it is counted as, in words."""
        return f"{self.found} as expected" if self.accepted else self.standing.value

    @property
    def differs(self) -> bool:
        """Whether another verdict was expected."""
        return self.expected is not None and self.expected is not self.outcome


class Suite(Struct, frozen=True, kw_only=True):
    """What was decided of one subject.

    Attributes:
        title: the subject's.
        scenario: the one that it was looked at in; "" if it has none.
        items: in the order in which they are shown.
        seconds: how long it took.
        counts: what an exhaustive search found; None if there was none.
        pinned: what it should find; None if nobody has said.
        warnings: what the verdicts rest on that is hardly meant.
        accepted: what is violated as expected, and what comes of it (`accepted_of`); "" if nothing is.
        on_core: what the reference core is started with, where its runs were executed there; None otherwise.
    """

    title: str
    items: Sequence[Item]
    scenario: str = ""
    seconds: float = 0.0
    counts: SearchCounts | None = None
    pinned: SearchCounts | None = None
    warnings: Sequence[str] = ()
    accepted: str = ""
    on_core: tuple[Knobs, Config] | None = None

    @property
    def delta(self) -> str:
        """How the counts differ from those that are pinned, "" if they do not."""
        return "" if self.counts is None or self.pinned is None else self.counts.since(self.pinned)

    def has(self, standing: Standing) -> int:
        """How many of its items stand so."""
        return sum(item.standing is standing for item in self.items)


class Account(Struct, frozen=True, kw_only=True):
    """A whole run.

    Attributes:
        title: what was done, in a few words.
        command: the command line, as one would type it.
        exit_code: the one that the run ends with.
        why: what led to it, beside the items; "" if nothing did.
        seconds: how long it took.
        suites: in the order in which they are shown.
        version: of this tool (`draincheck.__version__`).
        place: the file to point at where an item has no line: a configuration, for instance.
        files: for what a `SourceLine` calls a file, the path that a repository knows it by, where that is another
            (`draincheck.location.files_below`).
        folder: the one below the repository in which commands are typed; "" for its own.
    """

    title: str
    command: str
    exit_code: int
    seconds: float
    suites: Sequence[Suite]
    version: str
    why: str = ""
    folder: str = ""
    place: SourceLine | None = None
    files: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def shown(self) -> Sequence[Suite]:
        """What reports show: the suites, and one more for a run that ends badly and none of whose items says so.

        A report without anything red is read as good news, even if it is empty.
        """
        quiet = self.exit_code and not any(item.standing.bad for suite in self.suites for item in suite.items)
        return [*self.suites, self._ending] if quiet else self.suites

    @property
    def _ending(self) -> Suite:
        why = f"exit code {self.exit_code}: {self.exit_meaning}"
        return Suite(title=self.title, items=[Item(name="exit code", standing=Standing.WRONG, why=why)])

    @property
    def exit_meaning(self) -> str:
        """What the exit code means this time: what is wrong, with numbers, and what led to it beside that."""
        troubles = Counter(item.trouble for suite in self.suites for item in suite.items if item.standing.bad)
        numbers = ((counted(n, noun) if noun else str(n), rest) for (noun, rest), n in troubles.items())
        said = ", ".join(" ".join(filter(None, words)) for words in numbers)
        return "; ".join(filter(None, [said, self.why])) or (
            "something is wrong" if self.exit_code else self.as_expected or "nothing is wrong"
        )

    @property
    def as_expected(self) -> str:
        """How many are as expected without being good news, after *all as expected*; "" if none are."""
        numbers = Counter(item.found for _, item in self.items if item.accepted)
        said = ", ".join(f"{number} {found}" for found, number in sorted(numbers.items(), reverse=True))
        return said and f"all as expected, of them {said}"

    def command_of(self, item: Item) -> str:
        """What shows an item again, typed in the repository's folder."""
        return self.typed(item.command or self.command)

    def typed(self, command: str) -> str:
        """A command as it is typed in the repository's folder."""
        return f"cd {shlex.quote(self.folder)} && {command}" if self.folder else command

    @property
    def items(self) -> Iterator[tuple[Suite, Item]]:
        """Everything that is shown, with the suite that it stands in."""
        return ((suite, item) for suite in self.shown for item in suite.items)

    @property
    def warnings(self) -> Iterator[tuple[Suite, str]]:
        """What verdicts rest on that is hardly meant, with the suite that it stands in."""
        return ((suite, warning) for suite in self.shown for warning in suite.warnings)

    @property
    def bad(self) -> list[tuple[Suite, Item]]:
        """What has to be looked at."""
        return [(suite, item) for suite, item in self.items if item.standing.bad]

    @property
    def tally(self) -> Mapping[Standing, int]:
        """How many items stand so."""
        return Counter(item.standing for _, item in self.items)

    @property
    def summary(self) -> str:
        """What there is of each kind, in a line; that nothing was decided, if so."""
        said = [
            f"{number} {sort}" if standing in (Standing.FINE, Standing.NOTED) else standing.of(number)
            for standing in Standing
            for sort, number in sorted(Counter(i.sort for _, i in self.items if i.standing is standing).items())
        ]
        return ", ".join(said) or "nothing was decided"

    def place_of(self, item: Item) -> SourceLine | None:
        """The line to point at, as the repository knows it."""
        place = item.place or self.place
        return None if place is None else self.located(place)

    def located(self, line: SourceLine) -> SourceLine:
        """A line of a model's source, as the repository knows it."""
        return SourceLine(self.files.get(line.file, line.file), line.line)

    @property
    def fingerprints(self) -> Sequence[str]:
        """For each of `items` a name that no other has; the same in the next run, wherever its line has moved to."""
        seen: Counter[tuple[str, str]] = Counter()
        names: list[str] = []
        for suite, item in self.items:
            key = (suite.title, item.name)
            seen[key] += 1
            names.append(sha256("\0".join([*key, str(seen[key])]).encode(errors="surrogatepass")).hexdigest()[:32])
        return names


def suite_of(
    subject: Subject, result: Result, *, compared: bool = False, strict: bool = False, seconds: float = 0.0
) -> Suite:
    """What a check of a subject found.

    Args:
        subject: what was checked.
        result: what was found. Its counterexamples are executed: raises TraceError for one that the system does not follow.
        compared: only what is expected counts, where something is; otherwise a violation that matters is bad news, expected or not.
        strict: every violation matters.
        seconds: how long it took.
    """
    scenario = subject.source().get("scenario", "")
    items = [
        item_of(result, finding, compared=compared, matters=strict or subject.matters(finding.name))
        for finding in result.findings
    ]
    return Suite(
        title=subject.title,
        items=items,
        scenario=scenario if isinstance(scenario, str) else "",
        seconds=seconds,
        counts=_counts(result),
        warnings=result.warnings,
    )


def accepted_of(
    items: Iterable[Item],
    verdicts: Mapping[str, Verdict],
    matters: Callable[[str], bool],
    impact: Callable[[Mapping[str, Verdict]], Sequence[str]],
) -> str:
    """What is violated as expected, and what comes of it: *violated, as expected: S1, S4 (silent loss)*; "" if nothing is.

    That somebody knows of it makes no good news of it. Rules that nobody outside sees are named only if nothing else is.
    `matters` and `impact` are those of the subject.
    """
    names = [item.name for item in items if item.accepted and item.outcome is Outcome.VIOLATED]
    visible = [name for name in names if matters(name)]
    words = (
        impact({name: verdicts[name] for name in visible}) if visible else ["rules inside QEMU, which no guest sees"]
    )
    said = f" ({', '.join(words)})" if words else ""
    return f"violated, as expected: {', '.join(visible or names)}{said}" if names else ""


def _counts(result: Result) -> SearchCounts | None:
    """Those of a search that came to its end."""
    if result.exploration is None or result.exploration.statistics.queue:
        return None
    found = result.exploration.statistics
    return SearchCounts(found.states, found.transitions, found.depth)


def item_of(result: Result, finding: Finding, *, compared: bool, matters: bool) -> Item:
    """One finding of a check, with its trace executed; `compared` as for `suite_of`. Raises TraceError."""
    verdict, expectation = finding.verdict, finding.expectation
    run = None if verdict.trace is None else Run.of(result.system, verdict.trace)
    standing = standing_of(
        finding.outcome, finding.item.breach, expectation=expectation, matters=matters, compared=compared
    )
    return Item(
        name=finding.name,
        standing=standing,
        outcome=finding.outcome,
        expected=None if expectation is None else expectation.outcome,
        why=_why(finding, standing),
        meaning=finding.item.meaning,
        reason=str(verdict.reason),
        matters=matters,
        run=run,
        place=place_of(result.system, finding.item, run),
    )


def standing_of(
    outcome: Outcome,
    breach: Breach = Breach.SAFETY,
    *,
    expectation: Expectation | None = None,
    matters: bool = True,
    compared: bool = False,
) -> Standing:
    """How a verdict is shown; `compared` as for `suite_of`. Agrees with the exit code that it makes."""
    alone = expectation is None
    met = expectation is None or expectation.outcome is outcome
    violated = outcome is Outcome.VIOLATED
    itself = violated and (alone or not compared)
    if outcome is Outcome.UNKNOWN or (itself and breach is Breach.BOUND):
        return Standing.UNDECIDED
    if not met or (itself and (matters or compared)):
        return Standing.WRONG
    if outcome is Outcome.NEVER_ASKED:
        return Standing.WRONG if alone and (matters or compared) else Standing.NOTED
    return Standing.NOTED if itself else Standing.FINE


def _why(finding: Finding, standing: Standing) -> str:
    """Why it is not simply good news, in a sentence; "" if it is."""
    if standing is Standing.FINE and finding.outcome is not Outcome.VIOLATED:
        return ""
    found = f"{finding.outcome.value} ({finding.verdict.reason})"
    if finding.expectation is not None and not finding.as_expected:
        return f"expected {finding.expectation.outcome.value}, found {found}"
    if not standing.bad:
        why = "no bad news by itself" if finding.expectation is None else "as expected"
        return f"{found}, {why}"
    return found
