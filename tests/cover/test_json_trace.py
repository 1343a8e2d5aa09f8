"""Trace files: what is written follows the schema, what is read is checked to the last field."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from draincheck.checking import check
from draincheck.errors import SourceLine, TraceError
from draincheck.expr import TRUE
from draincheck.jsonvalue import Json
from draincheck.properties import Assertion
from draincheck.report.jsontrace import FORMAT, SCHEMA, VERSION, read_trace, trace_file, trace_to_json, write_trace
from draincheck.run import Run, Trace, rerun
from draincheck.sorts import BOOL, EnumSort, IntSort
from draincheck.subject import Source
from draincheck.system import Action, BoolVar, Check, EnumVar, Frame, IntVar, Part, TransitionSystem
from draincheck.verdict import Outcome
from tests.support import stuck_models as stuck
from tests.support.samples import sampled

LINE = SourceLine("seed.py", 12)
OPEN = BoolVar("open", BOOL, (0,))
REQUEST = EnumVar("request", EnumSort.of(["new", "in flight", "done"]), (0,))
COUNT = IntVar("count", IntSort(-1, 3), (0, 1))
PC = IntVar("pc main", IntSort(0, 2), (0,), internal=True)

SCHEMA_DATA: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA_DATA)


def system() -> TransitionSystem:
    """Two steps: open the section, then submit a request in it, which an assertion forbids."""
    begin = (
        Part(
            "bdrv_drained_begin",
            (Frame("main_loop_wait", True), Frame("mirror_run")),
            0,
            "a",
            LINE,
            TRUE,
            ("open",),
            "guest_co",
        ),
        Part("never", (), 0, "", LINE, OPEN, ("count",)),
    )
    submit = (
        Part("blk_aio_writev", (Frame("blk_run"),), 0, "b", SourceLine("seed.py", 20), TRUE, ("request", "count")),
    )
    return TransitionSystem(
        "seed",
        (OPEN, REQUEST, COUNT, PC),
        (
            Action(0, "main", begin, PC.is_(0), (OPEN.set(), PC.set(1))),
            Action(
                1,
                "guest_co",
                submit,
                PC.is_(1),
                (REQUEST.set("in flight"), COUNT.dec(), PC.set(2)),
                (Check("drained", ~OPEN, LINE),),
            ),
        ),
        (Assertion("drained"),),
    )


def trace() -> Trace:
    """The only complete path of `system`."""
    return Trace("seed", system().digest, "drained", (0, 0, 0, 0), (0, 1))


SOURCE: Source = {
    "revision": "f3926945c8",
    "scenario": "one-write",
    "settings": {"drain": "nested", "guests": 2, "bandage": False},
}


def document() -> dict[str, Any]:
    """A full trace file as JSON values."""
    return trace_to_json(Run.of(system(), trace()), source=SOURCE, verdict=Outcome.VIOLATED)


def test_schema_is_a_schema() -> None:
    """The schema file is JSON Schema 2020-12 and names this format and version."""
    Draft202012Validator.check_schema(SCHEMA_DATA)
    assert SCHEMA_DATA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA_DATA["properties"]["format"] == {"const": FORMAT}
    assert SCHEMA_DATA["properties"]["version"] == {"const": VERSION}


@pytest.mark.parametrize("source", [None, {}, SOURCE, {"file": "my.py", "function": "build"}])
@pytest.mark.parametrize("verdict", [None, *Outcome])
def test_what_is_written_follows_the_schema(source: Source | None, verdict: Outcome | None) -> None:
    """Files with and without a source and a verdict are valid, and both come back as they were."""
    data = trace_to_json(Run.of(system(), trace()), source=source, verdict=verdict)
    VALIDATOR.validate(data)
    found = trace_file(data)
    assert (found.trace, found.source, found.verdict) == (trace(), source, verdict)


def waiting() -> list[dict[str, Any]]:
    """Files of counterexamples that say who waits for what."""
    systems = (
        make().compile()
        for make in (stuck.nested_drain, stuck.two_ways, stuck.starved_reader, stuck.place_never_reached)
    )
    found = ((system, next(iter(check(system).verdicts.values())).trace) for system in systems)
    return [trace_to_json(Run.of(system, trace)) for system, trace in found if trace is not None]


@pytest.mark.parametrize("places", sampled([12, 1], 1))
def test_who_waits_for_what_follows_the_schema(places: int) -> None:
    """Each table is valid, and is read; whatever is put in any place of one, what the schema refuses the reader refuses."""
    tables = waiting()
    assert len(tables) == 4
    for data in tables:
        VALIDATOR.validate(data)
        assert _is_read(data)
    data = tables[0]
    kinds = {
        tuple("#" if isinstance(key, int) else key for key in path): path
        for path in _places(data["waiting"], ("waiting",))
    }
    for path, value in product(list(kinds.values())[::places], STAND_INS):
        changed = _with(data, path, value)
        assert _is_read(changed) == VALIDATOR.is_valid(changed), (path, value)


def test_a_file_without_the_table_is_read() -> None:
    """It is there for people: what decides is the start and the actions."""
    data = waiting()[0]
    without = {key: value for key, value in data.items() if key != "waiting"}
    assert trace_file(without) == trace_file(data)


def _with(data: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """JSON values with one of them replaced."""
    changed = inner = copy.deepcopy(data)
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


def test_values_are_written_decoded() -> None:
    """Truth values, integers and names stand in the file, not stored numbers; internal variables are marked."""
    data = document()
    assert data["initial"] == {"open": False, "request": "new", "count": 0, "pc main": 0}
    assert [step["changes"] for step in data["steps"]] == [
        {"open": [False, True], "pc main": [0, 1]},
        {"request": ["new", "in flight"], "count": [0, -1], "pc main": [1, 2]},
    ]
    assert data["variables"] == [
        {"name": "open", "sort": "bool", "internal": False},
        {"name": "request", "sort": {"enum": ["new", "in flight", "done"]}, "internal": False},
        {"name": "count", "sort": {"int": [-1, 3]}, "internal": False},
        {"name": "pc main", "sort": {"int": [0, 2]}, "internal": True},
    ]


def test_steps_say_what_took_place_and_where() -> None:
    """A step holds its parts that took place, with calls, mark and source line, and the assertions it broke."""
    first, second = document()["steps"]
    assert (first["action"], first["process"], first["broken"]) == (0, "main", [])
    assert first["parts"] == [
        {
            "label": "bdrv_drained_begin",
            "frames": ["main_loop_wait #", "mirror_run"],
            "stack": ["main_loop_wait # 1", "mirror_run"],
            "mark": "a",
            "file": "seed.py",
            "line": 12,
            "enters": "guest_co",
        }
    ]
    assert second["parts"][0]["stack"] == ["main_loop_wait # 1", "mirror_run", "blk_run"]
    assert second["broken"] == ["drained"]


def test_step_without_visible_parts_is_written() -> None:
    """An action that has no parts is still a step of the file."""
    bare = TransitionSystem("bare", (OPEN,), (Action(0, "p", (), ~OPEN, (OPEN.set(),)),))
    data: dict[str, Any] = trace_to_json(Run.of(bare, Trace("bare", bare.digest, "", (0,), (0,))))
    VALIDATOR.validate(data)
    assert data["steps"][0]["changes"] == {"open": [False, True]}
    assert trace_file(data).trace.actions == (0,)


def test_text_comes_back_as_the_same_trace() -> None:
    """Writing and reading a file loses nothing, as text and as bytes, and the trace can be run again."""
    text = write_trace(Run.of(system(), trace()), source=SOURCE, verdict=Outcome.VIOLATED)
    assert text == write_trace(Run.of(system(), trace()), source=SOURCE, verdict=Outcome.VIOLATED)
    assert json.loads(text) == document()
    assert read_trace(text) == read_trace(text.encode()) == trace_file(document())
    assert rerun(system(), read_trace(text).trace)[-1].broken == ("drained",)


def test_text_is_fit_for_reading() -> None:
    """A file has a line for each field, shows letters beyond ASCII as they are, and ends its last line."""
    text = write_trace(Run.of(system(), trace()), source={"scenario": "größer"})
    assert '\n  "source": {\n    "scenario": "größer"\n  },\n' in text
    assert text.endswith("\n}\n")


def test_byte_order_mark_is_no_obstacle() -> None:
    """A file that an editor has put a byte order mark before is read."""
    text = write_trace(Run.of(system(), trace()))
    assert read_trace(b"\xef\xbb\xbf" + text.encode()) == read_trace(text)


def test_trace_of_another_model_is_not_written() -> None:
    """What the system cannot do never gets into a file."""
    with pytest.raises(TraceError, match="another model"):
        trace_to_json(Run.of(system(), replace(trace(), digest="0" * 64)))


def test_edited_digest_is_read_but_not_run() -> None:
    """A file cannot know the model; running the trace finds out that it belongs to another one."""
    data = document() | {"digest": "0" * 64}
    with pytest.raises(TraceError, match="belongs to another model"):
        rerun(system(), trace_file(data).trace)


# -- damaged files ----------------------------------------------------------------------------------

#: stand-ins for any value of a file; each is wrong nearly everywhere
STAND_INS: list[Any] = [
    None,
    True,
    7,
    -1,
    1.5,
    "text",
    "",
    [],
    ["text"],
    [1, 2],
    [1, 2, 3],
    {},
    {"key": "text"},
    {"int": [0]},
]


def _places(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    items: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(data, dict):
        items = iter(data.items())
    elif isinstance(data, list):
        items = iter(enumerate(data))
    for key, item in items:
        yield from _places(item, (*path, key))


def _replaced(path: tuple[str | int, ...], value: Any) -> Any:
    return _with(document(), path, value) if path else value


def _is_read(data: Json) -> bool:
    try:
        trace_file(data)
    except TraceError as error:
        assert "\n" not in str(error)
        return False
    return True


@pytest.mark.parametrize("path", list(_places(document())), ids=lambda path: ".".join(map(str, path)))
def test_reader_and_schema_refuse_the_same_values(path: tuple[str | int, ...]) -> None:
    """Whatever is put in any place of a file: what the schema refuses the reader refuses, with one message.

    The reader may refuse more: an initial value must be of its variable's sort, which a schema cannot say.
    """
    for value in STAND_INS:
        data = _replaced(path, value)
        valid = VALIDATOR.is_valid(data)
        if path[:1] in {("initial",), ("variables",)}:
            assert valid or not _is_read(data), (path, value)
        else:
            assert _is_read(data) == valid, (path, value)


def _objects() -> list[tuple[str | int, ...]]:
    return [path for path in _places(document()) if isinstance(_at(path), dict)]


def _at(path: tuple[str | int, ...]) -> Any:
    data: Any = document()
    for key in path:
        data = data[key]
    return data


@pytest.mark.parametrize("path", _objects(), ids=lambda path: ".".join(map(str, path)) or "trace")
def test_missing_and_unknown_keys_are_refused_where_the_schema_refuses_them(path: tuple[str | int, ...]) -> None:
    """Each key of each object taken away, and a key nobody knows put there."""
    inner = _at(path)
    variants = [{k: v for k, v in inner.items() if k != key} for key in inner] + [inner | {"unheard of": "text"}]
    for variant in variants:
        data = _replaced(path, variant)
        valid = VALIDATOR.is_valid(data)
        if path == ("initial",):
            assert not _is_read(data)
        else:
            assert _is_read(data) == valid, (path, variant)


def test_cut_off_file_is_refused_wherever_it_is_cut() -> None:
    """No beginning of a file is taken for a whole one, and the message says where it ends."""
    text = write_trace(Run.of(system(), trace()), source=SOURCE).rstrip("\n")
    for length in range(len(text)):
        with pytest.raises(TraceError, match=r"^line \d+ column \d+: not JSON, or cut off \(.*\); export"):
            read_trace(text[:length])
    assert read_trace(text).trace == trace()


@given(st.one_of(st.text(), st.binary()))
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    """Reading raises nothing but TraceError, whatever it is given."""
    with pytest.raises(TraceError):
        read_trace(text)


@settings(max_examples=30)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_is_read_or_refused(value: Json) -> None:
    """JSON values that are no trace are refused with TraceError, also behind a right format and version."""
    behind: Json = {"format": FORMAT, "version": VERSION, "steps": value}
    for data in (value, behind):
        with pytest.raises(TraceError):
            trace_file(data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"\xff\xfe{", "byte 0: not UTF-8 text"),
        ("[" * 100_000, "not JSON that can be read"),
        ('{"version": 1, "format": 1, "format": 2}', "the key 'format' stands twice"),
        ("1" * 5_000, "not JSON that can be read"),
        ('{"#meta": {}, "vars": [], "states": []}', f"it does not name its format; wanted is '{FORMAT}'"),
        ('{"format": "ITF"}', f"its format is \"ITF\"; wanted is '{FORMAT}'"),
        (json.dumps({"format": FORMAT}), "the trace has version null, read here is version 1"),
        (json.dumps({"format": FORMAT, "version": 2}), "the trace has version 2, read here is version 1"),
        (json.dumps({"format": FORMAT, "version": True}), "the trace has version true"),
        (json.dumps({"format": FORMAT, "version": 1}), "trace: 'model' is missing; export the trace again"),
    ],
    ids=["encoding", "nested", "twice", "number", "itf", "format", "no-version", "newer", "truth", "model"],
)
def test_file_of_another_kind_is_named_for_what_it_is(text: str | bytes, message: str) -> None:
    """The message says what is wrong with the file as a whole, and what to do."""
    with pytest.raises(TraceError) as caught:
        read_trace(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("steps", 1, "action"), "x", 'trace.steps[1].action: expected an integer from 0, not "x"'),
        (("steps", 0, "action"), True, "trace.steps[0].action: expected an integer from 0, not true"),
        (("steps", 0, "parts", 0, "mark"), None, "trace.steps[0].parts[0].mark: expected a string, not null"),
        (
            ("steps", 0, "changes", "open"),
            [1],
            "trace.steps[0].changes.open: expected the old and the new value, not [1]",
        ),
        (("digest",), "A" * 64, f'trace.digest: expected 64 hexadecimal digits, not "{"A" * 36}...'),
        (("verdict",), "passed", 'trace.verdict: expected holds, violated, never asked, unknown or null, not "passed"'),
        (("source", "settings", "guests"), [2], "trace.source.settings.guests: expected a value"),
        (("initial", "count"), 4, "trace.initial.count: 4 is not an integer from -1 to 3"),
        (("initial", "count"), True, "trace.initial.count: True is not an integer from -1 to 3"),
        (("initial", "open"), 1, "trace.initial.open: 1 is not a truth value"),
        (("initial", "request"), "lost", "trace.initial.request: 'lost' is not one of new, in flight, done"),
        (("initial", "other"), 0, "trace.initial: 'other' is not among the variables"),
        (("variables", 0, "name"), "shut", "trace.initial: no value for the variable 'shut'"),
        (("variables", 0, "name"), "request", "trace.variables: 'request' stands there twice"),
        (("variables", 2, "sort", "int"), [5, 2], "trace.initial.count: 0 is not an integer from 5 to 2"),
        (("variables", 1, "sort", "enum"), ["new", "new"], "trace.variables[1].sort: expected"),
        (("modell",), "seed", "trace: unknown key 'modell'; known are format, version, model,"),
    ],
)
def test_message_names_the_place_and_the_cause(path: tuple[str | int, ...], value: Any, message: str) -> None:
    """A damaged field is named by its path, with what was expected there and what stands there."""
    with pytest.raises(TraceError) as caught:
        trace_file(_replaced(path, value))
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith("; export the trace again")


def test_loop_comes_back() -> None:
    """A path that goes on for ever is still one after writing and reading."""
    again = Action(0, "p", (), TRUE, (OPEN.set(~OPEN),))
    flipping = TransitionSystem("flipping", (OPEN,), (again,))
    endless = Trace("flipping", flipping.digest, "", (0,), (0, 0, 0), loop=1)
    data = trace_to_json(Run.of(flipping, endless))
    VALIDATOR.validate(data)
    assert data["loop"] == 1
    assert trace_file(data).trace == endless
    with pytest.raises(TraceError, match="does not close"):
        rerun(flipping, trace_file(data | {"loop": 2}).trace)


def test_file_may_start_in_any_initial_state() -> None:
    """The first state comes from the file, not from the model's first initial state."""
    other = replace(trace(), initial=(0, 0, 1, 0))
    assert trace_file(trace_to_json(Run.of(system(), other))).trace == other
