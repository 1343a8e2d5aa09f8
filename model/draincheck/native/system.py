"""The native code of one system: its search loop and conditions, and the kernel that drives them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path

from draincheck.errors import ModelError
from draincheck.exploration.loop import Loop
from draincheck.expr import BoolExpr
from draincheck.native import parts
from draincheck.native.code import Code, loaded
from draincheck.native.expand import condition_in, condition_text, conditions_in, expand_text, listed_text
from draincheck.native.kernel_text import kernel_functions
from draincheck.native.width import refusal, words_of

__all__ = ["NativeLoop"]

#: how hard LLVM tries: little where it is asked for every model, whose code waits for memory in any case
MODEL, KERNEL = 0, 1

#: how hard where there is much to search: steps take three quarters of their time then, and the text three times as long, which is a
#: fifth of a second for the longest that is compiled so (characters)
TUNED, SHORT = 1, 100_000

#: the files that a kernel is made of
KERNELS: Mapping[str, Sequence[str]] = {
    "search": ("kernel.py", "kernel_reach.py", "kernel_together.py"),
    "walks": ("kernel_walks.py",),
    "graph": ("kernel.py", "kernel_graph.py", "kernel_fair.py"),
}


class NativeLoop:
    """A search loop as machine code.

    Attributes:
        words: those of a state.
        kernel: the functions of a kernel.
    """

    def __init__(self, loop: Loop, announced: Sequence[BoolExpr], kernel: str = "search") -> None:
        """Compile a loop, whose announced conditions are these, for one of `KERNELS`.

        Raises ModelError for a loop that is refused, ImportError without llvmlite.
        """
        if why := refusal(loop):
            raise ModelError(f"not searched natively: {why}")
        self._loop, self._bits, self._announced = loop, loop.layout.width, announced
        self.words = words_of(self._bits)
        self.kernel = _kernel(self.words, kernel)
        self._code: list[Code] = []
        self._conditions: dict[BoolExpr, int] = {}

    def other(self, kernel: str) -> Code:
        """The functions of another kernel."""
        return _kernel(self.words, kernel)

    @cached_property
    def expand(self) -> int:
        """Where the function is that takes all actions of a state."""
        return self._compiled("expand", expand_text)

    @cached_property
    def listed(self) -> int:
        """Where the function is that takes them one by one."""
        return self._compiled("listed", listed_text)

    @cached_property
    def tuned(self) -> int:
        """Where a faster `expand` is; the same, if the text is too long for that."""
        if len(self._loop.source) > SHORT:
            return self.expand
        return self._compiled("expand", expand_text, TUNED)

    def _compiled(self, name: str, write: Callable[[ast.Module, int], str], level: int = MODEL) -> int:
        """Compile a function of the loop, and with the first of them the conditions that were announced."""
        first = not self._code
        key = f"{name}\0{first}\0{self._bits}\0{self._loop.source}"
        code = loaded(key, lambda: self._text(write, first), level)
        self._code.append(code)
        if first:
            self._conditions |= {asked: code.address(f"condition{n}") for n, asked in enumerate(self._announced)}
        return code.address(name)

    def _text(self, write: Callable[[ast.Module, int], str], first: bool) -> str:
        tree = ast.parse(self._loop.source)
        conditions = enumerate(conditions_in(tree) if first else ())
        texts = [condition_text(f"condition{n}", each, self._bits) for n, each in conditions]
        return "\n\n".join([write(tree, self._bits), *texts])

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
def _kernel(words: int, name: str) -> Code:
    """A kernel for states of some words."""
    room = Path(parts.__file__).parent
    sources = [(room / file).read_text(encoding="utf-8") for file in KERNELS[name]]
    return loaded(f"kernel {name} {words}", lambda: _kernel_text(sources, words), KERNEL)


def _kernel_text(sources: Sequence[str], words: int) -> str:
    numbers = {name: value for name, value in vars(parts).items() if name.isupper() and isinstance(value, int)}
    constants = {**numbers, "SLOTS": parts.slots(words), "KEY": parts.key_of(words)}
    return "\n\n".join([parts.parts_text(words), kernel_functions(sources, words, constants, parts.PARTS)])
