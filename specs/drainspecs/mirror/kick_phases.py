"""Kick positions: at which points of the main loop a guest's kick can still lead to a violation."""

from __future__ import annotations

from collections import defaultdict

from msgspec import Struct

from draincheck.exploration.backward import distances, predecessors
from draincheck.exploration.graph import StateGraph
from draincheck.semantics.validation import demand_faultless
from draincheck.system import TransitionSystem
from draincheck.verdict import NO_LIMITS

__all__ = ["KickPosition", "dangerous_kicks"]

#: a frame or label of the main thread's next step -> the phase of main_loop_wait it is about to begin
_PHASES = (("g_main_context_prepare", "prepare"), ("qemu_poll_ns", "poll"), ("g_main_context_check", "check"))


class KickPosition(Struct, frozen=True, order=True):
    """Where main_loop_wait is when the kick arrives (prepare, poll, check or dispatch), and whether (a) is behind."""

    phase: str
    after_a: bool

    def __str__(self) -> str:
        return f"{self.phase}, {'after' if self.after_a else 'before'} (a)"


def dangerous_kicks(system: TransitionSystem, property: str) -> frozenset[KickPosition]:
    """The positions of kicks after which some schedule breaks a check of this property."""
    graph = StateGraph(system, (), NO_LIMITS)
    demand_faultless(graph.met())
    edges = [(here, system.actions[index], after) for here, edges in enumerate(graph.edges) for index, after in edges]
    breaking = {here for here, action, _ in edges if property in system.broken_checks(graph.state(here), action)}
    doomed = distances(predecessors(graph.edges), breaking)
    pc = next(place for place, v in enumerate(system.variables) if v.counts == "main thread")
    deferred = next(place for place, v in enumerate(system.variables) if v.name == "exit BH")
    phases = _phase_of_location(system)
    return frozenset(
        KickPosition(phases[graph.state(here)[pc]], bool(graph.state(here)[deferred]))
        for here, action, after in edges
        if action.process == "guest" and after in doomed
    )


def _phase_of_location(system: TransitionSystem) -> dict[int | None, str]:
    """The phase that each location of the main thread is about to begin, from the first step that leaves it."""
    phases: dict[int | None, str] = defaultdict(lambda: "dispatch")
    for action in system.actions:
        if action.process == "main thread":
            first = action.parts[:1]
            words = {word for part in first for word in (*(call.function for call in part.frames), part.label)}
            phase = next((phase for word, phase in _PHASES if word in words), "dispatch")
            phases.setdefault(action.location, phase)
    return phases
