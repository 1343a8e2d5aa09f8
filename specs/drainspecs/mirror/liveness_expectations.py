"""Expected verdicts of the liveness properties, with the argument for each: written from the code's facts, before any model was run.

The facts are which descriptors a poll reports (poll_set_checks_external, walk_checks_external), where host notifiers live (notifier_home),
what a drain waits for (drain, drain_polls), when the IOThread holds its context and what wakes it (ctx_held_in_poll, enable_notifies): knobs,
each with its source in `draincheck.knobs`. And the two hangs that history knows: a77fd4bb29 fixed a drain that waited for its own coroutine,
321d1dba8b a kick that nobody was woken for.

What came of the comparison. In the five default scenarios every verdict was the expected one at the first run. In their variants two things
had been overlooked, both here and not in the model:

* Scenarios without guest requests (`zero-length`, `reset`) have no kick to lose or to spin beside: L2 and L7s hold there, vacuously.
* `dataplane-reset` first broke L1 and L6 up to 9a0cec664e: a vCPU that has the BQL waits for the AioContext of an IOThread that takes it
  again and again, and the main loop waits for the BQL. The main thread had been assumed to get the lock in its turn, the vCPU had not.
  The same RFifoLock serves both, so `AioContext of a vCPU` became an assumption. (The guest may stop; a vCPU inside QEMU may not.)
* Where stopping dataplane waits for the job (463e0be101 to 657e120320~1), the job never completes (L1) and its exit bottom half never runs
  (L6): expected with the stop's own argument. The control of d4a92a8420 had first been taken for an older code base that waits for nothing.
* Of two jobs nothing is expected. A drain of the one polls as long as there is progress, and the model's clock may end the other's sleep,
  100 ms in QEMU, again and again in the meantime: a run in which no time passes. L1, L2, L3 and L7 break on such runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from draincheck.qemu import Scenario
from draincheck.revisions import PLACES
from draincheck.subject import Expectation
from draincheck.verdict import Outcome
from drainspecs.mirror.properties import LIVENESS
from drainspecs.mirror.scenarios import base_scenario, in_table
from drainspecs.mirror.spans import FIRST, Spans, Table, always, bad, last, ok
from drainspecs.mirror.unasked import if_asked

__all__ = ["expected_liveness"]

_COMPLETES: Final = (
    "each round of the job ends with the host's I/O; only finitely many writes can send it back from the dirty count; "
    "the exit bottom half runs in the next walk"
)
_DRAINS_END: Final = "a request needs the host's I/O and the thread pool's bottom half, and every drain polls for both"

_EVERYWHERE: Final[dict[str, Spans]] = {
    **always("L1", _COMPLETES),
    **always("L3", _DRAINS_END),
    "L4": (
        bad(FIRST, "the drain polls inside the coroutine whose yield would run the request it waits for"),
        ok("a77fd4bb29", "the drain yields, the wake list runs, the bottom half polls"),
    ),
    **always("L6", "the main loop walks its bottom halves in every iteration; nobody else's drain waits for one, which is what 91af091f92 is about"),
    **always("L7", "the main loop spins at most while a section is open, and sections end"),
}  # fmt: skip

_MAIN_LOOP: Final[Table] = {
    **always("L2", "the eventfd is level-triggered and GLib polls it whether it is disabled or not: it is reported until it is handled"),
    "L7s": (
        ok(FIRST, "no dispatch is refused"),
        ok("37989ced44", "what is polled during a section is polled by a drain, or the exit bottom half is scheduled"),
        bad("bdffb31d8e", "the job flushes inside the section and the main loop goes on meanwhile: a kick makes it spin as long as the flush takes"),
    ),
}  # fmt: skip

_DATAPLANE: Final[Table] = {
    "L1": (
        ok("b112a65c52", f"{_COMPLETES}; the IOThread hands over its context in turn"),
        ok("65c1b5b622", f"{_COMPLETES}; the context is free while the IOThread sleeps; what hangs comes after the switch"),
    ),
    "L2": (
        ok("b112a65c52", "no drained section exists"),
        ok("176c36997f", "the main thread could only end the section with the IOThread out of its poll, and the next poll set has the notifier"),
        bad("65c1b5b622", "the IOThread sleeps in a poll without the notifier, and enabling external events does not wake it"),
        ok("321d1dba8b", "enabling external events wakes the poll"),
    ),
    "L7s": (ok("b112a65c52", "the main loop does not poll the notifier, and aio_poll leaves it out while it is disabled"),),
}  # fmt: skip

_NOT_EXTERNAL: Final[Table] = {
    **always("L2", "the main loop's timers and chardevs are never disabled"),
    **always("L7s", "the source of the requests is never disabled"),
}  # fmt: skip

_SCENARIOS: Final[Mapping[str, Table]] = {
    "mirror": _MAIN_LOOP, "commit": _MAIN_LOOP, "dataplane": _DATAPLANE, "timer": _NOT_EXTERNAL, "no-ioeventfd": _NOT_EXTERNAL,
}  # fmt: skip

_STAYS_COUNTED: Final = (
    bad(
        "cf3129323f",
        "a flush that is parked inside the mirror's section stays in the BlockBackend's in_flight, which the next drain, before the switch, "
        "polls: it waits for a request that waits for the end of the section",
    ),
    ok("7f16476fab", "what is parked is not counted"),
)
_PARKED: Final[Table] = {name: (*_EVERYWHERE[name], *_STAYS_COUNTED) for name in ("L1", "L3")}
_DETACHED: Final = (
    ok(FIRST, "the stop waits for the lock in its turn, and then for nothing"),
    bad("463e0be101", "a switch of the disk's context waits, with the BQL, for a deferred job whose exit needs the main loop"),
    ok("657e120320", "the job's nodes move along and nothing waits for it"),
)  # fmt: skip
#: what a variant changes: a flush can be parked where its source is not disabled, and a stop switches the disk's context
_VARIANTS: Final[Mapping[str, Table]] = {
    **{f"{base}-{suffix}": _PARKED for base in ("timer", "no-ioeventfd") for suffix in ("flush", "flush-reopen")},
    **{f"dataplane-{suffix}": {"L1": _DETACHED, "L6": _DETACHED} for suffix in ("reset", "stop")},
}

#: controls: the code base whose place they take, by what their knob turns
_LIKE: Final = {
    "ab27c3b5e7-without-37989ced44": ("14560d69e7", "dispatch looks at no counter"),
    "ab27c3b5e7-nested-drain": ("176c36997f", "the drain is that of before a77fd4bb29"),
    "d4a92a8420-without-37989ced44": ("14560d69e7", "dispatch looks at no counter"),
    "3f09bfbc7b-reopen-drains": ("3f09bfbc7b", "one more drain, nested in mirror_exit"),
    "3bb0e2980a-permissions-first": ("7f16476fab", "the same sections and drains"),
}


def expected_liveness(revision: str, scenario: Scenario, property: str) -> Expectation | None:
    """The expected verdict, or None for a code base, scenario or property that nothing was written down for."""
    if property not in {item.name for item in LIVENESS} or scenario.jobs > 1 or not in_table(scenario):
        return None
    found = _verdict(revision, scenario, property)
    return None if found is None else if_asked(revision, scenario, property, found)


def _verdict(revision: str, scenario: Scenario, property: str) -> Expectation | None:
    """The expected verdict, as if everything were asked."""
    variant = _VARIANTS.get(scenario.name, {}).get(property)
    if revision in _LIKE:
        like, reason = (
            _LIKE[revision] if variant is None else (revision.partition("-")[0], "its knob plays no part in the stop")
        )
        same = _verdict(like, scenario, property)
        return None if same is None else Expectation(same.outcome, f"{reason}: as {like}", True)
    if revision not in PLACES:
        return None
    if not (scenario.writes or scenario.reads or scenario.flushes) and property in ("L2", "L7", "L7s"):
        return Expectation(Outcome.HOLDS, "there is no kick", True)
    base = _SCENARIOS[base_scenario(scenario).name]
    spans = variant or base.get(property) or _EVERYWHERE[property]
    return last(spans, revision).expectation
