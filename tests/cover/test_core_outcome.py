"""The core's images, configurations and outcomes: what counts as lost, what is refused, and what a reader finds."""

from __future__ import annotations

from typing import Any

import pytest

from draincheck.conformance import config_of
from draincheck.core.config import Config, check_config
from draincheck.core.disk import Disk
from draincheck.core.errors import ConfigError, QemuAbort
from draincheck.core.image import SECTOR, Image, read_chain
from draincheck.core.machine import Machine
from draincheck.core.outcome import Ending, acknowledged, is_lost, lost_writes, outcome_of, read_back, short_hex
from draincheck.core.run import run
from draincheck.core.scheduler import Fair
from draincheck.core.virtio_blk import VIRTIO_BLK_S_IOERR
from draincheck.revisions import find_revision
from drainspecs.mirror.scenarios import find_scenario

KNOBS = find_revision("9a0cec664e").knobs
ONES, ZEROES = b"\x01" * SECTOR, bytes(SECTOR)


def ended(scenario: str = "mirror") -> tuple[Machine, Disk]:
    """A machine at its good end: the write is on the target."""
    machine = Machine(KNOBS, config_of(find_scenario(scenario)))
    run(machine, Fair())
    return machine, machine.disks[0]


def test_a_sector_reads_as_it_was_written_or_as_the_backing_image_has_it() -> None:
    """An image's own data hides the backing image's; without either there are zeroes."""
    image, base = Image("overlay", "qcow2"), Image("base")
    assert read_chain(image, base, 5) == read_chain(image, None, 5) == ZEROES
    base.pwrite(5, ONES)
    assert read_chain(image, base, 5) == ONES and read_chain(image, None, 5) == ZEROES
    image.pwrite(5, b"\x02" * SECTOR)
    assert read_chain(image, base, 5) == b"\x02" * SECTOR
    with pytest.raises(ValueError, match="511 bytes for a sector of 512"):
        image.pwrite(5, ONES[1:])


def test_an_acknowledged_write_that_the_disk_has_is_not_lost() -> None:
    """Negative control of what follows."""
    machine, disk = ended()
    (request,) = disk.driver.requests
    assert acknowledged(disk) == [request] and not is_lost(disk, request)
    assert outcome_of(machine) is Ending.FINE and lost_writes(machine) == ()


def test_an_acknowledged_write_that_the_disk_has_not_is_lost() -> None:
    """It is reported with what was written and what is on both images, and read back through the machine."""
    machine, disk = ended()
    assert disk.mirrored is not None
    (request,) = disk.driver.requests
    disk.mirrored.target_image.sectors.clear()
    assert outcome_of(machine) is Ending.LOSS
    (lost,) = lost_writes(machine)
    assert (lost.name, lost.sector, lost.status) == ("write[0.0]", request.sector, 0)
    assert (lost.written, lost.source, lost.target, lost.read) == (request.data, request.data, ZEROES, ZEROES)


def test_a_write_that_failed_is_not_lost() -> None:
    """The guest knows; nor is one that the guest still waits for."""
    _, disk = ended()
    disk.driver.requests[0].status = VIRTIO_BLK_S_IOERR
    assert acknowledged(disk) == []
    disk.driver.requests[0].status = None
    assert acknowledged(disk) == []


def test_a_read_is_never_lost() -> None:
    """It is acknowledged, and is no write."""
    machine, disk = ended("mirror-read")
    assert disk.driver.all_answered() and acknowledged(disk) == []
    assert outcome_of(machine) is Ending.FINE


def test_the_ends_of_a_machine() -> None:
    """Unfinished at the start, a hang if nothing can happen any more; an assertion is an abort, a crash a corruption, found out or not."""
    machine, _ = ended()
    machine.jobs[0].swapped_under_request = True
    assert outcome_of(machine) is Ending.CORRUPTION
    machine.jobs[0].completed = False
    machine.threads.clear()
    machine.actors.clear()
    assert outcome_of(machine) is Ending.HANG
    machine.aborted = QemuAbort("assertion")
    assert outcome_of(machine) is Ending.ABORT
    machine.aborted = QemuAbort("crash", crash=True)
    assert outcome_of(machine) is Ending.CORRUPTION
    assert outcome_of(Machine(KNOBS, Config())) is Ending.UNFINISHED


def test_a_machine_that_answers_no_more_reads_nothing_back() -> None:
    """Not even zeroes."""
    machine, disk = ended()
    machine.aborted = QemuAbort("assertion")
    assert read_back(machine, disk, 64) is None


def test_bytes_are_shown_in_hex() -> None:
    """The first ones, and how many more there are."""
    assert short_hex(b"\x01\xab") == "01 ab"
    assert short_hex(b"\x01\xab\xcd", 2) == "01 ab … 1 more"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"job": "stream", "source": "usb"}, "job is 'stream'; it must be one of mirror, commit"),
        ({"job_errors": "disk"}, "job_errors is 'disk'; it must be one of source, target"),
        ({"writes": 33}, "writes is 33; it must be from 0 to 32"),
        ({"writes": -1, "jobs": 3}, "writes is -1"),
        ({"jobs": 0}, "jobs is 0; it must be from 1 to 2"),
        ({"iothread": True, "source": "timer"}, "an IOThread serves ioeventfds only, not source='timer'"),
        ({"jobs": 2, "disks": 2, "iothread": True}, "two jobs run in the main loop"),
        ({"jobs": 2, "disks": 2, "source": "timer"}, "two jobs run in the main loop"),
        ({"jobs": 2}, "each job has a disk: set disks to 2"),
        ({"disks": 2, "source": "mmio"}, "there is one chardev"),
        ({"zero_length": True}, "a disk of length 0 takes no requests"),
        ({"device_reset": True}, "a device reset stops dataplane of one disk"),
        ({"device_reset": True, "iothread": True, "disks": 2}, "a device reset stops dataplane of one disk"),
    ],
)
def test_configurations_that_make_no_sense_are_refused(settings: dict[str, Any], words: str) -> None:
    """With the first thing that is wrong."""
    with pytest.raises(ConfigError) as caught:
        check_config(Config(**settings), KNOBS)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"writes": 32, "reads": 32, "flushes": 1, "disks": 8},
        {"jobs": 2, "disks": 2, "writes": 0},
        {"jobs": 2, "disks": 3},
        {"iothread": True, "writes": 0},
        {"zero_length": True, "writes": 0},
        {"iothread": True, "device_reset": True},
        {"iothread": True, "disks": 2},
        {"source": "timer", "disks": 2},
    ],
)
def test_other_configurations_are_taken(settings: dict[str, Any]) -> None:
    """Negative control."""
    check_config(Config(**settings), KNOBS)


def test_mirror_with_dataplane_needs_a_code_base_that_allows_it() -> None:
    """b112a65c52 does first."""
    with pytest.raises(ConfigError, match="not allowed before b112a65c52"):
        check_config(Config(iothread=True), find_revision("5a7e7a0bad~1").knobs)
