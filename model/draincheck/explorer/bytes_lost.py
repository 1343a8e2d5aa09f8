"""What comes of a run with real bytes: the reference core executes it and goes on to its end; what a guest was told, and what it reads back."""

from __future__ import annotations

from collections.abc import Iterator

from draincheck.conformance.lockstep import follow, steps_of_run
from draincheck.conformance.text import told_to_guest
from draincheck.core.machine import Machine
from draincheck.core.outcome import LostWrite, short_hex
from draincheck.core.run import Replayed, replay
from draincheck.errors import ModelError
from draincheck.explorer.document import PageReplay
from draincheck.run import Run
from draincheck.subject import Subject

__all__ = ["replay_of"]


def replay_of(run: Run, subject: Subject) -> PageReplay | None:
    """What comes of a run; None where the core knows nothing of such a model. Where both part ways, it says so."""
    try:
        start = subject.on_core()
        parting = follow(run, Machine(*start))
    except ModelError:
        return None
    if parting is not None:
        return PageReplay(f"the reference core does not follow this run: they part ways in step {parting.step}", ())
    return _told(replay(*start, steps_of_run(run), to_the_end=True))


def _told(ended: Replayed) -> PageReplay:
    if not ended.lost:
        words = (("QEMU says", ended.message, ""),) if ended.message else ()
        return PageReplay(f"executed on the reference core: {ended.outcome.value}", words)
    several = len(ended.lost) > 1
    rows = (row for write in ended.lost for row in _rows(write, f" ({write.name})" if several else ""))
    return PageReplay("; ".join(map(_sentence, ended.lost)), tuple(rows))


def _sentence(write: LostWrite) -> str:
    back = "QEMU is gone" if write.read is None else "it reads back something else"
    return f"{write.name}, sector {write.sector}: the guest was told {told_to_guest(write)}, and {back}"


def _rows(write: LostWrite, which: str) -> Iterator[tuple[str, str, str]]:
    yield f"written{which}", short_hex(write.written), "what the guest wrote"
    yield f"old disk{which}", short_hex(write.source), "the disk that the job has copied from"
    yield f"new disk{which}", short_hex(write.target), "the guest's disk now"
    if write.read is None:
        yield f"read back{which}", "", "nothing: QEMU is gone"
    else:
        yield f"read back{which}", short_hex(write.read), "what the guest finds there"
