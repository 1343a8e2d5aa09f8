"""Asking the library: its errors as the command line's, its progress on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

import click

from check_invariants.exit import Interrupted, MalformedInput
from check_invariants.output import Counter
from check_invariants.selection import chosen_properties
from draincheck.checking import Result, check
from draincheck.engines.registry import find_engine
from draincheck.errors import ModelError
from draincheck.expr import BoolExpr
from draincheck.properties import Always
from draincheck.subject import Subject
from draincheck.system import TransitionSystem
from draincheck.verdict import NO_LIMITS, Limits

__all__ = ["checked", "compiled"]


def compiled(subject: Subject) -> TransitionSystem:
    """The model. Raises MalformedInput, with the place, if it cannot be given a meaning."""
    try:
        return subject.system()
    except ModelError as error:
        raise MalformedInput(f"{subject.title}: {error}") from error


def checked(
    subject: Subject,
    properties: Sequence[str],
    limits: Limits = NO_LIMITS,
    engine: str = "explicit",
    lemmas: Sequence[str] = (),
) -> Result:
    """The verdicts on the chosen properties.

    Raises MalformedInput for a model that makes an impossible step, BadParameter for a property (or a lemma) that it does not have.
    """
    system = compiled(subject)
    chosen_properties(system, properties)
    helpful = _conditions_of(system, lemmas)
    counter = Counter(find_engine(engine).unit)
    try:
        with counter:
            return check(subject, properties, engine=engine, limits=limits, reporter=counter, lemmas=helpful)
    except ModelError as error:
        raise MalformedInput(f"{subject.title}: {error}") from error
    except KeyboardInterrupt as error:
        done = f"{counter.done} {counter.what.removesuffix(' found')}"
        raise Interrupted(f"interrupted after {done}: every verdict is unknown") from error


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
