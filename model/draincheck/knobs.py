"""Knobs: the differences between code bases that the drain invariant depends on, and the vector of their values that a code base is.

A knob and its values stand here once: as a field of `Knobs`, typed so that a misspelt value is refused by the type checkers where it is
compared, and by `turned` where it is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, get_args, get_type_hints

from msgspec import Struct
from msgspec.structs import replace

from draincheck.errors import UnknownName
from draincheck.names import named, nearest

__all__ = [
    "Knob",
    "Knobs",
    "Setting",
    "all_knobs",
    "knob_named",
    "parse_setting",
    "shown",
    "turned",
]  # fmt: skip

#: a knob's value as `Knobs` stores it: switches are truth values
Setting = str | bool

T = TypeVar("T", bound=Setting)


class Knobs(Struct, frozen=True):
    """The values of all knobs, each annotated with what it means; the defaults are those of the oldest code base."""

    iohandler: Annotated[
        Literal["legacy", "gsource"],
        "who runs iohandlers: main_loop_wait after GLib's dispatch, or a GSource of their own context",
    ] = "legacy"
    order: Annotated[
        Literal["attach", "any"],
        "GSources of equal priority: in attach order (what GLib does) or in any order (what its API promises)",
    ] = "attach"
    notifier_home: Annotated[
        Literal["ioh", "main"],
        "where virtio-blk's host notifier is registered without dataplane: iohandlers or qemu_aio_context",
    ] = "ioh"
    is_external: Annotated[bool, "the host notifier is marked external (without dataplane)"] = False
    dataplane_is_external: Annotated[bool, "the host notifier is marked external (with dataplane)"] = False
    poll_set_checks_external: Annotated[
        bool, "the poll set of aio_poll leaves external handlers out while they are disabled"
    ] = False
    walk_checks_external: Annotated[
        bool, "aio_pending and the fd walk of aio_dispatch skip external handlers while they are disabled"
    ] = False
    drain: Annotated[
        Literal["nested", "yield_late", "yield_first"],
        "a drain in a coroutine: polls inside it, yields to a bottom half that polls, or yields before anything is disabled",
    ] = "nested"
    drain_is_section: Annotated[bool, "bdrv_drain is bdrv_drained_begin followed by bdrv_drained_end"] = False
    drain_polls: Annotated[
        Literal["progress", "in_flight"],
        "a drain polls until nothing moves (at least once), or only while requests are in flight",
    ] = "progress"
    poll_walks: Annotated[
        Literal["always", "if_ready"],
        "aio_poll walks all handlers and clears all readiness (the wash), or only if its poll has found a descriptor ready",
    ] = "always"
    begin: Annotated[
        Literal["none", "after_release", "before_check"],
        "where mirror opens its section: nowhere, after the bitmap's release, before the count",
    ] = "none"
    bandage: Annotated[bool, "external events of iohandler_ctx are disabled around mirror_exit"] = False
    exit: Annotated[
        Literal["inline", "bh"], "mirror switches the disk itself, or in a bottom half of the main loop"
    ] = "inline"
    release_bitmap: Annotated[
        Literal["run", "exit"], "the dirty bitmap is released before (a), or by the exit callback"
    ] = "run"
    pre_switch: Annotated[
        Literal["swap_raw", "swap_drain", "assert", "drain"],
        "before the switch: nothing (bdrv_swap), bdrv_swap drains, an assertion that nothing is pending, bdrv_replace_node drains",
    ] = "swap_raw"
    target_drained: Annotated[bool, "mirror_exit holds the target drained around the switch"] = False
    reopen_drains: Annotated[
        bool, "the target has other open flags, so mirror_exit reopens it, which drains everything"
    ] = False
    flush: Annotated[
        Literal["before_check", "after_check"],
        "mirror flushes the target before the last dirty count, or between it and leaving",
    ] = "before_check"
    bql_drop: Annotated[
        Literal["if_timeout", "always"], "the main loop lets go of the BQL in a poll that may sleep, or in every poll"
    ] = "if_timeout"
    flush_tracked: Annotated[bool, "a guest's flush counts as a pending request of its node"] = False
    park_requests: Annotated[
        bool, "a BlockBackend queues requests while its node is drained; drains wait for what it counts"
    ] = False
    parked_counts: Annotated[
        bool, "a request that a BlockBackend queues where it has counted it (a flush) stays counted meanwhile"
    ] = True
    enable_notifies: Annotated[bool, "aio_enable_external wakes the context when the counter falls to 0"] = False
    busy_poll: Annotated[
        Literal["none", "ignores", "honours"],
        "aio_poll first serves virtqueues with entries: never, whatever the disable counter says, or while it is 0",
    ] = "none"
    ctx_held_in_poll: Annotated[bool, "an IOThread holds its AioContext while it polls"] = True
    switch_carries_count: Annotated[bool, "a node that changes its AioContext takes its disable count along"] = False
    dataplane_mirror: Annotated[bool, "mirror is allowed on a disk with dataplane"] = False
    submit: Annotated[
        Literal["blk_aio_multiwrite", "blk_aio_writev", "blk_aio_pwritev"],
        "the function through which virtio-blk submits a write (names only)",
    ] = "blk_aio_multiwrite"
    stop_runs_queue: Annotated[
        Literal["none", "main", "iothread"],
        "stopping dataplane with a kick pending: the kick is eaten, or the queue handler runs at once, in the stopping thread or in the IOThread",
    ] = "none"
    job_at_switch: Annotated[
        Literal["ignored", "waits", "moves"],
        "a switch of a disk's AioContext: ignores its job, waits until the job is paused or completed, or moves the job's nodes along",
    ] = "ignored"
    drain_polls_ctx: Annotated[
        Literal["node", "own"],
        "a drain of an IOThread's disk while dataplane is stopped polls the disk's context, or the thread's own with the disk's lock free",
    ] = "node"
    mirror_top: Annotated[
        bool, "mirror's filter node stands between the guest's BlockBackend and the source, and edges have permissions"
    ] = False
    replace_node: Annotated[
        Literal["check_first", "repoint_first", "drain_both"],
        "replacing a node: permissions before the edges move, after, or after and with both nodes drained (with `mirror_top`)",
    ] = "check_first"


class Knob(Struct, frozen=True):
    """A knob: its name, the values it can take, and its meaning."""

    name: str
    settings: tuple[Setting, ...]
    meaning: str

    @property
    def values(self) -> tuple[str, ...]:
        """The values as a user writes them."""
        return tuple(map(shown, self.settings))


def shown(value: Setting) -> str:
    """A knob's value as a user writes it."""
    return ("on" if value else "off") if isinstance(value, bool) else value


