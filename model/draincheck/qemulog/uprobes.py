"""Uprobe sidecars: what the kernel saw of a QEMU's drained sections, recorded beside its log by perf or ftrace.

A stock QEMU has no trace event for them, but `bdrv_drained_begin`, `bdrv_drained_end` and `bdrv_replace_node` are functions with names, on
which the kernel can put probes. Read is what `perf script` prints (with `tod`, since a perf clock counts from the machine's start) and what
stands in ftrace's `trace` file:

    qemu-system-x86 22836 [000] 2026-11-26 21:40:38.647348 probe_qemu:bdrv_drained_begin: (55fb37e37d00) bs=0x55fb540e6ff0
    qemu-system-x86-19353 [001] DBZff 1795402032.601417: bdrv_drained_begin: (0x5637c6d50d00) a=0x5637d5a2f6e0 b=0x3

The first value is the node, whatever it is called. A line that is neither an event, nor a heading, nor about lost events is an error.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from msgspec import Struct, field
from msgspec.structs import replace

from draincheck.errors import LogError
from draincheck.qemulog.pivot import DrainedSection

__all__ = ["Sidecar", "read_sidecar"]

_BEGIN = ("bdrv_drained_begin", "bdrv_subtree_drained_begin", "bdrv_drain_all_begin")
#: not `bdrv_drained_end_no_poll`: it ends what `bdrv_do_drained_begin_quiesce` has begun for a parent
_END = ("bdrv_drained_end", "bdrv_subtree_drained_end", "bdrv_drain_all_end")
#: what a section of all nodes has for its node
ALL = "all nodes"

#: what perf and ftrace call a probe at a function's return
_RETURN = re.compile(r"(?:_ret|__return)$")
_EVENT = re.compile(
    r"""\s*(?P<program>\S.{0,31}?)(?:-|\s)\s*(?:\d{1,10}/\s*)?(?P<thread>\d{1,10})\s+
    (?:\(\s*[-\d]{1,10}\)\s+)?(?:\[\d{1,5}\]\s+)?(?:[.\w#]{3,8}\s+)?
    (?:(?P<day>\d{4}-\d\d-\d\d)\s(?P<clock>\d\d:\d\d:\d\d)\.(?P<part>\d{6})\d{0,3}:?\s+)?
    (?:(?P<seconds>\d{1,12})\.(?P<micro>\d{6})\d{0,3}:\s+)?
    (?:\w{1,64}:)?(?P<probe>[A-Za-z_]\w{0,127}):(?:\s+\([^()]{0,80}\))?(?P<said>.{0,4000})""",
    re.VERBOSE,
)
_VALUE = re.compile(r"\s[A-Za-z_]\w{0,63}=(?P<value>0x[0-9a-fA-F]{1,16}|\d{1,20})(?=\s|$)")
_HEADING = re.compile(
    r"\s*(?:#.*|\[ perf .*|Warning:|Processed .*|'\w+' not valid for .* events\. Ignoring\.|cpus=\d+|CPU \d+ is empty|version = \d+)?\s*"
)
_LOST = re.compile(r"lost\s+(?P<a>\d{1,18})|(?P<b>\d{1,18})\s+events?\s+(?:lost|dropped)", re.IGNORECASE)
#: ftrace's heading: what is in its buffer, and what was written there
_WRITTEN = re.compile(r"#\s*entries-in-buffer/entries-written:\s*(\d{1,18})/(\d{1,18})")
#: characters of a line
LONGEST = 8192


class Sidecar(Struct):
    """What a sidecar says.

    Attributes:
        file: its name.
        sections: times in which a node was drained for certain, in order.
        unbegun: by its node when the last section ended whose begin was not seen. QEMU begins some by functions that have no name to put a
            probe on: before that a node may have been drained for longer than its sections say.
        replaced: when nodes were replaced.
        first, last: the times of its first and last event (microseconds).
        threads: threads that began or ended sections.
        lost: how many events it says it has not.
        unused: events of other names.
    """

    file: str
    sections: list[DrainedSection] = field(default_factory=list[DrainedSection])
    unbegun: dict[str, int] = field(default_factory=dict[str, int])
    replaced: list[int] = field(default_factory=list[int])
    first: int = 0
    last: int = 0
    threads: set[int] = field(default_factory=set[int])
    lost: int = 0
    unused: Counter[str] = field(default_factory=Counter[str])


class _Probed(Struct, frozen=True):
    """A function was entered, or left."""

    time: int
    thread: int
    function: str
    left: bool
    node: str | None


def read_sidecar(blocks: Iterable[bytes], file: str) -> Sidecar:
    """A sidecar, from its first line to its last. Raises LogError, with the line, for what is none."""
    sidecar = Sidecar(file)
    found = sorted(_probed(blocks, sidecar), key=lambda one: one.time)
    if not found:
        raise LogError(
            f"{file}: no drained section begins or ends in it: probe bdrv_drained_begin and bdrv_drained_end"
        )
    sidecar.first, sidecar.last = found[0].time, found[-1].time
    sidecar.threads = {one.thread for one in found}
    sidecar.replaced = [one.time for one in found if one.function == "bdrv_replace_node" and not one.left]
    sidecar.sections = sorted(_sections(found, sidecar.unbegun), key=lambda section: section.opened)
    return sidecar


# -- lines


def _probed(blocks: Iterable[bytes], sidecar: Sidecar) -> Iterator[_Probed]:
    """What functions were probed; what was lost, and what else was recorded, goes to the sidecar."""
    number = 0
    for block in blocks:
        for raw in block.splitlines():
            number += 1
            line = raw[: LONGEST + 1].decode(errors="replace").rstrip()
            match = _EVENT.fullmatch(line)
            if match is None or not (match["day"] or match["seconds"]):
                sidecar.lost += _otherwise(line, f"{sidecar.file}:{number}")
            elif (one := _event(match, f"{sidecar.file}:{number}")) is not None:
                yield one
            else:
                sidecar.unused[match["probe"]] += 1


def _otherwise(line: str, place: str) -> int:
    """How many events a line that is none says were lost. Raises LogError for one that says nothing at all."""
    if written := _WRITTEN.match(line):
        return int(written[2]) - int(written[1])
    if lost := _LOST.search(line):
        return int(lost["a"] or lost["b"])
    if _HEADING.fullmatch(line) is None:
        raise LogError(f"{place}: this is no line of `perf script` or of ftrace: {line[:80]!r}")
    return 0


def _event(match: re.Match[str], place: str) -> _Probed | None:
    """One of ours; None for another. Raises LogError where the node is missing, and for a day that is none."""
    probe = match["probe"]
    function = _RETURN.sub("", probe)
    if function not in (*_BEGIN, *_END, "bdrv_replace_node"):
        return None
    values = [int(value, 16 if value.startswith("0x") else 10) for value in _VALUE.findall(match["said"])]
    left = function != probe
    node = ALL if "drain_all" in function else f"{values[0]:#x}" if values else None
    if node is None and not left and function != "bdrv_replace_node":
        raise LogError(
            f"{place}: the probe does not say which node: place it with the first argument, as in {function} bs=%di"
        )
    return _Probed(_time(match, place), int(match["thread"]), function, left, node)


def _time(match: re.Match[str], place: str) -> int:
    """Microseconds: since 1970 where the line has a day, else what its clock says."""
    if match["day"] is None:
        return int(match["seconds"]) * 1_000_000 + int(match["micro"])
    try:
        when = datetime.fromisoformat(f"{match['day']} {match['clock']}").replace(tzinfo=UTC)
    except ValueError as error:
        raise LogError(f"{place}: {error}") from error
    return int(when.timestamp()) * 1_000_000 + int(match["part"])


# -- sections


def _sections(found: Iterable[_Probed], unbegun: dict[str, int]) -> Iterator[DrainedSection]:
    """The times in which each node was drained: sections that overlap are one."""
    depth = Counter[str]()
    opened: dict[str, DrainedSection] = {}
    begun: dict[int, list[_Probed]] = defaultdict(list)
    for one in found:
        if one.left:
            _returned(one, begun[one.thread], opened)
        elif one.function in _BEGIN:
            node = str(one.node)
            begun[one.thread].append(one)
            depth[node] += 1
            opened.setdefault(node, DrainedSection(node, one.thread, one.time))
        elif one.function in _END and (ended := _ended(one, depth, opened, unbegun)) is not None:
            yield ended
    yield from opened.values()


def _returned(one: _Probed, begun: list[_Probed], opened: dict[str, DrainedSection]) -> None:
    """A function was left: the last that this thread has entered. The node is drained when the section that opened has begun."""
    if one.function not in _BEGIN or not begun:
        return
    begin = begun.pop()
    section = opened.get(str(begin.node))
    if section is not None and (section.opened, section.thread) == (begin.time, one.thread):
        opened[section.node] = replace(section, drained=one.time)


def _ended(
    one: _Probed, depth: Counter[str], opened: dict[str, DrainedSection], unbegun: dict[str, int]
) -> DrainedSection | None:
    """A section ended: if it was the last, the node may be drained no more."""
    node = str(one.node)
    if not depth[node]:
        unbegun[node] = one.time
        return None
    depth[node] -= 1
    return None if depth[node] else replace(opened.pop(node), ended=one.time)
