"""Where a property is expected never to be asked: what it speaks of does not exist there. Written from the code's facts, like the verdicts.

An expectation of *holds* becomes one of *never asked*, with the reason, where a check has no place to stand, or a trigger no state: a
verdict that has seen nothing must not look like one that has.
"""

from __future__ import annotations

from msgspec.structs import replace

from draincheck.qemu import Scenario
from draincheck.revisions import PLACES, find_revision
from draincheck.subject import Expectation
from draincheck.verdict import Outcome

__all__ = ["if_asked"]

_NO_REQUEST = "the guest makes no request"
_NO_SWITCH = "a cancelled job does not switch the disk"
_NO_COUNT = "the job leaves without reading any dirty count"


def if_asked(revision: str, scenario: Scenario, property: str, expectation: Expectation) -> Expectation:
    """The expectation; *never asked*, if it is *holds* and nothing in this code base and scenario asks the property."""
    why = "" if expectation.outcome is not Outcome.HOLDS else _why_not(revision, scenario, property)
    return replace(expectation, outcome=Outcome.NEVER_ASKED, argument=why, derived=True) if why else expectation


def _why_not(revision: str, scenario: Scenario, property: str) -> str:
    """Why nothing asks a property, "" if something does."""
    place = PLACES[revision if revision in PLACES else revision.partition("-")[0]]
    quiet = not (scenario.writes or scenario.reads or scenario.flushes)
    match property:
        case "S1" | "S5" | "L2" | "L7" | "L7s" if quiet:
            return _NO_REQUEST
        case "S7":
            return _NO_REQUEST if quiet else "" if scenario.source == "ioeventfd" else "no host notifier is involved"
        case "S3" | "S10" if scenario.command == "cancel":
            return _NO_SWITCH
        case "S11" if scenario.zero_length:
            return _NO_COUNT
        case "S6" if scenario.zero_length and find_revision(revision).knobs.drain == "nested":
            return f"{_NO_COUNT}, and its drains do not yield"
        case "B6" if place < PLACES["176c36997f"]:
            return "nothing is enabled again: nothing of this story uses the disable counter yet"
        case "B3" if not scenario.device_reset or place < PLACES["657e120320"]:
            return "no section comes to its end in another context than it began in"
        case _:
            return _why_no_run_asks(revision, place, scenario, property)


def _why_no_run_asks(revision: str, place: int, scenario: Scenario, property: str) -> str:
    """The same of demands on whole runs, where the guest makes requests."""
    match property:
        case "L2" if scenario.source == "vcpu":
            return "a vCPU's doorbell is its own handler: no kick waits"
        case "L6" if place < PLACES["5a7e7a0bad"]:
            return "the job has no bottom half: its drains poll, and its exit is part of the coroutine"
        case "L7" | "L7s":
            return _why_nothing_spins(revision, place, scenario)
        case _:
            return ""


def _why_nothing_spins(revision: str, place: int, scenario: Scenario) -> str:
    """Why the main loop never goes round beside a disabled descriptor, "" if it may."""
    if scenario.iothread:
        return "the main loop does not poll the notifier, and aio_poll leaves it out while it is disabled"
    if scenario.source != "ioeventfd":
        return "the source of the requests is never disabled"
    if not find_revision(revision).knobs.walk_checks_external:
        return "no dispatch is refused"
    return "" if place >= PLACES["ab27c3b5e7"] else "no section disables the context that has the notifier"
