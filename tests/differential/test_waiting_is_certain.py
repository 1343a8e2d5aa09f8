"""What is said to be certain of processes that wait is: random programs, and every state that can be reached from where it was said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import pytest

from draincheck.analysis import prospects
from draincheck.analysis.dead_end import DeadEnd, dead_end
from draincheck.analysis.enabling import demands_of
from draincheck.analysis.waiting import Comes, Help, Moves, Situation, situation_in
from draincheck.errors import ModelError
from draincheck.expr import BoolExpr, substitute
from draincheck.system import State, TransitionSystem
from tests.language.campaign import first_seed
from tests.language.play import record
from tests.language.random_programs import random_program
from tests.support.samples import sampled

CHUNKS, SIZE, QUICK = 40, 40, 2
START = first_seed()

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


def untimely(explored: Explored, window: Window, found: Situation) -> list[str]:
    """Where it is said that steps cannot help, or not before somebody goes on, and some run has them help before that."""
    system, errors = explored.system, list[str]()
    for item in found.processes:
        obstacles = [obstacle for way in item.ways for obstacle in way.obstacles]
        offered: list[tuple[Help, BoolExpr | None]] = [
            (help, text_of(system, obstacle.condition)) for obstacle in obstacles for help in obstacle.helpers
        ]
        offered += [(help, None) for help in item.entered_by]
        errors += [
            f"{window}: {item.stand.process}: {help}" for help, term in offered if comes(explored, window, help, term)
        ]
    return errors


def text_of(system: TransitionSystem, condition: str) -> BoolExpr:
    """The demand with this text, over variables."""
    demands = (term for action in system.actions for term in demands_of(action))
    return substitute(next(term for term in demands if str(term) == condition), dict(system.places))


def comes(explored: Explored, window: Window, help: Help, term: BoolExpr | None) -> bool:
    """Whether some run from the window has one of the steps help though it is said not to, or not yet."""
    if help.comes is Comes.MAY:
        return False
    system, todo = explored.system, list(window.states)
    for state in todo:
        for index, after in explored.next[state]:
            action = system.actions[index]
            helps = term is None or (not system.holds(term, state) and system.holds(term, after))
            if action.process == help.process and action.name in help.steps and helps:
                return True
            if action.process != help.after and after not in todo:
                todo.append(after)
    return False


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


def programs(seeds: range) -> Iterator[Explored]:
    """Those that are no errors, and not too large."""
    for seed in seeds:
        with suppress(ModelError):
            explored = Explored(record(random_program(seed), []).compile())
            if len(explored.next) <= MOST:
                yield explored


def judged(seeds: range) -> tuple[list[str], int, int, int]:
    """What is wrong of these programs; how many states and loops were looked at, and how many processes were said to be lost there."""
    errors: list[str] = []
    states = loops = lost = 0
    for explored in programs(seeds):
        for window in explored.windows():
            found = situation_in(explored.system, window.states, window.taken)
            errors += [*wrong(explored, window, found), *untimely(explored, window, found)]
            states, loops = states + 1, loops + bool(window.taken)
            lost += sum(item.is_lost for item in found.processes)
    return errors, states, loops, lost


def seeds_of(chunk: int) -> range:
    """The programs of a chunk."""
    return range(START + chunk * SIZE, START + (chunk + 1) * SIZE)


@pytest.mark.parametrize("chunk", sampled(range(CHUNKS), QUICK))
def test_who_is_said_to_be_lost_never_moves_again(chunk: int) -> None:
    """Nor does one that is said to have ended; and a process could go on exactly where one of its actions is enabled."""
    errors, states, loops, lost = judged(seeds_of(chunk))
    assert errors == []
    assert states > 60
    assert loops > 3
    assert lost > 10


@pytest.mark.parametrize("chunk", sampled(range(CHUNKS), 1))
def test_a_dead_end_is_left_for_nowhere(chunk: int) -> None:
    """Nothing leads out of it, and there is none nearer."""
    found = [(explored, next(iter(explored.next))) for explored in programs(seeds_of(chunk)) if len(explored.next) < 60]
    assert [text for explored, start in found for text in no_end(explored, start)] == []
    assert len(found) > 10


def test_help_that_is_overlooked_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: if no step is thought to make anything true, processes are said to be lost that are not."""
    monkeypatch.setattr(prospects, "could_make_true", lambda *_: False)
    errors, *_ = judged(range(3 * SIZE))
    assert errors
