"""Windows of many writes, and windows that are no run: what is exchanged, what stays unknown, and all that the model may have done."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from random import Random

import pytest

from draincheck.budget import Limits, running
from draincheck.exploration.graph import StateGraph
from draincheck.qemulog import candidates, validation
from draincheck.qemulog.candidates import Prefixes
from draincheck.qemulog.likeness import Likeness, Unlike
from draincheck.qemulog.shown import Observed, Sign, shown, signs
from draincheck.qemulog.validation import Validation, validate
from draincheck.revisions import find_revision
from draincheck.system import State, TransitionSystem, Variable
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.log_runs import MOST_WRITES, requests_of
from drainspecs.mirror.scenarios import find_scenario, with_sizes
from tests.support.cli import run
from tests.support.qemu_logs import LOGS, Guest, made
from tests.support.samples import sampled

ASSERT = str(LOGS / "old-assert-commit-i.log.xz")
AGAINST = ("--against", "ab27c3b5e7", "--scenario", "commit")

#: code bases and scenarios whose requests come and go in different ways
KINDS = [
    pytest.param("ab27c3b5e7", "mirror", marks=pytest.mark.long),
    ("ab27c3b5e7", "timer"),
    pytest.param("9a0cec664e", "no-ioeventfd", marks=pytest.mark.long),
    pytest.param("v7.2.0", "no-ioeventfd", marks=pytest.mark.long),
    ("ab27c3b5e7", "no-ioeventfd-vcpu"),
]


@cache
def system_of(revision: str, scenario: str, writes: int) -> TransitionSystem:
    return CodeBase(find_revision(revision), with_sizes(find_scenario(scenario), {"writes": writes})).system()


def asked(
    system: TransitionSystem, seen: list[Sign], exchanging: bool = True, hidden: tuple[Sign, ...] = ()
) -> Validation:
    components = requests_of(system) if exchanging else ()
    return validate(system, [Observed(each, None) for each in seen], hidden, components)


def window(chance: Random) -> list[Sign]:
    """What a log could show of up to three writes: each answer behind its write, else in any order."""
    writes = chance.randrange(4)
    story = [Sign.WINDOW, Sign.DEFER, Sign.SWITCH]
    answered = [Sign.ENTER] * writes + [Sign.ANSWER] * chance.randrange(writes + 1)
    for each in answered:
        story.insert(chance.randrange(1, len(story) + 1), each)
    writing = iter(answered)
    return [next(writing) if each in (Sign.ENTER, Sign.ANSWER) else each for each in story]


# -- requests that only their numbers tell apart


@pytest.mark.slow
@pytest.mark.parametrize(("revision", "scenario"), KINDS)
def test_exchanging_requests_changes_no_answer(revision: str, scenario: str) -> None:
    """Of three writes, random windows: run or not, how much of it, what comes next and why not, as without it."""
    system, chance, verdicts = system_of(revision, scenario, 3), Random(5), set[bool]()
    for _ in range(16):
        seen, hidden = window(chance), (Sign.SWITCHED, *([Sign.DEFER] if chance.random() < 0.5 else []))
        seen = [each for each in seen if each not in hidden]
        one, other = (asked(system, seen, each, hidden) for each in (True, False))
        assert not one.stopped
        assert not other.stopped
        assert (one.run is None, one.accepted, one.next) == (other.run is None, other.accepted, other.next), seen
        assert {each.refusal.shows for each in one.candidates} == {each.refusal.shows for each in other.candidates}
        verdicts.add(one.run is not None)
    assert verdicts == {True, False}


@pytest.mark.slow
def test_states_that_are_exchanged_are_fewer() -> None:
    """As many as there are in each stage: of four writes that entered at once, five ways to be half done, and not sixteen."""
    system = system_of("ab27c3b5e7", "mirror", 4)
    seen = [Sign.WINDOW, *[Sign.ENTER] * 4, Sign.WINDOW]
    exchanged, plain = (asked(system, seen, each) for each in (True, False))
    assert exchanged.accepted == plain.accepted == 5
    assert 0 < 2 * exchanged.states < plain.states


def busy(system: TransitionSystem) -> tuple[State, State]:
    """A state with two writes in flight, one behind the other, and one before it."""
    graph = StateGraph(system, (), Limits(states=50_000))
    for here, leaving in enumerate(graph.edges):
        for _, target in leaving:
            values = system.decoded(graph.state(target))
            if (values["write[0.0]"], values["write[0.1]"]) == ("io_done", "in_flight"):
                return graph.state(here), graph.state(target)
    raise AssertionError


def test_requests_of_which_something_was_forgotten_are_not_exchanged() -> None:
    """Negative control: without a variable that is theirs, their steps are odd, and nothing stands for anything."""
    system = system_of("ab27c3b5e7", "mirror", 2)
    before, after = busy(system)
    all_of_them = requests_of(system)
    found = Likeness(system, all_of_them, signs).representative(before, after)
    assert system.decoded(found)["write[0.1]"] == "io_done"
    names = [str(variable) for variable in all_of_them[0]]
    some: list[list[Variable]] = [[each[names.index("write[0.0]")]] for each in all_of_them]
    seen = Observed(Sign.WINDOW, None), *[Observed(Sign.ENTER, None)] * 2, Observed(Sign.ANSWER, None)
    with pytest.raises(Unlike):
        validation._Search(system, seen, frozenset(), some).result()


@pytest.mark.slow
def test_a_window_of_more_writes_is_decided() -> None:
    """All of them enter and are answered in the bandage's window: a run, which is executed."""
    found = asked(
        system_of("ab27c3b5e7", "mirror", 9), [Sign.WINDOW, *[Sign.ENTER] * 9, *[Sign.ANSWER] * 9, Sign.DEFER]
    )
    assert found.run is not None
    assert shows_all(found)


