"""`gate` of a project whose configuration is wrong: one message with the line, before anything runs."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from check_invariants.work import gate_project
from tests.support.cli import run
from tests.support.projects import FIXED, TROUBLES, gate, project

pytestmark = pytest.mark.usefixtures("empty_folder")

#: by what is wrong: the configuration, where and what
MISTAKES: dict[str, tuple[str, str]] = {
    "no TOML": ("[[model]]\nfile = \n", "drain-gate.toml:2: not TOML: Invalid value (column 8)"),
    "an unknown table": ("\n[[modle]]\n", "drain-gate.toml:2: unknown key 'modle'; did you mean model or"),
    "an unknown key": (
        '[[model]]\nfile = "ring.py"\n\n[[model]]\nfile = "ring.py"\nfunktion = "build"\n',
        "drain-gate.toml:6: unknown key 'funktion'; did you mean function or",
    ),
    "a key of counts": (
        f"{FIXED}counts = {{ stats = 1 }}\n",
        "drain-gate.toml:5: unknown key 'stats'; did you mean states?",
    ),
    "a count alone": (
        '[[model]]\nfile = "queue.py"\ncounts = { states = 3 }\n',
        "drain-gate.toml:3: counts: the key 'transitions' is missing; states, transitions and depth belong together, and `check` prints them",
    ),
    "a missing key": ('[[model]]\nfunction = "build"\n', "drain-gate.toml:1: model: the key 'file' is missing"),
    "another type": ("[[model]]\nfile = 1\n", "drain-gate.toml:2: file: expected `str`, got `int`"),
    "another word": (
        FIXED.replace("never asked", "vacuous"),
        "drain-gate.toml:4: unasked: unknown word 'vacuous'; known: holds, violated, reachable, never asked",
    ),
    "a word of an expectation": (
        '[[model]]\nfile = "ring.py"\nfunction = "build"\n[model.expect]\ngoal = "reachable"\nsafe = "hold"\n',
        "drain-gate.toml:6: safe: unknown word 'hold'; did you mean holds or",
    ),
    "an expectation that is no word": (
        '[[model]]\nfile = "ring.py"\nfunction = "build"\n[model.expect]\ngoal = "reachable"\nsafe = true\n',
        "drain-gate.toml:6: safe: wanted is one of holds, violated, reachable, never asked",
    ),
    "a word of an order": (
        '[[code_base]]\nrevision = "v2.6.0"\norder = "atach"\n',
        "drain-gate.toml:3: order: unknown word 'atach'; did you mean attach?",
    ),
    "a value that no parameter has": (
        f"{FIXED}parameters.careful = false\nparameters.size = 1.5\n",
        "drain-gate.toml:6: size: expected `bool | int | str`, got `float`",
    ),
    "one bracket": (
        '\n[model]\nfile = "ring.py"\n',
        "drain-gate.toml:2: model: an entry is a table with two brackets: [[model]]",
    ),
    "one bracket twice": (
        '[model]\nfile = "ring.py"\n[model]\nfile = "ring.py"\n',
        "drain-gate.toml:3: not TOML: Cannot declare ('model',) twice (column 7); of several entries each begins with [[model]]",
    ),
    "a list that is none": (
        '[[code_base]]\nrevision = "v2.6.0"\nscenarios = "mirror"\n',
        'drain-gate.toml:3: scenarios: wanted is a list: write scenarios = ["..."]',
    ),
    "a table that is none": (
        '[[model]]\nfile = "ring.py"\nfunction = "build"\nexpect = "holds"\n',
        "drain-gate.toml:4: expect: wanted is a table: write expect = { NAME = VALUE }",
    ),
    "no scenarios": (
        '[[code_base]]\nrevision = "v2.6.0"\nscenarios = []\n',
        "drain-gate.toml:3: scenarios: an empty list would mean all of them",
    ),
    "a word that is no list": (
        '[[code_base]]\nrevision = "v2.6.0"\nproperties = "guest"\n',
        'drain-gate.toml:3: properties: wanted is a list, properties = ["..."], or properties = "guest-visible"',
    ),
    "a number that is no list": (
        '[[code_base]]\nrevision = "v2.6.0"\nproperties = 1\n',
        'drain-gate.toml:3: properties: wanted is a list, properties = ["..."], or properties = "guest-visible"',
    ),
    "a word that models do not have": (
        '[[model]]\nfile = "ring.py"\nproperties = "guest-visible"\n',
        'drain-gate.toml:3: properties: wanted is a list: write properties = ["..."]',
    ),
    "a rule that the word leaves out": (
        '[[code_base]]\nrevision = "v2.6.0"\nproperties = "guest-visible"\nexpect = { S7 = "holds" }\n',
        "drain-gate.toml:4: something is expected of 'S7', which `properties` leaves out",
    ),
    "no properties": (
        '[[code_base]]\nrevision = "v2.6.0"\nproperties = []\n',
        "drain-gate.toml:3: properties: an empty list would mean all of them",
    ),
    "no function": (
        '[[model]]\nfile = "ring.py"\nfunction = ""\n',
        "drain-gate.toml:3: function: an empty text names nothing",
    ),
    "nowhere": (
        '[[model]]\nfile = "no.py"\n',
        "drain-gate.toml:2: there is no file 'no.py' in the folder of drain-gate.toml",
    ),
    "above": (
        '[[model]]\nfile = "../ring.py"\n',
        "drain-gate.toml:2: '../ring.py' lies outside the folder of drain-gate.toml",
    ),
    "absolute": ('[[model]]\nfile = "/etc/passwd"\n', "drain-gate.toml:2: '/etc/passwd' lies outside"),
    "linked": ('[[model]]\nfile = "link.py"\n', "drain-gate.toml:2: 'link.py' lies outside"),
    "through a linked folder": ('[[model]]\nfile = "away/ring.py"\n', "drain-gate.toml:2: 'away/ring.py' lies outside"),
    "half a name": ('[[model]]\nfile = "ring.py"\nvariant = "bug"\n', "drain-gate.toml:3: which function"),
    "of no function": (
        '[[model]]\nfile = "ring.py"\nexpect = { safe = "violated" }\n',
        "drain-gate.toml:3: parameters, expect and counts are for one function",
    ),
    "two sets of parameters": (
        f'{FIXED}variant = "bug"\nparameters = {{ size = 2 }}\n',
        "drain-gate.toml:6: a variant has its own parameters",
    ),
    "left out": (f'{FIXED}properties = ["safe"]\n', "drain-gate.toml:4: something is expected of 'unasked'"),
    "no such revision": ('[[code_base]]\nrevision = "v2.6.1"\n', "drain-gate.toml:2: v2.6.1 is not modelled"),
    "no such scenario": (
        '[[code_base]]\nrevision = "v2.6.0"\nscenarios = ["miror"]\n',
        "drain-gate.toml:3: unknown scenario 'miror'; did you mean mirror",
    ),
    "no such knob": (
        '[[code_base]]\nrevision = "v2.6.0"\nsettings.begn = 1\n',
        "drain-gate.toml:3: unknown knob 'begn'; did you",
    ),
    "no such property": (
        '[[code_base]]\nrevision = "v2.6.0"\nproperties = ["S99"]\n',
        "drain-gate.toml:3: unknown property 'S99'",
    ),
    "impossible": (
        '[[code_base]]\nrevision = "5a7e7a0bad"\nscenarios = ["dataplane"]\n',
        "drain-gate.toml:3: 5a7e7a0bad cannot run the scenario dataplane",
    ),
    "two models": (
        '[[code_base]]\nrevision = "v2.6.0"\nproperties = ["case 1", "L1"]\n',
        "drain-gate.toml:3: case 1, L1 are decided on different models",
    ),
    "two orders": (
        '[[code_base]]\nrevision = "v2.6.0"\norder = "any"\nsettings.order = "attach"\n',
        "drain-gate.toml:4: `order` says any, and the knob of this name attach: leave one of them out",
    ),
    "counts of several": (
        '[[code_base]]\nrevision = "v2.6.0"\ncounts = { states = 1, transitions = 1, depth = 1 }\n',
        "drain-gate.toml:3: counts are those of one scenario",
    ),
    "a scenario twice": (
        '[[code_base]]\nrevision = "v2.6.0"\nscenarios = ["mirror", "dataplane", "mirror"]\n',
        "drain-gate.toml:3: mirror is named twice",
    ),
    "a scenario under two names": (
        '[[code_base]]\nrevision = "v2.6.0"\nscenarios = ["mirror[writes=2]", "mirror-2-writes"]\n',
        "drain-gate.toml:3: mirror-2-writes is named twice, as mirror[writes=2] before",
    ),
    "nothing to be reached": (
        '[[code_base]]\nrevision = "v2.6.0"\nexpect = { S1 = "reachable" }\n',
        "drain-gate.toml:3: S1 is no state to be reached",
    ),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_told_with_its_line(what: str, empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One message, 151, before anything runs, also for `--list`."""
    config, said = MISTAKES[what]
    inner = project(empty_folder / "project", config)
    project(empty_folder, "")
    (inner / "link.py").symlink_to(empty_folder / "ring.py")
    (inner / "away").symlink_to(empty_folder)
    monkeypatch.chdir(inner)
    monkeypatch.setattr(gate_project, "run", lambda *_: pytest.fail("something was run"))
    for options in ((), ("--list",)):
        result = run("gate", *options)
        assert result.stderr.startswith(f"Error: {said}"), result.stderr
        assert (result.stdout, result.exit_code) == ("", 151)


