"""A trace explained: what let each step happen, which conditions it made true or false, and what could have been done instead.

Nothing here is a matter of taste. A *fact* is an atomic condition with its truth in a state, and the facts behind a condition are a
set of them that suffices to decide it. An alternative is another action that was enabled, and what it leads to is decided on the whole
graph of the system (`draincheck.analysis.avoidability`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from draincheck import op
from draincheck.analysis.accident import Accident, accident
from draincheck.analysis.avoidability import AVOIDABILITY_LIMITS, Alternative, Avoidability, Evasion
from draincheck.analysis.otherwise import Escape, Otherwise
from draincheck.analysis.waiting import Situation, situation
from draincheck.exploration.domains import flat
from draincheck.expr import BoolExpr, Expr, Rendering, all_, variables_of
from draincheck.properties import Always, Assertion, CanAlwaysFinish, Eventually, LeadsTo, NoFault, Property, Reachable
from draincheck.run import Run, Step, label_of
from draincheck.semantics.violation import failed_checks, faulty_step, shows
from draincheck.system import Action, State, TransitionSystem, Variable
from draincheck.verdict import Limits
from draincheck.walks import OfTerms
from draincheck.words import assigned

__all__ = [
    "Alternative", "Escape", "ExplainedCheck", "ExplainedStep", "Explanation", "Fact", "FormulaChange", "PropertyChange", "explain",
    "facts_behind",
]  # fmt: skip


#: a longer condition is shown by the facts behind it only
MAX_TEXT = 100


class Fact(Struct, frozen=True):
    """An atomic condition as it was: its text if it was true, `not ...` if it was false, and values that the text does not say.

    `values` is a sequence of `name=value`, truth values as 0 and 1.
    """

    text: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.text} [{', '.join(self.values)}]" if self.values else self.text


class ExplainedCheck(Struct, frozen=True):
    """A check of the action that was taken: its property, whether it held, and the facts that decided it."""

    property: str
    holds: bool
    because: tuple[Fact, ...]


class PropertyChange(Struct, frozen=True):
    """The condition of a property of states became true or false; the facts that decide it now.

    For an invariant the condition is what must always be true; `goal` says that it is a goal instead, which is met where it is true.
    """

    property: str
    goal: bool
    now: bool
    because: tuple[Fact, ...]


class FormulaChange(Struct, frozen=True):
    """A sub-formula became true or false, and the properties that it is part of."""

    text: str
    now: bool
    properties: tuple[str, ...]


class ExplainedStep(Struct, frozen=True):
    """One step of a trace.

    Attributes:
        number: from 1.
        process: who took it.
        label: what took place, in the model's words.
        guard: what let it happen, besides control being where it was and what every action demands.
        checks: the checks of the action, each with its outcome.
        properties: properties whose condition changed its truth.
        formulas: sub-formulas of properties that changed theirs.
        avoidability: what is still possible after the step, for the trace's property; None where that is not known.
    """

    number: int
    process: str
    label: str
    guard: tuple[Fact, ...]
    checks: tuple[ExplainedCheck, ...]
    properties: tuple[PropertyChange, ...]
    formulas: tuple[FormulaChange, ...]
    avoidability: Avoidability | None


class Explanation(Struct, frozen=True):
    """A trace explained.

    Attributes:
        system: the model's name.
        property: what the trace is evidence about, or "".
        invariants: for each invariant whether it is true at the start.
        goals: for each goal of a property whether it is met at the start.
        steps: the trace.
        loop: for a trace that goes on for ever, how many steps come before those that repeat; None for one that ends.
        violated_at: the step that violates the property, 0 for the initial state; None if none does.
        lost_at: the step after which nothing made the property safe any more (see `draincheck.analysis.avoidability`), 0 if nothing ever did; one more
            than there are steps if something did until the error that ends the run; None
            if that is not known. For a demand on whole runs: after which its goal was out of reach; None if it never was.
        instead: what else was enabled where the step that violates the property was taken, or where the error ended the run.
        escape: the latest step instead of which something else would still have left a way to a safe state; None if there is none.
            For a demand on whole runs: a way to its goal.
        safe_escape: the latest one instead of which something would have made the property safe for good; None if there is none.
        evasions: if nothing ever made the property safe, what a run could still do without violating it.
        untold: why avoidabilities and escapes are missing, "" if they are not.
        waiting: who waits for what at the end, or all through the loop, where that is the point.
        error: the step that an error of the run keeps from being taken at the end, or that passes a bound.
        error_because: the facts that make it one.
    """

    system: str
    property: str
    invariants: Mapping[str, bool]
    goals: Mapping[str, bool]
    steps: tuple[ExplainedStep, ...]
    loop: int | None = None
    violated_at: int | None = None
    lost_at: int | None = None
    instead: tuple[Alternative, ...] = ()
    escape: Escape | None = None
    safe_escape: Escape | None = None
    evasions: tuple[Evasion, ...] = ()
    untold: str = ""
    waiting: Situation | None = None
    error: Accident | None = None
    error_because: tuple[Fact, ...] = ()


def explain(run: Run, limits: Limits = AVOIDABILITY_LIMITS) -> Explanation:
    """Explain a trace.

    Args:
        run: the trace, executed.
        limits: the graph that may be explored to find out what could have been done instead; beyond, `untold` says so.

    Raises:
        ModelError: the system has no property of the name that the trace gives.
    """
    system, trace = run.system, run.trace
    item = system.property_named(trace.property) if trace.property else None
    watched = _Watched(system, _conditions(run, item))
    otherwise = Otherwise.of(system, item, trace, limits)
    return Explanation(
        system=system.name,
        property=trace.property,
        invariants=watched.invariants(trace.initial),
        goals=watched.goals(trace.initial),
        steps=tuple(_explained(watched, n, step, otherwise.avoidability(n)) for n, step in enumerate(run.steps, 1)),
        loop=trace.loop,
        violated_at=otherwise.violated_at,
        lost_at=otherwise.lost_at(),
        instead=otherwise.instead(),
        escape=otherwise.escape(Avoidability.SAFE, Avoidability.AVOIDABLE),
        safe_escape=otherwise.escape(Avoidability.SAFE),
        evasions=otherwise.evasions(),
        untold=otherwise.untold,
        waiting=situation(run),
        error=accident(run),
        error_because=tuple(_error_facts(run, item)),
    )


def _error_facts(run: Run, item: Property | None) -> Iterator[Fact]:
    if isinstance(item, NoFault) and shows(run, item):
        _, fault = faulty_step(run, item.kind)
        yield from facts_behind(run.system, fault.when, run.states[-1])


# -- one step ---------------------------------------------------------------------------------------


def _explained(watched: _Watched, number: int, step: Step, avoidability: Avoidability | None) -> ExplainedStep:
    system, action = watched.system, watched.system.actions[step.action]
    return ExplainedStep(
        number,
        action.process,
        label_of(system, action, step.before),
        facts_behind(system, all_(*watched.own_demands(action)), step.before),
        tuple(_checked(system, action, step.before)),
        tuple(watched.property_changes(step)),
        tuple(watched.formula_changes(step)),
        avoidability,
    )


def _checked(system: TransitionSystem, action: Action, state: State) -> Iterator[ExplainedCheck]:
    for check in action.checks:
        if check.holds.op is not op.CONST:
            because = facts_behind(system, check.holds, state) or facts_behind(system, check.holds, state, history=True)
            yield ExplainedCheck(check.property, system.holds(check.holds, state), because)


def facts_behind(
    system: TransitionSystem, condition: BoolExpr, state: State, *, history: bool = False
) -> tuple[Fact, ...]:
    """Atomic conditions whose truth in this state decides a condition; those about where processes stand are left out.

    So are those about what a specification has remembered, unless `history` asks for them.
    """
    found: dict[Fact, None] = {}
    for atom, true in _Deciding(system, state)[condition]:
        variables = [v for v in variables_of(atom) if isinstance(v, Variable)]
        if any(not v.internal or (history and not v.counts) for v in variables):
            found[_fact(system, atom, true, state)] = None
    return tuple(found)


class _Deciding(OfTerms[Mapping[tuple[Expr, bool], None]]):
    """The atoms that decide conditions in a state, and their truth.

    Of a disjunction that is true (a conjunction that is false) those of the operand that needs fewest, else of all.
    """

    def __init__(self, system: TransitionSystem, state: State) -> None:
        super().__init__()
        self._value = system.values(state)

    def of(self, a: Expr) -> Mapping[tuple[Expr, bool], None]:
        """The atoms of a condition."""
        match a.op:
            case op.CONST:
                return {}
            case op.NOT:
                return self[a.args[0]]
            case op.AND | op.OR:
                return self._of_several(a)
            case op.ITE if isinstance(a, BoolExpr):
                return {**self[a.args[0]], **self[a.args[1 if self._value[a.args[0]] else 2]]}
            case _:
                return {(a, bool(self._value[a])): None}

    def _of_several(self, a: Expr) -> Mapping[tuple[Expr, bool], None]:
        true = bool(self._value[a])
        if true != (a.op is op.OR):
            return {atom: None for arg in a.args for atom in self[arg]}
        return min((self[arg] for arg in a.args if bool(self._value[arg]) == true), key=len)


def _fact(system: TransitionSystem, atom: Expr, true: bool, state: State) -> Fact:
    """The atom as it was. A truth value, or an equality that is true, says all there is to say."""
    says_all = atom.op is op.VAR or (true and atom.op is op.EQ and atom.args[1].op is op.CONST)
    values = () if says_all else tuple(_assignments(system, atom, state))
    text = str(atom) if len(str(atom)) <= MAX_TEXT else "(a longer condition)"
    return Fact(text if true else f"not {text}" if atom.op is op.VAR else f"not ({text})", values)


def _assignments(system: TransitionSystem, term: Expr, state: State) -> Iterator[str]:
    named = variables_of(term)
    for variable, stored in zip(system.variables, state, strict=True):
        if variable in named and not variable.internal:
            yield assigned(variable.name, variable.sort.decode(stored))


# -- what is watched along the trace ----------------------------------------------------------------


def _conditions(run: Run, item: Property | None) -> dict[str, list[BoolExpr]]:
    """The conditions that are followed from state to state: those of properties of states, and the check that the trace breaks."""
    found = {each.name: list(each.conditions()[::-1]) for each in run.system.properties if each.conditions()}
    if isinstance(item, Assertion) and run.steps and item.name in run.steps[-1].broken:
        found[item.name] = failed_checks(run, item)
    return found


class _Watched:
    """Conditions of properties, and all their sub-formulas."""

    def __init__(self, system: TransitionSystem, conditions: Mapping[str, list[BoolExpr]]) -> None:
        self.system = system
        self._first = {name: found[0] for name, found in conditions.items()}
        self._formulas: dict[str, tuple[Expr, dict[str, None]]] = {}
        for name, found in conditions.items():
            for formula in (sub for condition in found for sub in _subformulas(condition)):
                self._formulas.setdefault(str(formula), (formula, {}))[1][name] = None
        demands = [{str(term) for term in _conjuncts(action)} for action in system.actions]
        self._everywhere = set[str].intersection(*demands) if demands else set[str]()

    def own_demands(self, action: Action) -> Iterator[BoolExpr]:
        """The conjuncts of an action's guard that are not those of every action."""
        return (term for term in _conjuncts(action) if str(term) not in self._everywhere)

    def invariants(self, state: State) -> dict[str, bool]:
        """For each invariant whether it is true."""
        return self._truths(state, (Always,))

    def goals(self, state: State) -> dict[str, bool]:
        """For each goal whether it is met."""
        return self._truths(state, (Reachable, CanAlwaysFinish, Eventually, LeadsTo))

    def _truths(self, state: State, kinds: tuple[type[Property], ...]) -> dict[str, bool]:
        of_kind = {name: c for name, c in self._first.items() if isinstance(self.system.property_named(name), kinds)}
        return {name: self.system.holds(condition, state) for name, condition in of_kind.items()}

    def property_changes(self, step: Step) -> Iterator[PropertyChange]:
        """The properties of states whose condition a step makes true or false."""
        for goal, truths in ((False, self.invariants), (True, self.goals)):
            before = truths(step.before)
            for name, now in truths(step.after).items():
                if before[name] != now:
                    because = facts_behind(self.system, self._first[name], step.after)
                    yield PropertyChange(name, goal, now, because)

    def formula_changes(self, step: Step) -> Iterator[FormulaChange]:
        """The sub-formulas that a step makes true or false."""
        for text, (formula, names) in self._formulas.items():
            before, after = (bool(self.system.value(formula, state)) for state in (step.before, step.after))
            if before != after:
                yield FormulaChange(text, after, tuple(names))


def _conjuncts(action: Action) -> Iterator[BoolExpr]:
    return (term for term in flat(op.AND, [action.guard]) if isinstance(term, BoolExpr))


def _subformulas(condition: Expr) -> Iterator[Expr]:
    """The conditions that a condition is made of, without itself and without negations; those too long to read are left out."""
    texts, seen, todo = Rendering(), {condition}, list(reversed(condition.args))
    while todo:
        part = todo.pop()
        if part in seen:
            continue
        seen.add(part)
        todo += reversed(part.args)
        is_formula = isinstance(part, BoolExpr) and part.op not in (op.NOT, op.CONST)
        if is_formula and len(texts[part]) <= MAX_TEXT and _is_visible(part):
            yield part


def _is_visible(a: Expr) -> bool:
    return not any(isinstance(v, Variable) and v.internal for v in variables_of(a))
