"""The scenarios of the matrix. The first five are the default ones; `--all` adds the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec.structs import replace

from draincheck.names import named
from draincheck.qemu import Scenario
from draincheck.revisions import Revision
from drainspecs.mirror.sizes import parse_sizes, sized

__all__ = [
    "CONFIGURATIONS",
    "DEFAULT_SCENARIOS",
    "EXTRA_SCENARIOS",
    "SCENARIOS",
    "applies",
    "base_scenario",
    "configuration",
    "find_scenario",
    "in_table",
    "with_sizes",
]

DEFAULT_SCENARIOS: Final = (
    Scenario("mirror", "mirror job, virtio disk in the main loop, host notifiers"),
    Scenario("dataplane", "mirror job, virtio disk in an IOThread, host notifiers", iothread=True),
    Scenario("commit", "active commit of a qcow2 overlay, virtio disk in the main loop, host notifiers", job="commit"),
    Scenario("timer", "mirror job, a device model submits from a main-loop timer", source="timer"),
    Scenario("no-ioeventfd", "mirror job, kicks run the queue handler from a vCPU thread or a chardev", source="mmio"),
)

_MIRROR, _DATAPLANE, _COMMIT, _TIMER, _MMIO = DEFAULT_SCENARIOS

#: by default scenario which QEMU that is. Read in QEMU: `virtio_pci_device_plugged` (without KVM since c324fd0a39, 2017-06-28), the
#: property `x-data-plane` (dropped by a616fb75c2, 2015-12-07), `nvme_init_sq` (`sq->timer`; a bottom half since d38cc6fd1c, 2022-10-19),
#: `uhci_frame_timer` with `usb_msd_handle_data`, `bmdma_cmd_writeb`, `qmp_block_commit`; of iothread= with ioeventfd=off up to v2.7.0
#: `virtio_blk_data_plane_start`, which assigns the host notifiers whatever the flag says, from v2.8.0 on `virtio_blk_data_plane_create`
CONFIGURATIONS: Final = {
    "mirror": "-device virtio-blk-pci or virtio-scsi-pci with KVM and without iothread=; drive-mirror or blockdev-mirror, block-job-complete",
    "dataplane": "as mirror, with iothread= at the virtio-blk-pci (up to v2.5 also x-data-plane=on); ioeventfd=off beside it changes "
    "nothing up to v2.7, and from v2.8 on QEMU refuses both (ioeventfd is required for iothread)",
    "commit": "as mirror, with block-commit of the active layer (no top=, or the disk's own) for the job; with iothread=, too, it is "
    "commit-dataplane, with ioeventfd=off commit-no-ioeventfd (asked about only with --all or --scenario)",
    "timer": "as mirror, with a device that submits from a timer: -device nvme (before v7.2), or usb-storage behind a UHCI controller",
    "no-ioeventfd": "as mirror, with ioeventfd=off at the device, before v2.10 also without KVM, or where KVM lacks ioeventfds "
    "(kvm_has_many_ioeventfds); an IDE disk submits from the vCPU's thread, too",
}


_FLUSHING: Final = (_MIRROR, _DATAPLANE, _TIMER, _MMIO)
_OVERLAY, _TO_VCPU = "active commit of a qcow2 overlay", "kicks run the queue handler from a vCPU thread or a chardev"


def _vary(suffix: str, words: str, *bases: Scenario, **changes: Any) -> Iterator[Scenario]:
    """Variants of some scenarios."""
    for base in bases:
        yield replace(base, name=f"{base.name}-{suffix}", meaning=f"{base.meaning}; {words}", **changes)


EXTRA_SCENARIOS: Final = (
    *_vary("2-writes", "two writes", *DEFAULT_SCENARIOS, writes=2),
    *_vary("read", "one read instead of a write", *DEFAULT_SCENARIOS, writes=0, reads=1),
    *_vary("flush", "one flush instead of a write", *_FLUSHING, writes=0, flushes=1),
    *_vary("flush-reopen", "one flush, and mirror_exit reopens the target", *_FLUSHING, writes=0, flushes=1, reopen=True),
    *_vary("2-disks", "a second disk without a job is written too", _MIRROR, _DATAPLANE, _COMMIT, disks=2),
    *_vary("qcow2", "the target is qcow2 instead of raw", _MIRROR, _TIMER, _MMIO, target_format="qcow2"),
    replace(_MMIO, name="no-ioeventfd-vcpu", meaning="mirror job, kicks run the queue handler from a vCPU thread only", source="vcpu"),
    *_vary("2-jobs", "a second disk with a mirror job of its own", _MIRROR, jobs=2, disks=2),
    *_vary("cancel", "cancelled after READY", _MIRROR, command="cancel"),
    *_vary("cancel-early", "cancelled before or after READY", _MIRROR, command="cancel", starts_ready=False),
    *_vary("bulk", "the bulk of the copying is still to be done", _MIRROR, starts_ready=False),
    *_vary("source-error", "a copy's read may fail", _MIRROR, job_errors="source"),
    *_vary("target-error", "a copy's write or a flush may fail", _MIRROR, job_errors="target"),
    *_vary("reopen", "the target has other open flags, so mirror_exit reopens it", _MIRROR, reopen=True),
    *_vary("zero-length", "the disk has no sectors", _MIRROR, zero_length=True, writes=0),
    *_vary("cancel", "cancelled after READY", _DATAPLANE, command="cancel"),
    *_vary("target-error", "a copy's write or a flush may fail", _DATAPLANE, job_errors="target"),
    *_vary("zero-length", "the disk has no sectors", _DATAPLANE, zero_length=True, writes=0),
    *_vary("reset", "the guest resets the device between (a) and (c), which stops dataplane", _DATAPLANE, device_reset=True, writes=0),
    *_vary("stop", "the device is reset or stopped between (a) and (c), with a kick that may be pending", _DATAPLANE, device_reset=True),
    replace(_MMIO, name="commit-no-ioeventfd", meaning=f"{_OVERLAY}, {_TO_VCPU}", job="commit"),
    replace(_MMIO, name="commit-no-ioeventfd-qcow2", meaning=f"{_OVERLAY} to a qcow2 base, {_TO_VCPU}", job="commit", target_format="qcow2"),
    replace(_DATAPLANE, name="commit-dataplane", meaning=f"{_OVERLAY}, virtio disk in an IOThread, host notifiers", job="commit"),
)  # fmt: skip

SCENARIOS: Final = DEFAULT_SCENARIOS + EXTRA_SCENARIOS


def find_scenario(name: str) -> Scenario:
    """The scenario of this name, also one of other sizes (`mirror[writes=3]`); raises UnknownName with the nearest ones."""
    plain, bracket, rest = name.partition("[")
    if not (bracket and rest.endswith("]")):
        return named("scenario", name, SCENARIOS)
    return with_sizes(named("scenario", plain, SCENARIOS), parse_sizes(rest[:-1]))


def with_sizes(scenario: Scenario, sizes: Mapping[str, int]) -> Scenario:
    """A scenario with other sizes. Raises UnknownName for one that is not modelled."""
    return sized(scenario, sizes, SCENARIOS)


def in_table(scenario: Scenario) -> bool:
    """Whether something is expected and pinned of it: of one that was made by other sizes nothing is."""
    return scenario in SCENARIOS


def base_scenario(scenario: Scenario) -> Scenario:
    """The default scenario that this one varies: the one with the same source of requests, and with the same job if there are two."""
    source = "mmio" if scenario.source == "vcpu" else scenario.source
    same = [base for base in DEFAULT_SCENARIOS if (base.iothread, base.source) == (scenario.iothread, source)]
    return next((base for base in same if base.job == scenario.job), same[0])


def configuration(scenario: Scenario) -> str:
    """Which QEMU a scenario is about; one that varies another is the same QEMU, as far as its meaning says nothing else."""
    base = base_scenario(scenario)
    job = "" if scenario.job == base.job else f", with the job of {scenario.job}"
    return CONFIGURATIONS.get(scenario.name) or f"as {base.name}{job}"


def applies(revision: Revision, scenario: Scenario) -> bool:
    """Whether the code base can run the scenario: mirror was not allowed with dataplane before b112a65c52."""
    return revision.knobs.dataplane_mirror or not scenario.iothread
