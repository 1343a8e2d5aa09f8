"""A counterexample as a script that tries it on a real QEMU (`draincheck.qemurun.reproducing`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pprint import pformat

from msgspec import to_builtins

from draincheck.errors import ExportError
from draincheck.qemu import Scenario
from draincheck.qemurun.reproducing import ROUNDS, Shows, Trial
from draincheck.qemurun.session import Workload
from draincheck.run import Run, label_of

__all__ = ["qemu_script", "trial_of"]

#: property -> what a QEMU shows from outside where it is violated
_SHOWN = {"S3": Shows.LOSS, "S4": Shows.LOSS, "A1": Shows.ABORT, "F1": Shows.HANG, "S1": Shows.STRAY}


def trial_of(scenario: Scenario, property_name: str, by_vcpu: bool = False, in_window: bool = True) -> Trial:
    """What to try; `by_vcpu`: writes enter in a vCPU's thread, where there are no host notifiers; `in_window`: one enters behind (w).

    Raises ExportError for what a QEMU without a guest cannot be made to do, or does not show.
    """
    shows = _SHOWN.get(property_name)
    if shows is None:
        raise ExportError(
            f"{property_name} is a rule inside QEMU: a QEMU does not show from outside that it is broken; S1, S3, S4, A1 and F1 it does"
        )
    if reason := _impossible(scenario):
        raise ExportError(f"a QEMU cannot be made to do what happens in {scenario.name} from outside: {reason}")
    workload = Workload(
        mode=scenario.job,
        disks=scenario.jobs,
        iothread=scenario.iothread,
        ioeventfd=scenario.source == "ioeventfd",
        vcpu=by_vcpu or scenario.source == "vcpu",
        hold=in_window,
        stop=scenario.device_reset,
        rounds=ROUNDS,
    )
    return Trial(workload, shows)


def _impossible(scenario: Scenario) -> str:
    if scenario.source == "timer":
        return "a device model whose timer submits requests"
    if not scenario.writes:
        return "no guest writes"
    if scenario.target_format != "raw":
        return f"its target has the format {scenario.target_format}, and raw ones are made"
    if scenario.command == "cancel" or scenario.job_errors or scenario.zero_length or scenario.reopen:
        return "a job that is cancelled or fails, a disk without sectors, or a target that is opened anew"
    return ""


def qemu_script(run: Run, scenario: Scenario, about: str) -> str:
    """The text of the script. Raises ExportError as `trial_of`."""
    marks = list(_marked(run))
    by_vcpu = next((process == "guest" for process, mark in reversed(marks) if mark == "b"), False)
    in_window = "b" in "".join(mark for _, mark in marks).partition("w")[2]
    trial = trial_of(scenario, run.trace.property, by_vcpu, in_window)
    steps = [f"{number:3} {run.system.actions[step.action].process}: {label_of(run.system, run.system.actions[step.action], step.before)}"
             for number, step in enumerate(run.steps, 1)]  # fmt: skip
    return _TEMPLATE.format(
        about=about,
        workload=pformat(to_builtins(trial.workload)),
        shows=trial.shows.name,
        assertion=repr(_assertion(run) if trial.shows is Shows.ABORT else ""),
        tries=trial.tries,
        steps="\n".join(f"# {line}".replace("\r", " ") for step in steps for line in step.splitlines()),
        said=repr(about),
    )


def _marked(run: Run) -> Iterator[tuple[str, str]]:
    """Who takes the steps of the story, and their marks, in order."""
    system = run.system
    for step in run.steps:
        action = system.actions[step.action]
        yield from (
            (action.process, part.mark) for part in action.parts if part.mark and system.holds(part.when, step.before)
        )


def _assertion(run: Run) -> str:
    """What QEMU prints when it ends as the run does: the assertion that fails, or the signal; "" if the run does not say."""
    last = run.steps[-1] if run.steps else None
    parts = run.system.actions[last.action].parts if last else ()
    labels = [part.label for part in parts if last and run.system.holds(part.when, last.before)]
    failed = (match[1] for label in labels if (match := re.fullmatch(r"assert\((.*)\) fails.*", label)))
    crashed = "exit status -11" if any(label.startswith("SIGSEGV") for label in labels) else ""
    return next(failed, crashed)


_TEMPLATE = '''#!/usr/bin/env python3
"""Tries a counterexample on a real QEMU: python3 THIS_FILE [QEMU]. Ends with 12 if it is reproduced, 0 if not, 30 if this build cannot.

It takes check-invariants, a qemu-system-x86_64 and the package qemu.qmp. The order of a QEMU's steps is its own. What is placed is the job, whose
copies are held by its speed while its command is sent (QMP) and let go while the guest kicks without a pause, so that the window opens beside
kicks (qtest, or a virtual CPU); whether one comes into it is a matter of tries.
"""

# what happens in the model:
{steps}

import sys

try:
    from draincheck.qemurun.reproducing import Shows, Trial, main
    from draincheck.qemurun.session import Workload
except ImportError as error:
    sys.exit(f"{{error}}: give this file to the Python for which check-invariants is installed")

TRIAL = Trial(
    Workload(**{workload}),
    Shows.{shows},
    assertion={assertion},
    tries={tries},
)

if __name__ == "__main__":
    sys.exit(main(TRIAL, {said}))
'''
