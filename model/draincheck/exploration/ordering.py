"""Components of packed states brought into ascending order: a sorting network as the text of one term.

A component is a run of bits, and its value a number; two that are in the wrong order change places. Networks are Batcher's: which places are compared
does not depend on the values, so machine code does it without a branch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from draincheck.errors import ModelError
from draincheck.exploration.layout import Layout
from draincheck.system import Variable

__all__ = ["network", "ordering"]

#: components of a group
Components = Sequence[Sequence[Variable]]


def ordering(layout: Layout, groups: Sequence[Components]) -> str:
    """The text of a function that says for some states what they are with the components of each group in order, one group after the other.

    Raises ModelError for components whose variables do not stand side by side.
    """
    text = _Text()
    for group in groups:
        text.put_in_order(layout, group)
    return f"def in_order(states):\n return [{text.term} for s in states]\n"


def network(size: int) -> Iterator[tuple[int, int]]:
    """The places that are compared, one pair after the other, to sort so many values."""
    width = 1
    while width < size:
        step = width
        while step:
            for start in range(step % width, size - step, 2 * step):
                for place in range(start, min(start + step, size - step)):
                    if place // (2 * width) == (place + step) // (2 * width):
                        yield place, place + step
            step //= 2
        width *= 2


class _Text:
    """A term in the making: values that have names, each computed from those before."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._state = "s"

    @property
    def term(self) -> str:
        """The whole."""
        return f"({', '.join([*self._parts, self._state])})[-1]"

    def put_in_order(self, layout: Layout, group: Components) -> None:
        """Sort the components of a group."""
        masks = [layout.mask(component) for component in group]
        offsets = [(mask & -mask).bit_length() - 1 for mask in masks]
        ones = masks[0] >> offsets[0] if masks[0] else 0
        if ones & (ones + 1) or any(mask != ones << offset for mask, offset in zip(masks, offsets, strict=True)):
            raise ModelError("the variables of interchangeable components do not stand side by side")
        if not ones:
            return
        values = [self._named(f"{self._state} >> {offset} & {ones}") for offset in offsets]
        for first, second in network(len(values)):
            a, b = values[first], values[second]
            values[first], values[second] = self._named(f"{a} if {a} < {b} else {b}"), self._named(f"{b} if {a} < {b} else {a}")  # fmt: skip
        keep = layout.everything & ~sum(masks)
        # the first component stands highest: the least one goes there
        placed = [f"({value} << {offset})" for value, offset in zip(values, offsets, strict=True)]
        self._state = self._named(" | ".join([f"{self._state} & {keep}", *placed]))

    def _named(self, text: str) -> str:
        name = f"t{len(self._parts)}"
        self._parts.append(f"({name} := {text})")
        return name
