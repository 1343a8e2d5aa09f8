"""What a project wants checked: `drain-gate.toml`, or `[tool.check-invariants]` in pyproject.toml.

`schemas/drain-gate.schema.json` is the same for editors; a test holds the two together.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple, TypeAlias, cast, get_args

import click
import msgspec
from msgspec import Meta, Struct, field

from check_invariants.exit import Misconfigured
from check_invariants.inputs import is_file, read_text
from check_invariants.misfits import Known, misfit
from check_invariants.toml_lines import Place, line_of
from draincheck.errors import NoSuchModel, SourceLine, UnfitParameters
from draincheck.names import close_names
from draincheck.verdict import Outcome
from drainspecs.mirror.impact import VISIBLE

__all__ = ["FILE", "PROJECT", "CodeBaseEntry", "Entry", "GateConfig", "ModelEntry", "Pinned", "Spot", "configured"]

FILE: Final = "drain-gate.toml"
PROJECT: Final = "pyproject.toml"
#: where a project's file has its table
_TABLE: Final = ("tool", "check-invariants")

#: how similar the name of something is that was meant to be one of these
NEARLY: Final = 0.86

#: texts and lists that say something: an empty one would be read as one that is not there, and that means *all*
Text: TypeAlias = Annotated[str, Meta(min_length=1)]
Names: TypeAlias = Annotated[list[Text], Meta(min_length=1)]

#: what can be expected of a property; *reachable* is what *holds* is called of a state that can be reached
Word: TypeAlias = Literal["holds", "violated", "reachable", "never asked"]
Order: TypeAlias = Literal["attach", "any"]
#: the properties that somebody outside QEMU can notice: a word beside a list of names
Visible: TypeAlias = Literal["guest-visible"]


class Pinned(Struct, frozen=True, forbid_unknown_fields=True):
    """What an exhaustive search has to find, exactly."""

    states: int
    transitions: int
    depth: int


class _Entry(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is expected of a model or a code base: verdicts, by property, and pinned counts."""

    expect: dict[str, Word] = field(default_factory=dict[str, Word])
    counts: Pinned | None = None

    def expected(self, name: str) -> Outcome | None:
        """The verdict that is expected of a property; None if the entry does not name it."""
        word = self.expect.get(name)
        return None if word is None else Outcome("holds" if word == "reachable" else word)


