"""The second reading of LANGUAGE.md: plays the statements themselves, breadth first. Knows nothing of the library.

A world is what variables hold, where every process rests, whether it is on, whom it waits for, and whether the program was aborted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple, TypeAlias

from tests.language.meaning import Store, reader
from tests.language.player import Player, Rest, Way
from tests.language.tree import At, CanEnter, Program, Term, Yielded, used

__all__ = ["Findings", "TooLargeError", "Watch", "explore", "movers", "stuck"]

OFF, ON, ENDED = 0, 1, 2
NOBODY = -1


class TooLargeError(Exception):
    """There are more states than the test wants to look at."""


class Watch(NamedTuple):
    """Something asked of every state: whether a process is at a place, or has yielded there, or (without a place) can be entered."""

    process: str
    place: str
    yielded: bool = False


#: what can be seen of a state: stored values, a bit for each Watch, and whether the program was aborted (then no bits)
View = tuple[Store, int, bool]


@dataclass
class Findings:
    """What a search has found; lengths are shortest ones."""

    seen: dict[View, int]
    edges: set[tuple[View, tuple[str, ...], View]]
    deadlock: int | None
    broken: dict[str, int]
    errors: dict[str, int]
    asked: set[str] = field(default_factory=set)


class Control(NamedTuple):
    """One process: where it rests, whether it is on, and the coroutine that it has entered and waits for.

    Who waits is still in the `enter`, which may have a name: only with control given back it comes to where it rests.
    """

    rest: Rest
    mode: int
    awaits: int = NOBODY
    place: str = ""


@dataclass(eq=False)
class World:
    """A state."""

    store: Store
    controls: tuple[Control, ...]
    aborted: bool
    names: dict[str, int]

    @property
    def key(self) -> object:
        """The same for the same states."""
        return self.store, self.controls, self.aborted

    def is_at(self, process: str, place: str) -> bool:
        """Whether control of a process is at a named place."""
        control = self.controls[self.names[process]]
        return place in control.rest.names if control.awaits == NOBODY else place == control.place

    def has_yielded(self, coroutine: str, place: str) -> bool:
        """Whether a coroutine has yielded at a named place, or ended there."""
        return self.is_at(coroutine, place) and self.controls[self.names[coroutine]].mode != ON

    def can_enter(self, coroutine: str) -> bool:
        """Whether a coroutine is neither running nor ended."""
        return self.controls[self.names[coroutine]].mode == OFF


class Step(NamedTuple):
    """A step: the world after it (None after an error), the error, the checks that fail in it, its labels."""

    world: World | None
    error: str = ""
    failed: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


class Direct:
    """A program under exploration."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.names = {process.name: number for number, process in enumerate(program.processes)}
        index = {var.name: number for number, var in enumerate(program.variables)}
        ranges = [(var.low, var.high) for var in program.variables]
        memory = not any(isinstance(term, At | Yielded | CanEnter) for term in used(program))
        self.players = [Player(process, index, ranges, memory) for process in program.processes]

    def initial(self) -> Iterator[World]:
        """The worlds before the first step."""
        controls = tuple(map(self.started, range(len(self.players))))
        for store in product(*(var.starts for var in self.program.variables)):
            yield World(store, controls, False, self.names)

    def started(self, number: int) -> Control:
        rest = self.players[number].start
        return Control(rest, OFF) if self.program.processes[number].coroutine else self.resting(number, rest)

    # steps

    def steps(self, world: World) -> Iterator[Step]:
        """Every step that is enabled."""
        if world.aborted:
            return
        for number, control in enumerate(world.controls):
            if control.mode == ON and control.awaits == NOBODY:
                yield from self.steps_of(number, control, world)

    def steps_of(self, number: int, control: Control, world: World) -> Iterator[Step]:
        if at_end(control.rest):  # a coroutine whose last statement was a yield or an enter
            yield Step(self.finished(number, Rest(control.rest.spot, frozenset()), world, world.store))
            return
        for way in self.players[number].ways(control.rest.spot, world.store, world):
            error = self.error(way, world)
            yield (
                Step(None, error)
                if error
                else Step(self.after(number, way, world), "", failed=way.failed, asked=way.asked, labels=way.labels)
            )

    def error(self, way: Way, world: World) -> str:
        """What is wrong with a step: range, bound, reentry, or an error of the program's own."""
        if way.event == "enter" and not world.can_enter(way.name):
            return "reentry"
        return way.event if way.event in ("range", "bound", "error", "scheduled") else ""

    def after(self, number: int, way: Way, world: World) -> World:
        """The world after a step."""
        if way.event == "abort":
            return World(way.store, (), True, self.names)
        if way.event == "enter":
            return self.entered(number, way, world)
        if way.event == "yield":
            rest = self.players[number].rest(way.spot, {way.name})
            return self.gave_back(number, Control(rest, OFF), world, way.store)
        rest = self.players[number].rest(way.spot)
        if at_end(rest):
            return self.finished(number, rest, world, way.store)
        return self.replaced(world, way.store, {number: Control(rest, ON)})

    def entered(self, number: int, way: Way, world: World) -> World:
        """A coroutine runs, and who entered it waits."""
        other, rest = self.names[way.name], self.players[number].rest(way.spot)
        new = {number: Control(rest, ON, other, way.place), other: Control(world.controls[other].rest, ON)}
        return self.replaced(world, way.store, new)

    def finished(self, number: int, rest: Rest, world: World, store: Store) -> World:
        """The last step of a process: a coroutine gives control back."""
        return self.gave_back(number, Control(ended(rest), ENDED), world, store)

    def gave_back(self, number: int, mine: Control, world: World, store: Store) -> World:
        """Who waits for this coroutine has control back; a thread may be at its end with that."""
        back = {other: self.resting(other, c.rest) for other, c in enumerate(world.controls) if c.awaits == number}
        return self.replaced(world, store, {**back, number: mine})

    def resting(self, number: int, rest: Rest) -> Control:
        """A process that may go on from here. A thread at its end has ended, a coroutine takes a step for that."""
        thread = not self.program.processes[number].coroutine
        return Control(ended(rest), ENDED) if thread and at_end(rest) else Control(rest, ON)

    def replaced(self, world: World, store: Store, new: dict[int, Control]) -> World:
        controls = tuple(new.get(number, control) for number, control in enumerate(world.controls))
        return World(store, controls, False, self.names)

    def is_final(self, world: World) -> bool:
        """Whether the program may stop here: every thread has ended, or it was aborted."""
        threads = (number for number, process in enumerate(self.program.processes) if not process.coroutine)
        return world.aborted or all("(ended)" in world.controls[number].rest.names for number in threads)


