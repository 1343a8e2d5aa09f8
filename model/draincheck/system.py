"""The transition system: the one form of a model that every engine reads.

A state gives every variable a value. An action is enabled where its guard holds; taking it evaluates all its updates over the state
before it and stores them at once. Beside its effect an action carries

* *checks*: named assertions over the state before it; taking the action where one is false violates that property;
* *faults*: conditions under which taking it makes no sense (a value out of range, a running coroutine entered again, a depth bound
  passed). The first two are errors of the model; a bound makes every verdict that depends on it *unknown*.

`enabled` and `step` below are the meaning of all this, written plainly; engines may be faster, never different.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NoReturn, TypeVar

from msgspec import Struct, field
from msgspec.structs import force_setattr, replace

from draincheck import op
from draincheck.digest import digest_of
from draincheck.errors import ModelError, SourceLine
from draincheck.evaluation import Evaluation
from draincheck.expr import FALSE, TRUE, BoolExpr, EnumExpr, Expr, IntExpr, ite, same_kind, want_bool, want_int
from draincheck.late import InitialStates
from draincheck.location import caller_line, slip
from draincheck.promise import Fairness
from draincheck.properties import FAULTS, FaultKind, NoFault, Property
from draincheck.refusals import said
from draincheck.sorts import Value

__all__ = [
    "Action", "BoolVar", "Check", "Control", "EnumVar", "Fault", "FaultKind", "Frame", "IntVar", "Interchangeable",
    "Outside", "Part", "Place", "State", "TransitionSystem", "Update", "Variable",
]  # fmt: skip

_STORE = "write p.do('...', x.set(...))"

#: stored values, in the order of `TransitionSystem.variables`
State = tuple[int, ...]


class Variable(Expr, frozen=True):
    """A state variable. `initial` holds the stored values it may start with (a range, for all there are); `internal` ones stay out of traces.

    `counts` names the process whose program counter it is, "" for other variables; one that is `settled` is part of a system.

    One that does not `exists` is *absent*: a constant, its initial value, that folds away like others; steps drop updates of it.
    """

    initial: tuple[int, ...] | range
    internal: bool = False
    exists: bool = True
    counts: str = ""
    settled: bool = False
    #: updates that `to`, `set` and the like have made and no recorded step has stored yet, by identity, with their lines
    unused: dict[int, tuple[Update, SourceLine]] = field(default_factory=dict[int, "tuple[Update, SourceLine]"])

    def __post_init__(self) -> None:
        if not self.exists:
            force_setattr(self, "op", op.CONST)
            force_setattr(self, "value", self.initial[0])

    def start_with(self, values: tuple[int, ...] | range) -> None:
        """Give it other values, stored, to start with. Raises ModelError once it is part of a system, and for a range with gaps."""
        if self.settled:
            raise slip(f"{self} starts as its system does, which is made: set it before, or build the model again")
        if getattr(values, "step", 1) != 1:
            raise slip(f"{self} starts with a range that goes up one by one, or with a tuple; not with {values}")
        force_setattr(self, "initial", values)

    def settle(self) -> None:
        """It is part of a system."""
        force_setattr(self, "settled", True)

    def rename(self, name: str) -> None:
        """Take another name: a variable that the language makes gives way to one of the model."""
        force_setattr(self, "name", name)

    def _refuse_in_place(self, other: object) -> NoReturn:
        raise slip(f"an operator with = stores nothing in {self}: {_STORE}; for a term, a name of its own")

    __iadd__ = __isub__ = __iand__ = __ior__ = __ixor__ = __imul__ = _refuse_in_place

    def to(self, new: Expr) -> Update:
        """The update that stores a term of this variable's sort; raises ModelError for a term of another sort."""
        update = Update(self, new)
        if self.exists:
            self.unused[id(update)] = (update, caller_line(2))
        return update


V = TypeVar("V", bound=Variable)


class Update(Struct, frozen=True, gc=False):
    """`variable := value`, as part of a step. Raises ModelError for a value of another sort than the variable's."""

    variable: Variable
    value: Expr

    def __post_init__(self) -> None:
        if getattr(self.value, "sort", None) is not self.variable.sort and not same_kind(self.variable, self.value):
            raise slip(f"{self.variable} is {self.variable.sort}, and {said(self.value)}")

    def __str__(self) -> str:
        return f"{self.variable} := {self.value}"

    def __repr__(self) -> str:
        return str(self)


