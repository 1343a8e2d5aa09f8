"""A counterexample tried on a real QEMU."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from draincheck.errors import ExportError
from draincheck.export.qemu_script import trial_of
from draincheck.qemu import Scenario
from draincheck.qemulog.log import read_log
from draincheck.qemulog.source import blocks, opened
from draincheck.qemurun.compared import compared
from draincheck.qemurun.reproducing import Shows, Trial, TrialEnding, reproduce, unable
from draincheck.qemurun.session import Round, Session, Workload
from draincheck.revisions import REVISIONS
from draincheck.verdict import Outcome
from drainspecs.mirror.expectations import expected
from drainspecs.mirror.properties import PROPERTIES
from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS, applies, find_scenario
from tests.support.cli import run
from tests.support.house import PACKAGES, ROOT
from tests.support.loops import apart

ABORT = ("--revision", "3bb0e2980a", "--scenario", "no-ioeventfd", "--property", "A1")
QEMU = pytest.mark.needs("qemu-system-x86_64")


def test_a_script_says_what_is_tried_and_what_happens_in_the_model(tmp_path: Path) -> None:
    """The suffix chooses the format; the text is Python, with the steps of the trace."""
    file = tmp_path / "abort.qemu.py"
    assert run("trace", "export", *ABORT, "-o", str(file)).exit_code == 0
    text = file.read_text(encoding="utf-8")
    compile(text, "abort.qemu.py", "exec")
    assert "Shows.ABORT" in text
    assert "'ioeventfd': False" in text
    assert "'hold': True" in text
    assert "assertion='child->perm & BLK_PERM_WRITE'" in text
    assert "mirror_run: block_job_defer_to_main_loop" in text


@pytest.mark.parametrize(
    "selection",
    [
        ("--revision", "v2.6.0", "--property", "S2"),
        ("--revision", "v2.6.0", "--scenario", "timer", "--property", "S1"),
        ("examples/deadlock.py:deadlock", "--property", "no deadlock"),
    ],
    ids=["a rule inside QEMU", "a timer of a device", "a model of one's own"],
)
def test_what_no_qemu_shows_is_refused(selection: tuple[str, ...]) -> None:
    """With the reason, and 2."""
    result = run("trace", "export", *selection, "--format", "qemu")
    assert result.exit_code == 2
    assert "Error: " in result.output


@pytest.mark.parametrize("scenario", DEFAULT_SCENARIOS, ids=lambda each: each.name)
def test_every_violation_of_the_default_matrix_is_tried_or_refused_with_the_reason(scenario: Scenario) -> None:
    """What a guest can see is tried, unless it takes a device that cannot be had; what is inside QEMU is refused."""
    tried, refused = dict[str, Shows](), dict[str, str]()
    for row in (each for each in REVISIONS if applies(each, scenario)):
        for item in PROPERTIES:
            wanted = expected(row.name, scenario, item.name)
            if wanted is not None and wanted.outcome is Outcome.VIOLATED:
                try:
                    tried[item.name] = trial_of(scenario, item.name).shows
                except ExportError as error:
                    refused[item.name] = str(error)
    assert not tried.keys() & refused.keys()
    seen = {"S1", "S3", "S4", "A1", "F1"}
    if scenario.source == "timer":
        assert not tried
        assert {"timer" in refused[name] for name in seen & refused.keys()} == {True}
    else:
        assert tried.keys() <= seen
        assert not seen & refused.keys()
    assert {"rule inside QEMU" in refused[name] for name in refused.keys() - seen} == {True}


@pytest.mark.parametrize(("scenario", "vcpu"), [("no-ioeventfd-vcpu", True), ("mirror", False)])
def test_kicks_are_placed_where_the_trace_has_them(scenario: str, vcpu: bool, tmp_path: Path) -> None:
    """By a virtual CPU where its thread submits the write, else by qtest, of which the main loop hears."""
    file = tmp_path / "kicks.qemu.py"
    selection = ("--revision", "v2.6.0", "--scenario", scenario, "--property", "S1", "-o", str(file))
    assert run("trace", "export", *selection).exit_code == 0
    assert f"'vcpu': {vcpu}" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(("scenario", "reason"), [("no-ioeventfd-qcow2", "qcow2"), ("mirror-flush", "no guest writes")])
def test_a_workload_that_is_not_driven_is_refused(scenario: str, reason: str) -> None:
    """By what is missing: nothing else is tried in its place."""
    with pytest.raises(ExportError, match=reason):
        trial_of(find_scenario(scenario), "S1")


def test_without_a_qemu_nothing_is_tried() -> None:
    """It cannot, and says how to have one."""
    found = reproduce("no-such-program", Trial(Workload(), Shows.LOSS))
    assert found.ending is TrialEnding.UNABLE
    assert "apt-get" in found.seen


def test_a_program_that_is_no_qemu_cannot() -> None:
    """It has no such disk."""
    assert "virtio-blk-pci" in unable("true")


@QEMU
@pytest.mark.slow
def test_one_bounded_try_of_the_script_on_a_stock_qemu(tmp_path: Path) -> None:
    """It ends with 12 if QEMU aborts by its permissions, else with 0; nothing else is possible there."""
    file = tmp_path / "abort.qemu.py"
    run("trace", "export", *ABORT, "-o", str(file))
    file.write_text(file.read_text(encoding="utf-8").replace("tries=6", "tries=1"), encoding="utf-8")
    path = ":".join(str(ROOT / folder) for folder in PACKAGES.values())
    done = subprocess.run(
        [sys.executable, str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode in (0, 12), done.stdout + done.stderr
    assert ("BLK_PERM_WRITE" in done.stdout) == (done.returncode == 12)


@QEMU
@pytest.mark.slow
def test_what_v7_2_does_not_do_is_not_reproduced() -> None:
    """Negative control: with host notifiers nothing is lost in v7.2, however often it is tried."""
    tried = apart(reproduce, "qemu-system-x86_64", Trial(Workload(rounds=3, hold=True), Shows.LOSS, tries=1))
    assert tried.ending is TrialEnding.NOT_REPRODUCED


@QEMU
@pytest.mark.long
def test_the_abort_of_v7_2_is_reproduced() -> None:
    """Within many tries: it came in five of nine runs of up to sixty jobs; of up to twenty in five of ten with the copies held, in two of ten without."""
    trial = Trial(Workload(ioeventfd=False, hold=True, rounds=10), Shows.ABORT, "BLK_PERM_WRITE", tries=40)
    found = apart(reproduce, "qemu-system-x86_64", trial)
    assert found.ending is TrialEnding.REPRODUCED


@QEMU
@pytest.mark.slow
@pytest.mark.parametrize("workload", [Workload(rounds=2), Workload("commit", iothread=True, disks=2, rounds=2)])
def test_copies_that_are_held_change_nothing_of_what_is_read_back(workload: Workload, tmp_path: Path) -> None:
    """The jobs end, nothing is lost where v7.2 loses nothing, and the log says the same."""
    rounds, ended = apart(_played, tmp_path, replace(workload, hold=True))
    assert (len(rounds), ended) == (2, "")
    with opened(str(tmp_path / "trace.log")) as source:
        pivots = read_log(blocks(source)).report.pivots
    assert all(each.agrees for each in compared(rounds, pivots, workload.disks))
    assert not any(each.lost for each in rounds)


def _played(folder: Path, workload: Workload) -> tuple[Sequence[Round], str]:
    return Session("qemu-system-x86_64", folder, workload).rounds()
