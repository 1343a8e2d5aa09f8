"""Running machines: one recorded schedule (`replay`), or many drawn ones (`simulate`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from draincheck.core.config import Config
from draincheck.core.errors import NotDeterministic
from draincheck.core.events import Event, EventLog
from draincheck.core.host import Choice
from draincheck.core.machine import Machine
from draincheck.core.outcome import Ending, LostWrite, lost_writes, outcome_of
from draincheck.core.scheduler import Fair, Random, Replay, Scheduler, SchedulerStep
from draincheck.knobs import Knobs

__all__ = ["CoreSimulation", "MachineRun", "Replayed", "replay", "run", "self_check", "simulate"]

#: steps after which a run is given up; one that ends takes about a hundred
MOST_STEPS = 5000


@dataclass(frozen=True, slots=True)
class MachineRun:
    """One run: the steps it took, and how it ended."""

    steps: tuple[SchedulerStep, ...]
    outcome: Ending


@dataclass(frozen=True, slots=True)
class Replayed:
    """A recorded schedule, executed.

    Attributes:
        events: what happened, in order; `Event.step` is the number of the step, from 1.
        outcome: how far it has come: `unfinished` if more could happen.
        message: QEMU's last words if it has ended, else "".
        lost: acknowledged writes that the disk does not have, read back through the machine.
    """

    events: tuple[Event, ...]
    outcome: Ending
    message: str
    lost: tuple[LostWrite, ...]


@dataclass(frozen=True, slots=True)
class CoreSimulation:
    """Many runs.

    Attributes:
        outcomes: how many runs ended in which way.
        first: for each outcome the first run that ended so: its number, from 0, and the run.
        points: scheduling points passed in all runs together.
        seconds: how long it took.
    """

    outcomes: Mapping[Ending, int]
    first: Mapping[Ending, tuple[int, MachineRun]]
    points: int
    seconds: float = field(compare=False)


class _Recorder:
    """Asks a scheduler, and remembers the steps."""

    def __init__(self, machine: Machine, scheduler: Scheduler) -> None:
        self.machine, self.scheduler = machine, scheduler
        self.steps: list[SchedulerStep] = []
        self._outcomes: list[str] = []
        machine.decide = self._decide

    def step(self, choices: Sequence[Choice]) -> None:
        """Make one step."""
        choice = choices[self.scheduler.step(choices)]
        self._outcomes.clear()
        self.machine.take(choice)
        self.steps.append(SchedulerStep(choice.process, choice.label, tuple(self._outcomes)))

    def _decide(self, choices: Sequence[Choice]) -> int:
        taken = self.scheduler.outcome(choices)
        self._outcomes.append(choices[taken].label)
        return taken


def run(machine: Machine, scheduler: Scheduler, most_steps: int = MOST_STEPS) -> MachineRun:
    """Run a new machine until it is finished, nothing can happen any more, or `most_steps` have been made."""
    recorder = _Recorder(machine, scheduler)
    while not machine.finished and len(recorder.steps) < most_steps:
        choices = machine.choices()
        if not choices:
            break
        recorder.step(choices)
    return MachineRun(tuple(recorder.steps), outcome_of(machine))


def replay(knobs: Knobs, config: Config, steps: Sequence[SchedulerStep], to_the_end: bool = False) -> Replayed:
    """Execute a recorded schedule on a new machine; if wanted, go on by a fair schedule until nothing is left to do.

    Raises:
        ReplayDiverged: the core does not offer a recorded step or outcome.
        ConfigError: the configuration makes no sense for this code base.
    """
    log = EventLog()
    machine = Machine(knobs, config, log)
    scheduler = Replay(steps)
    machine.decide = scheduler.outcome
    while not scheduler.over:
        choices = machine.choices()
        machine.take(choices[scheduler.step(choices)])
    scheduler.check_outcomes_used()
    if to_the_end:
        run(machine, Fair())
    outcome = outcome_of(machine)
    machine.host.log = None
    message = machine.aborted.message if machine.aborted is not None else ""
    return Replayed(tuple(log.events), outcome, message, lost_writes(machine))


def simulate(
    knobs: Knobs,
    config: Config,
    seed: int,
    runs: int,
    *,
    scheduler: Callable[[int], Scheduler] = Random,
    progress: Callable[[int], bool | None] = lambda done: None,
) -> CoreSimulation:
    """Make that many runs with a scheduler of this seed; `progress` is told how many are done, and the one to which it says False is the last.

    Raises ConfigError like `replay`.
    """
    started = perf_counter()
    outcomes: Counter[Ending] = Counter()
    first: dict[Ending, tuple[int, MachineRun]] = {}
    points = 0
    decide = scheduler(seed)
    for number in range(runs):
        if not decide.begin():
            break
        machine = Machine(knobs, config)
        made = run(machine, decide)
        machine.close()
        points += len(made.steps)
        outcomes[made.outcome] += 1
        first.setdefault(made.outcome, (number, made))
        if progress(number + 1) is False:
            break
    return CoreSimulation(dict(outcomes), first, points, perf_counter() - started)


def self_check(knobs: Knobs, config: Config, steps: Sequence[SchedulerStep]) -> Replayed:
    """Execute a schedule twice and compare everything; raises NotDeterministic if anything differs, else returns the run."""
    first, second = (replay(knobs, config, steps) for _ in range(2))
    if first == second:
        return first
    for one, other in zip(first.events, second.events, strict=False):
        if one != other:
            raise NotDeterministic(
                f"step {one.step}: once {one.process} {one.text!r}, once {other.process} {other.text!r}"
            )
    raise NotDeterministic("the same events, and different ends: " + f"{first.outcome.value}, {second.outcome.value}")
