"""Promela, for Spin: every step is one `d_step`, all of them alternatives of one loop in one process.

So what Spin stores is one state for each state of the system, with or without its partial order reduction, breadth first or depth first,
and the states in which initial values are chosen, whose number is known (`Exported.extra_states`). What is demanded of states and steps is
asserted: of states by alternatives that change nothing, of steps before they store anything.

Names end with an underscore: Spin makes C of them, where many short words mean something already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from draincheck import op
from draincheck.errors import ExportError
from draincheck.export.contents import Exported, Origin, grouped, heading, left_out, said_of, where
from draincheck.export.infix import Infix, Signs
from draincheck.export.naming import Spellings, letters, remark
from draincheck.expr import Expr, IntExpr, bounds, not_, variables_of
from draincheck.naturals import refuse_naturals
from draincheck.properties import Always, Assertion, NoDeadlock, NoFault, Property, Reachable
from draincheck.semantics.violation import faultless, first_faults, shown_by
from draincheck.sorts import BOOL, EnumSort, Sort
from draincheck.system import Action, TransitionSystem, Update, Variable

__all__ = ["LISTED", "to_promela"]

#: the one word of Promela that ends so
RESERVED = frozenset({"np_"})

#: initial values of a variable that are listed one by one; more, if they are a range, are counted up to
LISTED = 64

#: what one of a system's numbers has to be between, for the C that Spin makes: 32 bits
NUMBERS = range(-(1 << 31), 1 << 31)

#: types by the values that they hold, the smallest first, with their bytes
TYPES = (("byte", range(256), 1), ("short", range(-(1 << 15), 1 << 15), 2), ("int", NUMBERS, 4))

#: bytes of variables that Spin's state vector holds if it is not told otherwise, less what it needs itself
VECTOR = 900

#: longer labels are cut where they are printed
LABEL = 120

SIGNS = Signs(
    between={op.AND: "&&", op.OR: "||", op.EQ: "==", op.LT: "<", op.LE: "<=", op.ADD: "+", op.SUB: "-"},
    negation="!",
    choice="({0} -> {1} : {2})",
)

NO_RUNS = "what comes in the end depends on which steps are promised, and Spin is promised only whole processes"


def to_promela(system: TransitionSystem, items: Sequence[Property], origin: Origin) -> Exported:
    """The system with some of its properties.

    Raises ModelError for a system whose states cannot be listed, ExportError for one with numbers of more than 32 bits.
    """
    refuse_naturals(system)
    lacking = left_out(system, items, NO_RUNS)
    writer = _Writer(system, [item for item in items if _is_carried(item)])
    text = "\n".join(writer.lines([*heading(system, origin, items, lacking)])) + "\n"
    return Exported(text, tuple(writer.carried), lacking, writer.extra_states)


def _is_carried(item: Property) -> bool:
    return isinstance(item, Always | Assertion | Reachable | NoDeadlock | NoFault)


class _Choice(Struct, frozen=True):
    """The choice of an initial value."""

    variable: Variable
    values: Sequence[int]

    @property
    def is_listed(self) -> bool:
        """Whether each value is an alternative of its own."""
        return len(self.values) <= LISTED or self.values[-1] - self.values[0] >= len(self.values)

    @property
    def waits(self) -> int:
        """In how many states it is not made yet, for each way in which those before it were."""
        return 1 if self.is_listed else len(self.values)


class _Terms(Infix):
    """Terms, none of which leaves 32 bits."""

    def of(self, a: Expr) -> str:
        """The text of a term. Raises ExportError."""
        if isinstance(a, IntExpr) and not all(end in NUMBERS for end in bounds(a)):
            raise ExportError(f"{a} has values of more than 32 bits, which Spin does not have")
        return super().of(a)


class _Writer:
    """Writes one system.

    Attributes:
        carried: the properties in it, each with the name of what is asserted.
        extra_states: how many states Spin stores in which initial values are still chosen.
    """

    def __init__(self, system: TransitionSystem, items: Sequence[Property]) -> None:
        self.system, self.items = system, items
        names = Spellings(_spelled, RESERVED)
        self._flags = {item.name: names.new(item.name) for item in items}
        self._variables: dict[Expr, str] = {variable: names.new(variable.name) for variable in system.variables}
        sorts = dict.fromkeys(v.sort for v in system.variables if isinstance(v.sort, EnumSort))
        self._values = {sort: [names.new(name) for name in sort.names] for sort in sorts}
        delayed = max((len(_delayed(action)) for action in system.actions), default=0)
        self._scratch = [names.new(f"new {number}") for number in range(delayed)]
        self._process = names.new("steps")
        self._terms = _Terms(SIGNS, self._variables, self._constant)
        chosen = (_Choice(variable, _starts(variable)) for variable in system.variables)
        self._choices = [choice for choice in chosen if len(choice.values) > 1]

    @property
    def carried(self) -> Iterator[tuple[str, str]]:
        """The properties in it, each with the name of what is asserted."""
        return iter(self._flags.items())

    @property
    def extra_states(self) -> int:
        """How many states Spin stores in which initial values are still chosen."""
        found, ways = 0, 1
        for choice in self._choices:
            found += ways * choice.waits
            ways *= len(choice.values)
        return found

    def lines(self, said: Sequence[str]) -> Iterator[str]:
        """The file, line by line."""
        yield "/*"
        yield from (f" * {remark(line)}" for line in (*said, *self._usage()))
        yield " */"
        yield from self._section("what is demanded: false, so that an assertion tells its name", self._demands())
        yield from self._section("values with names", self._constants())
        yield from self._section("variables", self._declarations())
        yield from self._section(
            "new values in a step, 0 between steps", (f"int {name} = 0;" for name in self._scratch)
        )
        yield ""
        yield f"active proctype {self._process}()"
        yield "{"
        yield from self._chosen()
        yield "end: do"
        yield from self._steps()
        yield from self._of_states()
        yield "  od;"
        yield from self._used()
        yield "}"

    def _usage(self) -> Iterator[str]:
        """How Spin is told to search it, and what its numbers mean."""
        vector = sum(_bytes(variable.sort) for variable in self.system.variables) + len(self.items)
        size = f" -DVECTORSZ={2 * vector}" if vector > VECTOR else ""
        yield ""
        yield f"spin -a FILE && gcc -O2 -DSAFETY -DNOREDUCE -DBFS{size} -o pan pan.c && ./pan -c0"
        yield "(-c0: go on where something is violated; without it the first one ends the search, and spin -t FILE shows the run)"
        yield "(Should pan say that its search depth is too small: -m and a larger number than 10000.)"
        extra = f"all but {self.extra_states}, where initial values are chosen" if self.extra_states else "all"
        yield f"Of the states stored {extra} are the system's."

    @staticmethod
    def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
        """A part of the file under a title; nothing, if there are no lines."""
        if found := list(lines):
            yield from ("", f"/* {title} */", *found)

    def _demands(self) -> Iterator[str]:
        for item in self.items:
            turned = " - it HOLDS if the assertion is violated" if isinstance(item, Reachable) else ""
            yield f"bool {self._flags[item.name]} = false; /* {remark(said_of(item) + turned)} */"

    def _constants(self) -> Iterator[str]:
        for sort, names in self._values.items():
            for number, (name, text) in enumerate(zip(names, sort.names, strict=True)):
                yield f"#define {name} {number} /* {remark(text)} */"

    def _declarations(self) -> Iterator[str]:
        for variable in self.system.variables:
            first = self._constant(variable.sort, _starts(variable)[0])
            said = remark(f"{variable.name}: {variable.sort}")
            yield f"{_type(variable)} {self._variables[variable]} = {first}; /* {said} */"

    def _constant(self, sort: Sort, stored: int) -> str:
        if isinstance(sort, EnumSort) and sort in self._values:
            return self._values[sort][stored]
        if sort is BOOL:
            return "true" if stored else "false"
        return str(stored) if stored >= 0 else f"({stored})"

    def _chosen(self) -> Iterator[str]:
        """The choices of initial values."""
        for choice in self._choices:
            name = self._variables[choice.variable]
            if choice.is_listed:
                yield "  if"
                yield from (f"  :: {name} = {self._constant(choice.variable.sort, value)}" for value in choice.values)
                yield "  fi;"
            else:
                yield f"  do :: d_step {{ {name} < {choice.values[-1]} -> {name} = {name} + 1 }} :: break od;"

    def _steps(self) -> Iterator[str]:
        """The alternatives of actions, process by process."""
        for process, actions in grouped(self.system):
            yield f"  /* ---- {remark(process)} */"
            for action in actions:
                yield f"  :: d_step {{ /* {action.index}: {remark(where(action))} */"
                yield f"       {self._terms[faultless(action)]} ->"
                yield from (f"       {line};" for line in self._effect(action))
                yield "     }"
                yield from self._faults(action)

    def _effect(self, action: Action) -> Iterator[str]:
        """What a step does: it says its name in a replay, asserts, and stores all at once."""
        yield f"printf({_quoted(f'{action.index} {action.process}: {action.name}')})"
        for check in action.checks:
            if check.property in self._flags:
                yield f"if :: {self._terms[not_(check.holds)]} -> assert({self._flags[check.property]}) :: else fi"
        delayed = _delayed(action)
        on_their_way = dict(zip(delayed, self._scratch, strict=False))
        yield from (f"{on_their_way[update]} = {self._terms[update.value]}" for update in delayed)
        for update in action.updates:
            if update not in on_their_way:
                yield f"{self._variables[update.variable]} = {self._terms[update.value]}"
        for update, name in on_their_way.items():
            yield f"{self._variables[update.variable]} = {name}; {name} = 0"

    def _faults(self, action: Action) -> Iterator[str]:
        """What is asserted where an action ends the run instead of being taken."""
        names = {item.kind: self._flags[item.name] for item in self.items if isinstance(item, NoFault)}
        for fault, condition in first_faults(action):
            if fault.kind in names:
                said = _quoted(f"{action.index} {action.process}: {action.name}: {fault.message}")
                yield f"  :: d_step {{ {self._terms[condition]} -> printf({said}); assert({names[fault.kind]}) }}"

    def _of_states(self) -> Iterator[str]:
        """What is asserted of states."""
        of_steps = (Assertion, NoFault)
        for item in self.items:
            condition = None if isinstance(item, of_steps) else shown_by(self.system, item)
            if condition is not None:
                yield f"  /* ---- {remark(said_of(item))} */"
                yield f"  :: d_step {{ {self._terms[condition]} -> assert({self._flags[item.name]}) }}"

    def _used(self) -> Iterator[str]:
        """A statement that nothing comes to, and that reads all variables: what a file only writes, Spin leaves out of states."""
        if self._variables:
            yield f"  /* never reached */ ({' || '.join(self._variables.values())})"


def _starts(variable: Variable) -> Sequence[int]:
    """The values that a variable may start with, in ascending order."""
    return variable.initial if isinstance(variable.initial, range) else sorted(set(variable.initial))


def _spelled(name: str, number: int) -> str:
    return f"{letters(name)}_" if number == 1 else f"{letters(name)}_{number}_"


def _quoted(text: str) -> str:
    """A label as a string that C and Spin print as it is."""
    line = "".join("_" if sign in '"\\%' else sign for sign in remark(text))
    return f'"{line[:LABEL]}\\n"'


def _type(variable: Variable) -> str:
    """The smallest type that holds a variable's values. Raises ExportError if there is none."""
    sort = variable.sort
    if sort is BOOL:
        return "bool"
    found = next((name for name, values, _ in TYPES if sort.low in values and sort.high in values), None)
    if found is None:
        raise ExportError(f"{variable.name} is {sort}: Spin's numbers have 32 bits")
    return found


def _bytes(sort: Sort) -> int:
    """How many bytes a value takes in Spin's states, at the most."""
    return next((size for _, values, size in TYPES if sort.low in values and sort.high in values), 4)


def _delayed(action: Action) -> list[Update]:
    """The updates of variables that other updates of the action read: these are stored last."""

    def read_elsewhere(update: Update) -> bool:
        others = (other.value for other in action.updates if other is not update)
        return update.variable in variables_of(*others)

    return [update for update in action.updates if read_elsewhere(update)]
