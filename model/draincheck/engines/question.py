"""What engines are asked, and how they answer: all properties at once, or one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from draincheck.errors import OutOfBudget
from draincheck.expr import BoolExpr
from draincheck.properties import FAULTS
from draincheck.reason import Stop, StopKind, Undecided
from draincheck.reductions.wanted import Reductions
from draincheck.system import TransitionSystem
from draincheck.verdict import SILENT, Exploration, Limits, Outcome, Reporter, Verdict

__all__ = ["Answered", "Question", "met", "one_by_one"]


class Question(Struct, frozen=True):
    """What an engine is asked: a verdict on each of some properties. `lemmas` may help those that can use them, and so may `reductions`."""

    system: TransitionSystem
    names: Sequence[str]
    limits: Limits
    reporter: Reporter = SILENT
    lemmas: Sequence[BoolExpr] = ()
    reductions: Reductions = Reductions.NONE


#: verdicts by name, and for an engine that sees the whole system what it saw
Answered = tuple[dict[str, Verdict], Exploration | None]


def met(found: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """The faults that some run meets."""
    return {name: v for name, v in found.items() if name in FAULTS and v.outcome is Outcome.VIOLATED}


def one_by_one(
    asked: Question, decide: Callable[[str], dict[str, Verdict]], search: Callable[[Sequence[str]], dict[str, Verdict]]
) -> Answered:
    """Decide one property after the other, then `search` for the faults of which nothing is known yet.

    After Ctrl-C, or a limit, what is decided stays so, and the others are unknown.
    """
    found: dict[str, dict[str, Verdict]] = {}
    stopped = Undecided(stopped=Stop(StopKind.REQUEST))
    try:
        for name in asked.names:
            found[name] = decide(name)
        if left := _undecided_faults(asked.system, found.values()):
            found[""] = search(left)
    except KeyboardInterrupt:
        pass
    except OutOfBudget as limit:
        stopped = Undecided(stopped=limit.stop)
    faults = {name: verdict for each in found.values() for name, verdict in met(each).items()}
    mine = {
        name: found[name][name] if name in found else Verdict(name, Outcome.UNKNOWN, stopped) for name in asked.names
    }
    unknown = {name for name, verdict in mine.items() if verdict.outcome is Outcome.UNKNOWN}
    return faults | {
        name: faults.get(name, verdict) if name in unknown else verdict for name, verdict in mine.items()
    }, None


def _undecided_faults(system: TransitionSystem, found: Iterable[Mapping[str, Verdict]]) -> list[str]:
    """The names of the faults that its steps have, and of which no verdict says whether a run meets them."""
    known = {name for each in found for name, verdict in each.items() if verdict.outcome is not Outcome.UNKNOWN}
    return [item.name for item in system.implicit if item.name not in known]
