"""TLA+, for TLC, Apalache and TLAPS: a module with a definition for each action, process and property.

What is promised of runs is a formula of its own: TLA+ knows no step that changes nothing, and its WF and SF do not count one. Here such a step
is taken, so an assumption is also kept where one of its actions may go on without changing anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from draincheck import op
from draincheck.engines.smt.operators import possible
from draincheck.export.contents import Exported, Origin, grouped, heading, left_out, refuse_no_variables, said_of, where
from draincheck.export.infix import Infix, Signs
from draincheck.export.naming import Spellings, letters, remark
from draincheck.expr import BoolExpr, Expr, all_, any_, eq, not_
from draincheck.naturals import is_natural
from draincheck.promise import Fairness, Strength
from draincheck.properties import Always, CanAlwaysFinish, Eventually, LeadsTo, Liveness, Property, Reachable
from draincheck.semantics.violation import faultless, shown_by
from draincheck.sorts import BOOL, EnumSort, Sort
from draincheck.system import Action, TransitionSystem, Variable

__all__ = ["to_tla"]

SIGNS = Signs(
    between={op.AND: "/\\", op.OR: "\\/", op.EQ: "=", op.LT: "<", op.LE: "<=", op.ADD: "+", op.SUB: "-"},
    negation="~",
    choice="(IF {0} THEN {1} ELSE {2})",
)

#: words that name nothing in a module, and what every module has here
RESERVED = frozenset({
    "ACTION", "ASSUME", "ASSUMPTION", "AXIOM", "BOOLEAN", "BY", "CASE", "CHOOSE", "CONSTANT", "CONSTANTS", "COROLLARY", "DEF", "DEFINE",
    "DEFS", "DOMAIN", "ELSE", "ENABLED", "EXCEPT", "EXTENDS", "FALSE", "HAVE", "HIDE", "IF", "IN", "INSTANCE", "Int", "LAMBDA", "LEMMA",
    "LET", "LOCAL", "MODULE", "NEW", "Nat", "OBVIOUS", "OMITTED", "ONLY", "OTHER", "PICK", "PROOF", "PROPOSITION", "PROVE", "QED",
    "RECURSIVE", "STATE", "STRING", "SUBSET", "SUFFICES", "TAKE", "TEMPORAL", "THEN", "THEOREM", "TRUE", "UNCHANGED", "UNION", "USE",
    "VARIABLE", "VARIABLES", "WITH", "WITNESS", "vars", "TypeOK", "Init", "Next", "Fairness", "Spec",
    "Bags", "FiniteSets", "Integers", "Naturals", "Randomization", "Reals", "Sequences", "TLC", "TLCExt",
})  # fmt: skip

#: what a larger number means for TLC
LARGE = range(-(1 << 31), 1 << 31)


def to_tla(system: TransitionSystem, items: Sequence[Property], origin: Origin) -> Exported:
    """The system with some of its properties. Raises ExportError for a system without variables."""
    refuse_no_variables(system)
    lacking = left_out(system, items, "")
    carried = [item for item in items if not _is_left_out(system, item)]
    writer = _Writer(system, carried, origin)
    text = "\n".join(writer.lines([*heading(system, origin, items, lacking)])) + "\n"
    return Exported(text, tuple((item.name, writer.called[item]) for item in carried), lacking)


def _is_left_out(system: TransitionSystem, item: Property) -> bool:
    return isinstance(item, CanAlwaysFinish) or (isinstance(item, Liveness) and bool(system.quotient))


class _Writer:
    """Writes one system."""

    def __init__(self, system: TransitionSystem, items: Sequence[Property], origin: Origin) -> None:
        self.system, self.items = system, items
        names = Spellings(_spelled, RESERVED)
        self.module = origin.file if _is_name(origin.file) else _module(system.name)
        self._variables: dict[Expr, str] = {variable: names.new(variable.name) for variable in system.variables}
        self._steps = [names.new(action.name) for action in system.actions]
        self._processes = {name: names.new(name) for name, _ in grouped(system)}
        self.called = {item: names.new(item.name) for item in items}
        self._promises = [names.new(f"fair {fairness.name}") for fairness in system.fairness]
        self._terms = Infix(SIGNS, self._variables, _constant)

    def lines(self, said: Sequence[str]) -> Iterator[str]:
        """The file, line by line."""
        yield f"---- MODULE {self.module} ----"
        yield from (f"\\* {remark(line)}".rstrip() for line in (*said, *self._usage()))
        yield from ("EXTENDS Integers", "", "VARIABLES")
        yield from self._declarations()
        yield from ("", f"vars == <<{', '.join(self._variables.values())}>>", "", "TypeOK ==")
        yield from (f"  /\\ {self._variables[v]} \\in {_values(v.sort)}" for v in self.system.variables)
        yield from ("", "Init ==")
        yield from (f"  /\\ {self._variables[v]} {_starts(v)}" for v in self.system.variables)
        yield from self._actions()
        yield from ("", f"Next == {self._any(list(self._processes.values()))}", "")
        yield from self._fairness()
        yield from self._demands()
        yield from ("", "====")
        yield from self._configuration()

    def _usage(self) -> Iterator[str]:
        """How TLC is told to check it."""
        yield ""
        yield f"sed '1,/^====/d' {self.module}.tla > {self.module}.cfg && java -jar tla2tools.jar -deadlock -continue {self.module}"
        yield "(-deadlock: do not look for deadlocks, which properties here do; -continue: go on where something is violated)"
        if any(isinstance(item, Reachable) for item in self.called):
            yield "What is to be reached is an invariant that has to be violated."
        yield "TLC stores as many distinct states as the system has."
        if any(not (v.sort.low in LARGE and v.sort.high in LARGE) for v in self.system.variables):
            yield "Some numbers have more than 32 bits: TLC ends with an error where it comes to one."

    def _declarations(self) -> Iterator[str]:
        last = len(self._variables) - 1
        for number, (variable, name) in enumerate(self._variables.items()):
            yield f"  {name}{'' if number == last else ','} \\* {remark(f'{variable.name}: {variable.sort}')}"

    def _actions(self) -> Iterator[str]:
        """A definition for each action, and one for each process."""
        for process, actions in grouped(self.system):
            for action in actions:
                yield from (
                    "",
                    f"\\* {action.index} {remark(f'{process}: {where(action)}')}",
                    f"{self._steps[action.index]} ==",
                )
                yield f"  /\\ {self._terms[faultless(action)]}"
                yield from self._stored(action)
            yield from ("", f"{self._processes[process]} == {self._any([self._steps[a.index] for a in actions])}")

    def _stored(self, action: Action) -> Iterator[str]:
        """What variables are after a step."""
        written = {update.variable: update.value for update in action.updates}
        for variable, value in written.items():
            yield f"  /\\ {self._variables[variable]}' = {self._terms.inside(value)}"
        if kept := [name for variable, name in self._variables.items() if variable not in written]:
            yield f"  /\\ UNCHANGED <<{', '.join(kept)}>>"

    @staticmethod
    def _any(names: Sequence[str]) -> str:
        return " \\/ ".join(names) if names else "FALSE"

    def _fairness(self) -> Iterator[str]:
        """What is promised, and the whole."""
        for fairness, name in zip(self.system.fairness, self._promises, strict=True):
            yield f"\\* {remark(str(fairness))}"
            yield f"{name} =="
            yield from (f"  \\/ {part}" for part in self._promise(fairness))
            yield ""
        yield "Fairness == " + (" /\\ ".join(self._promises) or "TRUE")
        yield ""
        yield "Spec == Init /\\ [][Next]_vars /\\ Fairness"

    def _promise(self, fairness: Fairness) -> Iterator[str]:
        """That a group of actions is not neglected: seldom enabled, or taken, with or without a change."""
        actions = [self.system.actions[index] for index in fairness.actions]
        enabled = self._terms[not_(any_(*(action.guard for action in actions)))]
        idle = [where for where in map(_changes_nothing, actions) if possible(where)]
        yield f"[]<>({enabled})" if fairness.strength is Strength.WEAK else f"<>[]({enabled})"
        if idle:
            yield f"[]<>({self._terms[any_(*idle)]})"
        yield f"[]<><<{self._any([self._steps[action.index] for action in actions])}>>_vars"

    def _demands(self) -> Iterator[str]:
        for item, name in self.called.items():
            turned = " - it HOLDS if this is violated" if isinstance(item, Reachable) else ""
            yield from ("", f"\\* {remark(said_of(item) + turned)}", f"{name} == {self._demand(item)}")

    def _demand(self, item: Property) -> str:
        match item:
            case Always(holds=condition):
                return self._terms[condition]
            case Eventually(goal=goal):
                return f"<>({self._terms[goal]})"
            case LeadsTo(trigger=trigger, goal=goal):
                return f"({self._terms[trigger]}) ~> ({self._terms[goal]})"
        shown = shown_by(self.system, item)
        assert shown is not None, item
        return self._terms[not_(shown)]

    def _configuration(self) -> Iterator[str]:
        yield "SPECIFICATION Spec"
        yield "INVARIANT TypeOK"
        for item, name in self.called.items():
            yield f"{'PROPERTY' if isinstance(item, Liveness) else 'INVARIANT'} {name}"


def _changes_nothing(action: Action) -> BoolExpr:
    """Where an action can be taken and leaves every variable as it is."""
    return all_(faultless(action), *(eq(update.variable, update.value) for update in action.updates))


def _is_name(text: str) -> bool:
    return bool(text) and letters(text) == text and _spelled(text, 1) == text and text not in RESERVED


def _module(title: str) -> str:
    """A name for a module of this title."""
    text = _spelled(title, 1)
    return text if _is_name(text) else f"{text}_"


def _spelled(name: str, number: int) -> str:
    """What WF_ and SF_ begin is no name."""
    text = letters(name)
    text = f"x_{text}" if text.startswith(("WF_", "SF_")) else text
    return text if number == 1 else f"{text}_{number}"


def _constant(sort: Sort, stored: int) -> str:
    if isinstance(sort, EnumSort):
        return _quoted(sort.names[stored])
    if sort is BOOL:
        return "TRUE" if stored else "FALSE"
    return str(stored) if stored >= 0 else f"({stored})"


def _quoted(name: str) -> str:
    """A string of printable ASCII, another one for every name."""
    plain = name.encode("unicode_escape").decode("ascii")
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _values(sort: Sort) -> str:
    """The set of a sort's values."""
    if isinstance(sort, EnumSort):
        return f"{{{', '.join(map(_quoted, sort.names))}}}"
    if sort is BOOL:
        return "BOOLEAN"
    low = _constant(sort, sort.low)
    if is_natural(sort):
        return "Nat" if sort.low == 0 else f"{{n \\in Int: n >= {low}}}"
    return f"{low}..{_constant(sort, sort.high)}"


def _starts(variable: Variable) -> str:
    """That a variable starts as it may; one without initial values with any of its sort."""
    sort, values = variable.sort, variable.initial
    if not values:
        return f"\\in {_values(sort)}"
    if len(values) == 1:
        return f"= {_constant(sort, values[0])}"
    if values == range(sort.low, sort.high + 1):
        return f"\\in {_values(sort)}"
    if isinstance(values, range) and not isinstance(sort, EnumSort):
        return f"\\in {_constant(sort, values[0])}..{_constant(sort, values[-1])}"
    return f"\\in {{{', '.join(_constant(sort, value) for value in sorted(set(values)))}}}"
