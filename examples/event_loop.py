"""An event loop: it polls and dispatches two handlers, and one of them drains: it polls again, inside itself.

The handler *kick* submits a request to the disk. The handler *job* wants to switch to another disk; it drains, so that nothing is under way,
and leaves the switch to a bottom half, which runs in the next round. Unless external events stay disabled until then (`section`), a kick is
dispatched in between, and the switch comes with a request in flight. It is the bug of QEMU's mirror job in a few lines.

    check-invariants check examples/event_loop.py                 # all variants, against what is expected of them
    check-invariants check examples/event_loop.py:event_loop      # 12: the trace, as a call tree
    check-invariants compare examples/event_loop.py:event_loop --set section=on
"""

from typing import NamedTuple

from draincheck.lang import BoolVar, EnumVar, IntVar, Model, Process, variant


class Loop(NamedTuple):
    """What the main loop knows."""

    kicked: BoolVar
    in_flight: IntVar
    disabled: BoolVar
    job: EnumVar


def poll(p: Process, what: Loop, *, nested: bool) -> None:
    """Sleep until something is ready: a kick, a completion for a drain, or else work of the job's."""
    other = what.in_flight.is_(0) if nested else what.job.is_("wants to leave", "has scheduled its exit")
    p.wait("qemu_poll_ns", (what.kicked & ~what.disabled) | other)


def dispatch_kick(p: Process, what: Loop) -> None:
    """The first handler; it is not called while external events are disabled."""
    with p.when(what.kicked & ~what.disabled, text="the kick is ready"), p.call("virtio_blk_handle_output"):
        p.do("submit a request", what.kicked.clear(), what.in_flight.inc(), mark="b")


def drain(p: Process, what: Loop) -> None:
    """Poll until nothing is in flight; whatever else is ready is dispatched, too."""
    with p.call("bdrv_drain"), p.until(what.in_flight.is_(0), text="nothing is in flight"), p.call("aio_poll"):
        poll(p, what, nested=True)
        dispatch_kick(p, what)


def dispatch_job(p: Process, what: Loop, *, section: bool) -> None:
    """The second handler: the job drains and schedules its exit; in the next round the exit switches the disk."""
    with p.when(what.job.is_("wants to leave"), text="the job wants to leave"), p.call("mirror_run"):
        if section:
            p.do("disable external events", what.disabled.set())
        drain(p, what)
        p.do("schedule the exit", what.job.set("has scheduled its exit"), mark="a")
    with (
        p.otherwise(),
        p.when(what.job.is_("has scheduled its exit"), text="the exit is scheduled"),
        p.call("mirror_exit"),
    ):
        with p.atomic():
            p.check("no request at the switch", what.in_flight.is_(0))
            p.do("switch the disk", what.job.set("has left"), mark="c")
        if section:
            p.do("enable external events", what.disabled.clear())


@variant("bug", expect={"no request at the switch": "violated"})
@variant("bug, two kicks", kicks=2, expect={"no request at the switch": "violated"})
@variant("fixed", section=True)
@variant("fixed, two kicks", section=True, kicks=2)
def event_loop(section: bool = False, kicks: int = 1) -> Model:
    """A guest that kicks so often, the disk, and the main loop with its two handlers."""
    m = Model("event loop")
    job = m.enum("job", "copies", "wants to leave", "has scheduled its exit", "has left")
    what = Loop(m.bool("kick"), m.int("in flight", 0, kicks), m.bool("external events disabled"), job)
    with m.thread("guest", may_stop=True) as p:
        for _ in range(kicks):
            p.do("kicks", what.kicked.set(), when=~what.kicked)
    with m.thread("disk") as p, p.loop():
        p.do("completes a request", what.in_flight.dec(), when=what.in_flight > 0)
    with m.thread("clock") as p:
        p.do("the job has copied everything", job.set("wants to leave"))
    with m.thread("main loop") as p, p.loop(), p.call("main_loop_wait"):
        poll(p, what, nested=False)
        dispatch_kick(p, what)
        dispatch_job(p, what, section=section)
    m.assertion("no request at the switch", meaning="whatever was submitted has come back before the disk is switched")
    m.progress()  # everybody goes on while they can, but the guest, which need not kick
    m.eventually("the disk is switched", job.is_("has left"))
    m.leads_to("a kick is handled", what.kicked, ~what.kicked)
    m.stays_reachable("all can come to rest", job.is_("has left") & ~what.kicked & what.in_flight.is_(0))
    return m
