"""A campaign: draw mutants by a seed, see in which net each is caught, and look closer at those that are not.

A mutant that cannot even be imported, built or started, because Python itself refuses it, is no wrong line that anybody could have
written: it is left out (`stillborn`). One is *equivalent* if nothing can tell it apart: each system that it changes still has the same
labelled reachable graph, what its states show included (model), or no run of any row executes its statement (core).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from tests.mutation.loading import modules_of, source_of
from tests.mutation.operators import Mutant, mutants, sample

__all__ = ["Campaign", "Result", "drawn", "summary"]

ROOT = Path(__file__).parents[2]
#: the packages whose lines are made wrong, for each target, and modules of them that no machine is made of
TARGETS = {"model": (("eventloop", "qemu"), ()), "core": (("core",), ("draincheck.core.faults",))}


#: modules of the core that watch machines, draw their schedules and judge their ends: nothing of them is seen in a comparison
OBSERVERS = {f"draincheck.core.{name}" for name in ("errors", "events", "outcome", "run", "scheduler")}


def drawn(target: str, seed: int) -> Iterator[Mutant]:
    """The mutants of a target, in the order of a seed."""
    packages, without = TARGETS[target]
    modules = [module for module in modules_of(*packages) if module not in without]
    return sample([mutant for module in modules for mutant in mutants(module, source_of(module))], seed)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a mutant.

    Attributes:
        net: the net that has caught it first: `verdict`, `fault`, `claim`, `liveness`, `unit`, `conformance`, `test`, or `endless` for one
            that had to be stopped; `stillborn` and `equivalent` are none; `counts` if only pinned counts have moved, `nothing` if not
            even these.
        where: what differs there.
        changed: for the model the rows that have another system (as far as they were looked at), for the core those that execute it.
        seconds: how long it took.
    """

    mutant: Mutant
    net: str
    where: str
    changed: int
    seconds: float

    @property
    def counts(self) -> bool:
        """It is a mutant that somebody could have written, and that something can tell apart."""
        return self.net not in ("stillborn", "equivalent")

    @property
    def survives(self) -> bool:
        """Nothing but pinned counts knows of it."""
        return self.net in ("counts", "nothing")

    def __str__(self) -> str:
        where = f"\n      {self.where}" if self.where else ""
        return f"{self.net:11} {self.mutant.name} (line {self.mutant.line}): {self.mutant.what}{where}"


