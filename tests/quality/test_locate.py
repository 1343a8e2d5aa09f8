"""Backtraces made of the states in which models hang, dead-lock, go round or abort: found again, the right ones first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from random import Random

import pytest

from draincheck.backtrace.index import Sight
from draincheck.backtrace.located import Candidate, Located, LocatedAs, candidates, located
from draincheck.backtrace.locating import StackSearch
from draincheck.backtrace.reading import read_backtrace
from draincheck.backtrace.sought import sought
from draincheck.backtrace.stacks import Start
from draincheck.model_file import ModelFile
from draincheck.verdict import Limits
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.specifications import find_specification
from drainspecs.suite.matrix import default_rows
from tests.support.backtraces import STRANGERS, eu_stack, gdb, noisy, of_moment
from tests.support.house import ROOT
from tests.support.samples import sampled

LIMITS = Limits(states=200_000)
#: code bases of the quick run: with hangs, and without
SAMPLE = ("v2.6.0", "65c1b5b622", "321d1dba8b")


@cache
def systems(whole: bool, specification: str = "invariant") -> tuple[Candidate, ...]:
    rows = (
        default_rows()
        if whole
        else [row for row in default_rows() if row.revision.name in SAMPLE or row.revision.release in SAMPLE]
    )
    named = find_specification(specification)
    return tuple(candidates((CodeBase(row.revision, row.scenario, specification=named) for row in rows), LIMITS))


def wrong(kind: str, chance: Random, all_of_them: Sequence[Candidate]) -> list[str]:
    """The states that are hopeless, or steps that violate something, whose own systems are not among the first that are found."""
    missed: list[str] = []
    for candidate in all_of_them:
        for moment in candidate.postures.moments:
            if moment.hopeless if kind == "hopeless" else moment.breaks:
                found = located(read_backtrace(text_of(moment, chance)), all_of_them)
                if not is_first(found, candidate, moment):
                    missed.append(f"{candidate.subjects[0].title}: {moment}")
    return missed


def is_first(found: Located, candidate: Candidate, moment: Sight) -> bool:
    """Whether the first places, those that cost the least, have the system with what was violated there."""
    best = [place for place in found.places if place.match.cost == found.places[0].match.cost]
    violated = {*moment.hopeless, *moment.breaks}
    return any(candidate in [each for each, _ in place.where] and {*place.violated} & violated for place in best)


def text_of(moment: Sight, chance: Random) -> str:
    """A backtrace of a state; a step that violates something aborts."""
    stacks = of_moment(moment)
    if moment.breaks:
        name, calls = stacks[0]
        stacks[0] = name, [*calls, "__assert_fail", "abort", "raise"]
    shown = noisy(stacks, chance)
    return eu_stack(shown) if chance.random() < 0.3 else gdb(shown, addresses=chance.random() < 0.5)


@pytest.mark.slow
def test_hangs_of_some_code_bases_are_found_again() -> None:
    """With frames, suffixes and threads that no model has."""
    assert any(moment.hopeless for each in systems(False) for moment in each.postures.moments)
    assert wrong("hopeless", Random(1), systems(False)) == []


@pytest.mark.slow
def test_aborts_of_some_code_bases_are_found_again() -> None:
    """Steps that violate something, as the stacks of who takes them."""
    assert any(moment.breaks for each in systems(False) for moment in each.postures.moments)
    assert wrong("breaks", Random(4), systems(False)) == []


@pytest.mark.slow
def test_what_is_not_searched_is_not_found() -> None:
    """Negative control: without the code base itself its hang is missed."""
    every = systems(False)
    hung = next(each for each in every if any(moment.hopeless for moment in each.postures.moments))
    moment = next(moment for moment in hung.postures.moments if moment.hopeless)
    others = [each for each in every if each is not hung]
    assert not is_first(located(read_backtrace(gdb(of_moment(moment))), others), hung, moment)


@pytest.mark.slow
@pytest.mark.parametrize("text", STRANGERS)
def test_other_programs_are_unknown_to_all_code_bases(text: str) -> None:
    """The same, held against every code base in every default scenario."""
    assert located(read_backtrace(text), systems(True)).answer is LocatedAs.NOTHING


@pytest.mark.parametrize("specification", sampled(["liveness", "invariant", "liveness while the storage stalls"], 0, 1))
def test_every_hang_and_lasso_is_found_again(specification: str) -> None:
    """Of every code base in every default scenario."""
    every = systems(True, specification)
    assert any(moment.hopeless for each in every for moment in each.postures.moments)
    assert wrong("hopeless", Random(2), every) == []


def test_a_hang_is_named_with_its_code_bases() -> None:
    """Where nothing but a hang looks like that."""
    every = systems(False)
    seen = {
        (moment.threads, moment.coroutines) for each in every for moment in each.postures.moments if not moment.hopeless
    }
    only = [
        moment
        for each in every
        for moment in each.postures.moments
        if moment.hopeless and (moment.threads, ()) not in {(t, ()) for t, _ in seen}
    ]
    for moment in only[:3]:
        assert located(read_backtrace(gdb(of_moment(moment))), every).answer is LocatedAs.NAMED


def test_a_missing_thread_does_not_hide_a_hang() -> None:
    """Not everybody sends all threads: what is left still fits."""
    every = systems(False)
    hang = next(
        moment for each in every for moment in each.postures.moments if moment.hopeless and len(moment.threads) > 1
    )
    for i in range(len(hang.threads)):
        stacks = of_moment(hang)
        del stacks[i]
        found = located(read_backtrace(gdb(stacks)), every)
        assert any({*place.violated} & {*hang.hopeless} for place in found.places)


@pytest.mark.parametrize("text", STRANGERS)
def test_other_programs_are_unknown(text: str) -> None:
    """Stacks of programs that have nothing to do with a block layer's event loop."""
    assert located(read_backtrace(text), systems(False)).answer is LocatedAs.NOTHING


