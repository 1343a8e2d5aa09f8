"""Kick positions: at which points of the main loop a guest's kick can still lead to a violation."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from draincheck import op
from draincheck.exploration.backward import distances, predecessors
from draincheck.exploration.graph import StateGraph
from draincheck.system import TransitionSystem, Variable
from draincheck.verdict import NO_LIMITS

__all__ = ["KickPosition", "dangerous_kicks"]

#: a frame or label of the main thread's next step -> the phase of main_loop_wait it is about to begin
_PHASES = (("g_main_context_prepare", "prepare"), ("qemu_poll_ns", "poll"), ("g_main_context_check", "check"))


@dataclass(frozen=True, slots=True, order=True)
class KickPosition:
    """Where main_loop_wait is when the kick arrives (prepare, poll, check or dispatch), and whether (a) is behind."""

    phase: str
    after_a: bool

    def __str__(self) -> str:
        return f"{self.phase}, {'after' if self.after_a else 'before'} (a)"


def dangerous_kicks(system: TransitionSystem, property: str) -> frozenset[KickPosition]:
    """The positions of kicks after which some schedule breaks a check of this property."""
    graph = StateGraph(system, (), NO_LIMITS)
    edges = [(here, system.actions[index], after) for here, edges in enumerate(graph.edges) for index, after in edges]
    breaking = {here for here, action, _ in edges if property in system.broken_checks(graph.state(here), action)}
    doomed = distances(predecessors(graph.edges), breaking)
    pc, deferred = (system.position[_variable(system, name)] for name in ("pc main thread", "exit BH"))
    phases = _phase_of_location(system, system.variables[pc])
    return frozenset(
        KickPosition(phases[graph.state(here)[pc]], bool(graph.state(here)[deferred]))
        for here, action, after in edges
        if action.process == "guest" and after in doomed
    )


def _variable(system: TransitionSystem, name: str) -> Variable:
    return next(variable for variable in system.variables if variable.name == name)


def _phase_of_location(system: TransitionSystem, pc: Variable) -> dict[int, str]:
    """The phase that each location of the main thread is about to begin, from the first step that leaves it."""
    phases: dict[int, str] = defaultdict(lambda: "dispatch")
    for action in system.actions:
        if action.process != "main thread":
            continue
        words = {word for part in action.parts[:1] for word in (*part.frames, part.label)}
        phase = next((phase for word, phase in _PHASES if word in words), "dispatch")
        for condition in action.guard.args:
            if condition.op is op.EQ and condition.args[0] is pc:
                phases.setdefault(int(str(condition.args[1].value)), phase)
    return phases
