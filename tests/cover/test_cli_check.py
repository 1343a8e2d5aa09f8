"""`check`: one model, its verdicts, its traces, and every way in which a user's file can be wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from check_invariants.main import cli
from draincheck.report.jsontrace import read_trace
from draincheck.verdict import Outcome
from drainspecs.mirror.properties import PROPERTIES
from tests.golden.documents import validator


def run(*arguments: str) -> Result:
    """Run the command as a user would: a code base in the scenario mirror, unless another one is named."""
    elsewhere = "--scenario" in arguments or (bool(arguments) and not arguments[0].startswith("-"))
    where = () if elsewhere else ("--scenario", "mirror")
    return CliRunner().invoke(cli, ["check", *arguments, *where], prog_name="check-invariants")


# -- code bases -------------------------------------------------------------------------------------


def test_the_default_is_the_bandage_in_the_mirror_scenario() -> None:
    """Without options the code base of the seed's commit is checked; what a guest sees decides, every property is as expected."""
    result = run("--no-trace")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("v2.6.0 loses acknowledged writes silently in mirror; violated: S1, S3, S4; ")
    assert lines[0] == lines[-1] and "not as expected" not in lines[0]
    assert lines[2:4] == [
        "ab27c3b5e7 / mirror (2016-04-22, v2.6.0: the bandage: external events of iohandler_ctx are disabled around mirror_exit)",
        "mirror job, virtio disk in the main loop, host notifiers",
    ]
    assert result.exit_code == 12


def test_a_counterexample_follows() -> None:
    """A violated property is shown by its shortest trace; equal traces are printed once."""
    text = run("--property", "S1", "--property", "S5").stdout
    assert text.count("main_loop_wait # 1") == 1
    assert "(b) blk_aio_writev (write[0.0])" in text
    assert "the same steps are a shortest counterexample of S5, too" in text


def test_traces_can_be_left_out() -> None:
    """--no-trace leaves the verdicts."""
    text = run("--property", "S1", "--no-trace").stdout
    assert "S1        violated" in text
    assert "main_loop_wait" not in text


def test_steps_never_taken_are_named() -> None:
    """A step none of whose actions was ever taken is a finding, with its source line."""
    text = run("--no-trace").stdout
    assert (
        "steps of the model that are never taken (1):\n  main thread: assert(!bdrv_requests_pending(old)) fails (draincheck/"
        in text
    )


def test_nothing_is_said_of_steps_after_half_a_search() -> None:
    """A search that was stopped cannot call a step never taken."""
    assert "never taken" not in run("--no-trace", "--max-states", "50").stdout


def test_a_turned_knob_is_named_and_nothing_is_expected() -> None:
    """The name lists the settings; verdicts stand for themselves."""
    result = run("--set", "drain=nested", "--set", "begin=none", "--property", "S1")
    assert "\nab27c3b5e7+drain=nested+begin=none / mirror " in result.stdout
    assert "expected" not in result.stdout
    assert (
        result.stdout.splitlines()[-1]
        == "v2.6.0 with drain=nested and begin=none is safe with mirror, as far as modelled; holds: S1"
    )
    assert result.exit_code == 0


@pytest.mark.parametrize("engine", ["explicit", "auto"])
def test_what_was_not_asked_about_does_not_hold(engine: str) -> None:
    """The answer names what does, where the model has other properties: these may be violated. Where all were asked about, all hold."""
    asked = run("--revision", "ab27c3b5e7", "--property", "B1", "--engine", engine, "--no-trace")
    assert asked.exit_code == 0
    for line in (asked.stdout.splitlines()[0], asked.stdout.splitlines()[-1]):
        assert line.endswith("holds: B1") and "everything" not in line
    assert ("loses acknowledged writes silently" in asked.stdout) is (engine == "explicit")
    assert (
        run("examples/deadlock.py:deadlock:ordered", "--no-trace").stdout.splitlines()[-1].endswith("everything holds")
    )


def test_any_order_keeps_the_expectations() -> None:
    """GSource order is a question about the same code base."""
    result = run("--order", "any", "--revision", "3f09bfbc7b", "--no-trace")
    assert "\n3f09bfbc7b+order=any / mirror " in result.stdout
    assert "  expected  " in result.stdout and "not as expected" not in result.stdout


