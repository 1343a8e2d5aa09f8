"""The corpus of traces: for every code base what violates and what satisfies, executed on the core; and traces that must be refused.

`UPDATE_GOLDEN=1 pytest tests/golden/test_trace_corpus.py` writes the corpus anew: after a change of the model its traces belong to
another model, and nothing else makes them change.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from draincheck.conformance.lockstep import follow, steps_of_run, trace_of_steps
from draincheck.conformance.matrix import config_of
from draincheck.core.machine import Machine
from draincheck.core.outcome import Ending as End
from draincheck.core.run import replay, simulate
from draincheck.engines.explicit import explore
from draincheck.errors import TraceError
from draincheck.report.jsontrace import read_trace, write_trace
from draincheck.revisions import REVISIONS, Revision, find_revision
from draincheck.run import Run, Trace, rerun
from draincheck.subject import Source
from draincheck.system import TransitionSystem
from draincheck.verdict import Outcome
from drainspecs.mirror.scenarios import applies, find_scenario
from drainspecs.suite.matrix import Row, system_of
from tests.support.samples import sampled

CORPUS = Path(__file__).parent / "traces"
EXPECTED = CORPUS / "expected.json"
UPDATE = "UPDATE_GOLDEN" in os.environ

#: what is kept of each scenario: shortest counterexamples of loss, abort and hang, and the shortest witness of a good end
KEPT = {"mirror": ("S4", "A1", "R1"), "timer": ("S4",), "dataplane": ("F1",), "timer-flush": ("F1",)}

#: code bases in which nothing of this is violated; those of October 2016, and 3bb0e2980a, still abort in the scenario timer
NOTHING_VIOLATED = ("5a7e7a0bad~1", "9972354856", "d42cf28837", "7f16476fab", "3bb0e2980a", "2398747128")

#: random runs of the core that end well, kept of each code base in the first scenario
FINE_RUNS = 2


@cache
def system(revision: str, scenario: str) -> TransitionSystem:
    """The model of a row."""
    return system_of(Row(find_revision(revision), find_scenario(scenario)))


def traces_of(revision: Revision, scenario: str) -> Iterator[tuple[str, Trace, Outcome]]:
    """What is kept of a code base in a scenario, with its verdict."""
    model = system(revision.name, scenario)
    verdicts = explore(model).verdicts
    for name in KEPT[scenario]:
        verdict = verdicts[name]
        if verdict.trace is not None:
            yield f"{scenario}-{name}", verdict.trace, verdict.outcome
    config = config_of(find_scenario(scenario))
    for seed in range(FINE_RUNS if scenario == "mirror" else 0):
        run = simulate(revision.knobs, config, seed, 20).first.get(End.FINE)
        if run is not None:
            yield f"{scenario}-fine-{seed}", trace_of_steps(model, run[1].steps, "R1"), Outcome.HOLDS


def executed(file: Path) -> dict[str, Any]:
    """What the core makes of a trace: how it ends, the bytes of lost writes, and the marked events in their order."""
    read = read_trace(file.read_bytes())
    assert read.source is not None
    revision, scenario = find_revision(str(read.source["revision"])), find_scenario(str(read.source["scenario"]))
    model, config = system(revision.name, scenario.name), config_of(scenario)
    run = Run.of(model, read.trace)
    assert follow(run, Machine(revision.knobs, config)) is None
    steps = steps_of_run(run)
    here, ended = replay(revision.knobs, config, steps), replay(revision.knobs, config, steps, to_the_end=True)
    return {
        "property": read.trace.property,
        "verdict": None if read.verdict is None else read.verdict.value,
        "broken": sorted({name for step in run.steps for name in step.broken}),
        "marks": [f"({event.mark}) {event.text}" for event in here.events if event.mark],
        "outcome": here.outcome.value,
        "outcome in the end": ended.outcome.value,
        "lost": [
            [w.name, w.status, w.written[:4].hex(), w.source[:4].hex(), w.target[:4].hex(), w.read and w.read[:4].hex()]
            for w in ended.lost
        ],
    }


def write_corpus() -> None:
    """Make every file of the corpus, and what is expected of it."""
    CORPUS.mkdir(exist_ok=True)
    for old in CORPUS.glob("*.json"):
        old.unlink()
    for revision in REVISIONS:
        for scenario in KEPT:
            if not applies(revision, find_scenario(scenario)):
                continue
            for name, trace, outcome in traces_of(revision, scenario):
                source: Source = {"revision": revision.name, "scenario": scenario, "order": "attach", "settings": {}}
                text = write_trace(Run.of(system(revision.name, scenario), trace), source=source, verdict=outcome)
                compact = json.dumps(json.loads(text), separators=(",", ":"))
                (CORPUS / f"{revision.name}-{name}.json").write_text(compact + "\n", encoding="utf-8")
    found = {file.stem: executed(file) for file in corpus()}
    EXPECTED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def corpus() -> list[Path]:
    """The trace files."""
    return sorted(file for file in CORPUS.glob("*.json") if file != EXPECTED)


if UPDATE:
    write_corpus()

PINNED: dict[str, dict[str, Any]] = json.loads(EXPECTED.read_text(encoding="utf-8")) if EXPECTED.exists() else {}


@pytest.mark.parametrize("file", sampled(corpus(), corpus()[::6]), ids=lambda file: file.stem)
def test_each_trace_does_on_the_core_what_is_pinned(file: Path) -> None:
    """Verdict, bytes and the order of the story's events, executed anew."""
    assert executed(file) == PINNED[file.stem]


