"""Explicit search, bounded model checking, k-induction, their race and the reference interpreter agree on random systems.

Every run draws systems of its own, so that many runs see more than one: a fixed seed would look at the same ones for ever. Where engines
differ the message has the recipe of the system, `Recipe(seed=...).system()`, and hypothesis prints the blob that repeats the run. What is
counted exactly comes from a fixed sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from draincheck.certificate import check, from_proof
from draincheck.engines import portfolio
from draincheck.engines.smt import bmc, induction
from draincheck.engines.smt.induction import Proof
from draincheck.engines.smt.mutexes import FOR_EVER, Pairs
from draincheck.engines.smt.relation import Relation
from draincheck.exploration import explorer
from draincheck.exploration.loop import Loop
from draincheck.expr import FALSE, TRUE
from draincheck.reason import NoLongerPath, Refused
from draincheck.solvers import Answer
from draincheck.system import TransitionSystem, Variable
from draincheck.verdict import Limits, Outcome, Verdict
from tests.support.agreement import (
    NEVER,
    Reference,
    Share,
    against_auto,
    against_bmc,
    against_explicit,
    against_induction,
    decided,
)
from tests.support.engines import one
from tests.support.samples import sampled
from tests.support.strategies import Recipe, recipes, tries

#: random systems in `make long`, the parts they are divided into, so that several processes share them, and how many parts every run and the
#: full run have
SYSTEMS, PARTS, QUICK, FULL = 5040, 252, 1, 4
#: the k that induction goes up to: nearly all that it proves is proved with 1
STEPS = (1, 1, 2, 3)

RANDOM = tries(SYSTEMS // PARTS)


def sample(number: int) -> Recipe:
    """A recipe: always the same for the same number."""
    return Recipe(number * 7919, 2 + number % 3, 1 + number // 3 % 3, number // 9 % 3, number % 2 == 0)


@cache
def references(number: int) -> Sequence[Reference]:
    """The interpreter's answers on the first so many systems of the sample."""
    return [Reference(sample(index).system()) for index in range(number)]


def disagreements(reference: Reference, steps: int) -> list[str]:
    """Where explicit search, bounded model checking or induction does not say what the interpreter says."""
    return [*against_explicit(reference), *against_bmc(reference), *against_induction(reference, steps)]


# -- agreement ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("part", sampled(range(PARTS), QUICK, FULL))
@RANDOM
@given(recipes(), st.sampled_from(STEPS), st.booleans())
def test_engines_agree_on_random_systems(part: int, recipe: Recipe, steps: int, aided: bool) -> None:
    """Verdicts, shortest lengths and faults are the interpreter's, as far as each engine promises."""
    reference = Reference(recipe.system(), aided)
    assert disagreements(reference, steps) == [], f"{recipe}, steps={steps}, aided={aided}, part {part}"


@pytest.mark.parametrize("systems", sampled([10, 40], 1))
@pytest.mark.parametrize("first_states", sampled([100_000, 1], 1))
def test_the_race_agrees(first_states: int, systems: int) -> None:
    """Whichever engine is first, the verdict on each property that an engine decides is the interpreter's."""
    for number, reference in enumerate(references(systems)):
        complete = reference.known == NEVER and reference.bound == NEVER
        for name in list(reference.depths)[number % 2 :: 3] if complete else ():
            assert against_auto(reference, name, first_states) == [], sample(number)


@pytest.mark.parametrize("first_states", [1, 100_000])
def test_the_race_agrees_where_no_step_can_be_taken(first_states: int) -> None:
    """Errors of a run are as little asked for there as what the model demands."""
    reference = Reference(sample(27).system())
    assert reference.found.statistics.transitions == 0
    for name in reference.depths:
        assert against_auto(reference, name, first_states) == []


@pytest.mark.slow
@pytest.mark.parametrize("systems", sampled([6, 30], 1, 1))
def test_one_property_alone_gets_the_verdict_it_gets_among_all(systems: int) -> None:
    """Outcome, length and reason do not depend on what else is asked, but where a fault lies deeper than the property needs.

    That no path is longer is something z3 happens to notice or not.
    """
    for number, reference in enumerate(references(systems)):
        if reference.fault == NEVER:
            names, limits = list(reference.depths), Limits(depth=reference.longest)
            together = bmc.decide(reference.system, names, limits)
            proved = induction.prove(reference.system, names, Limits(depth=2))
            for name in names:
                searched = one(bmc.decide, reference.system, name, limits)
                noticed = any(isinstance(verdict.reason, NoLongerPath) for verdict in (searched, together[name]))
                assert noticed or _said(searched) == _said(together[name]), sample(number)
                alone = one(induction.prove, reference.system, name, Limits(depth=2))[0]
                assert _said(alone) == _said(proved[name][0]), sample(number)


def _said(verdict: Verdict) -> tuple[Outcome, str, int]:
    return verdict.outcome, str(verdict.reason), -1 if verdict.trace is None else len(verdict.trace.actions)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("systems", "aided", "by_search", "by_proof"),
    [
        (30, True, 70, Share(73, 73)),
        pytest.param(30, False, 28, Share(61, 73), marks=pytest.mark.slow),
        pytest.param(200, True, 510, Share(529, 531), marks=pytest.mark.long),
        pytest.param(200, False, 190, Share(433, 531), marks=pytest.mark.long),
    ],
)
def test_engines_decide_much(systems: int, aided: bool, by_search: int, by_proof: Share) -> None:
    """How many of the verdicts that no path shows are reached without one, by bounded model checking and by proofs with k up to 3.

    Proofs are a matter of logic. What bounded model checking decides because no path is longer depends on what z3 happens to notice:
    some verdicts more or less (of 200 systems about 520 and 200); what nothing asks is in none of the numbers.
    """
    searched = proved = Share()
    for known in references(systems):
        reference = Reference(replace(known.system, at_rest=()), aided)  # that nobody is stuck neither says
        if reference.fault == NEVER:
            names, limits = list(reference.depths), Limits(depth=reference.longest + 1)
            verdicts = bmc.decide(reference.system, names, limits, pairs=reference.pairs)
            searched += decided(reference, {name for name in names if verdicts[name].outcome is not Outcome.UNKNOWN})
            proofs = induction.prove(reference.system, names, Limits(depth=3), pairs=reference.pairs)
            proved += decided(reference, {name for name in names if proofs[name][1] is not None})
    assert searched.reached >= by_search
    assert proved == by_proof


