"""Statements that are named and not called: `p.break_` alone on a line does nothing, and Python does not say so. The source tells."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from linecache import getlines

from draincheck.errors import ModelError, SourceLine
from draincheck.lang.process import Coroutine
from draincheck.location import source_of
from draincheck.system import BoolVar, EnumVar, IntVar

__all__ = ["refuse_uncalled"]

_METHODS = frozenset(
    name
    for kind in (Coroutine, BoolVar, IntVar, EnumVar)
    for name, value in ((name, getattr(kind, name)) for name in dir(kind) if not name.startswith("_"))
    if callable(value)
)
#: compiled for a user's model alone
_SUSPECT = rf"\.\s*(?:{'|'.join(sorted(_METHODS))})\b(?!\s*\()"


def refuse_uncalled(names: Iterable[str]) -> None:
    """Raise ModelError for the first such statement in these files; the library's own, which linters read, are left out."""
    for name in dict.fromkeys(names):
        file = source_of(name)
        for statement, number in _found(file) if file else ():
            raise ModelError(
                f"{statement} is named and not called: it does nothing; write {statement}(...)",
                SourceLine(name, number),
            )


@cache
def _found(file: str) -> tuple[tuple[str, int], ...]:
    source = "".join(getlines(file))
    if not re.search(_SUSPECT, source):  # parsing takes longer than building a model
        return ()
    try:
        return tuple(_uncalled(ast.parse(source)))
    except SyntaxError:  # a notebook's cell, or a file that was changed meanwhile
        return ()


def _uncalled(module: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Attribute) and node.value.attr in _METHODS:
            yield ast.unparse(node.value), node.lineno
