"""How fast the explicit engine is on synthetic systems of the usual shape: `python benchmarks/explicit_engine.py`.

Each system has a few processes with program counters that run in circles over shared flags and counters, with branches,
conditional updates and range faults. Printed are the time to generate and compile the code, and the states per second.
"""

from __future__ import annotations

from random import Random
from statistics import median
from time import perf_counter

from draincheck.engines.explicit import Search
from draincheck.errors import SourceLine
from draincheck.expr import BOOL, TRUE, BoolExpr, EnumExpr, EnumSort, IntSort, all_, eq, ite, want_int
from draincheck.properties import Always, NoDeadlock, Reachable
from draincheck.system import Action, BoolVar, EnumVar, Fault, FaultKind, IntVar, Part, TransitionSystem, Update
from draincheck.verdict import NO_LIMITS, SILENT

HERE = SourceLine(__file__, 1)


def build(seed: int, processes: int, locations: int, flags: int) -> TransitionSystem:
    """A random system: always the same for the same arguments."""
    maker = Maker(Random(seed), processes, locations, flags)
    for process in range(processes):
        for location in range(locations):
            maker.location(process, location)
    properties = (
        Always("flags and counters", ~all_(*maker.flags[:4], maker.counters[0].is_(2))),
        Always("requests", ~all_(maker.modes[0].is_("done"), maker.flags[5])),
        Reachable("all run", all_(*maker.ons)),
        NoDeadlock("no deadlock"),
    )
    return TransitionSystem("synthetic", maker.variables, tuple(maker.actions), properties)


class Maker:
    """The parts of a random system in the making."""

    def __init__(self, random: Random, processes: int, locations: int, flags: int) -> None:
        self.random = random
        self.flags = [BoolVar(f"flag {i}", BOOL, (0,)) for i in range(flags)]
        self.counters = [IntVar(f"counter {i}", IntSort(0, 2), (0,)) for i in range(flags // 4)]
        sort = EnumSort.of(("new", "queued", "running", "done"))
        self.modes = [EnumVar(f"request {i}", sort, (0,)) for i in range(flags // 4)]
        self.pcs = [IntVar(f"pc {i}", IntSort(0, locations - 1), (0,), internal=True) for i in range(processes)]
        self.ons = [BoolVar(f"on {i}", BOOL, (int(i < 3),), internal=True) for i in range(processes)]
        self.variables = (*self.flags, *self.counters, *self.modes, *self.ons, *self.pcs)
        self.actions: list[Action] = []

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
        faults = [fault(u) for u in updates.values() if isinstance(u.variable, IntVar) and u.variable is not pc]
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
        """A constant, a conditional constant, or a step of a counter."""
        kind = self.random.random()
        counter, mode = self.random.choice(self.counters), self.random.choice(self.modes)
        if kind < 0.5:
            return self.random.choice(self.flags).set(self.random.random() < 0.5)
        if kind < 0.6:
            return counter.inc(when=counter < 2)
        if kind < 0.7:
            return counter.dec(when=counter > 0)
        return mode.set(ite(self.condition(), EnumExpr("const", (), mode.sort, 2), mode))


def fault(update: Update) -> Fault:
    """The fault of a counter that leaves its range, which the conditions of its updates exclude."""
    value, sort = want_int(update.value), update.variable.sort
    outside = BoolExpr("lt", (value, want_int(sort.low)), BOOL) | BoolExpr("lt", (want_int(sort.high), value), BOOL)
    return Fault(FaultKind.RANGE, outside, f"{update.variable.name} leaves its range", HERE)


def run(system: TransitionSystem) -> tuple[Search, float, float]:
    """One search, the seconds to prepare it and the seconds it took."""
    start = perf_counter()
    search = Search(system, system.properties, NO_LIMITS, SILENT)
    ready = perf_counter()
    search.run()
    return search, ready - start, perf_counter() - ready


def measure(seed: int, processes: int, locations: int, flags: int, repeats: int) -> str:
    """One line: sizes of a system, time for its code, speed of its search."""
    system = build(seed, processes, locations, flags)
    runs = [run(system) for _ in range(repeats)]
    search = runs[0][0]
    making, searching = median(made for _, made, _ in runs), median(searched for _, _, searched in runs)
    states, ratio = len(search.order), search.transitions / len(search.order)
    return (
        f"{len(system.actions):8} {len(system.variables):10} {search.successors.layout.width:5} {states:8} "
        f"{ratio:12.2f} {making * 1000:11.2f} {searching * 1000:10.1f} {states / searching:10.0f}"
    )


def main() -> None:
    """Print the table."""
    print(" actions  variables  bits   states trans/state  codegen ms  search ms   states/s")
    for size in ((70, 3, 12, 10), (11, 4, 15, 10), (79, 5, 20, 12), (65, 6, 30, 16)):
        print(measure(*size, repeats=9))


if __name__ == "__main__":
    main()
