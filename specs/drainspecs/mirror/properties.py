"""What must hold of every code base: the drain invariant and what belongs to it, as checks at the model's probe points.

`terms` says what the words mean. S stands for safety, B for begin and end in pairs, L (`liveness`) for what must happen in the end; A1 is about
crashes, F1 about hangs, and R1 says that the story is possible at all: nothing below holds vacuously. README.md of this package says which
numbers are left out.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from draincheck.lang import BoolExpr, IntExpr, Process, all_, any_
from draincheck.properties import Breach
from draincheck.qemu import Probes, World
from draincheck.qemu.disk import Disk, Request

__all__ = ["L4", "LIVENESS", "PROPERTIES", "DrainInvariant", "PropertySpec", "meaning_of"]


class PropertySpec(Struct, frozen=True):
    """A property's identifier, its meaning in one line, where the demand comes from, and what it is to violate it."""

    name: str
    meaning: str
    source: str
    breach: Breach = Breach.SAFETY

    @property
    def about(self) -> dict[str, str]:
        """What a demand is told beside its condition."""
        return {"meaning": self.meaning, "source": self.source}


PROPERTIES: Final = (
    PropertySpec("S1",
                 "between the last dirty count of 0 and the switch to the target, no request is submitted to the source", "ab27c3b5e7, commit message"),
    PropertySpec("S2",
                 "from the last dirty count of 0 to the switch to the target, no request of the source is pending",
        "3f09bfbc7b: what its assertion stands for"),
    PropertySpec("S3",
                 "when the disk is switched to the target, every acknowledged write that is on the source is there, too", "ab27c3b5e7: 'Data loss'"),
    PropertySpec("S4", "after the disk was switched to the target, a read finds every acknowledged write", "the guest's view of S3"),
    PropertySpec("S5",
                 "between the release of the dirty bitmap and the switch to the target, no request is submitted to the source",
        "mirror.c: bdrv_release_dirty_bitmap"),
    PropertySpec("S6",
                 "the last dirty count is read in a drained section of the source, and the job does not yield between it and its end", "9a0cec664e"),
    PropertySpec("S7", "no handler of a host notifier (a guest's kick) runs while its disk is in a drained section", "c1e1e5fa8f, 14560d69e7"),
    PropertySpec("S8", "when mirror_exit begins, before it drains anything, the source has no pending request", "3f09bfbc7b"),
    PropertySpec("S10", "the disk is switched to the target once, and only if the job was told to complete", "mirror.c: mirror_exit"),
    PropertySpec("S11",
                 "when mirror finds nothing dirty and ends its loop, the target has what the source has", "mirror.c: a cancelled job is a copy"),
    PropertySpec("B1", "the counters that disable external events are what the open drained sections add up to", "c1e1e5fa8f"),
    PropertySpec("B2", "when the job is over, every drained section that it began has ended", "176c36997f, ab27c3b5e7"),
    PropertySpec("B3", "external events are enabled again in the event loop in which they were disabled", "ab27c3b5e7 looks twice, e64f25f30b"),
    PropertySpec("B5", "when the job is over and every request answered, every drain and disable counter is 0", "c1e1e5fa8f"),
    PropertySpec("B6", "who enables external events again wakes their event loop, so that it looks for those that came meanwhile", "321d1dba8b"),
    PropertySpec("A1", "QEMU neither fails its assertion nor crashes", "3f09bfbc7b, launchpad 1570134"),
    PropertySpec("F1", "whatever has happened, the job can still complete and every request be answered", "321d1dba8b", Breach.STUCK),
    PropertySpec("R1", "the job can complete and every request be answered", "negative control against vacuity", Breach.VACUOUS),
)  # fmt: skip

