"""Expected verdicts: what QEMU's history and code say, written down before any model was run.

Rows are spans: a verdict holds from the revision it names up to the next one named. A verdict is the history's own (what reading QEMU's
commits and probing builds of that time had shown), or *derived* from the code's facts with the argument beside it. The model is
compared with these; they were never taken from it. Where the two once disagreed, README.md of this package tells what came of it.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from draincheck.errors import ModelError
from draincheck.qemu import Scenario
from draincheck.revisions import PLACES
from draincheck.subject import Expectation
from drainspecs.mirror.properties import PROPERTIES
from drainspecs.mirror.scenarios import base_scenario, in_table
from drainspecs.mirror.spans import FIRST, Span, Spans, Table, always, bad, last, ok, turning
from drainspecs.mirror.unasked import if_asked

__all__ = ["expected"]

_PENDING = "a stray request is pending while it runs, and the drain before (w) leaves nothing else pending"
_UNACKED = "the exit bottom half is newer than the thread pool's: the stray write is not yet acknowledged at the switch"
_ABORTED = "the assertion ends QEMU before the switch"
_RELEASED = "the bitmap is released between (w) and (a), so this breaks where S1 does"
_NOT_YET = "the dirty count is read outside any drained section"
_NO_SECTION = "no drained section exists"
_NO_COUNTER = "nothing of this story uses the disable counter yet"

#: properties whose spans are the same in every scenario
_EVERYWHERE: Final[dict[str, Spans]] = {
    "S6": (
        bad(FIRST, _NOT_YET), ok("9a0cec664e", "the count is read inside the section, and nothing yields before (a)"),
        bad("bdffb31d8e", "the flush after the dirty count yields"),
    ),
    "B6": (
        ok(FIRST, _NO_COUNTER), bad("176c36997f", "aio_enable_external does not notify before 321d1dba8b"), ok("321d1dba8b"),
    ),
    **always("S10", "mirror_exit runs once, after should_complete"),
    **always("S11", "a drain precedes the count, so what is clean has been copied"),
    **always("B1 B2 B5", "every path pairs what it opens"),
    **always("B3", "no context changes in this scenario"),
    **always("F1", "no lost wakeup is known on this path"),
    **always("R1", "the job completes if nothing interferes"),
}  # fmt: skip

_WINDOW: Final = (FIRST, "5a7e7a0bad", "0ff841f6d1")
_MAIN_LOOP: Final[dict[str, Spans]] = {
    "S1": turning(*_WINDOW),
    "S2": turning(*_WINDOW, reason=_PENDING),
    "S3": (ok(FIRST), ok("5a7e7a0bad", _UNACKED), bad("6ee4ce1ee7"), ok("3f09bfbc7b", _ABORTED), bad("a77fd4bb29"), ok("0ff841f6d1")),
    "S4": (ok(FIRST), bad("5a7e7a0bad"), ok("3f09bfbc7b", _ABORTED), bad("a77fd4bb29"), ok("0ff841f6d1")),
    "S5": turning(*_WINDOW, reason=_RELEASED),
    "S7": (
        ok(FIRST, _NO_SECTION), bad("176c36997f", "iohandler_ctx is not disabled while the section is open, or too late"),
        ok("0ff841f6d1", "the notifier is in the context that the section disables"),
    ),
    "S8": (
        ok(FIRST), bad("5a7e7a0bad", "case 1: the stray write is in flight when mirror_exit begins"),
        ok("ab27c3b5e7", "after (a) the bandage blocks kicks, and case 3's write is drained before (a)"),
    ),
    "A1": turning(FIRST, "3f09bfbc7b", "ab27c3b5e7"),
}  # fmt: skip
_COMMIT: Final[Table] = {**_MAIN_LOOP, "A1": turning(FIRST, "5a7e7a0bad", "6ee4ce1ee7", "3f09bfbc7b", "ab27c3b5e7")}

_BUSY_POLLING: Final = (bad("684e508c23", "busy polling ignores the disable counter"), ok("59c9f437c5"))
_OPEN: Final = ("b112a65c52", "176c36997f", "684e508c23", "59c9f437c5")
_DATAPLANE: Final[Table] = {
    "S1": turning(*_OPEN, violated=True),
    "S2": turning(*_OPEN, violated=True, reason=_PENDING),
    "S3": (
        bad("b112a65c52", "the IOThread goes on until the main thread has the context, so it may acknowledge the stray write"),
        bad("6ee4ce1ee7"), ok("176c36997f"), *_BUSY_POLLING,
    ),
    "S4": (bad("b112a65c52"), ok("176c36997f"), *_BUSY_POLLING),
    "S5": turning(*_OPEN, violated=True, reason=_RELEASED),
    "S7": (
        ok("b112a65c52", _NO_SECTION), ok("176c36997f", "the poll set leaves the notifier out and the drain washes stale readiness"),
        *_BUSY_POLLING,
    ),
    "S8": (
        bad("b112a65c52", "the stray write may be in flight when the main thread gets the context"), ok("176c36997f"), *_BUSY_POLLING,
    ),
    "A1": (ok("b112a65c52", "no assertion yet"), bad("3f09bfbc7b"), ok("176c36997f"), *_BUSY_POLLING),
    "F1": turning("b112a65c52", "65c1b5b622", "321d1dba8b"),
}  # fmt: skip

_TARGET_DRAINED = (
    "the drain of the target polls at least once: it finishes the stray write on the source before the assertion looks"
)
_GONE = ok("f871abd60f", "the assertion is gone")
_ASSERTED: Final = (
    ok(FIRST), bad("3f09bfbc7b", "a write after (a) is pending at the assertion unless its I/O is fast"), _GONE,
)  # fmt: skip
_RESUMED: Final = (
    bad(
        "3bb0e2980a",
        "the guest's BlockBackend moves from the drained filter to a target whose own section has ended, so what it has queued goes on inside "
        "the replacement; the job has let go of the target, so a raw node has no permission to write to its file before the refresh that follows",
    ),
    ok("2398747128", "the target is drained, too, until its permissions are there"),
)
_IN_THE_YIELD = bad("a77fd4bb29", "a write during the yield in drained_begin is drained before (a)")
_NOT_EXTERNAL: Final[Table] = {
    "S1": turning(FIRST, "5a7e7a0bad", "cf3129323f"),
    "S2": turning(FIRST, "5a7e7a0bad", "cf3129323f", reason=_PENDING),
    "S3": (
        ok(FIRST), ok("5a7e7a0bad", _UNACKED), bad("6ee4ce1ee7", "bdrv_swap finishes the stray write on the old node, then swaps"),
        ok("3f09bfbc7b", _ABORTED), _IN_THE_YIELD, bad("b880481579", _TARGET_DRAINED), bad("0ff841f6d1"), bad("9a0cec664e", _TARGET_DRAINED),
        ok("9972354856", "between (w) and (c) nothing polls for the source: the stray write stays pending and the assertion fires"),
        bad("bdffb31d8e", "the flush window: the stray write completes while the job flushes"), ok("cf3129323f"),
    ),
    "S4": (
        ok(FIRST), bad("5a7e7a0bad"), ok("3f09bfbc7b", _ABORTED), _IN_THE_YIELD, bad("b880481579", "as S3"), bad("0ff841f6d1"),
        bad("9a0cec664e", "as S3"), ok("9972354856", "as S3"), bad("bdffb31d8e", "as S3"), ok("cf3129323f"),
    ),
    "S5": (
        ok(FIRST, _RELEASED), bad("5a7e7a0bad", _RELEASED), ok("2119882c7e", "the exit callback releases the bitmap, right before the switch"),
    ),
    **always("S7", "no host notifier is involved"),
    "S8": (ok(FIRST), bad("5a7e7a0bad", "the stray write may be in flight when mirror_exit begins"), ok("cf3129323f")),
    "A1": (*_ASSERTED, *_RESUMED),
}  # fmt: skip

_SCENARIOS: Final = {
    "mirror": _MAIN_LOOP, "commit": _COMMIT, "dataplane": _DATAPLANE, "timer": _NOT_EXTERNAL, "no-ioeventfd": _NOT_EXTERNAL,
}  # fmt: skip

_SAME_AS: Final = {
    # what a control turns off or on puts it where another revision stands ...
    "ab27c3b5e7-without-37989ced44": ("37989ced44", "without the check in dispatch the bandage is inert: the code base before it"),
    "ab27c3b5e7-nested-drain": ("03de2f5274", "nothing yields between (w) and (a): the code base before a77fd4bb29"),
    "d4a92a8420-without-37989ced44": ("d4a92a8420", "the notifier's move alone, otherwise as d4a92a8420"),
    "3f09bfbc7b-reopen-drains": ("3f09bfbc7b", "the reopen's drain, otherwise as 3f09bfbc7b"),
    "3bb0e2980a-permissions-first": ("7f16476fab", "the permissions are there before the BlockBackend moves: as until v6.0.0"),
}  # fmt: skip

_STALE = "an outer poll has stored the kick, and a walk that ignores the counter runs its handler"
_HIDDEN = "the reopen's drain finishes the stray write before the assertion looks"
#: ... except for these (control, scenario, property): violated?, why
_CONTROL_CELLS: Final = {
    **{("ab27c3b5e7-nested-drain", scenario, name): (False, "the bandage suffices where drains do not yield")
       for scenario in ("mirror", "commit") for name in _MAIN_LOOP},
    **{("d4a92a8420-without-37989ced44", scenario, name): (True, _STALE)
       for scenario in ("mirror", "commit") for name in _MAIN_LOOP if name != "S8"},
    ("d4a92a8420-without-37989ced44", "dataplane", "S7"): (True, _STALE),
    ("ab27c3b5e7-without-37989ced44", "dataplane-target-error", "S7"): (True, _STALE),
    ("ab27c3b5e7-nested-drain", "dataplane-target-error", "S7"): (False, "the walk looks at the counter"),
    **{("3f09bfbc7b-reopen-drains", scenario, name): (name != "A1", _HIDDEN) for scenario in _SCENARIOS for name in ("S3", "S4", "A1")},
}  # fmt: skip

_NO_REQUEST = "the guest makes no request"
_NEEDS_NOBODY = "nobody needs the IOThread any more"
_NOT_REACHED = ok(
    "463e0be101", "the switch of the context waits for a job that waits for the main loop: neither it nor (c) happens"
)
_CARRIED = ok("657e120320", "the count goes along")
_NO_COUNT_MOVES: Final = (
    ok(FIRST, _NO_COUNTER), bad("176c36997f", "a context switch inside the window moves no count before e64f25f30b"), _NOT_REACHED, _CARRIED,
)  # fmt: skip
_WAITS_FOR_THE_JOB: Final = (
    ok(FIRST, _NEEDS_NOBODY),
    bad(
        "463e0be101",
        "the switch of the context waits for the deferred job, whose exit callback needs the BQL that the waiting thread has",
    ),
    ok("657e120320", "the job's nodes move along, and nothing waits for the job"),
)
_NOTHING_TO_GIVE = bad("176c36997f", "aio_enable_external asserts that there is something to give back")

_READ: Final = always("S3 S4", "a stray read breaks the invariant but loses no data")
_CANCEL: Final[Table] = {
    **always("S1 S2 S3 S4 S5 S8 A1", "a cancelled job does not switch the disk: no window"),
    "S6": (bad(FIRST, _NOT_YET), ok("9a0cec664e", "nothing is looked at after the count when there is no switch")),
}
_MASKED = "the reopen's drain finishes the stray write on the old node before anything looks"
_REOPEN: Final[Table] = {
    name: (ok(FIRST), bad("5a7e7a0bad", _MASKED), ok("0ff841f6d1")) for name in ("S3", "S4")
} | always("A1", _MASKED)

_EATEN = ok("176c36997f", "the stop eats the kick: the queue handler returns while dataplane counts as started")
_STOP_SUBMITS = bad(
    "03de2f5274", "the stop runs the queue handler for the pending kick, whatever the disable counter says"
)
_PARKED = ok("cf3129323f", "the stop's request is parked, and goes to the target")
_NESTED = "the stop's drain lets go of the lock and polls the main loop's context: (c) runs inside it"
_LOST_IN_THE_STOP: Final = (
    _EATEN,
    bad("03de2f5274", "the stop's drain finishes that write on the source before (c); the assertion of aio_enable_external comes after the switch"),
    _NOT_REACHED, bad("65c1b5b622", f"{_NESTED}; the IOThread may have finished the write by then"), _PARKED,
)  # fmt: skip
_STOP: Final[Table] = {
    "S1": (bad("b112a65c52"), _EATEN, _STOP_SUBMITS, _PARKED),
    "S2": (bad("b112a65c52", _PENDING), _EATEN, _STOP_SUBMITS, _PARKED),
    "S3": (*_DATAPLANE["S3"][:2], *_LOST_IN_THE_STOP),
    "S4": (bad("b112a65c52"), *_LOST_IN_THE_STOP),
    "S5": (
        bad("b112a65c52", _RELEASED), _EATEN, _STOP_SUBMITS, ok("2119882c7e", "the bitmap lives until the exit callback"),
        bad("1010cadf62", "the exit callback, its bitmap released, drains the target, which polls the IOThread's context and runs the stop's "
            "bottom half"),
        ok("4cf077b59f", "a drain with nothing in flight polls nothing"),
    ),
    "S7": (ok("b112a65c52", _NO_SECTION), _EATEN, _STOP_SUBMITS),
    "S8": (
        _DATAPLANE["S8"][0], ok("176c36997f", "the stop's drain leaves nothing pending"), bad("65c1b5b622", _NESTED), _PARKED,
    ),
    "A1": (
        *_DATAPLANE["A1"][:2], _NOTHING_TO_GIVE, _NOT_REACHED, bad("65c1b5b622", f"{_NESTED} with the write in flight"), _GONE,
    ),
    "B1": _NO_COUNT_MOVES, "B3": _NO_COUNT_MOVES, "F1": _WAITS_FOR_THE_JOB,
}  # fmt: skip

_ACROSS_THE_SWAP = "bdrv_swap exchanges two nodes under a qcow2 request that is in flight: it may crash"
_SWAP_WAITS = ok("6ee4ce1ee7", "bdrv_swap drains first")
_SWAPPED: Final = (ok(FIRST), bad("5a7e7a0bad", _ACROSS_THE_SWAP), _SWAP_WAITS, *_ASSERTED[1:])


def _flush(base: str) -> Table:
    """A flush carries no data, and what asks for pending requests does not see it before cdb5e3155e."""
    seen = _SCENARIOS[base]
    asserted = _ASSERTED if seen is _NOT_EXTERNAL else seen["A1"]  # a flush needs no permission
    pending = {
        name: _seen_from("cdb5e3155e", spans)
        for name, spans in {**seen, "A1": asserted}.items()
        if name in ("S2", "S8", "A1")
    }
    return {**always("S3 S4", "a stray flush breaks the invariant but loses no data"), **pending}


def _seen_from(since: str, spans: Spans) -> Spans:
    """No violation before a revision; from there on what the spans say."""
    before = last(spans, since)
    later = (span for span in spans if PLACES[span.since] > PLACES[since])
    return (
        ok(FIRST, "a flush is not tracked yet: neither a drain nor the assertion knows of it"),
        Span(since, before.violated, before.reason),
        *later,
    )


_STAYS_COUNTED: Final = (
    ok(FIRST, "no request is parked yet"),
    bad(
        "cf3129323f",
        "a flush that is parked after (w) stays counted, and the drain before the switch waits for it in vain",
    ),
    ok("7f16476fab", "what is parked is not counted"),
)
_FLUSHES: Final[dict[str, Table]] = {
    **{base: _flush(base) for base in ("mirror", "dataplane")},
    **{base: {**_flush(base), "F1": _STAYS_COUNTED} for base in ("timer", "no-ioeventfd")},
}

_DRAIN_TAKES = "the drain waits for the first write, and busy polling in its aio_poll runs the handler for the second, inside the section"
_OTHER_DRAINS = (
    "while one job flushes inside its section, the other's drain polls and busy polling runs the first one's handler"
)

#: what a variant changes in the spans of the scenario it varies: one that varies several, by its ending; else by its name
_VARIANTS: Final[dict[str, Table]] = {
    "read": _READ,
    "cancel": _CANCEL,
    "cancel-early": _CANCEL,
    "reopen": _REOPEN,
    "zero-length": {
        **always("F1", _NEEDS_NOBODY), **always("S1 S2 S3 S4 S5 S7 S8 A1", _NO_REQUEST),
        **always("S6", "the job leaves without reading any dirty count"),
    },
    "reset": {
        **always("S1 S2 S3 S4 S5 S7 S8", _NO_REQUEST), "B1": _NO_COUNT_MOVES, "B3": _NO_COUNT_MOVES,
        "A1": (ok(FIRST), _NOTHING_TO_GIVE, _NOT_REACHED, _CARRIED), "F1": _WAITS_FOR_THE_JOB,
    },
    "dataplane-target-error": {
        "S7": (
            ok(FIRST, _NO_SECTION),
            bad("176c36997f", "on the error path no drain precedes the section, so a kick that the outer poll has stored runs in it"),
            ok("37989ced44", "the walk looks at the counter"), *_BUSY_POLLING,
        ),
    },
    "dataplane-stop": _STOP,
    # an active commit is a mirror job whose source is a qcow2 overlay; nothing but bdrv_swap tells the two apart
    "commit-dataplane": {"A1": (bad("b112a65c52", _ACROSS_THE_SWAP), _SWAP_WAITS, *_DATAPLANE["A1"][1:])},
    "commit-no-ioeventfd": {"A1": (*_SWAPPED, *_RESUMED)},
    "commit-no-ioeventfd-qcow2": {"A1": _SWAPPED},
    **{f"{base}-qcow2": {"A1": (*_ASSERTED, ok("3bb0e2980a", "qcow2 may always write to its file, for its metadata"))}
       for base in ("timer", "no-ioeventfd")},
    **{f"{base}-read": {**_READ, "A1": (*_ASSERTED, ok("3bb0e2980a", "a read goes on there as well, and needs no permission to write"))}
       for base in ("timer", "no-ioeventfd")},
    **{f"{base}-flush": spans for base, spans in _FLUSHES.items()},
    **{f"{base}-flush-reopen": {**spans, **always("A1", "the reopen's drain finishes a flush that the assertion could see")}
       for base, spans in _FLUSHES.items()},
    **{f"{base}-2-writes": {"S7": (*_MAIN_LOOP["S7"], bad("684e508c23", _DRAIN_TAKES), ok("59c9f437c5"))} for base in ("mirror", "commit")},
    "mirror-2-jobs": {
        name: (*spans, bad("684e508c23", _OTHER_DRAINS), ok("59c9f437c5")) for name, spans in _MAIN_LOOP.items()
    },
}  # fmt: skip


@cache
def expected(revision: str, scenario: Scenario, property: str) -> Expectation | None:
    """The expected verdict of a property, or None for a code base, scenario or property of the user's own.

    Variants (two writes, a second disk, bulk copying, errors, any GSource order) have the verdict of the scenario they vary: more of
    the same traffic opens no new window. `_VARIANTS` lists what differs for the others, and why.
    """
    if property not in {item.name for item in PROPERTIES} or not in_table(scenario):
        return None
    found = _verdict(revision, scenario, property)
    return None if found is None else if_asked(revision, scenario, property, found)


def _verdict(revision: str, scenario: Scenario, property: str) -> Expectation | None:
    """The expected verdict, as if everything were asked."""
    base = base_scenario(scenario).name
    if (cell := _CONTROL_CELLS.get((revision, scenario.name, property))) is not None:
        return Span("", *cell).expectation
    variant = _VARIANTS.get(scenario.name) or _VARIANTS.get(scenario.name.removeprefix(base).removeprefix("-"), {})
    if revision in _SAME_AS:
        return _control(revision, base, variant, property)
    return _from_spans(revision, base, variant, property) if revision in PLACES else None


def _from_spans(revision: str, scenario: str, variant: Table, property: str) -> Expectation:
    spans = variant.get(property) or _SCENARIOS[scenario].get(property) or _EVERYWHERE.get(property)
    if spans is None:
        raise ModelError(
            f"no verdict on {property} is expected in {scenario}: write it down in {__name__} before anything runs"
        )
    return last(spans, revision).expectation


def _control(revision: str, scenario: str, variant: Table, property: str) -> Expectation:
    cell = _CONTROL_CELLS.get((revision, scenario, property))
    if cell is not None and len(variant.get(property, ())) != 1:  # one span: the variant can never break it
        return Span("", *cell).expectation
    like, reason = _SAME_AS[revision]
    return Expectation(_from_spans(like, scenario, variant, property).outcome, reason, True)
