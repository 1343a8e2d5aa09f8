"""Windows of real logs as runs of models, and the search for such runs against a plain one."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random

import pytest

from draincheck.exploration.graph import StateGraph
from draincheck.qemulog.pivot import LogReport
from draincheck.qemulog.shown import Observed, Sign
from draincheck.qemulog.validation import validate
from draincheck.revisions import REVISIONS, find_revision
from draincheck.system import Action, State, TransitionSystem
from draincheck.verdict import Limits
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.log_runs import against
from drainspecs.mirror.scenarios import applies, find_scenario
from tests.support.cli import run
from tests.support.qemu_logs import LOGS, lines_of, read_lines
from tests.support.samples import sampled


@cache
def report(name: str) -> LogReport:
    return read_lines(lines_of(name), 1 << 20).report


def runs(name: str, revision: str, scenario: str) -> list[bool]:
    judged = against(report(name), find_revision(revision), find_scenario(scenario))
    return [each.validation is not None and each.validation.run is not None for each in judged]


def test_the_seeds_assertion_is_a_run_of_its_own_code_base_alone() -> None:
    """Every window of the log, the last one with the assertion, is a run of the parent's parent of the bandage; of the bandage only the clean ones."""
    assert runs("old-assert-commit-i", "ab27c3b5e7~2", "commit") == [True] * 4
    assert runs("old-assert-commit-i", "ab27c3b5e7", "commit") == [True, True, True, False]


@pytest.mark.slow
def test_no_later_code_base_has_the_seeds_assertion() -> None:
    """From the bandage on, in every code base of the history."""
    later = REVISIONS[REVISIONS.index(find_revision("ab27c3b5e7")) :]
    scenario = find_scenario("commit")
    fixed = [row for row in later if applies(row, scenario)]
    assert len(fixed) > 20
    assert [row.name for row in fixed if runs("old-assert-commit-i", row.name, "commit")[-1]] == []


@pytest.mark.slow
def test_every_round_of_the_bandage_is_a_run_of_it() -> None:
    """Clean and lossy ones; the lossy ones are none of the real fix's."""
    assert runs("old-bandage-ioeventfd-i", "ab27c3b5e7", "mirror") == [True] * 30
    lossy = [pivot.judgement.value == "loss" for pivot in report("old-bandage-ioeventfd-i").pivots]
    assert runs("old-bandage-ioeventfd-i", "9a0cec664e", "mirror") == [not lost for lost in lossy]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "revision", "scenario", "other"),
    [
        ("old-silent-mirror", "3f09bfbc7b~1", "no-ioeventfd", "5a7e7a0bad~1"),
        ("old-realfix-mmiokick", "9a0cec664e", "no-ioeventfd", None),
        ("72-commit-mmiokick-held", "v7.2.0", "commit-no-ioeventfd", None),
    ],
)
def test_every_round_of_a_log_is_a_run_of_its_code_base(
    name: str, revision: str, scenario: str, other: str | None
) -> None:
    """Of plain builds, too, which log no mirror_exit but the switch, before which mirror_exit polls; the lossy ones are none before the window opened."""
    assert all(runs(name, revision, scenario))
    if other is not None:
        lossy = [pivot.judgement.value == "loss" for pivot in report(name).pivots]
        assert runs(name, other, scenario) == [not lost for lost in lossy]


def test_the_abort_of_v7_2_is_a_run_of_its_code_base_and_aborts_on_the_core(tmp_path: Path) -> None:
    """What a real 7.2 logged before its permissions failed: a run of the code base of v6.1 to v7.2, not of the one that mends it."""
    assert runs("72-mirror-mmiokick-abort", "3bb0e2980a", "no-ioeventfd") == [True] * 4
    assert runs("72-mirror-mmiokick-abort", "2398747128", "no-ioeventfd") == [True, True, True, False]
    file = tmp_path / "abort.json"
    log = str(LOGS / "72-mirror-mmiokick-abort.log.xz")
    assert (
        run("log", log, "--against", "3bb0e2980a", "--scenario", "no-ioeventfd", "--export", str(file)).exit_code == 14
    )
    result = run("replay", str(file))
    assert result.exit_code == 12
    assert "BLK_PERM_WRITE" in result.output


def test_what_is_refused_is_told_with_the_longest_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window opens and the job defers its exit; what then enters in the log cannot enter in the bandage's model."""
    (*_, last) = against(report("old-assert-commit-i"), find_revision("ab27c3b5e7"), find_scenario("commit"))
    found = last.validation
    assert found is not None
    assert [each.what for each in found.observed[: found.accepted]] == [Sign.WINDOW, Sign.DEFER]
    assert found.next == (Sign.SWITCH,)
    assert found.candidates


# -- against a plain search


