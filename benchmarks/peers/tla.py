"""The models in TLA+, as TLC reads it: a module, and what TLC wants to be told about it."""

from __future__ import annotations

__all__ = ["CONFIGURATION", "event_loop", "narrow"]

#: the same for each model
CONFIGURATION = """\
INIT Init
NEXT Next
INVARIANT Fine
"""

_LOOP = """\
---------------------------- MODULE model ----------------------------
(* An event loop, devices with request slots, and for each device a job that drains it. *)
EXTENDS Integers

Devices == 1 .. {devices}
Slots == 1 .. {slots}

VARIABLES loop, request, eventfd, ready, bottomHalf, job, disabled
vars == <<loop, request, eventfd, ready, bottomHalf, job, disabled>>

Init ==
    /\\ loop = "polls"
    /\\ request = [d \\in Devices |-> [s \\in Slots |-> "idle"]]
    /\\ eventfd = [d \\in Devices |-> FALSE]
    /\\ ready = [d \\in Devices |-> FALSE]
    /\\ bottomHalf = [d \\in Devices |-> FALSE]
    /\\ job = [d \\in Devices |-> "runs"]
    /\\ disabled = [d \\in Devices |-> 0]

Busy(d) == \\E s \\in Slots : request[d][s] = "in flight"

Poll ==
    /\\ loop = "polls"
    /\\ loop' = "dispatches"
    /\\ ready' = [d \\in Devices |-> eventfd[d] /\\ disabled[d] = 0]
    /\\ UNCHANGED <<request, eventfd, bottomHalf, job, disabled>>

Dispatch(d) ==
    /\\ loop = "dispatches" /\\ ready[d] /\\ disabled[d] = 0
    /\\ ready' = [ready EXCEPT ![d] = FALSE]
    /\\ eventfd' = [eventfd EXCEPT ![d] = FALSE]
    /\\ request' = [request EXCEPT ![d] = [s \\in Slots |-> IF @[s] = "queued" THEN "in flight" ELSE @[s]]]
    /\\ UNCHANGED <<loop, bottomHalf, job, disabled>>

Skip(d) ==
    /\\ loop = "dispatches" /\\ ready[d] /\\ disabled[d] # 0
    /\\ ready' = [ready EXCEPT ![d] = FALSE]
    /\\ UNCHANGED <<loop, request, eventfd, bottomHalf, job, disabled>>

Dispatched ==
    /\\ loop = "dispatches" /\\ \\A d \\in Devices : ~ready[d]
    /\\ loop' = "runs bottom halves"
    /\\ UNCHANGED <<request, eventfd, ready, bottomHalf, job, disabled>>

BottomHalf(d) ==
    /\\ loop = "runs bottom halves" /\\ bottomHalf[d]
    /\\ bottomHalf' = [bottomHalf EXCEPT ![d] = FALSE]
    /\\ job' = [job EXCEPT ![d] = "exits"]
    /\\ UNCHANGED <<loop, request, eventfd, ready, disabled>>

Again ==
    /\\ loop = "runs bottom halves" /\\ \\A d \\in Devices : ~bottomHalf[d]
    /\\ loop' = "polls"
    /\\ UNCHANGED <<request, eventfd, ready, bottomHalf, job, disabled>>

BeginOfDrain(d) ==
    /\\ job[d] = "runs"
    /\\ job' = [job EXCEPT ![d] = "drains"]
    /\\ disabled' = [disabled EXCEPT ![d] = @ + 1]
    /\\ UNCHANGED <<loop, request, eventfd, ready, bottomHalf>>

Drained(d) ==
    /\\ job[d] = "drains" /\\ ~Busy(d)
    /\\ job' = [job EXCEPT ![d] = "has deferred"]
    /\\ bottomHalf' = [bottomHalf EXCEPT ![d] = TRUE]
    /\\ UNCHANGED <<loop, request, eventfd, ready, disabled>>

Exit(d) ==
    /\\ job[d] = "exits"
    /\\ job' = [job EXCEPT ![d] = "runs"]
    /\\ disabled' = [disabled EXCEPT ![d] = @ - 1]
    /\\ UNCHANGED <<loop, request, eventfd, ready, bottomHalf>>

Submit(d, s) ==
    /\\ request[d][s] = "idle"
    /\\ request' = [request EXCEPT ![d][s] = "queued"]
    /\\ eventfd' = [eventfd EXCEPT ![d] = TRUE]
    /\\ UNCHANGED <<loop, ready, bottomHalf, job, disabled>>

Moves(d, s, before, after) ==
    /\\ request[d][s] = before
    /\\ request' = [request EXCEPT ![d][s] = after]
    /\\ UNCHANGED <<loop, eventfd, ready, bottomHalf, job, disabled>>

Next ==
    \\/ Poll \\/ Dispatched \\/ Again
    \\/ \\E d \\in Devices :
        \\/ Dispatch(d) \\/ Skip(d) \\/ BottomHalf(d) \\/ BeginOfDrain(d) \\/ Drained(d) \\/ Exit(d)
        \\/ \\E s \\in Slots : Submit(d, s) \\/ Moves(d, s, "in flight", "done") \\/ Moves(d, s, "done", "idle")

Fine == \\A d \\in Devices : job[d] = "exits" => ~Busy(d)
======================================================================
"""

_NARROW = """\
---------------------------- MODULE model ----------------------------
(* Somebody counts, and somebody else sets a flag at some time. *)
EXTENDS Integers

VARIABLES counter, flag

Init == counter = 0 /\\ flag = FALSE
Count == counter < {last} /\\ counter' = counter + 1 /\\ UNCHANGED flag
Set == ~flag /\\ flag' = TRUE /\\ UNCHANGED counter
Next == Count \\/ Set
Fine == counter <= {last}
======================================================================
"""


def event_loop(devices: int, slots: int) -> str:
    """The loop with so many devices of so many slots each."""
    return _LOOP.format(devices=devices, slots=slots)


def narrow(last: int) -> str:
    """A counter up to a number, and a flag."""
    return _NARROW.format(last=last)
