"""From the kernel's functions, which are plain Python, to LLVM assembly: words without a sign, states of some words, arrays of both."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from draincheck.native.terms import chosen, not_understood
from draincheck.native.width import WORD
from draincheck.native.writing import FunctionText

__all__ = ["Signature", "kernel_functions"]

_ARITHMETIC: Mapping[type[ast.AST], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.BitAnd: "and", ast.BitOr: "or", ast.LShift: "shl", ast.RShift: "lshr",
}  # fmt: skip
_COMPARED: Mapping[type[ast.AST], str] = {
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Lt: "ult",
    ast.LtE: "ule",
    ast.Gt: "ugt",
    ast.GtE: "uge",
}

#: functions that are written out where they are called
INLINED = frozenset(("store_in", "behind", "insert", "store_in_together", "insert_together", "find"))

#: what an array has in it
_ELEMENTS = {"Shared": "Word", "Words": "Word", "States": "State", "Halves": "Half", "Bytes": "Byte"}

#: elements that are narrower than a word: their type in memory, and their bytes
_NARROW: Mapping[str, tuple[str, int]] = {"Byte": ("i8", 1), "Half": ("i32", 4)}


class Signature(NamedTuple):
    """The kinds of a function's parameters, and of its value."""

    takes: Sequence[str]
    gives: str


class Typed(Struct, frozen=True):
    """A value, and what kind it is: a Word, a State, or a constant that is either."""

    text: str
    kind: str


def kernel_functions(
    sources: Iterable[str], words: int, constants: Mapping[str, int], known: Mapping[str, Signature]
) -> str:
    """All functions of a kernel for states of some words; `known` are those that are there without it."""
    nodes = (node for source in sources for node in ast.parse(source).body)
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    signatures = {**known, **{node.name: _signature(node) for node in functions}}
    return "\n\n".join(_Function(node, words, constants, signatures).text() for node in functions)


def _signature(node: ast.FunctionDef) -> Signature:
    return Signature([ast.unparse(arg.annotation) for arg in node.args.args if arg.annotation], "Word")