def shown(system: TransitionSystem, action: Action, before: State, after: State) -> list[Sign]:
    """What a step shows, read from the model once more."""
    found: list[Sign] = []
    for part in action.parts:
        if system.holds(part.when, before):
            if part.mark:
                found.append({"w": Sign.WINDOW, "a": Sign.DEFER, "b": Sign.ENTER, "c": Sign.SWITCH}[part.mark])
            elif part.choice == "guest requests":
                found.append(Sign.ANSWER)
            if "root" in part.writes and system.decoded(before)["root"] != "target" == system.decoded(after)["root"]:
                found.append(Sign.SWITCHED)
    if system.holds(system.halted, after) and not system.holds(system.halted, before):
        found.append(Sign.ABORT)
    return found


@cache
def labelled(revision: str) -> tuple[TransitionSystem, list[list[tuple[tuple[Sign, ...], int]]], range]:
    """A system as a graph whose edges say what they show."""
    system = CodeBase.named(revision).system()
    graph = StateGraph(system, (), Limits(states=50_000))
    edges = [
        [
            (tuple(shown(system, system.actions[action], graph.state(here), graph.state(target))), target)
            for action, target in leaving
        ]
        for here, leaving in enumerate(graph.edges)
    ]
    return system, edges, graph.roots


def plainly(revision: str, wanted: tuple[Sign, ...]) -> bool:
    """Whether some path shows this: all pairs, without any order."""
    _, edges, roots = labelled(revision)
    seen = {(root, 0) for root in roots}
    todo = list(seen)
    while todo:
        here, number = todo.pop()
        for shows, target in edges[here]:
            pair = target, number + len(shows)
            if wanted[number : pair[1]] == shows and pair not in seen:
                seen.add(pair)
                todo.append(pair)
    return any(number == len(wanted) for _, number in seen)


@pytest.mark.parametrize("revision", sampled(["7f16476fab", "ab27c3b5e7"], 1))
def test_random_sequences_are_runs_or_not_as_a_plain_search_says(revision: str) -> None:
    """Prefixes of what random walks show are runs; changed ones may be, and both searches agree."""
    system, edges, roots = labelled(revision)
    chance, verdicts = Random(3), set[bool]()
    for _ in range(16):
        here, seen = chance.choice(list(roots)), list[Sign]()
        while edges[here] and len(seen) < 7 and chance.random() < 0.99:
            shows, here = chance.choice(edges[here])
            seen += shows
        whole = list(seen)
        if chance.random() < 0.6 and seen:
            seen[chance.randrange(len(seen))] = chance.choice(list(Sign))
        found = validate(system, [Observed(each, None) for each in seen]).run is not None
        assert found == plainly(revision, tuple(seen))
        assert found or seen != whole
        verdicts.add(found)
    assert verdicts == {True, False}


# -- a trace of a log


@pytest.mark.slow
def test_a_lossy_window_becomes_a_trace_that_loses_on_the_core(tmp_path: Path) -> None:
    """What the log shows is what the core does: the same number of writes is lost."""
    file = tmp_path / "trace.json"
    log = str(LOGS / "old-bandage-ioeventfd-i.log.xz")
    assert run("log", log, "--against", "ab27c3b5e7", "--export", str(file)).exit_code == 12
    result = run("replay", str(file))
    assert result.exit_code == 12
    lossy = [len(pivot.lost) for pivot in report("old-bandage-ioeventfd-i").pivots if pivot.lost]
    assert result.output.count("\nlost: ") in lossy


@pytest.mark.slow
def test_a_clean_window_that_is_no_run_is_14(tmp_path: Path) -> None:
    """A job that switches the disk without deferring its exit, where others do: no run of the model."""
    lines = list(lines_of("old-assert-commit-i"))
    ends = [i for i, line in enumerate(lines) if b"block_job_cb" in line]
    lines = lines[: ends[2] + 1]
    file = tmp_path / "clean.log"
    for gone, code in ((None, 0), (next(i for i, line in enumerate(lines) if b"x_defer_to_main_loop" in line), 14)):
        file.write_bytes(b"\n".join(line for i, line in enumerate(lines) if i != gone) + b"\n")
        assert run("log", str(file), "--against", "ab27c3b5e7", "--scenario", "commit").exit_code == code


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--export", "x.json"), 2),
        (("--export", "x.json", "--against", "v8.0.0", "--scenario", "dataplane"), 0),
        (("--export", "x.json", "--against", "v7.2.0"), 0),
    ],
)
def test_an_export_without_a_bad_window_writes_nothing(
    arguments: tuple[str, ...], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so, and leaves no file."""
    monkeypatch.chdir(tmp_path)
    assert run("log", str(LOGS / "72-mirror-1disk.log.xz"), *arguments).exit_code == code
    assert not (tmp_path / "x.json").exists()
