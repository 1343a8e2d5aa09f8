"""Variants of a model: the same function with other parameters, each with what is expected of it, beside the function itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias, TypeVar, cast

from msgspec import Struct

from draincheck.errors import SourceLine
from draincheck.location import caller_line, slip, want_name, written

__all__ = ["EXPECTED", "Expected", "Variant", "said", "variant", "variants_of"]

#: what can be expected of a property
Expected: TypeAlias = Literal["holds", "violated", "never asked"]
EXPECTED: tuple[Expected, ...] = ("holds", "violated", "never asked")

#: where a function keeps its variants
_PLACE = "__draincheck_variants__"

#: every variant that was said, in order: who runs a file can see which of them no function has any more
said: list[Variant] = []

F = TypeVar("F", bound=Callable[..., object])


class Variant(Struct, frozen=True, eq=False):
    """A variant: its name, the parameters it gives, what is expected of properties by name, and the line that says so."""

    name: str
    parameters: Mapping[str, object]
    expect: Mapping[str, Expected]
    line: SourceLine

    def expected(self, property_name: str) -> Expected:
        """The verdict that is expected of a property: that it holds, unless something else is said."""
        return self.expect.get(property_name, "holds")


def variant(name: str, /, *, expect: Mapping[str, Expected] | None = None, **parameters: Any) -> Callable[[F], F]:
    """Say that a function makes such a variant, and what comes of it: `@variant("bug", recheck=False, expect={"served": "violated"})`.

    `expect` names verdicts ("holds", "violated", "never asked") by property; what it does not name is expected to hold. All other keywords
    are the function's parameters. Raises ModelError for a name or an expectation that is none; parameters are looked at when the variant is
    made.
    """
    made = Variant(want_name(name, "the name of a variant"), parameters, _checked(expect), caller_line())
    said.append(made)

    def decorate(function: F) -> F:
        before = variants_of(function)
        if any(other.name == name for other in before):
            raise slip(f"there is a variant {name!r} already")
        setattr(function, _PLACE, (made, *before))  # decorators are applied from below
        return function

    return decorate


def _checked(expect: object) -> Mapping[str, Expected]:
    """What is expected; raises ModelError for anything but verdicts by property."""
    if expect is None:
        return {}
    if not isinstance(expect, Mapping):
        raise slip(
            f'expect is a table of verdicts by property, such as {{"no deadlock": "violated"}}, not {written(expect)}'
        )
    items = cast(Mapping[object, object], expect).items()
    for property_name, outcome in items:
        want_name(property_name, "a property that something is expected of")
        if outcome not in EXPECTED:
            raise slip(
                f"expected of a property is 'holds', 'violated' or 'never asked', not {outcome!r} (of {property_name!r})"
            )
    return dict(cast(Mapping[str, Expected], expect))


def variants_of(function: object) -> tuple[Variant, ...]:
    """The variants of a function (or of what wraps one), in the order in which they are written."""
    found: object = getattr(function, "__dict__", {}).get(_PLACE, ())
    return cast(tuple[Variant, ...], found) if isinstance(found, tuple) else ()
