"""What Python says of a misused statement of the modelling language, in the language's own words."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

from draincheck import lang
from draincheck.names import close_names

__all__ = ["in_words"]

_CLASSES = {
    base.__name__: base
    for kind in vars(lang).values()
    if isinstance(kind, type)
    for base in kind.__mro__
    if base.__module__.startswith("draincheck.")
}


def in_words(error: BaseException) -> str:
    """What was written and what to write, for a call or a name that the language does not have; "" for any other error."""
    if isinstance(error, AttributeError):
        return _unknown(error)
    if isinstance(error, TypeError):
        return _called(error) or _not_opened(str(error)) or _no_function(str(error))
    if (
        isinstance(error, KeyError)
        and error.args
        and isinstance(error.args[0], lang.EnumExpr | lang.IntExpr | lang.BoolExpr)
    ):
        return f"{error.args[0]} is a term, which no dict holds the value of: choose with ite(...) or p.when(...)"
    return ""


def _unknown(error: AttributeError) -> str:
    kind, name = type(error.obj), str(error.name)
    if isinstance(error.obj, partial) and error.obj.func.__module__.startswith("draincheck."):
        return f"a choice has no {name!r}: write 'with choice():', and inside it the statements of the process"
    if kind not in _CLASSES.values():
        return ""
    known = [name for name in dir(kind) if not name.startswith("_") and callable(getattr(kind, name))]
    others = [
        f"{other} has one" for other in ("IntVar", "EnumVar", "Coroutine", "Model") if hasattr(_CLASSES[other], name)
    ]
    return f"{error.obj} ({kind.__name__}) has no {name!r}: {others[0] if others else _near(name, known)}"


def _near(name: str, known: list[str]) -> str:
    close = close_names(name, known, 0.5)
    return f"did you mean {' or '.join(close)}?" if close else f"it has {', '.join(known)}"


#: how Python says that a call does not fit, and how this language does
_WRONG_CALLS = (
    (r"missing \d+ required (?:positional|keyword-only) arguments?: (.*)", r"\1 missing"),
    (r"got an unexpected keyword argument ('.*?').*", r"it has no \1"),
    (r"got multiple values for argument ('.*?')", r"\1 is given twice"),
    (r"got some positional-only arguments passed as keyword arguments: (.*)", r"\1 is given by position"),
    (r"takes .* positional arguments? but .* (?:was|were) given", r"too many arguments"),
)


def _called(error: TypeError) -> str:
    """A call of a function of the language that does not fit its parameters."""
    found = re.fullmatch(r"((?:\w+\.)*\w+)\(\) (.*)", str(error))
    function = found and _function(found[1], error)
    if not found or not function:
        return ""
    for python, ours in _WRONG_CALLS:
        if re.fullmatch(python, found[2]):
            return f"{re.sub(python, ours, found[2])}: write {_shape(function)}"
    return ""


def _function(qualified: str, error: TypeError) -> Callable[..., Any] | None:
    """The function of the language that Python calls so, if there is one."""
    owner, _, name = qualified.rpartition(".")
    if owner:
        return getattr(_CLASSES.get(owner), name, None)
    caller = [frame for frame, _ in traceback.walk_tb(error.__traceback__)][-1]
    found = caller.f_globals.get(name)
    return found if found in (lang.ite, lang.number, lang.variant) else None


def _shape(function: Callable[..., Any]) -> str:
    """A call of it, with its parameters by name: `wait(label, condition, mark=..., fair=...)`."""
    parameters = [p for p in inspect.signature(function).parameters.values() if p.name not in ("self", "either")]
    words = [str(p).partition(":")[0] if p.default is p.empty else f"{p.name}=..." for p in parameters]
    name = function.__qualname__.split(".")[-2 if function.__name__ == "__init__" else -1].lstrip("_")
    return f"{name}({', '.join(words)})"


def _not_opened(message: str) -> str:
    """A `with` before something that is no block."""
    if "does not support the context manager protocol" not in message:
        return ""
    what = re.match(r"'(?:[\w.]*\.)?(\w+)' object", message)
    if what and what[1] in ("method", "function"):
        return "a block is called: write () behind its name, as in 'with p.atomic():'"
    return "'with' opens processes and blocks (when, otherwise, either, loop, while_, until, atomic, call), and this is neither"


_USES = {"callable": "is called, and is no function", "subscriptable": "has no elements", "iterable": "is no series"}


def _no_function(message: str) -> str:
    """Something of the language that is used like a function or a series."""
    found = re.match(r"'(\w+)' object is not (callable|subscriptable|iterable)", message)
    if not found or found[1] not in {*_CLASSES, "Block"}:
        return ""
    return f"something of type {found[1]} {_USES[found[2]]}: " + (
        "open it by 'with'" if found[1] == "Block" else "write its name alone"
    )
