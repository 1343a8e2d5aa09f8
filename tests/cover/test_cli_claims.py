"""`claims`: those that are named or all, with their facts; a wrong model behind one hides no other."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from draincheck.errors import ModelError
from drainspecs.mirror import claims
from drainspecs.mirror.claim import Claim, ClaimFact, ClaimResult, ClaimVerdict
from drainspecs.mirror.claims import CLAIMS, find_claim
from tests.golden.documents import validator
from tests.support.cli import run


def test_claims_can_be_chosen() -> None:
    """Only the named ones are decided, in the order they are named in."""
    result = run("claims", "moved", "dataplane")
    assert [line for line in result.stdout.splitlines() if line and line[0] != " "] == [
        "2 claims: 2 confirmed; all as expected",
        "moved: confirmed: beyond the message: 0ff841f6d1 closes case 3 for virtio-blk",
        "dataplane: confirmed: 2.5 protects a mirror of a disk whose dataplane keeps running, and not one in the main loop",
        "2 claims: 2 confirmed; all as expected",
    ]
    assert "    + 176c36997f, mirror: S1 violated\n" in result.stdout
    assert result.exit_code == 0


def test_an_unexpected_claim_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: the verdict of a claim that was expected otherwise."""
    wrong = replace(find_claim("dataplane"), expected=ClaimVerdict.REFUTED)
    monkeypatch.setattr(claims, "CLAIMS", (wrong,))
    result = run("claims")
    assert "dataplane: confirmed (NOT as expected: refuted): 2.5 protects" in result.stdout
    assert result.exit_code == 10


def test_claims_as_json() -> None:
    """The document follows its schema and has the facts."""
    result = run("claims", "--json", "case-2")
    data = json.loads(result.stdout)
    validator("claims").validate(data)
    (claim,) = data["claims"]
    assert (claim["verdict"], claim["as_expected"]) == ("confirmed under a condition", True)
    assert {"text": "f3926945c8+order=any, mirror: case 2 violated", "holds": True, "computed": True} in claim["facts"]
    assert data["exit_code"] == result.exit_code == 0


def test_the_first_line_of_a_claim_is_enough() -> None:
    """It has the condition, or what is true instead; the claim itself comes second, and a fact that was read says so."""
    first, second, *facts = run("claims", "realized").stdout.splitlines()[2:-2]
    assert (
        first == "realized: refuted: the message of 6ee4ce1ee7, ten months older, names the window and calls it a bug"
    )
    assert second == "  claim: nobody had noticed the main loop's bug before ab27c3b5e7"
    assert [line.endswith(" (a fact of history, read and not computed)") for line in facts] == [True, False, False]
    conditional = run("claims", "case-2").stdout.splitlines()[2]
    assert conditional.startswith("case-2: confirmed under a condition: GSources may be dispatched in any order; ")


def test_an_unknown_claim_gets_the_nearest() -> None:
    """One message, code 2."""
    result = run("claims", "case2")
    assert "unknown claim 'case2'; did you mean case-2" in result.stderr
    assert result.exit_code == 2


def test_an_interrupted_run_of_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was decided is printed, and how much that is is said."""

    def interrupted(some: tuple[Claim, ...]) -> Iterator[ClaimResult]:
        yield some[0].decide()
        raise KeyboardInterrupt

    monkeypatch.setattr(claims, "decide_claims", interrupted)
    result = run("claims")
    answer = f"{len(CLAIMS)} claims: 1 confirmed; {len(CLAIMS) - 1} not decided\n"
    assert result.stdout.startswith(f"{answer}\nopens: confirmed: ") and result.stdout.endswith(f"\n{answer}")
    assert result.stderr == f"Error: interrupted: 1 of {len(CLAIMS)} claims was decided\n"
    assert result.exit_code == 130


@pytest.fixture
def one_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three claims the second one's model is at fault."""

    def at_fault() -> ClaimFact:
        raise ModelError("wrong on purpose")

    first, second, third = map(find_claim, ("opens", "dataplane", "moved"))
    monkeypatch.setattr(claims, "CLAIMS", (first, replace(second, as_stated=(at_fault,)), third))


def test_a_claim_on_a_model_at_fault(one_at_fault: None) -> None:
    """It is not decided, says why, and hides no other; code 10."""
    result = run("claims")
    assert [line.partition(": ")[0] for line in result.stdout.splitlines() if line[:1].strip()][1:-1] == [
        "opens",
        "dataplane",
        "moved",
    ]
    answer = "3 claims: 2 confirmed, 1 model fault; not as expected: dataplane\n"
    assert result.stdout.startswith(answer) and result.stdout.endswith(answer)
    assert "\ndataplane: model fault (NOT as expected: confirmed): wrong on purpose\n" in result.stdout
    assert (result.stderr, result.exit_code) == ("", 10)


def test_a_claim_on_a_model_at_fault_as_json(one_at_fault: None) -> None:
    """The document follows its schema, and says what is wrong."""
    data = json.loads(run("claims", "--json").stdout)
    validator("claims").validate(data)
    assert [(claim["verdict"], claim["fault"]) for claim in data["claims"]] == [
        ("confirmed", ""),
        ("model fault", "wrong on purpose"),
        ("confirmed", ""),
    ]
    assert data["exit_code"] == 10