def _stores_nothing(kind: type[V]) -> type[V]:
    """Have `x.value = 1` in a model refused in its own words: a struct has an answer of its own to that, whatever it inherits."""

    def refuse(variable: Variable, name: str, value: object) -> NoReturn:
        raise slip(f"{variable}.{name} = {value} stores nothing: {_STORE}")

    type.__setattr__(kind, "__setattr__", refuse)
    return kind


@_stores_nothing
class BoolVar(Variable, BoolExpr, frozen=True):
    """A truth-valued state variable."""

    def set(self, new: BoolExpr | bool = True) -> Update:
        """Store a truth value."""
        return self.to((TRUE if new else FALSE) if isinstance(new, bool) else want_bool(new))

    def clear(self) -> Update:
        """Store false."""
        return self.to(FALSE)


@_stores_nothing
class IntVar(Variable, IntExpr, frozen=True):
    """A bounded integer state variable; storing a value outside its bounds is an error of the model, never a wrap."""

    def set(self, new: IntExpr | int) -> Update:
        """Store a number."""
        return self.to(want_int(new))

    def inc(self, when: BoolExpr | None = None) -> Update:
        """Add one (only where `when` holds, if given)."""
        return self.to(self + 1 if when is None else ite(when, self + 1, self))

    def dec(self, when: BoolExpr | None = None) -> Update:
        """Subtract one (only where `when` holds, if given)."""
        return self.to(self - 1 if when is None else ite(when, self - 1, self))


@_stores_nothing
class EnumVar(Variable, EnumExpr, frozen=True):
    """A state variable with named values."""

    def set(self, new: EnumExpr | str) -> Update:
        """Store a named value; raises ModelError for a name the sort does not have."""
        return self.to(self.named(new) if isinstance(new, str) else new)


class Frame(Struct, frozen=True, gc=False):
    """A call that a step stands in; a `numbered` one is counted each time it is entered (`main_loop_wait # 1`)."""

    function: str
    numbered: bool = False

    def __str__(self) -> str:
        return f"{self.function} #" if self.numbered else self.function


class Part(Struct, frozen=True, gc=False):
    """One labelled piece of an action, as the call tree shows it.

    Attributes:
        label: what is done, in a few words; empty for control that merely passes on.
        frames: the calls it stands in, outermost first, within its process.
        opens: how many of these frames were already open before; the rest are called anew here.
        mark: the letter the story gives it (`a`, `b`, `c`, `w`), or "".
        line: where the model's source wrote it.
        when: the condition, over the state before the action, under which this part takes place.
        writes: names of the variables it writes.
        enters: the coroutine that runs next, or "".
        choice: what a scheduler calls it where the process could do something else, or "".
        promise: the number of the assumption that no run neglects this very step, from 1; 0 where none was made with it.
    """

    label: str
    frames: tuple[Frame, ...]
    opens: int
    mark: str
    line: SourceLine
    when: BoolExpr
    writes: tuple[str, ...] = ()
    enters: str = ""
    choice: str = ""
    promise: int = 0

    def only(self, when: BoolExpr) -> Part:
        """The same piece under another condition."""
        return replace(self, when=when)


class Check(Struct, frozen=True, gc=False):
    """A named assertion of an action: taking it where `holds` is false violates the property of that name.

    `asked` is where it is asked at all, `holds` being true elsewhere: a check may stand behind a test within its step.
    """

    property: str
    holds: BoolExpr
    line: SourceLine
    asked: BoolExpr = TRUE


class Outside(Struct, frozen=True, gc=False):
    """What is said of a number that would leave the range of its variable: a text that few ask for, and that is as long as the term."""

    variable: Variable
    value: IntExpr

    def __str__(self) -> str:
        sort = self.variable.sort
        return f"{self.variable.name} would become {self.value}, outside {sort.low}..{sort.high}"


