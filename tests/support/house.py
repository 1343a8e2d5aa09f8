"""The house read as syntax trees: its modules, who imports whom, and where imports run in a circle."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: the folder of each package
PACKAGES = {"draincheck": "model", "drainspecs": "specs", "check_invariants": "cli"}
#: where something lives that is loaded when it is called for (`draincheck.elsewhere`)
HOME = re.compile(r"([a-z_]\w*(?:\.[a-z_]\w*)+):([A-Za-z_]\w*)")


@dataclass(frozen=True)
class Module:
    """A file of the house.

    Attributes:
        name: as it is imported.
    """

    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        """What it says."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax."""
        return ast.parse(self.text)

    @property
    def package(self) -> str:
        """Where its relative imports begin."""
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]


def modules(root: Path = ROOT, packages: Mapping[str, str] = PACKAGES) -> dict[str, Module]:
    """Every module by its name."""
    files = (
        (root / folder, path) for name, folder in packages.items() for path in (root / folder / name).rglob("*.py")
    )
    found = (Module(_name(path.relative_to(base)), path) for base, path in files)
    return {module.name: module for module in sorted(found, key=lambda module: module.name)}


def _name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(module: Module, known: Mapping[str, Module]) -> set[str]:
    """The modules that one needs to run, inside functions too; what type checkers alone read is left out.

    A package counts if something is taken from it that is no module of its own, and a text that says where something lives as if it were imported.
    """
    found = {name for node in _running(module.tree) for name in _targets(node, module, known)}
    return (found | {home for home, _ in homes(module) if home in known}) - {module.name}


def homes(module: Module) -> set[tuple[str, str]]:
    """What is loaded from where when it is called for: modules of the house, each with a name that is looked for there."""
    texts = (node.value for node in _running(module.tree) if isinstance(node, ast.Constant))
    found = (HOME.fullmatch(text) for text in texts if isinstance(text, str))
    return {(each[1], each[2]) for each in found if each is not None and each[1].partition(".")[0] in PACKAGES}


def lost(known: Mapping[str, Module]) -> list[str]:
    """The homes in which there is nothing of that name."""
    wanted = {(user, home, name) for user, module in known.items() for home, name in homes(module)}
    return sorted(
        f"{user}: {home}:{name}"
        for user, home, name in wanted
        if home not in known or name not in _defined(known[home])
    )


def _defined(module: Module) -> set[str]:
    """The functions and classes of a module, and what it has made with a name."""
    found: set[str] = set()
    for node in module.tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those under `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _running(child)


def _targets(node: ast.AST, module: Module, known: Mapping[str, Module]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in known)
    elif isinstance(node, ast.ImportFrom):
        base = _base(node, module)
        inside = (f"{base}.{alias.name}" for alias in node.names)
        yield from (name for name in (full if full in known else base for full in inside) if name in known)


def _base(node: ast.ImportFrom, module: Module) -> str:
    parts = module.package.split(".")
    above = parts[: len(parts) - node.level + 1] if node.level else []
    return ".".join([*above, *([node.module] if node.module else [])])


def arrows(known: Mapping[str, Module]) -> dict[str, set[str]]:
    """What each module imports."""
    return {name: imports(module, known) for name, module in known.items()}


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """The groups of modules that import each other, directly or not; sorted."""
    below = {name: _reached(name, graph) for name in graph}
    groups = {tuple(sorted(other for other in below[name] if name in below[other])) for name in graph}
    return sorted(list(group) for group in groups if group)


def _reached(name: str, graph: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        new = graph[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def room(name: str) -> str:
    """The room of a module: in the library its file or folder there, elsewhere the package."""
    package, _, inside = name.partition(".")
    return f"{package}.{inside.partition('.')[0]}".rstrip(".") if package == "draincheck" else package


def upward(graph: Mapping[str, set[str]], floors: list[list[str]]) -> list[str]:
    """The arrows that do not lead from a room to a lower floor, and the rooms that stand on none."""
    floor = {name: number for number, names in enumerate(floors) for name in names}
    homeless = sorted({room(name) for name in graph} - set(floor))
    pairs = ((one, other) for one in graph for other in graph[one] if room(one) != room(other))
    wrong = (f"{a} -> {b}" for a, b in pairs if floor.get(room(a), 0) >= floor.get(room(b), len(floors)))
    return [*(f"{name} is on no floor" for name in homeless), *sorted(wrong)]
