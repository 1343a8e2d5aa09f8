"""The explorer's paths against the system itself: calls, values, and what can be done next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from draincheck import Run, check
from draincheck.explorer import onefile
from draincheck.report.calls import events_of
from draincheck.system import State, TransitionSystem
from drainspecs.mirror.code_base import CodeBase
from tests.browser.conftest import Opens
from tests.support.samples import sampled
from tests.support.visits import Visit

pytestmark = pytest.mark.needs("chromium-headless-shell")

Reports = Callable[..., Path]

#: the steps of every counterexample of a file, as the page tells them
TOLD = """async () => {
  %s
  const file = JSON.parse(document.getElementById("document").textContent), told = [];
  for (const subject of file.subjects) {
    const system = await unpacked(file.systems[subject.system]);
    for (const run of system.tables.evidence) {
      told.push(stepsOf(system, run.states, run.variants).map((step) => step.events.map((event) => [event.label, event.mark,
        event.stack.map((call) => callText(system.tables, call)), event.changes.map((c) => assigned(system.tables, c.variable, c.after))])));
    }
  }
  return told;
}"""

#: code bases with their scenarios: one thread, several, a device that is reset, a hang
SAMPLE = [
    pytest.param("v2.6.0", "mirror", marks=pytest.mark.slow),
    pytest.param("v2.6.0", "dataplane-stop", marks=pytest.mark.slow),
    pytest.param("3f09bfbc7b", "mirror", marks=pytest.mark.slow),
    pytest.param("v2.7.0", "dataplane", marks=pytest.mark.slow),
]


def told_by(visit: Visit, page: str) -> list[Any]:
    """What a script of the page's own says of all counterexamples."""
    found: list[Any] = visit.page.evaluate(page)
    return found


def scripts() -> str:
    """The page's scripts, without the one that begins."""
    folder = Path(onefile.__file__).with_name("page")
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in onefile.SCRIPTS[:-1])


def told_here(run: Run) -> list[list[Any]]:
    """The same by the library, from the trace executed anew."""
    steps: list[list[Any]] = [[] for _ in run.steps]
    for event in events_of(run):
        changes = [f"{c.name}={int(c.new) if isinstance(c.new, bool) else c.new}" for c in event.changes]
        steps[event.step - 1].append(
            [event.part.label, event.part.mark, [str(call) for call in event.stack], sorted(changes)]
        )
    return steps


def in_order(steps: list[list[Any]]) -> list[list[Any]]:
    """Steps whose changes stand in alphabetical order."""
    return [[[label, mark, stack, sorted(changes)] for label, mark, stack, changes in step] for step in steps]


@pytest.mark.parametrize(("revision", "scenario"), SAMPLE)
def test_calls_and_changes_are_those_of_the_library(
    opens: Opens, reports: Reports, revision: str, scenario: str
) -> None:
    """Of every counterexample: each part, on which stack, and what it changed."""
    visit = opens(reports("--revision", revision, "--scenario", scenario))
    told = told_by(visit, TOLD % scripts())
    result = check(CodeBase.named(revision, scenario))
    traces = [verdict.trace for verdict in result.verdicts.values() if verdict.trace is not None]
    here = [told_here(Run.of(result.system, trace)) for trace in traces]
    assert told
    assert all(in_order(steps) in here for steps in told)


@pytest.mark.slow
def test_a_stack_that_is_not_kept_is_noticed(opens: Opens, reports: Reports) -> None:
    """Negative control: calls that are opened anew in every step."""
    visit = opens(reports("--revision", "v2.6.0", "--scenario", "mirror"))
    right, wrong = scripts(), scripts().replace(".slice(0, part.opens);", ".slice(0, 0);")
    assert right != wrong
    assert told_by(visit, TOLD % wrong) != told_by(visit, TOLD % right)


# -- walks -----------------------------------------------------------------------------------------


def shown_values(visit: Visit) -> dict[str, str]:
    """The state as the page shows all of it."""
    rows = visit.page.locator(".values tr")
    cells = [row.split("\t") for row in rows.all_inner_texts()]
    return {name: value.rpartition(" → ")[2] for name, value in cells}


def values_of(system: TransitionSystem, state: State) -> dict[str, str]:
    """The same of the system."""
    shown = [variable.name for variable in system.variables if not variable.internal]
    decoded = system.decoded(state)
    return {name: str(int(v) if isinstance(v := decoded[name], bool) else v) for name in shown}


@pytest.mark.parametrize("seed", sampled(range(20), [0], 3))
def test_a_walk_passes_the_states_of_the_system(opens: Opens, reports: Reports, seed: int) -> None:
    """Whatever is taken, anywhere: the page offers what the system has enabled there, and shows the state that it steps to."""
    visit = opens(reports("--revision", "v2.6.0", "--scenario", "mirror"), "#/0/-/0")
    visit.page.locator("[data-key='filter all']").click()
    system, chance = CodeBase.named("v2.6.0", "mirror").system(), Random(seed)
    state = system.initial[0]
    for _ in range(25):
        enabled = list(system.enabled(state))
        assert visit.page.locator("[data-key^='choice']").count() == len(enabled)
        assert shown_values(visit) == values_of(system, state)
        moving = visit.page.locator("[aria-label='Who waits for what'] tr:has(b.good) td:first-child")
        assert set(moving.all_inner_texts()) == {action.process for action in enabled}
        if not enabled:
            break
        choice = chance.randrange(len(enabled))
        visit.page.locator(f"[data-key='choice {choice}']").click()
        state = system.step(state, enabled[choice])
    assert visit.problems == []


# -- what is said of rules -------------------------------------------------------------------------

#: models of every kind of demand, and a code base
KINDS = [
    ("examples/event_loop.py:event_loop",),
    ("examples/deadlock.py:deadlock",),
    ("examples/lost_wakeup.py:lost_wakeup",),
    ("tests/support/stuck_models.py:swing",),
    ("tests/support/stuck_models.py:wrong_turn",),
    ("tests/support/stuck_models.py:out_of_range",),
    ("--revision", "v2.6.0", "--scenario", "timer"),
]


@pytest.mark.parametrize("selection", sampled(KINDS, KINDS[1:4:2], 6), ids=lambda words: words[-1].rpartition(":")[2])
def test_a_counterexample_violates_its_rule_at_its_end_and_not_before(
    opens: Opens, reports: Reports, selection: tuple[str, ...]
) -> None:
    """The rule stands first; what is possible after each step ends with no way out."""
    file = reports(*selection)
    asked = "JSON.parse(document.getElementById('document').textContent).subjects[0].evidence.map((each) => each.tone)"
    tones: list[str] = opens(file).page.evaluate(asked)
    violations = [number for number, tone in enumerate(tones) if tone != "good"]
    assert violations
    for number in violations:
        visit = opens(file, f"#/0/{number}/9999")
        assert is_violated(visit)
        steps = visit.page.locator(".lanes .step").count()
        visit.press("Home")
        assert is_violated(visit) is (steps == 0)
        assert visit.problems == []


def is_violated(visit: Visit) -> bool:
    """Whether the rule that the page is about is said to be violated."""
    said = visit.page.locator("ul.rules li").first.locator(".fate").get_attribute("class")
    return "bad" in str(said).split()