def test_a_link_inside_the_folder_is_followed() -> None:
    """Negative control of the refusals."""
    project(Path(), FIXED.replace("ring.py", "link.py"))
    Path("link.py").symlink_to("ring.py")
    assert run("gate").exit_code == 0


@pytest.mark.parametrize("config", ["", "# nothing\n", "model = []\n"])
def test_an_empty_configuration_is_no_pass(config: str) -> None:
    """Nothing was selected: 10."""
    result = gate(config)
    assert result.stderr == "Error: drain-gate.toml names nothing to check: add a table [[model]] or [[code_base]]\n"
    assert result.exit_code == 10


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (
            "drain_gate.toml",
            FIXED,
            "drain_gate.toml:1: nothing reads a file of this name by itself; did you mean drain-gate.toml?",
        ),
        (
            "Drain-Gate.tml",
            FIXED,
            "Drain-Gate.tml:1: nothing reads a file of this name by itself; did you mean drain-gate.toml?",
        ),
        *(
            (
                "pyproject.toml",
                f'[project]\nname = "p"\n\n[[{table}.model]]\nfile = "ring.py"\n',
                f"pyproject.toml:4: nothing reads the table [{table}]; did you mean [tool.check-invariants]?",
            )
            for table in ("tool.check_invariants", "tools.check-invariants", "check-invariants")
        ),
    ],
)
def test_what_is_nearly_called_a_configuration_is_no_pass(file: str, text: str, said: str) -> None:
    """The built-in story instead of it would be a green that nobody asked for; by its name it is there."""
    project(Path(), "")
    Path("drain-gate.toml").unlink()
    Path(file).write_text(text, encoding="utf-8")
    result = run("gate", "--quick")
    assert (result.stderr, result.exit_code) == (f"Error: {said}\n", 151)
    assert run("gate", "--built-in", "--list").exit_code == 0


