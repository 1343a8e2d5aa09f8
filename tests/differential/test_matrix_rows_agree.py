"""Explicit search says of every row of the default matrix what the interpreter says, and the other engines what explicit search says.

Many rows have the same system, across scenarios too: each system is checked once, with the first scenario that has it; every run checks
one, `make long` all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, cached_property

import pytest

from draincheck import interpreter
from draincheck.engines import explicit, portfolio
from draincheck.engines.smt import bmc, induction
from draincheck.engines.smt.mutexes import Pairs
from draincheck.engines.smt.relation import Relation
from draincheck.errors import EvidenceError
from draincheck.properties import Assertion
from draincheck.reason import Excluded
from draincheck.semantics.violation import shown_by
from draincheck.solvers import Answer
from draincheck.system import TransitionSystem
from draincheck.verdict import Exploration, Limits, Outcome, Verdict
from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS
from drainspecs.suite.matrix import Row, default_rows
from tests.support import rows
from tests.support.agreement import NEVER
from tests.support.samples import sampled

#: how many systems each scenario has that none before it has
SYSTEMS = {"mirror": 30, "dataplane": 28, "commit": 1, "timer": 25, "no-ioeventfd": 26}

#: what every run looks at, and the systems of each scenario
BANDAGE = "ab27c3b5e7 / mirror"
PARTS = (BANDAGE, *SYSTEMS)
#: the first in CI; the others, which take minutes, in `make long`
FULL = 1

#: verdicts that induction reaches with k = 1: by a proof, and because pairs of values exclude what would show the property violated, where
#: that is not inductive without control locations; larger k add nothing on a sample of the rows, and cost as much again each
PROVED = {
    BANDAGE: (4, 2),
    "mirror": (99, 132),
    "dataplane": (81, 179),
    "commit": (5, 0),
    "timer": (66, 57),
    "no-ioeventfd": (66, 63),
}

#: how deep properties that nothing shows are looked at; further down z3 has more and more to do
DEPTH = 25


class Distinct:
    """A system that some rows share."""

    def __init__(self, row: Row, system: TransitionSystem) -> None:
        self.name, self.system = f"{row.revision.name} / {row.scenario.name}", system
        self.rows = [row]

    @cached_property
    def explored(self) -> Exploration:
        """What explicit search says of it."""
        return explicit.explore(self.system)

    @property
    def verdicts(self) -> Mapping[str, Verdict]:
        """The verdicts among that."""
        return self.explored.verdicts

    @cached_property
    def pairs(self) -> Pairs:
        """The analysis of pairs of values."""
        return Pairs(self.system)

    @property
    def asked(self) -> list[str]:
        """The properties that single states show."""
        return [item.name for item in self.system.properties if shown_by(self.system, item) is not None]

    def depth(self, name: str) -> int | None:
        """How deep the first state lies that shows a property; None if none does."""
        length = _length(self.verdicts[name])
        return None if length is None else length - isinstance(self.system.property_named(name), Assertion)

    @property
    def deepest(self) -> int:
        """How deep the last of them lies."""
        return max(self.depth(name) or 0 for name in self.asked)

    @property
    def not_shown(self) -> list[str]:
        """The properties that no state shows."""
        return [name for name in self.asked if self.depth(name) is None]

    def differences(self, found: Mapping[str, Verdict], depth: int) -> list[str]:
        """Where the verdicts of a search down to a depth differ in outcome or length."""
        return [f"{self.name} {name}: {found[name]}" for name in found if not self._agrees(name, found[name], depth)]

    def _agrees(self, name: str, verdict: Verdict, depth: int) -> bool:
        expected, shown = self.verdicts[name], self.depth(name)
        if verdict.outcome is Outcome.UNKNOWN:
            return shown is None or shown > depth
        same_length = _length(verdict) == _length(expected)
        return verdict.outcome is expected.outcome and same_length


def _length(verdict: Verdict) -> int | None:
    return None if verdict.trace is None else len(verdict.trace.actions)


@cache
def _systems() -> Mapping[str, Distinct]:
    """The distinct systems by their digests, in the order of the rows."""
    found: dict[str, Distinct] = {}
    for row in default_rows():
        system = rows.system(row)
        if system.digest in found:
            found[system.digest].rows.append(row)
        else:
            found[system.digest] = Distinct(row, system)
    return found


def _of(part: str) -> list[Distinct]:
    return [distinct for distinct in _systems().values() if part in (distinct.name, distinct.rows[0].scenario.name)]


@pytest.mark.slow
def test_every_row_is_among_the_systems() -> None:
    """All rows of the default matrix have one of the systems that are compared here."""
    assert {scenario.name: len(_of(scenario.name)) for scenario in DEFAULT_SCENARIOS} == SYSTEMS
    assert sum(len(distinct.rows) for distinct in _systems().values()) == len(default_rows()) == 263


@pytest.mark.parametrize("part", sampled(PARTS, 0, FULL))
def test_the_interpreter_explores_the_same(part: str) -> None:
    """Statistics, verdicts and traces of explicit search are exactly those of the reference interpreter."""
    assert [d.name for d in _of(part) if interpreter.explore(d.system) != d.explored] == []


@pytest.mark.slow
@pytest.mark.parametrize("part", sampled(PARTS, 1, FULL))
def test_bmc_finds_what_explicit_search_finds(part: str) -> None:
    """Every violated property is found, and every goal reached, with the same length."""
    for distinct in _of(part):
        shown = [name for name in distinct.asked if distinct.depth(name) is not None]
        assert len(shown) >= 2
        assert _searched(distinct, shown, distinct.deepest) == []


@pytest.mark.parametrize("part", sampled(PARTS, 0, FULL))
def test_bmc_finds_nothing_else(part: str) -> None:
    """A property that no state shows is not shown by any path of up to `DEPTH` steps."""
    for distinct in _of(part):
        assert _searched(distinct, distinct.not_shown, DEPTH) == []


@pytest.mark.parametrize(
    ("part", "every"),
    [pytest.param("mirror", 15, marks=pytest.mark.slow)]
    + [pytest.param(p, 1, marks=pytest.mark.long) for p in PARTS[1:]],
)
def test_bmc_finds_nothing_else_at_all(part: str, every: int) -> None:
    """Nor by one of as many steps as lead to any state."""
    for distinct in _of(part)[::every]:
        assert _searched(distinct, distinct.not_shown, distinct.explored.statistics.depth) == []


def _searched(distinct: Distinct, names: Sequence[str], depth: int) -> list[str]:
    """Where bounded model checking of some properties, down to a depth, differs from explicit search."""
    found = bmc.decide(distinct.system, names, Limits(depth=depth), pairs=distinct.pairs)
    assert [*found] == names
    return distinct.differences(found, depth)


@pytest.mark.slow
@pytest.mark.parametrize("part", sampled(PARTS, 1, FULL))
def test_induction_proves_what_holds(part: str) -> None:
    """What induction with k = 1 decides is what explicit search says; so much of it is decided."""
    proofs = excluded = 0
    for distinct in _of(part):
        found = induction.prove(distinct.system, distinct.asked, Limits(depth=1), pairs=distinct.pairs)
        verdicts = {name: verdict for name, (verdict, _) in found.items()}
        assert distinct.differences(verdicts, 0) == []
        proofs += sum(proof is not None for _, proof in found.values())
        excluded += sum(isinstance(v.reason, Excluded) and v.outcome is not Outcome.UNKNOWN for v in verdicts.values())
    assert (proofs, excluded) == PROVED[part]


@pytest.mark.parametrize("part", sampled(PARTS, 1, FULL))
def test_the_race_agrees(part: str) -> None:
    """The race decides S1 like explicit search, whichever engine is first."""
    for distinct in _of(part):
        assert distinct.differences({"S1": portfolio.check(distinct.system, "S1", first_states=100)}, NEVER) == []
        assert distinct.differences({"S1": portfolio.check(distinct.system, "S1")}, NEVER) == []


@pytest.mark.slow
def test_what_differs_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that begins too deep, one whose variables lose their values, and induction without a step differ on the first row."""
    distinct = next(iter(_systems().values()))
    shown, first = [name for name in distinct.asked if distinct.depth(name) is not None], Pairs.first
    with monkeypatch.context() as patch:
        patch.setattr(Pairs, "first", lambda self, condition: first(self, condition) + 2)
        assert _searched(distinct, shown, distinct.deepest)
    with monkeypatch.context() as patch:
        patch.setattr(Relation, "_kept", lambda self, variable: "true")
        with pytest.raises(EvidenceError):
            _searched(distinct, shown, distinct.deepest)
    with monkeypatch.context() as patch:
        patch.setattr(induction._Step, "inductive", lambda self, name, k, seconds: Answer.UNSAT)
        found = induction.prove(distinct.system, shown, Limits(depth=1))
        assert distinct.differences({name: verdict for name, (verdict, _) in found.items()}, 0)
    assert _searched(distinct, shown, distinct.deepest) == []
