"""`check`: the verdicts on a subject, by whichever engine; what the command line calls, and what a user's Python does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from draincheck.budget import running
from draincheck.engines.question import Answered, Question
from draincheck.engines.registry import EXPLORING, Engine, decide_runs, find_engine, refuse_limits
from draincheck.errors import OutOfBudget, SourceLine
from draincheck.expr import BoolExpr
from draincheck.lang import Model
from draincheck.native.tiers import Tier
from draincheck.properties import FAULTS, Liveness, NoFault, Property, WithinBounds
from draincheck.ranges import guarded
from draincheck.reason import Stop, Undecided
from draincheck.reductions.wanted import Reductions
from draincheck.subject import Expectation, Subject
from draincheck.system import TransitionSystem
from draincheck.verdict import NO_LIMITS, SILENT, Exploration, Limits, Outcome, Reporter, Verdict, stop_of, stopped_by

__all__ = ["Checkable", "Finding", "Result", "StepOfModel", "check", "chosen", "decide", "system_of"]

#: what `check` takes: a subject, a model in the modelling language, or a compiled one
Checkable = Subject | Model | TransitionSystem


class Finding(Struct, frozen=True):
    """A property with its verdict, and what was expected of it (None: nothing)."""

    item: Property
    verdict: Verdict
    expectation: Expectation | None = None

    @property
    def name(self) -> str:
        """The property's name."""
        return self.item.name

    @property
    def outcome(self) -> Outcome:
        """What is known."""
        return self.verdict.outcome

    @property
    def as_expected(self) -> bool:
        """Nothing else was expected."""
        return self.expectation is None or self.expectation.outcome is self.outcome


class StepOfModel(Struct, frozen=True):
    """A labelled step as the model's source has it; several actions may come of one."""

    process: str
    label: str
    line: SourceLine


class Result(Struct, frozen=True):
    """What a check found.

    Attributes:
        system: the compiled model, which traces belong to.
        findings: the properties that were asked about, in the system's order, then the faults that some run meets.
        exploration: what explicit search saw; the other engines do not say.
        advice: what would have made it faster, "" if nobody knows.
    """

    system: TransitionSystem
    findings: Sequence[Finding]
    exploration: Exploration | None = None
    advice: str = ""

    def __getitem__(self, name: str) -> Finding:
        """The finding on a property. Raises KeyError."""
        return {finding.name: finding for finding in self.findings}[name]

    @property
    def verdicts(self) -> Mapping[str, Verdict]:
        """The verdicts by name."""
        return {finding.name: finding.verdict for finding in self.findings}

    @property
    def holds(self) -> bool:
        """Whether everything does that was asked about."""
        return all(finding.outcome is Outcome.HOLDS for finding in self.findings)

    @property
    def well(self) -> str:
        """What is said where nothing is wrong: that everything holds, or what does, if the model has properties that were not asked about."""
        asked = [finding.name for finding in self.findings]
        others = any(item.name not in asked for item in self.system.properties)
        return f"holds: {', '.join(asked)}" if others else "everything holds"

    @property
    def stopped(self) -> Stop | None:
        """What ended it before everything was decided, Ctrl-C before a limit: what is unknown might not be."""
        return stopped_by(finding.verdict for finding in self.findings)

    @property
    def warnings(self) -> Sequence[str]:
        """What a verdict rests on that is hardly meant: demands on runs where nobody has promised that anything goes on."""
        runs = [finding.name for finding in self.findings if isinstance(finding.item, Liveness)]
        if not runs or self.system.fairness:
            return []
        return [
            f"{', '.join(runs)}: nothing promises that any process goes on, so every run may stop where it is; "
            "say m.progress(), or fair= of the steps that are always taken in the end"
        ]

    @property
    def complete(self) -> bool:
        """Whether everything was seen: no limit ended the search, and no bound of the model hid anything."""
        found = self.exploration
        return found is not None and not found.statistics.queue and not _open(found)

    @property
    def never_taken(self) -> Sequence[StepOfModel]:
        """The steps none of whose actions was ever taken; nothing is said of them if not everything was seen."""
        found = self.exploration
        if found is None or not self.complete:
            return []
        taken = set(_steps(self.system, found.statistics.fired))
        steps = dict.fromkeys(_steps(self.system, range(len(self.system.actions))))
        return [step for step in steps if step not in taken]


def _open(found: Exploration) -> bool:
    """Whether a bound of the model hid something."""
    return any(isinstance(item, WithinBounds) for item in _met(found.verdicts))


def _steps(system: TransitionSystem, actions: Iterable[int]) -> Iterable[StepOfModel]:
    for index in sorted(actions):
        action = system.actions[index]
        yield from (StepOfModel(action.process, part.label, part.line) for part in action.parts if part.label)


