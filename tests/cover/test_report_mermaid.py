"""Sequence diagrams: what Mermaid itself draws of them, in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from draincheck.checking import check
from draincheck.escape import harmless
from draincheck.lang import Model
from draincheck.report.account import Item
from draincheck.report.calls import events_of
from draincheck.report.mermaid import MOST_CHARACTERS, MOST_EVENTS, sequence_diagram
from draincheck.run import Run, Trace
from drainspecs.mirror.code_base import CodeBase
from tests.support.machines import clock, counter
from tests.support.mermaid import drawn
from tests.support.reports import NASTY, everything, nasty_suite, scripted_run, waiting


def shown(item: Item) -> Run:
    assert item.run is not None
    return item.run


def qemu() -> Run:
    """A counterexample of a real row."""
    found = check(CodeBase.named("v2.6.0"), ["S3"])
    trace = found["S3"].verdict.trace
    assert trace is not None
    return Run.of(found.system, trace)


def ticks(number: int) -> Run:
    """A bit that goes up and down so many times."""
    system = clock()
    return Run.of(system, Trace("machine", system.digest, "", (0,), (0, 1) * number))


@pytest.mark.needs("chromium-headless-shell", "mermaid.min.js")
def test_mermaid_draws_what_the_diagram_says(tmp_path: Path) -> None:
    """Traces of all kinds, and names that nobody meant, are drawn with every word; negative controls: two that Mermaid refuses or misreads."""
    runs = {
        "scripted": scripted_run(),
        "forever": shown(waiting().items[0]),
        "nasty": shown(nasty_suite().items[0]),
        "qemu": qemu(),
        "long": ticks(MOST_EVENTS),
        "empty": ticks(0),
    }
    raw = "sequenceDiagram\n    participant p0 as x\n    Note over p0: "
    texts = [*map(sequence_diagram, runs.values()), raw.replace("Note", "Nota"), raw + "a#35;b"]
    pictures = dict(zip([*runs, "refused", "misread"], drawn(texts, tmp_path), strict=True))
    for name, run in runs.items():
        words = _words("\n".join(pictures[name]))
        for event in events_of(run)[-20:]:
            assert _words(event.part.label) in words, name
            assert _words(event.process) in words, name
    assert _words("again and again") in _words("".join(pictures["forever"]))
    assert _words("violated: no request at (c)") in _words("".join(pictures["scripted"]))
    assert str(pictures["refused"]).startswith("error: ")
    assert "a#b" in "".join(pictures["misread"])


def _words(text: str) -> str:
    """Text as it is shown, without the spaces at which a picture breaks its lines."""
    return "".join(harmless(text).split())


def test_who_enters_whom_is_an_arrow() -> None:
    """All else stands beside who did it, with what it changed."""
    lines = sequence_diagram(scripted_run()).splitlines()
    assert "    p0->>p2: 3. qemu_coroutine_enter" in lines
    assert "    Note over p1: 2. kick<br/>eventfd=1" in lines


def test_of_a_long_trace_the_end_is_drawn() -> None:
    """And how much comes before is said."""
    found = sequence_diagram(ticks(1000))
    assert f"Note over p0: {2000 - MOST_EVENTS} steps before" in found
    assert "2000. down" in found
    assert "step before" not in sequence_diagram(ticks(1))


def test_no_diagram_is_longer_than_mermaid_reads() -> None:
    """Long names leave room for fewer steps; the last one stays."""
    m = Model("long")
    count = m.int("count", 0, 30)
    with m.thread("p") as p:
        for number in range(30):
            p.do(f"label {number} {NASTY * 20}", count.inc())
    m.reachable("end", count.is_(30))
    found = check(m)
    trace = found["end"].verdict.trace
    assert trace is not None
    diagram = sequence_diagram(Run.of(found.system, trace))
    assert 1000 < len(diagram) < MOST_CHARACTERS
    assert "steps before" in diagram
    assert "30. label 29" in diagram


def test_a_trace_that_decides_nothing_says_so() -> None:
    """It may have been made by hand."""
    system = counter(3, "small")
    diagram = sequence_diagram(Run.of(system, Trace("machine", system.digest, "small", (0,), (0,))))
    assert diagram.endswith("Note over p0: does not decide small\n")


def test_names_are_nothing_that_mermaid_reads() -> None:
    """No character of theirs but letters, digits and a little punctuation is left."""
    text = sequence_diagram(shown(nasty_suite().items[0]))
    assert NASTY[:3] not in text
    assert not set("|`*[]{}!~$\\\"'") & set(text)


def test_diagrams_of_all_traces_are_the_same_twice() -> None:
    """Nothing in them depends on an order of sets."""
    runs = [shown(item) for _, item in everything().items if item.run is not None]
    assert [sequence_diagram(run) for run in runs] == [sequence_diagram(run) for run in runs]
