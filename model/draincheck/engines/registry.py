"""The engines there are: what each decides, which limits it knows, what it refuses, and where it lives: it is loaded when it is asked.

All of them leave demands on whole runs to `liveness`, which is asked beside whichever is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from msgspec import Struct

from draincheck.elsewhere import loaded
from draincheck.engines.question import Answered, Question
from draincheck.errors import ModelError
from draincheck.native.tiers import Tier
from draincheck.properties import Always, Assertion, CanAlwaysFinish, Liveness, NoDeadlock, NoFault, Property, Reachable
from draincheck.system import TransitionSystem
from draincheck.verdict import Limits, Reporter, Verdict

__all__ = ["ENGINES", "EXPLORING", "Engine", "decide_runs", "find_engine", "refuse_limits"]


class Answers(Protocol):
    """Answers a question. Raises OutOfBudget, or KeyboardInterrupt, if it has nothing to say yet."""

    def __call__(self, asked: Question, /) -> Answered: ...


class DecidesRuns(Protocol):
    """Decides demands on whole runs; `advise` is told what would have made it faster. Raises as `Answers`."""

    def __call__(
        self,
        system: TransitionSystem,
        items: Sequence[Liveness],
        limits: Limits,
        reporter: Reporter,
        *,
        tier: Tier,
        advise: Callable[[str], None],
    ) -> dict[str, Verdict]: ...


class Engine(Struct, frozen=True):
    """A way to decide properties of states and steps. Faults are looked for whatever is asked; those that some run meets have verdicts.

    Attributes:
        name: what users call it.
        meaning: what it does, in a line.
        unit: what its reporter counts, in the singular, and what stands behind that.
        limits: the fields of `Limits` that it knows beside time and memory; others it refuses.
        decides: the kinds of property it decides; others it refuses, with *unknown* and a reason.
        home: where the function is that answers.
        reduces: it may search a reduced system.
        graphs: who makes the graph for demands on whole runs that are asked beside it.
    """

    name: str
    meaning: str
    unit: tuple[str, str]
    limits: frozenset[str]
    decides: tuple[type[Property], ...]
    home: str
    reduces: bool = False
    graphs: Tier = Tier.BY_SIZE

    def ask(self, question: Question) -> Answered:
        """Its verdicts, within the limits that it knows (see `refuse_limits`)."""
        answer: Answers = loaded(self.home)
        return answer(question)


_STATES: Final = (Always, Assertion, Reachable, NoDeadlock, NoFault)
_BRANCHING: Final = (*_STATES, CanAlwaysFinish)
_STATES_LIMIT: Final = frozenset(("states",))
_DEPTH_LIMIT: Final = frozenset(("depth",))


ENGINES: Final = (
    *(
        Engine(name, meaning, ("state", "found"), _STATES_LIMIT, _BRANCHING, home, True, graphs)
        for name, meaning, home, graphs in (
            (
                "explicit",
                "every reachable state, by whichever of the next two is faster",
                "draincheck.engines.explicit:answer",
                Tier.BY_SIZE,
            ),
            (
                "native",
                "every reachable state, by machine code",
                "draincheck.engines.explicit:answer_natively",
                Tier.BY_SIZE,
            ),
            (
                "python",
                "every reachable state, by Python alone",
                "draincheck.engines.explicit:answer_by_python",
                Tier.PYTHON,
            ),
        )
    ),
    Engine(
        "bmc", "z3, up to a depth", ("step", "looked ahead"), _DEPTH_LIMIT, _STATES, "draincheck.engines.smt.bmc:answer"
    ),
    Engine(
        "induction",
        "z3, a proof by k-induction",
        ("state", "looked back on"),
        _DEPTH_LIMIT,
        _STATES,
        "draincheck.engines.smt.induction:answer",
    ),
    Engine(
        "auto",
        "explicit search and bmc, whoever is first",
        ("state or step", ""),
        _STATES_LIMIT | _DEPTH_LIMIT,
        _BRANCHING,
        "draincheck.engines.portfolio:answer",
    ),
    Engine(
        "simulation",
        "random walks, only a search",
        ("state", "visited"),
        _DEPTH_LIMIT,
        _STATES,
        "draincheck.engines.simulation:answer",
    ),
)


#: the engines that visit every state, and say what they saw
EXPLORING: Final = frozenset(("explicit", "native", "python"))


def find_engine(name: str) -> Engine:
    """The engine of this name. Raises ModelError for a name that none has."""
    for engine in ENGINES:
        if engine.name == name:
            return engine
    raise ModelError(f"unknown engine {name!r}; known: {', '.join(engine.name for engine in ENGINES)}")


def decide_runs(
    question: Question, items: Sequence[Liveness], tier: Tier, advise: Callable[[str], None]
) -> dict[str, Verdict]:
    """The verdicts on demands on whole runs, whichever engine decides the others; see `DecidesRuns`."""
    decide: DecidesRuns = loaded("draincheck.engines.liveness:decide")
    return decide(question.system, items, question.limits, question.reporter, tier=tier, advise=advise)


def refuse_limits(engine: Engine, limits: Limits) -> None:
    """Raise ModelError for a limit that an engine does not know: it would be kept in silence, or not at all."""
    for name in ("states", "depth"):
        if getattr(limits, name) is not None and name not in engine.limits:
            others = ", ".join(other.name for other in ENGINES if name in other.limits)
            raise ModelError(f"the engine {engine.name} knows no limit of {name}; engines that do: {others}")