def shows_all(found: Validation) -> bool:
    """Whether the run shows what was asked, step by step."""
    assert found.run is not None
    run, seen = found.run, list[Sign]()
    states = run.states
    for place, step in enumerate(run.trace.actions):
        seen += shown(run.system, run.system.actions[step], states[place], states[place + 1])
    return seen == [each.what for each in found.observed]


# -- what is not known


def test_a_window_of_more_writes_than_a_model_has_is_unknown(tmp_path: Path) -> None:
    """30 with the reason, in text and JSON, and never a pass."""
    file = tmp_path / "many.log"
    file.write_bytes(b"\n".join(made(Guest(new=True), [["held"], ["acked"] * (MOST_WRITES + 1)]).lines) + b"\n")
    result = run("log", str(file), "--against", "v7.2.0", "--json")
    document = json.loads(result.stdout)["files"][0]
    assert [each["accepted"] for each in document["runs"]] == [True, None]
    assert "33 writes" in document["runs"][1]["unknown"]
    assert document["joint"][0]["unknown"] == 1
    clean = tmp_path / "clean.log"
    clean.write_bytes(file.read_bytes().replace(b"virtio_blk_handle_write", b"virtio_blk_handle_other"))
    assert "1 unknown" in run("log", str(file), "--against", "v7.2.0").stdout


