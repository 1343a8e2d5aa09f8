"""Every code base of the default matrix can be drawn: few nodes, none over another, letters that can be read on a screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest

from draincheck import Run
from draincheck.analysis.neighbourhood import neighbourhood
from draincheck.analysis.quotient import MAX_MERGED, USUAL_MERGED, Quotient, quotient_graph
from draincheck.analysis.state_story import StateFate, StateStory
from draincheck.checking import Result, check
from draincheck.qemu.cache import BuildCache
from draincheck.report.dot import draw_svg
from draincheck.report.path_picture import MOST, path_dot
from draincheck.report.quotient_picture import legible_quotient, quotient_dot
from draincheck.verdict import Outcome
from drainspecs.mirror.properties import DrainInvariant
from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS
from drainspecs.suite.matrix import Row, default_rows
from tests.support.drawn_graphs import boxes, overlapping, smallest_letters, texts
from tests.support.samples import sampled

#: what every run draws, and the other systems of each scenario
BANDAGE = "ab27c3b5e7 / mirror"
PARTS = (BANDAGE, *(scenario.name for scenario in DEFAULT_SCENARIOS))

#: how large letters have to be, in pixels, on a screen that is 1,400 wide
READABLE = 11


@cache
def systems() -> dict[str, list[Row]]:
    """The rows by the digests of their systems: what many have in common is drawn once."""
    builds, found = BuildCache(DrainInvariant), dict[str, list[Row]]()
    for row in default_rows():
        found.setdefault(builds.system(row.revision.knobs, row.scenario).digest, []).append(row)
    return found


def results(part: str) -> Iterator[tuple[str, Result]]:
    """The systems of a part, each checked once."""
    builds = BuildCache(DrainInvariant)
    rows = default_rows() if part == BANDAGE else [row for row, *_ in systems().values()]
    for row in rows:
        name = f"{row.revision.name} / {row.scenario.name}"
        if part in (name, row.scenario.name):
            yield name, check(builds.system(row.revision.knobs, row.scenario))


def stories(part: str) -> Iterator[tuple[str, StateStory, bool]]:
    """Each of them by the first property that is violated, if one is, and whether that is so."""
    for name, result in results(part):
        violated = [finding.item for finding in result.findings if finding.outcome is Outcome.VIOLATED]
        yield name, StateStory(result.system, next(iter(violated), result.findings[0].item)), bool(violated)


@pytest.mark.slow
def test_every_row_is_drawn() -> None:
    """All rows of the default matrix have one of the systems that are drawn here."""
    assert sum(map(len, systems().values())) == len(default_rows()) == 263
    assert {row.scenario.name for row, *_ in systems().values()} <= set(PARTS)


@pytest.mark.needs("dot")
@pytest.mark.parametrize("part", sampled(PARTS, 0, 1))
def test_a_code_base_is_drawn_so_that_it_can_be_read(part: str) -> None:
    """At most twenty nodes, more than a few, none over another; letters of eleven pixels at least."""
    seen = 0
    for name, story, _ in stories(part):
        graph = legible_quotient(story)
        text = quotient_dot(graph)
        assert 7 <= len(graph) <= USUAL_MERGED, name
        assert overlapping(boxes(text)) == [], name
        assert smallest_letters(draw_svg(text)) >= READABLE, name
        seen += 1
    assert seen


@pytest.mark.parametrize("part", sampled(PARTS, 1, 1))
def test_a_code_base_has_no_more_nodes_than_may_be(part: str) -> None:
    """Sixty at the most, and then more is told than in twenty; every state and step is in one of them."""
    for name, story, _ in stories(part):
        graph = quotient_graph(Quotient.of(story, MAX_MERGED))
        assert USUAL_MERGED < len(graph) <= MAX_MERGED, name
        assert sum(values["states"] for _, values in graph.nodes(data=True)) == len(story), name
        assert sum(values["steps"] for _, _, values in graph.edges(data=True)) == graph.graph["steps"], name


@pytest.mark.parametrize("part", sampled(PARTS, 1, 1))
def test_where_a_property_is_violated_can_be_seen(part: str) -> None:
    """Some step of the picture violates it, or some node is where a run ends or stays; where it holds, none."""
    for name, story, violated in stories(part):
        graph = quotient_graph(Quotient.of(story))
        found = any(edge["violates"] for _, _, edge in graph.edges(data=True))
        found |= any(values["violates"] or values["stays"] for _, values in graph.nodes(data=True))
        assert found is violated, name
        fates = Counter(story.fates)
        assert (fates[StateFate.SAFE] < len(story)) is violated, name


@pytest.mark.needs("dot")
@pytest.mark.slow  # of which `test_cli_graph.py` has a sample
@pytest.mark.parametrize("part", sampled(PARTS[1:], ["commit"], 0))
def test_a_trace_is_drawn_so_that_it_can_be_read(part: str) -> None:
    """Of each property that is violated: no more nodes than may be, none over another, its last step and letters that can be read."""
    for name, result in results(part):
        for finding in result.findings:
            if finding.outcome is Outcome.VIOLATED and finding.verdict.trace is not None:
                run = Run.of(result.system, finding.verdict.trace)
                text = path_dot(neighbourhood(run, StateStory(result.system, finding.item)))
                places = boxes(text)
                assert len(places) <= MOST and overlapping(places) == [], (name, finding.name)
                svg = draw_svg(text)
                assert smallest_letters(svg) >= READABLE, (name, finding.name)
                assert f"{len(run.steps)} " in texts(svg), (name, finding.name)
