"""The models in Promela, as spin likes them: one process, whose loop takes one step of many at once.

An error is a step of its own that is possible where the invariant is broken: it adds neither states nor steps where that holds.
"""

from __future__ import annotations

__all__ = ["event_loop", "narrow"]

_LOOP = """\
/* An event loop, DEVICES devices with SLOTS request slots each, and for each device a job that drains it. */
#define SLOTS {slots}
#define DEVICES {devices}

mtype = {{ POLLS, DISPATCHES, RUNS_BOTTOM_HALVES }}
mtype:request = {{ IDLE, QUEUED, IN_FLIGHT, DONE }}
mtype:job = {{ RUNS, DRAINS, HAS_DEFERRED, EXITS }}

mtype loop = POLLS;
mtype:request request[DEVICES * SLOTS] = IDLE;
mtype:job job[DEVICES] = RUNS;
bit eventfd[DEVICES], ready[DEVICES], bottom_half[DEVICES];
byte disabled[DEVICES];

#define SLOT(d, s) request[d * SLOTS + s]
#define START(r) r = (r == QUEUED -> IN_FLIGHT : r)
#define POLL(d) ready[d] = eventfd[d] && disabled[d] == 0

#define IN_FLIGHT_ON(d) ({in_flight})
#define ANY_READY ({any_ready})
#define ANY_BOTTOM_HALF ({any_bottom_half})

active proctype everybody() {{
    do
    :: d_step {{ loop == POLLS -> loop = DISPATCHES; {polls} }}
    :: d_step {{ loop == DISPATCHES && !ANY_READY -> loop = RUNS_BOTTOM_HALVES }}
    :: d_step {{ loop == RUNS_BOTTOM_HALVES && !ANY_BOTTOM_HALF -> loop = POLLS }}
{devices_steps}
    od
}}
"""

_DEVICE = """\
    :: d_step {{ loop == DISPATCHES && ready[{d}] && disabled[{d}] == 0 -> ready[{d}] = 0; eventfd[{d}] = 0; {starts} }}
    :: d_step {{ loop == DISPATCHES && ready[{d}] && disabled[{d}] != 0 -> ready[{d}] = 0 }}
    :: d_step {{ loop == RUNS_BOTTOM_HALVES && bottom_half[{d}] -> bottom_half[{d}] = 0; job[{d}] = EXITS }}
    :: d_step {{ job[{d}] == RUNS -> job[{d}] = DRAINS; disabled[{d}]++ }}
    :: d_step {{ job[{d}] == DRAINS && !IN_FLIGHT_ON({d}) -> job[{d}] = HAS_DEFERRED; bottom_half[{d}] = 1 }}
    :: d_step {{ job[{d}] == EXITS -> job[{d}] = RUNS; disabled[{d}]-- }}
    :: d_step {{ job[{d}] == EXITS && IN_FLIGHT_ON({d}) -> assert(false) }}"""

_SLOT = """\
    :: d_step {{ SLOT({d}, {s}) == IDLE -> SLOT({d}, {s}) = QUEUED; eventfd[{d}] = 1 }}
    :: d_step {{ SLOT({d}, {s}) == IN_FLIGHT -> SLOT({d}, {s}) = DONE }}
    :: d_step {{ SLOT({d}, {s}) == DONE -> SLOT({d}, {s}) = IDLE }}"""

_NARROW = """\
/* Somebody counts, and somebody else sets a flag at some time. */
short counter;
bit flag;

active proctype everybody() {{
end:do
    :: d_step {{ counter < {last} -> counter++ }}
    :: d_step {{ !flag -> flag = 1 }}
    :: d_step {{ counter > {last} -> assert(false) }}
    od
}}
"""


def event_loop(devices: int, slots: int) -> str:
    """The loop with so many devices of so many slots each."""
    steps = [
        text.format(d=d, s=s, starts="; ".join(f"START(SLOT({d}, {each}))" for each in range(slots)))
        for d in range(devices)
        for s, text in [(0, _DEVICE), *((s, _SLOT) for s in range(slots))]
    ]
    return _LOOP.format(
        devices=devices,
        slots=slots,
        in_flight=" || ".join(f"SLOT(d, {s}) == IN_FLIGHT" for s in range(slots)),
        any_ready=" || ".join(f"ready[{d}]" for d in range(devices)),
        any_bottom_half=" || ".join(f"bottom_half[{d}]" for d in range(devices)),
        polls="; ".join(f"POLL({d})" for d in range(devices)),
        devices_steps="\n".join(steps),
    )


def narrow(last: int) -> str:
    """A counter up to a number, and a flag."""
    return _NARROW.format(last=last)
