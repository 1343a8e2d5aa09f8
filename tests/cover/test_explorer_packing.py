"""The document as text in a page: whatever a model calls things, it stays inside its element, and comes back as it was."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from draincheck.checking import check
from draincheck.explorer import packing
from draincheck.explorer.document import ExplorerDocument, Opening
from draincheck.explorer.examined import Examined
from draincheck.explorer.making import document
from draincheck.explorer.packing import embedded, json_in_page
from draincheck.explorer.runs import Tone
from draincheck.lang import Model
from draincheck.model_file import ModelFile
from tests.support.explored_page import read_document

#: names that end elements, open comments, end lines of JavaScript, turn text round, are halves of characters, or nothing at all
NAMES = [
    "</script><script>alert(1)</script>", "<!--<script>", "]]>", "a\u2028b\u2029c", "\u202eabc", "lone \ud800 half", "nul \x00 esc \x1b[31m",
    'quotes " \\ \'', "&lt;b&gt; &amp;", "ünï ☃", "two\nlines\ttab", "${x} `y` {{z}}",
]  # fmt: skip


class Scripts(HTMLParser):
    """The texts of the script elements of a page, and how many other elements it has."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.others = 0
        self._inside = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._inside = tag == "script"
        self.others += tag != "script"

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts.append(data)


def named(name: str) -> ExplorerDocument:
    """The document about a model in which everything has one name."""
    m = Model(name)
    x, y = m.bool(name), m.enum(f"{name}2", name, "other")
    with m.thread(name) as p, p.call(name):
        p.do(name, x.set(), mark=name)
        p.do(f"{name}3", y.set("other"))
    m.always(name, ~x, meaning=name, source=name)
    subject = ModelFile("model.py", "build", m.compile())
    return document(
        [Examined(subject, check(subject))],
        title=name,
        generator=name,
        command=name,
        answer=Opening(Tone.BAD, name, name),
    )


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_stay_inside_and_come_back(name: str) -> None:
    """A parser of HTML finds one element with one text, and a reader of that the names as the model has them."""
    page = Scripts()
    page.feed(f'<script type="application/json">{embedded(named(name))}</script>')
    assert (len(page.texts), page.others) == (1, 0)
    read, graphs = read_document(page.texts[0])
    (graph,) = graphs.values()
    told = graph.told
    assert {read["title"], read["answer"]["headline"], read["subjects"][0]["title"]} == {name}
    assert {told["processes"][0]["name"], told["frames"][0][0], told["properties"][0]["name"]} == {name}
    assert [v["name"] for v in told["variables"]][:2] == [name, f"{name}2"]
    assert name in told["variables"][1]["values"]
    assert {part["mark"] for action in told["actions"] for part in action["parts"] if part.get("mark")} == {name}
    assert name in {variant["label"] for variant in told["variants"]}


def test_unescaped_signs_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: without the escapes a name ends the element."""
    monkeypatch.setattr(packing, "_SIGNS", {})
    page = Scripts()
    page.feed(f"<script>{json_in_page({'name': NAMES[0]})}</script>")
    assert len(page.texts) > 1


def test_the_texts_of_traces_stay_out() -> None:
    """What stands in the page as text does not stand in its JSON a second time."""
    made = named("plain")
    assert made.subjects[0].evidence[0].text
    assert "text" not in read_document(embedded(made))[0]["subjects"][0]["evidence"][0]
