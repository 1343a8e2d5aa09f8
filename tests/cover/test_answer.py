"""The answer in a sentence: what it says of what was found."""

from __future__ import annotations

import pytest

from drainspecs.mirror.answer import answer

LOSS, ABORT, HANG = ("silent loss",), ("abort",), ("hang",)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"a": ("safe",), "b": ("safe",)}, "X is safe with a and b"),
        ({"a": LOSS}, "X loses acknowledged writes silently in a"),
        ({"a": LOSS, "b": LOSS + ABORT}, "X loses acknowledged writes silently in a and b, may also abort in the last"),
        (
            {"a": LOSS, "d": ("safe",), "b": LOSS + ABORT, "c": LOSS + ABORT},
            "X loses acknowledged writes silently in a, b and c, may also abort in the last two; safe with d",
        ),
        ({"a": LOSS + ABORT, "b": LOSS}, "X loses acknowledged writes silently in a and b, may also abort in a"),
        ({"a": LOSS + HANG}, "X loses acknowledged writes silently in a, may also hang there"),
        ({"a": LOSS, "b": ABORT}, "X loses acknowledged writes silently in a, aborts in b"),
        ({"a": ("unknown",), "b": ("safe",)}, "X is safe with b; unknown in a"),
        ({"a": ("model fault",)}, "X: model fault in a"),
        ({"a": (*LOSS, "unknown")}, "X loses acknowledged writes silently in a; unknown in a"),
    ],
)
def test_sentence(found: dict[str, tuple[str, ...]], said: str) -> None:
    """Everything that was found stands in it once, the worst first."""
    assert answer("X", found) == said


def test_condition_stands_with_its_scenario() -> None:
    """What is safe only under a condition is said to be, after what is safe without one."""
    said = answer("X", {"d": ("safe",), "a": ("safe",)}, {"d": "nobody stops it"})
    assert said == "X is safe with a, and with d as long as nobody stops it"
    assert answer("X", {"d": LOSS}, {"d": "nobody stops it"}) == "X loses acknowledged writes silently in d"
