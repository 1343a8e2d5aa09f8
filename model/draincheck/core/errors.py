"""The ways a run of the core ends before its time, and the ways the core says no."""

from __future__ import annotations

__all__ = ["ConfigError", "CoreError", "NotDeterministic", "QemuAbort", "ReplayDiverged"]


class CoreError(Exception):
    """The core was asked for something that makes no sense."""


class ConfigError(CoreError, ValueError):
    """A configuration that no machine can have, or that the code base does not support."""


class NotDeterministic(CoreError):
    """The same choices gave two different runs: a defect of the core."""


class QemuAbort(Exception):
    """QEMU ends here: an assertion fails, or it crashes. The message says which.

    Attributes:
        crash: it dies of corrupted memory, not of an assertion.
    """

    def __init__(self, message: str, crash: bool = False) -> None:
        self.message, self.crash = message, crash
        super().__init__(message)


class ReplayDiverged(CoreError):
    """A recorded choice is not offered: the core and the recording part ways.

    Attributes:
        step: the number of the step at fault, from 1.
        wanted: what the recording takes, as (process, label); None if it takes nothing where the core has several choices.
        offered: what the core offers, as (process, label) pairs.
    """

    def __init__(self, step: int, wanted: tuple[str, str] | None, offered: tuple[tuple[str, str], ...]) -> None:
        self.step, self.wanted, self.offered = step, wanted, offered
        takes = "nothing" if wanted is None else _named(wanted)
        offers = "; ".join(map(_named, offered)) or "nothing"
        super().__init__(f"step {step}: the trace takes {takes}, and the core offers {offers}")


def _named(choice: tuple[str, str]) -> str:
    process, label = choice
    return f"{process}: {label}" if label else process