def test_a_model_of_ones_own_is_found_by_its_calls() -> None:
    """The same index, for any model: two threads in their locks."""
    own = tuple(candidates([ModelFile.load(f"{ROOT}/examples/deadlock.py:deadlock", {})], LIMITS))
    hopeless = [moment for moment in own[0].postures.moments if moment.hopeless]
    assert hopeless
    found = located(read_backtrace(gdb(of_moment(hopeless[0]))), own)
    assert found.answer in (LocatedAs.NAMED, LocatedAs.SEVERAL)
    assert found.places[0].violated == hopeless[0].hopeless


def test_what_stands_otherwise_is_not_a_perfect_fit() -> None:
    """Negative control: a call that the model has elsewhere costs, and the answer is no longer that name."""
    every = systems(False)
    hang = next(moment for each in every for moment in each.postures.moments if moment.hopeless)
    stacks = [(name, [*calls[:-1], "mirror_exit", calls[-1]]) for name, calls in of_moment(hang)]
    found = located(read_backtrace(gdb(stacks)), every)
    assert found.answer in (LocatedAs.PARTIAL, LocatedAs.NOTHING)
    assert not any(place.match.fits for place in found.places)


def test_the_main_thread_is_nobody_else() -> None:
    """Nor is anybody else the main thread: whatever their calls have in common, and whoever is missing."""
    every = systems(False)
    for name in ("idle-iothread", "quit", "stop-iothread"):
        text = (ROOT / "tests" / "data" / "backtraces" / f"{name}.txt").read_text(encoding="utf-8")
        stacks = sought(read_backtrace(text), every[0].postures.vocabulary)
        pairs = [pair for each in every for match in StackSearch(stacks).matches(each.postures) for pair in match.pairs]
        both = [(pair.stack, pair.calls) for pair in pairs if pair.stack is not None and pair.calls is not None]
        assert both
        assert all((stack.start is Start.MAIN) == (calls.process == "main thread") for stack, calls in both)


def test_a_text_that_does_not_say_who_began_leaves_that_open() -> None:
    """Negative control: cut at the outer end, a stack may be anybody's."""
    every = systems(False)
    stacks = sought(read_backtrace("#0 ppoll ()\n#1 aio_poll ()\n"), every[0].postures.vocabulary)
    pairs = [pair for each in every for match in StackSearch(stacks).matches(each.postures) for pair in match.pairs]
    assert len({pair.calls.process for pair in pairs if pair.stack is not None and pair.calls is not None}) > 1
