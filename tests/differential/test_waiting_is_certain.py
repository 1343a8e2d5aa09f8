"""What is said to be certain of processes that wait is: random programs, and every state that can be reached from where it was said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

import pytest

from draincheck.analysis import future, onward, prospects
from draincheck.analysis.dead_end import DeadEnd, dead_end
from draincheck.analysis.enabling import demands_of, visible
from draincheck.analysis.future import Future
from draincheck.analysis.waiting import Comes, Help, Moves, Obstacle, Situation, situation_in
from draincheck.errors import ModelError
from draincheck.expr import BoolExpr, substitute
from draincheck.properties import FaultKind
from draincheck.system import State, TransitionSystem
from draincheck.verdict import Limits
from tests.language.campaign import first_seed
from tests.language.play import record
from tests.language.random_programs import random_program
from tests.support.samples import sampled
from tests.support.waiting_programs import waiting_program

CHUNKS, SIZE, QUICK, FULL = 40, 40, 1, 2
START = first_seed()

#: one program that waits for so many others
EVERY = 4

#: larger programs are left out
MOST = 300


class Window(NamedTuple):
    """What is looked at: a state, or the states of a loop and the actions taken in it."""

    states: tuple[State, ...]
    taken: frozenset[int] = frozenset()


class Explored:
    """All states of a system, and where each leads to, by the system's own rules."""

    def __init__(self, system: TransitionSystem) -> None:
        self.system = system
        self.next: dict[State, list[tuple[int, State]]] = {}
        self.is_bounded = any(fault.kind is FaultKind.BOUND for action in system.actions for fault in action.faults)
        todo = list(system.initial)
        while todo and len(self.next) <= MOST:
            state = todo.pop()
            if state not in self.next:
                taken = (a for a in system.enabled(state) if system.fault(state, a) is None)
                self.next[state] = [(a.index, system.step(state, a)) for a in taken]
                todo += [after for _, after in self.next[state]]

    def reached(self, start: State) -> dict[State, int]:
        """The states that can be reached from one, and in how many steps."""
        found, todo = {start: 0}, [start]
        for state in todo:
            for _, after in self.next[state]:
                if after not in found:
                    found[after] = found[state] + 1
                    todo.append(after)
        return found

    def movers(self, start: State) -> set[str]:
        """The processes that take a step in some run from a state on."""
        return {self.system.actions[a].process for state in self.reached(start) for a, _ in self.next[state]}

    def windows(self) -> Iterator[Window]:
        """Every state, and the loops into which a run falls that always does the first, or the last, of what it can do."""
        yield from (Window((state,)) for state in self.next)
        for which in (0, -1):
            way: list[tuple[State, int]] = []
            state = self.system.initial[0]
            while self.next[state] and state not in dict(way):
                action, after = self.next[state][which]
                way.append((state, action))
                state = after
            if state in dict(way):
                loop = way[[one for one, _ in way].index(state) :]
                yield Window(tuple(one for one, _ in loop), frozenset(action for _, action in loop))


def wrong(explored: Explored, window: Window, found: Situation) -> list[str]:
    """What is said of a state or a loop and is not so."""
    system = explored.system
    moving = explored.movers(window.states[0])
    able = [{action.process for action in system.enabled(state)} for state in window.states]
    taking = {system.actions[index].process for index in window.taken}
    said = {moves: {item.stand.process for item in found.processes if item.moves is moves} for moves in Moves}
    lost = {item.stand.process for item in found.processes if item.is_lost}
    claims = {
        "moves": (lost | said[Moves.ENDED]) & moving,
        "goes on": said[Moves.GOES_ON] ^ taking,
        "could all along": said[Moves.COULD] ^ (set[str].intersection(*able) - taking),
        "could now and then": said[Moves.NOW_AND_THEN]
        ^ (set[str].union(*able) - set[str].intersection(*able) - taking),
    }
    return [f"{window}: {claim}: {process}" for claim, processes in claims.items() for process in processes]


