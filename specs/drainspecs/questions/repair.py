"""What would mend a code base: all minimal sets of known mitigations that make the chosen properties hold, and what the others leave open.

A set is a *solution* if in all chosen scenarios the chosen properties hold, the job can always still complete (F1), completing is
possible at all (R1), and no demand on liveness that held before is lost; and if F1 and R1 hold in all scenarios of the kind, that is in
all that vary the same default scenario (other requests, errors, a cancel). It is minimal if no proper subset is a solution. The search is
complete, in the way of `why`: sets grow by mitigations whose knobs are read by the model that fails, since no other can mend it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from draincheck.errors import OutOfBudget
from draincheck.knobs import Knobs, Setting, turned
from draincheck.qemu import Scenario
from draincheck.reason import Stop
from draincheck.revisions import REVISIONS, Revision, with_settings
from draincheck.verdict import Outcome, demand_unstopped
from drainspecs.mirror.kind import NO_HANG, Kind
from drainspecs.mirror.liveness import verdicts
from drainspecs.mirror.mitigations import MITIGATIONS, Mitigation, applied, groundwork_for, total_cost
from drainspecs.mirror.stray_requests import CASES, SeedCases
from drainspecs.questions.variants import Advance, Judge, Judged, check_possible, silently, weighed

__all__ = ["NO_HANG", "SAFETY", "Flaw", "Remainder", "Repair", "Repairs", "liveness_of", "repair", "what_remains"]

#: what a repair has to bring about, unless the caller says otherwise
SAFETY: Final = ("S1", "S2", "S3", "S4", "S8", "A1")
#: verdicts on the liveness of a code base in a scenario, by property
Liveness = Callable[[Revision, Scenario], Mapping[str, Outcome]]

#: a set of mitigations, by their places in `MITIGATIONS`
_Places: TypeAlias = frozenset[int]


class Flaw(Struct, frozen=True):
    """A property that does not hold in a scenario."""

    scenario: str
    property: str

    def __str__(self) -> str:
        return f"{self.scenario}: {self.property}"


@dataclass(frozen=True, slots=True)
class Repair:
    """A solution.

    Attributes:
        mitigations: in the order of history.
        repaired: the code base with them; its name lists the knobs.
        settings: these knobs and their values.
        cost: of all of them, groundwork included.
        commits: what did it in history, groundwork included, oldest first: (commit, what it does).
    """

    mitigations: tuple[Mitigation, ...]
    repaired: Revision
    settings: Mapping[str, Setting] = field(hash=False)
    cost: int
    commits: tuple[tuple[str, str], ...]


class Remainder(Struct, frozen=True):
    """What a set of mitigations that is no solution leaves open.

    Attributes:
        mitigations: in the order of history; none for the code base as it is.
        flaws: the chosen properties, F1 and R1 included, that do not hold; if they all do, a hang in another scenario of the kind.
        cases: for each scenario the bug cases that can still happen, with GSources in the code base's own order.
        cases_any_order: the same with GSources in any order.
        inert: all these verdicts are those of the code base as it is.
        objection: why no code base could be like that, "" if one could.
    """

    mitigations: tuple[Mitigation, ...]
    flaws: tuple[Flaw, ...]
    cases: Mapping[str, tuple[str, ...]]
    cases_any_order: Mapping[str, tuple[str, ...]]
    inert: bool = False
    objection: str = ""


class Repairs(Struct, frozen=True):
    """All solutions for a code base, and what is known beside them.

    Attributes:
        revision: the code base.
        scenarios: where the properties must hold.
        properties: which.
        applicable: the mitigations that could be made.
        solutions: minimal sets, cheapest first. One empty set: nothing is broken. None: no known mitigations suffice.
        now: what is open in the code base as it is.
        remainders: the same for every single mitigation, and for the sets one short of a solution.
        rejected: sets that make the chosen properties hold but hang or cost liveness, and what fails. Where the chosen properties hold
            already, only those that make something worse. A set that contains another one and fails alike is left out.
        examined: how many sets were looked at.
        systems: how many distinct systems these came to.
        stopped: what ended the search: then there may be more solutions, those that are named are some, and nothing is said of what others
            leave open.
    """

    revision: Revision
    scenarios: tuple[Scenario, ...]
    properties: tuple[str, ...]
    applicable: tuple[Mitigation, ...]
    solutions: tuple[Repair, ...]
    now: Remainder
    remainders: tuple[Remainder, ...]
    rejected: tuple[tuple[tuple[Mitigation, ...], tuple[Flaw, ...]], ...]
    examined: int
    systems: int
    seconds: float
    stopped: Stop | None = None


def liveness_of(revision: Revision, scenario: Scenario) -> Mapping[str, Outcome]:
    """The verdicts on `drainspecs.mirror.liveness.LIVENESS`."""
    found = verdicts(revision, scenario)
    demand_unstopped(found.values())
    return {name: weighed(verdict.outcome) for name, verdict in found.items()}


def repair(
    revision: Revision,
    scenarios: Sequence[Scenario],
    properties: Sequence[str] = SAFETY,
    *,
    liveness: Liveness = liveness_of,
    advance: Advance = silently,
    processes: int | None = None,
) -> Repairs:
    """All minimal sets of known mitigations that mend a code base.

    Args:
        revision: the code base.
        scenarios: where it must be mended, at least one.
        properties: what must hold there.
        liveness: what else must not be lost: properties that hold before must hold after. Asked only of sets that are safe.
        advance: told how many code bases have been decided.
        processes: how many may work at it; None: one a core.

    Raises:
        ModelError: the code base cannot run a scenario, there is no such property, or a search leaves one undecided.
        OutOfBudget: there was reason to stop before it was known what does not hold.
    """
    started = perf_counter()
    bench = _Bench(revision, scenarios, properties, processes, advance)
    search, remaining = _Search(bench, liveness), _Remaining(bench)
    remainders, stopped = _looked_for(search, remaining)
    return Repairs(
        revision=revision,
        scenarios=bench.scenarios,
        properties=bench.properties,
        applicable=bench.chosen(bench.applicable),
        solutions=tuple(sorted((_solution(revision, bench.chosen(p)) for p in search.solutions), key=_by_cost)),
        now=remaining.now,
        remainders=tuple(remainders),
        rejected=tuple((bench.chosen(places), flaws) for places, flaws in search.rejected.items()),
        examined=search.examined,
        systems=sum(len(judge.digests) for judge in bench.judges),
        seconds=perf_counter() - started,
        stopped=stopped,
    )


def _looked_for(search: _Search, remaining: _Remaining) -> tuple[list[Remainder], Stop | None]:
    """What other sets leave open, once all solutions are known; with a stop, not all of it."""
    remainders: list[Remainder] = []
    try:
        search.run()
        remainders += map(remaining.after, search.short_of_solutions())
    except OutOfBudget as limit:
        return remainders, limit.stop
    return remainders, None


def what_remains(
    revision: Revision,
    mitigations: Iterable[Mitigation],
    scenarios: Sequence[Scenario],
    properties: Sequence[str] = SAFETY,
) -> Remainder:
    """What a set of mitigations leaves open; one that is made already, or that does not fit, changes nothing. Raises ModelError like `repair`."""
    bench = _Bench(revision, scenarios, properties)
    places = frozenset(map(MITIGATIONS.index, mitigations)) & bench.applicable
    return _Remaining(bench).after(places)


def _by_cost(solution: Repair) -> tuple[int, int, tuple[int, ...]]:
    return solution.cost, len(solution.mitigations), tuple(map(MITIGATIONS.index, solution.mitigations))


def _solution(revision: Revision, mitigations: tuple[Mitigation, ...]) -> Repair:
    knobs = applied(revision.knobs, mitigations)
    turned: dict[str, Setting] = {name: getattr(knobs, name) for item in mitigations for name in item.settings}
    commits = {commit for item in mitigations for commit in item.commits}
    commits |= {item.commit for item in groundwork_for(revision, mitigations)}
    rows = tuple((row.name, row.subject) for row in REVISIONS if row.name in commits)
    return Repair(mitigations, with_settings(revision, turned), turned, total_cost(revision, mitigations), rows)


class _Bench:
    """Decides sets of mitigations of one code base in all scenarios, and in those of their kind."""

    def __init__(
        self,
        revision: Revision,
        scenarios: Sequence[Scenario],
        properties: Sequence[str],
        processes: int | None = 1,
        advance: Advance = silently,
    ) -> None:
        for scenario in scenarios:
            check_possible(revision, scenario)
        self.revision, self.scenarios, self.properties = revision, tuple(scenarios), tuple(properties)
        self.applicable = frozenset(place for place, item in enumerate(MITIGATIONS) if item.applies(revision.knobs))
        everything = tuple(dict.fromkeys((*properties, *NO_HANG)))
        self.judges = [Judge(item, everything, processes=processes, advance=advance) for item in scenarios]
        self.cases = [Judge(item, tuple(CASES), SeedCases, processes) for item in scenarios]
        self.kind = Kind(revision, scenarios)

    def chosen(self, places: _Places) -> tuple[Mitigation, ...]:
        """The mitigations of a set, in the order of history."""
        return tuple(MITIGATIONS[place] for place in sorted(places))

    def vector(self, places: _Places) -> Knobs:
        """The knobs with a set of mitigations made."""
        return applied(self.revision.knobs, self.chosen(places))

    def judged(self, places: _Places) -> list[Judged]:
        """What is known of a set in each scenario."""
        return [judge.judge(self.vector(places)) for judge in self.judges]

    def flaws(self, scenario: Scenario, judged: Judged) -> tuple[Flaw, ...]:
        """What does not hold."""
        wrong = (name for name, outcome in judged.outcomes.items() if outcome is not Outcome.HOLDS)
        return tuple(Flaw(scenario.name, name) for name in wrong)

    def all_flaws(self, judged: Sequence[Judged]) -> tuple[Flaw, ...]:
        """What does not hold in each scenario."""
        return tuple(flaw for pair in zip(self.scenarios, judged, strict=True) for flaw in self.flaws(*pair))

    def cases_open(self, knobs: Knobs) -> dict[str, tuple[str, ...]]:
        """The bug cases that can happen, by scenario."""
        outcomes = {judge.scenario.name: judge.judge(knobs).outcomes for judge in self.cases}
        return {
            scenario: tuple(name for name in CASES if found.get(name) is Outcome.VIOLATED)
            for scenario, found in outcomes.items()
        }

    def compatible(self, places: _Places) -> frozenset[int]:
        """The mitigations that can be added to a set: no two turn the same knob."""
        turned = {knob for place in places for knob in MITIGATIONS[place].settings}
        return frozenset(p for p in self.applicable - places if turned.isdisjoint(MITIGATIONS[p].settings))


class _Search:
    """The sets of mitigations, by size."""

    def __init__(self, bench: _Bench, liveness: Liveness) -> None:
        self.bench, self._liveness = bench, liveness
        self._alive = {scenario: liveness(bench.revision, scenario) for scenario in bench.scenarios}
        #: what nobody asked a set to mend, because all that is wrong is of this kind
        self._excused = bench.all_flaws(bench.judged(frozenset()))
        if any(flaw.property in bench.properties for flaw in self._excused):
            self._excused = ()
        self.examined = 0
        self.solutions: list[_Places] = []
        self.rejected: dict[_Places, tuple[Flaw, ...]] = {}

    def run(self) -> None:
        """Find all minimal solutions."""
        level: list[_Places] = [frozenset()]
        while level:
            self.examined += len(level)
            helpful = self._tried(level)
            self.solutions += [places for places in level if places not in helpful]
            larger = {places | {more}: None for places, mores in helpful.items() for more in sorted(mores)}
            level = [places for places in larger if not any(solution <= places for solution in self.solutions)]

    def _tried(self, level: Sequence[_Places]) -> dict[_Places, frozenset[int]]:
        """For each set that is no solution the mitigations that might help it.

        A set whose safety fails in one scenario is not tried in the others.
        """
        helpful: dict[_Places, frozenset[int]] = {}
        found: dict[_Places, list[Flaw]] = {places: [] for places in level}
        for judge in self.bench.judges:
            left = list(found)
            for places, judged in zip(left, judge.judge_all(list(map(self.bench.vector, left))), strict=True):
                flaws = self.bench.flaws(judge.scenario, judged)
                if judged.objection or flaws:
                    helpful.setdefault(places, self._that_matter(places, judged))
                found[places] += flaws
                if judged.objection or any(flaw.property in self.bench.properties for flaw in flaws):
                    del found[places]
        for places, hangs in found.items():
            self._look_at_life(places, tuple(hangs), helpful)
        return helpful

    def _that_matter(self, places: _Places, judged: Judged) -> frozenset[int]:
        return frozenset(
            p for p in self.bench.compatible(places) if not judged.read.keys().isdisjoint(MITIGATIONS[p].settings)
        )

    def _look_at_life(self, places: _Places, hangs: tuple[Flaw, ...], helpful: dict[_Places, frozenset[int]]) -> None:
        """The set makes everything safe: see whether it costs liveness, and remember it if it does."""
        lost = self._lost(places)
        if lost:
            helpful.setdefault(places, self.bench.compatible(places))
        elif places and not hangs:
            lost = self._hangs_elsewhere(places, helpful)
        bad = tuple(flaw for flaw in (*hangs, *lost) if flaw not in self._excused)
        if bad and not any(fewer < places and same == bad for fewer, same in self.rejected.items()):
            self.rejected[places] = bad

    def _hangs_elsewhere(self, places: _Places, helpful: dict[_Places, frozenset[int]]) -> tuple[Flaw, ...]:
        """A hang in another scenario of the kind; what its model has read might help."""
        found = self.bench.kind.hang(self.bench.vector(places))
        if found is None:
            return ()
        scenario, judged = found
        helpful[places] = self._that_matter(places, judged)
        return self.bench.flaws(scenario, judged)

    def _lost(self, places: _Places) -> tuple[Flaw, ...]:
        """Liveness that the code base has and the mended one has not."""
        mended = replace(self.bench.revision, knobs=self.bench.vector(places))
        return tuple(
            Flaw(scenario.name, name)
            for scenario in self.bench.scenarios
            for name, outcome in self._liveness(mended, scenario).items()
            if outcome is not Outcome.HOLDS and self._alive[scenario].get(name) is Outcome.HOLDS
        )

    def short_of_solutions(self) -> list[_Places]:
        """Every single mitigation, and every solution without one of its members; solutions themselves left out."""
        singles = [frozenset({place}) for place in sorted(self.bench.applicable)]
        short = [solution - {place} for solution in self.solutions for place in sorted(solution)]
        return [places for places in dict.fromkeys(singles + short) if places and places not in self.solutions]


class _Remaining:
    """What sets of mitigations leave open."""

    def __init__(self, bench: _Bench) -> None:
        self._bench = bench
        self.now = self._look(frozenset())

    def after(self, places: _Places) -> Remainder:
        """What is open after a set of mitigations."""
        found = self._look(places)
        return replace(found, inert=bool(places) and replace(found, mitigations=()) == self.now)

    def _look(self, places: _Places) -> Remainder:
        bench, knobs, judged = self._bench, self._bench.vector(places), self._bench.judged(places)
        flaws, objections = bench.all_flaws(judged), (item.objection for item in judged if item.objection)
        objection = next(objections, "")
        if places and not flaws and not objection and (hang := bench.kind.hang(knobs)) is not None:
            flaws = bench.flaws(*hang)
        any_order = bench.cases_open(turned(knobs, {"order": "any"}))
        return Remainder(bench.chosen(places), flaws, bench.cases_open(knobs), any_order, objection=objection)
