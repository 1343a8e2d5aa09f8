"""Statements that are named and not called: `p.break_` alone on a line does nothing, and Python does not say so. The source tells."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from linecache import checkcache, getlines

from draincheck.errors import ModelError, SourceLine
from draincheck.lang.process import Coroutine
from draincheck.location import SourceRun, origin_of
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


def refuse_uncalled(lines: Iterable[SourceLine]) -> None:
    """Raise ModelError for the first such statement in the files of these lines; the library's own, which linters read, are left out."""
    for origin, name in {origin_of(line): line.file for line in lines}.items():
        for statement, number in _found(_text_of(origin)) if origin else ():
            raise ModelError(
                f"{statement} is named and not called: it does nothing; write {statement}(...)",
                SourceLine(name, number),
            )


def _text_of(origin: SourceRun) -> str:
    """What was run: where that is not known, what the file says now, or said when Python first asked for what it was started with."""
    if origin.spec is not None and (text := _text_run(origin)) is not None:
        return text
    if not origin.started:
        checkcache(origin.file)
    return "".join(getlines(origin.file))


@cache
def _text_run(origin: SourceRun) -> str | None:
    """The text that a module was made from, if who has loaded it knows."""
    get_source: object = getattr(getattr(origin.spec, "loader", None), "get_source", None)
    try:
        text: object = get_source(getattr(origin.spec, "name", "")) if callable(get_source) else None
    except Exception:  # the file may be gone, and the loader somebody's own
        return None
    return text if isinstance(text, str) else None


@lru_cache(maxsize=64)
def _found(source: str) -> tuple[tuple[str, int], ...]:
    if not re.search(_SUSPECT, source):  # parsing takes longer than building a model
        return ()
    try:
        return tuple(_uncalled(ast.parse(source)))
    except SyntaxError:  # a notebook's cell, or a file that was changed meanwhile
        return ()


def _uncalled(module: ast.Module) -> Iterator[tuple[str, int]]:
    """The statements, with their lines; what the file itself makes a property of is called when it is named."""
    meant = _METHODS.difference(_decorated(module))
    for node in ast.walk(module):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Attribute) and node.value.attr in meant:
            yield ast.unparse(node.value), node.lineno


def _decorated(module: ast.Module) -> Iterator[str]:
    """The names of functions that are perhaps no plain ones: only who knows the decorator knows what naming one does."""
    return (node.name for node in ast.walk(module) if isinstance(node, ast.FunctionDef) and node.decorator_list)
