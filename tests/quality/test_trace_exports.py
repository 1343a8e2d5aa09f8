"""Exports of traces, read back by readers that are not ours: every violated property of the default matrix, those of one scenario in CI."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from draincheck.engines.explicit import explore
from draincheck.report.arrows import ArrowKind
from draincheck.report.lanes import LaneKind, Lanes, lanes_of
from draincheck.report.mermaid import sequence_diagram
from draincheck.report.perfetto import trace_in_perfetto
from draincheck.report.trace_dot import trace_in_dot
from draincheck.report.trace_svg import trace_svg
from draincheck.run import Run
from draincheck.subject import About
from drainspecs.mirror.code_base import CodeBase
from drainspecs.suite.matrix import default_rows, system_of
from tests.support.drawings import Picture
from tests.support.graphviz import read
from tests.support.mermaid import drawn
from tests.support.perfetto import events_in, faults
from tests.support.samples import sampled

SCENARIOS = list(dict.fromkeys(row.scenario.name for row in default_rows()))
#: so many of a scenario in the quick run
FEW = 4
#: each scenario with how many of its traces are looked at: few of one, and all of all
CASES = [("mirror", FEW), *((name, 1000) for name in SCENARIOS)]


class Shown(NamedTuple):
    """A counterexample of the matrix."""

    run: Run
    about: About

    @property
    def lanes(self) -> Lanes:
        """As it is drawn."""
        return lanes_of(self.run, self.about)


@cache
def some(scenario: str, number: int) -> tuple[Shown, ...]:
    """So many of a scenario's counterexamples, from all over the table; of each system and property one."""
    rows = [row for row in default_rows() if row.scenario.name == scenario]
    found: dict[tuple[str, str], Shown] = {}
    for row in rows[:: max(1, len(rows) // number)]:
        system = system_of(row)
        about = CodeBase(row.revision, row.scenario).about
        for name, verdict in explore(system).verdicts.items():
            if verdict.trace is not None and (system.digest, name) not in found:
                found[system.digest, name] = Shown(Run.of(system, verdict.trace), about)
    every = tuple(found.values())
    return every[:: max(1, len(every) // number)]


@pytest.mark.parametrize("case", sampled(CASES, 1, 2), ids=str)
def test_every_drawing_is_whole(case: tuple[str, int]) -> None:
    """Nothing overlaps, nothing leaves the page, nothing is run or loaded; the steps and lanes are there."""
    for shown in some(*case):
        picture = Picture(trace_svg(*shown))
        assert (picture.overlaps(), picture.outside(), picture.foreign()) == ([], [], [])
        assert len(picture.names) == len(shown.lanes.lanes)
        assert str(len(shown.run.steps)) in [text.words for text in picture.texts]


@pytest.mark.parametrize("case", sampled(CASES, 1, 2), ids=str)
def test_every_timeline_is_sound(case: tuple[str, int]) -> None:
    """Slices nest, arrows are paired and bound, tracks are named, time runs forward."""
    for shown in some(*case):
        assert faults(events_in(trace_in_perfetto(*shown))) == []


def _one_of_each(shown: Sequence[Shown]) -> list[Shown]:
    """One of each property: of the first its first, of the second its second, and so on, as far as there are so many."""
    names = dict.fromkeys(each.run.trace.property for each in shown)
    groups = [[each for each in shown if each.run.trace.property == name] for name in names]
    return [group[number % len(group)] for number, group in enumerate(groups)]


@pytest.mark.needs("chromium-headless-shell", "mermaid.min.js")
@pytest.mark.parametrize("scenario", sampled(sorted(SCENARIOS), 0, 1))
def test_mermaid_draws_every_diagram(scenario: str, tmp_path: Path) -> None:
    """Of each property one, each from another part of the table: with a participant for each lane."""
    shown = _one_of_each(some(scenario, 1000))
    pictures = drawn([sequence_diagram(*each) for each in shown], tmp_path)
    for each, picture in zip(shown, pictures, strict=True):
        assert isinstance(picture, list), picture
        assert {lane.name for lane in each.lanes.lanes} <= set(picture)


@pytest.mark.needs("dot")
@pytest.mark.parametrize("case", sampled(CASES, 1, 2), ids=str)
def test_graphviz_reads_every_path(case: tuple[str, int]) -> None:
    """A state for each step of which there is something to say, and one before."""
    for shown in some(*case):
        said = [step for step in shown.lanes.steps if step.shown]
        assert len(read(trace_in_dot(*shown))["objects"]) == len(said) + 1


@pytest.mark.parametrize("case", sampled(CASES, 1, 2), ids=str)
def test_lanes_are_what_the_model_is(case: tuple[str, int]) -> None:
    """The guest stands left, the storage right, contexts belong to the main thread, the coroutine is one; all that a window needs is there."""
    for shown in some(*case):
        lanes = {lane.name: lane for lane in shown.lanes.lanes}
        names = [lane.name for lane in shown.lanes.lanes]
        assert all(lane.group == "main thread" for lane in lanes.values() if lane.kind is LaneKind.CONTEXT)
        assert "mirror_run" not in lanes or lanes["mirror_run"].kind is LaneKind.COROUTINE
        assert "storage" not in lanes or names[-1] == "storage"
        assert all(window.first < window.last or window.last == len(shown.run.steps) for window in shown.lanes.windows)


@pytest.mark.parametrize("case", sampled(CASES, 1, 2), ids=str)
def test_arrows_are_what_the_steps_say(case: tuple[str, int]) -> None:
    """Who hands over changes what is taken up next, in another lane; control is given back only by who has it; wakeups wake who could not move."""
    for shown in some(*case):
        system, steps = shown.run.system, shown.run.steps
        places = {variable.name: place for place, variable in enumerate(system.variables)}
        inside: set[str] = set()
        for arrow in shown.lanes.arrows:
            start, end = steps[arrow.start - 1], steps[arrow.end - 1]
            if arrow.kind is ArrowKind.HANDOVER:
                for name in arrow.what:
                    values = [step.after[places[name]] for step in steps[arrow.start - 1 : arrow.end]]
                    assert start.before[places[name]] != values[0]
                    assert values[:-1] == [values[0]] * (len(values) - 1)
                    assert values[-1] != values[0]
                assert shown.lanes.steps[arrow.start - 1].lane != shown.lanes.steps[arrow.end - 1].lane
            elif arrow.kind is ArrowKind.WAKEUP:
                woken = system.actions[end.action].process
                assert woken not in {action.process for action in system.enabled(start.before)}
                assert system.actions[end.action] in list(system.enabled(start.after))
            elif arrow.kind is ArrowKind.ENTER:
                assert not inside & set(arrow.what)
                inside |= set(arrow.what)
            else:
                assert set(arrow.what) <= inside
                inside -= set(arrow.what)