def test_order_can_be_set_like_any_knob() -> None:
    """--set order=any means --order any."""
    first, second = (run(*order, "--json") for order in (("--order", "any"), ("--set", "order=any")))
    documents = [json.loads(result.stdout) for result in (first, second)]
    for document in documents:
        del document["statistics"]["seconds"], document["statistics"]["bytes"]
    assert documents[0] == documents[1]


def test_bug_cases_are_properties_to_ask_about() -> None:
    """A case adds the history variables it needs; nothing is expected of it."""
    result = run("--property", "case 3", "--no-trace")
    assert "violated: case 3" in result.stdout
    assert result.exit_code == 12


def test_expected_and_other_verdicts_are_told_apart() -> None:
    """A case beside an expected violation: something is expected of one of them."""
    result = run("--property", "case 3", "--property", "S1", "--no-trace", "--json")
    found = {item["name"]: (item["verdict"], item["expected"]) for item in json.loads(result.stdout)["properties"]}
    assert found == {"S1": ("violated", "violated"), "case 3": ("violated", None)}
    assert result.exit_code == 12


def test_json_follows_its_schema() -> None:
    """The document has verdicts, expectations, statistics and whole traces, and says how to build the model again."""
    result = run("--json", "--property", "S1", "--property", "S8")
    data = json.loads(result.stdout)
    validator("check").validate(data)
    s1, s8 = data["properties"]
    assert (s1["name"], s1["verdict"], len(s1["trace"]["steps"])) == ("S1", "violated", 26)
    assert (s8["name"], s8["verdict"], s8["trace"]) == ("S8", "holds", None)
    assert data["source"] == {
        "revision": "ab27c3b5e7",
        "scenario": "mirror",
        "order": "attach",
        "settings": {},
        "specification": "invariant",
    }


def test_json_without_traces() -> None:
    """--no-trace leaves the traces out of the document, too."""
    data = json.loads(run("--json", "--no-trace").stdout)
    validator("check").validate(data)
    assert [item["trace"] for item in data["properties"]] == [None] * len(PROPERTIES)


def test_traces_go_to_a_directory(tmp_path: Path) -> None:
    """A file a violated property, each a trace of it."""
    result = run("--trace-out", f"{tmp_path}/new/", "--no-trace", "--order", "any", "--revision", "3f09bfbc7b", "--property", "case 1",
                 "--property", "A1", "--property", "S10")  # fmt: skip
    files = {file.name: read_trace(file.read_bytes()) for file in (tmp_path / "new").iterdir()}
    assert {name: (file.trace.property, file.verdict) for name, file in files.items()} == {
        "case-1.json": ("case 1", Outcome.VIOLATED),
        "A1.json": ("A1", Outcome.VIOLATED),
    }
    assert result.stderr == f"2 counterexamples written to {tmp_path}/new/\n"


def test_one_trace_goes_to_a_file(tmp_path: Path) -> None:
    """The only counterexample can have a file of any name."""
    file = tmp_path / "loss.json"
    assert run("--trace-out", str(file), "--property", "S4").exit_code == 12
    assert read_trace(file.read_bytes()).trace.property == "S4"


def test_several_traces_do_not_go_to_one_file(tmp_path: Path) -> None:
    """The message names the properties and the way out; nothing is written."""
    result = run("--trace-out", str(tmp_path / "loss.json"), "--property", "S4", "--property", "S1")
    assert "there are 2 counterexamples (S1, S4)" in result.stderr
    assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])


