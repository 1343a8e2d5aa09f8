"""The models in Murphi's language, as Rumur reads it."""

from __future__ import annotations

__all__ = ["event_loop", "narrow"]

_LOOP = """\
-- An event loop, devices with request slots, and for each device a job that drains it.
const DEVICES: {devices}; SLOTS: {slots};

type
  device: 0 .. DEVICES - 1;
  slot: 0 .. SLOTS - 1;

var
  loop: enum {{ polls, dispatches, runs_bottom_halves }};
  request: array [device] of array [slot] of enum {{ idle, queued, in_flight, done }};
  job: array [device] of enum {{ runs, drains, has_deferred, exits }};
  eventfd: array [device] of boolean;
  ready: array [device] of boolean;
  bottom_half: array [device] of boolean;
  disabled: array [device] of 0 .. 3;

function is_busy(d: device): boolean;
begin
  return exists s: slot do request[d][s] = in_flight end;
end;

startstate begin
  loop := polls;
  for d: device do
    for s: slot do request[d][s] := idle; end;
    job[d] := runs;
    eventfd[d] := false; ready[d] := false; bottom_half[d] := false;
    disabled[d] := 0;
  end;
end;

rule "poll" loop = polls ==> begin
  loop := dispatches;
  for d: device do ready[d] := eventfd[d] & disabled[d] = 0; end;
end;

rule "dispatched" loop = dispatches & forall d: device do !ready[d] end ==> begin loop := runs_bottom_halves; end;

rule "again" loop = runs_bottom_halves & forall d: device do !bottom_half[d] end ==> begin loop := polls; end;

ruleset d: device do
  rule "dispatch" loop = dispatches & ready[d] & disabled[d] = 0 ==> begin
    ready[d] := false; eventfd[d] := false;
    for s: slot do if request[d][s] = queued then request[d][s] := in_flight; end; end;
  end;
  rule "skip" loop = dispatches & ready[d] & disabled[d] != 0 ==> begin ready[d] := false; end;
  rule "bottom half" loop = runs_bottom_halves & bottom_half[d] ==> begin bottom_half[d] := false; job[d] := exits; end;
  rule "begin of drain" job[d] = runs ==> begin job[d] := drains; disabled[d] := disabled[d] + 1; end;
  rule "drained" job[d] = drains & !is_busy(d) ==> begin job[d] := has_deferred; bottom_half[d] := true; end;
  rule "exit" job[d] = exits ==> begin job[d] := runs; disabled[d] := disabled[d] - 1; end;
end;

ruleset d: device; s: slot do
  rule "submit" request[d][s] = idle ==> begin request[d][s] := queued; eventfd[d] := true; end;
  rule "complete" request[d][s] = in_flight ==> begin request[d][s] := done; end;
  rule "reap" request[d][s] = done ==> begin request[d][s] := idle; end;
end;

invariant "nothing in flight when a job exits" forall d: device do job[d] = exits -> !is_busy(d) end;
"""

_NARROW = """\
-- Somebody counts, and somebody else sets a flag at some time.
var
  counter: 0 .. {last};
  flag: boolean;

startstate begin counter := 0; flag := false; end;
rule "count" counter < {last} ==> begin counter := counter + 1; end;
rule "set" !flag ==> begin flag := true; end;
invariant "within" counter <= {last};
"""


def event_loop(devices: int, slots: int) -> str:
    """The loop with so many devices of so many slots each."""
    return _LOOP.format(devices=devices, slots=slots)


def narrow(last: int) -> str:
    """A counter up to a number, and a flag."""
    return _NARROW.format(last=last)
