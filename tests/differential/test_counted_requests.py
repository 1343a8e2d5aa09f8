"""The model with counted requests against the one with named requests: do they behave alike?

Both are observed in what their shared variables say, with requests counted by stage and node, and in whether a stray request has entered
the source. The relation is stuttering equivalence (Browne, Clarke and Grümberg 1988; computed by partition refinement as Groote and
Vaandrager 1990 do): from equivalent states the same observations can follow, in the same order and with the same choices left open, each
for one step or for several. It preserves every property of observations that does not count steps, S1 in particular; the lengths of traces
need not be equal. What holds:

* While mirror has one copy in flight at a time, as in the named model, both models are equivalent, for one and for two writes.
* Without that restriction the counted model can do more: every step with one copy is a step of it. With several copies in flight a job
  is done with them in fewer iterations of the main loop, so the models are not equivalent; but no observation is new. The counted model
  over-approximates: what it proves holds in the named one, and its counterexamples are executed.
* S1 has the same verdict for one, two and three writes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cache
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from draincheck.engines.explicit import explore
from draincheck.eventloop import AioContext
from draincheck.exploration.graph import StateGraph
from draincheck.knobs import Knobs, all_knobs, parse_setting, turned
from draincheck.lang import BoolExpr, BoolVar, IntVar, Process
from draincheck.qemu import World, build
from draincheck.qemu.counted_state import HostNotifier
from draincheck.qemu.disk import Request
from draincheck.revisions import Revision, code_bases, find_revision, with_settings
from draincheck.sorts import Value
from draincheck.system import TransitionSystem
from draincheck.verdict import Limits, Outcome
from drainspecs.mirror.counted import S1, Family, Story
from drainspecs.mirror.objections import objection
from drainspecs.mirror.properties import DrainInvariant
from drainspecs.mirror.scenarios import find_scenario
from tests.support.samples import evenly, sampled

MIRROR = find_scenario("mirror")

#: variables that both models have under the same name, as far as a code base has them
SHARED = (
    "root", "should_complete", "sleep timer due", "window", "dirty bitmap", "drain BH", "exit BH", "job completed", "monitor command",
    "quiesce_counter", "target drained", "external_disable_cnt", "external_disable_cnt (iohandler_ctx)", "notified",
    "qemu_aio_context ready", "monitor ready", "halted", "stray request", "pc management",
)  # fmt: skip

#: knobs that make no difference to the scenario, or that one of the models does not have
FIXED = {
    "order": "attach", "dataplane_is_external": "off", "bql_drop": "if_timeout", "busy_poll": "none", "ctx_held_in_poll": "on",
    "switch_carries_count": "off", "dataplane_mirror": "off", "submit": "blk_aio_writev", "mirror_top": "off", "replace_node": "check_first",
}  # fmt: skip

Observation = tuple[Hashable, ...]
Values = Mapping[str, Value]


# -- the models, with a memory of the stray request -------------------------------------------------


class Named(DrainInvariant):
    """The drain invariant, and whether it was broken."""

    stray: BoolVar

    def begin(self, w: World) -> None:
        """Make the history variable."""
        self.stray = w.m.bool("stray request", history=True)

    def request_submitted(self, p: Process, w: World, request: Request) -> None:
        """Remember a stray request."""
        super().request_submitted(p, w, request)
        with p.when(w.job.window & w.graph.on_source):
            p.do("", self.stray.set())


class Counted(Story):
    """The same for counted requests."""

    def __init__(self, knobs: Knobs, writes: int | None, highest: int) -> None:
        super().__init__(knobs, writes, highest)
        self.stray = self.m.bool("stray request", history=True)

    def requests_submitted(self, p: Process, requests: IntVar) -> None:
        """Remember a stray request."""
        super().requests_submitted(p, requests)
        with p.when((requests > 0) & self.window & self.on_old_node):
            p.do("", self.stray.set())


class OneCopy(Counted):
    """Mirror starts a copy only when the one before is done, as in the named model."""

    def copy_or_wait(self, p: Process) -> None:
        """Start a copy, or wait for the one that is under way."""
        with p.when(self.copying):
            self.mirror.yield_("copy", "has a copy in flight")
        with p.otherwise():
            p.do("starts to copy a sector", self.dirty.dec(), self.copies.inc())
        p.continue_()


def named(knobs: Knobs, writes: int) -> TransitionSystem:
    """The model with named requests."""
    return build("named", knobs, replace(MIRROR, writes=writes), Named()).compile()


def counted(knobs: Knobs, writes: int, story: type[Counted] = OneCopy) -> TransitionSystem:
    """The model with counted requests."""
    return story(knobs, writes, writes).compile()


# -- observations -----------------------------------------------------------------------------------


def shared(values: Values) -> Observation:
    """What both models call by the same name; 0 for what a code base does not have."""
    return tuple(values.get(name, 0) for name in SHARED)


def of_named(values: Values, writes: int) -> Observation:
    """The named model, observed: its requests are counted, dirty sectors and the job's I/O come last."""
    requests = [(values[f"write[0.{n}]"], values[f"write[0.{n}] to target"]) for n in range(writes)]
    stages = [sum(state == stage for state, _ in requests) for stage in ("idle", "ring", "parked", "acked")]
    nodes = [sum(r == (stage, to) for r in requests) for to in (False, True) for stage in ("in_flight", "io_done")]
    dirty = sum(bool(values[f"dirty[0.{n}]"]) for n in range(writes))
    return (shared(values), values["eventfd[0]"], values["revents[0]"], *stages, *nodes, dirty, values["job I/O"])


