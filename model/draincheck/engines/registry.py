"""The engines there are: what each decides, which limits it knows, what it refuses. None but explicit search is loaded before it is asked.

All of them leave demands on whole runs to `liveness`, which is asked beside whichever is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from msgspec import Struct

from draincheck.engines.explicit import decide
from draincheck.errors import ModelError, OutOfBudget
from draincheck.expr import BoolExpr
from draincheck.properties import FAULTS, Always, Assertion, CanAlwaysFinish, NoDeadlock, NoFault, Property, Reachable
from draincheck.reason import Stop, StopKind, Undecided
from draincheck.system import TransitionSystem
from draincheck.verdict import SILENT, Exploration, Limits, Outcome, Reporter, Verdict

__all__ = ["ENGINES", "Answered", "Engine", "Question", "find_engine", "refuse_limits"]


class Question(Struct, frozen=True):
    """What an engine is asked: a verdict on each of some properties. `lemmas` may help those that can use them."""

    system: TransitionSystem
    names: Sequence[str]
    limits: Limits
    reporter: Reporter = SILENT
    lemmas: Sequence[BoolExpr] = ()


#: verdicts by name, and for an engine that sees the whole system what it saw
Answered = tuple[dict[str, Verdict], Exploration | None]


class Engine(Struct, frozen=True):
    """A way to decide properties of states and steps. Faults that some run meets have verdicts, whether they were asked for or not.

    Attributes:
        name: what users call it.
        meaning: what it does, in a line.
        unit: what its reporter counts.
        limits: the fields of `Limits` that it knows beside time and memory; others it refuses.
        decides: the kinds of property it decides; others it refuses, with *unknown* and a reason.
        answer: asks it.
    """

    name: str
    meaning: str
    unit: str
    limits: frozenset[str]
    decides: tuple[type[Property], ...]
    answer: Callable[[Question], Answered]

    def ask(self, question: Question) -> Answered:
        """Its verdicts, within the limits that it knows (see `refuse_limits`)."""
        return self.answer(question)


def _explicit(asked: Question) -> Answered:
    system = asked.system
    named = [item for item in FAULTS.values() if item.name in asked.names]
    found = decide(system, (*system.properties, *named), asked.limits, asked.reporter)
    return dict(found.verdicts), found


def _bmc(asked: Question) -> Answered:
    from draincheck.engines.smt import bmc

    return bmc.decide(asked.system, asked.names, asked.limits, asked.reporter), None


def _induction(asked: Question) -> Answered:
    from draincheck.engines.smt import induction

    # one by one: with a large k that is faster than all in one solver
    def prove(name: str) -> dict[str, Verdict]:
        found = induction.prove(asked.system, [name], asked.limits, asked.reporter, asked.lemmas)
        return {name: verdict for name, (verdict, _) in found.items()}

    return _one_by_one(asked, prove)


def _portfolio(asked: Question) -> Answered:
    from draincheck.engines import portfolio

    return _one_by_one(asked, lambda name: portfolio.decide(asked.system, name, asked.limits, asked.reporter))


def _simulation(asked: Question) -> Answered:
    from draincheck.engines import simulation

    depth = asked.limits.depth or simulation.DEPTH
    walks = partial(simulation.simulate, depth=depth, limits=asked.limits, reporter=asked.reporter)
    return _one_by_one(asked, lambda name: walks(asked.system, [name]).verdicts)


def _one_by_one(asked: Question, decide: Callable[[str], dict[str, Verdict]]) -> Answered:
    """Decide one property after the other; what is found of faults on the way does not replace what was asked.

    After Ctrl-C, or a limit, what is decided stays so, and the others are unknown.
    """
    found: dict[str, dict[str, Verdict]] = {}
    stopped = Undecided(stopped=Stop(StopKind.REQUEST))
    try:
        for name in asked.names:
            found[name] = decide(name)
    except KeyboardInterrupt:
        pass
    except OutOfBudget as limit:
        stopped = Undecided(stopped=limit.stop)
    faults = {name: verdict for each in found.values() for name, verdict in each.items() if name in FAULTS}
    mine = {
        name: found[name][name] if name in found else Verdict(name, Outcome.UNKNOWN, stopped) for name in asked.names
    }
    return faults | mine, None


_STATES: Final = (Always, Assertion, Reachable, NoDeadlock, NoFault)
_BRANCHING: Final = (*_STATES, CanAlwaysFinish)
_STATES_LIMIT: Final = frozenset(("states",))
_DEPTH_LIMIT: Final = frozenset(("depth",))


ENGINES: Final = (
    Engine("explicit", "every reachable state", "states found", _STATES_LIMIT, _BRANCHING, _explicit),
    Engine("bmc", "z3, up to a depth", "steps looked ahead", _DEPTH_LIMIT, _STATES, _bmc),
    Engine("induction", "z3, a proof by k-induction", "states looked back on", _DEPTH_LIMIT, _STATES, _induction),
    Engine(
        "auto",
        "explicit search and bmc, whoever is first",
        "states or steps",
        _STATES_LIMIT | _DEPTH_LIMIT,
        _BRANCHING,
        _portfolio,
    ),
    Engine("simulation", "random walks, only a search", "states visited", _DEPTH_LIMIT, _STATES, _simulation),
)


def find_engine(name: str) -> Engine:
    """The engine of this name. Raises ModelError for a name that none has."""
    for engine in ENGINES:
        if engine.name == name:
            return engine
    raise ModelError(f"unknown engine {name!r}; known: {', '.join(engine.name for engine in ENGINES)}")


def refuse_limits(engine: Engine, limits: Limits) -> None:
    """Raise ModelError for a limit that an engine does not know: it would be kept in silence, or not at all."""
    for name in ("states", "depth"):
        if getattr(limits, name) is not None and name not in engine.limits:
            others = ", ".join(other.name for other in ENGINES if name in other.limits)
            raise ModelError(f"the engine {engine.name} knows no limit of {name}; engines that do: {others}")
