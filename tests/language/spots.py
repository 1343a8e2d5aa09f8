"""Where control can be: a tree laid out as spots, one before every statement and one at the end of every block."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from tests.language.tree import Atomic, Block, Break, Call, Continue, Either, Loop, Statement, When, While

__all__ = ["Spot", "lay"]

#: how control leaves a block at its end: of the process, of a loop's round, of an alternative outside atomic, of an outermost atomic
Border: TypeAlias = Literal["process", "round", "alternative", "atomic", "none"]


@dataclass(eq=False, slots=True)
class Spot:
    """Control stands before `statement`, or at the end of a block if that is None.

    `after` is where control goes on: behind the statement, out of the block, or where a `break_` or `continue_` leads. `ends` says that
    on the way a step that has begun ends. `inner` are the first spots of the blocks that the statement opens.
    """

    statement: Statement | None
    inside: bool
    after: Spot | None = None
    ends: bool = False
    inner: tuple[Spot, ...] = ()
    border: Border = "none"
    number: int = 0


@dataclass(frozen=True)
class _Around:
    """What is around a block: whether that is atomic, the loop, and whether a jump out of that loop ends a step."""

    spots: list[Spot]
    inside: bool = False
    loop: Spot | None = None
    crosses: bool = False
    behind: Spot | None = field(default=None)


def lay(body: Block) -> list[Spot]:
    """All spots of a process; the first of the list is where it begins."""
    spots: list[Spot] = []
    start = _block(body, _Around(spots), None, "process")
    spots.remove(start)
    spots.insert(0, start)
    for number, spot in enumerate(spots):
        spot.number = number
    return spots


def _new(around: _Around, spot: Spot) -> Spot:
    around.spots.append(spot)
    return spot


def _block(block: Block, around: _Around, out: Spot | None, border: Border) -> Spot:
    """Lay a block out; `out` is where its end leads. Returns its first spot."""
    ends = border in ("alternative", "atomic")
    spot = _new(around, Spot(None, around.inside, out, ends, border=border))
    for statement in reversed(block):
        spot = _statement(statement, around, spot)
    return spot


def _statement(statement: Statement, around: _Around, after: Spot) -> Spot:
    spot = _new(around, Spot(statement, around.inside, after))
    match statement:
        case When(then=then, otherwise=otherwise):
            other = after if otherwise is None else _block(otherwise, around, after, "none")
            spot.inner = (_block(then, around, after, "none"), other)
        case Either(alternatives=alternatives):
            border: Border = "none" if around.inside else "alternative"
            within = around if around.inside else replace(around, crosses=True)
            spot.inner = tuple(_block(each.body, within, after, border) for each in alternatives)
        case Loop(body=body) | While(body=body):
            within = replace(around, loop=spot, crosses=False, behind=after)
            spot.inner = (_block(body, within, spot, "round"),)
        case Atomic(body=body):
            within = around if around.inside else replace(around, inside=True, crosses=True)
            spot.inner = (_block(body, within, after, "none" if around.inside else "atomic"),)
        case Call(body=body):
            spot.inner = (_block(body, around, after, "none"),)
        case Break():
            spot.after, spot.ends = around.behind, around.crosses
        case Continue():
            spot.after, spot.ends = around.loop, around.crosses
        case _:
            pass
    return spot
