"""How large the house is: `make sizes` counts what stands in the syntax trees, so that no layout or comment moves a number."""

from __future__ import annotations

import ast
import io
import token
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median, quantiles

from tests.support.house import Module, modules

#: no file should have more lines
MOST = 450

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
NO_CODE = {token.COMMENT, token.NL, token.NEWLINE, token.INDENT, token.DEDENT, token.ENDMARKER}


@dataclass(frozen=True)
class Sizes:
    """What was counted in some files.

    Attributes:
        code: lines that hold some code: no blank ones, no comments, no docstrings.
        functions: how many lines each function has, from `def` to its end.
        large: the files above `MOST` lines, with their lines.
        loose: how often `Any` is named.
        casts: how often `cast` is called.
    """

    files: int
    code: int
    functions: tuple[int, ...]
    large: tuple[tuple[str, int], ...]
    loose: int
    casts: int

    def __str__(self) -> str:
        low, high = (median(self.functions), quantiles(self.functions, n=10)[-1]) if len(self.functions) > 1 else (0, 0)
        lines = [
            f"{self.files} files, {self.code} lines of code; functions: {len(self.functions)}, median {low:g} lines, nine in ten up to {high:g}",
            f"Any: {self.loose}, cast: {self.casts}; files above {MOST} lines: {len(self.large)}",
        ]
        return "\n".join([*lines, *(f"  {lines:5} {name}" for name, lines in self.large)])


def sizes(files: Iterable[Module]) -> Sizes:
    """Count."""
    found = list(files)
    nodes = [node for module in found for node in ast.walk(module.tree)]
    lines = [(module.name, len(module.text.splitlines())) for module in found]
    return Sizes(
        files=len(found),
        code=sum(len(code_lines(module)) for module in found),
        functions=tuple((n.end_lineno or 0) - n.lineno + 1 for n in nodes if isinstance(n, FUNCTION)),
        large=tuple(sorted((item for item in lines if item[1] > MOST), key=lambda item: -item[1])),
        loose=sum(isinstance(node, ast.Name) and node.id == "Any" for node in nodes),
        casts=sum(isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "cast" for n in nodes),
    )


def code_lines(module: Module) -> set[int]:
    """The numbers of the lines on which some code stands."""
    tokens = tokenize.generate_tokens(io.StringIO(module.text).readline)
    spans = [range(item.start[0], item.end[0] + 1) for item in tokens if item.type not in NO_CODE]
    return {line for span in spans for line in span} - set(_docstrings(module.tree))


def _docstrings(tree: ast.Module) -> Iterator[int]:
    """The lines of docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | FUNCTION) and ast.get_docstring(node, clean=False) is not None:
            yield from range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)


def main() -> None:
    """Print the counts of each package and of all."""
    known = modules()
    for package in sorted({name.split(".")[0] for name in known}):
        print(f"{package}: {sizes(module for name, module in known.items() if name.split('.')[0] == package)}\n")
    print(f"all: {sizes(known.values())}")


if __name__ == "__main__":
    main()
