"""Traces in ITF, read by a program that is not ours."""

from __future__ import annotations

import json
from typing import Any

from itf_py import trace_from_json

from draincheck.export.itf import ACTION, PICKS
from draincheck.run import Run, label_of

__all__ = ["misread"]


def misread(text: str, run: Run) -> list[str]:
    """What a reader of ITF sees otherwise than the run has it: variables, values, types, actions with their processes, the loop."""
    data = json.loads(text)
    read = trace_from_json(data)
    system, types, names = run.system, read.meta["varTypes"], read.meta["names"]
    kinds = {"Bool": bool, "Int": int, "Str": str}
    found: list[str] = []
    if sorted(read.vars) != sorted(types) or len(set(read.vars)) != len(system.variables) + 2:
        found.append("variables")
    if read.loop != run.trace.loop or len(read.states) != len(run.states):
        found.append("length")
    taken = [("", ""), *_steps(run)]
    for number, (state, here) in enumerate(zip(read.states, run.states, strict=False)):
        values: dict[str, Any] = dict(state.values)
        action = values.pop(ACTION), values.pop(PICKS).process
        if action[::-1] != taken[number] or state.meta["index"] != number:
            found.append(f"action {number}")
        if [type(value) for value in values.values()] != [kinds[types[name]] for name in values]:
            found.append(f"types {number}")
        if {names.get(name, name): value for name, value in values.items()} != system.decoded(here):
            found.append(f"values {number}")
    return found


def _steps(run: Run) -> list[tuple[str, str]]:
    actions = [run.system.actions[step.action] for step in run.steps]
    return [(a.process, label_of(run.system, a, s.before)) for a, s in zip(actions, run.steps, strict=True)]
