"""Mutation operators: the small ways in which a line of the model or of the core can be wrong.

An operator looks at a syntax tree and names every place where it applies; `mutants` lists them all, in an order that depends on nothing
but the source text. Names in traces, docstrings, annotations, assertions and messages are left alone: they decide nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from random import Random

__all__ = ["OPERATORS", "Mutant", "mutants", "mutate", "sample"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong line: the module, the operator, and which of the places where it applies there.

    `line` is that of the statement and `what` the change in words; both only for people, and for finding who executes the statement.
    """

    module: str
    operator: str
    number: int
    line: int
    what: str

    @property
    def name(self) -> str:
        """Names it, as long as the module's source does not change."""
        return f"{self.module}:{self.operator}:{self.number}"


@dataclass(frozen=True, slots=True)
class Place:
    """A node of a tree, where it hangs, and the statement that it is a part of."""

    parent: ast.AST
    field: str
    index: int | None
    node: ast.AST
    statement: ast.stmt

    def put(self, new: ast.AST) -> None:
        """Hang something else there."""
        if self.index is None:
            setattr(self.parent, self.field, new)
        else:
            getattr(self.parent, self.field)[self.index] = new


#: a change of a tree, by its node before and after (for people), and what makes it
Change = tuple[Place, str, Callable[[], None]]
Operator = Callable[[Place], Iterator[Change]]

#: fields that say nothing about behaviour
_SILENT = {"annotation", "returns", "decorator_list", "type_comment", "args", "bases", "type_params"}
#: statements that say nothing about behaviour; a failing assertion would only be another way to end
_IDLE = (ast.Import, ast.ImportFrom, ast.Assert, ast.Raise)
#: calls whose arguments name things
_NAMING = {"call", "here", "event", "replace", "qemu_abort", "abort"}
#: keyword arguments that do
_NAMES = {"mark", "numbered", "name", "meaning"}


def places(tree: ast.AST, statement: ast.stmt | None = None) -> Iterator[Place]:
    """Every node below a tree that decides something, parents first, in the order of the source."""
    for field, value in ast.iter_fields(tree):
        if field in _SILENT and not isinstance(tree, ast.Call):
            continue
        for index, node in enumerate(value if isinstance(value, list) else [value]):
            inside = node if isinstance(node, ast.stmt) else statement
            if isinstance(node, ast.AST) and inside is not None and not _says_nothing(node):
                yield Place(tree, field, index if isinstance(value, list) else None, node, inside)
                yield from places(node, inside)


