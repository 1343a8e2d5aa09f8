"""Traces as JSON, to be kept, sent and run again: the format `check-invariants/trace`, see `trace.schema.json` here.

What decides is the start and the actions; what else a file holds is there for people and for tools that do not have
the model. Reading checks all of it by hand, so that a damaged file gives one clear message and no schema library is
needed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import NoReturn, TypeAlias, TypeVar

from msgspec import Struct

from draincheck.analysis.accident import Accident, accident
from draincheck.analysis.waiting import Comes, Moves
from draincheck.errors import ModelError, TraceError
from draincheck.jsonvalue import Json
from draincheck.report.calls import CallEvent, events_of
from draincheck.report.waiting import waiting_of
from draincheck.run import Run, Step, Trace
from draincheck.sorts import BOOL, EnumSort, IntSort, Sort, Value
from draincheck.subject import Source
from draincheck.system import State, TransitionSystem, Variable
from draincheck.verdict import Outcome

__all__ = [
    "FORMAT",
    "SCHEMA",
    "VERSION",
    "TraceFile",
    "accident_json",
    "document_of",
    "read_trace",
    "sort_json",
    "trace_file",
    "trace_to_json",
    "write_trace",
]

FORMAT = "check-invariants/trace"
#: goes up whenever a reader of the version before could misunderstand a file
VERSION = 1
#: the schema of what is written, JSON Schema 2020-12
SCHEMA = Path(__file__).with_name("trace.schema.json")
#: halves of characters (lone surrogates), which UTF-8 lacks and JSON has
HALVES = re.compile("[\ud800-\udfff]")


class TraceFile(Struct, frozen=True):
    """What a trace file says: the trace, how to build its model, and its verdict; None for what it does not say."""

    trace: Trace
    source: Source | None = None
    verdict: Outcome | None = None


# -- writing ---------------------------------------------------------------------------------------


def write_trace(run: Run, *, source: Source | None = None, verdict: Outcome | None = None) -> str:
    """The text of a trace file; the same trace always gives the same text."""
    data = trace_to_json(run, source=source, verdict=verdict)
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    return HALVES.sub(lambda half: f"\\u{ord(half.group()):x}", text)


def trace_to_json(run: Run, *, source: Source | None = None, verdict: Outcome | None = None) -> dict[str, Json]:
    """A run as JSON values."""
    system, trace = run.system, run.trace
    by_step = {number: list(group) for number, group in groupby(events_of(run), lambda event: event.step)}
    return {
        "format": FORMAT,
        "version": VERSION,
        "model": trace.system,
        "digest": trace.digest,
        **({} if source is None else {"source": _plain(source)}),
        "property": trace.property,
        "verdict": None if verdict is None else verdict.value,
        "variables": [_variable_json(variable) for variable in system.variables],
        "initial": {**system.decoded(trace.initial)},
        "loop": trace.loop,
        "steps": [_step_json(system, step, by_step.get(n, [])) for n, step in enumerate(run.steps, 1)],
        **({} if (waiting := waiting_of(run)) is None else {"waiting": waiting}),
        **({} if (error := _error_json(run)) is None else {"error": error}),
    }


def _error_json(run: Run) -> dict[str, Json] | None:
    """The step that cannot be taken at the end, for a trace that shows a fault."""
    end = accident(run)
    return None if end is None else accident_json(end)


def accident_json(end: Accident) -> dict[str, Json]:
    """The step that a run ends at, and what is wrong with it."""
    return {
        "kind": end.kind.value,
        "action": end.action,
        "process": end.process,
        "label": end.label,
        "message": end.message,
        "told": end.told,
        "file": end.line.file,
        "line": end.line.line,
    }


def _plain(source: Source) -> dict[str, Json]:
    return {key: value if isinstance(value, str) else dict(value) for key, value in source.items()}


def _variable_json(variable: Variable) -> dict[str, Json]:
    return {"name": variable.name, "sort": sort_json(variable.sort), "internal": variable.internal}


def sort_json(sort: Sort) -> Json:
    """A sort as trace files write it."""
    if isinstance(sort, EnumSort):
        return {"enum": list(sort.names)}
    return "bool" if sort is BOOL else {"int": [sort.low, sort.high]}


def _step_json(system: TransitionSystem, step: Step, events: Iterable[CallEvent]) -> dict[str, Json]:
    old, new = system.decoded(step.before), system.decoded(step.after)
    return {
        "action": step.action,
        "process": system.actions[step.action].process,
        "parts": [_part_json(event) for event in events],
        "changes": {name: [old[name], new[name]] for name in old if old[name] != new[name]},
        "broken": list(step.broken),
    }


def _part_json(event: CallEvent) -> dict[str, Json]:
    part = event.part
    return {
        "label": part.label,
        "frames": list(map(str, part.frames)),
        "stack": [str(call) for call in event.stack],
        "mark": part.mark,
        "file": part.line.file,
        "line": part.line.line,
        "enters": part.enters,
    }


# -- reading ---------------------------------------------------------------------------------------


def read_trace(text: str | bytes) -> TraceFile:
    """Read the text of a trace file. Raises TraceError, with the place, for anything but a whole and sound one."""
    return trace_file(document_of(text))


def document_of(text: str | bytes) -> Json:
    """The JSON values that a text stands for. Raises TraceError, with the place, for a text that is not JSON."""
    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8-sig")
        data: Json = json.loads(decoded, object_pairs_hook=_no_key_twice)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise TraceError(f"{place}: not JSON, or cut off ({error.msg}); export the trace again") from error
    except UnicodeDecodeError as error:
        raise TraceError(f"byte {error.start}: not UTF-8 text; export the trace again") from error
    except (ValueError, RecursionError) as error:
        raise TraceError(f"not JSON that can be read ({error}); export the trace again") from error
    return data


def trace_file(data: Json) -> TraceFile:
    """All that JSON values say about a trace. Raises TraceError, with the place, for anything that is not one."""
    _check_kind(data)
    return _FILE(data, "trace")


def _no_key_twice(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return found


def _check_kind(data: Json) -> None:
    """Say first what a file of another kind or of another version is."""
    if not isinstance(data, dict) or "format" not in data:
        raise TraceError(f"no trace of check-invariants: it does not name its format; wanted is {FORMAT!r}")
    if data["format"] != FORMAT:
        raise TraceError(f"no trace of check-invariants: its format is {_shown(data['format'])}; wanted is {FORMAT!r}")
    version = data.get("version")
    if type(version) is not int or version != VERSION:
        raise TraceError(f"the trace has version {_shown(version)}, read here is version {VERSION}; export it again")


class _Variable(Struct, frozen=True):
    """A variable as a file has it."""

    name: str
    sort: Sort
    internal: bool


def _file(
    *,
    model: str,
    digest: str,
    property: str,
    verdict: Outcome | None,
    variables: Sequence[_Variable],
    initial: Mapping[str, Value],
    loop: int | None,
    steps: Sequence[int],
    source: Source | None = None,
    **_: object,
) -> TraceFile:
    """What the fields of a file say together."""
    trace = Trace(model, digest, property, _initial(variables, initial), tuple(steps), loop)
    return TraceFile(trace, source, verdict)


def _initial(variables: Sequence[_Variable], values: Mapping[str, Value]) -> State:
    """The stored first state. Names must match, and values must be of their sorts."""
    names = [variable.name for variable in variables]
    for name in names:
        if names.count(name) > 1:
            _refuse("trace.variables", f"{name!r} stands there twice")
        if name not in values:
            _refuse("trace.initial", f"no value for the variable {name!r}")
    for name in values:
        if name not in names:
            _refuse("trace.initial", f"{name!r} is not among the variables")
    return tuple(_stored(variable, values[variable.name]) for variable in variables)


def _stored(variable: _Variable, value: Value) -> int:
    try:
        return variable.sort.encode(value)
    except ModelError as error:
        _refuse(f"trace.initial.{variable.name}", str(error))


def _action(action: int, **_: object) -> int:
    """What counts of a step: all else follows from it."""
    return action


# -- the schema again, as functions: each gives what a value stands for, or raises TraceError with the place ----

T = TypeVar("T")

_Shape: TypeAlias = Callable[[Json, str], T]


def _refuse(where: str, cause: str) -> NoReturn:
    raise TraceError(f"{where}: {cause}; export the trace again")


def _unlike(words: str, value: Json, where: str) -> NoReturn:
    _refuse(where, f"expected {words}, not {_shown(value)}")


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= 40 else text[:37] + "..."


def _list_of(item: _Shape[T]) -> _Shape[list[T]]:
    def shape(value: Json, where: str) -> list[T]:
        found = value if isinstance(value, list) else _unlike("a list", value, where)
        return [item(element, f"{where}[{index}]") for index, element in enumerate(found)]

    return shape


def _object(value: Json, where: str) -> dict[str, Json]:
    return value if isinstance(value, dict) else _unlike("an object", value, where)


def _map_of(item: _Shape[T]) -> _Shape[dict[str, T]]:
    def shape(value: Json, where: str) -> dict[str, T]:
        return {key: item(element, f"{where}.{key}") for key, element in _object(value, where).items()}

    return shape


def _record(
    make: Callable[..., T], fields: Mapping[str, _Shape[object]], optional: Mapping[str, _Shape[object]] | None = None
) -> _Shape[T]:
    """Objects with these fields, which become the arguments of a function."""
    known = {**fields, **(optional or {})}

    def shape(value: Json, where: str) -> T:
        record = _object(value, where)
        for key in fields:
            if key not in record:
                _refuse(where, f"{key!r} is missing")
        for key in record:
            if key not in known:
                _refuse(where, f"unknown key {key!r}; known are {', '.join(known)}")
        return make(**{key: known[key](element, f"{where}.{key}") for key, element in record.items()})

    return shape


def _text(value: Json, where: str) -> str:
    return value if isinstance(value, str) else _unlike("a string", value, where)


def _truth(value: Json, where: str) -> bool:
    return value if isinstance(value, bool) else _unlike("true or false", value, where)


def _count(value: Json, where: str, words: str = "an integer from 0") -> int:
    return value if type(value) is int and value >= 0 else _unlike(words, value, where)


def _loop(value: Json, where: str) -> int | None:
    return None if value is None else _count(value, where, "an integer from 0, or null")


def _digest(value: Json, where: str) -> str:
    sound = isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")
    return str(value) if sound else _unlike("64 hexadecimal digits", value, where)


def _verdict(value: Json, where: str) -> Outcome | None:
    found = next((outcome for outcome in Outcome if outcome.value == value), None)
    return found if found or value is None else _unlike("holds, violated, never asked, unknown or null", value, where)


def _value(value: Json, where: str) -> Value:
    words = "a value (a truth value, an integer or a name)"
    return value if isinstance(value, bool | int | str) else _unlike(words, value, where)


def _change(value: Json, where: str) -> list[Value]:
    if not isinstance(value, list) or len(value) != 2:
        _unlike("the old and the new value", value, where)
    return _list_of(_value)(value, where)


def _setting(value: Json, where: str) -> str | dict[str, Value]:
    return value if isinstance(value, str) else _map_of(_value)(value, where)


def _sort(value: Json, where: str) -> Sort:
    match value:
        case "bool":
            return BOOL
        case {"int": [low, high], **others} if not others and type(low) is int and type(high) is int:
            return IntSort(low, high)
        case {"enum": [_, *_] as items, **others} if not others:
            names = [item for item in items if isinstance(item, str)]
            if len(set(names)) == len(items):
                return EnumSort.of(names)
    _unlike('"bool", {"int": [low, high]} or {"enum": [distinct names]}', value, where)


def _maybe(item: _Shape[T]) -> _Shape[T | None]:
    return lambda value, where: None if value is None else item(value, where)


def _posture(value: Json, where: str) -> Json:
    words = [moves.value for moves in Moves]
    return value if value in words else _unlike(" or ".join(words), value, where)


def _comes(value: Json, where: str) -> Json:
    words = [comes.value for comes in Comes]
    return value if value in words else _unlike(" or ".join(words), value, where)


_HELPERS = _list_of(
    _record(
        dict[str, object],
        {"process": _text, "steps": _list_of(_text), "comes": _comes, "after": _maybe(_text), "sure": _truth},
    )
)
_OBSTACLE = _record(dict[str, object], {
    "condition": _text, "values": _map_of(_value), "places": _map_of(_text), "made_true_by": _HELPERS, "gone": _list_of(_text),
}, optional={"never": _truth})  # fmt: skip
_WAY = _record(dict[str, object], {
    "steps": _list_of(_text), "condition": _text, "alternately": _truth, "false": _list_of(_OBSTACLE),
})  # fmt: skip
_WAITING = _record(dict[str, object], {
    "later": _count, "path": _list_of(_text), "loop": _truth, "circle": _list_of(_text), "processes": _list_of(_record(dict[str, object], {
        "process": _text, "thread": _text, "does": _posture, "stack": _list_of(_text), "places": _list_of(_text), "file": _maybe(_text),
        "line": _maybe(_count), "steps": _list_of(_text), "errors": _list_of(_text), "promised": _maybe(_text), "may_stop": _truth,
        "inside": _maybe(_text), "ways": _list_of(_WAY), "entered_by": _HELPERS, "waits_for": _list_of(_text), "lost": _truth,
    })),
}, optional={"aborted": _maybe(_text)})  # fmt: skip
_PART = _record(dict[str, object], {
    "label": _text, "frames": _list_of(_text), "stack": _list_of(_text), "mark": _text, "file": _text, "line": _count, "enters": _text,
})  # fmt: skip
_STEP = _record(_action, {
    "action": _count, "process": _text, "parts": _list_of(_PART), "changes": _map_of(_change), "broken": _list_of(_text),
})  # fmt: skip
_ERROR = _record(dict[str, object], {
    "kind": _text, "action": _count, "process": _text, "label": _text, "message": _text, "file": _text, "line": _count,
}, optional={"told": _text})  # fmt: skip
_VARIABLE = _record(_Variable, {"name": _text, "sort": _sort, "internal": _truth})
_FILE = _record(
    _file,
    {
        "format": _text, "version": _count, "model": _text, "digest": _digest, "property": _text, "verdict": _verdict,
        "variables": _list_of(_VARIABLE), "initial": _map_of(_value), "loop": _loop, "steps": _list_of(_STEP),
    },
    optional={"source": _map_of(_setting), "waiting": _WAITING, "error": _ERROR},
)  # fmt: skip
