"""What is said to be certain of processes that wait is: random programs, and every state that can be reached from where it was said."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from draincheck.analysis import prospects
from draincheck.analysis.waiting import Moves, Situation, situation_in
from draincheck.errors import ModelError
from draincheck.system import Action, State, TransitionSystem
from tests.language.campaign import first_seed
from tests.language.play import record
from tests.language.random_programs import random_program
from tests.support.samples import sampled

CHUNKS, SIZE, QUICK = 40, 40, 2
START = first_seed()

#: larger programs are left out
MOST = 300


class Explored:
    """All states of a system, and where each leads to, by the system's own rules."""

    def __init__(self, system: TransitionSystem) -> None:
        self.system = system
        self.next: dict[State, list[tuple[str, State]]] = {}
        todo = list(system.initial)
        while todo and len(self.next) <= MOST:
            state = todo.pop()
            if state not in self.next:
                self.next[state] = [(a.process, system.step(state, a)) for a in self.taken(state)]
                todo += [after for _, after in self.next[state]]

    def taken(self, state: State) -> Iterator[Action]:
        """The actions that can be taken."""
        return (a for a in self.system.enabled(state) if self.system.fault(state, a) is None)

    def movers(self, start: State) -> set[str]:
        """The processes that take a step in some run from a state on."""
        seen, todo, found = {start}, [start], set[str]()
        while todo:
            for process, after in self.next[todo.pop()]:
                found.add(process)
                if after not in seen:
                    seen.add(after)
                    todo.append(after)
        return found


def wrong(explored: Explored, state: State, found: Situation) -> list[str]:
    """What is said of a state and is not so."""
    moving, able = explored.movers(state), {a.process for a in explored.system.enabled(state)}
    never = [item.stand.process for item in found.processes if item.is_lost or item.moves is Moves.ENDED]
    could = {item.stand.process for item in found.processes if item.moves is Moves.COULD}
    return [f"{process} moves" for process in never if process in moving] + [f"{p} could?" for p in could ^ able]


def judged(seeds: range) -> tuple[list[str], int, int]:
    """What is wrong of these programs, how many states were looked at, and how many processes were said to be lost there."""
    errors: list[str] = []
    states = lost = 0
    for seed in seeds:
        try:
            system = record(random_program(seed), []).compile()
        except ModelError:
            continue
        explored = Explored(system)
        if len(explored.next) <= MOST:
            chosen = list(explored.next)
            found = {state: situation_in(system, [state]) for state in chosen}
            errors += [f"{seed} {state}: {text}" for state in chosen for text in wrong(explored, state, found[state])]
            states += len(chosen)
            lost += sum(item.is_lost for each in found.values() for item in each.processes)
    return errors, states, lost


@pytest.mark.parametrize("chunk", sampled(range(CHUNKS), QUICK))
def test_who_is_said_to_be_lost_never_moves_again(chunk: int) -> None:
    """Nor does one that is said to have ended; and a process could go on exactly where one of its actions is enabled."""
    errors, states, lost = judged(range(START + chunk * SIZE, START + (chunk + 1) * SIZE))
    assert errors == []
    assert states > 60
    assert lost > 10


def test_help_that_is_overlooked_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: if no step is thought to make anything true, processes are said to be lost that are not."""
    monkeypatch.setattr(prospects, "could_make_true", lambda *_: False)
    errors, _, _ = judged(range(3 * SIZE))
    assert errors
