"""Sequence diagrams: what Mermaid itself draws of them, in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from draincheck.checking import check
from draincheck.escape import harmless
from draincheck.lang import Model
from draincheck.report.account import Item
from draincheck.report.calls import events_of
from draincheck.report.mermaid import MOST_CHARACTERS, MOST_STEPS, sequence_diagram
from draincheck.run import Run, Trace
from draincheck.subject import About
from drainspecs.mirror.code_base import CodeBase
from tests.support.machines import clock, counter
from tests.support.mermaid import drawn
from tests.support.reports import NASTY, everything, nasty_suite, scripted_run, waiting
from tests.support.runs import RUNS
from tests.support.scripted import WINDOW, Do, Script


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
        **{name: run()[0] for name, run in RUNS.items()},
        "forever": shown(waiting().items[0]),
        "qemu": qemu(),
        "long": ticks(MOST_STEPS),
    }
    raw = "sequenceDiagram\n    participant p0 as x\n    Note over p0: "
    texts = [*map(sequence_diagram, runs.values()), raw.replace("Note", "Nota"), raw + "a#35;b"]
    pictures = dict(zip([*runs, "refused", "misread"], drawn(texts, tmp_path), strict=True))
    for name, run in runs.items():
        assert isinstance(pictures[name], list), (name, pictures[name])
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
    """Before the step that it leads to; all else stands beside who did it, with what it changed. Lanes of one thread are boxed."""
    lines = [line.strip() for line in sequence_diagram(scripted_run()).splitlines()]
    assert lines[1:8] == [
        "participant p0 as guest",
        "box transparent main thread",
        "participant p1 as main thread",
        "participant p2 as qemu_aio_context",
        "participant p3 as iohandler_ctx",
        "participant p4 as mirror",
        "end",
    ]
    assert lines[lines.index("p2->>p4: enters (3)") + 1] == "Note over p4: 4. no request pending"
    assert "Note over p0: 2. kick<br/>eventfd=1" in lines
    assert lines[-1] == "Note over p0,p4: violated#58; no request at (c)"


def test_rounds_and_windows_are_drawn() -> None:
    """A round is named where it begins; what stands in the window is shaded."""
    lines = [line.strip() for line in sequence_diagram(qemu()).splitlines()]
    assert [line for line in lines if "main_loop_wait" in line][-1].startswith("Note over p2,p")
    assert lines.count("end") == 2
    opened = next(number for number, line in enumerate(lines) if line.startswith("rect "))
    assert "(w)" in lines[opened + 3]
    assert lines[-2] == "end"


def test_a_shade_ends_where_a_loop_begins() -> None:
    """Blocks nest, whatever spans the window and the loop have."""
    script = Script()
    for number in range(5):
        updates = (WINDOW.set(),) if number == 1 else ()
        script.step("p", Do(f"step {number}", updates=updates), then=3 if number == 4 else None)
    system = script.system()
    run = Run.of(system, Trace("demo", system.digest, "", system.initial[0], (0, 1, 2, 3, 4), 3))
    diagram = sequence_diagram(run, About("model", "m", "s", "m.py", windows={"window": "W"}))
    lines = [line.strip().partition(" ")[0] for line in diagram.splitlines()]
    blocks = [line for line in lines if line in ("rect", "loop", "end")]
    assert blocks == ["rect", "end", "loop", "rect", "end", "end"]


def test_of_a_long_trace_the_end_is_drawn() -> None:
    """And how much is left out is said."""
    found = sequence_diagram(ticks(1000))
    assert f"Note over p0: {2000 - MOST_STEPS} steps left out" in found
    assert "2000. down" in found
    assert "left out" not in sequence_diagram(ticks(1))


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
    assert "left out" in diagram
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
