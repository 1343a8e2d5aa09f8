"""Expected verdicts: what QEMU's history and code say, written down before any model was run.

Rows are spans: a verdict holds from the revision it names up to the next one named. A verdict is given by section 8 of the project's
semantics notes (reading and probing QEMU's real code), or *derived* from the code's facts with the argument beside it. The model is
compared with these; they were never taken from it. Where the two once disagreed, README.md of this package tells what came of it.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from msgspec import Struct

from draincheck.errors import ModelError
from draincheck.qemu import Scenario
from draincheck.revisions import REVISIONS
from draincheck.subject import Expectation
from draincheck.verdict import Outcome
from drainspecs.mirror.properties import PROPERTIES
from drainspecs.mirror.scenarios import base_scenario

__all__ = ["expected"]

HOLDS, VIOLATED = Outcome.HOLDS, Outcome.VIOLATED


class Span(Struct, frozen=True):
    """From this revision on, the property is violated (or holds) for this reason. No reason: the history says so (section 8)."""

    since: str
    violated: bool
    reason: str = ""


def _ok(since: str, reason: str = "") -> Span:
    return Span(since, False, reason)


def _bad(since: str, reason: str = "") -> Span:
    return Span(since, True, reason)


FIRST = "5a7e7a0bad~1"
_PENDING = "a stray request is pending while it runs, and the drain before (w) leaves nothing else pending"
_UNACKED = "the exit bottom half is newer than the thread pool's: the stray write is not yet acknowledged at the switch"
_SWAP_DRAINS = "bdrv_swap finishes the stray write on the old node, then swaps"
_ABORTED = "the assertion ends QEMU before the switch"
_RELEASED = "the bitmap is released between (w) and (a), so this breaks where S1 does"
_NOT_YET = "the dirty count is read outside any drained section"
_READ_INSIDE = "the count is read inside the section, and nothing yields before (a)"
_FLUSH_YIELDS = "the flush after the dirty count yields"
_NO_SECTION = "no drained section exists"
_NEVER_TOLD = "aio_enable_external does not notify before 321d1dba8b"
_NO_COUNTER = "nothing of this story uses the disable counter yet"
_PAIRED = "every path pairs what it opens"

#: properties whose spans are the same in every scenario
_EVERYWHERE: Final = {
    "S6": (_bad(FIRST, _NOT_YET), _ok("9a0cec664e", _READ_INSIDE), _bad("bdffb31d8e", _FLUSH_YIELDS)),
    "S10": (_ok(FIRST, "mirror_exit runs once, after should_complete"),),
    "S11": (_ok(FIRST, "a drain precedes the count, so what is clean has been copied"),),
    "B1": (_ok(FIRST, _PAIRED),),
    "B2": (_ok(FIRST, _PAIRED),),
    "B3": (_ok(FIRST, "no context changes in this scenario"),),
    "B5": (_ok(FIRST, _PAIRED),),
    "B6": (_ok(FIRST, _NO_COUNTER), _bad("176c36997f", _NEVER_TOLD), _ok("321d1dba8b")),
    "F1": (_ok(FIRST, "no lost wakeup is known on this path"),),
    "R1": (_ok(FIRST, "the job completes if nothing interferes"),),
}

_MAIN_LOOP: Final = {
    "S1": (_ok(FIRST), _bad("5a7e7a0bad"), _ok("0ff841f6d1")),
    "S2": (_ok(FIRST, _PENDING), _bad("5a7e7a0bad", _PENDING), _ok("0ff841f6d1", _PENDING)),
    "S3": (
        _ok(FIRST), _ok("5a7e7a0bad", _UNACKED), _bad("6ee4ce1ee7"), _ok("3f09bfbc7b", _ABORTED), _bad("a77fd4bb29"), _ok("0ff841f6d1"),
    ),
    "S4": (_ok(FIRST), _bad("5a7e7a0bad"), _ok("3f09bfbc7b", _ABORTED), _bad("a77fd4bb29"), _ok("0ff841f6d1")),
    "S5": (_ok(FIRST, _RELEASED), _bad("5a7e7a0bad", _RELEASED), _ok("0ff841f6d1", _RELEASED)),
    "S7": (
        _ok(FIRST, _NO_SECTION), _bad("176c36997f", "iohandler_ctx is not disabled while the section is open, or too late"),
        _ok("0ff841f6d1", "the notifier is in the context that the section disables"),
    ),
    "S8": (
        _ok(FIRST), _bad("5a7e7a0bad", "case 1: the stray write is in flight when mirror_exit begins"),
        _ok("ab27c3b5e7", "after (a) the bandage blocks kicks, and case 3's write is drained before (a)"),
    ),
    "A1": (_ok(FIRST), _bad("3f09bfbc7b"), _ok("ab27c3b5e7")),
}  # fmt: skip

_COMMIT: Final = {
    **_MAIN_LOOP,
    "A1": (_ok(FIRST), _bad("5a7e7a0bad"), _ok("6ee4ce1ee7"), _bad("3f09bfbc7b"), _ok("ab27c3b5e7")),
}

_BROKEN_AGAIN = "busy polling ignores the disable counter"
_DATAPLANE: Final = {
    "S1": (_bad("b112a65c52"), _ok("176c36997f"), _bad("684e508c23"), _ok("59c9f437c5")),
    "S2": (_bad("b112a65c52", _PENDING), _ok("176c36997f", _PENDING), _bad("684e508c23", _PENDING), _ok("59c9f437c5", _PENDING)),
    "S3": (
        _bad("b112a65c52", "the IOThread goes on until the main thread has the context, so it may acknowledge the stray write"),
        _bad("6ee4ce1ee7"), _ok("176c36997f"), _bad("684e508c23", _BROKEN_AGAIN), _ok("59c9f437c5"),
    ),
    "S4": (_bad("b112a65c52"), _ok("176c36997f"), _bad("684e508c23", _BROKEN_AGAIN), _ok("59c9f437c5")),
    "S5": (_bad("b112a65c52", _RELEASED), _ok("176c36997f", _RELEASED), _bad("684e508c23", _RELEASED), _ok("59c9f437c5", _RELEASED)),
    "S7": (
        _ok("b112a65c52", _NO_SECTION), _ok("176c36997f", "the poll set leaves the notifier out and the drain washes stale readiness"),
        _bad("684e508c23", _BROKEN_AGAIN), _ok("59c9f437c5"),
    ),
    "S8": (
        _bad("b112a65c52", "the stray write may be in flight when the main thread gets the context"), _ok("176c36997f"),
        _bad("684e508c23", _BROKEN_AGAIN), _ok("59c9f437c5"),
    ),
    "A1": (
        _ok("b112a65c52", "no assertion yet"), _bad("3f09bfbc7b"), _ok("176c36997f"), _bad("684e508c23", _BROKEN_AGAIN), _ok("59c9f437c5"),
    ),
    "F1": (_ok("b112a65c52"), _bad("65c1b5b622"), _ok("321d1dba8b")),
}  # fmt: skip

_TARGET_DRAINED = (
    "the drain of the target polls at least once: it finishes the stray write on the source before the assertion looks"
)
_ASSERTED: Final = (
    _ok(FIRST),
    _bad("3f09bfbc7b", "a write after (a) is pending at the assertion unless its I/O is fast"),
    _ok("f871abd60f", "the assertion is gone"),
)
_RESUMED: Final = (
    _bad(
        "3bb0e2980a",
        "the guest's BlockBackend moves from the drained filter to a target whose own section has ended, so what it has queued goes on inside "
        "the replacement; the job has let go of the target, so a raw node has no permission to write to its file before the refresh that follows",
    ),
    _ok("2398747128", "the target is drained, too, until its permissions are there"),
)
_NOT_EXTERNAL: Final = {
    "S1": (_ok(FIRST), _bad("5a7e7a0bad"), _ok("cf3129323f")),
    "S2": (_ok(FIRST, _PENDING), _bad("5a7e7a0bad", _PENDING), _ok("cf3129323f", _PENDING)),
    "S3": (
        _ok(FIRST), _ok("5a7e7a0bad", _UNACKED), _bad("6ee4ce1ee7", _SWAP_DRAINS), _ok("3f09bfbc7b", _ABORTED),
        _bad("a77fd4bb29", "a write during the yield in drained_begin is drained before (a)"),
        _bad("b880481579", _TARGET_DRAINED), _bad("0ff841f6d1"), _bad("9a0cec664e", _TARGET_DRAINED),
        _ok("9972354856", "between (w) and (c) nothing polls for the source: the stray write stays pending and the assertion fires"),
        _bad("bdffb31d8e", "the flush window: the stray write completes while the job flushes"), _ok("cf3129323f"),
    ),
    "S4": (
        _ok(FIRST), _bad("5a7e7a0bad"), _ok("3f09bfbc7b", _ABORTED),
        _bad("a77fd4bb29", "a write during the yield in drained_begin is drained before (a)"),
        _bad("b880481579", "as S3"), _bad("0ff841f6d1"), _bad("9a0cec664e", "as S3"),
        _ok("9972354856", "as S3"), _bad("bdffb31d8e", "as S3"), _ok("cf3129323f"),
    ),
    "S5": (
        _ok(FIRST, _RELEASED), _bad("5a7e7a0bad", _RELEASED), _ok("2119882c7e", "the exit callback releases the bitmap, right before the switch"),
    ),
    "S7": (_ok(FIRST, "no host notifier is involved"),),
    "S8": (_ok(FIRST), _bad("5a7e7a0bad", "the stray write may be in flight when mirror_exit begins"), _ok("cf3129323f")),
    "A1": (*_ASSERTED, *_RESUMED),
}  # fmt: skip

_SCENARIOS: Final = {
    "mirror": _MAIN_LOOP, "commit": _COMMIT, "dataplane": _DATAPLANE, "timer": _NOT_EXTERNAL, "no-ioeventfd": _NOT_EXTERNAL,
}  # fmt: skip

_SAME_AS: Final = {
    # what a control turns off or on puts it where another revision stands ...
    "ab27c3b5e7-without-37989ced44": (
        "37989ced44",
        "without the check in dispatch the bandage is inert: the code base before it",
    ),
    "ab27c3b5e7-nested-drain": ("03de2f5274", "nothing yields between (w) and (a): the code base before a77fd4bb29"),
    "d4a92a8420-without-37989ced44": ("d4a92a8420", "the notifier's move alone, otherwise as d4a92a8420"),
    "3f09bfbc7b-reopen-drains": ("3f09bfbc7b", "the reopen's drain, otherwise as 3f09bfbc7b"),
    "3bb0e2980a-permissions-first": (
        "7f16476fab",
        "the permissions are there before the BlockBackend moves: as until v6.0.0",
    ),
}

_STALE = "an outer poll has stored the kick, and a walk that ignores the counter runs its handler"
_HIDDEN = "the reopen's drain finishes the stray write before the assertion looks"
#: ... except for these (control, scenario, property): violated?, why
_CONTROL_CELLS: Final = {
    **{("ab27c3b5e7-nested-drain", scenario, name): (False, "the bandage suffices where drains do not yield")
       for scenario in ("mirror", "commit") for name in ("S1", "S2", "S3", "S4", "S5", "S7", "S8", "A1")},
    **{("d4a92a8420-without-37989ced44", scenario, name): (True, _STALE)
       for scenario in ("mirror", "commit") for name in ("S1", "S2", "S3", "S4", "S5", "S7", "A1")},
    ("d4a92a8420-without-37989ced44", "dataplane", "S7"): (True, _STALE),
    ("ab27c3b5e7-without-37989ced44", "dataplane-target-error", "S7"): (True, _STALE),
    ("ab27c3b5e7-nested-drain", "dataplane-target-error", "S7"): (False, "the walk looks at the counter"),
    **{("3f09bfbc7b-reopen-drains", scenario, name): (name != "A1", _HIDDEN)
       for scenario in ("mirror", "commit", "dataplane", "timer", "no-ioeventfd") for name in ("S3", "S4", "A1")},
}  # fmt: skip

_ORDER: Final = {row.name: index for index, row in enumerate(REVISIONS)}

_NO_DATA = "a stray read breaks the invariant but loses no data"
_NO_SWITCH = "a cancelled job does not switch the disk: no window"
_NO_REQUEST = "the guest makes no request"
_MASKED = "the reopen's drain finishes the stray write on the old node before anything looks"
_MOVED = "a context switch inside the window moves no count before e64f25f30b"
_CARRIED = "the count goes along"
_NOT_REACHED = "the switch of the context waits for a job that waits for the main loop: neither it nor (c) happens"
_DETACH_WAITS = "the switch of the context waits for the deferred job, whose exit callback needs the BQL that the waiting thread has"
_NO_WAIT = "the job's nodes move along, and nothing waits for the job"
_NO_COUNT_MOVES = (
    _ok(FIRST, _NO_COUNTER),
    _bad("176c36997f", _MOVED),
    _ok("463e0be101", _NOT_REACHED),
    _ok("657e120320", _CARRIED),
)
_WAITS_FOR_THE_JOB = (
    _ok(FIRST, "nobody needs the IOThread any more"),
    _bad("463e0be101", _DETACH_WAITS),
    _ok("657e120320", _NO_WAIT),
)


_NOTHING_TO_GIVE = "aio_enable_external asserts that there is something to give back"


def _always_ok(names: str, reason: str) -> dict[str, tuple[Span, ...]]:
    return {name: (_ok(FIRST, reason),) for name in names.split()}


#: what a variant changes in the spans of the scenario it varies
_VARIANTS: Final[dict[str, dict[str, tuple[Span, ...]]]] = {
    "read": _always_ok("S3 S4", _NO_DATA),
    "cancel": {
        **_always_ok("S1 S2 S3 S4 S5 S8 A1", _NO_SWITCH),
        "S6": (_bad(FIRST, _NOT_YET), _ok("9a0cec664e", "nothing is looked at after the count when there is no switch")),
    },
    "reopen": {
        **_always_ok("A1", _MASKED),
        "S3": (_ok(FIRST), _bad("5a7e7a0bad", _MASKED), _ok("0ff841f6d1")),
        "S4": (_ok(FIRST), _bad("5a7e7a0bad", _MASKED), _ok("0ff841f6d1")),
    },
    "zero-length": {
        "F1": (_ok(FIRST, "nobody needs the IOThread any more"),),
        **_always_ok("S1 S2 S3 S4 S5 S7 S8 A1", _NO_REQUEST), **_always_ok("S6", "the job leaves without reading any dirty count"),
    },
    "reset": {
        **_always_ok("S1 S2 S3 S4 S5 S7 S8", _NO_REQUEST),
        "B1": _NO_COUNT_MOVES,
        "B3": _NO_COUNT_MOVES,
        "A1": (_ok(FIRST), _bad("176c36997f", _NOTHING_TO_GIVE), *_NO_COUNT_MOVES[2:]),
        "F1": _WAITS_FOR_THE_JOB,
    },
}  # fmt: skip
_VARIANTS["cancel-early"] = _VARIANTS["cancel"]

_UNWASHED = "on the error path no drain precedes the section, so a kick that the outer poll has stored runs in it"
#: the same, for one scenario only
_VARIANTS["dataplane-target-error"] = {
    "S7": (_ok(FIRST, _NO_SECTION), _bad("176c36997f", _UNWASHED), _ok("37989ced44", "the walk looks at the counter"))
}
_VARIANTS["dataplane-target-error"]["S7"] += (_bad("684e508c23", _BROKEN_AGAIN), _ok("59c9f437c5"))

_EATEN = "the stop eats the kick: the queue handler returns while dataplane counts as started"
_STOP_SUBMITS = "the stop runs the queue handler for the pending kick, whatever the disable counter says"
_PARKED = "the stop's request is parked, and goes to the target"
_DRAINED_BY_STOP = "the stop's drain finishes that write on the source before (c); the assertion of aio_enable_external comes after the switch"
_NESTED = "the stop's drain lets go of the lock and polls the main loop's context: (c) runs inside it"
_BITMAP_ALIVE = "the bitmap lives until the exit callback"
_IN_THE_EXIT = "the exit callback, its bitmap released, drains the target, which polls the IOThread's context and runs the stop's bottom half"
_VARIANTS["dataplane-stop"] = {
    "S1": (_bad("b112a65c52"), _ok("176c36997f", _EATEN), _bad("03de2f5274", _STOP_SUBMITS), _ok("cf3129323f", _PARKED)),
    "S2": (_bad("b112a65c52", _PENDING), _ok("176c36997f", _EATEN), _bad("03de2f5274", _STOP_SUBMITS), _ok("cf3129323f", _PARKED)),
    "S3": (
        *_DATAPLANE["S3"][:2], _ok("176c36997f", _EATEN), _bad("03de2f5274", _DRAINED_BY_STOP), _ok("463e0be101", _NOT_REACHED),
        _bad("65c1b5b622", f"{_NESTED}; the IOThread may have finished the write by then"), _ok("cf3129323f", _PARKED),
    ),
    "S4": (
        _bad("b112a65c52"), _ok("176c36997f", _EATEN), _bad("03de2f5274", _DRAINED_BY_STOP), _ok("463e0be101", _NOT_REACHED),
        _bad("65c1b5b622", f"{_NESTED}; the IOThread may have finished the write by then"), _ok("cf3129323f", _PARKED),
    ),
    "S5": (
        _bad("b112a65c52", _RELEASED), _ok("176c36997f", _EATEN), _bad("03de2f5274", _STOP_SUBMITS), _ok("2119882c7e", _BITMAP_ALIVE),
        _bad("1010cadf62", _IN_THE_EXIT), _ok("4cf077b59f", "a drain with nothing in flight polls nothing"),
    ),
    "S7": (_ok("b112a65c52", _NO_SECTION), _ok("176c36997f", _EATEN), _bad("03de2f5274", _STOP_SUBMITS)),
    "S8": (
        *_DATAPLANE["S8"][:1], _ok("176c36997f", "the stop's drain leaves nothing pending"), _bad("65c1b5b622", _NESTED),
        _ok("cf3129323f", _PARKED),
    ),
    "A1": (
        _ok("b112a65c52", "no assertion yet"), _bad("3f09bfbc7b"), _bad("176c36997f", _NOTHING_TO_GIVE), _ok("463e0be101", _NOT_REACHED),
        _bad("65c1b5b622", f"{_NESTED} with the write in flight"), _ok("f871abd60f", "the assertion is gone"),
    ),
    "B1": _NO_COUNT_MOVES, "B3": _NO_COUNT_MOVES, "F1": _WAITS_FOR_THE_JOB,
}  # fmt: skip

_ACROSS_THE_SWAP = "bdrv_swap exchanges two nodes under a qcow2 request that is in flight: it may crash"
_SWAP_WAITS = "bdrv_swap drains first"
#: an active commit is a mirror job whose source is a qcow2 overlay; nothing but bdrv_swap tells the two apart
_VARIANTS["commit-dataplane"] = {
    "A1": (_bad("b112a65c52", _ACROSS_THE_SWAP), _ok("6ee4ce1ee7", _SWAP_WAITS), *_DATAPLANE["A1"][1:])
}
_VARIANTS["commit-no-ioeventfd"] = {
    "A1": (_ok(FIRST), _bad("5a7e7a0bad", _ACROSS_THE_SWAP), _ok("6ee4ce1ee7", _SWAP_WAITS), *_NOT_EXTERNAL["A1"][1:])
}
_VARIANTS["commit-no-ioeventfd-qcow2"] = {"A1": _VARIANTS["commit-no-ioeventfd"]["A1"][: -len(_RESUMED)]}
for _base in ("timer", "no-ioeventfd"):
    _VARIANTS[f"{_base}-qcow2"] = {
        "A1": (*_ASSERTED, _ok("3bb0e2980a", "qcow2 may always write to its file, for its metadata"))
    }
    _VARIANTS[f"{_base}-read"] = {
        **_VARIANTS["read"], "A1": (*_ASSERTED, _ok("3bb0e2980a", "a read goes on there as well, and needs no permission to write")),
    }  # fmt: skip

_UNTRACKED = "a flush is not tracked yet: neither a drain nor the assertion knows of it"
_STILL_COUNTED = "a flush that is parked after (w) stays counted, and the drain before the switch waits for it in vain"


def _flush(base: str) -> dict[str, tuple[Span, ...]]:
    """A flush carries no data, and what asks for pending requests does not see it before cdb5e3155e."""
    seen = {
        **_SCENARIOS[base],
        **({"A1": _ASSERTED} if _SCENARIOS[base] is _NOT_EXTERNAL else {}),
    }  # a flush needs no permission
    pending = {name: _seen_from("cdb5e3155e", seen[name]) for name in ("S2", "S8", "A1")}
    return {**_always_ok("S3 S4", "a stray flush breaks the invariant but loses no data"), **pending}


def _seen_from(since: str, spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """No violation before a revision; from there on what the spans say."""
    before = [span for span in spans if _ORDER[span.since] <= _ORDER[since]][-1]
    later = (span for span in spans if _ORDER[span.since] > _ORDER[since])
    return (_ok(FIRST, _UNTRACKED), Span(since, before.violated, before.reason), *later)


_VARIANTS.update({f"{base}-flush": _flush(base) for base in ("mirror", "dataplane", "timer", "no-ioeventfd")})
for _base in ("timer", "no-ioeventfd"):
    _VARIANTS[f"{_base}-flush"]["F1"] = (
        _ok(FIRST, "no request is parked yet"), _bad("cf3129323f", _STILL_COUNTED), _ok("7f16476fab", "what is parked is not counted"),
    )  # fmt: skip
_ENDED = "the reopen's drain finishes a flush that the assertion could see"
for _base in ("mirror", "dataplane", "timer", "no-ioeventfd"):
    _VARIANTS[f"{_base}-flush-reopen"] = {**_VARIANTS[f"{_base}-flush"], **_always_ok("A1", _ENDED)}

_DRAIN_TAKES = "the drain waits for the first write, and busy polling in its aio_poll runs the handler for the second, inside the section"
for _base in ("mirror", "commit"):
    _VARIANTS[f"{_base}-2-writes"] = {"S7": (*_MAIN_LOOP["S7"], _bad("684e508c23", _DRAIN_TAKES), _ok("59c9f437c5"))}

_OTHER_DRAINS = (
    "while one job flushes inside its section, the other's drain polls and busy polling runs the first one's handler"
)
_VARIANTS["mirror-2-jobs"] = {
    name: (*_MAIN_LOOP[name], _bad("684e508c23", _OTHER_DRAINS), _ok("59c9f437c5"))
    for name in ("S1", "S2", "S3", "S4", "S5", "S7", "S8", "A1")
}


@cache
def expected(revision: str, scenario: Scenario, property: str) -> Expectation | None:
    """The expected verdict of a property, or None for a code base, scenario or property of the user's own.

    Variants (two writes, a second disk, bulk copying, errors, any GSource order) have the verdict of the scenario they vary: more of
    the same traffic opens no new window. `_VARIANTS` lists what differs for the others, and why.
    """
    if property not in {item.name for item in PROPERTIES}:
        return None
    base = base_scenario(scenario).name
    if (cell := _CONTROL_CELLS.get((revision, scenario.name, property))) is not None:
        return Expectation(VIOLATED if cell[0] else HOLDS, cell[1], True)
    variant = _VARIANTS.get(scenario.name) or _VARIANTS.get(scenario.name.removeprefix(base).removeprefix("-"), {})
    if revision in _SAME_AS:
        return _control(revision, base, variant, property)
    return _from_spans(revision, base, variant, property) if revision in _ORDER else None


def _from_spans(revision: str, scenario: str, variant: dict[str, tuple[Span, ...]], property: str) -> Expectation:
    spans = variant.get(property) or _SCENARIOS[scenario].get(property) or _EVERYWHERE.get(property)
    if spans is None:
        raise ModelError(
            f"no verdict on {property} is expected in {scenario}: write it down in {__name__} before anything runs"
        )
    span = [item for item in spans if _ORDER[item.since] <= _ORDER[revision]][-1]
    return Expectation(VIOLATED if span.violated else HOLDS, span.reason or "the history says so", bool(span.reason))


def _control(revision: str, scenario: str, variant: dict[str, tuple[Span, ...]], property: str) -> Expectation:
    cell = _CONTROL_CELLS.get((revision, scenario, property))
    if cell is not None and len(variant.get(property, ())) != 1:  # one span: the variant can never break it
        return Expectation(VIOLATED if cell[0] else HOLDS, cell[1], True)
    like, reason = _SAME_AS[revision]
    return Expectation(_from_spans(like, scenario, variant, property).outcome, reason, True)
