"""The answer in one sentence: what a code base does to the guest whose disk it is, and in which scenarios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from draincheck.words import listed, number_word
from drainspecs.mirror.impact import SAFE

__all__ = ["CONDITIONS", "answer"]

#: what can go wrong, the worst first: what a code base does, and what it may also do
_VERBS: Final = {
    "silent loss": ("loses acknowledged writes silently", "lose acknowledged writes silently"),
    "crash": ("crashes", "crash"),
    "abort": ("aborts", "abort"),
    "hang": ("hangs", "hang"),
    "nothing happens": ("never completes its job", "never complete its job"),
    "stray request": ("submits a request between (a) and (c)", "submit a request between (a) and (c)"),
}

#: scenario -> one that varies it, and what must not happen there if only that goes wrong: safe, as long as that is so
CONDITIONS: Final = {"dataplane": ("dataplane-stop", "nobody resets the device or stops the VM")}


def answer(name: str, found: Mapping[str, Sequence[str]], conditions: Mapping[str, str] | None = None) -> str:
    """What a code base does, in a sentence without a full stop.

    Args:
        name: what it is called.
        found: scenario -> what comes of it there, in the words of `impact.consequences`, or others (`model fault`, `unknown`).
        conditions: scenario -> what must be so for it to be safe there.
    """
    places = {word: [scenario for scenario, words in found.items() if word in words] for word in _VERBS}
    bad = [clause for clause in _clauses(places) if clause]
    safe = _safe([scenario for scenario, words in found.items() if SAFE in words], conditions or {})
    others = dict.fromkeys(word for words in found.values() for word in words if word not in (SAFE, *_VERBS))
    rest = [f"{word} in {listed([s for s, words in found.items() if word in words])}" for word in others]
    head = f"{name} {', '.join(bad)}" if bad else f"{name} is {safe}" if safe else f"{name}: {rest.pop(0)}"
    return "; ".join([head, *([safe] if bad and safe else []), *rest])


def _clauses(places: Mapping[str, Sequence[str]]) -> list[str]:
    """What goes wrong; what goes wrong beside something that has been said comes shorter."""
    said: list[str] = []
    clauses: list[str] = []
    for word, where in places.items():
        does, may = _VERBS[word]
        if where and set(where) <= set(said):
            clauses.append(f"may also {may} {_again(where, said)}")
        elif where:
            clauses.append(f"{does} in {listed(where)}")
            said = list(where)
    return clauses


def _again(where: Sequence[str], said: Sequence[str]) -> str:
    """Places that have been named just now."""
    if len(where) == len(said):
        return "there"
    if list(where) != list(said[-len(where) :]):
        return f"in {listed(where)}"
    return "in the last" if len(where) == 1 else f"in the last {number_word(len(where))}"


def _safe(where: Sequence[str], conditions: Mapping[str, str]) -> str:
    """Where nothing goes wrong, "" if that is nowhere; those with a condition come last."""
    free = [scenario for scenario in where if scenario not in conditions]
    bound = [scenario for scenario in where if scenario in conditions]
    parts = [listed(free)] if free else []
    parts += [f"{scenario} as long as {conditions[scenario]}" for scenario in bound]
    return f"safe with {', and with '.join(parts)}" if parts else ""