def test_every_code_base_is_in_the_corpus() -> None:
    """At least one violating trace where one exists, and several that satisfy the invariant."""
    for revision in REVISIONS:
        mine = {name: pinned for name, pinned in PINNED.items() if name.startswith(f"{revision.name}-")}
        assert sum(pinned["verdict"] == "holds" for pinned in mine.values()) >= 3
        if revision.name not in NOTHING_VIOLATED:
            assert any(pinned["verdict"] == "violated" for pinned in mine.values()), revision.name


def test_all_ends_are_in_the_corpus() -> None:
    """Loss, abort, hang and a good end are told apart."""
    assert {pinned["outcome in the end"] for pinned in PINNED.values()} >= {"fine", "silent loss", "abort", "hang"}


def tampered(**changes: Any) -> bytes:
    """A trace of the corpus with some fields changed."""
    data = json.loads((CORPUS / "3f09bfbc7b-mirror-A1.json").read_text(encoding="utf-8"))
    return json.dumps({**data, **changes}).encode()


def test_an_impossible_order_is_refused() -> None:
    """The model does not follow a trace whose steps stand in another order."""
    data = json.loads((CORPUS / "3f09bfbc7b-mirror-A1.json").read_text(encoding="utf-8"))
    read = read_trace((CORPUS / "3f09bfbc7b-mirror-A1.json").read_bytes())
    actions = (*read.trace.actions[1:], read.trace.actions[0])
    swapped = Trace(read.trace.system, read.trace.digest, "A1", read.trace.initial, actions)
    assert data["digest"] == read.trace.digest
    with pytest.raises(TraceError, match="cannot be taken"):
        rerun(system("3f09bfbc7b", "mirror"), swapped)


def test_a_tampered_digest_is_refused() -> None:
    """A trace of another model does not run."""
    read = read_trace(tampered(digest="0" * 64))
    with pytest.raises(TraceError, match="another model"):
        rerun(system("3f09bfbc7b", "mirror"), read.trace)


def test_a_truncated_file_is_refused() -> None:
    """Half a file is no trace."""
    text = (CORPUS / "3f09bfbc7b-mirror-A1.json").read_bytes()
    with pytest.raises(TraceError, match="cut off"):
        read_trace(text[: len(text) // 2])


def test_a_wrong_version_is_refused() -> None:
    """A format of the future is not guessed at."""
    with pytest.raises(TraceError, match="version"):
        read_trace(tampered(version=2))
