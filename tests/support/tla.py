"""A small reader of TLA+ that knows nothing of this project: a module is parsed by the package `tla`, its states are explored as TLC does.

It understands what a module of variables, one conjunction for each action and a disjunction of these needs, and refuses everything else. Values of
different kinds are never equal: comparing them is an error, as it is for TLC.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

import tla

__all__ = ["Module", "ReadError", "States"]

State = tuple[Any, ...]


class ReadError(Exception):
    """A module that this reader does not understand, or that means nothing."""


class Step(NamedTuple):
    """An action: where it can be taken, and the value of each variable after it."""

    name: str
    guard: Callable[[State], Any]
    after: Callable[[State], State]


class States(NamedTuple):
    """All that can be reached: states in the order in which they were found, and what leads where by which actions."""

    order: list[State]
    edges: dict[State, list[tuple[str, State]]]


def _equal(left: Any, right: Any) -> bool:
    if type(left) is not type(right):
        raise ReadError(f"{left!r} and {right!r} are compared")
    return bool(left == right)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ReadError(f"{value!r} is no truth value")
    return value


_SIGNS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "+": "+"}


class Module:
    """A module that was read; the text behind its end is the configuration."""

    def __init__(self, text: str) -> None:
        read: Any = tla.parse(text)
        self.name: str = read.name
        self.variables = [str(item.operator) for unit in read.units for item in getattr(unit, "names", ())]
        self._definitions = {unit.name: unit.definiens for unit in read.units if hasattr(unit, "definiens")}
        if twice := {name for name in self.variables if self.variables.count(name) > 1 or name in self._definitions}:
            raise ReadError(f"defined twice: {twice}")
        if len(self._definitions) != sum(hasattr(unit, "definiens") for unit in read.units):
            raise ReadError("a definition stands there twice")
        self.configuration = text.partition("\n====\n")[2].split("\n")

    def configured(self, word: str) -> list[str]:
        """The names behind a word in the configuration."""
        return [line.removeprefix(f"{word} ") for line in self.configuration if line.startswith(f"{word} ")]

    # terms as Python

    def predicate(self, node: Any) -> Callable[[State], Any]:
        """What a term without primes is in a state; a definition may be given by its name."""
        node = self._definitions[node] if isinstance(node, str) else node
        found: Callable[[State], Any] = eval(f"lambda s: {self._text(node)}", {"eq": _equal, "truth": _truth})
        return found

    def _text(self, node: Any) -> str:
        match type(node).__name__, node:
            case "Parentheses", (_, inner, *_):
                return self._text(inner)
            case "If", (_, test, then, otherwise, *_):
                return f"({self._text(then)} if truth({self._text(test)}) else {self._text(otherwise)})"
            case "VerticalList", (_, sign, items, *_):
                return self._joined(sign, [item.expression for item in items])
            case "IntegralNumeral", _:
                return str(int(node.value))
            case "BooleanLiteral", _:
                return str(node.value == "TRUE")
            case "StringLiteral", _:
                return repr(node.value[1:-1].replace('\\"', '"').replace("\\\\", "\\"))
            case "SetOfBooleans", _:
                return "(False, True)"
            case "SetEnumeration", (_, items, *_):
                return f"({''.join(f'{self._text(item)}, ' for item in items)})"
            case "OperatorApplication", _:
                return self._applied(str(node.operator), list(node.arguments or []))
        raise ReadError(f"not understood: {node}")

    def _applied(self, operator: str, arguments: list[Any]) -> str:
        if not arguments:
            return self._named(operator)
        if operator in ("/\\", "\\/"):
            return self._joined(operator, arguments)
        texts = [self._text(each) for each in arguments]
        match operator, texts:
            case "~", [inner]:
                return f"(not truth({inner}))"
            case "-", [inner]:
                return f"(-({inner}))"
            case "-", [left, right]:
                return f"({left} - {right})"
            case "..", [left, right]:
                return f"range({left}, {right} + 1)"
            case "=", [left, right]:
                return f"eq({left}, {right})"
            case "\\in", [left, right]:
                return f"any(eq({left}, each) for each in {right})"
            case _, [left, right] if operator in _SIGNS:
                return f"({left} {_SIGNS[operator]} {right})"
        raise ReadError(f"not understood: {operator} of {len(arguments)}")

    def _joined(self, operator: str, parts: Sequence[Any]) -> str:
        word = {"/\\": " and ", "\\/": " or "}[operator]
        return f"({word.join(f'truth({self._text(part)})' for part in parts)})"

    def _named(self, name: str) -> str:
        if name in self.variables:
            return f"s[{self.variables.index(name)}]"
        if name in self._definitions:
            return self._text(self._definitions[name])
        raise ReadError(f"nothing is called {name}")

    # states

    def _parts(self, node: Any, sign: str) -> Iterator[Any]:
        """The arguments of a conjunction or disjunction, however it is nested or written."""
        match type(node).__name__, node:
            case "VerticalList", (_, found, items, *_) if found == sign:
                for item in items:
                    yield from self._parts(item.expression, sign)
            case "OperatorApplication", _ if node.operator == sign:
                for each in node.arguments:
                    yield from self._parts(each, sign)
            case "OperatorApplication", _ if (
                sign == "\\/" and not node.arguments and node.operator in self._definitions
            ):
                inner = self._definitions[node.operator]
                nested = type(inner).__name__ == "OperatorApplication" and (
                    inner.operator == "\\/" or inner.operator in self._definitions
                )
                yield from self._parts(inner, sign) if nested else [node]
            case _:
                yield node

    @cached_property
    def initial(self) -> list[State]:
        """The states that `Init` describes."""
        values: dict[str, list[Any]] = {}
        for part in self._parts(self._definitions["Init"], "/\\"):
            name, found = part.arguments[0].operator, self.predicate(part.arguments[1])(())
            if part.operator not in ("=", "\\in") or name in values:
                raise ReadError(f"not understood: {part}")
            values[name] = [found] if part.operator == "=" else list(found)
        return list(dict.fromkeys(product(*(values[name] for name in self.variables))))

    @cached_property
    def steps(self) -> list[Step]:
        """The actions that `Next` is made of."""
        parts = self._parts(self._definitions["Next"], "\\/")
        return [self._step(part) for part in parts if type(part).__name__ != "BooleanLiteral"]

    def _step(self, node: Any) -> Step:
        guards: list[str] = []
        after: dict[str, str] = {}
        for part in self._parts(self._definitions[node.operator], "/\\"):
            stored = self._stores(part)
            if stored.keys() & after.keys():
                raise ReadError(f"{node.operator} stores twice: {stored.keys() & after.keys()}")
            after |= stored
            guards += [] if stored else [self._text(part)]
        if after.keys() != set(self.variables):
            raise ReadError(f"{node.operator} leaves open what becomes of {set(self.variables) - after.keys()}")
        made = f"lambda s: ({''.join(f'{after[name]}, ' for name in self.variables)})"
        names = {"eq": _equal, "truth": _truth}
        guard = eval(f"lambda s: {' and '.join(f'truth({g})' for g in guards) or 'True'}", names)
        return Step(str(node.operator), guard, eval(made, names))

    def _stores(self, part: Any) -> dict[str, str]:
        """What a conjunct says of variables after a step, if it does."""
        if type(part).__name__ != "OperatorApplication" or not part.arguments:
            return {}
        if part.operator == "UNCHANGED":
            return {str(item.operator): self._named(str(item.operator)) for item in part.arguments[0].items}
        left = part.arguments[0]
        if part.operator == "=" and getattr(left, "operator", "") == "'":
            return {str(left.arguments[0].operator): self._text(part.arguments[1])}
        return {}

    @cached_property
    def states(self) -> States:
        """All reachable states and steps. Raises ReadError where one leaves `TypeOK`, if the configuration has that."""
        found = States(list(self.initial), {})
        seen = set(found.order)
        for state in found.order:
            found.edges[state] = [(step.name, step.after(state)) for step in self.steps if step.guard(state)]
            for _, after in found.edges[state]:
                if after not in seen:
                    seen.add(after)
                    found.order.append(after)
        return found

    def violated(self) -> set[str]:
        """The invariants of the configuration that some reachable state violates, and the properties that some run does."""
        invariants = {name: self.predicate(name) for name in self.configured("INVARIANT")}
        broken = {n for n, holds in invariants.items() if any(not _truth(holds(state)) for state in self.states.order)}
        return broken | {name for name in self.configured("PROPERTY") if self._runs_violate(self._definitions[name])}

    # runs: a run may always stay where it is, unless `Fairness` forbids it

    def _runs_violate(self, node: Any) -> bool:
        *triggers, goal = [self.predicate(each) for each in node.arguments]
        starts = self.initial if node.operator == "<>" else self.states.order
        if node.operator not in ("<>", "~>") or len(triggers) != (node.operator == "~>"):
            raise ReadError(f"not understood: {node}")
        waiting = {s for s in starts if all(trigger(s) for trigger in triggers) and not goal(s)}
        todo = list(waiting)
        for state in todo:
            new = {after for _, after in self.states.edges[state] if not goal(after)} - waiting
            waiting |= new
            todo += new
        return self._some_fair_run(waiting, self._promises)

    @cached_property
    def _promises(self) -> list[list[tuple[str, Any]]]:
        """`Fairness`: a conjunction of disjunctions of `[]<>P`, `<>[]P` and `[]<><<A>>_vars`."""
        whole = self._definitions["Fairness"]
        if type(whole).__name__ == "BooleanLiteral":
            return []
        named = [self._definitions[str(part.operator)] for part in self._parts(whole, "/\\")]
        return [[self._atom(part) for part in self._parts(each, "\\/")] for each in named]

    def _atom(self, node: Any) -> tuple[str, Any]:
        outer, (inner,) = node.operator, node.arguments
        (body,) = inner.arguments
        if type(body).__name__ == "SubscriptedAction":
            _, mark, action, subscript, *_ = body
            if (outer, inner.operator, mark, subscript.operator) != ("[]", "<>", "<<", "vars"):
                raise ReadError(f"not understood: {node}")
            return "taken", {str(part.operator) for part in self._parts(action, "\\/") if hasattr(part, "operator")}
        return {("[]", "<>"): "again", ("<>", "[]"): "from then on"}[outer, inner.operator], self.predicate(body)

    def _some_fair_run(self, states: Collection[State], promises: Sequence[Sequence[tuple[str, Any]]]) -> bool:
        """Whether some run stays among some states for ever, visits all of a component of them again and again, and keeps the promises."""
        edges = {s: [(n, t) for n, t in self.states.edges[s] if t in states] for s in states}
        for component in _components(edges):
            broken = next((each for each in promises if not _kept(each, component, edges)), None)
            if broken is None:
                return True
            for holds in (holds for kind, holds in broken if kind == "from then on"):
                fewer = {state for state in component if holds(state)}
                if len(fewer) < len(component) and fewer and self._some_fair_run(fewer, promises):
                    return True
        return False


def _kept(promise: Iterable[tuple[str, Any]], states: Collection[State], edges: Mapping[State, Any]) -> bool:
    for kind, what in promise:
        if kind == "taken":
            if any(name in what and t in states and t != s for s in states for name, t in edges[s]):
                return True
        elif (any if kind == "again" else all)(_truth(what(state)) for state in states):
            return True
    return False


def _components(edges: Mapping[State, Sequence[tuple[str, State]]]) -> Iterator[set[State]]:
    """The strongly connected components: who reaches whom, both ways; written to be read, for small graphs."""
    left = set(edges)
    backward: dict[State, list[State]] = {state: [] for state in edges}
    for state, steps in edges.items():
        for _, after in steps:
            backward[after].append(state)
    while left:
        start = next(iter(left))
        component = _reached(start, lambda s: (t for _, t in edges[s])) & _reached(start, backward.__getitem__)
        left -= component
        yield component


def _reached(start: State, onward: Callable[[State], Iterable[State]]) -> set[State]:
    found, todo = {start}, [start]
    for state in todo:
        new = set(onward(state)) - found
        found |= new
        todo += new
    return found
