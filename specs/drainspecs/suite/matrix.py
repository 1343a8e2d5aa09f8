"""The matrix: every code base in every scenario, decided by exhaustive search and compared with what is expected."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, groupby
from pathlib import Path
from shlex import quote
from time import perf_counter

from msgspec import Struct
from msgspec.structs import replace

from draincheck.budget import look
from draincheck.engines.explicit import decide
from draincheck.errors import ModelError, OutOfBudget
from draincheck.knobs import turned
from draincheck.native.tiers import MANY, MISSING, WAITED, Tier, is_installed
from draincheck.pool import how_many, in_processes
from draincheck.qemu import Scenario, build
from draincheck.reason import AtFault, Reason, Stop, Undecided
from draincheck.revisions import Revision, code_bases
from draincheck.semantics.validation import demand_faultless
from draincheck.subject import Expectation, check_command
from draincheck.system import TransitionSystem
from draincheck.variants import Variants
from draincheck.verdict import Exploration, Limits, Outcome, Statistics, Verdict, stopped_by
from draincheck.words import counted
from drainspecs.mirror.abstractions import Note, limits_on
from drainspecs.mirror.expectations import expected
from drainspecs.mirror.impact import consequences
from drainspecs.mirror.properties import PROPERTIES, DrainInvariant
from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS, SCENARIOS, applies, in_table

__all__ = [
    "Cell", "Counts", "Deviation", "Row", "RowResult", "Solver", "advice", "all_rows", "counts_path", "counts_text",
    "decide_all", "default_rows", "deviation", "deviations", "fault_of", "is_of_a_package", "options_of_row", "pieces", "pinned_counts", "system_of",
    "unknown", "with_order_any",
]  # fmt: skip

#: what is said instead where the model itself is wrong
FAULT = "model fault"


class Row(Struct, frozen=True):
    """One code base in one scenario."""

    revision: Revision
    scenario: Scenario

    @property
    def by_hand(self) -> bool:
        """Knobs or sizes were set by hand: nothing is expected of such a row."""
        return "+" in self.revision.name or not in_table(self.scenario)

    @property
    def key(self) -> str:
        """The row's name in the table of pinned counts."""
        order = "" if self.revision.knobs.order == "attach" else " order=any"
        return f"{self.scenario.name}{order}"


class Counts(Struct, frozen=True):
    """What a search of a row must find, exactly: distinct states, transitions, depth."""

    states: int
    transitions: int
    depth: int

    def __str__(self) -> str:
        return f"{counted(self.states, 'state')}, {counted(self.transitions, 'transition')}, depth {self.depth}"


class Cell(Struct, frozen=True):
    """The verdict of one property in one row, beside what is expected (None: nothing is)."""

    row: Row
    property_name: str
    verdict: Verdict
    expected: Expectation | None

    @property
    def as_expected(self) -> bool:
        """Nothing else was expected."""
        return self.expected is None or self.expected.outcome is self.verdict.outcome

    @property
    def unexpected(self) -> bool:
        """Another one was expected; of what is unknown nobody can say that."""
        return not self.as_expected and self.verdict.outcome is not Outcome.UNKNOWN

    @property
    def limits(self) -> tuple[Note, ...]:
        """What the model leaves out and the verdict could turn on."""
        return limits_on(self.row.revision.name, self.row.scenario, self.property_name, self.verdict.outcome)


class RowResult(Struct, frozen=True):
    """One explored row.

    Attributes:
        digest: names the transition system; rows with the same one cannot be told apart.
        milliseconds: the time to build and search it; 0 when an equal system had been searched already.
        pinned: what the search must find; None if nobody has said yet.
        fault: what is wrong with the model, and where: it cannot be built, or a reachable step makes no sense. Nothing is known of such a
            row: it has no digest, no states, and every verdict is unknown. "" for a sound one.
    """

    row: Row
    digest: str
    exploration: Exploration
    milliseconds: float
    pinned: Counts | None
    fault: str = ""

    @property
    def stopped(self) -> Stop | None:
        """What kept some of its verdicts from being known."""
        return stopped_by(self.exploration.verdicts.values())

    @property
    def consequences(self) -> tuple[str, ...]:
        """What comes of it for the owner of the data, in words."""
        return (FAULT,) if self.fault else consequences(self.row.revision.knobs, self.exploration.verdicts)

    @property
    def counts(self) -> Counts:
        """What the search found."""
        s = self.exploration.statistics
        return Counts(s.states, s.transitions, s.depth)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The properties in their order."""
        revision, scenario, verdicts = self.row.revision.name, self.row.scenario, self.exploration.verdicts
        names = [item.name for item in PROPERTIES]
        return tuple(Cell(self.row, name, verdicts[name], expected(revision, scenario, name)) for name in names)


def default_rows(revisions: Sequence[Revision] = (), scenarios: Sequence[Scenario] = ()) -> list[Row]:
    """Every code base (or these) in the five default scenarios (or these), GSources in attach order."""
    return [
        Row(revision, scenario)
        for scenario in scenarios or DEFAULT_SCENARIOS
        for revision in revisions or code_bases()
        if applies(revision, scenario)
    ]


def all_rows() -> list[Row]:
    """The default rows, then two writes, reads, two disks, and the default scenarios with GSources in any order."""
    wider = default_rows(scenarios=SCENARIOS)
    return wider + [replace(row, revision=with_order_any(row.revision)) for row in default_rows()]


def with_order_any(revision: Revision) -> Revision:
    """The code base with what GLib's API promises instead of what GLib does. Keeps its name, and with it its expectations."""
    return replace(revision, knobs=turned(revision.knobs, {"order": "any"}))