def of_counted(values: Values, writes: int) -> Observation:
    """The counted model, observed in the same terms.

    With one write the named guest adds it and kicks in one step, and nobody looks at the ring before the kick: the step between is not
    observed.
    """
    between = int(writes == 1 and values["pc guest"] == 1)
    stages = [_number(values, "writes to make") + between, _number(values, "ring") - between]
    stages += [_number(values, name) for name in ("parked", "acked")]
    nodes = [
        _number(values, f"{stage} on the {node}")
        for node in ("source", "target")
        for stage in ("in flight", "I/O done")
    ]
    io = "in_flight" if values["copies in flight"] or values["flush"] == "in_flight" else "none"
    io = "io_done" if values["copies done"] or values["flush"] == "io_done" else io
    return (shared(values), values["eventfd"], values["revents"], *stages, *nodes, values["dirty"], io)


def _number(values: Values, name: str) -> int:
    value = values[name]
    assert isinstance(value, int)
    return value


class Graph:
    """The states of two systems as one graph, each with what is observed of it."""

    def __init__(self, one: TransitionSystem, other: TransitionSystem, writes: int) -> None:
        self.after: list[list[int]] = []
        self.seen: list[Observation] = []
        self.roots: list[int] = []
        self._add(one, lambda values: of_named(values, writes))
        self._add(other, lambda values: of_counted(values, writes))

    def _add(self, system: TransitionSystem, observe: Callable[[Values], Observation]) -> None:
        graph, start = StateGraph(system, (), Limits()), len(self.after)
        self.roots.append(start)
        self.after += [[start + after for _, after in edges] for edges in graph.edges]
        self.seen += [observe(system.decoded(graph.state(number))) for number in range(len(graph))]

    @property
    def observations(self) -> tuple[set[Observation], set[Observation]]:
        """What is ever observed of each system."""
        return set(self.seen[: self.roots[1]]), set(self.seen[self.roots[1] :])

    @property
    def equivalent(self) -> bool:
        """The two initial states are."""
        blocks = equivalence(self.after, self.seen)
        return blocks[self.roots[0]] == blocks[self.roots[1]]


# -- stuttering equivalence -------------------------------------------------------------------------


def equivalence(after: Sequence[Sequence[int]], seen: Sequence[Hashable]) -> list[int]:
    """The classes of the states of a graph under stuttering equivalence, as numbers."""
    before: list[list[int]] = [[] for _ in after]
    for number, targets in enumerate(after):
        for target in targets:
            before[target].append(number)
    blocks, size = _numbered(seen), 0
    while len(set(blocks)) > size:
        size = len(set(blocks))
        exits = _exits(after, before, blocks)
        blocks = _numbered((block, frozenset(leaves)) for block, leaves in zip(blocks, exits, strict=True))
    return blocks