def misleading(explored: Explored, window: Window, found: Situation, complete: bool = True) -> list[str]:
    """What is said of who could help, and of circles, and is not so; where it is `complete`, also what is not said."""
    errors, complete = list[str](), complete and not explored.is_bounded
    for item in found.processes:
        stays = item.stand.process not in Walk(explored, window, "").movers
        if item.moves in (Moves.WAITS, Moves.PARKED) and (
            item.is_lost != stays if complete else item.is_lost and not stays
        ):
            errors.append(f"{item.stand.process}: lost is {item.is_lost}")
        for obstacle in (obstacle for way in item.ways for obstacle in way.obstacles):
            errors += false_of_obstacle(explored, window, item.stand.process, obstacle, complete)
        errors += [f"{help}" for help in item.entered_by if not is_so(explored, window, item.stand.process, help, None)]
    return [f"{window}: {error}" for error in (*errors, *false_circle(found))]


def false_of_obstacle(
    explored: Explored, window: Window, process: str, obstacle: Obstacle, complete: bool
) -> Iterator[str]:
    """What is not so of a condition that is false where a process waits."""
    term = text_of(explored.system, obstacle.condition)
    yield from (f"{help}" for help in obstacle.helpers if not is_so(explored, window, process, help, term))
    now, later = Walk(explored, window, process), Walk(explored, window, "")
    told = {help.process for help in obstacle.helpers if help.comes in (Comes.MAY, Comes.PERHAPS)}
    if told != now.helping(term) and (complete or not told > now.helping(term)):
        yield f"{process}: {obstacle.condition}: by {told}"
    everywhere = helping_in(explored, explored.next, term)
    if obstacle.never != (not everywhere) and (obstacle.never or complete):
        yield f"{process}: {obstacle.condition}: never is {obstacle.never}"
    could_have = everywhere - later.helping(term) if complete else set(obstacle.gone) - later.helping(term)
    yield from (f"{name} is past that" for name in obstacle.gone if name not in could_have)


def false_circle(found: Situation) -> Iterator[str]:
    """A circle is of processes that never move again, each waiting for the next, or that go round until the next does."""
    items = {item.stand.process: item for item in found.processes}
    for one, other in zip(found.circle, (*found.circle[1:], *found.circle[:1]), strict=True):
        asking = [help for item in items.values() for help in item.helpers if help.process == one and item.is_lost]
        turns = items[one].moves is Moves.GOES_ON and any(help.after == other for help in asking)
        if not turns and not (items[one].is_lost and other in items[one].waits_for):
            yield f"no circle: {found.circle}"


class Walk:
    """What comes of a window while a process takes no step: the steps that are taken, and those that would be errors."""

    def __init__(self, explored: Explored, window: Window, without: str) -> None:
        self.explored, self.without = explored, without
        found = dict.fromkeys(window.states)
        self.states = list(found)
        for state in self.states:
            new = dict.fromkeys(t for index, t in explored.next[state] if self.goes(index) and t not in found)
            found |= new
            self.states += new

    @property
    def movers(self) -> set[str]:
        """The processes of which a step, sound or not, is enabled."""
        return {action.process for state in self.states for action in self.explored.system.enabled(state)}

    def goes(self, index: int) -> bool:
        """Whether a step is of another process than the one that waits."""
        return self.explored.system.actions[index].process != self.without

    def taken(self, help: Help, name: str) -> dict[int, list[tuple[State, State]]]:
        """The steps of a helper with a label, by their actions."""
        found: dict[int, list[tuple[State, State]]] = {}
        for state in self.states:
            for index, after in self.explored.next[state]:
                action = self.explored.system.actions[index]
                if self.goes(index) and (action.process, action.name) == (help.process, name):
                    found.setdefault(index, []).append((state, after))
        return found

    def helping(self, term: BoolExpr) -> set[str]:
        """The processes of which a step makes a condition true."""
        return helping_in(self.explored, self.states, term) - {self.without}

    def is_error(self, help: Help) -> bool:
        """Whether each of the steps is an error somewhere."""
        system = self.explored.system
        met = {
            a.name
            for state in self.states
            for a in system.enabled(state)
            if a.process == help.process and system.fault(state, a)
        }
        return met.issuperset(help.steps)


