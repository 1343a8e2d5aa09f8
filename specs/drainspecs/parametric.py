"""The story for any number of writes: guest writes, sectors in flight and iterations of the main loop are natural numbers.

The model is `draincheck.parametric.qemu`: the scenario *mirror* with counted requests. What is proved or refuted of it is S1, the drain
invariant: no request is submitted to the source from the last dirty count that found 0 (w) to the switch (c).

`Story.invariant` says why it holds from 0ff841f6d1 on. z3 finds it inductive, and the certificate says so to any other solver.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial

from draincheck.certificate import Certificate, from_proof
from draincheck.engines.evidence import NO_LIMITS, SILENT
from draincheck.engines.symbolic import induction, parametric
from draincheck.errors import TraceError
from draincheck.lang import FALSE, TRUE, BoolExpr, IntVar, Process, any_, count
from draincheck.parametric.qemu import Qemu
from draincheck.revisions import Knobs
from draincheck.system import Always, State, TransitionSystem
from draincheck.trace import Trace, rerun
from draincheck.verdict import Limits, Reporter, Verdict

__all__ = ["S1", "Story", "any_writes", "decide", "finite", "member", "prove", "refute", "with_writes"]

#: the property
S1 = "S1"

#: places of the main thread in mirror_exit, from where it drains the target
SWITCHING = ("bdrv_drained_begin", "bdrv_swap", "bdrv_replace_node")


def any_writes(knobs: Knobs) -> TransitionSystem:
    """The code base in which the guest may make any number of writes."""
    return Story(knobs, None).compile()


def with_writes(knobs: Knobs, writes: int) -> TransitionSystem:
    """The member of that family in which it makes so many; other counters have no upper end either."""
    return Story(knobs, writes).compile()


def finite(knobs: Knobs, writes: int) -> TransitionSystem:
    """The same with bounded counters, for explicit search: iterations of the main loop are not counted."""
    return Story(knobs, writes, highest=writes).compile()


def member(knobs: Knobs, initial: State) -> TransitionSystem:
    """The member of the family that starts in a state: the one that a trace belongs to."""
    family = any_writes(knobs)
    return with_writes(knobs, initial[next(n for n, v in enumerate(family.variables) if not v.initial)])


def prove(knobs: Knobs, limits: Limits = NO_LIMITS, reporter: Reporter = SILENT) -> tuple[Verdict, Certificate | None]:
    """S1 for any number of writes: *holds*, with a certificate, if the invariant is inductive; else *unknown*, or a counterexample."""
    system = any_writes(knobs)
    lemmas = [item.holds for item in system.properties if isinstance(item, Always)]
    verdict, proof = induction.prove(
        system, S1, replace(limits, depth=limits.depth or 1), reporter, lemmas, mined=False
    )
    return verdict, None if proof is None else from_proof(system, proof, {"parametric": asdict(knobs)})


def refute(knobs: Knobs, limits: Limits = NO_LIMITS, reporter: Reporter = SILENT) -> Verdict:
    """Look for a number of writes with which S1 is violated; the trace belongs to `member(knobs, trace.initial)`, with as few as it needs."""
    verdict = parametric.check(any_writes(knobs), S1, partial(member, knobs), limits, reporter)
    return verdict if verdict.trace is None else replace(verdict, trace=_with_fewest_writes(knobs, verdict.trace))


def decide(knobs: Knobs, limits: Limits = NO_LIMITS, reporter: Reporter = SILENT) -> tuple[Verdict, Certificate | None]:
    """S1 for any number of writes: by the invariant, or else by a counterexample."""
    verdict, certificate = prove(knobs, Limits(seconds=limits.seconds), reporter)
    return (verdict, certificate) if certificate is not None else (refute(knobs, limits, reporter), None)


def _with_fewest_writes(knobs: Knobs, trace: Trace) -> Trace:
    """The same steps in the smallest member of the family that can take them."""
    for writes in range(trace.initial[0] + 1):
        system = with_writes(knobs, writes)
        fewer = replace(trace, system=system.name, digest=system.digest, initial=system.initial[0])
        try:
            rerun(system, fewer)
        except TraceError:
            continue
        return fewer
    return trace


class Story(Qemu):
    """The model with the drain invariant in it, and what implies it."""

    def requests_submitted(self, p: Process, requests: IntVar) -> None:
        """S1."""
        p.check(S1, ~((requests > 0) & self.window & self.on_old_node))

    def properties(self) -> None:
        """The parts of the inductive invariant, as invariants of their own."""
        self.m.assertion(S1, meaning="no request is submitted to the source during W")
        for name, holds in self.invariant().items():
            self.m.always(name, holds)

    def invariant(self) -> dict[str, BoolExpr]:
        """The inductive invariant, by the name of each part.

        It says where the job stands while something of it is under way, and which sections are open there. No number of requests occurs
        in it: that is why the drain invariant holds for any number of them. All parts hold in every code base; S1 follows where they
        leave no handler that may run while the window is open.
        """
        runs, ended = self.mirror.on, self._job("(ended)")
        ends, exits = ended & ~self.completed, self._main("bdrv_reopen", *SWITCHING)
        drains, polls = self._job("drain", "last drain"), self._main("drain BH")
        yielded = FALSE if self.k.drain == "nested" else drains & ~runs
        halted = self.m.halted if self.k.pre_switch == "assert" else FALSE
        return {
            "the job runs while the main loop waits for it": runs.implies(self._main("in mirror")),
            "the sleep timer is the sleeping job's": self.sleep_over.implies(self._job("sleep") & ~runs),
            "a flush is waited for": self.flush.is_("none") | (self._job("flush", "last flush") & ~runs),
            "copies are waited for": ~self.copying | self._job("copy") | (runs & self._job("sleep")),
            "the drain BH is the draining job's": (self.drain_bh | polls).implies(yielded),
            "the drain BH runs once": ~(self.drain_bh & polls),
            "a nested drain runs": drains.implies(runs) if self.k.drain == "nested" else TRUE,
            "a job that has ended does not run": ~(ended & runs),
            "an end has an exit": ~(ends | self.exit_bh)
            if self.k.exit == "inline"
            else ends.iff(self.exit_bh | exits) | halted,
            "the exit runs once": ~(self.exit_bh & exits),
            "a job completes at its end": self.completed.implies(ended),
            "the window opens when the job leaves": self.window.implies(ends | self._job("last drain", "last flush")),
            **self._sections(ends, drains, halted),
        }

    def _sections(self, ends: BoolExpr, drains: BoolExpr, halted: BoolExpr) -> dict[str, BoolExpr]:
        """The part of the invariant that says which sections are open, in code bases that have any."""
        parts: dict[str, BoolExpr] = {}
        if self.bandage is not None:
            parts["the bandage"] = self.bandage.is_(count(ends))
        if self.quiesce is None or self.disable_count is None:
            return parts
        whole = self.k.drain_is_section or self.k.begin == "before_check"
        begun = ~self.drain_bh if self.k.drain == "yield_first" else TRUE
        mine = any_((drains if whole else self._job("last drain")) & begun, self._job("last flush"))
        left = ends if self.k.begin != "none" else FALSE
        replaces = self._main("bdrv_replace_node")
        parts["sections of the source"] = self.quiesce.is_(count(mine | left, replaces))
        target = self.quiesce_target if self.quiesce_target is not None else FALSE
        parts["the target's section"] = (
            target.iff(self._main(*SWITCHING)) | halted if self.quiesce_target is not None else TRUE
        )
        parts["external events are disabled once for each node"] = self.disable_count.is_(count(self.drained, target))
        return parts

    def _job(self, *places: str) -> BoolExpr:
        """The job stands at one of some places, running or not."""
        return self._at("mirror_run", places)

    def _main(self, *places: str) -> BoolExpr:
        """The main thread is at one of some places."""
        return self._at("main thread", places)

    def _at(self, process: str, places: tuple[str, ...]) -> BoolExpr:
        """A process is at one of those places that it has in this code base."""
        known = {"(ended)", *self.m.processes[process].flow.names}
        return any_(*(self.m.at(process, place) for place in places if place in known))
