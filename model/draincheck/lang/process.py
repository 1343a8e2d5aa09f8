"""Processes: threads and coroutines, recorded statement by statement. LANGUAGE.md is the meaning of each.

Every statement outside `atomic` is one step of its own, a test included, so other processes may run between a test and what follows it.
Inside `atomic` everything up to the next point where the process gives up control (`enter`, `yield_`, a loop head) is one step. A process
is recorded inside `with process as p:`; a routine is a Python function that takes `p`.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from functools import cached_property, partial
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from draincheck import op
from draincheck.errors import ModelError, SourceLine
from draincheck.expr import FALSE, TRUE, BoolExpr, not_, want_bool
from draincheck.lang.blocks import Block, block
from draincheck.lang.fairness import FairWord, demanded
from draincheck.lang.path import Path
from draincheck.lang.recorder import Branching, Either, OpenLoop, Recorder
from draincheck.location import caller_line, slip, want_name, want_place, want_text, want_truth, written
from draincheck.properties import FAULTS
from draincheck.sorts import BOOL
from draincheck.system import BoolVar, Check, FaultKind, Frame, Update

if TYPE_CHECKING:
    from draincheck.lang.model import Model

__all__ = ["Chooser", "Coroutine", "Process"]


class Chooser(Protocol):
    """What `either` gives: each `with choice():` block is one alternative, taken only where `when` holds."""

    def __call__(self, when: BoolExpr = TRUE) -> Block[None]:
        """Open one alternative."""
        ...


class Process(Recorder):
    """A thread: always able to run unless it waits. Made by `Model.thread`."""

    # -- steps ----------------------------------------------------------------------------------------------------------------

    def do(
        self,
        label: str,
        *updates: Update,
        when: BoolExpr = TRUE,
        mark: str = "",
        fair: FairWord | None = None,
        choice: str = "",
    ) -> None:
        """One step: where `when` holds (else it waits), store all updates at once. `mark` is the story's letter for it.

        The label may be empty only where nothing but `history` variables is written.

        `fair` assumes that no run neglects this step (see `Model.fair`); inside `atomic` that is the whole atomic step. `choice` is what a
        scheduler outside calls this alternative: it is carried along (`Part.choice`) and means nothing to the model.
        """
        line = self._begin()
        stored: list[Update] = []
        for update in updates:
            if type(update) is not Update:
                _want(Update, update, "a step stores updates, as x.set(...) makes them")
            if update.variable.exists:
                stored.append(update)
        if when is not TRUE:
            self._demand(want_bool(when), line)
        make = self._piece if label == "" and _remembers(updates) else self._part
        writes = tuple([update.variable.name for update in stored])
        part = make(label, mark, line, writes=writes, choice=want_text(choice, "a choice"))
        if fair is not None:
            part = replace(part, promise=len(self.model.fairness) + 1)
            self.model.fairness.append(demanded(self.name, fair, part.label, part, line))
        for path in self._paths:
            path.store(stored, line)
            path.record(part)
        for update in updates:
            update.variable.unused.pop(id(update), None)
        if not self._atomic:
            self._end_step()

    def _demand(self, condition: BoolExpr, line: SourceLine) -> None:
        """Take the step that has begun only where the condition holds; raises ModelError after something has been done in it."""
        if any(path.done for path in self._paths):
            raise ModelError(_LATE_GUARD, line, self.name)
        for path in self._paths:
            path.demand(condition)

    def wait(self, label: str, condition: BoolExpr, mark: str = "", fair: FairWord | None = None) -> None:
        """Wait until the condition holds; the place before is named `label` for `at`. `fair` as for `do`."""
        self._begin()
        for path in self._paths:
            if not path.begun:
                self.flow.name(want_place(want_name(label, "the label of a wait")), path.start)
        self.do(label, when=want_bool(condition), mark=mark, fair=fair)

    def check(self, property: str, condition: BoolExpr) -> None:
        """Assert the property of this name here: it is violated if control passes while the condition is false.

        Outside `atomic` it is a step without a label; inside, part of the step.
        """
        line = self._begin()
        property = want_name(property, "the name of a property")
        self.model.declare_assertion(property)
        asked = Check(property, want_bool(condition), line)
        for path in self._paths:
            path.ask(asked)
        if not self._atomic:
            self._end_step()

    def error(self, message: str, when: BoolExpr | None = None, violates: str = "no error met") -> None:
        """The run ends here with an error where `when` holds, and control goes past elsewhere; without `when` nothing follows.

        `violates` names the demand that is violated, one of the errors of a run. Outside `atomic` it is a step without a label; inside, part of
        the step.
        """
        line = self._begin()
        want_name(message, "the message of an error")
        kind = _error_violating(want_text(violates, "what an error violates"))
        condition = TRUE if when is None else want_bool(when)
        for path in self._paths:
            path.err(kind, condition, message, line)
        if when is None or not self._atomic:
            self._end_step()
        if when is None:
            self._paths = []

    def here(self, name: str) -> None:
        """Name this place, for `at`. A step that has begun ends here."""
        self._begin()
        self._end_step()
        self._gather()
        self.flow.name(want_place(name), self._paths[0].start)

    def at(self, name: str) -> BoolExpr:
        """True while the process is at a place of this name. Raises ModelError when compiled if there is none."""
        return self.model.at(self.name, name)

    def abort(self, label: str, mark: str = "", choice: str = "") -> None:
        """The whole program ends here: nothing moves any more, in any process. `choice` as for `do`."""
        self._begin()
        self.do(label, self.model.halted.set(True), mark=mark, choice=choice)
        self._end_step()
        self._paths = []

    def bound(self, what: str) -> None:
        """Control passed a bound of the model: verdicts that depend on what follows are *unknown*."""
        line = self._begin()
        part = self._part(f"bound: {want_name(what, 'what is bounded')}", "", line)
        for path in self._paths:
            path.fault(FaultKind.BOUND, TRUE, what, line)
            path.record(part)
        self._end_step()
        self._paths = []

    # -- control flow ---------------------------------------------------------------------------------------------------------

    @block
    def atomic(self) -> Generator[None]:
        """Everything inside is one step, up to where control is given up. Later statements read what earlier ones wrote."""
        self._begin()
        self._atomic += 1
        try:
            yield
            self._close_block()
        finally:
            self._atomic -= 1
        if not self._atomic:
            self._end_step()

    @block
    def call(self, function: str, numbered: bool = False) -> Generator[None]:
        """A call frame, for call trees. `numbered` frames are counted each time they are entered (`main_loop_wait # 1`)."""
        self._begin()
        name = want_name(function, "the name of a function")
        want_truth(numbered, "numbered")
        outside = self._frames
        self._frames = (*outside, Frame(name, numbered))
        self._fresh = min(self._fresh, len(outside))
        try:
            yield
            self._close_block()
        finally:
            self._frames = outside
            self._fresh = min(self._fresh, len(outside))

    @block
    def when(self, condition: BoolExpr, text: str = "", local: bool = False) -> Generator[None]:
        """Go on inside where the condition holds, and in a following `otherwise` where not. `text` says it in words.

        A `local` test reads only what this thread writes (the compiler checks that), so nobody can come between it and what follows:
        it takes no step of its own.
        """
        line = self._begin()
        want_bool(condition)
        want_text(text, "what a test says in words")
        if want_truth(local, "local"):
            self.model.local_tests.append((self.name, condition, line))
        base: dict[object, Path] = {}
        then: list[Path] = []
        otherwise: list[Path] = []
        for path in self._paths:
            fork, holds = object(), path.now(condition)
            base[fork] = path
            then.append(path.branch(holds, fork))
            otherwise.append(path.branch(not_(holds), fork))
        self._paths = then
        if not (self._atomic or local):
            otherwise = self._split(_answers(text, condition), otherwise, line)
        yield
        self._close_block()
        self._branching = Branching(self._paths, otherwise, base)

    def _split(self, answers: tuple[str, str], otherwise: list[Path], line: SourceLine) -> list[Path]:
        """A test outside atomic: a step for each of its answers. Returns the path after the answer no."""
        then, fresh = self._paths, self._fresh
        sides: list[list[Path]] = []
        for paths, words in zip((then, otherwise), answers, strict=True):
            self._paths, self._fresh = paths, fresh
            self._record(self._part(words, "", line))
            self._end_step()
            sides.append(self._paths)
        self._fresh = len(self._frames)
        self._paths = sides[0]
        return sides[1]

    @block
    def otherwise(self) -> Generator[None]:
        """The other side of the `when` just before."""
        line = self._place()
        branching, self._branching = self._branching, None
        if branching is None:
            raise ModelError("otherwise without a when just before it", line, self.name)
        self._paths = branching.otherwise
        yield
        self._close_block()
        self._paths = self._join(branching, self._paths)

    @block
    def either(self) -> Generator[Chooser]:
        """A free choice between alternatives; the choice belongs to the first step of each."""
        line = self._begin()
        either = Either(self._paths, self._fresh)
        self._paths = []
        beside, self._beside = self._beside, _BESIDE
        yield partial(self._choice, either)
        self._beside = beside
        self._close_block()
        either.open = False
        if not either.guarded:
            raise ModelError("either without an alternative: write 'with choice():' in it", line, self.name)
        if either.late_guard is not None and all(either.guarded):
            raise ModelError(_LATE_GUARD, either.late_guard, self.name)
        self._paths = either.ends

    @block
    def _choice(self, either: Either, when: BoolExpr = TRUE) -> Generator[None]:
        """One alternative."""
        line = self._place()
        if not either.open or self._paths:
            raise ModelError("a choice stands directly inside its either", line, self.name)
        either.note(want_bool(when), line)
        self._fresh = either.fresh
        self._paths = [path.branch(path.now(when), None) for path in either.start]
        self._alternatives += 1
        beside, self._beside = self._beside, ""
        yield
        self._close_block()
        if not self._atomic:
            self._end_step()
        self._alternatives -= 1
        self._beside = beside
        either.ends.extend(self._paths)
        self._paths = []

    @block
    def loop(self) -> Generator[None]:
        """Repeat the block until `break_`."""
        head = self.flow.loop_head(self._begin())
        self._arrive(head)
        loop = OpenLoop(head, [], self._atomic, self._alternatives)
        self._loops.append(loop)
        if not any(frame.numbered for frame in self._frames[self._fresh :]):
            self._fresh = len(self._frames)  # calls around a loop are not made again in every round
        yield
        self._close_block()
        self._arrive(head)
        self._loops.pop()
        self._paths = loop.left

    @block
    def while_(self, condition: BoolExpr, text: str = "") -> Generator[None]:
        """Repeat the block as long as the condition holds at its start."""
        want_text(text, "what a test says in words")
        with self.loop():
            with self.when(not_(want_bool(condition)), _negated(text) if text else ""):
                self.break_()
            yield

    @block
    def until(self, condition: BoolExpr, text: str = "") -> Generator[None]:
        """Repeat the block until the condition holds at its start."""
        want_text(text, "what a test says in words")
        with self.loop():
            with self.when(want_bool(condition), text):
                self.break_()
            yield

    def break_(self) -> None:
        """Leave the innermost loop."""
        loop = self._leave_for("break_")
        loop.left.extend(self._paths)
        self._paths = []

    def continue_(self) -> None:
        """Go back to the head of the innermost loop."""
        loop = self._leave_for("continue_")
        self._arrive(loop.head)
        self._paths = []

    def _leave_for(self, statement: str) -> OpenLoop:
        """The innermost loop; a step that has begun ends where this leads out of `atomic` or out of an alternative."""
        line = self._begin()
        if not self._loops:
            raise ModelError(f"{statement} outside a loop", line, self.name)
        loop = self._loops[-1]
        if not loop.atomic and (self._atomic or self._alternatives > loop.alternatives):
            self._end_step()
        return loop

    def enter(self, coroutine: Coroutine, label: str | None = None, mark: str = "", place: str = "") -> None:
        """Run a coroutine until it yields or ends; this process goes on after that. Entering a running or ended one is an error.

        Without a label the step is called `enter` and the coroutine's name. `place` names, for `at`, where this process stands until
        it has got control back.
        """
        line = self._begin()
        _want(Coroutine, coroutine, "enter runs a coroutine")
        if self.model.processes.get(coroutine.name) is not coroutine:
            raise ModelError(f"{coroutine.name} is a coroutine of another model", line, self.name)
        words = f"enter {coroutine.name}" if label is None else label
        part = self._part(words, mark, line, enters=coroutine.name)
        for path in self._paths:
            can_be_entered = path.now(coroutine.can_be_entered)
            path.fault(FaultKind.REENTRY, not_(can_be_entered), f"{coroutine.name} is running or has ended", line)
            path.env = {**path.env, coroutine.on: TRUE}
            path.record(part)
        target = self.flow.new()
        self.flow.awaits[target] = coroutine.name
        if want_text(place, "the name of a place"):
            self.flow.inside[target] = want_place(place)
        self._arrive(target)


class Coroutine(Process):
    """A process that runs only when entered, until it yields. Made by `Model.coroutine`."""

    def __init__(self, model: Model, name: str, waits_at: str, may_stop: bool = False) -> None:
        super().__init__(model, name, may_stop)
        self.on = BoolVar(f"on {name}", BOOL, (0,), internal=True)
        #: places at which conditions ask whether it has yielded, with the line that asks first
        self.yields_asked: dict[str, SourceLine] = {}
        self.flow.name(waits_at if waits_at == "(start)" else want_place(waits_at), self.flow.entry)
        self.flow.yielded.add(self.flow.entry)

    @property
    def token(self) -> BoolVar | None:
        """See Process."""
        return self.on

    @cached_property
    def can_be_entered(self) -> BoolExpr:
        """True while it has been yielded (or not started) and has not ended."""
        return ~self.on & ~self.model.at(self.name, "(ended)")

    def yield_(self, name: str, label: str | None = None) -> None:
        """Give control back to whoever entered; the place is named for `at`, and without a label the step after it: `yield (NAME)`."""
        line = self._begin()
        part = self._part(f"yield ({name})" if label is None else label, "", line)
        for path in self._paths:
            path.env = {**path.env, self.on: FALSE}
            path.record(part)
        target = self.flow.new()
        self.flow.name(want_place(name), target)
        self.flow.yielded.add(target)
        self._arrive(target)

    def at(self, name: str) -> BoolExpr:
        """True while the coroutine has yielded at a place of this name. Raises ModelError when compiled if it never yields there.

        `Model.at` is true also while it runs and stands at a place.
        """
        self.yields_asked.setdefault(want_text(name, "the name of a place"), caller_line())
        return super().at(name) & ~self.on


#: words and signs that join what is said in a test: its opposite is that of the whole
_JOINED = re.compile(r"[&|,;]|\b(and|or|implies|iff|unless|if|then|but|xor|nor)\b", re.IGNORECASE)

_BESIDE = "a step inside either, outside its alternatives: write 'with choice():' around it"
_LATE_GUARD = "a guard after something was done in the same step: put it first, or end the atomic"


def _error_violating(name: str) -> FaultKind:
    """The kind of the errors of a run that violate the demand of this name; raises ModelError if there are none."""
    kinds = {item.name: item.kind for item in FAULTS.values() if item.kind is not FaultKind.BOUND}
    if name not in kinds:
        raise slip(f"an error of a run violates {', '.join(map(repr, kinds))}; not {name!r}")
    return kinds[name]


def _remembers(updates: Sequence[Update]) -> bool:
    """Whether a step writes history variables and no others."""
    return bool(updates) and all(update.variable.internal for update in updates)


def _want(kind: type, value: object, what: str) -> None:
    if not isinstance(value, kind):
        raise slip(f"{what}; this is {written(value)} ({type(value).__name__})")


def _answers(text: str, condition: BoolExpr) -> tuple[str, str]:
    """What the two steps of a test are called: `drained` and `not drained`, or the other way round."""
    if text:
        return text, _negated(text)
    return str(condition), str(condition.args[0]) if condition.op is op.NOT else f"not {condition.operand()}"


def _negated(words: str) -> str:
    """The opposite in words."""
    if words.startswith("not (") and words.endswith(")") and _is_balanced(inner := words[len("not (") : -1]):
        return inner
    if _JOINED.search(words):
        return f"not ({words})"
    return words.removeprefix("not ") if words.startswith("not ") else f"not {words}"


def _is_balanced(words: str) -> bool:
    """Whether each parenthesis that is closed in it is opened in it, before."""
    return min(accumulate((sign == "(") - (sign == ")") for sign in words), default=0) >= 0
