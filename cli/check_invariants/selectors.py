"""The options that name what a command is about, by their names: read by type checkers alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from draincheck.knobs import Setting
from draincheck.qemu import Scenario
from draincheck.revisions import Revision

__all__ = ["CodeBaseOptions", "OwnModel", "Selectors"]


class CodeBaseOptions(TypedDict, total=False):
    """The options that name a code base in a scenario, as far as a command has them."""

    revision: Revision | None
    scenario: Scenario | None
    order: str | None
    settings: Sequence[tuple[str, Setting]]


class OwnModel(TypedDict):
    """The options that name a model of the user's that a file is about: which, with which parameters."""

    model: str | None
    settings: Sequence[tuple[str, Setting]]


class Selectors(CodeBaseOptions):
    """The options that name a code base, or a model of the user's."""

    model: str | None
