"""The explorer as it is seen, or not seen: names for all, contrast, narrow screens, paper, no scripts, and how soon."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Opens
from tests.support.samples import sampled
from tests.support.visits import CONTRAST, unnamed

pytestmark = pytest.mark.needs("chromium-headless-shell")

Reports = Callable[..., Path]

ONE_CODE_BASE = ("--revision", "v2.6.0")
OWN = ("examples/deadlock.py:deadlock",)
#: the answer, a subject, a counterexample before its first step, in its middle, after its last, and left
PLACES = ("#/", "#/0", "#/0/0/0", "#/0/0/18", "#/0/0/9999", "#/0/0/3/1.0", "#/0/-/0")
SELECTIONS = pytest.mark.parametrize("selection", sampled([ONE_CODE_BASE, OWN], [OWN]), ids=["code base", "own"])


@SELECTIONS
def test_every_control_and_picture_has_a_name(opens: Opens, reports: Reports, selection: tuple[str, ...]) -> None:
    """As a screen reader finds them."""
    visit = opens(reports(*selection))
    for place in PLACES:
        visit.go(reports(*selection), place)
        assert unnamed(visit) == [], place


def test_a_control_without_a_name_is_noticed(opens: Opens, reports: Reports) -> None:
    """Negative control of the test above."""
    visit = opens(reports(*OWN))
    visit.page.evaluate("document.querySelector('.app').append(document.createElement('button'))")
    assert unnamed(visit) == ["button"]


@SELECTIONS
@pytest.mark.parametrize("scheme", sampled(["light", "dark"], ["dark"]))
def test_all_text_can_be_read(opens: Opens, reports: Reports, scheme: str, selection: tuple[str, ...]) -> None:
    """Its contrast is 4.5 to 1 at the least."""
    visit = opens(reports(*selection), color_scheme=scheme)
    for place in PLACES:
        visit.go(reports(*selection), place)
        assert visit.page.evaluate(CONTRAST) == [], place


def test_grey_on_grey_is_noticed(opens: Opens, reports: Reports) -> None:
    """Negative control of the test above."""
    visit = opens(reports(*OWN))
    visit.page.evaluate("document.querySelector('.app h1').style.color = '#777777'")
    visit.page.evaluate("document.querySelector('.app h1').style.backgroundColor = '#666666'")
    assert len(visit.page.evaluate(CONTRAST)) == 1


@pytest.mark.slow
def test_light_and_dark_can_be_chosen(opens: Opens, reports: Reports) -> None:
    """Whatever the system says, which is what counts at first."""
    visit = opens(reports(*OWN), color_scheme="light")
    seen = [visit.page.evaluate("getComputedStyle(document.body).backgroundColor")]
    for _ in range(2):
        visit.page.locator("[data-key=theme]").click()
        seen.append(visit.page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert seen[0] == seen[2] != seen[1]


@SELECTIONS
@pytest.mark.parametrize("width", sampled([360, 1000], [360]))
def test_a_narrow_screen_scrolls_the_lanes_and_nothing_else(
    opens: Opens, reports: Reports, width: int, selection: tuple[str, ...]
) -> None:
    """The page is never wider than the screen."""
    visit = opens(reports(*selection), viewport={"width": width, "height": 800})
    for place in PLACES:
        visit.go(reports(*selection), place)
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width, place


@pytest.mark.slow
def test_the_head_stays_while_the_page_and_the_lanes_scroll(opens: Opens, reports: Reports) -> None:
    """And the selected step is brought into sight."""
    visit = opens(reports(*ONE_CODE_BASE), "#/0/0/9999", viewport={"width": 360, "height": 800})
    time = visit.page.locator(".lanes .time")
    assert time.evaluate("e => e.scrollWidth > e.clientWidth && e.scrollLeft > 0")
    before = time.evaluate("e => e.scrollLeft")
    visit.press("ArrowLeft")
    assert time.evaluate("e => e.scrollLeft") == before
    visit.page.evaluate("scrollTo(0, 500)")
    assert visit.page.locator(".bar").bounding_box()["y"] == 0  # type: ignore[index]


@pytest.mark.slow
def test_paper_has_the_story_and_all_steps(opens: Opens, reports: Reports) -> None:
    """Of the counterexample that is looked at, and no controls."""
    visit = opens(reports(*ONE_CODE_BASE), "#/0/0/3")
    visit.page.emulate_media(media="print")
    text = visit.page.locator("body").inner_text()
    story = visit.page.locator("#case-0-0 li b").all_inner_texts()
    assert len(story) >= 4
    assert all(each in text for each in story)
    assert visit.page.locator("#case-0-0 pre.trace").inner_text() in text
    assert not visit.page.locator(".bar").is_visible()
    assert visit.page.locator("table.matrix").last.is_visible()
    assert not visit.page.locator("#case-0-1").is_visible()


@pytest.mark.slow
def test_paper_of_the_answer_is_a_list(opens: Opens, reports: Reports) -> None:
    """The table and each counterexample's headline; its steps are printed from its own page."""
    visit = opens(reports(*ONE_CODE_BASE), "#/")
    visit.page.emulate_media(media="print")
    text = visit.page.locator("body").inner_text()
    headlines = visit.page.locator(".case h3").all_inner_texts()
    assert len(headlines) >= 30
    assert all(each in text for each in headlines)
    assert visit.page.locator("table.matrix").last.is_visible()
    assert not any(each.is_visible() for each in visit.page.locator(".case pre, .case ol, .words").all())


