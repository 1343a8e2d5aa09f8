"""`check-invariants replay`: what it does and shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from shlex import quote

import click

from check_invariants.documents import Document, emit_json
from check_invariants.exit import Diverged, ExitCode, NeedsModel, of_verdict, worst
from check_invariants.output import emit
from check_invariants.work.trace import Followed
from draincheck import ModelError, Outcome, Run, Subject
from draincheck.conformance.lockstep import Parting, follow, steps_of_run
from draincheck.conformance.text import render_disks, render_steps
from draincheck.core.config import Config
from draincheck.core.machine import Machine
from draincheck.core.run import Replayed, replay
from draincheck.knobs import Knobs
from draincheck.properties import Always, Property
from draincheck.words import counted, listed


def command(file: str, *, as_json: bool) -> ExitCode:
    """Execute the trace in a file, then go on to the end."""
    _, subject, run, outcome = _followed(file)
    system, name = run.system, run.trace.property
    if name and outcome is None:
        raise Diverged(f"{file}: the trace does not show {name!r}; `trace show` says what it does")
    start, steps = _side_by_side(subject, run, file), steps_of_run(run)
    here, ended = replay(*start, steps), replay(*start, steps, to_the_end=True)
    violated = [system.property_named(name)] if outcome is Outcome.VIOLATED else _on_the_way(run, subject)
    code = worst(of_verdict(Outcome.VIOLATED, item.breach) for item in violated)
    said = f"{system.name}: {ended.outcome.value} on the core; {_conclusion(violated)}"
    if as_json:
        emit_json("replay", {"answer": said, "model": system.name, "property": name, "violated": [item.name for item in violated],
                             "steps": len(steps), "exit_code": int(code), "events": list(map(asdict, here.events)), **_ending(ended)})  # fmt: skip
    else:
        emit(f"{said}\n{counted(len(steps), 'step')}, model and core agree in each\n\n")
        emit(render_steps(run, here))
        emit(render_disks(ended))
        emit(f"\n{said}\n")
    return code


def _followed(file: str) -> Followed:
    """The trace in a file. Raises UsageError for one of a program: the core runs none."""
    try:
        return Followed.of(file, model=None, settings=())
    except NeedsModel as error:
        shown = f"check-invariants trace show {quote(file)} {error.named}"
        raise click.UsageError(f"{file}: the core runs QEMU's code bases, not a model of your own: {shown}") from error


def _on_the_way(run: Run, subject: Subject) -> list[Property]:
    """What a trace breaks that is not about it: rules that matter to whoever owns the model, each broken in a state or a step that it passes."""
    system, broken = run.system, {name for step in run.steps for name in step.broken}
    broken |= {
        item.name
        for item in system.properties
        if isinstance(item, Always) and not all(system.holds(item.holds, state) for state in run.states)
    }
    return [item for item in system.properties if item.name in broken and subject.matters(item.name)]


def _conclusion(violated: Sequence[Property]) -> str:
    """What the core has reproduced, in a line."""
    if not violated:
        return "nothing is violated on this trace"
    return f"{listed([item.name for item in violated])} {'is' if len(violated) == 1 else 'are'} violated: reproduced"


def _side_by_side(subject: Subject, run: Run, file: str) -> tuple[Knobs, Config]:
    """What the core starts with, after it has gone along with the model. Raises UsageError for a model that the core cannot execute, and Diverged."""
    try:
        start = subject.on_core()
        parting = follow(run, Machine(*start))
    except ModelError as error:
        shown = f"check-invariants trace show {quote(file)}"
        raise click.UsageError(f"{file}: the core cannot execute this model ({error}): {shown}") from error
    if parting is not None:
        raise Diverged(parted(parting, run.system.name))
    return start


def parted(parting: Parting, model: str) -> str:
    """Where, and both sides' views."""
    difference = parting.difference
    offered = ", ".join(str(choice) for choice in difference.offered) or "nothing"
    return (
        f"{model}: core and trace part ways in step {parting.step} ({difference.kind})\n"
        f"  the model: {difference.model}\n  the core:  {difference.core}\n  the core offers: {offered}"
    )


def _ending(ended: Replayed) -> Document:
    lost: list[Document] = [
        {
            "name": write.name,
            "sector": write.sector,
            "status": write.status,
            "written": write.written.hex(),
            "old_disk": write.source.hex(),
            "new_disk": write.target.hex(),
            "read_back": None if write.read is None else write.read.hex(),
        }
        for write in ended.lost
    ]
    return {"outcome": ended.outcome.value, "message": ended.message, "lost": lost}
