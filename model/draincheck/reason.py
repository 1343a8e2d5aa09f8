"""Why a verdict is what it is, as values: code asks for their kind and fields, people read what `str` makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from msgspec import Struct

from draincheck.errors import SourceLine
from draincheck.words import counted, listed

__all__ = [
    "Assuming",
    "AtFault",
    "ByEngine",
    "EitherWay",
    "Excluded",
    "Exhaustive",
    "Incomplete",
    "Inductive",
    "NeverAsked",
    "NoLongerPath",
    "NotInductive",
    "NotSeenAsked",
    "NothingUpTo",
    "NothingWalkedInto",
    "Reason",
    "Refused",
    "RunsForEver",
    "RunsInto",
    "Short",
    "Shortest",
    "Stop",
    "StopKind",
    "Stuck",
    "Unasked",
    "Undecided",
    "Walked",
    "stuck_words",
]


class StopKind(Enum):
    """What ends a search before its time; the value says it in words."""

    STATES = "state limit {} reached"
    SECONDS = "time limit {:g} s reached"
    MEMORY = "memory limit {:g} MB reached"
    REQUEST = "interrupted"
    SOLVER = "z3 gave up"


class Stop(Struct, frozen=True):
    """What ended a search: a limit with its value, or somebody who does not wait (`REQUEST`) or does not know (`SOLVER`)."""

    kind: StopKind
    value: float | None = None

    def __str__(self) -> str:
        return self.kind.value.format(self.value)


class Reason(Struct, frozen=True, kw_only=True):
    """Why a verdict is what it is; the subclasses are the kinds there are. `stopped` is what ended the search, None if nothing did."""

    stopped: Stop | None = None


class Exhaustive(Reason, frozen=True):
    """Everything was seen; `remark` is what the verdict rests on besides, with the punctuation before it."""

    remark: str = ""

    def __str__(self) -> str:
        return f"exhaustive{self.remark}"


class Shortest(Reason, frozen=True):
    """The trace shows it, and none is shorter; `word` is *counterexample* or *witness*."""

    word: str
    actions: int

    def __str__(self) -> str:
        return f"shortest {self.word}: {counted(self.actions, 'action')}"


class Short(Reason, frozen=True):
    """The trace shows it, and is a shortest one of a reduced system: of the system itself others may be shorter."""

    word: str
    actions: int

    def __str__(self) -> str:
        return f"{self.word}: {counted(self.actions, 'action')}; the search was reduced, others may be shorter"


class RunsInto(Reason, frozen=True):
    """The trace leads to a state in which a step runs into a fault: whose step, what it is called, what is wrong and where it stands.

    `how` says of which kind the trace is, `kind` of which kind the fault.
    """

    how: Reason
    kind: str
    process: str
    step: str
    message: str
    line: SourceLine

    def __str__(self) -> str:
        step = "" if self.step.startswith("(goes on") else f"{self.step}: "
        return f"{self.how}, then {self.process}: {step}{self.message} ({self.line})"


class Unasked(Enum):
    """Why nothing puts a property to the test."""

    NO_CHECK = "no check asks it"
    UNREACHED = "no run comes to its check"
    NO_TRIGGER = "no run comes to its trigger"
    NO_STEP = "no step can ever be taken"
    IDLE = "no step that can be taken matters to a demand"
    ONLY_ERRORS = "every fair run that it is about ends with an error before"


class NeverAsked(Reason, frozen=True):
    """It would hold because nothing puts it to the test; `details` are the names nearest to it, or the lines of its checks."""

    why: Unasked
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.details:
            return self.why.value
        before, after = ("; did you mean ", "?") if self.why is Unasked.NO_CHECK else (" (", ")")
        return f"{self.why.value}{before}{', '.join(self.details)}{after}"


class NotSeenAsked(Reason, frozen=True):
    """It is proved, and no run was found that puts it to the test."""

    proof: Reason
    search: Reason

    def __str__(self) -> str:
        return f"proved ({self.proof}), but not seen asked ({self.search})"


class Stuck(Reason, frozen=True):
    """The trace leads to where these processes can never move again ("": all have ended); `first`: none is stuck after fewer actions."""

    processes: tuple[str, ...]
    actions: int
    first: bool = True

    def __str__(self) -> str:
        shortest = "shortest " if self.first else ""
        rest = "" if self.first else ", and others may be stuck before"
        return f"{stuck_words(self.processes)}: {shortest}counterexample: {counted(self.actions, 'action')}{rest}"


def stuck_words(processes: Sequence[str]) -> str:
    """Who is stuck; "" for a state in which all have ended."""
    if names := [name for name in processes if name]:
        return f"{listed(names)} can never move again"
    return "nothing is left to be done, and no final state is in reach"


class Assuming(Reason, frozen=True):
    """Every run was seen that keeps the assumptions of the model, by their names.

    `stop` are the processes that none is about, `remark` is as for `Exhaustive`.
    """

    weak: tuple[str, ...]
    strong: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    remark: str = ""

    def __str__(self) -> str:
        clauses = (
            [f"{listed(self.weak)} {_go(self.weak)} on while nothing prevents it (weak fairness)"] if self.weak else []
        )
        if self.strong:
            clauses.append(f"{listed(self.strong)} {_go(self.strong)} on if possible again and again (strong fairness)")
        rest = f"; {listed(self.stop)} may stop for ever" if self.stop else ""
        return f"exhaustive, assuming that {' and that '.join(clauses)}{rest}{self.remark}"


def _go(names: Sequence[str]) -> str:
    return "goes" if len(names) == 1 else "go"


class RunsForEver(Reason, frozen=True):
    """The trace is a run that waits for ever: its last `repeated` actions come again and again, or it stops (0).

    Attributes:
        actions: of the whole trace.
        repeated: how many of them.
        left: the processes that could go on where the run stops; nothing promises that one does.
        declared: those of them of which the model says so (`may_stop`).
    """

    actions: int
    repeated: int
    left: tuple[str, ...] = ()
    declared: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"counterexample: {counted(self.actions, 'action')}, {self._end()}"

    def _end(self) -> str:
        if self.repeated:
            return "the last repeats for ever" if self.repeated == 1 else f"the last {self.repeated} repeat for ever"
        if not self.left:
            return "then nothing moves"
        stops = f"then {listed(self.left)} {'stops' if len(self.left) == 1 else 'stop'} for ever"
        owed = [name for name in self.left if name not in self.declared]
        if not owed:
            return f"{stops}, as may_stop says"
        return f"{stops}: nobody promised otherwise (m.fair({owed[0]}) or fair= would, m.progress() for all)"


class Walked(Reason, frozen=True):
    """A random walk shows it."""

    actions: int

    def __str__(self) -> str:
        return f"random walk of {counted(self.actions, 'action')}, which need not be the fewest"


class NothingWalkedInto(Reason, frozen=True):
    """Random walks found nothing; `bound` is the last bound that stopped one of them, "" if none did."""

    walks: int
    depth: int
    seed: int
    bound: str = ""

    def __str__(self) -> str:
        bound = f"some were stopped by a bound: {self.bound}" if self.bound else ""
        end = f"; {self.stopped or bound}" if self.stopped or bound else ""
        walks = f"{counted(self.walks, 'random walk')} of up to {counted(self.depth, 'action')}"
        return f"only a search: {walks} found nothing (seed {self.seed}{end})"


class Undecided(Reason, frozen=True):
    """What was asked was stopped before there was anything to say."""

    def __str__(self) -> str:
        return f"{self.stopped} before anything was decided"


class Incomplete(Reason, frozen=True):
    """A search saw so many states and not all: it was stopped, or a bound of the model was passed (`bound`, with its line)."""

    states: int
    bound: str = ""

    def __str__(self) -> str:
        reasons = [str(self.stopped)] if self.stopped else []
        if self.bound:
            reasons.append(f"bound passed: {self.bound}")
        return f"{', '.join(reasons)} after {counted(self.states, 'state')}"


class NothingUpTo(Reason, frozen=True):
    """Nothing is found in so many steps (None: nobody has looked); `obstacle` is what stood in the way of looking further, "" if nothing."""

    word: str
    depth: int | None
    obstacle: str = ""

    def __str__(self) -> str:
        upto = "found" if self.depth is None else f"of up to {counted(self.depth, 'step')}"
        end = self.stopped or self.obstacle
        return f"no {self.word} {upto}{f'; {end}' if end else ''}"


class Excluded(Reason, frozen=True):
    """Pairs of values exclude what is looked for; `bounded`: in what is this side of the model's bounds, `erring`: and of its errors."""

    bounded: bool = False
    erring: bool = False

    def __str__(self) -> str:
        return f"every reachable state is excluded by its pairs of values{_but(self.bounded)}{_without(self.erring)}"