def test_what_others_are_called_is_no_configuration() -> None:
    """Negative control: copies that are left beside one, and tables of other tools."""
    for file in ("drain-gate.toml~", "drain-gate.toml.bak", "gates.toml"):
        Path(file).write_text(FIXED, encoding="utf-8")
    Path("pyproject.toml").write_text('[tool.check-manifest]\nignore = ["x"]\n', encoding="utf-8")
    result = run("gate", "--list")
    assert (result.stderr.startswith("there is no drain-gate.toml here"), result.exit_code) == (True, 0)


def test_a_file_that_is_not_there() -> None:
    """A name on the command line that leads nowhere is a wrong argument."""
    assert run("gate", "no.toml").exit_code == 2


def test_options_of_the_built_in_story() -> None:
    """They are refused where a configuration lies, named or not, unless the story is asked for by its name."""
    project(Path(), FIXED)
    for options in (["--quick"], ["--pin"], ["--jobs", "2"]):
        assert run("gate", *options).exit_code == run("gate", "drain-gate.toml", *options).exit_code == 2
    assert run("gate", "drain-gate.toml", "--built-in").exit_code == 2
    listed = json.loads(run("gate", "--built-in", "--quick", "--list", "--json").stdout)
    assert listed["config"] is None and len(listed["items"]) > 200


def test_the_schema_is_printed_and_reads_what_the_gate_reads() -> None:
    """Sound configurations follow it; those with another shape do not."""
    checks = Draft202012Validator(json.loads(run("gate", "--schema").stdout))
    Draft202012Validator.check_schema(checks.schema)
    sound = ['[[code_base]]\nrevision = "v2.6.0"\nproperties = "guest-visible"\n']
    for config in [*sound, *(trouble[0] for trouble in TROUBLES.values())]:
        checks.validate(tomllib.loads(config))
    for what in (
        "an unknown table",
        "an unknown key",
        "a key of counts",
        "a missing key",
        "another type",
        "another word",
        "one bracket",
        "no scenarios",
        "no properties",
        "no function",
        "a word that is no list",
        "a number that is no list",
        "a word that models do not have",
    ):
        assert not checks.is_valid(tomllib.loads(MISTAKES[what][0])), what
