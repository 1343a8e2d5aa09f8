"""Traces as drawings: everything is there, nothing overlaps, nothing is run or loaded, and an XML parser reads it."""

from __future__ import annotations

from xml.etree.ElementTree import ParseError

import pytest

from draincheck.escape import harmless
from draincheck.report import svg
from draincheck.report.arrows import ArrowKind
from draincheck.report.folding import folded
from draincheck.report.lanes import lanes_of
from draincheck.report.trace_svg import MOST_STEPS, trace_svg
from draincheck.run import Run
from draincheck.subject import About
from tests.support.drawings import Picture
from tests.support.reports import NASTY, nasty_suite
from tests.support.runs import RUNS, of_code_base


def shown(text: str) -> str:
    """A text as it is drawn, without spaces."""
    return "".join(harmless(text).split())


def drawing(name: str) -> tuple[Run, Picture]:
    """A run and its picture."""
    run, about = RUNS[name]()
    return run, Picture(trace_svg(run, about))


@pytest.mark.parametrize("name", RUNS)
def test_nothing_overlaps_nor_leaves_the_page(name: str) -> None:
    """Whatever names are; and it is as wide as an issue shows it."""
    _, picture = drawing(name)
    assert picture.overlaps() == []
    assert picture.outside() == []
    assert picture.size[0] == 1000


@pytest.mark.parametrize("name", RUNS)
def test_every_step_is_there_with_all_its_words(name: str) -> None:
    """Labels, changes, the names of lanes, and what is decided at the end."""
    run, picture = drawing(name)
    lanes = lanes_of(run)
    numbers = [text.words for text in picture.texts if text.words.isdigit()]
    drawn = folded(lanes, MOST_STEPS).steps
    assert numbers == [str(step.number) for step in drawn]
    for step in drawn:
        for event in (event for event in step.events if event.shown):
            assert shown(event.part.label) in picture.words
            assert all(shown(change.name) in picture.words for change in event.changes)
    assert len([name for name in picture.names if name != "again and again"]) == len(lanes.lanes)


@pytest.mark.parametrize("name", RUNS)
def test_nothing_is_run_or_loaded(name: str) -> None:
    """No script, no font, no picture from elsewhere; it says what it is, and has colours for the dark."""
    run, picture = drawing(name)
    assert picture.foreign() == []
    title, description = (picture.root.findtext(f"{{http://www.w3.org/2000/svg}}{tag}") for tag in ("title", "desc"))
    assert title
    assert description
    assert f"{len(run.steps)} step" in title
    assert "@media screen and (prefers-color-scheme: dark)" in picture.text


def test_the_readers_see_what_is_wrong() -> None:
    """Negative controls: texts on each other, texts outside, a script."""
    _, picture = drawing("mirror")
    moved = picture.text.replace(
        "bdrv_get_dirty_count is 0</text>", 'x</text><text x="500" y="2">y</text><text x="502" y="4">z</text>'
    )
    assert Picture(moved).overlaps() == [("y", "z")]
    assert Picture(moved).outside() == ["y", "z"]
    assert Picture(picture.text.replace("<style>", '<script href="x" /><style>@import x;')).foreign() != []


def test_a_broken_escaper_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: with characters that XML cannot hold no parser reads the drawing."""
    monkeypatch.setattr(svg, "harmless", lambda text: text)
    with pytest.raises((ParseError, UnicodeEncodeError, ValueError)):
        drawing("nasty")


def test_marks_are_pinned_with_what_they_mean() -> None:
    """Each letter on its disk, and once more beside its meaning."""
    run, about = of_code_base()
    picture = Picture(trace_svg(run, about))
    for letter, meaning in about.marks.items():
        assert [text.words for text in picture.texts].count(letter) == 2
        assert shown(meaning) in picture.words


def test_windows_are_shaded_from_their_first_step_to_their_last() -> None:
    """W reaches from (w) to (c)."""
    run, about = of_code_base()
    picture = Picture(trace_svg(run, about))
    boxes = [
        box.attrib for box in picture.root.iter("{http://www.w3.org/2000/svg}rect") if "shade" in box.get("class", "")
    ]
    (box,) = boxes
    top, bottom = float(box["y"]), float(box["y"]) + float(box["height"])
    lines = {text.words: (text.top, text.bottom) for text in picture.texts if text.words.isdigit()}
    inside = [number for number, (high, low) in lines.items() if top < high and low < bottom]
    assert (inside[0], inside[-1]) == ("23", "42")


def test_arrows_lead_from_dot_to_dot() -> None:
    """As many as are to be drawn, each from the line of its first step to the line of its last."""
    run, about = of_code_base()
    picture, lanes = Picture(trace_svg(run, about)), lanes_of(run, about)
    arrows = [arrow for arrow in folded(lanes, MOST_STEPS).arrows if arrow.kind is ArrowKind.HANDOVER]
    lines = {text.words: text.top + 5 for text in picture.texts if text.words.isdigit()}
    found = [(y1, y2) for _, y1, _, y2 in picture.ends("orange")]
    wakeups = [arrow for arrow in folded(lanes, MOST_STEPS).arrows if arrow.kind is ArrowKind.WAKEUP]
    assert len(found) == len(arrows) + len(wakeups) > 5
    for arrow in arrows:
        start, end = lines[str(arrow.start)], lines[str(arrow.end)]
        assert any(abs(y1 - start) < 8 and abs(y2 - end) < 8 for y1, y2 in found)


def test_a_loop_is_a_line_back() -> None:
    """From the last step to the first that comes again."""
    _, picture = drawing("lasso")
    assert picture.names[-1] == "again and again"
    (arrow,) = picture.ends("red")
    assert arrow[1] > arrow[3]


def test_a_long_trace_is_folded_and_says_so() -> None:
    """At most so many steps are drawn, and how many are left out stands there."""
    _, picture = drawing("long")
    assert shown(f"{1000 - MOST_STEPS} steps that matter less left out") in picture.words
    short = Picture(trace_svg(*of_code_base(), short=True))
    assert "left out" in " ".join(text.words for text in short.texts)


def test_a_drawing_is_the_same_twice() -> None:
    """Nothing in it depends on an order of sets."""
    run, about = of_code_base("dataplane-stop")
    assert trace_svg(run, about) == trace_svg(run, about)


def test_no_name_is_too_long() -> None:
    """Lanes with long names, labels without spaces, values without end: they are wrapped or shortened."""
    run = nasty_suite().items[0].run
    assert run is not None
    about = About("model", NASTY * 9, NASTY * 5, "m.py:build")
    picture = Picture(trace_svg(run, about))
    assert picture.overlaps() == []
    assert picture.outside() == []
