"""Runs of all kinds, for whatever draws or writes one: a real row, a deadlock, a lasso, a long one, an empty one, names that nobody meant."""

from __future__ import annotations

from collections.abc import Callable

from draincheck.checking import check
from draincheck.lang import Model
from draincheck.report.account import Item
from draincheck.run import Run, Trace
from draincheck.subject import About
from drainspecs.mirror.code_base import CodeBase
from tests.support.machines import clock
from tests.support.reports import nasty_suite, scripted_run, waiting

ABOUT = About("model", "m", "what p does", "m.py:build")


def of_code_base(scenario: str = "mirror", name: str = "S4") -> tuple[Run, About]:
    """A counterexample of v2.6.0."""
    subject = CodeBase.named("v2.6.0", scenario)
    found = check(subject, [name])
    trace = found[name].verdict.trace
    assert trace is not None
    return Run.of(found.system, trace), subject.about


def ticks(number: int, loop: int | None = None) -> Run:
    """A bit that goes up and down so many times."""
    system = clock()
    return Run.of(system, Trace("machine", system.digest, "", (0,), (0, 1) * number, loop))


def _of(item: Item) -> tuple[Run, About]:
    assert item.run is not None
    return item.run, ABOUT


def nameless() -> Model:
    """A model in which nothing has a name that can be seen."""
    m = Model("\u200b")
    x = m.bool("\u200b")
    with m.thread("\u200b") as p:
        p.do("\u200b", x.set())
    m.always("\u200b", ~x)
    return m


#: what a format has a meaning for
KEYWORDS = (
    "end",
    "loop",
    "box",
    "rect",
    "Note over p0",
    "participant",
    "digraph",
    "node",
    "style",
    "</svg>",
    "]]>",
    "--",
    "#",
    ";",
)


def keywords() -> Model:
    """A model in which everything is called as something else, by several processes that enter each other."""
    m = Model("graph")
    count = m.int("strict", 0, len(KEYWORDS))
    other = m.coroutine("end")
    with other, other.call("loop (end)"):
        for word in KEYWORDS:
            other.do(word, count.inc(), mark=word)
            other.yield_(word)
    with m.thread("subgraph") as p, p.call("while", numbered=True), p.loop():
        p.enter(other)
    m.always("end", count < len(KEYWORDS))
    return m


def halves() -> Model:
    """A model with halves of characters, which UTF-8 cannot hold, and characters that turn text round."""
    m = Model("lone \ud800")
    x = m.enum("x\u202e", "no\udfff", "yes\u2066")
    with m.thread("t\udcff") as p, p.call("f\ufeff (\u200f)"):
        p.do("go\ud83d", x.set("yes\u2066"), mark="\udc00")
    m.always("p\ud801", x.is_("no\udfff"))
    return m


def of_model(model: Model) -> tuple[Run, About]:
    """The counterexample of its only property."""
    found = check(model)
    trace = found[found.system.properties[0].name].verdict.trace
    assert trace is not None
    return Run.of(found.system, trace), About("model", found.system.name, "s", "m.py:build")


RUNS: dict[str, Callable[[], tuple[Run, About]]] = {
    "mirror": of_code_base,
    "dataplane-stop": lambda: of_code_base("dataplane-stop"),
    "scripted": lambda: (scripted_run(), ABOUT),
    "waiting": lambda: _of(waiting().items[0]),
    "nasty": lambda: _of(nasty_suite().items[0]),
    "nameless": lambda: of_model(nameless()),
    "keywords": lambda: of_model(keywords()),
    "halves": lambda: of_model(halves()),
    "long": lambda: (ticks(500), ABOUT),
    "lasso": lambda: (ticks(2, 2), ABOUT),
    "empty": lambda: (ticks(0), ABOUT),
}
