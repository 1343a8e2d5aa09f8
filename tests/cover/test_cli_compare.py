"""`check-invariants compare`: which of two is better, and how the command says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from check_invariants.output import Counter
from draincheck.budget import NO_LIMITS, interrupt, running
from draincheck.model_file import ModelFile
from draincheck.parameters import shown
from draincheck.reason import Stop, StopKind
from draincheck.revisions import find_revision
from draincheck.verdict import Limits, Outcome
from drainspecs.mirror.code_base import CodeBase
from drainspecs.questions.compare import Comparison, Effect, Pair, became, compare
from drainspecs.suite.matrix import Solver, default_rows
from tests.golden.documents import validator
from tests.support.cli import run

#: two models of a counter: one stays below its limit, the other does not
MODELS = """
from draincheck.lang import Model

def counter(last):
    m = Model("counter")
    n = m.int("n", 0, 5)
    with m.thread("thread") as p:
        with p.while_(n < last):
            p.do("up", n.inc())
    m.always("below", n < 3)
    return m

def fine():
    return counter(2)

def worse():
    return counter(4)
"""


#: one name for demands of two forms
FORMS = """
from typing import Literal
from draincheck.lang import Model

def build(kind: Literal["always", "reachable"] = "always", bad: bool = True) -> Model:
    m = Model("forms")
    f = m.bool("f")
    with m.thread("thread") as p:
        p.do("set", f.set(bad))
    m.always("nof", ~f) if kind == "always" else m.reachable("nof", f)
    return m
"""


@pytest.fixture
def models(tmp_path: Path) -> str:
    """A file with a model that is fine and one that is not."""
    path = tmp_path / "models.py"
    path.write_text(MODELS)
    return str(path)


def document(*arguments: str, code: int = 0) -> dict[str, Any]:
    """The JSON document that the command prints, checked against its schema."""
    result = run("compare", *arguments, "--json")
    assert result.exit_code == code, result.output
    data: dict[str, Any] = json.loads(result.stdout)
    validator("compare").validate(data)
    assert data["exit_code"] == code
    return data


def which(data: dict[str, Any], change: str, matters: bool = True) -> dict[str, set[str]]:
    """Scenario -> the properties of which that became; scenarios without any are left out."""
    found = {
        place["scenario"]: {
            item["name"] for item in place["properties"] if item["change"] == change and item["matters"] is matters
        }
        for place in data["places"]
    }
    return {scenario: names for scenario, names in found.items() if names}


# -- code bases ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_change_that_mends_is_no_failure() -> None:
    """With its section opened before the last count v2.6.0 loses nothing any more; two scenarios still abort."""
    data = document("v2.6.0", "--set", "begin=before_check")
    assert which(data, "mended")["mirror"] == {"S1", "S3", "S4"}
    assert which(data, "broken") == {}
    aborting = {scenario for scenario, names in which(data, "still violated").items() if "A1" in names}
    assert {"timer", "no-ioeventfd"} <= aborting and not {"mirror", "dataplane", "commit"} & aborting
    assert data["trace"] is None


def test_a_change_that_breaks_ends_with_12_and_shows_the_shortest_new_trace() -> None:
    """Taking mirror's early section out again loses writes in the main loop; S1 breaks after the fewest steps."""
    data = document("v2.7.0", "v2.6.0", "--scenario", "mirror", code=12)
    assert which(data, "broken") == {"mirror": {"S1", "S3", "S4"}}
    assert (data["trace"]["property"], len(data["trace"]["steps"])) == ("S1", 26)


def test_rules_alone_end_with_10() -> None:
    """321d1dba8b mends B6 and nothing that a guest sees."""
    data = document("91af091f92", "321d1dba8b", "--scenario", "mirror", code=10)
    assert which(data, "mended", matters=False) == {"mirror": {"B6"}}
    assert which(data, "mended") == which(data, "broken") == {}


def test_rules_matter_where_they_are_asked_for() -> None:
    """A rule that breaks ends with 12 under --strict, and when it is named."""
    assert run("compare", "321d1dba8b", "91af091f92", "--scenario", "mirror").exit_code == 10
    assert run("compare", "321d1dba8b", "91af091f92", "--scenario", "mirror", "--strict").exit_code == 12
    assert run("compare", "321d1dba8b", "91af091f92", "--scenario", "mirror", "--property", "B6").exit_code == 12