class NoLongerPath(Reason, frozen=True):
    """All paths were looked at; `bounded`: those this side of the model's bounds, `erring`: and of its errors."""

    depth: int
    bounded: bool = False
    erring: bool = False

    def __str__(self) -> str:
        return f"no path is longer than {counted(self.depth, 'step')}{_but(self.bounded)}{_without(self.erring)}"


def _but(bounded: bool) -> str:
    return ", but a bound may be passed" if bounded else ""


def _without(erring: bool) -> str:
    return ", of runs without an error" if erring else ""


class Inductive(Reason, frozen=True):
    """Proved by k-induction."""

    k: int

    def __str__(self) -> str:
        return f"k-induction, k = {self.k}"


class NotInductive(Reason, frozen=True):
    """Tried in vain by k-induction, with a k of up to this."""

    k: int

    def __str__(self) -> str:
        return f"not inductive with k up to {self.k}"


class Refused(Reason, frozen=True):
    """The engine does not decide such a property, or not in such a system."""

    words: str

    def __str__(self) -> str:
        return self.words


class AtFault(Reason, frozen=True):
    """The model is wrong itself, so nothing is known of it; `error` says where, if it is to be said here."""

    error: str = ""

    def __str__(self) -> str:
        return f"model fault: {self.error}" if self.error else "model fault"


class ByEngine(Reason, frozen=True):
    """Which of several engines says so."""

    engine: str
    reason: Reason

    def __str__(self) -> str:
        return f"{self.engine}: {self.reason}"


class EitherWay(Reason, frozen=True):
    """Two engines, and neither knows."""

    first: Reason
    second: Reason

    def __str__(self) -> str:
        return f"{self.first}; {self.second}"
