"""Knobs that no code base could have together."""

from __future__ import annotations

from draincheck.knobs import Knobs
from draincheck.qemu import Scenario

__all__ = ["objection"]


def objection(knobs: Knobs, scenario: Scenario) -> str:
    """Why no code base could have these knobs together, "" if one could. Such vectors are neither safe nor unsafe: they are left out."""
    if knobs.drain == "yield_first" and not knobs.drain_is_section:
        return "drain=yield_first disables external events in the drain's bottom half: only a bdrv_drain that is a section ends that again"
    return _objection_to_inline(knobs, scenario) if knobs.exit == "inline" else ""


def _objection_to_inline(knobs: Knobs, scenario: Scenario) -> str:
    if scenario.iothread:
        return "exit=inline switches the disk in the IOThread: mirror was not allowed with dataplane then"
    if knobs.begin == "after_release":
        return "exit=inline leaves no time between the bitmap's release and the switch for begin=after_release"
    if knobs.begin == "before_check" and _may_leave_early(scenario):
        return "exit=inline ends a section in every case, and here the job may leave before begin=before_check has opened one"
    return "exit=inline leaves no exit callback for the bandage to be put around" if knobs.bandage else ""


def _may_leave_early(scenario: Scenario) -> bool:
    """The job may come to its end without a look at the dirty count."""
    cancelled = scenario.command == "cancel" and not scenario.starts_ready
    return bool(scenario.job_errors) or scenario.zero_length or cancelled