def test_no_trace_to_write(tmp_path: Path) -> None:
    """Where nothing is violated nothing is written, and that is said."""
    result = run("--trace-out", str(tmp_path / "loss.json"), "--property", "S8")
    assert result.stderr == "no counterexample to write\n"
    assert (result.exit_code, list(tmp_path.iterdir())) == (0, [])


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """One message with the place, code 2."""
    result = run("--trace-out", str(tmp_path / "none" / "loss.json"), "--property", "S1")
    assert result.stderr.startswith(f"Error: {tmp_path}/none/loss.json cannot be written: No such file or directory")
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--set", "drain=neste"], 2, "unknown value of drain 'neste'; did you mean nested"),
        (["--set", "drian=nested"], 2, "unknown knob 'drian'; did you mean drain"),
        (["--set", "drain"], 2, "'drain' lacks a value; write drain=nested or drain=yield_late or drain=yield_first"),
        (["--set", "bandage=on", "--set", "bandage=off"], 2, "--set gives bandage two values"),
        (["--order", "any", "--set", "order=attach"], 2, "--order any and --set order=attach exclude each other"),
        (["--property", "S99"], 2, "unknown property 'S99'; did you mean"),
        (["--property", "case 9"], 2, "unknown property 'case 9'; did you mean case"),
        (["--order", "some"], 2, "'some' is not one of 'attach', 'any'"),
        (["--max-states", "0"], 2, "0 is not in the range"),
        (["--timeout", "0"], 2, "0"),
        (
            ["--revision", "5a7e7a0bad", "--scenario", "dataplane"],
            10,
            "mirror was not allowed with dataplane before b112a65c52",
        ),
        (["--revision", "v2.6.0", "model.py:build"], 2, "a model of your own has no --revision"),
    ],
)
def test_bad_input_is_one_message(arguments: list[str], code: int, message: str) -> None:
    """Cause and next step, the documented code, no traceback, nothing on standard output."""
    result = run(*arguments)
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert (result.exit_code, result.stdout) == (code, "")


def test_a_knob_can_make_a_scenario_possible() -> None:
    """The message about dataplane names the setting that helps."""
    result = run("--revision", "5a7e7a0bad", "--scenario", "dataplane", "--set", "dataplane_mirror=on", "--no-trace")
    assert result.exit_code == 12


# -- a user's own model -----------------------------------------------------------------------------

GOOD = """
from draincheck.lang import Model
import neighbour

def build():
    print("building")
    m = Model("queue")
    count = m.int("in_flight", 0, 3)
    with m.thread("guest") as p:
        p.do("submits", count.inc())
        p.do("submits again", count.inc(), when=count < 1)
    m.always("one at a time", count <= neighbour.LIMIT, meaning="the device has one slot")
    m.reachable("busy", count >= 1)
    return m

def system():
    return build().compile()
"""


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A model file that imports a neighbour."""
    (tmp_path / "neighbour.py").write_text("LIMIT = 1\n", encoding="utf-8")
    file = tmp_path / "my_model.py"
    file.write_text(GOOD, encoding="utf-8")
    return file


@pytest.mark.parametrize("function", ["build", "system"])
def test_a_model_of_ones_own(good: Path, function: str) -> None:
    """A function that returns a Model or a TransitionSystem; verdicts, statistics, steps never taken."""
    result = run(f"{good}:{function}")
    lines = result.stdout.splitlines()
    assert lines[0] == lines[-1] == "queue: everything holds"
    assert lines[2] == f"queue ({good}:{function})"
    assert ["one", "at", "a", "time", "holds", "exhaustive", "the", "device", "has", "one", "slot"] in [
        line.split() for line in result.stdout.splitlines()
    ]
    assert "2 states, 1 transition, depth 1; " in result.stdout
    assert f"never taken (1):\n  guest: submits again ({good}:11)\n" in result.stdout
    assert result.stdout.endswith("\nqueue: everything holds\n")
    assert result.exit_code == 0


def test_what_a_model_prints_stays_out_of_the_way(good: Path) -> None:
    """Its output goes to standard error: JSON on standard output stays one document."""
    result = run(f"{good}:build", "--json")
    data = json.loads(result.stdout)
    validator("check").validate(data)
    assert data["source"] == {"file": str(good), "function": "build"}
    assert result.stderr == "building\n"


def test_a_violated_model_shows_its_trace(good: Path) -> None:
    """The verdict itself decides the code, and the trace is printed."""
    good.with_name("neighbour.py").write_text("LIMIT = 0\n", encoding="utf-8")
    result = run(f"{good}:build")
    assert "guest: submits" in result.stdout
    assert "violated after step 1: one at a time: the device has one slot" in result.stdout
    assert result.exit_code == 12


@pytest.fixture(autouse=True)
def forgotten_neighbour() -> None:
    """Each test imports the neighbour of its own model."""
    sys.modules.pop("neighbour", None)


def test_a_property_of_the_model(good: Path) -> None:
    """Names are the model's; a mistyped one gets its nearest."""
    assert "busy" not in run(f"{good}:build", "--property", "one at a time").stdout
    result = run(f"{good}:build", "--property", "buzy")
    assert "unknown property 'buzy'; did you mean busy" in result.stderr
    assert result.exit_code == 2


