"""File names from names of any kind: readable, harmless on every system, and no two the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from hashlib import sha256

__all__ = ["file_names", "plain"]

#: characters that a name may have at the most
LONGEST = 100

#: names that Windows keeps for devices, whatever stands behind the dot
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def plain(name: str) -> str:
    """A name without anything that is special somewhere; two names may become one."""
    found = re.sub(r"[^A-Za-z0-9._~+=]+", "-", name)[:LONGEST].strip("-.") or "unnamed"
    return f"{found}-" if DEVICES.fullmatch(found) else found


def file_names(names: Collection[str]) -> dict[str, str]:
    """By name a file name of its own, without a suffix; where two would be one, or differ in case alone, each gets a part of its hash.

    What a name gets depends on these names alone, not on their order.
    """
    found = {name: plain(name) for name in names}
    same = Counter(map(str.casefold, found.values()))
    return {name: f"{file}-{_hash(name)}" if same[file.casefold()] > 1 else file for name, file in found.items()}


def _hash(name: str) -> str:
    return sha256(name.encode(errors="surrogatepass")).hexdigest()[:12]
