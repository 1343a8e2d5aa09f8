"""The story for any number of writes: guest writes, sectors in flight and iterations of the main loop are natural numbers.

The model is `draincheck.qemu.counted`: the scenario *mirror* with counted requests. What is proved or refuted of it is S1, the drain
invariant: no request is submitted to the source from the last dirty count that found 0 (w) to the switch (c).

`Story.invariant` says why it holds from 0ff841f6d1 on. z3 finds it inductive, and the certificate says so to any other solver. How the
model is related to the one with named requests is a matter of `tests/differential/test_counted_requests.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NoReturn

from msgspec import Struct, field
from msgspec.structs import replace

from draincheck.certificate import Certificate, from_proof
from draincheck.engines.smt import bmc, induction
from draincheck.engines.smt.induction import Proof
from draincheck.errors import ModelError, TraceError
from draincheck.knobs import Setting, shown
from draincheck.lang import FALSE, TRUE, BoolExpr, IntVar, Process, any_, count
from draincheck.properties import Always
from draincheck.qemu.counted import Qemu
from draincheck.revisions import Revision, with_settings
from draincheck.run import Run, Trace, rerun
from draincheck.subject import About, Expectation, Source
from draincheck.system import State, TransitionSystem
from draincheck.verdict import NO_LIMITS, SILENT, Limits, Outcome, Reporter, Verdict
from draincheck.words import counted
from drainspecs.mirror.expectations import expected
from drainspecs.mirror.properties import meaning_of
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.mirror.terms import MARKS, WINDOWS

__all__ = ["S1", "Counted", "Decision", "Family", "Story", "decide_all"]

#: the property
S1 = "S1"

#: places of the main thread in mirror_exit, from where it drains the target
SWITCHING = ("bdrv_drained_begin", "bdrv_swap", "bdrv_replace_node")


class Decision(Struct, frozen=True):
    """What is known of S1 for any number of writes.

    Attributes:
        system: the code base with any number of writes.
        verdict: with a trace if it is violated; the trace belongs to `Family.member(trace.initial)`.
        proof: the inductive invariant if it holds, over the variables of the system.
    """

    system: TransitionSystem
    verdict: Verdict
    proof: Proof | None = None

    @property
    def writes(self) -> int | None:
        """How many writes the counterexample needs."""
        return None if self.verdict.trace is None else self.verdict.trace.initial[0]


class Family(Struct, frozen=True):
    """A code base, once for each number of writes. `story` is its model: a subclass may weaken it."""

    code_base: Revision
    story: type[Story]

    @classmethod
    def of(cls, code_base: Revision) -> Family:
        """The code base itself."""
        return cls(code_base, Story)

    # -- systems ----------------------------------------------------------------------------------------------------------------

    def any_writes(self) -> TransitionSystem:
        """The guest may make any number of writes."""
        return self._titled(self.story(self.code_base.knobs, None))

    def with_writes(self, writes: int) -> TransitionSystem:
        """The member of the family in which it makes so many; other counters have no upper end either."""
        return self._titled(self.story(self.code_base.knobs, writes))

    def finite(self, writes: int) -> TransitionSystem:
        """The same with bounded counters, for explicit search: iterations of the main loop are not counted."""
        return self._titled(self.story(self.code_base.knobs, writes, highest=writes))

    def member(self, initial: State) -> TransitionSystem:
        """The member that starts in a state: the one that a trace belongs to."""
        return self.with_writes(initial[0])

    def _titled(self, story: Story) -> TransitionSystem:
        """The compiled model, under the name of the code base."""
        return replace(story.compile(), name=f"{self.code_base.name} / {story.m.name}")

    # -- verdicts ---------------------------------------------------------------------------------------------------------------

    def prove(self, limits: Limits = NO_LIMITS) -> Decision:
        """S1 for any number of writes: *holds* if the invariant is inductive, else *unknown*."""
        system = self.any_writes()
        return Decision(system, *_one_step(system, S1, limits))

    def refute(self, limits: Limits = NO_LIMITS, reporter: Reporter = SILENT) -> Decision:
        """Look for a number of writes with which S1 is violated: by a shortest path, with as few writes as that path needs.

        The parts of the invariant are proved first, without S1: what they exclude need not be searched.
        """
        limits = limits.begun()
        system = self.any_writes()
        _, proof = _one_step(system, next(iter(_parts(system))), limits)
        known = None if proof is None else proof.formula
        verdict = bmc.decide(system, [S1], limits, reporter, instance=self.member, known=known)[S1]
        if verdict.trace is not None:
            verdict = replace(verdict, trace=self._with_fewest_writes(verdict.trace))
        return Decision(system, verdict)

    def decide(self, limits: Limits = NO_LIMITS, reporter: Reporter = SILENT) -> Decision:
        """S1 for any number of writes: by the invariant, or else by a counterexample."""
        limits = limits.begun()
        found = self.prove(limits)
        if found.proof is None:
            found = self.refute(limits, reporter)
        if found.proof is None and found.verdict.outcome is Outcome.HOLDS:
            # by its pairs of values: what they exclude makes the invariant strong enough
            mined = Decision(found.system, *_one_step(found.system, S1, limits, mined=True))
            found = mined if mined.proof is not None else found
        return found

    # -- evidence ---------------------------------------------------------------------------------------------------------------

    def certificate(self, decision: Decision, source: Source | None = None) -> Certificate:
        """A proof as a certificate about this code base; it may be the proof of another one that differs in nothing here.

        `source` says how the system is made again (see `draincheck.certificate.Header`).
        """
        assert decision.proof is not None
        mine = replace(decision.system, name=self.any_writes().name)
        return from_proof(mine, decision.proof, source)

    def in_finite(self, trace: Trace) -> Run:
        """A counterexample as a path of the finite member, whose states every engine can list.

        Raises:
            TraceError: its steps are no path there.
        """
        member, finite = self.member(trace.initial), self.finite(trace.initial[0])
        names = {variable.name: value for variable, value in zip(member.variables, trace.initial, strict=True)}
        initial = tuple(names[variable.name] for variable in finite.variables)
        found = replace(trace, system=finite.name, digest=finite.digest, initial=initial)
        return Run.of(finite, found)

    def _with_fewest_writes(self, trace: Trace) -> Trace:
        """The same steps in the smallest member of the family that can take them."""
        for writes in range(trace.initial[0]):
            system = self.with_writes(writes)
            fewer = replace(trace, system=system.name, digest=system.digest, initial=system.initial[0])
            try:
                rerun(system, fewer)
            except TraceError:
                continue
            return fewer
        return trace


def decide_all(
    code_bases: Iterable[Revision], limits: Limits = NO_LIMITS, reporter: Reporter = SILENT
) -> Iterator[Decision]:
    """Decide code bases one after the other; those that differ in nothing of this story are decided once. Limits are for each."""
    known: dict[str, Decision] = {}
    for code_base in code_bases:
        family = Family.of(code_base)
        digest = family.any_writes().digest
        if digest not in known:
            known[digest] = family.decide(limits, reporter)
        yield known[digest]


def _one_step(system: TransitionSystem, name: str, limits: Limits, mined: bool = False) -> tuple[Verdict, Proof | None]:
    """Whether a property and all parts of the invariant are inductive: from one state to the next. `mined`: with pairs of values."""
    parts = list(_parts(system).values())
    return induction.prove(system, [name], replace(limits, depth=1), SILENT, parts, mined=mined)[name]


def _parts(system: TransitionSystem) -> dict[str, BoolExpr]:
    """The parts of the invariant, by name."""
    return {item.name: item.holds for item in system.properties if isinstance(item, Always)}


class Story(Qemu):
    """The model with the drain invariant in it, and what implies it."""

    def requests_submitted(self, p: Process, requests: IntVar) -> None:
        """S1."""
        p.check(S1, ~((requests > 0) & self.window & self.on_old_node))

    def properties(self) -> None:
        """The parts of the inductive invariant, as invariants of their own."""
        self.m.assertion(S1, meaning=meaning_of(S1))
        for name, holds in self.invariant().items():
            self.m.always(name, holds)

    def invariant(self) -> dict[str, BoolExpr]:
        """The inductive invariant, by the name of each part.

        It says where the job stands while something of it is under way, and which sections are open there. No number of requests occurs
        in it: that is why the drain invariant holds for any number of them. All parts hold in every code base; S1 follows where they
        leave no handler that may run while the window is open.
        """
        runs = self.mirror.on
        drains, polls = self._job("drain", "last drain"), self._main("drain BH")
        yielded = FALSE if self.k.drain == "nested" else drains & ~runs
        return {
            "the job runs while the main loop waits for it": runs.implies(self._main("in mirror")),
            "the sleep timer is the sleeping job's": self.sleep.timer.due.implies(self._job("sleep") & ~runs),
            "a flush is waited for": self.flush.is_("none") | (self._job("flush", "last flush") & ~runs),
            "copies are waited for": ~self.copying | self._job("copy") | (runs & self._job("round")),
            "the drain BH is the draining job's": (self.drain_bh.pending | polls).implies(yielded),
            "the drain BH runs once": ~(self.drain_bh.pending & polls),
            "a nested drain runs": drains.implies(runs) if self.k.drain == "nested" else TRUE,
            "a job completes at its end": self.completed.implies(self._job("(ended)")),
            **self._exit(),
            **self._sections(drains),
            **self._quiet_target(),
        }

    def _quiet_target(self) -> dict[str, BoolExpr]:
        """Where drains run handlers by busy polling: the drain of the target, in the window, has nothing to poll for."""
        if self.home != "main" or self.k.busy_poll != "ignores":
            return {}
        return {"requests reach the target by the switch": self.on_old_node.implies(~self.target.pending)}

    def _exit(self) -> dict[str, BoolExpr]:
        """The part of the invariant about the job's end: who runs mirror_exit, and since when the window can be open."""
        ends, exits = self._ends, self._exits("bdrv_reopen", *SWITCHING)
        inline = self.k.exit == "inline"
        leaves = ends | self._job("last drain", "last flush")
        return {
            "an end has an exit": ~(ends | self.exit_bh.pending)
            if inline
            else ends.iff(self.exit_bh.pending | exits) | self._halted,
            "the exit runs once": ~(self.exit_bh.pending & exits),
            "the window opens when the job leaves": self.window.implies(
                leaves | exits | self._halted if inline else leaves
            ),
        }

    def _sections(self, drains: BoolExpr) -> dict[str, BoolExpr]:
        """The part of the invariant that says which sections are open, in code bases that have any."""
        parts: dict[str, BoolExpr] = {}
        if self.iohandler_ctx.disable_count.exists:
            parts["the bandage"] = self.iohandler_ctx.disable_count.is_(count(self._ends))
        if not self.node.counter.exists:
            return parts
        sections = count(self._own_section(drains), self._exits("bdrv_replace_node"))
        parts["sections of the source"] = self.node.counter.is_(sections) | self._halted
        if self.lone_target.drained.exists:
            parts["the target's section"] = self.lone_target.drained.iff(self._exits(*SWITCHING)) | self._halted
        parts["external events are disabled once for each node"] = self.ctx.disable_count.is_(
            count(self.node.open, self.lone_target.drained)
        )
        return parts

    def _own_section(self, drains: BoolExpr) -> BoolExpr:
        """The section that mirror has opened is open."""
        before = self.k.begin == "before_check"
        whole = drains if self.k.drain_is_section or before else self._job("last drain")
        begun = ~self.drain_bh.pending if self.k.drain == "yield_first" else TRUE
        kept = any_(self._ends, self._exits("bdrv_reopen", *SWITCHING) if self.k.exit == "inline" else FALSE)
        return any_(
            whole & begun, self._job("last flush") if before else FALSE, kept if self.k.begin != "none" else FALSE
        )

    # -- places -------------------------------------------------------------------------------------------------------------------

    @property
    def _ends(self) -> BoolExpr:
        """The job has ended, and its exit is still to come or under way."""
        return self._job("(ended)") & ~self.completed

    @property
    def _halted(self) -> BoolExpr:
        """QEMU has aborted, in the middle of mirror_exit."""
        return self.m.halted if self.k.pre_switch == "assert" else FALSE

    def _exits(self, *places: str) -> BoolExpr:
        """Whoever runs mirror_exit is at one of some places in it."""
        return self._job(*places) if self.k.exit == "inline" else self._main(*places)

    def _job(self, *places: str) -> BoolExpr:
        """The job stands at one of some places, running or not."""
        return self._at("mirror_run", places)

    def _main(self, *places: str) -> BoolExpr:
        """The main thread is at one of some places."""
        return self._at("main thread", places)

    def _at(self, process: str, places: tuple[str, ...]) -> BoolExpr:
        """A process is at one of those places that it has in this code base."""
        known = {"(ended)", *self.m.processes[process].flow.known_names()}
        return any_(*(self.m.at(process, place) for place in places if place in known))


