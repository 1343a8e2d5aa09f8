"""The steps of one process, as LANGUAGE.md tells them. Knows nothing of the library.

A step is played in small moves from where control rests, all choices tried, until the page says that it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from tests.language.meaning import Store, Value, Where, reader
from tests.language.spots import Spot, lay
from tests.language.tree import (
    Abort,
    Atomic,
    Bound,
    Break,
    Call,
    Check,
    Continue,
    Do,
    Either,
    Enter,
    Error,
    Here,
    Loop,
    Process,
    Term,
    Update,
    Wait,
    When,
    While,
    Yield,
)

__all__ = ["Player", "Rest", "Way", "moved"]


class Rest(NamedTuple):
    """Control rests at a spot; `names` are those of the place."""

    spot: Spot
    names: frozenset[str]


class Way(NamedTuple):
    """One way through a step: what is stored after it, where control is, what kind of statement ended it, which checks failed.

    `labels` are those of the `do` and `wait` on the way.
    """

    store: Store
    spot: Spot
    event: str = ""
    name: str = ""
    failed: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    place: str = ""


class Move(NamedTuple):
    """A step under way: what is stored, whether anything belongs to the step yet, which checks have failed in it, and its labels."""

    store: Store
    where: Where
    begun: bool = False
    failed: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def on(self, label: str = "") -> Move:
        """Something more belongs to the step."""
        return self._replace(begun=True, labels=(*self.labels, label) if label else self.labels)


def moved(spot: Spot) -> Spot | None:
    """Where control is at once, without a step; None where only a step leads on, and at the end of the process."""
    match spot.statement:
        case None | Here() | Break() | Continue():
            return spot.after
        case Loop() | Atomic() | Call():
            return spot.inner[0]
        case _:
            return None


class Player:
    """Plays the steps of one process."""

    """Plays one process. `memory` says that its steps depend on nothing but what variables hold."""

    def __init__(self, process: Process, index: dict[str, int], ranges: list[tuple[int, int]], memory: bool) -> None:
        self.index, self.ranges = index, ranges
        self.spots = lay(process.body)
        self.start = self.rest(self.spots[0], ("(start)",) if process.coroutine else ())
        self.readers: dict[int, Value] = {}
        self.known: dict[tuple[Spot, Store], list[Way]] | None = {} if memory else None

    # rest

    def rest(self, spot: Spot, names: Iterable[str] = ()) -> Rest:
        """Move on without a step, as far as that goes, and see what the place is called."""
        names = set(names)
        while (after := moved(spot)) is not None:
            if isinstance(spot.statement, Here):
                names.add(spot.statement.name)
            spot = after
        if isinstance(spot.statement, Wait):
            names.add(spot.statement.label)
        return Rest(spot, frozenset(names))

    # a step

    def ways(self, spot: Spot, store: Store, where: Where) -> list[Way]:
        """All ways through the step that begins here."""
        if self.known is None:
            return list(self.go(spot, Move(store, where)))
        found = self.known.get((spot, store))
        if found is None:
            found = self.known[spot, store] = list(self.go(spot, Move(store, where)))
        return found

    def go(self, spot: Spot, move: Move) -> Iterator[Way]:
        """Go on from a spot with a step under way."""
        statement = spot.statement
        if statement is None:
            return self.leave(spot, move)
        return _PLAY[type(statement)](self, spot, statement, move)

    def leave(self, spot: Spot, move: Move) -> Iterator[Way]:
        """At the end of a block, or jumping: out of it, which may end the step."""
        if spot.after is None:
            return self.end(spot, move) if move.begun else iter(())
        if move.begun and spot.ends:
            return self.end(spot.after, move)
        return self.go(spot.after, move)

    def end(self, spot: Spot, move: Move, event: str = "", name: str = "") -> Iterator[Way]:
        """The step ends, with control at this spot."""
        yield Way(move.store, spot, event, name, failed=move.failed, asked=move.asked, labels=move.labels)

    def on(self, inside: bool, spot: Spot | None, move: Move) -> Iterator[Way]:
        """After a statement: inside atomic the step goes on, outside it is complete."""
        assert spot is not None
        return self.go(spot, move) if inside else self.end(spot, move)

    def value(self, term: Term, move: Move) -> int:
        """The value of a term at this point of the step."""
        read = self.readers.get(id(term))
        if read is None:
            read = self.readers[id(term)] = reader(term, self.index)
        return read(move.store, move.where)

    # statements

    def do(self, spot: Spot, statement: Do, move: Move) -> Iterator[Way]:
        if statement.guard is not None and not self.value(statement.guard, move):
            return iter(())
        store = list(move.store)
        for update in statement.updates:
            place = self.index[update.var.name]
            low, high = self.ranges[place]
            store[place] = self.stored(update, move)
            if not low <= store[place] <= high:
                return self.end(spot, move, "range")
        return self.on(spot.inside, spot.after, move.on(statement.label)._replace(store=tuple(store)))

    def stored(self, update: Update, move: Move) -> int:
        if update.how in ("set", "to"):
            return 1 if update.term is None else self.value(update.term, move)
        by = 1 if update.term is None else self.value(update.term, move)
        return move.store[self.index[update.var.name]] + (by if update.how == "inc" else -by)

    def wait(self, spot: Spot, statement: Wait, move: Move) -> Iterator[Way]:
        passed = bool(self.value(statement.guard, move))
        return self.on(spot.inside, spot.after, move.on(statement.label)) if passed else iter(())

    def check(self, spot: Spot, statement: Check, move: Move) -> Iterator[Way]:
        failed = move.failed if self.value(statement.holds, move) else (*move.failed, statement.name)
        return self.on(spot.inside, spot.after, move.on()._replace(failed=failed, asked=(*move.asked, statement.name)))

    def error(self, spot: Spot, statement: Error, move: Move) -> Iterator[Way]:
        if statement.when is None or self.value(statement.when, move):
            return self.end(spot, move, statement.kind)
        return self.on(spot.inside, spot.after, move.on())

    def when(self, spot: Spot, statement: When, move: Move) -> Iterator[Way]:
        inner = spot.inner[0 if self.value(statement.test, move) else 1]
        return self.on(spot.inside or statement.local, inner, move.on())

    def either(self, spot: Spot, statement: Either, move: Move) -> Iterator[Way]:
        for alternative, inner in zip(statement.alternatives, spot.inner, strict=True):
            if alternative.guard is None or self.value(alternative.guard, move):
                yield from self.go(inner, move.on())

    def loop(self, spot: Spot, _: Loop, move: Move) -> Iterator[Way]:
        return self.end(spot, move) if move.begun else self.go(spot.inner[0], move)

    def while_(self, spot: Spot, statement: While, move: Move) -> Iterator[Way]:
        if move.begun:
            return self.end(spot, move)
        again = bool(self.value(statement.test, move)) != statement.until
        return self.on(spot.inside, spot.inner[0] if again else spot.after, move.on())

    def jump(self, spot: Spot, _: Break | Continue, move: Move) -> Iterator[Way]:
        return self.leave(spot, move)

    def into(self, spot: Spot, _: Atomic | Call, move: Move) -> Iterator[Way]:
        return self.go(spot.inner[0], move)

    def here(self, spot: Spot, _: Here, move: Move) -> Iterator[Way]:
        assert spot.after is not None
        return self.end(spot, move) if move.begun else self.go(spot.after, move)

    def enter(self, spot: Spot, statement: Enter, move: Move) -> Iterator[Way]:
        assert spot.after is not None
        return (way._replace(place=statement.place) for way in self.end(spot.after, move, "enter", statement.coroutine))

    def yield_(self, spot: Spot, statement: Yield, move: Move) -> Iterator[Way]:
        assert spot.after is not None
        return self.end(spot.after, move, "yield", statement.name)

    def abort(self, spot: Spot, _: Abort, move: Move) -> Iterator[Way]:
        return self.end(spot, move, "abort")

    def bound(self, spot: Spot, _: Bound, move: Move) -> Iterator[Way]:
        return self.end(spot, move, "bound")


#: each takes its own kind of statement
_PLAY: dict[type[object], Callable[..., Iterator[Way]]] = {
    Do: Player.do, Wait: Player.wait, Check: Player.check, When: Player.when, Either: Player.either, Loop: Player.loop,
    While: Player.while_, Break: Player.jump, Continue: Player.jump, Atomic: Player.into, Call: Player.into, Here: Player.here,
    Enter: Player.enter, Yield: Player.yield_, Abort: Player.abort, Bound: Player.bound,
    Error: Player.error,
}  # fmt: skip
