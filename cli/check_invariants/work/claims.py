"""`check-invariants claims`: what it does and shows."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Sequence
from typing import Final

from msgspec.structs import asdict

from check_invariants.documents import Document, emit_json
from check_invariants.exit import ExitCode, ending, of_comparison
from check_invariants.names import Names
from check_invariants.output import emit, emit_stop, until_stopped
from draincheck.words import counted, share
from drainspecs.mirror import claims
from drainspecs.mirror.claim import Claim, ClaimFact, ClaimResult

TABLES: Final = {"claim": Names(claims.find_claim, lambda: ((claim.name, claim.text) for claim in claims.CLAIMS))}


def command(names: Sequence[Claim], as_json: bool) -> ExitCode:
    """Decide the claims, all if none is named."""
    asked = tuple(names) or claims.CLAIMS
    results, stop = until_stopped(claims.decide_claims(asked), "claim", "decided", len(asked))
    code = ending((of_comparison(result.as_expected) for result in results), stop)
    if as_json:
        emit_json("claims", {"answer": _answer(results, len(asked)), "claims": list(map(_json, results))}, code)
    else:
        said = f"{_answer(results, len(asked))}\n"
        emit("\n".join([said, *map(_text, results), said]))
    emit_stop(stop, f"{share(len(results), len(asked), 'claim')} decided")
    return code


def _answer(results: Sequence[ClaimResult], asked: int) -> str:
    """How many are what, and whether that is expected: the first and the last line."""
    verdicts = Tally(result.verdict.value for result in results)
    wrong = [result.claim.name for result in results if not result.as_expected]
    parts = [", ".join(f"{number} {verdict}" for verdict, number in sorted(verdicts.items()))]
    parts += [f"{asked - len(results)} not decided"] if len(results) < asked else []
    parts += [f"not as expected: {', '.join(wrong)}"] if wrong else ["all as expected"] if len(results) == asked else []
    return f"{counted(asked, 'claim')}: {'; '.join(filter(None, parts))}"


def _text(result: ClaimResult) -> str:
    """The first line has all that a reader must know who stops there."""
    claim = result.claim
    expected = "" if result.as_expected else f" (NOT as expected: {claim.expected.value})"
    lines = [f"{claim.name}: {result.verdict.value}{expected}: {result.fault or claim.gist}"]
    if claim.gist != claim.text:
        lines.append(f"  claim: {claim.text}")
    lines += [f"    {'+' if fact.holds else '-'} {fact.text}{_how(fact)}" for fact in result.facts]
    lines += [f"    note: {remark}" for remark in result.remarks]
    return "\n".join(lines) + "\n"


def _how(fact: ClaimFact) -> str:
    return "" if fact.computed else " (a fact of history, read and not computed)"


def _json(result: ClaimResult) -> Document:
    """A decided claim as JSON values."""
    claim = result.claim
    return {
        "name": claim.name,
        "text": claim.text,
        "condition": claim.condition,
        "instead": claim.instead,
        "verdict": result.verdict.value,
        "expected": claim.expected.value,
        "as_expected": result.as_expected,
        "fault": result.fault,
        "facts": list(map(asdict, result.facts)),
        "remarks": list(result.remarks),
    }
