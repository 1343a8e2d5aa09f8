"""The explorer in use: keys, steps off the counterexample, the URL, what leaves the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from draincheck.explorer import onefile
from tests.browser.conftest import Opens
from tests.support.cli import run
from tests.support.samples import sampled
from tests.support.visits import Visit

pytestmark = pytest.mark.needs("chromium-headless-shell")

Reports = Callable[..., Path]

MIRROR = ("--revision", "v2.6.0", "--scenario", "mirror")
DEADLOCK = ("examples/deadlock.py:deadlock",)


@pytest.fixture
def mirror(opens: Opens, reports: Reports) -> Visit:
    """The first counterexample of a code base, before its first step."""
    return opens(reports(*MIRROR), "#/0/0/0")


def step_of(visit: Visit) -> int:
    """The step that stands in the URL."""
    return int(visit.place.split("/")[3])


def test_arrows_step_and_home_and_end_lead_to_the_ends(mirror: Visit) -> None:
    """Each key goes where it says, and no further than the ends."""
    mirror.press("ArrowRight", "ArrowRight", "ArrowLeft")
    assert step_of(mirror) == 1
    mirror.press("ArrowLeft", "ArrowLeft")
    assert step_of(mirror) == 0
    mirror.press("End", "ArrowRight")
    last = mirror.page.locator(".lanes .step").count()
    assert step_of(mirror) == last
    mirror.press("Home")
    assert step_of(mirror) == 0
    assert mirror.problems == []


def test_a_broken_key_is_noticed(opens: Opens, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Negative control of the test above."""
    broken = onefile.script().replace("ArrowRight:", "ArrowWrong:")
    monkeypatch.setattr(onefile, "script", lambda: broken)
    assert run("report", *DEADLOCK, "-o", str(tmp_path / "broken.html")).exit_code == 0
    visit = opens(tmp_path / "broken.html", "#/0/0/0")
    visit.press("ArrowRight")
    assert (step_of(visit), visit.problems) == (0, [])


def test_the_story_leads_to_its_steps(mirror: Visit) -> None:
    """By the keyboard and by the mouse; the step that is selected is the one that the card is about."""
    mirror.press("n")
    first = step_of(mirror)
    assert mirror.page.locator(".story [aria-current=true]").get_attribute("data-key") == "story 0"
    mirror.page.locator("[data-key='story 1']").click()
    assert step_of(mirror) > first
    mirror.press("p")
    assert step_of(mirror) == first


@pytest.mark.slow
def test_brackets_lead_from_one_counterexample_to_the_next(mirror: Visit) -> None:
    """And back."""
    mirror.press("]")
    assert mirror.place == "#/0/1"
    mirror.press("[")
    assert mirror.place == "#/0/0"


@pytest.mark.slow
def test_another_branch_is_taken_and_left_again(opens: Opens, reports: Reports) -> None:
    """One's own path stands in the URL, is drawn beside the counterexample, and leads back to it."""
    visit = opens(reports(*MIRROR), "#/0/0/2")
    choices = visit.page.locator("[data-key^='choice']")
    other = next(i for i in range(choices.count()) if choices.nth(i).get_attribute("aria-current") is None)
    visit.press(str(other + 1))
    assert visit.place == f"#/0/0/2/{other}"
    assert visit.page.locator(".lanes .own").count() > 0
    visit.press("1")
    assert visit.place == f"#/0/0/2/{other}.0"
    visit.page.locator("[data-key='crumb 0']").click()
    assert visit.place == f"#/0/0/2/{other}"
    visit.press("Backspace")
    assert (visit.place, visit.page.locator(".lanes .own").count()) == ("#/0/0/2", 0)
    assert visit.problems == []


@pytest.mark.slow
def test_what_could_have_been_instead_is_taken(opens: Opens, reports: Reports) -> None:
    """Beside a step stand the others that were possible in its place; one that is taken leaves the counterexample there."""
    visit = opens(reports(*MIRROR), "#/0/0/18")
    visit.page.locator("[data-key^='instead']").first.click()
    assert visit.place.startswith("#/0/0/17/")
    before = visit.place
    visit.press("1", "Backspace")
    assert (visit.place, visit.problems) == (before, [])


