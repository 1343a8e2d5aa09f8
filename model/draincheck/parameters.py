"""Parameters of a function that makes a model: which it takes, by its signature and annotations, and values for them.

What can be given from outside Python (a command line, a configuration, a trace file) is a truth value, an integer, a text, one of a
`Literal` or a member of an `Enum`, by its name. Other parameters keep their defaults there.
"""

from __future__ import annotations

import inspect
import re
import types
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Literal, NoReturn, Union, get_args, get_origin, get_type_hints

from msgspec import Struct

from draincheck.errors import UnfitParameters
from draincheck.names import nearest
from draincheck.sorts import Value
from draincheck.words import listed

__all__ = ["MOST", "Parameter", "Parameters", "assigned", "called_with", "distinct", "shown", "typed"]

#: values that one parameter may be given at once, such as by 2..4
MOST = 10_000

#: how truth values may be written
_TRUTH: Mapping[str, bool] = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}


def distinct(value: Value) -> tuple[type, Value]:
    """What tells a value from others: in Python True is 1, and here `on` is not `1`."""
    return type(value), value


def typed(values: Mapping[str, Value]) -> dict[str, tuple[type, Value]]:
    """Values by name, as they are compared (`distinct`)."""
    return {name: distinct(value) for name, value in values.items()}


def shown(value: Value) -> str:
    """A value as a user writes it: `on`, `3`, `name`."""
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def assigned(values: Mapping[str, Value]) -> str:
    """Values as a user writes them: `recheck=on, cycles=2`."""
    return ", ".join(f"{name}={shown(value)}" for name, value in values.items())


class Parameter(Struct, frozen=True):
    """A parameter of a function.

    Attributes:
        name: its name.
        kind: its type as Python names it.
        domain: the values it can have, as a file would write them: all of them, or `int` or `str` for any; none if it cannot be given here.
        default: its default in words; None if it has none.
        start: the default, if that is a value of the domain.
        enum: whose members the values are names of, if they are.
    """

    name: str
    kind: str
    domain: tuple[Value, ...] | type[int] | type[str]
    default: str | None = None
    start: Value | None = None
    enum: type[Enum] | None = None

    @property
    def choices(self) -> tuple[Value, ...]:
        """All its values, if they can be listed."""
        return self.domain if isinstance(self.domain, tuple) else ()

    @property
    def takes(self) -> str:
        """What it can be given, in words."""
        if not isinstance(self.domain, tuple):
            return "an integer" if self.domain is int else "a text"
        if not self.domain:
            return self.kind
        words = [shown(value) for value in self.domain]
        return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]

    def __str__(self) -> str:
        return f"{self.name} ({self.takes}{'' if self.default is None else f'; default {self.default}'})"

    def read(self, given: Value) -> Value:
        """The value that is meant. Raises UnfitParameters for none that it can have."""
        found = self._text(given) if isinstance(given, str) and self.domain is not str else given
        if self.domain is str:
            fits = isinstance(found, str)
        elif self.domain is int:
            fits = isinstance(found, int) and not isinstance(found, bool)
        else:
            fits = found is not None and distinct(found) in map(distinct, self.choices)
        return found if fits and found is not None else self._refuse(given)

    def _text(self, text: str) -> Value | None:
        """The value that a text writes."""
        if self.domain is int:
            return int(text) if re.fullmatch(r"[+-]?[0-9]{1,4000}", text.strip()) else None
        found = next((value for value in self.choices if shown(value) == text), None)
        if found is None and self.choices == (False, True):
            return _TRUTH.get(text.strip().lower())
        return found

    def _refuse(self, given: Value) -> NoReturn:
        close = ""
        if self.choices and isinstance(given, str):
            close = str(nearest("value", given, [shown(value) for value in self.choices])).partition("; ")[2]
        hint = f"; {close}" if close.startswith("did") else ""
        if isinstance(given, str) and re.search(r"[0-9],|,[0-9]|\.\.", given):
            hint = "; several values are for a table of models, and here is one"
        raise UnfitParameters(f"{self.name} is {self.takes}, not {given!r}{hint}")

    def several(self, given: Value) -> tuple[Value, ...]:
        """The values that are meant: one, or those of a list and of ranges, as in `2,4..6`. Raises as `read`."""
        if not isinstance(given, str) or self.domain is str or self._text(given) is not None:
            return (self.read(given),)
        values = (value for part in given.split(",") for value in self._range(part.strip()))
        return tuple({distinct(value): value for value in values}.values())

    def _range(self, part: str) -> Sequence[Value]:
        ends = re.fullmatch(r"([+-]?[0-9]{1,18})\.\.([+-]?[0-9]{1,18})", part) if self.domain is int else None
        if ends is None:
            return [self.read(part)]
        low, high = int(ends[1]), int(ends[2])
        if not low <= high < low + MOST:
            why = "is empty: the smaller end comes first" if low > high else f"are more than {MOST} values"
            raise UnfitParameters(f"{self.name}: {part} {why}")
        return range(low, high + 1)

    def made(self, value: Value) -> object:
        """The value as the function gets it."""
        return value if self.enum is None else self.enum[str(value)]

    def kept(self, given: object) -> Value:
        """A value that was given in Python, as a file writes it. Raises UnfitParameters for one that no file can."""
        if self.enum is not None and isinstance(given, self.enum):
            return given.name
        if isinstance(given, bool | int | str):
            return self.read(given)
        raise UnfitParameters(f"{self.name} is {self.takes}, not {given!r}")


