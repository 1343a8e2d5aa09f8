"""The document as text that stands in a page: plain JSON, with each system packed by itself.

A packed system is the base64 of a zlib stream (`deflate` to a browser) of four bytes, little-endian, with the length of what follows them, that much
JSON, and then the columns of its graph.

Nothing that a model calls anything can end the element that the text stands in: it is ASCII, without `<`, `>` and `&`. Halves of characters
are there as JSON writes them, and come back.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from msgspec import to_builtins
from msgspec.structs import replace

from draincheck.explorer.document import ExplorerDocument
from draincheck.explorer.walkable import PageSystem

__all__ = ["embedded", "fingerprint", "json_in_page", "packed"]

#: what an HTML parser could take for an end of the element, or a comment's beginning
_SIGNS: Final = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"}


def embedded(document: ExplorerDocument) -> str:
    """The document as JSON for a page: systems packed, and without the texts of traces."""
    plain = to_builtins(replace(document, systems={}))
    for subject in plain["subjects"]:
        for item in subject["evidence"]:
            del item["text"]
    plain["systems"] = {key: packed(system) for key, system in document.systems.items()}
    return json_in_page(plain)


def json_in_page(value: Mapping[str, Any]) -> str:
    """JSON that can stand in a `script` element, whatever the texts in it say."""
    return _json(value).translate(_SIGNS)


def packed(system: PageSystem) -> str:
    """A system in ASCII letters."""
    plain = to_builtins(replace(system, graph=replace(system.graph, data=b"")))
    del plain["graph"]["data"]
    told = _json(plain).encode()
    return b64encode(zlib.compress(len(told).to_bytes(4, "little") + told + system.graph.data, 9)).decode()


def fingerprint(*told: object) -> str:
    """A short name for what values say."""
    return sha256(_json(to_builtins(told)).encode()).hexdigest()[:16]


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