def check(
    what: Checkable,
    properties: str | Iterable[str] = (),
    *,
    engine: str = "explicit",
    limits: Limits = NO_LIMITS,
    reporter: Reporter = SILENT,
    lemmas: Iterable[BoolExpr] = (),
    reductions: Reductions = Reductions.NONE,
) -> Result:
    """Decide properties.

    Args:
        what: a subject, a model or a system.
        properties: the names of those that are asked about; all if none is named.
        engine: one of `draincheck.engines.registry.ENGINES`. Demands on whole runs are always decided on the explicit graph.
        limits: where to stop; an engine refuses those that it does not know. Time and memory are for everything together.
        reporter: told about progress.
        lemmas: invariants that may help induction, and are proved along.
        reductions: which of them explicit search may use (none: its counts and traces are those of the model itself).

    Raises:
        ModelError: the model has no meaning, there is no such property or engine, or the engine does not know such a limit.
        OutOfBudget: time or memory was spent before the model was built.
    """
    with running(limits) as budget:
        names = (properties,) if isinstance(properties, str) else tuple(properties)
        question = Question(system_of(what), names, budget, reporter, tuple(lemmas), reductions)
        return decide(question, engine, _nothing if isinstance(what, TransitionSystem | Model) else what.expectation)


def _nothing(name: str) -> None:
    """What is expected of a model or a system."""


def decide(
    question: Question, engine: str = "explicit", expectation: Callable[[str], Expectation | None] = _nothing
) -> Result:
    """Decide properties of a system, all if none is named; `expectation` says what is expected of each. Raises what `check` does."""
    asked, system = find_engine(engine), question.system
    items = chosen(system, question.names)
    if not question.names:
        items += tuple(item for name, item in FAULTS.items() if _is_foreseen(expectation(name)))
    runs = [item for item in items if isinstance(item, Liveness)]
    names = [item.name for item in items if not isinstance(item, Liveness)]
    refuse_limits(asked, question.limits)
    question = replace(question, names=names, limits=question.limits.begun())
    verdicts, exploration, advice = dict[str, Verdict](), None, list[str]()
    if names or not runs or engine in EXPLORING:
        verdicts, exploration = _asked(question, asked)
        advice += [exploration.advice] if exploration else []
    if runs:
        found = _runs_decided(question, runs, asked.graphs, advice.append)
        verdicts = found | verdicts | {item.name: found[item.name] for item in runs}
    listed = (*items, *(item for item in _met(verdicts) if item not in items))
    findings = [Finding(item, verdicts[item.name], expectation(item.name)) for item in listed]
    return Result(system, findings, exploration, next(filter(None, advice), ""))


def _is_foreseen(expectation: Expectation | None) -> bool:
    """An error of a run that is said to come, or anything but not to come, is looked for by name: it is missed if it does not."""
    return expectation is not None and expectation.outcome is not Outcome.HOLDS


def _met(verdicts: Mapping[str, Verdict]) -> list[NoFault]:
    """The faults that some run meets."""
    found = (name for name, verdict in verdicts.items() if verdict.outcome is Outcome.VIOLATED)
    return [FAULTS[name] for name in found if name in FAULTS]


def _asked(question: Question, engine: Engine) -> Answered:
    """What an engine answers; nothing is known where it was stopped before it had anything to say."""
    try:
        return engine.ask(question)
    except (OutOfBudget, KeyboardInterrupt) as end:
        return {name: _stopped(name, end) for name in question.names}, None


def _runs_decided(
    question: Question, items: Sequence[Liveness], tier: Tier, advise: Callable[[str], None]
) -> dict[str, Verdict]:
    """The verdicts on demands on whole runs."""
    try:
        return decide_runs(question, items, tier, advise)
    except (OutOfBudget, KeyboardInterrupt) as end:
        return {item.name: _stopped(item.name, end) for item in items}


def _stopped(name: str, end: BaseException) -> Verdict:
    return Verdict(name, Outcome.UNKNOWN, Undecided(stopped=stop_of(end)))


def system_of(what: Checkable) -> TransitionSystem:
    """The compiled model. Raises ModelError if it cannot be given a meaning."""
    if isinstance(what, TransitionSystem):
        return guarded(what)
    return what.compile() if isinstance(what, Model) else what.system()


def chosen(system: TransitionSystem, names: Sequence[str]) -> tuple[Property, ...]:
    """The properties of these names, in the system's order; all if none is named, errors of a run if there are no others.

    Raises ModelError for a name that it does not have.
    """
    for name in names:
        system.property_named(name)
    if not names:
        return system.properties or system.implicit
    faults = (item for item in FAULTS.values() if item.name in names)
    return (*(item for item in system.properties if item.name in names), *faults)
