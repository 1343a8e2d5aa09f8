"""Lines as records: what is an event, what is none, and in which order."""

from __future__ import annotations

import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path
from time import process_time

import pytest
import zstandard

from draincheck.errors import LogError
from draincheck.qemulog.events import EVENTS
from draincheck.qemulog.formats import EventFormat, TraceEvent, read_formats
from draincheck.qemulog.reader import Numbered, Parser, Reader
from draincheck.qemulog.source import LONGEST, blocks, followed, opened

DRAIN = "mirror_before_drain s 0x10 dirty count 0"


def read(text: bytes, size: int = 1 << 16) -> tuple[Reader, list[Numbered]]:
    reader = Reader(EVENTS, ["mirror_before_drain"])
    return reader, [each for some in reader.records(blocks(io.BytesIO(text), size)) for each in some]


# -- formats


@pytest.mark.parametrize(
    ("definition", "line", "values"),
    [
        ('e(void *s, int64_t cnt) "s %p dirty count %"PRId64', b"s 0x1f dirty count -3", {"s": b"0x1f", "cnt": b"-3"}),
        ('e(void *bs, const char *f, int n) "bs %p filename \\"%s\\" flags %#x"',
         b'bs (nil) filename "a " b" flags 0x2a', {"bs": b"(nil)", "f": b'a " b', "n": b"0x2a"}),
        ('e(size_t n) "n %zu%%"', b"n 7%", {"n": b"7"}),
        ('e(uint64_t a, uint32_t b) "{ a = 0x%" PRIx64 ", b = %5" PRIu32 " }"', b"{ a = 0xff, b =    12 }", {"a": b"ff", "b": b"12"}),
        ('e(void) "Reading request"', b"Reading request", {}),
        ('disable e(const char *s) "%s"', b"anything: at all", {"s": b"anything: at all"}),
    ],
)  # fmt: skip
def test_a_definition_says_how_a_line_is_read(definition: str, line: bytes, values: dict[str, bytes]) -> None:
    """A line of a trace-events file becomes a pattern, and the values go by the names of its arguments."""
    assert Parser(read_formats(definition, "events"))(b"e", line) == values


@pytest.mark.parametrize(
    "line", [b"s 0x1f dirty count", b"s 0x1f dirty count 3x", b"s zz dirty count 3", b"", b"s 0x1f dirty count 3 "]
)
def test_a_line_that_says_something_else_does_not_fit(line: bytes) -> None:
    """Nothing is guessed."""
    assert Parser(EVENTS)(b"mirror_before_drain", line) is None


def test_formats_of_a_file_that_is_none_are_refused_with_the_line() -> None:
    """The message names file and line."""
    with pytest.raises(LogError, match="events:2: "):
        read_formats("# comment\nthis is no event\n", "events")


def test_a_conversion_that_no_event_has_is_refused() -> None:
    """`%n` is no conversion of a trace event."""
    with pytest.raises(LogError, match="%n"):
        EventFormat("%n", ("x",)).pattern()


def test_no_line_takes_long() -> None:
    """Strings end where the text behind them stands first: time grows with the line alone."""
    event = TraceEvent("e", (EventFormat('a "%s" b "%s" c "%s" d', ("x", "y", "z")),))
    parser = Parser({"e": event})
    start = process_time()
    for length in (1_000, 100_000):
        parser(b"e", b'a "' + b'" b "' * length)
        parser.misprints(b"e", [b'a "' + b'" b "' * length] * 3)
    assert process_time() - start < 20  # a pattern that goes back takes hours


# -- lines


def test_lines_with_and_without_times_are_read() -> None:
    """The prefix is optional."""
    _, plain = read(DRAIN.encode() + b"\n")
    _, stamped = read(b"12@1700000000.000001:" + DRAIN.encode() + b"\n")
    assert plain == [(1, (b"", b"", b"mirror_before_drain", b"s 0x10 dirty count 0"))]
    assert stamped == [(1, (b"12", b"1700000000.000001", b"mirror_before_drain", b"s 0x10 dirty count 0"))]


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 16])
def test_blocks_of_any_size_make_the_same_records(size: int) -> None:
    """Where a block ends means nothing."""
    text = (
        b"Formatting 'x', fmt=raw\n"
        + DRAIN.encode()
        + b"\nsome_event 1\n\nqemu: Assertion `x' failed.\n"
        + DRAIN.encode()
    )
    reader, records = read(text, size)
    assert [line for line, _ in records] == [2, 6]
    assert (reader.tally.lines, reader.tally.others, reader.tally.unknown) == (6, 3, {"some_event"})
    assert reader.tally.sample[-1] == (5, "qemu: Assertion `x' failed.")


@pytest.mark.parametrize("cut", range(1, len(DRAIN)))
def test_a_torn_last_line_is_none(cut: int) -> None:
    """Whatever is left of it: it is no event, and no misprint."""
    reader, records = read(DRAIN.encode()[:cut])
    assert not records
    assert not reader.tally.misprints
    assert reader.tally.torn or reader.tally.others or reader.tally.unknown


