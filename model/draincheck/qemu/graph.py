"""The graph of nodes: edges with permissions, and mirror's filter between the guest's BlockBackend and the source.

BlockBackend --root--> filter --backing--> source; mirror_exit has the filter stand on the target, then the BlockBackend. Only variables and
conditions; what happens to them is in mirror_top.py.
"""

from __future__ import annotations

from collections.abc import Callable

from draincheck.knobs import Knobs
from draincheck.lang import BoolExpr, EnumVar, IntVar, Model, any_, ite
from draincheck.qemu.scenario import Scenario

__all__ = ["Graph", "has_filter"]


def has_filter(k: Knobs) -> bool:
    """The filter is modelled: it shows only where a BlockBackend queues requests, and a replacement drains."""
    return k.pre_switch == "drain" and k.exit == "bh" and k.park_requests and k.mirror_top


class Graph:
    """Where the edges point, which sections are open, and what the target's file child may do.

    A section of a node reaches up, along the edges, to all that use it: what is counted here are those that were opened on the node itself.
    (57e05be343, v8.0.0, tells a parent once an edge and not once a section: whether it is quiesced is the same.)

    Attributes:
        root: where the BlockBackend points (no more at the filter once that is out of the graph).
        backing: where the filter points.
        sections: by node: how many sections were opened on it.
        target_writes: the edge from the target to its protocol node has BLK_PERM_WRITE; absent where it always has: a format driver writes
            metadata of its own.
    """

    def __init__(self, m: Model, own: Callable[[str], str], root: EnumVar, s: Scenario, source: IntVar) -> None:
        self.root = root
        self.backing = m.enum(own("filter's backing"), "source", "target")
        self.sections: dict[str, IntVar] = {
            "source": source,
            "filter": m.int(own("sections of the filter"), 0, 2),
            "target": m.int(own("sections of the target"), 0, 2),
        }
        self.target_writes = m.bool(own("target.file may write"), initial=True, exists=s.target_format == "raw")

    def drained(self, node: str) -> BoolExpr:
        """A drained section reaches this node."""
        here = self.sections[node] > 0
        return here if node != "filter" else any_(here, self._below(self.backing.is_("source")))

    def _below(self, on_source: BoolExpr) -> BoolExpr:
        return ite(on_source, self.drained("source"), self.drained("target"))

    def reaches_filter(self, node: str) -> BoolExpr:
        """A section of this node is all that drains the filter: that stands on it, and has no section of its own."""
        return self.backing.is_(node) & self.sections["filter"].is_(0)

    @property
    def backend_drained(self) -> BoolExpr:
        """The BlockBackend is quiesced: its requests have to wait."""
        return ite(self.root.is_("filter"), self.drained("filter"), self._below(self.root.is_("source")))

    @property
    def on_source(self) -> BoolExpr:
        """A request that enters now reaches the source."""
        return self.root.is_("source") | (self.root.is_("filter") & self.backing.is_("source"))

    @property
    def open(self) -> BoolExpr:
        """Some section is open."""
        return any_(*(number > 0 for number in self.sections.values()))
