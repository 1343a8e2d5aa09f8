"""The core's virtqueue and guest driver: what no comparison with the model can see, because its runs are short and it looks at no read's data."""

from __future__ import annotations

import struct

import pytest

from draincheck.conformance import config_of
from draincheck.core.machine import Machine
from draincheck.core.outcome import Ending, outcome_of, read_back
from draincheck.core.run import run
from draincheck.core.scheduler import Fair
from draincheck.core.virtqueue import Descriptor, RingLayout, VirtQueue
from draincheck.revisions import find_revision
from drainspecs.mirror.scenarios import find_scenario


def test_indices_wrap_at_16_bits() -> None:
    """The 65,536th chain is followed by the next one, on both sides of both rings."""
    layout = RingLayout.at(0, 4)
    memory = bytearray(layout.end)
    for ring in (layout.avail, layout.used):
        struct.pack_into("<H", memory, ring + 2, 0xFFFE)
    queue = VirtQueue(memory, layout)
    queue.last_avail_idx = 0xFFFE
    for number, head in enumerate((3, 2, 1)):
        layout.write_desc(memory, head, Descriptor(head, 1, 0, 0))
        layout.make_available(memory, head)
        assert queue.virtqueue_pop() == (head, [Descriptor(head, 1, 0, 0)])
        queue.virtqueue_push(head, number)
        assert layout.used_element(memory, (0xFFFE + number) & 0xFFFF) == (head, number)
    assert (layout.avail_idx(memory), layout.used_idx(memory), queue.last_avail_idx) == (1, 1, 1)


@pytest.mark.parametrize("scenario", ["mirror", "dataplane", "timer"])
def test_a_read_hands_its_data_to_the_guest(scenario: str) -> None:
    """What was written, and is not lost, is read back through the ring after the switch."""
    machine = Machine(find_revision("9a0cec664e").knobs, config_of(find_scenario(scenario)))
    run(machine, Fair())
    assert outcome_of(machine) is Ending.FINE
    (disk,) = machine.disks
    write = disk.driver.requests[0]
    assert read_back(machine, disk, write.sector) == write.data
