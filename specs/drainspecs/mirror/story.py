"""What the marked steps of a run mean where they are taken, in a stranger's words: read from the values of that run, never from its letters alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from draincheck.run import Run
from draincheck.sorts import Value
from draincheck.words import listed
from drainspecs.mirror.slipped import cause

__all__ = ["tell"]

#: values by their names; one that a scenario lacks is missing
_Values = Mapping[str, Value]

#: what a step of a job writes that is the job's own; of the second job they are called `window [1]`
_OF_A_JOB: Final = ("window", "exit BH", "root")
#: what requests are called: `write[0.1]` is the second write to the first disk
_REQUESTS: Final = ("write[", "read[", "flush[")


def tell(run: Run, step: int, mark: str) -> tuple[str, str]:
    """A few words, and a sentence or two, about the step of this number that has this letter."""
    before, after = (run.system.decoded(state) for state in (run.steps[step - 1].before, run.steps[step - 1].after))
    job = next((name[len(own) :] for own in _OF_A_JOB for name in after if _is_changed(name, own, before, after)), "")
    match mark:
        case "w":
            return _last_count(run, step, after, job)
        case "b":
            return _submitted(run, step, before, after)
        case "a":
            return _deferred(after)
        case _:
            return _switched(after, job)


def _is_changed(name: str, own: str, before: _Values, after: _Values) -> bool:
    """Whether a variable is the one of some job that is called so of the first, and has got a new value."""
    return before[name] != after[name] and (name == own or name.startswith(f"{own} ["))


def _last_count(run: Run, step: int, after: _Values, job: str) -> tuple[str, str]:
    """(w): a window opens, if the job is going to switch the disk."""
    counted = "mirror_run reads the dirty count, and it is 0: nothing is left to copy."
    if not after.get(f"window{job}"):
        return "nothing is left to copy", counted
    gone = _when_released(run, step, job)
    kept = f" In step {gone} it releases the dirty bitmap, which would remember a later write." if gone else ""
    return (
        "the job believes that it is done",
        f"{counted} From here on nobody copies what is written to the source.{kept}",
    )


def _when_released(run: Run, step: int, job: str) -> int:
    """The number of the step, from this one on, that releases the dirty bitmap; 0 if none does, or it is gone already."""
    place = next((n for n, v in enumerate(run.system.variables) if v.name == f"dirty bitmap{job}"), None)
    rest = enumerate(run.steps[step - 1 :], step)
    return next((n for n, each in rest if place is not None and each.before[place] and not each.after[place]), 0)


def _submitted(run: Run, step: int, before: _Values, after: _Values) -> tuple[str, str]:
    """(b): to which disk, and whether anything would remember it. Of several requests what is said is said of the first that slips in."""
    begun = [name for name in _requests(after) if after[name] == "in_flight" != before[name]]
    found = [name for name in begun if _is_in_window(name, before, after)] or begun
    if not found:
        return "requests are handled", "The device looks for requests."
    said = f"{listed(found)} {'is' if len(found) == 1 else 'are'} submitted"
    job = _job_of(found[0])
    if f"{found[0]} to target" not in after:
        return "a request of the guest", f"{said} to a disk, or in a scenario, in which no disk is switched."
    if after[f"{found[0]} to target"]:
        return "a request for the new disk", f"{said} to the target, which is the guest's disk already."
    if not before.get(f"window{job}"):
        return "a request of the guest", f"{said} to the source, before the job has read its last dirty count."
    forgotten = "" if before.get(f"dirty bitmap{job}", True) else " No dirty bitmap is left that would remember it."
    slipped = f"{said} to the source, after the job has read its last dirty count.{forgotten}"
    return "a request slips in", f"{slipped} {cause(run, step, job)}".rstrip()


def _requests(values: _Values) -> Iterator[str]:
    """The names of requests."""
    return (name for name in values if name.startswith(_REQUESTS) and not name.endswith(" to target"))


def _job_of(request: str) -> str:
    """What stands behind the names of the job on a request's disk: "" for the first one."""
    disk = request.partition("[")[2].partition(".")[0]
    return "" if disk == "0" else f" [{disk}]"


def _is_in_window(request: str, before: _Values, after: _Values) -> bool:
    """Whether a request goes to the source of a job that has read its last dirty count."""
    return after.get(f"{request} to target") is False and before.get(f"window{_job_of(request)}") is True


def _deferred(after: _Values) -> tuple[str, str]:
    """(a): the source is the guest's disk until the exit runs."""
    pending = listed([name for name in _requests(after) if _is_pending(name, after)])
    still = f" Still on its way to the source: {pending}." if pending else ""
    left = "mirror_run has ended, and leaves its exit to a bottom half of the main loop; until that runs, the source is the guest's disk."
    return "the exit is deferred", f"{left}{still}"


def _is_pending(request: str, after: _Values) -> bool:
    return after[request] in ("in_flight", "io_done") and after.get(f"{request} to target") is False


def _switched(after: _Values, job: str) -> tuple[str, str]:
    """(c): what stays behind."""
    if after.get(f"root{job}") != "target":
        return "the exit runs", "The source is the guest's disk until it switches to the target."
    lost = [name for name in _requests(after) if _job_of(name) == job and _stays_behind(name, after)]
    behind = f" {listed(lost)} {'is' if len(lost) == 1 else 'are'} on the source alone." if lost else ""
    return "the disk is switched", f"The target is the guest's disk from now on.{behind}"


def _stays_behind(write: str, after: _Values) -> bool:
    """Whether a write that the guest was told of has reached the source, and not the target."""
    place = write.removeprefix("write")
    return after[write] == "acked" and after.get(f"source{place}") is True and after.get(f"target{place}") is False
