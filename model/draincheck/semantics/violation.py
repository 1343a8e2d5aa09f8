"""What shows a property: which states and runs violate it or, for `Reachable`, meet its goal. The one home of that knowledge.

Engines look for it (`sought_in_states`, `shown_by`), and what they have found is asked again, executed (`shows`): no report repeats a
claim that it has not seen. The reference interpreter has a reading of its own, on purpose.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from msgspec import Struct

from draincheck.expr import FALSE, BoolExpr, all_, any_, not_
from draincheck.properties import (
    Always,
    Assertion,
    CanAlwaysFinish,
    Eventually,
    FaultKind,
    LeadsTo,
    NoDeadlock,
    NoFault,
    Property,
    Reachable,
)
from draincheck.reason import stuck_words
from draincheck.run import Run
from draincheck.semantics.fairness import is_fair, may_stop
from draincheck.semantics.stuck import LeftOpen, going_on, is_dead, left_open, not_at_rest, stuck
from draincheck.system import Action, Fault, State, TransitionSystem
from draincheck.verdict import Outcome

__all__ = [
    "ERRORS",
    "Decisive",
    "decided_by_states",
    "decisive_conditions",
    "evidence_word",
    "failed_checks",
    "fault_found",
    "faultless",
    "faulty_step",
    "first_faults",
    "last_action",
    "outcome_if_not_shown",
    "outcome_if_shown",
    "shown_by",
    "shown_for_sure",
    "shows",
    "sought_in_states",
]


#: the kinds of fault that end a run
ERRORS = frozenset(FaultKind) - {FaultKind.BOUND}


def outcome_if_shown(item: Property) -> Outcome:
    """The outcome for a property that something shows."""
    return Outcome.HOLDS if isinstance(item, Reachable) else Outcome.VIOLATED


def outcome_if_not_shown(item: Property) -> Outcome:
    """The outcome for a property that nothing shows."""
    return Outcome.VIOLATED if isinstance(item, Reachable) else Outcome.HOLDS


def evidence_word(item: Property) -> str:
    """What a run is called that shows a property."""
    return "witness" if isinstance(item, Reachable) else "counterexample"


def sought_in_states(system: TransitionSystem, item: Property) -> BoolExpr | None:
    """What has to be looked for in single states to decide a property; None if that does not do.

    For `NoDeadlock` it shows a violation only where nothing can move (see `decided_by_states`); for `CanAlwaysFinish` it is the goal that
    must stay in reach.
    """
    match item:
        case Always(holds=condition):
            return not_(condition)
        case Reachable(goal=condition) | CanAlwaysFinish(goal=condition):
            return condition
        case NoDeadlock():
            return not_at_rest(system)
    return None


def shown_by(system: TransitionSystem, item: Property) -> BoolExpr | None:
    """The states that show a property as a condition that looks at nothing else; None for properties that no single state shows.

    For an assertion these are the states in which an action can be taken that breaks it: see `last_action`. That there are none means that
    the property holds (fails, for `Reachable`), if `decided_by_states`.
    """
    match item:
        case Assertion(name=name):
            return any_(*(all_(faultless(a), _broken(a, name)) for a in system.actions))
        case NoDeadlock():
            return all_(not_at_rest(system), not_(any_(*(action.guard for action in system.actions))))
        case Always() | Reachable():
            return sought_in_states(system, item)
        case NoFault(kind=kind):
            return fault_found(system, {kind})
    return None


def decided_by_states(system: TransitionSystem, item: Property) -> bool:
    """Whether nothing is left to ask where no state shows a property (`shown_by`): a process can be stuck where others still move."""
    return not (isinstance(item, NoDeadlock) and system.at_rest)


def shows(run: Run, item: Property) -> bool:
    """Whether an executed trace shows a property, as far as is seen: an engine is trusted where very much can still happen (`shown_for_sure`)."""
    return shown_for_sure(run, item) is not False


def shown_for_sure(run: Run, item: Property) -> bool | None:
    """Whether an executed trace shows a property, whoever says so.

    None where that turns on what can still come after its end, whether a goal is out of reach or a process stuck, and very much can.
    """
    system, trace, steps, states = run.system, run.trace, run.steps, run.states
    match item:
        case Always(holds=condition):
            return not system.holds(condition, states[-1])
        case CanAlwaysFinish(goal=goal):
            return _out_of_reach(left_open(system, states[-1], {"": goal}))
        case Assertion():
            return bool(steps) and item.name in steps[-1].broken
        case Reachable(goal=goal):
            return system.holds(goal, states[-1])
        case NoFault(kind=kind):
            return system.faulty(states[-1], kind) is not None
        case NoDeadlock():
            return is_dead(system, states[-1]) or _out_of_reach(left_open(system, states[-1], going_on(system)))
        case Eventually() | LeadsTo():
            forever = is_fair(system, steps[trace.loop :]) if trace.loop is not None else may_stop(system, states[-1])
            return forever and _waiting(run, item) is not None
        case _:
            return False


def _out_of_reach(found: LeftOpen) -> bool | None:
    """Whether a goal is out of reach; None where not all was seen."""
    return (True if found.all_seen else None) if found.names else False


class Decisive(Struct, frozen=True):
    """A condition that decided, the state it is about, and what it has to do with the property; None: the whole state."""

    words: str
    condition: BoolExpr | None
    state: State


def decisive_conditions(run: Run, item: Property) -> Iterator[Decisive]:
    """The conditions that decide, where `shows` is true."""
    states = run.states
    match item:
        case Always(holds=condition):
            yield Decisive("must hold", condition, states[-1])
        case Assertion():
            yield Decisive("must hold before it", failed_checks(run, item)[0], states[-2])
        case Reachable(goal=condition):
            yield Decisive("goal", condition, states[-1])
        case NoFault(kind=kind):
            yield Decisive("that is so where", faulty_step(run, kind)[1].when, states[-1])
        case CanAlwaysFinish(goal=condition):
            yield Decisive("out of reach from here", condition, states[-1])
        case NoDeadlock():
            names = stuck(run.system, states[-1])
            yield Decisive(stuck_words(names) if names else "no process can take a step", None, states[-1])
        case Eventually(goal=goal):
            yield Decisive("never true", goal, states[-1])
        case LeadsTo(trigger=trigger, goal=goal):
            since = _waiting(run, item) or 0
            yield Decisive(f"true after step {since}" if since else "true initially", trigger, states[since])
            yield Decisive("never true from then on", goal, states[-1])
        case _:
            return


def failed_checks(run: Run, item: Assertion) -> list[BoolExpr]:
    """The checks of an assertion that the last step of a run breaks."""
    step = run.steps[-1]
    checks = run.system.actions[step.action].checks
    return [c.holds for c in checks if c.property == item.name and not run.system.holds(c.holds, step.before)]


def faulty_step(run: Run, kind: FaultKind) -> tuple[Action, Fault]:
    """The step that cannot be taken where a run ends that `shows` a fault of a kind, and the fault."""
    found = run.system.faulty(run.states[-1], kind)
    assert found is not None
    return found


def _waiting(run: Run, item: Eventually | LeadsTo) -> int | None:
    """The number of the first state from which the run waits for its goal for ever, or None if it does not."""
    system, trace, states = run.system, run.trace, run.states
    met = [system.holds(item.goal, state) for state in states]
    since = max((number + 1 for number, good in enumerate(met) if good), default=0)
    # What lies in the loop comes again: the goal must be missing in all of it, wherever the waiting begins.
    if trace.loop is not None and since > trace.loop:
        return None
    if isinstance(item, Eventually):
        return None if since else 0
    return next((n for n in range(since, len(states)) if system.holds(item.trigger, states[n])), None)


def last_action(system: TransitionSystem, item: Property, state: State) -> tuple[int, ...]:
    """The action to take in a state that shows an assertion to be violated; none for other properties."""
    if not isinstance(item, Assertion):
        return ()
    breaking = (a for a in system.actions if system.holds(all_(faultless(a), _broken(a, item.name)), state))
    return (next(breaking).index,)


def faultless(action: Action) -> BoolExpr:
    """Where an action can be taken."""
    return all_(action.guard, *(not_(fault.when) for fault in action.faults))


def first_faults(action: Action) -> Iterator[tuple[Fault, BoolExpr]]:
    """The faults of an action, each with where it is the first one of a step that is enabled, as in `TransitionSystem.fault`."""
    before: list[BoolExpr] = [action.guard]
    for fault in action.faults:
        yield fault, all_(*before, fault.when)
        before.append(not_(fault.when))


def fault_found(system: TransitionSystem, kinds: Collection[FaultKind]) -> BoolExpr:
    """The states that enable an action whose first fault is of one of these kinds."""
    faults = (found for action in system.actions for found in first_faults(action))
    return any_(*(where for fault, where in faults if fault.kind in kinds))


def _broken(action: Action, name: str) -> BoolExpr:
    """Where one of an action's checks of an assertion is false."""
    return any_(*(not_(check.holds) for check in action.checks if check.property == name)) if action.checks else FALSE