def test_a_known_event_that_says_something_else_is_told_with_its_line() -> None:
    """It is an error, not a line less."""
    reader, _ = read(f"{DRAIN}\nmirror_before_drain s 0x10 dirty\n{DRAIN}\n".encode())
    assert reader.tally.misprints == 1
    assert reader.tally.shown[0].line == 2


def test_a_line_with_a_hole_is_malformed() -> None:
    """A host that crashed leaves NUL bytes where something stood; without them the same line is an event."""
    reader, records = read(f"{DRAIN}\n7@1.000000:mirror_\0_drain s 0x10 dirty count 0\n".encode())
    assert (len(records), reader.tally.misprints, reader.tally.shown[0].line) == (1, 1, 2)
    assert read(f"{DRAIN}\nmirror_yield s 0x10\0\n".encode())[0].tally.misprints == 1
    assert not read(f"{DRAIN}\nsomething else\n".encode())[0].tally.misprints


@pytest.mark.parametrize("size", [len(DRAIN) + 1, 64, 1 << 16])
def test_a_hole_at_the_beginning_of_a_block_is_one(size: int) -> None:
    """Wherever blocks end; but where a log begins with it a program went on behind the place at which its log was cut: nothing is lost there."""
    text = f"{DRAIN}\n".encode()
    assert read(text + b"\0" * 40 + text, size)[0].tally.misprints == 1
    assert read(b"\0" * 400 + text, size)[0].tally.misprints == 0


def test_colours_around_lines_are_no_part_of_them() -> None:
    """A log may be copied from a terminal; within a line they are what it says."""
    _, plain = read(DRAIN.encode() + b"\n")
    assert read(b"\x1b[0;1;39m" + DRAIN.encode() + b"\x1b[0m\n")[1] == plain
    assert read(b"\x1b[31m\x1b[1m" + DRAIN.encode() + b"\x1b[0m\r\n")[1] == plain
    assert read(DRAIN.replace(" s", " \x1b[0ms").encode() + b"\n")[0].tally.misprints == 1


def test_lines_of_threads_are_put_in_the_order_of_time() -> None:
    """Write order holds within a thread."""
    lines = [f"{thread}@1700000000.00000{time}:{DRAIN}\n" for thread, time in ((1, 2), (2, 1), (1, 4), (2, 3), (2, 5))]
    _, records = read("".join(lines).encode())
    assert [line for line, _ in records] == [2, 1, 4, 3, 5]


def test_a_clock_that_goes_back_leaves_lines_as_they_stand() -> None:
    """Times that are no order are not used."""
    lines = [f"{thread}@1700000000.00000{time}:{DRAIN}\n" for thread, time in ((1, 2), (2, 1), (1, 1))]
    reader, records = read("".join(lines).encode())
    assert [line for line, _ in records] == [1, 2, 3]
    assert reader.tally.backwards


# -- where lines come from


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, zstandard.compress])
def test_packed_logs_are_unpacked(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """By what they begin with, not by their names."""
    file = tmp_path / "log"
    file.write_bytes(pack(DRAIN.encode() * 1000))
    with opened(str(file)) as source:
        assert b"".join(blocks(source)) == DRAIN.encode() * 1000


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(DRAIN.encode() * 99)[:-9], lzma.compress(DRAIN.encode() * 99)[:-9], zstandard.compress(b"")[:4] + b"nonsense" * 9],
    ids=["gzip", "xz", "zstandard"],
)  # fmt: skip
def test_a_damaged_package_is_told(packed: bytes, tmp_path: Path) -> None:
    """Cut, or with other bytes in it."""
    file = tmp_path / "log"
    file.write_bytes(packed)
    with opened(str(file)) as source, pytest.raises(LogError, match="cannot be unpacked"):
        list(blocks(source))


def test_a_line_without_an_end_is_refused() -> None:
    """Memory is for a few blocks."""
    with pytest.raises(LogError, match="longer"):
        list(blocks(io.BytesIO(b"x" * (LONGEST + 2)), 1 << 20))


Step = Callable[[], object]


def follow(file: Path, *steps: Step) -> bytes:
    """What is read of a file while this happens to it, one look after each."""
    todo = iter(steps)

    def later() -> bool:
        step = next(todo, None)
        if step is not None:
            step()
        return step is not None

    return b"".join(followed(str(file), later))


def adding(file: Path, text: bytes) -> Step:
    def add() -> None:
        with file.open("ab") as stream:
            stream.write(text)

    return add


def cutting(file: Path, text: bytes) -> Step:
    """Copied and cut to nothing (copytruncate), then written to again before anybody looks."""
    return lambda: file.write_bytes(text)