class _Function:
    """One function in the making."""

    def __init__(
        self, node: ast.FunctionDef, words: int, constants: Mapping[str, int], signatures: Mapping[str, Signature]
    ) -> None:
        self._node, self._words = node, words
        self._constants, self._signatures = constants, signatures
        self._kinds = dict(zip([arg.arg for arg in node.args.args], signatures[node.name].takes, strict=True))
        self._registers = {name: f"%{name}" for name in self._kinds}
        self._scalars: dict[str, str] = {}
        head = ", ".join(f"{self._type(kind)} %{name}" for name, kind in self._kinds.items())
        inlined = " alwaysinline" if node.name in INLINED else ""
        self._write = FunctionText(f"define i64 @{node.name}({head}){inlined}")

    def text(self) -> str:
        """The whole of it."""
        for name, kind in self._kinds.items():
            if kind in ("Word", "State"):
                self._store(name, Typed(f"%{name}", kind))
        if self._body(self._node.body):
            raise ValueError(f"{self._node.name} has an end without a value")
        return str(self._write)

    def _type(self, kind: str) -> str:
        return {"Word": "i64", "constant": "i64", "State": f"i{self._words * WORD}"}.get(kind, "ptr")

    def _store(self, name: str, value: Typed) -> None:
        if name not in self._scalars:
            self._scalars[name] = value.kind if value.kind != "constant" else "Word"
            self._write.variable(name, self._type(self._scalars[name]))
        self._write.do(f"store {self._type(self._scalars[name])} {value.text}, ptr %at.{name}, align 8")

    # -- statements ---------------------------------------------------------------------------------

    def _body(self, body: Sequence[ast.stmt]) -> bool:
        """Write statements; whether what stands behind them can be reached."""
        return all(map(self._statement, body))

    def _statement(self, node: ast.stmt) -> bool:
        match node:
            case ast.Expr(value=ast.Constant()):
                pass
            case ast.Expr(value=ast.Call() as call):
                self._call(call)
            case ast.Assign(targets=[target], value=value):
                self._assign(target, self._value(value))
            case ast.AnnAssign(target=target, annotation=ast.Name(id="Word"), value=ast.expr() as value):
                self._assign(target, self._value(value))
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id=kind), value=ast.expr() as value):
                self._kinds[name] = kind
                self._registers[name] = self._write.value(f"inttoptr i64 {self._value(value).text} to ptr")
            case ast.AugAssign(target=target, op=operator, value=value):
                self._assign(target, self._binary(self._value(target), operator, self._value(value)))
            case ast.Return(value=ast.expr() as value):
                self._write.do(f"ret i64 {self._value(value).text}")
                return False
            case ast.If():
                return self._choice(node)
            case ast.While():
                return self._loop(node)
            case _:
                raise not_understood(node)
        return True

    def _assign(self, target: ast.expr, value: Typed) -> None:
        match target:
            case ast.Name(id=name):
                self._store(name, value)
            case ast.Subscript():
                place, kind = self._place(target)
                element, size = self._element(kind)
                if kind in _NARROW:
                    value = Typed(self._write.value(f"trunc i64 {value.text} to {element}"), kind)
                self._write.do(f"store {element} {value.text}, ptr {place}, align {size}")
            case _:
                raise not_understood(target)

    def _choice(self, node: ast.If) -> bool:
        then, other, behind = self._write.blocks(3)
        self._branch(node.test, then, other)
        reached = False
        for name, body in ((then, node.body), (other, node.orelse)):
            self._write.block(name, falls_through=False)
            if self._body(body):
                self._write.do(f"br label %{behind}")
                reached = True
        if reached:
            self._write.block(behind, falls_through=False)
        return reached

    def _loop(self, node: ast.While) -> bool:
        again, inside, behind = self._write.blocks(3)
        endless = isinstance(node.test, ast.Constant)
        self._write.block(again)
        if not endless:
            self._branch(node.test, inside, behind)
            self._write.block(inside, falls_through=False)
        if self._body(node.body):
            self._write.do(f"br label %{again}")
        if not endless:
            self._write.block(behind, falls_through=False)
        return not endless

    def _branch(self, test: ast.expr, then: str, otherwise: str) -> None:
        """End a block by a choice; what stands behind an `and` is looked at only where that matters."""
        *before, last = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]
        for part in before:
            (behind,) = self._write.blocks(1)
            self._write.branch(self._condition(part), behind, otherwise)
            self._write.block(behind, falls_through=False)
        self._write.branch(self._condition(last), then, otherwise)

    # -- values -------------------------------------------------------------------------------------

    def _condition(self, node: ast.expr) -> str:
        match node:
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                one, other = self._value(left), self._value(right)
                return self._write.value(f"icmp {chosen(_COMPARED, operator)} {self._type(_kind(one, other))} {one.text}, {other.text}")  # fmt: skip
            case _:
                value = self._value(node)
                return self._write.value(f"icmp ne {self._type(value.kind)} {value.text}, 0")

    def _value(self, node: ast.expr) -> Typed:
        match node:
            case ast.Constant(value=int(value)):
                return Typed(str(value), "constant")
            case ast.Name(id=name) if name in self._constants:
                return Typed(str(self._constants[name]), "constant")
            case ast.Name(id=name) if name in self._scalars:
                kind = self._scalars[name]
                return Typed(self._write.value(f"load {self._type(kind)}, ptr %at.{name}, align 8"), kind)
            case ast.Name(id=name):
                return Typed(self._registers[name], self._kinds[name])
            case ast.BinOp(left=left, op=operator, right=right):
                return self._binary(self._value(left), operator, self._value(right))
            case ast.Subscript():
                return self._loaded(node)
            case ast.Call():
                return self._call(node)
            case _:
                raise not_understood(node)

    def _binary(self, one: Typed, operator: ast.operator, other: Typed) -> Typed:
        kind = _kind(one, other)
        return Typed(
            self._write.value(f"{chosen(_ARITHMETIC, operator)} {self._type(kind)} {one.text}, {other.text}"), kind
        )

    def _loaded(self, node: ast.Subscript) -> Typed:
        place, kind = self._place(node)
        element, size = self._element(kind)
        loaded = self._write.value(f"load {element}, ptr {place}, align {size}")
        if kind not in _NARROW:
            return Typed(loaded, kind)
        return Typed(self._write.value(f"zext {element} {loaded} to i64"), "Word")

    def _place(self, node: ast.Subscript) -> tuple[str, str]:
        """Where an element of an array is, and its kind."""
        array, index = self._value(node.value), self._value(node.slice).text
        kind = _ELEMENTS[array.kind]
        if kind == "State" and self._words > 1:
            index = self._write.value(f"mul i64 {index}, {self._words}")
        unit, _ = _NARROW.get(kind, ("i64", 8))
        return self._write.value(f"getelementptr {unit}, ptr {array.text}, i64 {index}"), kind

    def _element(self, kind: str) -> tuple[str, int]:
        """The type of an element in memory, and how it is aligned."""
        return _NARROW.get(kind, (self._type(kind), 8))

    def _call(self, node: ast.Call) -> Typed:
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        takes, gives = self._signatures[self._kinds.get(name, name)]
        given = [self._value(each).text for each in node.args]
        arguments = ", ".join(f"{self._type(kind)} {text}" for kind, text in zip(takes, given, strict=True))
        called = self._registers.get(name, f"@{name}")
        return Typed(self._write.value(f"call {self._type(gives)} {called}({arguments})"), gives)


def _kind(one: Typed, other: Typed) -> str:
    kinds = {one.kind, other.kind} - {"constant"}
    if len(kinds) > 1:
        raise ValueError(f"a {one.kind} and a {other.kind} have no value together")
    return kinds.pop() if kinds else "Word"
