"""`check-invariants gate` of a project: what its configuration names, against what it expects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from time import perf_counter
from typing import NamedTuple, TypeAlias

import click
from msgspec import Struct
from msgspec.structs import replace

from check_invariants.configuration import CodeBaseEntry, Entry, GateConfig, ModelEntry
from check_invariants.exit import ExitCode, Misconfigured, of_stop, of_verdict
from check_invariants.judge import checked
from check_invariants.output import until_stopped
from check_invariants.selection import loading
from check_invariants.work.gate_replay import replayed
from draincheck import Expectation, Outcome, Subject
from draincheck.checking import Result
from draincheck.errors import SourceLine, UnfitParameters, UnknownName
from draincheck.knobs import nearest, parse_setting, shown
from draincheck.model_file import Builder, builders
from draincheck.parameters import assigned
from draincheck.properties import FAULTS, Reachable
from draincheck.reason import Stop
from draincheck.report.account import Item, SearchCounts, Standing, Suite, suite_of
from draincheck.revisions import find_revision
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.objections import objection
from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS, applies, find_scenario
from drainspecs.mirror.specifications import known_properties, specification_of

__all__ = ["Planned", "Ran", "plan", "run"]

#: a subject's name, and what makes it
Made: TypeAlias = tuple[str, Callable[[], Subject]]


class Planned(NamedTuple):
    """What an entry of a configuration comes to: `subjects`, each with its name, found and made only when they are wanted."""

    entry: Entry
    line: SourceLine
    called: str
    subjects: Callable[[], Iterable[Made]]

    @property
    def expected(self) -> str:
        """In words."""
        said = [f"{name} {word}" for name, word in self.entry.expect.items()]
        rest = "as its file says" if isinstance(self.entry, ModelEntry) and _says_itself(self.entry) else "holds"
        if isinstance(self.entry, CodeBaseEntry) and not self.entry.settings:
            rest = "as QEMU's history says"
        return ", ".join([*said, f"all others {rest}" if said else f"all {rest}"])


class Ran(Struct, frozen=True):
    """What came of a subject, or of an entry none of whose subjects could be made."""

    suite: Suite
    codes: Sequence[ExitCode]
    stop: Stop | None = None


# -- before anything runs ---------------------------------------------------------------------------


def plan(config: GateConfig) -> list[Planned]:
    """What is to be checked, in the order of the file; no model is run for it. Raises Misconfigured."""
    return [planned for entry, line in config.entries for planned in _planned(config, entry, line)]


def _planned(config: GateConfig, entry: Entry, line: SourceLine) -> Iterator[Planned]:
    try:
        if isinstance(entry, ModelEntry):
            yield _model(config, entry, line)
        else:
            yield from _code_bases(entry, line)
        _check_words(entry)
    except (UnknownName, ValueError) as error:
        raise Misconfigured(f"{line}: {error}") from error


def _check_words(entry: Entry) -> None:
    """Raise ValueError for an expectation of what is not asked about."""
    for name in entry.expect:
        if entry.properties and name not in entry.properties:
            raise ValueError(f"something is expected of {name!r}, which `properties` leaves out")


def _says_itself(entry: ModelEntry) -> bool:
    """Whether the file says what it expects."""
    return not entry.function or bool(entry.variant)


def _model(config: GateConfig, entry: ModelEntry, line: SourceLine) -> Planned:
    """Raises ValueError for a file that is not in the configuration's folder, wherever its links lead, and for half a name."""
    path = config.folder / entry.file
    if not path.resolve().is_relative_to(config.folder.resolve()):
        raise ValueError(f"{entry.file!r} lies outside the folder of {config.path}, and no program from there is run")
    if not path.is_file():
        raise ValueError(f"there is no file {entry.file!r} in the folder of {config.path}")
    if entry.variant and not entry.function:
        raise ValueError(f"which function has the variant {entry.variant!r}? name it: function = ...")
    if not entry.function and (entry.parameters or entry.expect or entry.counts):
        raise ValueError("parameters, expect and counts are for one function: name it, as function = ...")
    if entry.variant and entry.parameters:
        raise ValueError("a variant has its own parameters: leave out `variant` or `parameters`")
    name = ":".join(filter(None, [str(path), entry.function, entry.variant]))
    given = f" ({assigned(entry.parameters)})" if entry.parameters else ""
    return Planned(entry, line, f"{name}{given}", lambda: _models(name, entry, given))