class Fault(Struct, frozen=True, gc=False):
    """A condition over the state before an action under which taking it is a fault of this kind.

    `stores` is what would leave its range, for people: the variable, and the term over the state before.
    """

    kind: FaultKind
    when: BoolExpr
    said: str | Outside
    line: SourceLine
    stores: tuple[Variable, IntExpr] | None = None

    @property
    def message(self) -> str:
        """What happens, in the model's own words."""
        return str(self.said)


class Action(Struct, frozen=True):
    """One atomic step of one process: `updates` are simultaneous, over the state before it.

    `location` is the value that the process's program counter has before it; None for a process without one. `demands` is the rest of
    the guard in the model's own words, places by their names (see `TransitionSystem.places`): for people, not for engines.
    """

    index: int
    process: str
    parts: tuple[Part, ...]
    guard: BoolExpr
    updates: tuple[Update, ...]
    checks: tuple[Check, ...] = ()
    faults: tuple[Fault, ...] = ()
    location: int | None = None
    demands: tuple[BoolExpr, ...] = ()

    @property
    def name(self) -> str:
        """The labels of its parts; not unique, the index is."""
        return "; ".join(part.label for part in self.parts if part.label) or "(goes on)"

    @property
    def stores(self) -> bool:
        """Whether it stores something in a variable of the program: where a process stands and what it remembers are none."""
        return any(not update.variable.internal for update in self.updates)

    @property
    def line(self) -> SourceLine:
        """Where its first part was written."""
        return self.parts[0].line if self.parts else SourceLine("?", 0)


class Place(Struct, frozen=True, gc=False):
    """Where control of a process can rest.

    Attributes:
        names: what the model calls it.
        frames: the calls it stands in, outermost first.
        line: that of the next statement; None where there is none.
        awaits: the coroutine that it has entered and that has to give control back before it goes on, or "".
        inside: what the model calls standing there until then, or "".
        back: where that coroutine has given control back.
        ended: nothing is left to do.
    """

    names: tuple[str, ...]
    frames: tuple[Frame, ...]
    line: SourceLine | None
    awaits: str
    inside: str
    back: BoolExpr
    ended: bool


class Control(Struct, frozen=True):
    """How a state says where a process stands; it decides nothing.

    Attributes:
        process: its name.
        counter: the variable whose value is the number of its place; None where there is one place only.
        token: true while a coroutine runs; None for a thread, which always does.
        places: where it can rest, by number.
        may_stop: the model says that it may stop for ever.
    """

    process: str
    counter: IntVar | None
    token: BoolVar | None
    places: tuple[Place, ...]
    may_stop: bool = False


class Interchangeable(Struct, frozen=True):
    """Components that the model calls interchangeable: the variables of each, those that play the same part at the same place."""

    components: tuple[tuple[Variable, ...], ...]
    line: SourceLine


