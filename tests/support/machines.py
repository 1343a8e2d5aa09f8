"""Tiny machines with known numbers, and the means to make more."""

from __future__ import annotations

from collections.abc import Sequence

from draincheck import op
from draincheck.errors import SourceLine
from draincheck.expr import FALSE, TRUE, BoolExpr, EnumExpr, all_, any_, ite
from draincheck.properties import Always, Assertion, CanAlwaysFinish, NoDeadlock, Property, Reachable
from draincheck.sorts import BOOL, EnumSort, IntSort
from draincheck.system import (
    Action,
    BoolVar,
    Check,
    EnumVar,
    Fault,
    FaultKind,
    IntVar,
    Part,
    TransitionSystem,
    Update,
    Variable,
)

__all__ = ["Machine", "bounded", "clock", "counter", "event_loop", "philosophers"]


class Machine:
    """A transition system in the making; each action is written on the line of its number."""

    def __init__(self, *variables: Variable) -> None:
        self.variables = variables
        self.actions: list[Action] = []

    def action(
        self,
        label: str,
        guard: BoolExpr,
        *updates: Update,
        process: str = "p",
        checks: Sequence[tuple[str, BoolExpr]] = (),
        faults: Sequence[tuple[FaultKind, BoolExpr, str]] = (),
    ) -> None:
        """Add an action."""
        line = SourceLine("machine.py", len(self.actions) + 1)
        self.actions.append(
            Action(
                index=len(self.actions),
                process=process,
                parts=(Part(label, (), 0, "", line, TRUE),),
                guard=guard,
                updates=updates,
                checks=tuple(Check(name, holds, line) for name, holds in checks),
                faults=tuple(Fault(kind, when, message, line) for kind, when, message in faults),
            )
        )

    def system(self, *properties: Property, final: BoolExpr = FALSE) -> TransitionSystem:
        """The system, with properties."""
        return TransitionSystem("machine", self.variables, tuple(self.actions), properties, final)


def clock(*properties: Property) -> TransitionSystem:
    """A bit that goes up and down for ever, from either value."""
    bit = BoolVar("bit", BOOL, (0, 1))
    machine = Machine(bit)
    machine.action("up", ~bit, bit.set())
    machine.action("down", bit, bit.clear())
    return machine.system(*properties)


def counter(last: int, *properties: str, guarded: bool = True) -> TransitionSystem:
    """A number that goes up from 0; unguarded, it leaves its range."""
    number = IntVar("number", IntSort(0, last), (0,))
    machine = Machine(number)
    faults = [] if guarded else [(FaultKind.RANGE, number + 1 > last, f"number leaves 0..{last}")]
    machine.action("count", number < last if guarded else TRUE, number.inc(), faults=faults)
    known: dict[str, Property] = {
        "small": Always("small", number < last),
        "in range": Always("in range", number <= last),
        "top": Reachable("top", number.is_(last)),
        "back": CanAlwaysFinish("back", number.is_(0)),
        "ahead": CanAlwaysFinish("ahead", number.is_(last)),
        "alive": NoDeadlock("alive"),
    }
    return machine.system(*(known[name] for name in properties))


def philosophers(final: bool = False) -> TransitionSystem:
    """Two processes that take the same two locks in opposite order, and give them back."""
    locks = BoolVar("a", BOOL, (0,)), BoolVar("b", BOOL, (0,))
    pcs = [IntVar(f"pc {name}", IntSort(0, 2), (0,), internal=True) for name in "PQ"]
    machine = Machine(*locks, *pcs)
    for name, pc, (first, second) in zip("PQ", pcs, (locks, locks[::-1]), strict=True):
        machine.action("take first", pc.is_(0) & ~first, first.set(), pc.set(1), process=name)
        machine.action("take second", pc.is_(1) & ~second, second.set(), pc.set(2), process=name)
        machine.action("give back", pc.is_(2), first.clear(), second.clear(), pc.set(0), process=name)
    stuck = all_(*(pc.is_(1) for pc in pcs))
    return machine.system(
        NoDeadlock("no deadlock"),
        CanAlwaysFinish("both can rest", all_(*(pc.is_(0) for pc in pcs))),
        Reachable("P has both", pcs[0].is_(2)),
        Always("exclusive", ~all_(*(pc.is_(2) for pc in pcs))),
        final=stuck if final else FALSE,
    )


