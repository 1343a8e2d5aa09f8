"""One way through the step that is being recorded: what must be true before it, and what it does.

Inside `atomic` later statements read the values that earlier ones wrote. A path does this at recording time: it keeps, for every
variable written so far, its new value as a term over the state *before* the step, and substitutes these into all that follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from draincheck.errors import ModelError, SourceLine
from draincheck.expr import BoolExpr, Expr, IntExpr, any_, bounds, choose, substitute
from draincheck.system import Check, Fault, FaultKind, Outside, Part, Update, Variable

__all__ = ["Path", "merge"]


class Path(Struct, eq=False, gc=False):
    """A step in the making.

    Attributes:
        start: the location it starts from.
        guard: what must hold for it to be taken, over the state before it.
        env: the new value of each variable written so far, over the state before it.
        begun: a test, a choice or a statement belongs to it already.
        done: something that is more than a test or a choice does: no guard may follow.
        fork: the branching it came from (see `merge`).
    """

    start: int
    guard: tuple[BoolExpr, ...] = ()
    env: Mapping[Expr, Expr] = {}
    parts: tuple[Part, ...] = ()
    checks: tuple[Check, ...] = ()
    faults: tuple[Fault, ...] = ()
    begun: bool = False
    done: bool = False
    fork: object = None

    def branch(self, condition: BoolExpr, fork: object) -> Path:
        """The same step so far, where a condition over the state before it holds."""
        return replace(self, begun=True, guard=(*self.guard, condition), fork=fork)

    def demand(self, condition: BoolExpr) -> None:
        """The step is taken only where a condition holds; nothing has been done in it yet, so the values are those before it."""
        self.begun = True
        self.guard += (condition,)

    def record(self, part: Part) -> None:
        """Something is done."""
        self.begun = self.done = True
        self.parts += (part,)

    def ask(self, check: Check) -> None:
        """An assertion about the values now."""
        self.begun = self.done = True
        self.checks += (replace(check, holds=self.now(check.holds), asked=self.now(check.asked)),)

    def err(self, kind: FaultKind, when: BoolExpr, message: str, line: SourceLine) -> None:
        """The run ends here where a condition over the values now holds."""
        self.begun = self.done = True
        self.fault(kind, self.now(when), message, line)

    def now(self, condition: BoolExpr) -> BoolExpr:
        """A condition over the values now, as a term over the state before the step."""
        return substitute(condition, self.env) if self.env else condition

    def store(self, updates: Sequence[Update], line: SourceLine) -> None:
        """Apply simultaneous updates; a number that may leave its bounds adds a range fault."""
        new: dict[Expr, Expr] = {}
        for update in updates:
            if update.variable in new:
                raise ModelError(f"{update.variable.name} is written twice in one step", line)
            new[update.variable] = value = substitute(update.value, self.env)
            if isinstance(value, IntExpr):
                self._guard_range(update.variable, value, line)
        self.env = {**self.env, **new}

    def _guard_range(self, variable: Variable, value: IntExpr, line: SourceLine) -> None:
        low, high = bounds(value)
        first, last = variable.sort.low, variable.sort.high
        if low < first or high > last:
            outside = any_(value < first, value > last)
            self.faults += (Fault(FaultKind.RANGE, outside, Outside(variable, value), line, (variable, value)),)

    def fault(self, kind: FaultKind, when: BoolExpr, message: str, line: SourceLine) -> None:
        """Add a fault; `when` is over the state before the step."""
        self.faults += (Fault(kind, when, message, line),)


def merge(then: Iterable[Path], otherwise: Iterable[Path], base: dict[object, Path]) -> list[Path]:
    """Join the two sides of a `when` inside `atomic`.

    Where both sides only wrote values, they become one path again: each value is chosen by the condition, and parts, checks and faults
    carry it. Where a side gave up control meanwhile, chose, or has a guard of its own, both go on separately.
    """
    others = {path.fork: path for path in otherwise if path.fork in base}
    apart = [path for path in otherwise if path.fork not in base]
    joined: list[Path] = []
    for path in then:
        fork = path.fork
        twin = others.get(fork) if fork in base else None
        if twin is None or not _only_wrote(path, base[fork]) or not _only_wrote(twin, base[fork]):
            path.fork = None
            joined.append(path)
        else:
            del others[fork]
            joined.append(_merge_pair(path, twin, base[fork]))
    for path in others.values():
        path.fork = None
        joined.append(path)
    return joined + apart


def _only_wrote(side: Path, base: Path) -> bool:
    """One side of a branching demands no more than its condition."""
    return len(side.guard) == len(base.guard) + 1


def _merge_pair(then: Path, otherwise: Path, base: Path) -> Path:
    condition, opposite = then.guard[-1], otherwise.guard[-1]
    both = replace(base, begun=True, done=then.done or otherwise.done)
    both.env = {
        variable: choose(condition, then.env.get(variable, variable), otherwise.env.get(variable, variable))
        for variable in {**then.env, **otherwise.env}
    }
    _add_side(both, then, base, condition, opposite)
    _add_side(both, otherwise, base, opposite, condition)
    return both


def _add_side(both: Path, side: Path, base: Path, holds: BoolExpr, elsewhere: BoolExpr) -> None:
    """What a side did beyond what both begin with takes place where its condition holds."""
    made: dict[BoolExpr, BoolExpr] = {}  # most of it took place under the same condition

    def within(when: BoolExpr) -> BoolExpr:
        found = made.get(when)
        if found is None:
            found = made[when] = holds & when
        return found

    both.parts += tuple([part.only(within(part.when)) for part in side.parts[len(base.parts) :]])
    both.faults += tuple([replace(fault, when=within(fault.when)) for fault in side.faults[len(base.faults) :]])
    both.checks += tuple(
        [replace(c, holds=elsewhere | c.holds, asked=within(c.asked)) for c in side.checks[len(base.checks) :]]
    )