@pytest.mark.slow
def test_the_code_base_is_named_on_every_page(opens: Opens, reports: Reports) -> None:
    """With its commit, release and date."""
    for place in PLACES:
        assert (
            "QEMU at ab27c3b5e7 (v2.6.0, 2016-04-22)"
            in opens(reports(*ONE_CODE_BASE), place).page.locator(".app").inner_text()
        )


@pytest.mark.slow
def test_each_scenario_has_its_own_remedy_on_the_page(opens: Opens, reports: Reports) -> None:
    """Below its heading, where its name stands in the sentence."""
    page = opens(reports(*ONE_CODE_BASE), "#/").page
    for name in ("mirror", "timer", "dataplane-stop"):
        section = page.locator(f"section[aria-label$='/ {name}']")
        assert f"in {name} S3 holds again from" in section.inner_text()


@SELECTIONS
def test_without_scripts_the_text_is_there(opens: Opens, reports: Reports, selection: tuple[str, ...]) -> None:
    """The answer and every counterexample, step by step."""
    script = opens(reports(*selection))
    answer = script.page.locator("h1").first.inner_text()
    visit = opens(reports(*selection), java_script_enabled=False)
    assert visit.page.locator("h1").first.inner_text() == answer
    traces = visit.page.locator("pre.trace")
    assert traces.count() > 0
    assert traces.first.is_visible()


def processor_time(browser: Browser) -> float:
    """Seconds that the processes that draw pages have computed."""
    found: list[dict[str, Any]] = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return sum(float(process["cpuTime"]) for process in found if process["type"] == "renderer")


@pytest.mark.slow
def test_the_first_paint_comes_soon(browser: Browser, opens: Opens, reports: Reports) -> None:
    """Within a second of computing, of the report on one code base in all scenarios: graphs are unpacked when somebody walks in them."""
    file = reports(*ONE_CODE_BASE)
    before = processor_time(browser)
    page = opens(file).page
    while not page.evaluate(
        "performance.getEntriesByType('paint').length"
    ):  # to wait for a function takes a script, which the page refuses
        page.wait_for_timeout(10)
    spent = processor_time(browser) - before
    assert 0 < spent < 1


@pytest.mark.slow
def test_computing_is_measured(browser: Browser, opens: Opens, reports: Reports) -> None:
    """Negative control of the test above: what keeps the page from being drawn counts."""
    visit, before = opens(reports(*OWN)), processor_time(browser)
    visit.page.evaluate("() => { let n = 0; for (let i = 0; i < 3e8; i++) n += i % 7; return n; }")
    assert processor_time(browser) - before > 0.1
