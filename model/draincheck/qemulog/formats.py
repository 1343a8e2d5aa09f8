"""What an event's line says: printf formats as patterns, each of which takes time in proportion to its line, whatever stands there.

A format is what QEMU's build installs as `trace-events-all` and what its log backend prints with: text with conversions. Each conversion
becomes a group; a string ends where the text that follows it stands for the first time, and is never tried longer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from draincheck.errors import LogError

__all__ = ["EventFormat", "TraceEvent", "read_formats"]

#: what each conversion prints, as a pattern; lengths (`ll`, `z`) and flags are taken off before
_NUMBERS = {
    "d": rb"-?[0-9]{1,20}+",
    "i": rb"-?[0-9]{1,20}+",
    "u": rb"[0-9]{1,20}+",
    "x": rb"[0-9a-f]{1,16}+",
    "X": rb"[0-9A-F]{1,16}+",
    "p": rb"(?:0x[0-9a-f]{1,16}+|\(nil\))",
    "c": rb".",
    "f": rb"-?[0-9]{1,20}+\.[0-9]{1,20}+",
}
#: `%5d` pads with blanks, `%-8s` behind
_CONVERSION = re.compile(
    r"%(?P<flags>[#0 +-]*)(?P<width>\d*|\*)(?:\.(?P<precision>\d+|\*))?(?:hh|h|ll|l|j|z|t|q)?(?P<letter>[a-zA-Z])|(?P<percent>%%)"
)
#: the macros of inttypes.h, between the parts of a C string: PRIu64, PRIx32, PRId8
_MACRO = re.compile(r'"\s*PRI(?P<letter>[diuxX])(?:\d+|PTR|MAX|LEAST\d+|FAST\d+)\s*(?:"|$)')
#: a line of a trace-events file: the name, what it takes, how it is printed
_DEFINITION = re.compile(
    r"(?:(?:disable|vcpu|tcg(?:-\w+)?)\s+)*(?P<name>[A-Za-z_]\w*)\((?P<arguments>[^()]*(?:\([^()]*\)[^()]*)*)\)\s*(?P<format>.*)"
)


class EventFormat(Struct, frozen=True):
    """One way in which an event is printed.

    Attributes:
        text: the format, as printf takes it.
        names: what the values are called, in order.
    """

    text: str
    names: tuple[str, ...]

    def kinds(self) -> dict[str, str]:
        """What is printed by the name of its value: a number (`d`), a pointer (`p`), text (`s`)."""
        letters = [piece["letter"] for piece in _CONVERSION.finditer(self.text) if not piece["percent"]]
        return {name: "d" if letter in "diu" else letter for name, letter in zip(self.names, letters, strict=False)}

    def pattern(self) -> re.Pattern[bytes]:
        """A pattern with a group for each value. Raises LogError for a conversion that is not known, and if there are more values or less."""
        if len(self.kinds()) != len(self.names) or len(self.names) != sum(
            not p["percent"] for p in _CONVERSION.finditer(self.text)
        ):
            raise LogError(f"the format {self.text!r} does not print {len(self.names)} values")
        return re.compile(b"".join(self._parts()))

    def _parts(self) -> Iterator[bytes]:
        pieces = list(_CONVERSION.finditer(self.text))
        starts = [*(piece.start() for piece in pieces), len(self.text)]
        yield re.escape(self.text[: starts[0]].encode())
        for piece, end in zip(pieces, starts[1:], strict=True):
            literal = re.escape(self.text[piece.end() : end].encode())
            yield b"%" + literal if piece["percent"] else _value(piece, literal, self.text)


def _value(piece: re.Match[str], literal: bytes, text: str) -> bytes:
    """A conversion and the text behind it."""
    letter = piece["letter"]
    if letter == "s":
        return rb"(?>(.*?)" + literal + rb")" if literal else rb"(.*+)"
    if letter not in _NUMBERS:
        raise LogError(f"the format {text!r} has a conversion that no trace event has: {piece.group()}")
    prefix = b"(?:0[xX])?+" if "#" in piece["flags"] and letter in "xX" else b""
    padding = b" *+" if piece["width"] else b""
    return padding + b"(" + prefix + _NUMBERS[letter] + b")" + padding * ("-" in piece["flags"]) + literal


class TraceEvent(Struct, frozen=True):
    """A trace event: its name, and the ways in which versions of QEMU print it; without any nothing is asked of what it says."""

    name: str
    formats: tuple[EventFormat, ...]

    def needed(self) -> dict[str, str]:
        """The values that all formats have, with their kinds: what may be asked of the event."""
        kinds = [form.kinds() for form in self.formats]
        return {name: kind for name, kind in kinds[0].items() if all(other.get(name) == kind for other in kinds)}

    def check(self, other: TraceEvent) -> None:
        """Raise LogError unless another version of this event says what this one says."""
        for form in other.formats:
            form.pattern()
            lacking = [name for name, kind in self.needed().items() if form.kinds().get(name) != kind]
            if lacking:
                raise LogError(f"{other.name}: the format {form.text!r} lacks {', '.join(lacking)}")


def read_formats(text: str, file: str) -> dict[str, TraceEvent]:
    """The events of a trace-events file, by name. Raises LogError, with the line, for what is none."""
    found: dict[str, TraceEvent] = {}
    for number, line in _definitions(text):
        match = _DEFINITION.fullmatch(line)
        if match is None:
            raise LogError(f"{file}:{number}: this is no definition of a trace event: {line[:60]!r}")
        name = match["name"]
        earlier = found[name].formats if name in found else ()
        found[name] = TraceEvent(
            name, (*earlier, EventFormat(_printed(match["format"]), tuple(_named(match["arguments"]))))
        )
    return found


def _definitions(text: str) -> Iterator[tuple[int, str]]:
    """Lines that say something; one that ends with a backslash goes on."""
    kept, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start if kept else number
        if line.endswith("\\"):
            kept += line[:-1]
            continue
        whole, kept = (kept + line).strip(), ""
        if whole and not whole.startswith("#"):
            yield start, whole


def _printed(text: str) -> str:
    """A C string in pieces, some of them macros, as one format."""
    joined = _MACRO.sub(lambda macro: macro["letter"] + ("" if macro.group().rstrip().endswith('"') else '"'), text)
    pieces = re.findall(r'"((?:[^"\\]|\\.)*)"', joined)
    return re.sub(r"\\(.)", lambda escape: {"n": "\n", "t": "\t"}.get(escape[1], escape[1]), "".join(pieces))


def _named(arguments: str) -> Iterable[str]:
    """The names in a C parameter list."""
    for argument in arguments.split(","):
        words = re.findall(r"\w+", argument)
        if words and words != ["void"]:
            yield words[-1]
