"""What the compiled transition system of a program does, in the same words as the direct reading says it."""

from __future__ import annotations

from draincheck.expr import BoolExpr
from draincheck.lang import Model
from draincheck.properties import Reachable
from draincheck.system import Action, State, TransitionSystem
from tests.language.direct import Findings, TooLargeError, View
from tests.language.tree import Program

__all__ = ["explore"]

ERRORS = {"RANGE": "range", "REENTRY": "reentry", "BOUND": "bound", "ERROR": "error", "SCHEDULED": "scheduled"}


def explore(model: Model, program: Program, most: int = 4000) -> Findings:
    """Compile a recorded program and explore its system; goes on beside errors of the run, never behind them."""
    return _Search(model.compile(), program, most).run()


class _Search:
    def __init__(self, system: TransitionSystem, program: Program, most: int) -> None:
        self.system, self.most = system, most
        places = {variable.name: number for number, variable in enumerate(system.variables)}
        self.kept = [places[var.name] for var in program.variables]
        goals = {item.name: item.goal for item in system.properties if isinstance(item, Reachable)}
        self.aborted: BoolExpr = goals.pop("aborted")
        self.watches = [goals[f"watch {number}"] for number in range(len(goals))]
        self.views: dict[State, View] = {}
        self.findings = Findings({}, set(), None, {}, {})

    def run(self) -> Findings:
        layer, depth = list(self.system.initial), 0
        for state in layer:
            self.findings.seen[self.view(state)] = 0
        while layer:
            layer = [after for state in layer for after in self.expand(state, depth)]
            depth += 1
        return self.findings

    def expand(self, state: State, depth: int) -> list[State]:
        """Take every enabled action; gives the new states."""
        enabled = list(self.system.enabled(state))
        if not enabled and self.findings.deadlock is None and not self.system.holds(self.system.final, state):
            self.findings.deadlock = depth
        return [after for action in enabled for after in self.take(state, action, depth + 1)]

    def take(self, state: State, action: Action, depth: int) -> list[State]:
        """Take one action; gives the state after it if that is new."""
        fault = self.system.fault(state, action)
        if fault is not None:
            self.findings.errors.setdefault(ERRORS[fault.kind.name], depth)
            return []
        asked = (check.property for check in action.checks if self.system.holds(check.asked, state))
        self.findings.asked.update(asked)
        for name in self.system.broken_checks(state, action):
            self.findings.broken.setdefault(name, depth)
        after = self.system.step(state, action)
        new = after not in self.views
        view = self.view(after)
        self.findings.edges.add((self.view(state), self.labels(state, action), view))
        self.findings.seen.setdefault(view, depth)
        if len(self.views) > self.most:
            raise TooLargeError
        return [after] if new else []

    def labels(self, state: State, action: Action) -> tuple[str, ...]:
        """The labels that its `do` and `wait` statements show where it is taken here; the program gives these one letter."""
        return tuple(
            part.label for part in action.parts if len(part.label) == 1 and self.system.holds(part.when, state)
        )

    def view(self, state: State) -> View:
        """What can be seen of a state."""
        found = self.views.get(state)
        if found is None:
            found = self.views[state] = self.seen(state)
        return found

    def seen(self, state: State) -> View:
        store = tuple(state[place] for place in self.kept)
        if self.system.holds(self.aborted, state):
            return store, 0, True
        bits = 0
        for watch in self.watches:
            bits = bits * 2 + self.system.holds(watch, state)
        return store, bits, False
