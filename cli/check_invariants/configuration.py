"""What a project wants checked: `drain-gate.toml`, or `[tool.check-invariants]` in pyproject.toml.

`schemas/drain-gate.schema.json` is the same for editors; a test holds the two together.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast

import click
import msgspec
from msgspec import Struct, field

from check_invariants.exit import Misconfigured
from check_invariants.inputs import is_file, read_text
from check_invariants.toml_lines import Place, line_of
from draincheck.errors import SourceLine
from draincheck.knobs import nearest
from draincheck.verdict import Outcome

__all__ = ["FILE", "PROJECT", "CodeBaseEntry", "Entry", "GateConfig", "ModelEntry", "Pinned", "configured"]

FILE: Final = "drain-gate.toml"
PROJECT: Final = "pyproject.toml"
#: where a project's file has its table
_TABLE: Final = ("tool", "check-invariants")

#: what can be expected of a property; *reachable* is what *holds* is called of a state that can be reached
Word: TypeAlias = Literal["holds", "violated", "reachable", "never asked"]


class Pinned(Struct, frozen=True, forbid_unknown_fields=True):
    """What an exhaustive search has to find, exactly."""

    states: int
    transitions: int
    depth: int


class _Entry(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is asked of a model or a code base: these properties (all if none is named), what is expected of them, pinned counts."""

    properties: list[str] = field(default_factory=list[str])
    expect: dict[str, Word] = field(default_factory=dict[str, Word])
    counts: Pinned | None = None

    def expected(self, name: str) -> Outcome | None:
        """The verdict that is expected of a property; None if the entry does not name it."""
        word = self.expect.get(name)
        return None if word is None else Outcome("holds" if word == "reachable" else word)


class ModelEntry(_Entry, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model of the project's: a function with parameters, one of its variants, or all variants of a file."""

    file: str
    function: str = ""
    variant: str = ""
    parameters: dict[str, bool | int | str] = field(default_factory=dict[str, bool | int | str])

    @property
    def called(self) -> str:
        """As the command line names it, without the folder."""
        return ":".join(filter(None, [self.file, self.function, self.variant]))


class CodeBaseEntry(_Entry, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A code base of QEMU's in scenarios: the default ones if none is named."""

    revision: str
    scenarios: list[str] = field(default_factory=list[str])
    order: Literal["attach", "any"] | None = None
    settings: dict[str, bool | int | str] = field(default_factory=dict[str, bool | int | str])

    @property
    def called(self) -> str:
        """Its name."""
        return self.revision


Entry: TypeAlias = ModelEntry | CodeBaseEntry


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    """The file itself."""

    model: list[ModelEntry] = field(default_factory=list[ModelEntry])
    code_base: list[CodeBaseEntry] = field(default_factory=list[CodeBaseEntry])


#: what may stand in a table, by the keys that lead there
_FIELDS: Final[Mapping[tuple[str, ...], type[Struct]]] = {
    (): _Document,
    ("model",): ModelEntry,
    ("code_base",): CodeBaseEntry,
    ("model", "counts"): Pinned,
    ("code_base", "counts"): Pinned,
}


class GateConfig(Struct, frozen=True):
    """A configuration that was read.

    Attributes:
        path: as given.
        text: what stands there.
        root: the keys of the table that it is, in its file.
        document: what it says.
    """

    path: str
    text: str
    root: tuple[str, ...]
    document: _Document

    @classmethod
    def read(cls, path: str) -> GateConfig:
        """Read a file. Raises Misconfigured, with the line, for one that says something else than the schema."""
        text, data = _toml(path)
        root = _TABLE if Path(path).name == PROJECT else ()
        for key in root:
            inner = data.get(key)
            if not isinstance(inner, dict):
                raise Misconfigured(f"{path} has no table [{'.'.join(root)}]; name a file that has one, or {FILE}")
            data = cast(dict[str, object], inner)
        try:
            return cls(path, text, root, msgspec.convert(data, _Document))
        except msgspec.ValidationError as error:
            place, why = _explained(str(error))
            raise Misconfigured(f"{path}:{line_of(text, (*root, *place))}: {why}") from error

    @property
    def folder(self) -> Path:
        """Where it lies: models outside are none of its own."""
        return Path(self.path).parent

    @property
    def entries(self) -> Iterator[tuple[Entry, SourceLine]]:
        """What is to be checked, in order, with the line that says so: models first."""
        for number, model in enumerate(self.document.model):
            yield model, self.line("model", number)
        for number, code_base in enumerate(self.document.code_base):
            yield code_base, self.line("code_base", number)

    def line(self, *place: str | int) -> SourceLine:
        """Where something is said."""
        return SourceLine(self.path, line_of(self.text, (*self.root, *place)))


def configured(path: str | None) -> GateConfig | None:
    """The configuration that is named, or else that of the current folder; None if it has none.

    Raises BadParameter for a name that leads nowhere, and Misconfigured.
    """
    if path is not None:
        if not is_file(path):
            raise click.BadParameter(f"there is no file {path!r}", param_hint="'CONFIG'")
        return GateConfig.read(path)
    if Path(FILE).exists():
        return GateConfig.read(FILE)
    if not Path(PROJECT).is_file():
        return None
    tools = _toml(PROJECT)[1].get(_TABLE[0])
    return GateConfig.read(PROJECT) if isinstance(tools, dict) and _TABLE[1] in tools else None


def _toml(path: str) -> tuple[str, dict[str, object]]:
    try:
        text = read_text(path)
        return text, tomllib.loads(text)
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Misconfigured(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        said = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error), re.DOTALL)
        place, why = (f":{said[2]}", f"{said[1]} (column {said[3]})") if said else ("", str(error))
        raise Misconfigured(f"{path}{place}: not TOML: {why}") from error
    except (RecursionError, ValueError) as error:
        raise Misconfigured(f"{path} cannot be read: {error}") from error


def _explained(message: str) -> tuple[Place, str]:
    """Where and what is wrong, from what msgspec says of it."""
    said, _, path = message.partition(" - at `$")
    place: list[str | int] = []
    for key, number, _ in re.findall(r"\.(\w+)|\[(\d+)\]|(\[\.\.\.\])", path):
        place += [key] if key else [int(number)] if number else []
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", said, re.DOTALL)
    if unknown is None:
        where = f"{place[-1]}: " if place and isinstance(place[-1], str) else ""
        return tuple(place), f"{where}{said[0].lower()}{said[1:]}"
    known = _fields(place)
    return (*place, unknown[1]), str(nearest("key", unknown[1], list(known)))


def _fields(place: Sequence[str | int]) -> tuple[str, ...]:
    """What may stand in the table at a place."""
    return _FIELDS[tuple(key for key in place if isinstance(key, str))].__struct_fields__
