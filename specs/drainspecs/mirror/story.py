"""What the marked steps of a run mean where they are taken, in a stranger's words: read from the values of that run, never from its letters alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from draincheck.run import Run
from draincheck.sorts import Value
from draincheck.words import listed

__all__ = ["tell"]

#: values by their names; one that a scenario lacks is missing
_Values = Mapping[str, Value]


def tell(run: Run, step: int, mark: str) -> tuple[str, str]:
    """A few words, and a sentence or two, about the step of this number that has this letter."""
    before, after = (run.system.decoded(state) for state in (run.steps[step - 1].before, run.steps[step - 1].after))
    match mark:
        case "w":
            return _last_count(run, step, after)
        case "b":
            return _submitted(before, after)
        case "a":
            return _deferred(after)
        case _:
            return _switched(after)


def _last_count(run: Run, step: int, after: _Values) -> tuple[str, str]:
    """(w): a window opens, unless the job is not to complete yet."""
    counted = "mirror_run reads the dirty count, and it is 0: nothing is left to copy"
    if not after.get("window"):
        return "nothing to copy for now", f"{counted}. The job is not told to complete yet, so it goes on."
    gone = _when_released(run, step)
    kept = f" In step {gone} it releases the dirty bitmap, which would remember a later write." if gone else ""
    return (
        "the job believes that it is done",
        f"{counted}. From here on nobody copies what is written to the source.{kept}",
    )


def _when_released(run: Run, step: int) -> int:
    """The number of the step, from this one on, that releases the dirty bitmap; 0 if none does, or it is gone already."""
    place = next((n for n, v in enumerate(run.system.variables) if v.name == "dirty bitmap"), None)
    rest = enumerate(run.steps[step - 1 :], step)
    return next((n for n, each in rest if place is not None and each.before[place] and not each.after[place]), 0)


def _submitted(before: _Values, after: _Values) -> tuple[str, str]:
    """(b): to which disk, and whether anything would remember it."""
    begun = [name for name, value in after.items() if value == "in_flight" != before[name] and name != "job I/O"]
    names = begun or ["a request"]
    said = f"{listed(names)} {'is' if len(names) == 1 else 'are'} submitted"
    if any(after.get(f"{name} to target") for name in names) or before.get("root") == "target":
        return "a request for the new disk", f"{said} to the target, which is the guest's disk already."
    if not before.get("window"):
        return "a request of the guest", f"{said} to the source, before the job has read its last dirty count."
    forgotten = "" if before.get("dirty bitmap", True) else " No dirty bitmap is left that would remember it."
    return "a request slips in", f"{said} to the source, after the job has read its last dirty count.{forgotten}"


def _deferred(after: _Values) -> tuple[str, str]:
    """(a): the source is the guest's disk until the exit runs."""
    pending = " and ".join(_pending(after))
    still = f" Still pending on the source: {pending}." if pending else ""
    return (
        "the exit is deferred",
        f"mirror_run has ended, and leaves the switch to a bottom half of the main loop; until that runs, the source is the guest's disk.{still}",
    )


def _switched(after: _Values) -> tuple[str, str]:
    """(c): what stays behind."""
    if after.get("root") != "target":
        return (
            "the exit runs",
            "mirror_exit runs in the main loop; the source is the guest's disk until it switches to the target.",
        )
    lost = [name for name in after if _stays_behind(name, after)]
    behind = f" {listed(lost)} {'is' if len(lost) == 1 else 'are'} on the source alone." if lost else ""
    return "the disk is switched", f"The target is the guest's disk from now on.{behind}"


def _stays_behind(name: str, after: _Values) -> bool:
    """Whether a write that the guest was told of has reached the source, and not the target."""
    place = name.removeprefix("write")
    acknowledged = name.startswith("write[") and after[name] == "acked"
    return acknowledged and after.get(f"source{place}") is True and after.get(f"target{place}") is False


def _pending(after: _Values) -> Iterator[str]:
    """The requests that are on their way on the source."""
    for name, value in after.items():
        if value in ("in_flight", "io_done") and after.get(f"{name} to target") is False:
            yield name