@cache
def all_knobs() -> Mapping[str, Knob]:
    """The table of knobs by their names, in the order of `Knobs`. Made when somebody asks: reading annotations takes a while."""
    types = get_type_hints(Knobs, include_extras=True)
    parts = {name: get_args(types[name]) for name in Knobs.__struct_fields__}
    return {name: Knob(name, get_args(kind) or (False, True), meaning) for name, (kind, meaning) in parts.items()}


def knob_named(name: str) -> Knob:
    """The knob of this name; raises UnknownName if there is none."""
    return named("knob", name, all_knobs().values())


def turned(knobs: Knobs, settings: Mapping[str, Setting]) -> Knobs:
    """The vector with some knobs turned; raises UnknownName for an unknown knob or value."""
    for name, value in settings.items():
        knob = knob_named(name)
        if value not in knob.settings:
            raise _no_value(knob, shown(value))
    changes: dict[str, Any] = dict(settings)
    return replace(knobs, **changes)


def _no_value(knob: Knob, value: str) -> UnknownName:
    return nearest(f"value of {knob.name}", value, list(knob.values))


def parse_setting(text: str) -> tuple[str, Setting]:
    """`KNOB=VALUE` as a pair for `turned`; raises UnknownName for an unknown knob or value."""
    name, _, value = text.partition("=")
    knob = knob_named(name)
    if value not in knob.values:
        raise _no_value(knob, value)
    return name, knob.settings[knob.values.index(value)]
