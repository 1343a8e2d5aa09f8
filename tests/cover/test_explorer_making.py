"""The document as a whole: what shares a system, what stands in it where time ends, verdicts of every kind, runs that end in every way."""

from __future__ import annotations

import pytest

from draincheck import budget
from draincheck.budget import Limits, interrupt, running
from draincheck.checking import Finding, Result, check
from draincheck.errors import OutOfBudget
from draincheck.explorer.document import ExplorerDocument, Opening
from draincheck.explorer.examined import Examined
from draincheck.explorer.making import document
from draincheck.explorer.runs import Tone
from draincheck.lang import Model
from draincheck.model_file import ModelFile
from draincheck.reason import Refused
from draincheck.run import Trace
from draincheck.system import TransitionSystem
from draincheck.verdict import Outcome, Verdict
from tests.support.clocks import hurry

__all__ = ["hurry"]


def made(*systems: TransitionSystem, most_states: int = 1000) -> ExplorerDocument:
    """The document about some systems."""
    items = [Examined(subject, check(subject)) for subject in (ModelFile("model.py", "build", s) for s in systems)]
    return told(*items, most_states=most_states)


def told(*items: Examined, most_states: int = 1000) -> ExplorerDocument:
    """The document about subjects that were checked."""
    answer = Opening(Tone.BAD, "an answer", "")
    return document(items, title="t", generator="g", command="c", answer=answer, most_states=most_states)


def counting(name: str = "counts", label: str = "to {}") -> TransitionSystem:
    """A model that counts to five, which it must not."""
    m = Model(name)
    x = m.int("x", 0, 5)
    with m.thread("t") as p:
        for number in range(1, 6):
            p.do(label.format(number), x.set(number))
    m.always("below five", x < 5)
    m.reachable("three", x.is_(3))
    m.final(x.is_(5))
    return m.compile()


def everything() -> TransitionSystem:
    """A model with runs that end in all ways: stuck, in a circle, at a standstill, in an error, at a goal, violated; and a check never asked."""
    m = Model("everything")
    x, y = m.int("x", 0, 3), m.bool("y")
    with m.thread("t") as p, p.either() as choice:
        with choice():
            p.do("sets y", y.set())
            p.wait("never", x.is_(3))
        with choice(), p.loop():
            p.do("down", x.set(0))
            p.do("up", x.set(1))
        with choice():
            p.error("here it ends")
    m.fair(p)
    m.always("no y", ~y)
    m.reachable("two", x.is_(1))
    m.eventually("three", x.is_(3))
    m.no_deadlock()
    m.assertion("unasked")
    m.leads_to("y leads to three", y, x.is_(3))
    return m.compile()


def test_what_cannot_be_told_apart_shares_a_system() -> None:
    """Two subjects with other names and all else alike; another label is another system, though it behaves the same."""
    found = made(counting("one"), counting("two"), counting("three", "step {}"))
    one, two, three = found.subjects
    assert one.system == two.system != three.system
    assert (one.model, two.model) == ("one", "two")
    assert set(found.systems) == {one.system, three.system}


def test_runs_end_in_every_way() -> None:
    """Each with its kind, and a witness is one; what holds and what was never asked has no run."""
    (subject,) = (found := made(everything())).subjects
    system = found.systems[subject.system]
    kinds = {each.property: system.evidence[each.evidence].end.kind for each in subject.evidence}
    outcomes = {system.properties[v.property].name: v.outcome for v in subject.verdicts}
    assert outcomes["unasked"] == "never asked"
    assert outcomes["two"] == "holds"
    assert set(kinds.values()) >= {"violated", "stuck", "error", "reached"}
    assert kinds["three"] in ("loop", "stopped")


def test_who_waits_is_told_where_it_is_the_point() -> None:
    """Of the deadlock, and of no violated invariant."""
    (subject,) = (found := made(everything())).subjects
    waiting = {e.property: found.systems[subject.system].evidence[e.evidence].waiting for e in subject.evidence}
    assert waiting["no y"] is None
    stuck = waiting["no deadlock"]
    assert stuck is not None
    assert any("waits" in text for text, _ in stuck.lines)


def test_where_time_ends_the_runs_stay(hurry: None) -> None:
    """The whole graph is not there, the states that runs pass are, with what comes after each."""
    item = Examined(ModelFile("model.py", "build", counting()), check(counting()))
    with running(Limits(seconds=1.0)):
        (system,) = told(item).systems.values()
    assert system.graph.complete is False
    assert [len(evidence.variants) for evidence in system.evidence] == [5, 3]
    assert "all" not in system.graph.said


def test_who_does_not_wait_gets_nothing() -> None:
    """Ctrl-C ends the making of a document."""
    item = Examined(ModelFile("model.py", "build", counting()), check(counting()))
    with running(Limits()):
        assert interrupt()
        with pytest.raises(OutOfBudget):
            told(item)
    assert not budget.interrupted()


def test_a_run_that_decides_nothing_is_told_as_such() -> None:
    """A trace from a file may stop before its property is violated: it ends open, and nobody says that it could have been kept."""
    system = counting()
    subject = ModelFile("model.py", "build", system)
    item = system.property_named("below five")
    trace = Trace(system.name, system.digest, item.name, system.initial[0], (0, 1))
    finding = Finding(item, Verdict(item.name, Outcome.UNKNOWN, Refused("a trace"), trace))
    found = told(Examined(subject, Result(system, [finding])))
    (evidence,) = found.systems[found.subjects[0].system].evidence
    assert "does not decide" in found.subjects[0].evidence[0].headline
    assert (evidence.end.kind, evidence.turning) == ("open", None)
    assert "does not violate" in evidence.untold


def test_unknown_verdicts_have_no_run() -> None:
    """A search that was stopped is told as such."""
    subject = ModelFile("model.py", "build", counting())
    (told_subject,) = told(Examined(subject, check(subject, limits=Limits(states=2)))).subjects
    assert {verdict.outcome for verdict in told_subject.verdicts} == {"unknown"}
    assert (told_subject.tone, told_subject.evidence) == (Tone.UNKNOWN, ())


def test_a_result_that_knows_less_does_not_stand_for_one_that_knows_more() -> None:
    """Two checks of one system, of which one was stopped: each has its own runs."""
    subject = ModelFile("model.py", "build", counting())
    less, more = (Examined(subject, check(subject, limits=Limits(states=states))) for states in (2, None))
    found = told(less, more)
    assert [len(each.evidence) for each in found.subjects] == [0, 2]


def test_the_worst_comes_first() -> None:
    """Violations before witnesses; of violations those of the lowest rank, then the shortest."""
    m = Model("two")
    x = m.int("x", 0, 3)
    with m.thread("t") as p:
        for number in (1, 2, 3):
            p.do(f"to {number}", x.set(number))
    m.always("below two", x < 2)
    m.always("below three", x < 3)
    m.reachable("one", x.is_(1))
    m.final(x.is_(3))
    subject = ModelFile("model.py", "build", m.compile())
    result = check(subject)
    plain, ranked = Examined(subject, result), Examined(subject, result, lambda name: name != "below three")
    assert [each.findings[0].name for each in plain.shown()] == ["below two", "below three", "one"]
    assert [each.findings[0].name for each in ranked.shown()] == ["below three", "below two", "one"]
