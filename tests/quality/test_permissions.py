"""The pivot that aborts from v6.1.0 to v7.2: a write that was queued goes on inside the replacement, before it may be written."""

from __future__ import annotations

import re
from functools import cache

import pytest

from draincheck.conformance.lockstep import steps_of_run
from draincheck.conformance.matrix import config_of, conform_one
from draincheck.core.assembly import Parts
from draincheck.core.block import BlockDriverState
from draincheck.core.mirror import MirrorBlockJob
from draincheck.core.mirror_top import MirrorTopExit
from draincheck.core.outcome import Ending as End
from draincheck.core.run import replay
from draincheck.engines.explicit import explore
from draincheck.qemu import build
from draincheck.report.text import render_trace
from draincheck.revisions import Revision, find_revision, with_settings
from draincheck.run import Run, Trace
from draincheck.system import TransitionSystem
from draincheck.verdict import Outcome
from drainspecs.mirror.properties import DrainInvariant
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.suite.matrix import Solver, default_rows, deviations
from tests.support.samples import sampled

#: how the trace log of a QEMU 7.2.22 ends whose pivot aborted (a raw mirror, kicks without ioeventfd), pointers replaced by what they are
LOG = """
virtio_blk_handle_write vdev req
job_completed job
job_state_transition job (ready-->waiting)
job_state_transition job (waiting-->pending)
blk_root_detach child blk=target's bs=target
blk_root_detach child blk=guest's bs=filter
blk_root_attach child blk=guest's bs=target
blk_co_pwritev blk=guest's bs=target
bdrv_co_pwritev_part bs=target
bdrv_co_pwritev_part bs=target.file
"""

#: what each of its events is in a trace of the model: a frame, or a step's label; what stands beside it says which
SAID = (
    (r"virtio_blk_handle_write", r"blk_wait_while_drained queues write\[0\.0\]"),
    (r"job_state_transition .*ready", r"job_exit"),
    (r"blk_root_detach .*blk=target's", r"blk_unref"),
    (r"blk_root_attach .*bs=target", r"the disk is the target now"),
    (r"blk_co_pwritev", r"blk_aio_pwritev \(write\[0\.0\]\)"),
    (r"bdrv_co_pwritev_part bs=target$", r"bdrv_co_pwritev_part \(target\)"),
    (r"bdrv_co_pwritev_part bs=target\.file$", r"bdrv_co_pwritev_part \(target\.file\)"),
)

#: where a write can be queued at the switch, and its target is raw
ABORTS = ("timer", "no-ioeventfd", "no-ioeventfd-vcpu", "timer-2-writes", "commit-no-ioeventfd")


@cache
def system(revision: Revision, scenario: str) -> TransitionSystem:
    """The model with the drain invariant."""
    return build(scenario, revision.knobs, find_scenario(scenario), DrainInvariant()).compile()


def aborts(revision: Revision, scenario: str) -> bool:
    """Whether A1 is violated."""
    return explore(system(revision, scenario)).verdicts["A1"].outcome is Outcome.VIOLATED


def counterexample(scenario: str) -> tuple[TransitionSystem, Trace]:
    """The shortest trace to the abort at the row that v7.2.0 means."""
    model = system(find_revision("v7.2.0"), scenario)
    trace = explore(model).verdicts["A1"].trace
    assert trace is not None
    return model, trace


def where(text: str, words: list[str]) -> list[int]:
    """The line on which each of these words stands, looked for from the one before on; -1 once one is missing."""
    found, lines = [-1], text.splitlines()
    for word in words:
        after = (n for n, line in enumerate(lines) if n > found[-1] and re.search(word, line))
        found.append(next(after, -1))
    return found[1:]


@pytest.mark.parametrize("scenario", ["timer", "no-ioeventfd"])
def test_the_counterexample_ends_where_a_real_log_ends(scenario: str) -> None:
    """Each event of the log that the model has is in the trace, in the log's order, and after the last one comes the assertion alone."""
    model, trace = counterexample(scenario)
    pairs = [(event, word) for event in LOG.split("\n") for pattern, word in SAID if re.match(pattern, event)]
    assert len({event for event, _ in pairs}) == len(SAID)
    text = render_trace(Run.of(model, trace))
    places = where(text, [word for _, word in pairs])
    assert places == sorted(set(places)) and -1 not in places
    assert "assert(child->perm & BLK_PERM_WRITE) fails" in text.splitlines()[places[-1] + 1]