@pytest.mark.slow
def test_nothing_that_is_said_of_the_counterexample_is_said_of_ones_own_path(opens: Opens, reports: Reports) -> None:
    """Its headline is that of the counterexample by name; what was lost, how it ends, the story and its windows are not there."""
    visit = opens(reports(*MIRROR), "#/0/0/23")
    headline = visit.page.locator("h1").first.inner_text()
    about = "section[aria-label='What was lost'], section[aria-label='How it ends'], section[aria-label^='What would'], .story"
    assert (visit.page.locator(about).count(), visit.page.locator("svg .window").count()) == (4, 1)
    visit.go(reports(*MIRROR), "#/0/0/17/0")
    assert (visit.page.locator(about).count(), visit.page.locator("svg .window").count()) == (0, 0)
    assert visit.page.locator(".app h1").inner_text().startswith("Your own path")
    assert f"The counterexample: {headline}" in visit.page.locator(".notice").inner_text()
    visit.press("t")
    assert (visit.page.locator(about).count(), visit.page.locator(".app h1").inner_text()) == (4, headline)


@pytest.mark.slow
def test_ones_own_path_is_printed_beside_the_counterexample(opens: Opens, reports: Reports) -> None:
    """Its steps, and not those that it has left; nothing of it when somebody has gone back."""
    visit = opens(reports(*MIRROR), "#/0/0/2/1")
    visit.page.emulate_media(media="print")
    told = visit.page.locator(".ownpath")
    assert told.is_visible()
    assert "\n3  " in told.inner_text()
    assert "\n4  " not in told.inner_text()
    visit.press("t")
    assert told.count() == 0


@pytest.mark.slow
def test_a_counterexample_begins_where_its_story_does(opens: Opens, reports: Reports) -> None:
    """Where the URL names no step; the next key stands beside that."""
    visit = opens(reports(*MIRROR), "#/0/0")
    assert visit.page.locator(".story [aria-current=true]").get_attribute("data-key") == "story 0"
    visit.press("ArrowLeft", "ArrowRight")
    assert visit.page.locator(".story [aria-current=true]").get_attribute("data-key") == "story 0"


@pytest.mark.slow
def test_what_was_seen_is_seen_again_when_the_page_is_loaded_anew(opens: Opens, reports: Reports) -> None:
    """Step and own path stand in the URL."""
    visit = opens(reports(*MIRROR), "#/0/0/5")
    visit.press("1" if visit.page.locator("[data-key='choice 0']").get_attribute("aria-current") is None else "2")
    before = (visit.place, visit.page.locator(".columns").inner_text())
    visit.page.reload()
    visit.ready()
    assert (visit.place, visit.page.locator(".columns").inner_text()) == before


@pytest.mark.parametrize(
    "place",
    sampled(
        ["#/7", "#/0/99/0", "#/0/0/9999", "#/0/0/3/77.1", "#/-/x", "#//", "#/0/-/0"], ["#/7", "#/0/0/3/77.1", "#/0/-/0"]
    ),
)
def test_a_link_that_leads_nowhere_leads_somewhere(opens: Opens, reports: Reports, place: str) -> None:
    """A URL is what anybody can write: as much of it is followed as there is."""
    visit = opens(reports(*MIRROR), place)
    assert visit.page.locator(".app").inner_text().strip()
    assert visit.page.locator(".app > .notice[role=status]").count() == (place != "#/0/-/0")
    assert visit.problems == []


@pytest.mark.slow
def test_a_key_without_an_effect_says_why(opens: Opens, reports: Reports) -> None:
    """Folding where nothing is folded, and a step that is none; a key with an effect says nothing."""
    visit = opens(reports(*MIRROR), "#/0/0/3")
    note = visit.page.locator(".hint")
    visit.page.keyboard.press("ArrowRight")
    assert note.inner_text() == ""
    for key in ("f", "9"):
        visit.page.keyboard.press(key)
        assert note.inner_text().strip()
        note.evaluate("each => { each.textContent = ''; }")