def _numbered(keys: Iterable[Hashable]) -> list[int]:
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def _exits(after: Sequence[Sequence[int]], before: Sequence[Sequence[int]], blocks: Sequence[int]) -> list[set[int]]:
    """For each state the other classes that it can step into, from a state of its own class that it can reach inside the class."""
    exits = [{blocks[t] for t in targets if blocks[t] != blocks[n]} for n, targets in enumerate(after)]
    work = list(range(len(after)))
    while work:
        target = work.pop()
        for number in before[target]:
            if blocks[number] == blocks[target] and not exits[target] <= exits[number]:
                exits[number] |= exits[target]
                work.append(number)
    return exits


def test_stuttering_does_not_tell_states_apart() -> None:
    """A path a a b c is like a b b c; a choice made earlier is not like one made later."""
    one = [[1], [2], [3], [], [5], [6], [7], []]
    blocks = equivalence(one, "aabcabbc")
    assert blocks[0] == blocks[1] == blocks[4] and blocks[2] == blocks[5] == blocks[6] and blocks[3] == blocks[7]
    choice = [[1, 2], [3], [4], [], [], [6], [7, 8], [], []]
    blocks = equivalence(choice, "abbcdabcd")
    assert blocks[0] != blocks[5]


# -- the relation -----------------------------------------------------------------------------------


def distinct(rows: Iterable[Revision]) -> list[Revision]:
    """One code base for each pair of models."""
    found: dict[tuple[str, str], Revision] = {}
    for row in rows:
        found.setdefault((named(row.knobs, 1).digest, counted(row.knobs, 1).digest), row)
    return list(found.values())


@cache
def rows() -> list[Revision]:
    """The code bases that are compared, without mirror's filter node: counted requests know none."""
    return distinct(with_settings(row, {"mirror_top": False}) for row in code_bases())


#: how many there are, and those of every run
ROWS = 29
some = pytest.mark.parametrize("number", sampled(evenly(range(ROWS), 4), [11], 8))


@pytest.mark.slow
def test_the_code_bases_make_so_many_pairs_of_models() -> None:
    """Code bases that differ in nothing here are compared once."""
    assert (len(code_bases()), len(rows())) == (53, ROWS)


@pytest.mark.slow
@some
def test_with_one_write_the_models_are_equivalent(number: int) -> None:
    """At every code base, in every shared variable. With one write there is never more than one copy."""
    knobs = rows()[number].knobs
    assert Graph(named(knobs, 1), counted(knobs, 1, Counted), 1).equivalent


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ab27c3b5e7"])
def test_with_two_writes_the_models_are_equivalent(name: str) -> None:
    """While mirror has one copy in flight at a time."""
    knobs = find_revision(name).knobs
    assert Graph(named(knobs, 2), counted(knobs, 2), 2).equivalent


@pytest.mark.parametrize("number", sampled(evenly(range(ROWS), 6), 0, 5))
def test_with_two_writes_the_models_are_equivalent_everywhere(number: int) -> None:
    """At every code base, while mirror has one copy in flight at a time."""
    knobs = rows()[number].knobs
    assert Graph(named(knobs, 2), counted(knobs, 2), 2).equivalent


@pytest.mark.parametrize("name", sampled(["ab27c3b5e7", "9a0cec664e", "cf3129323f"], 0))
def test_several_copies_only_add_behaviour(name: str) -> None:
    """Every step with one copy in flight at a time is a step with any number, and not the other way round."""
    knobs = find_revision(name).knobs
    one, any_number = (steps(counted(knobs, 2, story)) for story in (OneCopy, Counted))
    assert one < any_number


