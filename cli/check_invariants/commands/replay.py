"""`check-invariants replay`: execute a trace on the reference core."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from check_invariants.exit import Diverged, ExitCode, MalformedInput, of_verdict
from check_invariants.options import json_option
from check_invariants.output import emit, emit_json
from check_invariants.work.trace import followed, read_file

if TYPE_CHECKING:
    from draincheck.conformance.lockstep import Parting
    from draincheck.core.config import Config
    from draincheck.core.run import Replayed
    from draincheck.knobs import Knobs
    from draincheck.report.jsontrace import TraceFile
    from draincheck.system import TransitionSystem

__all__ = ["command"]


@click.command("replay")
@click.argument("file", metavar="FILE|-")
@json_option
@click.pass_context
def command(ctx: click.Context, file: str, as_json: bool) -> None:
    """Execute a trace on the reference core, with real bytes.

    The core is a small emulator that aborts where QEMU asserts. It and the model are led along the trace side by side and
    compared after every step. Then the core runs on by a fair schedule, and every acknowledged write is read back
    through it.

    \b
    Exit codes: 12 the core does what the trace says, and it violates the property (13: one of liveness;
    11: a deadlock, or a goal out of reach); 0 it does, and nothing is violated; 14 core and trace part ways
    (the step and both sides' views are printed), or the model is not the one the trace belongs to; 150 the
    file is malformed, or the core cannot execute its model.

    \b
    Example: check-invariants replay S4.json
    """
    from draincheck.conformance.lockstep import steps_of_trace
    from draincheck.conformance.text import render_disks, render_steps
    from draincheck.core.run import replay
    from draincheck.verdict import Outcome

    read = read_file(file)
    start, system = _followed(read, file)
    steps = steps_of_trace(system, read.trace)
    here, ended = replay(*start, steps), replay(*start, steps, to_the_end=True)
    violated = bool(read.trace.property) and read.verdict is Outcome.VIOLATED
    code = of_verdict(Outcome.VIOLATED, system.property_named(read.trace.property).breach) if violated else ExitCode.OK
    if as_json:
        content = {"model": system.name, "property": read.trace.property, "steps": len(steps), "exit_code": int(code)}
        emit_json("replay", {**content, "events": [asdict(e) for e in here.events], **_ending(ended)})
    else:
        emit(f"{system.name}: {len(steps)} steps, model and core agree in each\n")
        emit(render_steps(system, read.trace, here))
        emit(render_disks(ended))
        emit(f"{read.trace.property} is violated: reproduced\n" if violated else "nothing is violated on this trace\n")
    ctx.exit(code)


def _followed(read: TraceFile, file: str) -> tuple[tuple[Knobs, Config], TransitionSystem]:
    """What the core starts with, and the model, after both have gone along a trace. Raises MalformedInput and Diverged."""
    from check_invariants.judge import compiled
    from check_invariants.selection import select_from_source
    from draincheck.conformance.lockstep import follow
    from draincheck.core.machine import Machine
    from draincheck.errors import ModelError

    selected = select_from_source(read.source)
    try:
        start = selected.on_core()
    except ModelError as error:
        raise MalformedInput(f"{file}: {error}") from error
    system = compiled(selected)
    followed(system, read.trace, file)
    try:
        parting = follow(system, read.trace, Machine(*start))
    except ModelError as error:
        raise MalformedInput(f"{file}: the core cannot execute this model ({error}); `trace show` can") from error
    if parting is not None:
        raise Diverged(_words(parting, system.name))
    return start, system


def _words(parting: Parting, model: str) -> str:
    """Where, and both sides' views."""
    difference = parting.difference
    offered = ", ".join(str(choice) for choice in difference.offered) or "nothing"
    return (
        f"{model}: core and trace part ways in step {parting.step} ({difference.kind})\n"
        f"  the model: {difference.model}\n  the core:  {difference.core}\n  the core offers: {offered}"
    )


def _ending(ended: Replayed) -> dict[str, Any]:
    lost = [
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