def _models(name: str, entry: ModelEntry, given: str) -> list[Made]:
    """The models that a name means."""
    with loading():
        found = builders(name)
    return [(f"{item.program.file}:{item.title}{given}", partial(_built, item, entry)) for item in found]


def _built(builder: Builder, entry: ModelEntry) -> Subject:
    with loading():
        model = builder.build(entry.parameters)
    known = [item.name for item in (*model.built.properties, *FAULTS.values())]
    for name in (*entry.properties, *entry.expect):
        if name not in known:
            raise UnknownName(str(nearest("property", name, known)))
        if entry.expect.get(name) == "reachable" and not isinstance(model.built.property_named(name), Reachable):
            raise UnknownName(f"{name!r} is no state to be reached (`m.reachable`): expect holds or violated")
    return model


def _code_bases(entry: CodeBaseEntry, line: SourceLine) -> Iterator[Planned]:
    revision = find_revision(entry.revision)
    known, asked = list(known_properties()), (*entry.properties, *entry.expect)
    for name in asked:
        if name not in known:
            raise nearest("property", name, known)
    specification = specification_of(asked)
    if specification is None:
        raise ValueError(f"{', '.join(asked)} are decided on different models: write an entry for each")
    for name, word in entry.expect.items():
        if word == "reachable" and name != "R1":
            raise ValueError(f"{name} is no state to be reached: expect holds or violated")
    settings = dict(parse_setting(f"{name}={_as_text(value)}") for name, value in entry.settings.items())
    scenarios = [find_scenario(name) for name in entry.scenarios] or list(DEFAULT_SCENARIOS)
    if entry.counts and len(scenarios) > 1:
        raise ValueError("counts are those of one scenario: name it, as scenarios = [...]")
    for scenario in scenarios:
        code_base = CodeBase(revision, scenario, entry.order, settings, specification)
        if _can_run(code_base, named=scenario.name in entry.scenarios):
            yield Planned(entry, line, code_base.title, partial(_itself, code_base))


def _itself(code_base: CodeBase) -> list[Made]:
    return [(code_base.title, lambda: code_base)]


def _as_text(value: bool | int | str) -> str:
    return shown(value) if isinstance(value, bool) else str(value)


def _can_run(code_base: CodeBase, named: bool) -> bool:
    """Whether it takes part; raises ValueError for a scenario that is named and cannot be run, and for what no code base could be."""
    revision, scenario = code_base.turned, code_base.scenario
    if reason := objection(revision.knobs, scenario):
        raise ValueError(f"no code base could be like {revision.name}: {reason}")
    if not applies(revision, scenario) and named:
        raise ValueError(f"{revision.name} cannot run the scenario {scenario.name}")
    return applies(revision, scenario)


# -- the run ----------------------------------------------------------------------------------------


def run(planned: Sequence[Planned], replay: bool) -> tuple[list[Ran], Stop | None]:
    """Decide everything, in order; what was not come to is there, too, as undecided."""
    left = dict.fromkeys(range(len(planned)))
    found, stop = until_stopped(_all(planned, left, replay), "models checked", None)
    stop = stop or next((ran.stop for ran in found if ran.stop), None)
    return [*found, *(_not_reached(planned[number], stop) for number in left if stop)], stop


def _all(planned: Sequence[Planned], left: dict[int, None], replay: bool) -> Iterator[Ran]:
    """Each subject's result; an entry is no longer `left` when all of its subjects are decided."""
    for number, item in enumerate(planned):
        for ran in _entry(item, replay):
            yield ran
            if ran.stop is not None:
                return
        left.pop(number)


