"""Asking the library: its errors as the command line's, its progress on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import click

from check_invariants import standard
from check_invariants.exit import EmptySelection, MalformedInput, cut_short, more
from check_invariants.output import Counter, advise
from check_invariants.selection import chosen_properties
from draincheck import Expectation, ModelError, Subject, TransitionSystem
from draincheck.checking import Result, decide
from draincheck.engines.question import Question
from draincheck.engines.registry import EXPLORING, find_engine
from draincheck.errors import OutOfBudget
from draincheck.expr import BoolExpr
from draincheck.properties import Always, FaultKind
from draincheck.reason import Stop
from draincheck.reductions.wanted import Reductions
from draincheck.verdict import NO_LIMITS, SILENT, Limits, Outcome, Reporter, Verdict, stop_of
from draincheck.words import counted

__all__ = [
    "Asked",
    "asking",
    "checked",
    "checked_quietly",
    "compiled",
    "instead",
    "meaningful",
    "refuse_no_demand",
    "warn",
]


class Asked(NamedTuple):
    """What is asked of a model."""

    properties: Sequence[str] = ()
    limits: Limits = NO_LIMITS
    engine: str = "explicit"
    lemmas: Sequence[str] = ()
    reductions: Reductions = Reductions.NONE

    @property
    def of_all_states(self) -> Asked:
        """The same of several models, where numbers of states stand in a column: of all states, unless something else is wanted."""
        return self._replace(reductions=Reductions.NONE) if self.reductions is Reductions.AUTO else self

    def of(self, system: TransitionSystem, reporter: Reporter) -> Question:
        """The question. Raises BadParameter for a lemma that the system does not have."""
        lemmas = _conditions_of(system, self.lemmas)
        return Question(system, self.properties, self.limits, reporter, lemmas, self.reductions)


@contextmanager
def meaningful(title: str) -> Generator[None]:
    """What is done with a model: raises MalformedInput, with the place, if it cannot be given a meaning or makes an impossible step."""
    try:
        yield
    except ModelError as error:
        raise MalformedInput(f"{title}: {error}") from error


@contextmanager
def asking(title: str, counter: Counter, interrupted: str) -> Generator[None]:
    """A question about a model, under a counter.

    Raises MalformedInput as `meaningful` does, and Interrupted or LimitReached with this text, in which {} is how much was done.
    """
    try:
        with meaningful(title), counter:
            yield
    except (KeyboardInterrupt, OutOfBudget) as error:
        raise cut_short(stop_of(error), interrupted.format(counted(counter.done, counter.noun))) from error


def compiled(subject: Subject) -> TransitionSystem:
    """The model. Raises MalformedInput, with the place, if it cannot be given a meaning."""
    with meaningful(subject.title):
        return subject.system()


def checked(
    subject: Subject, asked: Asked, *, expectation: Callable[[str], Expectation | None] | None = None
) -> Result:
    """The verdicts on the chosen properties. What they rest on that is hardly meant is left to `warn`, or to who shows it.

    `expectation` says what is expected of each, if that is something else than the subject says.

    Raises MalformedInput for a model that makes an impossible step, BadParameter for a property (or a lemma) that it does not have.
    """
    counter = Counter(*find_engine(asked.engine).unit)
    with counter:
        counter.phase("building")
        system = compiled(subject)
    _known(system, asked.properties)
    question = asked.of(system, counter)
    with asking(subject.title, counter, "after {} every verdict is unknown"):
        result = decide(question, asked.engine, expectation or subject.expectation)
    advise(result.advice)
    refuse_no_demand(system, result.verdicts.values())
    return result


def instead(asked: Asked, stop: Stop | None) -> str:
    """What else could be asked, where the search of all states was too large for a limit."""
    if asked.engine not in EXPLORING or stop is None or not more(stop):
        return ""
    return "or ask less: smaller sizes, --engine bmc (what is near the start), check-invariants simulate (random runs)"


def warn(result: Result) -> None:
    """Tell on standard error what the verdicts rest on that is hardly meant, where the output itself does not."""
    standard.note("".join(f"warning: {warning}\n" for warning in result.warnings))


def checked_quietly(subject: Subject, asked: Asked) -> Result:
    """The same without a word about it, as other processes do it. Raises as `checked`."""
    system = compiled(subject)
    _known(system, asked.properties)
    with meaningful(subject.title):
        result = decide(asked.of(system, SILENT), asked.engine, subject.expectation)
    refuse_no_demand(system, result.verdicts.values())
    return result


def _known(system: TransitionSystem, names: Sequence[str]) -> None:
    """Refuse names that it does not have, and a model that demands nothing and whose runs can have no error."""
    if names or not system.implicit:
        chosen_properties(system, names)


def refuse_no_demand(system: TransitionSystem, verdicts: Iterable[Verdict]) -> None:
    """Raise EmptySelection if all was well, and nothing was demanded but that runs have no error which the model does not name itself."""
    named = any(item.kind is FaultKind.ERROR for item in system.implicit)
    if named or system.properties or any(verdict.outcome is not Outcome.HOLDS for verdict in verdicts):
        return
    errors = ", ".join(item.name for item in system.implicit)
    raise EmptySelection(
        f"{system.name} demands nothing: it has no properties, and no error of a run was found ({errors}); "
        "give it some, such as m.always(...)"
    )


def _conditions_of(system: TransitionSystem, names: Sequence[str]) -> list[BoolExpr]:
    """What the invariants of these names say. Raises BadParameter for one that the system does not have, or of another kind."""
    found: list[BoolExpr] = []
    for item in chosen_properties(system, names, "--lemma") if names else ():
        if not isinstance(item, Always):
            raise click.BadParameter(
                f"{item.name} is demanded by {item.written}: only an `always` can be a lemma", param_hint="'--lemma'"
            )
        found.append(item.holds)
    return found
