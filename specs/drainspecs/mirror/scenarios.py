"""The scenarios of the matrix. The first five are the default ones; `--all` adds the rest."""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from draincheck.knobs import nearest
from draincheck.qemu import Scenario
from draincheck.revisions import Revision

__all__ = ["DEFAULT_SCENARIOS", "EXTRA_SCENARIOS", "SCENARIOS", "applies", "base_scenario", "find_scenario"]

DEFAULT_SCENARIOS: Final = (
    Scenario("mirror", "mirror job, virtio disk in the main loop, host notifiers"),
    Scenario("dataplane", "mirror job, virtio disk in an IOThread, host notifiers", iothread=True),
    Scenario("commit", "active commit of a qcow2 overlay, virtio disk in the main loop, host notifiers", job="commit"),
    Scenario("timer", "mirror job, a device model submits from a main-loop timer", source="timer"),
    Scenario("no-ioeventfd", "mirror job, kicks run the queue handler from a vCPU thread or a chardev", source="mmio"),
)

_MIRROR, _DATAPLANE, _COMMIT, _TIMER, _MMIO = DEFAULT_SCENARIOS


def _variant(base: Scenario, suffix: str, words: str, **changes: Any) -> Scenario:
    return replace(base, name=f"{base.name}-{suffix}", meaning=f"{base.meaning}; {words}", **changes)


EXTRA_SCENARIOS: Final = (
    *(_variant(base, "2-writes", "two writes", writes=2) for base in DEFAULT_SCENARIOS),
    *(_variant(base, "read", "one read instead of a write", writes=0, reads=1) for base in DEFAULT_SCENARIOS),
    *(
        _variant(base, "flush", "one flush instead of a write", writes=0, flushes=1)
        for base in (_MIRROR, _DATAPLANE, _TIMER, _MMIO)
    ),
    *(
        _variant(
            base, "flush-reopen", "one flush, and mirror_exit reopens the target", writes=0, flushes=1, reopen=True
        )
        for base in (_MIRROR, _DATAPLANE, _TIMER, _MMIO)
    ),
    *(
        _variant(base, "2-disks", "a second disk without a job is written too", other_writes=1)
        for base in (_MIRROR, _DATAPLANE, _COMMIT)
    ),
    *(
        _variant(base, "qcow2", "the target is qcow2 instead of raw", target_format="qcow2")
        for base in (_MIRROR, _TIMER, _MMIO)
    ),
    replace(
        _MMIO,
        name="no-ioeventfd-vcpu",
        meaning="mirror job, kicks run the queue handler from a vCPU thread only",
        source="vcpu",
    ),
    _variant(_MIRROR, "2-jobs", "a second disk with a mirror job of its own", jobs=2),
    _variant(_MIRROR, "cancel", "cancelled after READY", command="cancel"),
    _variant(_MIRROR, "cancel-early", "cancelled before or after READY", command="cancel", starts_ready=False),
    _variant(_MIRROR, "bulk", "the bulk of the copying is still to be done", starts_ready=False),
    _variant(_MIRROR, "source-error", "a copy's read may fail", job_errors="source"),
    _variant(_MIRROR, "target-error", "a copy's write or a flush may fail", job_errors="target"),
    _variant(_MIRROR, "reopen", "the target has other open flags, so mirror_exit reopens it", reopen=True),
    _variant(_MIRROR, "zero-length", "the disk has no sectors", zero_length=True, writes=0),
    _variant(_DATAPLANE, "cancel", "cancelled after READY", command="cancel"),
    _variant(_DATAPLANE, "target-error", "a copy's write or a flush may fail", job_errors="target"),
    _variant(_DATAPLANE, "zero-length", "the disk has no sectors", zero_length=True, writes=0),
    _variant(
        _DATAPLANE,
        "reset",
        "the guest resets the device between (a) and (c), which stops dataplane",
        device_reset=True,
        writes=0,
    ),
    _variant(
        _DATAPLANE,
        "stop",
        "the device is reset or stopped between (a) and (c), with a kick that may be pending",
        device_reset=True,
    ),
    replace(
        _MMIO,
        name="commit-no-ioeventfd",
        meaning="active commit of a qcow2 overlay, kicks run the queue handler from a vCPU thread or a chardev",
        job="commit",
    ),
    replace(
        _MMIO,
        name="commit-no-ioeventfd-qcow2",
        meaning="active commit of a qcow2 overlay to a qcow2 base, kicks run the queue handler from a vCPU thread or a chardev",
        job="commit",
        target_format="qcow2",
    ),
    replace(
        _DATAPLANE,
        name="commit-dataplane",
        meaning="active commit of a qcow2 overlay, virtio disk in an IOThread, host notifiers",
        job="commit",
    ),
)

SCENARIOS: Final = DEFAULT_SCENARIOS + EXTRA_SCENARIOS


def find_scenario(name: str) -> Scenario:
    """The scenario of this name; raises UnknownName with the nearest ones."""
    for item in SCENARIOS:
        if item.name == name:
            return item
    raise nearest("scenario", name, [item.name for item in SCENARIOS])


def base_scenario(scenario: Scenario) -> Scenario:
    """The default scenario that this one varies: the one with the same source of requests, and with the same job if there are two."""
    source = "mmio" if scenario.source == "vcpu" else scenario.source
    same = [base for base in DEFAULT_SCENARIOS if (base.iothread, base.source) == (scenario.iothread, source)]
    return next((base for base in same if base.job == scenario.job), same[0])


def applies(revision: Revision, scenario: Scenario) -> bool:
    """Whether the code base can run the scenario: mirror was not allowed with dataplane before b112a65c52."""
    return revision.knobs.dataplane_mirror or not scenario.iothread
