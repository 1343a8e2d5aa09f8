"""A trace in the Informal Trace Format of Apalache and Quint (ADR-015 of Apalache, as of 2025-11), for tools that read theirs.

Numbers are big integers, values of enums are strings. Each state has all variables, the language's own included; the action that has led to
it stands in the two variables that Quint gives to model-based tests, and with its number in the state's `#meta`. Where a trace goes round for
ever, `loop` is the number of the state to which its last state is equal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from draincheck.analysis.accident import accident
from draincheck.export.naming import Spellings
from draincheck.jsonvalue import Json
from draincheck.run import Run, Step, label_of
from draincheck.sorts import BOOL, EnumSort, Sort
from draincheck.subject import About
from draincheck.system import State, TransitionSystem
from draincheck.verdict import Outcome

__all__ = ["ACTION", "FORMAT_PAGE", "PICKS", "trace_in_itf"]

FORMAT_PAGE: Final = "https://apalache-mc.org/docs/adr/015adr-trace.html"

#: the variables in which tools for model-based tests look for the step that has led to a state, and for what was chosen in it
ACTION, PICKS = "mbt::actionTaken", "mbt::nondetPicks"

#: what the format calls the types of Apalache
_TYPES: Final = {ACTION: "Str", PICKS: "{ process: Str }"}


def trace_in_itf(run: Run, about: About, outcome: Outcome | None = None) -> str:
    """The text of an `.itf.json` file; the same trace always gives the same text."""
    names = _names(run.system)
    types = {name: _type(v.sort) for name, v in zip(names, run.system.variables, strict=True)}
    data: dict[str, Json] = {
        "#meta": {
            "format": "ITF",
            "format-description": FORMAT_PAGE,
            "varTypes": {**types, **_TYPES},
            **_meta(run, about, outcome),
            "names": {name: v.name for name, v in zip(names, run.system.variables, strict=True) if name != v.name},
        },
        "vars": [*names, *_TYPES],
        "states": list(_states(run, names)),
    }
    if run.trace.loop is not None:
        data["loop"] = run.trace.loop
    return json.dumps(data, indent=1) + "\n"


def _meta(run: Run, about: About, outcome: Outcome | None) -> dict[str, Json]:
    """What a reader has to know who has nothing else."""
    trace, end = run.trace, accident(run)
    return {
        "description": f"{about.what}; {about.scenario}; written by {about.tool}",
        "source": trace.system,
        "digest": trace.digest,
        "property": trace.property,
        "verdict": None if outcome is None else outcome.value,
        "error": None if end is None else f"{end.process}: {end.label}: {end.told}",
    }


def _names(system: TransitionSystem) -> list[str]:
    """A name for each variable: its own, unless that means something else in the format or is that of one before."""
    names = [variable.name for variable in system.variables]
    first = {
        place: name for place, name in enumerate(names) if names.index(name) == place and name == _spelled(name, 1)
    }
    spellings = Spellings(_spelled, reserved=_TYPES)
    own = {place: spellings.new(name) for place, name in first.items()}
    return [own[place] if place in own else spellings.new(name) for place, name in enumerate(names)]


def _spelled(name: str, number: int) -> str:
    """A name that does not begin like a word of the format, and is one; another one for each number."""
    text = f"_{name}" if name.startswith("#") or not name else name
    return text if number == 1 else f"{text} ({number})"


def _type(sort: Sort) -> str:
    return "Str" if isinstance(sort, EnumSort) else "Bool" if sort is BOOL else "Int"


def _states(run: Run, names: Sequence[str]) -> Iterator[Json]:
    """The states, the first of which no action has led to."""
    yield {"#meta": {"index": 0}, **_values(run.system, names, run.trace.initial), **_taken("", "")}
    for number, step in enumerate(run.steps, 1):
        process, label = run.system.actions[step.action].process, _label(run.system, step)
        meta: dict[str, Json] = {"index": number, "action": label, "process": process, "number": step.action}
        yield {"#meta": meta, **_values(run.system, names, step.after), **_taken(process, label)}


def _label(system: TransitionSystem, step: Step) -> str:
    return label_of(system, system.actions[step.action], step.before)


def _taken(process: str, label: str) -> dict[str, Json]:
    """The step that has led to a state, in the variables that tell it."""
    return {ACTION: label, PICKS: {"process": process}}


def _values(system: TransitionSystem, names: Sequence[str], state: State) -> dict[str, Json]:
    """The values of a state in the words of the format."""
    decoded = (v.sort.decode(stored) for v, stored in zip(system.variables, state, strict=True))
    return {
        name: {"#bigint": str(value)} if type(value) is int else value
        for name, value in zip(names, decoded, strict=True)
    }