def helping_in(explored: Explored, states: Iterable[State], term: BoolExpr) -> set[str]:
    """The processes of which a step makes a condition true that was false, in some of these states."""
    system = explored.system
    return {
        system.actions[index].process
        for state in states
        if not system.holds(term, state)
        for index, after in explored.next[state]
        if system.holds(term, after)
    }


def is_so(explored: Explored, window: Window, process: str, help: Help, term: BoolExpr | None) -> bool:
    """Whether it is as it is said what steps of another process could do for one that waits."""
    before, anyway = Walk(explored, window, process), Walk(explored, window, "")
    first = Walk(explored, window, help.after) if help.after else before

    def helps(walk: Walk, name: str) -> bool:
        return any(makes(explored, edge, term) for edges in walk.taken(help, name).values() for edge in edges)

    match help.comes:
        case Comes.MAY:
            return all(helps(before, name) for name in help.steps) and is_sure(explored, before, help, term)
        case Comes.PERHAPS:
            return True
        case Comes.AFTER if help.after == process:
            return not any(helps(before, name) for name in help.steps)
        case Comes.AFTER:
            return help.after not in anyway.movers and not any(helps(first, name) for name in help.steps)
        case Comes.NEVER:
            return not any(anyway.taken(help, name) for name in help.steps)
        case Comes.VAIN:
            return not any(helps(anyway, name) for name in help.steps)
        case Comes.ERROR:
            return anyway.is_error(help) and not any(helps(anyway, name) for name in help.steps)


def makes(explored: Explored, edge: tuple[State, State], term: BoolExpr | None) -> bool:
    """Whether a step makes a condition true, or is taken where there is none."""
    before, after = (term is None or explored.system.holds(term, state) for state in edge)
    return term is None or (not before and after)


def is_sure(explored: Explored, walk: Walk, help: Help, term: BoolExpr | None) -> bool:
    """Whether steps that are said to be sure of it always make a condition true where it is false."""
    if not help.sure or term is None:
        return True
    system = explored.system
    steps = [list(walk.taken(help, name).values()) for name in help.steps]
    return all(
        any(all(system.holds(term, before) or system.holds(term, after) for before, after in edges) for edges in found)
        for found in steps
    )


def text_of(system: TransitionSystem, condition: str) -> BoolExpr:
    """The demand with this text, over variables."""
    demands = (term for action in system.actions for term in (*demands_of(action), *visible([action.guard])))
    return substitute(next(term for term in demands if str(term) == condition), dict(system.places))


def no_end(explored: Explored, start: State) -> list[str]:
    """Why the dead end that is found from a state is none, or not the nearest."""
    end, far = dead_end(explored.system, start), explored.reached(start)
    if end is None:
        return [f"{start}: no end"]
    inside = set(end.states)
    leaves = any(after not in inside for state in inside for _, after in explored.next[state])
    ends = [state for state in far if start_of_end(explored, state)]
    nearest = min(far[state] for state in ends)
    return (
        [f"{start}: {end}"]
        if leaves or nearest != len(end.path) or not leads_there(explored, start, end) or not inside <= far.keys()
        else []
    )


def leads_there(explored: Explored, start: State, end: DeadEnd) -> bool:
    """Whether each step of the way to a dead end is one, and the last ends there."""
    here = start
    for state, index in end.path:
        if state != here or index not in dict(explored.next[here]):
            return False
        here = dict(explored.next[here])[index]
    return here in end.states


def start_of_end(explored: Explored, state: State) -> bool:
    """Whether a state can be come back to from wherever it leads."""
    return all(state in explored.reached(other) for other in explored.reached(state))


