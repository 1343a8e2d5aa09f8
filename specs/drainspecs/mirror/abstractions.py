"""What the model leaves out: why no verdict turns on it, or which verdicts hold only as far as modelled.

An abstraction is a promise. `why` keeps it: a test that shows it, or an argument that a reader can check against QEMU's code at the
commits it names. Where a verdict could turn, a `Limit` says which one, and the limit is printed beside it. ARCHITECTURE.md, section 6, is
this table (`table`), and a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from draincheck.qemu import Scenario
from draincheck.revisions import PLACES
from draincheck.verdict import Outcome
from drainspecs.mirror.properties import PROPERTIES

__all__ = ["ABSTRACTIONS", "LeftOut", "Limit", "Note", "limits_on", "table"]

HOLDS, VIOLATED = Outcome.HOLDS, Outcome.VIOLATED


def _everywhere(scenario: Scenario) -> bool:
    return True


class Limit(Struct, frozen=True):
    """Verdicts that hold only as far as modelled.

    Attributes:
        says: what is not modelled there and could turn the verdict; read after "as far as modelled: ".
        outcome: the verdict that could be another one.
        properties: of which properties; all of them if none is named.
        since, until: of which rows of the table, from the first of them up to before the second; "" for the table's ends.
        scenarios: in which scenarios.
        among: these in words.
    """

    says: str
    outcome: Outcome = HOLDS
    properties: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    scenarios: Callable[[Scenario], bool] = _everywhere
    among: str = "every scenario"

    def applies(self, revision: str, scenario: Scenario, property: str, outcome: Outcome) -> bool:
        """Whether it limits this verdict. A control, or a row with knobs turned by hand, stands where the row it comes from does."""
        return (
            outcome is self.outcome
            and property in (self.properties or _INVARIANT)
            and self.scenarios(scenario)
            and PLACES.get(_row_of(revision), -1) in self._rows()
        )

    def _rows(self) -> range:
        """The places of its rows in the table; a commit that is not (yet) a row of it stands at its end."""
        places = {"": 0, _LAST: len(PLACES) - 1, **PLACES}
        return range(places[self.since], PLACES.get(self.until, len(PLACES)))

    @property
    def where(self) -> str:
        """The verdicts in words."""
        names = ", ".join(self.properties) or "every property"
        verb = "hold" if len(self.properties) > 1 and self.outcome is HOLDS else self.outcome.value
        return f"{names} {verb} ({self._span}; {self.among})"

    @property
    def _span(self) -> str:
        if self.since == _LAST:
            return _LAST
        return f"{self.since or 'the first row'} .. {f'{self.until}~1' if self.until else 'the last row'}"


class LeftOut(Struct, frozen=True):
    """Something that the model leaves out or does otherwise than QEMU.

    Attributes:
        name: a short name for the places where a limit is printed.
        left_out: what it is, in a sentence.
        why: why no verdict turns on it, apart from those in `limits`.
        limits: the verdicts that could turn.
    """

    name: str
    left_out: str
    why: str
    limits: tuple[Limit, ...] = ()


class Note(Struct, frozen=True):
    """A limit on a verdict: the abstraction's name, and what is not modelled."""

    name: str
    says: str


_INVARIANT: Final = frozenset(item.name for item in PROPERTIES)
_LAST: Final = "the last row"


def _row_of(revision: str) -> str:
    """The row that a control, or a vector made by hand, comes from."""
    return revision.partition("+")[0].partition("-")[0]


# -- scenarios ----------------------------------------------------------------------------------------


def _main_loop_writes(scenario: Scenario) -> bool:
    return not scenario.iothread and scenario.writes > 0 and scenario.always_switches


def _writes_without_notifier(scenario: Scenario) -> bool:
    return _main_loop_writes(scenario) and _no_notifier(scenario)


def _no_notifier(scenario: Scenario) -> bool:
    return scenario.source != "ioeventfd"


def _by_vcpu(scenario: Scenario) -> bool:
    return scenario.source == "vcpu"


def _with_reset(scenario: Scenario) -> bool:
    return scenario.device_reset


_IN_MAIN: Final = "writes to a disk in the main loop"
_TOLD: Final = (
    "a write that its driver finishes without yielding is over at (c): no assertion sees it, and it is lost in silence"
)
_SPINS: Final = (
    "the main loop must have gone round 1000 times without sleeping just before the kick; nothing else lets the vCPU in"
)

