"""The graph of a job's nodes: edges with permissions, and mirror's filter between the guest's BlockBackend and the source.

BlockBackend --root--> filter --backing--> source; mirror_exit has the filter stand on the target, then the BlockBackend. Where the filter does
not show it is absent: BlockBackend --root--> source. Only variables and conditions; what happens to them is in mirror_exit.py and
mirror_top.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from draincheck.eventloop import Above, Backend, DrainedOnce, Home, Node
from draincheck.knobs import Knobs
from draincheck.lang import FALSE, BoolExpr, EnumVar, Model, any_, ite
from draincheck.qemu.disk import Disk
from draincheck.qemu.scenario import Scenario

__all__ = ["Graph", "has_filter", "has_sections"]


def has_filter(k: Knobs) -> bool:
    """The filter is modelled: it shows only where a BlockBackend queues requests, and a replacement drains."""
    return k.pre_switch == "drain" and k.exit == "bh" and k.park_requests and k.mirror_top


def has_sections(k: Knobs) -> bool:
    """The code base has drained sections."""
    return k.begin != "none" or k.drain_is_section or k.target_drained or k.pre_switch == "drain"


class Graph:
    """Where the edges point, which sections are open, and what the target's file child may do.

    A section of a node reaches up, along the edges, to all that use it: what is counted here are those that were opened on the node itself.
    (57e05be343, v8.0.0, tells a parent once an edge and not once a section: whether it is quiesced is the same.)

    Attributes:
        root: where the BlockBackend points (no more at the filter once that is out of the graph).
        backing: where the filter points; absent where there is none.
        source, filter, target: the nodes. Without a filter it and the target have no sections, but for those of `lone_target`.
        backend: the guest's BlockBackend.
        target_writes: the edge from the target to its protocol node has BLK_PERM_WRITE; absent where it always has: a format driver writes
            metadata of its own.
    """

    def __init__(self, m: Model, own: Callable[[str], str], root: EnumVar, k: Knobs, s: Scenario) -> None:
        self.root, self.knobs, exists = root, k, has_filter(k)
        self._source = m.int(own("quiesce_counter"), 0, 2, exists=has_sections(k))
        self.backing = m.enum(own("filter's backing"), "source", "target", exists=exists)
        self._filter = m.int(own("sections of the filter"), 0, 2, exists=exists)
        self._target = m.int(own("sections of the target"), 0, 2, exists=exists)
        raw = exists and s.target_format == "raw"
        self.target_writes = m.bool(own("target.file may write"), initial=True, exists=raw)
        self._lone_target = m.bool(own("target drained"), exists=not exists and k.target_drained)

    def place(self, disk: Disk, here: Home[Disk], there: Home[Disk]) -> None:
        """Make the nodes of a disk: the target is in a home of its own, the filter stays with its source."""
        on_source, on_target = disk.pending, disk.pending_on_target
        source, target = self._source > 0, self._target > 0
        below = ite(self.backing.is_("source"), source, target) if self.has_filter else FALSE
        drained = any_(self._filter > 0, below)
        root_drained = ite(self.root.is_("source"), source, target)
        quiesced = ite(self.root.is_("filter"), drained, root_drained) if self.has_filter else source
        self.backend = Backend(self.knobs, quiesced, disk.backend_waits)
        users = (self.backend,)
        self.filter = Node("filter", self._filter, here, on_source, users, below)
        edges = [
            (Above(self.filter, self.backing.is_(node)),) if self.has_filter else () for node in ("source", "target")
        ]
        self.target = Node("target", self._target, there, on_target, (), FALSE, edges[1])
        self.source = Node("source", self._source, here, on_source, users, FALSE, edges[0])
        self.lone_target = DrainedOnce("target", self._lone_target, there, on_target)

    @cached_property
    def has_filter(self) -> bool:
        """The filter is there."""
        return self.backing.exists

    @cached_property
    def on_source(self) -> BoolExpr:
        """A request that enters now reaches the source."""
        through = self.root.is_("filter") & self.backing.is_("source") if self.has_filter else FALSE
        return self.root.is_("source") | through

    @property
    def no_section(self) -> BoolExpr:
        """No drained section of the nodes is open."""
        return ~any_(*(node.open for node in (self.source, self.filter, self.target))) & ~self.lone_target.drained

    @property
    def drained_nodes(self) -> list[tuple[BoolExpr, Home[Disk]]]:
        """For each node: whether a section reaches it, and its home."""
        nodes = (self.source, self.filter, self.target, self.lone_target)
        return [(node.drained, node.home) for node in nodes]
