"""The explorer's document against the system itself: a second reader decodes it, and everything in it is computed anew by the system's own rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from draincheck import interpreter
from draincheck.analysis.enabling import demands_of
from draincheck.analysis.standing import ControlMap, Posture
from draincheck.analysis.waiting import Comes, Moves, situation_in
from draincheck.checking import check
from draincheck.explorer.document import Opening
from draincheck.explorer.examined import Examined
from draincheck.explorer.ground import Columns, Ground
from draincheck.explorer.making import document
from draincheck.explorer.packing import embedded
from draincheck.explorer.runs import Tone
from draincheck.expr import Substitution
from draincheck.model_file import ModelFile
from draincheck.properties import Always, Assertion, Property
from draincheck.report.calls import events_of
from draincheck.report.lanes import lanes_of
from draincheck.run import Run, label_of
from draincheck.subject import Subject
from draincheck.system import Action, State, TransitionSystem
from drainspecs.mirror.code_base import CodeBase
from tests.support.explored_page import Edge, Happening, PageGraph, read_document
from tests.support.samples import sampled
from tests.support.strategies import systems, tries

RANDOM = tries(8)
CODE_BASES = [("v2.6.0", "mirror"), ("v2.6.0", "dataplane-stop"), ("f3926945c8", "timer"), ("v8.0.0", "commit")]
OWN = [
    "examples/deadlock.py:deadlock:bug",
    "examples/deadlock.py:deadlock:gives up",
    "examples/event_loop.py:event_loop:bug",
    "examples/lost_wakeup.py:lost_wakeup:bug",
]


def own(system: TransitionSystem) -> Subject:
    """A system made by hand as a subject."""
    return ModelFile("model.py", "build", system)


def decoded(subject: Subject, most_states: int = 30_000) -> tuple[Examined, dict[str, Any], PageGraph]:
    """A subject, what the document says of it, and its system as the page sees it."""
    item = Examined(subject, check(subject))
    answer = Opening(Tone.BAD, "an answer", "")
    made = document([item], title="t", generator="g", command="c", answer=answer, most_states=most_states)
    read, graphs = read_document(embedded(made))
    return item, read["subjects"][0], graphs[read["subjects"][0]["system"]]


def shown(system: TransitionSystem, state: State) -> dict[str, str]:
    """A state as the page shows it."""
    return {
        name: str(int(value) if isinstance(value, bool) else value) for name, value in system.decoded(state).items()
    }


def numbers(system: TransitionSystem, page: PageGraph, states: Sequence[State]) -> dict[State, int]:
    """The numbers of states on the page; a state that it does not have, or has twice, is missed."""
    at = {tuple(state.items()): number for number, state in enumerate(page.states)}
    assert len(at) == len(page.states)
    return {state: at[tuple(shown(system, state).items())] for state in states}


def edges(system: TransitionSystem, state: State, number: dict[State, int]) -> list[Edge]:
    """What can be done in a state, by the system's own rules."""
    return [_edge(system, state, action, number) for action in system.enabled(state)]


def _edge(system: TransitionSystem, state: State, action: Action, number: dict[State, int]) -> Edge:
    fault = system.fault(state, action)
    taken = tuple(place for place, part in enumerate(action.parts) if system.holds(part.when, state))
    names = {item.name for item in system.properties}
    broken = tuple(name for name in dict.fromkeys(system.broken_checks(state, action)) if name in names)
    error = "" if fault is None else f"{fault.message} ({fault.line})"
    target = None if fault is not None else number[system.step(state, action)]
    return Edge(action.index, label_of(system, action, state), taken, broken, error, target)


def without_order(edge: Edge) -> tuple[object, ...]:
    """An edge as it is compared: broken checks have no order, and what a bound is called is not the system's word."""
    return (*edge[:3], frozenset(edge.broken), edge.error.removeprefix("a bound of the model: "), edge.target)


def disagreements(item: Examined, page: PageGraph) -> list[str]:
    """Where the page's graph is not the interpreter's."""
    system = item.result.system
    number = numbers(system, page, interpreter.states(system))
    wrong = [] if len(number) == len(page.states) else ["states"]
    for state, here in number.items():
        expected = list(map(without_order, edges(system, state, number)))
        wrong += [] if list(map(without_order, page.edges[here])) == expected else [f"edges of {here}"]
    return wrong


@pytest.mark.parametrize("part", sampled(range(15), 0, 6))
@RANDOM
@given(systems())
def test_the_graph_is_the_interpreters(part: int, system: TransitionSystem) -> None:
    """States, edges, what takes place in them, what they break, and errors are those of the system."""
    item, _, page = decoded(own(system))
    assert disagreements(item, page) == []
    assert page.graph["complete"] is True