class TransitionSystem(Struct, frozen=True, dict=True):
    """Variables, actions and properties; see the module text for their meaning.

    `quotient` says which states of the model were made one ("" for none: symmetry and the like). The paths of a quotient need not be
    paths of the model, so demands on whole runs cannot be decided on it.

    `at_rest` says of every process where it is fine that it never moves again: it has ended, or nobody has entered it yet; and under "" where
    something is left to be done, if `final` says where that may be. Without it, in a system made by hand, `NoDeadlock` is about states without
    any enabled action alone.

    `interchangeable` are components whose order means nothing (inner ones before those that they are in), which `reductions` checks. Those in
    `sorts` every step brings into ascending order, behind its updates; only explicit search takes such a system.

    `controls` (of every process, or of none: a system made by hand), `places` (the places in `Action.demands`, and what each means) and `halted`
    (where the program has been aborted) are for people; behaviour is all in the rest.
    """

    name: str
    variables: tuple[Variable, ...]
    actions: tuple[Action, ...]
    properties: tuple[Property, ...] = ()
    final: BoolExpr = FALSE
    fairness: tuple[Fairness, ...] = ()
    quotient: str = ""
    at_rest: Sequence[tuple[str, BoolExpr]] = ()
    controls: Sequence[Control] = ()
    places: tuple[tuple[Expr, Expr], ...] = ()
    halted: BoolExpr = FALSE
    interchangeable: tuple[Interchangeable, ...] = ()
    sorts: tuple[Interchangeable, ...] = ()

    def __post_init__(self) -> None:
        for variable in self.variables:
            variable.settle()

    @cached_property
    def position(self) -> Mapping[Expr, int]:
        """Where each variable stands in a state."""
        return {variable: index for index, variable in enumerate(self.variables)}

    @cached_property
    def initial(self) -> InitialStates:
        """The initial states, in ascending order."""
        return InitialStates([variable.initial for variable in self.variables])

    def is_initial(self, state: State) -> bool:
        """Whether a state is an initial one; a variable without initial values may start with any of its sort."""
        pairs = zip(self.variables, state, strict=True)
        return all(value in v.initial or (not v.initial and v.sort.low <= value <= v.sort.high) for v, value in pairs)

    @cached_property
    def digest(self) -> str:
        """A hash of everything that decides behaviour; a trace names it so that no replay drifts silently."""
        return digest_of(self)

    @cached_property
    def implicit(self) -> tuple[NoFault, ...]:
        """What is demanded of its steps besides: one property for each kind of fault that they have. They are not among `properties`."""
        kinds = {fault.kind for action in self.actions for fault in action.faults}
        return tuple(item for item in FAULTS.values() if item.kind in kinds)

    def property_named(self, name: str) -> Property:
        """The property of this name, be it one of `FAULTS`; raises ModelError if there is none."""
        for item in (*self.properties, *FAULTS.values()):
            if item.name == name:
                return item
        raise ModelError(
            f"{self.name} has no property {name!r}; it has {', '.join(p.name for p in self.properties) or 'none'}"
        )

    def values(self, state: State) -> Evaluation:
        """The stored values of terms in a state; those of the state that was asked about last are kept."""
        known: tuple[State, Evaluation] | None = self.__dict__.get("latest")
        if known is None or known[0] is not state:
            known = state, Evaluation(zip(self.variables, state, strict=True))
            vars(self)["latest"] = known
        return known[1]

    def value(self, term: Expr, state: State) -> int:
        """The stored value of a term in a state."""
        return self.values(state)[term]

    def holds(self, condition: BoolExpr, state: State) -> bool:
        """Whether a condition is true in a state."""
        return bool(self.value(condition, state))

    def enabled(self, state: State) -> Iterator[Action]:
        """The actions that may be taken in a state, in index order."""
        value = self.values(state)
        return (action for action in self.actions if value[action.guard])

    def step(self, state: State, action: Action) -> State:
        """The state after an action. Does not look at guard, checks or faults."""
        after = list(state)
        for update in action.updates:
            after[self.position[update.variable]] = self.value(update.value, state)
        return self.in_order(after) if self.sorts else tuple(after)

    def in_order(self, values: list[int]) -> State:
        """The state in which the components in `sorts` stand in ascending order."""
        for group in self.sorts:
            places = [[self.position[variable] for variable in component] for component in group.components]
            components = sorted([values[place] for place in component] for component in places)
            for component, ordered in zip(places, components, strict=True):
                for place, value in zip(component, ordered, strict=True):
                    values[place] = value
        return tuple(values)

    def fault(self, state: State, action: Action) -> Fault | None:
        """The first fault of taking an action in a state, or None."""
        return next((fault for fault in action.faults if self.holds(fault.when, state)), None)

    def faulty(self, state: State, kind: FaultKind) -> tuple[Action, Fault] | None:
        """The first action that a state enables whose first fault there is of this kind, with it; None if there is none."""
        found = ((action, self.fault(state, action)) for action in self.enabled(state))
        return next(((action, fault) for action, fault in found if fault is not None and fault.kind is kind), None)

    def broken_checks(self, state: State, action: Action) -> tuple[str, ...]:
        """Names of the properties whose check fails when the action is taken in this state."""
        return tuple(check.property for check in action.checks if not self.holds(check.holds, state))

    def decoded(self, state: State) -> dict[str, Value]:
        """The state as names and values, internal variables included."""
        return {v.name: v.sort.decode(stored) for v, stored in zip(self.variables, state, strict=True)}