HEAD = "from draincheck.lang import Model\n"
FAULT = "m = Model('m'); x = m.int('x', 0, 1)\n  with m.thread('t') as p:\n    p.do('step', x.set(x + 2))\n  m.always('p', x <= 1)\n  return m"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("def build(:\n", 150, "{file}:1: not Python: "),
        (
            "\nimport no_such_thing\n",
            150,
            "{file}:2: the model does not import: ModuleNotFoundError: No module named 'no_such_thing'",
        ),
        ("x = 1\ny = x / 0\n", 150, "{file}:2: the model does not import: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)\n", 150, "{file}:1: the model does not import: SystemExit: 3"),
        ("def builds(): pass\n", 2, "unknown function 'build'; did you mean builds?"),
        ("build = 3\n", 2, "unknown function 'build'"),
        (
            "def build(): pass\n",
            150,
            "{file}: build() returns None; wanted is a draincheck.lang.Model or a TransitionSystem",
        ),
        ("def build(): return 3\n", 150, "{file}: build() returns an int; wanted"),
        ("def build():\n  raise ValueError('no')\n", 150, "{file}:2: build() failed: ValueError: no"),
        ("def build(n: int): pass\n", 2, "build() needs n; build() takes n (an integer)"),
        ("def build():\n  assert 0\n", 150, "{file}:2: build() failed: AssertionError\n"),
        (
            HEAD + "def build():\n  m = Model('m')\n  m.int('x', 3, 1)\n  return m\n",
            150,
            "{file}:4: x: 3..1 is an empty range",
        ),
        (
            HEAD
            + "def build():\n  m = Model('m'); x = m.bool('x')\n  with m.thread('t') as p: p.do('s', x.set())\n  return m\n",
            10,
            "m demands nothing: it has no properties",
        ),
    ],
)
def test_a_bad_model_file_is_one_message(tmp_path: Path, text: str, code: int, message: str) -> None:
    """Place, cause, the documented code, no traceback, nothing on standard output."""
    file = tmp_path / "my_model.py"
    file.write_text(text, encoding="utf-8")
    result = run(f"{file}:build")
    assert message.format(file=file) in result.stderr + "\n"
    assert "Traceback" not in result.stderr
    assert (result.exit_code, result.stdout) == (code, "")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_file.py:build", "there is no file 'no_such_file.py'"),
        ("my_model.py", "there is no file 'my_model.py'"),
        ("my_model", "'my_model' is not of the form MODEL.py:FUNCTION"),
        (".", "'.' is not of the form MODEL.py:FUNCTION; it is a folder: name a file in it"),
        (":build", "':build' is not of the form MODEL.py:FUNCTION"),
        ("x" * 5_000, "is not of the form MODEL.py:FUNCTION"),
        (f"{'x' * 5_000}.py:build", "there is no file"),
        ("README.md:build", "there is no file 'README.md'"),
    ],
)
def test_a_name_that_leads_nowhere(name: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Wrong arguments are code 2."""
    monkeypatch.chdir(tmp_path)
    result = run(name)
    assert message in result.stderr
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    """What is not called .py is not imported."""
    file = tmp_path / "notes.txt"
    file.write_text("", encoding="utf-8")
    result = run(f"{file}:build")
    assert "its name ends in .py" in result.stderr
    assert result.exit_code == 2


def test_knobs_that_no_code_base_could_have_are_refused() -> None:
    """Together they have no meaning: exit code 150, and the reason."""
    result = CliRunner().invoke(cli, ["check", "--revision", "5a7e7a0bad", "--set", "drain=yield_first"])
    assert result.exit_code == 150
    assert "no code base could be like 5a7e7a0bad+drain=yield_first: drain=yield_first disables" in result.output


def test_processes_are_for_several_scenarios(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where one process searches, others are refused, and not ignored; negative control: what several share is searched by as many."""
    monkeypatch.chdir(tmp_path)
    for options, what in ((["--scenario", "mirror"], "one scenario is"), (["m.py:build"], "models of your own are")):
        result = CliRunner().invoke(cli, ["check", *options, "-j", "2"])
        assert (result.exit_code, result.stdout) == (2, ""), result.output
        assert f"--processes is for a code base in several scenarios: {what} searched by one process" in result.stderr
    assert CliRunner().invoke(cli, ["check", "--property", "S1", "-j", "1"]).exit_code in (0, 12)
