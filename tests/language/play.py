"""Plays a tree into the public API, as a person would have written it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from draincheck.expr import want_int
from draincheck.lang import FALSE, TRUE, BoolExpr, Coroutine, Model, Process, all_, count, ite
from tests.language import tree
from tests.language.direct import Watch
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
    Wait,
    When,
    While,
    Yield,
    Yielded,
)

__all__ = ["SLIPS", "record"]

_OPERATORS: dict[str, Callable[..., Any]] = {
    "not": lambda a: ~a,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "implies": lambda a, b: a.implies(b),
    "iff": lambda a, b: a.iff(b),
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "is": lambda a, b: a.is_(b),
    "same": lambda a, b: a.same_as(b),
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "ite": ite,
    "count": count,
}


def record(program: Program, watches: list[Watch], make: type[Model] = Model) -> Model:
    """The model of a program. Its properties `watch 0`, `watch 1` ... ask for the watches, `aborted` whether it was aborted."""
    recorder = _Recorder(program, make)
    for process in program.processes:
        with recorder.processes[process.name] as p:
            recorder.block(p, process.body)
    model = recorder.model
    for number, watch in enumerate(watches):
        model.reachable(f"watch {number}", recorder.watched(watch))
    model.reachable("aborted", model.halted)
    model.final(all_(*(model.at(process.name, "(ended)") for process in program.processes if not process.coroutine)))
    return model


class _Recorder:
    def __init__(self, program: Program, make: type[Model]) -> None:
        self.model = make(program.name)
        self.variables = {var.name: self.variable(var) for var in program.variables}
        for var in program.variables:
            if var.any:
                self.model.any_initial(self.variables[var.name])
        self.processes: dict[str, Process] = {}
        for process in program.processes:
            made = self.model.coroutine if process.coroutine else self.model.thread
            self.processes[process.name] = made(process.name)

    def variable(self, var: tree.Var) -> Any:
        match var.kind:
            case "bool":
                return self.model.bool(var.name, bool(var.initial), history=var.history)
            case "int":
                return self.model.int(var.name, var.low, var.high, var.initial)
            case "enum":
                return self.model.enum(var.name, *var.names, initial=var.names[var.initial], history=var.history)

    def watched(self, watch: Watch) -> BoolExpr:
        if watch.yielded:
            return self.coroutine(watch.process).at(watch.place)
        if watch.place:
            return self.model.at(watch.process, watch.place)
        return self.coroutine(watch.process).can_be_entered

    def coroutine(self, name: str) -> Coroutine:
        return cast(Coroutine, self.processes[name])

    # terms

    def term(self, term: Term) -> Any:
        match term:
            case Read(var=var):
                return self.variables[var.name]
            case Number(value=value):
                return want_int(value)
            case Truth(value=value):
                return TRUE if value else FALSE
            case Name(names=names, value=value):
                return names[value]
            case IsName(term=inner, names=names):
                return self.term(inner).is_(*names)
            case At(process=process, place=place):
                return self.model.at(process, place)
            case Yielded(process=process, place=place):
                return self.coroutine(process).at(place)
            case CanEnter(coroutine=coroutine):
                return self.coroutine(coroutine).can_be_entered
            case Op(op=op, args=args):
                return _OPERATORS[op](*map(self.term, args))

    def guard(self, term: Term | None) -> Any:
        return TRUE if term is None else self.term(term)

    def update(self, update: Update) -> Any:
        variable = self.variables[update.var.name]
        if update.how in ("inc", "dec"):
            step = getattr(variable, update.how)
            return step() if update.term is None else step(when=self.term(update.term))
        if update.term is None:
            return variable.set()
        if update.term == Truth(False):
            return variable.clear()
        return getattr(variable, update.how)(self.term(update.term))

    # statements

    def block(self, p: Process, block: Block) -> None:
        for statement in block:
            self.statement(p, statement)

    def statement(self, p: Process, statement: Statement) -> None:
        match statement:
            case Do(label=label, updates=updates, guard=guard):
                p.do(label, *map(self.update, updates), when=self.guard(guard))
            case Wait(label=label, guard=guard):
                p.wait(label, self.term(guard))
            case Check(name=name, holds=holds):
                p.check(name, self.term(holds))
            case Enter(coroutine=coroutine, place=place):
                p.enter(self.coroutine(coroutine), place=place)
            case Yield(name=name):
                cast(Coroutine, p).yield_(name)
            case Here(name=name):
                p.here(name)
            case Error():
                self.error(p, statement)
            case Abort():
                p.abort("abort")
            case Bound():
                p.bound("bound")
            case Break() | Continue():
                (p.break_ if isinstance(statement, Break) else p.continue_)()
            case Slip(what=what):
                _SLIPS[what](p, self.model)
            case _:
                self.opened(p, statement)

    def error(self, p: Process, error: Error) -> None:
        """An error of the run, of the model's own kind or as an event loop has it."""
        violates = {} if error.kind == "error" else {"violates": "coroutines scheduled once"}
        p.error("wrong", None if error.when is None else self.term(error.when), **violates)

    def opened(self, p: Process, statement: Statement) -> None:
        """A statement with blocks."""
        match statement:
            case When(test=test, then=then, otherwise=otherwise, local=local):
                with p.when(self.term(test), local=local):
                    self.block(p, then)
                if otherwise is not None:
                    with p.otherwise():
                        self.block(p, otherwise)
            case Either(alternatives=alternatives):
                with p.either() as choice:
                    for alternative in alternatives:
                        with choice(self.guard(alternative.guard)):
                            self.block(p, alternative.body)
            case Loop(body=body):
                with p.loop():
                    self.block(p, body)
            case While(test=test, body=body, until=until):
                with (p.until if until else p.while_)(self.term(test)):
                    self.block(p, body)
            case Atomic(body=body):
                with p.atomic():
                    self.block(p, body)
            case Call(body=body):
                with p.call("f"):
                    self.block(p, body)
            case _:
                raise TypeError(statement)


def _beside(p: Process, _: Model) -> None:
    with p.either() as choice:
        with choice():
            p.do("in")
        p.do("beside")


def _no_alternative(p: Process, _: Model) -> None:
    with p.either():
        pass


def _otherwise(p: Process, _: Model) -> None:
    p.do("no when")
    with p.otherwise():
        p.do("x")


def _forgotten(open_block: Callable[[Process], object]) -> Callable[[Process, Model], None]:
    """A block that is called and not opened."""

    def slip(p: Process, _: Model) -> None:
        kept = open_block(p)
        p.do("after")
        del kept

    return slip


#: statements that are refused wherever they stand
_SLIPS: dict[str, Callable[[Process, Model], None]] = {
    "beside": _beside,
    "no alternative": _no_alternative,
    "otherwise": _otherwise,
    "when not opened": _forgotten(lambda p: p.when(TRUE)),
    "loop not opened": _forgotten(lambda p: p.loop()),
    "while not opened": _forgotten(lambda p: p.while_(TRUE)),
    "until not opened": _forgotten(lambda p: p.until(TRUE)),
    "atomic not opened": _forgotten(lambda p: p.atomic()),
    "call not opened": _forgotten(lambda p: p.call("f")),
    "either not opened": _forgotten(lambda p: p.either()),
    "label": lambda p, m: p.do(3),  # type: ignore[arg-type]
    "place": lambda p, m: p.here(None),  # type: ignore[arg-type]
    "no condition": lambda p, m: p.wait("w", True),  # type: ignore[arg-type]
}
SLIPS = tuple(_SLIPS)
