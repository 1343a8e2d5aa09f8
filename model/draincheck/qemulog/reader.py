"""A log's lines as records, in the order in which things happened, and what else stands in it.

A line is `THREAD@SECONDS.MICROSECONDS:EVENT TEXT`, the part up to the colon only with `-msg timestamp=on`. Lines of one thread stand in
its order; those of several are put in the order of their times, as far as they are not further than `HELD` lines apart. What is no event
(something else that was printed to the same place, a torn last line) is counted; an event that nobody here knows is counted by its name;
a known event that does not say what it should is an error, since what it says would be missing in silence.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from msgspec import Struct, field

from draincheck.qemulog.formats import EventFormat, TraceEvent

__all__ = ["HELD", "HOLE", "Misprint", "Parser", "Reader", "Record", "Tally"]

#: thread, time, event and text of a line; without a prefix the first two are empty
Record = tuple[bytes, bytes, bytes, bytes]
#: the same with the number of its line
Numbered = tuple[int, Record]

#: lines that are held back, since one of another thread may come that is older
HELD = 4096
#: what stands for the event of a line that has lost a part
HOLE = "NUL bytes"
#: misprints that are remembered, and other lines that are shown
SHOWN = 5

_LINE = re.compile(rb"^(?:(\d++)@(\d++\.\d++):)?([A-Za-z_]\w*+)(?: (.*+))?$", re.MULTILINE)
_GLUED = re.compile(rb"(\d++)@(\d++\.\d++):([A-Za-z_]\w*+)(?: (.*+))?$")
#: the monitor's prompt, which has no end of line behind it
_PROMPT = re.compile(rb"(?:\(qemu\) )+(.*)")
#: a terminal's colours around whole lines, where a log was copied from one
_COLOURS = re.compile(rb"^(?:\x1b\[[0-9;]*+m)++|(?:\x1b\[[0-9;]*+m)++$", re.MULTILINE)
#: what an event's name looks like, where there is no prefix to tell it from other words
_NAME = re.compile(rb"[a-z]\w*_\w+")


class Misprint(Struct, frozen=True):
    """A line that names a known event and does not say what that says, or has NUL bytes where something stood."""

    line: int
    event: str
    text: str


class Tally(Struct):
    """What a log has, in numbers.

    Attributes:
        lines: how many there are.
        events: how often each event occurs, known or not.
        unknown: the events among them that nobody here knows.
        others: lines that are no events.
        sample: the first of these, with their numbers.
        torn: whether the last line lacks its end and is no whole event.
        misprints: how many known events do not say what they should, or have a hole; `shown`: the first of them.
        backwards: whether the clock of some thread went back: then lines are taken as they stand.
        stamped: whether a line begins with a thread and a time.
    """

    lines: int = 0
    events: Counter[str] = field(default_factory=Counter[str])
    unknown: set[str] = field(default_factory=set[str])
    others: int = 0
    sample: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    torn: bool = False
    misprints: int = 0
    shown: list[Misprint] = field(default_factory=list[Misprint])
    backwards: bool = False
    stamped: bool = False

    @property
    def is_log(self) -> bool:
        """Whether QEMU may have written it: it is empty, has a known event, or lines as only QEMU prefixes them."""
        return not self.lines or self.stamped or bool(self.events.keys() - self.unknown)


class _Forms(Struct, frozen=True):
    """The formats of an event as patterns, with the names of their values; `lines`: any number of texts, each of which fits one."""

    each: tuple[tuple[re.Pattern[bytes], tuple[str, ...]], ...]
    lines: re.Pattern[bytes]


class Parser:
    """What an event's text says, by its name: the first of its formats that fits."""

    def __init__(self, events: Mapping[str, TraceEvent]) -> None:
        self._forms = {name.encode(): _forms_of(event.formats) for name, event in events.items()}

    def __contains__(self, name: bytes) -> bool:
        return name in self._forms

    def __call__(self, name: bytes, text: bytes) -> dict[str, bytes] | None:
        """The values by their names; None if no format fits."""
        for pattern, names in self._forms[name].each:
            if match := pattern.fullmatch(text):
                return dict(zip(names, match.groups(), strict=True))
        return None

    def misprints(self, name: bytes, texts: list[bytes]) -> list[int]:
        """Which of these texts no format of the event fits."""
        forms = self._forms[name]
        if not forms.each or forms.lines.fullmatch(b"\n".join([*texts, b""])):
            return []
        return [i for i, text in enumerate(texts) if self(name, text) is None]


