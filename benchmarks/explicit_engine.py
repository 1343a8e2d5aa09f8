"""How fast the explicit engine is on synthetic systems of the usual shape: `python benchmarks/explicit_engine.py`.

Each system has a few processes with program counters that run in circles over shared flags and counters, with branches, conditional
updates and range faults. Printed are the time to generate and compile the code, and the states stored per second of search.
"""

from __future__ import annotations

from random import Random
from statistics import median
from time import perf_counter

from draincheck.engines.evidence import NO_LIMITS, SILENT
from draincheck.engines.explicit import _Search
from draincheck.errors import SourceLine
from draincheck.expr import BOOL, TRUE, BoolExpr, EnumSort, IntSort, all_, eq, ite, want_int
from draincheck.system import (
    Action,
    Always,
    BoolVar,
    EnumVar,
    Fault,
    FaultKind,
    IntVar,
    NoDeadlock,
    Part,
    Reachable,
    TransitionSystem,
    Update,
)

HERE = SourceLine(__file__, 1)


class Builder:
    """Makes a random system from a seed."""

    def __init__(self, seed: int, processes: int, locations: int, flags: int) -> None:
        self.random = Random(seed)
        self.flags = [BoolVar(f"flag {i}", BOOL, (0,)) for i in range(flags)]
        self.counters = [IntVar(f"counter {i}", IntSort(0, 2), (0,)) for i in range(flags // 4)]
        sort = EnumSort.of(("new", "queued", "running", "done"))
        self.modes = [EnumVar(f"request {i}", sort, (0,)) for i in range(flags // 4)]
        self.pcs = [IntVar(f"pc {i}", IntSort(0, locations - 1), (0,), internal=True) for i in range(processes)]
        self.ons = [BoolVar(f"on {i}", BOOL, (int(i < 3),), internal=True) for i in range(processes)]
        self.actions: list[Action] = []

    def system(self) -> TransitionSystem:
        """The system."""
        for process, pc in enumerate(self.pcs):
            for location in range(pc.sort.size):
                self.location(process, location)
        variables = (*self.flags, *self.counters, *self.modes, *self.ons, *self.pcs)
        properties = (
            Always("flags and counters", ~all_(*self.flags[:4], self.counters[0].is_(2))),
            Always("requests", ~all_(self.modes[0].is_("done"), self.flags[5])),
            Reachable("all run", all_(*self.ons)),
            NoDeadlock("no deadlock"),
        )
        return TransitionSystem("synthetic", variables, tuple(self.actions), properties)

    def location(self, process: int, number: int) -> None:
        """One or two actions that leave a location."""
        condition = self.condition()
        kind = self.random.random()
        if kind < 0.5:
            self.action(process, number, TRUE)
        elif kind < 0.6:
            self.action(process, number, condition)
        else:
            self.action(process, number, condition)
            self.action(process, number, ~condition)

    def condition(self) -> BoolExpr:
        """Something about one to three variables."""
        atoms = [
            self.random.choice(self.flags),
            self.random.choice(self.modes).is_("queued", "running"),
            self.random.choice(self.counters) < 2,
        ]
        self.random.shuffle(atoms)
        return all_(*atoms[: self.random.randint(1, 2)])

    def action(self, process: int, number: int, condition: BoolExpr) -> None:
        """One action from a location to the next, or back to the start; the last starts the next process."""
        pc, on = self.pcs[process], self.ons[process]
        after = (number + 1) % pc.sort.size if self.random.random() < 0.9 else 0
        updates = {pc: pc.set(after), **{u.variable: u for u in map(self.update, range(self.random.randint(1, 3)))}}
        faults = [self.fault(u) for u in updates.values() if isinstance(u.variable, IntVar) and u.variable is not pc]
        if after == 0:
            other = self.random.choice(self.ons)
            updates[on] = on.clear()
            updates[other] = other.set()
        part = Part(f"step {number} of {process}", (), 0, "", HERE, TRUE)
        guard = all_(on, eq(pc, want_int(number)), condition)
        self.actions.append(
            Action(len(self.actions), f"process {process}", (part,), guard, tuple(updates.values()), (), tuple(faults))
        )

    def update(self, _: int) -> Update:
        """A constant, a conditional constant, or a step of a counter that never leaves its range."""
        kind = self.random.random()
        if kind < 0.5:
            return self.random.choice(self.flags).set(self.random.random() < 0.5)
        if kind < 0.6:
            counter = self.random.choice(self.counters)
            return counter.inc(when=counter < 2)
        if kind < 0.7:
            counter = self.random.choice(self.counters)
            return counter.dec(when=want_int(0) < counter)
        mode = self.random.choice(self.modes)
        return mode.set(ite(self.condition(), mode.sort and self.named(mode, "running"), mode))

    @staticmethod
    def named(mode: EnumVar, name: str) -> EnumVar:
        return mode.set(name).value  # type: ignore[return-value]

    @staticmethod
    def fault(update: Update) -> Fault:
        low, high = update.variable.sort.low, update.variable.sort.high
        value = update.value
        return Fault(FaultKind.RANGE, (value < low) | (value > high), f"{update.variable.name} leaves its range", HERE)
