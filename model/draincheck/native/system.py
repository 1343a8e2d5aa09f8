"""The native code of one system: its search loop and conditions, and the kernel that drives them."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from draincheck.errors import ModelError
from draincheck.exploration.loop import Loop
from draincheck.expr import BoolExpr
from draincheck.native import parts
from draincheck.native.code import Code, loaded
from draincheck.native.expand import condition_in, condition_text, conditions_in, expand_text
from draincheck.native.kernel_text import kernel_functions
from draincheck.native.width import refusal, words_of

__all__ = ["NativeLoop"]

#: how hard LLVM tries: little where it is asked for every model, whose code waits for memory in any case
MODEL, KERNEL = 0, 1


class NativeLoop:
    """A search loop as machine code.

    Attributes:
        words: those of a state.
        kernel: the functions of `kernel`.
        expand: where the function is that takes all actions of a state.
    """

    def __init__(self, loop: Loop, announced: Sequence[BoolExpr]) -> None:
        """Compile a loop, whose announced conditions are these. Raises ModelError for one that is refused, ImportError without llvmlite."""
        if why := refusal(loop):
            raise ModelError(f"not searched natively: {why}")
        self._loop, self._bits = loop, loop.layout.width
        self.words = words_of(self._bits)
        self.kernel = _kernel(self.words)
        code = loaded(f"{self._bits}\0{loop.source}", self._text, MODEL)
        self._code = [code]
        self.expand = code.address("expand")
        self._conditions = {asked: code.address(f"condition{n}") for n, asked in enumerate(announced)}

    def _text(self) -> str:
        tree = ast.parse(self._loop.source)
        conditions = enumerate(conditions_in(tree))
        texts = [condition_text(f"condition{n}", each, self._bits) for n, each in conditions]
        return "\n\n".join([expand_text(tree, self._bits), *texts])

    def holds(self, condition: BoolExpr) -> int:
        """Where the function is that says whether a condition holds."""
        found = self._conditions.get(condition)
        if found is None:
            text = self._loop.predicate(condition)
            code = loaded(f"{self._bits}\0{text}", lambda: self._condition_text(text), MODEL)
            self._code.append(code)
            found = self._conditions[condition] = code.address("condition")
        return found

    def _condition_text(self, text: str) -> str:
        return condition_text("condition", condition_in(ast.parse(text, mode="eval").body), self._bits)


@cache
def _kernel(words: int) -> Code:
    """The kernel for states of some words; several threads work together on those of one."""
    room = Path(parts.__file__).parent
    names = ["kernel.py", "kernel_together.py"][: 2 if words == 1 else 1]
    sources = [(room / name).read_text(encoding="utf-8") for name in names]
    return loaded(f"kernel {words}", lambda: _kernel_text(sources, words), KERNEL)


def _kernel_text(sources: Sequence[str], words: int) -> str:
    numbers = {name: value for name, value in vars(parts).items() if name.isupper() and isinstance(value, int)}
    constants = {**numbers, "SLOTS": parts.slots(words)}
    return "\n\n".join([parts.parts_text(words), kernel_functions(sources, words, constants, parts.PARTS)])
