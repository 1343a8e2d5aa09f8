"""A tree printed as Python code of the public API, to be run and looked at."""

from __future__ import annotations

from collections.abc import Iterator

from tests.language.tree import (
    Abort,
    At,
    Atomic,
    Block,
    Bound,
    Break,
    Call,
    CanEnter,
    Check,
    Continue,
    Do,
    Either,
    Enter,
    Error,
    Here,
    IsName,
    Loop,
    Name,
    Number,
    Op,
    Program,
    Read,
    Slip,
    Statement,
    Term,
    Truth,
    Update,
    Var,
    Wait,
    When,
    While,
    Yield,
    Yielded,
)

__all__ = ["source"]

_BETWEEN = {"and": "&", "or": "|", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "add": "+", "sub": "-"}
_METHODS = {"implies": "implies", "iff": "iff", "is": "is_", "same": "same_as"}


def source(program: Program) -> str:
    """A function that builds the model of a program."""
    lines = ["def build() -> Model:", f'    m = Model("{program.name}")']
    lines += [f"    {var.name} = {_variable(var)}" for var in program.variables]
    lines += [f"    m.any_initial({var.name})" for var in program.variables if var.any]
    lines += [f'    {p.name} = m.{"coroutine" if p.coroutine else "thread"}("{p.name}")' for p in program.processes]
    for process in program.processes:
        lines.append(f"    with {process.name} as p:")
        lines += [f"        {line}" for line in _block(process.body)]
    return "\n".join([*lines, "    return m"])


def _variable(var: Var) -> str:
    match var.kind:
        case "bool":
            return f'm.bool("{var.name}", {bool(var.initial)})'
        case "int":
            return f'm.int("{var.name}", {var.low}, {var.high}, {var.initial})'
        case "enum":
            return f'm.enum("{var.name}", {", ".join(map(_text, var.names))}, initial="{var.names[var.initial]}")'


def _text(name: str) -> str:
    return f'"{name}"'


def _term(term: Term) -> str:
    match term:
        case Read(var=var):
            return var.name
        case Number(value=value):
            return f"want_int({value})"
        case Truth(value=value):
            return "TRUE" if value else "FALSE"
        case Name(names=names, value=value):
            return _text(names[value])
        case IsName(term=inner, names=names):
            return f"{_term(inner)}.is_({', '.join(map(_text, names))})"
        case At(process=process, place=place):
            return f'm.at("{process}", "{place}")'
        case Yielded(process=process, place=place):
            return f'{process}.at("{place}")'
        case CanEnter(coroutine=coroutine):
            return f"{coroutine}.can_be_entered"
        case Op(op=op, args=args):
            return _operator(op, [_term(arg) for arg in args])


def _operator(op: str, args: list[str]) -> str:
    if op == "not":
        return f"(~{args[0]})"
    if op in _BETWEEN:
        return f"({args[0]} {_BETWEEN[op]} {args[1]})"
    if op in _METHODS:
        return f"{args[0]}.{_METHODS[op]}({args[1]})"
    return f"{op}({', '.join(args)})"


def _update(update: Update) -> str:
    term = "" if update.term is None else _term(update.term)
    return f"{update.var.name}.{update.how}({term})"


def _block(block: Block, depth: int = 0) -> Iterator[str]:
    """The lines of a block; `depth` is how many `either` are around it."""
    for statement in block:
        yield from _statement(statement, depth)
    if not block:
        yield "pass"


def _opened(head: str, block: Block, depth: int) -> Iterator[str]:
    yield f"with {head}:"
    yield from (f"    {line}" for line in _block(block, depth))


def _statement(statement: Statement, depth: int) -> Iterator[str]:
    match statement:
        case When(test=test, then=then, otherwise=otherwise, local=local):
            yield from _opened(f"p.when({_term(test)}{', local=True' if local else ''})", then, depth)
            if otherwise is not None:
                yield from _opened("p.otherwise()", otherwise, depth)
        case Either(alternatives=alternatives):
            choice = f"choice{depth or ''}"
            yield f"with p.either() as {choice}:"
            for each in alternatives:
                head = f"{choice}({_term(each.guard) if each.guard else ''})"
                yield from (f"    {line}" for line in _opened(head, each.body, depth + 1))
        case Loop(body=body):
            yield from _opened("p.loop()", body, depth)
        case While(test=test, body=body, until=until):
            yield from _opened(f"p.{'until' if until else 'while_'}({_term(test)})", body, depth)
        case Atomic(body=body):
            yield from _opened("p.atomic()", body, depth)
        case Call(body=body):
            yield from _opened('p.call("f")', body, depth)
        case _:
            yield _simple(statement)


def _simple(statement: Statement) -> str:
    match statement:
        case Do(label=label, updates=updates, guard=guard):
            when = [] if guard is None else [f"when={_term(guard)}"]
            return f"p.do({', '.join([_text(label), *map(_update, updates), *when])})"
        case Wait(label=label, guard=guard):
            return f'p.wait("{label}", {_term(guard)})'
        case Check(name=name, holds=holds):
            return f'p.check("{name}", {_term(holds)})'
        case Enter(coroutine=coroutine, place=place):
            return f"p.enter({coroutine}{f', place={_text(place)}' if place else ''})"
        case Yield(name=name):
            return f'p.yield_("{name}")'
        case Here(name=name):
            return f'p.here("{name}")'
        case Slip(what=what):
            return f"slip: {what}"
        case Error():
            return _error(statement)
        case _:
            return _BARE[type(statement)]


_BARE: dict[type[object], str] = {
    Abort: 'p.abort("abort")', Bound: 'p.bound("bound")', Break: "p.break_()", Continue: "p.continue_()",
}  # fmt: skip


def _error(error: Error) -> str:
    where = [] if error.when is None else [_term(error.when)]
    violates = [] if error.kind == "error" else ['violates="coroutines scheduled once"']
    return f"p.error({', '.join([_text('wrong'), *where, *violates])})"