class ModelEntry(_Entry, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model of the project's: a function with parameters, one of its variants, or all variants of a file."""

    file: Text
    function: Text = ""
    variant: Text = ""
    parameters: dict[str, bool | int | str] = field(default_factory=dict[str, bool | int | str])
    properties: Names = field(default_factory=list[str])

    @property
    def asked(self) -> list[str]:
        """The properties that are asked about; none: all of them."""
        return self.properties

    @property
    def called(self) -> str:
        """As the command line names it, without the folder."""
        return ":".join(filter(None, [self.file, self.function, self.variant]))


class CodeBaseEntry(_Entry, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A code base of QEMU's in scenarios: the default ones if none is named."""

    revision: Text
    scenarios: Names = field(default_factory=list[str])
    order: Order | None = None
    settings: dict[str, bool | int | str] = field(default_factory=dict[str, bool | int | str])
    properties: Names | Visible = field(default_factory=list[str])

    @property
    def asked(self) -> list[str]:
        """The properties that are asked about; none: all of them."""
        return self.properties if isinstance(self.properties, list) else list(VISIBLE)

    @property
    def called(self) -> str:
        """Its name."""
        return self.revision


Entry: TypeAlias = ModelEntry | CodeBaseEntry


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    """The file itself."""

    model: list[ModelEntry] = field(default_factory=list[ModelEntry])
    code_base: list[CodeBaseEntry] = field(default_factory=list[CodeBaseEntry])


_KNOWN: Final = Known(
    {
        (): _Document,
        ("model",): ModelEntry,
        ("code_base",): CodeBaseEntry,
        ("model", "counts"): Pinned,
        ("code_base", "counts"): Pinned,
    },
    {"expect": get_args(Word), "order": get_args(Order)},
)


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
            place, why = misfit(str(error), data, _KNOWN)
            raise Misconfigured(why, SourceLine(path, line_of(text, (*root, *place)))) from error

    @property
    def folder(self) -> Path:
        """Where it lies: models outside are none of its own."""
        return Path(self.path).parent

    @property
    def entries(self) -> Iterator[tuple[Entry, Spot]]:
        """What is to be checked, in order, with the place that says so: models first."""
        for number, model in enumerate(self.document.model):
            yield model, Spot(self, ("model", number))
        for number, code_base in enumerate(self.document.code_base):
            yield code_base, Spot(self, ("code_base", number))

    def line(self, *place: str | int) -> SourceLine:
        """Where something is said."""
        return SourceLine(self.path, line_of(self.text, (*self.root, *place)))


class Spot(NamedTuple):
    """An entry's place in a configuration."""

    config: GateConfig
    place: Place

    def line(self, *keys: str | int) -> SourceLine:
        """Where the entry, or what these keys lead to in it, is said."""
        return self.config.line(*self.place, *keys)

    @contextmanager
    def saying(self, *keys: str | int) -> Generator[None]:
        """While something that these keys say is looked up: what is wrong with it is said of their line. Raises Misconfigured."""
        try:
            yield
        except (ValueError, NoSuchModel, UnfitParameters) as error:
            raise Misconfigured(str(error), self.line(*keys)) from error


def configured(path: str | None) -> GateConfig | None:
    """The configuration that is named, or else that of the current folder; None if it has none.

    Raises BadParameter for a name that leads nowhere, and Misconfigured, for a folder too that has something of nearly the right name alone.
    """
    if path is not None:
        if not is_file(path):
            raise click.BadParameter(f"there is no file {path!r}", param_hint="'CONFIG'")
        return GateConfig.read(path)
    if Path(FILE).exists():
        return GateConfig.read(FILE)
    text, data = _toml(PROJECT) if Path(PROJECT).is_file() else ("", {})
    if _TABLE in _tables(data):
        return GateConfig.read(PROJECT)
    _refuse_nearly_named(text, data)
    return None


def _tables(data: Mapping[str, object]) -> dict[Place, object]:
    """What is in a file's tables, and in the tables of these."""
    outer: dict[Place, object] = {(key,): value for key, value in data.items()}
    inner = {
        (*place, key): value
        for place, table in outer.items()
        if isinstance(table, dict)
        for key, value in cast("dict[str, object]", table).items()
    }
    return outer | inner


def _refuse_nearly_named(text: str, project: Mapping[str, object]) -> None:
    """Raise Misconfigured for a file or a table that was meant as the configuration, and is called otherwise: without it a gate is green."""
    for path in sorted(Path().iterdir()):
        if path.is_file() and _is_nearly(path.stem, Path(FILE).stem) and _is_nearly(path.suffix, Path(FILE).suffix):
            why = f"nothing reads a file of this name by itself; did you mean {FILE}?"
            raise Misconfigured(why, SourceLine(path.name, 1))
    meant = ".".join(_TABLE)
    for place, table in _tables(project).items():
        called = ".".join(map(str, place))
        if isinstance(table, dict) and _is_nearly(called, meant):
            why = f"nothing reads the table [{called}]; did you mean [{meant}]?"
            raise Misconfigured(why, SourceLine(PROJECT, line_of(text, place)))


def _is_nearly(name: str, meant: str) -> bool:
    """Whether a name is another one, misspelt; what an editor leaves beside a file, with a sign at its end, is no slip."""
    return name[-1:].isalpha() and bool(close_names(name.lower(), [meant], NEARLY))


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
        why = f"{said[1]} (column {said[3]})" if said else str(error)
        hint = (
            "; of several entries each begins with [[model]] or [[code_base]]"
            if why.startswith("Cannot declare")
            else ""
        )
        raise Misconfigured(f"not TOML: {why}{hint}", SourceLine(path, int(said[2]) if said else 1)) from error
    except (RecursionError, ValueError) as error:
        raise Misconfigured(f"{path} cannot be read: {error}") from error
