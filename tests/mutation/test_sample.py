"""A small sample of mutants: wrong lines are caught, and by the nets, not by accident. `make mutation` runs a whole campaign."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import pytest

from tests.mutation import campaign
from tests.mutation.campaign import Campaign, Result, drawn, summary
from tests.mutation.loading import modules_of, source_of
from tests.mutation.operators import OPERATORS, Mutant, mutants, mutate

SEED = 2016

SOURCE = """
def step(p, w, items):
    updates = [w.a.set(), w.b.clear()]
    with p.when(w.ready & ~w.busy), p.atomic():
        p.do("goes", *updates, w.n.inc(), when=w.state.is_("in_flight"), mark="b")
        p.enter(w.mirror)
    for item in reversed(items):
        if item.count == 0 and not item.done:
            w.count += 1
    with p.when(w.again):
        p.break_()
    w.v.set(ite(w.c, w.d, w.e))
"""

#: what each operator makes of it, first of all
FIRST = {
    "negate": "w.ready & ~w.busy  =>  ~(w.ready & ~w.busy)",
    "drop-guard": "w.ready & ~w.busy  =>  w.ready & ~w.busy | ~(w.ready & ~w.busy)",
    "drop-operand": "w.ready & ~w.busy  =>  w.ready",
    "swap-connective": "w.ready & ~w.busy  =>  w.ready | ~w.busy",
    "drop-negation": "~w.busy  =>  w.busy",
    "change-comparison": "w.state.is_('in_flight')  =>  ~w.state.is_('in_flight')",
    "change-constant": "0  =>  1",
    "change-update": "w.a.set()  =>  w.a.clear()",
    "drop-update": "[w.a.set(), w.b.clear()]  =>  [w.b.clear()]",
    "drop-statement": "p.enter(w.mirror)  =>  pass",
    "drop-atomic": "",
    "swap-statements": "",
    "swap-branches": "ite(w.c, w.d, w.e)  =>  ite(w.c, w.e, w.d)",
    "turn-round": "reversed(items)  =>  items",
}


@pytest.mark.parametrize("operator", OPERATORS)
def test_an_operator_makes_one_thing_wrong(operator: str) -> None:
    """Each has its places, says what it changes, and changes that alone."""
    found = [mutant for mutant in mutants("step", SOURCE) if mutant.operator == operator]
    assert FIRST[operator] in [mutant.what for mutant in found] or not FIRST[operator]
    changed = [ast.unparse(mutate(SOURCE, operator, mutant.number)) for mutant in found]
    assert changed and len(set(changed)) == len(changed)
    assert ast.unparse(ast.parse(SOURCE)) not in changed


def test_names_are_no_behaviour() -> None:
    """Labels, marks, docstrings, annotations and assertions are left alone."""
    source = 'def f(w: int = 1) -> bool:\n    """Text."""\n    assert w == 1\n    p.do("label", mark="b")\n    w.event("said", 1)\n'
    assert not [
        mutant for mutant in mutants("f", source) if mutant.operator not in ("drop-statement", "swap-statements")
    ]


@pytest.mark.slow
def test_a_seed_draws_the_same_mutants_and_another_seed_others() -> None:
    """Nothing is chosen by hand."""
    first, again, other = (list(islice(drawn("model", seed), 20)) for seed in (1, 1, 2))
    assert first == again != other
    assert len({mutant.operator for mutant in first}) == len(OPERATORS)


@pytest.mark.slow
def test_every_module_has_mutants() -> None:
    """New files are found by themselves."""
    found = {mutant.module for mutant in drawn("model", 1)}
    empty = {module for module in modules_of("eventloop", "qemu") if not mutants(module, source_of(module))}
    assert found == set(modules_of("eventloop", "qemu")) - empty
    assert len(empty) <= 2


@pytest.fixture(scope="module")
def model() -> Iterator[Campaign]:
    """Mutants of the model, in the default rows."""
    with Campaign("model", (), wide=False) as running:
        yield running


def of(running: Campaign, nets: Sequence[str], number: int, only: str = "") -> list[Result]:
    """What comes of some mutants under these nets."""
    running.nets = list(nets)
    chosen = (mutant for mutant in drawn(running.target, SEED) if only in mutant.name)
    return list(running.run(chosen, number))


def assert_mostly_caught(results: Sequence[Result]) -> None:
    """More than half of those that change anything in the rows that were looked at: they are few, and other code has other mutants."""
    counted = [result for result in results if result.counts]
    assert counted, summary(results)
    assert sum(not result.survives for result in counted) > len(counted) / 2, "\n".join(map(str, results))


@pytest.mark.slow
def test_wrong_lines_of_the_model_are_caught(model: Campaign) -> None:
    """By a verdict, a fault, the core, or a claim."""
    assert_mostly_caught(of(model, ("verdict", "conformance", "claim"), 5))


@pytest.mark.long
def test_nothing_is_caught_where_no_net_hangs(model: Campaign) -> None:
    """Negative control: the same mutants of the model run through, and at most counts move."""
    results = of(model, (), 5)
    assert {result.net for result in results} <= {"counts", "nothing", "stillborn", "equivalent"}
    assert any(result.survives for result in results)


@pytest.mark.slow
def test_the_nets_are_empty_without_a_mutant(model: Campaign) -> None:
    """Negative control: where nothing is wrong no row is another one, and nothing is caught."""
    model.nets = ["verdict", "conformance", "claim"]
    result = model.unchanged()
    assert (result["caught"], result["changed"]) == (None, 0)


@pytest.mark.long
def test_wrong_lines_of_the_core_are_caught() -> None:
    """By a unit test, or by its comparison with the model."""
    with Campaign("core", (), wide=True) as running:
        assert_mostly_caught(of(running, ("unit", "conformance"), 4, only="core.mirror"))


@pytest.mark.slow
def test_wrong_lines_of_the_resetting_vcpu_are_caught() -> None:
    """By unit tests: short random walks of model and core seldom come so far."""
    with Campaign("core", (), wide=False) as running:
        assert_mostly_caught(of(running, ("unit",), 4, only="core.vcpu"))


@pytest.mark.slow
def test_the_cores_unit_tests_are_green_without_a_mutant() -> None:
    """Negative control: what they catch is the mutant."""
    with Campaign("core", ("unit",), wide=False) as running:
        assert running.unchanged()["caught"] is None


# -- survivors ----------------------------------------------------------------------------------------

MUTANT = Mutant("draincheck.qemu.aio", "negate", 0, 1, "")
#: what a process finds whose nets catch nothing and whose counts are the same
UNCAUGHT = {"caught": None, "changed": 2, "counts": 0}
BEFORE = {"a mirror": ["1", "small"], "b mirror": ["1", "small"], "c two": ["2", ""], "d two": ["2", ""]}


def survivor(
    monkeypatch: pytest.MonkeyPatch, after: dict[str, list[str]], graphs: Callable[[dict[str, Any]], object]
) -> tuple[Result, list[list[str]]]:
    """What comes of a mutant with these systems that nothing catches, and of which rows graphs were made."""
    asked: list[list[str]] = []

    def work(order: dict[str, Any], seconds: int) -> object:
        if order["task"] == "graphs":
            asked.append(order["rows"])
            return graphs(order)
        return {"model": UNCAUGHT, "systems": after if order.get("mutant") else BEFORE}[order["task"]]

    monkeypatch.setattr(campaign, "_work", work)
    with Campaign("model", ("verdict",)) as running:
        return running.result(MUTANT), asked


def test_a_survivor_with_the_same_graphs_is_equivalent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Graphs of small systems are known; of large ones each is made once, however many rows share it."""
    after = {"a mirror": ["3", "small"], "b mirror": ["1", "small"], "c two": ["4", ""], "d two": ["4", ""]}
    result, asked = survivor(monkeypatch, after, lambda order: "the same")
    assert (result.net, [len(rows) for rows in asked]) == ("equivalent", [1, 1])


def test_a_survivor_with_another_graph_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a small one that differs, or a large one."""
    small = {**BEFORE, "a mirror": ["3", "other"]}
    large = {**BEFORE, "c two": ["4", ""]}
    assert survivor(monkeypatch, small, lambda order: "the same")[0].net == "nothing"
    assert survivor(monkeypatch, large, lambda order: str(order["mutant"]))[0].net == "nothing"


def test_a_survivor_whose_graphs_are_too_large_does_not_end_the_campaign(monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts as one that survives, and says why."""

    def no_time(order: dict[str, Any]) -> object:
        raise campaign.Endless

    result, _ = survivor(monkeypatch, {**BEFORE, "c two": ["4", ""]}, no_time)
    assert result.survives and "no time was left" in result.where
