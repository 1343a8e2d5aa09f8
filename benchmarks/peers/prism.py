"""The models in PRISM's language, which Storm's explicit builder reads: a module for the loop and one for each device, which poll together."""

from __future__ import annotations

__all__ = ["event_loop", "narrow"]

_LOOP = """\
// An event loop, devices with request slots, and for each device a job that drains it.
mdp

// 0 polls, 1 dispatches, 2 runs bottom halves
module loop
  loop: [0..2] init 0;
  [poll] loop = 0 -> (loop' = 1);
  [] loop = 1 & {none_ready} -> (loop' = 2);
  [] loop = 2 & {no_bottom_half} -> (loop' = 0);
endmodule
{devices}
label "wrong" = {wrong};
"""

_DEVICE = """
// requests: 0 idle, 1 queued, 2 in flight, 3 done; jobs: 0 runs, 1 drains, 2 has deferred, 3 exits
formula busy{d} = {busy};
module device{d}
{slots}
  eventfd{d}: bool init false;
  ready{d}: bool init false;
  bh{d}: bool init false;
  job{d}: [0..3] init 0;
  disabled{d}: [0..3] init 0;
  [poll] true -> (ready{d}' = eventfd{d} & disabled{d} = 0);
  [] loop = 1 & ready{d} & disabled{d} = 0 -> (ready{d}' = false) & (eventfd{d}' = false) & {starts};
  [] loop = 1 & ready{d} & disabled{d} != 0 -> (ready{d}' = false);
  [] loop = 2 & bh{d} -> (bh{d}' = false) & (job{d}' = 3);
  [] job{d} = 0 -> (job{d}' = 1) & (disabled{d}' = disabled{d} + 1);
  [] job{d} = 1 & !busy{d} -> (job{d}' = 2) & (bh{d}' = true);
  [] job{d} = 3 -> (job{d}' = 0) & (disabled{d}' = disabled{d} - 1);
{steps}
endmodule"""

_STEPS = """\
  [] r{d}_{s} = 0 -> (r{d}_{s}' = 1) & (eventfd{d}' = true);
  [] r{d}_{s} = 2 -> (r{d}_{s}' = 3);
  [] r{d}_{s} = 3 -> (r{d}_{s}' = 0);"""

_NARROW = """\
// Somebody counts, and somebody else sets a flag at some time.
mdp

module counter
  counter: [0..{last}] init 0;
  [] counter < {last} -> (counter' = counter + 1);
endmodule

module flag
  flag: bool init false;
  [] !flag -> (flag' = true);
endmodule

label "wrong" = counter > {last};
"""


def event_loop(devices: int, slots: int) -> str:
    """The loop with so many devices of so many slots each."""
    everyone = range(devices)
    return _LOOP.format(
        none_ready=" & ".join(f"!ready{d}" for d in everyone),
        no_bottom_half=" & ".join(f"!bh{d}" for d in everyone),
        devices="\n".join(_device(d, slots) for d in everyone),
        wrong=" | ".join(f"(job{d} = 3 & busy{d})" for d in everyone),
    )


def _device(d: int, slots: int) -> str:
    names = [f"r{d}_{s}" for s in range(slots)]
    return _DEVICE.format(
        d=d,
        busy=" | ".join(f"{name} = 2" for name in names),
        slots="\n".join(f"  {name}: [0..3] init 0;" for name in names),
        starts=" & ".join(f"({name}' = {name} = 1 ? 2 : {name})" for name in names),
        steps="\n".join(_STEPS.format(d=d, s=s) for s in range(slots)),
    )


def narrow(last: int) -> str:
    """A counter up to a number, and a flag."""
    return _NARROW.format(last=last)