def at_end(rest: Rest) -> bool:
    """Whether control is at the end of its process."""
    return rest.spot.statement is None


def ended(rest: Rest) -> Rest:
    """The end of a process, which has a name."""
    return Rest(rest.spot, rest.names | {"(ended)"})


class _Search:
    """Breadth first."""

    def __init__(self, program: Program, watches: list[Watch], most: int) -> None:
        self.direct, self.watches, self.most = Direct(program), watches, most
        self.findings = Findings({}, set(), None, {}, {})
        self.known: set[object] = set()

    def run(self) -> Findings:
        layer, depth = list(self.direct.initial()), 0
        for world in layer:
            self.known.add(world.key)
            self.findings.seen[self.view(world)] = 0
        while layer:
            layer = [after for world in layer for after in self.expand(world, depth)]
            depth += 1
        return self.findings

    def expand(self, world: World, depth: int) -> Iterator[World]:
        """Take every step; gives the new worlds."""
        moved, before = False, self.view(world)
        for step in self.direct.steps(world):
            moved = True
            self.findings.asked.update(step.asked)
            for name in step.failed:
                self.findings.broken.setdefault(name, depth + 1)
            if step.world is None:
                self.findings.errors.setdefault(step.error, depth + 1)
            elif self.found(before, step.labels, step.world, depth + 1):
                yield step.world
        if not moved and self.findings.deadlock is None and not self.direct.is_final(world):
            self.findings.deadlock = depth

    def found(self, before: View, labels: tuple[str, ...], after: World, depth: int) -> bool:
        """Note a step; whether it leads to a new world."""
        view = self.view(after)
        self.findings.edges.add((before, labels, view))
        self.findings.seen.setdefault(view, depth)
        size = len(self.known)
        if size > self.most:
            raise TooLargeError
        self.known.add(after.key)
        return len(self.known) > size

    def view(self, world: World) -> View:
        """What can be seen of a world."""
        if world.aborted:
            return world.store, 0, True
        bits = 0
        for watch in self.watches:
            bits = bits * 2 + _answer(watch, world)
        return world.store, bits, False