class Campaign:
    """Finds out what catches mutants of a target; use it in a `with` statement.

    Args:
        target: `model` or `core`.
        nets: the nets that are hung up (see `nets.NETS`).
        wide: whether all rows of the matrix are looked at, or the default ones.
        seconds: of the processor, after which a mutant is stopped.
    """

    def __init__(self, target: str, nets: Sequence[str], wide: bool = True, seconds: int = 200) -> None:
        self.target, self.nets, self.wide, self.seconds = target, list(nets), wide, seconds
        self._folder = TemporaryDirectory()

    def __enter__(self) -> Campaign:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def run(self, chosen: Iterator[Mutant], number: int, processes: int = 2) -> Iterator[Result]:
        """Results of as many of the mutants as are needed for `number` that are not stillborn, as they come."""
        self._prepare()
        alive = 0
        with ThreadPoolExecutor(processes) as pool:
            while alive < number:
                part = [mutant for mutant, _ in zip(chosen, range(number - alive), strict=False)]
                if not part:
                    return
                for done in as_completed([pool.submit(self.result, mutant) for mutant in part]):
                    alive += done.result().net != "stillborn"
                    yield done.result()

    def result(self, mutant: Mutant) -> Result:
        """What comes of a mutant."""
        started = perf_counter()
        try:
            found = _work(self._order(mutant), self.seconds)
        except Endless:
            return Result(mutant, "endless", "", 0, perf_counter() - started)
        except Stillborn as error:
            return Result(mutant, "stillborn", str(error), 0, perf_counter() - started)
        net, where = (found["caught"] or {"net": "", "where": ""}).values()
        if not net:
            net, where = self._of_survivor(mutant, found)
        return Result(mutant, net, where, found["changed"], perf_counter() - started)

    def unchanged(self) -> dict[str, Any]:
        """What the nets say without any mutant."""
        order: dict[str, Any] = {"task": self.target, "nets": self.nets, "wide": self.wide}
        of_target: dict[str, Any] = {"systems": str(self._systems)} if self.target == "model" else {"rows": []}
        return _work({**order, **of_target}, self.seconds)

    def _prepare(self) -> None:
        assert self._systems if self.target == "model" else self._coverage

    def _order(self, mutant: Mutant) -> dict[str, Any]:
        order = {"task": self.target, "mutant": asdict(mutant), "nets": self.nets, "wide": self.wide}
        if self.target == "model":
            return {**order, "systems": str(self._systems)}
        return {**order, "rows": self._executing(mutant)}

    def _of_survivor(self, mutant: Mutant, found: dict[str, Any]) -> tuple[str, str]:
        """Whether anything can tell apart what no net has caught; with a word if there was no time to see."""
        if self.target == "core":
            return "nothing" if found["changed"] or mutant.module in OBSERVERS else "equivalent", ""
        if found["counts"]:
            return "counts", ""
        try:
            return "equivalent" if self._same_graphs(mutant) else "nothing", ""
        except Endless:
            return "nothing", "large graphs were not compared: no time was left"

    def _same_graphs(self, mutant: Mutant) -> bool:
        """Each changed system has the labelled graph that it had: of small ones that is known, of the others one a system is looked at."""
        before: dict[str, list[str]] = json.loads(self._systems.read_text(encoding="utf-8"))
        after = _work({"task": "systems", "mutant": asdict(mutant), "wide": self.wide}, self.seconds)
        changed = [name for name in after if after[name][0] != before[name][0]]
        if any(after[name][1] != before[name][1] for name in changed):
            return False
        rows = list({(*before[name], *after[name]): name for name in changed if not before[name][1]}.values())
        graphs = ({"task": "graphs", "mutant": wrong, "rows": rows} for wrong in (None, asdict(mutant)))
        right, wrong = (_work(order, 4 * self.seconds) for order in graphs)
        return bool(right == wrong)

    @cached_property
    def _systems(self) -> Path:
        """The systems as they are without a mutant, in a file."""
        file = Path(self._folder.name) / "systems.json"
        file.write_text(json.dumps(_work({"task": "systems", "wide": self.wide}, 600)), encoding="utf-8")
        return file

    @cached_property
    def _coverage(self) -> dict[str, list[str]]:
        """For each statement of the core the rows that execute it."""
        return _work({"task": "coverage", "wide": self.wide}, 600)

    def _executing(self, mutant: Mutant) -> list[str]:
        """The rows that execute the mutant's statement, of those that were tried."""
        return self._coverage.get(f"{mutant.module}:{mutant.line}", [])


class Stillborn(Exception):
    """Python refuses the mutant: what it says."""


class Endless(Exception):
    """There was no time left for it."""


def _work(order: dict[str, Any], seconds: int) -> dict[str, Any]:
    """Have a process of its own do a task in so many seconds of the processor; raises Stillborn, or Endless."""
    path = [str(ROOT), *(str(ROOT / part) for part in ("model", "specs", "cli"))]
    command = [sys.executable, "-c", _START.format(path=path), json.dumps({**order, "seconds": seconds})]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode < 0:
        raise Endless
    if done.returncode:
        raise Stillborn((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


_START = "import sys, runpy; sys.path[:0] = {path}; runpy.run_module('tests.mutation.worker', run_name='__main__')"


def summary(results: Sequence[Result]) -> str:
    """How many mutants each net has caught, and what share of those that count."""
    tally = Counter(result.net for result in results)
    counted = [result for result in results if result.counts]
    caught = sum(not result.survives for result in counted)
    share = 100 * caught / max(len(counted), 1)
    nets = ", ".join(f"{number} {net}" for net, number in tally.most_common())
    return f"{len(results)} mutants: {nets}; {caught} of {len(counted)} caught by more than counts ({share:.0f} %)"
