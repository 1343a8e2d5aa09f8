"""What is loaded when it is called for: a table says of each of its rows where it lives, and nobody loads the rows that he does not ask for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["loaded"]


def loaded(home: str) -> Any:
    """What lives there: `package.module:name`, as in the entry points of packages. Whoever asks says of which type it is.

    `tests/quality/test_house.py` reads such texts as imports, and sees that there is something of that name. Raises ImportError.
    """
    module, _, name = home.partition(":")
    return getattr(import_module(module), name)
