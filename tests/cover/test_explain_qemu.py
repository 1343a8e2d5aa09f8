"""Explanations of QEMU's traces: what decides a loss, a hang and a loop there, and what else could have happened."""

from __future__ import annotations

from msgspec.structs import replace
from rich.text import Text

from draincheck.analysis.avoidability import Avoidabilities, Avoidability
from draincheck.analysis.explain import Alternative, Explanation, explain
from draincheck.engines.explicit import explore
from draincheck.engines.liveness import decide
from draincheck.qemu import build
from draincheck.report.explain_text import render_explanation
from draincheck.revisions import find_revision
from draincheck.run import Run, label_of
from draincheck.system import TransitionSystem
from drainspecs.mirror.liveness import progress_system
from drainspecs.mirror.properties import DrainInvariant
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.mirror.stray_requests import SeedCases


def qemu(revision: str, scenario: str) -> TransitionSystem:
    name = f"{revision} / {scenario}"
    return build(name, find_revision(revision).knobs, find_scenario(scenario), DrainInvariant()).compile()


def told(revision: str, scenario: str, property: str) -> Explanation:
    system = qemu(revision, scenario)
    trace = explore(system).verdicts[property].trace
    assert trace is not None
    return explain(Run.of(system, trace))


def test_case_3_is_lost_with_the_kick_before_the_poll() -> None:
    """At ab27c3b5e7 the kick that the same poll samples as the drain's bottom half decides it; polling first would have been safe."""
    found = told("ab27c3b5e7", "mirror", "S1")
    assert found.violated_at == len(found.steps) == 26 and found.lost_at == 18
    assert found.steps[17].label == "kicks for write[0.0]"
    assert found.escape is not None and found.escape.step == 18
    assert [(way.label, way.avoidability) for way in found.escape.alternatives] == [("qemu_poll_ns", Avoidability.SAFE)]


def test_the_check_that_fails_is_explained_by_what_made_it_fail() -> None:
    """Stale readiness, an enabled context, a request in the ring, and the window."""
    last = told("ab27c3b5e7", "mirror", "S1").steps[-1]
    (because,) = [list(map(str, c.because)) for c in last.checks if c.property == "S1" and not c.holds]
    assert {"revents[0]", "write[0.0] == ring", "window", "root == source"} <= set(because)
    assert "external_disable_cnt (iohandler_ctx) == 0" in because


def test_the_failing_check_s_formulas_are_followed_through_the_trace() -> None:
    """The window opens at (w), and the explanation of S1 says where that was."""
    found = told("ab27c3b5e7", "mirror", "S1")
    (opened,) = [step for step in found.steps if any(c.text == "window" and c.now for c in step.formulas)]
    assert "bdrv_get_dirty_count is 0" in opened.label


def test_a_hang_can_be_left_until_its_last_step() -> None:
    """F1 is violated in a state from which completion is out of reach: the step into it is the point of no return."""
    found = told("65c1b5b622", "dataplane", "F1")
    assert found.violated_at == found.lost_at == len(found.steps)
    assert found.escape is not None and {way.avoidability for way in found.escape.alternatives} == {
        Avoidability.AVOIDABLE
    }
    assert found.safe_escape is not None and found.safe_escape.step < found.escape.step


def test_what_was_enabled_beside_the_violation_is_told_with_what_it_comes_to() -> None:
    """The ways out of 65c1b5b622's hang, shortest first: each is a path of the system that is open up to its last state, which is safe."""
    found = told("65c1b5b622", "dataplane", "F1")
    assert found.instead and found.escape is not None and set(found.escape.alternatives) <= set(found.instead)
    system = qemu("65c1b5b622", "dataplane")
    trace = explore(system).verdicts["F1"].trace
    assert trace is not None
    avoidabilities = Avoidabilities(system, system.property_named("F1"))
    for way in found.instead:
        taken = follow(system, trace.actions[:-1], way)
        states = avoidabilities.along(replace(trace, actions=taken))
        assert avoidabilities.of(states[-1]) is Avoidability.SAFE
        assert all(avoidabilities.of(state) is Avoidability.AVOIDABLE for state in states[len(trace.actions) : -1])
    assert [len(way.rest) for way in found.instead] == sorted(len(way.rest) for way in found.instead)


def follow(system: TransitionSystem, before: tuple[int, ...], way: Alternative) -> tuple[int, ...]:
    """The actions of a trace that takes another way, found by what is said of its steps."""
    state, taken = system.initial[0], [*before, way.action]
    for index in taken:
        state = system.step(state, system.actions[index])
    for said in way.rest:
        (action,) = [a for a in system.enabled(state) if f"{a.process}: {label_of(system, a, state)}" == said]
        state = system.step(state, action)
        taken.append(action.index)
    return tuple(taken)


def test_a_demand_on_whole_runs_is_explained_by_where_its_goal_was_in_reach() -> None:
    """L2 at 65c1b5b622: the IOThread sleeps without the kick, and once the job has ended nothing can ever wake it."""
    system = progress_system(find_revision("65c1b5b622"), find_scenario("dataplane"))
    trace = decide(system)["L2"].trace
    assert trace is not None
    found = explain(Run.of(system, trace))
    assert (found.loop, found.violated_at, found.untold) == (trace.loop, None, "")
    assert found.lost_at is not None and found.escape is not None and found.escape.step == found.lost_at
    assert {way.avoidability for way in found.escape.alternatives} == {
        Avoidability.AVOIDABLE
    } and found.safe_escape is None
    text = render_explanation(found)
    assert f"the goal of L2 was in reach until step {found.lost_at - 1}\n" in text
    assert "the point of no return: from here on the goal of L2 is out of reach" in text


def test_what_a_specification_remembers_is_told_where_nothing_else_decides() -> None:
    """The seed's cases are told apart by history variables, which traces do not show."""
    system = build("mirror", find_revision("37989ced44").knobs, find_scenario("mirror"), SeedCases()).compile()
    trace = explore(system).verdicts["case 1"].trace
    assert trace is not None
    checks = {check.property: check for check in explain(Run.of(system, trace)).steps[-1].checks}
    assert list(map(str, checks["case 1"].because)) == ["stray request == in the iteration of (a)"]
    guards = [fact for step in explain(Run.of(system, trace)).steps for fact in step.guard]
    assert guards and not any("stray" in str(fact) or "pc " in str(fact) for fact in guards)


def test_colours_do_not_change_the_text() -> None:
    """Rich's markup around the same characters."""
    found = told("ab27c3b5e7", "mirror", "S1")
    assert Text.from_markup(render_explanation(found, color=True)).plain == render_explanation(found)


def test_lines_are_not_wider_than_needed() -> None:
    """Only a single long condition may be wider than a page."""
    lines = render_explanation(told("ab27c3b5e7", "mirror", "S1")).splitlines()
    assert all(len(line) <= 100 or line.lstrip().count(", ") <= 1 for line in lines)
