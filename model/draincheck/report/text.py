"""Traces as text: the nested call trees that commit messages draw, with what each step changed beside it.

Each level of calls is indented by two spaces, steps stand below the calls they are made in, and the letter of a
marked step hangs to the left of it:

        aio_dispatch
          aio_bh_poll
        (c) mirror_exit                      window=0

The number of each step stands left of the first line that it has; a step that there is nothing to say of has none.

What the surroundings do (a guest, a disk: processes that never stand in a call) interrupts the tree without breaking
it. After a switch of thread the new one is named and its tree starts from the root (a main thread alone is not named); calls that were drawn before are
marked as continued, and of these only the outermost, the innermost and the numbered ones are repeated. Variables show
as `name=value`, truth values as 0 and 1, and only where they change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from draincheck.budget import want_whole
from draincheck.expr import Expr, variables_of
from draincheck.properties import Assertion, Liveness, NoFault, Property, Reachable
from draincheck.report.calls import Call, CallEvent, events_of
from draincheck.report.heading import REPRODUCE, facts_of
from draincheck.report.layout import listed, styled, unbound, wrapped
from draincheck.run import Run
from draincheck.semantics.fairness import who_could_move
from draincheck.semantics.violation import Decisive, decisive_conditions, shows
from draincheck.sorts import Value
from draincheck.subject import About
from draincheck.system import State, TransitionSystem, Variable
from draincheck.words import assigned, counted

if TYPE_CHECKING:
    from draincheck.report.waiting import WaitingLine

__all__ = ["conclusion_of", "ending_lines", "render_outline", "render_trace"]

#: columns left of the outermost call, so that the letter of a step outside all calls has room to hang
MARGIN = 4
#: the column of values never starts right of this one: a single deep step must not push all values off the screen
MAX_COLUMN = 72
#: running text is wrapped here, as in commit messages
WIDTH = 78
#: a longer condition is not printed: the compiler may have folded half the model into it
MAX_CONDITION = 100

#: the kind of a line that stays one, however long: a command to copy
COPIED = "copied"

#: stands before the steps that a run without end repeats
FOR_EVER = "-- again and again:"

#: how each kind of line looks in colour (styles of rich)
STYLES = {
    "call": "dim",
    "aside": "cyan",
    "marked": "bold",
    "thread": "bold blue",
    "changes": "green",
    "head": "bold",
    "bad": "bold red",
}


class _Line(Struct, frozen=True):
    """A line before layout: `kind` is a key of STYLES or "" for an ordinary step, `step` the number of the step that begins with it.

    `gutter` stands left of everything: a number, or as much space. `others` stands before the lines in which running text goes on;
    None: it is no running text.
    """

    text: str
    kind: str = ""
    changes: tuple[str, ...] = ()
    step: int = 0
    gutter: str = ""
    others: str | None = None


def render_trace(
    run: Run, *, color: bool = False, width: int | None = None, about: About | None = None, short: bool = False
) -> str:
    """A trace as a call tree between a header and a word on what it shows; every line ends in a newline.

    `about` puts six lines above it, for somebody who has nothing else; `short` leaves out steps that change nothing, but for the last.
    With a width no line is wider, if its words are not. With `color` the text carries rich's markup; print it with `highlight=False,
    soft_wrap=True`. Raises ModelError for a width that is no whole number from 1.
    """
    if width is not None:
        want_whole(width, "width", 1)
    events = events_of(run)
    kept = _telling(events, len(run.steps)) if short else events
    tree = _numbered(_tree(kept, run.trace.loop), len(str(len(run.steps))))
    heading = [] if about is None else [*_facts(run, about, width)]
    blocks = [
        heading,
        _header(run),
        tree,
        _left_out(events, kept),
        _ending(run),
        _waiting(run, min(width or WIDTH, WIDTH)),
        heading[:1],  # the answer, as it stands in the first line
    ]
    return _layout(_separated(blocks), color, width)


def _telling(events: Sequence[CallEvent], last: int) -> list[CallEvent]:
    """Those of steps that change something, and of the last one."""
    steps = {event.step for event in events if event.changes} | {last}
    return [event for event in events if event.step in steps]


def _left_out(events: Sequence[CallEvent], kept: Sequence[CallEvent]) -> Iterator[_Line]:
    """How many steps a short trace leaves out."""
    number = len({event.step for event in events} - {event.step for event in kept})
    if number:
        yield _Line(
            f"left out: {counted(number, 'step')} that change{'s' * (number == 1)} nothing that is shown", "call"
        )


def _facts(run: Run, about: About, width: int | None) -> Iterator[_Line]:
    """The six lines; where there is no width each is one line, and a command to copy always is."""
    for name, text in facts_of(run, about):
        yield _Line(f"{name}: {text}", COPIED if name == REPRODUCE else "", others="    " if width else None)


def render_outline(run: Run) -> str:
    """Only the marked steps of a trace and the calls they stand in: the drawing for a commit message."""
    marked = [event for event in events_of(run) if event.part.mark]
    return _layout(_tree(marked, run.trace.loop, changes=False), color=False)


def conclusion_of(run: Run, width: int) -> list[tuple[str, str]]:
    """What stands below a trace's tree, in lines of so many columns, each with its kind (`bad`, `head` or "").

    That is what the trace shows, what decided it, and who waits for what.
    """
    lines = _separated([_ending(run), _waiting(run, min(width, WIDTH))])
    return [(part.plain, part.kind) for line in lines for part in _placed(line, 0, width)]


# -- the tree --------------------------------------------------------------------------------------


def _tree(all_events: Sequence[CallEvent], loop: int | None, changes: bool = True) -> list[_Line]:
    events = [event for event in all_events if event.shown]
    threads = {event.thread for event in events if not event.aside}
    tree = _Tree(
        name_threads=len(threads) > 1 or any(event.framed and not _is_main(event.thread) for event in events),
        tilde="~ " if any(event.framed for event in events) else "",
        changes=changes,
    )
    for event in events:
        if loop is not None and event.step > loop:
            tree.repeat()
            loop = None
        tree.add(event)
    if loop is not None:
        tree.repeat()
    return tree.lines


def _is_main(thread: str) -> bool:
    """Whether a thread is the one of which a trace need not say that it is: `main`, `main thread`, `main loop`."""
    return thread.partition(" ")[0] == "main"


def _numbered(lines: Iterable[_Line], width: int) -> Iterator[_Line]:
    """The lines of a tree with the numbers of their steps."""
    for line in lines:
        plain = not line.text or line.kind == "thread"
        yield line if plain else replace(line, gutter=f"{line.step or '':>{width}} ")


class _Tree:
    """The lines drawn so far, and the calls the last of them stands in."""

    def __init__(self, name_threads: bool, tilde: str, changes: bool) -> None:
        self.lines: list[_Line] = []
        self.name_threads = name_threads
        self.tilde = tilde
        self.changes = changes
        self.thread, self.step = "", 0
        self.stack: tuple[Call, ...] = ()
        self.drawn: set[Call] = set()

    def add(self, event: CallEvent) -> None:
        """Draw what took place, below the calls that have been opened since the last line."""
        if not event.aside:
            self._switch(event.thread)
            self._descend(event.stack)
        self.lines.append(self._leaf(event))

    def repeat(self) -> None:
        """Say that what follows comes again and again."""
        self._blank()
        self.lines.append(_Line(FOR_EVER, "thread"))
        self.thread, self.stack = "", ()

    def _leaf(self, event: CallEvent) -> _Line:
        tilde = self.tilde if event.aside else ""
        label = tilde + ("" if event.framed else f"{event.process}: ") + (event.part.label or "(goes on)")
        letter = f"({event.part.mark}) " if event.part.mark else ""
        kind = "marked" if event.part.mark else "aside" if event.aside else ""
        changes = tuple(assigned(c.name, c.new) for c in event.changes) if self.changes else ()
        return _Line(_at(len(self.stack), label, letter), kind, changes, self._begun(event.step))

    def _begun(self, step: int) -> int:
        """The number of a step that has no line yet."""
        before, self.step = self.step, step
        return step if step != before else 0

    def _switch(self, thread: str) -> None:
        if thread != self.thread and self.name_threads:
            if not (self.lines and self.lines[-1].text == FOR_EVER):
                self._blank()
            self.lines.append(_Line(f"-- {thread}", "thread"))
        if thread != self.thread:
            self.thread, self.stack = thread, ()

    def _descend(self, stack: tuple[Call, ...]) -> None:
        shared = _shared(self.stack, stack)
        if shared == 0 and stack and stack[0] not in self.drawn and self.lines and self.lines[-1].kind != "thread":
            self._blank()
        self.lines += [_Line(text, "call") for text in _headings(stack, shared, self.drawn)]
        self.stack = stack
        self.drawn.update(stack)

    def _blank(self) -> None:
        if self.lines:
            self.lines.append(_Line(""))


def _shared(old: Sequence[Call], new: Sequence[Call]) -> int:
    """How many of the outermost calls are the same in both."""
    return next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a is not b), min(len(old), len(new)))


def _headings(stack: Sequence[Call], shared: int, drawn: set[Call]) -> Iterator[str]:
    """A line for each call below the `shared` ones; of a run that was drawn before only its ends and numbered calls."""
    for known, group in groupby(range(shared, len(stack)), lambda depth: stack[depth] in drawn):
        run = list(group)
        kept = [depth for depth in run if not known or depth in (run[0], run[-1]) or stack[depth].number]
        for above, depth in zip([run[0] - 1, *kept], kept, strict=False):
            again = " (continued)" if known and depth == run[0] else ""
            yield _at(depth, f"{stack[depth]}{again}", "... " if depth > above + 1 else "")


def _at(depth: int, text: str, hanging: str = "") -> str:
    """Text at its level of the tree, with something hanging to the left of it."""
    return hanging.rjust(MARGIN + 2 * depth) + text


# -- above and below it ----------------------------------------------------------------------------


def _header(run: Run) -> Iterator[_Line]:
    system, trace = run.system, run.trace
    count = counted(len(run.steps), "step")
    if trace.loop is not None:
        count += f", the last {len(run.steps) - trace.loop} again and again"
    what = "trace"
    if trace.property:
        what = f"{_role(run)} of {trace.property!r}"
    yield from _wrapped(f"{system.name}: {what}, {count}", "    ", "head")
    yield from _listed("initially ", _values(system, system.variables, trace.initial))


def _role(run: Run) -> str:
    item = run.system.property_named(run.trace.property)
    if not shows(run, item):
        return "trace"
    return "witness" if isinstance(item, Reachable) else "violation"


def _ending(run: Run) -> Iterator[_Line]:
    """What the trace shows about its property, and the values that decide it."""
    if not run.trace.property:
        return
    item = run.system.property_named(run.trace.property)
    if not shows(run, item):
        yield _Line(f"this trace does not decide {item.name!r}", "head")
        return
    word, kind = ("reached", "head") if isinstance(item, Reachable) else ("violated", "bad")
    meaning = f": {item.meaning}" if item.meaning else ""
    yield from _wrapped(f"{word} {_where(item, run)}: {item.name}{meaning}", "    ", kind)
    if isinstance(item, NoFault):
        yield from _accident(run)
    for reason in decisive_conditions(run, item):
        yield from _because(run.system, reason)


def ending_lines(run: Run) -> list[str]:
    """What a trace shows about its property, in a sentence, and what decides it, in lines; none for a run of no property."""
    return [line.text.replace("\xa0", " ") for line in _ending(run)]


def _accident(run: Run) -> Iterator[_Line]:
    """The step that cannot be taken."""
    for line in _standstill(run):
        yield from _wrapped(line.text, "        ")


def _waiting(run: Run, width: int) -> Iterator[_Line]:
    """Who waits for what, where that is the point."""
    item = run.system.property_named(run.trace.property) if run.trace.property else None
    for line in _standstill(run, width) if item is not None and item.leaves_waiting else ():
        yield _Line(line.text, line.kind)


def _standstill(run: Run, width: int = WIDTH) -> Iterator[WaitingLine]:
    """Why it goes no further."""
    from draincheck.report.standstill import standstill_lines  # what tells where processes stand, which few traces need

    return standstill_lines(run, width)


def _where(item: Property, run: Run) -> str:
    if run.trace.loop is not None:
        return f"by repeating from step {run.trace.loop + 1} on for ever"
    if isinstance(item, Liveness):
        return "by ending there" if not who_could_move(run.system, run.states[-1]) else "by stopping there"
    return f"{'in' if isinstance(item, Assertion) else 'after'} step {len(run.steps)}" if run.steps else "initially"


def _because(system: TransitionSystem, reason: Decisive) -> Iterator[_Line]:
    """The condition, where it can be read, and the values of its variables."""
    if reason.condition is None:
        yield _Line(f"    {reason.words}")
        yield from _listed("    with ", _values(system, system.variables, reason.state))
        return
    named = variables_of(reason.condition)
    visible = [v for v in system.variables if v in named and not v.internal]
    text = str(reason.condition)
    if len(text) <= MAX_CONDITION and len(visible) == len(named):
        yield from _wrapped(f"    {reason.words}: {text}", "        ")
    yield from _listed("    with ", _values(system, visible, reason.state))


def _values(system: TransitionSystem, variables: Iterable[Variable], state: State) -> Iterator[tuple[str, Value]]:
    position: dict[Expr, int] = dict(system.position)
    return ((v.name, v.sort.decode(state[position[v]])) for v in variables if not v.internal)


# -- layout ----------------------------------------------------------------------------------------


def _listed(head: str, values: Iterable[tuple[str, Value]]) -> Iterator[_Line]:
    """Values after a word, wrapped between them only; nothing at all if there are none."""
    kept = ", ".join(assigned(name, value).replace(" ", "\xa0") for name, value in values)
    if kept:
        yield _Line(head + kept, others=" " * len(head))


def _wrapped(text: str, indent: str, kind: str = "") -> Iterator[_Line]:
    yield _Line(text, kind, others=indent)


def _separated(blocks: Iterable[Iterable[_Line]]) -> list[_Line]:
    """The blocks that are not empty, with an empty line between them."""
    lines: list[_Line] = []
    for block in map(list, blocks):
        lines += [_Line(""), *block] if lines and block else block
    return lines


def _layout(lines: Sequence[_Line], color: bool, width: int | None = None) -> str:
    """Lines with their changes in one column; where the width ends they go on below, further in."""
    texts = (len(line.text) for line in lines if line.changes)
    column = min(MAX_COLUMN, max(texts, default=0), MAX_COLUMN if width is None else width * 3 // 5)
    placed = (part for line in lines for part in _placed(line, column, width))
    return "".join(f"{part.painted if color else part.plain}\n" for part in placed)


class _Part(Struct, frozen=True):
    """A line as it is printed: changes stand in their column."""

    gutter: str
    text: str
    kind: str = ""
    column: int = 0
    changes: str = ""

    @property
    def plain(self) -> str:
        """The characters alone."""
        return self.gutter + (f"{self.text:{self.column}}  {self.changes}" if self.changes else self.text)

    @property
    def painted(self) -> str:
        """The same characters with rich's markup around them."""
        padding = " " * (max(0, self.column - len(self.text)) + 2)
        changes = padding + styled(self.changes, STYLES["changes"]) if self.changes else ""
        return self.gutter + styled(self.text, STYLES.get(self.kind, "")) + changes


def _placed(line: _Line, column: int, width: int | None) -> Iterator[_Part]:
    """The lines that a line takes."""
    if line.kind == COPIED:
        yield _Part(line.gutter, line.text)
    elif line.others is not None:
        room = min(width or WIDTH, WIDTH)
        lines = wrapped(line.text, room, others=line.others)
        yield from (_Part(line.gutter, text, line.kind) for text in unbound(lines, room, line.others + "  "))
    elif width is None:
        yield _Part(line.gutter, line.text, line.kind, column, ", ".join(line.changes))
    else:
        yield from _within(line, column, width - len(line.gutter))


def _within(line: _Line, column: int, room: int) -> Iterator[_Part]:
    """A line of a tree where there is so much room: changes that find none beside its text stand below it."""
    blank = " " * len(line.gutter)
    deeper = " " * (len(line.text) - len(line.text.lstrip()) + 4)
    texts = [line.text] if len(line.text) <= room else wrapped(line.text, room, others=deeper)
    column = min(column, max(room - 3 - max(map(len, line.changes), default=0), 0))
    changes = listed("", line.changes, room - column - 2)
    if changes and len(texts[-1]) > column:
        texts.append("")
    for place, text in enumerate(texts):
        last = changes[0] if changes and place == len(texts) - 1 else ""
        yield _Part(blank if place else line.gutter, text, line.kind, column, last)
    yield from (_Part(blank, "", "", column, more) for more in changes[1:])