@pytest.mark.slow
@pytest.mark.parametrize(
    ("systems", "confirmations", "refusals"), [(10, 9, 3), pytest.param(40, 30, 14, marks=pytest.mark.slow)]
)
def test_proofs_become_certificates(systems: int, confirmations: int, refusals: int) -> None:
    """What induction proves of a system, z3 confirms from the text of a certificate; without the invariant it refuses where one is needed."""
    confirmed = refused = 0
    for number, system, proof in _proofs(systems):
        assert check(from_proof(system, proof), system).accepted, (sample(number), proof.property)
        confirmed += 1
        refused += not check(from_proof(system, replace(proof, formula=TRUE)), system).accepted
    assert (confirmed, refused) == (confirmations, refusals)


def _proofs(number: int) -> Iterator[tuple[int, TransitionSystem, Proof]]:
    """One proof of each system of the sample for which there is one, that with the largest k."""
    for index in range(number):
        system = sample(index).system()
        proved = induction.prove(system, [item.name for item in system.properties], Limits(depth=3))
        proofs = [proof for _, proof in proved.values() if proof is not None]
        if proofs:
            yield index, system, max(proofs, key=lambda proof: proof.k)


# -- negative controls ----------------------------------------------------------------------------------------------------------------


Break = Callable[[pytest.MonkeyPatch], None]
SYMBOLIC = "draincheck.engines.smt"


def _pairs_exclude_everything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Pairs, "first", lambda self, condition: FOR_EVER)


def _pairs_exclude_too_much(patch: pytest.MonkeyPatch) -> None:
    exclusions = Pairs.exclusions

    def more(self: Pairs) -> dict[int, list[tuple[int, int]]]:
        return {layer + 1: pairs for layer, pairs in exclusions(self).items() if layer != FOR_EVER}

    patch.setattr(Pairs, "exclusions", more)


def _search_begins_too_deep(patch: pytest.MonkeyPatch) -> None:
    first = Pairs.first
    patch.setattr(Pairs, "first", lambda self, condition: first(self, condition) + 1)


def _variables_do_not_keep_their_values(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Relation, "_kept", lambda self, variable: "true")


def _variables_always_keep_their_values(patch: pytest.MonkeyPatch) -> None:
    def kept(self: Relation, variable: Variable) -> str:
        position = self.system.position[variable]
        return f"(= w{position} v{position})"

    patch.setattr(Relation, "_kept", kept)


def _step_forgets_guards(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(f"{SYMBOLIC}.relation.faultless", lambda action: TRUE)


def _bmc_overlooks_faults(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(f"{SYMBOLIC}.bmc.fault_found", lambda system, kinds: FALSE)


def _explicit_search_drops_successors(patch: pytest.MonkeyPatch) -> None:
    def fewer(system: TransitionSystem, *more: Any) -> Loop:
        return Loop(replace(system, actions=system.actions[:-1]), *more)

    patch.setattr(explorer, "Loop", fewer)


def _induction_without_base(patch: pytest.MonkeyPatch) -> None:
    class Nothing(bmc.BoundedSearch):
        def deepen(self) -> None:
            self.depth += 1

    patch.setattr(induction, "BoundedSearch", Nothing)


def _induction_without_step(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(induction._Step, "inductive", lambda self, name, k, seconds: Answer.UNSAT)


def _induction_overlooks_bounds(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(induction, "fault_found", lambda system, kinds: FALSE)


@pytest.mark.parametrize(
    "broken",
    sampled(
        [
            _pairs_exclude_everything,
            _search_begins_too_deep,
            _explicit_search_drops_successors,
            _induction_without_step,
            _pairs_exclude_too_much,
            _variables_do_not_keep_their_values,
            _variables_always_keep_their_values,
            _step_forgets_guards,
            _bmc_overlooks_faults,
            _induction_without_base,
            _induction_overlooks_bounds,
        ],
        4,
    ),
)
def test_an_engine_that_is_wrong_is_noticed(broken: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each engine, broken on purpose, differs from the interpreter on some system of the sample; unbroken it does not."""
    broken(monkeypatch)
    wrong = next((n for n in range(200) if disagreements(Reference(sample(n).system()), 2)), None)
    assert wrong is not None
    monkeypatch.undo()
    assert disagreements(Reference(sample(wrong).system()), 2) == []


def test_a_race_that_is_won_by_a_wrong_engine_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """If bounded model checking said that everything holds, its being first would be noticed."""

    class Optimist(bmc.BoundedSearch):
        def run(self, reporter: object) -> dict[str, Verdict]:
            return {name: Verdict(name, Outcome.HOLDS, Refused("I hope so")) for name in self._names}

    monkeypatch.setattr(portfolio, "BoundedSearch", Optimist)
    assert any(
        against_auto(reference, name, 1)
        for n in range(40)
        for reference in [Reference(sample(n).system())]
        for name in reference.depths
    )
