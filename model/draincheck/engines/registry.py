"""The engines there are: what each decides, which limits it knows, what it refuses. None but explicit search is loaded before it is asked.

All of them leave demands on whole runs to `liveness`, which is asked beside whichever is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from draincheck.engines.explicit import decide
from draincheck.errors import ModelError, OutOfBudget
from draincheck.expr import BoolExpr
from draincheck.native.tiers import Tier
from draincheck.properties import FAULTS, Always, Assertion, CanAlwaysFinish, NoDeadlock, NoFault, Property, Reachable
from draincheck.reason import Stop, StopKind, Undecided
from draincheck.reductions.wanted import Reductions
from draincheck.system import TransitionSystem
from draincheck.verdict import SILENT, Exploration, Limits, Outcome, Reporter, Verdict

__all__ = ["ENGINES", "EXPLORING", "Answered", "Engine", "Question", "find_engine", "refuse_limits"]


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


class Engine(Struct, frozen=True):
    """A way to decide properties of states and steps. Faults are looked for whatever is asked; those that some run meets have verdicts.

    Attributes:
        name: what users call it.
        meaning: what it does, in a line.
        unit: what its reporter counts, in the singular, and what stands behind that.
        limits: the fields of `Limits` that it knows beside time and memory; others it refuses.
        decides: the kinds of property it decides; others it refuses, with *unknown* and a reason.
        answer: asks it.
        reduces: it may search a reduced system.
        graphs: who makes the graph for demands on whole runs that are asked beside it.
    """

    name: str
    meaning: str
    unit: tuple[str, str]
    limits: frozenset[str]
    decides: tuple[type[Property], ...]
    answer: Callable[[Question], Answered]
    reduces: bool = False
    graphs: Tier = Tier.BY_SIZE

    def ask(self, question: Question) -> Answered:
        """Its verdicts, within the limits that it knows (see `refuse_limits`)."""
        return self.answer(question)


def _met(found: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """The faults that some run meets."""
    return {name: v for name, v in found.items() if name in FAULTS and v.outcome is Outcome.VIOLATED}


def _explicit(tier: Tier, asked: Question) -> Answered:
    system = asked.system
    named = [item for item in FAULTS.values() if item.name in asked.names]
    chosen = Reductions.NONE if asked.reductions is Reductions.AUTO and tier is not Tier.BY_SIZE else asked.reductions
    items = (*system.properties, *named)
    found = decide(system, items, asked.limits, asked.reporter, tier, reductions=chosen)
    return dict(found.verdicts), found


def _bmc(asked: Question) -> Answered:
    from draincheck.engines.smt import bmc

    names = dict.fromkeys((*asked.names, *(item.name for item in asked.system.implicit)))
    found = bmc.decide(asked.system, [*names], asked.limits, asked.reporter)
    return _met(found) | {name: found[name] for name in asked.names}, None


def _induction(asked: Question) -> Answered:
    from draincheck.engines.smt import bmc, induction

    # one by one: with a large k that is faster than all in one solver
    def prove(name: str) -> dict[str, Verdict]:
        found = induction.prove(asked.system, [name], asked.limits, asked.reporter, asked.lemmas)
        return {name: verdict for name, (verdict, _) in found.items()}

    def search(names: Sequence[str]) -> dict[str, Verdict]:
        deep = replace(asked.limits.begun(), depth=asked.limits.depth or induction.DEFAULT_STEPS)
        return bmc.decide(asked.system, names, deep, asked.reporter)

    return _one_by_one(asked, prove, search)


def _portfolio(asked: Question) -> Answered:
    from draincheck.engines import portfolio

    def decide(name: str) -> dict[str, Verdict]:
        return portfolio.decide(asked.system, name, asked.limits, asked.reporter)

    return _one_by_one(asked, decide, lambda names: {name: decide(name)[name] for name in names})


def _simulation(asked: Question) -> Answered:
    from draincheck.engines import simulation

    depth = asked.limits.depth or simulation.DEPTH
    walks = partial(simulation.simulate, depth=depth, limits=asked.limits, reporter=asked.reporter)

    def search(names: Sequence[str]) -> dict[str, Verdict]:
        return walks(asked.system, names).verdicts

    return _one_by_one(asked, lambda name: search([name]), search)


def _one_by_one(
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
    faults = {name: verdict for each in found.values() for name, verdict in _met(each).items()}
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


_STATES: Final = (Always, Assertion, Reachable, NoDeadlock, NoFault)
_BRANCHING: Final = (*_STATES, CanAlwaysFinish)
_STATES_LIMIT: Final = frozenset(("states",))
_DEPTH_LIMIT: Final = frozenset(("depth",))


ENGINES: Final = (
    *(
        Engine(name, meaning, ("state", "found"), _STATES_LIMIT, _BRANCHING, partial(_explicit, tier), True, graphs)
        for name, meaning, tier, graphs in (
            ("explicit", "every reachable state, by whichever of the next two is faster", Tier.BY_SIZE, Tier.BY_SIZE),
            ("native", "every reachable state, by machine code", Tier.NATIVE, Tier.BY_SIZE),
            ("python", "every reachable state, by Python alone", Tier.PYTHON, Tier.PYTHON),
        )
    ),
    Engine("bmc", "z3, up to a depth", ("step", "looked ahead"), _DEPTH_LIMIT, _STATES, _bmc),
    Engine("induction", "z3, a proof by k-induction", ("state", "looked back on"), _DEPTH_LIMIT, _STATES, _induction),
    Engine(
        "auto",
        "explicit search and bmc, whoever is first",
        ("state or step", ""),
        _STATES_LIMIT | _DEPTH_LIMIT,
        _BRANCHING,
        _portfolio,
    ),
    Engine("simulation", "random walks, only a search", ("state", "visited"), _DEPTH_LIMIT, _STATES, _simulation),
)


#: the engines that visit every state, and say what they saw
EXPLORING: Final = frozenset(("explicit", "native", "python"))


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
