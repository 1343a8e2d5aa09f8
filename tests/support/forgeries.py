"""Certificates of claims that are false, made by every trick that a list can hold, and by chance.

A *lie* is a pair of systems that differ in an action: what is claimed holds in the first, and in the second it does not. The certificate of the
first is passed off for the second; everything else of it is right, so that only what it claims stands in the way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, NamedTuple

from draincheck import interpreter
from draincheck.certificate import make, read
from draincheck.certificate.format import CLAIM, MODEL, QUERIES
from draincheck.jsonvalue import Json
from draincheck.properties import Always, Assertion, CanAlwaysFinish, NoDeadlock, Reachable
from draincheck.sorts import IntSort
from draincheck.system import IntVar, TransitionSystem
from draincheck.verdict import Outcome
from tests.support.certificates import by_induction, forged
from tests.support.machines import Machine
from tests.support.stuck_models import two_locks

__all__ = ["LIES", "Lie", "chance", "systematic"]


class Lie(NamedTuple):
    """The system that is lied about, and the text of a certificate that claims of it what holds in another."""

    system: TransitionSystem
    text: str

    def is_true(self, text: str) -> bool:
        """Whether what a certificate claims happens to be so: it may say something else by now."""
        outcomes = {name: verdict.outcome for name, verdict in interpreter.explore(self.system).verdicts.items()}
        claims = read(text).header.claims
        return bool(claims) and all(outcomes.get(item.property) is Outcome(item.verdict) for item in claims)


def _ring(lying: bool) -> TransitionSystem:
    place = IntVar("place", IntSort(0, 4), (0,))
    machine = Machine(place)
    for here, there in ((0, 1), (1, 2), (2, 3 if lying else 0), (3, 4), (4, 4)):
        machine.action(f"{here} to {there}", place.is_(here), place.set(there))
    return machine.system(Always("not at 4", place < 4), Reachable("at 4", place.is_(4)), NoDeadlock("moves"))


def _home(lying: bool) -> TransitionSystem:
    place = IntVar("place", IntSort(0, 3), (0,))
    machine = Machine(place)
    machine.action("on", place < 3, place.inc())
    machine.action("stay", place.is_(2 if not lying else 3), place.set(2 if not lying else 3))
    machine.action("back", place.is_(1) if lying else place > 0, place.dec())
    return machine.system(CanAlwaysFinish("home", place.is_(0)))


def _witness(lying: bool) -> TransitionSystem:
    place = IntVar("place", IntSort(0, 3), (0,))
    machine = Machine(place)
    machine.action("on", place < (2 if lying else 3), place.inc())
    machine.action("stay", place.is_(3), place.set(3))
    return machine.system(Reachable("at 3", place.is_(3)))


def _line(lying: bool) -> TransitionSystem:
    place = IntVar("place", IntSort(0, 3), (0,))
    machine = Machine(place)
    machine.action("stay", place.is_(0), place.set(1 if lying else 0))
    machine.action("on", (place > 0) & (place < 3), place.inc())
    return machine.system(Always("not last", place < 3))


def _stuck(lying: bool) -> TransitionSystem:
    place = IntVar("place", IntSort(0, 2), (0,))
    machine = Machine(place)
    machine.action("on", place < 2, place.inc())
    machine.action("again", place.is_(1 if lying else 2), place.set(0))
    return machine.system(NoDeadlock("moves"))


def _check(lying: bool) -> TransitionSystem:
    place = IntVar("place", IntSort(0, 3), (0,))
    machine = Machine(place)
    machine.action("on", place < (1 if lying else 2), place.inc())
    machine.action("asks", place.is_(2), place.set(3), checks=[("checked", place > 0)])
    return machine.system(Assertion("checked"))


def _movement(lying: bool) -> TransitionSystem:
    place = IntVar("place", IntSort(0, 3), (0,))
    machine = Machine(place)
    machine.action("on", place.is_(1 if lying else 0), place.inc())
    return machine.system(Always("low", place < 3))


def _circle(lying: bool) -> TransitionSystem:
    return two_locks(ordered=not lying).compile()


def _certified(build: Callable[[bool], TransitionSystem]) -> Lie:
    return Lie(build(True), forged(build(True), make(build(False))).text)


def _proved() -> Lie:
    return Lie(_line(True), forged(_line(True), by_induction(_line(False), "not last")).text)


#: by what is lied about
LIES: dict[str, Callable[[], Lie]] = {
    "a state": lambda: _certified(_ring),
    "a way home": lambda: _certified(_home),
    "a witness": lambda: _certified(_witness),
    "an induction": _proved,
    "a deadlock": lambda: _certified(_stuck),
    "a question": lambda: _certified(_check),
    "a movement": lambda: _certified(_movement),
    "a circle": lambda: _certified(_circle),
}

#: what a liar would like a field of the header to be
VALUES: tuple[Json, ...] = (
    None,
    True,
    False,
    0,
    1,
    2,
    200,
    -1,
    10**30,
    "",
    "holds",
    "violated",
    "machine",
    [],
    [0],
    {},
    0.5,
)

#: what a liar would like a solver to read
LINES = (
    "(assert false)", "(check-sat)", "(push 1)", "(pop 1)", "(reset)", "(exit)", "(declare-const false Bool)",
    "(set-option :global-declarations true)", "(define-fun inv () Bool true)", "(define-fun-rec inv () Bool inv)",
    MODEL, CLAIM, QUERIES, "", "; ", ")", "(",
)  # fmt: skip

#: what a liar would like a definition to say
BODIES = (
    "true", "false", "(not true)", "(and false true)", "(= v0 v0)", "(ite true false true)", "(domain v0)", "inv", "init", "(inv v0)",
    "(let ((n1 false)) n1)", "(let ((true false)) true)", "(forall ((x Bool)) x)", "(! true :named a)", "true) (assert false",
)  # fmt: skip


def systematic(lie: Lie) -> Iterator[str]:
    """Each field of the header with each value, and without; each line left out, twice, exchanged, behind another; each body of the claim."""
    lines = lie.text.split("\n")
    header = json.loads(lines[1].removeprefix("; "))
    for place in _places(header):
        for value in VALUES:
            yield "\n".join([lines[0], f"; {json.dumps(_put(header, place, value))}", *lines[2:]])
        yield "\n".join([lines[0], f"; {json.dumps(_without(header, place))}", *lines[2:]])
    for number, line in enumerate(lines):
        before, behind = lines[:number], lines[number + 1 :]
        yield "\n".join([*before, *behind])
        yield "\n".join([*before, line, line, *behind])
        yield "\n".join([*before, *behind[:1], line, *behind[1:]])
        for other in LINES:
            yield "\n".join([*before, other, line, *behind])
        if line.startswith("(define-fun "):
            start = line[: line.index(") ", line.index("((")) + 2] if "((" in line else line
            for body in BODIES:
                yield "\n".join([*before, f"{start}Bool {body})", *behind])


def _places(value: Json, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where something stands in a JSON value."""
    if place:
        yield place
    inner: Sequence[tuple[str | int, Json]] = ()
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    for key, item in inner:
        yield from _places(item, (*place, key))


