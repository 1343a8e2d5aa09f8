"""Scenarios of other sizes: explicit search says what the interpreter says, and the core does what the model does."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from draincheck import interpreter
from draincheck.conformance import conform
from draincheck.conformance.lockstep import walk
from draincheck.conformance.matrix import config_of, conform_one
from draincheck.core.machine import Machine
from draincheck.engines.explicit import explore
from draincheck.errors import UnknownName
from draincheck.qemu import Scenario, build
from draincheck.revisions import Revision, code_bases, find_revision
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.scenarios import SCENARIOS, applies, find_scenario, with_sizes
from tests.support.samples import sampled

#: one for each size, and their states at 7f16476fab; others look at more
SMALL = {
    "mirror[writes=0]": 85,
    "timer[writes=0,reads=1,flushes=1]": 1_511,
    "mirror[writes=0,disks=2]": 551,
    "mirror[writes=0,jobs=2]": 1_502,
    "mirror[writes=0,disks=3]": 3_323,
    "mirror[writes=0,reads=2]": 4_040,
}


@pytest.mark.parametrize("scenario", sampled(SMALL, list(SMALL)[:1] + list(SMALL)[2:3], 4))
@pytest.mark.parametrize("revision", sampled(["7f16476fab", "ab27c3b5e7"], 1))
def test_the_interpreter_explores_the_same(scenario: str, revision: str) -> None:
    """Statistics, verdicts and traces are exactly its own."""
    system = CodeBase.named(revision, scenario).system()
    found = explore(system)
    assert interpreter.explore(system) == found
    assert revision != "7f16476fab" or found.statistics.states == SMALL[scenario]


#: with the states of the model that has no properties
CONFORMING = {
    ("9a0cec664e", "mirror[writes=0,disks=2]"): 805,
    ("7f16476fab", "mirror[writes=0,jobs=2]"): 1_502,
    ("684e508c23", "dataplane[writes=0,disks=2]"): 2_422,
    ("7f16476fab", "mirror[writes=0,disks=3]"): 3_323,
    ("7f16476fab", "mirror[flushes=1]"): 6_105,
    ("ab27c3b5e7", "commit[writes=0,reads=2]"): 7_758,
}


@pytest.mark.parametrize("pair", sampled(CONFORMING, 1, 3))
def test_the_core_does_what_the_model_does(pair: tuple[str, str]) -> None:
    """On every edge."""
    revision, scenario = pair
    knobs, place = find_revision(revision).knobs, find_scenario(scenario)
    result = conform_one(build("sized", knobs, place).compile(), knobs, place)
    assert (result.divergences, result.states) == ((), CONFORMING[pair])


@pytest.mark.parametrize("size", ["writes", "reads", "flushes", "disks"])
def test_a_core_of_another_size_parts_from_the_model(size: str) -> None:
    """Negative control: one request or disk more than the model has."""
    knobs, scenario = find_revision("9a0cec664e").knobs, find_scenario("mirror[writes=0]")
    larger: dict[str, Any] = {size: getattr(scenario, size) + 1}
    config = config_of(replace(scenario, **larger))
    assert conform(build("sized", knobs, scenario).compile(), lambda: Machine(knobs, config)).divergences


_SIZES = st.fixed_dictionaries(
    {},
    optional={
        "writes": st.integers(0, 4),
        "reads": st.integers(0, 2),
        "flushes": st.integers(0, 1),
        "jobs": st.integers(1, 2),
        "disks": st.integers(1, 4),
    },
)


@pytest.mark.parametrize("part", sampled(range(20), 1, 8))
@settings(max_examples=10, deadline=None, print_blob=True)
@given(st.sampled_from(code_bases()), st.sampled_from(SCENARIOS), _SIZES, st.integers(0, 2**32))
def test_random_walks_agree_in_all_sizes(
    part: int, revision: Revision, scenario: Scenario, sizes: Mapping[str, int], seed: int
) -> None:
    """Whatever is not refused is built, and both walk in lockstep."""
    try:
        sized = with_sizes(scenario, sizes)
    except UnknownName:
        reject()
    assume(applies(revision, sized))
    system = build("walk", revision.knobs, sized).compile()
    parting = walk(system, Machine(revision.knobs, config_of(sized)), Random(seed).randrange, 150)
    assert parting is None, f"{revision.name} / {sized.name}: {parting}"
