"""The search loop of one system as LLVM code: a function that takes every action of a state, and one for each condition.

They are made of the text that Python executes (`exploration.loop`), statement by statement, and do nothing that stands not there.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from draincheck.native.terms import Terms, not_understood
from draincheck.native.width import WORD, words_of
from draincheck.native.writing import FunctionText

__all__ = ["condition_in", "condition_text", "conditions_in", "expand_text", "listed_text"]


def expand_text(loop: ast.Module, bits: int) -> str:
    """The function `expand` of a search loop whose states have so many bits.

    It takes the actions of state number `index` of an array, appends the states after them to `out`, which has `count` of them, marks in
    `fired` which were taken, and stores in `noted` the least state in which each note was made. Its value is twice the number of states
    that were appended, and one more if any action was enabled.
    """
    return _written(_Expansion, loop, bits)


def _written(kind: type[_Expansion], loop: ast.Module, bits: int) -> str:
    """The function of a search loop, and the one that it calls if it brings components into order."""
    order = _order_of(loop)
    writer = kind(bits, orders=order is not None)
    writer.statements(_body_of(loop))
    return writer.ended() if order is None else f"{_order_text(order, bits)}\n\n{writer.ended()}"


def _order_of(loop: ast.Module) -> ast.expr | None:
    """The state in which components are in order, in a system that brings some into order."""
    functions = (node for node in loop.body if isinstance(node, ast.FunctionDef) and node.name == "in_order")
    found = next((node.value for each in functions for node in ast.walk(each) if isinstance(node, ast.Return)), None)
    return found.elt if isinstance(found, ast.ListComp) else None


def _order_text(order: ast.expr, bits: int) -> str:
    """The function that brings the components of a state into order."""
    width = words_of(bits) * WORD
    text = FunctionText(f"define internal i{width} @in_order(i{width} %s)")
    text.do(f"ret i{width} {Terms(text.value, bits).number(order, width)}")
    return str(text)


def listed_text(loop: ast.Module, bits: int) -> str:
    """The function `listed` of such a loop: as `expand`, but it says of each state that it appends which action leads there, and of each note where.

    Actions stand in `acts`, at the places that the states after them have in `out`; notes are appended to `met`, whose first word counts them.
    """
    return _written(_Listing, loop, bits)


def conditions_in(loop: ast.Module) -> Sequence[ast.expr]:
    """The conditions that were announced."""
    lists = [node.value for node in loop.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.List)]
    return [condition_in(each) for each in lists[0].elts]


def condition_in(node: ast.expr) -> ast.expr:
    """The condition of `lambda states: [s for s in states if ...]`."""
    match node:
        case ast.Lambda(body=ast.ListComp(generators=[ast.comprehension(ifs=[condition])])):
            return condition
        case _:
            raise not_understood(node)


def condition_text(name: str, condition: ast.expr, bits: int) -> str:
    """The function of this name that says whether a condition holds in state number `index` of an array."""
    text = FunctionText(f"define i64 @{name}(ptr %states, i64 %index)")
    _load_state(text, words_of(bits))
    found = Terms(text.value, bits).condition(condition)
    text.do(f"ret i64 {text.value(f'zext i1 {found} to i64')}")
    return str(text)


def _load_state(text: FunctionText, words: int) -> None:
    text.do(f"%first = mul i64 %index, {words}")
    text.do("%place = getelementptr i64, ptr %states, i64 %first")
    text.do(f"%s = load i{words * WORD}, ptr %place, align 8")


def _body_of(loop: ast.Module) -> Sequence[ast.stmt]:
    """What is done with a state."""
    found = next(node for node in ast.walk(loop) if isinstance(node, ast.For))
    return found.body


class _Expansion:
    """The function `expand` in the making."""

    head = "define i64 @expand(ptr %states, i64 %index, ptr %out, i64 %count, ptr %fired, ptr %noted)"

    def __init__(self, bits: int, orders: bool) -> None:
        self._orders = orders
        self._words = words_of(bits)
        self._state = f"i{self._words * WORD}"
        self._text = text = FunctionText(self.head)
        self._enabled, self._count = text.variable("m", "i64"), text.variable("count", "i64")
        text.do(f"store i64 %count, ptr {self._count}")
        _load_state(text, self._words)
        self._terms = Terms(text.value, bits)

    def ended(self) -> str:
        """The whole function."""
        text = self._text
        found = text.value(f"sub i64 {text.value(f'load i64, ptr {self._count}')}, %count")
        enabled = text.value(f"load i64, ptr {self._enabled}")
        twice = text.value(f"shl i64 {found}, 1")
        text.do(f"ret i64 {text.value(f'add i64 {twice}, {enabled}')}")
        return str(text)

    def statements(self, body: Sequence[ast.stmt]) -> None:
        """Write what statements do. A name that one of them binds is known to those behind it, in the same block."""
        known = dict(self._terms.names)
        for statement in body:
            self._statement(statement)
        self._terms.names = known

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.If(test=ast.UnaryOp(operand=ast.Name(id="m"))):
                pass  # a dead state: told by the value of the function
            case ast.If(test=test, body=body, orelse=otherwise):
                self._choice(test, body, otherwise)
            case ast.Assign(targets=[ast.Name(id="m")], value=ast.Constant(value=bool(value))):
                self._text.do(f"store i64 {int(value)}, ptr {self._enabled}")
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._terms.names[name] = value
            case ast.Expr(value=ast.Call(func=ast.Name(id=name), args=[argument])):
                self._call(name, argument)
            case _:
                raise not_understood(node)

    def _choice(self, test: ast.expr, body: Sequence[ast.stmt], otherwise: Sequence[ast.stmt]) -> None:
        text = self._text
        then, other, behind = text.blocks(3)
        text.branch(self._terms.condition(test), then, other)
        text.block(then, falls_through=False)
        self.statements(body)
        text.do(f"br label %{behind}")
        text.block(other, falls_through=False)
        self.statements(otherwise)
        text.block(behind)

    def _call(self, name: str, argument: ast.expr) -> None:
        match name, argument:
            case "put", _:
                self._put(argument)
            case "act", ast.Constant(value=int(index)):
                self._act(index)
            case "note", ast.Tuple(elts=[ast.Constant(value=int(number)), ast.Name(id="s")]):
                self._note(number)
            case "end", _:
                pass
            case _:
                raise not_understood(argument)

    def _put(self, successor: ast.expr) -> None:
        text = self._text
        after = self._terms.number(successor, self._words * WORD)
        if self._orders:
            after = text.value(f"call {self._state} @in_order({self._state} {after})")
        count = text.value(f"load i64, ptr {self._count}")
        place = text.value(f"getelementptr i64, ptr %out, i64 {self._times_words(count)}")
        text.do(f"store {self._state} {after}, ptr {place}, align 8")
        text.do(f"store i64 {text.value(f'add i64 {count}, 1')}, ptr {self._count}")

    def _act(self, index: int) -> None:
        self._text.do(f"store i8 1, ptr {self._text.value(f'getelementptr i8, ptr %fired, i64 {index}')}")

    def _times_words(self, count: str) -> str:
        return self._text.value(f"mul i64 {count}, {self._words}") if self._words > 1 else count

    def _note(self, number: int) -> None:
        text = self._text
        place = text.value(f"getelementptr i64, ptr %noted, i64 {number * self._words}")
        before = text.value(f"load {self._state}, ptr {place}, align 8")
        less = text.value(f"icmp ult {self._state} %s, {before}")
        least = text.value(f"select i1 {less}, {self._state} %s, {self._state} {before}")
        text.do(f"store {self._state} {least}, ptr {place}, align 8")


class _Listing(_Expansion):
    """The function `listed` in the making."""

    head = "define i64 @listed(ptr %states, i64 %index, ptr %out, i64 %count, ptr %acts, ptr %met)"

    def _act(self, index: int) -> None:
        """The state after it has just been appended."""
        text = self._text
        last = text.value(f"sub i64 {text.value(f'load i64, ptr {self._count}')}, 1")
        text.do(f"store i64 {index}, ptr {text.value(f'getelementptr i64, ptr %acts, i64 {last}')}, align 8")

    def _note(self, number: int) -> None:
        text = self._text
        count = text.value(f"add i64 {text.value('load i64, ptr %met, align 8')}, 1")
        text.do(f"store i64 {number}, ptr {text.value(f'getelementptr i64, ptr %met, i64 {count}')}, align 8")
        text.do(f"store i64 {count}, ptr %met, align 8")