def steps(system: TransitionSystem) -> set[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The steps between reachable states."""
    graph = StateGraph(system, (), Limits())
    return {(graph.state(n), graph.state(after)) for n in range(len(graph)) for _, after in graph.edges[n]}


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(["cf3129323f", "ab27c3b5e7"], 1))
def test_several_copies_make_nothing_new_observable(name: str) -> None:
    """The same observations are made, though some can follow each other faster: the models are not equivalent."""
    knobs = find_revision(name).knobs
    graph = Graph(named(knobs, 2), counted(knobs, 2, Counted), 2)
    of_named, of_counted = graph.observations
    assert of_named == of_counted
    assert not graph.equivalent


def vectors(seed: int, number: int) -> list[Knobs]:
    """Code bases at random that could have been."""
    random, found = Random(seed), list[Knobs]()
    while len(found) < number:
        values = {knob.name: FIXED.get(knob.name) or random.choice(knob.values) for knob in all_knobs().values()}
        knobs = turned(Knobs(), dict(parse_setting(f"{name}={value}") for name, value in values.items()))
        if not objection(knobs, MIRROR):
            found.append(knobs)
    return found


@pytest.mark.slow
def test_knobs_at_random_make_equivalent_models() -> None:
    """The changes mean the same in both models, also where no code base ever had them together."""
    assert [knobs for knobs in vectors(1, 5) if not Graph(named(knobs, 1), counted(knobs, 1), 1).equivalent] == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 6))
def test_many_knobs_at_random_make_equivalent_models(seed: int) -> None:
    """The same for many more."""
    assert [knobs for knobs in vectors(seed, 100) if not Graph(named(knobs, 1), counted(knobs, 1), 1).equivalent] == []


@pytest.mark.parametrize("writes", sampled((1, 2, 3), 1))
@some
def test_s1_has_the_same_verdict(number: int, writes: int) -> None:
    """For one, two and three writes, by explicit search of both models; and the invariant's parts hold, all of them."""
    row = rows()[number]
    found = explore(Family.of(row).finite(writes)).verdicts
    system = build("named", row.knobs, replace(MIRROR, writes=writes), DrainInvariant()).compile()
    assert found[S1].outcome is explore(system).verdicts["S1"].outcome is not Outcome.UNKNOWN
    parts = {name: verdict.outcome for name, verdict in found.items() if name != S1}
    assert len(parts) >= 11 and set(parts.values()) == {Outcome.HOLDS}


@pytest.mark.parametrize("number", sampled([8, 40], 1))
def test_the_invariant_holds_where_the_knobs_are_turned_at_random(number: int) -> None:
    """Its parts are facts about the model, not about the code bases of the story."""
    for knobs in vectors(3, number):
        found = explore(Family.of(replace(find_revision("ab27c3b5e7"), knobs=knobs)).finite(1)).verdicts
        assert [name for name, v in found.items() if name != S1 and v.outcome is not Outcome.HOLDS] == [], knobs


# -- negative controls ------------------------------------------------------------------------------


class ForgetsReadiness(Counted):
    """A nested poll that makes no progress does not wash stale readiness away."""

    def poll_until_quiet(self, p: Process, pending: BoolExpr, place: str) -> None:
        """As if the code base polled only while requests are in flight."""
        self.k, before = turned(self.k, {"drain_polls": "in_flight"}), self.k
        super().poll_until_quiet(p, pending, place)
        self.k = before


class IgnoresTheCounter(Counted):
    """Handlers run while external events are disabled."""

    def context(self, name: str, home: str, count: IntVar, notified: BoolVar) -> AioContext[HostNotifier]:
        """By a code base that does not ask."""
        return replace(
            super().context(name, home, count, notified), rules=turned(self.k, {"walk_checks_external": False})
        )


class ForgetsTheSector(Counted):
    """A write that completes makes no sector dirty."""

    def complete_all(self, p: Process) -> None:
        """As if the bitmap were gone."""
        dirty = self.dirty
        super().complete_all(p)
        p.do("the sector is forgotten", dirty.set(0))


@pytest.mark.parametrize(
    ("story", "name"),
    [(ForgetsReadiness, "d4a92a8420"), (IgnoresTheCounter, "9a0cec664e"), (ForgetsTheSector, "9a0cec664e")],
)
def test_a_model_that_differs_is_not_equivalent(story: type[Counted], name: str) -> None:
    """Negative control: each of these changes is seen."""
    knobs = find_revision(name).knobs
    assert Graph(named(knobs, 1), counted(knobs, 1), 1).equivalent
    assert not Graph(named(knobs, 1), counted(knobs, 1, story), 1).equivalent


TURNS = [("drain", "nested"), ("begin", "none"), ("walk_checks_external", False), ("flush", "after_check")]


@pytest.mark.parametrize("turn", sampled(TURNS, 2))
def test_another_code_base_is_not_equivalent(turn: tuple[str, Any]) -> None:
    """Negative control: a change turned in one of the models is seen."""
    knobs = find_revision("9a0cec664e").knobs
    assert not Graph(named(knobs, 1), counted(turned(knobs, dict([turn])), 1), 1).equivalent
