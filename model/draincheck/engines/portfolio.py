"""Explicit search and bounded model checking together: whoever is first answers.

Explicit search goes first, alone, up to a number of states that takes it a fraction of a second: most systems are decided by then. What
is wider than that is searched by both, bounded model checking in a second thread (z3 works outside of Python's lock), explicit search
again and again with twice the states, which costs no more than twice the last search. The first verdict that is not *unknown* wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Thread

from msgspec.structs import replace

from draincheck.engines import explicit
from draincheck.engines.question import Answered, Question, one_by_one
from draincheck.engines.smt.bmc import BoundedSearch, seen_asked
from draincheck.reason import ByEngine, EitherWay, Stop, StopKind
from draincheck.semantics.violation import shown_by
from draincheck.system import TransitionSystem
from draincheck.verdict import NO_LIMITS, SILENT, Limits, Outcome, Reporter, Verdict

__all__ = ["FIRST_STATES", "answer", "check", "decide"]

#: states that explicit search may store before the other engine starts: about a third of a second
FIRST_STATES = 100_000

#: seconds after which a search that was stopped, and still runs, is stopped again
STOP_AGAIN = 0.05

EXPLICIT, BMC = "explicit search", "bounded model checking"


def check(
    system: TransitionSystem,
    property_name: str,
    limits: Limits = NO_LIMITS,
    reporter: Reporter = SILENT,
    first_states: int = FIRST_STATES,
) -> Verdict:
    """Decide a property with the engine that is faster for it; see `decide`."""
    return decide(system, property_name, limits, reporter, first_states)[property_name]


def decide(
    system: TransitionSystem,
    property_name: str,
    limits: Limits = NO_LIMITS,
    reporter: Reporter = SILENT,
    first_states: int = FIRST_STATES,
) -> dict[str, Verdict]:
    """Decide a property with the engine that is faster for it; the verdict's reason says which one it was.

    It is what that engine promises: *violated* comes with one of the shortest counterexamples (*holds*, for `Reachable`, with a witness).
    Which engine that is, and with it which of several shortest traces, may differ from run to run; outcome and length do not, but in
    systems where a faulty action is enabled deeper than the property needs. Faults that
    either came across have their verdicts, too, and where explicit search saw everything also those that no run meets.
    """
    race = _Race(system, property_name, limits, reporter)
    verdict = race.explicit(first_states)
    if verdict is None:
        alone = shown_by(system, system.property_named(property_name)) is None
        verdict = (race.alone if alone else race.together)(first_states)
    return race.faults | {property_name: verdict}


def answer(asked: Question) -> Answered:
    """Verdicts on properties one by one: for each the engine that is faster for it."""

    def decided(name: str) -> dict[str, Verdict]:
        return decide(asked.system, name, asked.limits, asked.reporter)

    return one_by_one(asked, decided, lambda names: {name: decided(name)[name] for name in names})


class _Overtaken(Exception):
    """The other engine has answered."""


class _Race:
    """One property, two engines."""

    def __init__(self, system: TransitionSystem, name: str, limits: Limits, reporter: Reporter) -> None:
        self.system, self.name, self.limits, self.reporter = system, name, limits.begun(), reporter
        self.faults: dict[str, Verdict] = {}

    def explicit(self, states: int, reporter: Reporter | None = None) -> Verdict | None:
        """What explicit search says; None if it needs more states than this, and may have them."""
        most = states if self.limits.states is None else min(states, self.limits.states)
        limits = replace(self.limits, states=most)
        item = self.system.property_named(self.name)
        asked = (item, *self.system.implicit)
        verdict = self._mine(explicit.decide(self.system, asked, limits, reporter or self.reporter).verdicts)
        stopped = verdict.outcome is Outcome.UNKNOWN and verdict.reason.stopped == Stop(StopKind.STATES, most)
        return None if stopped and most != self.limits.states else self._by(EXPLICIT, verdict)

    def alone(self, states: int, reporter: Reporter | None = None) -> Verdict:
        """Explicit search to its end, unless its reporter ends it."""
        verdict = None
        while verdict is None:
            states *= 2
            verdict = self.explicit(states, reporter)
        return verdict

    def together(self, states: int) -> Verdict:
        """Both engines at once."""
        other = _Other(BoundedSearch(self.system, [self.name], self.limits), self.name)
        other.start()
        try:
            mine = self.alone(states, _Watcher(self.reporter, other))
            while mine.outcome is Outcome.UNKNOWN and other.is_alive() and not self.limits.stop():
                other.join(STOP_AGAIN)
        except _Overtaken:
            mine = None
        finally:
            other.end()
        theirs = self._asked(other.verdicts())
        if mine is None or (theirs is not None and theirs.outcome is not Outcome.UNKNOWN):
            assert theirs is not None
            return self._by(BMC, theirs)
        if theirs is None or mine.outcome is not Outcome.UNKNOWN:
            return mine
        return replace(mine, reason=EitherWay(mine.reason, self._by(BMC, theirs).reason))

    def _mine(self, verdicts: Mapping[str, Verdict]) -> Verdict:
        """The verdict on the property; those on faults are kept."""
        known = {name: verdict for name, verdict in verdicts.items() if verdict.outcome is not Outcome.UNKNOWN}
        self.faults |= {name: verdict for name, verdict in known.items() if name != self.name}
        return verdicts[self.name]

    def _asked(self, found: dict[str, Verdict] | None) -> Verdict | None:
        """What bounded model checking says, once a run was found that asks it."""
        return None if found is None else self._mine(seen_asked(self.system, found, self.limits).verdicts)

    def _by(self, engine: str, verdict: Verdict) -> Verdict:
        """A verdict that says who found it."""
        reason = verdict.reason
        return replace(verdict, reason=ByEngine(engine, reason, stopped=reason.stopped))


class _Other(Thread):
    """Bounded model checking in a thread of its own."""

    def __init__(self, search: BoundedSearch, name: str) -> None:
        super().__init__(daemon=True)
        self._search, self._name = search, name
        self._verdicts: dict[str, Verdict] | None = None
        self._error: Exception | None = None

    def run(self) -> None:
        """Search."""
        try:
            self._verdicts = self._search.run(SILENT)
        except Exception as error:  # handed to the thread that asks for the verdict
            self._error = error

    @property
    def answered(self) -> bool:
        """Whether it has decided, or found that it cannot."""
        decided = self._verdicts is not None and self._verdicts[self._name].outcome is not Outcome.UNKNOWN
        return decided or self._error is not None

    def end(self) -> None:
        """Stop the search, if it still runs; an error that comes of that is none.

        More than once, for z3 forgets an interrupt that comes between two checks.
        """
        answered = self.answered
        while self.is_alive():
            self._search.stop()
            self.join(STOP_AGAIN)
        if not answered:
            self._error = None

    def verdicts(self) -> dict[str, Verdict] | None:
        """What it found, None if it was stopped; raises what the search raised."""
        if self._error is not None:
            raise self._error
        return self._verdicts


class _Watcher:
    """A reporter that ends an explicit search once the other engine has answered."""

    def __init__(self, reporter: Reporter, other: _Other) -> None:
        self._reporter, self._other = reporter, other

    def progress(self, states: int, transitions: int, depth: int, queue: int) -> None:
        """Pass it on; raises _Overtaken."""
        if self._other.answered:
            raise _Overtaken
        self._reporter.progress(states, transitions, depth, queue)

    def phase(self, name: str) -> None:
        """Pass it on."""
        self._reporter.phase(name)

    def advice(self, text: str) -> None:
        """Pass it on."""
        self._reporter.advice(text)
