"""What verdicts mean for the guest whose disk it is."""

from __future__ import annotations

from collections.abc import Mapping

from draincheck.knobs import Knobs
from draincheck.properties import Breach
from draincheck.verdict import Outcome, Verdict
from drainspecs.mirror.properties import PROPERTIES

__all__ = ["SAFE", "VISIBLE", "breach_of", "consequences", "matters", "rank"]

#: what a code base does in a scenario when nothing is wrong
SAFE = "safe"

#: the properties of the drain invariant that somebody outside QEMU can notice; the others are rules inside it
VISIBLE = ("S1", "S3", "S4", "A1", "F1", "R1")
#: what they are about, the worst first: lost data, an end of QEMU, a hang, a job that never ends, a request that should not be there
_WORST = (("S3", "S4"), ("A1",), ("F1",), ("R1",), ("S1",))
_RULES = frozenset(item.name for item in PROPERTIES).difference(VISIBLE)
_BREACHES = {item.name: item.breach for item in PROPERTIES}


def matters(property_name: str) -> bool:
    """Whether a violation of this property alone means something outside QEMU: not that of a rule inside it, which no guest sees."""
    return property_name not in _RULES


def rank(property_name: str) -> int:
    """How bad a violation is beside those of other properties: 0 is the worst."""
    return next((place for place, names in enumerate(_WORST) if property_name in names), len(_WORST))


def breach_of(property_name: str) -> Breach:
    """What it is to violate a property of the drain invariant. Raises KeyError for another."""
    return _BREACHES[property_name]


def consequences(knobs: Knobs, verdicts: Mapping[str, Verdict]) -> tuple[str, ...]:
    """What the verdicts mean in words: loss, an end of QEMU, a hang, or a request that should not be there; `SAFE` if nothing.

    `knobs` tell an assertion that fails from a crash. Verdicts that are missing say nothing.
    """
    found = {
        "silent loss": _violated(verdicts, "S3", "S4"),
        "crash" if knobs.pre_switch == "swap_raw" else "abort": _violated(verdicts, "A1"),
        "hang": _violated(verdicts, "F1"),
        "nothing happens": _violated(verdicts, "R1"),
    }
    words = [word for word, yes in found.items() if yes]
    if not words and _violated(verdicts, "S1"):
        words = ["stray request"]
    if any(verdict.outcome is Outcome.UNKNOWN for verdict in verdicts.values()):
        words.append("unknown")
    return tuple(words or [SAFE])


def _violated(verdicts: Mapping[str, Verdict], *names: str) -> bool:
    return any(name in verdicts and verdicts[name].outcome is Outcome.VIOLATED for name in names)
