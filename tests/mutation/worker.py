"""One process of a campaign: it imports the library with a mutant in it, does one task, and prints what came of it as JSON.

    python -m tests.mutation.worker '{"task": "model", "mutant": {...}, ...}'

Tasks: `systems` and `graphs` of rows, `coverage` of the core, and `model` or `core`: which net catches the mutant?
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.mutation.loading import note_statements, with_mutant
from tests.mutation.operators import Mutant

if TYPE_CHECKING:
    from drainspecs.suite.matrix import Row

#: random runs that say which statements of the core a row executes
RUNS = 3


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Do a task, in as much time of the processor as there is for it."""
    resource.setrlimit(resource.RLIMIT_CPU, (order["seconds"], order["seconds"]))
    if order.get("mutant"):
        with_mutant(Mutant(**order["mutant"]))
    match order["task"]:
        case "systems":
            from tests.mutation.nets import systems

            return dict(systems(_rows(order)))
        case "graphs":
            return _graphs(order)
        case "coverage":
            return _coverage(order)
        case "model":
            return _model(order)
        case _:
            return _core(order)


def _rows(order: dict[str, Any]) -> list[Row]:
    from drainspecs.suite.matrix import all_rows, default_rows

    return all_rows() if order["wide"] else default_rows()


def _model(order: dict[str, Any]) -> dict[str, Any]:
    from tests.mutation.nets import model_nets

    before = json.loads(Path(order["systems"]).read_text(encoding="utf-8"))
    return asdict(model_nets(before, order["nets"], _rows(order)))


def _graphs(order: dict[str, Any]) -> dict[str, Any]:
    from drainspecs.suite.matrix import system_of
    from tests.mutation.nets import graph_of, row_named

    return {name: graph_of(system_of(row_named(name))) for name in order["rows"]}


def _core(order: dict[str, Any]) -> dict[str, Any]:
    from tests.mutation.nets import core_nets, name_of, some_of

    executing = [row for row in _rows(order) if name_of(row) in order["rows"]]
    return asdict(core_nets(some_of(executing), order["nets"]))


def _coverage(order: dict[str, Any]) -> dict[str, Any]:
    """For each statement of the core the rows that execute it in some random run: all default rows are tried, and two of each scenario."""
    seen = note_statements("core")
    from draincheck.conformance import config_of
    from draincheck.core.machine import Machine
    from draincheck.core.run import run
    from draincheck.core.scheduler import Random
    from drainspecs.suite.matrix import default_rows
    from tests.mutation.nets import name_of, some_of

    found: dict[str, list[str]] = {}
    for row in dict.fromkeys([*default_rows(), *some_of(_rows(order))]):
        seen.clear()
        name = name_of(row)
        scheduler = Random(0)
        for _ in range(RUNS):
            scheduler.begin()
            run(Machine(row.revision.knobs, config_of(row.scenario)), scheduler)
        for module, line in seen:
            found.setdefault(f"{module}:{line}", []).append(name)
    return found


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