#: what a file says of a model in which the guest may make any number of writes
ANY = "any number of writes"


class Counted(Struct, frozen=True):
    """A code base with a number of guest writes, as what is checked: any number (None), or so many with bounded counters.

    Attributes:
        revision: the row of the table that it starts from.
        settings: knobs turned by hand.
        writes: the number.
    """

    revision: Revision
    settings: Mapping[str, Setting] = field(default_factory=dict[str, Setting])
    writes: int | None = None

    @classmethod
    def named(cls, revision: Revision, settings: Mapping[str, Setting], writes: str) -> Counted:
        """The one that a file names. Raises ValueError for something else than a number of writes."""
        if writes != ANY and not writes.isdecimal():
            raise ValueError(f"parametric is {writes!r}, and should be {ANY!r} or a number in quotation marks")
        return cls(revision, settings, None if writes == ANY else int(writes))

    @property
    def turned(self) -> Revision:
        """The revision with its knobs turned; the name says which."""
        return with_settings(self.revision, self.settings)

    @property
    def family(self) -> Family:
        """The code base, for each number of writes."""
        return Family.of(self.turned)

    @property
    def title(self) -> str:
        """Its name in messages."""
        return f"{self.turned.name} with counted requests"

    @property
    def heading(self) -> str:
        """Its name."""
        return self.title

    @property
    def about(self) -> About:
        """The code base, and how many requests there are."""
        row = self.turned
        what = f"QEMU at {row.name} ({', '.join(filter(None, [row.release, row.date]))}): {row.subject}"
        writes = "any number of writes" if self.writes is None else counted(self.writes, "write")
        scenario = f"{find_scenario('mirror').meaning}; {writes}, counted and not named"
        turned = (f"--set {knob}={shown(value)}" for knob, value in self.settings.items())
        options = " ".join([f"--revision {self.revision.name}", *turned])
        return About("code base", what, scenario, options, MARKS, alone="parametric", windows=WINDOWS)

    def system(self) -> TransitionSystem:
        """The compiled model."""
        return self.family.any_writes() if self.writes is None else self.family.finite(self.writes)

    def source(self) -> Source:
        """What a file needs to say to build it again."""
        writes = ANY if self.writes is None else str(self.writes)
        return {"parametric": writes, "revision": self.revision.name, "settings": dict(self.settings)}

    def expectation(self, property_name: str) -> Expectation | None:
        """What is expected of the scenario mirror: nothing once knobs are turned by hand."""
        return None if self.settings else expected(self.revision.name, find_scenario("mirror"), property_name)

    def impact(self, verdicts: Mapping[str, Verdict]) -> tuple[str, ...]:
        """Nothing: the one property does not tell."""
        return ()

    def matters(self, property_name: str) -> bool:
        """The one property does."""
        return True

    def limits(self, property_name: str, outcome: Outcome) -> tuple[str, ...]:
        """Nothing but what the model with named requests leaves out."""
        return ()

    def on_core(self) -> NoReturn:
        """Raises ModelError: the core runs each request by its name."""
        raise ModelError(
            "a trace with counted requests says how many move, and the core runs each by its name; "
            "export a trace of the scenario mirror"
        )
