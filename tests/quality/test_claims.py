"""The seed's claims come out as its history says, and a claim about a wrong model does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from draincheck.revisions import find_revision
from drainspecs import claims
from drainspecs.claims import CLAIMS, ClaimVerdict, find_claim


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_each_claim_has_its_expected_verdict(claim: claims.Claim) -> None:
    """Computed, then compared."""
    result = claim.decide()
    assert result.as_expected, result.facts
    assert result.facts


def test_conditions_are_named() -> None:
    """A claim that is confirmed under a condition says which."""
    assert {claim.name for claim in CLAIMS if claim.condition} == {
        claim.name for claim in CLAIMS if claim.expected is ClaimVerdict.CONDITIONAL
    }


def test_a_claim_about_a_fixed_code_base_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: were the story's culprit harmless, the first claim would be refuted."""
    culprit = "5a7e7a0bad"
    found = {culprit: find_revision("9a0cec664e")}
    monkeypatch.setattr(claims, "find_revision", lambda name: found.get(name) or find_revision(name))
    assert find_claim("opens").decide().verdict is ClaimVerdict.REFUTED


def test_a_condition_does_not_rescue_a_claim_whose_conditioned_facts_fail() -> None:
    """Refuted, not conditional."""
    claim = find_claim("case-2")
    assert replace(claim, if_conditioned=claim.as_stated).decide().verdict is ClaimVerdict.REFUTED


def test_the_odds_are_exact_and_smaller_after_f3926945c8() -> None:
    """In GLib's real order the window did not grow: a random scheduler finds it slightly less often."""
    remarks = list(find_claim("easier").remarks())
    assert remarks[0].endswith("probability 3843281799289435/25999228193734656 = 0.1478")
    assert remarks[1].endswith("probability 309005973813805/2166602349477888 = 0.1426")
