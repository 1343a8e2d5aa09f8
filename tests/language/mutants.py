"""Copies of the language in which one thing is changed: fresh modules, patched in memory."""

from __future__ import annotations

import ast
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import cast

import draincheck
import draincheck.lang
from draincheck.lang import Model

__all__ = ["Mutant", "StaleMutantError", "mutated"]

_PACKAGE = "draincheck.lang"
_FOLDER = Path(draincheck.lang.__file__).parent


@dataclass(frozen=True)
class Mutant:
    """A change: in this function of this module `old` becomes `new`. Both are an expression, or statements one after the other."""

    module: str
    function: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.module}.{self.function}: {self.old} -> {self.new or 'nothing'}"


class StaleMutantError(Exception):
    """The code that a mutant changes is not there any more, or more than once."""


@contextmanager
def mutated(mutant: Mutant) -> Generator[type[Model]]:
    """The `Model` of a copy of the language with this change; raises StaleMutantError if it does not apply."""
    finder = _Finder(mutant, patched(mutant))
    kept = _taken_out()
    sys.meta_path.insert(0, finder)
    try:
        yield cast("type[Model]", import_module(_PACKAGE).Model)
    finally:
        sys.meta_path.remove(finder)
        _taken_out()
        sys.modules.update(kept)
        draincheck.lang = kept[_PACKAGE]


def _taken_out() -> dict[str, ModuleType]:
    """Take the language out of the modules that are known; gives what was there."""
    names = [name for name in sys.modules if name == _PACKAGE or name.startswith(f"{_PACKAGE}.")]
    return {name: sys.modules.pop(name) for name in names}


class _Finder(MetaPathFinder):
    """Finds the changed module; the others are found as ever."""

    def __init__(self, mutant: Mutant, code: CodeType) -> None:
        self.name, self.code = f"{_PACKAGE}.{mutant.module}", code

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The changed module, from its code."""
        if name != self.name:
            return None
        file = str(_FOLDER / f"{name.rpartition('.')[2]}.py")
        return spec_from_file_location(name, file, loader=_Loader(name, file, self.code))


class _Loader(SourceFileLoader):
    def __init__(self, name: str, file: str, code: CodeType) -> None:
        super().__init__(name, file)
        self.code = code

    def get_code(self, fullname: str) -> CodeType:
        """The changed code."""
        return self.code


# the change itself


def patched(mutant: Mutant) -> CodeType:
    """The module with this change; raises StaleMutantError if it does not apply."""
    file = _FOLDER / f"{mutant.module}.py"
    tree = ast.parse(file.read_text())
    change = _Change(mutant)
    change.visit(_function(tree, mutant))
    if change.times != 1:
        raise StaleMutantError(f"{mutant}: found {change.times} times; write it anew for the code as it is now")
    return compile(ast.fix_missing_locations(tree), str(file), "exec")


def _function(tree: ast.Module, mutant: Mutant) -> ast.AST:
    """The function `name` or `Class.name`."""
    found: ast.AST = tree
    for name in mutant.function.split("."):
        inside = (node for node in ast.iter_child_nodes(found) if getattr(node, "name", None) == name)
        inner = next(inside, None)
        if inner is None:
            raise StaleMutantError(f"{mutant}: there is no such function")
        found = inner
    return found


class _Change(ast.NodeTransformer):
    """Replaces expressions, or statements that stand one after the other, and counts how often."""

    def __init__(self, mutant: Mutant) -> None:
        self.old, self.new = ast.parse(mutant.old).body, ast.parse(mutant.new or "pass").body
        self.times = 0

    def visit(self, node: ast.AST) -> ast.AST:
        """Change whatever is found in a node."""
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                self.block(cast("list[ast.stmt]", block))
        old, new = self.old[0], self.new[0]
        if isinstance(old, ast.Expr) and isinstance(new, ast.Expr) and _same(node, old.value):
            self.times += 1
            return new.value
        return self.generic_visit(node)

    def block(self, block: list[ast.stmt]) -> None:
        """Change statements of a block."""
        size = len(self.old)
        for at in range(len(block) - size + 1):
            if all(map(_same, block[at : at + size], self.old)):
                self.times += 1
                block[at : at + size] = self.new
                return


def _same(a: ast.AST, b: ast.AST) -> bool:
    return ast.dump(a) == ast.dump(b)
