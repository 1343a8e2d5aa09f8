"""What a gate came to, as an explorer: its table, and every counterexample that came with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from draincheck.checking import Finding, Result
from draincheck.core.config import Config
from draincheck.errors import ModelError
from draincheck.explorer.document import Opening, PageCell, PageMatrix, PageRow, PageSubject
from draincheck.explorer.examined import Examined
from draincheck.explorer.making import document
from draincheck.explorer.onefile import render
from draincheck.explorer.runs import Tone
from draincheck.knobs import Knobs
from draincheck.reason import Refused
from draincheck.report.account import Account, Item, Standing, Suite
from draincheck.subject import About, Expectation, Source
from draincheck.system import TransitionSystem
from draincheck.verdict import Outcome, Verdict
from draincheck.words import counted

__all__ = ["account_page"]

_TONES = {Standing.FINE: Tone.GOOD, Standing.NOTED: Tone.WARN, Standing.UNDECIDED: Tone.UNKNOWN}


def account_page(account: Account) -> str:
    """The file: a row for each suite, with what has to be looked at; a counterexample can be walked in, and left."""
    told = [suite for suite in account.shown if _runs(suite)]
    found = document(
        [Examined(_Told(suite, account), _result(suite)) for suite in told],
        title=account.title,
        generator=f"check-invariants {account.version}",
        command=account.command,
        answer=Opening(Tone.BAD if account.exit_code else Tone.GOOD, f"{account.title}: {account.exit_meaning}", ""),
        matrix=_matrix(account, told),
    )
    return render(replace(found, subjects=tuple(map(_shown_again, found.subjects, told))))


def _runs(suite: Suite) -> list[Item]:
    """The verdicts that came with a run."""
    return [item for item in suite.items if item.run is not None and item.outcome is not None]


def _result(suite: Suite) -> Result:
    items = _runs(suite)
    assert items[0].run is not None
    system = items[0].run.system
    return Result(system, [_finding(system, item) for item in items])


def _finding(system: TransitionSystem, item: Item) -> Finding:
    assert item.run is not None
    assert item.outcome is not None
    verdict = Verdict(item.name, item.outcome, Refused(item.reason), item.run.trace)
    expected = None if item.expected is None else Expectation(item.expected, "", derived=False)
    return Finding(system.property_named(item.name), verdict, expected)


def _shown_again(subject: PageSubject, suite: Suite) -> PageSubject:
    """With the commands that the gate names."""
    commands = {item.name: item.command for item in suite.items if item.command}
    evidence = tuple(replace(each, command=commands.get(each.property, each.command)) for each in subject.evidence)
    return replace(subject, evidence=evidence)


def _matrix(account: Account, told: Sequence[Suite]) -> PageMatrix:
    rows = (PageRow(suite.title, suite.accepted, (_cell(suite, told),)) for suite in account.shown)
    return PageMatrix((("outcome", "what has to be looked at, and how much was decided"),), tuple(rows))


def _cell(suite: Suite, told: Sequence[Suite]) -> PageCell:
    bad = [item for item in suite.items if item.standing.bad]
    worst = bad[0].standing if bad else Standing.FINE
    text = ", ".join(dict.fromkeys(item.standing.value for item in bad)) or counted(len(suite.items), "item")
    return PageCell(
        text=text if bad else f"fine: {text}",
        tone=_TONES.get(worst, Tone.BAD),
        visible=tuple(item.name for item in bad),
        inside=(),
        as_expected=not any(item.differs for item in bad),
        subject=told.index(suite) if suite in told else None,
    )


class _Told(Struct, frozen=True):
    """A suite as the subject that it was made of, as far as it says."""

    suite: Suite
    account: Account

    @property
    def title(self) -> str:
        """Its name."""
        return self.suite.title

    @property
    def heading(self) -> str:
        """The same: it says no more."""
        return self.suite.title

    @property
    def about(self) -> About:
        """What a reader has to know; the commands are the items' own."""
        return About(
            "subject", self.suite.title, self.suite.scenario, "", tool=f"check-invariants {self.account.version}"
        )

    def system(self) -> TransitionSystem:
        """That of its runs."""
        return _result(self.suite).system

    def source(self) -> Source:
        """Nothing: a suite does not say how it is built again."""
        return {}

    def expectation(self, property_name: str) -> Expectation | None:
        """What the gate expects."""
        return next((each.expectation for each in _result(self.suite).findings if each.name == property_name), None)

    def impact(self, verdicts: Mapping[str, Verdict]) -> tuple[str, ...]:
        """It does not say."""
        return ()

    def matters(self, property_name: str) -> bool:
        """As the item says."""
        return any(item.matters for item in self.suite.items if item.name == property_name)

    def limits(self, property_name: str, outcome: Outcome) -> Sequence[str]:
        """It does not say."""
        return ()

    def on_core(self) -> tuple[Knobs, Config]:
        """As the suite says. Raises ModelError where it does not."""
        if self.suite.on_core is not None:
            return self.suite.on_core
        raise ModelError(f"{self.suite.title}: a report does not say what the reference core is started with")