@cache
def _forms_of(formats: tuple[EventFormat, ...]) -> _Forms:
    each = tuple((form.pattern(), form.names) for form in formats)
    either = b"|".join(_groupless(pattern) for pattern, _ in each)
    return _Forms(each, re.compile(b"(?:(?:" + either + rb")\n)*+"))


def _groupless(pattern: re.Pattern[bytes]) -> bytes:
    """The same pattern without groups that are remembered."""
    return re.sub(rb"(?<!\\)\((?!\?)", b"(?:", pattern.pattern)


class Reader:
    """Blocks of lines in, records out. `tally` is what was read so far.

    Args:
        events: those that are known.
        used: names of the known events whose records matter; others are only counted.
    """

    def __init__(self, events: Mapping[str, TraceEvent], used: Iterable[str]) -> None:
        self.values = Parser(events)
        self.tally = Tally()
        self._used = frozenset(name.encode() for name in used)
        self._held: list[Numbered] = []
        self._last: dict[bytes, bytes] = defaultdict(bytes)
        self._threads: set[bytes] = set()

    def records(self, blocks: Iterable[bytes]) -> Iterator[list[Numbered]]:
        """All records that matter, in order, a list at a time."""
        for block in blocks:
            yield self._ordered(self._read(block), HELD)
        yield self._ordered([], 0)

    # -- lines

    def _read(self, block: bytes) -> list[Numbered]:
        """The records of a block that matter; everything in it is counted."""
        whole = block if block.endswith(b"\n") else block + b"\n"
        torn = whole is not block
        whole = whole.replace(b"\r\n", b"\n") if b"\r" in whole else whole
        whole = _COLOURS.sub(b"", whole) if b"\x1b" in whole else whole
        found: list[Record] = _LINE.findall(whole)
        first, count = self.tally.lines + 1, whole.count(b"\n")
        self.tally.lines += count
        if b"\0" in whole:
            self._find_holes(whole, first)
        if len(found) == count and not torn:
            numbered = self._without_others(list(enumerate(found, first)))
        else:
            numbered = list(self._line_by_line(whole, first, torn))
        self._count(numbered)
        return [each for each in numbered if each[1][2] in self._used]

    def _find_holes(self, block: bytes, first: int) -> None:
        """Lines that have lost a part, as a host that crashed leaves them: events or not, what stood there may have been one."""
        for number, line in enumerate(block.split(b"\n"), first):
            if b"\0" in line:
                self._misprint(number, HOLE, line)

    def _line_by_line(self, block: bytes, first: int, torn: bool) -> Iterator[Numbered]:
        """The same where some lines are no events."""
        lines = block[:-1].split(b"\n")
        for number, line in enumerate(lines, first):
            match = _LINE.fullmatch(line.rstrip(b"\r"))
            if torn and number == first + len(lines) - 1 and not self._whole(match):
                self.tally.torn = True
            elif match is None or not self._is_event(match):
                if glued := self._otherwise(number, line.rstrip(b"\r")):
                    yield number, glued
            else:
                yield number, (match[1] or b"", match[2] or b"", match[3], match[4] or b"")

    def _without_others(self, numbered: list[Numbered]) -> list[Numbered]:
        """Without lines that only look like events: words of something else that prints to the same place."""
        words = {record[2] for _, record in numbered}
        strange = {word for word in words if not self._is_named(word)}
        if not strange:
            return numbered
        kept = [each for each in numbered if each[1][2] not in strange or each[1][0]]
        others = [each for each in numbered if each[1][2] in strange and not each[1][0]]
        found = ((number, self._otherwise(number, record[2] + b" " + record[3])) for number, record in others)
        glued = [(number, record) for number, record in found if record is not None]
        return sorted([*kept, *glued]) if glued else kept

    def _otherwise(self, number: int, line: bytes) -> Record | None:
        """A line that is no event: one may stand behind what else was printed without an end."""
        match = _GLUED.search(line)
        if match is not None and match[3] in self.values:
            return match[1], match[2], match[3], match[4] or b""
        prompt = _PROMPT.fullmatch(line)
        behind = prompt and _LINE.fullmatch(prompt[1])
        if behind and self._whole(behind):  # without a prefix only what it says tells it from a command
            return b"", b"", behind[3], behind[4] or b""
        self._other(number, line)
        return None

    def _whole(self, match: re.Match[bytes] | None) -> bool:
        """Whether a line is a known event that says all it should: then its missing end is nothing."""
        return bool(match and match[3] in self.values and self.values(match[3], match[4] or b"") is not None)

    def _is_event(self, match: re.Match[bytes]) -> bool:
        return bool(match[1]) or self._is_named(match[3])

    def _is_named(self, name: bytes) -> bool:
        """Whether a word is an event's name, as far as one can tell without a prefix."""
        return name in self.values or _NAME.fullmatch(name) is not None

    def _other(self, number: int, line: bytes) -> None:
        self.tally.others += 1
        if len(self.tally.sample) < SHOWN or b"ssert" in line:
            self.tally.sample.append((number, line[:300].decode(errors="replace")))
            del self.tally.sample[: -2 * SHOWN]

    def _count(self, numbered: list[Numbered]) -> None:
        """Count events, and look whether the known ones say what they should."""
        self.tally.stamped = self.tally.stamped or bool(numbered and numbered[0][1][0])
        texts: dict[bytes, list[Numbered]] = defaultdict(list)
        for each in numbered:
            texts[each[1][2]].append(each)
        for name, those in texts.items():
            self.tally.events[name.decode()] += len(those)
            if name in self.values:
                self._misprinted(name, those)
            else:
                self.tally.unknown.add(name.decode())

    def _misprinted(self, name: bytes, those: list[Numbered]) -> None:
        wrong = self.values.misprints(name, [record[3] for _, record in those])
        for number, record in (those[i] for i in wrong):
            if b"\0" not in record[3]:  # holes are counted by themselves
                self._misprint(number, name.decode(), record[3])

    def _misprint(self, line: int, event: str, text: bytes) -> None:
        self.tally.misprints += 1
        if len(self.tally.shown) < SHOWN:
            self.tally.shown.append(Misprint(line, event, text[:200].decode(errors="replace")))

    # -- order

    def _ordered(self, new: list[Numbered], held: int) -> list[Numbered]:
        """What can be handed on: everything but the last lines."""
        self._threads.update({record[0] for _, record in new})
        pending = self._held + new
        if len(self._threads) > 1 and not self.tally.backwards:
            self.tally.backwards = not self._goes_on(new)
            pending = pending if self.tally.backwards else sorted(pending, key=_time)
        cut = max(len(pending) - held, 0) if len(self._threads) > 1 or held == 0 else len(pending)
        self._held = pending[cut:]
        return pending[:cut]

    def _goes_on(self, new: list[Numbered]) -> bool:
        """Whether each thread's clock goes on in these lines, from what stood before them."""
        latest = self._last
        for _, (thread, time, _, _) in new:
            if time < latest[thread] and len(time) == len(latest[thread]):
                return False
            latest[thread] = time
        return True


def _time(numbered: Numbered) -> bytes:
    return numbered[1][1]