def _entry(planned: Planned, replay: bool) -> Iterator[Ran]:
    """What comes of an entry; what cannot be made or searched is a fault, and hides nothing else."""
    try:
        subjects = list(planned.subjects())
    except (click.ClickException, UnknownName, UnfitParameters) as error:
        yield _fault(planned, planned.called, error)
        return
    for called, make in subjects:
        try:
            yield _decided(planned, called, make(), replay)
        except (click.ClickException, UnknownName, UnfitParameters) as error:
            yield _fault(planned, called, error)


def _fault(planned: Planned, called: str, error: Exception) -> Ran:
    """A name that leads nowhere is the configuration's fault, whatever else the model's."""
    if not isinstance(error, click.ClickException) or isinstance(error, click.UsageError):
        said = error.message if isinstance(error, click.UsageError) else str(error)
        error = Misconfigured(f"{planned.line}: {said}")
    code = {int(code): code for code in ExitCode}[error.exit_code]
    standing = Standing.UNDECIDED if code in (ExitCode.INCONCLUSIVE, ExitCode.INTERRUPTED) else Standing.FAULT
    item = Item(name="model", standing=standing, why=error.format_message(), place=planned.line)
    return Ran(Suite(title=called, items=[item]), [code])


def _not_reached(planned: Planned, stop: Stop) -> Ran:
    item = Item(name="model", standing=Standing.UNDECIDED, why=f"not decided: {stop}", place=planned.line)
    return Ran(Suite(title=planned.called, items=[item]), [of_stop(stop)])


def _decided(planned: Planned, called: str, subject: Subject, replay: bool) -> Ran:
    start = perf_counter()
    result = checked(subject, planned.entry.properties, expectation=partial(_expectation, planned, subject))
    suite = suite_of(subject, result, compared=True, strict=True)
    pins = list(_pins(planned, suite, result))
    replays = list(replayed(subject, result)) if replay and isinstance(subject, CodeBase) else []
    codes = [
        *(of_verdict(item.outcome, item.item.breach, item.expectation) for item in result.findings),
        *(_code_of(item, ExitCode.DIFFERENT) for item in pins),
        *(_code_of(item, ExitCode.DIVERGED) for item in replays),
    ]
    items = [replace(item, place=_place(planned, item)) for item in (*suite.items, *pins, *replays)]
    suite = replace(suite, title=called, items=items, seconds=perf_counter() - start, pinned=_pinned(planned))
    return Ran(suite, codes, result.stopped)


def _place(planned: Planned, item: Item) -> SourceLine:
    """The line to look at: of a model of the project's own, if there is one; never one of this program's."""
    own = isinstance(planned.entry, ModelEntry)
    return item.place if own and item.place is not None else planned.line


def _code_of(item: Item, wrong: ExitCode) -> ExitCode:
    if item.standing is Standing.UNDECIDED:
        return ExitCode.INCONCLUSIVE
    return wrong if item.standing.bad else ExitCode.OK


def _expectation(planned: Planned, subject: Subject, name: str) -> Expectation:
    """What the configuration expects, or else the file or QEMU's history; or else that it holds."""
    outcome = planned.entry.expected(name)
    if outcome is not None:
        return Expectation(outcome, f"{planned.line} says so", False)
    return subject.expectation(name) or Expectation(Outcome.HOLDS, "nothing else is expected", False)


def _pinned(planned: Planned) -> SearchCounts | None:
    pinned = planned.entry.counts
    return None if pinned is None else SearchCounts(pinned.states, pinned.transitions, pinned.depth)


def _pins(planned: Planned, suite: Suite, result: Result) -> Iterator[Item]:
    """That the search found what is pinned."""
    pinned = _pinned(planned)
    if pinned is None:
        return
    meaning = f"an exhaustive search finds {pinned}"
    if suite.counts is None:
        yield Item(
            name="counts", standing=Standing.UNDECIDED, why="the search did not come to its end", meaning=meaning
        )
    elif delta := suite.counts.since(pinned):
        why = f"pinned are {pinned}; found {suite.counts} ({delta})"
        yield Item(name="counts", standing=Standing.WRONG, why=why, meaning=meaning)
    else:
        yield Item(name="counts", standing=Standing.FINE, meaning=meaning)