def test_what_is_stopped_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the limit of states, and by the budget: 30, where the log itself is clean."""
    log = str(LOGS / "72-mirror-1disk.log.xz")
    assert run("log", log, "--against", "v7.2.0").exit_code == 0
    monkeypatch.setattr(validation, "MOST", 10)
    result = run("log", log, "--against", "v7.2.0")
    assert result.exit_code == 30
    system = system_of("ab27c3b5e7", "mirror", 2)
    with running(Limits(seconds=0)):
        assert asked(system, [Sign.WINDOW]).stopped


# -- candidates


def prefixes_of(found: Validation) -> Prefixes:
    assert found.prefixes is not None
    return found.prefixes


def test_several_candidates_are_told_with_the_ways_to_them() -> None:
    """After (w) and (a) the write is refused by the bandage whether its kick is read already, not yet, or a bottom half comes first."""
    found = asked(system_of("ab27c3b5e7", "commit", 2), [Sign.WINDOW, Sign.DEFER, Sign.ENTER, Sign.ENTER])
    assert found.accepted == 2
    assert len(found.candidates) > 1
    for each in found.candidates:
        assert "external_disable_cnt (iohandler_ctx) == 0" in each.refusal.unmet
        assert each.refusal.values["external_disable_cnt (iohandler_ctx)"] == "1"
    graph = prefixes_of(found)
    assert {number for node in graph.nodes for number in node.ends} == set(range(len(found.candidates)))
    assert {(node.first, node.last) for node in graph.nodes} >= {(0, 0), (1, 1), (2, 2)}
    for edge in graph.edges:
        source, target = graph.nodes[edge.source], graph.nodes[edge.target]
        assert set(target.candidates) <= set(source.candidates)
        assert target.first == source.first + len(edge.shows)
    assert sum(node.states for node in graph.nodes if node.last == 2) == found.states


def test_one_candidate_is_told_in_a_line() -> None:
    """In the real fix (w) and (a) are one step."""
    found = asked(system_of("9a0cec664e", "mirror", 1), [Sign.WINDOW, Sign.ENTER])
    (one,) = found.candidates
    assert one.refusal.shows == (Sign.WINDOW, Sign.DEFER)


@pytest.mark.parametrize("apart", sampled([2, 1], 1))
def test_a_large_graph_is_merged(apart: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """To so many nodes: those of several events are one, and candidates that are not told apart are counted."""
    system = system_of("ab27c3b5e7", "commit", 2)
    seen = [Sign.WINDOW, Sign.DEFER, Sign.ENTER]
    number = len(asked(system, seen).candidates)
    monkeypatch.setattr(candidates, "APART", apart)
    monkeypatch.setattr(candidates, "NODES", 3)
    found = asked(system, seen)
    graph = prefixes_of(found)
    assert len(graph.nodes) <= 3
    assert len(found.candidates) + graph.others == number
    assert any(node.first < node.last for node in graph.nodes)


@pytest.mark.parametrize("suffix", sampled(["svg", "dot", "json", "graphml"], 1))
def test_the_candidates_are_drawn(suffix: str, tmp_path: Path) -> None:
    """In the format that the suffix names; the log's verdict is the exit code."""
    file = tmp_path / f"candidates.{suffix}"
    result = run("log", ASSERT, *AGAINST, "--graph", str(file))
    assert result.exit_code == 12
    text = file.read_text(encoding="utf-8")
    assert "external_disable_cnt" in text
    if suffix == "json":
        document = json.loads(text)
        assert document["format"] == "check-invariants/graph-candidates"
        assert {node["kind"] for node in document["nodes"]} == {"prefix", "candidate"}


@pytest.mark.slow
def test_where_all_is_a_run_nothing_is_drawn(tmp_path: Path) -> None:
    """The log's own exit code, and no file; without a code base 2."""
    file = tmp_path / "g.svg"
    log = str(LOGS / "72-mirror-1disk.log.xz")
    assert run("log", log, "--against", "v7.2.0", "--graph", str(file)).exit_code == 0
    assert run("log", log, "--graph", str(file)).exit_code == 2
    assert not file.exists()


@pytest.mark.slow
def test_all_windows_together_are_the_first_and_the_last_line() -> None:
    """And one entry for each code base in JSON."""
    arguments = ("log", ASSERT, *AGAINST, "--against", "ab27c3b5e7~2")
    lines = run(*arguments).stdout.splitlines()
    assert lines[0] == lines[-1]
    assert lines[0].startswith(f"{ASSERT}: ")
    assert "; 3 of 4 windows are runs of" in lines[0]
    assert "all 4 windows are runs of" in lines[0]
    found = json.loads(run(*arguments, "--json").stdout)["files"][0]["joint"]
    assert [(each["windows"], each["runs"], each["refused"], each["unknown"]) for each in found] == [
        (4, 3, 1, 0),
        (4, 4, 0, 0),
    ]
