"""The modelling language: what each statement means, and that every slip is one clear message with its place."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import draincheck
from draincheck.engines.explicit import check, explore
from draincheck.lang import FALSE, TRUE, BoolExpr, BoolVar, Model, ModelError, Update, all_, any_, count, ite
from draincheck.system import TransitionSystem
from draincheck.verdict import Outcome


def outcome(model: Model, name: str) -> Outcome:
    """The verdict of one property."""
    return check(model.compile(), name).outcome


def test_each_statement_outside_atomic_is_one_step() -> None:
    """Two statements leave a state between them."""
    m = Model("two steps")
    x, y = m.bool("x"), m.bool("y")
    with m.thread("p") as p:
        p.do("first", x.set())
        p.do("second", y.set())
    m.reachable("between", x & ~y)
    assert outcome(m, "between") is Outcome.HOLDS
    assert explore(m.compile()).statistics.states == 3


def test_atomic_hides_the_states_between_its_statements() -> None:
    """Inside atomic later statements read what earlier ones wrote, and nobody sees the middle."""
    m = Model("atomic")
    n = m.int("n", 0, 4)
    with m.thread("p") as p, p.atomic():
        p.do("one", n.set(1))
        p.do("double", n.set(n + n))
        with p.when(n.is_(2)):
            p.do("was two", n.inc())
    m.reachable("result", n.is_(3))
    m.always("never in between", any_(n.is_(0), n.is_(3)))
    result = explore(m.compile())
    assert {v.outcome for v in result.verdicts.values()} == {Outcome.HOLDS}
    assert (result.statistics.states, result.statistics.transitions) == (2, 1)


def race(atomic: bool) -> Model:
    """Two threads that test a flag and then take it."""
    m = Model("race")
    taken, inside = m.bool("taken"), m.int("inside", 0, 2)
    for name in ("p", "q"):
        with m.thread(name) as p:
            if atomic:
                with p.atomic(), p.when(~taken):
                    p.do("take", taken.set(), inside.inc())
            else:
                with p.when(~taken):
                    p.do("take", taken.set(), inside.inc())
    m.always("exclusive", inside < 2)
    return m


def test_what_atomic_has_just_stored_decides_a_test() -> None:
    """A value that was stored as a constant folds like any other."""
    m = Model("stored")
    x, n = m.bool("x", initial=True), m.int("n", 0, 2)
    with m.thread("p") as p, p.atomic():
        p.do("clear", x.set(False))
        with p.when(x & n.is_(0)):
            p.do("not this", n.set(1))
        with p.when(x | n.is_(0)):
            p.do("this", x.set(True))
        with p.when(x | n.is_(2)):
            p.do("and this", n.set(2))
    m.can_always_finish("end", x & n.is_(2))
    m.always("never", ~n.is_(1))
    assert {v.outcome for v in explore(m.compile()).verdicts.values()} == {Outcome.HOLDS}


def test_a_test_is_a_step_of_its_own_unless_atomic() -> None:
    """Another thread may act between a test and what follows it; atomic closes that window."""
    assert outcome(race(atomic=False), "exclusive") is Outcome.VIOLATED
    assert outcome(race(atomic=True), "exclusive") is Outcome.HOLDS


def test_a_local_test_costs_no_state() -> None:
    """A test of what only its own thread writes takes no step."""

    def model(local: bool) -> Model:
        m = Model("local")
        mine, done = m.bool("mine"), m.bool("done")
        with m.thread("p") as p:
            p.do("write", mine.set())
            with p.when(mine, local=local):
                p.do("use", done.set())
        return m

    assert explore(model(local=False).compile()).statistics.states == 4
    assert explore(model(local=True).compile()).statistics.states == 3


def test_a_local_test_of_shared_data_is_refused() -> None:
    """The compiler checks the claim that a test is local."""
    m = Model("not local")
    shared = m.bool("shared")
    with m.thread("p") as p, p.when(shared, local=True):
        p.do("use", shared.clear())
    with m.thread("q") as q:
        q.do("write", shared.set())
    with pytest.raises(ModelError, match=r"test_language.py:\d+: a local test reads shared, and q writes it"):
        m.compile()


def test_either_chooses_freely_and_its_first_step_is_the_choice() -> None:
    """Each alternative is reachable, and choosing takes no extra state."""
    m = Model("either")
    n = m.int("n", 0, 2)
    with m.thread("p") as p, p.either() as choice:
        with choice():
            p.do("one", n.set(1))
        with choice(when=n.is_(0)):
            p.do("two", n.set(2))
        with choice(when=n > 0):
            p.do("never", n.set(0))
    m.reachable("both", n.is_(2))
    result = explore(m.compile())
    assert result.verdicts["both"].outcome is Outcome.HOLDS
    assert result.statistics.states == 3
    assert [m.compile().actions[i].name for i in result.statistics.never_fired] == ["never"]


def test_loops_by_name_say_when_they_end() -> None:
    """while_ repeats as long as, until repeats up to."""
    m = Model("loops")
    n = m.int("n", 0, 5)
    with m.thread("p") as p:
        with p.while_(n < 3):
            p.do("up", n.inc())
        with p.until(n.is_(5)):
            p.do("up again", n.inc())
        p.do("back", n.set(0))
    m.can_always_finish("ends", n.is_(5))
    m.reachable("three", n.is_(3))
    assert outcome(m, "three") is Outcome.HOLDS
    assert explore(m.compile()).statistics.depth == 13


def test_wait_blocks_and_names_its_place() -> None:
    """A wait that is never satisfied is a deadlock at the place it names."""
    m = Model("wait")
    go = m.bool("go")
    with m.thread("p") as p:
        p.wait("for go", go)
    m.no_deadlock()
    m.reachable("arrives", p.at("for go"))
    verdicts = explore(m.compile()).verdicts
    assert verdicts["no deadlock"].outcome is Outcome.VIOLATED
    assert verdicts["arrives"].outcome is Outcome.NEVER_ASKED


def test_final_states_are_no_deadlocks() -> None:
    """Where the model says it may rest, it may."""
    m = Model("final")
    x = m.bool("x")
    with m.thread("p") as p:
        p.do("steps")
        p.wait("for x", x)
    m.no_deadlock()
    assert outcome(m, "no deadlock") is Outcome.VIOLATED
    m.final(p.at("for x"))
    assert outcome(m, "no deadlock") is Outcome.HOLDS


def coroutine_model(enter_twice: bool = False) -> Model:
    """A coroutine that yields once and ends."""
    m = Model("coroutine")
    n = m.int("n", 0, 3)
    co = m.coroutine("co")
    with co as c:
        c.do("first half", n.set(1))
        c.yield_("half way")
        c.do("second half", n.set(2))
    with m.thread("p") as p:
        p.enter(co)
        p.do("between", n.inc(), when=co.at("half way"))
        p.enter(co)
        if enter_twice:
            p.enter(co)
        p.do("after", n.set(3))
    m.reachable("order", n.is_(3))
    return m


def test_the_enterer_waits_until_the_coroutine_yields_or_ends() -> None:
    """Control goes in, comes back at the yield, and the coroutine goes on where it was."""
    result = explore(coroutine_model().compile())
    assert result.verdicts["order"].outcome is Outcome.HOLDS
    assert (result.statistics.states, result.statistics.depth) == (8, 7)


def test_entering_and_yielding_have_the_languages_own_words() -> None:
    """No model is taken for QEMU: without a label the steps are called `enter co` and `yield (half way)`; a label of its own is kept."""
    own = {part.label for action in coroutine_model().compile().actions for part in action.parts}
    assert {"enter co", "yield (half way)"} <= own
    m = Model("named")
    with m.coroutine("co") as c:
        c.yield_("there", "goes to sleep")
    with m.thread("p") as p:
        p.enter(c, "wakes it")
    labels = {part.label for action in m.compile().actions for part in action.parts}
    assert {"wakes it", "goes to sleep"} <= labels and not any("qemu" in label for label in labels)


def test_two_yields_that_lead_to_one_place_keep_their_names_apart() -> None:
    """A coroutine that yielded in one branch is not taken to have yielded in the other."""
    m = Model("two yields")
    which = m.bool("which")
    co = m.coroutine("co")
    with co as c, c.loop():
        with c.when(which, "which"):
            c.yield_("left")
        with c.otherwise():
            c.yield_("right")
    with m.thread("p") as p:
        p.enter(co)
        p.do("done", when=co.at("right"))
    m.always("not both", ~(co.at("left") & co.at("right")))
    m.reachable("right", co.at("right"))
    m.always("never left", ~co.at("left"))
    assert {v.outcome for v in explore(m.compile()).verdicts.values()} == {Outcome.HOLDS}


def test_entering_an_ended_coroutine_is_an_error_of_the_model() -> None:
    """It is neither ignored nor a deadlock."""
    assert "co is running or has ended" in entered_once(coroutine_model(enter_twice=True))


def test_entering_a_running_coroutine_is_an_error_of_the_model() -> None:
    """A coroutine cannot enter itself through another one."""
    m = Model("recursion")
    a, b = m.coroutine("a"), m.coroutine("b")
    with a as p:
        p.enter(b)
    with b as p:
        p.enter(a)
    with m.thread("main") as p:
        p.enter(a)
    assert "a is running or has ended" in entered_once(m)


def entered_once(m: Model) -> str:
    """How it is violated that coroutines are entered once."""
    verdict = explore(m.compile()).verdicts["coroutines entered once"]
    assert verdict.outcome is Outcome.VIOLATED
    return str(verdict.reason)


def test_a_value_out_of_range_names_variable_action_and_line() -> None:
    """Never a wrap."""
    m = Model("overflow")
    n = m.int("n", 0, 2)
    with m.thread("p") as p, p.loop():
        p.do("count up", n.inc())
    reason = str(explore(m.compile()).verdicts["values in range"].reason)
    assert re.search(r"count up: n would become n \+ 1, outside 0..2 \(.*test_language.py:\d+\)", reason)


def test_a_passed_bound_is_unknown_not_violated() -> None:
    """What lies beyond the bound was not looked at; a violation before it still counts."""
    m = Model("bounded")
    n = m.int("n", 0, 3)
    with m.thread("p") as p:
        p.do("one", n.set(1))
        with p.when(n.is_(1)):
            p.bound("nested polls")
    m.always("small", n < 2)
    m.always("zero", n < 1)
    verdicts = explore(m.compile()).verdicts
    assert verdicts["small"].outcome is Outcome.UNKNOWN
    assert "nested polls" in str(verdicts["small"].reason)
    assert verdicts["zero"].outcome is Outcome.VIOLATED


def test_abort_stops_every_process() -> None:
    """After an abort nothing moves, and that is no deadlock."""
    m = Model("abort")
    n = m.int("n", 0, 1)
    with m.thread("p") as p:
        p.abort("assertion fails")
    with m.thread("q") as q:
        q.do("works", n.set(1))
    m.no_deadlock()
    m.reachable("stopped before q", m.halted & n.is_(0))
    m.always("alive", ~m.halted)
    verdicts = explore(m.compile()).verdicts
    assert [verdicts[name].outcome.value for name in ("no deadlock", "stopped before q", "alive")] == [
        "holds",
        "holds",
        "violated",
    ]


def test_a_check_is_violated_by_the_step_that_passes_it() -> None:
    """The counterexample ends with that step."""
    m = Model("check")
    n = m.int("n", 0, 3)
    with m.thread("p") as p, p.loop(), p.atomic():
        p.check("below two", n < 2)
        p.do("up", n.set(ite(n < 3, n + 1, n)))
    verdict = check(m.compile(), "below two")
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.trace is not None and len(verdict.trace.actions) == 3


def test_call_frames_and_marks_reach_the_action() -> None:
    """Every part knows its call stack, its mark and its source line."""
    m = Model("frames")
    x = m.bool("x")
    with m.thread("p") as p, p.call("outer", numbered=True), p.call("inner"):
        p.do("work", x.set(), mark="a")
    (part,) = m.compile().actions[0].parts
    assert (tuple(map(str, part.frames)), part.opens, part.mark, part.label) == (("outer #", "inner"), 0, "a", "work")
    assert part.line.file.endswith("test_language.py")


def switch(*updates: Update, on: BoolVar, m: Model, when: BoolExpr = TRUE) -> TransitionSystem:
    """A model whose only step turns a switch, and does something beside it."""
    with m.thread("p") as p, p.loop():
        p.do("turn", on.set(~on), *updates, when=when)
    return m.compile()


def switch_with_a_lock(exists: bool) -> TransitionSystem:
    """The switch is turned where a lock is free and a counter small; both change with it."""
    m = Model("switch")
    on, n, lock = m.bool("on"), m.int("n", 0, 3, exists=exists), m.enum("lock", "free", "taken", exists=exists)
    return switch(n.inc(), lock.set("taken"), on=on, m=m, when=lock.is_("free") & (n < 2))


def test_an_absent_variable_folds_away_and_its_updates_are_dropped() -> None:
    """The system, and what its steps say they write, is that of a model that never names the variable; one that exists makes another."""
    m = Model("switch")
    without, absent = switch(on=m.bool("on"), m=m), switch_with_a_lock(exists=False)
    assert absent.digest == without.digest != switch_with_a_lock(exists=True).digest
    assert absent.actions[0].parts[0].writes == ("on",)


def test_the_name_of_a_choice_is_carried_along_and_means_nothing() -> None:
    """It stands in the part, and the system is that without it."""

    def one_step(choice: str) -> TransitionSystem:
        m = Model("choice")
        with m.thread("p") as p:
            p.do("step", m.bool("x").set(), choice=choice)
        return m.compile()

    assert one_step("left").actions[0].parts[0].choice == "left"
    assert one_step("left").digest == one_step("").digest


def test_count_and_constants_fold() -> None:
    """A condition that is decided while building leaves nothing behind."""
    m = Model("fold")
    x, n = m.bool("x"), m.int("n", 0, 3)
    assert all_(x, TRUE) is x
    assert all_(x, ~x) is FALSE
    assert any_(x, ~x) is TRUE
    assert (n < 4) is TRUE
    assert n.is_(7) is FALSE
    assert str(count(x, TRUE)) == "(1 if x else 0) + 1"


def example(page: str, left_out: str = "") -> dict[str, Callable[..., Model]]:
    """What the example of a page defines, without one of its lines."""
    text = (Path(__file__).parents[2] / page).read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Callable[..., Model]] = {}
    exec("".join(line for line in code.splitlines(keepends=True) if not left_out or left_out not in line), names)
    return names


def violated(model: Model) -> list[str]:
    """The properties of a model that do not hold."""
    found = draincheck.check(model).findings
    return [finding.name for finding in found if finding.outcome is not Outcome.HOLDS]


def test_the_example_of_the_language_holds_and_needs_its_fairness() -> None:
    """Every property of it is decided; without the line that keeps main from starving, the monitor goes round for ever."""
    assert violated(example("LANGUAGE.md")["build"]()) == []
    assert violated(example("LANGUAGE.md", left_out="m.fair(main)")["build"]()) == ["drained in the end"]


def test_the_example_has_the_bugs_that_are_told_of_it() -> None:
    """Counted late, a request runs in a section; counted before it waits, nothing moves any more; both at once are right."""
    queue_resume = example("CONTRIBUTING.md")["queue_resume"]
    assert violated(queue_resume()) == ["no request in a drained section"]
    assert violated(queue_resume(count="early")) == ["no deadlock"]
    assert violated(queue_resume(count="at once")) == []


@pytest.mark.parametrize(
    ("text", "labels"), [("", {"x < 2", "not (x < 2)", "up"}), ("room", {"not room", "room", "up"})]
)
def test_a_test_is_called_by_what_it_asks(text: str, labels: set[str]) -> None:
    """And by what it would be otherwise; without two negations."""
    m = Model("m")
    x = m.int("x", 0, 3)
    with m.thread("t") as p, p.while_(x < 2, text):
        p.do("up", x.inc())
    assert {action.name for action in m.compile().actions} == labels


def test_a_negated_test_is_called_by_what_it_asks() -> None:
    """The answer no is that the condition itself holds."""
    m = Model("m")
    x = m.bool("x")
    with m.thread("t") as p:
        with p.when(~x):
            p.do("up", x.set())
    assert {action.name for action in m.compile().actions} == {"not x", "x", "up"}
