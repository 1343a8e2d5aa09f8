"""`check-invariants repair`: what it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from check_invariants.exit import Interrupted, MalformedInput
from check_invariants.output import Counter
from check_invariants.selection import select_code_base
from draincheck.errors import ModelError
from draincheck.qemu import Scenario
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.mitigations import Mitigation
from drainspecs.questions.repair import Remainder, Repairs

__all__ = ["remainders_of", "search", "selected_by"]


def selected_by(scenarios: Sequence[Scenario], selectors: Mapping[str, Any]) -> Sequence[CodeBase]:
    """The code base in each of the scenarios; raises what `select` raises."""
    places: Sequence[Scenario | None] = tuple(dict.fromkeys(scenarios)) or (None,)
    return [select_code_base(scenario=place, **selectors) for place in places]


def search(selected: Sequence[CodeBase], properties: Sequence[str], jobs: int | None) -> Repairs:
    """The smallest sets that mend it. Raises MalformedInput and Interrupted."""
    from drainspecs.questions.repair import SAFETY, repair

    revision, scenarios = selected[0].turned, [item.scenario for item in selected]
    counter = Counter("code bases decided")
    try:
        with counter:
            return repair(revision, scenarios, properties or SAFETY, advance=counter.advance, processes=jobs)
    except ModelError as error:
        raise MalformedInput(f"{revision.name}: {error}") from error
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted after {counter.done} code bases: which sets suffice is unknown") from error


def remainders_of(
    selected: Sequence[CodeBase], properties: Sequence[str], sets: Sequence[Sequence[Mitigation]]
) -> list[Remainder]:
    """What is open with each of these sets. Raises MalformedInput."""
    from drainspecs.questions.repair import SAFETY, what_remains

    revision, scenarios = selected[0].turned, [item.scenario for item in selected]
    try:
        return [what_remains(revision, chosen, scenarios, properties or SAFETY) for chosen in sets]
    except ModelError as error:
        raise MalformedInput(f"{revision.name}: {error}") from error