def event_loop(devices: int, slots: int, buggy: bool = False) -> TransitionSystem:
    """An event loop that dispatches requests of devices which jobs drain; the buggy one ignores the disable counter."""
    sort = EnumSort.of(("idle", "queued", "in flight", "done"))
    in_flight = EnumExpr("", sort, op=op.CONST, value=2)
    loop = EnumVar("loop", EnumSort.of(("poll", "dispatch", "bh")), (0,), internal=True)
    requests = [[EnumVar(f"request {d}.{s}", sort, (0,)) for s in range(slots)] for d in range(devices)]
    efd, ready, bh = ([BoolVar(f"{name} {d}", BOOL, (0,)) for d in range(devices)] for name in ("efd", "ready", "bh"))
    jobs = [EnumVar(f"job {d}", EnumSort.of(("run", "drain", "defer", "exit")), (0,)) for d in range(devices)]
    external = [IntVar(f"external {d}", IntSort(0, 3), (0,)) for d in range(devices)]
    machine = Machine(loop, *(r for rs in requests for r in rs), *efd, *ready, *bh, *jobs, *external)
    enabled = [count.is_(0) for count in external]
    polled = [ready[d].set(efd[d] & enabled[d]) for d in range(devices)]
    machine.action("poll", loop.is_("poll"), loop.set("dispatch"), *polled, process="loop")
    for d in range(devices):
        submitted = [r.set(ite(r.is_("queued"), in_flight, r)) for r in requests[d]]
        here = loop.is_("dispatch") & ready[d]
        honest = TRUE if buggy else enabled[d]
        machine.action("dispatch", here & honest, ready[d].clear(), efd[d].clear(), *submitted, process="loop")
        machine.action("skip", here & ~honest, ready[d].clear(), process="loop")
        machine.action("exit", loop.is_("bh") & bh[d], bh[d].clear(), jobs[d].set("exit"), process="loop")
        for r in requests[d]:
            machine.action("submit", r.is_("idle"), r.set("queued"), efd[d].set(), process="guest")
            machine.action("complete", r.is_("in flight"), r.set("done"), process="disk")
            machine.action("reap", r.is_("done"), r.set("idle"), process="guest")
        pending = any_(*(r.is_("in flight") for r in requests[d]))
        machine.action("begin", jobs[d].is_("run"), jobs[d].set("drain"), external[d].inc(), process=f"job {d}")
        machine.action(
            "drained", jobs[d].is_("drain") & ~pending, jobs[d].set("defer"), bh[d].set(), process=f"job {d}"
        )
        machine.action("end", jobs[d].is_("exit"), jobs[d].set("run"), external[d].dec(), process=f"job {d}")
    machine.action("dispatched", loop.is_("dispatch") & ~any_(*ready), loop.set("bh"), process="loop")
    machine.action("again", loop.is_("bh") & ~any_(*bh), loop.set("poll"), process="loop")
    quiet = [~(jobs[d].is_("exit") & any_(*(r.is_("in flight") for r in requests[d]))) for d in range(devices)]
    return machine.system(Always("drained", all_(*quiet)), NoDeadlock("alive"))


def bounded(*properties: Property) -> TransitionSystem:
    """A number that may go up to 3, where a bound hides what comes next; and may end at 1."""
    number, done = IntVar("number", IntSort(0, 3), (0,)), BoolVar("done", BOOL, (0,))
    machine = Machine(number, done)
    machine.action("up", ~done & (number < 3), number.inc())
    machine.action("deeper", number.is_(3), done.set(), faults=[(FaultKind.BOUND, TRUE, "nested polls")])
    machine.action("end", number.is_(1), done.set(), checks=[("checked", ~done)])
    known = (
        Always("small", number < 2),
        Always("in range", number <= 3),
        Reachable("done", done),
        Reachable("never", done & number.is_(3)),
        Assertion("checked"),
        CanAlwaysFinish("can finish", done),
    )
    return machine.system(*known, *properties, final=done)