def system_of(row: Row) -> TransitionSystem:
    """The transition system of a row, with every property of the specification."""
    return _built(f"{row.revision.name} / {row.scenario.name}", row)


def _built(title: str, row: Row) -> TransitionSystem:
    return build(title, row.revision.knobs, row.scenario, DrainInvariant()).compile()


class _Decided(Struct, frozen=True):
    """What a row came to: the digest of its system, and what a search of that found."""

    digest: str
    exploration: Exploration


class Solver:
    """Decides rows, each kind once: rows whose builds have read the same are one, whichever code bases and scenarios they are of.

    So are rows with equal systems. `limits` are those of each search.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._known = Variants[Row, _Decided]()
        self._explored: dict[str, Exploration] = {}

    def decide(self, rows: Iterable[Row]) -> Iterator[RowResult]:
        """Each row's result, in order, as soon as it is known. A model at fault is a result like others."""
        return map(self._result, rows)

    def _result(self, row: Row) -> RowResult:
        start = perf_counter()
        pinned = _pinned(row)
        try:
            look()
            decided, known = self._decided(row, pinned)
        except ModelError as error:
            return RowResult(row, "", _nothing_known(AtFault()), _since(start), pinned, str(error))
        except OutOfBudget as limit:
            return unknown(row, limit.stop)
        return RowResult(row, decided.digest, decided.exploration, 0.0 if known else _since(start), pinned)

    def _decided(self, row: Row, pinned: Counts | None) -> tuple[_Decided, bool]:
        """What a row comes to, and whether nothing had to be searched for it. Raises ModelError."""
        found = self._known.known(row)
        if found is not None:
            return found, True
        name = row.scenario.name
        system, read = Variants[Row, TransitionSystem].recorded(row, lambda read: _built(name, read))
        exploration = self._explored.get(system.digest)
        known = exploration is not None
        if exploration is None:
            exploration = self._searched(system, pinned)
        decided = _Decided(system.digest, exploration)
        if not stopped_by(exploration.verdicts.values()):
            self._explored[system.digest] = exploration
            self._known.learn(read, decided)
        return decided, known

    def _searched(self, system: TransitionSystem, pinned: Counts | None) -> Exploration:
        """What a search finds; one of which it is pinned that it is large begins with machine code. Raises ModelError."""
        tier = Tier.LARGE if pinned is not None and pinned.states >= MANY else Tier.BY_SIZE
        found = decide(system, system.properties, self._limits, tier=tier)
        demand_faultless(found.verdicts.values())
        return found


def _since(start: float) -> float:
    return (perf_counter() - start) * 1000


def unknown(row: Row, stop: Stop) -> RowResult:
    """The result of a row that nobody came to, and why."""
    return RowResult(row, "", _nothing_known(Undecided(stopped=stop)), 0.0, _pinned(row))


def _nothing_known(reason: Reason) -> Exploration:
    """What is known of a model at fault, or of one that nobody came to."""
    verdicts = {item.name: Verdict(item.name, Outcome.UNKNOWN, reason) for item in PROPERTIES}
    return Exploration(Statistics(0, 0, 0, 0, 0, (), (), 0.0), verdicts)


#: rows that one process decides before it takes more: a tenth of the default matrix, so that two processes end together
PIECE = 17


def decide_all(rows: Sequence[Row], processes: int | None = None) -> Iterator[RowResult]:
    """Decide rows in as many processes as there are cores (or `processes`); results come in the rows' order. Raises OutOfBudget.

    Where processes cannot be forked, and for a few rows, this process does it alone. Whether two rows share a search depends on how
    the rows are divided; what the search finds does not.
    """
    divided, solver = pieces(rows), Solver()
    if min(len(divided), how_many(processes)) < 2:
        return solver.decide(rows)
    return chain.from_iterable(in_processes(lambda piece: list(solver.decide(piece)), divided, processes))


