"""`check-invariants gate` of a project: what its configuration names, against what it expects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pickle import dumps
from time import perf_counter

import click
from msgspec import Struct
from msgspec.structs import replace

from check_invariants.again import check_again
from check_invariants.configuration import ModelEntry
from check_invariants.exit import ExitCode, LimitReached, MalformedInput, Misconfigured, of_stop, of_verdict
from check_invariants.judge import Asked, checked
from check_invariants.output import shown_elsewhere, until_stopped
from check_invariants.work.gate_plan import Made, Planned
from check_invariants.work.gate_replay import replayed
from draincheck import Expectation, Outcome, Subject
from draincheck.errors import SourceLine, WorkerLost
from draincheck.pool import apart
from draincheck.reason import Stop
from draincheck.report.account import Item, SearchCounts, Standing, Suite, accepted_of, suite_of
from drainspecs.mirror.code_base import CodeBase

__all__ = ["Ran", "run"]


class Ran(Struct, frozen=True):
    """What came of a subject, or of an entry none of whose subjects could be made."""

    suite: Suite
    codes: Sequence[ExitCode]
    stop: Stop | None = None


def run(planned: Sequence[Planned], replay: bool) -> tuple[list[Ran], Stop | None]:
    """Decide everything, in order; what was not come to is there, too, as undecided."""
    left = dict.fromkeys(range(len(planned)))
    found, stop = until_stopped(_all(planned, left, replay), "model", "checked", None)
    stop = stop or next((ran.stop for ran in found if ran.stop), None)
    missing = [planned[number] for number in left]
    if missing and found and found[-1].stop is not None and found[-1].suite.title == missing[0].called:
        missing.pop(0)  # it is there, as undecided as it is
    return [*found, *(_not_reached(item, stop) for item in missing if stop)], stop


def _all(planned: Sequence[Planned], left: dict[int, None], replay: bool) -> Iterator[Ran]:
    """Each subject's result; an entry is no longer `left` when all of its subjects are decided."""
    for number, item in enumerate(planned):
        for ran in _entry(item, replay):
            yield ran
            if ran.stop is not None:
                return
        left.pop(number)


def _entry(planned: Planned, replay: bool) -> Iterator[Ran]:
    """What comes of an entry; a program of the project's runs in a process of its own, whose end without an answer is its fault."""
    if not isinstance(planned.entry, ModelEntry):
        yield from _decided_all(planned, replay)
        return
    try:
        with shown_elsewhere():
            yield from apart(lambda: map(_sendable, _decided_all(planned, replay)))
    except WorkerLost as error:
        yield _fault(planned, planned, _lost(planned, error))


def _sendable(ran: Ran) -> Ran:
    """The same, without its counterexamples if they are nested too deeply for another process to get them."""
    try:
        dumps(ran)
    except Exception:
        items = [replace(item, run=None) for item in ran.suite.items]
        return replace(ran, suite=replace(ran.suite, items=items))
    return ran


def _lost(planned: Planned, error: WorkerLost) -> click.ClickException:
    """That the process of a model has ended before it said anything: of too little memory, or because the program ended it."""
    why = f"{planned.called}: the process that ran it was ended {error.how} before it had decided everything"
    if error.how == "by SIGKILL":
        return LimitReached(f"{why}; was there enough memory?")
    return MalformedInput(f"{why}: the program, or something that it calls, ends the process; leave that out")


def _decided_all(planned: Planned, replay: bool) -> Iterator[Ran]:
    """Everything that an entry names; what cannot be made or searched is a fault, and hides nothing else."""
    try:
        subjects = list(planned.subjects())
    except click.ClickException as error:
        yield _fault(planned, planned, error)
        return
    for made in subjects:
        try:
            yield _decided(planned, made, made.make(), replay)
        except click.ClickException as error:
            yield _fault(planned, made, error)


#: how an error is shown that leaves nothing to decide; any other is the model's
_STANDINGS = {
    ExitCode.CONFIGURATION: Standing.MISCONFIGURED,
    ExitCode.INCONCLUSIVE: Standing.UNDECIDED,
    ExitCode.INTERRUPTED: Standing.UNDECIDED,
    ExitCode.TERMINATED: Standing.UNDECIDED,
}


