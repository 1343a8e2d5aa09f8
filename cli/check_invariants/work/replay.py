"""`check-invariants replay`: what it does and shows."""

from __future__ import annotations

from dataclasses import asdict

from check_invariants.exit import Diverged, ExitCode, MalformedInput, of_verdict
from check_invariants.output import Document, emit, emit_json
from check_invariants.work.trace import Followed
from draincheck import ModelError, Outcome, Run, Subject
from draincheck.conformance.lockstep import Parting, follow, steps_of_run
from draincheck.conformance.text import render_disks, render_steps
from draincheck.core.config import Config
from draincheck.core.machine import Machine
from draincheck.core.run import Replayed, replay
from draincheck.knobs import Knobs


def command(file: str, model: str | None, as_json: bool) -> ExitCode:
    """Execute the trace in a file, then go on to the end."""
    read, subject, run = Followed.of(file, model)
    start = _side_by_side(subject, run, file)
    steps, system, name = steps_of_run(run), run.system, run.trace.property
    here, ended = replay(*start, steps), replay(*start, steps, to_the_end=True)
    violated = bool(name) and read.verdict is Outcome.VIOLATED
    code = of_verdict(Outcome.VIOLATED, system.property_named(name).breach) if violated else ExitCode.OK
    if as_json:
        emit_json("replay", {"model": system.name, "property": name, "steps": len(steps), "exit_code": int(code),
                             "events": list(map(asdict, here.events)), **_ending(ended)})  # fmt: skip
    else:
        emit(f"{system.name}: {len(steps)} steps, model and core agree in each\n")
        emit(render_steps(run, here))
        emit(render_disks(ended))
        emit(f"{name} is violated: reproduced\n" if violated else "nothing is violated on this trace\n")
    return code


def _side_by_side(subject: Subject, run: Run, file: str) -> tuple[Knobs, Config]:
    """What the core starts with, after it has gone along with the model. Raises MalformedInput and Diverged."""
    try:
        start = subject.on_core()
    except ModelError as error:
        raise MalformedInput(f"{file}: {error}") from error
    try:
        parting = follow(run, Machine(*start))
    except ModelError as error:
        raise MalformedInput(f"{file}: the core cannot execute this model ({error}); `trace show` can") from error
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