@pytest.mark.parametrize("name", sampled([f"{a} {b}" for a, b in CODE_BASES], 1))
def test_a_code_base_is_the_interpreters(name: str) -> None:
    """The same of QEMU."""
    item, _, page = decoded(CodeBase.named(*name.split()))
    assert disagreements(item, page) == []


# -- what stands beside the graph ------------------------------------------------------------------


@pytest.mark.parametrize("name", OWN)
def test_conditions_of_models_have_their_truth(name: str) -> None:
    """The same of models, whose conditions speak of places."""
    check_truths(*decoded(ModelFile.load(name)))


@pytest.mark.parametrize("part", sampled(range(15), 1, 6))
@RANDOM
@given(systems())
def test_conditions_have_their_truth(part: int, system: TransitionSystem) -> None:
    """In every state the conditions of properties are as true as the system says."""
    check_truths(*decoded(own(system)))


def check_truths(item: Examined, _: object, page: PageGraph) -> None:
    """Hold every condition of a property, and every demand of an action, in every state against the system."""
    system = item.result.system
    meaning = Substitution(dict(system.places))
    texts = page.told["conditions"]
    told = {item["name"]: item["conditions"] for item in page.told["properties"]}
    for state, here in numbers(system, page, interpreter.states(system)).items():
        for demand in system.properties:
            for role, condition in demand.roles().items():
                assert page.truth(told[demand.name][role], here) is system.holds(condition, state)
        for action, said in zip(system.actions, page.told["actions"], strict=True):
            numbered = {texts[number]: number for number in said["demands"]}
            for term in demands_of(action):
                assert page.truth(numbered[str(term)], here) is system.holds(meaning(term), state)


@pytest.mark.parametrize("part", sampled(range(15), 1, 6))
@RANDOM
@given(systems())
def test_makers_are_the_steps_that_make_a_condition_true(part: int, system: TransitionSystem) -> None:
    """Found by walking over all edges of the page's graph."""
    check_makers(decoded(own(system))[2])


@pytest.mark.parametrize("name", sampled(["v2.6.0 mirror", *OWN], OWN))
def test_makers_of_models_are_steps_that_help(name: str) -> None:
    """The same of models; and who helps a process that waits, as the reports say, is among them."""
    subject = ModelFile.load(name) if ".py" in name else CodeBase.named(*name.split())
    item, told, page = decoded(subject)
    check_makers(page)
    texts, actions = page.told["conditions"], item.result.system.actions
    for each, run in zip(told["evidence"], item.shown(), strict=True):
        assert each["property"] == run.findings[0].name
        for waiting in situation_in(item.result.system, [run.run.states[-1]]).processes:
            for obstacle in (obstacle for way in waiting.ways for obstacle in way.obstacles):
                found = {
                    actions[a].process
                    for n, text in enumerate(texts)
                    if text == obstacle.condition
                    for a in page.told["makers"][n]
                }
                assert {help.process for help in obstacle.helpers if help.comes is Comes.MAY} <= found


def check_makers(page: PageGraph) -> None:
    """Hold the makers of all conditions against the edges."""
    made: list[set[int]] = [set() for _ in page.told["conditions"]]
    for here, leaving in enumerate(page.edges):
        for edge in leaving:
            for number, found in enumerate(made):
                if edge.target is not None and page.truth(number, edge.target) and not page.truth(number, here):
                    found.add(edge.action)
    assert [sorted(found) for found in made] == page.told["makers"]


def _fate(system: TransitionSystem, item: Property, page: PageGraph, here: int) -> str:
    """What is possible from a state, by searching from it alone."""
    bad = {
        number for state, number in numbers(system, page, interpreter.states(system)).items()
        if isinstance(item, Always) and not system.holds(item.holds, state)
    }  # fmt: skip

    def breaks(edge: Edge) -> bool:
        return isinstance(item, Assertion) and item.name in edge.broken

    def reached(start: int, follow: Callable[[int, Edge], bool]) -> set[int]:
        found, queue = {start}, [start]
        for state in queue:
            new = {e.target for e in page.edges[state] if e.target is not None and follow(state, e)} - found
            found |= new
            queue += new
        return found

    def at_risk(start: int) -> bool:
        all_that_comes = reached(start, lambda state, edge: True)
        return bool(all_that_comes & bad) or any(
            breaks(edge) and not edge.error for state in all_that_comes for edge in page.edges[state]
        )

    if here in bad:
        return "violated"
    if not at_risk(here):
        return "safe"
    clean = reached(here, lambda state, edge: state not in bad and not breaks(edge)) - bad
    return "doomed" if all(at_risk(state) for state in clean) else "avoidable"


