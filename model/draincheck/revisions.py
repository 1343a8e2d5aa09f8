"""QEMU's code bases as data: one knob vector a revision, and what each commit changed in this story.

Both the model and the executable core read these vectors; this module imports nothing of either. Dates are author dates;
`release` is the first release that contains the commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from re import fullmatch
from types import MappingProxyType
from typing import Final, NamedTuple, NoReturn

from msgspec import Struct
from msgspec.structs import replace

from draincheck.errors import UnknownName
from draincheck.knobs import Knobs, Setting, shown, turned
from draincheck.names import close_names, nearest
from draincheck.words import listed

__all__ = [
    "CONTROLS",
    "PLACES",
    "REVISIONS",
    "Revision",
    "called",
    "code_bases",
    "find_revision",
    "releases",
    "substitutes",
    "why_it_stands",
    "with_settings",
]


class Revision(Struct, frozen=True):
    """A code base: the knob vector right after a commit.

    Attributes:
        name: the commit's abbreviated hash, `HASH~1` for the code base before it, or a control's name.
        date: author date, ISO 8601.
        release: first release that contains it, or "" for none.
        subject: what changed in this story, in our words.
        knobs: the vector.
        stands_for: what was asked for, where that has no row of its own and behaves as this one; else "".
    """

    name: str
    date: str
    release: str
    subject: str
    knobs: Knobs
    stands_for: str = ""


class _Commit(NamedTuple):
    """What a commit changed in this story; the knobs that it does not name stay as they were."""

    name: str
    date: str
    release: str
    subject: str
    turned: Mapping[str, Setting] = MappingProxyType({})


_COMMITS: Final = (
    _Commit("5a7e7a0bad~1", "2014-10-21", "", "mirror switches the disk inside its coroutine, right after bdrv_drain_all"),
    _Commit("5a7e7a0bad", "2014-10-21", "v2.2.0", "mirror_exit becomes a bottom half of the main loop: the window opens", {"exit": "bh"}),
    _Commit("b112a65c52", "2014-10-21", "v2.2.0", "mirror is allowed with dataplane", {"dataplane_mirror": True}),
    _Commit("6ee4ce1ee7", "2015-06-10", "v2.4.0",
            "bdrv_swap drains both nodes first: a crash becomes a silent loss", {"pre_switch": "swap_drain", "submit": "blk_aio_writev"}),
    _Commit("f3926945c8", "2015-09-07", "v2.5.0", "iohandlers become a GSource of their own AioContext", {"iohandler": "gsource"}),
    _Commit("3f09bfbc7b", "2015-09-15", "v2.5.0",
            "pointers are switched instead of bdrv_swap, with an assertion that nothing is pending", {"pre_switch": "assert"}),
    _Commit("dca21ef23b", "2015-10-23", "v2.5.0", "handlers can be marked external; none is yet"),
    _Commit("3a1e8074d7", "2015-10-23", "v2.5.0", "dataplane's host notifier is marked external", {"dataplane_is_external": True}),
    _Commit("c1e1e5fa8f", "2015-10-23", "v2.5.0",
            "aio_disable_external and aio_enable_external, honoured by the poll set of aio_poll", {"poll_set_checks_external": True}),
    _Commit("cdb5e3155e", "2015-11-09", "v2.5.0", "a flush is a tracked request", {"flush_tracked": True}),
    _Commit("176c36997f", "2015-11-23", "v2.5.0",
            "mirror holds a drained section from before the defer to the end of mirror_exit", {"begin": "after_release"}),
    _Commit("03de2f5274", "2016-02-14", "v2.6.0",
            "dataplane uses the common queue handler, and stopping it runs that for a pending kick", {"stop_runs_queue": "main"}),
    _Commit("a77fd4bb29", "2016-04-05", "v2.6.0", "bdrv_drain in a coroutine yields and lets a bottom half poll", {"drain": "yield_late"}),
    _Commit("39bf92dd70", "2016-04-05", "v2.6.0", "mirror's final drain is made explicit"),
    _Commit("14560d69e7", "2016-04-22", "v2.6.0", "virtio's host notifiers are external on iohandler_ctx too", {"is_external": True}),
    _Commit("37989ced44", "2016-04-22", "v2.6.0", "check and dispatch of the GSource honour the disable counter", {"walk_checks_external": True}),
    _Commit("ab27c3b5e7", "2016-04-22", "v2.6.0", "the bandage: external events of iohandler_ctx are disabled around mirror_exit", {"bandage": True}),
    _Commit("6820643fdb", "2016-05-23", "v2.7.0",
            "bdrv_drain becomes a whole drained section", {"drain_is_section": True, "submit": "blk_aio_pwritev"}),
    _Commit("b880481579", "2016-04-12", "v2.7.0", "mirror_exit holds the target drained around the switch", {"target_drained": True}),
    _Commit("463e0be101", "2016-06-16", "v2.7.0",
            "a switch of a disk's AioContext waits until its job is paused or completed", {"job_at_switch": "waits"}),
    _Commit("0ff841f6d1", "2016-07-13", "v2.7.0", "virtio-blk's host notifier moves to the node's context", {"notifier_home": "main"}),
    _Commit("1c627137c1", "2016-07-13", "v2.7.0", "virtio-scsi's host notifier moves to the node's context"),
    _Commit("d4a92a8420", "2016-07-13", "v2.7.0", "the bandage is reverted", {"bandage": False}),
    _Commit("9a0cec664e", "2016-10-27", "v2.8.0", "mirror opens its drained section before the last dirty count", {"begin": "before_check"}),
    _Commit("9972354856", "2016-10-27", "v2.8.0",
            "requests in flight are counted, and a drain polls only while there are any", {"drain_polls": "in_flight"}),
    _Commit("d42cf28837", "2016-10-27", "v2.8.0",
            "a drained section that a coroutine opens yields first: its bottom half disables and polls", {"drain": "yield_first"}),
    _Commit("65c1b5b622", "2016-10-27", "v2.8.0",
            "an IOThread no longer holds its context while it polls", {"ctx_held_in_poll": False, "drain_polls_ctx": "own"}),
    _Commit("bdffb31d8e", "2016-11-09", "v2.8.0", "mirror flushes the target between the dirty count and leaving", {"flush": "after_check"}),
    _Commit("721671ade7", "2016-12-01", "v2.9.0",
            "aio_poll walks the handlers only if its poll has found a descriptor ready", {"poll_walks": "if_ready"}),
    _Commit("4a1cba3802", "2016-12-01", "v2.9.0", "aio_poll can busy-poll, for a time that is 0 unless somebody sets it"),
    _Commit("0062ea0fd6", "2016-12-01", "v2.9.0", "virtqueues can be busy-polled"),
    _Commit("684e508c23", "2016-12-01", "v2.9.0",
            "every aio_poll polls the virtqueues once, without looking at the disable counter", {"busy_poll": "ignores"}),
    _Commit("59c9f437c5", "2017-01-24", "v2.9.0", "busy polling honours the disable counter", {"busy_poll": "honours"}),
    _Commit("91af091f92", "2017-04-18", "v2.9.0", "a drain also polls until nothing moves any more", {"drain_polls": "progress"}),
    _Commit("321d1dba8b", "2017-05-08", "v2.10.0", "enabling external events wakes the context", {"enable_notifies": True}),
    _Commit("2119882c7e", "2017-06-05", "v2.10.0", "the exit callback releases the bitmap", {"release_bitmap": "exit"}),
    _Commit("1010cadf62", "2018-03-07", "v2.12.0",
            "stopping dataplane lets the IOThread remove the host notifier, and polls the main loop's context meanwhile", {"stop_runs_queue": "iothread"}),
    _Commit("d759c951f3", "2018-02-27", "v2.12.0", "every poll of the main loop lets go of the BQL", {"bql_drop": "always"}),
    _Commit("89bd030533", "2018-03-22", "v3.0.0", "a drain waits for jobs, too; for mirror's only while copies are in flight"),
    _Commit("4cf077b59f", "2018-08-17", "v3.1.0", "a drain polls only while requests are in flight, again", {"drain_polls": "in_flight"}),
    _Commit("e64f25f30b", "2019-02-08", "v4.0.0", "a node that changes its context takes its disable count along", {"switch_carries_count": True}),
    _Commit("5e771752a1", "2019-03-08", "v4.0.0", "a drain that mirror has not begun itself waits until mirror has paused"),
    _Commit("657e120320", "2019-05-06", "v4.1.0",
            "a switch of a disk's AioContext moves its job's nodes along and waits for nothing", {"job_at_switch": "moves"}),
    _Commit("f871abd60f", "2019-05-21", "v4.1.0", "bdrv_replace_node drains instead of asserting", {"pre_switch": "drain"}),
    _Commit("cf3129323f", "2019-07-22", "v4.2.0", "a BlockBackend queues requests while its node is drained", {"park_requests": True}),
    _Commit("7f16476fab", "2020-04-07", "v5.0.0", "no request stays counted while its BlockBackend queues it", {"parked_counts": False}),
    _Commit("3bb0e2980a", "2021-04-28", "v6.1.0",
            "replacing a node moves the edges first and refreshes their permissions after", {"mirror_top": True, "replace_node": "repoint_first"}),
    _Commit("2398747128", "2022-11-18", "v8.0.0",
            "replacing a node holds both nodes drained until the permissions are there", {"replace_node": "drain_both"}),
)  # fmt: skip


def _history() -> Iterator[Revision]:
    """The code base right after each commit."""
    knobs = Knobs()
    for commit in _COMMITS:
        knobs = replace(knobs, **commit.turned)
        yield Revision(commit.name, commit.date, commit.release, commit.subject, knobs)


#: the code bases of the story, oldest first
REVISIONS: Final = tuple(_history())

#: the place of each of them in history
PLACES: Final = {row.name: place for place, row in enumerate(REVISIONS)}


def with_settings(revision: Revision, settings: Mapping[str, Setting]) -> Revision:
    """The revision with some knobs turned by hand; its name lists them. Raises UnknownName for an unknown knob or value."""
    if not settings:
        return revision
    name = "+".join([revision.name, *(f"{knob}={shown(value)}" for knob, value in settings.items())])
    return replace(revision, name=name, knobs=turned(revision.knobs, settings))


def _control(base: str, name: str, subject: str, **changes: Setting) -> Revision:
    row = next(item for item in REVISIONS if item.name == base)
    return Revision(name, row.date, "", subject, replace(row.knobs, **changes))


#: code bases that never existed, on purpose: each turns one knob of a real one and must change the verdict
CONTROLS: Final[tuple[Revision, ...]] = (
    _control("ab27c3b5e7", "ab27c3b5e7-without-37989ced44", "the bandage where dispatch ignores the disable counter: it does nothing",
             walk_checks_external=False),
    _control("ab27c3b5e7", "ab27c3b5e7-nested-drain", "the bandage on a tree whose drains do not yield: it suffices", drain="nested"),
    _control("d4a92a8420", "d4a92a8420-without-37989ced44", "the notifier's move where dispatch ignores the disable counter",
             walk_checks_external=False),
    _control("3f09bfbc7b", "3f09bfbc7b-reopen-drains", "a reopen drains before the assertion and so hides the stray request", reopen_drains=True),
    _control("3bb0e2980a", "3bb0e2980a-permissions-first", "the edges of a replaced node move when their permissions are there already",
             replace_node="check_first"),
)  # fmt: skip

_RELEASES: Final = (
    "v2.2.0", "v2.3.0", "v2.4.0", "v2.5.0", "v2.6.0", "v2.7.0", "v2.8.0", "v2.9.0", "v2.10.0", "v2.11.0", "v2.12.0", "v3.0.0", "v3.1.0",
    "v4.0.0", "v4.1.0", "v4.2.0", "v5.0.0", "v5.1.0", "v5.2.0", "v6.0.0", "v6.1.0", "v6.2.0", "v7.0.0", "v7.1.0", "v7.2.0", "v8.0.0",
)  # fmt: skip


def code_bases() -> tuple[Revision, ...]:
    """All revisions and controls."""
    return REVISIONS + CONTROLS


#: so many digits a hash is named by, at the least
LEAST: Final = 4


def find_revision(name: str) -> Revision:
    """The code base a user names: a hash (any unambiguous prefix), `HASH~1`, a release (`v2.6.0`), or a control.

    `HASH~1` is the code base before that row; a release is the last row it contains. What has no row of its own is told with the one that
    stands for it. Raises UnknownName otherwise, of a release that comes after the last one whose story is modelled and of a prefix of
    less than `LEAST` digits, too.
    """
    for row in code_bases():
        if row.name == name:
            return row
    if name.startswith("v") and name in _RELEASES:
        row = _last_in(name)
        return row if row.release == name else replace(row, stands_for=name)
    if release := _Release.of(name):
        _refuse_unknown(name, release)
    stem, tilde, back = name.partition("~")
    matches = [
        index
        for index, row in enumerate(REVISIONS)
        if len(stem) >= LEAST and row.name.startswith(stem) and "~" not in row.name
    ]
    if len(matches) > 1:
        raise UnknownName(f"revision {name!r} is ambiguous: {', '.join(REVISIONS[i].name for i in matches)}")
    if matches and (not tilde or back in ("1", "2", "")):
        index = matches[0] - (int(back or "1") if tilde else 0)
        if index >= 0 and (back != "2" or REVISIONS[matches[0]].name == "ab27c3b5e7"):
            return _standing(REVISIONS[index], f"{REVISIONS[matches[0]].name}{name[len(stem) :]}")
    if fullmatch(rf"[0-9a-f]{{1,{LEAST - 1}}}", stem):
        raise UnknownName(f"revision {name!r} is too short: the beginning of a hash has {LEAST} digits or more")
    if fullmatch(r"[0-9a-f]{7,40}", stem) and not close_names(stem, PLACES, 0.8):
        raise UnknownName(
            f"unknown revision {name!r}: no commit of this story. Name the last row that it contains: `check-invariants list revisions` has "
            f"them, and `git merge-base --is-ancestor ROW {stem}` ends with 0 for each that it contains"
        )
    raise nearest("revision", name, [row.name for row in code_bases()] + list(_RELEASES))


def _standing(row: Revision, name: str) -> Revision:
    """The row, for a code base of this name."""
    name = name + "1" * name.endswith("~")
    return row if row.name == name else replace(row, stands_for=name)


def called(revision: Revision) -> str:
    """What people call a code base: as it was asked for, by its release if it is one, and with what was turned by hand."""
    name, *settings = revision.name.split("+")
    release = revision.release if revision.release and _last_in(revision.release).name == name else ""
    return (revision.stands_for or release or name) + (f" with {listed(settings)}" if settings else "")


def why_it_stands(revision: Revision) -> str:
    """Why a row stands for what was asked for, in a sentence without a full stop; "" if that is the row itself."""
    if not revision.stands_for:
        return ""
    row, *later = REVISIONS[PLACES[revision.name.partition("+")[0]] :]
    after = f", the next one is {_with_release(later[0])}" if later else ""
    return (
        f"{revision.stands_for} behaves as {called(row)} in everything modelled: the last change of this story that it contains is "
        f"{_with_release(row)}{after}"
    )


def substitutes(revisions: Iterable[object]) -> list[str]:
    """What `why_it_stands` says of those among them that are code bases, each once."""
    found = (why_it_stands(item) for item in revisions if isinstance(item, Revision))
    return list(dict.fromkeys(filter(None, found)))


def _with_release(row: Revision) -> str:
    return f"{row.name} ({row.release})" if row.release else row.name


class _Release(NamedTuple):
    """A release's number; `final` is false for a candidate, which comes before it."""

    major: int
    minor: int
    micro: int
    final: bool

    @classmethod
    def of(cls, name: str) -> _Release | None:
        """The number in a name, with or without `v`, whether there is such a release or not."""
        found = fullmatch(r"v?(\d+)\.(\d+)(?:\.(\d+))?(-rc\d+)?", name)
        return None if found is None else cls(int(found[1]), int(found[2]), int(found[3] or 0), found[4] is None)


