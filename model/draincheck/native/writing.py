"""LLVM assembly, line by line: values, blocks, and the whole of a function."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["FunctionText"]


class FunctionText:
    """The body of a function in the making. Variables live in memory, so that nobody has to join their values."""

    def __init__(self, head: str) -> None:
        """Begin a function; `head` is all that stands before its body."""
        self._head = head
        self._places: list[str] = []
        self._lines: list[str] = []
        self._values = self._blocks = 0

    def value(self, instruction: str) -> str:
        """Write an instruction that has a value; what that is called."""
        self._values += 1
        name = f"%v{self._values}"
        self._lines.append(f"  {name} = {instruction}")
        return name

    def do(self, instruction: str) -> None:
        """Write an instruction without a value."""
        self._lines.append(f"  {instruction}")

    def variable(self, name: str, kind: str) -> str:
        """Make room for a variable; where it is."""
        self._places.append(f"  %at.{name} = alloca {kind}, align 8")
        return f"%at.{name}"

    def blocks(self, number: int) -> Sequence[str]:
        """Names of blocks that are still to be written."""
        self._blocks += 1
        return [f"b{self._blocks}.{each}" for each in range(number)]

    def block(self, name: str, falls_through: bool = True) -> None:
        """Begin a block, where the one before goes on unless it has its own end."""
        if falls_through:
            self.do(f"br label %{name}")
        self._lines.append(f"{name}:")

    def branch(self, condition: str, then: str, otherwise: str) -> None:
        """End a block by a choice."""
        self.do(f"br i1 {condition}, label %{then}, label %{otherwise}")

    def __str__(self) -> str:
        return "\n".join([self._head + " {", "entry:", *self._places, *self._lines, "}"])
