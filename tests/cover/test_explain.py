"""Explanations: the facts behind a condition decide it, changes are those of the states, alternatives are what the graph says."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from draincheck.analysis.avoidability import Avoidability, Evasion
from draincheck.analysis.explain import Explanation, explain, facts_behind
from draincheck.engines.explicit import check
from draincheck.engines.liveness import decide
from draincheck.errors import ModelError, TraceError
from draincheck.lang import Model, all_, any_
from draincheck.report.explain_text import render_explanation
from draincheck.run import Run, Trace
from draincheck.system import TransitionSystem
from draincheck.verdict import Limits

# -- a small story ------------------------------------------------------------------------------------


def oven(goes_out: bool = True) -> Model:
    """Somebody leaves a cake in the oven; until the clock strikes it can be taken out."""
    m = Model("oven")
    hot, late, burnt, out = (m.bool(name) for name in ("hot", "late", "burnt", "out"))
    with m.thread("cook") as p:
        p.do("lights the oven", hot.set())
    if goes_out:
        with m.thread("guest") as p:
            p.do("takes the cake out", out.set(), when=hot & ~late)
    with m.thread("clock") as p:
        p.do("strikes", late.set(), when=hot)
    with m.thread("oven") as p:
        p.do("bakes on", burnt.set(), when=hot & late & ~out)
        p.do("cools")
    m.always("no burnt cake", ~(burnt & hot))
    m.reachable("a cake", out)
    return m


def burnt(model: Model) -> tuple[TransitionSystem, Trace]:
    system = model.compile()
    trace = check(system, "no burnt cake").trace
    assert trace is not None
    return system, trace


def test_each_step_says_what_let_it_happen() -> None:
    """The facts behind the guard, and none about where processes stand."""
    steps = explain(Run.of(*burnt(oven()))).steps
    assert [(step.process, step.label) for step in steps] == [
        ("cook", "lights the oven"),
        ("clock", "strikes"),
        ("oven", "bakes on"),
    ]
    assert [list(map(str, step.guard)) for step in steps] == [[], ["hot"], ["hot", "late", "not out"]]


def test_what_every_action_demands_is_not_repeated() -> None:
    """A condition of all guards says nothing about a step."""
    m = Model("power")
    power, a = m.bool("power", initial=True), m.int("a", 0, 2)
    with m.thread("p") as p:
        p.do("one", a.inc(), when=power)
        p.do("two", a.inc(), when=power & (a > 0))
    m.always("small", a < 2)
    system = m.compile()
    trace = check(system, "small").trace
    assert trace is not None
    assert [list(map(str, step.guard)) for step in explain(Run.of(system, trace)).steps] == [[], ["0 < a [a=1]"]]


def test_conditions_are_reported_where_they_change() -> None:
    """A property at the step that makes its condition false, a sub-formula at the step that makes it true."""
    steps = explain(Run.of(*burnt(oven()))).steps
    changes = [[(c.property, c.goal, c.now, [str(f) for f in c.because]) for c in step.properties] for step in steps]
    assert changes == [[], [], [("no burnt cake", False, False, ["burnt", "hot"])]]
    assert [[(c.text, c.now, c.properties) for c in step.formulas] for step in steps] == [
        [("hot", True, ("no burnt cake",))],
        [],
        [("burnt and hot", True, ("no burnt cake",)), ("burnt", True, ("no burnt cake",))],
    ]


def test_the_start_says_what_is_true() -> None:
    """Invariants hold, goals are not met yet."""
    found = explain(Run.of(*burnt(oven())))
    assert (found.invariants, found.goals) == ({"no burnt cake": True}, {"a cake": False})


def test_the_point_of_no_return_is_before_the_violation() -> None:
    """Once the clock has struck nobody can take the cake out: what the oven does then was decided before."""
    found = explain(Run.of(*burnt(oven())))
    assert (found.violated_at, found.lost_at) == (3, 2)
    assert [step.avoidability for step in found.steps] == [Avoidability.AVOIDABLE, Avoidability.DOOMED, None]
    assert found.escape is not None and found.escape.step == 2
    assert [(way.process, way.label, way.avoidability) for way in found.escape.alternatives] == [
        ("guest", "takes the cake out", Avoidability.SAFE)
    ]
    assert found.safe_escape == found.escape and found.instead == ()


def test_where_nothing_helps_the_explanation_says_so() -> None:
    """Negative control: without the guest there is no other way, from the start."""
    found = explain(Run.of(*burnt(oven(goes_out=False))))
    assert (found.lost_at, found.escape, found.safe_escape, found.evasions) == (0, None, None, (Evasion.STOPS,))


def rash(*, promised: bool, goes_round: bool = False, errs: bool = False) -> Explanation:
    """One that does something bad, at once or after some rounds; and perhaps another that runs into an error."""
    m = Model("rash")
    bad = m.bool("bad")
    with m.thread("rash") as p:
        if goes_round:
            with p.loop(), p.either() as choice:
                with choice():
                    p.do("goes round")
                with choice():
                    p.break_()
        p.do("does it", bad.set())
    if errs:
        with m.thread("other") as p:
            p.error("meets an error")
    if promised:
        m.progress()
    m.always("good", ~bad)
    system = m.compile()
    return explain(Run.of(system, check(system, "good").trace or pytest.fail("no trace")))


@pytest.mark.parametrize(
    ("found", "evasions"),
    [
        (rash(promised=True), ()),
        (rash(promised=False), (Evasion.STOPS,)),
        (rash(promised=True, goes_round=True), (Evasion.CIRCLES,)),
        (rash(promised=True, errs=True), (Evasion.ERRS,)),
        (rash(promised=False, goes_round=True, errs=True), tuple(Evasion)),
    ],
)
def test_whatever_happens_is_said_only_where_every_run_violates_it(
    found: Explanation, evasions: tuple[Evasion, ...]
) -> None:
    """One that may stop, go round for ever or meet an error never does, and that is said instead."""
    text = " ".join(render_explanation(found).split())
    assert found.evasions == evasions and ("whatever happens" in text) is (not evasions)
    assert all(evasion.value in text for evasion in evasions)


def used_after_free(*, allocates: bool) -> Explanation:
    """One frees what it uses, and runs into an error unless another one, if there is any, allocates it again before."""
    m = Model("used after free")
    freed, done = m.bool("freed"), m.bool("done")
    with m.thread("uses") as p:
        p.do("frees", freed.set())
        p.error("used after free", when=freed)
        p.do("is done", done.set())
    if allocates:
        with m.thread("allocates") as p:
            p.do("allocates again", freed.clear(), when=freed)
    system = m.compile()
    return explain(Run.of(system, check(system, "no error met").trace or pytest.fail("no trace")))


def test_what_keeps_a_run_from_its_error_is_named() -> None:
    """Up to the error itself another step does, and comes to where there is none any more."""
    found = used_after_free(allocates=True)
    assert (found.violated_at, found.lost_at, found.evasions) == (1, 2, ())
    assert found.escape == found.safe_escape and found.escape is not None and found.escape.step == 2
    assert [(way.process, way.label, way.avoidability) for way in found.escape.alternatives] == [
        ("allocates", "allocates again", Avoidability.SAFE)
    ]
    text = render_explanation(found)
    assert "instead of running into the error:\n        allocates: allocates again (makes 'no error met' safe" in text
    assert "never violates" not in text


def test_an_error_that_nothing_keeps_from_coming_is_told_as_such() -> None:
    """The control: without the other one a run can only stop before it, at the error itself, too."""
    found = used_after_free(allocates=False)
    assert (found.lost_at, found.escape, found.evasions) == (0, None, (Evasion.STOPS,))
    assert "a run that never violates it stops on the way" in render_explanation(found)


def test_a_run_that_begins_with_the_violation_could_do_nothing() -> None:
    """There is no step instead of which anything could be done."""
    m = Model("wrong")
    wrong = m.bool("wrong", initial=True)
    with m.thread("one") as p:
        p.do("rights it", wrong.clear())
    m.always("right", ~wrong)
    system = m.compile()
    found = explain(Run.of(system, check(system, "right").trace or pytest.fail("no trace")))
    assert (found.violated_at, found.evasions) == (0, ())
    assert "whatever happens" not in render_explanation(found)


def test_behind_a_bound_nothing_is_told() -> None:
    """Where a run can leave the model nobody knows what else could have happened."""
    m = Model("bounded")
    bad = m.bool("bad")
    with m.thread("one") as p, p.either() as choice:
        with choice():
            p.do("does it", bad.set())
        with choice():
            p.bound("more")
    m.always("good", ~bad)
    system = m.compile()
    found = explain(Run.of(system, check(system, "good").trace or pytest.fail("no trace")))
    assert found.escape is None and found.untold.startswith(
        "what else could have happened is not all known (bound passed"
    )


def test_a_trace_that_violates_nothing_has_no_alternatives() -> None:
    """A witness is explained step by step; there is nothing to do otherwise."""
    system = oven().compile()
    trace = check(system, "a cake").trace
    assert trace is not None
    found = explain(Run.of(system, trace))
    assert found.untold == "'a cake' asks that something can be reached, and a trace can only show that it is"
    assert found.steps[-1].properties[0].goal and found.steps[-1].properties[0].now
    shorter = replace(burnt(oven())[1], actions=())
    assert explain(Run.of(system, shorter)).untold == "the trace does not violate 'no burnt cake'"
    assert explain(Run.of(system, replace(shorter, property=""))).untold == "the trace is about no property"


def test_a_graph_that_is_too_large_is_said_to_be() -> None:
    """Steps are explained all the same."""
    system, trace = burnt(oven())
    found = explain(Run.of(system, trace), Limits(states=4))
    assert found.untold.startswith(
        "oven is too large to look at all that could have happened instead (state limit 4 reached"
    )
    assert (found.lost_at, found.escape) == (None, None) and len(found.steps) == 3
    assert found.untold.replace("\n", " ") in render_explanation(found).replace("\n", " ")


def test_another_model_s_trace_is_refused() -> None:
    """An explanation of the wrong model would be none; nor is there one for a property that is not there."""
    system, trace = burnt(oven())
    with pytest.raises(TraceError, match="belongs to another model"):
        explain(Run.of(oven(goes_out=False).compile(), trace))
    with pytest.raises(ModelError, match="no property 'x'"):
        explain(Run.of(system, replace(trace, property="x")))


# -- demands on whole runs, deadlocks ------------------------------------------------------------------


def lamp(can_be_lit: bool) -> Model:
    """Somebody waits for light; a switch goes on and off, and may or may not be lit before that."""
    m = Model("lamp")
    lit, on = m.bool("lit"), m.bool("on")
    with m.thread("switch") as p, p.loop():
        p.do("on", on.set(), when=~on)
        p.do("off", on.clear(), when=on)
    if can_be_lit:
        with m.thread("somebody") as p:
            p.do("lights it", lit.set(), when=on)
    m.fair(m.processes["switch"])
    m.eventually("light", lit)
    return m


@pytest.mark.parametrize("can_be_lit", [True, False])
def test_a_loop_that_could_be_left_says_so(can_be_lit: bool) -> None:
    """Where the goal stays in reach it is a matter of choices; where it never was there are none."""
    system = lamp(can_be_lit).compile()
    trace = decide(system)["light"].trace
    assert trace is not None and trace.loop is not None
    found = explain(Run.of(system, trace))
    text = render_explanation(found)
    assert "... and again from step 1, for ever" in text
    assert found.lost_at == (None if can_be_lit else 0)
    assert ("the goal of light stays in reach all along" in text) is can_be_lit
    assert ("somebody: lights it (the goal of light is met)" in text) is can_be_lit
    assert ("the goal of light was never in reach" in text) is not can_be_lit


def test_a_deadlock_is_explained_like_a_violation() -> None:
    """Two locks in opposite orders: the second one taken is the point of no return, and the other thread could have gone on."""
    m = Model("locks")
    a, b = m.bool("a taken"), m.bool("b taken")
    for name, first, second in (("one", a, b), ("other", b, a)):
        with m.thread(name) as p:
            p.do("takes its first", first.set(), when=~first)
            p.do("takes its second", second.set(), when=~second)
            p.do("lets go", first.clear(), second.clear())
            p.here("done")
    m.final(m.at("one", "done") & m.at("other", "done"))
    m.no_deadlock()
    system = m.compile()
    trace = check(system, "no deadlock").trace
    assert trace is not None
    found = explain(Run.of(system, trace))
    assert found.violated_at == found.lost_at == 2 and found.escape is not None
    assert [(way.label, way.avoidability) for way in found.instead] == [("takes its second", Avoidability.SAFE)]


def test_a_wrong_edge_changes_avoidabilities() -> None:
    """Negative control: the same model in which the cake can be taken out late is lost nowhere."""
    m = oven()
    system, trace = burnt(m)
    late_rescue = tuple(
        replace(a, guard=all_(*(term for term in a.guard.args if str(term) != "not late")))  # type: ignore[arg-type]
        if a.process == "guest"
        else a
        for a in system.actions
    )
    changed = replace(system, actions=late_rescue)
    found = explain(Run.of(changed, replace(trace, digest=changed.digest)))
    assert found.lost_at == found.violated_at == 3 and found.escape is not None and found.escape.step == 3


def test_facts_leave_out_where_processes_stand() -> None:
    """Of a guard only what it says about the state that people see; the fewest facts of a disjunction."""
    m = Model("doors")
    a, b, c = (m.bool(name, initial=name != "a") for name in "abc")
    with m.thread("p") as p:
        p.do("through", a.set(), when=any_(a, b & c, c))
    system = m.compile()
    (through,) = system.actions
    assert "pc p" in str(through.guard)
    assert [str(fact) for fact in facts_behind(system, through.guard, system.initial[0])] == ["c"]


# -- as text ------------------------------------------------------------------------------------------

OVEN = """\
oven: 'no burnt cake' is violated in step 3, and could be avoided until step 1
    no other step could be taken instead of step 3
    instead of step 2:
        guest: takes the cake out (makes 'no burnt cake' safe for good)

a step without a reason needed no more than that its process stood there
        true initially: 'no burnt cake'

 1  cook: lights the oven
        true now: hot

 2  clock: strikes
        possible because hot
        the point of no return: from here on nothing makes 'no burnt cake' safe any more

 3  oven: bakes on
        possible because hot, late, not out
        true now: burnt and hot, burnt
        violates 'no burnt cake': burnt, hot

oven: 'no burnt cake' is violated in step 3, and could be avoided until step 1
"""


def test_an_explanation_reads_like_this() -> None:
    """Byte for byte."""
    assert render_explanation(explain(Run.of(*burnt(oven())))) == OVEN