def test_a_code_base_is_no_worse_than_itself() -> None:
    """Nothing changes, and the code says so, whatever is violated."""
    data = document("v2.6.0", "ab27c3b5e7", "--scenario", "mirror")
    assert {item["change"] for item in data["places"][0]["properties"]} == {"unchanged", "still violated"}


def test_what_could_not_be_run_before_is_said() -> None:
    """Mirror was not allowed with dataplane before b112a65c52: nothing was violated there then."""
    data = document("5a7e7a0bad", "6ee4ce1ee7", "--scenario", "dataplane", code=12)
    assert data["places"][0]["before"] is None
    assert len(data["left_out"]) == 1


@pytest.mark.parametrize(
    "pair", [("37989ced44", "9a0cec664e"), ("f871abd60f", "cf3129323f"), ("3f09bfbc7b", "a77fd4bb29")]
)
def test_the_matrix_says_the_same(pair: tuple[str, str]) -> None:
    """What broke and what was mended are the differences between two rows of the matrix."""
    scenario = "timer"
    rows = [row for row in default_rows([find_revision(name) for name in pair]) if row.scenario.name == scenario]
    before, after = ({c.property_name: c.verdict.outcome for c in r.cells} for r in Solver().decide(rows))
    place = compare([Pair(scenario, CodeBase.named(pair[0], scenario), CodeBase.named(pair[1], scenario))]).places[0]
    violated = {n for n in before if before[n] is Outcome.VIOLATED}, {n for n in after if after[n] is Outcome.VIOLATED}
    assert set(place.changed(Effect.MENDED)) == violated[0] - violated[1]
    assert set(place.changed(Effect.BROKEN)) == violated[1] - violated[0]
    assert set(place.changed(Effect.OPEN)) == violated[0] & violated[1]


# -- models of a user's -------------------------------------------------------------------------------


def test_models_are_compared_by_their_properties(models: str) -> None:
    """Whatever a model demands matters: 12 if it breaks, 0 if it is mended."""
    assert which(document(f"{models}:fine", f"{models}:worse", code=12), "broken") == {None: {"below"}}
    assert which(document(f"{models}:worse", f"{models}:fine"), "mended") == {None: {"below"}}


def test_names_with_spaces_are_told_apart(models: str) -> None:
    """A comma stands between two names of a user's in a table; those of a code base are one word each."""
    text = (
        Path(models).read_text(encoding="utf-8").replace("    return m", "    m.always('is low', n < 4)\n    return m")
    )
    Path(models).write_text(text, encoding="utf-8")
    assert "below, is low" in run("compare", f"{models}:fine", f"{models}:worse", "--no-trace").stdout.splitlines()[3]
    assert "S5 S6" in run("compare", "v2.6.0", "ab27c3b5e7", "--scenario", "mirror").stdout


def test_the_new_trace_can_be_shown(models: str, tmp_path: Path) -> None:
    """What --trace-out writes is a trace of the second model."""
    file = str(tmp_path / "new.json")
    assert run("compare", f"{models}:fine", f"{models}:worse", "--trace-out", file).exit_code == 12
    assert run("trace", "show", file, "--model", f"{models}:worse").exit_code == 0
    assert run("trace", "show", file, "--model", f"{models}:fine").exit_code == 14


def test_unknown_is_no_improvement(models: str) -> None:
    """What is not decided on either side is unknown, whatever the other comes to."""
    pair = Pair("", ModelFile.load(f"{models}:worse"), ModelFile.load(f"{models}:fine"))
    found = compare([pair], limits=Limits(states=1))
    assert found.places[0].changed(Effect.UNKNOWN) == ["below"]


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (Outcome.HOLDS, Outcome.VIOLATED, Effect.BROKEN),
        (None, Outcome.VIOLATED, Effect.BROKEN),
        (Outcome.NEVER_ASKED, Outcome.VIOLATED, Effect.BROKEN),
        (Outcome.VIOLATED, Outcome.HOLDS, Effect.MENDED),
        (Outcome.VIOLATED, Outcome.NEVER_ASKED, Effect.OTHER),
        (Outcome.VIOLATED, None, Effect.OTHER),
        (Outcome.HOLDS, None, Effect.OTHER),
        (Outcome.HOLDS, Outcome.NEVER_ASKED, Effect.OTHER),
        (Outcome.VIOLATED, Outcome.UNKNOWN, Effect.UNKNOWN),
        (None, Outcome.HOLDS, Effect.SAME),
    ],
)
def test_what_became_of_a_property(before: Outcome | None, after: Outcome | None, change: Effect) -> None:
    """Who takes a check or a demand away mends nothing; what is unknown is neither better nor worse."""
    assert became(before, after) is change


