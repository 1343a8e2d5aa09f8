"""The end of a job with a filter node: mirror_exit_common (block/mirror.c) of v6.1.0 to v8.0.0.

In this order: nobody writes to the target any more; the filter is drained; the filter stands on the target (first replacement); the
target's own section ends; the filter leaves the graph (second replacement), and so the guest's BlockBackend moves from a drained node to
one that is not. Its section ends there and then, inside the replacement, and what it has queued goes on.
"""

from __future__ import annotations

from draincheck.eventloop import Node
from draincheck.lang import Process
from draincheck.qemu import drain, requests
from draincheck.qemu.disk import Disk
from draincheck.qemu.world import World

__all__ = ["finish"]


def finish(p: Process, w: World) -> None:
    """From the exit callback's beginning to the end of the job's sections (part of an atomic step)."""
    graph = w.graph
    with p.call("blk_unref"):
        p.do("nobody writes to the target", graph.target_writes.clear())
    _begin(p, w, graph.filter)
    if w.s.always_switches:
        _replace_both(p, w)
    else:
        with p.when(w.job.will_switch):
            _replace_both(p, w)
        with p.otherwise():
            _take_out(p, w, graph.source)
    if w.k.begin != "none":
        _end(p, w, graph.source)
    _end(p, w, graph.filter)
    p.do("the job is completed", w.job.window.clear(), w.job.completed.set())
    if w.s.iothread:
        requests.resume_parked(p, w)  # the IOThread runs them: it has had to wait for the lock


def _replace_both(p: Process, w: World) -> None:
    """The first replacement is inside a section of the target. The filter needs no permissions any more (bs_opaque->stop)."""
    if w.k.reopen_drains or w.s.reopen:
        with p.call("bdrv_reopen"), p.call("bdrv_drain_all"):
            drain.poll_until_quiet(p, w, w.graph.source.waits)
    source, target = w.graph.source, w.graph.target
    _begin(p, w, target)
    with p.call("bdrv_replace_node"):
        _begin_replacement(p, w, source, target)
        w.probes.node_switches(p, w)
        p.do("the filter stands on the target", w.graph.backing.set("target"), w.job.window.clear())
        _end_replacement(p, w, source, target)
    _end(p, w, target)
    _take_out(p, w, target)


def _take_out(p: Process, w: World, node: Node[Disk]) -> None:
    """The second replacement: the guest's BlockBackend uses `node` itself, and takes its permissions there: before it moves or after."""
    graph, to_target = w.graph, node is w.graph.target
    refreshed = [graph.target_writes.set()] if to_target else []
    with p.call("bdrv_replace_node"):
        _begin_replacement(p, w, graph.filter, node)
        if w.k.replace_node == "check_first":
            p.do("bdrv_check_update_perm", *refreshed)
        with p.call("bdrv_replace_child_noperm"):
            what = "the disk is the target now" if to_target else "the disk stays with the source"
            p.do(what, graph.root.set(node.name))
            if not w.s.iothread:
                with p.call("blk_root_drained_end"):
                    requests.resume_parked(p, w, in_replacement=True)
        if w.k.replace_node != "check_first":
            p.do("bdrv_list_refresh_perms", *refreshed)
        _end_replacement(p, w, graph.filter, node)


def _begin_replacement(p: Process, w: World, old: Node[Disk], new: Node[Disk]) -> None:
    """bdrv_replace_node drains the node that is replaced, from 2398747128 on both."""
    _begin(p, w, old)
    if w.k.replace_node == "drain_both":
        _begin(p, w, new)


def _end_replacement(p: Process, w: World, old: Node[Disk], new: Node[Disk]) -> None:
    """Permissions are there: the replacement's own sections end."""
    if w.k.replace_node == "drain_both":
        _end(p, w, new)
    _end(p, w, old)


def _begin(p: Process, w: World, node: Node[Disk]) -> None:
    """bdrv_drained_begin, in the main thread."""
    with p.call("bdrv_drained_begin"):
        node.begin(p)
        drain.poll_until_quiet(p, w, node.waits)


def _end(p: Process, w: World, node: Node[Disk]) -> None:
    """bdrv_drained_end, in the main thread: an IOThread's queued requests have to wait for its lock."""
    drain.bdrv_drained_end(p, w, node, resumes=not w.s.iothread)
