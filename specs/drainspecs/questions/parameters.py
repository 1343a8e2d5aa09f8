"""What holds for which parameters of a function that makes models: all combinations of some values, each decided by explicit search.

`safe_cubes` says it as a decision table, `flips` as the smallest changes that turn a verdict. Nothing is assumed of how verdicts depend on
parameters: every combination that an answer speaks of has been decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, product
from math import prod
from typing import Final, cast

from msgspec import Struct
from msgspec.structs import replace

from draincheck.analysis.decision_tables import Cube, Space, cover
from draincheck.checking import check
from draincheck.errors import SpaceTooLarge
from draincheck.knobs import Setting
from draincheck.model_file import Builder
from draincheck.parameters import distinct, typed
from draincheck.pool import in_processes
from draincheck.properties import FAULTS, WithinBounds
from draincheck.reason import Stop
from draincheck.sorts import Value
from draincheck.system import TransitionSystem
from draincheck.verdict import Outcome
from draincheck.words import counted

__all__ = [
    "MOST", "MOST_VALUES", "Combination", "ParameterFlip", "compared", "decide_all", "demands", "flips", "points_of", "safe_cubes",
]  # fmt: skip

#: combinations that are decided for one question
MOST: Final = 10_000
#: values of one parameter in a decision table, whose cubes are found among all sets of them
MOST_VALUES: Final = 12

Values = Mapping[str, Value]
Axes = Mapping[str, tuple[Value, ...]]


class Combination(Struct, frozen=True):
    """A combination of values and what was found.

    Attributes:
        values: the values.
        digest: of its model.
        outcomes: of each property that was asked about, and *violated* for the errors of runs, bounds included, that its model meets.
        hiding: the bounds among those that nobody asked about: one that is passed violates nothing, it keeps other things from being known.
        stopped: what kept some from being known.
        forms: of each property that was asked about what it demands (see `Property.form`).
        lacking: what others demand (by this name, and in this form) and this model does not: `compared` says it.
    """

    values: Values
    digest: str
    outcomes: Mapping[str, Outcome]
    hiding: frozenset[str] = frozenset()
    stopped: Stop | None = None
    forms: Mapping[str, str] = {}
    lacking: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether everything is demanded here that is demanded of any, and holds."""
        return self.meets and not self.lacking

    @property
    def meets(self) -> bool:
        """Whether everything holds that is demanded here."""
        return all(outcome is Outcome.HOLDS for outcome in self.outcomes.values())

    @property
    def undecided(self) -> bool:
        """Whether it is unknown if everything holds: something is unknown, and nothing is known not to hold."""
        found = [outcome for name, outcome in self.outcomes.items() if name not in self.hiding]
        return Outcome.UNKNOWN in found and not {Outcome.VIOLATED, Outcome.NEVER_ASKED} & set(found)


class ParameterFlip(Struct, frozen=True):
    """Changes of parameters that make the outcome another one, and no smaller set of these does."""

    changes: Values
    decided: Combination


def points_of(axes: Axes, fixed: Values) -> list[dict[str, Value]]:
    """All combinations. Raises SpaceTooLarge for more than `MOST`."""
    if (size := prod(map(len, axes.values()))) > MOST:
        raise SpaceTooLarge(
            f"{counted(size, 'combination')} are too many, {MOST} are the most; give some parameters one value by --set"
        )
    return [{**fixed, **dict(zip(axes, values, strict=True))} for values in product(*axes.values())]


def decide_all(
    builder: Builder, points: Sequence[Values], properties: Sequence[str], processes: int | None = None
) -> Iterator[Combination]:
    """Decide properties of each model, all if none is named, and of those that are named the ones that it has.

    What a limit keeps from being decided is unknown. Raises what `Builder.build` and `check` do.
    """

    def decided(values: Values) -> Combination:
        model = builder.build(values)
        names = [name for name in properties if demands(model.system(), [name])]
        if properties and not names:
            return Combination(values, model.system().digest, {})
        result = check(model, names)
        outcomes = {item.name: item.outcome for item in result.findings}
        bounds = {item.name for item in result.findings if isinstance(item.item, WithinBounds)}
        forms = {item.name: item.item.form for item in result.findings if item.name not in FAULTS}
        hiding = frozenset(bounds - set(properties))
        return Combination(values, result.system.digest, outcomes, hiding, result.stopped, forms)

    return in_processes(decided, points, processes)


def demands(system: TransitionSystem, names: Sequence[str]) -> bool:
    """Whether all of these can be asked of a system; whether anything can, if none is named."""
    known = {item.name for item in system.properties}
    return known.union(FAULTS).issuperset(names) if names else bool(known)


def compared(found: Sequence[Combination]) -> list[Combination]:
    """The same, each with what others demand and it does not: what is not asked does not hold.

    Where one name stands for demands of several forms, each is called by both.
    """
    demanded = dict.fromkeys(demand for item in found for demand in item.forms.items())
    forms = Counter(name for name, _ in demanded)
    called = {(name, form): name if forms[name] == 1 else f"{name} ({form})" for name, form in demanded}

    def beside_others(item: Combination) -> Combination:
        outcomes = {called.get((name, item.forms.get(name, "")), name): o for name, o in item.outcomes.items()}
        return replace(item, outcomes=outcomes, lacking=tuple(what for what in called.values() if what not in outcomes))

    return [beside_others(item) for item in found]


def safe_cubes(found: Sequence[Combination], axes: Axes) -> tuple[Cube, ...]:
    """Cubes that together contain exactly the combinations in which everything holds.

    Raises SpaceTooLarge if a parameter has more than `MOST_VALUES`.
    """
    for name, values in axes.items():
        if len(values) > MOST_VALUES:
            raise SpaceTooLarge(
                f"{name} has {len(values)} values, and a decision table takes {MOST_VALUES} at most: `check` lists them line by line"
            )
    space = Space(
        tuple(axes), cast(tuple[tuple[Setting, ...], ...], tuple(axes.values()))
    )  # integers are settings here, too
    vectors = (cast(Mapping[str, Setting], item.values) for item in found if item.good)
    return cover(space, sum(1 << space.number(vector) for vector in vectors))


def flips(
    start: Values, axes: Axes, decide: Callable[[Sequence[Values]], Iterator[Combination]], outcome: Outcome, name: str
) -> Iterator[ParameterFlip]:
    """The smallest changes of `start` that make the outcome of a property another one, fewest parameters first.

    `axes` has the values that each parameter may get; what is unknown is no other outcome, and neither is what is not demanded.
    """
    answers: list[Values] = []
    for size in range(1, len(axes) + 1):
        changes = [change for change in _changes(start, axes, size) if not any(_within(a, change) for a in answers)]
        for change, item in zip(changes, decide([{**start, **change} for change in changes]), strict=True):
            if item.outcomes.get(name, outcome) not in (outcome, Outcome.UNKNOWN):
                answers.append(change)
                yield ParameterFlip(change, item)


def _changes(start: Values, axes: Axes, size: int) -> Iterator[dict[str, Value]]:
    """All changes of so many parameters."""
    for names in combinations(axes, size):
        others = (
            [value for value in axes[name] if name not in start or distinct(value) != distinct(start[name])]
            for name in names
        )
        yield from (dict(zip(names, values, strict=True)) for values in product(*others))


def _within(small: Values, large: Values) -> bool:
    return typed(small).items() <= typed(large).items()