def test_a_trace_without_the_replacement_does_not_end_like_the_log() -> None:
    """Negative control: in a run that ends well the words of the log's end do not stand in its order."""
    model = system(find_revision("v8.0.0"), "timer")
    trace = explore(model).verdicts["R1"].trace
    assert trace is not None
    assert -1 in where(render_trace(Run.of(model, trace)), [word for _, word in SAID])


@pytest.mark.parametrize("scenario", sampled(ABORTS, [name for name in ABORTS if name != "no-ioeventfd-vcpu"]))
def test_what_is_queued_at_the_switch_aborts_with_a_raw_target(scenario: str) -> None:
    """At 3bb0e2980a; not if permissions come first, nor at 2398747128."""
    row = find_revision("3bb0e2980a")
    around = (row, with_settings(row, {"replace_node": "check_first"}), find_revision("2398747128"))
    assert [aborts(item, scenario) for item in around] == [True, False, False]


@pytest.mark.parametrize(
    "scenario", ["mirror", "timer-qcow2", "timer-read", "timer-flush", "commit-no-ioeventfd-qcow2"]
)
def test_what_writes_nothing_there_or_may_write_does_not_abort(scenario: str) -> None:
    """Host notifiers queue nothing, qcow2 may always write to its file, reads and flushes need no permission."""
    assert not aborts(find_revision("3bb0e2980a"), scenario)


@pytest.mark.parametrize("scenario", ["timer", "no-ioeventfd", "commit-no-ioeventfd"])
def test_the_core_aborts_where_the_model_does(scenario: str) -> None:
    """The counterexample, executed: the guest is never told that its write is done."""
    revision, (model, trace) = find_revision("v7.2.0"), counterexample(scenario)
    ended = replay(revision.knobs, config_of(find_scenario(scenario)), steps_of_run(Run.of(model, trace)))
    assert ended.outcome is End.ABORT and ended.lost == ()
    assert ended.events[-1].text == "assert(child->perm & BLK_PERM_WRITE) fails"


class _RefreshedFirst(MirrorTopExit):
    """Takes the permissions before the edges move, whatever the code base says."""

    def bdrv_replace_node(self, old: BlockDriverState, new: BlockDriverState) -> None:
        """Negative control."""
        new.bdrv_child_perm(True)
        super().bdrv_replace_node(old, new)


class _WrongJob(MirrorBlockJob):
    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.exit = _RefreshedFirst(self)


@pytest.mark.parametrize("revision", sampled(["3bb0e2980a", "2398747128", "3bb0e2980a-permissions-first"], 1))
@pytest.mark.parametrize(
    "scenario",
    sampled(["mirror", "timer", "no-ioeventfd", "mirror-flush", "timer-qcow2", "timer-2-writes"], ["timer"], 5),
)
def test_model_and_core_agree_on_every_edge(revision: str, scenario: str) -> None:
    """With the filter, its sections, its permissions."""
    row, where = find_revision(revision), find_scenario(scenario)
    result = conform_one(build(scenario, row.knobs, where).compile(), row.knobs, where)
    assert result.divergences == () and result.states > 400


def test_permissions_that_come_too_early_turn_conformance_red() -> None:
    """Negative control."""
    row, where = find_revision("3bb0e2980a"), find_scenario("timer")
    assert conform_one(build("fault", row.knobs, where).compile(), row.knobs, where, Parts(job=_WrongJob)).divergences


@pytest.mark.parametrize("scenario", sampled(["timer-qcow2", "no-ioeventfd-qcow2", "commit-no-ioeventfd-qcow2"], 1))
def test_every_code_base_is_as_expected(scenario: str) -> None:
    """Every verdict and every pinned count of the scenarios with a qcow2 target."""
    results = Solver().decide(default_rows(scenarios=[find_scenario(scenario)]))
    assert [found for result in results for found in deviations(result)] == []
