"""Traces for Perfetto: tracks with slices that nest, arrows between them, what is wrong at its time."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from draincheck.report import perfetto
from draincheck.report.lanes import lanes_of
from draincheck.report.perfetto import STEP, trace_in_perfetto
from tests.support.perfetto import Event, events_in, faults, slices
from tests.support.runs import RUNS, of_code_base


def written(name: str) -> list[Event]:
    """The events of a run."""
    return events_in(trace_in_perfetto(*RUNS[name]()))


@pytest.mark.parametrize("name", RUNS)
def test_slices_nest_arrows_are_paired_and_time_runs_forward(name: str) -> None:
    """Whatever the run is, and whatever names are."""
    assert faults(written(name)) == []


def test_every_lane_is_a_track_and_every_part_a_slice() -> None:
    """With its name, its source, and what it changed."""
    run, about = of_code_base()
    events = events_in(trace_in_perfetto(run, about))
    lanes = lanes_of(run, about)
    names = [e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"]
    assert [name.partition(" (")[0] for name in names] == [lane.name for lane in lanes.lanes]
    parts = [e for track in slices(events).values() for e in track if "step" in e["args"]]
    assert len(parts) == sum(len(step.events) for step in lanes.steps)
    (switch,) = [e for e in parts if e["name"] == "the disk is the target now"]
    assert switch["args"]["root"] == "target"
    assert switch["args"]["source"].startswith("draincheck/qemu/mirror_exit.py:")
    assert 42 * STEP <= switch["ts"] < 43 * STEP


def test_calls_are_slices_around_what_is_done_in_them() -> None:
    """A round of the loop holds what takes place in it, and so on each track."""
    tracks = slices(written("mirror"))
    (track,) = [
        found for found in tracks.values() if any("(b)" in e["name"] or "blk_aio_writev" in e["name"] for e in found)
    ]
    (submit,) = [e for e in track if e["name"].startswith("blk_aio_writev")]
    around = [
        e["name"] for e in track if e["ts"] <= submit["ts"] and e["ts"] + e["dur"] >= submit["ts"] + submit["dur"]
    ]
    assert around[0] == "main_loop_wait # 3"
    assert around[-2:] == ["virtio_blk_submit_multireq", submit["name"]]


def test_a_coroutine_has_its_own_calls_on_its_track() -> None:
    """Those of whoever entered it are on another one."""
    tracks = slices(written("mirror"))
    (track,) = [found for found in tracks.values() if any(e["name"] == "mirror_run" for e in found)]
    assert track[0]["name"] == "mirror_run"
    assert not [e for e in track if e["name"].startswith("main_loop_wait")]


def test_arrows_lead_from_scheduling_a_bottom_half_to_its_dispatch() -> None:
    """The exit is scheduled in step 35 by the coroutine, and runs in step 42."""
    events = written("mirror")
    begin, end = [e for e in events if e["ph"] in "sf" and e["name"].endswith("exit BH")]
    assert (begin["ph"], begin["ts"], end["ph"], end["ts"]) == ("s", 35 * STEP, "f", 42 * STEP)
    assert begin["tid"] != end["tid"]


def test_what_is_wrong_is_an_instant_and_the_window_a_span() -> None:
    """Over all tracks; marks stand on their own."""
    events = written("mirror")
    (wrong,) = [e for e in events if e["ph"] == "i" and e["s"] == "g"]
    assert (wrong["name"], wrong["ts"]) == ("violated: S4", 43 * STEP)
    begin, end = [e for e in events if e["ph"] in "be"]
    assert (begin["ts"], end["ts"]) == (23 * STEP, 43 * STEP)
    assert [e["name"] for e in events if e["ph"] == "i" and e["s"] == "t"] == ["(w)", "(b)", "(a)", "(c)"]


def test_numbers_are_counters() -> None:
    """From the beginning, and wherever they change."""
    events = [e for e in written("mirror") if e["ph"] == "C" and e["name"] == "quiesce_counter"]
    assert [(e["ts"], e["args"]["value"]) for e in events] == [(STEP, 0), (24 * STEP, 1), (43 * STEP, 0)]


BREAKS: dict[str, Callable[[Event], Event | None]] = {
    "not nested": lambda e: {**e, "dur": e["dur"] + 7} if e["ph"] == "X" and "step" in e["args"] else e,
    "not paired": lambda e: None if e["ph"] == "f" and e["id"] == 3 else e,
    "bound to nothing": lambda e: {**e, "ts": e["ts"] + 10**9} if e["ph"] == "f" else e,
    "without a name": lambda e: None if e["ph"] == "M" else e,
    "malformed": lambda e: {**e, "ts": 0.5} if e["ph"] == "X" else e,
}


@pytest.mark.parametrize("fault", BREAKS)
def test_the_checker_sees_what_is_wrong(fault: str) -> None:
    """Negative controls."""
    broken = [changed for event in written("mirror") if (changed := BREAKS[fault](event)) is not None]
    assert any(found.startswith(fault) for found in faults(broken))


def test_a_broken_escaper_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: halves of characters reach the file otherwise, which no program of another language reads."""
    assert "\\ud800" not in json.dumps(written("nasty")).replace("\\\\ud800", "")
    monkeypatch.setattr(perfetto, "harmless", lambda text: text)
    assert "\\ud800" in json.dumps(written("nasty")).replace("\\\\ud800", "")
