"""Drained sections: they count, and disable external events of the context that their node is in."""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct

from draincheck.errors import ModelError
from draincheck.eventloop.context import AioContext, FdHandler
from draincheck.lang import FALSE, BoolExpr, IntVar, Update, count

__all__ = ["Home", "Section", "add_up", "fixed"]

H = TypeVar("H", bound=FdHandler)


class Home(Struct, Generic[H], frozen=True):
    """The context that a node is in: `first`, or `second` where it has moved there."""

    first: AioContext[H]
    second: AioContext[H]
    moved: BoolExpr

    def disable(self, when: BoolExpr) -> list[Update]:
        """aio_disable_external of the node's context, where a condition holds."""
        if self.moved is FALSE:
            return [self.first.disable(when)]
        return [self.first.disable(when & ~self.moved), self.second.disable(when & self.moved)]

    def enable(self) -> list[Update]:
        """aio_enable_external of the node's context."""
        if self.moved is FALSE:
            return [self.first.tell_if_last(), self.first.give_back()]
        here, there = ~self.moved, self.moved
        told = [self.first.tell_if_last(here), self.second.tell_if_last(there)]
        return [*told, self.first.give_back(here), self.second.give_back(there)]


def fixed(ctx: AioContext[H]) -> Home[H]:
    """The home of a node that never moves."""
    return Home(ctx, ctx, FALSE)


class Section(Struct, Generic[H], frozen=True):
    """The drained sections of a node: `quiesce_counter`, absent in code bases that have none."""

    counter: IntVar
    home: Home[H]

    @property
    def open(self) -> BoolExpr:
        """One of them is open."""
        return self.counter > 0

    def begin(self) -> list[Update]:
        """What bdrv_drained_begin does before it polls: count, and disable external events on the first one.

        Raises ModelError where nothing counts sections: they would begin and never be open.
        """
        if not self.counter.exists:
            raise ModelError("a drained section begins in a code base that has none")
        return [self.counter.inc(), *self.home.disable(self.counter.is_(0))]


def add_up(drained: list[tuple[BoolExpr, Home[H]]]) -> BoolExpr:
    """Each context's counter is what the drained nodes that are in it now add up to: one each. All have the same two contexts."""
    home = drained[0][1]
    here = count(*(node & ~its.moved for node, its in drained))
    there = count(*(node & its.moved for node, its in drained))
    return home.first.disable_count.is_(here) & home.second.disable_count.is_(there)
