"""The answer in one sentence: what a code base does to the guest whose disk it is, and in which scenarios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from draincheck.qemu import Scenario
from draincheck.words import listed, number_word
from drainspecs.mirror.impact import SAFE
from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS, find_scenario

__all__ = ["CONDITIONS", "answer", "answering_scenarios"]

#: what can go wrong, the worst first: what a code base does, and what it may also do
_VERBS: Final = {
    "silent loss": ("loses acknowledged writes silently", "lose acknowledged writes silently"),
    "crash": ("crashes", "crash"),
    "abort": ("aborts", "abort"),
    "hang": ("hangs", "hang"),
    "nothing happens": ("never completes its job", "never complete its job"),
    "stray request": ("submits a request between (w) and (c)", "submit a request between (w) and (c)"),
}

#: what comes of a request that should not be there
_OF_A_REQUEST: Final = frozenset({"silent loss", "crash", "abort"})

#: a scenario that varies a default one -> which, and when that one goes wrong if only this one does. Every scenario
#: of the kind with one job that goes wrong in some code base where its default one is safe is among them, or goes wrong with one that is
CONDITIONS: Final = {
    "dataplane-stop": ("dataplane", "the device is reset or the VM stopped"),
    **{f"{base}-flush": (base, "the guest flushes") for base in ("mirror", "dataplane", "timer", "no-ioeventfd")},
}


def answering_scenarios() -> tuple[Scenario, ...]:
    """The scenarios that an answer about a code base rests on: the default ones, and those that bring conditions."""
    return (*DEFAULT_SCENARIOS, *map(find_scenario, CONDITIONS))


def answer(name: str, found: Mapping[str, Sequence[str]]) -> str:
    """What a code base does, in a sentence without a full stop.

    Args:
        name: what it is called.
        found: scenario -> what comes of it there, in the words of `impact.consequences`, or others (`model fault`, `unknown`). What goes
            wrong in one of CONDITIONS is said of its default scenario, with when, if that is there and safe. If that goes wrong, too,
            what it does not do itself is said of the other. What can go wrong is said before what is safe.
    """
    found, conditions = _with_conditions(found)
    places = {word: [scenario for scenario, words in found.items() if word in words] for word in _VERBS}
    bad = [clause for clause in _clauses(places, conditions) if clause]
    safe = _safe([scenario for scenario, words in found.items() if SAFE in words], conditions)
    others = dict.fromkeys(word for words in found.values() for word in words if word not in (SAFE, *_VERBS))
    rest = [f"{word} in {listed([s for s, words in found.items() if word in words])}" for word in others]
    head = f"{name} {', '.join(bad)}" if bad else f"{name} is {safe}" if safe else f"{name}: {rest.pop(0)}"
    return "; ".join([head, *([safe] if bad and safe else []), *rest])


def _with_conditions(
    found: Mapping[str, Sequence[str]],
) -> tuple[Mapping[str, Sequence[str]], Mapping[str, tuple[str, str]]]:
    """What is told of each scenario, those last that go wrong where their default one is safe, and these with that one and with when.

    What is not known of one stays.
    """
    kept, conditions = dict(found), dict[str, tuple[str, str]]()
    for scenario, (base, words) in CONDITIONS.items():
        if not (scenario in found and base in found and set(found[scenario]) <= {SAFE, *_VERBS}):
            continue
        more = _more(kept.pop(scenario), found[base])
        if more:
            kept[scenario] = more
        if more and SAFE in found[base]:
            conditions[scenario] = (base, words)
    last = {scenario: kept.pop(scenario) for scenario in conditions}
    return {**kept, **last}, conditions


def _more(found: Sequence[str], base: Sequence[str]) -> list[str]:
    """What goes wrong in a scenario and not in the one that it varies; where that does harm, a request is no news."""
    harmless = not set(base) & _OF_A_REQUEST
    return [word for word in found if word not in (SAFE, *base) and (harmless or word != "stray request")]


def _clauses(places: Mapping[str, Sequence[str]], conditions: Mapping[str, tuple[str, str]]) -> list[str]:
    """What goes wrong; what goes wrong beside something that has been said comes shorter."""
    said: list[str] = []
    clauses: list[str] = []
    for word, where in places.items():
        does, may = _VERBS[word]
        if where and set(where) <= set(said):
            clauses.append(f"may also {may} {_again(where, said, conditions)}")
        elif where:
            clauses.append(f"{does} {_in(where, conditions)}")
            said = list(where)
    return clauses


def _again(where: Sequence[str], said: Sequence[str], conditions: Mapping[str, tuple[str, str]]) -> str:
    """Places that have been named just now."""
    if len(where) == len(said):
        return "there"
    if list(where) != list(said[-len(where) :]):
        return _in(where, conditions)
    return "in the last" if len(where) == 1 else f"in the last {number_word(len(where))}"


def _in(where: Sequence[str], conditions: Mapping[str, tuple[str, str]]) -> str:
    """Places, those last in which something goes wrong only under a condition."""
    groups: dict[str, list[str]] = {}
    for scenario in where:
        base, when = conditions.get(scenario, (scenario, ""))
        groups.setdefault(when, []).append(base)
    return ", and ".join(f"in {listed(bases)}{when and f' when {when}'}" for when, bases in groups.items())


def _safe(scenarios: Sequence[str], conditions: Mapping[str, tuple[str, str]]) -> str:
    """Where nothing goes wrong, "" if that is nowhere; and where nothing else does than what has been said to go wrong at times."""
    at_times = {base for base, _ in conditions.values()}
    always = [scenario for scenario in scenarios if scenario not in at_times]
    otherwise = [scenario for scenario in scenarios if scenario in at_times]
    if always and otherwise:
        return f"safe with {listed(always)}, otherwise also with {listed(otherwise)}"
    if otherwise:
        return f"otherwise safe with {listed(otherwise)}"
    return f"safe with {listed(always)}" if always else ""