def _put(document: Json, place: Sequence[str | int], value: Json) -> Json:
    """The document with something else in a place."""
    copy: Json = json.loads(json.dumps(document))
    _holder(copy, place)[place[-1]] = value
    return copy


def _without(document: Json, place: Sequence[str | int]) -> Json:
    copy: Json = json.loads(json.dumps(document))
    del _holder(copy, place)[place[-1]]
    return copy


def _holder(document: Any, place: Sequence[str | int]) -> Any:
    """What holds the thing in a place."""
    for key in place[:-1]:
        document = document[key]
    return document


def chance(lie: Lie, random: Random) -> str:
    """A few changes somewhere, of the kinds that are systematic, of single letters, and of words that stand elsewhere."""
    text = lie.text
    for _ in range(random.randint(1, 4)):
        lines = text.split("\n")
        number = random.randrange(2, len(lines)) if len(lines) > 2 else 0
        words = lines[number].split(" ")
        match random.randrange(5):
            case 0:
                lines[number] = random.choice(LINES)
            case 1:
                words[random.randrange(len(words))] = random.choice(text.split())
                lines[number] = " ".join(words)
            case 2:
                lines[number : number + 2] = lines[number : number + 2][::-1]
            case 3:
                at = random.randrange(len(lines[number]) + 1)
                lines[number] = lines[number][:at] + random.choice("()01 vinwc#b") + lines[number][at + 1 :]
            case _:
                words[random.randrange(len(words))] = random.choice(BODIES)
                lines[number] = " ".join(words)
        text = "\n".join(lines)
    return text