def _says_nothing(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.JoinedStr():
            return True
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _NAMING
        case ast.keyword(arg=str(name)):
            return name in _NAMES
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name.startswith("__")
        case _:
            return isinstance(node, _IDLE)


def _replace(place: Place, new: ast.AST) -> Change:
    return place, _text(new), lambda: place.put(ast.copy_location(new, place.node))


def _text(node: ast.AST) -> str:
    return " ".join(ast.unparse(ast.fix_missing_locations(deepcopy(node))).split())


# -- the operators --------------------------------------------------------------------------------------------------------------------


def _called(node: ast.AST) -> str:
    """The name of the function or method that is called."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name)) | ast.Call(func=ast.Name(id=name)):
            return name
        case _:
            return ""


def _is_condition(place: Place) -> bool:
    """A condition of the modelling language: the argument of `when`, or of a wait."""
    parent = place.parent
    if isinstance(parent, ast.keyword):
        return parent.arg == "when"
    return place.field == "args" and (_called(parent), place.index) in {("when", 0), ("wait", 1)}


def negate(place: Place) -> Iterator[Change]:
    """A condition turned round: of an `if`, a loop, a step."""
    if not isinstance(place.node, ast.expr):
        return
    if place.field == "test":
        yield _replace(place, ast.UnaryOp(ast.Not(), place.node))
    elif _is_condition(place):
        yield _replace(place, ast.UnaryOp(ast.Invert(), place.node))


def drop_guard(place: Place) -> Iterator[Change]:
    """A step that is taken unconditionally, a filter that lets everything pass."""
    node = place.node
    if isinstance(node, ast.expr) and _is_condition(place):
        yield _replace(place, ast.BinOp(node, ast.BitOr(), ast.UnaryOp(ast.Invert(), node)))
    elif isinstance(place.parent, ast.comprehension) and place.field == "ifs":
        yield _replace(place, ast.Constant(True))


def drop_operand(place: Place) -> Iterator[Change]:
    """One part of a conjunction or disjunction left out."""
    match place.node:
        case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr(), right=right):
            yield _replace(place, left)
            yield _replace(place, right)
        case ast.BoolOp(op=op, values=values):
            for index in range(len(values)):
                rest = values[:index] + values[index + 1 :]
                yield _replace(place, rest[0] if len(rest) == 1 else ast.BoolOp(op, rest))
        case ast.Call(func=ast.Name(id="any_" | "all_" | "count"), args=args) as call:
            for index in range(len(args)):
                yield _replace(place, ast.Call(call.func, args[:index] + args[index + 1 :], call.keywords))


def swap_connective(place: Place) -> Iterator[Change]:
    """And for or."""
    match place.node:
        case ast.BinOp(left=left, op=ast.BitAnd(), right=right):
            yield _replace(place, ast.BinOp(left, ast.BitOr(), right))
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield _replace(place, ast.BinOp(left, ast.BitAnd(), right))
        case ast.BoolOp(op=op, values=values):
            yield _replace(place, ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values))


def drop_negation(place: Place) -> Iterator[Change]:
    """A "not" left out."""
    match place.node:
        case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
            yield _replace(place, operand)


_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


def change_comparison(place: Place) -> Iterator[Change]:
    """Another comparison."""
    match place.node:
        case ast.Compare(left=left, ops=[op], comparators=comparators):
            yield _replace(place, ast.Compare(left, [_COMPARISONS[type(op)]()], comparators))
        case ast.Call(func=ast.Attribute(attr="is_")) as call:
            yield _replace(place, ast.UnaryOp(ast.Invert(), call))


def change_constant(place: Place) -> Iterator[Change]:
    """A truth value turned round, a number off by one."""
    match place.node:
        case ast.Constant(value=bool(value)):
            yield _replace(place, ast.Constant(not value))
        case ast.Constant(value=int(value)):
            yield _replace(place, ast.Constant(value + 1))


#: methods that do the opposite of each other; the first two where they have no argument
_OPPOSITES = {"set": "clear", "clear": "set", "inc": "dec", "dec": "inc", "break_": "continue_", "continue_": "break_"}


def change_update(place: Place) -> Iterator[Change]:
    """The opposite effect on a variable; the opposite jump."""
    match place.node:
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=args) as call:
            if name in _OPPOSITES and not args:
                yield _replace(place, ast.Call(ast.Attribute(value, _OPPOSITES[name], ast.Load()), [], call.keywords))
            elif name == "set" and args and not isinstance(args[0], ast.Constant):
                yield _replace(place, ast.Call(call.func, [ast.UnaryOp(ast.Invert(), args[0])], call.keywords))
        case ast.AugAssign(target=target, op=op, value=value) if isinstance(op, ast.Add | ast.Sub):
            other = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
            yield _replace(place, ast.AugAssign(target, other, value))
        case ast.Break():
            yield _replace(place, ast.Continue())
        case ast.Continue():
            yield _replace(place, ast.Break())


def drop_update(place: Place) -> Iterator[Change]:
    """One of the variables that a step writes left alone."""
    match place.node:
        case ast.Call(func=ast.Attribute(attr="do"), args=args) as call:
            for index in range(1, len(args)):
                yield _replace(place, ast.Call(call.func, args[:index] + args[index + 1 :], call.keywords))
        case ast.List(elts=elements, ctx=ctx) if len(elements) > 0:
            for index in range(len(elements)):
                yield _replace(place, ast.List(elements[:index] + elements[index + 1 :], ctx))


def drop_statement(place: Place) -> Iterator[Change]:
    """A step, a call or an assignment left out."""
    match place.node:
        case ast.Expr(value=ast.Call()) | ast.AugAssign():
            yield _replace(place, ast.Pass())
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) if not _makes(place):
            yield _replace(place, ast.Pass())


def _makes(place: Place) -> bool:
    """The statement stands in a constructor: without it there is no attribute, and nothing runs."""
    return isinstance(place.parent, ast.FunctionDef) and place.parent.name == "__init__"


_MOVABLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.With, ast.If, ast.For)


def swap_statements(place: Place) -> Iterator[Change]:
    """Two neighbours in the wrong order."""
    body = getattr(place.parent, place.field)
    if place.index is None or not isinstance(place.node, _MOVABLE) or place.index + 1 >= len(body):
        return
    here, there = place.index, place.index + 1
    if not isinstance(body[there], _MOVABLE) or _continues(body[there]) or _independent(body[here], body[there]):
        return

    def swap() -> None:
        body[here], body[there] = body[there], body[here]

    yield place, f"{_text(body[there])} -- before -- {_text(place.node)}", swap


def _independent(first: ast.stmt, second: ast.stmt) -> bool:
    """Two assignments of plain values, neither of which reads or writes what the other writes: their order is none."""
    pair = (first, second)
    if not all(isinstance(node, ast.Assign | ast.AugAssign) for node in pair):
        return False
    if any(isinstance(node, ast.Call | ast.Subscript) for statement in pair for node in ast.walk(statement)):
        return False
    written, read = ([_names(node, context) for node in pair] for context in (ast.Store, ast.Load))
    return not (written[0] & (written[1] | read[1]) or written[1] & read[0])


def _names(statement: ast.stmt, context: type[ast.expr_context]) -> set[str]:
    """What a statement reads, or writes: names and attributes."""
    named = [node for node in ast.walk(statement) if isinstance(node, ast.Name | ast.Attribute)]
    return {ast.unparse(node) for node in named if isinstance(node.ctx, context)}


def _continues(node: ast.AST) -> bool:
    """It is the other half of the statement before it."""
    return isinstance(node, ast.With) and any(_called(item.context_expr) == "otherwise" for item in node.items)


def drop_atomic(place: Place) -> Iterator[Change]:
    """A step cut into several."""
    match place.node:
        case ast.With(items=items, body=body):
            rest = [item for item in items if _called(item.context_expr) != "atomic"]
            if len(rest) < len(items):
                yield _replace(place, ast.With(rest, body) if rest else ast.If(ast.Constant(True), body, []))


def swap_branches(place: Place) -> Iterator[Change]:
    """The two values of a choice exchanged."""
    match place.node:
        case ast.Call(func=ast.Name(id="ite"), args=[test, then, other]) as call:
            yield _replace(place, ast.Call(call.func, [test, other, then], []))


def turn_round(place: Place) -> Iterator[Change]:
    """A list walked from the other end."""
    match place.node:
        case ast.Call(func=ast.Name(id="reversed"), args=[items]):
            yield _replace(place, items)
        case ast.Subscript(value=value, slice=ast.Slice(lower=None, upper=None, step=ast.UnaryOp())):
            yield _replace(place, value)
        case ast.For(target=target, iter=items, body=body, orelse=orelse) if _called(items) not in (
            "reversed",
            "range",
        ):
            listed = ast.Call(ast.Name("list", ast.Load()), [items], [])
            backwards = ast.Call(ast.Name("reversed", ast.Load()), [listed], [])
            yield _replace(place, ast.For(target, backwards, body, orelse))


OPERATORS: dict[str, Operator] = {
    operator.__name__.replace("_", "-"): operator
    for operator in (
        negate,
        drop_guard,
        drop_operand,
        swap_connective,
        drop_negation,
        change_comparison,
        change_constant,
        change_update,
        drop_update,
        drop_statement,
        swap_statements,
        drop_atomic,
        swap_branches,
        turn_round,
    )
}


# -- mutants --------------------------------------------------------------------------------------------------------------------------


def mutants(module: str, source: str) -> list[Mutant]:
    """Every mutant of a module's source, operator by operator."""
    tree = ast.parse(source)
    return [
        Mutant(module, name, number, place.statement.lineno, f"{_text(place.node)}  =>  {new or 'nothing'}")
        for name in OPERATORS
        for number, (place, new, _) in enumerate(_changes(tree, name))
    ]


def _changes(tree: ast.Module, operator: str) -> list[Change]:
    return [change for place in list(places(tree)) for change in OPERATORS[operator](place)]


def mutate(source: str, operator: str, number: int) -> ast.Module:
    """The tree of a source with one thing wrong."""
    tree = ast.parse(source)
    _changes(tree, operator)[number][2]()
    return ast.fix_missing_locations(tree)


def sample(found: Sequence[Mutant], seed: int) -> Iterator[Mutant]:
    """All mutants in an order drawn by a seed: one of each operator in turn, as long as it has any left."""
    random = Random(seed)
    rows = [[mutant for mutant in found if mutant.operator == name] for name in OPERATORS]
    for row in rows:
        random.shuffle(row)
    while any(rows):
        for row in rows:
            if row:
                yield row.pop()
