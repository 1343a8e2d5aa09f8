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


def test_harm_under_a_condition_stands_first_with_its_scenario() -> None:
    """What goes wrong in a variant alone is said of its scenario, with when, before what is safe; and never is that called safe without a word."""
    flush, stop = "when the guest flushes", "when the device is reset or the VM stopped"
    said = answer(
        "X", {"dataplane": ("safe",), "mirror": ("safe",), "dataplane-stop": ABORT, "mirror-flush": ("safe",)}
    )
    assert said == f"X aborts in dataplane {stop}; safe with mirror, otherwise also with dataplane"
    both = {"timer": ("safe",), "no-ioeventfd": ("safe",), "timer-flush": HANG, "no-ioeventfd-flush": HANG}
    safe = "otherwise safe with timer and no-ioeventfd"
    assert answer("X", both) == f"X hangs in timer and no-ioeventfd {flush}; {safe}"
    two = {"dataplane": ("safe",), "dataplane-stop": ABORT, "dataplane-flush": HANG}
    assert (
        answer("X", two) == f"X aborts in dataplane {stop}, hangs in dataplane {flush}; otherwise safe with dataplane"
    )


def test_harm_under_a_condition_joins_what_goes_wrong_anyway() -> None:
    """After it, as the last of its places."""
    stop = "when the device is reset or the VM stopped"
    found = {"dataplane": ("safe",), "mirror": LOSS, "dataplane-stop": LOSS + ABORT, "timer": LOSS + ABORT}
    said = f"X loses acknowledged writes silently in mirror and timer, and in dataplane {stop}, may also abort in the last two"
    assert answer("X", found) == f"{said}; otherwise safe with dataplane"
    apart = {"dataplane": ("safe",), "mirror": LOSS + ABORT, "timer": LOSS, "dataplane-stop": LOSS + ABORT}
    assert f"may also abort in mirror, and in dataplane {stop};" in answer("X", apart)


def test_a_variant_that_does_worse_is_named() -> None:
    """Where the scenario goes wrong itself, what it does not do is said of the variant, and nothing else; a request beside a loss is no news."""
    hangs = answer("X", {"dataplane": HANG, "dataplane-stop": (*LOSS, *ABORT, *HANG)})
    assert hangs == "X loses acknowledged writes silently in dataplane-stop, may also abort there, hangs in dataplane"
    loses = "X loses acknowledged writes silently in timer"
    assert answer("X", {"timer": LOSS, "timer-flush": HANG}) == f"{loses}, hangs in timer-flush"
    assert answer("X", {"timer": LOSS, "timer-flush": ("stray request",)}) == loses
    assert answer("X", {"timer": LOSS, "timer-flush": LOSS}) == loses
    assert answer("X", {"timer": LOSS, "timer-flush": ("safe",)}) == loses
    stray = {"dataplane": HANG, "dataplane-flush": ("stray request",)}
    assert answer("X", stray) == "X hangs in dataplane, submits a request between (w) and (c) in dataplane-flush"


def test_a_variant_alone_or_unknown_is_no_condition() -> None:
    """It is told as what it is."""
    assert answer("X", {"timer-flush": HANG}) == "X hangs in timer-flush"
    assert (
        answer("X", {"timer": ("safe",), "timer-flush": ("unknown",)}) == "X is safe with timer; unknown in timer-flush"
    )
