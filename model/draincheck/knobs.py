"""Knobs: the differences between code bases that the drain invariant depends on, and the vector of their values that a code base is.

A knob and its values stand here once: as a field of `Knobs`, typed so that a misspelt value is refused by the type checkers where it is
compared, and by `turned` where it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any, Final, Literal, Protocol, TypeVar, get_args, get_type_hints

from draincheck.errors import UnknownName

__all__ = [
    "KNOBS", "Knob", "Knobs", "Setting", "knob_named", "named", "nearest", "parse_setting", "shown", "turned",
]  # fmt: skip

#: a knob's value as `Knobs` stores it: switches are truth values
Setting = str | bool

T = TypeVar("T", bound=Setting)


def nearest(kind: str, name: str, known: list[str]) -> UnknownName:
    """The error for an unknown name, with the nearest known ones."""
    close = get_close_matches(name, known, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(known)}"
    return UnknownName(f"unknown {kind} {name!r}; {hint}")


class _Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)


def named(kind: str, name: str, items: Iterable[N]) -> N:
    """The first item of this name; raises UnknownName with the nearest ones."""
    known: list[str] = []
    for item in items:
        if item.name == name:
            return item
        known.append(item.name)
    raise nearest(kind, name, known)


def _knob(oldest: T, meaning: str) -> T:
    """A field of `Knobs`: the value of the oldest code base, and what the knob means."""
    return field(default=oldest, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True)
class Knobs:
    """The values of all knobs."""

    iohandler: Literal["legacy", "gsource"] = _knob(
        "legacy", "who runs iohandlers: main_loop_wait after GLib's dispatch, or a GSource of their own context"
    )
    order: Literal["attach", "any"] = _knob(
        "attach", "GSources of equal priority: in attach order (what GLib does) or in any order (what its API promises)"
    )
    notifier_home: Literal["ioh", "main"] = _knob(
        "ioh", "where virtio-blk's host notifier is registered without dataplane: iohandlers or qemu_aio_context"
    )
    is_external: bool = _knob(False, "the host notifier is marked external (without dataplane)")
    dataplane_is_external: bool = _knob(False, "the host notifier is marked external (with dataplane)")
    poll_set_checks_external: bool = _knob(
        False, "the poll set of aio_poll leaves external handlers out while they are disabled"
    )
    walk_checks_external: bool = _knob(
        False, "aio_pending and the fd walk of aio_dispatch skip external handlers while they are disabled"
    )
    drain: Literal["nested", "yield_late", "yield_first"] = _knob(
        "nested",
        "a drain in a coroutine: polls inside it, yields to a bottom half that polls, or yields before anything is disabled",
    )
    drain_is_section: bool = _knob(False, "bdrv_drain is bdrv_drained_begin followed by bdrv_drained_end")
    drain_polls: Literal["progress", "in_flight"] = _knob(
        "progress", "a drain polls until nothing moves (at least once), or only while requests are in flight"
    )
    poll_walks: Literal["always", "if_ready"] = _knob(
        "always",
        "aio_poll walks all handlers and clears all readiness (the wash), or only if its poll has found a descriptor ready",
    )
    begin: Literal["none", "after_release", "before_check"] = _knob(
        "none", "where mirror opens its section: nowhere, after the bitmap's release, before the count"
    )
    bandage: bool = _knob(False, "external events of iohandler_ctx are disabled around mirror_exit")
    exit: Literal["inline", "bh"] = _knob("bh", "mirror switches the disk itself, or in a bottom half of the main loop")
    release_bitmap: Literal["run", "exit"] = _knob(
        "run", "the dirty bitmap is released before (a), or by the exit callback"
    )
    pre_switch: Literal["swap_raw", "swap_drain", "assert", "drain"] = _knob(
        "swap_raw",
        "before the switch: nothing (bdrv_swap), bdrv_swap drains, an assertion that nothing is pending, bdrv_replace_node drains",
    )
    target_drained: bool = _knob(False, "mirror_exit holds the target drained around the switch")
    reopen_drains: bool = _knob(
        False, "the target has other open flags, so mirror_exit reopens it, which drains everything"
    )
    flush: Literal["before_check", "after_check"] = _knob(
        "before_check", "mirror flushes the target before the last dirty count, or between it and leaving"
    )
    bql_drop: Literal["if_timeout", "always"] = _knob(
        "if_timeout", "the main loop lets go of the BQL in a poll that may sleep, or in every poll"
    )
    flush_tracked: bool = _knob(False, "a guest's flush counts as a pending request of its node")
    park_requests: bool = _knob(
        False, "a BlockBackend queues requests while its node is drained; drains wait for what it counts"
    )
    parked_counts: bool = _knob(
        True, "a request that a BlockBackend queues where it has counted it (a flush) stays counted meanwhile"
    )
    enable_notifies: bool = _knob(False, "aio_enable_external wakes the context when the counter falls to 0")
    busy_poll: Literal["none", "ignores", "honours"] = _knob(
        "none",
        "aio_poll first serves virtqueues with entries: never, whatever the disable counter says, or while it is 0",
    )
    ctx_held_in_poll: bool = _knob(True, "an IOThread holds its AioContext while it polls")
    switch_carries_count: bool = _knob(False, "a node that changes its AioContext takes its disable count along")
    dataplane_mirror: bool = _knob(False, "mirror is allowed on a disk with dataplane")
    submit: Literal["blk_aio_multiwrite", "blk_aio_writev", "blk_aio_pwritev"] = _knob(
        "blk_aio_writev", "the function through which virtio-blk submits a write (names only)"
    )
    stop_runs_queue: Literal["none", "main", "iothread"] = _knob(
        "none",
        "stopping dataplane with a kick pending: the kick is eaten, or the queue handler runs at once, in the stopping thread or in the IOThread",
    )
    job_at_switch: Literal["ignored", "waits", "moves"] = _knob(
        "ignored",
        "a switch of a disk's AioContext: ignores its job, waits until the job is paused or completed, or moves the job's nodes along",
    )
    drain_polls_ctx: Literal["node", "own"] = _knob(
        "node",
        "a drain of an IOThread's disk while dataplane is stopped polls the disk's context, or the thread's own with the disk's lock free",
    )
    mirror_top: bool = _knob(
        False, "mirror's filter node stands between the guest's BlockBackend and the source, and edges have permissions"
    )
    replace_node: Literal["check_first", "repoint_first", "drain_both"] = _knob(
        "check_first",
        "replacing a node: permissions before the edges move, after, or after and with both nodes drained (with `mirror_top`)",
    )


@dataclass(frozen=True, slots=True)
class Knob:
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


def _table() -> tuple[Knob, ...]:
    types = get_type_hints(Knobs)
    return tuple(
        Knob(item.name, get_args(types[item.name]) or (False, True), item.metadata["meaning"]) for item in fields(Knobs)
    )


#: the table of knobs, in the order of `Knobs`
KNOBS: Final = _table()
_NAMED: Final = {knob.name: knob for knob in KNOBS}


def knob_named(name: str) -> Knob:
    """The knob of this name; raises UnknownName if there is none."""
    if name not in _NAMED:
        raise nearest("knob", name, list(_NAMED))
    return _NAMED[name]


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