@pytest.mark.slow
def test_a_step_without_another_way_leads_to_the_nearest_that_has_one(opens: Opens, reports: Reports) -> None:
    """There something else could have happened; the two panels look different."""
    visit = opens(reports(*MIRROR), "#/0/0")
    fork = visit.page.locator("[data-key=fork]")
    steps = range(int(visit.place.split("/")[3]) if visit.place.count("/") > 2 else 26, 0, -1)
    at = next(step for step in steps if _goes(visit, step) and fork.count())
    fork.click()
    assert int(visit.place.split("/")[3]) < at
    assert visit.page.locator(".instead .choices li").count()
    assert visit.page.locator(".instead").evaluate("each => getComputedStyle(each).borderStyle") == "dashed"


def _goes(visit: Visit, step: int) -> bool:
    visit.page.goto(visit.page.url.partition("#")[0] + f"#/0/0/{step}")
    visit.page.wait_for_timeout(50)
    return True


@pytest.mark.slow
def test_the_link_names_no_folder(opens: Opens, reports: Reports) -> None:
    """Of a file on a disk it has the name alone, as has the command below."""
    visit = opens(reports(*MIRROR), "#/0/0/3")
    visit.page.locator("[data-key=link]").click()
    link = visit.page.locator("dialog textarea").input_value()
    assert "/" not in link.partition("#")[0] and link.endswith(".html#/0/0/3")
    assert str(reports(*MIRROR).parent) not in reports(*MIRROR).read_text(encoding="utf-8")


@pytest.mark.slow
def test_words_can_be_selected_and_the_focus_stays(mirror: Visit) -> None:
    """A drawing is redrawn with each step, and who steps with a button stays on it."""
    mirror.page.locator("[data-key=on]").focus()
    mirror.press("Enter", "Enter")
    assert step_of(mirror) == 2
    assert mirror.page.evaluate("document.activeElement.dataset.key") == "on"
    mirror.page.locator(".app h1").select_text()
    assert mirror.page.evaluate("getSelection().toString()") == mirror.page.locator(".app h1").inner_text()


@pytest.mark.parametrize("selection", sampled([MIRROR, DEADLOCK], [DEADLOCK]), ids=["code base", "own"])
def test_ones_own_path_leaves_as_a_trace_that_the_command_reads(
    opens: Opens, reports: Reports, tmp_path: Path, selection: tuple[str, ...]
) -> None:
    """`trace show` executes it, step by step, on the model."""
    visit = opens(reports(*selection), "#/0/-/0/0.0")
    visit.page.locator("[data-key=export]").click()
    with visit.page.expect_download() as saved:
        visit.page.locator("dialog a").click()
    file = tmp_path / "path.json"
    saved.value.save_as(file)
    assert len(json.loads(file.read_text(encoding="utf-8"))["steps"]) == 2
    named = () if selection is MIRROR else ("--model", selection[0])
    result = run("trace", "show", str(file), *named)
    assert result.exit_code == 0, result.output
    assert visit.problems == []


@pytest.mark.slow
def test_the_whole_counterexample_leaves_as_one(opens: Opens, reports: Reports, tmp_path: Path) -> None:
    """With its property, which the command confirms."""
    visit = opens(reports(*MIRROR), "#/0/0/9999")
    visit.page.locator("[data-key=export]").click()
    file = tmp_path / "path.json"
    file.write_text(visit.page.locator("dialog textarea").input_value(), encoding="utf-8")
    assert json.loads(file.read_text(encoding="utf-8"))["property"]
    assert run("replay", str(file)).exit_code == 12


@pytest.mark.slow
def test_help_is_a_window_that_escape_closes(mirror: Visit) -> None:
    """And keys do nothing else meanwhile."""
    mirror.press("?", "ArrowRight")
    assert (mirror.page.locator("dialog").count(), step_of(mirror)) == (1, 0)
    mirror.press("Escape", "ArrowRight")
    assert (mirror.page.locator("dialog").count(), step_of(mirror)) == (0, 1)
