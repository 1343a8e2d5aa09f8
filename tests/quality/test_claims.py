"""The seed's claims come out as its history says, and a claim about a wrong model does not."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pytest
from msgspec.structs import replace

from draincheck.revisions import REVISIONS, find_revision
from drainspecs.mirror import facts
from drainspecs.mirror.claim import Claim, ClaimFact, ClaimVerdict
from drainspecs.mirror.claims import CLAIMS, find_claim
from drainspecs.mirror.message import MESSAGE, Sentence
from tests.support.samples import sampled


def stated(claim: Claim) -> list[ClaimFact]:
    """The facts that a claim needs as it stands."""
    return [ask() for ask in claim.as_stated]


#: claims that more than half a second goes into
DEAR = ("dataplane", "resumed", "quiet")


@pytest.mark.parametrize(
    "claim", sampled(CLAIMS, [claim for claim in CLAIMS if claim.name not in DEAR]), ids=lambda claim: claim.name
)
def test_each_claim_has_its_expected_verdict(claim: Claim) -> None:
    """Computed, then compared."""
    result = claim.decide()
    assert result.as_expected, result.facts
    assert result.facts


# -- the message, sentence by sentence ----------------------------------------------------------------


def _uncovered(message: Iterable[Sentence], names: Collection[str]) -> set[str]:
    """The sentences that no claim decides, and the claims that speak for no sentence and do not say so."""
    beyond = {claim.name for claim in CLAIMS if claim.text.startswith("beyond the message: ")}
    cited = {name for sentence in message for name in sentence.claims}
    silent = {sentence.text for sentence in message if not set(sentence.claims) & set(names)}
    return silent | (cited - set(names)) | (set(names) - cited - beyond) | (beyond & cited)


def test_every_sentence_of_the_message_is_decided() -> None:
    """And every claim decides a sentence, or goes beyond the message and says so."""
    assert _uncovered(MESSAGE, {claim.name for claim in CLAIMS}) == set()


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_that_is_missing_is_noticed(claim: Claim) -> None:
    """Negative control: no claim about the message can be taken away, and no sentence left without one."""
    kept = {item.name for item in CLAIMS} - {claim.name}
    assert bool(_uncovered(MESSAGE, kept)) is not claim.text.startswith("beyond the message: ")
    bare = [replace(sentence, claims=()) for sentence in MESSAGE if claim.name in sentence.claims]
    assert {sentence.text for sentence in bare} <= _uncovered(bare, kept)


def test_the_message_is_whole() -> None:
    """Eighteen sentences and drawings, each once, in the order of the message: it begins with 5a7e7a0ba and ends with the patch."""
    assert len({sentence.text for sentence in MESSAGE}) == len(MESSAGE) == 18
    assert MESSAGE[0].text.startswith("5a7e7a0ba ") and MESSAGE[-1].text.startswith("this patch ")


# -- what a reader sees first -------------------------------------------------------------------------


def test_conditions_and_corrections_are_named() -> None:
    """A claim that is confirmed under a condition says which, a refuted one says what is true instead, and no other does."""
    for claim in CLAIMS:
        said = (bool(claim.condition), bool(claim.instead), bool(claim.if_conditioned))
        conditional = claim.expected is ClaimVerdict.CONDITIONAL
        assert said == (conditional, claim.expected is ClaimVerdict.REFUTED, conditional), claim.name


@pytest.mark.slow
def test_what_is_not_modelled_is_not_credited() -> None:
    """virtio-scsi's part of the notifier's move turns no knob, and no claim about models rests on it."""
    before, after = find_revision("0ff841f6d1"), find_revision("1c627137c1")
    assert before.knobs == after.knobs
    assert not any("1c627137c1" in fact.text for claim in CLAIMS for fact in stated(claim))


@pytest.mark.slow
def test_only_history_is_not_computed() -> None:
    """One fact is read and not computed: what a commit message says."""
    read = [(claim.name, fact.text) for claim in CLAIMS for fact in stated(claim) if not fact.computed]
    assert read == [("realized", "the message of 6ee4ce1ee7 does not mention the window of the main loop")]


# -- negative controls --------------------------------------------------------------------------------


def test_a_claim_about_a_fixed_code_base_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: were the story's culprit harmless, the first claim would be refuted."""
    culprit = "5a7e7a0bad"
    found = {culprit: find_revision("9a0cec664e")}
    monkeypatch.setattr(facts, "find_revision", lambda name: found.get(name) or find_revision(name))
    assert find_claim("opens").decide().verdict is ClaimVerdict.REFUTED
    assert find_claim("drawing").decide().verdict is ClaimVerdict.REFUTED


def test_a_commit_that_turned_another_knob_is_not_credited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: the order within an iteration is f3926945c8's work only if it moved the iohandlers and nothing else."""
    found = {"f3926945c8": find_revision("3f09bfbc7b")}
    monkeypatch.setattr(facts, "find_revision", lambda name: found.get(name) or find_revision(name))
    assert find_claim("unordered").decide().verdict is ClaimVerdict.REFUTED


def test_a_condition_does_not_rescue_a_claim_whose_conditioned_facts_fail() -> None:
    """Refuted, not conditional."""
    claim = find_claim("case-2")
    assert replace(claim, if_conditioned=claim.as_stated).decide().verdict is ClaimVerdict.REFUTED


def test_a_refuted_claim_would_be_confirmed_by_other_facts() -> None:
    """Negative control: *refuted* is not a claim's own word but comes from its facts."""
    kept = tuple(ask for ask in find_claim("together").as_stated if ask().holds)
    assert [ask().text for ask in kept] == ["ab27c3b5e7+drain=nested, mirror: S7 holds"]
    assert replace(find_claim("together"), as_stated=kept).decide().verdict is ClaimVerdict.CONFIRMED


# -- a disk whose dataplane stops -----------------------------------------------------------------------


@pytest.mark.slow
def test_stopping_dataplane_is_harmless_in_2_5_and_no_longer_in_2_6() -> None:
    """S1 holds where the stop eats the kick, and is violated by every code base from 03de2f5274 to the one before cf3129323f."""
    names = [revision.name for revision in REVISIONS]
    eats, runs, parks = map(names.index, ("176c36997f", "03de2f5274", "cf3129323f"))
    violated = [name for name in names[eats:] if facts.is_violated(name, "dataplane-stop", "S1")]
    assert runs == eats + 1 and violated == names[runs:parks]


def test_a_stop_that_goes_on_eating_the_kick_does_not_confirm_the_claim() -> None:
    """Negative control: the fact follows the code, not the date."""
    (runs,) = facts.bad("03de2f5274", "dataplane-stop", "S1")
    (eats,) = facts.bad("03de2f5274", "dataplane-stop", "S1", stop_runs_queue="none")
    assert runs().holds and not eats().holds


# -- easier to trigger --------------------------------------------------------------------------------


def test_the_bug_is_not_easier_to_trigger() -> None:
    """GLib's order: the same kicks. Any order: more positions of a kick. A random scheduler meets it less often in both."""
    facts = {fact.text.partition(" at 6ee4ce1ee7")[0]: fact.holds for fact in stated(find_claim("easier"))}
    assert list(facts.values()) == [False, False, True, False]
    assert [text.split(":")[0] for text in facts] == ["order=attach", "order=attach", "order=any", "order=any"]