ABSTRACTIONS: Final = (
    LeftOut("copies", "mirror copies one sector at a time (QEMU: up to 16 copies in flight)",
        "mirror reads the count for the last time, and leaves, only with no copy in flight (after an error it waits for them), and two copies "
        "of one chunk never overlap (mirror_iteration waits for in_flight_bitmap); copies of different chunks share nothing but the moments "
        "at which mirror_run is "
        "entered, where it tests the same conditions. So a run with several copies is, sector by sector, one with one. For S1 the counted "
        "model has any number, and the same verdicts (test_parametric.py)",
    ),
    LeftOut("versions", "one data version a sector; each write has a sector of its own",
        "a write is lost if it is on the source alone at the switch. A dirty bit is set after the data has changed and cleared before a copy "
        "reads it, so the last copy after a bit was set has the newest data, whatever was there before: whether a write is lost depends on when "
        "it enters and completes, not on other writes to its sector. Take these to other sectors, and the loss stays; nor does a later write that "
        "hides it matter, since guests may stop before it. The same for a bit that several sectors share: it only causes more copies",
    ),
    LeftOut("requests", "the guest reads and writes, or flushes where a scenario says so; discards and ioctls are left out",
        "zeroes are written like data. A discard or an ioctl enters as a write does, so S1, S5 and S7 are the same",
        (
            Limit(
                "a discard clears the dirty bits of its sectors (until 508249952c) or sets them before it changes anything (until 968d8b0627), "
                "and no drain waits for it (until b1066c8755): the target may keep what the source has discarded",
                properties=("S3", "S4", "S11"), until="0ff841f6d1",
                scenarios=lambda scenario: scenario.writes > 0, among="with writes",
            ),
            Limit(
                "a discard or an ioctl that is queued stays counted (until 7f16476fab), and the drain in mirror_exit waits for it for ever",
                properties=("F1",), since="cf3129323f", until="7f16476fab", scenarios=_no_notifier, among="requests without a host notifier",
            ),
        ),
    ),
    LeftOut("throttling", "no I/O limits, and no request waits for an overlapping one",
        "a serialised request is tracked while it waits. Throttled ones: until v2.6 a drain waits until their queue is empty "
        "(bdrv_requests_pending), from c2066af051 on a section's begin does (blk_root_drained_begin, and no limits inside it), "
        "and from 9972354856 on they are counted. So none is left from before (w): one that waits at (c) was handled in W, where S1 sees it. "
        "Where S1 holds there is none; where it does not, one that leaves the queue late is pending at the assertion (until v2.6), or goes to "
        "the target (later): no other property that holds breaks",
    ),
    LeftOut("sources", "slirp, other GSources, exports, other monitor commands",
        "a scenario says who makes requests to the disk, and these make none. They can only wake the main loop: a throw-away model "
        "whose poll may return at any time, with nothing ready, has the same verdicts",
    ),
    LeftOut("bottom halves", "of qemu_aio_context's bottom halves the drain's, the exit's and the thread pool's, newest first, the pool's the oldest",
        "the list is walked from the newest (aio_bh_new puts it at the head); the pool's is made with the first request. Others submit nothing. From "
        "8c6b0356b5 (v5.0.0) on the one scheduled last runs first, and one that is scheduled during a walk waits for the next. All such orders are "
        "among those of a model in which each walk runs the pool's before the others, after them, or not at all; there the code bases of then "
        "have the same verdicts (test_abstractions.py)",
    ),
    LeftOut("finished elements", "the thread pool's finished elements come in any order (QEMU: as its list has them)",
        "over-approximates, so what holds does; and what is violated is so with the guest's always first and with the job's always first, too "
        "(test_abstractions.py; run for the scenarios of --all with one job and one request as well)",
    ),
    LeftOut("spins", "the escape after 1000 polls that may not sleep strikes at any time (QEMU: when the counter says so)",
        "over-approximates, so what holds does; without it only verdicts of requests from a vCPU alone change, those named here "
        "(test_abstractions.py)",
        (
            Limit(_SPINS, VIOLATED, ("S1", "S2", "S3", "S4", "S8", "A1"), until="bdffb31d8e", scenarios=_by_vcpu, among="kicks from a vCPU alone"),
            Limit(_SPINS, VIOLATED, ("S5",), until="2119882c7e", scenarios=_by_vcpu, among="kicks from a vCPU alone"),
        ),
    ),
    LeftOut("second parking", "a read or write that is queued in a section is not counted meanwhile, however often it is queued",
        "exact for the first time (blk_aio_read_entry and blk_aio_write_entry take it off the count). For a second time a section must be open "
        "when it is woken, which takes an IOThread; there, handlers are masked in every section: what submits in one is a device that stops, or a "
        "handler that has passed aio_node_check and waits for the AioContext while the main thread opens a section. Of mirror's sections the "
        "IOThread itself opens the first, and mirror_exit's are inside it; such a section is another job's (mirror_start_job, drive-backup)",
        (
            Limit(
                "a request that a section's end hands to the IOThread and the next section queues again stays counted (until 7f16476fab): "
                "its drain would wait for ever",
                properties=("F1",), since="cf3129323f", until="7f16476fab",
                scenarios=lambda scenario: scenario.device_reset and scenario.writes > 0, among="a device that stops with a kick pending",
            ),
        ),
    ),
    LeftOut("resets", "a device is reset or stopped only between (a) and (c)",
        "the scenarios with a reset ask what it does there; a violation there is one",
        (Limit("a reset at another time, with the job running, is not looked at", scenarios=_with_reset, among="a device that is reset"),),
    ),
    LeftOut(
        "stale readiness",
        "a nested aio_poll walks the handlers only if one of theirs is ready (QEMU from 721671ade7 on: also if aio_notify has woken it)",
        "such a walk runs nothing, since in a drain's section all of them are disabled; it can only clear readiness that an outer poll has "
        "stored. The eventfd stays set and is reported by the next poll, as if the kick had come just after the outer one: that run is in "
        "the model. With such walks every verdict of these code bases is the same (test_abstractions.py)",
    ),
    LeftOut(
        "stops",
        "a vCPU thread stops dataplane; the section that the stop's drain opens is left out, and what becomes of the old node if (c) runs in it",
        "the main thread would do the same (`stop` from 9ffe337c08 on): who has the BQL counts as that. The disk's section is open already, or no "
        "code base of that time has any; (c) inside the drain would leave the old node disabled a little longer, when its host notifier is gone. "
        "From 65c1b5b622 to 1010cadf62~1 QEMU may have freed the old node by then and goes on with it: the write is lost before",
    ),
    LeftOut(
        "whose context",
        "a main thread that waits for an IOThread's node polls the IOThread's context (QEMU from c9d1a56174 on: its own, without the lock)",
        "from then on mirror_exit never has to wait in a disk with dataplane: a check put before each of its drains holds in every such scenario, but "
        "where a reopen waits for a stray flush at 684e508c23, in no release; it does so whoever finishes the flush, and there is no other request "
        "(test_abstractions.py). A device that stops with a kick pending is the exception, and that stop itself polls as QEMU does "
        "(`drain_polls_ctx`); where bdrv_replace_node then waits for the stray write, it finishes either way. "
        "A drain with nothing to wait for polls the IOThread's context in QEMU, too (91af091f92: BDRV_POLL_WHILE)",
    ),
    LeftOut("who enters the job", "block-job-complete leaves an IOThread's job to its own timer (QEMU until aef4278c5a: it enters it in the main thread)",
        "mirror_run then runs in the main thread, under the disk's lock, up to its flush or its drain's yield, as it would in the IOThread; with "
        "the monitor doing so every verdict with dataplane is the same (test_abstractions.py)",
    ),
    LeftOut("flushes", "mirror's flush and the guest's always take the host's time (QEMU: not if nothing is to be flushed, 3ff2f67a7c, or the target "
        "takes no flushes); mirror's before READY is left out from bdffb31d8e on",
        "every verdict is the same if mirror's flush may or may not yield (test_abstractions.py; run as for the finished elements). One "
        "that never does closes the window of some code "
        "bases to a single write and not to two. Before READY no window is open. One claim is limited: `unordered` says so. A guest's flush with "
        "nothing to do only ends sooner",
    ),
    LeftOut(
        "no yield",
        "every request takes the host's time (QEMU: one may finish without yielding, with null-co for instance; until 9972354856 it is then not "
        "counted while a bottom half has still to tell the guest)",
        "with a throw-away model in which a request may finish at once, counted or not as in the code base, and its bottom half runs before or after "
        "older ones, the default matrix differs in what is named here alone: a stray write is over at (c), and the assertion does not see it",
        (
            Limit(_TOLD, properties=("S3",), since="5a7e7a0bad", until="a77fd4bb29", scenarios=_main_loop_writes, among=_IN_MAIN),
            Limit(_TOLD, properties=("S4",), since="3f09bfbc7b", until="a77fd4bb29", scenarios=_main_loop_writes, among=_IN_MAIN),
            Limit(
                _TOLD, properties=("S3", "S4"), since="9972354856", until="bdffb31d8e", scenarios=_writes_without_notifier,
                among="writes without a host notifier",
            ),
        ),
    ),
    LeftOut(
        "busy polling",
        "an IOThread lets go of its context between busy polling and dispatch, as it does some weeks after 59c9f437c5; before, it holds it",
        "over-approximates, so what holds does. From 684e508c23 to 59c9f437c5~1 a stray write enters by busy polling alone, lock or no lock",
    ),
    LeftOut("jobs", "one job, or two on different disks",
        "another job acts on this one in two ways only: its drains poll, so that callbacks of ours run inside them, and its sections raise the "
        "context's counter. mirror-2-jobs lets one other job do both at any time; a third one would not do anything else",
    ),
    LeftOut(
        "permissions",
        "before 3bb0e2980a edges have no permissions, and mirror's filter node is not told from its source; from then on writing to the "
        "target's file is the only permission",
        "permissions can fail a request or an assertion, never let one in; the filter is drained with its source (d2da5e288a). Drains of either "
        "wait for the guest's BlockBackend: what hangs in bdrv_replace_node here has hung a few lines before, in the filter's section. "
        "Up to v6.0.0 a replacement stores the new permissions before an edge moves, so that no assertion of theirs can fail: the control "
        "3bb0e2980a-permissions-first computes it. A flush that goes on inside the replacement passes the target's file by, and there is nothing to "
        "flush: mirror has done so after the last count. The source's permissions, dropped and taken back while it is drained, show nowhere. "
        "A raw target with an offset or a size keeps its permission to write in v6.1 (until b68ce82409)",
        (
            Limit(
                "a queued request goes on inside the replacement, before the target's permissions are there: with an auto-read-only target it may "
                "meet a descriptor that is being closed (v4.2.0 .. v6.0.0; by reading, not run)",
                properties=("S4",), since="cf3129323f", until="3bb0e2980a", scenarios=_no_notifier, among="requests without a host notifier",
            ),
            Limit(
                "a write that the end of the guest's section hands to the IOThread comes too late to meet missing permissions while the main thread "
                "has the lock that it needs; if the disk has left the IOThread before, nothing keeps it waiting",
                properties=("A1",), since="3bb0e2980a", until="2398747128",
                scenarios=lambda scenario: scenario.device_reset and scenario.writes > 0, among="a device that stops with a kick pending",
            ),
        ),
    ),
    LeftOut("later code bases", "the table of code bases ends",
        "each row is about its own code base",
        (
            Limit(
                "of later code bases this says nothing: the graph of nodes has a lock of its own, and from v8.1.0 on devices take their host "
                "notifiers out of the event loop instead of having them masked (1665d9326f)",
                properties=("A1",), since=_LAST,
            ),
        ),
    ),
)  # fmt: skip


def limits_on(revision: str, scenario: Scenario, property: str, outcome: Outcome) -> tuple[Note, ...]:
    """What this verdict holds short of; nothing for properties that are not of the drain invariant, or models of a user's own."""
    return tuple(
        Note(item.name, limit.says)
        for item in ABSTRACTIONS
        for limit in item.limits
        if limit.applies(revision, scenario, property, outcome)
    )


def table() -> str:
    """The table of ARCHITECTURE.md, section 6."""
    head = "| | what is left out | why no verdict turns on it, or which are limited |\n|---|---|---|\n"
    return head + "".join(f"| {item.name} | {item.left_out} | {_reason(item)} |\n" for item in ABSTRACTIONS)


def _reason(item: LeftOut) -> str:
    says = dict.fromkeys(limit.says for limit in item.limits)
    where = {text: ", and ".join(limit.where for limit in item.limits if limit.says == text) for text in says}
    return item.why + "".join(f". **As far as modelled:** {where[text]}: {text}" for text in says)