# -- Ctrl-C and limits ----------------------------------------------------------------------------------


def compared(*pairs: Pair, after: int, processes: int = 1) -> Comparison:
    """A comparison that is asked to end when so many sides have been decided."""

    def advance(decided: int) -> None:
        if decided == after:
            interrupt()

    with running(NO_LIMITS):
        return compare(pairs, processes=processes, advance=advance)


@pytest.mark.parametrize("processes", [1, 2])
def test_what_was_decided_before_ctrl_c_stays(processes: int) -> None:
    """The first scenario is compared as ever, the others are unknown property by property and say why."""
    two = [CodeBase.named("v2.6.0", name) for name in ("mirror", "timer")]
    pairs = [Pair(side.scenario.name, side, side) for side in two * (1 if processes == 1 else 8)]
    found = compared(*pairs, after=2, processes=processes)
    assert found.stopped == Stop(StopKind.REQUEST)
    first, last = found.places[0], found.places[-1]
    assert first.changed(Effect.OPEN) and not first.changed(Effect.UNKNOWN)
    assert last.changed(Effect.UNKNOWN) == [item.name for item in last.differences]
    assert len(last.differences) == len(first.differences)
    assert 2 <= found.decided < 2 * len(pairs)


def test_errors_of_a_run_that_nobody_looked_for_are_not_mended(tmp_path: Path) -> None:
    """Where only the first side was searched to its end, an error that it meets is not gone; where both were it stays."""
    file = tmp_path / "faulty.py"
    file.write_text(MODELS.replace('m.int("n", 0, 5)', 'm.int("n", 0, 3)'))
    pair = Pair("", faulty := ModelFile.load(f"{file}:worse"), faulty)
    assert compared(pair, after=1).places[0].changed(Effect.UNKNOWN) == ["below", "values in range"]
    assert compare([pair]).places[0].changed(Effect.OPEN) == ["below", "values in range"]


def test_harm_that_nobody_looked_for_is_not_mended() -> None:
    """Words of what a guest suffers speak of all verdicts together, so none is gone where some are unknown."""
    pair = Pair("mirror", same := CodeBase.named("v2.6.0", "mirror"), same)
    assert not any(compared(pair, after=1).places[0].words.values())
    assert compare([pair]).places[0].words[Effect.OPEN] == ["silent loss"]


