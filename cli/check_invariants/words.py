"""What several commands say alike: of verdicts and what was expected, and of what a model leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from check_invariants.documents import Document
from check_invariants.table import Styled
from draincheck import Expectation, Outcome, Subject, Verdict
from draincheck.words import counted, listed

if TYPE_CHECKING:
    from draincheck.certificate import InvariantClaim
    from draincheck.verdict import Exploration

__all__ = ["VERDICTS", "Listed", "as_far_as_modelled", "claimed", "conclusion", "placed", "searched", "tallied"]

#: verdicts, with the sign of each in a table, what is said of several, and the colour on a terminal
VERDICTS = {
    "holds": (".", "hold", "green"),
    "violated": ("x", "violated", "red"),
    "never asked": ("-", "never asked", "magenta"),
    "unknown": ("?", "unknown", "yellow"),
}


class Listed(Struct, frozen=True):
    """A verdict as it is listed: under a name, and beside what was expected (None: nothing); whether a violation matters by itself."""

    name: str
    verdict: Verdict
    expectation: Expectation | None
    matters: bool = True

    @property
    def word(self) -> str:
        """The verdict in a word."""
        return self.verdict.outcome.value

    @property
    def expected(self) -> str:
        """The expected verdict in a word, "" if there is none."""
        return "" if self.expectation is None else self.expectation.outcome.value

    @property
    def argument(self) -> str:
        """Why it is expected."""
        return "" if self.expectation is None else self.expectation.argument

    @property
    def as_expected(self) -> bool:
        """Nothing else was expected."""
        return self.expected in ("", self.word)

    @property
    def unexpected(self) -> bool:
        """Another one was expected; of what is unknown nobody can say that."""
        return not self.as_expected and self.word != "unknown"

    @property
    def cell(self) -> Styled:
        """The verdict in a table of its own."""
        return Styled(self.word, VERDICTS[self.word][2]) if self.as_expected else Styled(f"{self.word}!", "bold yellow")

    @property
    def sign(self) -> str:
        """The verdict in a table where a column is a property."""
        return VERDICTS[self.word][0] + ("" if self.as_expected else "!")

    def to_json(self) -> Document:
        """What is known, and what was expected, for a document."""
        return {
            "verdict": self.word,
            "how": str(self.verdict.reason),
            "expected": self.expected or None,
            "argument": None if self.expectation is None else self.expectation.argument,
        }


def conclusion(judged: Sequence[Listed], otherwise: str, named: bool = True) -> str:
    """What the exit code says, in words; `otherwise`, if nothing is wrong; not `named`: what is violated as expected is not."""
    unknown = [item for item in judged if item.word == "unknown"]
    violated = [item for item in judged if item.word == "violated" and (named or not item.expected)]
    lists = {
        "violated": [item for item in violated if item.matters],
        "violated, rules inside QEMU that no guest sees": [item for item in violated if not item.matters],
        "never asked": [item for item in judged if item.word == "never asked" and not item.expected],
        "unknown": unknown,
        "not as expected": [item for item in judged if item.unexpected],
    }
    said = [f"{word}: {', '.join(item.name for item in items)}" for word, items in lists.items() if items]
    unasked = [item.name for item in judged if item.word == item.expected == "never asked"]
    if unasked and not said:
        asked = "everything that is asked holds" if len(unasked) < len(judged) else "nothing is asked"
        return f"{asked}; never asked, as expected: {', '.join(unasked)}"
    return "; ".join(said) or otherwise


def tallied(verdicts: Mapping[str, int], unexpected: int | None) -> str:
    """How many verdicts of each kind, and how many of them are not as expected; None: nothing is expected of any.

    That all are is said where none is unknown.
    """
    said = ", ".join(f"{verdicts[word]} {words}" for word, (_, words, _) in VERDICTS.items() if verdicts[word])
    some = f", {unexpected} not as expected" if unexpected or verdicts["unknown"] else ", all as expected"
    return f"{counted(sum(verdicts.values()), 'verdict')} ({said}){'' if unexpected is None else some}"


def as_far_as_modelled(subject: Subject, verdicts: Iterable[tuple[str, Outcome]]) -> str:
    """A line for each thing that is left out, with the verdicts that could turn on it."""
    limited: dict[tuple[str, str], list[str]] = {}
    for property, outcome in verdicts:
        for says in subject.limits(property, outcome):
            limited.setdefault((outcome.value, says), []).append(property)
    return "".join(
        f"as far as modelled: {', '.join(names)} {word if len(names) == 1 else VERDICTS[word][1]}: {says}\n"
        for (word, says), names in limited.items()
    )


def claimed(claims: Sequence[InvariantClaim]) -> str:
    """`S1, S2 hold; R1 is not reachable`: which of the two, because a certificate can be about either."""
    held = [claim.property for claim in claims if claim.verdict == "holds"]
    others = [claim.property for claim in claims if claim.verdict != "holds"]
    parts = [(held, "holds", "hold"), (others, "is not reachable", "are not reachable")]
    return "; ".join(f"{', '.join(names)} {one if len(names) == 1 else more}" for names, one, more in parts if names)


def searched(found: Exploration) -> str:
    """How many states a search has stored, for a table, and whether these are those of a reduced system."""
    return f"{found.statistics.states}, reduced" if found.reduction else str(found.statistics.states)


def placed(found: Mapping[str, Sequence[str]]) -> str:
    """Things, each with the places where they are, those of the same places together; "" if there are none."""
    places: dict[str, list[str]] = {}
    for place, things in found.items():
        for thing in things:
            places.setdefault(thing, []).append(place)
    together: dict[tuple[str, ...], list[str]] = {}
    for thing, where in places.items():
        together.setdefault(tuple(where), []).append(thing)
    return ", ".join(f"{listed(things)}{_in(where, len(found))}" for where, things in together.items())


def _in(places: Sequence[str], of: int) -> str:
    if not any(places):
        return ""
    return f" in all {counted(of, 'scenario')}" if len(places) == of > 1 else f" in {listed(places)}"
