"""Edges of the block graph (BdrvChild): who uses a node, whether it may write there, and how often it is quiesced through it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from draincheck.core.block import BlockDriverState

__all__ = ["FILE", "BdrvChild", "BdrvChildClass", "bdrv_replace_child_noperm", "bdrv_replace_node_noperm"]


class BdrvChildClass(NamedTuple):
    """What a node calls in a parent of its when a drained section of it begins or ends, and while one is polled for."""

    drained_begin: Callable[[], None]
    drained_end: Callable[[], None]
    drained_poll: Callable[[], bool]


#: a parent that is not told: a node below is drained without those above it in this story
FILE = BdrvChildClass(lambda: None, lambda: None, lambda: False)


class BdrvChild:
    """An edge, from a parent (a BlockBackend, or a node) to the node that it uses.

    Attributes:
        klass: its parent's callbacks.
        bs: the node; None for a protocol node, which has no part in this story.
        writes: its permissions have BLK_PERM_WRITE.
        parent_quiesce_counter: how many drained sections of the node its parent has been told of.
    """

    __slots__ = ("bs", "klass", "parent_quiesce_counter", "writes")

    def __init__(self, klass: BdrvChildClass, bs: BlockDriverState | None, writes: bool) -> None:
        self.klass, self.bs, self.writes = klass, bs, writes
        self.parent_quiesce_counter = 0
        if bs is not None:
            self.parent_quiesce_counter = bs.quiesce_counter
            bs.parents.append(self)

    @property
    def node(self) -> BlockDriverState:
        """The node, where there is one."""
        assert self.bs is not None
        return self.bs

    def bdrv_parent_drained_begin_single(self) -> None:
        """A section of the node begins: its parent is to send nothing new."""
        self.parent_quiesce_counter += 1
        self.klass.drained_begin()

    def bdrv_parent_drained_end_single(self) -> None:
        """One ends."""
        self.parent_quiesce_counter -= 1
        self.klass.drained_end()


def bdrv_replace_child_noperm(child: BdrvChild, new: BlockDriverState) -> None:
    """Point an edge to another node, and leave permissions as they are. A parent stays quiesced as often as its node of now is drained.

    If that is less often than the old one was, the parent's queued requests go on in here.
    """
    saldo = new.quiesce_counter - child.parent_quiesce_counter
    for _ in range(saldo):
        child.bdrv_parent_drained_begin_single()
    child.node.parents.remove(child)
    child.bs = new
    new.parents.append(child)
    for _ in range(-saldo):
        child.bdrv_parent_drained_end_single()


def bdrv_replace_node_noperm(old: BlockDriverState, new: BlockDriverState) -> None:
    """Make every parent of `old` one of `new`; permissions stay."""
    for child in tuple(old.parents):
        bdrv_replace_child_noperm(child, new)
    old.host.event("bdrv_replace_node")
