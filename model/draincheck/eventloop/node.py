"""Nodes of the block graph: what is in flight on them, the drained sections that were opened there, and whom a section reaches."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Generic, TypeVar

from msgspec import Struct

from draincheck.errors import ModelError
from draincheck.eventloop.backend import Backend
from draincheck.eventloop.context import AioContext, FdHandler
from draincheck.lang import FALSE, TRUE, BoolExpr, BoolVar, IntVar, Process, Update, any_, count

__all__ = ["Above", "DrainedOnce", "Home", "Node", "add_up", "fixed"]

H = TypeVar("H", bound=FdHandler)


class Home(Struct, Generic[H], frozen=True):
    """The context that a node is in: `first`, or `second` where it has moved there."""

    first: AioContext[H]
    second: AioContext[H]
    moved: BoolExpr

    def disable(self, when: BoolExpr = TRUE) -> list[Update]:
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


class Node(Struct, Generic[H], frozen=True, dict=True):
    """A node. In a graph of several a section of what it stands on reaches it, and one of its own reaches what stands on it.

    Attributes:
        name: for labels.
        counter: `quiesce_counter`: the drained sections that were opened on it; absent in code bases that have none.
        home: the context that it is in.
        in_flight: a request that it tracks is pending.
        parents: the BlockBackends that use it.
        below: a section reaches the node that it stands on now.
        above: the nodes that may stand on it.
    """

    name: str
    counter: IntVar
    home: Home[H]
    in_flight: BoolExpr = FALSE
    parents: tuple[Backend, ...] = ()
    below: BoolExpr = FALSE
    above: tuple[Above[H], ...] = ()

    @cached_property
    def open(self) -> BoolExpr:
        """A section that was opened on it has not ended."""
        return self.counter > 0

    @cached_property
    def drained(self) -> BoolExpr:
        """A section reaches it."""
        return any_(self.open, self.below)

    @cached_property
    def undrained(self) -> BoolExpr:
        """None does."""
        return ~self.drained if self._linked else self.counter.is_(0)

    @property
    def _linked(self) -> bool:
        """There are other nodes, and labels tell them apart."""
        return bool(self.above) or self.below is not FALSE

    @property
    def waits(self) -> BoolExpr:
        """What a drain waits for: its own requests, and those that its parents count (bdrv_drain_poll)."""
        return any_(self.in_flight, *(parent.in_flight for parent in self.parents))

    def begin(self, p: Process) -> None:
        """What bdrv_drained_begin does before it polls: count, and disable external events on the first section.

        A node above that stands on this one, and has no section of its own, is drained from now on, too. Raises ModelError where nothing
        counts sections: they would begin and never be open.
        """
        if not self.counter.exists:
            raise ModelError("a drained section begins in a code base that has none")
        label = f"quiesces the {self.name}" if self._linked else "aio_disable_external"
        p.do(label, self.counter.inc(), *self.home.disable(self.undrained))
        for user in self.above:
            with p.when(user.has_no_other & self.counter.is_(1)):
                p.do(f"quiesces the {user.node.name} with it", *user.node.home.disable())

    def end(self, p: Process, enable: Callable[[BoolExpr], None]) -> None:
        """bdrv_drained_end: the last one enables external events (`enable` records how, where a condition holds), for the nodes above as well."""
        p.do(f"releases the {self.name}" if self._linked else "quiesce_counter--", self.counter.dec())
        enable(self.undrained)
        for user in self.above:
            enable(user.has_no_other & self.counter.is_(0))


class Above(Struct, Generic[H], frozen=True):
    """An edge from a node above; `points`: it is this node that it stands on now."""

    node: Node[H]
    points: BoolExpr

    @property
    def has_no_other(self) -> BoolExpr:
        """A section of the node below is all that can drain it."""
        return self.points & self.node.counter.is_(0)


class DrainedOnce(Struct, Generic[H], frozen=True):
    """A node with one section at a time: `drained`, absent in code bases that never open it."""

    name: str
    drained: BoolVar
    home: Home[H]
    in_flight: BoolExpr

    def begin(self, p: Process) -> None:
        """Count it with the context that the node is in now."""
        p.do(f"drains the {self.name}", self.drained.set(), *self.home.disable())

    def end(self, p: Process) -> None:
        """Give it back there, and enable external events."""
        p.do(f"the {self.name}'s section ends", self.drained.clear(), *self.home.enable())


def add_up(drained: list[tuple[BoolExpr, Home[H]]]) -> BoolExpr:
    """Each context's counter is what the drained nodes that are in it now add up to: one each. All have the same two contexts."""
    home = drained[0][1]
    here = home.first.disable_count.is_(count(*(node & ~its.moved for node, its in drained)))
    if home.second is home.first:
        return here
    return here & home.second.disable_count.is_(count(*(node & its.moved for node, its in drained)))
