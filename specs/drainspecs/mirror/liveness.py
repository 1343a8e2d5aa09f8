"""What must happen in the end: L1 to L4, L6 and L7, under stated assumptions of fairness. README.md of this package says why not L5 and L8.

Safety says that no request slips into a drained section; this says that sections end, kicks are answered and jobs complete. Without
assumptions none of it holds, for a host that never runs the main thread or never finishes an I/O is allowed to. `ASSUMPTIONS` lists what
is taken for granted and why; the tests drop each in turn and see something break. Nothing is assumed of the guest, which may stop at any
time, even between adding a descriptor and kicking for it; but a vCPU thread that stops a device is inside QEMU, and goes on there as others do.

Ways to read the properties: a crash ends every demand (whether QEMU may crash is A1's matter). L1 is stronger than its usual wording:
the command is sent in the end, so every run has to complete. L7 is about the main loop, whose poll reports a disabled descriptor again
and again; a nested aio_poll leaves it out of its poll set, sleeps, and so does not spin. L4 needs a resource the QEMU model leaves out,
a coroutine mutex of the block layer, so it is decided on a model of its own (`drainspecs.comutex`) with the code base's kind of drain.
L6 is about the main loop, which walks its bottom halves in every iteration, and so holds in every code base. It does not tell
91af091f92 from its neighbours: that commit is about somebody else's drain that waits for a bottom half with no request in flight.

Expected verdicts, with their arguments, are in `liveness_expectations.py`; they were written before anything was run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from draincheck.engines.liveness import decide
from draincheck.lang import FALSE, BoolExpr, Process, any_
from draincheck.qemu import Probes, Scenario, World
from draincheck.qemu.cache import BuildCache
from draincheck.revisions import Revision
from draincheck.semantics.validation import demand_faultless
from draincheck.system import TransitionSystem
from draincheck.verdict import Limits, Verdict, stopped_by
from drainspecs.comutex import comutex_system
from drainspecs.mirror.liveness_expectations import expected_liveness
from drainspecs.mirror.properties import LIVENESS
from drainspecs.mirror.specification import Build, Specification, meanings, with_probes

__all__ = [
    "ASSUMPTIONS",
    "LIVENESS",
    "SPECIFICATIONS",
    "Assumption",
    "Progress",
    "StalledProgress",
    "progress_system",
    "systems",
    "verdicts",
]


class Assumption(Struct, frozen=True):
    """Something that is taken for granted: a process (of each job, where there are several) is not neglected.

    Attributes:
        steps: it is about each of its steps whose label begins with this.
        but: it is about all its steps but those whose labels begin with one of these, together.
        held_in_poll: it concerns only code bases whose IOThread holds its AioContext while it polls.
        stopping: it concerns only scenarios in which a device is stopped.
    """

    name: str
    process: str
    strength: Literal["weak", "strong"]
    reason: str
    steps: str = ""
    but: tuple[str, ...] = ()
    held_in_poll: bool = False
    stopping: bool = False


_IN_TURN: Final = (
    "an IOThread that holds its context while it polls lets go of it again and again, never for long; the RFifoLock of that time hands it "
    "over in turn. Later the context is free while the IOThread sleeps, so whoever waits for it gets it anyway."
)

ASSUMPTIONS: Final = (
    Assumption(
        "main thread", "main thread", "weak", "the host runs a thread that can run; it waits only where QEMU's does"
    ),
    Assumption("IOThread", "iothread", "weak", "a thread like the main one; it waits in its poll and for its context"),
    Assumption(
        "job", "mirror_run", "weak", "a coroutine runs on the thread that has entered it, which is none of the guest's"
    ),
    Assumption("AioContext", "main thread", "strong", _IN_TURN, steps="aio_context_acquire", held_in_poll=True),
    Assumption("AioContext of a vCPU", "guest", "strong", _IN_TURN, steps="aio_context_acquire", held_in_poll=True),
    Assumption(
        "vCPU inside QEMU",
        "guest",
        "weak",
        "a vCPU thread that stops the device is a thread of the host; what a guest may leave undone is to ask for something",
        but=(
            "adds ",
            "kicks for ",
            "a kick for ",
            "writes the doorbell",
            "the device's timer",
            "takes the BQL to stop",
        ),
        stopping=True,
    ),
    Assumption("clock", "clock", "weak", "time passes"),
    Assumption(
        "storage",
        "storage",
        "weak",
        "each I/O that the host has accepted finishes; none is passed over for others",
        steps="finishes ",
    ),
    Assumption("management", "management", "weak", "the job is told to complete some time"),
)


class Progress(Probes):
    """Liveness of a code base, under all assumptions but those named in `without`."""

    def __init__(self, without: Collection[str] = ()) -> None:
        self.without = frozenset(without)

    def properties(self, w: World) -> None:
        """Demand them, and state what is assumed."""
        for assumption in ASSUMPTIONS:
            if assumption.name not in self.without:
                _assume(w, assumption)
        self.demands(w)

    def demands(self, w: World) -> None:
        """Demand L1, L2, L3, L6 and L7."""
        crashed = w.m.halted
        w.m.eventually("L1", w.job.completed | crashed, **_ABOUT["L1"])
        waiting = {
            "L2": _kicked(w),
            "L3": _draining(w),
            "L6": w.job.drain_bh.pending | w.job.exit_bh.pending,
            "L7": _spinning(w),
        }
        for name, waits in waiting.items():
            w.m.leads_to(name, waits, ~waits | crashed, **_ABOUT[name])


class StalledProgress(Progress):
    """L7 of a code base whose storage may stall, under the name L7s."""

    def __init__(self) -> None:
        super().__init__(without=("storage",))

    def demands(self, w: World) -> None:
        """Demand it."""
        waits = _spinning(w)
        w.m.leads_to("L7s", waits, ~waits | w.m.halted, **_ABOUT["L7s"])


def _assume(w: World, assumption: Assumption) -> None:
    if assumption.held_in_poll and not (w.s.iothread and w.k.ctx_held_in_poll):
        return
    if assumption.stopping and not w.s.device_reset:
        return
    for name, process in w.m.processes.items():
        if name == assumption.process or name.startswith((f"{assumption.process} [", f"{assumption.process} of ")):
            but = tuple(_steps(process, assumption.but)) if assumption.but else ()
            for step in _steps(process, assumption.steps) if assumption.steps else ("",):
                w.m.fair(process, assumption.strength, step=step, but=but)


def _steps(process: Process, prefix: str | tuple[str, ...]) -> Iterator[str]:
    """The labels of a process's steps that begin with a prefix."""
    labels = (part.label for edge in process.flow.edges for part in edge.path.parts)
    yield from dict.fromkeys(label for label in labels if label.startswith(prefix))