def test_ctrl_c_ends_with_130_and_shows_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What broke in the first scenario has its trace, the answer says what is unknown; a limit would leave the 12."""

    def advance(_: Counter, decided: int) -> None:
        if decided == 2:
            interrupt()

    monkeypatch.setattr(Counter, "advance", advance)
    data = document("v2.7.0", "v2.6.0", "--scenario", "mirror", "--scenario", "timer", "--processes", "1", code=130)
    assert which(data, "broken") == {"mirror": {"S1", "S3", "S4"}}
    assert set(which(data, "unknown")) == {"timer"}
    assert data["trace"]["property"] == "S1" and data["stopped"] == "interrupted"
    assert data["answer"].endswith("unknown: everything in timer")


@pytest.mark.usefixtures("hurry")
def test_a_limit_ends_with_30(models: str) -> None:
    """Nothing is said to change, and standard error says which limit it was."""
    result = run("compare", "v2.7.0", "v2.6.0", "--scenario", "mirror", "--processes", "1", "--timeout", "7200")
    assert result.exit_code == 30
    assert (
        "as far as it was decided, mends nothing; adds nothing; leaves nothing open; unknown: everything in mirror"
        in result.stdout
    )
    assert (
        result.stderr == "Error: time limit 7200 s reached: 0 of 2 models decided; a larger --timeout may decide more\n"
    )


# -- bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["v2.6.0"], 2),
        (["v2.6.0", "v9.9.9"], 2),
        (["v2.6.0", "v2.7.0", "--property", "S99"], 2),
        (["v2.6.0", "nowhere.py:f"], 2),
        (["nowhere.py:f", "nowhere.py:g"], 2),
        (["nowhere.py:f", "nowhere.py:g", "--scenario", "mirror"], 2),
        (["nowhere.py:f"], 2),
        (["5a7e7a0bad~1", "5a7e7a0bad", "--scenario", "dataplane"], 10),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments: list[str], code: int) -> None:
    """One error with the documented code."""
    result = run("compare", *arguments)
    assert result.exit_code == code
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) <= 4


def test_models_are_asked_for_properties_that_they_have(models: str) -> None:
    """A property that a model lacks is refused by name."""
    assert run("compare", f"{models}:fine", f"{models}:worse", "--property", "bellow").exit_code == 2


@pytest.mark.parametrize(
    ("settings", "change", "code"),
    [
        ({"kind": "reachable"}, Effect.OTHER, 10),  # violated, and now another demand that holds: nothing is mended
        ({"kind": "reachable", "bad": False}, Effect.BROKEN, 12),  # the new demand is violated
        ({"bad": False}, Effect.MENDED, 0),  # negative control: the same demand
    ],
)
def test_a_demand_of_another_form_is_another_demand(
    settings: dict[str, str | bool], change: Effect, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the same name or not: the one was taken away, and the other is new."""
    monkeypatch.chdir(tmp_path)
    Path("forms.py").write_text(FORMS, encoding="utf-8")
    given = [word for name, value in settings.items() for word in ("--set", f"{name}={shown(value)}")]
    result = run("compare", "forms.py:build", *given, "--json")
    assert result.exit_code == code, result.output
    data = json.loads(result.stdout)
    validator("compare").validate(data)
    (found,) = data["places"][0]["properties"]
    forms = ["always", "reachable"] if "kind" in settings else []
    assert (found["change"], found["forms"]) == (change.value, forms)
    assert ("nof (always, now reachable)" in data["answer"]) == bool(forms)
    assert ("mends nof" in data["answer"]) == (change is Effect.MENDED)


@pytest.mark.slow
def test_a_change_that_hangs_in_a_variant_is_worse() -> None:
    """Queued requests mend v2.6.0 where the guest writes, and hang where it flushes."""
    data = document("v2.6.0", "--set", "park_requests=on", code=12)
    assert "F1" in which(data, "broken")["mirror-flush"]
    assert "F1" not in which(data, "broken").get("mirror", set())


def test_what_a_guest_sees_stands_apart_from_rules() -> None:
    """Before a bar the one, behind it the other; where there are no rules there is no bar."""
    lines = run(
        "compare", "v2.6.0", "v2.7.0", "--scenario", "mirror", "--scenario", "timer", "--no-trace"
    ).stdout.splitlines()
    rows = {line.split()[0]: line for line in lines if line.startswith(("mirror ", "timer "))}
    assert rows["mirror"].endswith("S1 S3 S4 | S2 S5 S7          | S6 B6")
    assert rows["timer"].endswith("S1 S3 S4 A1 | S2 S5 S6 S8 B6")


def test_what_is_safe_as_far_as_modelled_says_so() -> None:
    """A sign in the table, words in the sentence, and neither where nothing is left out."""
    limited = run("compare", "v4.1.0", "v4.2.0", "--scenario", "timer", "--no-trace").stdout.splitlines()
    assert limited[0].startswith("v4.2.0, compared with v4.1.0, mends silent loss in timer, as far as modelled; ")
    assert [line.split()[:4] for line in limited if line.startswith("timer ")] == [["timer", "silent", "loss", "safe~"]]
    sound = run("compare", "v2.6.0", "v2.7.0", "--scenario", "mirror", "--no-trace").stdout
    assert "as far as modelled;" not in sound and "safe~" not in sound
