"""Code bases as the explorer shows them: the worst first, with who mended it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from shlex import quote

from msgspec.structs import replace

from draincheck.checking import Result, check
from draincheck.explorer.document import PageRemedy
from draincheck.explorer.examined import Examined
from draincheck.qemu import Scenario
from draincheck.revisions import PLACES, REVISIONS, Revision, find_revision
from draincheck.verdict import Outcome
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.impact import rank
from drainspecs.mirror.scenarios import applies
from drainspecs.mirror.specifications import find_specification

__all__ = ["examined", "remedy_of"]


def examined(code_base: CodeBase, result: Result) -> Examined:
    """A code base with what the check of it found."""
    return Examined(code_base, result, rank, partial(remedy_of, code_base))


def remedy_of(code_base: CodeBase, name: str) -> PageRemedy | None:
    """The first later code base in which a property holds, as the table of expectations says and a search has confirmed just now.

    None where nothing is expected: of demands by another name, and of code bases that stand in no history.
    """
    found = _mended_by(code_base, name)
    if found is None:
        return None
    repairs = _repairs(code_base, name)
    if not found:
        return PageRemedy(f"in {code_base.scenario.name} {name} holds in no later code base that is modelled", repairs)
    until = f"until {_dated(found[1])}, where it is violated once more" if found[1:] else "on"
    holds = f"in {code_base.scenario.name} {name} holds again from {_dated(found[0])} {until}"
    return PageRemedy(f"{holds}: {found[0].subject}", repairs)


def _dated(row: Revision) -> str:
    """A commit, with its date and the first release that has it: two may be in one."""
    return f"{row.name} ({', '.join(filter(None, [row.date, row.release and f'first in {row.release}']))})"


def _repairs(code_base: CodeBase, name: str) -> tuple[str, ...]:
    """Who knows smaller changes: of demands on whole runs nobody does."""
    if code_base.specification.name != "invariant":
        return ()
    asked = f"--revision {code_base.revision.name} --scenario {quote(code_base.scenario.name)} --property {name}"
    return (f"the smallest sets of known changes that mend it: check-invariants repair {asked}",)


def _mended_by(code_base: CodeBase, name: str) -> Sequence[Revision] | None:
    """The first later code base in which a property holds, with the first after that in which it does not, if there is one; None: not known."""
    place = PLACES.get(code_base.revision.name)
    if place is None or code_base.expectation(name) is None:
        return None
    later = [row for row in REVISIONS[place + 1 :] if applies(row, code_base.scenario)]
    kept = {row.name: _outcome(code_base, row, name) for row in later}
    first = next((row for row in later if kept[row.name] is Outcome.HOLDS), None)
    if first is None:
        return []
    if _found(first.name, code_base.scenario, code_base.specification.name)[name] is not Outcome.HOLDS:
        return None
    rest = later[later.index(first) :]
    return [first, *(row for row in rest if kept[row.name] is Outcome.VIOLATED)][:2]


@lru_cache(maxsize=64)
def _found(revision: str, scenario: Scenario, specification: str) -> Mapping[str, Outcome]:
    """What a search finds of a code base: one mends several properties of several others."""
    code_base = CodeBase(find_revision(revision), scenario, specification=find_specification(specification))
    return {finding.name: finding.outcome for finding in check(code_base).findings}


def _outcome(code_base: CodeBase, row: Revision, name: str) -> Outcome | None:
    found = replace(code_base, revision=row).expectation(name)
    return None if found is None else found.outcome
