"""The story's bug cases as properties of their own, so that each has its own shortest trace, up to (c).

A stray request is one that enters the source during the window. The cases differ in when it does so: in the main-loop iteration of (a)
(case 1), in a later one before (c) (case 2), or already between (w) and (a) (case 3, which the seed does not know).
"""

from __future__ import annotations

from draincheck.lang import EnumVar, Process
from draincheck.qemu import World
from draincheck.qemu.disk import Request
from drainspecs.mirror.properties import DrainInvariant

__all__ = ["CASES", "SeedCases"]

CASES = {
    "case 1": "mirror_exit runs after a request entered the source in the same main-loop iteration as (a)",
    "case 2": "mirror_exit runs after a request entered the source in a later iteration than (a), before (c)",
    "case 3": "mirror_exit runs after a request entered the source between (w) and (a)",
}

_WHEN = {"case 1": "in the iteration of (a)", "case 2": "in a later iteration", "case 3": "before (a)"}

_NOW = ("none", *_WHEN.values())


class SeedCases(DrainInvariant):
    """The drain invariant, and which case its violation is."""

    now: EnumVar
    stray: EnumVar

    def begin(self, w: World) -> None:
        """Make the two history variables."""
        self.now = w.m.enum("a stray request now is", *_NOW, initial=_WHEN["case 3"], history=True)
        self.stray = w.m.enum("stray request", *_NOW, history=True)

    def job_defers(self, p: Process, w: World) -> None:
        """From here on a stray request is of case 1."""
        p.do("", self.now.set(_WHEN["case 1"]))

    def iteration_begins(self, p: Process, w: World) -> None:
        """From here on it is of case 2, if (a) is behind."""
        with p.when(self.now.is_(_WHEN["case 1"])):
            p.do("", self.now.set(_WHEN["case 2"]))

    def request_submitted(self, p: Process, w: World, request: Request) -> None:
        """Remember when the stray request came."""
        super().request_submitted(p, w, request)
        with p.when(w.job.window & w.graph.on_source):
            p.do("", self.stray.set(self.now))

    def exit_runs(self, p: Process, w: World) -> None:
        """Each case is a check of its own."""
        super().exit_runs(p, w)
        for name, when in _WHEN.items():
            p.check(name, ~self.stray.is_(when))

    def properties(self, w: World) -> None:
        """The cases, with their meanings."""
        super().properties(w)
        for name, meaning in CASES.items():
            w.m.assertion(name, meaning=f"never: {meaning}", source="ab27c3b5e7, commit message")