def _answer(watch: Watch, world: World) -> bool:
    """Whether it is so in a world."""
    if not watch.place:
        return world.can_enter(watch.process)
    return (world.has_yielded if watch.yielded else world.is_at)(watch.process, watch.place)


def explore(program: Program, watches: list[Watch], most: int = 2000) -> Findings:
    """Explore a legal program; raises TooLargeError for more than `most` states."""
    return _Search(program, watches, most).run()


#: a kind of worlds
Goal: TypeAlias = Callable[[World], bool]


class _Futures:
    """Every world of a program, what can come after it, and who moves in it."""

    def __init__(self, program: Program, most: int) -> None:
        self.direct = Direct(program)
        self.depth: dict[object, int] = {}
        self.worlds: dict[object, World] = {}
        self.after: dict[object, set[object]] = {}
        self.movers: dict[object, set[int]] = {}
        layer, depth = list(self.direct.initial()), 0
        while layer:
            new = {world.key: world for world in layer if world.key not in self.worlds}
            self.worlds |= new
            self.depth |= dict.fromkeys(new, depth)
            if len(self.worlds) > most:
                raise TooLargeError
            layer, depth = [after for world in new.values() for after in self.look(world)], depth + 1

    def look(self, world: World) -> list[World]:
        """Note who moves in a world; what may come next."""
        moves = [(n, step) for n, control in enumerate(world.controls) for step in self.steps_of(n, control, world)]
        found = [step.world for _, step in moves if step.world is not None]
        self.movers[world.key] = {number for number, _ in moves}
        self.after[world.key] = {after.key for after in found}
        return found

    def steps_of(self, number: int, control: Control, world: World) -> list[Step]:
        if control.mode != ON or control.awaits != NOBODY:
            return []
        return list(self.direct.steps_of(number, control, world))

    def rests(self, number: int, world: World) -> bool:
        """A process has ended, or is a coroutine that nobody has entered yet."""
        control = world.controls[number]
        fresh = self.direct.program.processes[number].coroutine and control == self.direct.started(number)
        return control.mode == ENDED or fresh

    def stuck(self, final: Term | None = None, working: Collection[str] = ()) -> int | None:
        """After how many steps some process can never move again though it has not ended, or all have that are at work."""
        goals = [self.goes_on(number) for number in range(len(self.direct.players))]
        goals += [self.works(working)] if final is not None else []
        ends = [self.holds(final)] if final is not None else []
        lost = [key for goal in goals for key in self.worlds if not self.comes(key, [goal, *ends])]
        return min((self.depth[key] for key in lost), default=None)

    def goes_on(self, number: int) -> Goal:
        """A process moves or is at rest."""
        return lambda world: number in self.movers[world.key] or self.rests(number, world)

    def works(self, working: Collection[str]) -> Goal:
        """Some process that is at work is not at rest."""
        numbers = [self.direct.names[name] for name in working]
        return lambda world: not all(self.rests(number, world) for number in numbers)

    def holds(self, final: Term) -> Goal:
        """A condition holds."""
        index = {var.name: number for number, var in enumerate(self.direct.program.variables)}
        read = reader(final, index)
        return lambda world: bool(read(world.store, world))

    def comes(self, key: object, goals: Collection[Goal]) -> bool:
        """Whether a world may come, or is there, which is one of some kinds, or in which the program was aborted."""
        seen, todo = {key}, [key]
        for here in todo:
            world = self.worlds[here]
            if world.aborted or any(goal(world) for goal in goals):
                return True
            more = self.after[here] - seen
            seen |= more
            todo += more
        return False


def movers(program: Program, most: int = 2000) -> set[str]:
    """The processes of a legal program that ever take a step."""
    futures = _Futures(program, most)
    return {program.processes[number].name for moving in futures.movers.values() for number in moving}


def stuck(program: Program, most: int = 2000, final: Term | None = None, working: Collection[str] = ()) -> int | None:
    """After how many steps a process of a legal program can be stuck first; None if never.

    With a condition that says where processes may rest it is stuck, too, if all that are at work have ended and none such comes any more.
    """
    return _Futures(program, most).stuck(final, working)
