"""A family of models that grows as fast as anybody likes: an event loop, devices with request slots, and for each a job that drains it.

    check-invariants check benchmarks/event_loop_family.py:event_loop --set devices=3
    check-invariants check benchmarks/event_loop_family.py:event_loop --set buggy=true
    check-invariants check benchmarks/event_loop_family.py:event_loop --set devices=4 --set alike=true

| devices | slots | states | transitions | depth |
| --- | --- | --- | --- | --- |
| 2 | 2 | 9,761 | 49,895 | 20 |
| 3 | 2 | 578,509 | 4,161,720 | 28 |
| 5 | 1 | 2,495,505 | 19,936,264 | 34 |
| 4 | 2 | 35,167,121 | 326,873,269 | 36 |

These are all of them (`--reductions none`). With devices, and the slots of each, interchangeable, and the steps that commute with all others taken at
once (`alike=true`), as `check` does it from 40,000 states on:

| devices | slots | symmetry | confluence | both |
| --- | --- | --- | --- | --- |
| 2 | 2 | 2,002 | 2,197 | 522 |
| 3 | 2 | 26,158 | 76,895 | 4,416 |
| 5 | 1 | 37,485 | 471,293 | 8,190 |
| 4 | 2 | 267,905 | 2,770,417 | 29,736 |

Each thread has one step, and takes it whenever it can. The buggy loop dispatches a device whose external events are disabled.
"""

from __future__ import annotations

from collections.abc import Sequence

from draincheck.lang import BoolExpr, EnumVar, Model, Update, all_, any_, ite

REQUEST = "idle", "queued", "in flight", "done"
JOB = "runs", "drains", "has deferred", "exits"


def step(m: Model, label: str, when: BoolExpr, *updates: Update) -> None:
    """A thread that does one thing again and again, where it can."""
    with m.thread(label) as p, p.loop():
        p.do(label, *updates, when=when)


def event_loop(devices: int = 2, slots: int = 2, buggy: bool = False, alike: bool = False) -> Model:
    """The loop with so many devices of so many slots each, which it may call alike."""
    m = Model(f"event loop, {devices} devices of {slots} slots")
    loop = m.enum("loop", "polls", "dispatches", "runs bottom halves")
    requests = [[m.enum(f"request {d}.{s}", *REQUEST) for s in range(slots)] for d in range(devices)]
    efd = [m.bool(f"eventfd {d}") for d in range(devices)]
    ready = [m.bool(f"ready {d}") for d in range(devices)]
    bottom_half = [m.bool(f"bottom half {d}") for d in range(devices)]
    jobs = [m.enum(f"job {d}", *JOB) for d in range(devices)]
    disabled = [m.int(f"external disable count {d}", 0, 3) for d in range(devices)]
    polled = [ready[d].set(efd[d] & disabled[d].is_(0)) for d in range(devices)]
    step(m, "poll", loop.is_("polls"), loop.set("dispatches"), *polled)
    for d in range(devices):
        here = loop.is_("dispatches") & ready[d]
        started = [r.to(ite(r.is_("queued"), r.named("in flight"), r)) for r in requests[d]]
        if buggy:
            step(m, f"dispatch {d}", here, ready[d].clear(), efd[d].clear(), *started)
        else:
            enabled = disabled[d].is_(0)
            step(m, f"dispatch {d}", here & enabled, ready[d].clear(), efd[d].clear(), *started)
            step(m, f"skip {d}", here & ~enabled, ready[d].clear())
        runs = loop.is_("runs bottom halves") & bottom_half[d]
        step(m, f"bottom half {d}", runs, bottom_half[d].clear(), jobs[d].set("exits"))
        step(m, f"begin of drain {d}", jobs[d].is_("runs"), jobs[d].set("drains"), disabled[d].inc())
        drained = jobs[d].is_("drains") & ~in_flight(requests[d])
        step(m, f"drained {d}", drained, jobs[d].set("has deferred"), bottom_half[d].set())
        step(m, f"exit {d}", jobs[d].is_("exits"), jobs[d].set("runs"), disabled[d].dec())
        for s, request in enumerate(requests[d]):
            step(m, f"submit {d}.{s}", request.is_("idle"), request.set("queued"), efd[d].set())
            step(m, f"complete {d}.{s}", request.is_("in flight"), request.set("done"))
            step(m, f"reap {d}.{s}", request.is_("done"), request.set("idle"))
    step(m, "dispatched", loop.is_("dispatches") & ~any_(*ready), loop.set("runs bottom halves"))
    step(m, "again", loop.is_("runs bottom halves") & ~any_(*bottom_half), loop.set("polls"))
    quiet = [jobs[d].is_("exits").implies(~in_flight(requests[d])) for d in range(devices)]
    m.always("nothing in flight when a job exits", all_(*quiet))
    if alike:
        slots_alike = [m.interchangeable(*([request] for request in requests[d])) for d in range(devices)]
        m.interchangeable(*zip(efd, ready, bottom_half, jobs, disabled, slots_alike, strict=True))
    return m


def in_flight(requests: Sequence[EnumVar]) -> BoolExpr:
    """Whether any of some requests is."""
    return any_(*(request.is_("in flight") for request in requests))