def waiting_programs(seeds: range) -> Iterator[Explored]:
    """Those that are not too large."""
    for seed in seeds:
        explored = Explored(waiting_program(seed).compile())
        if len(explored.next) <= MOST // 3:
            yield explored


def programs(seeds: range) -> Iterator[Explored]:
    """Those that are no errors, and not too large."""
    for seed in seeds:
        with suppress(ModelError):
            explored = Explored(record(random_program(seed), []).compile())
            if len(explored.next) <= MOST:
                yield explored


def judged(seeds: range, complete: bool = True) -> tuple[list[str], int, int, int]:
    """What is wrong of these programs; how many states and loops were looked at, and how many processes were said to be lost there."""
    errors: list[str] = []
    states = loops = lost = 0
    for explored in (*programs(seeds), *waiting_programs(seeds[::EVERY])):
        for window in explored.windows():
            found = situation_in(explored.system, window.states, window.taken)
            errors += [*wrong(explored, window, found), *misleading(explored, window, found, complete)]
            states, loops = states + 1, loops + bool(window.taken)
            lost += sum(item.is_lost for item in found.processes)
    return errors, states, loops, lost


def seeds_of(chunk: int) -> range:
    """The programs of a chunk."""
    return range(START + chunk * SIZE, START + (chunk + 1) * SIZE)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", sampled(range(CHUNKS), QUICK, FULL))
def test_who_is_said_to_be_lost_never_moves_again(chunk: int) -> None:
    """Nor does one that is said to have ended; and a process could go on exactly where one of its actions is enabled."""
    errors, states, loops, lost = judged(seeds_of(chunk))
    assert errors == []
    assert states > 60
    assert loops > 3
    assert lost > 10


@pytest.mark.parametrize("chunk", sampled(range(CHUNKS), QUICK, FULL))
def test_a_dead_end_is_left_for_nowhere(chunk: int) -> None:
    """Nothing leads out of it, and there is none nearer."""
    found = [(explored, next(iter(explored.next))) for explored in programs(seeds_of(chunk)) if len(explored.next) < 60]
    assert [text for explored, start in found for text in no_end(explored, start)] == []
    assert len(found) > 10


@pytest.mark.slow
@pytest.mark.parametrize("chunk", sampled(range(CHUNKS), QUICK, FULL))
def test_what_is_said_is_so_where_not_all_is_seen(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for a few states most of what may come is unknown, and what is said all the same is so."""
    shorten(monkeypatch)
    errors, *_ = judged(seeds_of(chunk), complete=False)
    assert errors == []


def shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few states are looked at."""
    monkeypatch.setattr(future, "MOST", Limits(states=2))
    monkeypatch.setattr(onward, "LIMIT", 3)


@pytest.mark.slow
def test_help_that_is_overlooked_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: if no step is thought to make anything true, where not all is seen, processes are said to be lost that are not."""
    shorten(monkeypatch)
    monkeypatch.setattr(prospects, "could_make_true", lambda *_: False)
    assert any(judged(few, complete=False)[0] for few in by_tens())


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(["helping", "moves", "errs", "ever_helps", "always_helps"], 4, 4))
def test_a_search_that_answers_wrongly_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of each question that is asked of what may come."""
    right = getattr(Future, name)
    wrong_answers = {"helping": lambda *_: [], "always_helps": lambda *_: True}
    monkeypatch.setattr(Future, name, wrong_answers.get(name, lambda *asked: not right(*asked)))
    assert any(judged(few)[0] for few in by_tens())


def by_tens() -> Iterator[range]:
    """Programs, until one is found in which something is wrong."""
    return (range(first, first + 10) for first in range(0, 12 * SIZE, 10))


#: programs of which it was said that a process goes on only after another, which had not been seen to move, and did
TOO_CERTAIN = range(513578495028000000, 513578495028000040)


@pytest.mark.slow
def test_who_was_not_seen_to_move_may_move(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not all is seen, nobody is waited for because of that."""
    shorten(monkeypatch)
    errors, *_ = judged(TOO_CERTAIN, complete=False)
    assert errors == []