def test_a_log_is_followed_through_truncation_and_rotation(tmp_path: Path) -> None:
    """What is written later is read, also where the file begins anew or another takes its name."""
    file = tmp_path / "log"
    file.write_bytes(b"1\n2")
    read = follow(
        file,
        adding(file, b"2\n3\n"),
        cutting(file, b"4\n"),
        lambda: (file.rename(tmp_path / "log.1"), file.write_bytes(b"5\n")),
        file.unlink,
        lambda: file.write_bytes(b"6\n7"),
    )
    assert read == b"1\n22\n3\n4\n5\n6\n7"


@pytest.mark.parametrize("again", [b"3\n", b"3\n4\n", b"3\n4\n5\n6\n7\n8\n"], ids=["shorter", "as long", "longer"])
def test_a_log_that_was_cut_is_read_from_its_new_start(again: bytes, tmp_path: Path) -> None:
    """Also where it has grown beyond what had been read before anybody looked; what has only grown is read on."""
    file = tmp_path / "log"
    file.write_bytes(b"1\n2\n")
    assert follow(file, cutting(file, again)) == b"1\n2\n" + again
    file.write_bytes(b"1\n2\n")
    assert follow(file, adding(file, again)) == b"1\n2\n" + again


@pytest.mark.parametrize("stamp", ["", "77@1.000001:"])
@pytest.mark.parametrize("prompt", ["(qemu) ", "(qemu) (qemu) "])
def test_an_event_behind_the_monitors_prompt_is_one(prompt: str, stamp: str) -> None:
    """With `-monitor stdio` QEMU has both in one terminal, and no end of line is behind a prompt."""
    reader, found = read(f"{prompt}{stamp}{DRAIN}\n{stamp}{DRAIN}\n".encode())
    assert [number for number, _ in found] == [1, 2]
    assert not reader.tally.others


@pytest.mark.parametrize(
    "typed",
    ["(qemu) mirror_before_drain", "(qemu) drive_mirror -f d0 t.raw", f"(qemu){DRAIN}", f"(qemo) {DRAIN}", "(qemu) "],
)
def test_what_is_typed_behind_the_prompt_is_no_event(typed: str) -> None:
    """The control: the name alone does not make it one."""
    reader, found = read(f"{typed}\n{DRAIN}\n".encode())
    assert [number for number, _ in found] == [2]
    assert [line for line, _ in reader.tally.sample] == [1]


def test_a_line_that_was_cut_is_not_glued_to_the_next(tmp_path: Path) -> None:
    """Its end is gone."""
    file = tmp_path / "log"
    file.write_bytes(b"1\nmirror_before_dr")
    assert follow(file, cutting(file, b"3\n")) == b"1\n3\n"


def test_a_program_that_goes_on_behind_the_cut_leaves_a_hole(tmp_path: Path) -> None:
    """QEMU does not open its log for appending: it writes where it was, and before that are zeros."""
    file = tmp_path / "log"
    file.write_bytes(b"1\n2\n")
    hole = b"\0" * (LONGEST + 9)
    assert follow(file, cutting(file, b""), cutting(file, hole + b"3\n")) == b"1\n2\n3\n"
    assert b"".join(blocks(io.BytesIO(hole + b"3\n"))) == b"3\n"


def test_a_renamed_log_is_read_until_the_new_one_has_something(tmp_path: Path) -> None:
    """A program that was not told of the rotation goes on writing to the old file."""
    file, old = tmp_path / "log", tmp_path / "log.1"
    file.write_bytes(b"1\n")
    rotated = follow(
        file,
        lambda: (file.rename(old), file.write_bytes(b"")),
        adding(old, b"2\n"),
        adding(file, b"3\n"),
        adding(old, b"not read\n"),
    )
    assert rotated == b"1\n2\n3\n"


def test_a_log_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    """Not in a folder that is none: that is a mistake."""
    file = tmp_path / "log"
    assert follow(file, lambda: None, adding(file, b"1\n")) == b"1\n"
    with pytest.raises(OSError, match="folder"):
        follow(tmp_path / "none" / "log")


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_text_of_two_bytes_a_character_is_refused_with_what_to_do(coding: str, tmp_path: Path) -> None:
    """In UTF-8 the same is read, with a mark at its start or without."""
    file = tmp_path / "log"
    file.write_bytes(DRAIN.encode(coding))
    with pytest.raises(LogError, match="iconv"), opened(str(file)):
        pass
    file.write_bytes(DRAIN.encode("utf-8-sig"))
    with opened(str(file)) as source:
        assert list(blocks(source))


@pytest.mark.parametrize(
    ("text", "is_log"),
    [
        ("# A page\n\nwith some words in it\n", False),
        ("", True),
        (f"{DRAIN}\n", True),
        ("12@1700000000.000001:some_event 1\n", True),
        ("some_event 1\n", False),
    ],
    ids=["words", "nothing", "known", "stamped", "unknown"],
)
def test_what_has_no_event_is_no_log(text: str, is_log: bool) -> None:
    """A known event makes one, or a line with thread and time; nothing at all may become one."""
    assert read(text.encode())[0].tally.is_log is is_log
