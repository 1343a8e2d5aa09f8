"""Which steps of a trace a drawing shows."""

from __future__ import annotations

from msgspec.structs import replace

from draincheck.errors import SourceLine
from draincheck.expr import FALSE
from draincheck.report.arrows import Arrow, ArrowKind
from draincheck.report.folding import folded
from draincheck.report.lanes import Lanes, lanes_of
from draincheck.run import Run
from draincheck.system import Check
from tests.support.scripted import AIO, EVENTFD, IN_FLIGHT, LOOP, Do, Script


def scripted() -> Lanes:
    """Ten steps: 3 has a mark, 5 and 7 change something, 9 has nothing to say."""
    script = Script()
    for number in range(1, 11):
        updates = {5: (EVENTFD.set(),), 7: (IN_FLIGHT.inc(),)}.get(number, ())
        script.step("p", Do("" if number == 9 else "step", LOOP, updates=updates, mark="m" if number == 3 else ""))
    return lanes_of(Run.of(*script.trace()))


def numbers(lanes: Lanes, most: int, short: bool = False) -> list[int]:
    """The steps that are drawn."""
    return [step.number for step in folded(lanes, most, short).steps]


def test_all_of_which_there_is_something_to_say_are_drawn() -> None:
    """If they are not too many."""
    fold = folded(scripted(), 9)
    assert [step.number for step in fold.steps] == [1, 2, 3, 4, 5, 6, 7, 8, 10]
    assert (fold.total, fold.left_out) == (0, {})


def test_of_too_many_the_heaviest_are() -> None:
    """A mark, the first and the last step weigh more than a change, and that more than nothing; of equal ones the later."""
    lanes = scripted()
    assert numbers(lanes, 8) == [1, 3, 4, 5, 6, 7, 8, 10]
    assert numbers(lanes, 5) == [1, 3, 5, 7, 10]
    assert numbers(lanes, 4) == [1, 3, 7, 10]
    assert numbers(lanes, 2) == [3, 10]


def test_a_short_trace_has_none_that_weighs_nothing() -> None:
    """However much room there is."""
    assert numbers(scripted(), 9, short=True) == [1, 3, 5, 7, 10]


def test_gaps_are_counted() -> None:
    """Each before the step that comes next; steps that say nothing are missed by nobody."""
    fold = folded(scripted(), 5)
    assert fold.left_out == {3: 1, 5: 1, 7: 1, 10: 1}
    assert fold.total == 4


def test_rounds_begin_where_they_are_seen_to() -> None:
    """With the first step of the band that is drawn; those of which none is drawn do not."""
    rounds = folded(scripted(), 4).rounds
    assert {number: [band.name for band in bands] for number, bands in rounds.items()} == {
        number: [f"main_loop_wait # {number}"] for number in (1, 3, 7, 10)
    }


def test_a_round_begins_with_a_step_of_its_thread() -> None:
    """Not with one of somebody who interrupts it."""
    script = Script()
    script.step("main", Do("goes round", LOOP))
    script.step("main", Do("goes on", LOOP, len(LOOP)))
    script.step("guest", Do("kicks", updates=(EVENTFD.set(),)))
    script.step("main", Do("ends", LOOP, len(LOOP)))
    lanes = lanes_of(Run.of(*script.trace()))
    (band,) = lanes.bands
    late = Lanes(lanes.lanes, lanes.steps, (replace(band, first=3),), (), (), {}, None, lanes.ending)
    assert {number: bands[0].last for number, bands in folded(late, 4).rounds.items()} == {4: 4}


def test_a_step_that_breaks_a_check_weighs_more_than_one_that_changes_something() -> None:
    """Also if it changes nothing."""
    script = Script()
    script.step("p", Do("first"))
    script.step("p", Do("breaks"), checks=(Check("never", FALSE, SourceLine("demo.py", 1)),))
    script.step("p", Do("changes", updates=(EVENTFD.set(),)))
    script.step("p", Do("last"))
    assert numbers(lanes_of(Run.of(*script.trace())), 3) == [1, 2, 4]


def test_arrows_lead_from_and_to_steps_that_are_drawn() -> None:
    """Control that is given back to the next of these, others only where both are; what a process leaves for itself is no arrow."""
    script = Script()
    for process, label, frames in (
        ("main", "a", LOOP),
        ("co", "b", LOOP),
        ("main", "", LOOP),
        ("main", "c", AIO),
        ("main", "d", LOOP),
    ):
        script.step(process, Do(label, frames))
    lanes = lanes_of(Run.of(*script.trace()))
    arrows = (
        Arrow(ArrowKind.ENTER, 1, 2, ("co",)),
        Arrow(ArrowKind.HANDOVER, 2, 3, ("x",)),
        Arrow(ArrowKind.BACK, 2, 3, ("co",)),
        Arrow(ArrowKind.HANDOVER, 2, 5, ("z",)),
        Arrow(ArrowKind.BACK, 2, 5, ("co",)),
        Arrow(ArrowKind.HANDOVER, 4, 5, ("y",)),
    )
    given = Lanes(lanes.lanes, lanes.steps, (), (), arrows, {}, None, lanes.ending)
    assert [(arrow.kind, arrow.start, arrow.end) for arrow in folded(given, 5).arrows] == [
        (ArrowKind.ENTER, 1, 2),
        (ArrowKind.BACK, 2, 4),
        (ArrowKind.HANDOVER, 2, 5),
        (ArrowKind.BACK, 2, 5),
    ]
