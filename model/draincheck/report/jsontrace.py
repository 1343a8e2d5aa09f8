"""Traces as JSON, to be kept, sent and run again: the format `check-invariants/trace`, see `trace.schema.json` here.

What decides is the start and the actions; what else a file holds is there for people and for tools that do not have
the model. Reading checks all of it by hand, so that a damaged file gives one clear message and no schema library is
needed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import NoReturn, TypeAlias, cast

from msgspec import Struct

from draincheck.errors import ModelError, TraceError
from draincheck.report.calls import CallEvent, events_of
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
    "read_trace",
    "trace_file",
    "trace_from_json",
    "trace_to_json",
    "write_trace",
]

FORMAT = "check-invariants/trace"
#: goes up whenever a reader of the version before could misunderstand a file
VERSION = 1
#: the schema of what is written, JSON Schema 2020-12
SCHEMA = Path(__file__).with_name("trace.schema.json")


class TraceFile(Struct, frozen=True):
    """What a trace file says: the trace, how to build its model, and its verdict; None for what it does not say."""

    trace: Trace
    source: Source | None = None
    verdict: Outcome | None = None


# -- writing ---------------------------------------------------------------------------------------


def write_trace(run: Run, *, source: Source | None = None, verdict: Outcome | None = None) -> str:
    """The text of a trace file; the same trace always gives the same text."""
    data = trace_to_json(run, source=source, verdict=verdict)
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def trace_to_json(run: Run, *, source: Source | None = None, verdict: Outcome | None = None) -> dict[str, object]:
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
        "initial": system.decoded(trace.initial),
        "loop": trace.loop,
        "steps": [_step_json(system, step, by_step.get(n, [])) for n, step in enumerate(run.steps, 1)],
    }


def _plain(source: Source) -> dict[str, object]:
    return {key: value if isinstance(value, str) else dict(value) for key, value in source.items()}


def _variable_json(variable: Variable) -> dict[str, object]:
    return {"name": variable.name, "sort": _sort_json(variable.sort), "internal": variable.internal}


def _sort_json(sort: Sort) -> object:
    if isinstance(sort, EnumSort):
        return {"enum": list(sort.names)}
    return "bool" if sort is BOOL else {"int": [sort.low, sort.high]}


def _step_json(system: TransitionSystem, step: Step, events: Iterable[CallEvent]) -> dict[str, object]:
    old, new = system.decoded(step.before), system.decoded(step.after)
    return {
        "action": step.action,
        "process": system.actions[step.action].process,
        "parts": [_part_json(event) for event in events],
        "changes": {name: [old[name], new[name]] for name in old if old[name] != new[name]},
        "broken": list(step.broken),
    }


def _part_json(event: CallEvent) -> dict[str, object]:
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
    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8-sig")
        data: object = json.loads(decoded, object_pairs_hook=_no_key_twice)
        # Half a character (a lone surrogate) can be written in JSON, but could never be printed.
        json.dumps(data, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise TraceError(f"{place}: not JSON, or cut off ({error.msg}); export the trace again") from error
    except UnicodeDecodeError as error:
        raise TraceError(f"byte {error.start}: not UTF-8 text; export the trace again") from error
    except (ValueError, RecursionError) as error:
        raise TraceError(f"not JSON that can be read ({error}); export the trace again") from error
    return trace_file(data)


def trace_from_json(data: object) -> Trace:
    """The trace in JSON values, as `trace_to_json` makes them. Raises TraceError, with the place, for anything else."""
    return trace_file(data).trace


def trace_file(data: object) -> TraceFile:
    """All that JSON values say about a trace. Raises TraceError, with the place, for anything that is not one."""
    _check_kind(data)
    _FILE(data, "trace")
    record = cast("dict[str, object]", data)
    variables = cast("list[dict[str, object]]", record["variables"])
    steps = cast("list[dict[str, int]]", record["steps"])
    verdict = record["verdict"]
    trace = Trace(
        system=cast(str, record["model"]),
        digest=cast(str, record["digest"]),
        property=cast(str, record["property"]),
        initial=_initial(variables, cast("dict[str, Value]", record["initial"])),
        actions=tuple(step["action"] for step in steps),
        loop=cast("int | None", record["loop"]),
    )
    return TraceFile(trace, cast("Source | None", record.get("source")), None if verdict is None else Outcome(verdict))


def _no_key_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return found


def _check_kind(data: object) -> None:
    """Say first what a file of another kind or of another version is."""
    if not isinstance(data, dict) or "format" not in data:
        raise TraceError(f"no trace of check-invariants: it does not name its format; wanted is {FORMAT!r}")
    record = cast("dict[str, object]", data)
    if record["format"] != FORMAT:
        raise TraceError(
            f"no trace of check-invariants: its format is {_shown(record['format'])}; wanted is {FORMAT!r}"
        )
    version = record.get("version")
    if type(version) is not int or version != VERSION:
        raise TraceError(f"the trace has version {_shown(version)}, read here is version {VERSION}; export it again")


def _initial(variables: list[dict[str, object]], values: dict[str, Value]) -> State:
    """The stored first state. Names must match, and values must be of their sorts."""
    names = [cast(str, variable["name"]) for variable in variables]
    for name in names:
        if names.count(name) > 1:
            _refuse("trace.variables", f"{name!r} stands there twice")
        if name not in values:
            _refuse("trace.initial", f"no value for the variable {name!r}")
    for name in values:
        if name not in names:
            _refuse("trace.initial", f"{name!r} is not among the variables")
    return tuple(_stored(variable, values[name]) for variable, name in zip(variables, names, strict=True))


def _stored(variable: dict[str, object], value: Value) -> int:
    try:
        return _sort(variable["sort"]).encode(value)
    except ModelError as error:
        _refuse(f"trace.initial.{variable['name']}", str(error))


def _sort(data: object) -> Sort:
    if data == "bool":
        return BOOL
    record = cast("dict[str, list[object]]", data)
    if "enum" in record:
        return EnumSort.of(cast("list[str]", record["enum"]))
    low, high = cast("list[int]", record["int"])
    return IntSort(low, high)


# -- the schema again, as functions: each raises TraceError unless the value has its shape ---------

_Shape: TypeAlias = Callable[[object, str], None]


def _refuse(where: str, cause: str) -> NoReturn:
    raise TraceError(f"{where}: {cause}; export the trace again")


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= 40 else text[:37] + "..."


def _wanted(words: str, test: Callable[[object], bool]) -> _Shape:
    def shape(value: object, where: str) -> None:
        if not test(value):
            _refuse(where, f"expected {words}, not {_shown(value)}")

    return shape


def _list_of(item: _Shape) -> _Shape:
    def shape(value: object, where: str) -> None:
        _LIST(value, where)
        for index, element in enumerate(cast("list[object]", value)):
            item(element, f"{where}[{index}]")

    return shape


def _map_of(item: _Shape) -> _Shape:
    def shape(value: object, where: str) -> None:
        _OBJECT(value, where)
        for key, element in cast("dict[str, object]", value).items():
            item(element, f"{where}.{key}")

    return shape


def _record(fields: Mapping[str, _Shape], optional: Mapping[str, _Shape] | None = None) -> _Shape:
    known = {**fields, **(optional or {})}

    def shape(value: object, where: str) -> None:
        _OBJECT(value, where)
        record = cast("dict[str, object]", value)
        for key in fields:
            if key not in record:
                _refuse(where, f"{key!r} is missing")
        for key, element in record.items():
            if key not in known:
                _refuse(where, f"unknown key {key!r}; known are {', '.join(known)}")
            known[key](element, f"{where}.{key}")

    return shape


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")


def _is_verdict(value: object) -> bool:
    return value is None or value in [outcome.value for outcome in Outcome]


def _is_value(value: object) -> bool:
    return isinstance(value, (bool, int, str))


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(cast("list[object]", value)) == 2


def _is_sort(value: object) -> bool:
    if not isinstance(value, dict):
        return value == "bool"
    kinds = list(cast("dict[str, object]", value).items())
    if len(kinds) != 1 or not isinstance(kinds[0][1], list):
        return False
    kind, items = kinds[0][0], cast("list[object]", kinds[0][1])
    return (kind == "int" and _are_ends(items)) or (kind == "enum" and _are_names(items))


def _are_ends(items: list[object]) -> bool:
    return len(items) == 2 and all(type(end) is int for end in items)


def _are_names(names: list[object]) -> bool:
    return bool(names) and all(isinstance(name, str) for name in names) and len(set(names)) == len(names)


def _pair_of_values(value: object, where: str) -> None:
    _wanted("the old and the new value", _is_pair)(value, where)
    _list_of(_VALUE)(value, where)


def _source(value: object, where: str) -> None:
    (_TEXT if isinstance(value, str) else _map_of(_VALUE))(value, where)


_LIST = _wanted("a list", lambda value: isinstance(value, list))
_OBJECT = _wanted("an object", lambda value: isinstance(value, dict))
_TEXT = _wanted("a string", lambda value: isinstance(value, str))
_TRUTH = _wanted("true or false", lambda value: isinstance(value, bool))
_COUNT = _wanted("an integer from 0", _is_count)
_VALUE = _wanted("a value (a truth value, an integer or a name)", _is_value)
_PART = _record(
    {
        "label": _TEXT,
        "frames": _list_of(_TEXT),
        "stack": _list_of(_TEXT),
        "mark": _TEXT,
        "file": _TEXT,
        "line": _COUNT,
        "enters": _TEXT,
    }
)
_STEP = _record(
    {
        "action": _COUNT,
        "process": _TEXT,
        "parts": _list_of(_PART),
        "changes": _map_of(_pair_of_values),
        "broken": _list_of(_TEXT),
    }
)
_VARIABLE = _record(
    {
        "name": _TEXT,
        "sort": _wanted('"bool", {"int": [low, high]} or {"enum": [distinct names]}', _is_sort),
        "internal": _TRUTH,
    }
)
_FILE = _record(
    {
        "format": _TEXT,
        "version": _COUNT,
        "model": _TEXT,
        "digest": _wanted("64 hexadecimal digits", _is_digest),
        "property": _TEXT,
        "verdict": _wanted("holds, violated, unknown or null", _is_verdict),
        "variables": _list_of(_VARIABLE),
        "initial": _map_of(_VALUE),
        "loop": _wanted("an integer from 0, or null", lambda value: value is None or _is_count(value)),
        "steps": _list_of(_STEP),
    },
    optional={"source": _map_of(_source)},
)
