"""Processes: threads and coroutines, recorded statement by statement.

Every statement outside `atomic` is one atomic step of its own, a test included, so other processes may run between a test and what
follows it. Inside `atomic` everything up to the next point where the process gives up control (`enter`, `yield_`, a loop head) is one
step. A process is recorded inside `with process as p:`; a routine is a Python function that takes `p`.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, Self

from draincheck.errors import ModelError, SourceLine
from draincheck.expr import BOOL, FALSE, TRUE, BoolExpr, not_, want_bool
from draincheck.lang.fairness import FairWord, demanded
from draincheck.lang.flow import Flow
from draincheck.lang.path import Path, merge
from draincheck.lang.place import caller_line
from draincheck.system import BoolVar, Check, FaultKind, Part, Update

if TYPE_CHECKING:
    from types import TracebackType

    from draincheck.lang.model import Model

__all__ = ["Choice", "Coroutine", "Process"]


class Choice(Protocol):
    """What `either` gives: each `with choice():` block is one alternative, taken only where `when` holds."""

    def __call__(self, when: BoolExpr = TRUE) -> AbstractContextManager[None]:
        """Open one alternative."""
        ...


@dataclass(slots=True)
class _Branching:
    """A `when` that has just been closed: its `otherwise` may follow."""

    then: list[Path]
    otherwise: list[Path]
    condition: dict[object, BoolExpr]
    base: dict[object, Path]


@dataclass(frozen=True, slots=True)
class _Loop:
    """An open loop: where it begins, and the ways that have left it."""

    head: int
    left: list[Path]


class Process:
    """A thread: always able to run unless it waits. Made by `Model.thread`."""

    def __init__(self, model: Model, name: str) -> None:
        self.model = model
        self.name = name
        self.flow = Flow()
        self._paths: list[Path] = [Path(self.flow.entry)]
        self._branching: _Branching | None = None
        self._recording = False
        self._atomic = 0
        self._loops: list[_Loop] = []
        self._frames: list[str] = []
        self._fresh = 0
        self._line = caller_line()

    # -- recording ------------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        if self._recording:
            raise ModelError("the process is being recorded already", caller_line(), self.name)
        self._recording = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resolve()
        self._recording = False

    def _begin(self, keep_branching: bool = False) -> SourceLine:
        """Every statement starts here: it must stand inside `with process`, where control can arrive."""
        line = self._line = caller_line()
        if not self._recording:
            raise ModelError(f"step outside a process: write it inside 'with {self.name} as p:'", line, self.name)
        if not keep_branching:
            self._resolve()
            if not self._paths:
                raise ModelError(
                    "unreachable step: control never gets here (after break_, an endless loop or abort)",
                    line,
                    self.name,
                )
            if not self._atomic:
                self._settle()
        return line

    def _resolve(self) -> None:
        """Close a `when` that turned out to have no `otherwise`."""
        if self._branching is not None:
            b, self._branching = self._branching, None
            self._paths = self._join(b, b.otherwise)

    def _join(self, b: _Branching, otherwise: list[Path]) -> list[Path]:
        if self._atomic:
            return merge(b.condition, b.then, otherwise, b.base)
        return b.then + otherwise

    def _settle(self) -> None:
        """End what has been recorded; a mere condition (of `either`, of a local test) stays with the statement that follows it."""
        if any(path.parts for path in self._paths):
            self._cut()

    def _cut(self) -> int:
        """End the steps being recorded: control is now at one new location, which is returned."""
        target = self.flow.find(self._paths[0].start) if len(self._paths) == 1 and self._paths[0].empty else None
        if target is None:
            target = self.flow.new()
            self._connect(target)
        self._paths = [Path(target)]
        return target

    def _connect(self, target: int) -> None:
        """Lead every open path to a location; one that only tests or waits gets a part without a label, to have a place."""
        for path in self._paths:
            if path.empty and self.flow.unite(path.start, target):
                continue
            if not path.parts:
                path.parts.append(self._part("", "", self._line))
            self.flow.connect(path, target)
        self._paths = []

    def _record(self, part: Part) -> None:
        for path in self._paths:
            path.parts.append(part)

    def _part(self, label: str, mark: str, line: SourceLine) -> Part:
        opens = min(self._fresh, len(self._frames))
        self._fresh = len(self._frames)
        return Part(label, tuple(self._frames), opens, mark, line, TRUE)

    @property
    def token(self) -> BoolVar | None:
        """True while a coroutine has control; a thread needs none. Used by the compiler."""
        return None

    def open_paths(self) -> list[Path]:
        """The steps after which recording stopped: the process ends there. Used by the compiler."""
        self._resolve()
        return self._paths

    def close(self) -> int:
        """End the process where recording stopped, and return that location. Used by the compiler, once."""
        end = self.flow.new()
        self._connect(end)
        return self.flow.find(end)

    # -- steps ----------------------------------------------------------------------------------------------------------------

    def do(
        self, label: str, *updates: Update, when: BoolExpr = TRUE, mark: str = "", fair: FairWord | None = None
    ) -> None:
        """One step: where `when` holds (else it waits), store all updates at once. `mark` is the story's letter for it.

        `fair` assumes that no run neglects this step (see `Model.fair`); inside `atomic` that is the whole atomic step.
        """
        line = self._begin()
        want_bool(when)
        if when is not TRUE and self._atomic and any(path.parts for path in self._paths):
            raise ModelError(
                "a wait in the middle of atomic would silently move to its start: put it first, or end the atomic",
                line,
                self.name,
            )
        part = replace(self._part(label, mark, line), writes=tuple(update.variable.name for update in updates))
        if fair is not None:
            self.model.fairness.append(demanded(self.name, fair, label, part, line))
        for path in self._paths:
            if when is not TRUE:
                path.guard.append(path.now(when))
            path.store(updates, line)
            path.parts.append(part)
        if not self._atomic:
            self._cut()

    def wait(self, label: str, condition: BoolExpr, mark: str = "", fair: FairWord | None = None) -> None:
        """Wait until the condition holds; the place before is named `label` for `at`. `fair` as for `do`."""
        if not self._atomic or all(path.empty for path in self._paths):
            self.here(label)
        self.do(label, when=condition, mark=mark, fair=fair)

    def check(self, property: str, condition: BoolExpr) -> None:
        """Assert the property of this name here: it is violated if control passes while the condition is false. Takes no step."""
        line = self._begin()
        self.model.declare_assertion(property)
        for path in self._paths:
            path.checks.append(Check(property, path.now(want_bool(condition)), line))

    def here(self, name: str) -> None:
        """Name this place, for `at`."""
        self._begin()
        self.flow.name(name, self._cut())

    def at(self, name: str) -> BoolExpr:
        """True while the process is at a place of this name. Raises ModelError when compiled if there is none."""
        return self.model.at(self.name, name)

    def abort(self, label: str, mark: str = "") -> None:
        """The whole program ends here: nothing moves any more, in any process."""
        self._begin()
        self.do(label, self.model.halted.set(True), mark=mark)
        if self._atomic:
            self._cut()
        self._paths = []

    def bound(self, what: str) -> None:
        """Control passed a bound of the model: verdicts that depend on what follows are *unknown*."""
        line = self._begin()
        part = self._part(f"bound: {what}", "", line)
        for path in self._paths:
            path.fault(FaultKind.BOUND, TRUE, what, line)
            path.parts.append(part)
        self._cut()
        self._paths = []

    # -- control flow ---------------------------------------------------------------------------------------------------------

    @contextmanager
    def atomic(self) -> Generator[None]:
        """Everything inside is one step, up to where control is given up. Later statements read what earlier ones wrote."""
        self._begin()
        self._atomic += 1
        try:
            yield
            self._resolve()
        finally:
            self._atomic -= 1
        if not self._atomic and any(path.parts for path in self._paths):
            self._cut()

    @contextmanager
    def call(self, function: str, numbered: bool = False) -> Generator[None]:
        """A call frame, for call trees. `numbered` frames are counted each time they are entered (`main_loop_wait # 1`)."""
        self._frames.append(f"{function} #" if numbered else function)
        self._fresh = min(self._fresh, len(self._frames) - 1)
        try:
            yield
        finally:
            self._frames.pop()
            self._fresh = min(self._fresh, len(self._frames))

    @contextmanager
    def when(self, condition: BoolExpr, text: str = "", local: bool = False) -> Generator[None]:
        """Go on inside where the condition holds, and in a following `otherwise` where not. `text` says it in words.

        A `local` test reads only what this thread writes (the compiler checks that), so nobody can come between it and what follows:
        it takes no step of its own.
        """
        line = self._begin()
        if local:
            self.model.local_tests.append((self.name, condition, line))
        want_bool(condition)
        base = {object(): path for path in self._paths}
        conditions = {fork: path.now(condition) for fork, path in base.items()}
        otherwise = [path.branch(not_(condition), fork) for fork, path in base.items()]
        self._paths = [path.branch(condition, fork) for fork, path in base.items()]
        if not (self._atomic or local):
            self._split(text or str(condition), otherwise, line)
        yield
        self._resolve()
        self._branching = _Branching(self._paths, otherwise, conditions, base)

    def _split(self, text: str, otherwise: list[Path], line: SourceLine) -> None:
        """A test outside atomic: a step for each of its answers."""
        fresh = self._fresh
        self._record(self._part(text, "", line))
        self._cut()
        self._fresh = fresh
        part = self._part(f"not {text}", "", line)
        for path in otherwise:
            path.parts.append(part)

    @contextmanager
    def otherwise(self) -> Generator[None]:
        """The other side of the `when` just before."""
        line = self._begin(keep_branching=True)
        branching, self._branching = self._branching, None
        if branching is None:
            raise ModelError("otherwise without a when just before it", line, self.name)
        self._paths = branching.otherwise
        yield
        self._resolve()
        self._paths = self._join(branching, self._paths)

    @contextmanager
    def either(self) -> Generator[Choice]:
        """A free choice between alternatives; the first step of each is the choice itself."""
        self._begin()
        start, ends = self._paths, list[Path]()
        fresh = self._fresh

        @contextmanager
        def choice(when: BoolExpr = TRUE) -> Generator[None]:
            self._fresh = fresh
            self._paths = [path.branch(want_bool(when), None) if when is not TRUE else path.copy() for path in start]
            yield
            self._resolve()
            ends.extend(self._paths)
            self._paths = []

        yield choice
        self._paths = ends

    @contextmanager
    def loop(self) -> Generator[None]:
        """Repeat the block until `break_`."""
        self._begin()
        head = self._cut()
        self._loops.append(_Loop(head, []))
        if not any(frame.endswith(" #") for frame in self._frames[self._fresh :]):
            self._fresh = len(self._frames)  # calls around a loop are not made again in every round
        yield
        self._resolve()
        self._connect(head)
        self._paths = self._loops.pop().left

    @contextmanager
    def while_(self, condition: BoolExpr, text: str = "") -> Generator[None]:
        """Repeat the block as long as the condition holds at its start."""
        with self.loop():
            with self.when(not_(condition), f"not {text}" if text else ""):
                self.break_()
            yield

    @contextmanager
    def until(self, condition: BoolExpr, text: str = "") -> Generator[None]:
        """Repeat the block until the condition holds at its start."""
        with self.loop():
            with self.when(condition, text):
                self.break_()
            yield

    def break_(self) -> None:
        """Leave the innermost loop."""
        line = self._begin()
        if not self._loops:
            raise ModelError("break_ outside a loop", line, self.name)
        self._loops[-1].left.extend(self._paths)
        self._paths = []

    def continue_(self) -> None:
        """Go back to the head of the innermost loop."""
        line = self._begin()
        if not self._loops:
            raise ModelError("continue_ outside a loop", line, self.name)
        self._connect(self._loops[-1].head)

    def enter(self, coroutine: Coroutine, label: str = "qemu_coroutine_enter", mark: str = "") -> None:
        """Run a coroutine until it yields or ends; this process goes on after that. Entering a running or ended one is an error."""
        line = self._begin()
        part = replace(self._part(label, mark, line), enters=coroutine.name)
        for path in self._paths:
            path.fault(
                FaultKind.REENTRY,
                path.now(~coroutine.can_be_entered),
                f"{coroutine.name} is running or has ended",
                line,
            )
            path.env[coroutine.on] = TRUE
            path.parts.append(part)
        target = self.flow.new()
        self.flow.awaits[target] = coroutine.name
        self._connect(target)
        self._paths = [Path(target)]


class Coroutine(Process):
    """A process that runs only when entered, until it yields. Made by `Model.coroutine`."""

    def __init__(self, model: Model, name: str, waits_at: str) -> None:
        super().__init__(model, name)
        self.on = BoolVar(f"on {name}", BOOL, (0,), internal=True)
        self.flow.name(waits_at, self.flow.entry)

    @property
    def token(self) -> BoolVar | None:
        """See Process."""
        return self.on

    @property
    def can_be_entered(self) -> BoolExpr:
        """True while it has been yielded (or not started) and has not ended."""
        return ~self.on & ~self.model.at(self.name, "(ended)")

    def yield_(self, name: str, label: str = "qemu_coroutine_yield") -> None:
        """Give control back to whoever entered; the place is named for `at`."""
        line = self._begin()
        part = self._part(label, "", line)
        for path in self._paths:
            path.env[self.on] = FALSE
            path.parts.append(part)
        target = self.flow.new()
        self.flow.name(name, target)
        self._connect(target)
        self._paths = [Path(target)]

    def at(self, name: str) -> BoolExpr:
        """True while the coroutine has yielded at a place of this name."""
        return super().at(name) & ~self.on
