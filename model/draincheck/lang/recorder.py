"""The recorder under a process's statements: on which ways control can have come here, and where steps begin and end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from msgspec import Struct, field

from draincheck.budget import look
from draincheck.errors import ModelError, SourceLine
from draincheck.expr import TRUE, BoolExpr
from draincheck.lang.blocks import Blocks
from draincheck.lang.control_flow import Flow
from draincheck.lang.path import Path, merge
from draincheck.location import caller_line, want_name, want_text
from draincheck.system import BoolVar, Frame, Part

if TYPE_CHECKING:
    from types import TracebackType

    from draincheck.lang.model import Model

__all__ = ["LABEL", "Branching", "Either", "OpenLoop", "Recorder"]


#: statements between two looks at the budget, and ways into one from which on there is a look at each
PIECE, MANY = 256, 256


class Branching(Struct):
    """A `when` that has just been closed: its `otherwise` may follow."""

    then: list[Path]
    otherwise: list[Path]
    base: dict[object, Path]


class Either(Struct):
    """An open `either`: the ways into it and out of it, for each alternative whether it has a guard, and the first guard that comes late."""

    start: list[Path]
    fresh: int
    ends: list[Path] = field(default_factory=list[Path])
    guarded: list[bool] = field(default_factory=list[bool])
    late_guard: SourceLine | None = None
    open: bool = True

    def note(self, when: BoolExpr, line: SourceLine) -> None:
        """An alternative begins."""
        self.guarded.append(when is not TRUE)
        if self.late_guard is None and when is not TRUE and any(path.done for path in self.start):
            self.late_guard = line


class OpenLoop(Struct, frozen=True):
    """An open loop: where it begins, the ways that have left it, how deep in `atomic` and in alternatives it stands."""

    head: int
    left: list[Path]
    atomic: int
    alternatives: int


class Recorder:
    """What a process has recorded.

    `_paths` are the ways on which control can have come here: at most one where nothing of a step has begun, and those in the middle of
    a step.
    """

    def __init__(self, model: Model, name: str, may_stop: bool = False) -> None:
        self.model = model
        self.name = name
        #: the model says that it may stop for ever
        self.may_stop = may_stop
        self.flow = Flow()
        self.blocks = Blocks(name)
        self._paths: list[Path] = [Path(self.flow.entry)]
        self._branching: Branching | None = None
        self._beside: str = ""
        self._recording = False
        self.recorded = False
        self._atomic: int = 0
        self._alternatives: int = 0
        self._loops: list[OpenLoop] = []
        self._frames: tuple[Frame, ...] = ()
        self._fresh = self._statements = 0
        self.line = self._line = caller_line()

    def __repr__(self) -> str:
        return f"process {self.name}"

    def __enter__(self) -> Self:
        if self.model.processes.get(self.name) is not self:
            raise ModelError("a process is made by m.thread(...) or m.coroutine(...)", caller_line(), self.name)
        if self._recording:
            raise ModelError("the process is being recorded already", caller_line(), self.name)
        self._recording = self.recorded = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._recording = False
        if error is None:
            self.blocks.refuse_open()
        else:
            self.blocks.broken = self.blocks.broken or caller_line()
        self._resolve()

    def _begin(self) -> SourceLine:
        """Every statement starts here: it must stand inside `with process`, where control can arrive.

        Raises OutOfBudget now and then: a step with many choices takes twice the time, and the memory, with each.
        """
        self._statements += 1
        if self._statements % PIECE == 0 or len(self._paths) > MANY:
            look()
        line = self._place()
        if self._branching is not None:
            self._resolve()
        if not self._paths:
            raise ModelError(self._beside or _UNREACHABLE, line, self.name)
        if len(self._paths) > 1:
            self._gather()
        for path in self._paths:
            if not path.begun:
                self.flow.statements[path.start] = self._frames, line
        return line

    def _place(self) -> SourceLine:
        """The line of a statement; raises ModelError outside the process."""
        blocks = self.blocks
        line = self._line = blocks.opening or caller_line(4)
        if not self._recording:
            raise ModelError(
                f"step outside a process: write it inside the 'with' that begins {self.name!r}", line, self.name
            )
        if blocks.unopened or blocks.broken:
            blocks.refuse_unopened()
        return line

    def _close_block(self) -> None:
        """A block ends: a `when` in it too."""
        if self.blocks.unopened or self.blocks.broken:
            self.blocks.refuse_unopened()
        if self._branching is not None:
            self._resolve()

    def _resolve(self) -> None:
        """Close a `when` that turned out to have no `otherwise`."""
        b = self._branching
        if b is not None:
            self._branching = None
            self._paths = self._join(b, b.otherwise)

    def _join(self, b: Branching, otherwise: list[Path]) -> list[Path]:
        if self._atomic:
            return merge(b.then, otherwise, b.base)
        return b.then + otherwise

    def _gather(self) -> None:
        """Lead the paths on which nothing has begun to one location."""
        waiting = [path for path in self._paths if not path.begun]
        if len(waiting) > 1:
            place = self.flow.new()
            for path in waiting:
                self.flow.move(path.start, place)
            self._paths = [Path(place), *(path for path in self._paths if path.begun)]

    def _end_step(self) -> None:
        """Whatever step has begun ends here."""
        begun = [path for path in self._paths if path.begun]
        if begun:
            target = self.flow.new()
            self._connect(begun, target)
            waiting = [path for path in self._paths if not path.begun] if len(begun) < len(self._paths) else []
            self._paths = [*waiting, Path(target)]

    def _arrive(self, target: int) -> None:
        """Control is at a location now, whichever way it came."""
        for path in self._paths:
            if not path.begun:
                self.flow.move(path.start, target)
        self._connect([path for path in self._paths if path.begun], target)
        self._paths = [Path(target)]

    def _connect(self, paths: Sequence[Path], target: int) -> None:
        """End steps at a location; one that only tests, chooses or asks gets a part without a label, to have a place."""
        for path in paths:
            if not path.parts:
                path.record(self._piece("", "", self._line))
            self.flow.connect(path, target)

    def _record(self, part: Part) -> None:
        for path in self._paths:
            path.record(part)

    def _part(
        self,
        label: str,
        mark: str,
        line: SourceLine,
        *,
        writes: tuple[str, ...] = (),
        enters: str = "",
        choice: str = "",
    ) -> Part:
        return self._piece(want_name(label, LABEL), mark, line, writes=writes, enters=enters, choice=choice)

    def _piece(
        self,
        label: str,
        mark: str,
        line: SourceLine,
        *,
        writes: tuple[str, ...] = (),
        enters: str = "",
        choice: str = "",
    ) -> Part:
        """A part that may be without a label: it only goes on, or remembers something."""
        want_text(mark, "a mark")
        frames = self._frames
        opens, self._fresh = min(self._fresh, len(frames)), len(frames)
        return Part(label, frames, opens, mark, line, TRUE, writes, enters, choice)

    @property
    def token(self) -> BoolVar | None:
        """True while a coroutine has control; a thread needs none. Used by the compiler."""
        return None

    def close(self) -> None:
        """End the process where recording stopped. Used by the compiler; more than once is as good as once."""
        self.blocks.refuse_open()
        self._resolve()
        if self._paths and self.flow.end is None:
            self.flow.end = self.flow.new()
            self._arrive(self.flow.end)
            self._paths = []


#: for messages
LABEL = "the label of a step, its first argument,"
_UNREACHABLE = "unreachable step: control never gets here (after break_, an endless loop or abort)"
