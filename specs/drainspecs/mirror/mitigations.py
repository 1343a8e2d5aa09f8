"""The mitigations that QEMU's history knows for the drain invariant, as data; and the changes that look like some but are none.

A mitigation turns knobs of a code base. Its cost says how much of QEMU somebody has to touch and to trust, from 1 (one place, nothing
else changes) to 4 (every block device behaves differently); it orders answers and claims no more. What a mitigation builds on
(`Groundwork`) is counted once, and only for a code base that does not have it yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from draincheck.errors import UnknownName
from draincheck.knobs import Knobs, Setting, shown, turned
from draincheck.names import named
from draincheck.revisions import PLACES, Revision

__all__ = [
    "GROUNDWORK", "MITIGATIONS", "NOT_MITIGATIONS", "Groundwork", "Mitigation", "NotMitigation",
    "applied", "contains", "find_mitigation", "groundwork_for", "total_cost",
]  # fmt: skip


class Groundwork(Struct, frozen=True):
    """A commit that mitigations build on: its cost, and what it brings that they need."""

    commit: str
    cost: int
    brings: str


@dataclass(frozen=True, slots=True)
class Mitigation:
    """A change that history made against stray requests, or against what another such change had broken.

    Attributes:
        name: the knob settings, as a user would write them.
        settings: the knobs it turns.
        applies_to: for each knob the values it may have before; with another one there is nothing to mend, or it would be a step back.
        commits: the commits that did it in history (the first one did it for virtio-blk where there are several).
        cost: from 1 to 4, see the module text.
        reason: why it costs that much.
        side_effects: what else it does, if only by design.
        builds_on: commits (of `GROUNDWORK`) without which it cannot be written.
    """

    name: str
    settings: Mapping[str, Setting] = field(hash=False)
    applies_to: Mapping[str, tuple[Setting, ...]] = field(hash=False)
    commits: tuple[str, ...]
    cost: int
    reason: str
    side_effects: tuple[str, ...] = ()
    builds_on: tuple[str, ...] = ()

    def applies(self, knobs: Knobs) -> bool:
        """Whether it changes this code base, and forwards."""
        return all(getattr(knobs, knob) in values for knob, values in self.applies_to.items())

    def __str__(self) -> str:
        return self.name


class NotMitigation(Struct, frozen=True):
    """A knob setting that `repair` never proposes, and why."""

    knob: str
    value: Setting
    commit: str
    reason: str

    def __str__(self) -> str:
        return f"{self.knob}={shown(self.value)}"


GROUNDWORK: Final = (
    Groundwork("f3926945c8", 3, "iohandlers are handlers of an AioContext, which has a disable counter"),
    Groundwork("dca21ef23b", 1, "handlers can be marked external"),
    Groundwork("c1e1e5fa8f", 2, "aio_disable_external and aio_enable_external"),
    Groundwork("176c36997f", 2, "mirror has a drained section that could be moved"),
    Groundwork("cf3129323f", 4, "requests are parked"),
)

_COUNTER: Final = ("dca21ef23b", "c1e1e5fa8f")


def _one(
    knob: str, value: Setting, before: tuple[Setting, ...], *commits: str, cost: int, reason: str,
    side_effects: tuple[str, ...] = (), builds_on: tuple[str, ...] = (),
) -> Mitigation:  # fmt: skip
    name = f"{knob}={shown(value)}"
    return Mitigation(name, {knob: value}, {knob: before}, commits, cost, reason, side_effects, builds_on)


MITIGATIONS: Final = (
    _one("dataplane_is_external", True, (False,), "3a1e8074d7", cost=1, reason="one argument where dataplane sets its host notifier",
         side_effects=("nothing by itself: something must disable external events",), builds_on=("dca21ef23b",)),
    _one("poll_set_checks_external", True, (False,), "c1e1e5fa8f", cost=2, reason="the poll set of every event loop changes",
         side_effects=("nothing by itself: something must be marked external, and disabled",), builds_on=("dca21ef23b",)),
    _one("is_external", True, (False,), "14560d69e7", cost=1, reason="one argument where virtio sets its host notifiers",
         side_effects=("the notifiers of all virtio devices are marked, not only those of disks",), builds_on=("dca21ef23b",)),
    _one("begin", "after_release", ("none",), "176c36997f", cost=2, reason="begin and end of the section stand in different functions",
         side_effects=(
             "everything registered as external in the node's context stands still until mirror_exit",
             "where a drain in a coroutine yields, the section's own drain opens a window of its own: case 3",
         ), builds_on=("c1e1e5fa8f",)),
    _one("walk_checks_external", True, (False,), "37989ced44", cost=2, reason="the dispatch of every event loop changes",
         side_effects=("a kick that waits for a disabled handler keeps the main loop spinning: GLib polls its descriptor nevertheless",),
         builds_on=_COUNTER),
    _one("bandage", True, (False,), "ab27c3b5e7", cost=2, reason="a second counter to be kept in step with the first, by the block job, across layers",
         side_effects=(
             "all external handlers of iohandler_ctx stand still, those of other disks too",
             "its condition is looked at twice: a context switch in between leaves the counter unbalanced",
         ), builds_on=("f3926945c8", *_COUNTER)),
    _one("drain_is_section", True, (False,), "6820643fdb", cost=2, reason="every caller of bdrv_drain gets a whole section",
         side_effects=("external events are disabled in each drain, for as long as it takes",), builds_on=("c1e1e5fa8f",)),
    _one("notifier_home", "main", ("ioh",), "0ff841f6d1", "1c627137c1", cost=3, reason="each device model moves its registration",
         side_effects=("host notifiers run inside nested aio_poll of the main context, where they never did",), builds_on=("f3926945c8",)),
    _one("begin", "before_check", ("none", "after_release"), "9a0cec664e", cost=2, reason="the job's loop needs an end of the section on each retry",
         side_effects=("a job that fails to converge opens and closes the section each time it tries",),
         builds_on=("c1e1e5fa8f", "176c36997f")),
    _one("busy_poll", "honours", ("ignores",), "59c9f437c5", cost=1, reason="one more condition in the polling loop"),
    _one("enable_notifies", True, (False,), "321d1dba8b", cost=1, reason="one aio_notify where the counter falls to 0",
         side_effects=("a wakeup too many now and then",), builds_on=("c1e1e5fa8f",)),
    _one("job_at_switch", "moves", ("waits",), "657e120320", cost=3, reason="a switch of the context has to move a job's nodes and its timer with it",
         side_effects=("nothing by itself: something must switch the context of a disk with a job",)),
    _one("park_requests", True, (False,), "cf3129323f", cost=4, reason="every request of every BlockBackend may have to wait",
         side_effects=(
             "a job's own BlockBackend must be left out, or a drain waits for a job that waits for its request",
             "a parked request is tracked by no node and goes to whatever the root is when it is resumed",
             "without 7f16476fab a flush stays counted while it is parked, and a drain that begins meanwhile never ends",
         ), builds_on=("176c36997f",)),
    _one("parked_counts", False, (True,), "7f16476fab", cost=1, reason="one more step on both sides of the wait",
         side_effects=("nothing by itself: something must be parked",), builds_on=("cf3129323f",)),
    _one("replace_node", "drain_both", ("repoint_first",), "2398747128", cost=2, reason="every replacement of a node drains one more",
         side_effects=("what waits for the new node's end of a section waits for the end of the replacement",)),
)  # fmt: skip

NOT_MITIGATIONS: Final = (
    NotMitigation("exit", "inline", "5a7e7a0bad", "reverts 5a7e7a0bad: mirror would switch the graph outside the main thread again, and "
                  "b112a65c52 could not allow dataplane"),
    NotMitigation("drain", "nested", "a77fd4bb29", "reverts a77fd4bb29 and brings its deadlock back: a coroutine that the request needs "
                  "cannot run while mirror polls inside its own"),
    NotMitigation("drain", "yield_late", "d42cf28837", "reverts d42cf28837, which is not about this invariant"),
    NotMitigation("begin", "none", "176c36997f", "reverts 176c36997f, which protects dataplane"),
    NotMitigation("flush", "before_check", "bdffb31d8e", "reverts bdffb31d8e, which flushes no more often than needed"),
    NotMitigation("order", "attach", "", "GLib's choice, not QEMU's: nothing in its interface promises it"),
    NotMitigation("pre_switch", "assert", "3f09bfbc7b", "detects some stray requests, prevents none"),
    NotMitigation("pre_switch", "swap_drain", "6ee4ce1ee7", "finishes a stray write on the old node: hides it"),
    NotMitigation("pre_switch", "drain", "f871abd60f", "finishes a stray write on the old node: hides it"),
    NotMitigation("reopen_drains", True, "", "a property of the images, and its drain hides a stray write"),
    NotMitigation("target_drained", True, "b880481579", "about requests of the target"),
    NotMitigation("release_bitmap", "exit", "2119882c7e", "a dirty bit that nobody reads any more saves no data"),
    NotMitigation("iohandler", "legacy", "f3926945c8", "reverts f3926945c8; the window is as wide as before"),
    NotMitigation("busy_poll", "none", "684e508c23", "reverts 684e508c23, which is about latency"),
    NotMitigation("poll_walks", "always", "721671ade7", "reverts 721671ade7: the wash was a side effect of walking handlers for nothing"),
    NotMitigation("ctx_held_in_poll", True, "65c1b5b622", "reverts 65c1b5b622: a lock held while polling needs a contention callback to be got at all"),
    NotMitigation("replace_node", "check_first", "3bb0e2980a", "reverts 3bb0e2980a: permissions that are computed for the graph of before may be wrong"),
    NotMitigation("bql_drop", "if_timeout", "d759c951f3", "keeps vCPU threads out by accident only"),
)  # fmt: skip


def find_mitigation(name: str) -> Mitigation:
    """The mitigation of this name; for a setting that is none the error says why, otherwise it names the nearest ones.

    Raises UnknownName.
    """
    for other in NOT_MITIGATIONS:
        if str(other) == name:
            raise UnknownName(f"{name} is not a mitigation: {other.reason}")
    return named("mitigation", name, MITIGATIONS)


def applied(knobs: Knobs, mitigations: Iterable[Mitigation]) -> Knobs:
    """The knobs with mitigations made, in the order of history: a later one that turns the same knob wins."""
    changes: dict[str, Setting] = {}
    for item in sorted(mitigations, key=MITIGATIONS.index):
        changes.update(item.settings)
    return turned(knobs, changes)


def contains(revision: Revision, commit: str) -> bool:
    """Whether a code base comes at or after a commit of the history. One that never existed counts as the row it was made from."""
    stem = revision.name.split("+")[0]
    stem = stem if stem in PLACES else stem.split("-")[0]
    return stem in PLACES and PLACES[commit] <= PLACES[stem]


def groundwork_for(revision: Revision, mitigations: Iterable[Mitigation]) -> tuple[Groundwork, ...]:
    """What has to come first: commits that the mitigations build on, which the code base neither has nor gets from the set itself."""
    chosen = tuple(mitigations)
    wanted = {commit for item in chosen for commit in item.builds_on}
    brought = {commit for item in chosen for commit in item.commits}
    return tuple(g for g in GROUNDWORK if g.commit in wanted - brought and not contains(revision, g.commit))


def total_cost(revision: Revision, mitigations: Iterable[Mitigation]) -> int:
    """What a set costs for a code base, groundwork included."""
    chosen = tuple(mitigations)
    return sum(item.cost for item in chosen) + sum(item.cost for item in groundwork_for(revision, chosen))
