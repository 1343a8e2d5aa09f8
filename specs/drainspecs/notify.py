"""QEMU's event notification (`aio_notify`, `aio_notify_accept`) as three small models, with the verdict each must have.

QEMU keeps models of this protocol in docs/spin, written for SPIN; these say the same in the language of this project, step by step and in
words of its own. They are a suite of a peer: the verdicts were published before this checker existed.

The protocol: whoever has a request for an event loop stores it, and then wakes the loop through an event, but only if the loop has said
that it is about to sleep (`notify_me`). The loop says so *before* it looks for requests a last time, else a wakeup is lost; once asleep it
sees the event and nothing else. A loop that was woken clears the event, and does so before it takes the requests. `notified` saves the
loop from clearing an event that nobody has set. Everything is sequentially consistent; the memory barriers of the C code are what makes
it so.

Assumptions: the first model needs none. In the other two the notifier may ring for ever and a second loop may poll for ever, so weak
fairness of each process is assumed: none of them is kept from its next step for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from msgspec import Struct

from draincheck.engines.liveness import decide
from draincheck.lang import BoolVar, IntVar, Model, Process, all_, any_
from draincheck.subject import Expectation
from draincheck.system import TransitionSystem
from draincheck.verdict import Limits, Outcome, Verdict

__all__ = [
    "ROWS", "NotifyResult", "NotifyRow", "aio_notify", "aio_notify_accept", "aio_notify_bug", "check", "system_of",
]  # fmt: skip

HOLDS, VIOLATED = Outcome.HOLDS, Outcome.VIOLATED

#: what a process does to ring, or to accept that it was rung
_Routine: TypeAlias = Callable[[Process], None]

#: how many requests the notifier of `aio_notify` makes
REQUESTS = 4


# -- aio_notify: is every request served? ---------------------------------------------------------------------------------------------


def aio_notify(bug: str = "") -> Model:
    """One notifier with a few requests, one waiter. With any bug the waiter does not look for requests once it has said it will sleep."""
    m = Model("aio_notify" + _suffix(bug, False))
    notify_me, event = m.bool("notify_me"), m.bool("event")
    req = [m.bool(f"req[{i}]") for i in range(REQUESTS)]
    done = [m.bool(f"done[{i}]") for i in range(REQUESTS)]
    with m.thread("notifier") as p:
        for number, request in enumerate(req):
            p.do(f"makes request {number}", request.set())
            with p.when(notify_me, "notify_me is up"):
                p.do("sets the event", event.set())
            with p.either() as choice:
                with choice():
                    p.wait("all requests taken", ~any_(*req))
                with choice():
                    p.do("does not wait for an answer")
    with m.thread("waiter") as p, p.loop():
        p.do("notify_me up", notify_me.set())
        if bug:
            _sleep(p, event)
        else:
            with p.when(~any_(*req), "there is no request"):
                _sleep(p, event)
        p.do("notify_me down", notify_me.clear())
        taken = [served.set(served | request) for served, request in zip(done, req, strict=True)]
        p.do("takes and serves all requests", *taken, *(request.clear() for request in req))
    m.progress()
    m.eventually("served", all_(*done), meaning="every request is served", source="docs/spin/aio_notify.promela")
    return m


def _sleep(p: Process, event: BoolVar) -> None:
    p.wait("the event", event)
    p.do("clears the event", event.clear())


# -- aio_notify_bug and aio_notify_accept: does the loop neither spin nor sleep for ever? ---------------------------------------------


class _Bell(Struct, frozen=True):
    """What a notifier and two pollers share."""

    m: Model
    notify_me: IntVar
    event: BoolVar
    req: BoolVar
    notifier_done: BoolVar


def aio_notify_bug(bug: str = "", check_req: bool = False) -> Model:
    """A notifier that rings any number of times, a poller, and a second one that goes away: in which order is the event cleared?

    Args:
        bug: any: the request is cleared before the event, so a ring in between is lost.
        check_req: the notifier rings only where `notify_me` is up, and the demand is about requests instead of the event.
    """
    bell = _bell("aio_notify_bug" + _suffix(bug, check_req))

    def ring(p: Process) -> None:
        p.do("sets the event", bell.event.set())

    def accept(p: Process) -> None:
        clears = [("clears the event", bell.event.clear()), ("clears the request", bell.req.clear())]
        for label, update in reversed(clears) if bug else clears:
            p.do(label, update)

    return _played(bell, ring, accept, check_req)


def aio_notify_accept(bug: str = "", check_req: bool = False) -> Model:
    """The same with `notified`, which tells the pollers whether there is an event to clear.

    Args:
        bug: `BUG1`: the flag is raised before the event. `BUG2`: the event is not set again where the flag is up already.
        check_req: as for `aio_notify_bug`.
    """
    bell = _bell("aio_notify_accept" + _suffix(bug, check_req))
    notified = bell.m.bool("notified")

    def ring(p: Process) -> None:
        if bug == "BUG1":
            p.do("raises notified", notified.set())
            p.do("sets the event", bell.event.set())
        elif bug == "BUG2":
            with p.when(~notified, "notified is down"):
                p.do("sets the event", bell.event.set())
            p.do("raises notified", notified.set())
        else:
            p.do("sets the event", bell.event.set())
            p.do("raises notified", notified.set())

    def accept(p: Process) -> None:
        with p.either() as choice:
            with choice(when=notified):
                p.do("takes notified down", notified.clear())
                p.do("clears the event", bell.event.clear())
            with choice(when=~notified):
                p.do("finds notified down")
        p.do("clears the request", bell.req.clear())

    return _played(bell, ring, accept, check_req)


def _suffix(bug: str, check_req: bool) -> str:
    return "".join(f" {word}" for word in ("CHECK_REQ" if check_req else "", bug) if word)


def _bell(name: str) -> _Bell:
    m = Model(name)
    return _Bell(m, m.int("notify_me", 0, 2), m.bool("event"), m.bool("req"), m.bool("notifier_done"))


def _played(bell: _Bell, ring: _Routine, accept: _Routine, check_req: bool) -> Model:
    """The three processes, given how the notifier rings and what a poller does after it has woken."""
    _notifier(bell, ring, check_req)
    with bell.m.thread("waiter") as p, p.loop():
        _poll(p, bell, accept)
    with bell.m.thread("temporary waiter") as p, p.loop(), p.either() as choice:
        with choice():
            _poll(p, bell, accept)
        with choice():
            p.do("goes away")
            p.break_()
    _demands(bell, check_req)
    return bell.m


def _notifier(bell: _Bell, ring: _Routine, check_req: bool) -> None:
    with bell.m.thread("notifier") as p, p.loop(), p.either() as choice:
        with choice():
            p.do("makes a request", bell.req.set())
            if check_req:
                with p.when(bell.notify_me > 0, "notify_me is up"):
                    ring(p)
            else:
                ring(p)
        with choice():
            p.do("stops", bell.notifier_done.set())
            p.break_()


def _poll(p: Process, bell: _Bell, accept: _Routine) -> None:
    p.do("notify_me up", bell.notify_me.inc())
    with p.when(~bell.req, "there is no request"):
        p.wait("the event", bell.event)
    p.do("notify_me down", bell.notify_me.dec())
    accept(p)


def _demands(bell: _Bell, check_req: bool) -> None:
    m, event, req, done = bell.m, bell.event, bell.req, bell.notifier_done
    source = "docs/spin/aio_notify_accept.promela, aio_notify_bug.promela"
    if check_req:
        m.leads_to("taken", req, ~req, meaning="a request does not stay for ever", source=source)
    else:
        for name, trigger, goal, meaning in (
            ("cleared", event, ~event, "the event does not stay set for ever: nobody spins"),
            ("rung", ~event, event | done, "the event does not stay clear while the notifier rings"),
        ):
            m.leads_to(name, trigger, goal, meaning=meaning, source=source)
    m.progress()


# -- the table ------------------------------------------------------------------------------------------------------------------------


class NotifyRow(Struct, frozen=True):
    """One row of the suite: a model, its bug ("" for none), which demand, and the published verdict.

    `states` and `transitions` are how many this model has. SPIN's counts are others: it cuts some steps finer, and counts the product with
    the automaton of the demand.
    """

    model: str
    bug: str
    check_req: bool
    expected: Outcome
    states: int
    transitions: int

    @property
    def name(self) -> str:
        """The row's name: model, demand, bug."""
        return self.model + _suffix(self.bug, self.check_req)

    @property
    def expectation(self) -> Expectation:
        """The published verdict."""
        return Expectation(self.expected, "published with QEMU's models", False)

    @property
    def meaning(self) -> str:
        """What is different from the protocol as it should be, in a line."""
        return _BUGS[self.model, self.bug]