def _refuse_unknown(name: str, release: _Release) -> NoReturn:
    """Raise UnknownName, with the nearest release, for one that is not in the table: of those nothing is said."""
    numbers = {known: _Release.of(known) for known in _RELEASES}
    before = [known for known, number in numbers.items() if number is not None and number < release]
    if same := [known for known, number in numbers.items() if number == release]:
        raise UnknownName(f"unknown revision {name!r}; did you mean {same[0]}?")
    if not before:
        raise UnknownName(
            f"{name} is not modelled: the story begins with {_RELEASES[0]}; known: {', '.join(_RELEASES)}"
        )
    if before[-1] == _RELEASES[-1]:
        raise UnknownName(f"{name} is not modelled: the story ends with {_RELEASES[-1]}; known: {', '.join(_RELEASES)}")
    raise UnknownName(
        f"{name} is not modelled, and nothing is said of it: {before[-1]} is the nearest before it; known: {', '.join(_RELEASES)}"
    )


def releases() -> Mapping[str, Revision]:
    """The releases that are modelled, oldest first, each with the last row that it contains."""
    return {name: find_revision(name) for name in _RELEASES}


def _last_in(release: str) -> Revision:
    reached = _RELEASES[: _RELEASES.index(release) + 1]
    return [row for row in REVISIONS if row.release in reached or not row.release][-1]
