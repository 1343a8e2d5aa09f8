"""A specification that is at fault: a number of its own leaves its range."""

from __future__ import annotations

from draincheck.lang import Process
from draincheck.qemu import World
from drainspecs.mirror.properties import DrainInvariant


class Overflowing(DrainInvariant):
    """The specification with a step that makes no sense where a code base has the bandage: a number that leaves its range."""

    def begin(self, w: World) -> None:
        """Make the number."""
        super().begin(w)
        self.number = w.m.int("number", 0, 0) if w.k.bandage else None

    def job_defers(self, p: Process, w: World) -> None:
        """Count where there is no room."""
        super().job_defers(p, w)
        if self.number is not None:
            p.do("counts too far", self.number.inc())