def _fault(planned: Planned, of: Planned | Made, error: click.ClickException) -> Ran:
    """A name that leads nowhere is the configuration's fault, whatever else the model's."""
    if isinstance(error, click.UsageError):
        error = Misconfigured(error.message, planned.line)
    code, why = ExitCode.of(error), error.format_message()
    line = error.line if isinstance(error, Misconfigured) else _line_in(why, planned)
    misconfigured = code is ExitCode.CONFIGURATION
    item = Item(
        name="configuration" if misconfigured else "model",
        kind="model",
        standing=_STANDINGS.get(code, Standing.FAULT),
        why=why,
        place=line or planned.line,
        command="" if misconfigured else check_again(of.options, *planned.entry.asked),
    )
    return Ran(Suite(title=of.called, items=[item]), [code])


def _line_in(why: str, planned: Planned) -> SourceLine | None:
    """The line of the entry's model that a message begins with, the first one of a file; None if it does not."""
    file = planned.called.partition(":")[0]
    said = re.match(rf"{re.escape(file)}(?::(\d+))?: ", why)
    return None if said is None else SourceLine(file, int(said[1] or 1))


def _not_reached(planned: Planned, stop: Stop) -> Ran:
    command = check_again(planned.options, *planned.entry.asked)
    item = Item(
        name="model",
        kind="model",
        standing=Standing.UNDECIDED,
        why=f"not decided: {stop}",
        place=planned.line,
        command=command,
    )
    return Ran(Suite(title=planned.called, items=[item]), [of_stop(stop)])


def _decided(planned: Planned, made: Made, subject: Subject, replay: bool) -> Ran:
    start = perf_counter()
    result = checked(subject, Asked(planned.entry.asked), expectation=partial(_expectation, planned, subject))
    suite = suite_of(subject, result, compared=True, strict=True)
    command = check_again(made.options, *planned.entry.asked)
    pins = [replace(item, kind="pinned count", command=command) for item in _pins(planned, suite)]
    replays = list(replayed(subject, result)) if replay and isinstance(subject, CodeBase) else []
    codes = [
        *(of_verdict(item.outcome, item.item.breach, item.expectation) for item in result.findings),
        *(_code_of(item, ExitCode.DIFFERENT) for item in pins),
        *(_code_of(item, ExitCode.DIVERGED) for item in replays),
    ]
    judged = suite.items if planned.entry.asked else list(_hinting(subject, suite.items))
    verdicts = [replace(item, command=check_again(made.options, item.name)) for item in judged]
    items = [replace(item, place=_place(planned, item)) for item in (*verdicts, *pins, *replays)]
    accepted = accepted_of(verdicts, result.verdicts, subject.matters, subject.impact)
    seconds = perf_counter() - start
    suite = replace(suite, title=made.called, items=items, seconds=seconds, pinned=_pinned(planned), accepted=accepted)
    core = subject.on_core() if replay and isinstance(subject, CodeBase) else None
    return Ran(replace(suite, on_core=core), codes, result.stopped)


def _hinting(subject: Subject, items: Sequence[Item]) -> Iterator[Item]:
    """Where nothing but rules inside QEMU is wrong, each says how to leave them out; a model of the project's own has none."""
    if any(item.standing.bad and subject.matters(item.name) for item in items):
        yield from items
        return
    hint = 'no guest sees that, and properties = "guest-visible" leaves it out'
    for item in items:
        yield replace(item, why=f"{item.why}; {hint}") if item.standing is Standing.WRONG else item


def _place(planned: Planned, item: Item) -> SourceLine:
    """The line to look at: of what the configuration says, where no run shows another; of a model of the project's own; never one of this program's."""
    if item.kind == "pinned count":
        return planned.spot.line("counts")
    if item.run is None and item.name in planned.entry.expect:
        return planned.spot.line("expect", item.name)
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


def _pins(planned: Planned, suite: Suite) -> Iterator[Item]:
    """That the search found what is pinned."""
    pinned = _pinned(planned)
    if pinned is None:
        return
    meaning = f"an exhaustive search has to find {pinned}"
    if suite.counts is None:
        yield Item(
            name="counts", standing=Standing.UNDECIDED, why="the search did not come to its end", meaning=meaning
        )
    elif delta := suite.counts.since(pinned):
        why = f"pinned are {pinned}; found {suite.counts} ({delta})"
        yield Item(name="counts", standing=Standing.WRONG, why=why, meaning=meaning)
    else:
        yield Item(name="counts", standing=Standing.FINE, meaning=meaning)
