"""`check-invariants claims`: what the commit message says, and what comes after it, each decided by computation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from check_invariants.exit import Interrupted, ending, of_comparison
from check_invariants.options import Named, find_claim, json_option, known_claims
from check_invariants.output import emit, emit_json, until_interrupted

if TYPE_CHECKING:
    from drainspecs.mirror.claim import Claim, ClaimFact, ClaimResult

__all__ = ["claim_json", "command"]


@click.command("claims")
@click.argument("names", nargs=-1, type=Named("claim", find_claim, known_claims), metavar="[NAME]...")
@json_option
@click.pass_context
def command(ctx: click.Context, names: Sequence[Claim], as_json: bool) -> None:
    """Decide the claims of the commit message this project was born from.

    And what goes beyond it. Each with its verdict and the facts behind it; + marks a fact that is as the claim needs it, - one that is not.

    \b
    Exit codes: 0 every verdict as expected; 10 one is not, or a model is at fault; 2 wrong arguments; 130 interrupted.

    \b
    Example: check-invariants claims case-2 bandage
    """
    from drainspecs.mirror.claims import CLAIMS, decide_claims

    claims = tuple(names) or CLAIMS
    results, missing = until_interrupted(decide_claims(claims), "claims decided", len(claims))
    code = ending((of_comparison(result.as_expected) for result in results), missing)
    if as_json:
        found = [claim_json(result) for result in results]
        emit_json("claims", {"claims": found, "exit_code": int(code)})
    else:
        emit("\n".join(map(_text, results)))
    if missing:
        raise Interrupted(f"interrupted: {len(results)} of {len(claims)} claims were decided")
    ctx.exit(code)


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


def claim_json(result: ClaimResult) -> dict[str, Any]:
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
        "facts": [_fact_json(fact) for fact in result.facts],
        "remarks": list(result.remarks),
    }


def _fact_json(fact: ClaimFact) -> dict[str, Any]:
    return {"text": fact.text, "holds": fact.holds, "computed": fact.computed}
