"""A replay as text: the model's steps, what the core did in each, and what the disks hold in the end."""

from __future__ import annotations

from collections.abc import Sequence

from draincheck.core.events import Event
from draincheck.core.outcome import LostWrite, short_hex
from draincheck.core.run import Replayed
from draincheck.run import Run, label_of

__all__ = ["GOES_ON", "render_disks", "render_steps", "told_to_guest"]

#: what a virtio-blk status byte tells the guest
_STATUS = {0: "VIRTIO_BLK_S_OK", 1: "VIRTIO_BLK_S_IOERR", 2: "VIRTIO_BLK_S_UNSUPP"}

#: what a step without a label is
GOES_ON = "(goes on): passes a test, or a call returns; no value that is shown changes"


def render_steps(run: Run, replayed: Replayed) -> str:
    """Each step of the run as the model says it, with the core's own events under it.

    An event stands behind the function that logged it; `(b)` and the other letters are the core's own marks. Where a step has no label,
    the last line says what such a step is.
    """
    lines: list[str] = []
    for number, step in enumerate(run.steps, 1):
        action = run.system.actions[step.action]
        lines.append(f"{number:4} {action.process}: {label_of(run.system, action, step.before)}")
        lines += [f"       {_event(event)}" for event in replayed.events if event.step == number]
    lines += [GOES_ON] if any("(goes on" in line for line in lines) else []
    return "\n".join(lines) + "\n"


def _event(event: Event) -> str:
    where = f"{event.frames[-1]}: " if event.frames else ""
    mark = f"({event.mark}) " if event.mark else ""
    return f"core | {mark}{where}{event.text}"


def render_disks(replayed: Replayed) -> str:
    """How the run ended, and for each lost write what the guest was told and what the disks hold."""
    words = f" ({replayed.message})" if replayed.message else ""
    lines = [f"outcome on the core: {replayed.outcome.value}{words}"]
    for write in replayed.lost:
        lines += _lost(write)
    return "\n".join(lines) + "\n"


def told_to_guest(write: LostWrite) -> str:
    """The status that the guest has read, by its name."""
    return _STATUS.get(write.status, str(write.status))


def _lost(write: LostWrite) -> Sequence[str]:
    read = "nothing: QEMU is gone" if write.read is None else short_hex(write.read)
    return (
        f"lost: {write.name}, sector {write.sector}: the guest was told {told_to_guest(write)}",
        f"  written   {short_hex(write.written)}",
        f"  old disk  {short_hex(write.source)}",
        f"  new disk  {short_hex(write.target)}",
        f"  read back {read}",
    )
