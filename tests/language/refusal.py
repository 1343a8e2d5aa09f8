"""Section 5 of LANGUAGE.md: what is refused. Reads the tree alone, every test going both ways. Knows nothing of the library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.language.player import moved
from tests.language.spots import Spot, lay
from tests.language.tree import (
    At,
    Atomic,
    Break,
    Call,
    Check,
    Continue,
    Do,
    Either,
    Enter,
    Error,
    Here,
    Loop,
    Name,
    Number,
    Op,
    Process,
    Program,
    Read,
    Slip,
    Statement,
    Term,
    Update,
    Wait,
    When,
    While,
    Yield,
    Yielded,
    own_terms,
    statements,
    terms,
    used,
)

__all__ = ["named_places", "refusal", "yielded_places"]


def refusal(program: Program) -> str:
    """Why a program is refused, "" if it is not."""
    return next(_reasons(program), "") or next(_no_place(program), "")


def named_places(process: Process) -> set[str]:
    """The names of places where control can rest. The process must be a legal one."""
    walk = _Walk(lay(process.body))
    walk.run()
    return walk.names


def yielded_places(process: Process) -> set[str]:
    """The names of places where a coroutine has yielded, or has not been entered yet. The process must be a legal one."""
    spots = lay(process.body)
    yields = {spot.after: {spot.statement.name} for spot in spots if isinstance(spot.statement, Yield)}
    starts: dict[Spot | None, set[str]] = {}
    for spot, names in ((spots[0], {"(start)"}), *yields.items()):
        starts.setdefault(spot, set()).update(names)
    return {name for spot, names in starts.items() for name in names | _on_the_way(spot)}


def _on_the_way(spot: Spot | None) -> set[str]:
    """The names that control comes through without a step, and that of the place where it then rests."""
    names = set[str]()
    while spot is not None:
        match spot.statement:
            case Here(name=name) | Wait(label=name):
                names.add(name)
            case _:
                pass
        spot = moved(spot)
    return names


def _reasons(program: Program) -> Iterator[str]:
    for process in program.processes:
        for statement in statements(process.body):
            yield from _wrong(statement)
            if isinstance(statement, When) and statement.local and _read(statement.test) & _written(program, process):
                yield "a local test of what others write"
        yield from _astray(lay(process.body))


def _wrong(statement: Statement) -> Iterator[str]:
    """What is wrong with a statement by itself."""
    if isinstance(statement, Slip):
        yield statement.what
    if isinstance(statement, Do) and len({u.var for u in statement.updates}) < len(statement.updates):
        yield "a variable written twice"
    if isinstance(statement, Do) and not all(map(_fits, statement.updates)):
        yield "a term of another sort"
    if any(_two_sorts(term) for whole in own_terms(statement) for term in terms(whole)):
        yield "ite over two sorts"


def _astray(spots: list[Spot]) -> Iterator[str]:
    """What is wrong with the ways of a process."""
    if any(isinstance(spot.statement, Break | Continue) and spot.after is None for spot in spots):
        yield "break_ or continue_ outside a loop"
        return
    walk = _Walk(spots)
    yield from walk.run()
    yield from ("unreachable" for spot in spots if spot.statement is not None and spot not in walk.reached)


def _no_place(program: Program) -> Iterator[str]:
    """Places that conditions ask for and that there are not. The program is legal otherwise."""
    asked = [term for term in used(program) if isinstance(term, At | Yielded)]
    if not asked:
        return
    places = {process.name: named_places(process) | {"(ended)", "(start)"} for process in program.processes}
    yields = {process.name: yielded_places(process) | {"(ended)"} for process in program.processes}
    for term in asked:
        if term.place not in (yields if isinstance(term, Yielded) else places)[term.process]:
            yield f"no place {term.place}"


def _read(term: Term) -> set[str]:
    return {inner.var.name for inner in terms(term) if isinstance(inner, Read)}


def _written(program: Program, but: Process) -> set[str]:
    """The variables that processes of other threads write."""
    same = _same_thread(program, but)
    others = (
        statement for process in program.processes if process.name not in same for statement in statements(process.body)
    )
    return {update.var.name for statement in others if isinstance(statement, Do) for update in statement.updates}


def _same_thread(program: Program, process: Process) -> set[str]:
    """A process and the coroutines that these enter and nobody else: while they run, the process waits."""
    same = {process.name}
    while (
        more := {p.name for p in program.processes if p.coroutine and set() < _enterers(program, p.name) <= same} - same
    ):
        same |= more
    return same


def _enterers(program: Program, coroutine: str) -> set[str]:
    return {process.name for process in program.processes for s in statements(process.body) if _enters(s, coroutine)}


def _enters(statement: Statement, coroutine: str) -> bool:
    return isinstance(statement, Enter) and statement.coroutine == coroutine


def sort(term: Term) -> object:
    """What kind of values a term has: bool, int, or the names of an enum."""
    match term:
        case Read(var=var):
            return var.names if var.kind == "enum" else var.kind
        case Number():
            return "int"
        case Name(names=names):
            return names
        case Op(op="ite", args=args):
            return sort(args[1])
        case Op(op="add" | "sub" | "count"):
            return "int"
        case _:
            return "bool"


def _fits(update: Update) -> bool:
    """Whether the variable can hold the term."""
    if update.how in ("inc", "dec"):
        return update.var.kind == "int"
    return update.term is None or sort(update.term) == sort(Read(update.var))


def _two_sorts(term: Term) -> bool:
    return isinstance(term, Op) and term.op == "ite" and sort(term.args[1]) != sort(term.args[2])


class _Walk:
    """Walks through a process: from every spot, with or without a step begun, with or without something done in it."""

    def __init__(self, spots: list[Spot]) -> None:
        self.reached: set[Spot] = set()
        self.known: set[tuple[Spot, bool, bool]] = set()
        self.todo: list[tuple[Spot, bool, bool]] = [(spots[0], False, False)]
        self.names: set[str] = set()

    def run(self) -> list[str]:
        """Walk everywhere; gives what is wrong on the way."""
        wrong: list[str] = []
        while self.todo:
            spot, begun, done = self.todo.pop()
            if (spot, begun, done) in self.known:
                continue
            self.known.add((spot, begun, done))
            self.reached.add(spot)
            wrong += self.visit(spot, begun, done)
        return wrong

    def to(self, spot: Spot | None, begun: bool = False, done: bool = False) -> None:
        """Control can come there."""
        if spot is not None:
            self.todo.append((spot, begun, done))

    def visit(self, spot: Spot, begun: bool, done: bool) -> Iterator[str]:
        """One move from a spot: what is wrong with it; notes where it leads."""
        self.name(spot, begun)
        match spot.statement:
            case None | Break() | Continue():
                self.to(spot.after, *((False, False) if spot.ends else (begun, done)))
            case Do() | Wait() | Check() as statement:
                if done and getattr(statement, "guard", None) is not None:
                    yield "a guard after something done"
                self.to(spot.after, spot.inside, spot.inside)
            case Either(alternatives=alternatives):
                if done and all(alternative.guard is not None for alternative in alternatives):
                    yield "a choice after something done, with a guard in every alternative"
                self.all(spot.inner, True, done)
            case Loop() if _spins(spot):
                yield "a loop whose round takes no step"
            case _:
                self.simply(spot, begun, done)

    def simply(self, spot: Spot, begun: bool, done: bool) -> None:
        """A move in which nothing can be wrong."""
        match spot.statement:
            case When(local=local):
                self.all(spot.inner, spot.inside or local, done)
            case Loop():
                self.all(spot.inner)
            case While():
                self.all((*spot.inner, spot.after), spot.inside)
            case Error(when=when) if when is not None:
                self.to(spot.after, spot.inside, spot.inside)
            case Here() | Enter() | Yield():
                self.to(spot.after)
            case Atomic() | Call():
                self.all(spot.inner, begun, done)
            case _:
                pass  # nothing is behind abort, bound and slips

    def name(self, spot: Spot, begun: bool) -> None:
        """What a place where control can rest is called."""
        match spot.statement:
            case Here(name=name) | Yield(name=name):
                self.names.add(name)
            case Enter(place=name) if name:
                self.names.add(name)
            case Wait(label=label) if not begun:
                self.names.add(label)
            case _:
                pass

    def all(self, spots: Iterable[Spot | None], begun: bool = False, done: bool = False) -> None:
        """Control can come to all of these."""
        for spot in spots:
            self.to(spot, begun, done)


def _spins(loop: Spot) -> bool:
    """Whether control comes round without a step."""
    spot: Spot | None = loop.inner[0]
    seen = set[Spot]()
    while spot is not None and spot is not loop and spot not in seen:
        seen.add(spot)
        spot = moved(spot)
    return spot is not None