def pieces(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows divided for several processes, in their order: neighbours stay together, because they share most."""
    groups = (list(group) for _, group in groupby(rows, key=lambda row: row.key))
    return [group[start : start + PIECE] for group in groups for start in range(0, len(group), PIECE)]


def counts_path() -> Path:
    """The file that the pinned counts are kept in."""
    return Path(__file__).parents[1] / "mirror" / "counts.json"


def is_of_a_package() -> bool:
    """Whether the file of the pinned counts belongs to a copy that was installed, and not to the project's own source."""
    return not {"site-packages", "dist-packages"}.isdisjoint(counts_path().parts)


@cache
def pinned_counts() -> dict[str, dict[str, Counts]]:
    """Scenario -> revision -> the exact counts that a search must find (`mirror/counts.json`)."""
    table = json.loads(counts_path().read_text(encoding="utf-8"))
    return {key: {revision: Counts(*numbers) for revision, numbers in rows.items()} for key, rows in table.items()}


def _pinned(row: Row) -> Counts | None:
    """What a search of a row must find; None if nobody has said so."""
    return pinned_counts().get(row.key, {}).get(row.revision.name)


def advice(rows: Iterable[Row]) -> str:
    """What would make it faster to decide rows, as their pinned counts say before anything is searched; "" if nothing would."""
    found = {counts for row in rows if (counts := _pinned(row)) is not None and counts.states >= MANY}
    states = sum(counts.states for counts in found)
    if states < WAITED or is_installed():
        return ""
    return f"Python alone searches {counted(len(found), 'system')} of {counted(states, 'state')} in all here: {MISSING}"


def counts_text(results: Iterable[RowResult], kept: Mapping[str, Mapping[str, Counts]] | None = None) -> str:
    """The content of `counts.json` that pins what these rows came to, beside those that are kept as they are."""
    table = {scenario: dict(rows) for scenario, rows in (kept or {}).items()}
    for result in results:
        table.setdefault(result.row.key, {})[result.row.revision.name] = result.counts
    return "{\n" + ",\n".join(_scenario_text(name, rows) for name, rows in table.items()) + "\n}\n"


def _scenario_text(name: str, rows: Mapping[str, Counts]) -> str:
    lines = (f"    {json.dumps(revision)}: [{c.states}, {c.transitions}, {c.depth}]" for revision, c in rows.items())
    return f"  {json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n  }"


class Deviation(Struct, frozen=True):
    """A verdict or a count that is not the expected one, or a model that is wrong itself.

    Attributes:
        kind: `verdict`, `unknown` (a verdict that was not reached), `counts` or `fault` (of the model: it says nothing of anything else).
        revision: the code base.
        row: the key of its row.
        what: the property, `counts` or `model`.
        expected: in words.
        found: in words.
    """

    kind: str
    revision: str
    row: str
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.revision} {self.row} {self.what}: expected {self.expected}, found {self.found}"

    @property
    def command(self) -> str:
        """What shows it again, to copy into a shell."""
        if self.revision == "claim":
            return f"check-invariants claims {self.row}"
        if self.row == "notify":
            return "check-invariants liveness --notify"
        asked = [] if self.kind in ("counts", "fault") else [self.what]
        return check_command(options_of_row(self.revision, self.row), *asked)


def options_of_row(revision: str, key: str) -> str:
    """The options that name the code base of a row with this key."""
    scenario, _, order = key.partition(" order=")
    return f"--revision {revision} --scenario {quote(scenario)}{f' --order {order}' if order else ''}"


def deviations(result: RowResult) -> list[Deviation]:
    """Each expectation and pinned count that the row does not meet, or does not have; each verdict that was not reached.

    Of a row that nobody came to there is nothing to say but that.
    """
    name, key = result.row.revision.name, result.row.key
    if result.fault:
        return [fault_of(name, key, result.fault)]
    if not result.digest:
        return []
    by_hand = result.row.by_hand
    wrong = [cell for cell in result.cells if not cell.as_expected or (cell.expected is None and not by_hand)]
    found = [deviation(name, key, cell.verdict, cell.expected) for cell in wrong]
    if result.pinned != result.counts and not (result.stopped or by_hand):
        wanted = "pinned counts, and there are none" if result.pinned is None else str(result.pinned)
        found.append(Deviation("counts", name, key, "counts", wanted, str(result.counts)))
    return found


def fault_of(revision: str, row: str, fault: object) -> Deviation:
    """What there is to say of a row whose model is wrong."""
    return Deviation("fault", revision, row, "model", "one without a fault", str(fault))


def deviation(revision: str, row: str, verdict: Verdict, expected: Expectation | None) -> Deviation:
    """What there is to say of a verdict that is not the expected one."""
    kind = "unknown" if verdict.outcome is Outcome.UNKNOWN else "verdict"
    wanted = "an expectation, and there is none" if expected is None else expected.outcome.value
    return Deviation(kind, revision, row, verdict.property, wanted, f"{verdict.outcome.value} ({verdict.reason})")
