"""What a claim is, and how it is decided: by questions, each with an answer that is as the claim needs it or not."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TypeAlias

from msgspec import Struct

from draincheck.errors import ModelError

__all__ = ["Claim", "ClaimFact", "ClaimResult", "ClaimVerdict", "Question"]


class ClaimVerdict(Enum):
    """What the computation says about a claim."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    CONDITIONAL = "confirmed under a condition"
    FAULT = "model fault"
    """Nothing: a model that the claim rests on is wrong itself."""


class ClaimFact(Struct, frozen=True):
    """One answer that a claim rests on: a question in words, and whether it came out as the claim needs it.

    `computed`: by a model or from the table of code bases; if not, it is a fact of history that a reader can look up.
    """

    text: str
    holds: bool
    computed: bool = True


#: a fact that is still to be found; raises ModelError if a model is wrong
Question: TypeAlias = Callable[[], ClaimFact]


class ClaimResult(Struct, frozen=True):
    """A claim decided: its verdict, the facts behind it, and remarks that decide nothing.

    `fault` says what is wrong with a model of it, and where, if one is: nothing is known of such a claim.
    """

    claim: Claim
    verdict: ClaimVerdict
    facts: tuple[ClaimFact, ...]
    remarks: tuple[str, ...] = ()
    fault: str = ""

    @property
    def as_expected(self) -> bool:
        """The verdict is the one that the history gives reason to expect."""
        return self.verdict is self.claim.expected


class Claim(Struct, frozen=True):
    """A claim in one sentence, and how it is decided.

    Attributes:
        name: its name on the command line.
        text: the claim.
        expected: the verdict to expect: what reading QEMU's commits and probing its code had shown before anything was computed.
        as_stated: what is asked of the claim as it stands.
        condition: for *confirmed under a condition*: the condition.
        instead: for *refuted*: what is true instead.
        if_conditioned: what is asked under the condition; nothing if there is none.
        remarks: information beside the verdict; of a question the text of its answer.
    """

    name: str
    text: str
    expected: ClaimVerdict
    as_stated: tuple[Question, ...]
    condition: str = ""
    instead: str = ""
    if_conditioned: tuple[Question, ...] = ()
    remarks: tuple[str | Question, ...] = ()

    @property
    def gist(self) -> str:
        """What a reader has to know who reads nothing else: the condition, what is true instead, or the claim itself."""
        return self.condition or self.instead or self.text

    def decide(self) -> ClaimResult:
        """Confirmed if all facts hold as stated; under the condition if those do; refuted otherwise. A model at fault is a result, too."""
        try:
            return self._decided()
        except ModelError as error:
            return ClaimResult(self, ClaimVerdict.FAULT, (), fault=str(error))

    def _decided(self) -> ClaimResult:
        stated, under = ([ask() for ask in questions] for questions in (self.as_stated, self.if_conditioned))
        if all(fact.holds for fact in stated):
            verdict = ClaimVerdict.CONFIRMED
        elif under and all(fact.holds for fact in under):
            verdict = ClaimVerdict.CONDITIONAL
        else:
            verdict = ClaimVerdict.REFUTED
        remarks = tuple(remark if isinstance(remark, str) else remark().text for remark in self.remarks)
        return ClaimResult(self, verdict, tuple(dict.fromkeys(stated + under)), remarks)
