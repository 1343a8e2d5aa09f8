"""Nodes and BlockBackends: whom a drained section reaches, what a drain waits for, and what becomes of requests meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from draincheck.engines.explicit import check, explore
from draincheck.eventloop import Above, AioContext, Backend, DrainedOnce, FdHandler, Home, Node, add_up, fixed
from draincheck.lang import FALSE, TRUE, Model, ite
from draincheck.verdict import Outcome
from tests.cover.test_eventloop import CodeBase, context, enabling

HOLDS, VIOLATED = Outcome.HOLDS, Outcome.VIOLATED


@dataclass(frozen=True, slots=True)
class Queues:
    """What a code base does about requests of a quiesced BlockBackend."""

    park_requests: bool


def contexts(m: Model, nodes: int) -> AioContext[FdHandler]:
    """A context in which so many nodes can be drained."""
    return AioContext(
        "ctx", CodeBase(), (), m.int("count", 0, nodes), False, m.bool("notified"), m.bool("removed", exists=False)
    )


def drained(parks: bool, counts: bool) -> tuple[Outcome, Outcome]:
    """A request against a section: whether none is in flight inside it, and whether the drain can always end.

    `counts`: the BlockBackend counts a request that is queued.
    """
    m = Model("queue")
    quiesce, section = m.int("quiesce", 0, 1), m.bool("section")
    in_flight, queued = m.bool("in flight"), m.bool("queued")
    backend = Backend(Queues(parks), quiesce > 0, queued if counts else FALSE)
    node = Node("node", quiesce, fixed(contexts(m, 1)), in_flight, (backend,))
    with m.thread("main") as p:
        node.begin(p)
        p.do("is quiet", section.set(), when=~node.waits)
        with p.atomic():
            p.do("the section ends", section.clear())
            node.end(p, enabling(p, node.home))
            with backend.resumed(p, queued):
                p.do("goes on", queued.clear(), in_flight.set())
    with m.thread("guest") as p, p.atomic():
        backend.submit(p, lambda: p.do("enters", in_flight.set()), lambda: p.do("is queued", queued.set()))
    with m.thread("storage") as p, p.loop():
        p.do("completes", in_flight.clear(), when=in_flight)
    m.always("quiet", ~(section & in_flight))
    m.can_always_finish("ends", m.at("main", "(ended)") & ~queued & ~in_flight)
    found = explore(m.compile()).verdicts
    return found["quiet"].outcome, found["ends"].outcome


@pytest.mark.parametrize(
    ("parks", "counts", "outcomes"),
    [(True, False, (HOLDS, HOLDS)), (True, True, (HOLDS, VIOLATED)), (False, False, (VIOLATED, HOLDS))],
)
def test_a_queue_keeps_a_section_quiet_and_must_not_be_waited_for(
    parks: bool, counts: bool, outcomes: tuple[Outcome, Outcome]
) -> None:
    """Without one a request enters the section; one whose requests are counted has the drain wait for its own end, as 7f16476fab mended."""
    assert drained(parks, counts) == outcomes


def moved(own_section: bool, both: bool) -> Outcome:
    """Whether the disable counter is what the drained nodes add up to, while a filter is moved from one drained node to another.

    `both`: the other one is drained, too; `own_section`: the filter is.
    """
    m = Model("filter")
    home = fixed(contexts(m, 3))
    backing = m.enum("backing", "source", "target")
    counters = {name: m.int(f"sections of the {name}", 0, 1) for name in ("source", "target", "filter")}
    below = ite(backing.is_("source"), counters["source"] > 0, counters["target"] > 0)
    top = Node("filter", counters["filter"], home, below=below)
    source, target = (
        Node(name, counters[name], home, above=(Above(top, backing.is_(name)),)) for name in ("source", "target")
    )
    opened = [*([top] if own_section else []), source, *([target] if both else [])]
    with m.thread("p") as p:
        for node in opened:
            with p.atomic():
                node.begin(p)
        p.do("moves", backing.set("target"))
        for node in opened[::-1]:
            with p.atomic():
                node.end(p, enabling(p, home))
    m.always("adds up", add_up([(node.drained, node.home) for node in (top, source, target)]))
    return check(m.compile(), "adds up").outcome


@pytest.mark.parametrize(
    ("own_section", "both", "outcome"),
    [(False, False, VIOLATED), (False, True, HOLDS), (True, False, HOLDS), (True, True, HOLDS)],
)
def test_sections_reach_what_stands_on_their_node(own_section: bool, both: bool, outcome: Outcome) -> None:
    """Unless it is moved to a node that is not drained, and has no section of its own: nobody enables what the first one disabled."""
    assert moved(own_section, both) is outcome


@pytest.mark.parametrize(("moves", "outcome"), [(False, HOLDS), (True, VIOLATED)])
def test_a_node_with_one_section_at_a_time_counts_where_it_is(moves: bool, outcome: Outcome) -> None:
    """Negative control: its context changes while the section is open."""
    m = Model("once")
    first, second = context(m, CodeBase(), name="first"), context(m, CodeBase(), name="second")
    elsewhere = m.bool("moved")
    node = DrainedOnce("target", m.bool("drained"), Home(first, second, elsewhere), FALSE)
    with m.thread("p") as p:
        node.begin(p)
        if moves:
            p.do("moves", elsewhere.set())
        else:
            node.end(p)
    m.always("adds up", add_up([(node.drained, node.home)]))
    m.reachable("drained", node.drained)
    found = explore(m.compile()).verdicts
    assert found["adds up"].outcome is outcome
    assert found["drained"].outcome is HOLDS


def test_a_drain_waits_for_parents_too() -> None:
    """What the BlockBackends of a node count is pending as well; nothing else is."""
    m = Model("waits")
    busy, quiesce = m.bool("busy"), m.int("quiesce", 0, 1, exists=False)
    home = fixed(contexts(m, 1))
    assert Node("alone", quiesce, home).waits is FALSE
    assert Node("used", quiesce, home, FALSE, (Backend(Queues(True), TRUE, busy),)).waits is busy
