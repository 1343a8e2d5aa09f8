"""From verdicts to exit codes, and what a search says about the model itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import click

from check_invariants.exit import ExitCode, Interrupted, MalformedInput, of_verdict
from check_invariants.output import Counter
from check_invariants.selection import chosen_properties
from draincheck.engines import liveness
from draincheck.engines.explicit import explore
from draincheck.errors import ModelError, SourceLine
from draincheck.expr import BoolExpr
from draincheck.properties import Always, Liveness, Property
from draincheck.subject import Expectation, Subject
from draincheck.system import TransitionSystem
from draincheck.verdict import Exploration, Limits, Outcome, Reporter, Verdict

__all__ = ["Judged", "StepOfModel", "compiled", "decided", "explored", "judged", "never_taken"]


@dataclass(frozen=True, slots=True)
class Judged:
    """A property with its verdict, and what was expected of it (None: nothing)."""

    item: Property
    verdict: Verdict
    expectation: Expectation | None

    @property
    def code(self) -> ExitCode:
        """The exit code that makes."""
        return of_verdict(self.verdict.outcome, self.item.breach, self.expectation)

    @property
    def outcome(self) -> str:
        """The verdict in a word."""
        return self.verdict.outcome.value


def compiled(selected: Subject) -> TransitionSystem:
    """The model. Raises MalformedInput, with the place, if it cannot be given a meaning."""
    try:
        return selected.system()
    except ModelError as error:
        raise MalformedInput(f"{selected.title}: {error}") from error


def explored(
    selected: Subject, properties: Sequence[str], limits: Limits | None = None
) -> tuple[TransitionSystem, Exploration]:
    """Search a model. Raises MalformedInput for one that makes an impossible step, BadParameter for a property it does not have."""
    system = compiled(selected)
    chosen_properties(system, properties)
    counter = Counter("states found")
    limits = limits or Limits()
    try:
        with counter:
            return system, _with_liveness(system, explore(system, limits, counter), limits)
    except ModelError as error:
        raise MalformedInput(f"{selected.title}: {error}") from error
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted after {counter.done} states: every verdict is unknown") from error


def decided(
    selected: Subject, properties: Sequence[str], limits: Limits, engine: str, lemmas: Sequence[str] = ()
) -> tuple[TransitionSystem, dict[str, Verdict]]:
    """Ask an engine other than explicit search. Raises as `explored` does; lemmas are for induction."""
    system = compiled(selected)
    chosen = chosen_properties(system, properties)
    names = [item.name for item in chosen if not isinstance(item, Liveness)]
    helpful = _conditions_of(system, lemmas)
    counter = Counter(_UNITS[engine])
    try:
        with counter:
            verdicts = _asked(engine, system, names, limits, counter, lemmas=helpful) if names else {}
            for item in chosen:
                if isinstance(item, Liveness):
                    verdicts[item.name] = liveness.check(system, item.name, limits, counter)
    except ModelError as error:
        raise MalformedInput(f"{selected.title}: {error}") from error
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted after {counter.done} {counter.what}: every verdict is unknown") from error
    return system, verdicts


#: what each engine counts
_UNITS = {
    "bmc": "steps looked ahead",
    "induction": "states looked back on",
    "auto": "states or steps",
    "simulation": "states visited",
}


def _asked(
    engine: str,
    system: TransitionSystem,
    names: Sequence[str],
    limits: Limits,
    reporter: Counter,
    *,
    lemmas: Sequence[BoolExpr],
) -> dict[str, Verdict]:
    """The verdicts of an engine; z3 is loaded only for those that need it."""
    match engine:
        case "bmc":
            from draincheck.engines.smt import bmc

            return bmc.decide(system, names, limits, _Depth(reporter))
        case "induction":
            from draincheck.engines.smt import induction

            # one by one: with a large k that is faster than all in one solver
            return {name: induction.check(system, name, limits, _Depth(reporter), lemmas) for name in names}
        case "auto":
            from draincheck.engines import portfolio

            return {name: portfolio.check(system, name, limits, reporter) for name in names}
        case _:
            return {name: _simulated(system, name, limits, reporter) for name in names}


class _Depth:
    """A reporter that counts depths instead of states."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter

    def progress(self, states: int, transitions: int, depth: int, queue: int) -> None:
        """What the engine reports."""
        self._counter.advance(depth)


def _conditions_of(system: TransitionSystem, names: Sequence[str]) -> list[BoolExpr]:
    """What the invariants of these names say. Raises BadParameter for one that the system does not have, or of another kind."""
    found: list[BoolExpr] = []
    for item in chosen_properties(system, names, "--lemma") if names else ():
        if not isinstance(item, Always):
            kind = type(item).__name__
            raise click.BadParameter(
                f"{item.name} is a {kind}: only an `always` can be a lemma", param_hint="'--lemma'"
            )
        found.append(item.holds)
    return found


def _simulated(system: TransitionSystem, item: str, limits: Limits, reporter: Reporter) -> Verdict:
    """Random walks, of as many steps as the limits say."""
    from draincheck.engines import simulation

    depth = {"depth": limits.depth} if limits.depth else {}
    return simulation.check(system, item, **depth, limits=limits, reporter=reporter)


def _with_liveness(system: TransitionSystem, exploration: Exploration, limits: Limits) -> Exploration:
    """Demands on whole runs are decided on the graph that was explored."""
    demands = [item for item in system.properties if isinstance(item, Liveness)]
    if not demands:
        return exploration
    return replace(exploration, verdicts={**exploration.verdicts, **liveness.decide(system, demands, limits)})


def judged(
    selected: Subject, system: TransitionSystem, verdicts: Mapping[str, Verdict], properties: Sequence[str]
) -> list[Judged]:
    """The verdicts on the chosen properties, beside what is expected of them."""
    found: list[Judged] = []
    for item in chosen_properties(system, properties):
        verdict, expectation = verdicts[item.name], selected.expectation(item.name)
        found.append(Judged(item, verdict, expectation))
    return found


class StepOfModel(NamedTuple):
    """A labelled step as the model's source has it; several actions may come of one."""

    process: str
    label: str
    line: SourceLine


def never_taken(system: TransitionSystem, exploration: Exploration) -> list[StepOfModel]:
    """The steps none of whose actions was ever taken; nothing is said of them if the search did not see everything."""
    unseen = any(exploration.verdicts[item.name].outcome is Outcome.UNKNOWN for item in _searched(system, exploration))
    if unseen or exploration.statistics.queue:
        return []
    fired = set(exploration.statistics.fired)
    taken = set(_steps(system, fired))
    return [step for step in dict.fromkeys(_steps(system, range(len(system.actions)))) if step not in taken]


def _searched(system: TransitionSystem, exploration: Exploration) -> Iterable[Property]:
    """The properties that a complete search always decides."""
    return (item for item in system.properties if item.name in exploration.verdicts and not isinstance(item, Liveness))


def _steps(system: TransitionSystem, actions: Iterable[int]) -> Iterable[StepOfModel]:
    for index in sorted(actions):
        action = system.actions[index]
        yield from (StepOfModel(action.process, part.label, part.line) for part in action.parts if part.label)
