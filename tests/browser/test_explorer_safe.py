"""The explorer lets nothing in: no network, no code but its own, and names that are nothing but names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from draincheck.explorer import body, onefile
from tests.browser.conftest import Opens
from tests.support.cli import run
from tests.support.samples import sampled
from tests.support.visits import Visit

pytestmark = pytest.mark.needs("chromium-headless-shell")

Reports = Callable[..., Path]

#: a model in which everything that has a name has this one
MODEL = """
from draincheck.lang import Model

NAME = {name!r}


def build():
    m = Model(NAME)
    x, y = m.bool(NAME), m.enum(NAME + "1", NAME + "0", NAME + "2")
    with m.thread(NAME) as p, p.call(NAME):
        p.do(NAME, x.set(), mark=NAME)
        with p.either() as choice:
            with choice():
                p.do(NAME, y.set(NAME + "2"))
            with choice():
                p.do(NAME + "3", x.clear())
    m.always(NAME, ~y.is_(NAME + "2"), meaning=NAME)
    m.final(y.is_(NAME + "2"))
    return m
"""

#: what an unescaped name would do: be executed, end the element it stands in, become an attribute or an address
HOSTILE = {
    "image": "<img src=x onerror=\"document.title='executed'\">",
    "script": "</script><script>document.title='executed'</script>",
    "comment": "<!--<script>",
    "pre": "</pre></section><svg onload=\"document.title='executed'\">",
    "attribute": '" autofocus onfocus="document.title=\'executed\'" x="',
    "address": "javascript:document.title='executed'",
    "entities": "&lt;b&gt; &amp; &#x41; %3Cb%3E ${document.title} {x}",
    "control": "bell\x07 esc\x1b[31m nul\x00 line\u2028end rtl\u202etxt",
    "half": "half \ud800 of one",
    "object": "__proto__",
    "long": "x" * 300,
}
#: what is tried in the quick run
OFTEN = [HOSTILE[name] for name in ("image", "script")]


def visited(opens: Opens, tmp_path: Path, name: str, place: str) -> Visit:
    """The report about a model with this name everywhere."""
    model = tmp_path / "hostile.py"
    model.write_text(MODEL.format(name=name), encoding="utf-8", errors="surrogatepass")
    result = run("report", f"{model}:build", "-o", str(tmp_path / "hostile.html"))
    assert result.exit_code == 0, result.output
    return opens(tmp_path / "hostile.html", place)


def is_harmless(visit: Visit) -> bool:
    """Whether nothing was executed, loaded, or broken off."""
    known = {"html", "head", "meta", "title", "style", "body", "script"}
    foreign = visit.page.evaluate(
        "[...document.querySelectorAll('img, iframe, object, [autofocus], [onfocus], [onload], [onerror]')].length"
    )
    outside = visit.page.evaluate("[...document.head.children].map((each) => each.localName)")
    scripts = visit.page.locator("script").count()
    executed = visit.page.title() == "executed"
    return not executed and visit.problems == [] and foreign == 0 and scripts == 2 and set(outside) <= known


@pytest.mark.parametrize("name", sampled(HOSTILE.values(), OFTEN), ids=HOSTILE)
def test_a_name_is_nothing_but_a_name(opens: Opens, tmp_path: Path, name: str) -> None:
    """It stands there as text, wherever it comes from; nothing of it is executed, and nothing of the page is lost."""
    visit = visited(opens, tmp_path, name, "#/0/0/9999")
    visit.press("1", "a", "Home", "2")
    assert is_harmless(visit)
    for place in ("#/", "#/0", "#/0/-/0"):
        visit.go(tmp_path / "hostile.html", place)
        assert is_harmless(visit), place
    shown = visit.page.evaluate("document.querySelector('.app').textContent")
    if name.isascii() and name.isprintable():
        assert name in shown


def test_a_name_that_is_put_into_markup_is_noticed(
    opens: Opens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: scripts that make markup of texts, and a page that lets them."""
    careless = onefile.script().replace(
        "element.append(...present(children));",
        "for (const child of present(children)) typeof child === 'string' ? element.insertAdjacentHTML('beforeend', child) : element.append(child);",
    )
    monkeypatch.setattr(onefile, "script", lambda: careless)
    assert not is_harmless(visited(opens, tmp_path, HOSTILE["image"], "#/0/0/9999"))


def test_text_that_is_not_escaped_is_noticed(opens: Opens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: the same of the text for those who run no scripts."""
    monkeypatch.setattr(body, "escape", lambda words: words)
    assert not is_harmless(visited(opens, tmp_path, HOSTILE["image"], "#/0/0/0"))


@pytest.mark.parametrize(
    "selection",
    sampled([("--revision", "v2.6.0"), ("examples/deadlock.py:deadlock",)], [("examples/deadlock.py:deadlock",)]),
    ids=["code base", "own"],
)
def test_nothing_is_asked_of_the_network_and_nothing_goes_wrong(
    opens: Opens, reports: Reports, selection: tuple[str, ...]
) -> None:
    """No request but for the file itself, no message on the console, on every page of every counterexample."""
    visit = opens(reports(*selection))
    places = visit.page.evaluate("[...document.querySelectorAll('.app a[href^=\"#/\"]')].map((each) => each.hash)")
    assert len(places) > 2
    for place in dict.fromkeys(places):
        visit.go(reports(*selection), place)
        visit.press("End", "Home", "ArrowRight", "2", "f", "s", "n")
    assert visit.problems == []


def test_a_script_that_is_not_the_pages_own_does_not_run(opens: Opens, reports: Reports, tmp_path: Path) -> None:
    """Negative control of the policy: another script, a style and a picture of others are kept out, and that is seen."""
    page = reports("examples/deadlock.py:deadlock").read_text(encoding="utf-8")
    foreign = (
        "<script>document.title='executed'</script><img src='http://127.0.0.1:9/x.png'><style>body{color:red}</style>"
    )
    (tmp_path / "foreign.html").write_text(page.replace("</body>", f"{foreign}</body>"), encoding="utf-8")
    visit = opens(tmp_path / "foreign.html")
    assert visit.page.title() != "executed"
    assert len([each for each in visit.problems if "Content Security Policy" in each]) >= 3
