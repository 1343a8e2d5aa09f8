"""The file: a header, the model, the claim, and the queries; each part begins with a line of its own.

The whole file is an SMT-LIB 2.6 script of printable ASCII, so that any solver can run it as it is: every answer must be `unsat`. The
header is one comment line of JSON. The model and the queries are there to be read; the check makes its own and compares.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NoReturn, TypeVar, cast

from msgspec import Struct, field

from draincheck.certificate.remade import remade
from draincheck.errors import CertificateError
from draincheck.jsonvalue import Json
from draincheck.subject import Source

__all__ = [
    "MOST_STEPS",
    "VERSION",
    "Certificate",
    "Header",
    "InvariantClaim",
    "Path",
    "needs_asking",
    "read",
    "written",
]

#: the version of the format; in the first one nothing showed that a property is ever asked
VERSION = 2

#: how far an induction may look back: what has to be asked grows with the square
MOST_STEPS = 200

#: bits that a rank may take
MOST_BITS = 64

#: an initial state, and the indices of the actions that are taken from there
Path = tuple[tuple[int, ...], tuple[int, ...]]

T = TypeVar("T")

TITLE = "; check-invariants certificate"
MODEL = "; ==== model: made again from its source and compared"
CLAIM = "; ==== claim: all that this file says by itself"
QUERIES = "; ==== queries: each must be unsat"


class InvariantClaim(Struct, frozen=True):
    """What a certificate says about one property.

    Attributes:
        property: the property's name.
        verdict: `holds`; or `violated`, for a `Reachable` that is not reachable.
        progress: for each goal that must stay reachable (see `queries.goals`) the bits that its rank takes; 0: it is met everywhere.
        witness: the property is `Reachable`, shown by a path to its goal; else None.
        asked: a path whose last step puts the property to the test; None where nothing needs to (`needs_asking`).
    """

    property: str
    verdict: str = "holds"
    progress: tuple[int, ...] = ()
    witness: Path | None = None
    asked: Path | None = None


def needs_asking(claim: InvariantClaim) -> bool:
    """Whether a claim would be empty if nothing asked: it holds, and no witness with a step shows that something happens."""
    return claim.verdict == "holds" and not (claim.witness is not None and claim.witness[1])


class Header(Struct, frozen=True):
    """What a certificate is about.

    Attributes:
        model: the name of the system.
        digest: its hash (`TransitionSystem.digest`).
        claims: what is claimed of it.
        k: how many states in a row the induction looks back on.
        simple: whether these states are pairwise different.
        source: how the model is made again: whatever the one who asks for a certificate wants to find in it.
    """

    model: str
    digest: str
    claims: tuple[InvariantClaim, ...]
    k: int = 1
    simple: bool = False
    source: Source = field(default_factory=dict[str, str])


class Certificate(Struct, frozen=True):
    """A certificate as it stands in a file: the lines of its parts, without comments.

    `numbers` has for each part, in the order of the file, the numbers of its lines there, from 1.
    """

    header: Header
    model: tuple[str, ...]
    claim: tuple[str, ...]
    queries: tuple[str, ...]
    text: str
    numbers: tuple[tuple[int, ...], ...]


def written(header: Header, model: Sequence[str], claim: Sequence[str], queries: Sequence[str]) -> str:
    """The text of a certificate."""
    document = {
        "version": VERSION,
        "model": header.model,
        "digest": header.digest,
        "k": header.k,
        "simple": header.simple,
        "claims": [_claim_json(item) for item in header.claims],
        "source": dict(header.source),
    }
    lines = [TITLE, f"; {json.dumps(document)}", MODEL, *model, CLAIM, *claim, QUERIES, *queries]
    return "\n".join(lines) + "\n"


def _claim_json(item: InvariantClaim) -> dict[str, Json]:
    document: dict[str, Json] = {"property": item.property, "verdict": item.verdict}
    if item.progress:
        document["progress"] = list(item.progress)
    for name, path in (("witness", item.witness), ("asked", item.asked)):
        if path is not None:
            document[name] = {"initial": list(path[0]), "actions": list(path[1])}
    return document


def read(text: str) -> Certificate:
    """A certificate from its text; raises CertificateError for anything that does not look like one."""
    if (odd := re.search(r"[^ -~\n]", text)) is not None:
        number = text.count("\n", 0, odd.start()) + 1
        raise CertificateError(
            f"line {number}: the character {odd.group()!a}; a certificate is made of printable ASCII and line feeds alone"
        )
    lines = text.split("\n")
    if lines[0] != TITLE:
        raise CertificateError(f"line 1: not a certificate of check-invariants, which begins with {TITLE!r}")
    header = _header(lines[1] if len(lines) > 1 else "")
    marks = [_only(lines, mark) for mark in (MODEL, CLAIM, QUERIES)]
    if marks != sorted(marks) or marks[0] != 2:
        raise CertificateError("the parts of the certificate are not in order: header, model, claim, queries")
    bounds = zip(marks, [*marks[1:], len(lines)], strict=True)
    numbers = tuple(tuple(n for n in range(start + 1, end) if _says(lines[n])) for start, end in bounds)
    model, claim, queries = (tuple(lines[n] for n in part) for part in numbers)
    return Certificate(header, model, claim, queries, text, tuple(tuple(n + 1 for n in part) for part in numbers))


def _only(lines: Sequence[str], mark: str) -> int:
    """Where the one line stands that begins a part."""
    if lines.count(mark) != 1:
        raise CertificateError(f"a certificate has one line {mark!r}; this one has {lines.count(mark)}")
    return lines.index(mark)


def _says(line: str) -> bool:
    """Not empty, and no comment."""
    return bool(line) and not line.startswith(";")


def _header(line: str) -> Header:
    fields = _document(line)
    _demand_version(fields)
    claims = tuple(_claim(item) for item in _list(fields, "claims"))
    names = [claim.property for claim in claims]
    if twice := [name for name in names if names.count(name) > 1]:
        raise CertificateError(f"line 2: there are two claims about {twice[0]!a}")
    return Header(
        model=_field(fields, "model", str),
        digest=_field(fields, "digest", str),
        claims=claims,
        k=_natural(fields, "k", MOST_STEPS),
        simple=_field(fields, "simple", bool),
        source=cast(Source, _object(fields, "source")),  # whoever builds a model from it looks at it
    )


def _demand_version(fields: dict[str, Json]) -> None:
    """Raise CertificateError for another version of the format, with the command that makes the certificate again."""
    found = fields.get("version")
    if found == VERSION:
        return
    said = f"line 2: version {found!r} of the format; this program reads {VERSION}"
    if found != 1:
        raise CertificateError(said)
    source = fields.get("source")
    command = remade(source if isinstance(source, dict) else {})
    raise CertificateError(f"{said}, where a path shows that each property is asked; make it again: `{command}`")


def _document(line: str) -> dict[str, Json]:
    """The JSON object of the header."""
    if not line.startswith("; "):
        raise CertificateError("line 2: the header is missing, a comment line of JSON")
    try:
        document: Json = json.loads(line.removeprefix("; "))
    except (ValueError, RecursionError) as error:
        raise CertificateError(f"line 2: the header is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise CertificateError("line 2: the header is not a JSON object")
    return document


def _claim(item: Json) -> InvariantClaim:
    if not isinstance(item, dict):
        raise CertificateError(f"line 2: a claim is a JSON object, not {item!r}")
    name, verdict = _field(item, "property", str), _field(item, "verdict", str)
    if verdict not in ("holds", "violated"):
        raise CertificateError(f"line 2: a verdict is holds or violated, not {verdict!r}")
    return InvariantClaim(name, verdict, _progress(item), _path(item, "witness"), _path(item, "asked"))


def _progress(item: dict[str, Json]) -> tuple[int, ...]:
    """The bits of ranks."""
    found = _numbers(item, "progress") if "progress" in item else ()
    if odd := [bits for bits in found if not 0 <= bits <= MOST_BITS]:
        raise CertificateError(f"line 2: 'progress' is a list of numbers from 0 to {MOST_BITS}, and has {odd[0]!r}")
    return found


def _path(item: dict[str, Json], name: str) -> Path | None:
    if name not in item:
        return None
    path = _object(item, name)
    return _numbers(path, "initial"), _numbers(path, "actions")


def _numbers(document: dict[str, Json], name: str) -> tuple[int, ...]:
    found = _list(document, name)
    numbers = tuple(item for item in found if isinstance(item, int) and not isinstance(item, bool))
    if len(numbers) < len(found):
        raise CertificateError(f"line 2: {name!r} is a list of integers, not {found!r}")
    return numbers


def _natural(document: dict[str, Json], name: str, most: int) -> int:
    found = _field(document, name, int)
    if isinstance(found, bool) or not 1 <= found <= most:
        raise CertificateError(f"line 2: {name!r} is a number from 1 to {most}, not {found!r}")
    return found


def _field(document: dict[str, Json], name: str, kind: type[T]) -> T:
    """A field of the header; raises CertificateError if it is not there or of another type."""
    found = document.get(name)
    return found if isinstance(found, kind) else _missing(name, kind)


def _list(document: dict[str, Json], name: str) -> list[Json]:
    found = document.get(name)
    return found if isinstance(found, list) else _missing(name, list)


def _object(document: dict[str, Json], name: str) -> dict[str, Json]:
    found = document.get(name)
    return found if isinstance(found, dict) else _missing(name, dict)


def _missing(name: str, kind: type) -> NoReturn:
    raise CertificateError(f"line 2: the header has no {name!r} of type {kind.__name__}")