_RIGHT: Final = "nothing: the protocol as it should be"

_BUGS: Final = {
    ("aio_notify", ""): _RIGHT,
    ("aio_notify", "BUG"): "the waiter does not look for requests again once it has registered",
    ("aio_notify_bug", ""): _RIGHT,
    ("aio_notify_bug", "BUG"): "the request is cleared before the event",
    ("aio_notify_accept", ""): _RIGHT,
    ("aio_notify_accept", "BUG1"): "notified is raised before the event",
    ("aio_notify_accept", "BUG2"): "the event is not raised again while notified is up",
}

ROWS: Final = (
    NotifyRow("aio_notify", "", False, HOLDS, 513, 993),
    NotifyRow("aio_notify", "BUG", False, VIOLATED, 363, 655),
    NotifyRow("aio_notify_bug", "", False, HOLDS, 431, 1237),
    NotifyRow("aio_notify_bug", "BUG", False, HOLDS, 454, 1292),
    NotifyRow("aio_notify_bug", "", True, HOLDS, 621, 1781),
    NotifyRow("aio_notify_bug", "BUG", True, VIOLATED, 578, 1638),
    NotifyRow("aio_notify_accept", "", False, HOLDS, 1201, 3441),
    NotifyRow("aio_notify_accept", "BUG1", False, VIOLATED, 1370, 3933),
    NotifyRow("aio_notify_accept", "BUG2", False, VIOLATED, 1495, 4248),
    NotifyRow("aio_notify_accept", "", True, HOLDS, 1576, 4508),
    NotifyRow("aio_notify_accept", "BUG1", True, HOLDS, 1903, 5472),
    NotifyRow("aio_notify_accept", "BUG2", True, VIOLATED, 1788, 5067),
)


class NotifyResult(Struct, frozen=True):
    """What the checker says about a row."""

    row: NotifyRow
    verdicts: dict[str, Verdict]

    @property
    def outcome(self) -> Outcome:
        """The worst verdict of the row's demands."""
        outcomes = {verdict.outcome for verdict in self.verdicts.values()}
        return next(outcome for outcome in (VIOLATED, Outcome.UNKNOWN, HOLDS) if outcome in outcomes)

    @property
    def worst(self) -> Verdict:
        """The first verdict that makes the row's."""
        return next(verdict for verdict in self.verdicts.values() if verdict.outcome is self.outcome)

    @property
    def as_expected(self) -> bool:
        """It is the published one."""
        return self.outcome is self.row.expected


def system_of(row: NotifyRow) -> TransitionSystem:
    """The transition system of a row."""
    makes = {"aio_notify_bug": aio_notify_bug, "aio_notify_accept": aio_notify_accept}
    return (makes[row.model](row.bug, row.check_req) if row.model in makes else aio_notify(row.bug)).compile()


def check(row: NotifyRow, limits: Limits | None = None) -> NotifyResult:
    """Decide a row's demands."""
    return NotifyResult(row, decide(system_of(row), limits=limits or Limits()))
