"""`trace diff`: where two traces part, by names alone."""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from draincheck import Model, Run, check, write_trace
from draincheck.report.told import told_trace
from draincheck.report.trace_diff import common, compared
from draincheck.run import label_of
from drainspecs.mirror.code_base import CodeBase
from tests.golden.documents import validator
from tests.support.cli import run


def length(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """The length of a longest common subsequence, as it is defined."""

    @cache
    def longest(i: int, j: int) -> int:
        if i == len(a) or j == len(b):
            return 0
        both = 1 + longest(i + 1, j + 1) if a[i] == b[j] else 0
        return max(both, longest(i + 1, j), longest(i, j + 1))

    return longest(0, 0)


@pytest.mark.parametrize("seed", range(200))
def test_what_is_common_is_a_longest_common_subsequence(seed: int) -> None:
    """In both, in order, and as long as any."""
    random = Random(seed)
    a, b = (random.choices("abc", k=random.randrange(9)) for _ in "ab")
    found = common(a, b)
    assert [a[x] for x, _ in found] == [b[y] for _, y in found]
    assert found == sorted(set(found)) and len({x for x, _ in found}) == len({y for _, y in found}) == len(found)
    assert len(found) == length(a, b)


def trace(revision: str, name: str = "S1") -> str:
    """A counterexample of a code base, as a file."""
    subject = CodeBase.named(revision)
    found = check(subject, [name])
    verdict = found[name].verdict
    assert verdict.trace is not None
    return write_trace(Run.of(found.system, verdict.trace), source=subject.source(), verdict=verdict.outcome)


def test_a_file_tells_what_its_run_does() -> None:
    """Labels as a run has them, and the values at the end."""
    subject = CodeBase.named("ab27c3b5e7")
    result = check(subject, ["S4"])
    made = result["S4"].verdict.trace
    assert made is not None
    executed = Run.of(result.system, made)
    told = told_trace(write_trace(executed))
    actions = result.system.actions
    assert [step.label for step in told.steps] == [
        label_of(result.system, actions[s.action], s.before) for s in executed.steps
    ]
    shown = [variable.name for variable in result.system.variables if not variable.internal]
    last = result.system.decoded(executed.states[-1])
    assert dict(told.end) == {name: last[name] for name in shown}


def differing(a: str, b: str) -> dict[str, Any]:
    """What the command says of two files, as a document; the exit code is as it should be."""
    Path("a.json").write_text(a, encoding="utf-8")
    Path("b.json").write_text(b, encoding="utf-8")
    result = run("trace", "diff", "a.json", "b.json", "--json")
    found: dict[str, Any] = json.loads(result.stdout)
    validator("trace-diff").validate(found)
    assert result.exit_code == found["exit_code"] == (0 if found["same"] else 10)
    return found


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somewhere to write."""
    monkeypatch.chdir(tmp_path)


def test_a_trace_is_the_same_as_itself() -> None:
    """Exit code 0, and nothing differs."""
    found = differing(trace("ab27c3b5e7"), trace("ab27c3b5e7"))
    assert found["same"] and not (found["about"] or found["start"] or found["end"])
    assert all(step["a"] == step["b"] for step in found["steps"])
    assert [each["core"]["outcome"] for each in found["traces"]] == ["silent loss", "silent loss"]


def test_the_same_property_of_two_code_bases() -> None:
    """The bandage turns an abort into a silent loss; the traces part where only one of them has yielded."""
    found = differing(trace("3f09bfbc7b"), trace("ab27c3b5e7"))
    assert not found["same"]
    assert [each["core"] for each in found["traces"]] == [
        {"outcome": "abort", "lost": []},
        {"outcome": "silent loss", "lost": ["write[0.0]"]},
    ]
    first = next(step for step in found["steps"] if step["a"] is None or step["b"] is None)
    assert (first["process"], first["a"]) == ("guest", 9)
    assert "quiesce_counter" in found["only"][1]


CHANGES: dict[str, Any] = {
    "another value": lambda data: data["steps"][-1]["changes"].update({"eventfd[0]": [True, True]}),
    "another check": lambda data: data["steps"][-1]["broken"].append("S4"),
    "another action of that name": lambda data: data["steps"][3].update(action=data["steps"][3]["action"] + 1),
    "another start": lambda data: data["initial"].update({"drain BH": True}),
    "another property": lambda data: data.update(property="S4"),
    "another verdict": lambda data: data.update(verdict=None),
    "another label": lambda data: data["steps"][0]["parts"][0].update(label="sleeps"),
    "another process": lambda data: data["steps"][2].update(process="guest"),
    "one step less": lambda data: data["steps"].pop(),
}


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_is_otherwise_in_a_file_is_a_difference(name: str) -> None:
    """The controls: a difference of each kind is none too small."""
    text = trace("ab27c3b5e7")
    data = json.loads(text)
    CHANGES[name](data)
    assert not differing(text, json.dumps(data))["same"]


def counting(first: str, most: int) -> str:
    """A trace of a small model."""
    m = Model(f"counting to {most}")
    n = m.int("n", 0, most)
    with m.thread("t") as p, p.loop():
        p.do(first, n.inc(), when=n < most)
    m.always("less", n < most)
    found = check(m)
    made = found["less"].verdict.trace
    assert made is not None
    return write_trace(Run.of(found.system, made))


def test_traces_of_different_systems_are_compared_by_names() -> None:
    """Steps of one name are the same whatever their models are; no model is needed."""
    found = compared(told_trace(counting("counts", 2)), told_trace(counting("counts", 3)))
    assert [(pair.a, pair.b) for pair in found.pairs] == [(1, 1), (2, 2), (None, 3)]
    assert dict(found.end) == {"n": (2, 3)} and not found.start
    other = compared(told_trace(counting("counts", 2)), told_trace(counting("goes on", 2)))
    assert other.shared == 0 and not other.end


def test_standard_input_is_one_of_them_at_most() -> None:
    """It can be read once."""
    Path("a.json").write_text(trace("ab27c3b5e7"), encoding="utf-8")
    assert run("trace", "diff", "-", "-").exit_code == 2
    assert run("trace", "diff", "a.json", "a.py").exit_code == 2
    Path("a.py").write_text("raise SystemExit", encoding="utf-8")
    assert run("trace", "diff", "a.json", "a.py").exit_code == 150
