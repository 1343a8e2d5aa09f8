"""Why a request could slip in between (w) and (c): who called the handler, and what the drained section of that moment holds back, read from the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from re import fullmatch
from typing import Final

from draincheck.report.calls import events_of
from draincheck.run import Run
from draincheck.sorts import Value

__all__ = ["cause"]

#: what counts how often the external events of a context are disabled: by itself, that of the disk's
_DISABLED: Final = "external_disable_cnt"

#: who else calls a handler than an event loop that dispatches a host notifier: no section holds that back, and why not
_ELSEWHERE: Final = {
    "run_poll_handlers_once": "but busy polling calls the handler, and does not ask",
    "virtio_blk_data_plane_stop": "but a device that stops calls its handler itself",
    "qemu_clock_run_all_timers": "but the request comes from a timer, which is no external event",
    "tcp_chr_read": "but the request comes from a chardev's handler, which is no external event",
    "kvm_cpu_exec": "but the request comes from a vCPU's thread, which is no external event",
}


def cause(run: Run, step: int, job: str) -> str:
    """Why nothing held back the request of a guest that is submitted in a step, in a sentence; "" if the run does not show it.

    Args:
        run: the run.
        step: the number of the step, from 1.
        job: what stands behind the names of the job: "" for the first one.
    """
    counter = f"quiesce_counter{job}"
    if run.system.decoded(run.steps[step - 1].before).get(counter):
        begun = _last_change(run, step, counter, to_zero=False)
        held = _held(
            run, step, [str(call.frame) for event in events_of(run) if event.step == step for call in event.stack]
        )
        opened = (
            f"Since step {begun} a drained section of the source is open"
            if begun
            else "A drained section of the source is open"
        )
        return f"{opened}, {held}." if held else ""
    if job and counter not in _names(run):
        return ""
    ended = _last_change(run, step, counter, to_zero=True)
    since = f", since the last one ended in step {ended}" if ended else ""
    return f"No drained section of the source is open{since}: nothing holds requests back."


def _held(run: Run, step: int, calls: Sequence[str]) -> str:
    """What the section that is open does not hold back; "" if that is not known."""
    other = next((why for call, why in _ELSEWHERE.items() if call in calls), "")
    if other:
        return other
    context = next(
        (found[1] for call in reversed(calls) if (found := fullmatch(r"aio_ctx_dispatch \((\w+)\)", call))), ""
    )
    if not context:
        return "but what calls the handler does not ask for that" if "aio_poll" in " ".join(calls) else ""
    in_main_loop = f"{_DISABLED} (qemu_aio_context)" not in _names(run)
    if (in_main_loop and context == "qemu_aio_context") or _disabled(run, step, context):
        return f"but {context} dispatches what was polled before, and does not ask for that"
    later = next((n for n in range(step, len(run.steps) + 1) if _disabled(run, n + 1, context)), 0)
    until = (
        f": there external events are disabled in step {later} only"
        if later
        else ", where external events are not disabled"
    )
    own = "qemu_aio_context" if in_main_loop else "the disk's context"
    return f"which disables external events of {own}; but the notifier of the device hangs in {context}{until}"


def _disabled(run: Run, step: int, context: str) -> bool:
    """Whether external events of a context that is not the disk's are disabled before a step."""
    states = run.states
    values = run.system.decoded(states[min(step, len(states)) - 1])
    return bool(values.get(f"{_DISABLED} ({context})"))


def _last_change(run: Run, step: int, name: str, *, to_zero: bool) -> int:
    """The number of the last step before this one in which a counter has come to 0, or left it; 0 if there is none."""
    values: list[Mapping[str, Value]] = [run.system.decoded(state) for state in run.states[:step]]
    truths = [bool(each.get(name)) for each in values]
    return next((n for n in range(step - 1, 0, -1) if (truths[n - 1], truths[n]) == (to_zero, not to_zero)), 0)


def _names(run: Run) -> set[str]:
    return {variable.name for variable in run.system.variables}