@pytest.mark.slow
@pytest.mark.parametrize("part", sampled(range(8), 1, 3))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(systems(careless=2))
def test_fates_are_what_their_words_say(part: int, system: TransitionSystem) -> None:
    """Safe, avoidable, doomed, violated: for each violated property of states and steps, searched from each state alone."""
    _, subject, page = decoded(own(system))
    for item in subject["evidence"]:
        found = page.told["evidence"][item["evidence"]]
        demand = system.property_named(item["property"])
        if found["untold"]:
            assert page.fate(found["property"], 0) is None
        elif isinstance(demand, Always | Assertion) and page.graph["states"] < 100:
            for here in range(page.graph["states"]):
                assert page.fate(found["property"], here) == _fate(system, demand, page, here)


def happenings(run: Run) -> list[Happening]:
    """What takes place along a run, as the reports of traces tell it."""

    def text(value: object) -> str:
        return str(int(value) if isinstance(value, bool) else value)

    return [
        Happening(
            event.step, event.process, event.thread, tuple(map(str, event.stack)), event.part.label, event.part.mark,
            tuple((change.name, text(change.old), text(change.new)) for change in event.changes),
        )
        for event in events_of(run)
    ]  # fmt: skip


@pytest.mark.parametrize("name", [*OWN, "v2.6.0 mirror"])
def test_runs_are_paths_with_the_same_stacks(name: str) -> None:
    """Each run is a path of the page's graph, and the stacks that the page rebuilds are those of `report.calls`."""
    subject = ModelFile.load(name) if ".py" in name else CodeBase.named(*name.split())
    item, told, page = decoded(subject)
    runs = {each.findings[0].name: each.run for each in item.shown()}
    assert set(runs) == {each["property"] for each in told["evidence"]}
    for each in told["evidence"]:
        found = page.told["evidence"][each["evidence"]]
        assert page.happenings(found["states"], found["variants"]) == happenings(runs[each["property"]])
        assert [page.states[number] for number in found["states"]] == [
            shown(item.result.system, state) for state in runs[each["property"]].states
        ]


@pytest.mark.parametrize("name", ["v2.6.0 mirror", "v2.6.0 timer", *OWN])
def test_steps_off_a_run_are_drawn_where_those_of_runs_are(name: str) -> None:
    """The lane that a label has for itself is the one in which `report.lanes` draws the steps of runs."""
    subject = ModelFile.load(name) if ".py" in name else CodeBase.named(*name.split())
    item, told, page = decoded(subject)
    runs = {each.findings[0].name: each.run for each in item.shown()}
    for each in told["evidence"]:
        found, lanes = page.told["evidence"][each["evidence"]], lanes_of(runs[each["property"]], subject.about)
        drawn = [lanes.lanes[step.lane] for step in lanes.steps]
        alone = [page.told["lanes"][page.told["variants"][number].get("lane", 0)] for number in found["variants"]]
        assert [(lane["name"], lane["kind"]) for lane in alone] == [(lane.name, lane.kind.value) for lane in drawn]
        assert [page.told["lanes"][number]["name"] for number in found["drawing"]["steps"]] == [
            lane.name for lane in drawn
        ]
        assert [page.told["lanes"][number]["name"] for number in found["drawing"]["lanes"]] == [
            lane.name for lane in lanes.lanes
        ]


@pytest.mark.parametrize("name", sampled(["v2.6.0 mirror", "v2.6.0 dataplane", *OWN], OWN))
def test_who_waits_is_where_it_stands(name: str) -> None:
    """In every state the page can say of each process whether it is parked, has ended, is inside a coroutine, or runs: as `ControlMap` does."""
    subject = ModelFile.load(name) if ".py" in name else CodeBase.named(*name.split())
    item, _, page = decoded(subject)
    system = item.result.system
    control = ControlMap(system)
    for state, here in numbers(system, page, interpreter.states(system)).items():
        expected = {process: stand.posture for process, stand in control.stands(state).items()}
        assert {item["name"]: posture(page, item, here) for item in page.told["processes"]} == expected


def posture(page: PageGraph, process: dict[str, Any], here: int) -> Posture:
    """How a process stands in a state, as the page finds out."""
    told, values = page.told, list(page.states[here].values())
    number = 0 if process["counter"] is None else int(values[process["counter"]])
    place = process["places"][number]
    own = [a for a in told["actions"] if told["processes"][a["process"]] is process and a["place"] in (None, number)]
    if place["back"] is not None and not page.truth(place["back"], here):
        return Posture.INSIDE
    if place["ended"] or not own:
        return Posture.ENDED
    return Posture.PARKED if process["token"] is not None and values[process["token"]] == "0" else Posture.RUNNING