class Parameters(Struct, frozen=True):
    """The parameters of a function, which errors call `function`."""

    function: str
    all: tuple[Parameter, ...]

    @classmethod
    def of(cls, function: Callable[..., object], name: str) -> Parameters:
        """Those of a function. What has no signature takes nothing."""
        return cls(name, tuple(_parameters(function)))

    @property
    def takes(self) -> str:
        """What the function takes, in words."""
        here, others = ([item for item in self.all if (item.domain != ()) is can] for can in (True, False))
        takes = f"{self.function}() takes {listed(list(map(str, here))) or 'no parameters'}"
        if not others:
            return takes
        names = listed([f"{item.name} ({item.kind})" for item in others])
        return f"{takes}, and from Python alone {names}: here are set bool, int, str, Literal and Enum"

    def named(self, name: str) -> Parameter:
        """The parameter of this name. Raises UnfitParameters for one that it does not have, or that cannot be given here."""
        found = next((item for item in self.all if item.name == name), None)
        if found is None:
            near = str(nearest("parameter", name, [item.name for item in self.all])).partition("; known: ")[0]
            raise UnfitParameters(f"{near}; {self.takes}")
        if found.domain == ():
            raise UnfitParameters(f"{name} cannot be set here; {self.takes}")
        return found

    def read(self, given: Mapping[str, Value]) -> dict[str, Value]:
        """The values that are meant, in the order of the signature. Raises UnfitParameters, also if one is missing that has no default."""
        found = {name: self.named(name).read(value) for name, value in given.items()}
        self.demand_all(found)
        return {item.name: found[item.name] for item in self.all if item.name in found}

    def demand_all(self, given: Mapping[str, object]) -> None:
        """Raise UnfitParameters if one is missing that has no default."""
        missing = [item.name for item in self.all if item.default is None and item.name not in given]
        if missing:
            raise UnfitParameters(f"{self.function}() needs {listed(missing)}; {self.takes}")

    def made(self, values: Mapping[str, Value]) -> dict[str, object]:
        """Values that were read, as the function gets them."""
        return {name: self.named(name).made(value) for name, value in values.items()}


def called_with(function: Callable[..., object], values: Mapping[str, object]) -> object:
    """Call a function with values by name, those of parameters that are given by position alone included."""
    if not values:
        return function()
    signature = inspect.signature(function)
    given = ((name, values[name]) for name in signature.parameters if name in values)
    bound = inspect.BoundArguments(signature, OrderedDict(given))
    bound.apply_defaults()
    return function(*bound.args, **bound.kwargs)


def _parameters(function: Callable[..., object]) -> Iterator[Parameter]:
    try:
        found = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return
    for item in found.values():
        if item.kind not in (item.VAR_POSITIONAL, item.VAR_KEYWORD):
            yield _parameter(function, item)


def _parameter(function: Callable[..., object], item: inspect.Parameter) -> Parameter:
    wanted = _type_of(function, item)
    domain, enum = _domain(wanted)
    kind = "of no known type" if wanted is object else getattr(wanted, "__name__", str(wanted))
    if item.default is item.empty:
        return Parameter(item.name, kind, domain, enum=enum)
    start = item.default.name if enum is not None and isinstance(item.default, enum) else item.default
    plain = start if isinstance(start, bool | int | str) else None
    return Parameter(item.name, kind, domain, _written(start) if plain is None else shown(plain), plain, enum)


def _written(default: object) -> str:
    """A default that no file could say, as Python does; by its type, if that fails or is long."""
    try:
        text = repr(default)
    except Exception:  # it may be a class of the user's
        text = ""
    return text if 0 < len(text) <= 40 else f"some {type(default).__name__}"


def _type_of(function: Callable[..., object], item: inspect.Parameter) -> Any:
    """The annotation, `X` for `X | None`; without one, the type of the default."""
    if item.annotation is item.empty:
        default: object = item.default
        return object if default is item.empty else type(default)
    try:
        holder = type("holder", (), {"__annotations__": {"it": item.annotation}})
        found = get_type_hints(holder, globalns=getattr(function, "__globals__", {}))["it"]
    except (Exception, SystemExit):  # whatever an annotation does that only type checkers read
        return object
    if get_origin(found) in (Union, types.UnionType):
        others = [kind for kind in get_args(found) if kind is not type(None)]
        return others[0] if len(others) == 1 else found
    return found


def _domain(wanted: Any) -> tuple[tuple[Value, ...] | type[int] | type[str], type[Enum] | None]:
    """The values of a type, and the Enum that they are names of."""
    if wanted is bool:
        return (False, True), None
    if wanted is int or wanted is str:
        return wanted, None
    if get_origin(wanted) is Literal:
        return tuple(value for value in get_args(wanted) if isinstance(value, bool | int | str)), None
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return tuple(wanted.__members__), wanted
    return (), None
