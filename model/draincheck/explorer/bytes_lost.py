"""What comes of a run with real bytes: the reference core executes it and goes on to its end; what a guest was told, and what it reads back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from draincheck.conformance.lockstep import follow, steps_of_run
from draincheck.conformance.text import told_to_guest
from draincheck.core.machine import Machine
from draincheck.core.outcome import Ending, LostWrite, short_hex
from draincheck.core.run import Replayed, replay
from draincheck.errors import ModelError
from draincheck.explorer.document import PageReplay
from draincheck.run import Run
from draincheck.subject import Subject

__all__ = ["replay_of"]

#: what has become of QEMU
_ENDS: Final = {
    Ending.ABORT: "QEMU aborts",
    Ending.CORRUPTION: "QEMU crashes, or goes on with a request that works on another disk's state",
    Ending.HANG: "QEMU hangs",
}


def replay_of(run: Run, subject: Subject) -> PageReplay | None:
    """What comes of a run; None where the core knows nothing of such a model. Where both part ways, it says so."""
    try:
        start = subject.on_core()
        parting = follow(run, Machine(*start))
    except ModelError:
        return None
    if parting is not None:
        return PageReplay(f"the reference core does not follow this run: they part ways in step {parting.step}")
    steps = steps_of_run(run)
    here, ended = replay(*start, steps), replay(*start, steps, to_the_end=True)
    return PageReplay(
        _sentence(ended), tuple(_shown(ended)), bool(here.lost), bool(ended.lost), _ended(here), _ended(ended)
    )


def _ended(run: Replayed) -> str:
    """How QEMU has ended badly, "" if it has not."""
    words = _ENDS.get(run.outcome, "")
    return f"{words}: {run.message}" if words and run.message else words


def _sentence(ended: Replayed) -> str:
    if not ended.lost:
        words = f" ({ended.message})" if ended.message else ""
        return f"executed on the reference core, it comes to this end: {ended.outcome.value}{words}"
    return "; ".join(map(_loss, ended.lost))


def _loss(write: LostWrite) -> str:
    told = f"the guest was told that {write.name} is on the disk ({told_to_guest(write)})"
    if write.read is None:
        return f"{told}, and it is not; QEMU is gone, so nobody reads it back"
    return f"{told}, and reads back {_brief(write.read)} where it wrote {_brief(write.written)}"


def _brief(data: bytes) -> str:
    """Bytes in hex: one for all, where they are alike."""
    return short_hex(data[:1]) if len(set(data)) == 1 else short_hex(data, 4)


def _shown(ended: Replayed) -> Iterator[tuple[str, str, str]]:
    for write in ended.lost:
        yield from _rows(write, f" ({write.name})" if len(ended.lost) > 1 else "")


def _rows(write: LostWrite, which: str) -> Iterator[tuple[str, str, str]]:
    yield f"written{which}", short_hex(write.written), "what the guest wrote"
    yield f"old disk{which}", short_hex(write.source), "the disk that the job has copied from"
    yield f"new disk{which}", short_hex(write.target), "the guest's disk now"
    if write.read is None:
        yield f"read back{which}", "", "nothing: QEMU is gone"
    else:
        yield f"read back{which}", short_hex(write.read), "what the guest finds there"