# -- parts of graphs -------------------------------------------------------------------------------


@pytest.mark.parametrize("part", sampled(range(15), 0, 6))
@RANDOM
@given(systems())
def test_a_part_of_a_graph_is_a_part(part: int, system: TransitionSystem) -> None:
    """Where there is no room for all states, those that are there have the edges that the system has, and the runs are among them."""
    item, subject, page = decoded(own(system), most_states=30)
    here = {tuple(state.items()): number for number, state in enumerate(page.states)}
    every = interpreter.states(system)
    number = {state: here.get(tuple(shown(system, state).items()), -1) for state in every}
    assert sorted(n for n in number.values() if n >= 0) == list(range(len(page.states)))
    for state, place in number.items():
        if 0 <= place < page.graph["expanded"]:
            expected = list(map(without_order, edges(system, state, number)))
            assert list(map(without_order, page.edges[place])) == expected
        elif place >= 0:
            assert page.edges[place] == []
    assert page.graph["complete"] is (len(every) <= 30)
    assert page.graph["expanded"] == len(page.states) or len(page.states) > 20
    for each in subject["evidence"]:
        found = page.told["evidence"][each["evidence"]]
        page.path(found["states"], found["variants"])
    assert item.result.system.is_initial(next(state for state in every if number[state] == 0))


# -- negative controls -----------------------------------------------------------------------------


def spoiled(of: str) -> Callable[..., None]:
    """`Columns.add`, which gets the first number of one kind of column wrong that can be another."""
    add, done = Columns.add, list[str]()

    def spoil(self: Columns, kind: str, found: Sequence[int], index: int = 0) -> None:
        if kind == of and not done and max(found, default=0):
            place = next(place for place, number in enumerate(found) if number)
            found = [*found[:place], found[place] - 1, *found[place + 1 :]]
            done.append(kind)
        add(self, kind, found, index)

    return spoil


@pytest.mark.parametrize("of", ["value", "variant", "target"])
def test_a_wrong_number_in_a_column_is_noticed(monkeypatch: pytest.MonkeyPatch, of: str) -> None:
    """The control: a single state, label or target that is not the system's."""
    monkeypatch.setattr(Columns, "add", spoiled(of))
    try:
        item, _, page = decoded(ModelFile.load(OWN[0]))
        wrong = disagreements(item, page)
    except (AssertionError, KeyError):  # two states are the same now, or one is missing
        wrong = ["states"]
    assert wrong


def test_a_wrong_truth_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: one condition of one state."""
    monkeypatch.setattr(Columns, "add", spoiled("truth"))
    with pytest.raises(AssertionError):
        check_truths(*decoded(ModelFile.load(OWN[0])))


def test_a_wrong_part_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a label that forgets which parts take place."""
    monkeypatch.setattr(Ground, "_parts", lambda self, action: [])
    item, _, page = decoded(ModelFile.load(OWN[0]))
    assert disagreements(item, page)


@pytest.mark.parametrize("name", sampled(["v2.6.0 mirror", "v2.6.0 no-ioeventfd", *OWN], OWN))
def test_what_a_process_waits_for_is_what_the_reports_say(name: str) -> None:
    """At the end of each run, of every process that waits, the page finds the false demands that `analysis.waiting` calls obstacles."""
    subject = ModelFile.load(name) if ".py" in name else CodeBase.named(*name.split())
    item, told, page = decoded(subject)
    runs = {each.findings[0].name: each.run for each in item.shown()}
    for each in told["evidence"]:
        here = page.told["evidence"][each["evidence"]]["states"][-1]
        for waiting in situation_in(item.result.system, [runs[each["property"]].states[-1]]).processes:
            if waiting.moves is Moves.WAITS and not waiting.stand.awaits:
                expected = {tuple(obstacle.condition for obstacle in way.obstacles) for way in waiting.ways}
                assert set(missing(page, waiting.stand.process, here)) == expected


def missing(page: PageGraph, name: str, here: int) -> Iterator[tuple[str, ...]]:
    """For each way on that a process has where it stands the demands that are false, as the page finds out; () if one is open."""
    told, values = page.told, list(page.states[here].values())
    process = next(item for item in told["processes"] if item["name"] == name)
    number = 0 if process["counter"] is None else int(values[process["counter"]])
    for action in told["actions"]:
        if told["processes"][action["process"]] is process and action["place"] in (None, number):
            false = tuple(told["conditions"][n] for n in action["demands"] if not page.truth(n, here))
            halted = told["halted"] is not None and page.truth(told["halted"], here)
            yield false or (("not halted",) if halted else ())
