"""`Model`: variables, processes and properties, and the one call that turns them into a transition system."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn, TypeVar, cast

from msgspec.structs import replace

from draincheck import op
from draincheck.errors import ModelError, SourceLine
from draincheck.expr import FALSE, BoolExpr, Expr, any_, want_bool
from draincheck.lang.alike import Alike, Part, interchangeable
from draincheck.lang.compile import compile_model
from draincheck.lang.fairness import Demand, DemandOfAll, FairWord, demanded, strength_of
from draincheck.lang.process import Coroutine, Process
from draincheck.location import caller_line, slip, want_name, want_number, want_text, want_truth
from draincheck.properties import (
    FAULTS,
    Always,
    Assertion,
    CanAlwaysFinish,
    Eventually,
    LeadsTo,
    NoDeadlock,
    Property,
    Reachable,
)
from draincheck.sorts import BOOL, EnumSort, IntSort, Sort, Value
from draincheck.system import BoolVar, EnumVar, IntVar, TransitionSystem, Variable

__all__ = ["Model"]

V = TypeVar("V", bound=Variable)

#: values that a variable may start with, at most
MOST_INITIAL = 1 << 62

#: for messages
_VARIABLE = "the name of a variable"

#: Python's bool, where the method `bool` hides its name
Truth = bool


class Model:
    """A model under construction. Names of variables, of processes and of properties are unique."""

    def __init__(self, name: str) -> None:
        self.name = want_name(name, "the name of a model")
        self.line = caller_line()
        #: those that the model has named
        self.variables: dict[str, Variable] = {}
        #: all there are, in their order: those and the language's own, which have names apart once it is compiled
        self.stored: list[Variable] = []
        self.processes: dict[str, Process] = {}
        self.properties: dict[str, Property] = {}
        #: where it is fine that nothing moves any more; None: the model does not say
        self.final_when: BoolExpr | None = None
        self.final_line: SourceLine = self.line
        #: places that conditions refer to, resolved when compiled
        self.places: dict[tuple[str, str], BoolExpr] = {}
        #: where each of them was first asked about
        self.place_lines: dict[tuple[str, str], SourceLine] = {}
        #: (process, condition, line) of tests that claim to read only what their own thread writes
        self.local_tests: list[tuple[str, BoolExpr, SourceLine]] = []
        #: what runs are assumed to be fair to
        self.fairness: list[Demand | DemandOfAll] = []
        #: components whose order means nothing, inner ones first
        self.alike: list[Alike] = []
        #: there is a system of it
        self.compiled = False
        #: the variable that abort sets, once somebody has asked for it
        self.aborted: BoolVar | None = None

    def __repr__(self) -> str:
        return f"model {self.name}"

    def __copy__(self) -> NoReturn:
        raise ModelError("a model is not copied: build it again, by a function that takes what differs")

    def __deepcopy__(self, memo: object) -> NoReturn:
        self.__copy__()

    # -- variables ------------------------------------------------------------------------------------------------------------

    def bool(self, name: str, initial: Truth = False, history: Truth = False, exists: Truth = True) -> BoolVar:
        """A truth-valued variable. `history` ones only remember what happened, for properties, and stay out of traces.

        One that does not exist (`exists`, here and below) is the constant `initial`, and steps drop updates of it: for a variable that a
        model has only in some configurations.
        """
        want_truth(history, "history")
        return self._add(
            BoolVar(
                want_name(name, _VARIABLE), BOOL, (_stored(BOOL, name, initial),), history, want_truth(exists, "exists")
            )
        )

    def int(self, name: str, low: int, high: int, initial: int | None = None, exists: Truth = True) -> IntVar:
        """An integer variable from `low` to `high`, starting with `initial` (default `low`)."""
        low, high = (want_number(bound, f"a bound of {name}") for bound in (low, high))
        if low > high:
            raise slip(f"{name}: {low}..{high} is an empty range")
        sort = IntSort(low, high)
        start = _stored(sort, name, low if initial is None else initial)
        return self._add(IntVar(want_name(name, _VARIABLE), sort, (start,), exists=want_truth(exists, "exists")))

    def enum(
        self, name: str, *values: str, initial: str | None = None, history: Truth = False, exists: Truth = True
    ) -> EnumVar:
        """A variable with named values, starting with `initial` (default: the first)."""
        want_truth(history, "history")
        sort = EnumSort.of([want_name(value, f"a value of {name}") for value in values])
        start = _stored(sort, name, values[0] if initial is None else initial)
        return self._add(EnumVar(want_name(name, _VARIABLE), sort, (start,), history, want_truth(exists, "exists")))

    def any_initial(self, variable: V) -> V:
        """Let a variable start with any value of its sort."""
        if self.variables.get(getattr(variable, "name", "")) is not variable:
            raise slip(f"any_initial takes a variable of this model, not {variable}")
        self._refuse_compiled()
        if variable.sort.size > MOST_INITIAL:
            raise slip(f"{variable.name} cannot start with any of its values: they are more than {MOST_INITIAL}")
        variable.start_with(range(variable.sort.low, variable.sort.high + 1))
        return variable

    def _add(self, variable: V) -> V:
        self._refuse_compiled()
        if variable.name in self.variables:
            raise slip(f"there is a variable {variable.name!r} already")
        if variable.exists:
            self.variables[variable.name] = variable
            self.stored.append(variable)
        return variable

    @property
    def halted(self) -> BoolVar:
        """True once some process has aborted the program."""
        if self.aborted is None:
            self.aborted = BoolVar("halted", BOOL, (0,))
            self.stored.append(self.aborted)
        return self.aborted

    # -- processes ------------------------------------------------------------------------------------------------------------

    def thread(self, name: str, *, may_stop: Truth = False) -> Process:
        """A process that can always run; record it inside `with`.

        One that `may_stop` can stay where it is for ever, whatever it could do: storage that never answers, a thread that is killed. That
        is what no process is kept from as long as nobody promises otherwise; here it is said, and `progress` leaves this one out.
        """
        may_stop = want_truth(may_stop, "may_stop")
        return self._add_process(Process(self, want_name(name, "the name of a process"), may_stop))

    def coroutine(self, name: str, waits_at: str = "(start)", *, may_stop: Truth = False) -> Coroutine:
        """A process that runs when entered. Before its first entry it counts as yielded at the place `waits_at`. `may_stop` as for `thread`."""
        may_stop = want_truth(may_stop, "may_stop")
        coroutine = Coroutine(self, want_name(name, "the name of a process"), waits_at, may_stop)
        self._add_process(coroutine)
        self.stored.append(coroutine.on)
        return coroutine

    def _add_process(self, process: Process) -> Process:
        if process.name in self.processes:
            raise slip(f"there is a process {process.name!r} already")
        self.processes[process.name] = process
        return process

    def at(self, process: str, place: str) -> BoolExpr:
        """True while the process of this name is at a named place, whether or not it is running."""
        key = (want_text(process, "the name of a process"), want_text(place, "the name of a place"))
        if key not in self.places:
            self.places[key] = BoolExpr(f"{process} at {place}", BOOL, op=op.AT)
            self.place_lines[key] = caller_line()
        return self.places[key]

    def fair(
        self, process: Process, strength: FairWord = "weak", *, step: str = "", but: str | Sequence[str] = ()
    ) -> None:
        """Assume that no run neglects a process, or its steps with this label. Without any such assumption it may stop for ever.

        `weak`: what could move for ever moves in the end. `strong`: what could move again and again does, such as the next owner of
        a lock that is handed over in turn. A coroutine is a process of its own: fairness of the thread that enters it does not extend
        to it. `step` names all steps of the process with that label; `but` those that it may leave undone for ever, with all others
        promised. Raises ModelError when compiled if there is no such step.
        """
        if self.processes.get(getattr(process, "name", "")) is not process:
            raise slip(f"fairness is about a process of this model; this is {process!r}")
        left_out = tuple(want_text(label, "a step that is left out") for label in _several(but))
        if step and left_out:
            raise slip("fairness is about the steps with a label, or about all but some: not both")
        demand = demanded(process.name, strength, step, None, caller_line())
        self.fairness.append(replace(demand, but=left_out))

    def progress(self, strength: FairWord = "weak") -> None:
        """Assume that every process that can go on does so in the end, those that `may_stop` left out: `fair` for all of the model's.

        Those that are made later are meant, too.
        """
        line = caller_line()
        self.fairness.append(DemandOfAll(strength_of(strength, line), line))

    def interchangeable(self, *components: Sequence[Part]) -> Alike:
        """Say that the order of some components means nothing: each is the list of its variables and processes, at the same places.

        What is returned stands for all of them in the list of a component that they are parts of: slots of a device, devices of a loop. That it is
        so is checked when the model is compiled, of every step, start, promise and demand. Large searches look at one state of those that
        differ in the order alone.
        """
        return interchangeable(self, components)

    # -- properties -----------------------------------------------------------------------------------------------------------

    def always(self, name: str, holds: BoolExpr, *, meaning: str = "", source: str = "") -> None:
        """Demand an invariant."""
        self._demand(Always(name, want_bool(holds), meaning=meaning, source=source))

    def assertion(self, name: str, *, meaning: str = "", source: str = "") -> None:
        """Describe the property whose instances are the `check(name, ...)` statements; without any of them it is never asked."""
        if self.properties.get(want_name(name, "the name of a property")) == Assertion(name):
            del self.properties[name]
        self._demand(Assertion(name, meaning=meaning, source=source))

    def declare_assertion(self, name: str) -> None:
        """Make sure there is an assertion property of this name."""
        if name in FAULTS:
            raise slip(f"{name!r} is demanded of every model: {FAULTS[name].meaning}; name yours otherwise")
        if not isinstance(self.properties.setdefault(name, Assertion(name)), Assertion):
            raise ModelError(f"{name!r} is not an assertion: it is demanded as another kind of property", caller_line())

    def reachable(self, name: str, goal: BoolExpr, *, meaning: str = "", source: str = "") -> None:
        """Demand that some reachable state satisfies the goal."""
        self._demand(Reachable(name, want_bool(goal), meaning=meaning, source=source))

    def no_deadlock(self, name: str = "no deadlock", *, meaning: str = "", source: str = "") -> None:
        """Demand that no process is ever stuck: unable to move again, whatever the others do, though it has not ended (see `final`)."""
        self._demand(NoDeadlock(name, meaning=meaning, source=source))

    def can_always_finish(self, name: str, goal: BoolExpr, *, meaning: str = "", source: str = "") -> None:
        """Demand that the goal stays reachable from every reachable state (AG EF goal); `stays_reachable` is the same."""
        self._demand(CanAlwaysFinish(name, want_bool(goal), meaning=meaning, source=source))

    def stays_reachable(self, name: str, goal: BoolExpr, *, meaning: str = "", source: str = "") -> None:
        """Demand that from everywhere the goal stays reachable (AG EF goal): nothing gets into a corner that it cannot come out of.

        That it *can* be reached says nothing of whether it *is*: see `eventually` and `served`.
        """
        self.can_always_finish(name, goal, meaning=meaning, source=source)

    def served(
        self,
        name: str,
        request: BoolExpr,
        served: BoolExpr,
        *,
        by: Process | Sequence[Process] = (),
        meaning: str = "",
        source: str = "",
    ) -> None:
        """Demand that every request is served in the end, if `by`, one process or several, goes on while it can (weak fairness, see `fair`).

        It is `leads_to` with what it rests on beside it. A promise is one of the whole model: other demands on runs rest on it, too.
        """
        self.leads_to(name, request, served, meaning=meaning, source=source)
        for process in (by,) if isinstance(by, Process) else by:
            self.fair(process)

    def eventually(self, name: str, goal: BoolExpr, *, meaning: str = "", source: str = "") -> None:
        """Demand that every fair run comes to the goal (see `fair`)."""
        self._demand(Eventually(name, want_bool(goal), meaning=meaning, source=source))

    def leads_to(self, name: str, trigger: BoolExpr, goal: BoolExpr, *, meaning: str = "", source: str = "") -> None:
        """Demand that in every fair run the trigger is followed by the goal, or comes together with it (see `fair`)."""
        self._demand(LeadsTo(name, want_bool(trigger), want_bool(goal), meaning=meaning, source=source))

    def final(self, condition: BoolExpr) -> None:
        """States in which it is fine that processes never move again; several calls add up.

        Without any, that is where all have ended. With it, having ended elsewhere is not fine (see `no_deadlock`). One that is false whatever
        the variables are is refused when the model is compiled: it turns on nothing, so it does not say who is at work.
        """
        self.final_line = caller_line()
        self.final_when = any_(FALSE if self.final_when is None else self.final_when, want_bool(condition))

    def _demand(self, item: Property) -> None:
        want_text(item.meaning, f"the meaning of {item.name}")
        want_text(item.source, f"the source of {item.name}")
        item = replace(item, name=want_name(item.name, "the name of a property"))
        if item.name in FAULTS:
            raise slip(f"{item.name!r} is demanded of every model: {FAULTS[item.name].meaning}; name yours otherwise")
        if item.name in self.properties:
            raise slip(f"there is a property {item.name!r} already")
        self.properties[item.name] = item

    def compile(self) -> TransitionSystem:
        """The transition system of this model. Raises ModelError for anything that cannot be given a meaning.

        Variables of the model are variables of the system: from here on the model takes no more, and changes none.
        """
        system = compile_model(self)
        self.compiled = True
        return system

    def _refuse_compiled(self) -> None:
        """Raise ModelError if there is a system already that would be changed."""
        if self.compiled:
            raise slip(
                f"{self.name} is compiled: its variables stay as they are; change them before, or build the model again"
            )


def _several(names: str | Sequence[str]) -> Sequence[str]:
    """One name, or several."""
    return (names,) if isinstance(names, str) else names


def _stored(sort: Sort, name: str, initial: object) -> int:
    """The stored integer of an initial value; raises ModelError if it is not of the variable's sort."""
    if isinstance(initial, Expr):
        raise slip(f"{name} starts with a value, not with a term: {initial} has none before the model runs")
    try:
        return sort.encode(cast(Value, initial))
    except ModelError:
        raise slip(f"{name} starts with {initial!r}, which is not {sort}") from None