#: demands on whole runs; the coroutine mutex is a model of its own
L4: Final = PropertySpec("L4", "no drain waits for a request that waits for the drain's own coroutine", "a77fd4bb29")
LIVENESS: Final = (
    PropertySpec("L1", "the job, which is told to complete, does so", "mirror.c, block-job-complete"),
    PropertySpec("L2", "every kick of the guest is handled in the end", "321d1dba8b"),
    PropertySpec("L3", "every drain of a disk ends", "bdrv_drain, mirror_exit"),
    L4,
    PropertySpec("L6", "a scheduled bottom half of the job runs: the main loop comes to it", "aio_bh_poll"),
    PropertySpec("L7", "the main loop does not spin for ever beside a disabled descriptor", "37989ced44"),
    PropertySpec("L7s", "the main loop does not spin for ever beside a disabled descriptor, even while storage stalls", "37989ced44, bdffb31d8e"),
)  # fmt: skip


def meaning_of(name: str) -> str:
    """What a property demands, in a sentence."""
    return next(item.meaning for item in (*PROPERTIES, *LIVENESS) if item.name == name)


class DrainInvariant(Probes):
    """The checks of PROPERTIES."""

    def request_submitted(self, p: Process, w: World, request: Request) -> None:
        """S1, S5."""
        p.check("S1", ~(w.job.window & w.graph.on_source))
        p.check("S5", w.job.bitmap | ~w.graph.on_source | ~w.job.will_switch)

    def handler_runs(self, p: Process, w: World, disk: Disk) -> None:
        """S7."""
        if disk.has_job:
            p.check("S7", ~(w.graph.source.open & w.graph.on_source))

    def dirty_count_is_zero(self, p: Process, w: World) -> None:
        """S6, first half; S11."""
        p.check("S6", w.graph.source.open)
        p.check("S11", all_(*(write.on_target | ~write.on_source for write in w.disk.writes)))

    def job_yields(self, p: Process, w: World) -> None:
        """S6, second half."""
        p.check("S6", ~w.job.window)

    def exit_runs(self, p: Process, w: World) -> None:
        """S8."""
        p.check("S8", ~w.disk.pending | ~w.job.will_switch)

    def node_switches(self, p: Process, w: World) -> None:
        """S3, S10."""
        kept = (write.on_target | ~(write.state.is_("acked") & write.on_source) for write in w.disk.writes)
        p.check("S3", all_(*kept))
        p.check("S10", w.job.should_complete & w.graph.on_source & ~w.job.completed)

    def external_enabled(self, p: Process, w: World, counter: IntExpr, notified: BoolExpr) -> None:
        """B6."""
        p.check("B6", notified | (counter > 0))

    def enabled_elsewhere(self, p: Process, w: World, counter: IntExpr) -> None:
        """B3."""
        p.check("B3", counter > 0)

    def properties(self, w: World) -> None:
        """The rest, as properties of states."""
        finished = all_(*(world.job.completed for world in w.worlds), w.all_acked)
        bandaged = w.loops.iohandler_ctx.disable_count > 0
        no_section = all_(*(world.graph.no_section for world in w.worlds))
        over = all_(*(world.job.completed for world in w.worlds))
        always = {
            "S2": all_(*(~(world.job.window & world.disk.pending) for world in w.worlds)),
            "S4": all_(*(_found_again(world) for world in w.worlds)),
            "B1": w.expected_disable_counts() & (~bandaged | any_(*(world.graph.source.open for world in w.worlds))),
            "B2": ~over | w.m.halted | (no_section & ~bandaged),
            "B5": ~finished | w.m.halted | (w.expected_disable_counts() & no_section & ~bandaged),
            "A1": ~w.m.halted,
        }
        for item in PROPERTIES:
            if item.name in always:
                w.m.always(item.name, always[item.name], **item.about)
            elif item.name == "F1":
                w.m.can_always_finish(item.name, finished | w.m.halted, **item.about)
            elif item.name == "R1":
                w.m.reachable(item.name, finished, **item.about)
            else:
                w.m.assertion(item.name, **item.about)


def _found_again(w: World) -> BoolExpr:
    return all_(*(w.graph.on_source | ~write.state.is_("acked") | write.on_target for write in w.disk.writes))
