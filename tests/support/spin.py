"""Spin, asked about an exported system: how many states it stores, and which assertions it sees violated."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from draincheck.export import Exported
from draincheck.properties import Always, Assertion, NoDeadlock, NoFault, Property, Reachable
from draincheck.system import State, TransitionSystem
from draincheck.verdict import Exploration, Outcome

__all__ = ["BREADTH_FIRST", "DEPTH_FIRST", "Found", "expected", "search"]

BREADTH_FIRST = ("-DSAFETY", "-DNOREDUCE", "-DBFS")
DEPTH_FIRST = ("-DSAFETY", "-DNOREDUCE")


class Found(NamedTuple):
    """What a search finds: the number of the system's states, and the properties that something shows."""

    states: int
    shown: frozenset[str]


def search(exported: Exported, folder: Path, flags: Sequence[str] = BREADTH_FIRST) -> Found:
    """What Spin finds. Its exit code says nothing: the output does; one without all that is wanted is a failure."""
    (folder / "model.pml").write_text(exported.text, encoding="ascii")
    said = _run(folder, "spin", "-a", "model.pml")
    assert (folder / "pan.c").exists(), said
    said = _run(folder, "gcc", "-O0", "-w", *flags, "-DVECTORSZ=8192", "-o", "pan", "pan.c")
    assert not said, said
    said = _run(folder, "./pan", "-c0", "-m1000000", "-w16")
    stored = re.findall(r"^ *(\d+) states, stored$", said, re.MULTILINE)
    assert len(stored) == 1 and not re.search(
        r"too small|truncated|out of memory|hash-compact|pan:\d+: invalid end", said
    ), said
    violated = set(re.findall(r"^pan:\d+: assertion violated (\w+) \(at depth \d+\)$", said, re.MULTILINE))
    names = {spelled: name for name, spelled in exported.carried}
    return Found(int(stored[0]) - exported.extra_states, frozenset(names[each] for each in violated))


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    return done.stdout + done.stderr


def expected(
    system: TransitionSystem, items: Sequence[Property], explored: Exploration, states: Sequence[State]
) -> Found:
    """What it should find, by the interpreter: of `NoDeadlock` a state where nothing moves, where that is what is carried."""
    found: set[str] = set()
    for item in items:
        if isinstance(item, NoDeadlock):
            shown = any(_is_dead(system, state) for state in states)
        elif isinstance(item, Always | Assertion | Reachable | NoFault) and item.name in explored.verdicts:
            verdict = explored.verdicts[item.name]
            at_once = isinstance(item, Reachable) and verdict.outcome is Outcome.NEVER_ASKED  # where nothing moves
            shown = verdict.trace is not None or at_once
        else:
            shown = False
        found |= {item.name} if shown else set()
    return Found(explored.statistics.states, frozenset(found))


def _is_dead(system: TransitionSystem, state: State) -> bool:
    """Whether nothing can move in a state, which is not final, and not everybody rests."""
    if any(True for _ in system.enabled(state)) or system.holds(system.final, state):
        return False
    return not system.at_rest or not all(system.holds(rests, state) for _, rests in system.at_rest)