def _kicked(w: World) -> BoolExpr:
    """The guest has kicked, or its device's timer is due, and nobody has taken notice yet. A vCPU's doorbell is its own handler."""
    return w.disk.io_poll if w.s.source == "timer" else w.disk.eventfd


def _polls_in_a_drain(w: World) -> BoolExpr:
    """Control is inside a drain that polls: in the job's coroutine, in the drain's bottom half, or in mirror_exit."""
    nested = w.job.mirror.on if w.k.drain == "nested" else w.job.mirror.at("drain") & ~w.job.drain_bh.pending
    return nested | (w.job.mirror.at("(ended)") & ~w.job.exit_bh.pending & ~w.job.completed)


def _draining(w: World) -> BoolExpr:
    """A drain has begun and not ended; one that yields also waits for its bottom half."""
    return _polls_in_a_drain(w) | (FALSE if w.k.drain == "nested" else w.job.mirror.at("drain"))


def _spinning(w: World) -> BoolExpr:
    """The main loop's poll reports a kick that its dispatch refuses to handle, and nothing else keeps it from polling again."""
    contexts = () if w.s.iothread else (w.loops.ctx, w.loops.iohandler_ctx)
    refused = any_(*(disk.eventfd & ~ctx.allowed for ctx in contexts for disk in ctx.handlers))
    return refused & ~_polls_in_a_drain(w)


# -- specifications ---------------------------------------------------------------------------------------------------------------------

_ABOUT: Final = {item.name: item.about for item in LIVENESS}


def _of_the_mutex(title: str, revision: Revision, scenario: Scenario) -> TransitionSystem:
    """The scenario does not matter there: the model knows nothing but the kind of drain."""
    return replace(comutex_system(revision.knobs.drain), name=title)


def _specification(name: str, build: Build, *properties: str) -> Specification:
    return Specification(name, meanings(item for item in LIVENESS if item.name in properties), build, expected_liveness)


SPECIFICATIONS: Final = (
    _specification("liveness", with_probes(Progress), "L1", "L2", "L3", "L6", "L7"),
    _specification("liveness while the storage stalls", with_probes(StalledProgress), "L7s"),
    _specification("coroutine mutex", _of_the_mutex, "L4"),
)


# -- verdicts -------------------------------------------------------------------------------------------------------------------------


_systems = BuildCache(Progress)
_stalling = BuildCache(StalledProgress)


def progress_system(revision: Revision, scenario: Scenario, storage_stalls: bool = False) -> TransitionSystem:
    """The system of a code base in a scenario, with liveness demanded and fairness assumed; with L7s instead where the storage stalls.

    Code bases that the scenario cannot tell apart share one.
    """
    return (_stalling if storage_stalls else _systems).system(revision.knobs, scenario)


def systems(revision: Revision, scenario: Scenario) -> dict[str, TransitionSystem]:
    """The system on which each of `LIVENESS` is decided, in that order."""
    progress = progress_system(revision, scenario)
    own = {"L4": comutex_system(revision.knobs.drain), "L7s": progress_system(revision, scenario, storage_stalls=True)}
    return {item.name: own.get(item.name, progress) for item in LIVENESS}


def verdicts(revision: Revision, scenario: Scenario, limits: Limits | None = None) -> dict[str, Verdict]:
    """The verdict on each of `LIVENESS` for a code base in a scenario, in that order; counterexamples belong to `systems`."""
    decided = systems(revision, scenario)
    found = {name: _decided(system, limits or Limits())[name] for name, system in decided.items()}
    if stopped_by(found.values()):
        _decided.cache_clear()  # with more time there is more to say
    return found


@cache
def _decided(system: TransitionSystem, limits: Limits) -> dict[str, Verdict]:
    found = decide(system, None, limits)
    demand_faultless(found.values())
    return found
