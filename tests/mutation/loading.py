"""Modules imported with one thing wrong, or with a note of every statement that is executed. Nothing is written anywhere."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import draincheck
from tests.mutation.operators import Mutant, mutate

__all__ = ["modules_of", "note_statements", "source_of", "with_mutant"]

#: the library's folder; importing `draincheck` itself imports nothing else
ROOT = Path(draincheck.__file__).parent

#: makes the tree of a module from its source
Rewrite = Callable[[str], ast.Module]


def modules_of(*packages: str) -> list[str]:
    """The names of the modules of packages of the library (`qemu`, `core`)."""
    files = ((package, file.stem) for package in packages for file in sorted((ROOT / package).glob("*.py")))
    return [f"draincheck.{package}.{module}" for package, module in files if module != "__init__"]


def source_of(module: str) -> str:
    """A module's text."""
    return _file(module).read_text(encoding="utf-8")


def _file(module: str) -> Path:
    return ROOT.joinpath(*module.split(".")[1:]).with_suffix(".py")


class _Loader(SourceFileLoader):
    """Compiles what `rewrite` makes of the source, and keeps no cache."""

    def __init__(self, module: str, rewrite: Rewrite) -> None:
        super().__init__(module, str(_file(module)))
        self._rewrite = rewrite

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._rewrite(source_of(fullname)), self.path, "exec")


class _Finder(MetaPathFinder):
    """Finds some modules in its own way."""

    def __init__(self, rewrites: dict[str, Rewrite]) -> None:
        self._rewrites = rewrites

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path) if fullname in self._rewrites else None
        if spec is not None:
            spec.loader = _Loader(fullname, self._rewrites[fullname])
        return spec


def _install(rewrites: dict[str, Rewrite]) -> None:
    early = sorted(set(rewrites) & set(sys.modules))
    if early:
        raise RuntimeError(f"imported already, as they are: {', '.join(early)}")
    sys.meta_path.insert(0, _Finder(rewrites))


def with_mutant(mutant: Mutant) -> None:
    """From now on this process imports the mutant's module as the mutant has it."""
    _install({mutant.module: lambda source: mutate(source, mutant.operator, mutant.number)})


def note_statements(package: str) -> set[tuple[str, int]]:
    """From now on the functions of a package note in this set what they execute: the module and the line of each statement."""
    seen: set[tuple[str, int]] = set()

    def rewrite(module: str) -> Rewrite:
        return lambda source: _noting(ast.parse(source), module)

    sys.modules[_NOTES] = notes = ModuleType(_NOTES)
    notes.__dict__["add"] = seen.add
    _install({module: rewrite(module) for module in modules_of(package)})
    return seen


_NOTES = "tests_mutation_notes"


def _noting(tree: ast.Module, module: str) -> ast.Module:
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        for node in list(ast.walk(function)):
            for field in ("body", "orelse", "finalbody"):
                block = getattr(node, field, None)
                if isinstance(block, list) and node is not function.args:
                    setattr(node, field, _noted(block, module))
    first = next((i for i, node in enumerate(tree.body) if not isinstance(node, ast.Expr) and not _is_future(node)), 0)
    tree.body.insert(first, ast.parse(f"import {_NOTES}").body[0])
    return ast.fix_missing_locations(tree)


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _noted(block: list[ast.stmt], module: str) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for statement in block:
        if not _is_note(statement):
            found.append(ast.parse(f"{_NOTES}.add(({module!r}, {statement.lineno}))").body[0])
        found.append(statement)
    return found


def _is_note(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and _NOTES in ast.dump(statement)
